/**
 * Notices that the store is away while nothing is written: one cheap question every few seconds. Without it an engine that
 * has nothing to append would call itself ready, and would take in signals that cannot become orders.
 *
 * A question that has not been answered within {@link ANSWER_WITHIN_MS} counts as away; there is never more than one.
 */
import type { EventStore } from "@petrosa/event-store"
import type { Clock } from "@petrosa/intake"

const ASK_EVERY_MS = 2000
const ANSWER_WITHIN_MS = 4000
/** Any name does: what is asked is whether there is an answer. */
const KEY = "identity_defaults"

export class StoreWatch {
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #tell: (away: string | undefined) => void
  #cancel: (() => void) | undefined
  #stopped = false

  /** `tell` is called with a reason while the store does not answer, and with `undefined` whenever it does. */
  constructor(store: EventStore, clock: Clock, tell: (away: string | undefined) => void) {
    this.#store = store
    this.#clock = clock
    this.#tell = tell
  }

  start(): void {
    if (this.#stopped) return
    this.#cancel = this.#clock.after(ASK_EVERY_MS, () => void this.#ask().finally(() => this.start()))
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  async #ask(): Promise<void> {
    const cancelLate = this.#clock.after(ANSWER_WITHIN_MS, () => this.#say(`it has not answered for ${ANSWER_WITHIN_MS} ms`))
    try {
      await this.#store.getMeta(KEY)
      this.#say(undefined)
    } catch (error) {
      this.#say(String(error))
    } finally {
      cancelLate()
    }
  }

  #say(away: string | undefined): void {
    if (!this.#stopped) this.#tell(away)
  }
}
