/**
 * What the matching core reads and writes. One algorithm, several memories: plain maps (`memoryStore.ts`: sandbox,
 * simulation) or tables of a database, where one request is one transaction (the paper venue).
 *
 * Promises expected of an implementation: reads see every earlier write of the same request; ids ascend and are never
 * given twice; iteration orders are as documented. It takes no decision.
 */
import type { Decimal, Market, Side } from "@petrosa/contracts"
import type { FuturesPosition, Order, PositionSide, Quote, Trade, WalletBalance } from "./types.ts"

export interface MatchingStore {
  /** Gives the order its id, and keeps it. */
  insertOrder(order: Omit<Order, "id">): Order
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

  balance(wallet: string, asset: string): WalletBalance
  putBalance(wallet: string, asset: string, balance: WalletBalance): void
  position(account: string, symbol: string, side: PositionSide): FuturesPosition | undefined
  putPosition(account: string, symbol: string, side: PositionSide, position: FuturesPosition): void

  /** Gives the trade its id, and keeps it. */
  insertTrade(trade: Omit<Trade, "id">): Trade
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
