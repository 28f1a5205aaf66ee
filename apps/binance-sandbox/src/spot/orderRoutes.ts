/** Spot: placing, cancelling and asking for single orders. */
import { dec, min } from "@petrosa/contracts"
import type { SandboxOrder } from "../core/orders.ts"
import { isOpen, leftOf } from "../core/orders.ts"
import { ApiError, E, S } from "../wire/errors.ts"
import { Params } from "../wire/params.ts"
import { Answer, inWindow, limitOf, windowOf } from "../wire/routes.ts"
import type { Route, SignedCall } from "../wire/routes.ts"
import type { SpotDesk } from "./desk.ts"
import type { OrderLists } from "./lists.ts"
import { SPOT_CLIENT_ID, readLeg, readResponseType, readSelfTradePrevention } from "./read.ts"
import { cancelled, listCancelled, placed, queried, trade } from "./views.ts"

const PATH = "/api/v3/order"

/** The order that a request names; hidden ones and those of others are not there. */
const named = (
  desk: SpotDesk,
  call: SignedCall,
  symbol: string,
  names: { readonly id: string; readonly clientId: string },
): SandboxOrder | undefined => {
  const { params, account } = call
  const id = params.id(names.id)
  const clientId = params.text(names.clientId)
  if (id === undefined && clientId === undefined) throw E.oneOf(names.clientId, names.id)
  desk.info(symbol)
  const { orders } = desk.exchange
  const order =
    id === undefined ? orders.byClientId("spot", account.name, symbol, clientId ?? "") : orders.byId("spot", account.name, symbol, id)
  if (order === undefined || order.hiddenUntilMs > desk.exchange.nowMs()) return undefined
  if (id !== undefined && clientId !== undefined && order.clientId !== clientId) throw S.idMismatch()
  return order
}

/** Fills what a fault wants filled before the cancel is done. */
const interfere = (desk: SpotDesk, call: SignedCall, order: SandboxOrder): void => {
  if (call.fillOnCancel === undefined) return
  const last = desk.exchange.price("spot", order.symbol)?.last
  if (last === undefined) return
  const left = leftOf(order)
  desk.exchange.fill(order, call.fillOnCancel === "all" ? left : min(left, dec(call.fillOnCancel.quantity)), last)
}

const cancelOne = (
  desk: SpotDesk,
  lists: OrderLists,
  call: SignedCall,
  order: SandboxOrder | undefined,
  restrictions: string | undefined,
): unknown => {
  const requestId = call.params.pattern("newClientOrderId", SPOT_CLIENT_ID) ?? `sandbox-cancel-${order?.id ?? 0}`
  if (order === undefined || !isOpen(order.status)) throw E.unknownOrder()
  if (restrictions === "ONLY_NEW" && order.status !== "NEW") throw S.restrictions()
  if (restrictions === "ONLY_PARTIALLY_FILLED" && order.status !== "PARTIALLY_FILLED") throw S.restrictions()
  interfere(desk, call, order)
  if (!isOpen(order.status)) throw E.unknownOrder()
  const list = lists.listOf(order)
  desk.exchange.end(order, "CANCELED", { requestId })
  return list === undefined ? cancelled(order, requestId) : listCancelled(list, requestId)
}
const readRestrictions = (params: Params): string | undefined =>
  params.oneOf("cancelRestrictions", ["ONLY_NEW", "ONLY_PARTIALLY_FILLED"] as const, E.cancelRestrictions)

export const spotOrderRoutes = (desk: SpotDesk, lists: OrderLists): readonly Route[] => {
  const { exchange } = desk
  const visible = (order: SandboxOrder): boolean => order.hiddenUntilMs <= exchange.nowMs()
  const placing = (call: SignedCall, stp: string) => ({
    selfTradePrevention: stp,
    fillAfterMs: call.fillAfterMs,
    hideForMs: call.hideForMs,
  })
  const PLAIN_NAMES = { id: "orderId", clientId: "origClientOrderId" }

  const place = (call: SignedCall): unknown => {
    const { params, account } = call
    const symbol = params.symbol()
    const leg = readLeg(params)
    const stp = readSelfTradePrevention(params)
    const response = readResponseType(params, leg.type === "MARKET" || leg.type === "LIMIT" ? "FULL" : "ACK")
    params.done()
    return placed(desk.place(account, symbol, leg, placing(call, stp)), response)
  }

  const test = (call: SignedCall): unknown => {
    const { params, account } = call
    const symbol = params.symbol()
    const leg = readLeg(params)
    readSelfTradePrevention(params)
    readResponseType(params, "ACK")
    params.ignore("computeCommissionRates")
    params.done()
    const info = desk.info(symbol)
    const quantity = desk.quantityOf(account, info, leg)
    desk.check(account, info, leg, quantity)
    desk.checkRoom(account, info, [{ ...leg, quantity }], 0)
    return {}
  }

  const cancelReplace = (call: SignedCall): unknown => {
    const { params, account } = call
    const symbol = params.symbol()
    const mode = params.needOneOf("cancelReplaceMode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"] as const)
    const leg = readLeg(params)
    const stp = readSelfTradePrevention(params)
    const response = readResponseType(params, leg.type === "MARKET" || leg.type === "LIMIT" ? "FULL" : "ACK")
    const restrictions = readRestrictions(params)
    const cancelId = params.pattern("cancelNewClientOrderId", SPOT_CLIENT_ID)
    const order = named(desk, call, symbol, { id: "cancelOrderId", clientId: "cancelOrigClientOrderId" })
    params.done()
    const attempt = (run: () => unknown): { readonly ok: boolean; readonly body: unknown } => {
      try {
        return { ok: true, body: run() }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return { ok: false, body: error.body }
      }
    }
    const inner: SignedCall = { ...call, params: withId(cancelId) }
    const cancel = attempt(() => cancelOne(desk, lists, inner, order, restrictions))
    const go = cancel.ok || mode === "ALLOW_FAILURE"
    const place2 = go ? attempt(() => placed(desk.place(account, symbol, leg, placing(call, stp)), response)) : undefined
    const result = (done: boolean): string => (done ? "SUCCESS" : "FAILURE")
    const data = {
      cancelResult: result(cancel.ok),
      newOrderResult: place2 === undefined ? "NOT_ATTEMPTED" : result(place2.ok),
      cancelResponse: cancel.body,
      newOrderResponse: place2?.body ?? null,
    }
    if (cancel.ok && place2?.ok === true) return data
    const partial = cancel.ok || place2?.ok === true
    return partial
      ? new Answer(409, { code: -2021, msg: "Order cancel-replace partially failed.", data })
      : new Answer(400, { code: -2022, msg: "Order cancel-replace failed.", data })
  }

  return [
    {
      method: "POST",
      path: PATH,
      op: "order.place",
      security: "signed",
      engine: true,
      weight: 1,
      freeOnSuccess: true,
      orders: 1,
      run: place,
    },
    { method: "POST", path: `${PATH}/test`, op: "order.test", security: "signed", weight: 1, run: test },
    {
      method: "GET",
      path: PATH,
      op: "order.query",
      security: "signed",
      weight: 4,
      run: (call) => {
        const order = named(desk, call, call.params.symbol(), PLAIN_NAMES)
        call.params.done()
        if (order === undefined) throw E.noOrder()
        return queried(order)
      },
    },
    {
      method: "DELETE",
      path: PATH,
      op: "order.cancel",
      security: "signed",
      engine: true,
      weight: 1,
      freeOnSuccess: true,
      run: (call) => {
        const order = named(desk, call, call.params.symbol(), PLAIN_NAMES)
        const restrictions = readRestrictions(call.params)
        call.params.ignore("newClientOrderId")
        call.params.done()
        return cancelOne(desk, lists, call, order, restrictions)
      },
    },
    {
      method: "POST",
      path: `${PATH}/cancelReplace`,
      op: "order.cancelReplace",
      security: "signed",
      engine: true,
      weight: 1,
      freeOnSuccess: true,
      orders: 1,
      run: cancelReplace,
    },
    {
      method: "GET",
      path: "/api/v3/openOrders",
      op: "order.open",
      security: "signed",
      weight: (params) => (params.has("symbol") ? 6 : 80),
      run: (call) => {
        const symbol = call.params.optionalSymbol()
        call.params.done()
        if (symbol !== undefined) desk.info(symbol)
        return exchange.orders.open("spot", call.account.name, symbol).filter(visible).map(queried)
      },
    },
    {
      method: "DELETE",
      path: "/api/v3/openOrders",
      op: "order.cancelAll",
      security: "signed",
      engine: true,
      weight: 1,
      freeOnSuccess: true,
      run: (call) => {
        const symbol = call.params.symbol()
        call.params.done()
        desk.info(symbol)
        const open = exchange.orders.open("spot", call.account.name, symbol).filter(visible)
        if (open.length === 0) throw E.unknownOrder()
        const answers: unknown[] = []
        for (const order of open) {
          if (!isOpen(order.status)) continue
          const list = lists.listOf(order)
          const requestId = `sandbox-cancel-${order.id}`
          exchange.end(order, "CANCELED", { requestId })
          answers.push(list === undefined ? cancelled(order, requestId) : listCancelled(list, requestId))
        }
        return answers
      },
    },
    {
      method: "GET",
      path: "/api/v3/allOrders",
      op: "order.all",
      security: "signed",
      weight: 20,
      run: (call) => {
        const symbol = call.params.symbol()
        const from = call.params.id("orderId")
        const window = windowOf(call.params, 24)
        const limit = limitOf(call.params, 500, 1000)
        call.params.done()
        desk.info(symbol)
        const found = exchange.orders
          .all("spot", call.account.name, symbol)
          .filter((order) => visible(order) && inWindow(window, order.createdAtMs) && (from === undefined || order.id >= from))
        return (from === undefined && window.open ? found.slice(-limit) : found.slice(0, limit)).map(queried)
      },
    },
    {
      method: "GET",
      path: "/api/v3/myTrades",
      op: "trades",
      security: "signed",
      weight: (params) => (params.has("orderId") ? 5 : 20),
      run: (call) => {
        const symbol = call.params.symbol()
        const orderId = call.params.id("orderId")
        const from = call.params.id("fromId")
        const window = windowOf(call.params, 24)
        const limit = limitOf(call.params, 500, 1000)
        call.params.done()
        desk.info(symbol)
        if (from !== undefined && !window.open) throw E.badCombination()
        const found = exchange.orders
          .trades("spot", call.account.name, symbol)
          .filter(
            (item) =>
              (orderId === undefined || item.orderId === orderId) && (from === undefined || item.id >= from) && inWindow(window, item.atMs),
          )
          .filter((item) => (exchange.orders.byId("spot", call.account.name, symbol, item.orderId)?.hiddenUntilMs ?? 0) <= exchange.nowMs())
        return (from === undefined && window.open ? found.slice(-limit) : found.slice(0, limit)).map(trade)
      },
    },
  ]
}

const withId = (id: string | undefined): Params => Params.of(id === undefined ? {} : { newClientOrderId: id })
