/**
 * Asking JetStream for messages: one subscription, and requests for so many messages onto it.
 *
 * Why not the client's `consume()` or `fetch()`: `consume()` with a callback asks again whatever the reader does (43,000
 * messages in memory, measured), its iterator's `close()` hangs when nobody reads, and `fetch()` leaves an entry in the
 * client for ever (about one a second would leak for weeks). The pull request itself is a documented, small API
 * (`$JS.API.CONSUMER.MSG.NEXT.<stream>.<consumer>`): a JSON with `batch` and `expires`, answered on an inbox.
 *
 * Promises: never more than what was asked for is on its way (after a silence or a reconnect at most as much again); after
 * {@link Puller.drain} every message that the server counts as delivered to us has reached `onMessage`.
 */
import { createInbox, type Msg, nanos, type Subscription } from "nats"
import type { Clock } from "./clock.ts"
import type { Broker } from "./connection.ts"

export type PullTrouble =
  /** Nobody answers: the consumer or its stream is gone, or JetStream is not up (yet). */
  | "NO_RESPONDERS"
  | "CONSUMER_DELETED"
  /** No message and no end of a request for too long. */
  | "SILENT"
  /** The server does not accept the request as it is; or a limit of the consumer is reached. */
  | "PULL_REFUSED"
  /** The subscription was refused or ended by the server. */
  | "SUBSCRIPTION_LOST"

export interface PullerOptions {
  readonly broker: Broker
  readonly stream: string
  readonly consumer: string
  readonly clock: Clock
  readonly onMessage: (message: Msg) => void
  /** Requests ended: there is room to ask again. */
  readonly onRoom: () => void
  readonly onTrouble: (trouble: PullTrouble, detail: string) => void
  /**
   * How long the server keeps a request that it cannot fill; then it says so. Default 1000: while a process is frozen
   * (SIGSTOP, a paused machine) its connection lives on, and the server goes on filling its request with messages that
   * nobody reads. They come back after `ack_wait`; a short request keeps them few.
   */
  readonly expiresMs?: number
}

/** So many requests may go by without a word before we take the server for deaf. */
const SILENT_REQUESTS = 3

export class Puller {
  readonly #o: PullerOptions
  readonly #subject: string
  readonly #expiresMs: number
  readonly #inbox = createInbox()
  #generation = 0
  #subscription: Subscription | undefined
  #outstanding = 0
  #heardMs = 0
  #cancelWatch: (() => void) | undefined

  constructor(options: PullerOptions) {
    this.#o = options
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`
    this.#expiresMs = options.expiresMs ?? 1000
  }

  /** How many messages were asked for and have not come. */
  get outstanding(): number {
    return this.#outstanding
  }
  get open(): boolean {
    return this.#subscription !== undefined
  }

  start(): void {
    if (this.#subscription !== undefined) return
    this.reset()
    const subscription = this.#o.broker.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error !== null) {
          if (this.#subscription === subscription) this.#lost()
          this.#o.onTrouble("SUBSCRIPTION_LOST", error.message)
        } else this.#receive(message)
      },
    })
    this.#subscription = subscription
    this.#watch()
  }

  /** Asks for `count` more. */
  ask(count: number): void {
    if (this.#subscription === undefined || count <= 0 || !this.#o.broker.connected) return
    if (this.#outstanding === 0) this.#heardMs = this.#o.clock.monotonicMs()
    this.#outstanding += count
    const request = { batch: count, expires: nanos(this.#expiresMs) }
    this.#o.broker.nc.publish(this.#subject, JSON.stringify(request), { reply: `${this.#inbox}.${this.#generation}` })
  }

  /** Forgets what was asked for: the server has forgotten it (reconnect), or must be assumed to have. */
  reset(): void {
    this.#generation++
    this.#outstanding = 0
  }

  /**
   * Stops asking. When it answers, every message that was delivered to us has gone through `onMessage` (the server has
   * seen the end of our interest, and what it sent before is read); `false` when that took too long or the broker is away.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    const subscription = this.#subscription
    if (subscription === undefined) return true
    this.#subscription = undefined
    this.#cancelWatch?.()
    this.reset()
    if (!this.#o.broker.connected) {
      subscription.unsubscribe()
      return false
    }
    let cancel = (): void => {}
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#o.clock.after(timeoutMs, () => resolve(false))
    })
    const drained = subscription.drain().then(
      () => true,
      () => false,
    )
    const result = await Promise.race([drained, late])
    cancel()
    if (!result) subscription.unsubscribe()
    return result
  }

  #lost(): void {
    this.#subscription = undefined
    this.#cancelWatch?.()
    this.reset()
  }

  #receive(message: Msg): void {
    this.#heardMs = this.#o.clock.monotonicMs()
    if (!message.subject.startsWith(this.#inbox)) {
      if (this.#outstanding > 0) this.#outstanding--
      this.#o.onMessage(message)
      return
    }
    const headers = message.headers
    const code = headers?.code ?? 0
    // The end of a request of before a reset says nothing about those of now.
    if (message.subject !== `${this.#inbox}.${this.#generation}`) return
    const description = headers?.description ?? ""
    const left = Number(headers?.get("Nats-Pending-Messages") ?? Number.NaN)
    if (Number.isSafeInteger(left) && code !== 503) {
      this.#outstanding = Math.max(0, this.#outstanding - left)
      this.#o.onRoom()
      return
    }
    this.reset()
    if (code === 503) this.#o.onTrouble("NO_RESPONDERS", "nobody answers for the consumer")
    else if (/consumer (deleted|not found)/i.test(description)) this.#o.onTrouble("CONSUMER_DELETED", description)
    else if (code === 404 || code === 408) this.#o.onRoom()
    else this.#o.onTrouble("PULL_REFUSED", `${code} ${description}`)
  }

  /** Notices when neither messages nor ends of requests come. */
  #watch(): void {
    this.#cancelWatch = this.#o.clock.after(this.#expiresMs, () => {
      if (this.#subscription === undefined) return
      const silentMs = this.#o.clock.monotonicMs() - this.#heardMs
      if (this.#outstanding > 0 && this.#o.broker.connected && silentMs > this.#expiresMs * SILENT_REQUESTS) {
        this.reset()
        this.#o.onTrouble("SILENT", `nothing heard for ${Math.round(silentMs)} ms`)
      }
      this.#watch()
    })
  }
}
