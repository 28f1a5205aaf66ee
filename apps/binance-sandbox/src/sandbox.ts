/**
 * A local Binance: spot and USDⓈ-M futures on two loopback ports. See README.md for what is covered.
 *
 * Promise: after `startSandbox` both hosts listen; after `close` nothing of it is left. What can go wrong: a port is taken.
 */
import type { Market } from "@petrosa/contracts"
import { disturbStreams, fillOrder, forceClose, setPrice } from "./admin/controls.ts"
import type { StreamAction } from "./admin/controls.ts"
import { adminEndpoint } from "./admin/endpoint.ts"
import { readLedger } from "./admin/ledger.ts"
import type { Ledger } from "./admin/ledger.ts"
import { systemClock } from "./core/clock.ts"
import type { Clock } from "./core/clock.ts"
import type { WirePositionSide } from "./core/orders.ts"
import type { FaultRule } from "./faults/rules.ts"
import { FUTURES_SOCKET_PATHS } from "./futures/sockets.ts"
import { FUTURES_HEARTBEAT, SPOT_HEARTBEAT } from "./streams/connection.ts"
import type { Connection, Heartbeat } from "./streams/connection.ts"
import { speakMarketProtocol } from "./streams/marketProtocol.ts"
import { startHost } from "./wire/server.ts"
import type { Host } from "./wire/server.ts"
import { createWorld } from "./world.ts"
import type { World, WorldOptions } from "./world.ts"

export interface SandboxOptions extends WorldOptions {
  /** Of the spot host; 0 or absent: any. */
  readonly spotPort?: number
  readonly futuresPort?: number
  /** Default 127.0.0.1. Anything else opens the admin endpoint to others, too. */
  readonly host?: string
  readonly clock?: Clock
  /** Pings, how long a pong may take, how long a connection lives: Binance's, unless said otherwise. */
  readonly heartbeats?: Partial<Record<Market, Partial<Heartbeat>>>
}

export interface Sandbox {
  /** Base URLs of REST, as the connectors take them. */
  readonly spotUrl: string
  readonly futuresUrl: string
  /** Spot's WebSocket API, and the stream hosts. */
  readonly spotApiSocketUrl: string
  readonly spotStreamUrl: string
  readonly futuresStreamUrl: string
  readonly futuresApiSocketUrl: string
  readonly adminUrl: string
  /** What lies behind the ports. A reset makes a new one. */
  readonly world: World
  /** Both markets, where the symbol is known, unless one is named. */
  setPrice(symbol: string, price: string, more?: { readonly market?: Market; readonly mark?: string }): void
  addFaults(...rules: readonly FaultRule[]): readonly number[]
  clearFaults(): void
  setSkew(skewMs: number): void
  /** Fills an open order at its price. */
  fill(market: Market, clientId: string, quantity?: string): void
  liquidate(account: string, symbol: string, positionSide?: WirePositionSide): void
  disturb(market: Market, action: StreamAction, account?: string): void
  connections(market: Market): number
  ledger(account?: string): Ledger
  /** All is as at the start; connections are cut. */
  reset(): void
  close(): Promise<void>
}

export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const clock = options.clock ?? systemClock
  const address = options.host ?? "127.0.0.1"
  let world = createWorld(clock, options)
  const hosts: Partial<Record<Market, Host>> = {}
  const connections = (market: Market): ReadonlySet<Connection> => hosts[market]?.connections ?? new Set()
  const reset = (): void => {
    world.stop()
    for (const market of ["spot", "futures"] as const) for (const connection of connections(market)) connection.cut()
    world = createWorld(clock, options)
  }
  const admin = adminEndpoint({ world: () => world, connections, reset })
  const common = { host: address, clock, admin }

  hosts.spot = await startHost({
    ...common,
    port: options.spotPort ?? 0,
    gate: () => world.gates.spot,
    routes: () => world.routes.spot,
    heartbeat: { ...SPOT_HEARTBEAT, ...options.heartbeats?.spot },
    socketPaths: /^\/(ws-api\/v3$|ws(\/|$)|stream$)/,
    socket: (connection, url) => {
      if (url.pathname === "/ws-api/v3") {
        world.socketApis.spot.open(connection)
        return
      }
      const [kind, ...names] = url.pathname.split("/").filter((part) => part !== "")
      const asked = [...names, ...(url.searchParams.get("streams")?.split("/") ?? [])].filter((name) => name !== "")
      world.marketStreams.spot.open(connection, asked, kind === "stream")
      speakMarketProtocol(connection, world.marketStreams.spot)
    },
  })
  try {
    hosts.futures = await startHost({
      ...common,
      port: options.futuresPort ?? 0,
      gate: () => world.gates.futures,
      routes: () => world.routes.futures,
      heartbeat: { ...FUTURES_HEARTBEAT, ...options.heartbeats?.futures },
      socketPaths: FUTURES_SOCKET_PATHS,
      socket: (connection, url) =>
        url.pathname === "/ws-fapi/v1" ? world.socketApis.futures.open(connection) : world.futuresSockets.open(connection, url),
    })
  } catch (error) {
    await hosts.spot.close()
    throw error
  }
  const spot = `${address}:${hosts.spot.port}`
  const futures = `${address}:${hosts.futures.port}`
  const firstAccount = (): string => [...world.exchange.accounts.keys()][0] ?? ""

  return {
    spotUrl: `http://${spot}`,
    futuresUrl: `http://${futures}`,
    spotApiSocketUrl: `ws://${spot}/ws-api/v3`,
    spotStreamUrl: `ws://${spot}`,
    futuresStreamUrl: `ws://${futures}`,
    futuresApiSocketUrl: `ws://${futures}/ws-fapi/v1`,
    adminUrl: `http://${spot}/sandbox`,
    get world() {
      return world
    },
    setPrice: (symbol, price, more = {}) => setPrice(world, more.market, symbol, price, more.mark),
    addFaults: (...rules) => world.faults.add(rules),
    clearFaults: () => world.faults.clear(),
    setSkew: (skewMs) => {
      world.exchange.skewMs = skewMs
    },
    fill: (market, clientId, quantity) => fillOrder(world, market, clientId, quantity),
    liquidate: (account, symbol, positionSide = "BOTH") => forceClose(world, account, symbol, positionSide, false),
    disturb: (market, action, account) => disturbStreams(world, connections(market), action, account ?? firstAccount()),
    connections: (market) => connections(market).size,
    ledger: (account) => readLedger(world, account),
    reset,
    close: async () => {
      world.stop()
      await Promise.all(Object.values(hosts).map((host) => host.close()))
    },
  }
}
