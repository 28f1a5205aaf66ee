/**
 * One WebSocket connection to a public stream host, and the streams that are subscribed on it.
 *
 * Promises: what is wanted is subscribed on every connection, also on the successor of one that is replaced; the messages
 * to the exchange are few (several streams in each, spaced: spot takes 5 a second, futures 10, and ends a connection that
 * sends more); nothing connects before something is wanted. Reconnecting, rotation with overlap and the silence watchdog are
 * the supervisor's.
 */
import type { MarketClock } from "./clock.ts"
import { field, isObject, parseExact } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"
import { Supervisor } from "../binance/supervisor.ts"
import type { HandshakeStep, OpenSocket } from "../binance/supervisor.ts"

export interface StreamSetOptions {
  /** `wss://…/ws`, without streams. */
  readonly url: string
  readonly clock: MarketClock
  readonly openSocket: OpenSocket
  readonly silenceMs: number
  readonly rotateAfterMs: number
  /** One market event, without envelope. */
  onEvent(event: JsonObject): void
  /** A message that is no JSON object. */
  onGarbage(): void
  onLost(reason: string): void
  /** The exchange refused a subscription. */
  onRefused(detail: string): void
}

/** Streams of one message: about 1 KB; Binance ends a connection whose message is too long. */
const NAMES_PER_MESSAGE = 50
const MESSAGE_SPACING_MS = 300
/** Answers of the protocol are short; market events are not looked at twice. */
const ANSWER_MAX_LENGTH = 1_000

export class StreamSet {
  readonly #options: StreamSetOptions
  readonly #wanted = new Set<string>()
  #toSubscribe: string[] = []
  #toUnsubscribe: string[] = []
  #sending = false
  #started = false
  #closed = false
  #id = 0
  readonly #supervisor: Supervisor

  constructor(options: StreamSetOptions) {
    this.#options = options
    this.#supervisor = new Supervisor({
      clock: options.clock,
      openSocket: options.openSocket,
      silenceMs: options.silenceMs,
      rotateAfterMs: options.rotateAfterMs,
      protocol: {
        url: async () => options.url,
        greeting: () => this.#greeting(),
        classify: (text) => this.#classify(text),
      },
      onEvent: (text) => this.#event(text),
      onReady: () => this.#flush(),
      onLost: (reason) => options.onLost(reason),
    })
  }

  get isReady(): boolean {
    return this.#supervisor.isReady
  }
  subscribe(names: readonly string[]): void {
    for (const name of names) {
      if (this.#wanted.has(name)) continue
      this.#wanted.add(name)
      this.#toUnsubscribe = this.#toUnsubscribe.filter((one) => one !== name)
      this.#toSubscribe.push(name)
    }
    if (this.#started || this.#wanted.size === 0 || this.#closed) this.#flush()
    else {
      this.#started = true
      this.#supervisor.start()
    }
  }
  unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#wanted.delete(name)) continue
      this.#toSubscribe = this.#toSubscribe.filter((one) => one !== name)
      this.#toUnsubscribe.push(name)
    }
    this.#flush()
  }
  /** The stream is dead although its socket is open. */
  reconnect(reason: string): void {
    this.#supervisor.reconnect(reason)
  }
  close(): void {
    this.#closed = true
    this.#supervisor.stop()
  }

  /** A new connection knows nothing: all that is wanted, the first of it at once. */
  #greeting(): string | undefined {
    const [first, ...others] = chunks([...this.#wanted])
    this.#toSubscribe = others.flat()
    this.#toUnsubscribe = []
    return first === undefined ? undefined : this.#message("SUBSCRIBE", first)
  }
  #message(method: "SUBSCRIBE" | "UNSUBSCRIBE", params: readonly string[]): string {
    this.#id += 1
    return JSON.stringify({ method, params, id: this.#id })
  }
  #flush(): void {
    if (this.#sending || this.#closed || !this.#supervisor.isReady) return
    if (this.#toSubscribe.length === 0 && this.#toUnsubscribe.length === 0) return
    this.#sending = true
    this.#options.clock.after(MESSAGE_SPACING_MS, () => {
      this.#sending = false
      if (this.#closed || !this.#supervisor.isReady) return
      const news = this.#toSubscribe.splice(0, NAMES_PER_MESSAGE)
      const gone = news.length > 0 ? [] : this.#toUnsubscribe.splice(0, NAMES_PER_MESSAGE)
      if (news.length > 0) this.#supervisor.send(this.#message("SUBSCRIBE", news))
      if (gone.length > 0) this.#supervisor.send(this.#message("UNSUBSCRIBE", gone))
      this.#flush()
    })
  }

  #classify(text: string): HandshakeStep {
    if (text.length > ANSWER_MAX_LENGTH || text.startsWith('{"e"') || text.startsWith('{"u"')) return "event"
    const answer = parseExact(text)
    if (!isObject(answer)) return "event"
    const refusal = field(answer, "error") ?? (field(answer, "msg") === undefined ? undefined : answer)
    if (refusal !== undefined) {
      this.#options.onRefused(text.slice(0, 200))
      // The first subscription decides whether the connection is of use; a later one that fails is told.
      return this.#supervisor.isReady ? "handled" : "dead"
    }
    return field(answer, "id") !== undefined && field(answer, "result") === null ? "ready" : "event"
  }

  #event(text: string): void {
    const parsed = parseExact(text)
    if (!isObject(parsed)) {
      this.#options.onGarbage()
      return
    }
    if (field(parsed, "e") === "serverShutdown") {
      this.#supervisor.rotate("the exchange shuts this connection down")
      return
    }
    const inner = field(parsed, "data")
    this.#options.onEvent(field(parsed, "stream") !== undefined && isObject(inner) ? inner : parsed)
  }
}

const chunks = (names: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(names.length / NAMES_PER_MESSAGE) }, (_, n) =>
    names.slice(n * NAMES_PER_MESSAGE, (n + 1) * NAMES_PER_MESSAGE),
  )
