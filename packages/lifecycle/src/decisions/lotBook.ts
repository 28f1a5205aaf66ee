/**
 * The lot book: what is open and what is on its way, and what that means for the next signal (docs/reference/signals.md,
 * "Opposite and repeated signals").
 *
 * A lot is known by (venue, market, symbol, strategy): a lot of the paper venue never stands in the way of a live one. An
 * entry on its way counts as a lot everywhere. Reserving is synchronous with the decision, so limits are exact within
 * one process. Every operation is O(1) but for {@link LotBook.view}, which is O(own lots of that symbol), at most
 * MAX_LOTS_PER_STRATEGY_SYMBOL a side.
 *
 * Invariants: one entry per order; counts and sums equal what a scan of the entries would give; nothing in here is ever
 * negative.
 */
import type { Decimal, DecimalString, LotToClose, Market, OrderId, Reason, Side, Signal, SymbolRules } from "@petrosa/contracts"
import { add, dec, reason, sub, ZERO } from "@petrosa/contracts"
import { exitSideOf } from "./geometry.ts"
import type { DecisionSettings, VenueFacts } from "./settings.ts"

export interface LotEntry {
  readonly order: OrderId
  readonly venue: string
  readonly strategyId: string
  readonly market: Market
  readonly symbol: string
  /** Of the entry: a `buy` lot is long. */
  readonly side: Side
  readonly state: "onItsWay" | "open"
  /** What it holds, in base; `"0"` as long as nothing is filled. */
  readonly quantity: DecimalString
  /** What it is, or will be, worth at its entry price, in quote. */
  readonly notional: DecimalString
}

export interface LotKey {
  readonly venue: string
  readonly market: Market
  readonly symbol: string
  readonly strategyId: string
}

/** What one decision sees of the book. */
export interface LotBookView {
  /** Lots and entries on their way of the venue, all strategies and symbols. */
  readonly openPositions: number
  /** This strategy's, of this market and symbol, oldest first. */
  readonly own: readonly LotEntry[]
  /** How many other strategies' lots there are of this market and symbol, by side. */
  readonly others: { readonly buy: number; readonly sell: number }
}

export const EMPTY_VIEW: LotBookView = { openPositions: 0, own: [], others: { buy: 0, sell: 0 } }

const symbolKey = (key: Omit<LotKey, "strategyId">): string => `${key.venue}\n${key.market}\n${key.symbol}`
// The free text comes last and the symbol's length before it: no two keys can be spelt the same.
const ownKey = (key: LotKey): string => `${key.symbol.length}\n${symbolKey(key)}\n${key.strategyId}`

/** Mutable, in memory, of one process; a fold of all streams fills it at start. */
export class LotBook {
  readonly #entries = new Map<OrderId, LotEntry>()
  readonly #own = new Map<string, Map<OrderId, LotEntry>>()
  readonly #symbols = new Map<string, { buy: number; sell: number }>()
  readonly #venues = new Map<string, { count: number; onItsWay: Decimal }>()

  get size(): number {
    return this.#entries.size
  }

  get(order: OrderId): LotEntry | undefined {
    return this.#entries.get(order)
  }

  entries(): IterableIterator<LotEntry> {
    return this.#entries.values()
  }

  /** Takes a slot. The same order again replaces its entry: a redelivery does not count twice. */
  reserve(entry: LotEntry): void {
    this.release(entry.order)
    this.#entries.set(entry.order, entry)
    const own = ownKey(entry)
    const lots = this.#own.get(own)
    if (lots === undefined) this.#own.set(own, new Map([[entry.order, entry]]))
    else lots.set(entry.order, entry)
    const key = symbolKey(entry)
    const sides = this.#symbols.get(key)
    if (sides === undefined) this.#symbols.set(key, { buy: entry.side === "buy" ? 1 : 0, sell: entry.side === "sell" ? 1 : 0 })
    else sides[entry.side] += 1
    const venue = this.#venues.get(entry.venue) ?? { count: 0, onItsWay: ZERO }
    venue.count += 1
    if (entry.state === "onItsWay") venue.onItsWay = add(venue.onItsWay, dec(entry.notional))
    this.#venues.set(entry.venue, venue)
  }

  /** What became of it: filled so far, worth, open. An order that the book does not hold is left alone: `false`. */
  update(order: OrderId, change: Partial<Pick<LotEntry, "state" | "quantity" | "notional">>): boolean {
    const before = this.#entries.get(order)
    if (before === undefined) return false
    const after: LotEntry = { ...before, ...change }
    this.#entries.set(order, after)
    this.#own.get(ownKey(before))?.set(order, after)
    const venue = this.#venues.get(before.venue)
    if (venue !== undefined && (before.state === "onItsWay" || after.state === "onItsWay")) {
      if (before.state === "onItsWay") venue.onItsWay = sub(venue.onItsWay, dec(before.notional))
      if (after.state === "onItsWay") venue.onItsWay = add(venue.onItsWay, dec(after.notional))
    }
    return true
  }

  /** Returns the slot: the lot is closed, or the entry came to nothing. `false`: there was none. */
  release(order: OrderId): boolean {
    const entry = this.#entries.get(order)
    if (entry === undefined) return false
    this.#entries.delete(order)
    const own = ownKey(entry)
    const lots = this.#own.get(own)
    lots?.delete(order)
    if (lots?.size === 0) this.#own.delete(own)
    const key = symbolKey(entry)
    const sides = this.#symbols.get(key)
    if (sides !== undefined) {
      sides[entry.side] -= 1
      if (sides.buy === 0 && sides.sell === 0) this.#symbols.delete(key)
    }
    const venue = this.#venues.get(entry.venue)
    if (venue !== undefined) {
      venue.count -= 1
      if (entry.state === "onItsWay") venue.onItsWay = sub(venue.onItsWay, dec(entry.notional))
      if (venue.count === 0) this.#venues.delete(entry.venue)
    }
    return true
  }

  /** What the entries on their way at a venue are worth, in quote (of whatever quote asset). */
  notionalOnItsWay(venue: string): Decimal {
    return this.#venues.get(venue)?.onItsWay ?? ZERO
  }

  /** What the next decision of this strategy on this symbol has to know. `except`: the order that decides (at recovery). */
  view(key: LotKey, except?: OrderId): LotBookView {
    const mine = this.#own.get(ownKey(key))
    const all = this.#symbols.get(symbolKey(key))
    const venue = this.#venues.get(key.venue)
    let counted = venue?.count ?? 0
    const own: LotEntry[] = []
    let buy = all?.buy ?? 0
    let sell = all?.sell ?? 0
    for (const lot of mine?.values() ?? []) {
      if (lot.side === "buy") buy -= 1
      else sell -= 1
      if (lot.order === except) counted -= 1
      else own.push(lot)
    }
    return { openPositions: counted, own, others: { buy, sell } }
  }
}

export type LotDecision =
  | { readonly kind: "open"; readonly side: Side }
  | { readonly kind: "close"; readonly lots: readonly LotToClose[]; readonly cause: "opposite" | "close" }
  | { readonly reason: Reason }

const toClose = (lots: readonly LotEntry[]): readonly LotToClose[] => lots.map(({ order, quantity, side }) => ({ order, quantity, side }))

/** Open, close, or decline: what the book says to a signal (`hold` never gets here). */
export const decideAgainstLots = (
  view: LotBookView,
  signal: Pick<Signal, "action" | "market" | "symbol" | "orderType">,
  settings: DecisionSettings,
  venue: Pick<VenueFacts, "shortMarkets" | "positionMode" | "mode">,
  rules?: Pick<SymbolRules, "maxAlgoOrders">,
): LotDecision => {
  const { action } = signal
  if (action === "hold") return { reason: reason("HOLD") }
  if (action === "close")
    return view.own.length === 0
      ? { reason: reason("NOTHING_TO_CLOSE", signal.symbol) }
      : { kind: "close", lots: toClose(view.own), cause: "close" }

  if (view.own.some((lot) => lot.side !== action))
    return decideOpposite(
      view.own.filter((lot) => lot.side !== action),
      signal,
      settings,
    )
  if (action === "sell" && !venue.shortMarkets.includes(signal.market))
    return { reason: reason("SHORT_NOT_SUPPORTED", `sell ${signal.symbol} with nothing held`, `${signal.market} is long only`) }
  const most = settings.maxLotsPerStrategySymbol
  if (view.own.length >= most)
    return {
      reason: reason(
        "ALREADY_OPEN",
        `${view.own.length} ${action} lot(s), first ${view.own[0]?.order}`,
        `MAX_LOTS_PER_STRATEGY_SYMBOL ${most}`,
      ),
    }
  const against = view.others[exitSideOf(action)]
  if (venue.positionMode === "one-way" && signal.market === "futures" && against > 0)
    return {
      reason: reason("OPPOSITE_HELD", `${against} ${exitSideOf(action)} lot(s) of other strategies`, "one side per symbol (one-way mode)"),
    }
  if (view.openPositions >= settings.maxOpenPositions)
    return { reason: reason("MAX_OPEN_POSITIONS", `${view.openPositions} open or on their way`, String(settings.maxOpenPositions)) }
  const full = noRoomForStop(view, signal, venue, rules)
  if (full !== undefined) return { reason: full }
  return { kind: "open", side: action }
}

/** Open conditional orders of a USDⓈ-M account (binance.md 2.1; more: -4045). No filter says so any more since 2025-12-29. */
const FUTURES_ALGO_ORDERS_MAX = 200
/** Its stop and its target. On spot the target is a plain limit order. */
const FUTURES_ALGO_ORDERS_PER_LOT = 2

/**
 * An exchange bounds its conditional orders: on spot those of one symbol (MAX_NUM_ALGO_ORDERS, 5), on futures those of the
 * account. Beyond it an entry is taken and its stop refused. So a lot is opened only where there is room for its bracket
 * beside those of the lots that are open or on their way (failures.md row 46). What others place on the same account is
 * not known here: the refusal of a stop closes the lot, as ever.
 */
const noRoomForStop = (
  view: LotBookView,
  signal: Pick<Signal, "market" | "symbol">,
  venue: Pick<VenueFacts, "mode">,
  rules: Pick<SymbolRules, "maxAlgoOrders"> | undefined,
): Reason | undefined => {
  if (venue.mode === "simulation") return undefined
  if (signal.market === "futures") {
    if ((view.openPositions + 1) * FUTURES_ALGO_ORDERS_PER_LOT <= FUTURES_ALGO_ORDERS_MAX) return undefined
    const limit = `${FUTURES_ALGO_ORDERS_MAX} conditional orders of the account`
    return reason("NO_ROOM_FOR_STOP", `${view.openPositions} lots with a stop and a target each`, limit)
  }
  // 0: the symbol has no such filter; declines of earlier versions did not record it.
  const most = rules?.maxAlgoOrders ?? 0
  const lots = view.own.length + view.others.buy + view.others.sell
  if (most <= 0 || lots < most) return undefined
  return reason("NO_ROOM_FOR_STOP", `${lots} lots of ${signal.symbol} with a stop each`, `MAX_NUM_ALGO_ORDERS ${most}`)
}

/** An opposite signal closes at once and opens nothing; one that is to wait for a trigger cannot mean that. */
const decideOpposite = (
  lots: readonly LotEntry[],
  signal: Pick<Signal, "orderType" | "symbol">,
  settings: DecisionSettings,
): LotDecision => {
  if (settings.oppositeSignal === "refuse")
    return {
      reason: reason("OPPOSITE_SIGNAL_REFUSED", `${lots.length} lot(s) of the other side of ${signal.symbol}`, "OPPOSITE_SIGNAL refuse"),
    }
  if (signal.orderType !== "market" && signal.orderType !== "limit")
    return {
      reason: reason(
        "ORDER_TYPE_NOT_SUPPORTED",
        `${signal.orderType} against a lot of the other side`,
        "market or limit",
        "An opposite signal closes at once: an order that waits for a trigger would not mean that.",
      ),
    }
  return { kind: "close", lots: toClose(lots), cause: "opposite" }
}
