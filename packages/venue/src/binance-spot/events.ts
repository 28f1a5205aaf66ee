/**
 * Spot's user data events (WebSocket API; each wrapped in `{subscriptionId, event}`): decoded, nothing decided. PURE; never throws.
 * Source: binance.md 7.1. On CANCELED `c` is the id of the cancel request and `C` the order's own.
 */
import { dec, eq, mul, str } from "@petrosa/contracts"
import type { Fill, VenueOrderId } from "@petrosa/contracts"
import { decimal, decimalOrNone, decimalOrZero, field, id, isObject, millis, parseExact, text } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"
import { feeInQuote } from "../binance/fillBook.ts"
import type { FeeAssets } from "../binance/fillBook.ts"
import type { VenueOrder } from "../venue.ts"
import { listMarks, sideOf, statusOf, typeOf } from "./orders.ts"

export type SpotEvent =
  /** `key`: the same for the same event, however often and by whichever connection it comes. Two orders of ours may share a trade. */
  | { readonly _tag: "Order"; readonly order: VenueOrder; readonly fill?: Fill; readonly key: string }
  | { readonly _tag: "Balance" }
  /** The subscription is over; the socket may be open. */
  | { readonly _tag: "Terminated" }
  /** The server will close soon. */
  | { readonly _tag: "Shutdown" }
  | { readonly _tag: "Ignored" }
  /** It should have been readable: something may be missed. */
  | { readonly _tag: "Unreadable"; readonly what: string }

const BALANCE_EVENTS: ReadonlySet<string> = new Set(["outboundAccountPosition", "balanceUpdate", "externalLockUpdate"])

/** What a message of the WebSocket API is to the handshake. */
export type SpotMessage =
  | { readonly _tag: "Subscribed" }
  /** `limit`: of the rate, and until when (by the exchange's clock), where it is told. */
  | { readonly _tag: "Refused"; readonly code: string; readonly limit?: { readonly status: number; readonly untilMs: number | undefined } }
  | { readonly _tag: "Event"; readonly event: JsonObject }
  | { readonly _tag: "Other" }

/** -2035: the subscription is already active on this connection. */
const ALREADY_ACTIVE = "-2035"

export const readMessage = (message: string): SpotMessage => {
  const json = parseExact(message)
  if (!isObject(json)) return { _tag: "Other" }
  const event = field(json, "event")
  if (isObject(event)) return { _tag: "Event", event }
  if (text(json, "e") !== undefined) return { _tag: "Event", event: json }
  const status = field(json, "status")
  if (typeof status !== "number") return { _tag: "Other" }
  if (status === 200) return { _tag: "Subscribed" }
  const error = field(json, "error")
  const code = (isObject(error) ? id(error, "code") : undefined) ?? String(status)
  if (code === ALREADY_ACTIVE) return { _tag: "Subscribed" }
  if (status !== 418 && status !== 429) return { _tag: "Refused", code }
  const data = isObject(error) ? field(error, "data") : undefined
  return { _tag: "Refused", code, limit: { status, untilMs: isObject(data) ? millis(data, "retryAfter") : undefined } }
}

export const decodeSpotEvent = (event: JsonObject, assetsOf: (symbol: string) => FeeAssets | undefined): SpotEvent => {
  const name = text(event, "e")
  if (name === "executionReport") return decodeReport(event, assetsOf)
  if (name !== undefined && BALANCE_EVENTS.has(name)) return { _tag: "Balance" }
  if (name === "eventStreamTerminated") return { _tag: "Terminated" }
  if (name === "serverShutdown") return { _tag: "Shutdown" }
  return { _tag: "Ignored" }
}

const decodeReport = (event: JsonObject, assetsOf: (symbol: string) => FeeAssets | undefined): SpotEvent => {
  const symbol = text(event, "s")
  const clientOrderId = text(event, "C") ?? text(event, "c")
  const orderId = id(event, "i")
  const side = sideOf(text(event, "S"))
  const type = typeOf(text(event, "o"))
  const status = statusOf(text(event, "X"))
  const quantity = decimal(event, "q")
  const filledQuantity = decimal(event, "z")
  const atMs = millis(event, "T") ?? millis(event, "E")
  if (
    symbol === undefined ||
    clientOrderId === undefined ||
    orderId === undefined ||
    side === undefined ||
    type === undefined ||
    status === undefined ||
    quantity === undefined ||
    filledQuantity === undefined ||
    atMs === undefined
  )
    return { _tag: "Unreadable", what: "executionReport" }
  const price = decimalOrNone(event, "p")
  const triggerPrice = decimalOrNone(event, "P")
  const order: VenueOrder = {
    symbol,
    clientOrderId,
    venueOrderId: orderId as VenueOrderId,
    side,
    type,
    status,
    quantity,
    filledQuantity,
    filledQuote: decimalOrZero(event, "Z"),
    ...(price === undefined ? {} : { price }),
    ...(triggerPrice === undefined ? {} : { triggerPrice }),
    ...listMarks(text(event, "X"), text(event, "eR")),
    updatedAtMs: atMs,
  }
  const execution = id(event, "I") ?? String(millis(event, "E") ?? 0)
  if (text(event, "x") !== "TRADE") return { _tag: "Order", order, key: `${symbol} ${orderId} ${execution} ${status}` }
  const fill = decodeFill(event, symbol, atMs, assetsOf)
  if (fill === undefined) return { _tag: "Unreadable", what: "executionReport TRADE" }
  // The first trade of an order that carries everything so far: its fills are complete.
  const whole = eq(dec(fill.quantity), dec(filledQuantity))
  const told = whole ? { ...order, fills: [fill], filledQuote: str(mul(dec(fill.price), dec(fill.quantity))) } : order
  return { _tag: "Order", order: told, fill, key: `${symbol} ${orderId} trade ${fill.tradeId}` }
}

const decodeFill = (
  event: JsonObject,
  symbol: string,
  atMs: number,
  assetsOf: (symbol: string) => FeeAssets | undefined,
): Fill | undefined => {
  const tradeId = id(event, "t")
  const quantity = decimal(event, "l")
  const price = decimal(event, "L")
  if (tradeId === undefined || tradeId.startsWith("-") || quantity === undefined || quantity === "0" || price === undefined)
    return undefined
  const assets = assetsOf(symbol)
  const fee = decimalOrZero(event, "n")
  const feeAsset = text(event, "N") ?? assets?.quoteAsset ?? ""
  return { tradeId, quantity, price, fee, feeAsset, feeQuote: feeInQuote(fee, feeAsset, price, assets), atMs }
}
