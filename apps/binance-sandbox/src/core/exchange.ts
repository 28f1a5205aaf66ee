/**
 * The exchange without its protocols: symbols, prices, wallets, orders and their lives, both markets. It executes through the
 * matching core; whoever is registered with {@link Exchange.on} hears what happened, in order, at once.
 *
 * An order is registered here once it is accepted. Conditional orders wait outside the matching core (it only ever sees
 * market and limit orders), and keep what they need reserved. Nothing here knows an error code: refusals are the core's reasons.
 */
import { ZERO, add, cmp, dec, gte, isZero, lte, min, mul, str, sub } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import { MemoryStore, cancel, end, execute, moveMarket, place, tryLock } from "@petrosa/matching"
import type { MatchingEvent, MatchingRules, Quote, RefusalReason } from "@petrosa/matching"
import type { Account } from "./accounts.ts"
import { leverageOf } from "./accounts.ts"
import type { Clock } from "./clock.ts"
import { commissionOf } from "./commission.ts"
import type { Fees } from "./commission.ts"
import { coreDraft } from "./coreDraft.ts"
import { ladderAround } from "./ladder.ts"
import type { Level, Liquidity, MarketPrice } from "./ladder.ts"
import { OrderBook } from "./orderBook.ts"
import { leftOf, newOrder } from "./orders.ts"
import type { OrderDraft, OrderEvent, SandboxOrder, SandboxTrade } from "./orders.ts"
import type { SymbolInfo, SymbolTable } from "./symbols.ts"
import { Watches } from "./watches.ts"

const FOR_EVER = 1000

export interface PriceChange {
  readonly last: Decimal
  readonly mark?: Decimal | undefined
}

export interface ExchangeOptions {
  readonly clock: Clock
  readonly symbols: SymbolTable
  readonly accounts: readonly Account[]
  readonly fees: Fees
  readonly liquidity: Liquidity
  /** Time between the acceptance of an order and its first execution. */
  readonly executionDelayMs: number
  readonly firstOrderId: Readonly<Record<Market, bigint>>
}

export class Exchange {
  readonly clock: Clock
  readonly symbols: SymbolTable
  readonly accounts: Map<string, Account>
  readonly store = new MemoryStore({ accountsMeet: true })
  readonly orders: OrderBook
  readonly watches = new Watches()
  /** The exchange's clock is ahead of ours by this (a fault). */
  skewMs = 0
  fees: Fees
  executionDelayMs: number
  readonly #prices = new Map<string, MarketPrice>()
  readonly #liquidity = new Map<string, Liquidity>()
  readonly #defaultLiquidity: Liquidity
  readonly #listeners: ((event: OrderEvent) => void)[] = []
  readonly #priceListeners: ((market: Market, symbol: string) => void)[] = []
  readonly #rules: MatchingRules

  constructor(options: ExchangeOptions) {
    this.clock = options.clock
    this.symbols = options.symbols
    this.accounts = new Map(options.accounts.map((account) => [account.name, account]))
    this.fees = options.fees
    this.#defaultLiquidity = options.liquidity
    this.executionDelayMs = options.executionDelayMs
    this.orders = new OrderBook(options.firstOrderId)
    this.#rules = this.#makeRules()
  }

  #makeRules(): MatchingRules {
    const fees = (): Fees => this.fees
    return {
      wallet: (account, market) => `${account}:${market}`,
      assets: (market, symbol) => this.symbols.known(market, symbol),
      feeRate: (_account, market, liquidity) => (fees().commission === "bnb" ? ZERO : dec(fees()[market][liquidity])),
      get feeAsset() {
        return fees().commission === "quote" ? "quote" : "received"
      },
      leverage: (account, symbol) => dec(leverageOf(this.account(account), symbol)),
      lockUntriggered: false,
    }
  }

  nowMs(): number {
    return this.clock.nowMs() + this.skewMs
  }
  account(name: string): Account {
    const account = this.accounts.get(name)
    if (account === undefined) throw new RangeError(`no account ${name}`)
    return account
  }
  on(listener: (event: OrderEvent) => void): void {
    this.#listeners.push(listener)
  }
  onPrice(listener: (market: Market, symbol: string) => void): void {
    this.#priceListeners.push(listener)
  }
  emit(kind: OrderEvent["kind"], order: SandboxOrder, more: Pick<OrderEvent, "trade" | "requestId"> = {}): void {
    const event: OrderEvent = { kind, order, atMs: this.nowMs(), ...more }
    for (const listener of this.#listeners) listener(event)
  }

  // Prices

  price(market: Market, symbol: string): MarketPrice | undefined {
    return this.#prices.get(`${market} ${symbol}`)
  }
  liquidity(market: Market, symbol: string): Liquidity {
    return this.#liquidity.get(`${market} ${symbol}`) ?? this.#defaultLiquidity
  }
  /** Takes effect at once: the book is made anew around the last price. */
  setLiquidity(market: Market, symbol: string, liquidity: Liquidity): void {
    this.#liquidity.set(`${market} ${symbol}`, liquidity)
    const price = this.price(market, symbol)
    if (price !== undefined) this.setPrice(market, symbol, { last: price.last, mark: price.mark })
  }
  /** Moves the market: the book is made anew around the price, triggers fire, resting orders that it reaches trade. */
  setPrice(market: Market, symbol: string, change: PriceChange): void {
    const info = this.symbols.known(market, symbol)
    const price: MarketPrice = {
      last: change.last,
      mark: change.mark ?? change.last,
      ...ladderAround(info, this.liquidity(market, symbol), change.last),
    }
    this.#prices.set(`${market} ${symbol}`, price)
    const { reached, events } = moveMarket(this.store, this.#rules, market, symbol, this.#quote(price), this.nowMs())
    this.#apply(events)
    this.watches.check(market, symbol, price)
    for (const { id, maker } of reached) this.#apply(execute(this.store, this.#rules, id, this.nowMs(), { maker }))
    for (const listener of this.#priceListeners) listener(market, symbol)
  }
  #quote(price: MarketPrice): Quote {
    const bid = price.bids[0]
    const ask = price.asks[0]
    return {
      bid: str(bid?.price ?? price.last),
      ask: str(ask?.price ?? price.last),
      last: str(price.last),
      mark: str(price.mark),
      bidSize: str(bid?.quantity ?? ZERO),
      askSize: str(ask?.quantity ?? ZERO),
    }
  }
  /** The outside levels of a side as they are now, best first. */
  levels(market: Market, symbol: string, side: "bids" | "asks"): readonly Level[] {
    const price = this.price(market, symbol)
    const quote = this.store.quote(market, symbol)
    if (price === undefined || quote === undefined) return []
    const [first, ...rest] = price[side]
    if (first === undefined) return []
    const left = dec((side === "bids" ? quote.bidSize : quote.askSize) ?? "0")
    return isZero(left) ? rest : [{ price: first.price, quantity: left }, ...rest]
  }
  /** All that an order of this side would meet at prices that it accepts: other accounts' orders and the outside. */
  available(order: Pick<SandboxOrder, "market" | "symbol" | "side" | "account">, limit: Decimal | undefined): readonly Level[] {
    const buy = order.side === "BUY"
    const fine = (price: Decimal): boolean => limit === undefined || (buy ? lte(price, limit) : gte(price, limit))
    const inside = [...this.store.book(order.market, order.symbol, buy ? "sell" : "buy")]
      .filter((other) => other.account !== order.account)
      .map((other) => ({ price: dec(other.price ?? "0"), quantity: sub(dec(other.quantity), dec(other.filled)) }))
    return [...this.levels(order.market, order.symbol, buy ? "asks" : "bids"), ...inside]
      .filter((level) => fine(level.price))
      .sort((a, b) => (buy ? cmp(a.price, b.price) : cmp(b.price, a.price)))
  }

  // The lives of orders

  create(draft: OrderDraft): SandboxOrder {
    return newOrder(this.orders.nextId(draft.market), draft, this.nowMs())
  }

  /**
   * Sends an order to the matching core. Refused: nothing has happened. Otherwise it is registered and announced (unless it
   * was before: a conditional order that fired), and trades at once or after the delay.
   */
  open(order: SandboxOrder, options: { readonly delayMs?: number | undefined } = {}): RefusalReason | undefined {
    const known = this.orders.has(order)
    this.release(order)
    const placed = place(this.store, this.#rules, coreDraft(order), this.nowMs())
    if (placed._tag === "Refused") return placed.reason
    this.orders.join(order, placed.order.id)
    order.working = true
    order.workingAtMs = this.nowMs()
    order.updatedAtMs = this.nowMs()
    const wasPending = order.status === "PENDING_NEW"
    if (wasPending) order.status = "NEW"
    this.emit(known && !wasPending ? "WORKING" : "NEW", order)
    if (!placed.order.pending) return undefined
    const delayMs = options.delayMs ?? this.executionDelayMs
    if (delayMs > 0) this.clock.after(delayMs, () => this.#execute(order))
    else this.#execute(order)
    return undefined
  }

  /** Registers an order that waits (for a trigger, or for another order), and announces it. */
  wait(order: SandboxOrder, announce = true): void {
    this.orders.add(order)
    if (announce) this.emit("NEW", order)
  }

  /** Reserves free balance for an order that waits. False: there is not as much. */
  reserve(order: SandboxOrder, asset: string, amount: Decimal): boolean {
    if (!tryLock(this.store, `${order.account}:${order.market}`, asset, amount)) return false
    order.reserved = { asset, amount }
    return true
  }
  release(order: SandboxOrder): void {
    const { reserved } = order
    if (reserved === undefined) return
    order.reserved = undefined
    const wallet = `${order.account}:${order.market}`
    const balance = this.store.balance(wallet, reserved.asset)
    this.store.putBalance(wallet, reserved.asset, { total: balance.total, locked: str(sub(dec(balance.locked), reserved.amount)) })
  }

  /** Replaces an order in the matching core by one with another price and quantity. Refused: it stays as it was. */
  amend(order: SandboxOrder, quantity: Decimal, price: Decimal): RefusalReason | undefined {
    const before = { quantity: order.quantity, price: order.price }
    const replace = (): ReturnType<typeof place> => {
      cancel(this.store, this.#rules, order.account, order.market, order.symbol, order.id.toString(), this.nowMs())
      return place(this.store, this.#rules, coreDraft(order), this.nowMs())
    }
    order.quantity = quantity
    order.price = price
    let placed = replace()
    const refusal = placed._tag === "Refused" ? placed.reason : undefined
    if (placed._tag === "Refused") {
      order.quantity = before.quantity
      order.price = before.price
      placed = replace()
      if (placed._tag === "Refused") {
        this.close(order, "EXPIRED", { reason: placed.reason })
        return refusal
      }
    }
    this.orders.join(order, placed.order.id)
    if (refusal !== undefined) return refusal
    order.modified += 1
    order.updatedAtMs = this.nowMs()
    this.emit("AMENDMENT", order)
    if (placed.order.pending) this.#execute(order)
    return undefined
  }

  /** Ends an open order. */
  end(order: SandboxOrder, kind: "CANCELED" | "EXPIRED", more: { readonly requestId?: string; readonly reason?: string } = {}): void {
    if (!this.orders.isOpen(order)) return
    this.release(order)
    if (order.coreId !== undefined)
      cancel(this.store, this.#rules, order.account, order.market, order.symbol, order.id.toString(), this.nowMs())
    this.close(order, kind, more)
  }
  /** Marks an order as over and says so. */
  close(
    order: SandboxOrder,
    status: "CANCELED" | "EXPIRED" | "REJECTED" | "EXPIRED_IN_MATCH",
    more: { readonly requestId?: string; readonly reason?: string } = {},
  ): void {
    order.status = status
    order.working = false
    order.expiryReason = more.reason
    order.updatedAtMs = this.nowMs()
    this.orders.settle(order)
    this.emit(status === "EXPIRED_IN_MATCH" ? "EXPIRED" : status, order, { requestId: more.requestId })
  }

  /** Fills an open order from the outside at its own price (or a given one), whatever the book says: for faults. */
  fill(order: SandboxOrder, quantity: Decimal, price: Decimal): void {
    if (order.coreId === undefined) return
    const atPrice = isZero(order.price) ? price : order.price
    // A post-only order that rests is met by somebody: it takes nothing.
    const maker = order.type === "LIMIT_MAKER"
    this.#apply(execute(this.store, this.#rules, order.coreId, this.nowMs(), { maxQuantity: min(quantity, leftOf(order)), atPrice, maker }))
  }

  /** Trades level by level. */
  #execute(order: SandboxOrder): void {
    const id = order.coreId
    if (id === undefined) return
    if (order.timeInForce === "FOK") {
      const have = this.available(order, isZero(order.price) ? undefined : order.price).reduce(
        (sum, level) => add(sum, level.quantity),
        ZERO,
      )
      const core = this.store.order(id)
      if (cmp(have, order.quantity) < 0 && core !== undefined) {
        this.#apply([end(this.store, this.#rules, core, "unfilled", this.nowMs())])
        return
      }
    }
    const side = order.side === "BUY" ? "asks" : "bids"
    for (let round = 0; round < FOR_EVER; round += 1) {
      const core = this.store.order(id)
      if (core === undefined || !core.pending) return
      const quote = this.store.quote(order.market, order.symbol)
      const size = dec((side === "asks" ? quote?.askSize : quote?.bidSize) ?? "0")
      if (isZero(size) && this.#deeper(order.market, order.symbol, side)) continue
      const left = sub(dec(core.quantity), dec(core.filled))
      const last = isZero(size) || cmp(left, size) <= 0
      const events = execute(this.store, this.#rules, id, this.nowMs(), last ? {} : { maxQuantity: size })
      this.#apply(events)
      if (last) return
    }
  }
  /** The first level is used up: the next one becomes the quote. False: there is none. */
  #deeper(market: Market, symbol: string, side: "bids" | "asks"): boolean {
    const price = this.price(market, symbol)
    const quote = this.store.quote(market, symbol)
    const next = price?.[side][1]
    if (price === undefined || quote === undefined || next === undefined) return false
    price[side].shift()
    const change =
      side === "asks" ? { ask: str(next.price), askSize: str(next.quantity) } : { bid: str(next.price), bidSize: str(next.quantity) }
    this.store.putQuote(market, symbol, { ...quote, ...change })
    return true
  }

  /** Takes over what the matching core did. */
  #apply(events: readonly MatchingEvent[]): void {
    for (const event of events) {
      const order = this.orders.byCore(event.order.id)
      if (order === undefined) continue
      if (event._tag === "Traded") this.#traded(order, event)
      else if (event._tag === "Ended" && event.reason !== "cancelled")
        this.close(order, event.reason === "selfTrade" ? "EXPIRED_IN_MATCH" : "EXPIRED", { reason: event.reason })
    }
  }
  #traded(order: SandboxOrder, event: Extract<MatchingEvent, { _tag: "Traded" }>): void {
    const { trade } = event
    const info: SymbolInfo = this.symbols.known(order.market, order.symbol)
    const bnb = this.price(order.market, `BNB${info.quote}`) ?? this.price("spot", `BNB${info.quote}`)
    const commission = commissionOf(this.store, this.fees, trade, info, bnb?.last)
    const quantity = dec(trade.quantity)
    const quote = mul(quantity, dec(trade.price))
    const record: SandboxTrade = {
      id: this.orders.nextTradeId(order.market),
      orderId: order.id,
      clientId: order.clientId,
      account: order.account,
      market: order.market,
      symbol: order.symbol,
      side: order.side,
      positionSide: order.positionSide,
      price: dec(trade.price),
      quantity,
      quote,
      commission: commission.amount,
      commissionAsset: commission.asset,
      realised: dec(trade.realised),
      maker: trade.liquidity === "maker",
      atMs: this.nowMs(),
      orderListId: order.listId,
    }
    order.executed = add(order.executed, quantity)
    order.quoteFilled = add(order.quoteFilled, quote)
    order.status = cmp(order.executed, order.quantity) >= 0 ? "FILLED" : "PARTIALLY_FILLED"
    order.updatedAtMs = record.atMs
    order.trades.push(record)
    this.orders.record(record)
    if (order.status === "FILLED") {
      order.working = false
      this.orders.settle(order)
    }
    this.emit("TRADE", order, { trade: record })
  }
}
