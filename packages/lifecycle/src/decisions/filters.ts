/**
 * The exchange's filters over {@link SymbolRules}: how a price or a quantity is rounded, and whether the exchange would
 * take it. Source: Binance's documentation of its filters, applied in this order: price, quantity,
 * bounds, distance from the market, and the notional last, with the rounded numbers.
 *
 * Promises: nothing is rounded to a worse price for us than was asked, nor to a larger quantity; a step or bound of zero
 * is a disabled part; each refusal names what was observed and the limit, with units. No float, no power-of-ten guess: a
 * tick may be 0.05 or 0.25.
 */
import type { Decimal, DecimalString, OrderType, Reason, Side, SymbolRules } from "@petrosa/contracts"
import {
  ceilTo,
  dec,
  eq,
  floorTo,
  gt,
  gte,
  isMultipleOf,
  isZero,
  lt,
  max,
  min,
  mul,
  neg,
  quotientFloor,
  reason,
  str,
  ZERO,
} from "@petrosa/contracts"
import { oncePer } from "./oncePer.ts"

/** `ok`, or the reason why not. */
export type Decision<A> = { readonly ok: A } | { readonly reason: Reason }
export const isRefused = <A>(decision: Decision<A>): decision is { readonly reason: Reason } => "reason" in decision

/** The numbers of {@link SymbolRules}, parsed. */
export interface RulesNumbers {
  readonly tick: Decimal
  readonly priceMin: Decimal
  readonly priceMax: Decimal
  readonly lotStep: Decimal
  readonly lotMin: Decimal
  readonly lotMax: Decimal
  /** The least step that satisfies both LOT_SIZE and MARKET_LOT_SIZE. */
  readonly marketStep: Decimal
  /** The stricter of both bounds. */
  readonly marketMin: Decimal
  readonly marketMax: Decimal
  readonly marketStepText: DecimalString
  readonly marketMinText: DecimalString
  readonly notionalMin: Decimal
  readonly notionalMax: Decimal
  readonly buyUp: Decimal
  readonly buyDown: Decimal
  readonly sellUp: Decimal
  readonly sellDown: Decimal
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b))

/** The least common multiple of two steps; a step of zero is disabled, so the other one counts. */
export const commonStep = (a: Decimal, b: Decimal): Decimal => {
  if (isZero(a)) return b
  if (isZero(b) || eq(a, b)) return a
  // a/b = p/q in lowest terms ⇒ lcm(a, b) = a · q.
  const scale = Math.max(a.scale, b.scale)
  const x = a.value * 10n ** BigInt(scale - a.scale)
  const y = b.value * 10n ** BigInt(scale - b.scale)
  return mul(a, dec(y / gcd(x, y)))
}

/** The stricter of two upper bounds, where zero is none. */
const stricterMax = (a: Decimal, b: Decimal): Decimal => (isZero(a) ? b : isZero(b) ? a : min(a, b))

const compile = (rules: SymbolRules): RulesNumbers => {
  const lotStep = dec(rules.lot.step)
  const lotMin = dec(rules.lot.min)
  const lotMax = dec(rules.lot.max)
  const marketStep = commonStep(lotStep, dec(rules.marketLot.step))
  const marketMin = max(lotMin, dec(rules.marketLot.min))
  return {
    tick: dec(rules.price.tick),
    priceMin: dec(rules.price.min),
    priceMax: dec(rules.price.max),
    lotStep,
    lotMin,
    lotMax,
    marketStep,
    marketMin,
    marketMax: stricterMax(lotMax, dec(rules.marketLot.max)),
    marketStepText: str(marketStep),
    marketMinText: str(marketMin),
    notionalMin: dec(rules.notional.min),
    notionalMax: dec(rules.notional.max),
    buyUp: dec(rules.percentPrice.buyUp),
    buyDown: dec(rules.percentPrice.buyDown),
    sellUp: dec(rules.percentPrice.sellUp),
    sellDown: dec(rules.percentPrice.sellDown),
  }
}

/** The numbers of these rules, parsed once per object. */
export const rulesNumbers = oncePer(compile)

/** A price that must lie below (above) the entry is rounded towards the entry: it then trades no later than asked. */
export const roundTowardsEntry = (price: Decimal, below: boolean, tick: Decimal): Decimal =>
  below ? ceilTo(price, tick) : floorTo(price, tick)

/** Limit price: never worse than asked. BUY down, SELL up. */
export const roundLimitPrice = (side: Side, price: Decimal, tick: Decimal): Decimal =>
  side === "buy" ? floorTo(price, tick) : ceilTo(price, tick)

/** Trigger of a stop (protective or entry): fires no later than asked. SELL (below the market) up, BUY (above it) down. */
export const roundStopTrigger = (side: Side, price: Decimal, tick: Decimal): Decimal => roundTowardsEntry(price, side === "sell", tick)

/** Target (price or trigger): reached no later than asked. SELL (above the market) down, BUY (below it) up. */
export const roundTarget = (side: Side, price: Decimal, tick: Decimal): Decimal => roundTowardsEntry(price, side === "buy", tick)

/** Limit price of a protective stop-limit order: more fillable. SELL down, BUY up. */
export const roundStopLimitPrice = (side: Side, price: Decimal, tick: Decimal): Decimal =>
  side === "sell" ? floorTo(price, tick) : ceilTo(price, tick)

/** Quantity down to the step; `atMarket`: to the step of MARKET_LOT_SIZE too. */
export const roundQuantity = (quantity: Decimal, atMarket: boolean, rules: SymbolRules): Decimal => {
  const n = rulesNumbers(rules)
  return floorTo(quantity, atMarket ? n.marketStep : n.lotStep)
}

/** Quantities are rounded to this where the exchange has no step. */
const FINEST = dec("0.00000001")
const stepOrFinest = (step: Decimal): Decimal => (isZero(step) ? FINEST : step)

/** The least multiple of `step` whose notional at `price` (> 0) is at least `notional`. Exact. */
export const leastQuantity = (notional: Decimal, price: Decimal, step: Decimal): Decimal => {
  const unit = stepOrFinest(step)
  return mul(dec(-quotientFloor(neg(notional), mul(price, unit))), unit)
}
/** The greatest multiple of `step` whose notional at `price` (> 0) is at most `notional`. Exact. */
export const greatestQuantity = (notional: Decimal, price: Decimal, step: Decimal): Decimal => {
  const unit = stepOrFinest(step)
  return mul(dec(quotientFloor(notional, mul(price, unit))), unit)
}

const text = (value: Decimal, unit: string): string => `${str(value)} ${unit}`

/** PRICE_FILTER: bounds and tick. `what` names the price in the message. */
export const checkPrice = (price: Decimal, what: string, rules: SymbolRules): Reason | undefined => {
  const n = rulesNumbers(rules)
  if (!gt(price, ZERO)) return reason("PRICE_FILTER", text(price, rules.quoteAsset), "more than 0", `The ${what} is no positive price.`)
  if (lt(price, n.priceMin))
    return reason(
      "PRICE_FILTER",
      text(price, rules.quoteAsset),
      `at least ${text(n.priceMin, rules.quoteAsset)}`,
      `The ${what} is below the exchange's least price.`,
    )
  if (!isZero(n.priceMax) && gt(price, n.priceMax))
    return reason(
      "PRICE_FILTER",
      text(price, rules.quoteAsset),
      `at most ${text(n.priceMax, rules.quoteAsset)}`,
      `The ${what} is above the exchange's greatest price.`,
    )
  if (!isMultipleOf(price, n.tick))
    return reason(
      "PRICE_FILTER",
      text(price, rules.quoteAsset),
      `a multiple of ${text(n.tick, rules.quoteAsset)}`,
      `The ${what} is between two ticks.`,
    )
  return undefined
}

/** The range that PERCENT_PRICE leaves to an order of this side, in quote; `undefined`: no bound. */
export const percentPriceRange = (
  side: Side,
  reference: Decimal,
  rules: SymbolRules,
): { readonly low: Decimal | undefined; readonly high: Decimal | undefined } => {
  const n = rulesNumbers(rules)
  const down = side === "buy" ? n.buyDown : n.sellDown
  const up = side === "buy" ? n.buyUp : n.sellUp
  return { low: isZero(down) ? undefined : mul(reference, down), high: isZero(up) ? undefined : mul(reference, up) }
}

/** PERCENT_PRICE, for every price of every order type: triggers are held against it too. */
export const checkPercentPrice = (side: Side, price: Decimal, reference: Decimal, what: string, rules: SymbolRules): Reason | undefined => {
  const { low, high } = percentPriceRange(side, reference, rules)
  if (low !== undefined && lt(price, low))
    return reason(
      "PERCENT_PRICE",
      `${text(price, rules.quoteAsset)} with the market at ${str(reference)}`,
      `at least ${text(low, rules.quoteAsset)}`,
      `The ${what} is further below the market than the exchange allows.`,
    )
  if (high !== undefined && gt(price, high))
    return reason(
      "PERCENT_PRICE",
      `${text(price, rules.quoteAsset)} with the market at ${str(reference)}`,
      `at most ${text(high, rules.quoteAsset)}`,
      `The ${what} is further above the market than the exchange allows.`,
    )
  return undefined
}

/** LOT_SIZE and, `atMarket`, MARKET_LOT_SIZE, on a quantity that is already rounded. */
export const checkQuantity = (quantity: Decimal, atMarket: boolean, rules: SymbolRules): Reason | undefined => {
  const n = rulesNumbers(rules)
  const step = atMarket ? n.marketStep : n.lotStep
  const least = atMarket ? n.marketMin : n.lotMin
  const most = atMarket ? n.marketMax : n.lotMax
  if (!gt(quantity, ZERO))
    return reason("QUANTITY_STEP", text(quantity, rules.baseAsset), `a multiple of ${text(step, rules.baseAsset)}, more than 0`)
  if (!isMultipleOf(quantity, step))
    return reason(
      "QUANTITY_STEP",
      text(quantity, rules.baseAsset),
      `a multiple of ${text(step, rules.baseAsset)}`,
      "The quantity is between two steps of the exchange.",
    )
  if (lt(quantity, least)) return reason("MIN_QUANTITY", text(quantity, rules.baseAsset), text(least, rules.baseAsset))
  if (!isZero(most) && gt(quantity, most)) return reason("MAX_QUANTITY", text(quantity, rules.baseAsset), text(most, rules.baseAsset))
  return undefined
}

/**
 * NOTIONAL / MIN_NOTIONAL, last, with the rounded numbers. `price`: the limit price; the trigger of an order that trades
 * at market when triggered; the exchange's reference price for a market order.
 */
export const checkNotional = (
  order: { readonly quantity: Decimal; readonly price: Decimal; readonly type: OrderType; readonly reduceOnly: boolean },
  rules: SymbolRules,
): Reason | undefined => {
  const n = rulesNumbers(rules)
  const worth = mul(order.quantity, order.price)
  const market = order.type === "market"
  const exempt = order.reduceOnly && rules.notional.reduceOnlyExempt
  if (!exempt && (!market || rules.notional.minAppliesToMarket) && lt(worth, n.notionalMin))
    return reason("MIN_NOTIONAL", text(worth, rules.quoteAsset), text(n.notionalMin, rules.quoteAsset))
  if (!isZero(n.notionalMax) && (!market || rules.notional.maxAppliesToMarket) && gt(worth, n.notionalMax))
    return reason("MAX_NOTIONAL", text(worth, rules.quoteAsset), text(n.notionalMax, rules.quoteAsset))
  return undefined
}

/** ICEBERG_PARTS: ceil(quantity / visible part) ≤ limit; the part itself obeys LOT_SIZE. Zero parts: no limit. */
export const checkIceberg = (quantity: Decimal, part: Decimal, rules: SymbolRules): Reason | undefined => {
  const wrong = checkQuantity(part, false, rules)
  if (wrong !== undefined) return wrong
  if (gte(part, quantity))
    return reason(
      "ICEBERG_PARTS",
      text(part, rules.baseAsset),
      `less than ${text(quantity, rules.baseAsset)}`,
      "The visible part of the iceberg is the whole order.",
    )
  const parts = -quotientFloor(neg(quantity), part)
  return rules.icebergParts > 0 && parts > BigInt(rules.icebergParts)
    ? reason("ICEBERG_PARTS", `${parts} parts`, `${rules.icebergParts} parts`)
    : undefined
}

/** What the exchange is asked for, before and after rounding. */
export interface OrderDraft {
  readonly side: Side
  readonly type: OrderType
  readonly quantity: Decimal
  readonly price?: Decimal | undefined
  readonly triggerPrice?: Decimal | undefined
  readonly icebergQuantity?: Decimal | undefined
  readonly reduceOnly: boolean
}

export const hasLimitPrice = (type: OrderType): boolean => type === "limit" || type === "stop_limit" || type === "take_profit_limit"
export const hasTrigger = (type: OrderType): boolean => type !== "market" && type !== "limit"

/** Trigger of an entry or of a loose order: fires no later than asked. */
export const roundTrigger = (side: Side, type: OrderType, price: Decimal, tick: Decimal): Decimal =>
  type === "stop" || type === "stop_limit" ? roundStopTrigger(side, price, tick) : roundTarget(side, price, tick)

/** The price at which the exchange values the order for its notional. */
export const notionalPrice = (draft: Pick<OrderDraft, "type" | "price" | "triggerPrice">, reference: Decimal): Decimal =>
  (hasLimitPrice(draft.type) ? draft.price : hasTrigger(draft.type) ? draft.triggerPrice : undefined) ?? reference

/** Rounds an order and holds it against every filter, in the exchange's order. `reference`: the market's price. */
export const applyFilters = (draft: OrderDraft, reference: Decimal, rules: SymbolRules): Decision<OrderDraft> => {
  const n = rulesNumbers(rules)
  const rounded: OrderDraft = {
    side: draft.side,
    type: draft.type,
    reduceOnly: draft.reduceOnly,
    quantity: roundQuantity(draft.quantity, draft.type === "market", rules),
    ...(draft.price === undefined ? {} : { price: roundLimitPrice(draft.side, draft.price, n.tick) }),
    ...(draft.triggerPrice === undefined ? {} : { triggerPrice: roundTrigger(draft.side, draft.type, draft.triggerPrice, n.tick) }),
    ...(draft.icebergQuantity === undefined ? {} : { icebergQuantity: floorTo(draft.icebergQuantity, n.lotStep) }),
  }
  const wrong = checkFilters(rounded, reference, rules)
  return wrong === undefined ? { ok: rounded } : { reason: wrong }
}

/** Holds an order that is already rounded against every filter, in the exchange's order. */
export const checkFilters = (order: OrderDraft, reference: Decimal, rules: SymbolRules): Reason | undefined => {
  const { price, triggerPrice, icebergQuantity } = order
  return (
    (price === undefined ? undefined : checkPrice(price, "price", rules)) ??
    (triggerPrice === undefined ? undefined : checkPrice(triggerPrice, "trigger price", rules)) ??
    checkQuantity(order.quantity, order.type === "market", rules) ??
    (icebergQuantity === undefined ? undefined : checkIceberg(order.quantity, icebergQuantity, rules)) ??
    (price === undefined ? undefined : checkPercentPrice(order.side, price, reference, "price", rules)) ??
    (triggerPrice === undefined ? undefined : checkPercentPrice(order.side, triggerPrice, reference, "trigger price", rules)) ??
    checkNotional(
      { quantity: order.quantity, price: notionalPrice(order, reference), type: order.type, reduceOnly: order.reduceOnly },
      rules,
    )
  )
}
