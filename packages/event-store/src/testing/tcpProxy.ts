/** A TCP proxy that loses what it is told to: for tests of connections that break at the worst moment. */
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

export type ProxyMode =
  | "pass"
  /** Requests arrive; at the first byte of a reply the connection is cut. */
  | "loseReplies"
  /** The connection is cut when a request has come up to `cutAfterBytes`, which are passed on. */
  | "cutRequests"
  /** Nobody is there. */
  | "refuse"

export interface TcpProxy {
  readonly port: number
  /** Bytes of a request that still pass in `cutRequests`. */
  cutAfterBytes: number
  readonly mode: ProxyMode
  /** `refuse` cuts what is open as well. */
  setMode(mode: ProxyMode): void
  close(): Promise<void>
}

export const startTcpProxy = async (target: { readonly host: string; readonly port: number }): Promise<TcpProxy> => {
  let mode: ProxyMode = "pass"
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (mode === "refuse") {
      client.destroy()
      return
    }
    const upstream = connect(target.port, target.host)
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on("error", cut)
      socket.on("close", () => {
        sockets.delete(socket)
        cut()
      })
    }
    let passed = 0
    client.on("data", (chunk) => {
      if (mode !== "cutRequests") {
        passed = 0
        upstream.write(chunk)
        return
      }
      const part = chunk.subarray(0, Math.max(0, proxy.cutAfterBytes - passed))
      passed += part.length
      if (part.length === chunk.length) upstream.write(chunk)
      else upstream.write(part, cut)
    })
    upstream.on("data", (chunk) => {
      if (mode === "loseReplies") cut()
      else client.write(chunk)
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    cutAfterBytes: 0,
    get mode() {
      return mode
    },
    setMode: (next) => {
      mode = next
      if (next === "refuse") for (const socket of sockets) socket.destroy()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, "close")
    },
  }
  return proxy
}
