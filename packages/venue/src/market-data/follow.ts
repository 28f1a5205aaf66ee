/**
 * Lets a venue of our own follow the market: the paper venue's price becomes what the feed tells.
 *
 * Promises: per symbol at most one price is on its way, and of those that come meanwhile only the newest is kept: a slow
 * venue never makes the feed lag, and nothing queues. Stale prices are not handed on: the venue's market stands still then.
 * Prices between two that are handed on (25 ms apart at least) are not seen by the venue.
 */
import type { Market, MarketPrice } from "@petrosa/contracts"
import type { Clock } from "../binance/clock.ts"
import type { MarketData } from "./marketData.ts"
import { boardKey } from "./quoteBoard.ts"

export interface FollowOptions {
  readonly data: Pick<MarketData, "read" | "onPrice">
  /** Hands a price on; resolves when the venue has taken it. A failure costs this price: the next one is tried. */
  readonly apply: (price: MarketPrice, market: Market) => Promise<void>
  readonly clock: Pick<Clock, "after">
  /** Between two prices of a symbol. Default 25. */
  readonly spacingMs?: number
}

const SPACING_MS = 25

export const followPrices = ({ data, apply, clock, spacingMs = SPACING_MS }: FollowOptions): (() => void) => {
  const busy = new Map<string, { again: boolean }>()
  let stopped = false

  const handOn = (symbol: string, market: Market): void => {
    if (stopped) return
    const key = boardKey(symbol, market)
    const state = busy.get(key)
    if (state !== undefined) {
      state.again = true
      return
    }
    const read = data.read(symbol, market)
    if (read._tag !== "Fresh") return
    const own = { again: false }
    busy.set(key, own)
    const free = (): void => {
      clock.after(spacingMs, () => {
        busy.delete(key)
        if (own.again) handOn(symbol, market)
      })
    }
    apply(read.price, market).then(free, free)
  }

  const end = data.onPrice(handOn)
  return () => {
    stopped = true
    end()
  }
}
