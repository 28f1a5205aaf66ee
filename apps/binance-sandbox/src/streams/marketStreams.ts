/**
 * Public market streams: who has subscribed to what, what a price change sends them, and what comes every second without one.
 *
 * At a change: `trade`, `aggTrade`, `bookTicker`, `kline_<interval>`, `depth` (differences, gap-free by `U`, `u`, `pu`), `depth5|10|20`, and
 * futures' `markPrice`, `continuousKline`. Each second: `ticker`, `miniTicker`, `avgPrice`, `markPrice`, running candles (and each candle's last word), the
 * top of the book for those who have just come, and the streams of all symbols (`!ticker@arr` …).
 * Other streams can be subscribed to and stay silent, as on Binance an unknown name does.
 */
import type { Market } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { bookSide, bookTop } from "../market/book.ts"
import type { History, Print } from "../market/history.ts"
import { bucketOf, klineEvent, knownInterval } from "../market/klines.ts"
import { dayEvent, dayOf, miniEvent, priceText, quantityText } from "../market/tickers.ts"
import { places } from "../wire/decimals.ts"
import type { JsonObject } from "../wire/json.ts"
import type { Connection } from "./connection.ts"
import { DepthDiffs } from "./depthDiffs.ts"

const STREAMS_MAX = 1024
export const BEAT_MS = 1000

interface Subscription {
  readonly names: Set<string>
  readonly combined: boolean
  /** Told of the state as it is at the next beat. */
  readonly fresh: Set<string>
}
/** What a message is made once for: a name without its speed. */
type Message = JsonObject | readonly JsonObject[]

export class MarketStreams {
  readonly #market: Market
  readonly #exchange: Exchange
  readonly #history: History
  readonly #subscriptions = new Map<Connection, Subscription>()
  readonly #diffs: DepthDiffs
  /** By stream: the beginning of the candle that was told last. */
  readonly #candles = new Map<string, number>()

  constructor(market: Market, exchange: Exchange, history: History) {
    this.#market = market
    this.#exchange = exchange
    this.#history = history
    this.#diffs = new DepthDiffs(exchange, history)
  }

  open(connection: Connection, names: readonly string[], combined: boolean): void {
    this.#subscriptions.set(connection, { names: new Set(), combined, fresh: new Set() })
    this.subscribe(connection, names.slice(0, STREAMS_MAX))
    connection.onClose(() => this.#subscriptions.delete(connection))
  }
  /** Adds names; false: too many. */
  subscribe(connection: Connection, names: readonly string[]): boolean {
    const own = this.#subscriptions.get(connection)
    if (own === undefined || own.names.size + names.length > STREAMS_MAX) return false
    for (const name of names) {
      own.names.add(name)
      own.fresh.add(name)
      const info = this.#infoOf(name)
      if (info !== undefined && kindOf(name) === "depth") this.#diffs.begin(info)
    }
    return true
  }
  unsubscribe(connection: Connection, names: readonly string[]): void {
    for (const name of names) {
      this.#subscriptions.get(connection)?.names.delete(name)
      this.#subscriptions.get(connection)?.fresh.delete(name)
    }
  }
  names(connection: Connection): readonly string[] {
    return [...(this.#subscriptions.get(connection)?.names ?? [])]
  }
  #infoOf(name: string): SymbolInfo | undefined {
    const subject = (name.split("@")[0] ?? "").replace(/_perpetual$/, "")
    return this.#exchange.symbols.get(this.#market, subject.toUpperCase())
  }

  /** A price of the symbol has changed, or an account has traded. */
  tick(info: SymbolInfo, print: Print): void {
    if (this.#subscriptions.size === 0) return
    const depth = this.#diffs.changed(info)
    this.#send(info, (kind) => this.#atChange(kind, info, print, depth))
  }
  /** The book has changed without a print. */
  touched(info: SymbolInfo): void {
    if (this.#subscriptions.size === 0) return
    const depth = this.#diffs.changed(info)
    this.#send(info, (kind) =>
      kind === "bookTicker" ? this.#top(info) : kind === "depth" ? depth : kind.startsWith("depth") ? this.#levels(kind, info) : undefined,
    )
  }
  #send(info: SymbolInfo, make: (kind: string) => Message | undefined): void {
    const symbol = info.symbol.toLowerCase()
    const made = new Map<string, Message | undefined>()
    for (const [connection, { names, combined }] of this.#subscriptions)
      for (const name of names) {
        const subject = name.split("@")[0]
        if (subject !== symbol && subject !== `${symbol}_perpetual` && name !== "!bookTicker") continue
        const kind = name === "!bookTicker" ? "bookTicker" : kindOf(name)
        if (!made.has(kind)) made.set(kind, make(kind))
        const data = made.get(kind)
        if (data !== undefined) connection.send(combined ? { stream: name, data } : data)
      }
  }

  /** Once a second: what comes without a change. */
  beat(): void {
    if (this.#subscriptions.size === 0) return
    const made = new Map<string, readonly Message[]>()
    for (const [connection, { names, combined, fresh }] of this.#subscriptions) {
      for (const name of names) {
        const found = made.get(name) ?? this.#atBeat(name)
        made.set(name, found)
        const first = fresh.has(name) ? this.#atFirst(name) : []
        for (const data of [...first, ...found]) connection.send(combined ? { stream: name, data } : data)
      }
      fresh.clear()
    }
    for (const key of this.#candles.keys()) if (!made.has(key)) this.#candles.delete(key)
  }
  #atFirst(name: string): readonly Message[] {
    const info = this.#infoOf(name)
    if (info === undefined) return []
    const kind = kindOf(name)
    if (kind === "bookTicker") return [this.#top(info)]
    return kind !== "depth" && kind.startsWith("depth") ? [this.#levels(kind, info)] : []
  }
  #atBeat(name: string): readonly Message[] {
    const all = (event: (info: SymbolInfo) => JsonObject | undefined): readonly Message[] => [
      this.#exchange.symbols
        .all(this.#market)
        .map(event)
        .filter((one) => one !== undefined),
    ]
    if (name.startsWith("!ticker@arr")) return all((info) => this.#day(info, "ticker"))
    if (name.startsWith("!miniTicker@arr")) return all((info) => this.#day(info, "miniTicker"))
    if (name.startsWith("!markPrice@arr") && this.#market === "futures") return all((info) => this.#mark(info))
    const info = this.#infoOf(name)
    if (info === undefined) return []
    const kind = kindOf(name)
    const day = kind === "ticker" || kind === "miniTicker" ? this.#day(info, kind) : undefined
    if (day !== undefined) return [day]
    if (kind === "avgPrice") return this.#average(info)
    const mark = kind === "markPrice" ? this.#mark(info) : undefined
    if (mark !== undefined) return [mark]
    return /^(kline|continuousKline)_/.test(kind) ? this.#running(name, kind, info) : []
  }
  #average(info: SymbolInfo): readonly JsonObject[] {
    const average = this.#history.average(this.#market, info.symbol)
    const newest = this.#history.prints(this.#market, info.symbol).at(-1)
    if (this.#market !== "spot" || average === undefined || newest === undefined) return []
    return [{ e: "avgPrice", E: this.#exchange.nowMs(), s: info.symbol, i: "5m", w: priceText(info, average), T: newest.atMs }]
  }
  #day(info: SymbolInfo, kind: "ticker" | "miniTicker"): JsonObject | undefined {
    const day = dayOf(this.#exchange, this.#history, info)
    return day === undefined ? undefined : kind === "ticker" ? dayEvent(this.#exchange, day) : miniEvent(day)
  }
  /** The candle as it is; before it, the last word on the one that was told before. */
  #running(name: string, kind: string, info: SymbolInfo): readonly JsonObject[] {
    const interval = kind.split("_")[1] ?? ""
    if (!knownInterval(this.#market, interval)) return []
    const { openMs } = bucketOf(interval, this.#exchange.nowMs())
    const before = this.#candles.get(name)
    this.#candles.set(name, openMs)
    const ended = before !== undefined && before !== openMs ? this.#candle(kind, info, before, true) : undefined
    const running = this.#candle(kind, info, openMs, false)
    return [ended, running].filter((event): event is JsonObject => event !== undefined)
  }
  #candle(kind: string, info: SymbolInfo, openMs: number, closed: boolean): JsonObject | undefined {
    const [what = "", interval = ""] = kind.split("_")
    const candle = this.#history.over(info, openMs, bucketOf(interval, openMs).nextMs)
    if (candle === undefined) return undefined
    const k = klineEvent(info, interval, candle, closed)
    const E = this.#exchange.nowMs()
    return what === "kline"
      ? { e: "kline", E, s: info.symbol, k }
      : { e: "continuous_kline", E, ps: info.symbol, ct: "PERPETUAL", k: { ...k, s: undefined } }
  }

  #atChange(kind: string, info: SymbolInfo, print: Print, depth: JsonObject | undefined): Message | undefined {
    const atMs = this.#exchange.nowMs()
    const spot = this.#market === "spot"
    const s = info.symbol
    const trade = { E: atMs, s, p: priceText(info, print.price), q: quantityText(info, print.quantity), T: print.atMs, m: print.buyerMaker }
    switch (kind) {
      case "trade":
        return { e: "trade", ...trade, t: print.id, ...(spot ? { M: true } : { X: "MARKET" }) }
      case "aggTrade":
        return { e: "aggTrade", ...trade, a: print.id, f: print.id, l: print.id, ...(spot ? { M: true } : {}) }
      case "bookTicker":
        return this.#top(info)
      case "markPrice":
        return this.#mark(info)
      case "miniTicker":
        return this.#day(info, "miniTicker")
      case "depth":
        return depth
      default: {
        const interval = /^(?:kline|continuousKline)_(.+)$/.exec(kind)?.[1]
        if (interval !== undefined)
          return knownInterval(this.#market, interval)
            ? this.#candle(kind, info, bucketOf(interval, this.#exchange.nowMs()).openMs, false)
            : undefined
        return /^depth(5|10|20)$/.test(kind) ? this.#levels(kind, info) : undefined
      }
    }
  }
  #top(info: SymbolInfo): JsonObject {
    const top = bookTop(this.#exchange, info)
    const u = this.#history.updates(this.#market, info.symbol)
    const body = { u, s: info.symbol, b: top.bidPrice, B: top.bidQty, a: top.askPrice, A: top.askQty }
    const atMs = this.#exchange.nowMs()
    return this.#market === "spot" ? body : { e: "bookTicker", ...body, T: atMs, E: atMs }
  }
  #levels(kind: string, info: SymbolInfo): JsonObject {
    const limit = Number(kind.slice("depth".length)) || 20
    const bids = bookSide(this.#exchange, info, "bids", limit)
    const asks = bookSide(this.#exchange, info, "asks", limit)
    const u = this.#history.updates(this.#market, info.symbol)
    if (this.#market === "spot") return { lastUpdateId: u, bids, asks }
    const atMs = this.#exchange.nowMs()
    return { e: "depthUpdate", E: atMs, T: atMs, s: info.symbol, U: u, u, pu: u - 1, b: bids, a: asks }
  }
  #mark(info: SymbolInfo): JsonObject | undefined {
    const price = this.#exchange.price(this.#market, info.symbol)
    if (this.#market === "spot" || price === undefined) return undefined
    const atMs = this.#exchange.nowMs()
    const p = places(price.mark, info.pricePlaces)
    return { e: "markPriceUpdate", E: atMs, s: info.symbol, p, ap: p, i: p, P: p, r: "0.00010000", T: nextFunding(atMs) }
  }
}

/** `kline_1m` of `btcusdt@kline_1m`, `depth` of `btcusdt@depth@100ms`. */
const kindOf = (name: string): string => name.split("@")[1] ?? ""

const FUNDING_MS = 8 * 3_600_000
export const nextFunding = (nowMs: number): number => (Math.floor(nowMs / FUNDING_MS) + 1) * FUNDING_MS
