/**
 * What the paper exchange does inside a transaction: takes and cancels orders, carries out due executions, moves the
 * market, applies faults. Synchronous; every public method must run in a turn (`turns.ts`).
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { ONE, accepted, dec, div, eq, floorTo, gt, isZero, lt, refused, str, sub, unknown } from "@petrosa/contracts"
import type { ClientOrderId, DecimalString, Leg, Market, MarketPrice, Outcome, SymbolRules } from "@petrosa/contracts"
import { cancel, execute, hasLimit, isLive, moveMarket, place } from "@petrosa/matching"
import type { ExecuteOptions, MatchingEvent, MatchingRules, NewOrder, Order } from "@petrosa/matching"
import type { Acknowledgement, PlaceRequest, VenueOrder } from "../venue.ts"
import { checkOrder } from "./checks.ts"
import { FaultSwitchboard } from "./faultSwitchboard.ts"
import type { Faults, RequestKind } from "./faults.ts"
import { badSymbol, checkTime, notTrading, refusalOf } from "./refusals.ts"
import { ACCOUNT, venueOrderId } from "./rows.ts"
import { SqliteStore, quoteAt } from "./sqliteStore.ts"
import { EVENTS_KEPT } from "./tail.ts"

/** One turn carries out at most so many due executions. */
const WORK_MAX = 256

export interface ExchangeOptions {
  readonly feeRate: DecimalString
  readonly fillDelayMs: number
  readonly orderCounts: boolean
  readonly rulesOf: (symbol: string, market: Market) => SymbolRules | undefined
  readonly now: () => number
}

interface WorkRow {
  readonly order_id: number
  readonly due_ms: number | null
  readonly at_price: DecimalString | null
  readonly parts: number
  readonly maker: number
}

const TIMED_OUT = "TIMEOUT"

export class PaperExchange {
  readonly store: SqliteStore
  readonly #options: ExchangeOptions
  readonly #rules: MatchingRules
  readonly #insertEvent: StatementSync
  readonly #pruneEvents: StatementSync
  readonly #putWork: StatementSync
  readonly #deleteWork: StatementSync
  readonly #dueWork: StatementSync
  readonly #nextWork: StatementSync
  readonly #heldWork: StatementSync
  readonly #releaseWork: StatementSync
  readonly #counts: StatementSync
  readonly #switches: FaultSwitchboard
  #nextDueMs: number | undefined | "unknown" = "unknown"

  constructor(db: DatabaseSync, options: ExchangeOptions) {
    this.#options = options
    this.store = new SqliteStore(db, options.rulesOf)
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
    this.#insertEvent = db.prepare("INSERT INTO events (order_id, status, filled, filled_quote, fill_id, at_ms) VALUES (?, ?, ?, ?, ?, ?)")
    this.#pruneEvents = db.prepare("DELETE FROM events WHERE seq <= ?")
    this.#putWork = db.prepare("INSERT OR REPLACE INTO work (order_id, due_ms, at_price, parts, maker) VALUES (?, ?, ?, ?, ?)")
    this.#deleteWork = db.prepare("DELETE FROM work WHERE order_id = ?")
    this.#dueWork = db.prepare("SELECT * FROM work WHERE due_ms <= ? ORDER BY due_ms, order_id LIMIT ?")
    this.#nextWork = db.prepare("SELECT min(due_ms) AS due FROM work WHERE due_ms IS NOT NULL")
    this.#heldWork = db.prepare(
      "SELECT w.* FROM work w JOIN orders o ON o.id = w.order_id WHERE w.due_ms IS NULL AND o.market = ? AND o.symbol = ?",
    )
    this.#releaseWork = db.prepare("UPDATE work SET due_ms = ?, at_price = NULL WHERE due_ms IS NULL")
    this.#switches = new FaultSwitchboard(db)
    this.#counts = db.prepare(
      "SELECT count(*) AS orders, count(trigger_price) AS algos FROM orders WHERE live = 1 AND market = ?1 AND symbol = ?2",
    )
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
    this.#releaseWork.run(this.#options.now())
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
    const placed = place(this.store, this.#rules, newOrder(request), nowMs)
    if (placed._tag === "Refused") return refusalOf(request.market, placed.reason)
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

  #tooMany(request: PlaceRequest, rules: SymbolRules): Outcome<never> | undefined {
    if (!this.#options.orderCounts) return undefined
    const { orders, algos } = this.#counts.get(request.market, request.symbol) as { orders: number; algos: number }
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

  #work(orderId: number, dueMs: number | null, atPrice: string | null, parts: number, maker: boolean): void {
    this.#putWork.run(orderId, dueMs, atPrice, parts, maker ? 1 : 0)
    if (dueMs !== null && this.#nextDueMs !== "unknown" && (this.#nextDueMs === undefined || dueMs < this.#nextDueMs))
      this.#nextDueMs = dueMs
  }

  cancel(symbol: string, market: Market, clientOrderId: ClientOrderId): Outcome<VenueOrder> {
    if (this.hit("dropRequest", "cancel")) return unknown(TIMED_OUT)
    const result = cancel(this.store, this.#rules, ACCOUNT, market, symbol, clientOrderId, this.#options.now())
    if (result._tag === "Refused") return refusalOf(market, result.reason)
    this.#deleteWork.run(result.event.order.id)
    this.#nextDueMs = "unknown"
    this.#record([result.event])
    return this.hit("loseReply", "cancel") ? unknown(TIMED_OUT) : accepted(asVenueOrder(result.event.order))
  }

  // ---- executions

  /** When the next execution is due; `undefined`: none is planned. */
  nextDueMs(): number | undefined {
    if (this.#nextDueMs === "unknown") this.#nextDueMs = (this.#nextWork.get() as { due: number | null }).due ?? undefined
    return this.#nextDueMs
  }

  /** Carries out what is due. */
  runDue(): void {
    const nowMs = this.#options.now()
    const due = this.nextDueMs()
    if (due === undefined || due > nowMs) return
    for (const row of this.#dueWork.all(nowMs, WORK_MAX) as unknown as WorkRow[]) this.#run(row, nowMs)
    this.#nextDueMs = "unknown"
  }

  #run(row: WorkRow, nowMs: number): void {
    const order = this.store.order(row.order_id)
    if (order === undefined || !isLive(order.status)) {
      this.#deleteWork.run(row.order_id)
      return
    }
    const maxQuantity = row.parts > 1 ? this.#part(order, row.parts) : undefined
    const options: ExecuteOptions = { maxQuantity, atPrice: row.at_price === null ? undefined : dec(row.at_price), maker: row.maker === 1 }
    const events = execute(this.store, this.#rules, order.id, nowMs, options)
    this.#record(events)
    const last = events.at(-1)?.order ?? order
    const goesOn = maxQuantity !== undefined && isLive(last.status) && events.length > 0
    if (!goesOn) {
      this.#deleteWork.run(order.id)
      return
    }
    // The rest of a maker trades at its limit price, that of a taker at the price of its time.
    this.#work(
      order.id,
      nowMs + (this.faults.partialFills?.everyMs ?? 0),
      row.maker === 1 ? row.at_price : null,
      row.parts - 1,
      row.maker === 1,
    )
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
      this.#run({ order_id: id, due_ms: nowMs, at_price: maker ? (order.price ?? null) : null, parts, maker: maker ? 1 : 0 }, nowMs)
    }
    this.#releaseHeld(market, price.symbol, price.price, nowMs)
    this.#nextDueMs = "unknown"
  }

  /** The fault "rest": what was held trades when the price has moved through it (a market order: when it has moved at all). */
  #releaseHeld(market: Market, symbol: string, price: DecimalString, nowMs: number): void {
    const now = dec(price)
    for (const row of this.#heldWork.all(market, symbol) as unknown as WorkRow[]) {
      const order = this.store.order(row.order_id)
      if (order === undefined) continue
      const limit = hasLimit(order.type) && order.price !== undefined ? dec(order.price) : undefined
      const passed =
        limit === undefined ? row.at_price === null || !eq(now, dec(row.at_price)) : order.side === "buy" ? lt(now, limit) : gt(now, limit)
      if (!passed) continue
      const maker = limit !== undefined
      this.#run({ ...row, at_price: maker ? (order.price ?? null) : price, maker: maker ? 1 : 0 }, nowMs)
    }
  }

  #record(events: readonly MatchingEvent[]): void {
    for (const event of events) {
      if (event._tag === "Triggered") continue
      const { order } = event
      const fillId = event._tag === "Traded" ? event.trade.id : null
      const { lastInsertRowid } = this.#insertEvent.run(order.id, order.status, order.filled, order.filledQuote, fillId, order.updatedAtMs)
      const seq = Number(lastInsertRowid)
      if (seq % 1000 === 0 && seq > EVENTS_KEPT) this.#pruneEvents.run(seq - EVENTS_KEPT)
    }
  }
}

const newOrder = (request: PlaceRequest): NewOrder => ({
  account: ACCOUNT,
  clientOrderId: request.clientOrderId,
  market: request.market,
  symbol: request.symbol,
  side: request.side,
  positionSide: request.positionSide,
  type: request.type,
  timeInForce: request.timeInForce ?? "GTC",
  quantity: str(dec(request.quantity)),
  price: request.price,
  triggerPrice: request.triggerPrice,
  triggerOn: "last",
  reduceOnly: request.reduceOnly,
})

const asVenueOrder = (order: Order): VenueOrder => ({
  symbol: order.symbol,
  clientOrderId: order.clientOrderId,
  venueOrderId: venueOrderId(order.id),
  side: order.side,
  type: order.type,
  status: order.status,
  quantity: order.quantity,
  filledQuantity: order.filled,
  filledQuote: order.filledQuote,
  ...(order.price === undefined ? {} : { price: order.price }),
  ...(order.triggerPrice === undefined ? {} : { triggerPrice: order.triggerPrice }),
  updatedAtMs: order.updatedAtMs,
})
