/** Futures: the endpoints of the algo service. */
import { ZERO, dec, gt, isZero, lt } from "@petrosa/contracts"
import { ApiError, E, F } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import type { Account } from "../core/accounts.ts"
import { inWindow, limitOf, windowOf } from "../wire/routes.ts"
import type { Route, SignedCall } from "../wire/routes.ts"
import { isWaiting } from "./algo.ts"
import type { AlgoDraft, AlgoOrder, AlgoService } from "./algo.ts"
import { ALGO_TYPES } from "./desk.ts"
import type { FuturesDesk } from "./desk.ts"
import { checkPrecision, checkQuantity } from "./filters.ts"
import { readClientId, readPosition, readSelfTradePrevention, refusePriceMatch } from "./read.ts"
import { algo } from "./views.ts"

const PATH = "/fapi/v1/algoOrder"
const UNFILLED_KEPT_MS = 3 * 86_400_000

/** Reads an algo order; what its type needs, and what excludes what (binance.md 3.4). */
const read = (desk: FuturesDesk, account: Account, params: Params): AlgoDraft => {
  params.needOneOf("algoType", ["CONDITIONAL"] as const)
  const symbol = params.symbol()
  const side = params.needOneOf("side", ["BUY", "SELL"] as const, E.side)
  const type = params.needOneOf("type", ALGO_TYPES, E.orderType)
  const info = desk.info(symbol)
  refusePriceMatch(params)
  const closePosition = params.flag("closePosition") ?? false
  const quantity = params.positive("quantity")
  const price = params.positive("price")
  const triggerPrice = params.positive("triggerPrice")
  const activatePrice = params.positive("activatePrice")
  const callbackRate = params.number("callbackRate")
  const timeInForce = params.oneOf("timeInForce", ["GTC", "IOC", "FOK", "GTX", "GTD"] as const, E.timeInForce) ?? "GTC"
  const workingType = params.oneOf("workingType", ["CONTRACT_PRICE", "MARK_PRICE"] as const, F.workingType) ?? "CONTRACT_PRICE"
  const priceProtect = params.flag("priceProtect") ?? false
  const goodTillDateMs = params.integer("goodTillDate") ?? 0
  params.oneOf("newOrderRespType", ["ACK", "RESULT"] as const, E.responseType)
  const limit = type === "STOP" || type === "TAKE_PROFIT"
  const trailing = type === "TRAILING_STOP_MARKET"
  if (closePosition) {
    if (limit || trailing) throw new ApiError(-4136, "Target strategy invalid for orderType, closePosition true")
    if (quantity !== undefined) throw F.closeWithQuantity()
    if (params.has("reduceOnly")) throw params.flag("reduceOnly") === false ? F.closeWithReduceOnly() : E.notRequired("reduceOnly")
  }
  const { positionSide, reduceOnly } = readPosition(params, account)
  if (closePosition && ((positionSide === "LONG" && side === "BUY") || (positionSide === "SHORT" && side === "SELL"))) throw F.reduceOnly()
  if (!trailing && triggerPrice === undefined) throw E.mandatory("triggerPrice")
  if (trailing && callbackRate === undefined) throw E.mandatory("callbackRate")
  if (!trailing && (callbackRate !== undefined || activatePrice !== undefined))
    throw E.notRequired(callbackRate === undefined ? "activatePrice" : "callbackRate")
  if (callbackRate !== undefined && (lt(callbackRate.value, dec("0.1")) || gt(callbackRate.value, dec("20")))) throw F.callbackRate()
  if (limit && price === undefined) throw E.mandatory("price")
  if (!limit && price !== undefined) throw E.notRequired("price")
  if (!closePosition && quantity === undefined) throw E.mandatory("quantity")
  desk.checkStatus(info, reduceOnly || closePosition)
  checkPrecision(info, quantity, [price, triggerPrice, activatePrice])
  if (quantity !== undefined) checkQuantity(info, quantity.value, !limit)
  return {
    symbol,
    clientAlgoId: readClientId(params, "clientAlgoId"),
    side,
    positionSide,
    type,
    timeInForce,
    quantity: quantity?.value ?? ZERO,
    price: price?.value ?? ZERO,
    triggerPrice: triggerPrice?.value ?? ZERO,
    workingType,
    closePosition,
    priceProtect,
    reduceOnly,
    activatePrice: activatePrice?.value ?? ZERO,
    callbackRate: callbackRate?.value ?? ZERO,
    selfTradePrevention: readSelfTradePrevention(params, "NONE"),
    goodTillDateMs,
  }
}

export const futuresAlgoRoutes = (desk: FuturesDesk, service: AlgoService): readonly Route[] => {
  const { exchange } = desk
  const visible = (order: AlgoOrder): boolean => {
    if (order.hiddenUntilMs > exchange.nowMs()) return false
    const filled = order.child !== undefined && !isZero(order.child.executed)
    return isWaiting(order) || filled || exchange.nowMs() - order.updatedAtMs <= UNFILLED_KEPT_MS
  }
  const named = (call: SignedCall): AlgoOrder | undefined => {
    const id = call.params.id("algoId")
    const clientId = call.params.text("clientAlgoId")
    if (id === undefined && clientId === undefined) throw E.oneOf("algoId", "clientAlgoId")
    const order = id === undefined ? service.byClientId(call.account.name, clientId ?? "") : service.byId(call.account.name, id)
    return order === undefined || !visible(order) ? undefined : order
  }
  const view = (order: AlgoOrder): unknown => algo(desk.info(order.symbol), order, true)

  return [
    {
      method: "POST",
      path: PATH,
      op: "algo.place",
      security: "signed",
      engine: true,
      weight: 0,
      orders: 1,
      run: (call) => {
        const draft = read(desk, call.account, call.params)
        call.params.done()
        if (!call.account.canTrade) throw E.key()
        const order = service.place(call.account, draft, call.hideForMs)
        return algo(desk.info(order.symbol), order, false)
      },
    },
    {
      method: "DELETE",
      path: PATH,
      op: "algo.cancel",
      security: "signed",
      engine: true,
      weight: 1,
      run: (call) => {
        const order = named(call)
        call.params.ignore("symbol")
        call.params.done()
        if (order === undefined || !isWaiting(order)) throw E.unknownOrder()
        if (call.fillOnCancel !== undefined) {
          service.trigger(order)
          throw E.unknownOrder()
        }
        service.end(order, "CANCELED")
        return { algoId: order.id, clientAlgoId: order.clientAlgoId, code: "200", msg: "success" }
      },
    },
    {
      method: "GET",
      path: PATH,
      op: "algo.query",
      security: "signed",
      weight: 1,
      run: (call) => {
        const order = named(call)
        call.params.ignore("symbol")
        call.params.done()
        if (order === undefined) throw E.noOrder()
        return view(order)
      },
    },
    {
      method: "GET",
      path: "/fapi/v1/openAlgoOrders",
      op: "algo.open",
      security: "signed",
      weight: (params) => (params.has("symbol") ? 1 : 40),
      run: (call) => {
        const symbol = call.params.optionalSymbol()
        call.params.oneOf("algoType", ["CONDITIONAL"] as const)
        const id = call.params.id("algoId")
        call.params.done()
        if (symbol !== undefined) desk.info(symbol)
        return service
          .open(call.account.name, symbol)
          .filter((order) => visible(order) && (id === undefined || order.id === id))
          .map(view)
      },
    },
    {
      method: "GET",
      path: "/fapi/v1/allAlgoOrders",
      op: "algo.all",
      security: "signed",
      weight: 5,
      run: (call) => {
        const symbol = call.params.symbol()
        const from = call.params.id("algoId")
        const window = windowOf(call.params, 7 * 24)
        const limit = limitOf(call.params, 500, 1000)
        call.params.done()
        desk.info(symbol)
        const found = service
          .all(call.account.name)
          .filter((order) => order.symbol === symbol && visible(order))
          .filter((order) => inWindow(window, order.createdAtMs) && (from === undefined || order.id >= from))
        return (from === undefined && window.open ? found.slice(-limit) : found.slice(0, limit)).map(view)
      },
    },
    {
      method: "DELETE",
      path: "/fapi/v1/algoOpenOrders",
      op: "algo.cancelAll",
      security: "signed",
      engine: true,
      weight: 1,
      run: (call) => {
        const symbol = call.params.symbol()
        call.params.done()
        desk.info(symbol)
        for (const order of service.open(call.account.name, symbol)) service.end(order, "CANCELED")
        return { code: 200, msg: "The operation of cancel all open order is done." }
      },
    },
  ]
}
