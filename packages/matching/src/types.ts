/**
 * The words of the matching core: orders, trades, balances, positions, quotes, and what happens to them.
 *
 * All of them are plain JSON values: they can be kept in a table, sent over a wire, compared byte by byte. Quantities are
 * in base, prices in quote, both exact decimals as text; times are epoch milliseconds and come in as arguments.
 */
import type { DecimalString, Market, OrderType, Side, TimeInForce } from "@petrosa/contracts"

/** `long` and `short`: hedge mode, two positions per symbol. `both`: one-way mode, one signed position. Spot ignores it. */
export type PositionSide = "long" | "short" | "both"

export type OrderStatus = "new" | "partially_filled" | "filled" | "cancelled" | "expired" | "rejected"
export const isLive = (status: OrderStatus): boolean => status === "new" || status === "partially_filled"

export interface NewOrder {
  readonly account: string
  readonly clientOrderId: string
  readonly market: Market
  readonly symbol: string
  readonly side: Side
  readonly positionSide: PositionSide
  readonly type: OrderType
  readonly timeInForce: TimeInForce
  readonly quantity: DecimalString
  /** Of the limit types. */
  readonly price?: DecimalString | undefined
  /** Of the trigger types. */
  readonly triggerPrice?: DecimalString | undefined
  /** Which price the trigger watches. */
  readonly triggerOn: "last" | "mark"
  readonly reduceOnly: boolean
}

export interface Order extends NewOrder {
  /** Ascending in order of arrival: it is the "time" of price-time priority. */
  readonly id: number
  readonly status: OrderStatus
  readonly filled: DecimalString
  /** Sum of price × quantity of its trades. */
  readonly filledQuote: DecimalString
  /** What it still locks of the balance: quote when it opens or buys, base when it sells on spot. */
  readonly locked: DecimalString
  /** Its trigger has fired (always false for types without a trigger). Once true it stays true: a trigger fires once. */
  readonly triggered: boolean
  /** Accepted (or triggered), and its execution is still to come: it is not on the book yet, and price moves pass it by. */
  readonly pending: boolean
  readonly placedAtMs: number
  readonly updatedAtMs: number
}

/** One side of a trade: what happened to one order. Two of them share a `matchId` when both orders are of this book. */
export interface Trade {
  readonly id: number
  readonly orderId: number
  readonly account: string
  readonly market: Market
  readonly symbol: string
  readonly side: Side
  readonly quantity: DecimalString
  readonly price: DecimalString
  readonly fee: DecimalString
  readonly feeAsset: string
  readonly liquidity: "maker" | "taker"
  /** Realised profit of the position that it closed, in quote, fees not deducted. `"0"` when it closed nothing. */
  readonly realised: DecimalString
  readonly atMs: number
}

/** An asset in a wallet. `locked` ≤ `total` whenever nothing is at a loss; free = total − locked. */
export interface WalletBalance {
  readonly total: DecimalString
  readonly locked: DecimalString
}

/** A futures position. `quantity` is signed: a short is negative. */
export interface FuturesPosition {
  readonly quantity: DecimalString
  /** Sum of price × quantity at entry of what is still held: the entry price is `cost / |quantity|`. */
  readonly cost: DecimalString
  /** What it locks of the wallet. */
  readonly margin: DecimalString
  /** Realised since the position was first opened, fees not deducted. */
  readonly realised: DecimalString
}

/** The outside market of one symbol. A size that is absent is unlimited; it is used up until the next quote. */
export interface Quote {
  readonly bid: DecimalString
  readonly ask: DecimalString
  readonly last: DecimalString
  readonly mark: DecimalString
  readonly bidSize?: DecimalString | undefined
  readonly askSize?: DecimalString | undefined
}

/** Why an order ended without being filled. */
export type EndReason = "cancelled" | "unfilled" | "nothingToReduce" | "balance" | "selfTrade" | "timeout"

/** What happened, in order. Each carries the order as it is afterwards. */
export type MatchingEvent =
  | { readonly _tag: "Accepted"; readonly order: Order }
  | { readonly _tag: "Triggered"; readonly order: Order }
  | { readonly _tag: "Traded"; readonly order: Order; readonly trade: Trade }
  | { readonly _tag: "Ended"; readonly order: Order; readonly reason: EndReason }

/** Why a request was refused. The exchange's own code and text for it are the adapter's business. */
export type RefusalReason =
  /** A live order of this account has this client id. Binance forgets ids of orders that are over: so does this. */
  | "duplicate"
  /** The trigger price is already passed. */
  | "wouldTrigger"
  /** Post-only, and it would take liquidity. */
  | "wouldMatch"
  /** Reduce-only (or a closing order in hedge mode), and there is nothing to reduce. */
  | "nothingToReduce"
  | "balance"
  /** No price of this symbol is known, so that nothing can be executed or locked. */
  | "noPrice"
  /** The order is over, or never was. */
  | "unknownOrder"
