/**
 * USDⓈ-M orders: from a request of the port to Binance's parameters, and back from Binance's JSON. PURE.
 *
 * Since 2025-12-09 everything with a trigger is an algo order with an id space of its own; when it fires it sends a child,
 * an ordinary order with a new id, and what is filled is the child's (binance.md 2.1, 3.4). The port sees one order: ours, by
 * its client id, with the algo order's id as `algo:<algoId>` and the fills of the child.
 */
import { abs, dec, eq, isNegative, isZero, mul, str } from "@petrosa/contracts"
import type { DecimalString, OrderType, Side, VenueOrderId } from "@petrosa/contracts"
import { decimal, decimalOrNone, decimalOrZero, id, millis, text } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"
import type { PlaceRequest, Position, VenueOrder, VenueOrderStatus } from "../venue.ts"

const TYPES: Readonly<Record<string, OrderType>> = {
  LIMIT: "limit",
  MARKET: "market",
  STOP: "stop_limit",
  STOP_MARKET: "stop",
  TAKE_PROFIT: "take_profit_limit",
  TAKE_PROFIT_MARKET: "take_profit",
}
const STATUSES: Readonly<Record<string, VenueOrderStatus>> = {
  NEW: "new",
  PARTIALLY_FILLED: "partially_filled",
  FILLED: "filled",
  CANCELED: "cancelled",
  REJECTED: "rejected",
  EXPIRED: "expired",
  EXPIRED_IN_MATCH: "expired",
  // Liquidation orders: they are not ours, but they are told.
  NEW_INSURANCE: "new",
  NEW_ADL: "new",
}
const own = <A>(table: Readonly<Record<string, A>>, name: string | undefined): A | undefined =>
  name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined

export const typeOf = (name: string | undefined): OrderType | undefined => own(TYPES, name)
export const statusOf = (name: string | undefined): VenueOrderStatus | undefined => own(STATUSES, name)
export const sideOf = (name: string | undefined): Side | undefined => (name === "BUY" ? "buy" : name === "SELL" ? "sell" : undefined)

export type OrderKind = "order" | "algo"
/** Which endpoint takes an order of this type. */
export const kindOf = (type: OrderType): OrderKind => (type === "market" || type === "limit" ? "order" : "algo")

const ALGO_ID = "algo:"
export const algoVenueId = (algoId: string): VenueOrderId => `${ALGO_ID}${algoId}` as VenueOrderId
/** The algo id in a venue order id, if it is one. */
export const algoIdOf = (venueOrderId: string): string | undefined =>
  venueOrderId.startsWith(ALGO_ID) ? venueOrderId.slice(ALGO_ID.length) : undefined

export type PositionMode = "oneWay" | "hedge"
export type WorkingType = "MARK_PRICE" | "CONTRACT_PRICE"
export interface TriggerSettings {
  /** FUTURES_STOP_TRIGGER. */
  readonly stop: WorkingType
  /** FUTURES_TARGET_TRIGGER. */
  readonly target: WorkingType
}

/** One-way: reduce-only is a flag. Hedge: the position side says it, and the flag must not be sent (-1106, -4062). */
const sides = (request: PlaceRequest, mode: PositionMode): Record<string, unknown> =>
  mode === "hedge" ? { positionSide: request.positionSide.toUpperCase() } : request.reduceOnly ? { reduceOnly: "true" } : {}

/** Parameters of POST /fapi/v1/order: market and limit. */
export const orderParams = (request: PlaceRequest, mode: PositionMode): Record<string, unknown> => ({
  symbol: request.symbol,
  side: request.side.toUpperCase(),
  type: request.type === "limit" ? "LIMIT" : "MARKET",
  ...sides(request, mode),
  timeInForce: request.type === "limit" ? (request.timeInForce ?? "GTC") : undefined,
  quantity: request.quantity,
  price: request.price,
  newClientOrderId: request.clientOrderId,
  newOrderRespType: "ACK",
  recvWindow: String(request.receiveWindowMs),
})

const ALGO_TYPES = { stop: "STOP_MARKET", stop_limit: "STOP", take_profit: "TAKE_PROFIT_MARKET", take_profit_limit: "TAKE_PROFIT" } as const
const isAlgoType = (type: OrderType): type is keyof typeof ALGO_TYPES => type in ALGO_TYPES

/** Parameters of POST /fapi/v1/algoOrder: everything with a trigger. */
export const algoParams = (request: PlaceRequest, mode: PositionMode, triggers: TriggerSettings): Record<string, unknown> => {
  const type = isAlgoType(request.type) ? request.type : "stop"
  const limit = type === "stop_limit" || type === "take_profit_limit"
  return {
    algoType: "CONDITIONAL",
    symbol: request.symbol,
    side: request.side.toUpperCase(),
    type: ALGO_TYPES[type],
    ...sides(request, mode),
    timeInForce: limit ? (request.timeInForce ?? "GTC") : undefined,
    quantity: request.quantity,
    price: request.price,
    triggerPrice: request.triggerPrice,
    workingType: type === "stop" || type === "stop_limit" ? triggers.stop : triggers.target,
    clientAlgoId: request.clientOrderId,
    recvWindow: String(request.receiveWindowMs),
  }
}

/** `cumQuote`, or average price × quantity where it is missing (acknowledgements since mid-2026 have neither: zero). */
const quoteOf = (row: JsonObject, filled: DecimalString): DecimalString => {
  const told = decimal(row, "cumQuote")
  if (told !== undefined) return told
  return str(mul(dec(decimalOrZero(row, "avgPrice")), dec(filled)))
}

/** An ordinary order as REST tells it. `undefined` when it is none, or its type, side or status is not known. */
export const decodeOrder = (row: JsonObject, raw?: string): VenueOrder | undefined => {
  const symbol = text(row, "symbol")
  const clientOrderId = text(row, "clientOrderId")
  const orderId = id(row, "orderId")
  const side = sideOf(text(row, "side"))
  const type = typeOf(text(row, "origType")) ?? typeOf(text(row, "type"))
  const status = statusOf(text(row, "status"))
  const quantity = decimal(row, "origQty")
  const filledQuantity = decimal(row, "executedQty")
  if (symbol === undefined || clientOrderId === undefined || orderId === undefined || side === undefined) return undefined
  if (type === undefined || status === undefined || quantity === undefined || filledQuantity === undefined) return undefined
  const price = decimalOrNone(row, "price")
  const triggerPrice = decimalOrNone(row, "stopPrice")
  return {
    symbol,
    clientOrderId,
    venueOrderId: orderId as VenueOrderId,
    side,
    type,
    status,
    quantity,
    filledQuantity,
    filledQuote: quoteOf(row, filledQuantity),
    ...(price === undefined ? {} : { price }),
    ...(triggerPrice === undefined ? {} : { triggerPrice }),
    updatedAtMs: millis(row, "updateTime") ?? millis(row, "time") ?? 0,
    ...(raw === undefined ? {} : { raw }),
  }
}

export type AlgoStatus = "NEW" | "TRIGGERING" | "TRIGGERED" | "FINISHED" | "CANCELED" | "REJECTED" | "EXPIRED"
const ALGO_STATUSES: ReadonlySet<string> = new Set<AlgoStatus>([
  "NEW",
  "TRIGGERING",
  "TRIGGERED",
  "FINISHED",
  "CANCELED",
  "REJECTED",
  "EXPIRED",
])
export const isAlgoStatus = (status: string | undefined): status is AlgoStatus => status !== undefined && ALGO_STATUSES.has(status)

/** An algo order: what we asked for, and the id of its child once it has fired. */
export interface AlgoView {
  readonly order: VenueOrder
  readonly algoStatus: AlgoStatus
  /** The child's order id. */
  readonly childId: string | undefined
}

/**
 * What an algo order's own status says of it, as long as nothing is known of its child. FINISHED means that the child is over:
 * filled as far as `filled` says, else cancelled in the engine (binance.md 3.5).
 */
export const algoOrderStatus = (status: AlgoStatus, quantity: DecimalString, filled: DecimalString): VenueOrderStatus => {
  switch (status) {
    case "NEW":
    case "TRIGGERING":
    case "TRIGGERED":
      return isZero(dec(filled)) ? "new" : "partially_filled"
    case "FINISHED":
      return !isZero(dec(filled)) && eq(dec(filled), dec(quantity)) ? "filled" : "cancelled"
    case "CANCELED":
      return "cancelled"
    case "REJECTED":
      return "rejected"
    case "EXPIRED":
      return "expired"
  }
}

/** An algo order as REST tells it. */
export const decodeAlgo = (row: JsonObject, raw?: string): AlgoView | undefined => {
  const symbol = text(row, "symbol")
  const clientOrderId = text(row, "clientAlgoId")
  const algoId = id(row, "algoId")
  const side = sideOf(text(row, "side"))
  const type = typeOf(text(row, "orderType"))
  const algoStatus = text(row, "algoStatus")
  const quantity = decimal(row, "quantity")
  if (symbol === undefined || clientOrderId === undefined || algoId === undefined || side === undefined) return undefined
  if (type === undefined || !isAlgoStatus(algoStatus) || quantity === undefined) return undefined
  const filledQuantity = decimalOrZero(row, "actualQty")
  const price = decimalOrNone(row, "price")
  const triggerPrice = decimalOrNone(row, "triggerPrice")
  const order: VenueOrder = {
    symbol,
    clientOrderId,
    venueOrderId: algoVenueId(algoId),
    side,
    type,
    status: algoOrderStatus(algoStatus, quantity, filledQuantity),
    quantity,
    filledQuantity,
    filledQuote: str(mul(dec(decimalOrZero(row, "actualPrice")), dec(filledQuantity))),
    ...(price === undefined ? {} : { price }),
    ...(triggerPrice === undefined ? {} : { triggerPrice }),
    updatedAtMs: millis(row, "updateTime") ?? millis(row, "createTime") ?? 0,
    ...(raw === undefined ? {} : { raw }),
  }
  const childId = id(row, "actualOrderId")
  return { order, algoStatus, childId: childId === undefined || childId === "0" ? undefined : childId }
}

/** The algo order with what its child came to. */
export const withChild = (algo: VenueOrder, child: VenueOrder): VenueOrder => ({
  ...algo,
  status: child.status,
  filledQuantity: child.filledQuantity,
  filledQuote: child.filledQuote,
  updatedAtMs: Math.max(algo.updatedAtMs, child.updatedAtMs),
  ...(child.fills === undefined ? {} : { fills: child.fills }),
})

/** A row of positionRisk v3; `undefined`: unreadable; `"none"`: nothing is held. One-way positions are signed (BOTH). */
export const decodePosition = (row: JsonObject): Position | "none" | undefined => {
  const symbol = text(row, "symbol")
  const amount = decimal(row, "positionAmt")
  const side = text(row, "positionSide")
  if (symbol === undefined || amount === undefined) return undefined
  const signed = dec(amount)
  if (isZero(signed)) return "none"
  const long = side === "LONG" ? true : side === "SHORT" ? false : !isNegative(signed)
  return { symbol, side: long ? "long" : "short", quantity: str(abs(signed)), entryPrice: decimalOrZero(row, "entryPrice") }
}
