/** A WebSocket by `ws` (which answers pings by itself), as the supervisor wants it. */
import { WebSocket } from "ws"
import type { RawData } from "ws"
import type { OpenSocket } from "./supervisor.ts"

/** Binance's largest event is far below. */
const MESSAGE_MAX_BYTES = 4 * 1024 * 1024
const HANDSHAKE_TIMEOUT_MS = 10_000

export const openWebSocket: OpenSocket = (url, handlers) => {
  const socket = new WebSocket(url, { maxPayload: MESSAGE_MAX_BYTES, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, perMessageDeflate: false })
  let over = false
  const end = (reason: string): void => {
    if (over) return
    over = true
    handlers.closed(reason)
  }
  socket.on("open", () => handlers.opened())
  socket.on("message", (data, isBinary) => {
    if (!isBinary) handlers.message(textOf(data))
  })
  socket.on("ping", () => handlers.alive())
  socket.on("pong", () => handlers.alive())
  // The error's text may hold the URL, and with it a listen key: only its code is told.
  socket.on("error", (error: Error & { readonly code?: string }) => end(error.code ?? "socket error"))
  socket.on("close", (code) => end(`closed (${code})`))
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    terminate: () => {
      over = true
      socket.terminate()
    },
  }
}

const textOf = (data: RawData): string =>
  Buffer.isBuffer(data)
    ? data.toString("utf8")
    : Array.isArray(data)
      ? Buffer.concat(data).toString("utf8")
      : Buffer.from(data).toString("utf8")
