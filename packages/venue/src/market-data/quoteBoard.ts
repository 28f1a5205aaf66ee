/**
 * The newest prices of each symbol, and whether they are young enough. What every adapter writes on and reads from.
 *
 * Promises: per symbol and kind of price only the newest is kept (nothing queues); a price never replaces a newer one; age
 * counts from when the price was certainly true, by the clock that shows more (the wall clock may be set back, the other may
 * stand still while the machine sleeps); the number of symbols is bounded.
 */
import { add, dec, div, reason, str } from "@petrosa/contracts"
import type { DecimalString, Market, MarketPrice } from "@petrosa/contracts"
import type { MarketClock } from "./clock.ts"
import type { Book } from "./decode.ts"
import type { Feed, KnownSymbol, MarketDataCounts, MarketQuote, Observed, PriceRead } from "./marketData.ts"

export interface BoardOptions {
  readonly feed: Feed
  readonly clock: MarketClock
  /** A price older than this is refused. */
  readonly maxAgeMs: number
  readonly maxSymbols: number
  readonly knows: KnownSymbol
}

/** Prices of one symbol, as they were heard. */
export interface PriceUpdate {
  readonly symbol: string
  readonly market: Market
  readonly book?: Book
  readonly mark?: DecimalString
  readonly last?: DecimalString
  readonly venueAtMs?: number
  /** By REST: when it was asked for. The answer is true of some time after that. */
  readonly askedAtMs?: number
  /** When somebody else had it and handed it on: it is at least as old. */
  readonly handedOnAtMs?: number
  readonly updateId?: number
}

/** A newer price may come with an older time when a feed begins anew: after this long without news it is taken. */
const BEGINS_ANEW_AFTER_MS = 10_000

interface Entry<A> {
  readonly value: A
  readonly venueAtMs: number | undefined
  /** The venue's time, or that of who handed it on: orders what comes by one way. */
  readonly toldAtMs: number | undefined
  /** When it was certainly true, by our wall clock: never after its receipt. */
  readonly asOfMs: number
  readonly receivedAtMs: number
  readonly receivedMonotonicMs: number
  readonly updateId: number | undefined
}
interface Row {
  readonly symbol: string
  readonly market: Market
  book?: Entry<Book>
  mark?: Entry<DecimalString>
  last?: Entry<DecimalString>
}

export type Posted = "taken" | "outdated" | "unknown"

export const boardKey = (symbol: string, market: Market): string => `${market} ${symbol}`

export class QuoteBoard {
  readonly #options: BoardOptions
  readonly #rows = new Map<string, Row>()
  readonly #listeners = new Set<(symbol: string, market: Market) => void>()
  #understood = 0
  #notUnderstood = 0
  #unknown = 0
  #outdated = 0
  lost = 0

  constructor(options: BoardOptions) {
    this.#options = options
  }

  /** Writes prices on the board. Tells the listeners when any of them counted. */
  post(update: PriceUpdate): Posted {
    this.#understood += 1
    const { symbol, market } = update
    const key = boardKey(symbol, market)
    let row = this.#rows.get(key)
    if (row === undefined) {
      if (this.#rows.size >= this.#options.maxSymbols || !this.#options.knows(symbol, market)) {
        this.#unknown += 1
        return "unknown"
      }
      row = { symbol, market }
      this.#rows.set(key, row)
    }
    const { book, mark, last } = update
    let changed = false
    if (book !== undefined) {
      const entry = this.#entry(book, update, row.book)
      if (entry !== undefined) row.book = entry
      changed ||= entry !== undefined
    }
    if (mark !== undefined) {
      const entry = this.#entry(mark, update, row.mark)
      if (entry !== undefined) row.mark = entry
      changed ||= entry !== undefined
    }
    if (last !== undefined) {
      const entry = this.#entry(last, update, row.last)
      if (entry !== undefined) row.last = entry
      changed ||= entry !== undefined
    }
    if (!changed) {
      this.#outdated += 1
      return "outdated"
    }
    for (const listener of this.#listeners) listener(symbol, market)
    return "taken"
  }

  #entry<A>(value: A, update: PriceUpdate, known: Entry<A> | undefined): Entry<A> | undefined {
    const { clock } = this.#options
    const receivedAtMs = clock.nowMs()
    const receivedMonotonicMs = clock.monotonicMs()
    const { venueAtMs, askedAtMs, handedOnAtMs, updateId } = update
    const asOfMs = Math.min(receivedAtMs, venueAtMs ?? receivedAtMs, askedAtMs ?? receivedAtMs, handedOnAtMs ?? receivedAtMs)
    const toldAtMs = venueAtMs ?? handedOnAtMs
    if (known !== undefined && receivedMonotonicMs - known.receivedMonotonicMs < BEGINS_ANEW_AFTER_MS) {
      // Times of one clock are held against each other only: the venue's, or ours.
      const older =
        askedAtMs !== undefined
          ? known.receivedAtMs > askedAtMs
          : toldAtMs !== undefined && known.toldAtMs !== undefined && known.toldAtMs > toldAtMs
      const before = updateId !== undefined && known.updateId !== undefined && updateId < known.updateId
      if (older || before) return undefined
    }
    // An answer by REST tells no update id: what the stream told before it still counts for the order.
    return { value, venueAtMs, toldAtMs, asOfMs, receivedAtMs, receivedMonotonicMs, updateId: updateId ?? known?.updateId }
  }

  /** The age of the newest price that can be decided with; `undefined`: there is none. */
  ageOf(symbol: string, market: Market): number | undefined {
    const row = this.#rows.get(boardKey(symbol, market))
    const newest = row === undefined ? undefined : this.#best(row)
    return newest === undefined ? undefined : this.#age(newest.entry)
  }
  /** Bid and ask as they stand, whatever their age. */
  bookOf(symbol: string, market: Market): Book | undefined {
    return this.#rows.get(boardKey(symbol, market))?.book?.value
  }

  read(symbol: string, market: Market): PriceRead {
    const { maxAgeMs, feed } = this.#options
    const row = this.#rows.get(boardKey(symbol, market))
    const found = row === undefined ? undefined : this.#best(row)
    if (row === undefined || found === undefined)
      return {
        _tag: "Refused",
        reason: reason("PRICE_UNKNOWN", "none", `a price from ${feed}`, `No price of ${symbol} has come from ${feed}.`),
      }
    const quote = this.#quote(row)
    const ageMs = this.#age(found.entry)
    const price = this.#price(row, found.price, found.source, ageMs)
    if (ageMs > maxAgeMs) {
      const why = reason(
        "PRICE_STALE",
        `${ageMs} ms old`,
        `MAX_PRICE_AGE_MS ${maxAgeMs}`,
        `The newest price of ${symbol} from ${feed} is too old.`,
      )
      return { _tag: "Refused", reason: why, stale: price, quote }
    }
    const { mark } = row
    const markAgeMs = mark === undefined ? undefined : this.#age(mark)
    return mark === undefined || markAgeMs === undefined || markAgeMs > maxAgeMs
      ? { _tag: "Fresh", price, quote }
      : { _tag: "Fresh", price, mark: this.#price(row, mark.value, "mark", markAgeMs), quote }
  }

  /** The best kind of price that is young enough, in the order book, last, mark; else the youngest of them. */
  #best(
    row: Row,
  ): { readonly price: DecimalString; readonly source: "book" | "trade" | "mark"; readonly entry: Entry<unknown> } | undefined {
    const { book, last, mark } = row
    const all = [
      ...(book === undefined ? [] : [{ price: middle(book.value), source: "book" as const, entry: book }]),
      ...(last === undefined ? [] : [{ price: last.value, source: "trade" as const, entry: last }]),
      ...(mark === undefined ? [] : [{ price: mark.value, source: "mark" as const, entry: mark }]),
    ]
    const fresh = all.find((one) => this.#age(one.entry) <= this.#options.maxAgeMs)
    return fresh ?? all.sort((a, b) => this.#age(a.entry) - this.#age(b.entry))[0]
  }

  #age(entry: Entry<unknown>): number {
    const { clock } = this.#options
    const lagMs = entry.receivedAtMs - entry.asOfMs
    const heldMs = Math.max(0, clock.nowMs() - entry.receivedAtMs, clock.monotonicMs() - entry.receivedMonotonicMs)
    return Math.ceil(lagMs + heldMs)
  }
  #price(row: Row, price: DecimalString, source: MarketPrice["source"], ageMs: number): MarketPrice {
    const { clock, feed } = this.#options
    return { symbol: row.symbol, price, source, atMs: Math.floor(clock.nowMs() - ageMs), feed }
  }
  #observed(price: DecimalString, entry: Entry<unknown>): Observed {
    const { venueAtMs, receivedAtMs } = entry
    return { price, ...(venueAtMs === undefined ? {} : { venueAtMs }), receivedAtMs, ageMs: this.#age(entry) }
  }
  #quote(row: Row): MarketQuote {
    const { symbol, market, book, mark, last } = row
    return {
      symbol,
      market,
      feed: this.#options.feed,
      ...(book === undefined ? {} : { bid: this.#observed(book.value.bid, book), ask: this.#observed(book.value.ask, book) }),
      ...(mark === undefined ? {} : { mark: this.#observed(mark.value, mark) }),
      ...(last === undefined ? {} : { last: this.#observed(last.value, last) }),
    }
  }

  onPrice(listener: (symbol: string, market: Market) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  /** Nobody is interested in it any more. */
  forget(symbol: string, market: Market): void {
    this.#rows.delete(boardKey(symbol, market))
  }
  notUnderstood(): void {
    this.#notUnderstood += 1
  }
  counts(): MarketDataCounts {
    return {
      understood: this.#understood,
      notUnderstood: this.#notUnderstood,
      unknownSymbols: this.#unknown,
      outdated: this.#outdated,
      lost: this.lost,
      symbols: this.#rows.size,
    }
  }
}

const TWO = dec("2")
/** Exactly: half a tick needs one place more. */
const middle = ({ bid, ask }: Book): DecimalString => (bid === ask ? bid : str(div(add(dec(bid), dec(ask)), TWO, 40)))
