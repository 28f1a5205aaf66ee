/**
 * The log of a venue in memory: what happened, until its one reader has read it. What was read is dropped: objects that live on
 * for thousands of orders, and then die, are what makes collecting garbage dear.
 */
import type { Fill } from "@petrosa/contracts"
import type { Order } from "@petrosa/matching"
import type { LoggedEvent } from "./books.ts"
import { asVenueOrder } from "./rows.ts"

/** Lines that are kept at least when nobody reads: a reader that is further behind is told of a gap. */
const EVENTS_KEPT = 10_000

export class EventQueue {
  #lines: LoggedEvent[] = []
  /** So many lines before the first one are gone. */
  #gone = 0

  add(order: Order, fill: Fill | undefined): void {
    const seq = this.last() + 1
    const { market, updatedAtMs: atMs } = order
    this.#lines.push(
      fill === undefined ? { seq, atMs, market, order: asVenueOrder(order) } : { seq, atMs, market, order: asVenueOrder(order), fill },
    )
    if (this.#lines.length >= EVENTS_KEPT * 2) this.#drop(EVENTS_KEPT)
  }

  /** Drops what was read, up to `seq`. */
  after(seq: number, limit: number): readonly LoggedEvent[] {
    this.#drop(Math.min(Math.max(seq - this.#gone, 0), this.#lines.length))
    return this.#lines.length > limit ? this.#lines.slice(0, limit) : this.#lines
  }

  last(): number {
    return this.#gone + this.#lines.length
  }

  #drop(count: number): void {
    if (count === 0) return
    this.#lines = count === this.#lines.length ? [] : this.#lines.slice(count)
    this.#gone += count
  }
}
