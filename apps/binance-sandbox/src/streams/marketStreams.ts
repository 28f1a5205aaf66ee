/**
 * Public market streams: who has subscribed to what, and what a price change sends them.
 *
 * Spot: `trade`, `aggTrade`, `bookTicker`, `miniTicker`. Futures: `aggTrade`, `bookTicker`, `markPrice` (`@1s`), `miniTicker`.
 * Other streams can be subscribed to and stay silent, as on Binance an unknown name does.
 */
import type { Decimal, Market } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import type { History, Print } from "../market/history.ts"
import { bookTop } from "../market/marketRoutes.ts"
import { places } from "../wire/decimals.ts"
import type { JsonObject } from "../wire/json.ts"
import type { Connection } from "./connection.ts"

const STREAMS_MAX = 1024

export class MarketStreams {
  readonly #market: Market
  readonly #exchange: Exchange
  readonly #history: History
  readonly #subscriptions = new Map<Connection, { readonly names: Set<string>; readonly combined: boolean }>()

  constructor(market: Market, exchange: Exchange, history: History) {
    this.#market = market
    this.#exchange = exchange
    this.#history = history
  }

  open(connection: Connection, names: readonly string[], combined: boolean): void {
    this.#subscriptions.set(connection, { names: new Set(names.slice(0, STREAMS_MAX)), combined })
    connection.onClose(() => this.#subscriptions.delete(connection))
  }
  /** Adds names; false: too many. */
  subscribe(connection: Connection, names: readonly string[]): boolean {
    const own = this.#subscriptions.get(connection)
    if (own === undefined || own.names.size + names.length > STREAMS_MAX) return false
    for (const name of names) own.names.add(name)
    return true
  }
  unsubscribe(connection: Connection, names: readonly string[]): void {
    for (const name of names) this.#subscriptions.get(connection)?.names.delete(name)
  }
  names(connection: Connection): readonly string[] {
    return [...(this.#subscriptions.get(connection)?.names ?? [])]
  }

  /** A price of the symbol has changed. */
  tick(info: SymbolInfo, print: Print): void {
    if (this.#subscriptions.size === 0) return
    const symbol = info.symbol.toLowerCase()
    const made = new Map<string, JsonObject>()
    for (const [connection, { names, combined }] of this.#subscriptions)
      for (const name of names) {
        const [subject, kind] = name.split("@")
        if (kind === undefined || subject !== symbol) continue
        const data = made.get(kind) ?? this.#event(kind, info, print)
        if (data === undefined) continue
        made.set(kind, data)
        connection.send(combined ? { stream: name, data } : data)
      }
  }
  #event(kind: string, info: SymbolInfo, print: Print): JsonObject | undefined {
    const atMs = this.#exchange.nowMs()
    const spot = this.#market === "spot"
    const price = (value: Decimal): string => places(value, spot ? 8 : info.pricePlaces)
    const quantity = (value: Decimal): string => places(value, spot ? 8 : info.quantityPlaces)
    const s = info.symbol
    switch (kind) {
      case "trade":
        return {
          e: "trade",
          E: atMs,
          s,
          t: print.id,
          p: price(print.price),
          q: quantity(print.quantity),
          T: print.atMs,
          m: print.buyerMaker,
          M: true,
        }
      case "aggTrade":
        return {
          e: "aggTrade",
          E: atMs,
          s,
          a: print.id,
          p: price(print.price),
          q: quantity(print.quantity),
          f: print.id,
          l: print.id,
          T: print.atMs,
          m: print.buyerMaker,
          ...(spot ? { M: true } : {}),
        }
      case "bookTicker": {
        const top = bookTop(this.#exchange, info)
        const body = { u: this.#history.updates(this.#market, s), s, b: top.bidPrice, B: top.bidQty, a: top.askPrice, A: top.askQty }
        return spot ? body : { e: "bookTicker", ...body, T: atMs, E: atMs }
      }
      case "markPrice": {
        const mark = this.#exchange.price(this.#market, s)?.mark
        if (spot || mark === undefined) return undefined
        return { e: "markPriceUpdate", E: atMs, s, p: price(mark), i: price(mark), P: price(mark), r: "0.00010000", T: nextFunding(atMs) }
      }
      case "miniTicker": {
        const prints = this.#history.prints(this.#market, s)
        const first = prints[0] ?? print
        const sorted = prints.map((item) => item.price).sort((a, b) => Number(price(a)) - Number(price(b)))
        return {
          e: "24hrMiniTicker",
          E: atMs,
          s,
          c: price(print.price),
          o: price(first.price),
          h: price(sorted.at(-1) ?? print.price),
          l: price(sorted[0] ?? print.price),
          v: "0",
          q: "0",
        }
      }
      default:
        return undefined
    }
  }
}

const FUNDING_MS = 8 * 3_600_000
export const nextFunding = (nowMs: number): number => (Math.floor(nowMs / FUNDING_MS) + 1) * FUNDING_MS
