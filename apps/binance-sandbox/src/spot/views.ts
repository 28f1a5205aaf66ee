/** Spot answers and user-stream events, as rest-api.md and user-data-stream.md of binance-spot-api-docs write them. */
import { ZERO, add, dec, isZero, mul, sub } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { OrderEvent, SandboxOrder, SandboxTrade } from "../core/orders.ts"
import { isOpen } from "../core/orders.ts"
import { eight } from "../wire/decimals.ts"
import { ordersOf } from "./lists.ts"
import type { OrderList } from "./lists.ts"
import type { ResponseType } from "./read.ts"

type View = Readonly<Record<string, unknown>>

/** Why it expired, in Binance's words; the matching core has its own. */
const EXPIRY: Readonly<Record<string, string>> = { balance: "REJECTED", selfTrade: "", cancelled: "" }
const expiryReason = (order: SandboxOrder): string | undefined => {
  const { expiryReason: reason } = order
  if (reason === undefined || order.status !== "EXPIRED") return undefined
  if (reason === "unfilled") {
    if (order.timeInForce === "FOK") return "UNFILLED_FOK_ORDER_EXPIRED"
    return order.timeInForce === "IOC" ? "UNFILLED_IOC_QUANTITY_EXPIRED" : "INSUFFICIENT_LIQUIDITY"
  }
  return EXPIRY[reason] ?? reason
}
const optional = (order: SandboxOrder): View => {
  const reason = expiryReason(order)
  return {
    ...(isZero(order.stopPrice) ? {} : { stopPrice: eight(order.stopPrice) }),
    ...(isZero(order.icebergQuantity) ? {} : { icebergQty: eight(order.icebergQuantity) }),
    ...(order.strategyId === undefined ? {} : { strategyId: order.strategyId }),
    ...(order.strategyType === undefined ? {} : { strategyType: order.strategyType }),
    ...(reason === undefined ? {} : { expiryReason: reason }),
  }
}

/** The answer to a new order. */
export const placed = (order: SandboxOrder, response: ResponseType): View => {
  const ack = {
    symbol: order.symbol,
    orderId: order.id,
    orderListId: order.listId,
    clientOrderId: order.clientId,
    transactTime: order.updatedAtMs,
  }
  if (response === "ACK") return ack
  const result = {
    ...ack,
    price: eight(order.price),
    origQty: eight(order.quantity),
    executedQty: eight(order.executed),
    origQuoteOrderQty: eight(order.quoteOrderQuantity),
    cummulativeQuoteQty: eight(order.quoteFilled),
    status: order.status,
    timeInForce: order.timeInForce,
    type: order.type,
    side: order.side,
    ...optional(order),
    workingTime: order.workingAtMs,
    selfTradePreventionMode: order.selfTradePrevention,
  }
  if (response === "RESULT") return result
  return {
    ...result,
    fills: order.trades.map((trade) => ({
      price: eight(trade.price),
      qty: eight(trade.quantity),
      commission: eight(trade.commission),
      commissionAsset: trade.commissionAsset,
      tradeId: trade.id,
    })),
  }
}

/** An order as queries show it. */
export const queried = (order: SandboxOrder): View => ({
  symbol: order.symbol,
  orderId: order.id,
  orderListId: order.listId,
  clientOrderId: order.clientId,
  price: eight(order.price),
  origQty: eight(order.quantity),
  executedQty: eight(order.executed),
  cummulativeQuoteQty: eight(order.quoteFilled),
  status: order.status,
  timeInForce: order.timeInForce,
  type: order.type,
  side: order.side,
  stopPrice: eight(order.stopPrice),
  icebergQty: eight(order.icebergQuantity),
  time: order.createdAtMs,
  updateTime: order.updatedAtMs,
  isWorking: order.working || !isOpen(order.status),
  ...optional(order),
  workingTime: order.workingAtMs,
  origQuoteOrderQty: eight(order.quoteOrderQuantity),
  selfTradePreventionMode: order.selfTradePrevention,
})

/** The answer to a cancel: `clientOrderId` is the cancel's own. */
export const cancelled = (order: SandboxOrder, requestId: string): View => ({
  symbol: order.symbol,
  origClientOrderId: order.clientId,
  orderId: order.id,
  orderListId: order.listId,
  clientOrderId: requestId,
  transactTime: order.updatedAtMs,
  price: eight(order.price),
  origQty: eight(order.quantity),
  executedQty: eight(order.executed),
  origQuoteOrderQty: eight(order.quoteOrderQuantity),
  cummulativeQuoteQty: eight(order.quoteFilled),
  status: order.status,
  timeInForce: order.timeInForce,
  type: order.type,
  side: order.side,
  ...optional(order),
  selfTradePreventionMode: order.selfTradePrevention,
})

export const trade = (item: SandboxTrade): View => ({
  symbol: item.symbol,
  id: item.id,
  orderId: item.orderId,
  orderListId: item.orderListId,
  price: eight(item.price),
  qty: eight(item.quantity),
  quoteQty: eight(item.quote),
  commission: eight(item.commission),
  commissionAsset: item.commissionAsset,
  time: item.atMs,
  isBuyer: item.side === "BUY",
  isMaker: item.maker,
  isBestMatch: true,
})

const refs = (list: OrderList): readonly View[] =>
  ordersOf(list).map((order) => ({ symbol: order.symbol, orderId: order.id, clientOrderId: order.clientId }))

/** A list as queries show it. */
export const listed = (list: OrderList): View => ({
  orderListId: list.id,
  contingencyType: list.contingency,
  listStatusType: list.status === "ALL_DONE" ? "ALL_DONE" : "EXEC_STARTED",
  listOrderStatus: list.status,
  listClientOrderId: list.clientId,
  transactionTime: list.createdAtMs,
  symbol: list.symbol,
  orders: refs(list),
})
export const listPlaced = (list: OrderList, response: ResponseType): View => ({
  ...listed(list),
  listStatusType: "EXEC_STARTED",
  listOrderStatus: "EXECUTING",
  orderReports: ordersOf(list).map((order) => placed(order, response === "FULL" ? "RESULT" : response)),
})
export const listCancelled = (list: OrderList, requestId: string): View => ({
  ...listed(list),
  orderReports: ordersOf(list).map((order) => cancelled(order, requestId)),
})

// Events

const EXECUTION: Readonly<Record<OrderEvent["kind"], string>> = {
  NEW: "NEW",
  WORKING: "NEW",
  TRADE: "TRADE",
  CANCELED: "CANCELED",
  EXPIRED: "EXPIRED",
  REJECTED: "REJECTED",
  AMENDMENT: "REPLACED",
}

/** `executionId` ascends with every report. */
export const executionReport = (event: OrderEvent, executionId: number): View => {
  const { order, trade: fill, requestId } = event
  const cancel = event.kind === "CANCELED"
  const reason = expiryReason(order)
  return {
    e: "executionReport",
    E: event.atMs,
    s: order.symbol,
    c: cancel ? (requestId ?? `sandbox-cancel-${order.id}`) : order.clientId,
    S: order.side,
    o: order.type,
    f: order.timeInForce,
    q: eight(order.quantity),
    p: eight(order.price),
    P: eight(order.stopPrice),
    F: eight(order.icebergQuantity),
    g: order.listId,
    C: cancel ? order.clientId : "",
    x: order.status === "EXPIRED_IN_MATCH" ? "TRADE_PREVENTION" : EXECUTION[event.kind],
    X: order.status,
    r: reason === "REJECTED" ? "INSUFFICIENT_BALANCES" : "NONE",
    i: order.id,
    l: eight(fill?.quantity ?? ZERO),
    z: eight(order.executed),
    L: eight(fill?.price ?? ZERO),
    n: fill === undefined ? "0" : eight(fill.commission),
    N: fill?.commissionAsset ?? null,
    T: event.atMs,
    t: fill?.id ?? -1,
    I: executionId,
    w: order.working,
    m: fill?.maker ?? false,
    M: false,
    O: order.createdAtMs,
    Z: eight(order.quoteFilled),
    Y: eight(fill === undefined ? ZERO : mul(fill.price, fill.quantity)),
    Q: eight(order.quoteOrderQuantity),
    ...(order.workingAtMs < 0 ? {} : { W: order.workingAtMs }),
    V: order.selfTradePrevention,
    ...(order.strategyId === undefined ? {} : { j: order.strategyId }),
    ...(order.strategyType === undefined ? {} : { J: order.strategyType }),
    ...(reason === undefined ? {} : { eR: reason }),
  }
}

export const listStatus = (list: OrderList, type: "EXEC_STARTED" | "ALL_DONE", atMs: number): View => ({
  e: "listStatus",
  E: atMs,
  s: list.symbol,
  g: list.id,
  c: list.contingency,
  l: type,
  L: type === "ALL_DONE" ? "ALL_DONE" : "EXECUTING",
  r: "NONE",
  C: list.clientId,
  T: atMs,
  O: ordersOf(list).map((order) => ({ s: order.symbol, i: order.id, c: order.clientId })),
})

/** Free and locked of these assets. */
export const balances = (
  exchange: Exchange,
  account: string,
  assets: Iterable<string>,
): readonly { asset: string; free: string; locked: string }[] =>
  [...assets].map((asset) => {
    const balance = exchange.store.balance(`${account}:spot`, asset)
    return { asset, free: eight(sub(dec(balance.total), dec(balance.locked))), locked: eight(add(dec(balance.locked), ZERO)) }
  })

export const accountPosition = (exchange: Exchange, account: string, assets: Iterable<string>, atMs: number): View => ({
  e: "outboundAccountPosition",
  E: atMs,
  u: atMs,
  B: balances(exchange, account, assets).map(({ asset, free, locked }) => ({ a: asset, f: free, l: locked })),
})
