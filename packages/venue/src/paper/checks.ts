/**
 * The venue's own check of a request against the exchange's filters, as Binance does it: parameters first, then price, lot,
 * percent price, notional. PURE. It shares no code with the engine's own filters on purpose: it is what they are judged by.
 *
 * Source: binance.md section 4. A part of `"0"` is disabled. The market's price stands for Binance's average (spot) and mark
 * price (futures); where none is known the checks that need one are left out.
 */
import { dec, gt, isMultipleOf, isPositive, isZero, lt, mul, quotientFloor, refused } from "@petrosa/contracts"
import type { Decimal, DecimalString, Refused, SymbolRules } from "@petrosa/contracts"
import { hasLimit, hasTrigger } from "@petrosa/matching"
import type { PlaceRequest } from "../venue.ts"

const CLIENT_ORDER_ID = /^[A-Za-z0-9_-]{1,36}$/

/** The numbers of a symbol's rules, parsed once. `undefined`: that part is disabled. */
interface Bounds {
  readonly price: Range
  readonly lot: Range
  readonly marketLot: Range
  readonly minNotional: Decimal | undefined
  readonly maxNotional: Decimal | undefined
}
interface Range {
  readonly min: Decimal | undefined
  readonly max: Decimal | undefined
  readonly step: Decimal
}

const part = (text: DecimalString): Decimal | undefined => (text === "0" ? undefined : dec(text))
const range = (min: DecimalString, max: DecimalString, step: DecimalString): Range => ({ min: part(min), max: part(max), step: dec(step) })

const known = new WeakMap<SymbolRules, Bounds>()
const boundsOf = (rules: SymbolRules): Bounds => {
  const before = known.get(rules)
  if (before !== undefined) return before
  const { price, lot, marketLot, notional } = rules
  const bounds: Bounds = {
    price: range(price.min, price.max, price.tick),
    lot: range(lot.min, lot.max, lot.step),
    marketLot: range(marketLot.min, marketLot.max, marketLot.step),
    minNotional: part(notional.min),
    maxNotional: part(notional.max),
  }
  known.set(rules, bounds)
  return bounds
}

const filter = (name: string, spot: boolean, futuresCode: string, futuresText: string): Refused =>
  spot ? refused("fatal", "-1013", `Filter failure: ${name}`) : refused("fatal", futuresCode, futuresText)

const parameter = (name: string): Refused =>
  refused("fatal", "-1102", `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)
const surplus = (name: string): Refused => refused("fatal", "-1106", `Parameter '${name}' sent when not required.`)

const checkParameters = (request: PlaceRequest, rules: SymbolRules, quantity: Decimal): Refused | undefined => {
  if (!CLIENT_ORDER_ID.test(request.clientOrderId))
    return request.market === "spot"
      ? refused("fatal", "-1100", "Illegal characters found in parameter 'newClientOrderId'.")
      : refused("fatal", "-4015", "Client order id length should be less than 36 chars")
  if (!rules.orderTypes.includes(request.type)) return refused("fatal", "-1116", "Invalid orderType.")
  const time = request.timeInForce
  if (time !== undefined && !rules.timesInForce.includes(time)) return refused("fatal", "-1115", "Invalid timeInForce.")
  if (hasLimit(request.type) && request.price === undefined) return parameter("price")
  if (!hasLimit(request.type) && request.price !== undefined) return surplus("price")
  if (hasTrigger(request.type) && request.triggerPrice === undefined) return parameter("triggerPrice")
  if (!hasTrigger(request.type) && request.triggerPrice !== undefined) return surplus("triggerPrice")
  if (!hasLimit(request.type) && time !== undefined && time !== "GTC") return surplus("timeInForce")
  if (!isPositive(quantity)) return refused("fatal", "-4003", "Quantity less than or equal to zero.")
  return undefined
}

const checkPrice = (price: Decimal | undefined, bounds: Bounds, spot: boolean): Refused | undefined => {
  if (price === undefined) return undefined
  const { min, max, step } = bounds.price
  if (!isPositive(price) || (min !== undefined && lt(price, min)))
    return filter("PRICE_FILTER", spot, "-4013", "Price less than min price.")
  if (max !== undefined && gt(price, max)) return filter("PRICE_FILTER", spot, "-4002", "Price greater than max price.")
  if (!isMultipleOf(price, step)) return filter("PRICE_FILTER", spot, "-4014", "Price not increased by tick size.")
  return undefined
}

const checkLot = (quantity: Decimal, lot: Range, name: string, spot: boolean): Refused | undefined => {
  if (lot.min !== undefined && lt(quantity, lot.min)) return filter(name, spot, "-4004", "Quantity less than min quantity.")
  if (lot.max !== undefined && gt(quantity, lot.max)) return filter(name, spot, "-4005", "Quantity greater than max quantity.")
  if (!isMultipleOf(quantity, lot.step)) return filter(name, spot, "-4023", "Quantity not increased by step size.")
  return undefined
}

const checkPercent = (
  request: PlaceRequest,
  rules: SymbolRules,
  price: Decimal | undefined,
  market: Decimal | undefined,
): Refused | undefined => {
  if (price === undefined || market === undefined) return undefined
  const spot = rules.market === "spot"
  const up = request.side === "buy" ? rules.percentPrice.buyUp : rules.percentPrice.sellUp
  const down = request.side === "buy" ? rules.percentPrice.buyDown : rules.percentPrice.sellDown
  if (up !== "0" && gt(price, mul(market, dec(up))))
    return filter("PERCENT_PRICE_BY_SIDE", spot, "-4016", "Limit price can't be higher than the cap.")
  if (down !== "0" && lt(price, mul(market, dec(down))))
    return filter("PERCENT_PRICE_BY_SIDE", spot, "-4024", "Limit price can't be lower than the floor.")
  return undefined
}

/** `price`: the order's own, else the market's. */
const checkNotional = (
  request: PlaceRequest,
  rules: SymbolRules,
  bounds: Bounds,
  quantity: Decimal,
  price: Decimal | undefined,
): Refused | undefined => {
  const { minAppliesToMarket, maxAppliesToMarket, reduceOnlyExempt } = rules.notional
  const { minNotional: min, maxNotional: max } = bounds
  if (request.reduceOnly && reduceOnlyExempt) return undefined
  if (price === undefined) return undefined
  const notional = mul(price, quantity)
  const isMarket = request.type === "market"
  if (min !== undefined && (!isMarket || minAppliesToMarket) && lt(notional, min))
    return filter(
      "NOTIONAL",
      rules.market === "spot",
      "-4164",
      `Order's notional must be no smaller than ${rules.notional.min} (unless you choose reduce only).`,
    )
  if (max !== undefined && (!isMarket || maxAppliesToMarket) && gt(notional, max))
    return refused("fatal", "-1013", "Filter failure: NOTIONAL")
  return undefined
}

const checkIceberg = (request: PlaceRequest, rules: SymbolRules, bounds: Bounds, quantity: Decimal): Refused | undefined => {
  if (request.icebergQuantity === undefined) return undefined
  if (!rules.icebergAllowed || request.type !== "limit")
    return refused("fatal", "-1013", "Iceberg orders are not supported for this symbol.")
  const size = dec(request.icebergQuantity)
  const wrong = checkLot(size, bounds.lot, "LOT_SIZE", true)
  if (wrong !== undefined) return wrong
  if (isZero(size)) return undefined
  const parts = quotientFloor(quantity, size) + (isMultipleOf(quantity, size) ? 0n : 1n)
  return rules.icebergParts > 0 && parts > BigInt(rules.icebergParts)
    ? refused("fatal", "-1013", "Filter failure: ICEBERG_PARTS")
    : undefined
}

/** The first filter that refuses the request, if any. `market`: the price of the market now. */
export const checkOrder = (request: PlaceRequest, rules: SymbolRules, market: DecimalString | undefined): Refused | undefined => {
  const last = market === undefined ? undefined : dec(market)
  const spot = rules.market === "spot"
  const quantity = dec(request.quantity)
  const bounds = boundsOf(rules)
  const wrong = checkParameters(request, rules, quantity)
  if (wrong !== undefined) return wrong
  const price = request.price === undefined ? undefined : dec(request.price)
  const wrongPrice = checkPrice(price, bounds, spot)
  if (wrongPrice !== undefined) return wrongPrice
  const trigger = request.triggerPrice === undefined ? undefined : dec(request.triggerPrice)
  return (
    checkPrice(trigger, bounds, spot) ??
    checkLot(quantity, bounds.lot, "LOT_SIZE", spot) ??
    (request.type === "market" ? checkLot(quantity, bounds.marketLot, "MARKET_LOT_SIZE", spot) : undefined) ??
    checkIceberg(request, rules, bounds, quantity) ??
    checkPercent(request, rules, price, last) ??
    checkNotional(request, rules, bounds, quantity, price ?? trigger ?? last)
  )
}
