/**
 * Rows and events as the HTTP API shows them. The flat numbers of a row are convenience copies (floats); where an answer
 * is about money that moved, the exact decimals are taken from the events.
 */
import type { DecimalString, EventData, EventRecord, Fill, Reason } from "@petrosa/contracts"
import { add, dec, div, isZero, mul, REASONS, str, ZERO } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import { exact, exactOrNull, plain } from "./exactJson.ts"

export const orderView = (row: OrderRow): Readonly<Record<string, unknown>> => ({
  order: row.order,
  signal_id: row.signal_id,
  strategy_id: row.strategy_id,
  symbol: row.symbol,
  market: row.market,
  side: row.side,
  order_type: row.order_type,
  state: row.state,
  status: row.status,
  reason: row.reason,
  quantity: plain(row.quantity),
  filled_quantity: plain(row.filled_quantity),
  price: plain(row.price),
  stop_loss: plain(row.stop_loss),
  take_profit: plain(row.take_profit),
  fill_price: plain(row.fill_price),
  fees: plain(row.fees),
  open_quantity: exact(row.open_quantity),
  profit: exactOrNull(row.profit),
  order_id: row.binance_order_id,
  binance_order_id: row.binance_order_id,
  settled: row.settled,
  done: row.done,
  parked: row.parked,
  created_at: row.created_at,
  updated_at: row.at,
  timestamp: row.timestamp,
  simulation_mode: row.simulation_mode,
  version: row.version,
  last_event: row.type,
  replica: row.replica,
})

/** What an order's events say exactly about its size, its fills and its fees. */
export interface ExactResult {
  readonly ordered?: DecimalString
  readonly filled?: DecimalString
  readonly fillPrice?: DecimalString
  readonly fees?: DecimalString
}

export const exactResult = (records: readonly EventRecord[]): ExactResult => {
  let ordered: DecimalString | undefined
  let completed: EventData["OrderCompleted"] | undefined
  const fills = new Map<string, Fill>()
  for (const record of records) {
    switch (record.type) {
      case "OrderSized":
        ordered = (record.data as unknown as EventData["OrderSized"]).quantity
        break
      case "EntryPartlyFilled":
      case "EntryFilled":
      case "LateFillFound":
        for (const fill of (record.data as unknown as EventData["EntryFilled"]).fills) fills.set(fill.tradeId, fill)
        break
      case "OrderCompleted":
        completed = record.data as unknown as EventData["OrderCompleted"]
        break
      default:
    }
  }
  const size = ordered === undefined ? {} : { ordered }
  if (completed !== undefined) return { ...size, filled: completed.quantity, fillPrice: completed.fillPrice, fees: completed.fees }
  let quantity = ZERO
  let quote = ZERO
  let fees = ZERO
  for (const fill of fills.values()) {
    quantity = add(quantity, dec(fill.quantity))
    quote = add(quote, mul(dec(fill.quantity), dec(fill.price)))
    fees = add(fees, dec(fill.feeQuote))
  }
  if (isZero(quantity)) return size
  return { ...size, filled: str(quantity), fillPrice: str(div(quote, quantity)), fees: str(fees) }
}

/** The specification's `result`. */
export const tradeResult = (row: OrderRow, records: readonly EventRecord[]): Readonly<Record<string, unknown>> => {
  const known = exactResult(records)
  const filled = known.filled === undefined ? plain(row.filled_quantity ?? 0) : exact(known.filled)
  const ordered = known.ordered === undefined ? plain(row.quantity) : exact(known.ordered)
  return {
    order_id: row.binance_order_id,
    status: row.status,
    fill_price: known.fillPrice === undefined ? plain(row.fill_price) : exact(known.fillPrice),
    quantity: row.state === "filled" && known.filled !== undefined ? filled : ordered,
    filled_quantity: filled,
    fees: known.fees === undefined ? plain(row.fees) : exact(known.fees),
    symbol: row.symbol,
    side: row.side,
    order_type: row.order_type,
    price: plain(row.price),
    stop_loss: plain(row.stop_loss),
    take_profit: plain(row.take_profit),
    simulated: row.simulation_mode,
  }
}

/** Why an order failed: as the engine said it, else by the code in its row. */
export const reasonView = (row: OrderRow, said: Reason | undefined): Reason => {
  if (said !== undefined) return said
  const code = row.reason
  if (code !== null && Object.hasOwn(REASONS, code)) {
    const [cls, message] = REASONS[code as keyof typeof REASONS]
    return { code: code as keyof typeof REASONS, class: cls, message }
  }
  return {
    code: "PARKED",
    class: "broken",
    message: `The order failed, and its record names no reason that this version knows (${code ?? "none"}).`,
  }
}
