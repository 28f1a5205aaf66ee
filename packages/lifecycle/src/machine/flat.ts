/** The flat fields of a document: the fold so far, for people who query by hand (contracts/records.ts). Pure. */
import type { FlatFields, Status } from "@petrosa/contracts"
import { approx, dec, div, gt, isoOf, isZero, str, ZERO } from "@petrosa/contracts"
import type { OrderContext } from "./context.ts"
import { hasFills, heldQuantity, liveLegs, totalFeesQuote } from "./lot.ts"
import { averageFillPrice } from "./planPrices.ts"

const statusOf = (c: OrderContext): Status => {
  if (c.job !== null) {
    if (c.settled === "filled") return "filled"
    return c.settled === "failed" ? "cancelled" : "pending"
  }
  const entry = c.entry
  if (entry === null) return c.settled === "failed" ? "rejected" : "pending"
  if (entry.status !== "over") return hasFills(c) ? "partially_filled" : "pending"
  switch (entry.ended) {
    case "filled":
      return "filled"
    case "cancelled":
      return "cancelled"
    case "expired":
      return "expired"
    default:
      return hasFills(c) ? "partially_filled" : "rejected"
  }
}

/** Settled, and nothing is held, live or asked for: nothing will happen any more unless late truth comes. */
export const isDone = (c: OrderContext): boolean => {
  if (c.settled === null) return false
  if (c.job !== null) return true
  return (!hasFills(c) || c.lotClosed) && liveLegs(c).length === 0
}

const number = (text: string | null): number | null => (text === null ? null : approx(text))

/** What has been filled of the entry (of all lots, for a closing order), and its average price. */
const filledOf = (c: OrderContext): { readonly quantity: string | null; readonly price: string | null } => {
  if (c.job !== null) {
    const none = isZero(dec(c.job.quantity))
    return none ? { quantity: null, price: null } : { quantity: c.job.quantity, price: str(div(dec(c.job.quote), dec(c.job.quantity))) }
  }
  const price = averageFillPrice(c)
  return price === undefined || c.entry === null ? { quantity: null, price: null } : { quantity: c.entry.filled, price: str(price) }
}

const EMPTY: Readonly<Record<string, unknown>> = {}
const WITH_METADATA: ReadonlySet<string> = new Set([
  "SignalReceived",
  "EntryPartlyFilled",
  "EntryFilled",
  "EntryEnded",
  "OrderCompleted",
  "OrderFailed",
  "LateFillFound",
  "LotClosed",
])

/** @param eventType the event being recorded: metadata is copied where the status changes, `{}` elsewhere */
export const flatFields = (c: OrderContext, eventType: string): FlatFields => {
  const filled = filledOf(c)
  const held = c.job === null ? heldQuantity(c) : ZERO
  const fees = totalFeesQuote(c)
  return {
    order: c.order,
    signal_id: c.signalId,
    strategy_id: c.strategyId,
    symbol: c.symbol,
    market: c.market,
    side: c.action === "hold" || (c.action === "close" && c.entry === null) ? c.action : c.side,
    order_type: c.orderType,
    quantity: number(c.quantity),
    price: number(c.price),
    stop_loss: number(c.stopPrice),
    take_profit: number(c.targetPrice),
    binance_order_id: c.entry?.venueOrderId ?? null,
    status: statusOf(c),
    fill_price: number(filled.price),
    filled_quantity: number(filled.quantity),
    fees: gt(fees, ZERO) || filled.quantity !== null ? approx(fees) : null,
    open_quantity: str(held),
    profit: c.profit,
    reason: c.reason?.code ?? null,
    settled: c.settled !== null,
    done: isDone(c),
    parked: c.parked !== null,
    timestamp: isoOf(c.timestampMs),
    created_at: isoOf(c.createdAtMs),
    simulation_mode: c.simulation,
    metadata: WITH_METADATA.has(eventType) ? c.metadata : EMPTY,
  }
}
