/** The clock of market data: the Binance adapters' clock, and one that nobody can set. */
import { systemClock as adapterClock } from "../binance/clock.ts"
import type { Clock } from "../binance/clock.ts"

export interface MarketClock extends Clock {
  /** Milliseconds that only go forward; they may stand still while the machine sleeps. */
  monotonicMs(): number
}

export const systemMarketClock: MarketClock = { ...adapterClock, monotonicMs: () => performance.now() }
