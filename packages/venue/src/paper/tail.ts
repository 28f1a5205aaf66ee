/**
 * The events log as a stream: reads what was appended since last time, by whatever process, and hands it to the listeners
 * one after the other, with the delivery faults.
 *
 * At least once while subscribed; from the end of the log at the first subscription, with a `Gap` first: whoever listens has
 * to ask for what is live. A `Gap` comes, too, when rows were removed before this reader saw them.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { VenueEvent } from "../venue.ts"
import { chance } from "./faults.ts"
import type { Faults } from "./faults.ts"
import { fillOf, venueOrderOf } from "./rows.ts"
import type { FillRow, OrderRow } from "./rows.ts"

/** Read at once; the rest in the next turn. */
const BATCH = 500
/** Rows that are kept. A reader that is further behind has missed something, and is told so. */
export const EVENTS_KEPT = 200_000

/** The parts of an order that never change, what the event changed, and the fill. */
type EventRow = Pick<OrderRow, "id" | "client_id" | "symbol" | "side" | "type" | "quantity" | "price" | "trigger_price"> &
  Pick<OrderRow, "status" | "filled" | "filled_quote" | "updated_ms"> & {
    readonly seq: number
    readonly fill_id: number | null
    readonly f_quantity: FillRow["quantity"]
    readonly f_price: FillRow["price"]
    readonly f_fee: FillRow["fee"]
    readonly f_fee_asset: string
    readonly f_fee_quote: FillRow["fee_quote"]
    readonly f_at_ms: number
  }

export type Listener = (event: VenueEvent) => void

const eventOf = (row: EventRow): VenueEvent => {
  const order = venueOrderOf(row)
  if (row.fill_id === null) return { _tag: "Order", order }
  const fill = fillOf({
    id: row.fill_id,
    order_id: row.id,
    quantity: row.f_quantity,
    price: row.f_price,
    fee: row.f_fee,
    fee_asset: row.f_fee_asset,
    fee_quote: row.f_fee_quote,
    at_ms: row.f_at_ms,
  })
  return { _tag: "Order", order, fill }
}

export class Tail {
  readonly #read: StatementSync
  readonly #ends: StatementSync
  readonly #listeners = new Set<Listener>()
  #cursor = 0

  constructor(db: DatabaseSync) {
    this.#read = db.prepare(
      "SELECT o.id, o.client_id, o.symbol, o.side, o.type, o.quantity, o.price, o.trigger_price," +
        " e.seq, e.status, e.filled, e.filled_quote, e.at_ms AS updated_ms, e.fill_id," +
        " f.quantity AS f_quantity, f.price AS f_price, f.fee AS f_fee, f.fee_asset AS f_fee_asset, f.fee_quote AS f_fee_quote, f.at_ms AS f_at_ms" +
        " FROM events e JOIN orders o ON o.id = e.order_id LEFT JOIN fills f ON f.id = e.fill_id" +
        " WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
    )
    this.#ends = db.prepare("SELECT coalesce(min(seq), 0) AS first, coalesce(max(seq), 0) AS last FROM events")
  }

  get listening(): boolean {
    return this.#listeners.size > 0
  }

  #bounds(): { readonly first: number; readonly last: number } {
    return this.#ends.get() as { first: number; last: number }
  }

  subscribe(listener: Listener): () => void {
    if (this.#listeners.size === 0) this.#cursor = this.#bounds().last
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Delivers what is new. Returns whether there is more at once. */
  deliver(faults: Faults, nowMs: number): boolean {
    if (this.#listeners.size === 0) return false
    const rows = this.#read.all(this.#cursor, BATCH) as unknown as EventRow[]
    const first = rows[0]
    if (first === undefined) return false
    const dueMs = nowMs - faults.lateEventsMs
    if (first.seq > this.#cursor + 1) {
      // Sequence numbers have no holes: what lies between was removed.
      this.#emit({ _tag: "Gap", reason: `events ${this.#cursor + 1}…${first.seq - 1} are no longer kept` })
    }
    let traded = false
    for (const row of rows) {
      if (faults.lateEventsMs > 0 && row.updated_ms > dueMs) break
      this.#cursor = row.seq
      if (faults.missEvents > 0 && chance(faults.seed, row.seq) < faults.missEvents) continue
      const event = eventOf(row)
      traded ||= row.fill_id !== null
      this.#emit(event)
      if (faults.duplicateEvents) this.#emit(event)
    }
    if (traded) this.#emit({ _tag: "Balance" })
    return rows.length === BATCH && this.#cursor === rows.at(-1)?.seq
  }

  #emit(event: VenueEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        // A listener's mistake must not keep the others, or the venue, from going on; nor must it be silent.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
