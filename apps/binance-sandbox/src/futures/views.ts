/** Futures answers and user-stream events, as the USDⓈ-M documentation and recorded events write them (binance.md 7.2). */
import { ZERO, dec, gt, isZero, mul, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import { leverageOf } from "../core/accounts.ts"
import type { Exchange } from "../core/exchange.ts"
import type { OrderEvent, SandboxOrder, SandboxTrade, WirePositionSide } from "../core/orders.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { eight, places, ratio } from "../wire/decimals.ts"
import type { AlgoOrder } from "./algo.ts"
import type { FuturesDesk } from "./desk.ts"

type View = Readonly<Record<string, unknown>>
/** Numbers of events are written short. */
const short = (value: Decimal): string => {
  const text = places(value, 12)
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text
}
const price = (info: SymbolInfo, value: Decimal): string => places(value, info.pricePlaces)
const quantity = (info: SymbolInfo, value: Decimal): string => places(value, info.quantityPlaces)

/**
 * The answer to placing, cancelling and modifying. Since mid-2026 it names neither `avgPrice` nor `cumQuote`; an ACK does not
 * tell of fills either.
 */
export const acknowledged = (info: SymbolInfo, order: SandboxOrder, response: "ACK" | "RESULT"): View => {
  const ack = response === "ACK"
  return {
    orderId: order.id,
    symbol: order.symbol,
    status: ack ? "NEW" : order.status,
    clientOrderId: order.clientId,
    price: price(info, order.price),
    origQty: quantity(info, order.quantity),
    executedQty: quantity(info, ack ? ZERO : order.executed),
    cumQty: quantity(info, ack ? ZERO : order.executed),
    timeInForce: order.timeInForce,
    type: order.type,
    reduceOnly: order.reduceOnly,
    closePosition: order.closePosition,
    side: order.side,
    positionSide: order.positionSide,
    stopPrice: price(info, order.stopPrice),
    workingType: order.workingType,
    priceProtect: false,
    origType: order.origType,
    priceMatch: order.priceMatch,
    selfTradePreventionMode: order.selfTradePrevention,
    goodTillDate: order.goodTillDateMs,
    updateTime: order.updatedAtMs,
  }
}

export const averagePrice = (order: SandboxOrder): Decimal => ratio(order.quoteFilled, order.executed)

/** An order as queries show it. */
export const queried = (info: SymbolInfo, order: SandboxOrder): View => ({
  ...acknowledged(info, order, "RESULT"),
  avgPrice: isZero(order.executed) ? "0.00000" : places(averagePrice(order), Math.max(5, info.pricePlaces)),
  cumQuote: places(order.quoteFilled, 8),
  time: order.createdAtMs,
})

export const trade = (info: SymbolInfo, item: SandboxTrade): View => ({
  buyer: item.side === "BUY",
  commission: eight(item.commission),
  commissionAsset: item.commissionAsset,
  id: item.id,
  maker: item.maker,
  orderId: item.orderId,
  price: price(info, item.price),
  qty: quantity(info, item.quantity),
  quoteQty: places(item.quote, 8),
  realizedPnl: eight(item.realised),
  side: item.side,
  positionSide: item.positionSide,
  symbol: item.symbol,
  time: item.atMs,
})

/** An algo order; a query also names the child. */
export const algo = (info: SymbolInfo, order: AlgoOrder, query: boolean): View => {
  const { child } = order
  return {
    algoId: order.id,
    clientAlgoId: order.clientAlgoId,
    algoType: "CONDITIONAL",
    orderType: order.type,
    symbol: order.symbol,
    side: order.side,
    positionSide: order.positionSide,
    timeInForce: order.timeInForce,
    quantity: quantity(info, order.quantity),
    algoStatus: order.status,
    ...(query
      ? {
          actualOrderId: child === undefined ? "" : child.id.toString(),
          actualPrice: child === undefined ? "0.00000" : places(averagePrice(child), 5),
          actualQty: quantity(info, child?.executed ?? ZERO),
          actualType: child?.type ?? "",
        }
      : {}),
    triggerPrice: price(info, order.triggerPrice),
    price: price(info, order.price),
    icebergQuantity: null,
    tpTriggerPrice: price(info, ZERO),
    tpPrice: price(info, ZERO),
    slTriggerPrice: price(info, ZERO),
    slPrice: price(info, ZERO),
    tpOrderType: "",
    selfTradePreventionMode: order.selfTradePrevention,
    workingType: order.workingType,
    priceMatch: "NONE",
    closePosition: order.closePosition,
    priceProtect: order.priceProtect,
    reduceOnly: order.reduceOnly || order.closePosition,
    ...(order.type === "TRAILING_STOP_MARKET"
      ? { activatePrice: price(info, order.activatePrice), callbackRate: short(order.callbackRate) }
      : {}),
    createTime: order.createdAtMs,
    updateTime: order.updatedAtMs,
    triggerTime: order.triggeredAtMs,
    goodTillDate: order.goodTillDateMs,
  }
}

// Events

/** `er`: why it expired, as a number. */
const expiry = (order: SandboxOrder): string => {
  if (order.status === "EXPIRED_IN_MATCH") return "1"
  if (order.status !== "EXPIRED") return "0"
  if (order.expiryReason === "nothingToReduce") return "4"
  if (order.expiryReason === "liquidation") return "5"
  return order.type === "MARKET" ? "9" : "2"
}

/** Orders of the exchange itself: liquidation and auto-deleveraging. */
const FORCED = /^(autoclose-|adl_autoclose)/

export const orderTradeUpdate = (event: OrderEvent): View => {
  const { order, trade: fill } = event
  const forced = FORCED.test(order.clientId)
  return {
    e: "ORDER_TRADE_UPDATE",
    T: event.atMs,
    E: event.atMs,
    o: {
      s: order.symbol,
      c: order.clientId,
      S: order.side,
      o: forced ? "LIQUIDATION" : order.type,
      f: order.timeInForce,
      q: short(order.quantity),
      p: short(order.price),
      ap: short(averagePrice(order)),
      sp: short(order.stopPrice),
      x: forced && event.kind === "TRADE" ? "CALCULATED" : event.kind === "WORKING" ? "NEW" : event.kind,
      X: order.status,
      i: order.id,
      l: short(fill?.quantity ?? ZERO),
      z: short(order.executed),
      L: short(fill?.price ?? ZERO),
      ...(fill === undefined ? {} : { n: short(fill.commission), N: fill.commissionAsset }),
      T: event.atMs,
      t: fill?.id ?? 0,
      b: "0",
      a: "0",
      m: fill?.maker ?? false,
      R: order.reduceOnly,
      wt: order.workingType,
      ot: order.origType,
      ps: order.positionSide,
      cp: order.closePosition,
      rp: short(fill?.realised ?? ZERO),
      pP: false,
      si: 0,
      ss: 0,
      V: order.selfTradePrevention,
      pm: order.priceMatch,
      gtd: order.goodTillDateMs,
      er: expiry(order),
    },
  }
}

/** The fast one: fills only, and no more than what the tape knows. */
export const tradeLite = (event: OrderEvent, fill: SandboxTrade): View => ({
  e: "TRADE_LITE",
  E: event.atMs,
  T: event.atMs,
  s: fill.symbol,
  q: short(event.order.quantity),
  p: short(event.order.price),
  m: fill.maker,
  c: fill.clientId,
  S: fill.side,
  L: short(fill.price),
  l: short(fill.quantity),
  t: fill.id,
  i: fill.orderId,
})

export const algoUpdate = (order: AlgoOrder, atMs: number): View => {
  const { child } = order
  return {
    e: "ALGO_UPDATE",
    T: atMs,
    E: atMs,
    o: {
      caid: order.clientAlgoId,
      aid: order.id,
      at: "CONDITIONAL",
      o: order.type,
      s: order.symbol,
      S: order.side,
      ps: order.positionSide,
      f: order.timeInForce,
      q: short(order.quantity),
      X: order.status,
      ai: child === undefined ? "" : child.id.toString(),
      ap: child === undefined ? "0" : short(averagePrice(child)),
      aq: short(child?.executed ?? ZERO),
      act: child?.type ?? "",
      tp: short(order.triggerPrice),
      p: short(order.price),
      V: order.selfTradePrevention,
      wt: order.workingType,
      pm: "NONE",
      cp: order.closePosition,
      pP: order.priceProtect,
      R: order.reduceOnly || order.closePosition,
      tt: order.triggeredAtMs,
      gtd: order.goodTillDateMs,
      ia: order.activated,
      rm: order.rejectReason,
    },
  }
}

/** Wallet and free money of one asset of the futures account. */
export const wallet = (exchange: Exchange, account: string, asset: string) => {
  const balance = exchange.store.balance(`${account}:futures`, asset)
  const total = dec(balance.total)
  const locked = dec(balance.locked)
  const free = sub(total, locked)
  return { total, locked, free: gt(free, ZERO) ? free : ZERO }
}

export const accountUpdate = (
  desk: FuturesDesk,
  account: string,
  reason: string,
  assets: Iterable<string>,
  positions: readonly (readonly [symbol: string, side: WirePositionSide])[],
  atMs: number,
): View => ({
  e: "ACCOUNT_UPDATE",
  E: atMs,
  T: atMs,
  a: {
    m: reason,
    B: [...assets].map((asset) => {
      const { total } = wallet(desk.exchange, account, asset)
      return { a: asset, wb: eight(total), cw: eight(total), bc: "0" }
    }),
    P: positions.map(([symbol, side]) => {
      const held = desk.position(account, symbol, side)
      return {
        s: symbol,
        pa: short(held.quantity),
        ep: short(held.entryPrice),
        bep: short(held.entryPrice),
        cr: short(held.realised),
        up: short(held.unrealised),
        mt: marginTypeOf(desk.exchange, account, symbol) === "ISOLATED" ? "isolated" : "cross",
        iw: "0",
        ps: side,
      }
    }),
  },
})

export const marginTypeOf = (exchange: Exchange, account: string, symbol: string): "CROSSED" | "ISOLATED" =>
  exchange.account(account).marginType.get(symbol) ?? "CROSSED"

/** A position as `positionRisk` shows it. */
export const positionRisk = (desk: FuturesDesk, info: SymbolInfo, account: string, side: WirePositionSide, atMs: number): View => {
  const held = desk.position(account, info.symbol, side)
  const notional = mul(held.mark, held.quantity)
  const isolated = marginTypeOf(desk.exchange, account, info.symbol) === "ISOLATED"
  return {
    symbol: info.symbol,
    positionSide: side,
    positionAmt: quantity(info, held.quantity),
    entryPrice: places(held.entryPrice, 8),
    breakEvenPrice: places(held.entryPrice, 8),
    markPrice: places(held.mark, 8),
    unRealizedProfit: eight(held.unrealised),
    liquidationPrice: "0",
    leverage: String(leverageOf(desk.exchange.account(account), info.symbol)),
    marginType: isolated ? "isolated" : "cross",
    isolatedMargin: isolated ? eight(held.margin) : "0",
    isolatedWallet: isolated ? eight(held.margin) : "0",
    notional: eight(notional),
    marginAsset: info.quote,
    initialMargin: eight(held.margin),
    maintMargin: "0",
    positionInitialMargin: eight(held.margin),
    openOrderInitialMargin: "0",
    adl: 0,
    bidNotional: "0",
    askNotional: "0",
    maxNotionalValue: "40000000",
    isAutoAddMargin: "false",
    updateTime: isZero(held.quantity) ? 0 : atMs,
  }
}
