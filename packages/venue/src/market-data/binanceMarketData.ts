/**
 * Prices from Binance's public streams, with REST for the first price of a symbol and for one that has not moved for a while
 * (an illiquid symbol's book may stand still for minutes and is right all the same: asking proves it).
 *
 * Streams: spot `@bookTicker` and `@miniTicker`; futures `@bookTicker` under `/public`, `@markPrice@1s` and `@miniTicker`
 * under `/market` (the hosts are split since 2026-04: under the wrong one a subscription is acknowledged and silent).
 * No key, no signature: what this adapter has cannot trade.
 *
 * A stream that says nothing while REST shows the price moving is dead, and made anew.
 */
import type { Market } from "@petrosa/contracts"
import { futuresClient, spotClient } from "../binance/client.ts"
import type { ConnectorBase } from "../binance/connectors.ts"
import { decimal, field, isObject, millis, objects, text } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"
import { gatewayOf } from "../binance/gateway.ts"
import type { Gateway } from "../binance/gateway.ts"
import { RateBudget } from "../binance/rateBudget.ts"
import { Redactor } from "../binance/redact.ts"
import { openWebSocket } from "../binance/socket.ts"
import type { OpenSocket } from "../binance/supervisor.ts"
import { systemMarketClock } from "./clock.ts"
import type { MarketClock } from "./clock.ts"
import { SYMBOL, decodeMarketEvent } from "./decode.ts"
import { Interest } from "./interest.ts"
import type { Wanted } from "./interest.ts"
import type { KnownSymbol, MarketData } from "./marketData.ts"
import { QuoteBoard, boardKey } from "./quoteBoard.ts"
import { StreamSet } from "./streamSet.ts"
import { Waiters } from "./waiters.ts"

/** Base URLs without path. */
export interface PublicHosts {
  readonly spot: { readonly rest: string; readonly stream: string }
  readonly futures: { readonly rest: string; readonly stream: string }
}

/** Binance's own hosts of public data (binance.md 2.4). */
export const PUBLIC_HOSTS = {
  live: {
    spot: { rest: "https://api.binance.com", stream: "wss://stream.binance.com:9443" },
    futures: { rest: "https://fapi.binance.com", stream: "wss://fstream.binance.com" },
  },
  testnet: {
    spot: { rest: "https://testnet.binance.vision", stream: "wss://stream.testnet.binance.vision" },
    futures: { rest: "https://demo-fapi.binance.com", stream: "wss://demo-fstream.binance.com" },
  },
} as const satisfies Record<string, PublicHosts>

export interface BinanceMarketDataOptions {
  readonly hosts: PublicHosts
  readonly maxAgeMs: number
  readonly maxSymbols: number
  readonly knows: KnownSymbol
  /** A connection without any frame for so long is given up. Default: spot 60 s (it pings every 20), futures 240 s (every 3 min). */
  readonly silenceMs?: Readonly<Record<Market, number>>
  /** Binance ends a connection after 24 h. Default 23 h. */
  readonly rotateAfterMs?: number
  readonly onTrouble?: (code: string, message: string) => void
  readonly clock?: MarketClock
  readonly openSocket?: OpenSocket
}

const SILENCE_MS = { spot: 60_000, futures: 240_000 } as const
const ROTATE_AFTER_MS = 23 * 3_600_000
const REST_TIMEOUT_MS = 5_000
/** Of our own, per market and minute; Binance allows 6000 and 2400 to an address, orders included. */
const REST_WEIGHT_PER_MINUTE = 600
const REST_WAIT_MS = 1_000
/** Up to so many symbols are asked for one by one, more all at once. */
const ONE_BY_ONE = 3
const LOOK_EVERY_MAX_MS = 2_500
const RECONNECT_AT_MOST_EVERY_MS = 60_000
const BOTH: readonly Market[] = ["spot", "futures"]

type Route = "spot" | "public" | "market"
const ROUTES: Readonly<Record<Market, readonly Route[]>> = { spot: ["spot"], futures: ["public", "market"] }
const streamsOf = (route: Route, symbol: string): readonly string[] => {
  const name = symbol.toLowerCase()
  switch (route) {
    case "spot":
      return [`${name}@bookTicker`, `${name}@miniTicker`]
    case "public":
      return [`${name}@bookTicker`]
    case "market":
      return [`${name}@markPrice@1s`, `${name}@miniTicker`]
  }
}
interface Question {
  readonly path: string
  readonly weight: { readonly one: number; readonly all: number }
}
const QUESTIONS: Readonly<Record<Market, readonly Question[]>> = {
  spot: [{ path: "/api/v3/ticker/bookTicker", weight: { one: 2, all: 4 } }],
  futures: [
    { path: "/fapi/v1/ticker/bookTicker", weight: { one: 2, all: 5 } },
    { path: "/fapi/v1/premiumIndex", weight: { one: 1, all: 10 } },
  ],
}

/** A row of REST's `bookTicker` or `premiumIndex` as the event of a stream. */
const asEvent = (row: JsonObject): JsonObject => {
  const venueAt = millis(row, "time")
  const base = { s: text(row, "symbol") ?? "", ...(venueAt === undefined ? {} : { E: venueAt }) }
  return field(row, "markPrice") === undefined
    ? { e: "bookTicker", ...base, b: decimal(row, "bidPrice"), a: decimal(row, "askPrice"), u: field(row, "lastUpdateId") }
    : { e: "markPriceUpdate", ...base, p: decimal(row, "markPrice") }
}

export class BinanceMarketData implements MarketData {
  readonly feed = "binance"
  readonly #options: BinanceMarketDataOptions
  readonly #clock: MarketClock
  readonly #board: QuoteBoard
  readonly #waiters: Waiters
  readonly #interest: Interest
  readonly #streams: Readonly<Record<Route, StreamSet>>
  readonly #gateways: Readonly<Record<Market, Gateway<ConnectorBase>>>
  readonly #closers: (() => void)[] = []
  readonly #asking = new Set<Market>()
  readonly #askAgain = new Set<Market>()
  /** When the stream last told of a symbol's book. */
  readonly #heardAtMs = new Map<string, number>()
  /** Books that REST saw move, and when the stream had last told of them. */
  readonly #suspects = new Map<string, number>()
  #reconnectedAtMs = Number.NEGATIVE_INFINITY
  #cancelLook: () => void = () => undefined
  #closed = false

  constructor(options: BinanceMarketDataOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemMarketClock
    const { maxAgeMs, maxSymbols, knows, hosts } = options
    const clock = this.#clock
    this.#board = new QuoteBoard({ feed: "binance", clock, maxAgeMs, maxSymbols, knows })
    this.#waiters = new Waiters(this.#board, clock)
    this.#interest = new Interest(maxSymbols)
    const base = (url: string): string => url.replace(/\/+$/, "")
    this.#streams = {
      spot: this.#streamSet("spot", "spot", `${base(hosts.spot.stream)}/ws`),
      public: this.#streamSet("public", "futures", `${base(hosts.futures.stream)}/public/ws`),
      market: this.#streamSet("market", "futures", `${base(hosts.futures.stream)}/market/ws`),
    }
    this.#gateways = { spot: this.#gateway("spot"), futures: this.#gateway("futures") }
    this.#look()
  }

  #streamSet(route: Route, market: Market, url: string): StreamSet {
    const options = this.#options
    return new StreamSet({
      url,
      clock: this.#clock,
      openSocket: options.openSocket ?? openWebSocket,
      silenceMs: (options.silenceMs ?? SILENCE_MS)[market],
      rotateAfterMs: options.rotateAfterMs ?? ROTATE_AFTER_MS,
      onEvent: (event) => this.#hear(event, market, "stream"),
      onGarbage: () => this.#board.notUnderstood(),
      onLost: (reason) => {
        this.#board.lost += 1
        this.#trouble("MARKET_DATA_LOST", `${route} stream: ${reason}; connecting again`)
      },
      onRefused: (detail) => this.#trouble("MARKET_DATA_REFUSED", `${route} stream: ${detail}`),
    })
  }
  #gateway(market: Market): Gateway<ConnectorBase> {
    const clock = this.#clock
    const made = {
      baseUrl: this.#options.hosts[market].rest.replace(/\/+$/, ""),
      credentials: undefined,
      timeoutMs: REST_TIMEOUT_MS,
      clock,
      redactor: new Redactor([]),
      offsetMs: () => 0,
    }
    const client = market === "spot" ? spotClient(made) : futuresClient(made)
    this.#closers.push(() => client.closeConnections())
    return gatewayOf<ConnectorBase>({
      client,
      budget: new RateBudget([{ kind: "weight", intervalMs: 60_000, limit: REST_WEIGHT_PER_MINUTE, name: "market data" }]),
      clock,
      offsetMs: () => 0,
      onLimited: (status) => this.#trouble("MARKET_DATA_LIMITED", `HTTP ${status} of ${market} market data`),
    })
  }
  #trouble(code: string, message: string): void {
    this.#options.onTrouble?.(code, message)
  }

  // ---- the port

  read(symbol: string, market: Market) {
    return this.#board.read(symbol, market)
  }
  want(symbol: string, market: Market): boolean {
    if (this.#closed || !SYMBOL.test(symbol) || !this.#options.knows(symbol, market)) return false
    const { added, refused, gone } = this.#interest.want(symbol, market, this.#clock.monotonicMs())
    if (refused) this.#trouble("MARKET_DATA_FULL", `${symbol} is not followed: ${this.#interest.size} symbols are, and all are in use`)
    if (gone !== undefined) this.#drop(gone)
    if (added) {
      for (const route of ROUTES[market]) this.#streams[route].subscribe(streamsOf(route, symbol))
      void this.#ask(market)
    }
    return !refused
  }
  prepare(symbol: string, market: Market): Promise<void> | undefined {
    return this.want(symbol, market) ? this.#waiters.wait(symbol, market) : undefined
  }
  onPrice(listener: (symbol: string, market: Market) => void): () => void {
    return this.#board.onPrice(listener)
  }
  counts() {
    return this.#board.counts()
  }
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelLook()
    for (const stream of Object.values(this.#streams)) stream.close()
    for (const close of this.#closers) close()
    this.#waiters.close()
  }

  // ---- what is heard

  #hear(event: JsonObject, market: Market, via: "stream" | "rest", askedAtMs?: number): void {
    const decoded = decodeMarketEvent(event)
    if (decoded._tag === "NotUnderstood") this.#board.notUnderstood()
    if (decoded._tag !== "Prices") return
    const { _tag, venueAtMs, ...prices } = decoded
    const { symbol } = prices
    // After an UNSUBSCRIBE some more may come; REST tells of all symbols.
    if (!this.#interest.has(symbol, market)) return
    const key = boardKey(symbol, market)
    if (via === "stream") {
      if (prices.book !== undefined) {
        this.#heardAtMs.set(key, this.#clock.monotonicMs())
        this.#suspects.delete(key)
      }
      this.#board.post({ ...prices, market, ...(venueAtMs === undefined ? {} : { venueAtMs }) })
      return
    }
    if (prices.book !== undefined) this.#compare(key, symbol, market, prices.book)
    // An answer was true when it was given, however long ago the last change was: it is as old as the question.
    this.#board.post({ ...prices, market, ...(askedAtMs === undefined ? {} : { askedAtMs }) })
  }

  /** REST sees the book move, twice, and the stream has told of neither: it is dead, although its socket is open. */
  #compare(key: string, symbol: string, market: Market, now: { readonly bid: string; readonly ask: string }): void {
    const before = this.#board.bookOf(symbol, market)
    if (before === undefined || (before.bid === now.bid && before.ask === now.ask)) return
    const heardAtMs = this.#heardAtMs.get(key) ?? 0
    if (this.#suspects.get(key) !== heardAtMs) {
      this.#suspects.set(key, heardAtMs)
      return
    }
    const nowMs = this.#clock.monotonicMs()
    const route = ROUTES[market][0]
    if (route === undefined || nowMs - this.#reconnectedAtMs < RECONNECT_AT_MOST_EVERY_MS || !this.#streams[route].isReady) return
    this.#reconnectedAtMs = nowMs
    this.#suspects.clear()
    this.#streams[route].reconnect(`${symbol} moves, and the stream does not tell`)
  }

  // ---- what is asked

  /** Looks after all symbols: gives up those without interest, asks for those whose price gets old. */
  #look(): void {
    const everyMs = Math.max(50, Math.min(LOOK_EVERY_MAX_MS, Math.floor(this.#options.maxAgeMs / 4)))
    this.#cancelLook = this.#clock.after(everyMs, () => {
      if (this.#closed) return
      for (const one of this.#interest.expire(this.#clock.monotonicMs())) this.#drop(one)
      for (const market of BOTH) void this.#ask(market)
      this.#look()
    })
  }
  #drop({ symbol, market }: Wanted): void {
    for (const route of ROUTES[market]) this.#streams[route].unsubscribe(streamsOf(route, symbol))
    this.#board.forget(symbol, market)
    this.#heardAtMs.delete(boardKey(symbol, market))
    this.#suspects.delete(boardKey(symbol, market))
  }

  /** Asks for the prices that are old, or not there; one round of questions per market at a time. */
  async #ask(market: Market): Promise<void> {
    if (this.#asking.has(market)) {
      this.#askAgain.add(market)
      return
    }
    const oldMs = this.#options.maxAgeMs / 2
    const old = this.#interest.all().filter((one) => one.market === market && this.#isOlder(one, oldMs))
    if (old.length === 0 || this.#closed) return
    this.#asking.add(market)
    const asks = old.length <= ONE_BY_ONE ? old.map(({ symbol }) => symbol) : [undefined]
    const questions = asks.flatMap((symbol) => QUESTIONS[market].map((question) => this.#question(market, question, symbol)))
    await Promise.all(questions)
    this.#asking.delete(market)
    if (this.#askAgain.delete(market)) void this.#ask(market)
  }
  #isOlder({ symbol, market }: Wanted, limitMs: number): boolean {
    const ageMs = this.#board.ageOf(symbol, market)
    if (ageMs === undefined || ageMs > limitMs) return true
    const read = this.#board.read(symbol, market)
    // The book decides, and on futures the mark price: neither stands in for the other.
    const bookAgeMs = read.quote?.bid?.ageMs ?? Number.POSITIVE_INFINITY
    const markAgeMs = market === "spot" ? 0 : (read.quote?.mark?.ageMs ?? Number.POSITIVE_INFINITY)
    return bookAgeMs > limitMs || markAgeMs > limitMs
  }
  async #question(market: Market, { path, weight }: Question, symbol: string | undefined): Promise<void> {
    const askedAtMs = this.#clock.nowMs()
    const ask = { weight: symbol === undefined ? weight.all : weight.one, orders: 0, priority: "entry" } as const
    const reply = await this.#gateways[market].ask(ask, REST_WAIT_MS, (client) =>
      client.publicRequest("GET", path, symbol === undefined ? {} : { symbol }),
    )
    if (this.#closed) return
    if (reply._tag !== "Answered" || reply.status !== 200) {
      const why = reply._tag === "Answered" ? `HTTP ${reply.status}` : reply._tag === "Unanswered" ? reply.code : reply.message
      this.#trouble("MARKET_DATA_REST", `${path} of ${market}: ${why}`)
      return
    }
    const rows = Array.isArray(reply.body) ? objects(reply.body) : isObject(reply.body) ? [reply.body] : []
    for (const row of rows) this.#hear(asEvent(row), market, "rest", Math.max(askedAtMs, reply.sentAtMs))
  }
}
