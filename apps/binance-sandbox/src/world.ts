/** The whole sandbox without its ports: exchange, both markets, streams, limits, faults, feed. A reset makes a new one. */
import { dec } from "@petrosa/contracts"
import type { Decimal, DecimalString, Market } from "@petrosa/contracts"
import { DEFAULT_ACCOUNT, openAccount } from "./core/accounts.ts"
import type { AccountOptions } from "./core/accounts.ts"
import type { Clock } from "./core/clock.ts"
import { DEFAULT_FEES } from "./core/commission.ts"
import type { Fees } from "./core/commission.ts"
import { Exchange } from "./core/exchange.ts"
import { DEEP } from "./core/ladder.ts"
import type { Liquidity } from "./core/ladder.ts"
import { SymbolTable } from "./core/symbols.ts"
import { Faults } from "./faults/rules.ts"
import type { FaultRule } from "./faults/rules.ts"
import { openFuturesMarket } from "./futures/market.ts"
import type { FuturesMarket } from "./futures/market.ts"
import { FUTURES_METHODS } from "./futures/socketMethods.ts"
import { FuturesSockets } from "./futures/sockets.ts"
import { startFeed } from "./market/feed.ts"
import type { FeedOptions } from "./market/feed.ts"
import { History } from "./market/history.ts"
import { OTHER_PRICE, START_PRICES } from "./market/startPrices.ts"
import { openSpotMarket } from "./spot/market.ts"
import type { SpotMarket } from "./spot/market.ts"
import { SPOT_METHODS } from "./spot/socketMethods.ts"
import { BEAT_MS, MarketStreams } from "./streams/marketStreams.ts"
import { SocketApi } from "./streams/socketApi.ts"
import { UserStreams } from "./streams/userStreams.ts"
import { Gate } from "./wire/gate.ts"
import type { JsonObject } from "./wire/json.ts"
import { FUTURES_LIMITS, RateLimits, SPOT_LIMITS } from "./wire/rateLimits.ts"
import type { RateLimitOptions } from "./wire/rateLimits.ts"
import type { Route } from "./wire/routes.ts"

export interface WorldOptions {
  readonly accounts?: readonly AccountOptions[]
  /** Answers of exchangeInfo to use instead of the recorded ones. */
  readonly exchangeInfo?: { readonly spot?: JsonObject; readonly futures?: JsonObject }
  /** Start prices by symbol, both markets. */
  readonly prices?: Readonly<Record<string, string>>
  readonly fees?: Partial<Fees>
  readonly liquidity?: Partial<Liquidity>
  readonly limits?: { readonly spot?: Partial<RateLimitOptions>; readonly futures?: Partial<RateLimitOptions> }
  readonly feed?: FeedOptions
  readonly faults?: readonly FaultRule[]
  /** Of chance in faults. */
  readonly seed?: number
  readonly executionDelayMs?: number
  readonly skewMs?: number
  /** The first order ids. Futures default to ids beyond 2^53, as they are in life. */
  readonly firstIds?: { readonly spot?: bigint; readonly futures?: bigint; readonly algo?: bigint }
  /** Futures user streams only deliver in the form that works in production (binance.md 2.2). */
  readonly strictStreams?: boolean
}

export interface World {
  readonly exchange: Exchange
  readonly faults: Faults
  readonly streams: UserStreams
  readonly history: History
  readonly spot: SpotMarket
  readonly futures: FuturesMarket
  readonly limits: Readonly<Record<Market, RateLimits>>
  readonly gates: Readonly<Record<Market, Gate>>
  readonly routes: Readonly<Record<Market, ReadonlyMap<string, Route>>>
  readonly marketStreams: Readonly<Record<Market, MarketStreams>>
  readonly socketApis: Readonly<Record<Market, SocketApi>>
  readonly futuresSockets: FuturesSockets
  stop(): void
}

const EXPIRY_EVERY_MS = 1000
const FIRST_IDS = { spot: 42_000_000_001n, futures: 8_389_765_612_825_190_001n, algo: 3_000_000_000_003_505n }
const byKey = (routes: readonly Route[]): ReadonlyMap<string, Route> =>
  new Map(routes.map((route) => [`${route.method} ${route.path}`, route]))

/** Sets what a wallet holds of an asset; what is locked stays locked. */
export const setBalance = (exchange: Exchange, account: string, market: Market, asset: string, total: string): void => {
  const wallet = `${account}:${market}`
  exchange.store.putBalance(wallet, asset, {
    total: dec(total) && (total as DecimalString),
    locked: exchange.store.balance(wallet, asset).locked,
  })
}

export const createWorld = (clock: Clock, options: WorldOptions): World => {
  const accounts = options.accounts ?? [DEFAULT_ACCOUNT]
  const symbols = new SymbolTable(options.exchangeInfo ?? {})
  const exchange = new Exchange({
    clock,
    symbols,
    accounts: accounts.map(openAccount),
    fees: { ...DEFAULT_FEES, ...options.fees },
    liquidity: { ...DEEP, ...options.liquidity },
    executionDelayMs: options.executionDelayMs ?? 0,
    firstOrderId: { spot: options.firstIds?.spot ?? FIRST_IDS.spot, futures: options.firstIds?.futures ?? FIRST_IDS.futures },
  })
  exchange.skewMs = options.skewMs ?? 0
  for (const account of accounts)
    for (const market of ["spot", "futures"] as const)
      for (const [asset, total] of Object.entries(account[market] ?? {})) setBalance(exchange, account.name, market, asset, total)

  const faults = new Faults(options.seed ?? 1, options.faults ?? [])
  const streams = new UserStreams(clock, faults)
  const history = new History()
  const nowMs = (): number => exchange.nowMs()
  const limits = {
    spot: new RateLimits("spot", { ...SPOT_LIMITS, ...options.limits?.spot }, nowMs),
    futures: new RateLimits("futures", { ...FUTURES_LIMITS, ...options.limits?.futures }, nowMs),
  }
  const gates = {
    spot: new Gate("spot", exchange, limits.spot, faults),
    futures: new Gate("futures", exchange, limits.futures, faults),
  }
  const spot = openSpotMarket(exchange, streams, limits.spot, history)
  const futures = openFuturesMarket(exchange, streams, limits.futures, history, { firstAlgoId: options.firstIds?.algo ?? FIRST_IDS.algo })
  const marketStreams = { spot: new MarketStreams("spot", exchange, history), futures: new MarketStreams("futures", exchange, history) }
  const socketApis = {
    spot: new SocketApi("spot", gates.spot, streams, spot.routes, SPOT_METHODS),
    futures: new SocketApi("futures", gates.futures, streams, futures.routes, FUTURES_METHODS),
  }
  const futuresSockets = new FuturesSockets(streams, marketStreams.futures, futures.listenKeys, options.strictStreams ?? false)

  exchange.onPrice((market, symbol) => {
    const price = exchange.price(market, symbol)
    if (price === undefined) return
    const info = symbols.known(market, symbol)
    const print = history.print(market, symbol, price.last, info.step, exchange.nowMs(), false)
    marketStreams[market].tick(info, print)
  })
  // What an account takes is printed, too; a resting order that is reached trades at a price that was printed already.
  exchange.on(({ order, trade }) => {
    const info = symbols.known(order.market, order.symbol)
    if (trade === undefined || trade.maker) {
      history.touch(order.market, order.symbol)
      marketStreams[order.market].touched(info)
    } else {
      const print = history.print(order.market, order.symbol, trade.price, trade.quantity, trade.atMs, trade.side === "SELL")
      marketStreams[order.market].tick(info, print)
    }
  })
  for (const market of ["spot", "futures"] as const)
    for (const info of symbols.all(market)) {
      const last: Decimal = dec(options.prices?.[info.symbol] ?? START_PRICES[info.symbol] ?? OTHER_PRICE)
      exchange.setPrice(market, info.symbol, { last })
    }
  const stopFeed = startFeed(exchange, options.feed ?? { kind: "manual" })

  let cancelExpiry = (): void => undefined
  const expire = (): void => {
    for (const { text } of futures.listenKeys.expire()) futuresSockets.expired(text, exchange.nowMs())
    cancelExpiry = clock.after(EXPIRY_EVERY_MS, expire)
  }
  cancelExpiry = clock.after(EXPIRY_EVERY_MS, expire)
  let cancelBeat = (): void => undefined
  const beat = (): void => {
    for (const market of ["spot", "futures"] as const) marketStreams[market].beat()
    cancelBeat = clock.after(BEAT_MS, beat)
  }
  cancelBeat = clock.after(BEAT_MS, beat)

  return {
    exchange,
    faults,
    streams,
    history,
    spot,
    futures,
    limits,
    gates,
    routes: { spot: byKey(spot.routes), futures: byKey(futures.routes) },
    marketStreams,
    socketApis,
    futuresSockets,
    stop: () => {
      stopFeed()
      cancelExpiry()
      cancelBeat()
      exchange.watches.clear()
    },
  }
}
