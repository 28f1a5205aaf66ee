/**
 * Keeps one subscription to a user data stream alive.
 *
 * Promises: at most one connection is current, plus, at the time of rotation, its successor until that one is ready (an
 * overlap: nothing is missed, what comes twice is told apart by trade id); every new connection that is ready announces itself,
 * so that the engine asks for what it may have missed; a connection that says nothing for `silenceMs` (pings count) is
 * given up; attempts are spaced with a doubling, jittered back-off (Binance allows 300 connections in 5 minutes). Messages of a
 * connection that was given up are dropped (generation counter). Never throws; nothing is sent but the protocol's
 * greeting and what {@link Supervisor.send} is given.
 */
import type { Clock } from "./clock.ts"

/** A connection; `openSocket` in production is `ws` (socket.ts). */
export interface Socket {
  send(text: string): void
  /** Ends it now; its `closed` may still be told. */
  terminate(): void
}
export interface SocketHandlers {
  opened(): void
  message(text: string): void
  /** Any frame that is no message: ping or pong. */
  alive(): void
  /** Told once; nothing follows. */
  closed(reason: string): void
}
/** Never calls a handler before it has returned. May throw (a bad URL). */
export type OpenSocket = (url: string, handlers: SocketHandlers) => Socket

/** What the stream's protocol says about a message. */
export type HandshakeStep =
  /** The subscription stands: events flow from now on. */
  | "ready"
  /** It is part of the protocol, and nothing else. */
  | "handled"
  /** Refused, or the connection is of no use any more: another is needed. */
  | "dead"
  /** It is an event. */
  | "event"

export interface StreamProtocol {
  /** Where to connect, asked anew for each connection (a listen key may have died). `undefined`: not now. Never rejects. */
  url(): Promise<string | undefined>
  /** What to send when it is open; `undefined`: nothing, it is ready at once. */
  greeting(): string | undefined
  /** What a message is. */
  classify(text: string): HandshakeStep
}

export interface SupervisorOptions {
  readonly protocol: StreamProtocol
  readonly openSocket: OpenSocket
  readonly clock: Clock
  /** No frame for so long: given up. Spot pings every 20 s, futures every 3 min. */
  readonly silenceMs: number
  /** Binance ends a connection after 24 h: it is replaced before. */
  readonly rotateAfterMs: number
  /** From the start of an attempt until it must be ready. */
  readonly readyWithinMs?: number
  onEvent(text: string): void
  /** A connection is ready; what happened since the last one was may be missed. `reason`: `connected`, `reconnected: …`, `rotated`. */
  onReady(reason: string): void
  onLost(reason: string): void
}

export const BACKOFF_FIRST_MS = 500
export const BACKOFF_MAX_MS = 30_000
const READY_WITHIN_MS = 10_000
/** A connection that stood for so long was a good one. One that is taken and closed again at once is a failed attempt. */
const GOOD_AFTER_MS = 30_000

interface Connection {
  readonly generation: number
  readonly socket: Socket
  readonly cause: string
  ready: boolean
  readyAtMs: number
  lastFrameMs: number
  cancelWatch: () => void
}

export class Supervisor {
  readonly #options: SupervisorOptions
  #generation = 0
  #current: Connection | undefined
  #next: Connection | undefined
  #failures = 0
  #stopped = false
  #connecting = false
  #cancelRetry: () => void = () => undefined
  #cancelRotate: () => void = () => undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  start(): void {
    void this.#connect("connected")
  }
  stop(): void {
    this.#stopped = true
    this.#cancelRetry()
    this.#cancelRotate()
    for (const connection of [this.#current, this.#next]) {
      connection?.cancelWatch()
      connection?.socket.terminate()
    }
    this.#current = undefined
    this.#next = undefined
  }
  get isReady(): boolean {
    return this.#current?.ready === true
  }
  /** Sends on the connection, and on its successor while there are two; what is not open yet greets when it is. */
  send(text: string): void {
    this.#current?.socket.send(text)
    this.#next?.socket.send(text)
  }
  /** Replaces the connection, with overlap: the exchange said that this one will end. */
  rotate(reason: string): void {
    if (!this.#stopped && this.#next === undefined) void this.#connect(reason)
  }
  /** Gives the connection up at once: its subscription is dead although the socket is open. */
  reconnect(reason: string): void {
    if (this.#stopped || this.#current === undefined) return
    this.#drop(this.#current, reason)
  }

  async #connect(cause: string): Promise<void> {
    if (this.#connecting || this.#stopped) return
    this.#connecting = true
    let url: string | undefined
    try {
      url = await this.#options.protocol.url()
    } catch {
      url = undefined
    }
    this.#connecting = false
    if (this.#stopped) return
    if (url === undefined) {
      this.#retry(cause)
      return
    }
    this.#open(url, cause)
  }

  #open(url: string, cause: string): void {
    const { clock, openSocket, protocol, readyWithinMs } = this.#options
    this.#generation += 1
    const generation = this.#generation
    const slot: { connection?: Connection } = {}
    const own = (): Connection | undefined => (this.#isLive(generation) ? slot.connection : undefined)
    const handlers: SocketHandlers = {
      opened: () => {
        const it = own()
        if (it === undefined) return
        it.lastFrameMs = clock.nowMs()
        const greeting = protocol.greeting()
        if (greeting === undefined) this.#ready(it)
        else it.socket.send(greeting)
      },
      alive: () => {
        const it = own()
        if (it !== undefined) it.lastFrameMs = clock.nowMs()
      },
      message: (text) => {
        const it = own()
        if (it === undefined) return
        it.lastFrameMs = clock.nowMs()
        this.#hear(it, text)
      },
      closed: (reason) => {
        const it = own()
        if (it !== undefined) this.#drop(it, reason)
      },
    }
    let socket: Socket
    try {
      socket = openSocket(url, handlers)
    } catch {
      this.#retry(cause)
      return
    }
    const connection: Connection = {
      generation,
      socket,
      cause,
      ready: false,
      readyAtMs: 0,
      lastFrameMs: clock.nowMs(),
      cancelWatch: () => undefined,
    }
    slot.connection = connection
    if (this.#current === undefined) this.#current = connection
    else this.#next = connection
    this.#watch(connection, readyWithinMs ?? READY_WITHIN_MS)
  }

  #isLive(generation: number): boolean {
    return !this.#stopped && (this.#current?.generation === generation || this.#next?.generation === generation)
  }

  #hear(connection: Connection, text: string): void {
    switch (this.#options.protocol.classify(text)) {
      case "ready":
        this.#ready(connection)
        return
      case "handled":
        return
      case "dead":
        this.#drop(connection, "the subscription ended")
        return
      case "event":
        this.#options.onEvent(text)
    }
  }

  #ready(connection: Connection): void {
    if (connection.ready) return
    connection.ready = true
    connection.readyAtMs = this.#options.clock.nowMs()
    if (connection === this.#next) {
      const old = this.#current
      this.#current = connection
      this.#next = undefined
      old?.cancelWatch()
      old?.socket.terminate()
    }
    this.#cancelRotate()
    this.#cancelRotate = this.#options.clock.after(this.#options.rotateAfterMs, () => this.rotate("rotated"))
    this.#options.onReady(connection.cause)
  }

  /** Looks after a connection: ready in time, and never silent for long. */
  #watch(connection: Connection, readyWithinMs: number): void {
    const { clock, silenceMs } = this.#options
    const startedMs = clock.nowMs()
    const look = (): void => {
      if (!this.#isLive(connection.generation)) return
      const nowMs = clock.nowMs()
      if (!connection.ready && nowMs - startedMs >= readyWithinMs) return this.#drop(connection, "not ready in time")
      if (connection.ready && nowMs - connection.lastFrameMs >= silenceMs) return this.#drop(connection, `silent for ${silenceMs} ms`)
      const dueMs = connection.ready ? connection.lastFrameMs + silenceMs : startedMs + readyWithinMs
      // A first look soon after it became ready is not needed: silence is measured from its last frame.
      connection.cancelWatch = clock.after(Math.max(1, Math.min(dueMs - nowMs, silenceMs)), look)
    }
    connection.cancelWatch = clock.after(Math.min(readyWithinMs, silenceMs), look)
  }

  #drop(connection: Connection, reason: string): void {
    const wasCurrent = connection === this.#current
    if (connection.ready && this.#options.clock.nowMs() - connection.readyAtMs >= GOOD_AFTER_MS) this.#failures = 0
    connection.cancelWatch()
    if (wasCurrent) this.#current = undefined
    else this.#next = undefined
    connection.socket.terminate()
    if (wasCurrent && connection.ready) this.#options.onLost(reason)
    if (wasCurrent && this.#next !== undefined) {
      // A successor is on its way already.
      this.#current = this.#next
      this.#next = undefined
      return
    }
    this.#retry(wasCurrent ? `reconnected: ${reason}` : connection.cause)
  }

  #retry(cause: string): void {
    if (this.#stopped) return
    this.#cancelRetry()
    const { clock } = this.#options
    const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures, 10)) * (0.5 + clock.random())
    this.#failures += 1
    this.#cancelRetry = clock.after(delayMs, () => void this.#connect(cause))
  }
}
