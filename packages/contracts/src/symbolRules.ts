/** What an exchange demands of orders of one symbol, and what a price of the market is: values that decisions read. */
import type { DecimalString } from "./decimal.ts"
import type { Market, OrderType, TimeInForce } from "./signal.ts"

/** What an exchange demands of orders of one symbol: exchangeInfo, normalised. A step or bound of `"0"` is a disabled part. */
export interface SymbolRules {
  readonly symbol: string
  readonly market: Market
  readonly status: string
  readonly trading: boolean
  readonly baseAsset: string
  readonly quoteAsset: string
  readonly orderTypes: readonly OrderType[]
  readonly timesInForce: readonly TimeInForce[]
  readonly icebergAllowed: boolean
  readonly price: { readonly min: DecimalString; readonly max: DecimalString; readonly tick: DecimalString }
  readonly lot: { readonly min: DecimalString; readonly max: DecimalString; readonly step: DecimalString }
  readonly marketLot: { readonly min: DecimalString; readonly max: DecimalString; readonly step: DecimalString }
  readonly notional: {
    readonly min: DecimalString
    readonly max: DecimalString
    readonly minAppliesToMarket: boolean
    readonly maxAppliesToMarket: boolean
    /** Futures: reduce-only orders are exempt. */
    readonly reduceOnlyExempt: boolean
  }
  /** Bounds of an order's price as multiples of the market's price (spot: average; futures: mark). `"0"`: none. */
  readonly percentPrice: {
    readonly buyUp: DecimalString
    readonly buyDown: DecimalString
    readonly sellUp: DecimalString
    readonly sellDown: DecimalString
  }
  readonly maxOpenOrders: number
  readonly maxAlgoOrders: number
  readonly icebergParts: number
  /** Filter types that this version does not know: tolerated, and shown. */
  readonly unknownFilters: readonly string[]
}

/** A price of the market, with where and when it comes from. */
export interface MarketPrice {
  readonly symbol: string
  readonly price: DecimalString
  readonly source: "signal" | "hand" | "trade" | "mark" | "book"
  /** When it was certainly true, epoch milliseconds. */
  readonly atMs: number
  /** Which feed of market data it came by; absent where the venue itself told it. */
  readonly feed?: "binance" | "nats" | "signals"
}
