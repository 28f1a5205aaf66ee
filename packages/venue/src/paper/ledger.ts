/**
 * The paper venue's whole memory, for tests and admin endpoints: every order with its client id, and every fill, ever.
 * {@link readPaperLedger} reads it from another process without touching anything (it executes no due work).
 */
import { DatabaseSync } from "node:sqlite"
import type { Fill, Leg, Market } from "@petrosa/contracts"
import type { VenueOrder } from "../venue.ts"
import { fillOf, venueOrderOf } from "./rows.ts"
import type { FillRow, OrderRow } from "./rows.ts"

export interface LedgerOrder extends VenueOrder {
  readonly leg: Leg
  readonly market: Market
  readonly positionSide: "long" | "short" | "both"
  readonly reduceOnly: boolean
  readonly placedAtMs: number
}
export interface LedgerFill extends Fill {
  readonly venueOrderId: string
}
export interface Ledger {
  readonly orders: readonly LedgerOrder[]
  readonly fills: readonly LedgerFill[]
}

export const readLedger = (db: DatabaseSync): Ledger => {
  const orders = db.prepare("SELECT * FROM orders ORDER BY id").all() as unknown as OrderRow[]
  const fills = db.prepare("SELECT * FROM fills ORDER BY id").all() as unknown as FillRow[]
  return {
    orders: orders.map((row) => ({
      ...venueOrderOf(row),
      leg: row.leg,
      market: row.market,
      positionSide: row.position_side,
      reduceOnly: row.reduce_only === 1,
      placedAtMs: row.placed_ms,
    })),
    fills: fills.map((row) => ({ ...fillOf(row), venueOrderId: String(row.order_id) })),
  }
}

/** Throws when there is no such file. */
export const readPaperLedger = (file: string): Ledger => {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    return readLedger(db)
  } finally {
    db.close()
  }
}
