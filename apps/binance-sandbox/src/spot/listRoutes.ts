/** Spot: order lists. */
import { E, S } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import { inWindow, limitOf, windowOf } from "../wire/routes.ts"
import type { Route, SignedCall } from "../wire/routes.ts"
import type { SpotDesk } from "./desk.ts"
import { ordersOf } from "./lists.ts"
import type { ListDraft, OrderList, OrderLists } from "./lists.ts"
import { dec, min } from "@petrosa/contracts"
import { isOpen, leftOf } from "../core/orders.ts"
import { oldOco } from "./extraRoutes.ts"
import { SPOT_CLIENT_ID, readLeg, readResponseType, readSelfTradePrevention } from "./read.ts"
import type { Names, SpotLeg } from "./read.ts"
import { listCancelled, listPlaced, listed } from "./views.ts"

const names = (prefix: string, side: string, quantity: string): Names => ({
  prefix,
  side,
  quantity,
  type: `${prefix}Type`,
  clientId: `${prefix}ClientOrderId`,
})

const working = (params: Params): SpotLeg => {
  const leg = readLeg(params, names("working", "workingSide", "workingQuantity"))
  if (leg.type !== "LIMIT" && leg.type !== "LIMIT_MAKER") throw E.invalid("workingType")
  return leg
}

const oco = (params: Params): ListDraft => ({
  clientId: params.pattern("listClientOrderId", SPOT_CLIENT_ID),
  working: undefined,
  legs: [readLeg(params, names("above", "side", "quantity")), readLeg(params, names("below", "side", "quantity"))],
})
const oto = (params: Params): ListDraft => ({
  clientId: params.pattern("listClientOrderId", SPOT_CLIENT_ID),
  working: working(params),
  legs: [readLeg(params, names("pending", "pendingSide", "pendingQuantity"))],
})
const otoco = (params: Params): ListDraft => ({
  clientId: params.pattern("listClientOrderId", SPOT_CLIENT_ID),
  working: working(params),
  legs: [
    readLeg(params, names("pendingAbove", "pendingSide", "pendingQuantity")),
    readLeg(params, names("pendingBelow", "pendingSide", "pendingQuantity")),
  ],
})

export const spotListRoutes = (desk: SpotDesk, lists: OrderLists): readonly Route[] => {
  const { exchange } = desk
  const visible = (list: OrderList): boolean => list.hiddenUntilMs <= exchange.nowMs()

  const place =
    (read: (params: Params) => ListDraft) =>
    (call: SignedCall): unknown => {
      const { params, account } = call
      const symbol = params.symbol()
      const draft = read(params)
      const selfTradePrevention = readSelfTradePrevention(params)
      const response = readResponseType(params, "RESULT")
      params.done()
      return lists.place(
        account,
        symbol,
        draft,
        { selfTradePrevention, fillAfterMs: call.fillAfterMs, hideForMs: call.hideForMs },
        (list) => listPlaced(list, response),
      )
    }
  const placing = { method: "POST", security: "signed", engine: true, weight: 1, freeOnSuccess: true } as const

  /** By `orderListId`, or by the list's client id under the name that the endpoint gives it. */
  const named = (call: SignedCall, clientIdName: string): OrderList | undefined => {
    const id = call.params.id("orderListId")
    const clientId = call.params.text(clientIdName)
    if (id === undefined && clientId === undefined) throw E.oneOf(clientIdName, "orderListId")
    const list = id === undefined ? lists.byClientId(call.account.name, clientId ?? "") : lists.byId(call.account.name, id)
    return list === undefined || !visible(list) ? undefined : list
  }

  return [
    { ...placing, path: "/api/v3/orderList/oco", op: "list.place", orders: 2, run: place(oco) },
    // Deprecated, and still answered.
    {
      ...placing,
      path: "/api/v3/order/oco",
      op: "list.place",
      orders: 2,
      run: (call: SignedCall) => place(oco)({ ...call, params: oldOco(call.params) }),
    },
    { ...placing, path: "/api/v3/orderList/oto", op: "list.place", orders: 2, run: place(oto) },
    { ...placing, path: "/api/v3/orderList/otoco", op: "list.place", orders: 3, run: place(otoco) },
    {
      method: "DELETE",
      path: "/api/v3/orderList",
      op: "list.cancel",
      security: "signed",
      engine: true,
      weight: 1,
      freeOnSuccess: true,
      run: (call) => {
        const symbol = call.params.symbol()
        const list = named(call, "listClientOrderId")
        const requestId = call.params.pattern("newClientOrderId", SPOT_CLIENT_ID) ?? `sandbox-cancel-list-${list?.id ?? 0}`
        call.params.done()
        desk.info(symbol)
        if (list === undefined || list.symbol !== symbol || list.status !== "EXECUTING") throw E.unknownOrder()
        const last = exchange.price("spot", symbol)?.last
        const first = ordersOf(list).find((order) => isOpen(order.status))
        if (call.fillOnCancel !== undefined && last !== undefined && first !== undefined)
          exchange.fill(first, call.fillOnCancel === "all" ? leftOf(first) : min(leftOf(first), dec(call.fillOnCancel.quantity)), last)
        // (What the fill started may have ended the list.)
        if (ordersOf(list).every((order) => !isOpen(order.status))) throw E.unknownOrder()
        lists.cancel(list, requestId)
        return listCancelled(list, requestId)
      },
    },
    {
      method: "GET",
      path: "/api/v3/orderList",
      op: "list.query",
      security: "signed",
      weight: 4,
      run: (call) => {
        const list = named(call, "origClientOrderId")
        call.params.done()
        if (list === undefined) throw S.noList()
        return listed(list)
      },
    },
    {
      method: "GET",
      path: "/api/v3/openOrderList",
      op: "list.open",
      security: "signed",
      weight: 6,
      run: (call) => {
        call.params.done()
        return lists
          .all(call.account.name)
          .filter((list) => list.status === "EXECUTING" && visible(list))
          .map(listed)
      },
    },
    {
      method: "GET",
      path: "/api/v3/allOrderList",
      op: "list.all",
      security: "signed",
      weight: 20,
      run: (call) => {
        const from = call.params.id("fromId")
        const window = windowOf(call.params, 24)
        const limit = limitOf(call.params, 500, 1000)
        call.params.done()
        if (from !== undefined && !window.open) throw E.badCombination()
        const found = lists
          .all(call.account.name)
          .filter((list) => visible(list) && inWindow(window, list.createdAtMs) && (from === undefined || list.id >= from))
        return (from === undefined ? found.slice(-limit) : found.slice(0, limit)).map(listed)
      },
    },
  ]
}
