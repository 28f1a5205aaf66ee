/**
 * The matching core: place, execute, cancel, move the market. Pure but for the store that is passed in; deterministic: the
 * same requests at the same times on the same state give the same events.
 *
 * An order is accepted first (`place`) and executed by a step of its own (`execute`), as on a real exchange, where the
 * acknowledgement says nothing about fills; whoever calls decides how much time lies between. Liquidity is the book (where
 * the store has one: best price first, then oldest) and the outside market at its quote; at the same price the book goes first.
 *
 * What can go wrong is a value: {@link RefusalReason} from `place` and `cancel`; nothing else fails. (A trade beyond an
 * order's quantity would be a bug of this file, and throws.)
 */
import { ZERO, add, dec, gt, gte, isZero, lt, lte, min, str, sub } from "@petrosa/contracts"
import type { Decimal, DecimalString, Market } from "@petrosa/contracts"
import { book, canPay, lockAsset, lockFor, reducesOnly, reducible, tryLock, unlockRest } from "./ledger.ts"
import type { MatchingRules, MatchingStore, Unnumbered } from "./store.ts"
import { acceptable, hasLimit, hasTrigger, isActive, triggerReached } from "./triggers.ts"
import { isLive } from "./types.ts"
import type { EndReason, MatchingEvent, NewOrder, Order, Quote, RefusalReason, Trade } from "./types.ts"

const NOTHING = "0" as DecimalString

export type Placed =
  /** `order.pending`: it can act at once: call {@link execute}. */
  | { readonly _tag: "Placed"; readonly order: Order; readonly events: readonly MatchingEvent[] }
  | { readonly _tag: "Refused"; readonly reason: RefusalReason }

const refuse = (reason: RefusalReason): Placed => ({ _tag: "Refused", reason })
const opposite = (order: Pick<NewOrder, "side">): "buy" | "sell" => (order.side === "buy" ? "sell" : "buy")
const first = <A>(items: Iterable<A>): A | undefined => {
  for (const item of items) return item
  return undefined
}

/** The best price that an order would meet now. */
const bestPrice = (store: MatchingStore, order: NewOrder, quote: Quote | undefined): Decimal | undefined => {
  const outside = quote === undefined ? undefined : dec(order.side === "buy" ? quote.ask : quote.bid)
  const maker = first(store.book(order.market, order.symbol, opposite(order)))?.price
  if (maker === undefined) return outside
  const inside = dec(maker)
  if (outside === undefined) return inside
  return (order.side === "buy" ? lte(inside, outside) : gte(inside, outside)) ? inside : outside
}

/**
 * An order as it is accepted. Field by field: copying a draft and adding to it makes objects that outgrow their place, and
 * there are three of them for every lot.
 */
export const unnumbered = (draft: NewOrder, locked: DecimalString, pending: boolean, nowMs: number): Unnumbered => ({
  account: draft.account,
  clientOrderId: draft.clientOrderId,
  market: draft.market,
  symbol: draft.symbol,
  side: draft.side,
  positionSide: draft.positionSide,
  type: draft.type,
  timeInForce: draft.timeInForce,
  quantity: draft.quantity,
  price: draft.price,
  triggerPrice: draft.triggerPrice,
  triggerOn: draft.triggerOn,
  reduceOnly: draft.reduceOnly,
  status: "new",
  filled: NOTHING,
  filledQuote: NOTHING,
  locked,
  triggered: false,
  pending,
  placedAtMs: nowMs,
  updatedAtMs: nowMs,
  id: 0,
})

/** Accepts or refuses. Nothing trades here; what is refused leaves no trace. */
export const place = (store: MatchingStore, rules: MatchingRules, draft: NewOrder, nowMs: number): Placed => {
  if (store.liveOrder(draft.account, draft.market, draft.symbol, draft.clientOrderId) !== undefined) return refuse("duplicate")
  const quote = store.quote(draft.market, draft.symbol)
  const trigger = hasTrigger(draft.type)
  // What waits for its trigger meets nobody now; its own price is what it is valued at.
  const meets = trigger && (draft.price ?? draft.triggerPrice) !== undefined ? undefined : bestPrice(store, draft, quote)
  if (!hasLimit(draft.type) && !trigger && meets === undefined) return refuse("noPrice")
  if (trigger && quote !== undefined && triggerReached(draft, quote)) return refuse("wouldTrigger")
  const marketable = !trigger && meets !== undefined && acceptable(draft, meets)
  if (draft.timeInForce === "GTX" && marketable) return refuse("wouldMatch")
  if (reducesOnly(draft) && isZero(reducible(store, rules, draft))) return refuse("nothingToReduce")
  let locked = ZERO
  if (!trigger || draft.market === "spot" || rules.lockUntriggered) {
    const value = draft.price ?? draft.triggerPrice
    const lock = lockFor(store, rules, draft, value === undefined ? (meets ?? ZERO) : dec(value))
    if (!tryLock(store, rules.wallet(draft.account, draft.market), lock.asset, lock.amount)) return refuse("balance")
    locked = lock.amount
  }
  const atOnce = !trigger && (marketable || draft.timeInForce === "IOC" || draft.timeInForce === "FOK" || draft.type === "market")
  const order = store.insertOrder(unnumbered(draft, isZero(locked) ? NOTHING : str(locked), atOnce, nowMs))
  return { _tag: "Placed", order, events: [{ _tag: "Accepted", order }] }
}

/** Ends a live order without a further trade: locks are given back, what was filled stays. */
export const end = (store: MatchingStore, rules: MatchingRules, order: Order, reason: EndReason, nowMs: number): MatchingEvent => {
  const status = reason === "cancelled" ? "cancelled" : reason === "balance" && isZero(dec(order.filled)) ? "rejected" : "expired"
  const over: Order = { ...unlockRest(store, rules, order), status, pending: false, updatedAtMs: nowMs }
  store.updateOrder(over)
  return { _tag: "Ended", order: over, reason }
}

/** Cancels a live order by its client id. */
export const cancel = (
  store: MatchingStore,
  rules: MatchingRules,
  account: string,
  market: Market,
  symbol: string,
  clientOrderId: string,
  nowMs: number,
): { readonly _tag: "Cancelled"; readonly event: MatchingEvent } | { readonly _tag: "Refused"; readonly reason: RefusalReason } => {
  const order = store.liveOrder(account, market, symbol, clientOrderId)
  if (order === undefined) return { _tag: "Refused", reason: "unknownOrder" }
  return { _tag: "Cancelled", event: end(store, rules, order, "cancelled", nowMs) }
}

export interface ExecuteOptions {
  /** Trade at most this much now; what is left stays pending if it could have gone on. Absent: all of it. */
  readonly maxQuantity?: Decimal | undefined
  /** The outside market's price for this execution, instead of the quote's. */
  readonly atPrice?: Decimal | undefined
  /** It rests on the book, and the market came to it: it trades at its own limit price. */
  readonly maker?: boolean | undefined
}

interface Source {
  readonly price: Decimal
  /** Absent: unlimited. */
  readonly size: Decimal | undefined
  readonly maker?: Order
}

/** The best liquidity that is acceptable to the order, if any. */
const bestSource = (store: MatchingStore, order: Order, options: ExecuteOptions): Source | undefined => {
  if (options.atPrice !== undefined) return acceptable(order, options.atPrice) ? { price: options.atPrice, size: undefined } : undefined
  const quote = store.quote(order.market, order.symbol)
  const buy = order.side === "buy"
  const sizeText = buy ? quote?.askSize : quote?.bidSize
  const size = sizeText === undefined ? undefined : dec(sizeText)
  const outside = quote === undefined || (size !== undefined && isZero(size)) ? undefined : dec(buy ? quote.ask : quote.bid)
  const maker = options.maker === true ? undefined : first(store.book(order.market, order.symbol, opposite(order)))
  const inside = maker?.price === undefined ? undefined : dec(maker.price)
  const takesMaker = inside !== undefined && (outside === undefined || (buy ? lte(inside, outside) : gte(inside, outside)))
  if (takesMaker && maker !== undefined)
    return acceptable(order, inside) ? { price: inside, size: sub(dec(maker.quantity), dec(maker.filled)), maker } : undefined
  if (outside === undefined || !acceptable(order, outside)) return undefined
  return { price: options.maker === true && order.price !== undefined ? dec(order.price) : outside, size }
}

/** Whether at least `wanted` can be had at acceptable prices (fill or kill). */
const enough = (store: MatchingStore, order: Order, wanted: Decimal, options: ExecuteOptions): boolean => {
  if (options.atPrice !== undefined) return acceptable(order, options.atPrice)
  const quote = store.quote(order.market, order.symbol)
  let available = ZERO
  if (quote !== undefined && acceptable(order, dec(order.side === "buy" ? quote.ask : quote.bid))) {
    const size = order.side === "buy" ? quote.askSize : quote.bidSize
    if (size === undefined) return true
    available = dec(size)
  }
  for (const maker of store.book(order.market, order.symbol, opposite(order))) {
    if (gte(available, wanted) || maker.price === undefined || !acceptable(order, dec(maker.price))) break
    if (maker.account !== order.account) available = add(available, sub(dec(maker.quantity), dec(maker.filled)))
  }
  return gte(available, wanted)
}

const useUp = (store: MatchingStore, order: Order, quantity: Decimal): void => {
  const quote = store.quote(order.market, order.symbol)
  if (quote === undefined) return
  const key = order.side === "buy" ? "askSize" : "bidSize"
  const size = quote[key]
  if (size !== undefined) store.putQuote(order.market, order.symbol, { ...quote, [key]: str(sub(dec(size), quantity)) })
}

/** One trade of an order, as an event. */
const traded = (result: { readonly order: Order; readonly trade: Trade }): MatchingEvent => ({ _tag: "Traded", ...result })

/** The part of a maker's remaining quantity that may trade: its reduce-only cap. */
const cap = (store: MatchingStore, rules: MatchingRules, order: Order): Decimal | undefined =>
  reducesOnly(order) ? reducible(store, rules, order) : undefined

/** Lets a live order trade what it can now. An untriggered or an over order does nothing. */
export const execute = (
  store: MatchingStore,
  rules: MatchingRules,
  id: number,
  nowMs: number,
  options: ExecuteOptions = {},
): readonly MatchingEvent[] => {
  let order = store.order(id)
  if (order === undefined || !isLive(order.status) || !isActive(order)) return []
  const events: MatchingEvent[] = []
  let budget = options.maxQuantity
  if (order.timeInForce === "FOK" && isZero(dec(order.filled)) && !enough(store, order, dec(order.quantity), options))
    return [end(store, rules, order, "unfilled", nowMs)]
  // A post-only order that fired into the market is refused at that point (binance.md 3.4: -5022 of the child order).
  if (order.timeInForce === "GTX" && options.maker !== true && bestSource(store, order, options) !== undefined)
    return [end(store, rules, order, "unfilled", nowMs)]
  // Each round trades with one source; it ends because a round uses up the order, its budget, the source, or a maker.
  for (;;) {
    const source = bestSource(store, order, options)
    if (source === undefined) break
    if (source.maker !== undefined && source.maker.account === order.account) {
      events.push(end(store, rules, source.maker, "selfTrade", nowMs))
      continue
    }
    const left = sub(dec(order.quantity), dec(order.filled))
    const allowed = cap(store, rules, order)
    if (allowed !== undefined && isZero(allowed)) {
      events.push(end(store, rules, order, "nothingToReduce", nowMs))
      return events
    }
    let quantity = left
    if (allowed !== undefined) quantity = min(quantity, allowed)
    if (budget !== undefined) quantity = min(quantity, budget)
    if (source.size !== undefined) quantity = min(quantity, source.size)
    if (source.maker !== undefined) {
      const makerCap = cap(store, rules, source.maker)
      if (makerCap !== undefined && isZero(makerCap)) {
        events.push(end(store, rules, source.maker, "nothingToReduce", nowMs))
        continue
      }
      if (makerCap !== undefined) quantity = min(quantity, makerCap)
    }
    if (isZero(quantity)) break
    if (!canPay(store, rules, order, quantity, source.price)) {
      events.push(end(store, rules, order, "balance", nowMs))
      return events
    }
    const own = book(store, rules, order, quantity, source.price, options.maker === true ? "maker" : "taker", nowMs)
    order = own.order
    events.push(traded(own))
    if (source.maker !== undefined) events.push(traded(book(store, rules, source.maker, quantity, source.price, "maker", nowMs)))
    else if (options.atPrice === undefined) useUp(store, order, quantity)
    if (budget !== undefined) budget = sub(budget, quantity)
    if (!isLive(order.status)) return events
    if (budget !== undefined && isZero(budget)) {
      if (allowed !== undefined && !gt(allowed, quantity)) events.push(end(store, rules, order, "nothingToReduce", nowMs))
      return events
    }
  }
  // Nothing more to be had now: it rests, or it ends.
  if (order.type === "market" || order.timeInForce === "IOC" || order.timeInForce === "FOK" || !hasLimit(order.type))
    events.push(end(store, rules, order, "unfilled", nowMs))
  else if (order.pending) store.updateOrder({ ...order, pending: false, updatedAtMs: nowMs })
  return events
}

/** An order that a price move made ready to trade. */
export interface Reached {
  readonly id: number
  readonly maker: boolean
}

const byPriority = (a: Order, b: Order): number => {
  if (isActive(a) !== isActive(b)) return isActive(a) ? 1 : -1
  if (isActive(a) && a.side === b.side && a.price !== undefined && b.price !== undefined && a.price !== b.price)
    return lt(dec(a.price), dec(b.price)) === (a.side === "sell") ? -1 : 1
  return a.id - b.id
}

/**
 * Sets the outside market and says which orders it reaches, in the order in which they trade: triggers first (oldest
 * first; each is marked as fired, once and for ever), then limit orders by price and time. Call {@link execute} for each.
 */
export const moveMarket = (
  store: MatchingStore,
  rules: MatchingRules,
  market: Market,
  symbol: string,
  quote: Quote,
  nowMs: number,
): { readonly reached: readonly Reached[]; readonly events: readonly MatchingEvent[] } => {
  store.putQuote(market, symbol, quote)
  const reached: Reached[] = []
  const events: MatchingEvent[] = []
  for (const order of [...store.reachable(market, symbol, quote)].sort(byPriority)) {
    if (!isLive(order.status) || order.pending) continue
    if (isActive(order)) {
      if (acceptable(order, dec(order.side === "buy" ? quote.ask : quote.bid))) reached.push({ id: order.id, maker: true })
      continue
    }
    if (!triggerReached(order, quote)) continue
    const fired = fire(store, rules, order, quote, nowMs)
    events.push(fired)
    if (fired._tag === "Triggered") reached.push({ id: order.id, maker: false })
  }
  return { reached, events }
}

/** Fires a trigger: from now on the order is an ordinary market or limit order. Without margin it is refused at this point. */
const fire = (store: MatchingStore, rules: MatchingRules, order: Order, quote: Quote, nowMs: number): MatchingEvent => {
  let locked = order.locked
  if (order.market === "futures" && !rules.lockUntriggered && !reducesOnly(order)) {
    const lock = lockFor(store, rules, order, dec(order.price ?? (order.side === "buy" ? quote.ask : quote.bid)))
    if (!tryLock(store, rules.wallet(order.account, order.market), lockAsset(rules, order), lock.amount))
      return end(store, rules, order, "balance", nowMs)
    locked = str(lock.amount)
  }
  const fired: Order = { ...order, triggered: true, pending: true, locked, updatedAtMs: nowMs }
  store.updateOrder(fired)
  return { _tag: "Triggered", order: fired }
}

/** {@link moveMarket}, and every order that it reaches trades at once. */
export const sweep = (
  store: MatchingStore,
  rules: MatchingRules,
  market: Market,
  symbol: string,
  quote: Quote,
  nowMs: number,
): readonly MatchingEvent[] => {
  const { reached, events } = moveMarket(store, rules, market, symbol, quote, nowMs)
  return [...events, ...reached.flatMap(({ id, maker }) => execute(store, rules, id, nowMs, { maker }))]
}
