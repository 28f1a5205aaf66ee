/**
 * The matching core's memory as plain maps: for the sandbox, the simulation and tests. Its whole state is one JSON value.
 *
 * Promises: `exportState` and `importState` are exact inverses, and a store made from a state behaves as the one that it
 * came from (ids go on where they were). Live orders of a symbol are found without looking at those that are over.
 */
import { dec, lt } from "@petrosa/contracts"
import type { Market, Side } from "@petrosa/contracts"
import { balanceOf, fundsOf, holdingOf, positionOf } from "./ledger.ts"
import type { Funds, Holding, MatchingStore, Unnumbered, UnnumberedTrade } from "./store.ts"
import { hasLimit, isActive } from "./triggers.ts"
import { isLive } from "./types.ts"
import type { FuturesPosition, Order, PositionSide, Quote, Trade, WalletBalance } from "./types.ts"

export interface MatchingState {
  readonly nextOrderId: number
  readonly nextTradeId: number
  readonly orders: readonly Order[]
  readonly trades: readonly Trade[]
  readonly quotes: readonly (readonly [string, Quote])[]
  readonly balances: readonly (readonly [string, WalletBalance])[]
  readonly positions: readonly (readonly [string, FuturesPosition])[]
}

export const EMPTY_STATE: MatchingState = {
  nextOrderId: 1,
  nextTradeId: 1,
  orders: [],
  trades: [],
  quotes: [],
  balances: [],
  positions: [],
}

const ZERO_BALANCE: WalletBalance = { total: "0" as WalletBalance["total"], locked: "0" as WalletBalance["locked"] }
const key = (...parts: readonly string[]): string => parts.join("\u0000")

/** Best price first, then oldest. */
const precedes = (a: Order, b: Order): boolean => {
  if (a.price === b.price || a.price === undefined || b.price === undefined) return a.id < b.id
  return lt(dec(a.price), dec(b.price)) === (a.side === "sell")
}

export class MemoryStore implements MatchingStore {
  #nextOrderId: number
  #nextTradeId: number
  readonly #meet: boolean
  readonly #orders = new Map<number, Order>()
  readonly #trades: Trade[] = []
  readonly #quotes: Map<string, Quote>
  readonly #balances: Map<string, WalletBalance>
  readonly #positions: Map<string, FuturesPosition>
  /** Live orders by symbol, and by client id; the book's sides, sorted. Derived from the orders. */
  readonly #live = new Map<string, Map<number, Order>>()
  readonly #liveByClientId = new Map<string, number>()
  readonly #books = new Map<string, Order[]>()

  /** `accountsMeet: false`: every account trades with the outside market only. */
  constructor(options: { readonly accountsMeet: boolean; readonly state?: MatchingState }) {
    const state = options.state ?? EMPTY_STATE
    this.#meet = options.accountsMeet
    this.#nextOrderId = state.nextOrderId
    this.#nextTradeId = state.nextTradeId
    this.#quotes = new Map(state.quotes)
    this.#balances = new Map(state.balances)
    this.#positions = new Map(state.positions)
    this.#trades.push(...state.trades)
    for (const order of state.orders) this.#index(order)
  }

  exportState(): MatchingState {
    return {
      nextOrderId: this.#nextOrderId,
      nextTradeId: this.#nextTradeId,
      orders: [...this.#orders.values()],
      trades: [...this.#trades],
      quotes: [...this.#quotes],
      balances: [...this.#balances],
      positions: [...this.#positions],
    }
  }

  #index(order: Order): void {
    const before = this.#orders.get(order.id)
    this.#orders.set(order.id, order)
    const symbol = key(order.market, order.symbol)
    const client = key(order.account, order.market, order.symbol, order.clientOrderId)
    const live = this.#live.get(symbol) ?? new Map<number, Order>()
    this.#live.set(symbol, live)
    if (isLive(order.status)) {
      live.set(order.id, order)
      this.#liveByClientId.set(client, order.id)
    } else {
      live.delete(order.id)
      if (this.#liveByClientId.get(client) === order.id) this.#liveByClientId.delete(client)
    }
    if (this.#meet) this.#indexBook(before, order)
  }

  #indexBook(before: Order | undefined, order: Order): void {
    const name = key(order.market, order.symbol, order.side)
    const side = this.#books.get(name) ?? []
    this.#books.set(name, side)
    const rests = (o: Order): boolean => isLive(o.status) && !o.pending && hasLimit(o.type) && isActive(o)
    const at = before !== undefined && rests(before) ? side.findIndex((o) => o.id === order.id) : -1
    if (at >= 0 && rests(order)) side[at] = order
    else if (at >= 0) side.splice(at, 1)
    else if (rests(order)) {
      let low = 0
      let high = side.length
      while (low < high) {
        const middle = (low + high) >> 1
        const other = side[middle]
        if (other !== undefined && precedes(other, order)) low = middle + 1
        else high = middle
      }
      side.splice(low, 0, order)
    }
  }

  insertOrder(draft: Unnumbered): Order {
    draft.id = this.#nextOrderId
    this.#nextOrderId += 1
    this.#index(draft)
    return draft
  }
  updateOrder(order: Order): void {
    this.#index(order)
  }
  order(id: number): Order | undefined {
    return this.#orders.get(id)
  }
  liveOrder(account: string, market: Market, symbol: string, clientOrderId: string): Order | undefined {
    const id = this.#liveByClientId.get(key(account, market, symbol, clientOrderId))
    return id === undefined ? undefined : this.#orders.get(id)
  }
  reachable(market: Market, symbol: string): readonly Order[] {
    return [...(this.#live.get(key(market, symbol))?.values() ?? [])].filter((order) => !order.pending)
  }
  book(market: Market, symbol: string, side: Side): Iterable<Order> {
    return this.#books.get(key(market, symbol, side)) ?? []
  }

  quote(market: Market, symbol: string): Quote | undefined {
    return this.#quotes.get(key(market, symbol))
  }
  putQuote(market: Market, symbol: string, quote: Quote): void {
    this.#quotes.set(key(market, symbol), quote)
  }
  balance(wallet: string, asset: string): WalletBalance {
    return this.#balances.get(key(wallet, asset)) ?? ZERO_BALANCE
  }
  putBalance(wallet: string, asset: string, balance: WalletBalance): void {
    this.#balances.set(key(wallet, asset), balance)
  }
  position(account: string, symbol: string, side: PositionSide): FuturesPosition | undefined {
    return this.#positions.get(key(account, symbol, side))
  }
  putPosition(account: string, symbol: string, side: PositionSide, position: FuturesPosition): void {
    this.#positions.set(key(account, symbol, side), position)
  }
  funds(wallet: string, asset: string): Funds {
    return fundsOf(this.balance(wallet, asset))
  }
  putFunds(wallet: string, asset: string, funds: Funds): void {
    this.putBalance(wallet, asset, balanceOf(funds))
  }
  holding(account: string, symbol: string, side: PositionSide): Holding | undefined {
    const position = this.position(account, symbol, side)
    return position === undefined ? undefined : holdingOf(position)
  }
  putHolding(account: string, symbol: string, side: PositionSide, holding: Holding): void {
    this.putPosition(account, symbol, side, positionOf(holding))
  }
  insertTrade(draft: UnnumberedTrade): Trade {
    draft.id = this.#nextTradeId
    this.#nextTradeId += 1
    this.#trades.push(draft)
    return draft
  }

  /** Every order ever, oldest first. */
  orders(): readonly Order[] {
    return [...this.#orders.values()]
  }
  trades(): readonly Trade[] {
    return this.#trades
  }
}
