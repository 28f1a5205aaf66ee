/** What every adapter's order lists share: the row of a record, the bounds of a page, its cursor. */
import type { EventRecord } from "@petrosa/contracts"
import type { OrderQuery, OrderRow } from "./eventStore.ts"

/** An order's row is made of its last event. */
export const rowOf = (r: EventRecord): OrderRow => ({
  order: r.order,
  stream: r.stream,
  version: r.version,
  hash: r.hash,
  state: r.state,
  type: r.type,
  at: r.at,
  signal_id: r.signal_id,
  strategy_id: r.strategy_id,
  symbol: r.symbol,
  market: r.market,
  side: r.side,
  order_type: r.order_type,
  quantity: r.quantity,
  price: r.price,
  stop_loss: r.stop_loss,
  take_profit: r.take_profit,
  binance_order_id: r.binance_order_id,
  status: r.status,
  fill_price: r.fill_price,
  filled_quantity: r.filled_quantity,
  fees: r.fees,
  open_quantity: r.open_quantity,
  profit: r.profit,
  reason: r.reason,
  settled: r.settled,
  done: r.done,
  parked: r.parked,
  timestamp: r.timestamp,
  created_at: r.created_at,
  simulation_mode: r.simulation_mode,
  replica: r.replica,
})

const LIMIT_DEFAULT = 50
const LIMIT_MAX = 1000

/** Out of bounds is brought to the bound: a list never fails for its length. */
export const limitOf = (query: OrderQuery): number =>
  query.limit === undefined || Number.isNaN(query.limit) ? LIMIT_DEFAULT : Math.min(LIMIT_MAX, Math.max(1, Math.trunc(query.limit)))

/** A cursor that no list of ours gave out. */
export class BadCursor extends Error {
  override readonly name = "BadCursor"
}

export const writeCursor = (createdAt: string, key: string): string => Buffer.from(JSON.stringify([createdAt, key])).toString("base64url")

/** @throws BadCursor */
export const readCursor = (cursor: string): readonly [createdAt: string, key: string] => {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString())
    if (Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && typeof value[1] === "string")
      return [value[0], value[1]]
  } catch {
    // Falls through: not ours either.
  }
  throw new BadCursor("this cursor is not one of a list of orders")
}
