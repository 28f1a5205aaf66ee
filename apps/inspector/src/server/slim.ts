/** Rows and transitions as they travel to the page: only what it shows. */
import type { EventRecord } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"

/** A row of the list of orders. A row, or the newest record of an order: both hold the same flat fields. */
export const slimRow = (row: OrderRow) => ({
  order: row.order,
  version: row.version,
  state: row.state,
  status: row.status,
  type: row.type,
  at: row.at,
  created_at: row.created_at,
  signal_id: row.signal_id,
  strategy_id: row.strategy_id,
  symbol: row.symbol,
  market: row.market,
  side: row.side,
  order_type: row.order_type,
  quantity: row.quantity,
  fill_price: row.fill_price,
  filled_quantity: row.filled_quantity,
  open_quantity: row.open_quantity,
  profit: row.profit,
  reason: row.reason,
  binance_order_id: row.binance_order_id,
  settled: row.settled,
  done: row.done,
  parked: row.parked,
  simulation_mode: row.simulation_mode,
})
export type SlimRow = ReturnType<typeof slimRow>

/** One event, as the live page hears of it. */
export interface Transition {
  readonly order: string
  readonly version: number
  readonly type: string
  /** The state before, where it is known. */
  readonly from: string | null
  readonly to: string
  readonly at: string
  readonly symbol: string
  readonly strategy: string
  readonly reason: string | null
}

export const transitionOf = (record: EventRecord, from: string | null): Transition => ({
  order: record.order,
  version: record.version,
  type: record.type,
  from,
  to: record.state,
  at: record.at,
  symbol: record.symbol,
  strategy: record.strategy_id,
  reason: record.state === "failed" ? record.reason : null,
})
