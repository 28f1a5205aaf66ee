/**
 * Binance's public market events → prices. PURE, and total: whatever comes in, nothing is thrown.
 *
 * Understood: `bookTicker` (spot's has no event type and no time), `markPriceUpdate`, `aggTrade`, `trade`, `24hrTicker`,
 * `24hrMiniTicker`. A book of several levels is left alone on purpose: diffs are no top of the book, and the socket client
 * names the symbol of a snapshot without one by guess (its first subscription).
 */
import type { DecimalString } from "@petrosa/contracts"
import { dec, gt, isPositive } from "@petrosa/contracts"
import { decimal, field, millis, text } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"

export interface Book {
  readonly bid: DecimalString
  readonly ask: DecimalString
}

export type MarketEvent =
  | {
      readonly _tag: "Prices"
      readonly symbol: string
      readonly book?: Book
      readonly mark?: DecimalString
      readonly last?: DecimalString
      /** Epoch milliseconds, as the venue says. */
      readonly venueAtMs?: number
      /** Binance's order book update id: of two tickers the greater is the newer. */
      readonly updateId?: number
    }
  /** Well-formed, and no price of a symbol: klines, liquidations, books. */
  | { readonly _tag: "Other" }
  | { readonly _tag: "NotUnderstood" }

const OTHER: MarketEvent = { _tag: "Other" }
const NOT_UNDERSTOOD: MarketEvent = { _tag: "NotUnderstood" }
export const SYMBOL = /^[A-Z0-9_]{2,30}$/

const price = (from: JsonObject, name: string): DecimalString | undefined => {
  const value = decimal(from, name)
  return value !== undefined && isPositive(dec(value)) ? value : undefined
}
/** Bid and ask together; a crossed book is none. */
const book = (from: JsonObject): Book | undefined => {
  const bid = price(from, "b")
  const ask = price(from, "a")
  return bid === undefined || ask === undefined || gt(dec(bid), dec(ask)) ? undefined : { bid, ask }
}

/** One event, without the envelope of a combined stream. */
export const decodeMarketEvent = (event: JsonObject): MarketEvent => {
  const type = field(event, "e")
  if (type === undefined) return decodeUntyped(event)
  if (typeof type !== "string") return NOT_UNDERSTOOD
  switch (type) {
    case "bookTicker": {
      const top = book(event)
      const updateId = millis(event, "u")
      return top === undefined ? NOT_UNDERSTOOD : prices(event, { book: top, ...(updateId === undefined ? {} : { updateId }) }, "E")
    }
    case "markPriceUpdate": {
      const mark = price(event, "p")
      // Its `T` is the time of the next funding.
      return mark === undefined ? NOT_UNDERSTOOD : prices(event, { mark }, "E")
    }
    case "aggTrade":
    case "trade": {
      const last = price(event, "p")
      return last === undefined ? NOT_UNDERSTOOD : prices(event, { last }, "T")
    }
    case "24hrTicker": {
      const last = price(event, "c")
      const top = book(event)
      // Futures tickers have no bid and ask; a crossed one on spot is left out.
      return last === undefined ? NOT_UNDERSTOOD : prices(event, top === undefined ? { last } : { last, book: top }, "E")
    }
    case "24hrMiniTicker": {
      const last = price(event, "c")
      return last === undefined ? NOT_UNDERSTOOD : prices(event, { last }, "E")
    }
    default:
      return OTHER
  }
}

/** Spot's `bookTicker`, or a snapshot of the book. */
const decodeUntyped = (event: JsonObject): MarketEvent => {
  if (field(event, "u") !== undefined && field(event, "s") !== undefined) {
    const top = book(event)
    const updateId = millis(event, "u")
    if (top === undefined || updateId === undefined) return NOT_UNDERSTOOD
    return prices(event, { book: top, updateId }, "E")
  }
  return field(event, "lastUpdateId") === undefined ? NOT_UNDERSTOOD : OTHER
}

type Found = Omit<Extract<MarketEvent, { _tag: "Prices" }>, "_tag" | "symbol" | "venueAtMs">
const prices = (event: JsonObject, found: Found, timeField: "E" | "T"): MarketEvent => {
  const symbol = text(event, "s")
  if (symbol === undefined || !SYMBOL.test(symbol)) return NOT_UNDERSTOOD
  const venueAtMs = millis(event, timeField) ?? millis(event, "E")
  return { _tag: "Prices", symbol, ...found, ...(venueAtMs === undefined || venueAtMs === 0 ? {} : { venueAtMs }) }
}
