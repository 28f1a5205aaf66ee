/**
 * The fills of orders as far as they are known, each trade once: from the stream, from placement answers (spot), from trades.
 * A bounded cache: what is not here is asked for. PURE.
 */
import { dec, eq, mul, str, sum } from "@petrosa/contracts"
import type { DecimalString, Fill, SymbolRules } from "@petrosa/contracts"
import type { VenueOrder } from "../venue.ts"
import { BoundedMap } from "./seen.ts"

const ORDERS_MAX = 20_000
/** One order's fills; beyond it they are asked for each time. */
const FILLS_MAX = 2_000

export class FillBook {
  readonly #fills = new BoundedMap<string, Map<string, Fill>>(ORDERS_MAX)

  add(symbol: string, venueOrderId: string, fills: readonly Fill[]): void {
    if (fills.length === 0) return
    const key = `${symbol} ${venueOrderId}`
    const known = this.#fills.get(key) ?? new Map<string, Fill>()
    for (const fill of fills) if (known.size < FILLS_MAX) known.set(fill.tradeId, fill)
    this.#fills.set(key, known)
  }

  /** All fills of an order, when what is known adds up to its filled quantity exactly; else `undefined`. */
  complete(order: Pick<VenueOrder, "symbol" | "venueOrderId" | "filledQuantity">): readonly Fill[] | undefined {
    if (order.filledQuantity === "0") return []
    const known = this.#fills.get(`${order.symbol} ${order.venueOrderId}`)
    if (known === undefined) return undefined
    const fills = [...known.values()]
    const total = sum(fills.map((fill) => dec(fill.quantity)))
    return eq(total, dec(order.filledQuantity)) ? fills.sort(byTime) : undefined
  }
}

const byTime = (a: Fill, b: Fill): number => a.atMs - b.atMs || a.tradeId.length - b.tradeId.length || (a.tradeId < b.tradeId ? -1 : 1)
export const sortFills = (fills: readonly Fill[]): readonly Fill[] => [...fills].sort(byTime)

/** The order with its fills, and with the exact quote sum of them. */
export const withFills = (order: VenueOrder, fills: readonly Fill[]): VenueOrder => ({
  ...order,
  fills,
  filledQuote: str(sum(fills.map((fill) => mul(dec(fill.price), dec(fill.quantity))))),
})

/** The fee in quote, as far as it can be told: a fee in quote, or in base at the trade's own price. */
export const feeInQuote = (fee: DecimalString, feeAsset: string, price: DecimalString, assets: FeeAssets | undefined): DecimalString => {
  if (assets === undefined || fee === "0") return "0" as DecimalString
  if (feeAsset === assets.quoteAsset) return fee
  return feeAsset === assets.baseAsset ? str(mul(dec(fee), dec(price))) : ("0" as DecimalString)
}
export type FeeAssets = Pick<SymbolRules, "baseAsset" | "quoteAsset">
