/**
 * Whether anybody listens to the journal. Pure.
 *
 * A busy engine appends more than ten megabytes a second, and sends them again as news: a tenth of its work, most often for
 * nobody. Core NATS says so to whoever asks: a publication with a reply address that nobody is subscribed to is answered
 * "no responders" at once. So while much is written one batch now and then is sent as a question, and while the answer is
 * that nobody was there, the others stay at home. Promises: at an ordinary pace everything is sent, whoever listens; whoever
 * comes while much is written hears all of it within {@link ASK_EVERY_MS} or so. (News may be lost; the truth is in the store.)
 */

/** Up to so many bytes in a second nothing is ever left out. */
export const ALWAYS_BYTES = 1_000_000
export const ASK_EVERY_MS = 500
const SECOND_MS = 1000

export class JournalInterest {
  #secondFromMs = Number.NEGATIVE_INFINITY
  #bytes = 0
  #askedAtMs = Number.NEGATIVE_INFINITY
  #nobody = false

  /** What to do with a batch of so many bytes: `ask` is sending it with a reply address, and telling {@link nobodyThere} what comes back. */
  next(bytes: number, nowMs: number): "send" | "ask" | "leave" {
    if (nowMs - this.#secondFromMs >= SECOND_MS) {
      this.#secondFromMs = nowMs
      this.#bytes = 0
    }
    this.#bytes += bytes
    if (this.#bytes <= ALWAYS_BYTES) return "send"
    if (nowMs - this.#askedAtMs >= ASK_EVERY_MS) {
      this.#askedAtMs = nowMs
      this.#nobody = false
      return "ask"
    }
    return this.#nobody ? "leave" : "send"
  }

  nobodyThere(): void {
    this.#nobody = true
  }
}
