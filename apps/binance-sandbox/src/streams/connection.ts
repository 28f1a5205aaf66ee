/**
 * One WebSocket of a client. It pings as the exchange does and ends a connection that does not answer or is a day old. It
 * can be told to fall silent: open, and not one frame any more, as a connection behind a dead middlebox is.
 */
import type { WebSocket } from "ws"
import type { Clock } from "../core/clock.ts"
import { toJson } from "../wire/json.ts"

export interface Heartbeat {
  readonly pingMs: number
  readonly pongWithinMs: number
  readonly lifeMs: number
}
const DAY_MS = 24 * 3_600_000
export const SPOT_HEARTBEAT: Heartbeat = { pingMs: 20_000, pongWithinMs: 60_000, lifeMs: DAY_MS }
export const FUTURES_HEARTBEAT: Heartbeat = { pingMs: 180_000, pongWithinMs: 600_000, lifeMs: DAY_MS }

/** What may wait in a client's socket before it is cut off. */
const BUFFERED_MAX = 64 * 1024 * 1024

export class Connection {
  readonly ip: string
  silent = false
  readonly #socket: WebSocket
  readonly #clock: Clock
  readonly #onClose: (() => void)[] = []
  #pongAtMs: number
  #stopped = false

  constructor(socket: WebSocket, clock: Clock, ip: string, heartbeat: Heartbeat) {
    this.#socket = socket
    this.#clock = clock
    this.ip = ip
    this.#pongAtMs = clock.nowMs()
    const bornMs = clock.nowMs()
    socket.on("pong", () => {
      this.#pongAtMs = this.#clock.nowMs()
    })
    let cancel = (): void => undefined
    const beat = (): void => {
      const nowMs = this.#clock.nowMs()
      if (nowMs - bornMs >= heartbeat.lifeMs || nowMs - this.#pongAtMs > heartbeat.pongWithinMs + heartbeat.pingMs) {
        socket.close(1008)
        return
      }
      if (!this.silent) socket.ping(String(nowMs))
      cancel = this.#clock.after(heartbeat.pingMs, beat)
    }
    cancel = this.#clock.after(heartbeat.pingMs, beat)
    socket.on("close", () => {
      this.#stopped = true
      cancel()
      for (const listener of this.#onClose.splice(0)) listener()
    })
    // A broken socket closes; there is nobody to tell.
    socket.on("error", () => socket.terminate())
  }

  onMessage(listener: (text: string) => void): void {
    this.#socket.on("message", (data: Buffer) => listener(data.toString()))
  }
  onClose(listener: () => void): void {
    if (this.#stopped) listener()
    else this.#onClose.push(listener)
  }
  send(value: unknown): void {
    if (this.silent || this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#socket.bufferedAmount > BUFFERED_MAX) this.#socket.terminate()
    else this.#socket.send(toJson(value))
  }
  close(): void {
    this.#socket.close(1000)
  }
  /** Without a close frame. */
  cut(): void {
    this.#socket.terminate()
  }
}
