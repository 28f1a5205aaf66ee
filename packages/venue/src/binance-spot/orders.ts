/**
 * Spot orders: from a request of the port to Binance's parameters, and back from Binance's JSON. PURE.
 * Source: binance.md 3.1, 3.2, 3.5.
 */
import { ceilTo, dec, floorTo, mul, str, sub, add } from "@petrosa/contracts"
import type { DecimalString, OrderType, Side, SymbolRules, VenueOrderId } from "@petrosa/contracts"
import { decimal, decimalOrNone, decimalOrZero, field, id, millis, objects, text } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"
import { decodeTrade } from "../binance/trades.ts"
import type { OcoRequest, OtocoRequest, PlaceRequest, VenueOrder, VenueOrderStatus } from "../venue.ts"

/** How far beyond the trigger the limit of an emulated market form lies: it is to trade through any ordinary gap. */
export const WIDE_LIMIT_FRACTION = "0.05"

const TYPES: Readonly<Record<string, OrderType>> = {
  LIMIT: "limit",
  LIMIT_MAKER: "limit",
  MARKET: "market",
  STOP_LOSS: "stop",
  STOP_LOSS_LIMIT: "stop_limit",
  TAKE_PROFIT: "take_profit",
  TAKE_PROFIT_LIMIT: "take_profit_limit",
}
const STATUSES: Readonly<Record<string, VenueOrderStatus>> = {
  NEW: "new",
  PENDING_NEW: "new",
  PENDING_CANCEL: "new",
  PARTIALLY_FILLED: "partially_filled",
  FILLED: "filled",
  CANCELED: "cancelled",
  REJECTED: "rejected",
  EXPIRED: "expired",
  EXPIRED_IN_MATCH: "expired",
}
const own = <A>(table: Readonly<Record<string, A>>, name: string | undefined): A | undefined =>
  name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined

export const typeOf = (name: string | undefined): OrderType | undefined => own(TYPES, name)
export const statusOf = (name: string | undefined): VenueOrderStatus | undefined => own(STATUSES, name)
export const sideOf = (name: string | undefined): Side | undefined => (name === "BUY" ? "buy" : name === "SELL" ? "sell" : undefined)

/** What an order's place in a list says of it (binance.md 3.5). */
export const listMarks = (
  status: string | undefined,
  expiryReason: string | undefined,
): Pick<VenueOrder, "pending" | "endedBySibling"> => ({
  ...(status === "PENDING_NEW" ? { pending: true } : {}),
  ...(expiryReason === "OCO_TRIGGER" ? { endedBySibling: true } : {}),
})

/** What the symbol offers, and what can be made of it: a stop at market out of a stop with a wide limit. */
export const withEmulated = (rules: SymbolRules): SymbolRules => {
  const more: OrderType[] = []
  if (!rules.orderTypes.includes("stop") && rules.orderTypes.includes("stop_limit")) more.push("stop")
  if (!rules.orderTypes.includes("take_profit") && rules.orderTypes.includes("take_profit_limit")) more.push("take_profit")
  return more.length === 0 ? rules : { ...rules, orderTypes: [...rules.orderTypes, ...more] }
}

/** The limit of an emulated market form: beyond the trigger, on the tick, away from the market. */
export const wideLimit = (trigger: DecimalString, side: Side, rules: SymbolRules): DecimalString => {
  const price = dec(trigger)
  const distance = mul(price, dec(WIDE_LIMIT_FRACTION))
  const tick = dec(rules.price.tick)
  return str(side === "sell" ? ceilTo(sub(price, distance), tick) : floorTo(add(price, distance), tick))
}

/** Binance's type and prices of a request. `rules`: as the exchange gave them, without emulated types. */
const shape = (
  request: Pick<PlaceRequest, "type" | "side" | "timeInForce" | "price" | "triggerPrice">,
  rules: SymbolRules | undefined,
): { readonly type: string; readonly timeInForce?: string; readonly price?: string; readonly stopPrice?: string } => {
  const { price, triggerPrice, side } = request
  const limitTime = request.timeInForce ?? "GTC"
  const prices = { ...(price === undefined ? {} : { price }), ...(triggerPrice === undefined ? {} : { stopPrice: triggerPrice }) }
  switch (request.type) {
    case "market":
      return { type: "MARKET", ...prices }
    case "limit":
      return limitTime === "GTX" ? { type: "LIMIT_MAKER", ...prices } : { type: "LIMIT", timeInForce: limitTime, ...prices }
    case "stop_limit":
      return { type: "STOP_LOSS_LIMIT", timeInForce: limitTime, ...prices }
    case "take_profit_limit":
      return { type: "TAKE_PROFIT_LIMIT", timeInForce: limitTime, ...prices }
    case "stop":
    case "take_profit": {
      const name = request.type === "stop" ? "STOP_LOSS" : "TAKE_PROFIT"
      const emulated = rules !== undefined && triggerPrice !== undefined && !rules.orderTypes.includes(request.type)
      return emulated
        ? { type: `${name}_LIMIT`, timeInForce: "GTC", price: wideLimit(triggerPrice, side, rules), stopPrice: triggerPrice }
        : { type: name, ...prices }
    }
  }
}

/** Parameters of POST /api/v3/order, in the order in which Binance's own examples have them. */
export const orderParams = (request: PlaceRequest, rules: SymbolRules | undefined): Record<string, unknown> => {
  const { type, timeInForce, price, stopPrice } = shape(request, rules)
  return {
    symbol: request.symbol,
    side: request.side.toUpperCase(),
    type,
    timeInForce,
    quantity: request.quantity,
    price,
    stopPrice,
    icebergQty: request.icebergQuantity,
    newClientOrderId: request.clientOrderId,
    newOrderRespType: "FULL",
    recvWindow: String(request.receiveWindowMs),
  }
}

/** The pair of a list. A sell: target above, stop below; a buy: the other way round. `name`: what a list calls its two legs. */
const pairParams = (
  request: Pick<OcoRequest, "side" | "stop" | "target">,
  rules: SymbolRules | undefined,
  name: (leg: "Above" | "Below") => string,
): Record<string, unknown> => {
  const stop = shape({ type: "stop", side: request.side, triggerPrice: request.stop.triggerPrice }, rules)
  const [stopLeg, targetLeg] = request.side === "sell" ? [name("Below"), name("Above")] : [name("Above"), name("Below")]
  return {
    [`${targetLeg}Type`]: "LIMIT_MAKER",
    [`${targetLeg}ClientOrderId`]: request.target.clientOrderId,
    [`${targetLeg}Price`]: request.target.price,
    [`${stopLeg}Type`]: stop.type,
    [`${stopLeg}ClientOrderId`]: request.stop.clientOrderId,
    [`${stopLeg}StopPrice`]: stop.stopPrice,
    [`${stopLeg}Price`]: stop.price,
    [`${stopLeg}TimeInForce`]: stop.timeInForce,
  }
}

/** Parameters of POST /api/v3/orderList/oco. */
export const ocoParams = (request: OcoRequest, rules: SymbolRules | undefined): Record<string, unknown> => ({
  symbol: request.symbol,
  listClientOrderId: request.listClientOrderId,
  side: request.side.toUpperCase(),
  quantity: request.quantity,
  ...pairParams(request, rules, (leg) => leg.toLowerCase()),
  newOrderRespType: "FULL",
  recvWindow: String(request.receiveWindowMs),
})

/** Parameters of POST /api/v3/orderList/otoco: the entry works, the pair is pending. */
export const otocoParams = (request: OtocoRequest, rules: SymbolRules | undefined): Record<string, unknown> => {
  const { entry } = request
  const { type, timeInForce, price } = shape(entry, rules)
  return {
    symbol: entry.symbol,
    listClientOrderId: request.listClientOrderId,
    newOrderRespType: "FULL",
    workingType: type,
    workingSide: entry.side.toUpperCase(),
    workingClientOrderId: entry.clientOrderId,
    workingPrice: price,
    workingQuantity: entry.quantity,
    workingIcebergQty: entry.icebergQuantity,
    workingTimeInForce: timeInForce,
    pendingSide: request.side.toUpperCase(),
    pendingQuantity: request.quantity,
    ...pairParams(request, rules, (leg) => `pending${leg}`),
    recvWindow: String(entry.receiveWindowMs),
  }
}

/** Negative quote sums mean "not known" on very old orders. */
const sumOrZero = (row: JsonObject, name: string): DecimalString => {
  const value = decimalOrZero(row, name)
  return value.startsWith("-") ? ("0" as DecimalString) : value
}

/**
 * An order as REST tells it: placement (RESULT, FULL), query, list, cancel (where `origClientOrderId` is the order's own id).
 * `undefined` when it is no order, or has a type, side or status that is not known: then nothing is guessed.
 */
export const decodeOrder = (row: JsonObject, raw?: string): VenueOrder | undefined => {
  const symbol = text(row, "symbol")
  const clientOrderId = text(row, "origClientOrderId") ?? text(row, "clientOrderId")
  const venueOrderId = id(row, "orderId")
  const side = sideOf(text(row, "side"))
  const type = typeOf(text(row, "type"))
  const status = statusOf(text(row, "status"))
  const quantity = decimal(row, "origQty")
  const filledQuantity = decimal(row, "executedQty")
  const updatedAtMs = millis(row, "updateTime") ?? millis(row, "transactTime") ?? millis(row, "time")
  if (symbol === undefined || clientOrderId === undefined || venueOrderId === undefined || side === undefined) return undefined
  if (type === undefined || status === undefined || quantity === undefined || filledQuantity === undefined) return undefined
  const price = decimalOrNone(row, "price")
  const triggerPrice = decimalOrNone(row, "stopPrice")
  return {
    symbol,
    clientOrderId,
    venueOrderId: venueOrderId as VenueOrderId,
    side,
    type,
    status,
    quantity,
    filledQuantity,
    filledQuote: sumOrZero(row, "cummulativeQuoteQty"),
    ...(price === undefined ? {} : { price }),
    ...(triggerPrice === undefined ? {} : { triggerPrice }),
    ...listMarks(text(row, "status"), text(row, "expiryReason")),
    updatedAtMs: updatedAtMs ?? 0,
    ...(raw === undefined ? {} : { raw }),
  }
}

/** The fills of a FULL placement answer: they carry trade ids and exact commissions, but no time of their own. */
export const decodePlacementFills = (row: JsonObject, assets: Parameters<typeof decodeTrade>[1]) => {
  const atMs = millis(row, "transactTime") ?? 0
  return objects(field(row, "fills")).flatMap((fill) => {
    const trade = decodeTrade({ ...fill, id: field(fill, "tradeId"), time: atMs }, assets)
    return trade === undefined ? [] : [trade]
  })
}

/** The order with our own name for its type: an emulated stop is told as what was asked for. */
export const asAsked = (order: VenueOrder, asked: OrderType | undefined): VenueOrder => {
  if (asked === undefined || asked === order.type) return order
  const emulated = (asked === "stop" && order.type === "stop_limit") || (asked === "take_profit" && order.type === "take_profit_limit")
  if (!emulated) return order
  const { price: _wide, ...rest } = order
  return { ...rest, type: asked }
}
