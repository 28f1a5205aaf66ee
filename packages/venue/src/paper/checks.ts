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

const filter = (name: string, spot: boolean, futuresCode: string, futuresText: string): Refused =>
  spot ? refused("fatal", "-1013", `Filter failure: ${name}`) : refused("fatal", futuresCode, futuresText)

const parameter = (name: string): Refused =>
  refused("fatal", "-1102", `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)
const surplus = (name: string): Refused => refused("fatal", "-1106", `Parameter '${name}' sent when not required.`)

const checkParameters = (request: PlaceRequest, rules: SymbolRules): Refused | undefined => {
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
  if (!isPositive(dec(request.quantity))) return refused("fatal", "-4003", "Quantity less than or equal to zero.")
  return undefined
}

const checkPrice = (text: DecimalString | undefined, rules: SymbolRules): Refused | undefined => {
  if (text === undefined) return undefined
  const spot = rules.market === "spot"
  const price = dec(text)
  const { min, max, tick } = rules.price
  if (!isPositive(price) || (min !== "0" && lt(price, dec(min)))) return filter("PRICE_FILTER", spot, "-4013", "Price less than min price.")
  if (max !== "0" && gt(price, dec(max))) return filter("PRICE_FILTER", spot, "-4002", "Price greater than max price.")
  if (!isMultipleOf(price, dec(tick))) return filter("PRICE_FILTER", spot, "-4014", "Price not increased by tick size.")
  return undefined
}

const checkLot = (quantity: Decimal, lot: SymbolRules["lot"], name: string, spot: boolean): Refused | undefined => {
  if (lot.min !== "0" && lt(quantity, dec(lot.min))) return filter(name, spot, "-4004", "Quantity less than min quantity.")
  if (lot.max !== "0" && gt(quantity, dec(lot.max))) return filter(name, spot, "-4005", "Quantity greater than max quantity.")
  if (!isMultipleOf(quantity, dec(lot.step))) return filter(name, spot, "-4023", "Quantity not increased by step size.")
  return undefined
}

const checkPercent = (request: PlaceRequest, rules: SymbolRules, market: Decimal | undefined): Refused | undefined => {
  if (request.price === undefined || market === undefined) return undefined
  const spot = rules.market === "spot"
  const price = dec(request.price)
  const up = request.side === "buy" ? rules.percentPrice.buyUp : rules.percentPrice.sellUp
  const down = request.side === "buy" ? rules.percentPrice.buyDown : rules.percentPrice.sellDown
  if (up !== "0" && gt(price, mul(market, dec(up))))
    return filter("PERCENT_PRICE_BY_SIDE", spot, "-4016", "Limit price can't be higher than the cap.")
  if (down !== "0" && lt(price, mul(market, dec(down))))
    return filter("PERCENT_PRICE_BY_SIDE", spot, "-4024", "Limit price can't be lower than the floor.")
  return undefined
}

const checkNotional = (request: PlaceRequest, rules: SymbolRules, market: Decimal | undefined): Refused | undefined => {
  const { min, max, minAppliesToMarket, maxAppliesToMarket, reduceOnlyExempt } = rules.notional
  if (request.reduceOnly && reduceOnlyExempt) return undefined
  const own = request.price ?? request.triggerPrice
  const price = own === undefined ? market : dec(own)
  if (price === undefined) return undefined
  const notional = mul(price, dec(request.quantity))
  const isMarket = request.type === "market"
  if (min !== "0" && (!isMarket || minAppliesToMarket) && lt(notional, dec(min)))
    return filter(
      "NOTIONAL",
      rules.market === "spot",
      "-4164",
      `Order's notional must be no smaller than ${min} (unless you choose reduce only).`,
    )
  if (max !== "0" && (!isMarket || maxAppliesToMarket) && gt(notional, dec(max)))
    return refused("fatal", "-1013", "Filter failure: NOTIONAL")
  return undefined
}

const checkIceberg = (request: PlaceRequest, rules: SymbolRules): Refused | undefined => {
  if (request.icebergQuantity === undefined) return undefined
  if (!rules.icebergAllowed || request.type !== "limit")
    return refused("fatal", "-1013", "Iceberg orders are not supported for this symbol.")
  const part = dec(request.icebergQuantity)
  const wrong = checkLot(part, rules.lot, "LOT_SIZE", true)
  if (wrong !== undefined) return wrong
  if (isZero(part)) return undefined
  const quantity = dec(request.quantity)
  const parts = quotientFloor(quantity, part) + (isMultipleOf(quantity, part) ? 0n : 1n)
  return rules.icebergParts > 0 && parts > BigInt(rules.icebergParts)
    ? refused("fatal", "-1013", "Filter failure: ICEBERG_PARTS")
    : undefined
}

/** The first filter that refuses the request, if any. `market`: the price of the market now. */
export const checkOrder = (request: PlaceRequest, rules: SymbolRules, market: DecimalString | undefined): Refused | undefined => {
  const price = market === undefined ? undefined : dec(market)
  const spot = rules.market === "spot"
  const quantity = dec(request.quantity)
  return (
    checkParameters(request, rules) ??
    checkPrice(request.price, rules) ??
    checkPrice(request.triggerPrice, rules) ??
    checkLot(quantity, rules.lot, "LOT_SIZE", spot) ??
    (request.type === "market" ? checkLot(quantity, rules.marketLot, "MARKET_LOT_SIZE", spot) : undefined) ??
    checkIceberg(request, rules) ??
    checkPercent(request, rules, price) ??
    checkNotional(request, rules, price)
  )
}
