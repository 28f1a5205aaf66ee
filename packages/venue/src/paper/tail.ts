/**
 * The events log as a stream: reads what was appended since last time, by whatever process, and hands it to the listeners
 * one after the other, with the delivery faults.
 *
 * At least once while subscribed; from the end of the log at the first subscription, with a `Gap` first: whoever listens has
 * to ask for what is live. A `Gap` comes, too, when rows were removed before this reader saw them.
 */
import type { Market } from "@petrosa/contracts"
import type { VenueEvent, VenueOrder } from "../venue.ts"
import type { LoggedEvent, PaperBooks } from "./books.ts"
import { chance } from "./faults.ts"
import type { Faults } from "./faults.ts"

/** Read at once; the rest in the next turn. */
const BATCH = 500

export type Listener = (event: VenueEvent) => void

/** What the venue tells of an order beside what the log holds of it. */
export type Complete = (order: VenueOrder, market: Market) => VenueOrder

const eventOf = ({ order, market, fill }: LoggedEvent, complete: Complete): VenueEvent =>
  fill === undefined ? { _tag: "Order", order: complete(order, market) } : { _tag: "Order", order: complete(order, market), fill }

const throwLater = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

export class Tail {
  readonly #log: Pick<PaperBooks, "eventsAfter" | "lastEvent">
  readonly #listeners = new Set<Listener>()
  #cursor = 0

  readonly #complete: Complete

  constructor(log: Pick<PaperBooks, "eventsAfter" | "lastEvent">, complete: Complete = (order) => order) {
    this.#log = log
    this.#complete = complete
  }

  subscribe(listener: Listener): () => void {
    if (this.#listeners.size === 0) this.#cursor = this.#log.lastEvent()
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Delivers what is new. Returns whether there is more at once. */
  deliver(faults: Faults, nowMs: number): boolean {
    if (this.#listeners.size === 0) return false
    const rows = this.#log.eventsAfter(this.#cursor, BATCH)
    const first = rows[0]
    if (first === undefined) return false
    const dueMs = nowMs - faults.lateEventsMs
    if (first.seq > this.#cursor + 1) {
      // Sequence numbers have no holes: what lies between was removed.
      this.#emit({ _tag: "Gap", reason: `events ${this.#cursor + 1}…${first.seq - 1} are no longer kept` })
    }
    let traded = false
    const count = rows.length
    for (let n = 0; n < count; n += 1) {
      const row = rows[n] ?? first
      if (faults.lateEventsMs > 0 && row.atMs > dueMs) break
      this.#cursor = row.seq
      if (faults.missEvents > 0 && chance(faults.seed, row.seq) < faults.missEvents) continue
      const event = eventOf(row, this.#complete)
      traded ||= row.fill !== undefined
      this.#emit(event)
      if (faults.duplicateEvents) this.#emit(event)
    }
    if (traded) this.#emit({ _tag: "Balance" })
    return count === BATCH && this.#cursor === rows[count - 1]?.seq
  }

  #emit(event: VenueEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        // A listener's mistake must not keep the others, or the venue, from going on; nor must it be silent.
        throwLater(error)
      }
    }
  }
}
