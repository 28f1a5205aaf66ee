/**
 * What the matching core reads and writes. One algorithm, several memories: plain maps (`memoryStore.ts`: sandbox,
 * simulation) or tables of a database, where one request is one transaction (the paper venue).
 *
 * Promises expected of an implementation: reads see every earlier write of the same request; ids ascend and are never
 * given twice; iteration orders are as documented. It takes no decision.
 */
import type { Decimal, Market, Side } from "@petrosa/contracts"
import type { Order, PositionSide, Quote, Trade } from "./types.ts"

/** A {@link WalletBalance} as numbers: one trade reads and writes it several times, and the text is wanted seldom. */
export interface Funds {
  readonly total: Decimal
  readonly locked: Decimal
}

/** A {@link FuturesPosition} as numbers. */
export interface Holding {
  readonly quantity: Decimal
  readonly cost: Decimal
  readonly margin: Decimal
  readonly realised: Decimal
}

/** An order that has no id yet: `id` is 0. */
export type Unnumbered = Omit<Order, "id"> & { id: number }
/** The same of a trade. */
export type UnnumberedTrade = Omit<Trade, "id"> & { id: number }

export interface MatchingStore {
  /** Gives the order its id, and keeps it. The draft is the store's from then on: it may number it in place. */
  insertOrder(draft: Unnumbered): Order
  updateOrder(order: Order): void
  order(id: number): Order | undefined
  /** The live order with this client id, if any. */
  liveOrder(account: string, market: Market, symbol: string, clientOrderId: string): Order | undefined

  /**
   * Live orders, not pending, that this quote may reach: untriggered ones by their trigger, the others by their limit price.
   * A superset is fine: the core checks exactly. In any order.
   */
  reachable(market: Market, symbol: string, quote: Quote): readonly Order[]
  /** Live limit orders on the book of one side, best price first, then oldest; none where accounts do not meet. */
  book(market: Market, symbol: string, side: Side): Iterable<Order>

  quote(market: Market, symbol: string): Quote | undefined
  putQuote(market: Market, symbol: string, quote: Quote): void

  funds(wallet: string, asset: string): Funds
  putFunds(wallet: string, asset: string, funds: Funds): void
  holding(account: string, symbol: string, side: PositionSide): Holding | undefined
  putHolding(account: string, symbol: string, side: PositionSide, holding: Holding): void

  /** Gives the trade its id, and keeps it; as {@link insertOrder} does. */
  insertTrade(draft: UnnumberedTrade): Trade
}

/** The house rules: pure functions of their arguments. */
export interface MatchingRules {
  /** The wallet that pays for an account's orders of a market. */
  wallet(account: string, market: Market): string
  assets(market: Market, symbol: string): { readonly base: string; readonly quote: string }
  feeRate(account: string, market: Market, liquidity: "maker" | "taker"): Decimal
  /** `quote`: always in quote. `received`: spot, in the asset that is received (futures: quote). */
  readonly feeAsset: "quote" | "received"
  leverage(account: string, symbol: string): Decimal
  /** Whether untriggered trigger orders on futures lock margin (Binance's algo orders do not: they are checked at the trigger). */
  readonly lockUntriggered: boolean
}
