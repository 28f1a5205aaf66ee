/**
 * The MarketData port: what the market of a symbol is now. Adapters: Binance's public streams, the ecosystem's socket client
 * over NATS, the last signal's own price.
 *
 * Promises of every adapter: no method throws or rejects; prices are exact decimals and greater than zero; each says when
 * the venue gave it (where the venue says so) and when it was received; what is older than the limit is refused, with its
 * age and the limit, and never handed out as the price; per symbol the newest wins and nothing is queued; the number of
 * symbols is bounded. Only public data is asked for: there is no key here.
 *
 * What can go wrong: a feed that is silent or unreachable makes prices stale, and stale prices are refused. No price is
 * ever guessed.
 */
import type { DecimalString, Market, MarketPrice, Reason } from "@petrosa/contracts"

export type Feed = "binance" | "nats" | "signals"

/** One price of the market, as it was heard. */
export interface Observed {
  readonly price: DecimalString
  /** The venue's own time of it; absent where the message tells none (spot's `bookTicker`). */
  readonly venueAtMs?: number
  readonly receivedAtMs: number
  /** Now, since it was certainly true: from the venue's time, else from its receipt (REST: from the question). */
  readonly ageMs: number
}

/** What is known of a symbol; a part that was never heard is absent. Parts may differ in age. */
export interface MarketQuote {
  readonly symbol: string
  readonly market: Market
  readonly feed: Feed
  readonly bid?: Observed
  readonly ask?: Observed
  /** Futures: what stops trigger on. */
  readonly mark?: Observed
  readonly last?: Observed
}

export type PriceRead =
  | {
      readonly _tag: "Fresh"
      /** For decisions: the middle of bid and ask, else the last trade, else the mark price. */
      readonly price: MarketPrice
      /** What the exchange holds prices against: futures' mark price. Absent when it is not known, or too old. */
      readonly mark?: MarketPrice
      readonly quote: MarketQuote
    }
  | {
      readonly _tag: "Refused"
      /** PRICE_STALE with age and limit, or PRICE_UNKNOWN. */
      readonly reason: Reason
      /** The one that is too old, with its time: for those who refuse it themselves, and say so. */
      readonly stale?: MarketPrice
      readonly quote?: MarketQuote
    }

export interface MarketDataCounts {
  /** Messages that told a price. */
  readonly understood: number
  /** Messages that could not be read, or told a price that cannot be one. */
  readonly notUnderstood: number
  /** Prices of symbols that are not traded here, or above the bound. */
  readonly unknownSymbols: number
  /** Prices older than what was known. */
  readonly outdated: number
  /** Connections lost. */
  readonly lost: number
  /** Symbols that are followed now. */
  readonly symbols: number
}

export interface MarketData {
  readonly feed: Feed
  /** The price now; never asks. */
  read(symbol: string, market: Market): PriceRead
  /** Takes (or renews) an interest. False: the symbol is not known, or too many are followed. */
  want(symbol: string, market: Market): boolean
  /**
   * Takes an interest. For a symbol without a fresh price: resolves when there is one, or after a short time without. `undefined`: nothing
   * to wait for (it is fresh, or was waited for a moment ago in vain).
   */
  prepare(symbol: string, market: Market): Promise<void> | undefined
  /** Told of every change, synchronously: a listener has to be quick and must not throw. The answer ends it. */
  onPrice(listener: (symbol: string, market: Market) => void): () => void
  counts(): MarketDataCounts
  close(): Promise<void>
}

/** Which symbols can be traded here: others are not followed. */
export type KnownSymbol = (symbol: string, market: Market) => boolean
