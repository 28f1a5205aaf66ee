/** Reads the parameters of spot orders and of the legs of order lists; what is mandatory depends on the type (binance.md 3.1). */
import { ZERO, gt } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { WireSide } from "../core/orders.ts"
import { placesOf } from "../wire/decimals.ts"
import { E, S } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"

export const SPOT_CLIENT_ID = "^[a-zA-Z0-9-_]{1,36}$"
export const SPOT_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"] as const
const TIMES = ["GTC", "IOC", "FOK"] as const
export type ResponseType = "ACK" | "RESULT" | "FULL"
const RESPONSES = ["ACK", "RESULT", "FULL"] as const
const STP_MODES = ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"] as const

export interface SpotLeg {
  readonly side: WireSide
  readonly type: (typeof SPOT_TYPES)[number]
  readonly timeInForce: string
  /** Zero: given in quote. */
  readonly quantity: Decimal
  readonly quoteOrderQuantity: Decimal
  readonly price: Decimal
  readonly stopPrice: Decimal
  readonly icebergQuantity: Decimal
  readonly clientId: string | undefined
  readonly strategyId: number | undefined
  readonly strategyType: number | undefined
}

/** The names of a leg's parameters: plain for an order, `above…`, `workingPrice` … for legs. */
export interface Names {
  readonly prefix: string
  readonly side: string
  readonly quantity: string
  readonly type: string
  readonly clientId: string
}
export const PLAIN: Names = { prefix: "", side: "side", quantity: "quantity", type: "type", clientId: "newClientOrderId" }

const named = (names: Names, word: string): string =>
  names.prefix === "" ? word : `${names.prefix}${word.slice(0, 1).toUpperCase()}${word.slice(1)}`

const number = (params: Params, name: string): Decimal | undefined => {
  const found = params.number(name)
  if (found === undefined) return undefined
  if (placesOf(found.text) > 8) throw S.precision(name)
  if (!gt(found.value, ZERO)) throw E.message(`Invalid ${name}.`)
  return found.value
}

/** Reads one leg. */
export const readLeg = (params: Params, names: Names = PLAIN): SpotLeg => {
  const side = params.needOneOf(names.side, ["BUY", "SELL"] as const, E.side)
  const type = params.needOneOf(names.type, SPOT_TYPES, E.orderType)
  const name = (word: string): string => named(names, word)
  const times = params.oneOf(name("timeInForce"), TIMES, E.timeInForce)
  const price = number(params, name("price"))
  const stopPrice = number(params, name("stopPrice"))
  const iceberg = number(params, name("icebergQty"))
  const quantity = number(params, names.quantity)
  const quote = names.prefix === "" ? number(params, "quoteOrderQty") : undefined
  const strategyType = params.integer(name("strategyType"))
  if (strategyType !== undefined && strategyType < 1_000_000) throw E.strategyType()
  if (params.has(name("trailingDelta"))) throw E.message("Trailing stop orders are not supported for this symbol.")
  const limit = type === "LIMIT" || type === "STOP_LOSS_LIMIT" || type === "TAKE_PROFIT_LIMIT"
  const conditional = type.startsWith("STOP_LOSS") || type.startsWith("TAKE_PROFIT")
  if (limit && times === undefined) throw E.mandatory(name("timeInForce"))
  if (!limit && times !== undefined) throw E.notRequired(name("timeInForce"))
  if (type === "MARKET" && quantity === undefined && quote === undefined) throw E.oneOf("quantity", "quoteOrderQty")
  if (type !== "MARKET" && quantity === undefined) throw E.mandatory(names.quantity)
  if (quote !== undefined && (type !== "MARKET" || quantity !== undefined)) throw E.notRequired("quoteOrderQty")
  const priced = limit || type === "LIMIT_MAKER"
  if (priced && price === undefined) throw E.mandatory(name("price"))
  if (!priced && price !== undefined) throw E.notRequired(name("price"))
  if (conditional && stopPrice === undefined) throw E.oneOf(name("stopPrice"), name("trailingDelta"))
  if (!conditional && stopPrice !== undefined) throw E.notRequired(name("stopPrice"))
  if (iceberg !== undefined && (!priced || (times !== undefined && times !== "GTC"))) throw E.notRequired(name("icebergQty"))
  if (iceberg !== undefined && quantity !== undefined && gt(iceberg, quantity)) throw E.rejected("IcebergQty exceeds QTY.")
  return {
    side,
    type,
    timeInForce: times ?? "GTC",
    quantity: quantity ?? ZERO,
    quoteOrderQuantity: quote ?? ZERO,
    price: price ?? ZERO,
    stopPrice: stopPrice ?? ZERO,
    icebergQuantity: iceberg ?? ZERO,
    clientId: params.pattern(names.clientId, SPOT_CLIENT_ID),
    strategyId: params.integer(name("strategyId")),
    strategyType,
  }
}

export const readResponseType = (params: Params, otherwise: ResponseType): ResponseType =>
  params.oneOf("newOrderRespType", RESPONSES, E.responseType) ?? otherwise

/** Read and checked; every order here behaves as EXPIRE_MAKER. */
export const readSelfTradePrevention = (params: Params): string => params.oneOf("selfTradePreventionMode", STP_MODES) ?? "EXPIRE_MAKER"
