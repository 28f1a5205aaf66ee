/**
 * What was printed on the tape, and the candles of it, for averages, tickers and lists of trades. Bounded.
 *
 * Before its birth a symbol has an invented past ({@link pastFactor}): bots read hundreds of candles before their first order. It is
 * the same for the same start price and time, meets the start price at birth, and reaches two years back.
 */
import { ZERO, add, dec, div, floorTo, max, min, mul } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import type { SymbolInfo } from "../core/symbols.ts"
import { ratio } from "../wire/decimals.ts"

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
  /** The last millisecond that belongs to it. */
  readonly closeMs: number
  readonly open: Decimal
  readonly high: Decimal
  readonly low: Decimal
  readonly close: Decimal
  readonly base: Decimal
  readonly quote: Decimal
  /** Of `base` and `quote`: what takers bought. */
  readonly takerBase: Decimal
  readonly takerQuote: Decimal
  readonly trades: number
  /** Of the tape; -1: none of it is on the tape. */
  readonly firstId: number
  readonly lastId: number
}

const KEPT = 5000
const AVERAGE_MS = 5 * 60_000
const MINUTE_MS = 60_000
const MINUTES_KEPT = 14 * 24 * 60
export const PAST_MS = 2 * 365 * 86_400_000
const PAST_SAMPLES = 16
/** What is traded in a minute of the invented past, in quote. */
const PAST_QUOTE_PER_MINUTE = 20_000
const PAST_TRADES_PER_MINUTE = 12

/** Periods (ms) and amplitudes of the invented past: their sum stays above -1. */
const WAVES: readonly (readonly [periodMs: number, amplitude: number])[] = [
  [7 * 60_000, 0.0004],
  [61 * 60_000, 0.002],
  [6.3 * 3_600_000, 0.006],
  [27 * 3_600_000, 0.012],
  [8.3 * 86_400_000, 0.03],
  [97 * 86_400_000, 0.08],
]
const phaseOf = (symbol: string): number => [...symbol].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 997, 7) / 100
/** Price at a time before birth, as a multiple of the price at birth. */
export const pastFactor = (symbol: string, beforeMs: number): number => {
  const phase = phaseOf(symbol)
  return WAVES.reduce(
    (total, [periodMs, amplitude], index) =>
      total + amplitude * (Math.sin((2 * Math.PI * -beforeMs) / periodMs + phase * (index + 1)) - Math.sin(phase * (index + 1))),
    1,
  )
}

interface Tape {
  readonly prints: Print[]
  readonly minutes: Map<number, Candle>
  readonly bornMs: number
  readonly bornPrice: Decimal
  printed: number
  updates: number
}

const grown = (candle: Candle | undefined, print: Print, openMs: number, lengthMs: number): Candle => {
  const { price, quantity, quote, id } = print
  const bought = print.buyerMaker ? ZERO : quantity
  const boughtQuote = print.buyerMaker ? ZERO : quote
  if (candle === undefined)
    return {
      openMs,
      closeMs: openMs + lengthMs - 1,
      open: price,
      high: price,
      low: price,
      close: price,
      base: quantity,
      quote,
      takerBase: bought,
      takerQuote: boughtQuote,
      trades: 1,
      firstId: id,
      lastId: id,
    }
  return {
    ...candle,
    high: max(candle.high, price),
    low: min(candle.low, price),
    close: price,
    base: add(candle.base, quantity),
    quote: add(candle.quote, quote),
    takerBase: add(candle.takerBase, bought),
    takerQuote: add(candle.takerQuote, boughtQuote),
    trades: candle.trades + 1,
    firstId: candle.firstId < 0 ? id : candle.firstId,
    lastId: id,
  }
}
const joined = (a: Candle | undefined, b: Candle): Candle =>
  a === undefined
    ? b
    : {
        ...a,
        closeMs: b.closeMs,
        high: max(a.high, b.high),
        low: min(a.low, b.low),
        close: b.close,
        base: add(a.base, b.base),
        quote: add(a.quote, b.quote),
        takerBase: add(a.takerBase, b.takerBase),
        takerQuote: add(a.takerQuote, b.takerQuote),
        trades: a.trades + b.trades,
        firstId: a.firstId < 0 ? b.firstId : a.firstId,
        lastId: Math.max(a.lastId, b.lastId),
      }
const flat = (openMs: number, closeMs: number, price: Decimal): Candle => ({
  openMs,
  closeMs,
  open: price,
  high: price,
  low: price,
  close: price,
  base: ZERO,
  quote: ZERO,
  takerBase: ZERO,
  takerQuote: ZERO,
  trades: 0,
  firstId: -1,
  lastId: -1,
})

const newTape = (bornPrice: Decimal, bornMs: number): Tape => ({
  prints: [],
  minutes: new Map(),
  bornMs,
  bornPrice,
  printed: 0,
  updates: 0,
})

export class History {
  readonly #tapes = new Map<string, Tape>()
  #of(market: Market, symbol: string): Tape | undefined {
    return this.#tapes.get(`${market} ${symbol}`)
  }

  print(market: Market, symbol: string, price: Decimal, quantity: Decimal, atMs: number, buyerMaker: boolean): Print {
    const key = `${market} ${symbol}`
    const tape = this.#tapes.get(key) ?? newTape(price, atMs)
    this.#tapes.set(key, tape)
    tape.printed += 1
    tape.updates += 1
    const print: Print = { id: tape.printed, price, quantity, quote: mul(price, quantity), atMs, buyerMaker }
    tape.prints.push(print)
    if (tape.prints.length > KEPT) tape.prints.splice(0, tape.prints.length - KEPT)
    const openMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS
    tape.minutes.set(openMs, grown(tape.minutes.get(openMs), print, openMs, MINUTE_MS))
    const [oldest] = tape.minutes.keys()
    if (tape.minutes.size > MINUTES_KEPT && oldest !== undefined) tape.minutes.delete(oldest)
    return print
  }
  prints(market: Market, symbol: string): readonly Print[] {
    return this.#of(market, symbol)?.prints ?? []
  }
  /** How often the book of a symbol has changed. */
  updates(market: Market, symbol: string): number {
    return this.#of(market, symbol)?.updates ?? 0
  }
  /** The book has changed without a print. */
  touch(market: Market, symbol: string): void {
    const tape = this.#of(market, symbol)
    if (tape !== undefined) tape.updates += 1
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

  /** The earliest time of which there is anything to tell. */
  beginMs(market: Market, symbol: string): number {
    return (this.#of(market, symbol)?.bornMs ?? 0) - PAST_MS
  }
  /** All that happened from one time to another (exclusive) as one candle; `undefined`: before the beginning. */
  over(info: SymbolInfo, fromMs: number, toMs: number): Candle | undefined {
    const tape = this.#of(info.market, info.symbol)
    if (tape === undefined || toMs <= tape.bornMs - PAST_MS) return undefined
    const past = fromMs < tape.bornMs ? this.#past(info, tape, fromMs, Math.min(toMs, tape.bornMs)) : undefined
    const found = toMs > tape.bornMs ? this.#live(tape, fromMs, toMs, past) : past
    return found === undefined ? flat(fromMs, toMs - 1, this.#before(tape, fromMs)) : { ...found, openMs: fromMs, closeMs: toMs - 1 }
  }
  #live(tape: Tape, fromMs: number, toMs: number, past: Candle | undefined): Candle | undefined {
    let found = past
    const whole = fromMs % MINUTE_MS === 0 && toMs % MINUTE_MS === 0
    if (!whole && toMs - fromMs < MINUTE_MS) {
      for (const print of tape.prints) if (print.atMs >= fromMs && print.atMs < toMs) found = grown(found, print, fromMs, toMs - fromMs)
      return found
    }
    // (A window that is not whole minutes, a ticker's day, takes in the minutes that it begins and ends in.)
    const last = tape.prints.at(-1)?.atMs ?? 0
    for (let at = Math.floor(Math.max(fromMs, tape.bornMs) / MINUTE_MS) * MINUTE_MS; at < toMs && at <= last; at += MINUTE_MS) {
      const minute = tape.minutes.get(at)
      if (minute !== undefined) found = joined(found, minute)
    }
    return found
  }
  /** The price that a time without a print begins with. */
  #before(tape: Tape, atMs: number): Decimal {
    for (let index = tape.prints.length - 1; index >= 0; index -= 1) {
      const print = tape.prints[index]
      if (print !== undefined && print.atMs < atMs) return print.price
    }
    return tape.prints[0]?.price ?? tape.bornPrice
  }
  #past(info: SymbolInfo, tape: Tape, fromMs: number, toMs: number): Candle {
    const start = Math.max(fromMs, tape.bornMs - PAST_MS)
    const prices: Decimal[] = []
    for (let sample = 0; sample <= PAST_SAMPLES; sample += 1) {
      const atMs = start + ((toMs - start) * sample) / PAST_SAMPLES
      const factor = dec(pastFactor(info.symbol, tape.bornMs - atMs).toFixed(8))
      prices.push(max(floorTo(mul(tape.bornPrice, factor), info.tick), info.tick))
    }
    const [open = tape.bornPrice] = prices
    const minutes = (toMs - start) / MINUTE_MS
    const quote = dec((PAST_QUOTE_PER_MINUTE * minutes).toFixed(8))
    const base = floorTo(ratio(quote, open), info.step)
    const half = dec("0.5")
    return {
      ...flat(fromMs, toMs - 1, open),
      high: prices.reduce((a, b) => max(a, b)),
      low: prices.reduce((a, b) => min(a, b)),
      close: prices.at(-1) ?? open,
      base,
      quote: mul(base, open),
      takerBase: mul(base, half),
      takerQuote: mul(mul(base, open), half),
      trades: Math.max(1, Math.round(PAST_TRADES_PER_MINUTE * minutes)),
    }
  }
}
