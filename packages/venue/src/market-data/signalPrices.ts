/**
 * The last signal's own price, with its time: what the paper venue trades on when there is no feed of the market. It is what
 * a strategy saw, so no signal is held against it.
 */
import type { Market, MarketPrice } from "@petrosa/contracts"
import { systemMarketClock } from "./clock.ts"
import type { MarketClock } from "./clock.ts"
import type { MarketData, MarketQuote, Observed } from "./marketData.ts"
import { reason } from "@petrosa/contracts"

export interface SignalPricesOptions {
  /** The venue that remembers them. */
  readonly priceOf: (symbol: string, market: Market) => MarketPrice | undefined
  readonly maxAgeMs: number
  readonly clock?: Pick<MarketClock, "nowMs">
}

export const signalPrices = ({ priceOf, maxAgeMs, clock = systemMarketClock }: SignalPricesOptions): MarketData => ({
  feed: "signals",
  read: (symbol, market) => {
    const price = priceOf(symbol, market)
    if (price === undefined) return { _tag: "Refused", reason: reason("PRICE_UNKNOWN", "none", "a signal of this symbol") }
    const ageMs = Math.max(0, clock.nowMs() - price.atMs)
    const last: Observed = { price: price.price, venueAtMs: price.atMs, receivedAtMs: price.atMs, ageMs }
    const quote: MarketQuote = { symbol, market, feed: "signals", last }
    if (ageMs <= maxAgeMs) return { _tag: "Fresh", price, quote }
    return { _tag: "Refused", reason: reason("PRICE_STALE", `${ageMs} ms old`, `${maxAgeMs} ms`), stale: price, quote }
  },
  want: (symbol, market) => priceOf(symbol, market) !== undefined,
  prepare: () => undefined,
  onPrice: () => () => undefined,
  counts: () => ({ understood: 0, notUnderstood: 0, unknownSymbols: 0, outdated: 0, lost: 0, symbols: 0 }),
  close: async () => undefined,
})
