/** The spot exchange put together: its desk, its lists, its endpoints, its events. */
import type { Exchange } from "../core/exchange.ts"
import type { OrderEvent } from "../core/orders.ts"
import type { History } from "../market/history.ts"
import { marketRoutes } from "../market/marketRoutes.ts"
import type { UserStreams } from "../streams/userStreams.ts"
import type { RateLimits } from "../wire/rateLimits.ts"
import type { Route } from "../wire/routes.ts"
import { spotAccountRoutes } from "./accountRoutes.ts"
import { SpotDesk } from "./desk.ts"
import { spotExtraRoutes } from "./extraRoutes.ts"
import { spotListRoutes } from "./listRoutes.ts"
import { OrderLists } from "./lists.ts"
import { spotOrderRoutes } from "./orderRoutes.ts"
import { accountPosition, executionReport, listStatus } from "./views.ts"

export interface SpotMarket {
  readonly desk: SpotDesk
  readonly lists: OrderLists
  readonly routes: readonly Route[]
}

export const openSpotMarket = (exchange: Exchange, streams: UserStreams, limits: RateLimits, history: History): SpotMarket => {
  let executions = 8_641_000
  // Clients hear of an event before anything follows from it.
  exchange.on((event: OrderEvent) => {
    const { order } = event
    if (order.market !== "spot") return
    executions += 1
    streams.publish("spot", order.account, executionReport(event, executions))
    const { base, quote } = exchange.symbols.known("spot", order.symbol)
    const assets = new Set([base, quote])
    if (event.trade !== undefined) assets.add(event.trade.commissionAsset)
    streams.publish("spot", order.account, accountPosition(exchange, order.account, assets, event.atMs))
    if (event.kind === "TRADE" && order.trades.length === 1) limits.filled(order.account)
  })
  const desk = new SpotDesk(exchange)
  const lists = new OrderLists(desk)
  lists.on((list, status) => streams.publish("spot", list.account, listStatus(list, status, exchange.nowMs())))
  const routes = [
    ...marketRoutes("spot", "/api/v3", exchange, limits, history),
    ...spotOrderRoutes(desk, lists),
    ...spotListRoutes(desk, lists),
    ...spotAccountRoutes(exchange, limits),
    ...spotExtraRoutes(desk),
  ]
  return { desk, lists, routes }
}
