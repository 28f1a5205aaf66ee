/**
 * Market data of the service (MARKET_DATA): opens the feed, gives it to the seats, and lets the paper venue follow it.
 *
 * Only public data: no key is given to it. In simulation and live it is Binance's live market, in testnet the test network's.
 * `signals`: no feed; the paper venue trades on what the last signal saw, an exchange is asked for its price by its adapter.
 */
import type { Market, Settings } from "@petrosa/contracts"
import type { EngineOptions, VenueSeat } from "@petrosa/engine"
import type { Broker } from "@petrosa/intake"
import type { KnownSymbol, MarketData, PaperVenue, PublicHosts } from "@petrosa/venue"
import { BinanceMarketData, followPrices, openNatsMarketData, PUBLIC_HOSTS, signalPrices, systemMarketClock } from "@petrosa/venue"
import type { Logger } from "pino"
import { hostKind } from "./binanceHosts.ts"
import { StartRefused } from "./refused.ts"

export interface MarketDataOptions {
  readonly settings: Settings
  readonly seats: readonly VenueSeat[]
  readonly seatFor: EngineOptions["seatFor"]
  readonly paper: PaperVenue
  /** Calls back with the broker, once it is there. */
  readonly withBroker: (use: (broker: Broker) => void) => void
  readonly log: Logger
}

export interface SeatsWithPrices {
  readonly seats: readonly VenueSeat[]
  readonly seatFor: EngineOptions["seatFor"]
  /** `undefined`: there is no feed of the market. */
  readonly feed: MarketData | undefined
  close(): Promise<void>
}

/** Symbols of resting orders and open positions are wanted as long as there are any. */
const LOOK_EVERY_MS = 30_000
/** One kind of trouble is told at most so often. */
const TELL_EVERY_MS = 60_000

export const openMarketData = (options: MarketDataOptions): SeatsWithPrices => {
  const { settings, paper } = options
  const feed = openFeed(options)
  const prices = (seat: VenueSeat): VenueSeat =>
    feed !== undefined
      ? { ...seat, prices: feed }
      : seat.venue.name === paper.name
        ? { ...seat, prices: signalPrices({ priceOf: (symbol, market) => paper.price(symbol, market), maxAgeMs: settings.maxPriceAgeMs }) }
        : seat
  const own = new Map(options.seats.map((seat) => [seat, prices(seat)]))
  const closers: (() => void)[] = feed === undefined ? [] : [followMarket(feed, paper), watch(feed, options)]
  return {
    seats: [...own.values()],
    seatFor: (signal) => {
      const seat = options.seatFor(signal)
      return seat === undefined ? undefined : (own.get(seat) ?? seat)
    },
    feed,
    close: async () => {
      for (const close of closers) close()
      await feed?.close()
    },
  }
}

const openFeed = ({ settings, seats, withBroker, log }: MarketDataOptions): MarketData | undefined => {
  const knows: KnownSymbol = (symbol, market) =>
    seats.some(({ venue }) => venue.markets.includes(market) && venue.rules(symbol, market) !== undefined)
  const { maxPriceAgeMs: maxAgeMs, marketData } = settings
  switch (marketData) {
    case "signals":
      return undefined
    case "nats":
      return openNatsMarketData({
        knows,
        maxAgeMs,
        markets: settings.natsMarketDataMarket,
        subscribe: (onMessage) => {
          let over = false
          let end = (): void => {}
          withBroker((broker) => {
            if (over) return
            const subscription = broker.nc.subscribe(settings.natsMarketDataSubject, {
              callback: (error, message) => {
                if (error === null) onMessage(message.data)
                else
                  log.warn({ error: error.code, subject: settings.natsMarketDataSubject }, "NATS refuses the subscription to market data")
              },
            })
            end = () => subscription.unsubscribe()
          })
          return () => {
            over = true
            end()
          }
        },
      })
    case "binance":
      return new BinanceMarketData({
        hosts: publicHosts(settings),
        knows,
        maxAgeMs,
        maxSymbols: settings.marketDataMaxSymbols,
        onTrouble: seldom((code, message) => log.warn({ code }, message)),
      })
  }
}

/** Where public data is asked for: what is set, else Binance's own. Real orders are never judged by a test network's prices, nor the reverse. */
export const publicHosts = (settings: Settings): PublicHosts => {
  const { mode, binanceSpotWsUrl, binanceFuturesWsUrl } = settings
  const own = PUBLIC_HOSTS[mode === "testnet" ? "testnet" : "live"]
  const spotStream = settings.binanceSpotStreamUrl ?? streamsBeside(binanceSpotWsUrl) ?? own.spot.stream
  const hosts = {
    spot: { rest: settings.binanceSpotUrl ?? own.spot.rest, stream: spotStream },
    futures: { rest: settings.binanceFuturesUrl ?? own.futures.rest, stream: binanceFuturesWsUrl ?? own.futures.stream },
  }
  if (mode !== "simulation")
    for (const url of [hosts.spot.rest, hosts.spot.stream, hosts.futures.rest, hosts.futures.stream]) refuseOtherMarket(url, settings)
  return hosts
}

/** The WebSocket API and the streams of spot are one host in the sandbox, and two at Binance. */
const streamsBeside = (url: string | undefined): string | undefined => {
  if (url === undefined || !URL.canParse(url)) return undefined
  const { origin, host, protocol, hostname } = new URL(url)
  if (hostname.startsWith("ws-api.") || hostname.endsWith("-ws-api.binance.com")) return undefined
  return origin === "null" ? `${protocol}//${host}` : origin
}

const refuseOtherMarket = (url: string, { mode, binanceAllowedHosts }: Settings): void => {
  if (!URL.canParse(url)) throw new StartRefused(`Market data cannot be asked for at ${url}: it is no URL.`)
  const { hostname, host } = new URL(url)
  // Binance's hosts that have live market data and nothing else.
  const kind = /^data-(stream|api)\.binance\.vision$/.test(hostname) ? "live" : hostKind(hostname)
  const allowed = binanceAllowedHosts.includes(hostname.toUpperCase()) || binanceAllowedHosts.includes(host.toUpperCase())
  const wrong = mode === "testnet" ? kind === "live" : kind !== "live" && !allowed
  if (wrong)
    throw new StartRefused(
      `${host} is not the market of ${mode} mode: its prices say nothing of the orders there. Mend BINANCE_*_URL and BINANCE_SPOT_STREAM_URL, or set MARKET_DATA.`,
    )
}

const followMarket = (feed: MarketData, paper: PaperVenue): (() => void) =>
  followPrices({ data: feed, clock: systemMarketClock, apply: (price, market) => paper.follow(price, market) })

/** Keeps an interest in what is held or rests on the paper venue: its market has to go on moving. Tells of a feed that is not understood. */
const watch = (feed: MarketData, { paper, log, settings }: MarketDataOptions): (() => void) => {
  let notUnderstood = 0
  const wantAll = async (): Promise<void> => {
    const [spot, futures] = await Promise.all([paper.openOrders(undefined, "spot"), paper.openOrders(undefined, "futures")])
    const want = (market: Market, rows: typeof spot): void => {
      if (rows._tag === "Known") for (const symbol of new Set(rows.value.map((row) => row.symbol))) feed.want(symbol, market)
    }
    want("spot", spot)
    want("futures", futures)
    const held = await paper.positions()
    if (held._tag === "Known") for (const { symbol } of held.value) feed.want(symbol, "futures")
    const counts = feed.counts()
    if (counts.notUnderstood > notUnderstood)
      log.warn({ feed: feed.feed, messages: counts.notUnderstood - notUnderstood }, "messages of the market data feed could not be read")
    notUnderstood = counts.notUnderstood
  }
  const look = (): void =>
    void wantAll().catch((error: unknown) => log.warn({ error: String(error) }, "the symbols in use could not be read"))
  for (const symbol of settings.symbolsAllowed.slice(0, settings.marketDataMaxSymbols)) feed.want(symbol, settings.defaultMarket)
  look()
  const timer = setInterval(look, LOOK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** Tells the same trouble once a minute. */
const seldom = (tell: (code: string, message: string) => void): ((code: string, message: string) => void) => {
  const toldAtMs = new Map<string, number>()
  return (code, message) => {
    const nowMs = performance.now()
    if (nowMs - (toldAtMs.get(code) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return
    toldAtMs.set(code, nowMs)
    tell(code, message)
  }
}
