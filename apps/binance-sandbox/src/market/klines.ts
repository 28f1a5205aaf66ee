/** Candles as Binance cuts and writes them: intervals in UTC, weeks from Monday, months of the calendar. */
import type { Decimal } from "@petrosa/contracts"
import type { SymbolInfo } from "../core/symbols.ts"
import { places } from "../wire/decimals.ts"
import { ApiError } from "../wire/errors.ts"
import type { JsonObject } from "../wire/json.ts"
import type { Candle, History } from "./history.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const LENGTHS: Readonly<Record<string, number>> = {
  "1s": 1000,
  "1m": MINUTE_MS,
  "3m": 3 * MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "30m": 30 * MINUTE_MS,
  "1h": HOUR_MS,
  "2h": 2 * HOUR_MS,
  "4h": 4 * HOUR_MS,
  "6h": 6 * HOUR_MS,
  "8h": 8 * HOUR_MS,
  "12h": 12 * HOUR_MS,
  "1d": DAY_MS,
  "3d": 3 * DAY_MS,
  "1w": 7 * DAY_MS,
}
const MONDAY_MS = 4 * DAY_MS

/** The beginning of the candle that a time lies in, and of the next one. Futures have no seconds. */
export const bucketOf = (interval: string, atMs: number): { readonly openMs: number; readonly nextMs: number } => {
  if (interval === "1M") {
    const date = new Date(atMs)
    return {
      openMs: Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1),
      nextMs: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1),
    }
  }
  const lengthMs = LENGTHS[interval]
  if (lengthMs === undefined) throw new ApiError(-1120, "Invalid interval.")
  const shiftMs = interval === "1w" ? MONDAY_MS : 0
  const openMs = Math.floor((atMs - shiftMs) / lengthMs) * lengthMs + shiftMs
  return { openMs, nextMs: openMs + lengthMs }
}
export const knownInterval = (market: "spot" | "futures", interval: string): boolean =>
  interval === "1M" || (interval in LENGTHS && (market === "spot" || interval !== "1s"))

export interface KlineWindow {
  readonly interval: string
  readonly startMs: number | undefined
  readonly endMs: number | undefined
  readonly limit: number
  readonly nowMs: number
}
/** Candles whose beginning lies in the window: from its start on, or else the last ones. Never more than `limit`. */
export const klinesOf = (history: History, info: SymbolInfo, window: KlineWindow): readonly Candle[] => {
  const { interval, limit, nowMs } = window
  if (!knownInterval(info.market, interval)) throw new ApiError(-1120, "Invalid interval.")
  const lastMs = Math.min(window.endMs ?? nowMs, nowMs)
  const candles: Candle[] = []
  if (window.startMs === undefined) {
    for (let atMs = bucketOf(interval, lastMs).openMs; candles.length < limit; atMs = bucketOf(interval, atMs - 1).openMs) {
      const candle = history.over(info, atMs, bucketOf(interval, atMs).nextMs)
      if (candle === undefined) break
      candles.push(candle)
    }
    return candles.reverse()
  }
  const firstMs = Math.max(window.startMs, history.beginMs(info.market, info.symbol))
  const first = bucketOf(interval, firstMs)
  let atMs = first.openMs < firstMs ? first.nextMs : first.openMs
  while (atMs <= lastMs && candles.length < limit) {
    const { nextMs } = bucketOf(interval, atMs)
    const candle = history.over(info, atMs, nextMs)
    if (candle !== undefined) candles.push(candle)
    atMs = nextMs
  }
  return candles
}

const price = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.pricePlaces)
const quantity = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.quantityPlaces)
const money = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : 5)

/** As REST answers it. */
export const klineRow = (info: SymbolInfo, candle: Candle): readonly (string | number)[] => [
  candle.openMs,
  price(info, candle.open),
  price(info, candle.high),
  price(info, candle.low),
  price(info, candle.close),
  quantity(info, candle.base),
  candle.closeMs,
  money(info, candle.quote),
  candle.trades,
  quantity(info, candle.takerBase),
  money(info, candle.takerQuote),
  "0",
]
/** `k` of a kline event. */
export const klineEvent = (info: SymbolInfo, interval: string, candle: Candle, closed: boolean): JsonObject => ({
  t: candle.openMs,
  T: candle.closeMs,
  s: info.symbol,
  i: interval,
  f: candle.firstId,
  L: candle.lastId,
  o: price(info, candle.open),
  c: price(info, candle.close),
  h: price(info, candle.high),
  l: price(info, candle.low),
  v: quantity(info, candle.base),
  n: candle.trades,
  x: closed,
  q: money(info, candle.quote),
  V: quantity(info, candle.takerBase),
  Q: money(info, candle.takerQuote),
  B: "0",
})
