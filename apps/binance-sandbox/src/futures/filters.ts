/** Futures filters with their own codes (binance.md sections 4 and 5): precision first, then the filters, notional last. */
import { cmp, gt, isMultipleOf, isPositive, isZero, lt, mul, str } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { WireSide } from "../core/orders.ts"
import { bound, filterOf } from "../core/symbols.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { placesOf } from "../wire/decimals.ts"
import { E, F } from "../wire/errors.ts"

export interface Amount {
  readonly text: string
  readonly value: Decimal
}

export const checkPrecision = (info: SymbolInfo, quantity: Amount | undefined, prices: readonly (Amount | undefined)[]): void => {
  if (quantity !== undefined && placesOf(quantity.text) > info.quantityPlaces) throw F.precision()
  for (const price of prices) if (price !== undefined && placesOf(price.text) > info.pricePlaces) throw F.precision()
}

export const checkQuantity = (info: SymbolInfo, quantity: Decimal, market: boolean): void => {
  if (!isPositive(quantity)) throw F.quantityZero()
  for (const filter of [filterOf(info, "LOT_SIZE"), market ? filterOf(info, "MARKET_LOT_SIZE") : undefined]) {
    if (filter === undefined) continue
    if (lt(quantity, bound(filter, "minQty"))) throw F.quantityBelowMin()
    const most = bound(filter, "maxQty")
    if (!isZero(most) && gt(quantity, most)) throw F.quantityAboveMax()
    if (!isMultipleOf(quantity, bound(filter, "stepSize"))) throw F.step()
  }
}

/** A limit price: bounds, tick, and the band around the mark price. */
export const checkPrice = (exchange: Exchange, info: SymbolInfo, side: WireSide, price: Decimal): void => {
  const filter = filterOf(info, "PRICE_FILTER")
  if (lt(price, bound(filter, "minPrice"))) throw F.priceBelowMin()
  const most = bound(filter, "maxPrice")
  if (!isZero(most) && gt(price, most)) throw F.priceAboveMax()
  if (!isMultipleOf(price, bound(filter, "tickSize"))) throw F.tick()
  const percent = filterOf(info, "PERCENT_PRICE")
  const mark = exchange.price("futures", info.symbol)?.mark
  if (percent === undefined || mark === undefined) return
  const cap = mul(mark, bound(percent, "multiplierUp"))
  const floor = mul(mark, bound(percent, "multiplierDown"))
  if (side === "BUY" && gt(price, cap)) throw F.capped(str(cap))
  if (side === "SELL" && lt(price, floor)) throw F.floored(str(floor))
}

/** A market order: the best price must lie within the band around the mark price. */
export const checkMarketBand = (exchange: Exchange, info: SymbolInfo, side: WireSide): void => {
  const percent = filterOf(info, "PERCENT_PRICE")
  const mark = exchange.price("futures", info.symbol)?.mark
  const [best] = exchange.levels("futures", info.symbol, side === "BUY" ? "asks" : "bids")
  if (mark === undefined || best === undefined) throw E.noDepth()
  if (percent === undefined) return
  if (side === "BUY" && gt(best.price, mul(mark, bound(percent, "multiplierUp")))) throw F.marketRejected()
  if (side === "SELL" && lt(best.price, mul(mark, bound(percent, "multiplierDown")))) throw F.marketRejected()
}

/** Orders that can only reduce are exempt. `price` absent: the mark price counts. */
export const checkNotional = (exchange: Exchange, info: SymbolInfo, quantity: Decimal, price: Decimal | undefined): void => {
  const least = bound(filterOf(info, "MIN_NOTIONAL"), "notional", "minNotional")
  const value = price ?? exchange.price("futures", info.symbol)?.mark
  if (value !== undefined && cmp(mul(quantity, value), least) < 0) throw F.notional(str(least))
}

export const mostOpenOrders = (info: SymbolInfo): number =>
  Number(filterOf(info, "MAX_NUM_ORDERS")?.["limit"] ?? filterOf(info, "MAX_NUM_ORDERS")?.["maxNumOrders"] ?? Number.MAX_SAFE_INTEGER)
