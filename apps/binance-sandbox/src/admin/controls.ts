/** What can be done to a running sandbox from outside, beside faults: the same by call and by the admin endpoint. */
import { abs, dec, isNegative, isZero } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import { leftOf } from "../core/orders.ts"
import type { SandboxOrder, WirePositionSide } from "../core/orders.ts"
import type { Connection } from "../streams/connection.ts"
import { ApiError } from "../wire/errors.ts"
import type { World } from "../world.ts"

/** An order of either market, by its client id. */
export const findOrder = (world: World, market: Market, clientId: string): SandboxOrder => {
  const order = world.exchange.orders.all(market).findLast((one) => one.clientId === clientId)
  if (order === undefined) throw new ApiError(-2013, `no order with the client id ${clientId}`)
  return order
}

/** Fills an open order, all of it or so much, at its own price (a market order's: the last). */
export const fillOrder = (world: World, market: Market, clientId: string, quantity?: string): void => {
  const order = findOrder(world, market, clientId)
  const last = world.exchange.price(market, order.symbol)?.last
  if (last !== undefined) world.exchange.fill(order, quantity === undefined ? leftOf(order) : dec(quantity), last)
}

/** The exchange closes a position by itself, as a liquidation or an auto-deleveraging. */
export const forceClose = (world: World, account: string, symbol: string, positionSide: WirePositionSide, adl: boolean): void => {
  const { exchange, futures } = world
  const { quantity } = futures.desk.position(account, symbol, positionSide)
  if (isZero(quantity)) throw new ApiError(-2024, "Position is not sufficient.")
  const order = exchange.create({
    account,
    market: "futures",
    symbol,
    clientId: adl ? "adl_autoclose" : `autoclose-${exchange.nowMs()}`,
    side: isNegative(quantity) ? "BUY" : "SELL",
    type: "MARKET",
    quantity: abs(quantity),
    positionSide,
    reduceOnly: positionSide === "BOTH",
  })
  exchange.open(order)
}

export const setPrice = (world: World, market: Market | undefined, symbol: string, price: string, mark?: string): void => {
  const last: Decimal = dec(price)
  let known = false
  for (const one of market === undefined ? (["spot", "futures"] as const) : [market]) {
    if (world.exchange.symbols.get(one, symbol) === undefined) continue
    known = true
    world.exchange.setPrice(one, symbol, { last, mark: mark === undefined ? undefined : dec(mark) })
  }
  if (!known) throw new ApiError(-1121, "Invalid symbol.")
}

/**
 * `cut`: sockets close without a word. `silence`: they stay open, and not a frame comes any more. `shutdown`: the spot event
 * `serverShutdown`, and the connections close. `killListenKey`: the key is dead, the sockets stay. `expireListenKey`: with the
 * event.
 */
export const STREAM_ACTIONS = ["cut", "silence", "shutdown", "killListenKey", "expireListenKey"] as const
export type StreamAction = (typeof STREAM_ACTIONS)[number]

export const disturbStreams = (world: World, connections: ReadonlySet<Connection>, action: StreamAction, account: string): void => {
  const atMs = world.exchange.nowMs()
  switch (action) {
    case "cut":
      for (const connection of connections) connection.cut()
      break
    case "silence":
      for (const connection of connections) connection.silent = true
      break
    case "shutdown":
      for (const connection of connections) {
        connection.send({ event: { e: "serverShutdown", E: atMs } })
        connection.close()
      }
      break
    case "killListenKey":
      world.futures.listenKeys.kill(account)
      break
    case "expireListenKey": {
      const key = world.futures.listenKeys.kill(account)
      if (key !== undefined) world.futuresSockets.expired(key, atMs)
      break
    }
    default:
      action satisfies never
  }
}
