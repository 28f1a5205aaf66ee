/** What a NATS server says about itself in its first line, before any login: `INFO {…}`. */
import { connect } from "node:net"

export interface NatsInfo {
  readonly serverName: string
  readonly version: string
  readonly jetstream: boolean
  readonly authRequired: boolean
}

export type NatsProbe =
  | { readonly _tag: "Nats"; readonly info: NatsInfo }
  /** Somebody listens there, and it is not NATS. */
  | { readonly _tag: "Other" }
  | { readonly _tag: "Nobody" }

const MAX_INFO_CHARS = 65_536

/** Asks once; never rejects. */
export const probeNats = (port: number, host = "127.0.0.1", timeoutMs = 1000): Promise<NatsProbe> =>
  new Promise((resolve) => {
    const socket = connect({ port, host })
    let connected = false
    let text = ""
    const end = (probe: NatsProbe) => {
      socket.destroy()
      resolve(probe)
    }
    socket.setEncoding("utf8")
    socket.setTimeout(timeoutMs, () => end(connected ? { _tag: "Other" } : { _tag: "Nobody" }))
    socket.once("connect", () => {
      connected = true
    })
    socket.once("error", () => end({ _tag: connected ? "Other" : "Nobody" }))
    socket.once("close", () => end({ _tag: connected ? "Other" : "Nobody" }))
    socket.on("data", (part: string) => {
      text += part
      const line = text.indexOf("\r\n")
      if (line >= 0) end(parseInfo(text.slice(0, line)))
      else if (text.length > MAX_INFO_CHARS) end({ _tag: "Other" })
    })
  })

/** `INFO {"server_name":…,"version":…,"jetstream":true}`; anything else is not NATS. */
export const parseInfo = (line: string): NatsProbe => {
  if (!line.startsWith("INFO ")) return { _tag: "Other" }
  try {
    const info = JSON.parse(line.slice(5)) as Record<string, unknown>
    return {
      _tag: "Nats",
      info: {
        serverName: textOf(info.server_name),
        version: textOf(info.version),
        jetstream: info.jetstream === true,
        authRequired: info.auth_required === true,
      },
    }
  } catch {
    return { _tag: "Other" }
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")
