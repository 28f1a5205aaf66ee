/** Futures: placing, changing, cancelling and asking for ordinary orders. */
import { dec, eq, isZero, min } from "@petrosa/contracts"
import { isOpen, leftOf } from "../core/orders.ts"
import type { SandboxOrder } from "../core/orders.ts"
import { ApiError, E, F } from "../wire/errors.ts"
import { isObject, parseJson } from "../wire/json.ts"
import { Params } from "../wire/params.ts"
import type { RateLimits } from "../wire/rateLimits.ts"
import { inWindow, limitOf, windowOf } from "../wire/routes.ts"
import type { Route, SignedCall } from "../wire/routes.ts"
import type { FuturesDesk } from "./desk.ts"
import { checkNotional, checkPrecision, checkPrice, checkQuantity } from "./filters.ts"
import { onlyReduces, refusePriceMatch } from "./read.ts"
import { acknowledged, queried, trade } from "./views.ts"

const PATH = "/fapi/v1/order"
const BATCH = "/fapi/v1/batchOrders"
const UNFILLED_KEPT_MS = 3 * 86_400_000
const WEEK_HOURS = 7 * 24
const PLACED_AT_ONCE = 5
const CANCELLED_AT_ONCE = 10
const MODIFIED_MOST = 10_000

const readResponse = (params: Params): "ACK" | "RESULT" =>
  params.oneOf("newOrderRespType", ["ACK", "RESULT"] as const, E.responseType) ?? "ACK"

export const futuresOrderRoutes = (desk: FuturesDesk, limits: RateLimits): readonly Route[] => {
  const { exchange } = desk
  /** Cancelled and expired orders without a fill are forgotten after three days. */
  const visible = (order: SandboxOrder): boolean =>
    order.hiddenUntilMs <= exchange.nowMs() &&
    (isOpen(order.status) || !isZero(order.executed) || exchange.nowMs() - order.updatedAtMs <= UNFILLED_KEPT_MS)

  const named = (call: Pick<SignedCall, "params" | "account">): SandboxOrder | undefined => {
    const symbol = call.params.symbol()
    const id = call.params.id("orderId")
    const clientId = call.params.text("origClientOrderId")
    if (id === undefined && clientId === undefined) throw E.oneOf("origClientOrderId", "orderId")
    desk.info(symbol)
    const order =
      id === undefined
        ? exchange.orders.byClientId("futures", call.account.name, symbol, clientId ?? "")
        : exchange.orders.byId("futures", call.account.name, symbol, id)
    return order === undefined || !visible(order) ? undefined : order
  }

  const place = (call: SignedCall, params: Params, selfTradePrevention: string): unknown => {
    const response = readResponse(params)
    const order = desk.place(call.account, params, { fillAfterMs: call.fillAfterMs, hideForMs: call.hideForMs, selfTradePrevention })
    return acknowledged(desk.info(order.symbol), order, response)
  }
  const cancel = (call: SignedCall, order: SandboxOrder | undefined): unknown => {
    if (order === undefined || !isOpen(order.status)) throw E.unknownOrder()
    const last = exchange.price("futures", order.symbol)?.last
    if (call.fillOnCancel !== undefined && last !== undefined)
      exchange.fill(order, call.fillOnCancel === "all" ? leftOf(order) : min(leftOf(order), dec(call.fillOnCancel.quantity)), last)
    if (!isOpen(order.status)) throw E.unknownOrder()
    exchange.end(order, "CANCELED")
    return acknowledged(desk.info(order.symbol), order, "RESULT")
  }
  const modify = (call: SignedCall, params: Params): unknown => {
    const side = params.needOneOf("side", ["BUY", "SELL"] as const, E.side)
    const quantity = params.needNumber("quantity")
    const price = params.needNumber("price")
    refusePriceMatch(params)
    params.ignore("modifyId", "reduceOnly", "positionSide")
    const order = named({ params, account: call.account })
    params.done()
    if (order === undefined) throw E.noOrder()
    if (!isOpen(order.status)) throw E.unknownOrder()
    if (order.type !== "LIMIT" || order.side !== side) throw E.badCombination()
    if (order.modified >= MODIFIED_MOST) throw F.modifyLimit()
    if (eq(order.quantity, quantity.value) && eq(order.price, price.value)) throw F.unchanged()
    const info = desk.info(order.symbol)
    checkPrecision(info, quantity, [price])
    checkQuantity(info, quantity.value, false)
    checkPrice(exchange, info, side, price.value)
    if (!onlyReduces(side, order.positionSide, order.reduceOnly)) checkNotional(exchange, info, quantity.value, price.value)
    desk.modify(order, quantity.value, price.value)
    return acknowledged(info, order, "RESULT")
  }
  /** One result per element: an order, or code and text. */
  const each = (items: readonly unknown[], run: (params: Params) => unknown): readonly unknown[] =>
    items.map((item) => {
      try {
        if (!isObject(item)) throw E.json("batchOrders")
        return run(Params.of(Object.fromEntries(Object.entries(item).map(([name, value]) => [name, String(value)]))))
      } catch (error) {
        if (error instanceof ApiError) return error.body
        throw error
      }
    })
  const readList = (params: Params, name: string, most: number): readonly unknown[] => {
    const list = parseJson(params.needText(name))
    if (!Array.isArray(list)) throw E.json(name)
    if (list.length === 0 || list.length > most) throw F.batchSize()
    return list
  }
  const signed = { security: "signed" } as const
  const engine = { security: "signed", engine: true } as const

  return [
    {
      ...engine,
      method: "POST",
      path: PATH,
      op: "order.place",
      weight: 0,
      orders: 1,
      run: (call: SignedCall) => place(call, call.params, "EXPIRE_MAKER"),
    },
    {
      ...signed,
      method: "POST",
      path: `${PATH}/test`,
      op: "order.test",
      weight: 0,
      run: (call: SignedCall) => {
        readResponse(call.params)
        const order = desk.read(call.account, call.params, { selfTradePrevention: "EXPIRE_MAKER" })
        call.params.done()
        return acknowledged(desk.info(order.symbol), order, "ACK")
      },
    },
    {
      ...engine,
      method: "PUT",
      path: PATH,
      op: "order.modify",
      weight: 1,
      orders: 1,
      run: (call: SignedCall) => modify(call, call.params),
    },
    {
      ...engine,
      method: "DELETE",
      path: PATH,
      op: "order.cancel",
      weight: 1,
      run: (call: SignedCall) => {
        const order = named(call)
        call.params.done()
        return cancel(call, order)
      },
    },
    {
      ...signed,
      method: "GET",
      path: PATH,
      op: "order.query",
      weight: 1,
      run: (call: SignedCall) => {
        const order = named(call)
        call.params.done()
        if (order === undefined) throw E.noOrder()
        return queried(desk.info(order.symbol), order)
      },
    },
    {
      ...signed,
      method: "GET",
      path: "/fapi/v1/openOrder",
      op: "order.queryOpen",
      weight: 1,
      run: (call: SignedCall) => {
        const order = named(call)
        call.params.done()
        if (order === undefined || !isOpen(order.status)) throw E.noOrder()
        return queried(desk.info(order.symbol), order)
      },
    },
    {
      ...signed,
      method: "GET",
      path: "/fapi/v1/openOrders",
      op: "order.open",
      weight: (params) => (params.has("symbol") ? 1 : 40),
      run: (call: SignedCall) => {
        const symbol = call.params.optionalSymbol()
        call.params.done()
        if (symbol !== undefined) desk.info(symbol)
        return exchange.orders
          .open("futures", call.account.name, symbol)
          .filter(visible)
          .map((order) => queried(desk.info(order.symbol), order))
      },
    },
    {
      ...signed,
      method: "GET",
      path: "/fapi/v1/allOrders",
      op: "order.all",
      weight: 5,
      run: (call: SignedCall) => {
        const symbol = call.params.optionalSymbol()
        const from = call.params.id("orderId")
        const window = windowOf(call.params, WEEK_HOURS)
        const limit = limitOf(call.params, 500, 1000)
        call.params.done()
        if (symbol !== undefined) desk.info(symbol)
        const found = exchange.orders
          .all("futures", call.account.name, symbol)
          .filter((order) => visible(order) && inWindow(window, order.createdAtMs) && (from === undefined || order.id >= from))
        return (from === undefined && window.open ? found.slice(-limit) : found.slice(0, limit)).map((order) =>
          queried(desk.info(order.symbol), order),
        )
      },
    },
    {
      ...engine,
      method: "DELETE",
      path: "/fapi/v1/allOpenOrders",
      op: "order.cancelAll",
      weight: 1,
      run: (call: SignedCall) => {
        const symbol = call.params.symbol()
        call.params.done()
        desk.info(symbol)
        for (const order of exchange.orders.open("futures", call.account.name, symbol).filter(visible)) exchange.end(order, "CANCELED")
        return { code: 200, msg: "The operation of cancel all open order is done." }
      },
    },
    {
      ...engine,
      method: "POST",
      path: BATCH,
      op: "order.batch",
      weight: 5,
      run: (call: SignedCall) => {
        const list = readList(call.params, "batchOrders", PLACED_AT_ONCE)
        call.params.done()
        limits.admitOrders(call.account.name, list.length)
        return each(list, (params) => place(call, params, "NONE"))
      },
    },
    {
      ...engine,
      method: "PUT",
      path: BATCH,
      op: "order.modifyBatch",
      weight: 5,
      run: (call: SignedCall) => {
        const list = readList(call.params, "batchOrders", PLACED_AT_ONCE)
        call.params.done()
        return each(list, (params) => modify(call, params))
      },
    },
    {
      ...engine,
      method: "DELETE",
      path: BATCH,
      op: "order.cancelBatch",
      weight: 1,
      run: (call: SignedCall) => {
        const symbol = call.params.symbol()
        // (ccxt writes them small.)
        const byId = ["orderIdList", "orderidlist"].find((name) => call.params.has(name))
        const name = byId ?? ["origClientOrderIdList", "origclientorderidlist"].find((one) => call.params.has(one))
        if (name === undefined) throw E.oneOf("orderIdList", "origClientOrderIdList")
        const list = readIds(call.params, name)
        call.params.done()
        if (list.length === 0 || list.length > CANCELLED_AT_ONCE) throw F.batchSize()
        return each(
          list.map((id) => ({ symbol, [byId === undefined ? "origClientOrderId" : "orderId"]: id })),
          (params) => cancel(call, named({ params, account: call.account })),
        )
      },
    },
    {
      ...signed,
      method: "GET",
      path: "/fapi/v1/userTrades",
      op: "trades",
      weight: 5,
      run: (call: SignedCall) => {
        const symbol = call.params.symbol()
        const orderId = call.params.id("orderId")
        const from = call.params.id("fromId")
        const window = windowOf(call.params, WEEK_HOURS)
        const limit = limitOf(call.params, 500, 1000)
        call.params.done()
        const info = desk.info(symbol)
        if (from !== undefined && !window.open) throw E.badCombination()
        const hidden = (id: bigint): boolean => {
          const order = exchange.orders.byId("futures", call.account.name, symbol, id)
          return order !== undefined && order.hiddenUntilMs > exchange.nowMs()
        }
        const found = exchange.orders
          .trades("futures", call.account.name, symbol)
          .filter((item) => (orderId === undefined || item.orderId === orderId) && (from === undefined || item.id >= from))
          .filter((item) => inWindow(window, item.atMs) && !hidden(item.orderId))
        return (from === undefined && window.open ? found.slice(-limit) : found.slice(0, limit)).map((item) => trade(info, item))
      },
    },
  ]
}

/** A list of ids: JSON numbers would lose digits beyond 2^53, so they are read from the text. */
const readIds = (params: Params, name: string): readonly string[] => {
  const text = params.needText(name)
  if (!/^\[.*\]$/.test(text)) throw E.json(name)
  return text
    .slice(1, -1)
    .split(",")
    .map((item) => item.trim().replace(/^"|"$/g, ""))
    .filter((item) => item !== "")
}
