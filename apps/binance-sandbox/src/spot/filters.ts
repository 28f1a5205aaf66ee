/**
 * Spot filters, as binance.md section 4 has them: in the order of the symbol's own list, -1013 `Filter failure: <name>`.
 * A part of a filter that is zero is disabled. The reference price of market orders is the last price.
 */
import { ZERO, add, cmp, div, gt, isMultipleOf, isZero, lt, max, mul } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import { bound, filterOf } from "../core/symbols.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import type { SandboxOrder, WireSide } from "../core/orders.ts"
import { E, S } from "../wire/errors.ts"

export interface Checked {
  readonly type: string
  readonly side: WireSide
  readonly quantity: Decimal
  /** Zero: none. */
  readonly price: Decimal
  readonly stopPrice: Decimal
  readonly icebergQuantity: Decimal
}

export const isConditional = (type: string): boolean => type.startsWith("STOP_LOSS") || type.startsWith("TAKE_PROFIT")
const isMarket = (type: string): boolean => type === "MARKET" || type === "STOP_LOSS" || type === "TAKE_PROFIT"

const UNSUPPORTED: Readonly<Record<string, string>> = {
  MARKET: "Market orders are not supported for this symbol.",
  STOP_LOSS: "Stop loss orders are not supported for this symbol.",
  STOP_LOSS_LIMIT: "Stop loss limit orders are not supported for this symbol.",
  TAKE_PROFIT: "Take profit orders are not supported for this symbol.",
  TAKE_PROFIT_LIMIT: "Take profit limit orders are not supported for this symbol.",
}

/** Whether the symbol trades at all, and takes this type. */
export const checkSymbol = (info: SymbolInfo, type: string): void => {
  if (info.status !== "TRADING" || info.row["isSpotTradingAllowed"] === false) throw S.closed()
  if (!info.orderTypes.includes(type)) throw E.message(UNSUPPORTED[type] ?? "Unsupported order combination")
}

const outside = (value: Decimal, least: Decimal, most: Decimal): boolean =>
  (!isZero(least) && lt(value, least)) || (!isZero(most) && gt(value, most))

/** Checks one order (or leg) on its own; counts of open orders come after. */
export const checkFilters = (exchange: Exchange, info: SymbolInfo, order: Checked): void => {
  const last = exchange.price("spot", info.symbol)?.last ?? ZERO
  const prices = [order.price, order.stopPrice].filter((price) => !isZero(price))
  const value = isMarket(order.type) ? (isZero(order.stopPrice) ? last : order.stopPrice) : order.price
  for (const filter of info.filters) {
    const least = (name: string): Decimal => bound(filter, name)
    const fails = (): never => {
      throw E.filter(filter.filterType)
    }
    switch (filter.filterType) {
      case "PRICE_FILTER":
        if (prices.some((price) => outside(price, least("minPrice"), least("maxPrice")) || !isMultipleOf(price, least("tickSize")))) fails()
        break
      case "LOT_SIZE":
        for (const quantity of [order.quantity, ...(isZero(order.icebergQuantity) ? [] : [order.icebergQuantity])])
          if (outside(quantity, least("minQty"), least("maxQty")) || !isMultipleOf(quantity, least("stepSize"))) fails()
        break
      case "MARKET_LOT_SIZE":
        if (
          isMarket(order.type) &&
          (outside(order.quantity, least("minQty"), least("maxQty")) || !isMultipleOf(order.quantity, least("stepSize")))
        )
          fails()
        break
      case "PERCENT_PRICE":
        if (!isZero(order.price) && outside(order.price, mul(last, least("multiplierDown")), mul(last, least("multiplierUp")))) fails()
        break
      case "PERCENT_PRICE_BY_SIDE": {
        const side = order.side === "BUY" ? "bid" : "ask"
        if (
          !isZero(order.price) &&
          outside(order.price, mul(last, least(`${side}MultiplierDown`)), mul(last, least(`${side}MultiplierUp`)))
        )
          fails()
        break
      }
      case "MIN_NOTIONAL":
        if ((order.type !== "MARKET" || filter["applyToMarket"] !== false) && lt(mul(value, order.quantity), least("minNotional"))) fails()
        break
      case "NOTIONAL": {
        const notional = mul(value, order.quantity)
        const market = order.type === "MARKET"
        if ((!market || filter["applyMinToMarket"] === true) && lt(notional, least("minNotional"))) fails()
        if ((!market || filter["applyMaxToMarket"] === true) && outside(notional, ZERO, least("maxNotional"))) fails()
        break
      }
      case "ICEBERG_PARTS":
        if (!isZero(order.icebergQuantity) && gt(div(order.quantity, order.icebergQuantity), bound(filter, "limit"))) fails()
        break
      // Filters that bind nothing here, and ones that this version does not know.
      default:
        break
    }
  }
}

/** Whether so many more orders fit: all, and conditional ones. */
export const checkCounts = (
  info: SymbolInfo,
  open: readonly SandboxOrder[],
  more: { readonly orders: number; readonly algos: number; readonly lists: number },
  openLists: number,
): void => {
  const most = (type: string, name: string): number => Number(filterOf(info, type)?.[name] ?? Number.MAX_SAFE_INTEGER)
  if (open.length + more.orders > most("MAX_NUM_ORDERS", "maxNumOrders")) throw E.filter("MAX_NUM_ORDERS")
  const algos = open.filter((order) => isConditional(order.type)).length
  if (more.algos > 0 && algos + more.algos > most("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders")) throw E.filter("MAX_NUM_ALGO_ORDERS")
  if (more.lists > 0 && openLists + more.lists > most("MAX_NUM_ORDER_LISTS", "maxNumOrderLists")) throw E.filter("MAX_NUM_ORDER_LISTS")
}

/** MAX_POSITION: what is held and what open buys may add. */
export const checkMaxPosition = (info: SymbolInfo, held: Decimal, openBuys: Decimal, more: Decimal): void => {
  const most = bound(filterOf(info, "MAX_POSITION"), "maxPosition")
  if (!isZero(most) && cmp(add(max(held, ZERO), add(openBuys, more)), most) > 0) throw E.filter("MAX_POSITION")
}
