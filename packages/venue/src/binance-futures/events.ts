/**
 * USDⓈ-M user data events: decoded, nothing decided. PURE; never throws. Source: binance.md 7.2. Both forms are read: raw
 * `{e: …}` and combined `{stream, data}`.
 *
 * A child of an algo order comes with its own order id; whose child it is the adapter knows (`childId` of ALGO_UPDATE), and it
 * may come before the ALGO_UPDATE that says so.
 */
import { dec, eq, mul, str } from "@petrosa/contracts"
import type { Fill, VenueOrderId } from "@petrosa/contracts"
import { decimal, decimalOrNone, decimalOrZero, field, id, isObject, millis, parseExact, text } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"
import { feeInQuote } from "../binance/fillBook.ts"
import type { FeeAssets } from "../binance/fillBook.ts"
import type { VenueOrder } from "../venue.ts"
import { algoOrderStatus, algoVenueId, isAlgoStatus, sideOf, statusOf, typeOf } from "./orders.ts"
import type { AlgoView } from "./orders.ts"

export type FuturesEvent =
  | { readonly _tag: "Order"; readonly order: VenueOrder; readonly fill?: Fill; readonly key: string }
  | { readonly _tag: "Algo"; readonly algo: AlgoView; readonly rejectReason?: string; readonly key: string }
  /** `reason`: why the account changed (`ORDER`, `FUNDING_FEE` …). */
  | { readonly _tag: "Account"; readonly reason: string }
  | { readonly _tag: "ListenKeyExpired" }
  /** Leverage or multi-asset mode was changed, or margin is called: worth a log line. */
  | { readonly _tag: "Notice"; readonly what: string }
  | { readonly _tag: "Ignored" }
  | { readonly _tag: "Unreadable"; readonly what: string }

/** The event in a message; `undefined` when it is none. */
export const readEvent = (message: string): JsonObject | undefined => {
  const json = parseExact(message)
  if (!isObject(json)) return undefined
  const data = field(json, "data")
  const event = isObject(data) ? data : json
  return text(event, "e") === undefined ? undefined : event
}

export const decodeFuturesEvent = (event: JsonObject, assetsOf: (symbol: string) => FeeAssets | undefined): FuturesEvent => {
  switch (text(event, "e")) {
    case "ORDER_TRADE_UPDATE":
      return decodeOrderUpdate(event, assetsOf)
    case "ALGO_UPDATE":
      return decodeAlgoUpdate(event)
    case "ACCOUNT_UPDATE": {
      const account = field(event, "a")
      return { _tag: "Account", reason: isObject(account) ? (text(account, "m") ?? "") : "" }
    }
    case "listenKeyExpired":
      return { _tag: "ListenKeyExpired" }
    case "MARGIN_CALL":
      return { _tag: "Notice", what: "MARGIN_CALL" }
    case "ACCOUNT_CONFIG_UPDATE":
      return { _tag: "Notice", what: "ACCOUNT_CONFIG_UPDATE" }
    default:
      // TRADE_LITE says less than the ORDER_TRADE_UPDATE of the same trade; grids and strategies are not ours.
      return { _tag: "Ignored" }
  }
}

const decodeOrderUpdate = (event: JsonObject, assetsOf: (symbol: string) => FeeAssets | undefined): FuturesEvent => {
  const row = field(event, "o")
  if (!isObject(row)) return { _tag: "Unreadable", what: "ORDER_TRADE_UPDATE" }
  const symbol = text(row, "s")
  const clientOrderId = text(row, "c")
  const orderId = id(row, "i")
  const side = sideOf(text(row, "S"))
  const status = statusOf(text(row, "X"))
  const quantity = decimal(row, "q")
  const filledQuantity = decimal(row, "z")
  const atMs = millis(row, "T") ?? millis(event, "T") ?? millis(event, "E")
  const execution = text(row, "x") ?? ""
  if (symbol === undefined || clientOrderId === undefined || orderId === undefined || side === undefined || status === undefined)
    return { _tag: "Unreadable", what: "ORDER_TRADE_UPDATE" }
  if (quantity === undefined || filledQuantity === undefined || atMs === undefined)
    return { _tag: "Unreadable", what: "ORDER_TRADE_UPDATE" }
  // The type that was asked for (`ot`); a type that is none of ours (liquidation, trailing) trades like a market order.
  const type = typeOf(text(row, "ot")) ?? typeOf(text(row, "o")) ?? "market"
  const price = decimalOrNone(row, "p")
  const triggerPrice = decimalOrNone(row, "sp")
  const order: VenueOrder = {
    symbol,
    clientOrderId,
    venueOrderId: orderId as VenueOrderId,
    side,
    type,
    status,
    quantity,
    filledQuantity,
    filledQuote: str(mul(dec(decimalOrZero(row, "ap")), dec(filledQuantity))),
    ...(price === undefined ? {} : { price }),
    ...(triggerPrice === undefined ? {} : { triggerPrice }),
    updatedAtMs: atMs,
  }
  const tradeId = id(row, "t")
  const last = decimal(row, "l")
  const lastPrice = decimal(row, "L")
  // CALCULATED is a trade too: liquidation and auto-deleveraging.
  const traded = (execution === "TRADE" || execution === "CALCULATED") && last !== undefined && last !== "0"
  if (!traded) return { _tag: "Order", order, key: `${symbol} ${orderId} ${execution} ${status} ${filledQuantity} ${atMs}` }
  if (tradeId === undefined || tradeId === "0" || lastPrice === undefined) return { _tag: "Unreadable", what: "ORDER_TRADE_UPDATE TRADE" }
  const assets = assetsOf(symbol)
  const fee = decimalOrZero(row, "n")
  const feeAsset = text(row, "N") ?? assets?.quoteAsset ?? ""
  const fill: Fill = {
    tradeId,
    quantity: last,
    price: lastPrice,
    fee,
    feeAsset,
    feeQuote: feeInQuote(fee, feeAsset, lastPrice, assets),
    atMs,
  }
  const whole = eq(dec(last), dec(filledQuantity))
  const told = whole ? { ...order, fills: [fill], filledQuote: str(mul(dec(lastPrice), dec(last))) } : order
  return { _tag: "Order", order: told, fill, key: `${symbol} ${orderId} trade ${tradeId}` }
}

const decodeAlgoUpdate = (event: JsonObject): FuturesEvent => {
  const row = field(event, "o")
  if (!isObject(row)) return { _tag: "Unreadable", what: "ALGO_UPDATE" }
  const symbol = text(row, "s")
  const clientOrderId = text(row, "caid")
  const algoId = id(row, "aid")
  const side = sideOf(text(row, "S"))
  const type = typeOf(text(row, "o"))
  const algoStatus = text(row, "X")
  const quantity = decimal(row, "q")
  const atMs = millis(event, "T") ?? millis(event, "E")
  if (symbol === undefined || clientOrderId === undefined || algoId === undefined || side === undefined)
    return { _tag: "Unreadable", what: "ALGO_UPDATE" }
  // Trailing stops are not ours.
  if (type === undefined) return { _tag: "Ignored" }
  if (!isAlgoStatus(algoStatus) || quantity === undefined || atMs === undefined) return { _tag: "Unreadable", what: "ALGO_UPDATE" }
  // What was filled is all that tells a stop that did its work from one that is gone.
  if (algoStatus === "FINISHED" && decimal(row, "aq") === undefined) return { _tag: "Unreadable", what: "ALGO_UPDATE FINISHED" }
  const filledQuantity = decimalOrZero(row, "aq")
  const price = decimalOrNone(row, "p")
  const triggerPrice = decimalOrNone(row, "tp")
  const childId = id(row, "ai")
  const rejectReason = text(row, "rm")
  return {
    _tag: "Algo",
    key: `algo ${algoId} ${algoStatus} ${atMs}`,
    ...(rejectReason === undefined ? {} : { rejectReason }),
    algo: {
      algoStatus,
      childId: childId === undefined || childId === "0" ? undefined : childId,
      order: {
        symbol,
        clientOrderId,
        venueOrderId: algoVenueId(algoId),
        side,
        type,
        status: algoOrderStatus(algoStatus, quantity, filledQuantity),
        quantity,
        filledQuantity,
        filledQuote: str(mul(dec(decimalOrZero(row, "ap")), dec(filledQuantity))),
        ...(price === undefined ? {} : { price }),
        ...(triggerPrice === undefined ? {} : { triggerPrice }),
        updatedAtMs: atMs,
      },
    },
  }
}
