/**
 * The paper venue's memory as plain maps of this process (`:memory:`): several times faster than tables, for measurements and
 * simulations. It behaves as the file does, but that nobody shares it, and that a request which throws half-way (a bug) is
 * not undone.
 */
import { abs, approx, dec, mul, str, sub } from "@petrosa/contracts"
import type { Fill, Leg, Market, MarketPrice, SymbolRules } from "@petrosa/contracts"
import { entryPrice, isLive } from "@petrosa/matching"
import type { FuturesPosition, Order, PositionSide, Quote, Trade, WalletBalance } from "@petrosa/matching"
import type { Balance, Position } from "../venue.ts"
import type { FoundOrder, LoggedEvent, PaperBooks, Work } from "./books.ts"
import type { Ledger } from "./ledger.ts"
import type { Listed } from "./lists.ts"
import { SLACK, actsAt, quoteAt } from "./priceIndex.ts"
import { asVenueOrder } from "./rows.ts"
import { SortedPrices } from "./sortedPrices.ts"

/** Lines of the log that are kept at least: its only readers are in this process, and read at every turn. */
const EVENTS_KEPT = 10_000
const ZERO_BALANCE = { total: "0", locked: "0" } as WalletBalance
const byId = (a: Order, b: Order): number => a.id - b.id

export class MemoryBooks implements PaperBooks {
  readonly undoable = false
  leg: Leg = "entry"
  readonly #rulesOf: (symbol: string, market: Market) => SymbolRules | undefined
  readonly #orders: Order[] = []
  readonly #legs: Leg[] = []
  /** Order ids by client id, newest last. */
  readonly #byClientId = new Map<string, number[]>()
  readonly #live = new Set<number>()
  readonly #below = new Map<string, SortedPrices>()
  readonly #above = new Map<string, SortedPrices>()
  readonly #fills: { readonly orderId: number; readonly fill: Fill }[] = []
  readonly #fillsOf = new Map<number, Fill[]>()
  readonly #balances = new Map<string, WalletBalance>()
  readonly #positions = new Map<string, { readonly symbol: string; readonly side: PositionSide; readonly position: FuturesPosition }>()
  readonly #prices = new Map<string, { readonly market: Market; readonly price: MarketPrice }>()
  readonly #work = new Map<number, Work>()
  readonly #meta = new Map<string, string>()
  readonly #listed = new Map<number, Listed>()
  readonly #lists = new Map<number, number[]>()
  /** The log; `#pruned` lines before it are gone. */
  #events: LoggedEvent[] = []
  #pruned = 0

  constructor(
    rulesOf: (symbol: string, market: Market) => SymbolRules | undefined,
    starting: { readonly asset: string; readonly amount: WalletBalance["total"] },
  ) {
    this.#rulesOf = rulesOf
    this.#balances.set(starting.asset, { total: starting.amount, locked: ZERO_BALANCE.locked })
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

  insertOrder(draft: Omit<Order, "id">): Order {
    const order: Order = { ...draft, id: this.#orders.length + 1 }
    this.#orders.push(order)
    this.#legs.push(this.leg)
    const ids = this.#byClientId.get(order.clientOrderId)
    if (ids === undefined) this.#byClientId.set(order.clientOrderId, [order.id])
    else ids.push(order.id)
    this.#live.add(order.id)
    this.#place(order, undefined)
    return order
  }

  updateOrder(order: Order): void {
    const before = this.#orders[order.id - 1]
    this.#orders[order.id - 1] = order
    if (!isLive(order.status)) this.#live.delete(order.id)
    this.#place(order, before)
  }

  /** Keeps the price index. */
  #place(order: Order, before: Order | undefined): void {
    const was = before === undefined ? undefined : actsAt(before)
    const is = actsAt(order)
    if (was !== undefined && was.below === is.below && was.above === is.above) return
    const symbol = `${order.market} ${order.symbol}`
    if (typeof was?.below === "number") index(this.#below, symbol).remove(was.below, order.id)
    if (typeof was?.above === "number") index(this.#above, symbol).remove(was.above, order.id)
    if (is.below !== null) index(this.#below, symbol).add(is.below, order.id)
    if (is.above !== null) index(this.#above, symbol).add(is.above, order.id)
  }

  order(id: number): Order | undefined {
    return this.#orders[id - 1]
  }
  liveOrder(_account: string, market: Market, symbol: string, clientOrderId: string): Order | undefined {
    for (const id of this.#byClientId.get(clientOrderId)?.toReversed() ?? []) {
      const order = this.order(id)
      if (order !== undefined && isLive(order.status) && order.market === market && order.symbol === symbol) return order
    }
    return undefined
  }
  reachable(market: Market, symbol: string, quote: Quote): readonly Order[] {
    const price = approx(quote.last)
    const ids = [
      ...(this.#below.get(`${market} ${symbol}`)?.atLeast(price * (1 - SLACK)) ?? []),
      ...(this.#above.get(`${market} ${symbol}`)?.atMost(price * (1 + SLACK)) ?? []),
    ]
    return ids.flatMap((id) => this.order(id) ?? [])
  }
  book(): Iterable<Order> {
    return []
  }
  marketPrice(market: Market, symbol: string): Omit<MarketPrice, "symbol"> | undefined {
    return this.#prices.get(`${market} ${symbol}`)?.price
  }
  putMarketPrice(market: Market, price: MarketPrice): void {
    this.#prices.set(`${market} ${price.symbol}`, { market, price })
  }
  quote(market: Market, symbol: string): Quote | undefined {
    const price = this.marketPrice(market, symbol)?.price
    return price === undefined ? undefined : quoteAt(price)
  }
  /** The price is already there, with its source and time: see {@link putMarketPrice}. */
  putQuote(): void {}
  balance(_wallet: string, asset: string): WalletBalance {
    return this.#balances.get(asset) ?? ZERO_BALANCE
  }
  putBalance(_wallet: string, asset: string, balance: WalletBalance): void {
    this.#balances.set(asset, balance)
  }
  position(_account: string, symbol: string, side: PositionSide): FuturesPosition | undefined {
    return this.#positions.get(`${symbol} ${side}`)?.position
  }
  putPosition(_account: string, symbol: string, side: PositionSide, position: FuturesPosition): void {
    this.#positions.set(`${symbol} ${side}`, { symbol, side, position })
  }
  insertTrade(draft: Omit<Trade, "id">): Trade {
    const trade: Trade = { ...draft, id: this.#fills.length + 1 }
    const inQuote = draft.feeAsset === this.#rulesOf(draft.symbol, draft.market)?.quoteAsset
    const fill: Fill = {
      tradeId: String(trade.id),
      quantity: draft.quantity,
      price: draft.price,
      fee: draft.fee,
      feeAsset: draft.feeAsset,
      feeQuote: inQuote ? draft.fee : str(mul(dec(draft.fee), dec(draft.price))),
      atMs: draft.atMs,
    }
    this.#fills.push({ orderId: draft.orderId, fill })
    const own = this.#fillsOf.get(draft.orderId)
    if (own === undefined) this.#fillsOf.set(draft.orderId, [fill])
    else own.push(fill)
    return trade
  }

  // ---- executions to come, the log, the rest

  counts(market: Market, symbol: string): { readonly orders: number; readonly algos: number } {
    const live = this.#liveOrders(symbol, market)
    return { orders: live.length, algos: live.filter((order) => order.triggerPrice !== undefined).length }
  }
  putWork(work: Work): void {
    this.#work.set(work.orderId, work)
  }
  deleteWork(orderId: number): void {
    this.#work.delete(orderId)
  }
  dueWork(nowMs: number, limit: number): readonly Work[] {
    const due = [...this.#work.values()].filter((work) => work.dueMs !== null && work.dueMs <= nowMs)
    return due.sort((a, b) => (a.dueMs ?? 0) - (b.dueMs ?? 0) || a.orderId - b.orderId).slice(0, limit)
  }
  nextDueMs(): number | undefined {
    let next: number | undefined
    for (const { dueMs } of this.#work.values()) if (dueMs !== null && (next === undefined || dueMs < next)) next = dueMs
    return next
  }
  heldWork(market: Market, symbol: string): readonly Work[] {
    return [...this.#work.values()].filter((work) => {
      const order = this.order(work.orderId)
      return work.dueMs === null && order?.market === market && order.symbol === symbol
    })
  }
  releaseWork(nowMs: number): void {
    for (const work of this.#work.values()) if (work.dueMs === null) this.#work.set(work.orderId, { ...work, dueMs: nowMs, atPrice: null })
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
    const fill = fillId === null ? undefined : this.#fills[fillId - 1]?.fill
    const event = { seq: this.#pruned + this.#events.length + 1, atMs: order.updatedAtMs, order: asVenueOrder(order) }
    this.#events.push(fill === undefined ? event : { ...event, fill })
    if (this.#events.length < EVENTS_KEPT * 2) return
    this.#pruned += EVENTS_KEPT
    this.#events = this.#events.slice(EVENTS_KEPT)
  }
  eventsAfter(seq: number, limit: number): readonly LoggedEvent[] {
    const from = Math.max(seq - this.#pruned, 0)
    return this.#events.slice(from, from + limit)
  }
  lastEvent(): number {
    return this.#pruned + this.#events.length
  }

  meta(key: string): string | undefined {
    return this.#meta.get(key)
  }
  putMeta(key: string, value: string): void {
    this.#meta.set(key, value)
  }

  #liveOrders(symbol?: string, market?: Market): readonly Order[] {
    return [...this.#live]
      .flatMap((id) => this.order(id) ?? [])
      .filter((order) => (symbol === undefined || order.symbol === symbol) && (market === undefined || order.market === market))
      .sort(byId)
  }
  findOrder(symbol: string, market: Market, clientOrderId: string, id?: string): FoundOrder | undefined {
    const ids = id === undefined ? (this.#byClientId.get(clientOrderId)?.toReversed() ?? []) : [Number(id)]
    const order = ids.map((one) => this.order(one)).find((one) => one?.symbol === symbol && one.market === market)
    return order === undefined ? undefined : found(order)
  }
  openOrders(symbol?: string, market?: Market): readonly FoundOrder[] {
    return this.#liveOrders(symbol, market).map(found)
  }
  fillsOf(orderId: number): readonly Fill[] {
    return [...(this.#fillsOf.get(orderId) ?? [])]
  }
  balances(): readonly Balance[] {
    return [...this.#balances]
      .map(([asset, { total, locked }]) => ({ asset, free: str(sub(dec(total), dec(locked))), locked }))
      .sort((a, b) => (a.asset < b.asset ? -1 : 1))
  }
  positions(): readonly Position[] {
    return [...this.#positions.values()].flatMap(({ symbol, side, position }) =>
      position.quantity === "0" || side === "both"
        ? []
        : [{ symbol, side, quantity: str(abs(dec(position.quantity))), entryPrice: entryPrice(position) }],
    )
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

const found = (order: Order): FoundOrder => ({ id: order.id, placedAtMs: order.placedAtMs, order: asVenueOrder(order) })
const index = (map: Map<string, SortedPrices>, symbol: string): SortedPrices => {
  const known = map.get(symbol)
  if (known !== undefined) return known
  const fresh = new SortedPrices()
  map.set(symbol, fresh)
  return fresh
}
