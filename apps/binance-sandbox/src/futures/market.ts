/** The futures exchange put together: its desk, the algo service, listen keys, endpoints, events. */
import type { Exchange } from "../core/exchange.ts"
import type { OrderEvent } from "../core/orders.ts"
import type { History } from "../market/history.ts"
import { marketRoutes } from "../market/marketRoutes.ts"
import type { UserStreams } from "../streams/userStreams.ts"
import type { RateLimits } from "../wire/rateLimits.ts"
import type { Route } from "../wire/routes.ts"
import { futuresAccountRoutes } from "./accountRoutes.ts"
import { AlgoService } from "./algo.ts"
import { futuresAlgoRoutes } from "./algoRoutes.ts"
import { FuturesDesk } from "./desk.ts"
import { futuresExtraRoutes } from "./extraRoutes.ts"
import { ListenKeys } from "./listenKeys.ts"
import { futuresOrderRoutes } from "./orderRoutes.ts"
import { accountUpdate, algoUpdate, orderTradeUpdate, tradeLite } from "./views.ts"

export interface FuturesMarket {
  readonly desk: FuturesDesk
  readonly algos: AlgoService
  readonly listenKeys: ListenKeys
  readonly routes: readonly Route[]
}

export interface FuturesOptions {
  readonly firstAlgoId: bigint
}

export const openFuturesMarket = (
  exchange: Exchange,
  streams: UserStreams,
  limits: RateLimits,
  history: History,
  options: FuturesOptions,
): FuturesMarket => {
  const desk = new FuturesDesk(exchange)
  exchange.on((event: OrderEvent) => {
    const { order, trade } = event
    if (order.market !== "futures") return
    if (trade !== undefined) {
      streams.publish("futures", order.account, tradeLite(event, trade))
      const { quote } = exchange.symbols.known("futures", order.symbol)
      const assets = new Set([quote, trade.commissionAsset])
      const changed = [[order.symbol, order.positionSide] as const]
      streams.publish("futures", order.account, accountUpdate(desk, order.account, "ORDER", assets, changed, event.atMs))
    }
    streams.publish("futures", order.account, orderTradeUpdate(event))
  })
  const algos = new AlgoService(desk, options.firstAlgoId)
  algos.on((order) => streams.publish("futures", order.account, algoUpdate(order, exchange.nowMs())))
  const listenKeys = new ListenKeys(() => exchange.nowMs())
  const routes = [
    ...marketRoutes("futures", "/fapi/v1", exchange, limits, history),
    ...marketRoutes("futures", "/fapi/v2", exchange, limits, history).filter((route) => route.op === "tickerPrice"),
    ...futuresOrderRoutes(desk, limits),
    ...futuresAlgoRoutes(desk, algos),
    ...futuresExtraRoutes(desk),
    ...futuresAccountRoutes(desk, algos, listenKeys, streams, limits),
  ]
  return { desk, algos, listenKeys, routes }
}
