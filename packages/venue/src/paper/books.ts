/**
 * The paper venue's memory, as the exchange, the event stream and the questions see it. Two of them: tables of a file that
 * processes share (`sqliteBooks.ts`), and plain maps of this process alone (`memoryBooks.ts`: `:memory:`, for measurements).
 */
import type { DecimalString, Fill, Leg, Market, MarketPrice } from "@petrosa/contracts"
import type { MatchingStore, Order } from "@petrosa/matching"
import type { Balance, Position, VenueOrder } from "../venue.ts"
import type { Ledger } from "./ledger.ts"
import type { Listed } from "./lists.ts"

/** An execution to come. */
export interface Work {
  readonly orderId: number
  /** `null`: held until the price moves (fault "rest"). */
  readonly dueMs: number | null
  /** The price that it is executed at; `null`: that of its time. */
  readonly atPrice: DecimalString | null
  /** Into how many parts what is left is divided. */
  readonly parts: number
  readonly maker: boolean
}

/** One line of the user data stream. Sequence numbers ascend without holes. */
export interface LoggedEvent {
  readonly seq: number
  readonly atMs: number
  readonly market: Market
  readonly order: VenueOrder
  readonly fill?: Fill
}

/** An order that was found, and what decides whether it is told of. */
export interface FoundOrder {
  readonly id: number
  readonly market: Market
  readonly placedAtMs: number
  readonly order: VenueOrder
}

export interface PaperBooks extends MatchingStore {
  /** Whether a request that fails half-way can be undone. */
  readonly undoable: boolean
  begin(): void
  commit(): void
  rollback(): void
  /** Whether another process has written since the last look; what was remembered is forgotten then. */
  othersWrote(): boolean
  forget(): void
  close(): void

  /** The leg of the order that is being inserted: the matching core does not know legs. */
  leg: Leg
  marketPrice(market: Market, symbol: string): Omit<MarketPrice, "symbol"> | undefined
  putMarketPrice(market: Market, price: MarketPrice): void
  /** Live orders of a symbol, and how many of them have a trigger. */
  counts(market: Market, symbol: string): { readonly orders: number; readonly algos: number }

  putWork(work: Work): void
  deleteWork(orderId: number): void
  dueWork(nowMs: number, limit: number): readonly Work[]
  nextDueMs(): number | undefined
  heldWork(market: Market, symbol: string): readonly Work[]
  /** What is held becomes due. */
  releaseWork(nowMs: number): void

  /** What an order is in its list, when it is of one. */
  listed(orderId: number): Listed | undefined
  ofList(listId: number): readonly Listed[]
  putListed(listed: Listed): void

  logEvent(order: Order, fillId: number | null): void
  /** What was logged after `seq`. Who asks has read everything up to there, and does not ask for it again. */
  eventsAfter(seq: number, limit: number): readonly LoggedEvent[]
  lastEvent(): number

  meta(key: string): string | undefined
  putMeta(key: string, value: string): void

  /** The newest order with this client id, or the one with this id. */
  findOrder(symbol: string, market: Market, clientOrderId: string, id?: string): FoundOrder | undefined
  openOrders(symbol?: string, market?: Market): readonly FoundOrder[]
  fillsOf(orderId: number): readonly Fill[]
  balances(): readonly Balance[]
  positions(): readonly Position[]
  prices(): readonly { readonly market: Market; readonly price: MarketPrice }[]
  ledger(): Ledger
}

/** Lines of the user data stream that are kept. A reader that is further behind has missed something, and is told so. */
export const EVENTS_KEPT = 200_000
