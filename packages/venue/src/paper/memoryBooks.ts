/**
 * The paper venue's memory as plain maps of this process (`:memory:`): several times faster than tables, for measurements and
 * simulations. It behaves as the file does, but that nobody shares it, and that a request which throws half-way (a bug) is
 * not undone.
 *
 * What one request costs does not depend on how much is open, and money stays a number until somebody asks for it.
 */
import { abs, approx, dec, isZero, mul, str, sub } from "@petrosa/contracts"
import type { DecimalString, Fill, Leg, Market, MarketPrice, SymbolRules } from "@petrosa/contracts"
import { NO_FUNDS, entryPrice, isLive, positionOf } from "@petrosa/matching"
import type { Funds, Holding, Order, PositionSide, Quote, Trade, Unnumbered, UnnumberedTrade } from "@petrosa/matching"
import type { Balance, Position } from "../venue.ts"
import type { FoundOrder, LoggedEvent, PaperBooks, Work } from "./books.ts"
import { BySymbol } from "./bySymbol.ts"
import { ClientIdIndex } from "./clientIdIndex.ts"
import { EventQueue } from "./eventQueue.ts"
import type { Ledger } from "./ledger.ts"
import type { Listed } from "./lists.ts"
import { SLACK, actingPrice, actsBelow, quoteAt } from "./priceIndex.ts"
import { asVenueOrder } from "./rows.ts"
import { SortedPrices } from "./sortedPrices.ts"

const byId = (a: Order, b: Order): number => a.id - b.id
const byDue = (a: Work, b: Work): number => (a.dueMs ?? 0) - (b.dueMs ?? 0) || a.orderId - b.orderId
const freshIndex = (): SortedPrices => new SortedPrices()
const freshSet = (): Set<number> => new Set<number>()

export class MemoryBooks implements PaperBooks {
  readonly undoable = false
  leg: Leg = "entry"
  readonly #rulesOf: (symbol: string, market: Market) => SymbolRules | undefined
  readonly #orders: Order[] = []
  readonly #legs: Leg[] = []
  readonly #byClientId = new ClientIdIndex((id) => this.order(id)?.clientOrderId)
  /** For the few client ids that were used again: the order before an order. */
  readonly #sameIdBefore = new Map<number, number>()
  /** In order of arrival, since ids ascend. */
  readonly #live = new BySymbol<Set<number>>()
  readonly #below = new BySymbol<SortedPrices>()
  readonly #above = new BySymbol<SortedPrices>()
  readonly #fills: { readonly orderId: number; readonly fill: Fill }[] = []
  /** The fills of each order. Nearly every order that trades does so once: then it is no array. */
  readonly #fillsOf: (Fill | Fill[] | undefined)[] = []
  readonly #funds = new Map<string, Funds>()
  readonly #holdings: Readonly<Record<PositionSide, Map<string, Holding>>> = { long: new Map(), short: new Map(), both: new Map() }
  readonly #prices = new BySymbol<{ readonly market: Market; readonly price: MarketPrice; readonly quote: Quote }>()
  /** Executions that have a time, and those that wait for the price to move. */
  readonly #timed = new Map<number, Work>()
  readonly #waiting = new Map<number, Work>()
  readonly #meta = new Map<string, string>()
  readonly #listed = new Map<number, Listed>()
  readonly #lists = new Map<number, number[]>()
  readonly #events = new EventQueue()

  constructor(
    rulesOf: (symbol: string, market: Market) => SymbolRules | undefined,
    starting: { readonly asset: string; readonly amount: DecimalString },
  ) {
    this.#rulesOf = rulesOf
    this.#funds.set(starting.asset, { total: dec(starting.amount), locked: NO_FUNDS.locked })
  }

  begin(): void {}
  commit(): void {}
  rollback(): void {}
  othersWrote(): boolean {
    return false
  }
  forget(): void {}
  close(): void {}

  // ---- what the matching core reads and writes

  insertOrder(draft: Unnumbered): Order {
    draft.id = this.#orders.length + 1
    const order: Order = draft
    this.#orders.push(order)
    this.#legs.push(this.leg)
    this.#fillsOf.push(undefined)
    const before = this.#byClientId.put(order.clientOrderId, order.id)
    if (before !== undefined) this.#sameIdBefore.set(order.id, before)
    this.#live.need(order.market, order.symbol, freshSet).add(order.id)
    this.#place(order, undefined)
    return order
  }

  updateOrder(order: Order): void {
    const before = this.#orders[order.id - 1]
    this.#orders[order.id - 1] = order
    if (!isLive(order.status)) this.#live.get(order.market, order.symbol)?.delete(order.id)
    this.#place(order, before)
  }

  /** Keeps the price index. */
  #place(order: Order, before: Order | undefined): void {
    const was = before === undefined ? undefined : actingPrice(before)
    const is = actingPrice(order)
    if (before !== undefined && was !== undefined) {
      if (was === is && actsBelow(before) === actsBelow(order)) return
      this.#side(before).remove(approx(was), order.id)
    }
    if (is !== undefined) this.#side(order).add(approx(is), order.id)
  }
  #side(order: Order): SortedPrices {
    return (actsBelow(order) ? this.#below : this.#above).need(order.market, order.symbol, freshIndex)
  }

  order(id: number): Order | undefined {
    return this.#orders[id - 1]
  }
  /** The newest order with this client id. */
  #newest(market: Market, symbol: string, clientOrderId: string, onlyLive: boolean): Order | undefined {
    for (let id = this.#byClientId.newest(clientOrderId); id !== undefined; id = this.#sameIdBefore.get(id)) {
      const order = this.order(id)
      if (order?.market === market && order.symbol === symbol && (!onlyLive || isLive(order.status))) return order
    }
    return undefined
  }
  liveOrder(_account: string, market: Market, symbol: string, clientOrderId: string): Order | undefined {
    return this.#newest(market, symbol, clientOrderId, true)
  }
  reachable(market: Market, symbol: string, quote: Quote): readonly Order[] {
    const price = approx(quote.last)
    const ids = [
      ...(this.#below.get(market, symbol)?.atLeast(price * (1 - SLACK)) ?? []),
      ...(this.#above.get(market, symbol)?.atMost(price * (1 + SLACK)) ?? []),
    ]
    return ids.flatMap((id) => this.order(id) ?? [])
  }
  book(): Iterable<Order> {
    return []
  }
  marketPrice(market: Market, symbol: string): Omit<MarketPrice, "symbol"> | undefined {
    return this.#prices.get(market, symbol)?.price
  }
  putMarketPrice(market: Market, price: MarketPrice): void {
    this.#prices.set(market, price.symbol, { market, price, quote: quoteAt(price.price) })
  }
  quote(market: Market, symbol: string): Quote | undefined {
    return this.#prices.get(market, symbol)?.quote
  }
  /** The price is already there, with its source and time: see {@link putMarketPrice}. */
  putQuote(): void {}
  funds(_wallet: string, asset: string): Funds {
    return this.#funds.get(asset) ?? NO_FUNDS
  }
  putFunds(_wallet: string, asset: string, funds: Funds): void {
    this.#funds.set(asset, funds)
  }
  holding(_account: string, symbol: string, side: PositionSide): Holding | undefined {
    return this.#holdings[side].get(symbol)
  }
  putHolding(_account: string, symbol: string, side: PositionSide, holding: Holding): void {
    this.#holdings[side].set(symbol, holding)
  }
  insertTrade(draft: UnnumberedTrade): Trade {
    draft.id = this.#fills.length + 1
    const inQuote = draft.feeAsset === this.#rulesOf(draft.symbol, draft.market)?.quoteAsset
    const fill: Fill = {
      tradeId: String(draft.id),
      quantity: draft.quantity,
      price: draft.price,
      fee: draft.fee,
      feeAsset: draft.feeAsset,
      feeQuote: inQuote ? draft.fee : str(mul(dec(draft.fee), dec(draft.price))),
      atMs: draft.atMs,
    }
    this.#fills.push({ orderId: draft.orderId, fill })
    const at = draft.orderId - 1
    const own = this.#fillsOf[at]
    if (own === undefined) this.#fillsOf[at] = fill
    else if (Array.isArray(own)) own.push(fill)
    else this.#fillsOf[at] = [own, fill]
    return draft
  }

  // ---- executions to come, the log, the rest

  counts(market: Market, symbol: string): { readonly orders: number; readonly algos: number } {
    const live = this.#liveOrders(symbol, market)
    return { orders: live.length, algos: live.filter((order) => order.triggerPrice !== undefined).length }
  }
  putWork(work: Work): void {
    if (work.dueMs === null) {
      this.#timed.delete(work.orderId)
      this.#waiting.set(work.orderId, work)
    } else {
      this.#waiting.delete(work.orderId)
      this.#timed.set(work.orderId, work)
    }
  }
  deleteWork(orderId: number): void {
    if (!this.#timed.delete(orderId)) this.#waiting.delete(orderId)
  }
  dueWork(nowMs: number, limit: number): readonly Work[] {
    const due: Work[] = []
    for (const work of this.#timed.values()) if ((work.dueMs ?? 0) <= nowMs) due.push(work)
    return due.sort(byDue).slice(0, limit)
  }
  nextDueMs(): number | undefined {
    let next: number | undefined
    for (const { dueMs } of this.#timed.values()) if (dueMs !== null && (next === undefined || dueMs < next)) next = dueMs
    return next
  }
  heldWork(market: Market, symbol: string): readonly Work[] {
    return [...this.#waiting.values()].filter((work) => {
      const order = this.order(work.orderId)
      return order?.market === market && order.symbol === symbol
    })
  }
  releaseWork(nowMs: number): void {
    for (const work of this.#waiting.values()) this.#timed.set(work.orderId, { ...work, dueMs: nowMs, atPrice: null })
    this.#waiting.clear()
  }

  listed(orderId: number): Listed | undefined {
    return this.#listed.get(orderId)
  }
  ofList(listId: number): readonly Listed[] {
    return (this.#lists.get(listId) ?? []).flatMap((id) => this.#listed.get(id) ?? [])
  }
  putListed(listed: Listed): void {
    if (!this.#listed.has(listed.orderId)) this.#lists.set(listed.listId, [...(this.#lists.get(listed.listId) ?? []), listed.orderId])
    this.#listed.set(listed.orderId, listed)
  }

  logEvent(order: Order, fillId: number | null): void {
    this.#events.add(order, fillId === null ? undefined : this.#fills[fillId - 1]?.fill)
  }
  eventsAfter(seq: number, limit: number): readonly LoggedEvent[] {
    return this.#events.after(seq, limit)
  }
  lastEvent(): number {
    return this.#events.last()
  }

  meta(key: string): string | undefined {
    return this.#meta.get(key)
  }
  putMeta(key: string, value: string): void {
    this.#meta.set(key, value)
  }

  #liveOrders(symbol?: string, market?: Market): readonly Order[] {
    const orders: Order[] = []
    const take = (ids: Iterable<number> | undefined): void => {
      for (const id of ids ?? []) {
        const order = this.order(id)
        if (order !== undefined) orders.push(order)
      }
    }
    if (symbol !== undefined && market !== undefined) {
      take(this.#live.get(market, symbol))
      return orders
    }
    for (const ids of this.#live.values(market)) take(ids)
    return (symbol === undefined ? orders : orders.filter((order) => order.symbol === symbol)).sort(byId)
  }
  findOrder(symbol: string, market: Market, clientOrderId: string, id?: string): FoundOrder | undefined {
    const order = id === undefined ? this.#newest(market, symbol, clientOrderId, false) : this.order(Number(id))
    return order?.market === market && order.symbol === symbol ? found(order) : undefined
  }
  openOrders(symbol?: string, market?: Market): readonly FoundOrder[] {
    return this.#liveOrders(symbol, market).map(found)
  }
  fillsOf(orderId: number): readonly Fill[] {
    const own = this.#fillsOf[orderId - 1]
    return own === undefined ? [] : Array.isArray(own) ? [...own] : [own]
  }
  balances(): readonly Balance[] {
    return [...this.#funds]
      .map(([asset, { total, locked }]) => ({ asset, free: str(sub(total, locked)), locked: str(locked) }))
      .sort((a, b) => (a.asset < b.asset ? -1 : 1))
  }
  /** In the order in which the file tells them. */
  positions(): readonly Position[] {
    const told: Position[] = []
    for (const side of ["long", "short"] as const)
      for (const [symbol, holding] of this.#holdings[side])
        if (!isZero(holding.quantity))
          told.push({ symbol, side, quantity: str(abs(holding.quantity)), entryPrice: entryPrice(positionOf(holding)) })
    return told.sort((a, b) => (a.symbol === b.symbol ? (a.side < b.side ? -1 : 1) : a.symbol < b.symbol ? -1 : 1))
  }
  prices(): readonly { readonly market: Market; readonly price: MarketPrice }[] {
    return [...this.#prices.values()]
  }
  ledger(): Ledger {
    return {
      orders: this.#orders.map((order, at) => ({
        ...asVenueOrder(order),
        leg: this.#legs[at] ?? "entry",
        market: order.market,
        positionSide: order.positionSide,
        reduceOnly: order.reduceOnly,
        placedAtMs: order.placedAtMs,
      })),
      fills: this.#fills.map(({ orderId, fill }) => ({ ...fill, venueOrderId: String(orderId) })),
    }
  }
}

const found = (order: Order): FoundOrder => ({
  id: order.id,
  market: order.market,
  placedAtMs: order.placedAtMs,
  order: asVenueOrder(order),
})
