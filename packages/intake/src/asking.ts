/**
 * Publications that JetStream answers, by the thousand: one inbox for all of them, one timer for the oldest.
 *
 * Why not the client's `jetstream().publish()`: it makes a client, a mux entry, four promises, a timer and an error object
 * for each (some 60 µs, where an order has 350 in all). What is sent and what comes back is documented and small: headers,
 * a reply subject, a JSON with `stream` and `seq` or with `error`.
 *
 * Promises: every question gets exactly one answer, `TimedOut` at the latest; after the connection was lost questions that
 * were on their way time out, since nobody knows what became of them. What waits is bounded by the caller.
 */
import { createInbox, type Msg, type MsgHdrs, type Subscription } from "nats"
import type { Clock } from "./clock.ts"
import type { Broker } from "./connection.ts"

export type Answer =
  | { readonly _tag: "Answered"; readonly data: Uint8Array }
  /** No subscriber: the server itself says so. It has certainly not arrived. */
  | { readonly _tag: "Nobody" }
  | { readonly _tag: "TimedOut" }
  /** The client refused to send it: too large for the server, or closed this very moment. */
  | { readonly _tag: "NotSent"; readonly error: unknown }

interface Waiting {
  readonly dueMs: number
  readonly tell: (answer: Answer) => void
}

const NO_RESPONDERS = 503

export class Asking {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #inbox = createInbox()
  /** In the order in which they fall due, since all wait equally long. */
  readonly #waiting = new Map<string, Waiting>()
  #next = 0
  #subscription: Subscription | undefined
  #cancelTimer: (() => void) | undefined

  constructor(broker: Broker, clock: Clock, timeoutMs: number) {
    this.#broker = broker
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  get size(): number {
    return this.#waiting.size
  }

  ask(subject: string, data: Uint8Array | string, headers?: MsgHdrs): Promise<Answer> {
    return new Promise((tell) => {
      const token = (this.#next++).toString(36)
      try {
        this.#subscription ??= this.#listen()
        this.#broker.nc.publish(subject, data, { reply: `${this.#inbox}.${token}`, ...(headers && { headers }) })
      } catch (error) {
        tell({ _tag: "NotSent", error })
        return
      }
      this.#waiting.set(token, { dueMs: this.#clock.monotonicMs() + this.#timeoutMs, tell })
      this.#cancelTimer ??= this.#clock.after(this.#timeoutMs, () => this.#expire())
    })
  }

  #listen(): Subscription {
    const subscription = this.#broker.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        // Refused by the server: the next question tries again.
        if (error !== null && this.#subscription === subscription) this.#subscription = undefined
        else if (error === null) this.#hear(message)
      },
    })
    return subscription
  }

  #hear(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1)
    const waiting = this.#waiting.get(token)
    if (waiting === undefined) return
    this.#waiting.delete(token)
    if (this.#waiting.size === 0) {
      // Nothing is waited for: no timer keeps a process that wants to end.
      this.#cancelTimer?.()
      this.#cancelTimer = undefined
    }
    const nobody = message.data.length === 0 && message.headers?.code === NO_RESPONDERS
    waiting.tell(nobody ? { _tag: "Nobody" } : { _tag: "Answered", data: message.data })
  }

  #expire(): void {
    this.#cancelTimer = undefined
    const nowMs = this.#clock.monotonicMs()
    for (const [token, { dueMs, tell }] of this.#waiting) {
      if (dueMs > nowMs) {
        this.#cancelTimer = this.#clock.after(dueMs - nowMs, () => this.#expire())
        return
      }
      this.#waiting.delete(token)
      tell({ _tag: "TimedOut" })
    }
  }
}
