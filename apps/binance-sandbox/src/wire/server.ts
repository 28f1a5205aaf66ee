/**
 * One host: HTTP and WebSocket of a market on a loopback port, and the admin endpoint under `/sandbox/`. It turns requests into
 * calls of the gate, and answers back into bytes; a fault may cut the socket instead.
 */
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type { Clock } from "../core/clock.ts"
import { Connection } from "../streams/connection.ts"
import type { Heartbeat } from "../streams/connection.ts"
import { checkRestSignature } from "./auth.ts"
import { ApiError, E } from "./errors.ts"
import type { Gate } from "./gate.ts"
import { toJson } from "./json.ts"
import { Params } from "./params.ts"
import { Answer } from "./routes.ts"
import type { Route } from "./routes.ts"

const BODY_MAX = 1024 * 1024
const NOT_FOUND =
  "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n</body>\r\n</html>\r\n"

export interface HostOptions {
  readonly host: string
  readonly port: number
  /** Asked anew for each request: a reset changes them. */
  readonly gate: () => Gate
  /** By method and path. */
  readonly routes: () => ReadonlyMap<string, Route>
  readonly clock: Clock
  readonly heartbeat: Heartbeat
  /** Answers `/sandbox/…`; `undefined`: no such thing. */
  readonly admin: (method: string, url: URL, body: string) => Promise<Answer | undefined>
  /** The paths at which it takes WebSockets; elsewhere the handshake is answered with 404. */
  readonly socketPaths: RegExp
  readonly socket: (connection: Connection, url: URL) => void
}
export interface Host {
  readonly port: number
  readonly connections: ReadonlySet<Connection>
  close(): Promise<void>
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > BODY_MAX) throw new ApiError(-1000, "Payload too large", 413)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

/**
 * Query and form body as one set of parameters. A name that comes twice is refused. Futures take an empty value for none
 * (go-binance sends `newOrderRespType=` with each order); spot refuses it where it is read (-1105).
 */
const readParams = (query: string, body: string, emptyIsNone: boolean): Params => {
  const values = new Map<string, string>()
  for (const part of [query, body])
    for (const [name, value] of new URLSearchParams(part)) {
      if (values.has(name)) throw E.duplicateParameter()
      if (value === "" && emptyIsNone) continue
      values.set(name, value)
    }
  return new Params(values)
}

export const startHost = async (options: HostOptions): Promise<Host> => {
  const connections = new Set<Connection>()

  const send = (response: ServerResponse, answer: Answer, headers: Readonly<Record<string, string>> = {}): void => {
    if (response.destroyed) return
    response.sendDate = false
    const body = typeof answer.body === "string" ? answer.body : toJson(answer.body)
    response.writeHead(answer.status, {
      "content-type": answer.contentType,
      date: new Date(options.gate().exchange.nowMs()).toUTCString(),
      ...headers,
    })
    response.end(body)
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gate = options.gate()
    const method = request.method ?? "GET"
    const raw = request.url ?? "/"
    const url = new URL(raw, "http://sandbox")
    const at = raw.indexOf("?")
    const query = at < 0 ? "" : raw.slice(at + 1)
    try {
      const body = await readBody(request)
      if (url.pathname.startsWith("/sandbox/") || url.pathname === "/sandbox") {
        send(response, (await options.admin(method, url, body)) ?? new Answer(404, { code: -1000, msg: "no such admin endpoint" }))
        return
      }
      const route = options.routes().get(`${method} ${url.pathname}`)
      if (route === undefined) {
        const text = `Path ${url.pathname}, Method ${method} is invalid`
        send(response, gate.market === "spot" ? new Answer(404, NOT_FOUND, "text/html") : new Answer(404, { code: -5000, msg: text }))
        return
      }
      const form = method === "GET" ? "" : body
      const key = request.headers["x-mbx-apikey"]
      const outgoing = await gate.pass({
        route,
        params: readParams(query, form, gate.market === "futures"),
        ip: request.socket.remoteAddress ?? "",
        apiKey: typeof key === "string" ? key : undefined,
        checkSignature: (account) => checkRestSignature(account, query, form, gate.market === "spot"),
      })
      if (outgoing._tag === "Reply") send(response, outgoing.answer, outgoing.headers)
      else if (outgoing.closeSocket) request.socket.destroy()
    } catch (error) {
      if (error instanceof ApiError) send(response, new Answer(error.status, error.body), error.headers)
      // A bug of the sandbox must not look like an answer of the exchange.
      else
        send(response, new Answer(500, { sandbox: "bug", error: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
    }
  }

  const sockets = new WebSocketServer({ noServer: true, maxPayload: BODY_MAX })
  const server: Server = createServer((request, response) => {
    void serve(request, response)
  })
  server.keepAliveTimeout = 60_000
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = new URL(request.url ?? "/", "http://sandbox")
    if (!options.socketPaths.test(url.pathname)) {
      socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const connection = new Connection(ws, options.clock, request.socket.remoteAddress ?? "", options.heartbeat)
      connections.add(connection)
      connection.onClose(() => connections.delete(connection))
      options.socket(connection, url)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port, options.host, () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    close: async () => {
      for (const connection of connections) connection.cut()
      sockets.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}
