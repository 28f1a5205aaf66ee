/** What was printed on the tape: the last prices of each symbol, for averages, candles and the list of trades. Bounded. */
import { ZERO, add, dec, div, max, min } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import { ApiError } from "../wire/errors.ts"

export interface Print {
  readonly id: number
  readonly price: Decimal
  readonly quantity: Decimal
  readonly quote: Decimal
  readonly atMs: number
  readonly buyerMaker: boolean
}
export interface Candle {
  readonly openMs: number
  readonly closeMs: number
  readonly open: Decimal
  readonly high: Decimal
  readonly low: Decimal
  readonly close: Decimal
  readonly ticks: number
}

const KEPT = 5000
const AVERAGE_MS = 5 * 60_000
const INTERVALS: Readonly<Record<string, number>> = {
  "1s": 1000,
  "1m": 60_000,
  "3m": 180_000,
  "5m": 300_000,
  "15m": 900_000,
  "30m": 1_800_000,
  "1h": 3_600_000,
  "4h": 14_400_000,
  "1d": 86_400_000,
}

export class History {
  readonly #tape = new Map<string, Print[]>()
  readonly #counts = new Map<string, number>()

  print(market: Market, symbol: string, price: Decimal, quantity: Decimal, atMs: number, buyerMaker: boolean): Print {
    const key = `${market} ${symbol}`
    const id = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, id)
    const print: Print = { id, price, quantity, quote: ZERO, atMs, buyerMaker }
    const tape = this.#tape.get(key) ?? []
    this.#tape.set(key, tape)
    tape.push(print)
    if (tape.length > KEPT) tape.splice(0, tape.length - KEPT)
    return print
  }
  prints(market: Market, symbol: string): readonly Print[] {
    return this.#tape.get(`${market} ${symbol}`) ?? []
  }
  /** How often the book of a symbol has changed. */
  updates(market: Market, symbol: string): number {
    return this.#counts.get(`${market} ${symbol}`) ?? 0
  }
  /** The mean of the last five minutes. */
  average(market: Market, symbol: string): Decimal | undefined {
    const prints = this.prints(market, symbol)
    const newest = prints.at(-1)
    if (newest === undefined) return undefined
    const recent = prints.filter((print) => print.atMs > newest.atMs - AVERAGE_MS)
    return div(
      recent.reduce((total, print) => add(total, print.price), ZERO),
      dec(recent.length),
    )
  }
  klines(market: Market, symbol: string, interval: string, limit: number): readonly Candle[] {
    const lengthMs = INTERVALS[interval]
    if (lengthMs === undefined) throw new ApiError(-1120, "Invalid interval.")
    const candles = new Map<number, Candle>()
    for (const { price, atMs } of this.prints(market, symbol)) {
      const openMs = Math.floor(atMs / lengthMs) * lengthMs
      const known = candles.get(openMs)
      candles.set(
        openMs,
        known === undefined
          ? { openMs, closeMs: openMs + lengthMs - 1, open: price, high: price, low: price, close: price, ticks: 1 }
          : { ...known, high: max(known.high, price), low: min(known.low, price), close: price, ticks: known.ticks + 1 },
      )
    }
    return [...candles.values()].slice(-limit)
  }
}
