/** Everything that ever happened, as values: what a test compares its client's memory with. */
import { str } from "@petrosa/contracts"
import type { Market } from "@petrosa/contracts"
import type { World } from "../world.ts"
import { ordersOf } from "../spot/lists.ts"

export interface LedgerOrder {
  readonly market: Market
  readonly account: string
  readonly symbol: string
  readonly orderId: string
  readonly clientId: string
  readonly listId: string
  readonly side: "BUY" | "SELL"
  readonly positionSide: string
  readonly type: string
  readonly origType: string
  readonly timeInForce: string
  readonly status: string
  readonly quantity: string
  readonly price: string
  readonly stopPrice: string
  readonly executed: string
  readonly quoteFilled: string
  readonly reduceOnly: boolean
  readonly createdAtMs: number
  readonly updatedAtMs: number
}
export interface LedgerTrade {
  readonly market: Market
  readonly account: string
  readonly symbol: string
  readonly tradeId: string
  readonly orderId: string
  readonly clientId: string
  readonly side: "BUY" | "SELL"
  readonly positionSide: string
  readonly price: string
  readonly quantity: string
  readonly commission: string
  readonly commissionAsset: string
  readonly realised: string
  readonly maker: boolean
  readonly atMs: number
}
export interface LedgerAlgo {
  readonly account: string
  readonly symbol: string
  readonly algoId: string
  readonly clientAlgoId: string
  readonly side: "BUY" | "SELL"
  readonly positionSide: string
  readonly type: string
  readonly status: string
  readonly quantity: string
  readonly triggerPrice: string
  readonly closePosition: boolean
  readonly reduceOnly: boolean
  /** Empty: no child. */
  readonly childOrderId: string
  readonly rejectReason: string
}
export interface LedgerPosition {
  readonly account: string
  readonly symbol: string
  readonly positionSide: "BOTH" | "LONG" | "SHORT"
  readonly quantity: string
  readonly entryPrice: string
}
export interface Ledger {
  readonly orders: readonly LedgerOrder[]
  readonly trades: readonly LedgerTrade[]
  readonly algoOrders: readonly LedgerAlgo[]
  readonly orderLists: readonly {
    readonly account: string
    readonly id: string
    readonly clientId: string
    readonly status: string
    readonly orderIds: readonly string[]
  }[]
  /** Those that are not zero. */
  readonly positions: readonly LedgerPosition[]
  /** By account, market and asset; total and locked. */
  readonly balances: readonly {
    readonly account: string
    readonly market: Market
    readonly asset: string
    readonly total: string
    readonly locked: string
  }[]
  /** How often a client was told 429, 418. */
  readonly limited: Readonly<Record<Market, { readonly 429: number; readonly 418: number }>>
}

export const readLedger = (world: World, account?: string): Ledger => {
  const { exchange } = world
  const names = [...exchange.accounts.keys()].filter((name) => account === undefined || name === account)
  const assets = new Set(
    (["spot", "futures"] as const).flatMap((market) => exchange.symbols.all(market).flatMap((info) => [info.base, info.quote, "BNB"])),
  )
  return {
    orders: exchange.orders.all(undefined, account).map((order) => ({
      market: order.market,
      account: order.account,
      symbol: order.symbol,
      orderId: order.id.toString(),
      clientId: order.clientId,
      listId: order.listId.toString(),
      side: order.side,
      positionSide: order.positionSide,
      type: order.type,
      origType: order.origType,
      timeInForce: order.timeInForce,
      status: order.status,
      quantity: str(order.quantity),
      price: str(order.price),
      stopPrice: str(order.stopPrice),
      executed: str(order.executed),
      quoteFilled: str(order.quoteFilled),
      reduceOnly: order.reduceOnly,
      createdAtMs: order.createdAtMs,
      updatedAtMs: order.updatedAtMs,
    })),
    trades: exchange.orders.trades(undefined, account).map((trade) => ({
      market: trade.market,
      account: trade.account,
      symbol: trade.symbol,
      tradeId: trade.id.toString(),
      orderId: trade.orderId.toString(),
      clientId: trade.clientId,
      side: trade.side,
      positionSide: trade.positionSide,
      price: str(trade.price),
      quantity: str(trade.quantity),
      commission: str(trade.commission),
      commissionAsset: trade.commissionAsset,
      realised: str(trade.realised),
      maker: trade.maker,
      atMs: trade.atMs,
    })),
    algoOrders: world.futures.algos.all(account).map((order) => ({
      account: order.account,
      symbol: order.symbol,
      algoId: order.id.toString(),
      clientAlgoId: order.clientAlgoId,
      side: order.side,
      positionSide: order.positionSide,
      type: order.type,
      status: order.status,
      quantity: str(order.quantity),
      triggerPrice: str(order.triggerPrice),
      closePosition: order.closePosition,
      reduceOnly: order.reduceOnly,
      childOrderId: order.child?.id.toString() ?? "",
      rejectReason: order.rejectReason,
    })),
    orderLists: names.flatMap((name) =>
      world.spot.lists.all(name).map((list) => ({
        account: name,
        id: list.id.toString(),
        clientId: list.clientId,
        status: list.status,
        orderIds: ordersOf(list).map((order) => order.id.toString()),
      })),
    ),
    positions: names.flatMap((name) =>
      exchange.symbols.all("futures").flatMap((info) =>
        (["BOTH", "LONG", "SHORT"] as const).flatMap((positionSide) => {
          const held = world.futures.desk.position(name, info.symbol, positionSide)
          return held.quantity.value === 0n
            ? []
            : [{ account: name, symbol: info.symbol, positionSide, quantity: str(held.quantity), entryPrice: str(held.entryPrice) }]
        }),
      ),
    ),
    balances: names.flatMap((name) =>
      (["spot", "futures"] as const).flatMap((market) =>
        [...assets].flatMap((asset) => {
          const balance = exchange.store.balance(`${name}:${market}`, asset)
          return balance.total === "0" && balance.locked === "0" ? [] : [{ account: name, market, asset, ...balance }]
        }),
      ),
    ),
    limited: { spot: { ...world.limits.spot.told }, futures: { ...world.limits.futures.told } },
  }
}
