/**
 * Money: what an order locks, what a trade moves, what a position becomes. Exact.
 *
 * Invariants (property-tested): a wallet's locked = Σ locked of its live orders + Σ margin of its positions; a wallet's
 * total changes by realised profit and fees (futures) or by the two legs of the trade and the fee (spot), and by nothing
 * else; when a position is closed its cost is used up to the last digit, however it was divided on the way.
 */
import { ONE, ZERO, abs, add, cmp, dec, div, gt, isNegative, isZero, lt, min, mul, neg, str, sub } from "@petrosa/contracts"
import type { Decimal, DecimalString } from "@petrosa/contracts"
import type { Funds, Holding, MatchingRules, MatchingStore } from "./store.ts"
import type { FuturesPosition, NewOrder, Order, Trade, WalletBalance } from "./types.ts"

const NOTHING = "0" as DecimalString
export const FLAT: FuturesPosition = { quantity: NOTHING, cost: NOTHING, margin: NOTHING, realised: NOTHING }
export const NO_FUNDS: Funds = { total: ZERO, locked: ZERO }
const NO_HOLDING: Holding = { quantity: ZERO, cost: ZERO, margin: ZERO, realised: ZERO }

export const fundsOf = ({ total, locked }: WalletBalance): Funds => ({ total: dec(total), locked: dec(locked) })
export const balanceOf = ({ total, locked }: Funds): WalletBalance => ({ total: str(total), locked: str(locked) })
export const holdingOf = ({ quantity, cost, margin, realised }: FuturesPosition): Holding => ({
  quantity: dec(quantity),
  cost: dec(cost),
  margin: dec(margin),
  realised: dec(realised),
})
export const positionOf = ({ quantity, cost, margin, realised }: Holding): FuturesPosition => ({
  quantity: str(quantity),
  cost: str(cost),
  margin: str(margin),
  realised: str(realised),
})

/** Division rounds to so many places: what has more of them is divided even by one. */
const DIV_PLACES = 18
/** What a notional ties up: `div`, without the division where there is no leverage (the paper venue never has one). */
export const marginOf = (notional: Decimal, leverage: Decimal): Decimal =>
  leverage === ONE && notional.scale <= DIV_PLACES ? notional : div(notional, leverage)

/** A position after a trade of `delta` base (signed: a buy is positive), and what it realised. */
export const positionAfter = (
  position: FuturesPosition,
  delta: Decimal,
  price: Decimal,
  leverage: Decimal,
): { readonly position: FuturesPosition; readonly realised: Decimal } => {
  const { holding, realised } = holdingAfter(holdingOf(position), delta, price, leverage)
  return { position: positionOf(holding), realised }
}

/** The same in numbers. */
const holdingAfter = (
  before: Holding,
  delta: Decimal,
  price: Decimal,
  leverage: Decimal,
): { readonly holding: Holding; readonly realised: Decimal } => {
  const held = before.quantity
  let { cost, margin } = before
  let realised = ZERO
  let opening = abs(delta)
  if (!isZero(held) && isNegative(held) !== isNegative(delta)) {
    const size = abs(held)
    const closing = min(opening, size)
    const all = cmp(closing, size) === 0
    const costPart = all ? cost : div(mul(cost, closing), size)
    const marginPart = all ? margin : div(mul(margin, closing), size)
    const paid = mul(closing, price)
    realised = isNegative(held) ? sub(costPart, paid) : sub(paid, costPart)
    // Used up is nothing, not a zero with eighteen places.
    cost = all ? ZERO : sub(cost, costPart)
    margin = all ? ZERO : sub(margin, marginPart)
    opening = sub(opening, closing)
  }
  if (!isZero(opening)) {
    const notional = mul(opening, price)
    cost = add(cost, notional)
    margin = add(margin, marginOf(notional, leverage))
  }
  return { holding: { quantity: add(held, delta), cost, margin, realised: add(before.realised, realised) }, realised }
}

/** How much of an order would reduce what is held: 0 when it does not reduce. */
export const reducible = (
  store: MatchingStore,
  rules: MatchingRules,
  order: Pick<NewOrder, "account" | "market" | "symbol" | "side" | "positionSide">,
): Decimal => {
  if (order.market === "spot") {
    if (order.side === "buy") return ZERO
    const funds = store.funds(rules.wallet(order.account, "spot"), rules.assets("spot", order.symbol).base)
    const free = sub(funds.total, funds.locked)
    return isNegative(free) ? ZERO : free
  }
  const held = store.holding(order.account, order.symbol, order.positionSide)?.quantity ?? ZERO
  return isNegative(held) === (order.side === "buy") ? abs(held) : ZERO
}

/** Whether an order may only ever reduce: by its flag, or because in hedge mode it trades against its own position side. */
export const reducesOnly = (order: Pick<NewOrder, "market" | "side" | "positionSide" | "reduceOnly">): boolean =>
  order.reduceOnly ||
  (order.market === "futures" && order.positionSide !== "both" && (order.side === "buy") !== (order.positionSide === "long"))

/** What an order locks when it is accepted: an asset and an amount. `price` is the one that it is valued at. */
export const lockFor = (
  store: MatchingStore,
  rules: MatchingRules,
  order: NewOrder,
  price: Decimal,
): { readonly asset: string; readonly amount: Decimal } => {
  const { base, quote } = rules.assets(order.market, order.symbol)
  const quantity = dec(order.quantity)
  if (order.market === "spot") {
    if (order.side === "sell") return { asset: base, amount: order.reduceOnly ? ZERO : quantity }
    const notional = mul(quantity, price)
    const fee = rules.feeAsset === "quote" ? mul(notional, rules.feeRate(order.account, "spot", "taker")) : ZERO
    return { asset: quote, amount: add(notional, fee) }
  }
  if (reducesOnly(order)) return { asset: quote, amount: ZERO }
  const opens = order.positionSide === "both" ? sub(quantity, min(quantity, reducible(store, rules, order))) : quantity
  return { asset: quote, amount: marginOf(mul(opens, price), rules.leverage(order.account, order.symbol)) }
}

export const lockAsset = (rules: MatchingRules, order: NewOrder): string => {
  const { base, quote } = rules.assets(order.market, order.symbol)
  return order.market === "spot" && order.side === "sell" ? base : quote
}

/** Locks, if that much is free. */
export const tryLock = (store: MatchingStore, wallet: string, asset: string, amount: Decimal): boolean => {
  if (isZero(amount)) return true
  const { total, locked } = store.funds(wallet, asset)
  const more = add(locked, amount)
  if (lt(total, more)) return false
  store.putFunds(wallet, asset, { total, locked: more })
  return true
}

/** Gives back what an order that is over still locks; the order afterwards. */
export const unlockRest = (store: MatchingStore, rules: MatchingRules, order: Order): Order => {
  if (order.locked === "0") return order
  const wallet = rules.wallet(order.account, order.market)
  const asset = lockAsset(rules, order)
  const { total, locked } = store.funds(wallet, asset)
  store.putFunds(wallet, asset, { total, locked: sub(locked, dec(order.locked)) })
  return { ...order, locked: NOTHING }
}

const change = (store: MatchingStore, wallet: string, asset: string, totalDelta: Decimal, lockedDelta: Decimal): void => {
  if (isZero(totalDelta) && isZero(lockedDelta)) return
  const { total, locked } = store.funds(wallet, asset)
  store.putFunds(wallet, asset, { total: add(total, totalDelta), locked: add(locked, lockedDelta) })
}

/** Whether a spot buyer can pay for this trade. (Sellers have locked, or are capped by, what they hold; futures may run into a loss.) */
export const canPay = (store: MatchingStore, rules: MatchingRules, order: Order, quantity: Decimal, price: Decimal): boolean => {
  if (order.market !== "spot" || order.side !== "buy") return true
  const notional = mul(quantity, price)
  const fee = rules.feeAsset === "quote" ? mul(notional, rules.feeRate(order.account, "spot", "taker")) : ZERO
  const { total, locked } = store.funds(rules.wallet(order.account, "spot"), rules.assets("spot", order.symbol).quote)
  const free = sub(total, locked)
  return !gt(add(notional, fee), add(free, dec(order.locked)))
}

/** Books one trade: balances, position, the order's numbers. `quantity` must not exceed what is left of the order. */
export const book = (
  store: MatchingStore,
  rules: MatchingRules,
  order: Order,
  quantity: Decimal,
  price: Decimal,
  liquidity: "maker" | "taker",
  nowMs: number,
): { readonly order: Order; readonly trade: Trade } => {
  const filledBefore = dec(order.filled)
  const left = sub(dec(order.quantity), filledBefore)
  if (gt(quantity, left) || !gt(quantity, ZERO))
    throw new RangeError(`trade of ${str(quantity)} on order ${order.id} with ${str(left)} left`)
  const complete = cmp(quantity, left) === 0
  const notional = mul(quantity, price)
  const wallet = rules.wallet(order.account, order.market)
  const { base, quote } = rules.assets(order.market, order.symbol)
  const orderLocked = dec(order.locked)
  const released = complete || isZero(orderLocked) ? orderLocked : div(mul(orderLocked, quantity), left)
  const rate = rules.feeRate(order.account, order.market, liquidity)
  const buy = order.side === "buy"
  let feeAsset = quote
  let fee = mul(notional, rate)
  let realised = ZERO
  if (order.market === "spot") {
    if (rules.feeAsset === "received" && buy) {
      feeAsset = base
      fee = mul(quantity, rate)
    }
    const quoteDelta = sub(buy ? neg(notional) : notional, feeAsset === quote ? fee : ZERO)
    const baseDelta = sub(buy ? quantity : neg(quantity), feeAsset === base ? fee : ZERO)
    change(store, wallet, quote, quoteDelta, buy ? neg(released) : ZERO)
    change(store, wallet, base, baseDelta, buy ? ZERO : neg(released))
  } else {
    const before = store.holding(order.account, order.symbol, order.positionSide) ?? NO_HOLDING
    const after = holdingAfter(before, buy ? quantity : neg(quantity), price, rules.leverage(order.account, order.symbol))
    realised = after.realised
    store.putHolding(order.account, order.symbol, order.positionSide, after.holding)
    change(store, wallet, quote, sub(realised, fee), sub(sub(after.holding.margin, before.margin), released))
  }
  // Most orders trade once, all of it: what is known as text already is not printed anew.
  const first = isZero(filledBefore)
  const next: Order = {
    ...order,
    status: complete ? "filled" : "partially_filled",
    filled: complete ? order.quantity : str(add(filledBefore, quantity)),
    filledQuote: str(first ? notional : add(dec(order.filledQuote), notional)),
    locked: complete ? NOTHING : str(sub(orderLocked, released)),
    pending: complete ? false : order.pending,
    updatedAtMs: nowMs,
  }
  store.updateOrder(next)
  const trade = store.insertTrade({
    orderId: order.id,
    account: order.account,
    market: order.market,
    symbol: order.symbol,
    side: order.side,
    quantity: complete && first ? order.quantity : str(quantity),
    price: str(price),
    fee: str(fee),
    feeAsset,
    liquidity,
    realised: isZero(realised) ? NOTHING : str(realised),
    atMs: nowMs,
    id: 0,
  })
  return { order: next, trade }
}

/** The average entry price of a position, to 18 places; `"0"` when flat. */
export const entryPrice = (position: FuturesPosition): DecimalString => {
  const size = abs(dec(position.quantity))
  return isZero(size) ? NOTHING : str(div(dec(position.cost), size))
}
