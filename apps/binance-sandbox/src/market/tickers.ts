/** What the last 24 hours were, as REST and the streams tell it. */
import { ZERO, dec, isZero, mul, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { places, ratio } from "../wire/decimals.ts"
import type { Candle, History } from "./history.ts"
import { bookTop } from "./book.ts"

const DAY_MS = 86_400_000
const HUNDRED = dec("100")

export const priceText = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.pricePlaces)
export const quantityText = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.quantityPlaces)
const moneyText = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : 2)

export interface Day {
  readonly info: SymbolInfo
  readonly openMs: number
  readonly closeMs: number
  readonly candle: Candle
  readonly last: Decimal
  readonly lastQuantity: Decimal
}
/** The statistics of a window that ends now. */
export const dayOf = (exchange: Exchange, history: History, info: SymbolInfo, lengthMs = DAY_MS): Day | undefined => {
  const closeMs = exchange.nowMs()
  const candle = history.over(info, closeMs - lengthMs, closeMs + 1)
  if (candle === undefined) return undefined
  const newest = history.prints(info.market, info.symbol).at(-1)
  const last = exchange.price(info.market, info.symbol)?.last ?? candle.close
  return { info, openMs: closeMs - lengthMs, closeMs, candle, last, lastQuantity: newest?.quantity ?? ZERO }
}

const changePercent = (day: Day): string =>
  places(isZero(day.candle.open) ? ZERO : mul(ratio(sub(day.last, day.candle.open), day.candle.open), HUNDRED), 3)

const ids = ({ candle }: Day): { readonly firstId: number; readonly lastId: number; readonly count: number } => ({
  firstId: candle.firstId,
  lastId: candle.lastId,
  count: candle.trades,
})
/** As `ticker/24hr` answers. `MINI`: without changes and best prices (spot). */
export const dayView = (exchange: Exchange, day: Day, type: "FULL" | "MINI" = "FULL"): Readonly<Record<string, unknown>> => {
  const { info, candle } = day
  const prices = {
    lastPrice: priceText(info, day.last),
    openPrice: priceText(info, candle.open),
    highPrice: priceText(info, candle.high),
    lowPrice: priceText(info, candle.low),
    volume: quantityText(info, candle.base),
    quoteVolume: moneyText(info, candle.quote),
    openTime: day.openMs,
    closeTime: day.closeMs,
    ...ids(day),
  }
  if (type === "MINI") return { symbol: info.symbol, ...prices }
  const top = bookTop(exchange, info)
  return {
    symbol: info.symbol,
    priceChange: priceText(info, sub(day.last, candle.open)),
    priceChangePercent: changePercent(day),
    weightedAvgPrice: priceText(info, ratio(candle.quote, candle.base)),
    ...(info.market === "spot" ? { prevClosePrice: priceText(info, candle.open) } : {}),
    lastQty: quantityText(info, day.lastQuantity),
    ...(info.market === "spot" ? top : {}),
    ...prices,
  }
}
/** `24hrTicker`. */
export const dayEvent = (exchange: Exchange, day: Day): Readonly<Record<string, unknown>> => {
  const { info, candle } = day
  const top = bookTop(exchange, info)
  return {
    e: "24hrTicker",
    E: day.closeMs,
    s: info.symbol,
    p: priceText(info, sub(day.last, candle.open)),
    P: changePercent(day),
    w: priceText(info, ratio(candle.quote, candle.base)),
    ...(info.market === "spot" ? { x: priceText(info, candle.open) } : {}),
    c: priceText(info, day.last),
    Q: quantityText(info, day.lastQuantity),
    ...(info.market === "spot" ? { b: top.bidPrice, B: top.bidQty, a: top.askPrice, A: top.askQty } : {}),
    o: priceText(info, candle.open),
    h: priceText(info, candle.high),
    l: priceText(info, candle.low),
    v: quantityText(info, candle.base),
    q: moneyText(info, candle.quote),
    O: day.openMs,
    C: day.closeMs,
    F: candle.firstId,
    L: candle.lastId,
    n: candle.trades,
  }
}
/** `24hrMiniTicker`. */
export const miniEvent = (day: Day): Readonly<Record<string, unknown>> => {
  const { info, candle } = day
  return {
    e: "24hrMiniTicker",
    E: day.closeMs,
    s: info.symbol,
    c: priceText(info, day.last),
    o: priceText(info, candle.open),
    h: priceText(info, candle.high),
    l: priceText(info, candle.low),
    v: quantityText(info, candle.base),
    q: moneyText(info, candle.quote),
  }
}
