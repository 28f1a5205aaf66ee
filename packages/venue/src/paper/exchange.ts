/**
 * What the paper exchange does inside a transaction: takes and cancels orders, carries out due executions, moves the
 * market, applies faults. Synchronous; every public method must run in a turn (`turns.ts`).
 */
import { ONE, accepted, dec, div, eq, floorTo, gt, isZero, lt, refused, sub, unknown } from "@petrosa/contracts"
import type { ClientOrderId, DecimalString, Leg, Market, MarketPrice, Outcome, Refused, SymbolRules } from "@petrosa/contracts"
import { cancel, execute, hasLimit, isLive, moveMarket, place } from "@petrosa/matching"
import type { ExecuteOptions, MatchingEvent, MatchingRules, NewOrder, Order } from "@petrosa/matching"
import type {
  Acknowledgement,
  OcoAcknowledgement,
  OcoRequest,
  OtocoAcknowledgement,
  OtocoRequest,
  PlaceRequest,
  VenueOrder,
} from "../venue.ts"
import type { PaperBooks, Work } from "./books.ts"
import { canonicalText } from "./canonicalText.ts"
import { checkOrder } from "./checks.ts"
import { FaultSwitchboard } from "./faultSwitchboard.ts"
import type { Faults, RequestKind } from "./faults.ts"
import { LIST_LEG, legRequests, PaperLists } from "./lists.ts"
import { badSymbol, checkTime, notTrading, refusalOf } from "./refusals.ts"
import { ACCOUNT, asVenueOrder } from "./rows.ts"
import { quoteAt } from "./priceIndex.ts"

/** One turn carries out at most so many due executions. */
const WORK_MAX = 256

export interface ExchangeOptions {
  readonly feeRate: DecimalString
  readonly fillDelayMs: number
  readonly orderCounts: boolean
  /** Spot: order lists, and no reduce-only: what sells reserves what it sells. */
  readonly spotLists: boolean
  readonly rulesOf: (symbol: string, market: Market) => SymbolRules | undefined
  readonly now: () => number
}

const TIMED_OUT = "TIMEOUT"

export class PaperExchange {
  readonly store: PaperBooks
  readonly #options: ExchangeOptions
  readonly #rules: MatchingRules
  readonly #switches: FaultSwitchboard
  /** Lists of the file are followed by whoever moves the market, whatever its own manner of placing is. */
  readonly #lists: PaperLists
  #nextDueMs: number | undefined | "unknown" = "unknown"

  constructor(books: PaperBooks, options: ExchangeOptions) {
    this.#options = options
    this.store = books
    const feeRate = dec(options.feeRate)

    this.#rules = {
      wallet: () => ACCOUNT,
      assets: (market, symbol) => {
        const rules = options.rulesOf(symbol, market)
        if (rules === undefined) throw new Error(`an order of ${symbol} (${market}) is in the file, but its rules are not known`)
        return { base: rules.baseAsset, quote: rules.quoteAsset }
      },
      feeRate: () => feeRate,
      feeAsset: "quote",
      leverage: () => ONE,
      lockUntriggered: true,
    }
    this.#switches = new FaultSwitchboard(books)
    this.#lists = new PaperLists(books, this.#rules, (events) => this.#log(events))
  }

  /** Another process wrote, or a turn was undone: read again what is remembered. */
  forget(): void {
    this.#switches.forget()
    this.#nextDueMs = "unknown"
    this.store.forget()
  }

  get faults(): Faults {
    return this.#switches.faults
  }

  setFaults(change: Partial<Faults>): void {
    const { rest } = this.faults
    this.#switches.write({ ...this.faults, ...change })
    if (!rest || change.rest !== false) return
    this.store.releaseWork(this.#options.now())
    this.#nextDueMs = "unknown"
  }

  /** Whether this request is hit by a fault of replies; a counted fault is used up by it. */
  hit(which: "loseReply" | "dropRequest", kind: RequestKind): boolean {
    return this.#switches.hit(which, kind)
  }

  // ---- orders

  place(request: PlaceRequest): Outcome<Acknowledgement> {
    if (this.hit("dropRequest", request.leg)) return unknown(TIMED_OUT)
    const outcome = this.#place(request)
    return outcome._tag === "Accepted" && this.hit("loseReply", request.leg) ? unknown(TIMED_OUT) : outcome
  }

  #place(request: PlaceRequest): Outcome<Acknowledgement> {
    const nowMs = this.#options.now()
    const told = this.#switches.refusal(request.leg)
    if (told !== undefined) return told
    const late = checkTime(request.timestampMs, request.receiveWindowMs, nowMs)
    if (late !== undefined) return late
    const rules = this.#options.rulesOf(request.symbol, request.market)
    if (rules === undefined) return badSymbol()
    if (!rules.trading) return notTrading(request.market)
    const price = this.store.marketPrice(request.market, request.symbol)?.price
    const wrong = checkOrder(request, rules, price) ?? this.#tooMany(request, rules)
    if (wrong !== undefined) return wrong
    this.store.leg = request.leg
    const isReserving = this.#options.spotLists && request.market === "spot"
    // The symbol's text is that of the rules: otherwise each order keeps one of its own, for ever.
    const draft = newOrder(request, rules.symbol, request.reduceOnly && !isReserving)
    const placed = place(this.store, this.#rules, draft, nowMs)
    if (placed._tag === "Refused") {
      // A market exit for more than is free: there is nothing (or less) to sell any more.
      const isGone = isReserving && request.reduceOnly && request.type === "market" && placed.reason === "balance"
      return refusalOf(request.market, isGone ? "nothingToReduce" : placed.reason)
    }
    this.#record(placed.events)
    if (placed.order.pending) this.#arrange(placed.order, request.leg, price, nowMs)
    const order = asVenueOrder(placed.order)
    return accepted({
      clientOrderId: request.clientOrderId,
      venueOrderId: order.venueOrderId,
      order,
      reply: `{"symbol":"${request.symbol}","orderId":${order.venueOrderId},"clientOrderId":"${request.clientOrderId}","transactTime":${nowMs},"status":"NEW"}`,
    })
  }

  // ---- lists

  placeOco(request: OcoRequest): Outcome<OcoAcknowledgement> {
    if (this.hit("dropRequest", LIST_LEG.oco)) return unknown(TIMED_OUT)
    const legs = legRequests(request, request)
    const outcome =
      this.#switches.refusal(LIST_LEG.oco) ??
      this.#judge([legs.stop, legs.target]) ??
      this.#lists.placePair(legs.stop, legs.target, this.#options.now())
    return outcome._tag === "Accepted" && this.hit("loseReply", LIST_LEG.oco) ? unknown(TIMED_OUT) : outcome
  }

  placeOtoco(request: OtocoRequest): Outcome<OtocoAcknowledgement> {
    if (this.hit("dropRequest", LIST_LEG.otoco)) return unknown(TIMED_OUT)
    const lists = this.#lists
    const { entry } = request
    const legs = legRequests(request, entry)
    const wrong = this.#judge([entry, legs.stop, legs.target]) ?? lists.fits(request)
    if (wrong !== undefined) return wrong
    if (lists.taken(request)) return refusalOf("spot", "duplicate")
    const placed = this.#place(entry)
    if (placed._tag !== "Accepted") return placed
    const { order, venueOrderId } = placed.value
    const waiting = lists.await(Number(venueOrderId), legs.stop, legs.target, this.#options.now())
    const reply = `{"orderListId":${venueOrderId},"contingencyType":"OTO","orders":[${placed.value.reply}]}`
    return this.hit("loseReply", LIST_LEG.otoco) ? unknown(TIMED_OUT) : accepted({ listId: venueOrderId, entry: order, ...waiting, reply })
  }

  /** The first of these requests that time, symbol or filters refuse. */
  #judge(requests: readonly PlaceRequest[]): Refused | undefined {
    for (const request of requests) {
      const late = checkTime(request.timestampMs, request.receiveWindowMs, this.#options.now())
      if (late !== undefined) return late
      const rules = this.#options.rulesOf(request.symbol, request.market)
      if (rules === undefined || request.market !== "spot") return badSymbol()
      if (!rules.trading) return notTrading(request.market)
      const wrong = checkOrder(request, rules, this.store.marketPrice(request.market, request.symbol)?.price)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #tooMany(request: PlaceRequest, rules: SymbolRules): Outcome<never> | undefined {
    if (!this.#options.orderCounts) return undefined
    const { orders, algos } = this.store.counts(request.market, request.symbol)
    if (rules.maxOpenOrders > 0 && orders >= rules.maxOpenOrders) return refused("balance", "-2025", "Reach max open order limit.")
    if (request.triggerPrice !== undefined && rules.maxAlgoOrders > 0 && algos >= rules.maxAlgoOrders)
      return refused("balance", "-4045", "Reach max stop order limit.")
    return undefined
  }

  /** Plans the execution of an order that can act at once. It comes after the acknowledgement, by whichever process is there. */
  #arrange(order: Order, leg: Leg, price: DecimalString | undefined, nowMs: number): void {
    const held = this.faults.rest && leg === "entry" && order.timeInForce !== "IOC" && order.timeInForce !== "FOK"
    const delayMs = this.#options.fillDelayMs
    // Without a delay the trade is struck at the price of the moment of acceptance, as an exchange's matching engine does;
    // only the news of it is later. With a delay it meets the price of its own time.
    const atPrice = held || delayMs === 0 ? (price ?? null) : null
    this.#work(order.id, held ? null : nowMs + delayMs, atPrice, this.faults.partialFills?.parts ?? 1, false)
  }

  #work(orderId: number, dueMs: number | null, atPrice: DecimalString | null, parts: number, maker: boolean): void {
    this.store.putWork({ orderId, dueMs, atPrice, parts, maker })
    if (dueMs !== null && this.#nextDueMs !== "unknown" && (this.#nextDueMs === undefined || dueMs < this.#nextDueMs))
      this.#nextDueMs = dueMs
  }

  cancel(symbol: string, market: Market, clientOrderId: ClientOrderId): Outcome<VenueOrder> {
    if (this.hit("dropRequest", "cancel")) return unknown(TIMED_OUT)
    const result = cancel(this.store, this.#rules, ACCOUNT, market, symbol, clientOrderId, this.#options.now())
    if (result._tag === "Refused") return refusalOf(market, result.reason)
    this.store.deleteWork(result.event.order.id)
    this.#nextDueMs = "unknown"
    this.#record([result.event])
    return this.hit("loseReply", "cancel") ? unknown(TIMED_OUT) : accepted(asVenueOrder(result.event.order))
  }

  // ---- executions

  /** When the next execution is due; `undefined`: none is planned. */
  nextDueMs(): number | undefined {
    if (this.#nextDueMs === "unknown") this.#nextDueMs = this.store.nextDueMs()
    return this.#nextDueMs
  }

  /** Whether a price is the one that is known already: {@link setPrice} would do nothing. */
  isKnownPrice(market: Market, price: MarketPrice): boolean {
    return price.source === "signal" && this.store.marketPrice(market, price.symbol)?.price === price.price
  }

  /** Carries out what is due. */
  runDue(): void {
    const nowMs = this.#options.now()
    const due = this.nextDueMs()
    if (due === undefined || due > nowMs) return
    for (const row of this.store.dueWork(nowMs, WORK_MAX)) this.#run(row, nowMs)
    this.#nextDueMs = "unknown"
  }

  #run(row: Work, nowMs: number): void {
    const order = this.store.order(row.orderId)
    if (order === undefined || !isLive(order.status)) {
      this.store.deleteWork(row.orderId)
      return
    }
    const maxQuantity = row.parts > 1 ? this.#part(order, row.parts) : undefined
    const options: ExecuteOptions = { maxQuantity, atPrice: row.atPrice === null ? undefined : dec(row.atPrice), maker: row.maker }
    const events = execute(this.store, this.#rules, order.id, nowMs, options)
    this.#record(events)
    const last = events.at(-1)?.order ?? order
    const goesOn = maxQuantity !== undefined && isLive(last.status) && events.length > 0
    if (!goesOn) {
      this.store.deleteWork(order.id)
      return
    }
    // The rest of a maker trades at its limit price, that of a taker at the price of its time.
    this.#work(order.id, nowMs + (this.faults.partialFills?.everyMs ?? 0), row.maker ? row.atPrice : null, row.parts - 1, row.maker)
  }

  /** One part of what is left; `undefined` (all of it) when the lot step leaves nothing of a part. */
  #part(order: Order, parts: number): ReturnType<typeof dec> | undefined {
    const rules = this.#options.rulesOf(order.symbol, order.market)
    const left = sub(dec(order.quantity), dec(order.filled))
    const part = floorTo(div(left, dec(parts)), dec(rules?.lot.step ?? "0"))
    return isZero(part) ? undefined : part
  }

  // ---- the market

  /** The price of a symbol is now this; orders that it reaches trade. A price that is no news does nothing. */
  setPrice(market: Market, price: MarketPrice): void {
    const before = this.store.marketPrice(market, price.symbol)
    if (before !== undefined && before.price === price.price) {
      if (price.source !== "signal") this.store.putMarketPrice(market, price)
      return
    }
    const nowMs = this.#options.now()
    this.store.putMarketPrice(market, price)
    const { reached, events } = moveMarket(this.store, this.#rules, market, price.symbol, quoteAt(price.price), nowMs)
    this.#record(events)
    const parts = this.faults.partialFills?.parts ?? 1
    for (const { id, maker } of reached) {
      const order = this.store.order(id)
      if (order === undefined) continue
      this.#run({ orderId: id, dueMs: nowMs, atPrice: maker ? (order.price ?? null) : null, parts, maker }, nowMs)
    }
    this.#releaseHeld(market, price.symbol, price.price, nowMs)
    this.#nextDueMs = "unknown"
  }

  /** The fault "rest": what was held trades when the price has moved through it (a market order: when it has moved at all). */
  #releaseHeld(market: Market, symbol: string, price: DecimalString, nowMs: number): void {
    const now = dec(price)
    for (const row of this.store.heldWork(market, symbol)) {
      const order = this.store.order(row.orderId)
      if (order === undefined) continue
      const limit = hasLimit(order.type) && order.price !== undefined ? dec(order.price) : undefined
      const passed =
        limit === undefined ? row.atPrice === null || !eq(now, dec(row.atPrice)) : order.side === "buy" ? lt(now, limit) : gt(now, limit)
      if (!passed) continue
      const maker = limit !== undefined
      this.#run({ ...row, atPrice: maker ? (order.price ?? null) : price, maker }, nowMs)
    }
  }

  #record(events: readonly MatchingEvent[]): void {
    this.#log(events)
    for (const event of events) {
      if (event.order.market !== "spot") continue
      this.#lists.follow(event, this.#options.now())
      this.#nextDueMs = "unknown"
    }
  }

  #log(events: readonly MatchingEvent[]): void {
    for (const event of events)
      if (event._tag !== "Triggered") this.store.logEvent(event.order, event._tag === "Traded" ? event.trade.id : null)
  }
}

const newOrder = (request: PlaceRequest, symbol: string, reduceOnly: boolean): NewOrder => ({
  account: ACCOUNT,
  clientOrderId: request.clientOrderId,
  market: request.market,
  symbol,
  side: request.side,
  positionSide: request.positionSide,
  type: request.type,
  timeInForce: request.timeInForce ?? "GTC",
  quantity: canonicalText(request.quantity),
  price: request.price,
  triggerPrice: request.triggerPrice,
  triggerOn: "last",
  reduceOnly,
})
