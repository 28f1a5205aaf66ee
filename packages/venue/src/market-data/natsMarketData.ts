/**
 * Prices from the ecosystem's socket client, which publishes what Binance's streams tell on plain NATS
 * (`binance.websocket.data`): `{stream, data, timestamp, message_id, source, version}`, `data` as Binance sent it.
 *
 * A message does not say which market it is of (the client's own default is spot), so that is a setting; mark prices are of
 * futures in any case. What cannot be read is counted, never thrown. All symbols that are known here are kept, asked for
 * or not: the first signal of a symbol finds its price at hand.
 */
import type { Market } from "@petrosa/contracts"
import { field, isObject, parseExact, text } from "../binance/exactJson.ts"
import { systemMarketClock } from "./clock.ts"
import type { MarketClock } from "./clock.ts"
import { decodeMarketEvent } from "./decode.ts"
import type { KnownSymbol, MarketData } from "./marketData.ts"
import { QuoteBoard } from "./quoteBoard.ts"
import { Waiters } from "./waiters.ts"

export interface NatsMarketDataOptions {
  /** Subscribes; the answer ends it. Messages come one after the other. */
  readonly subscribe: (onMessage: (data: Uint8Array) => void) => () => void
  /** Whose prices the subject carries. `both`: prices of the one are good enough for the other. */
  readonly markets: Market | "both"
  readonly maxAgeMs: number
  readonly knows: KnownSymbol
  readonly clock?: MarketClock
}

/** A price message has less than 1 KB, a book of 20 levels 2 KB. */
const MESSAGE_MAX_BYTES = 64 * 1024
const SYMBOLS_MAX = 8_192
const BOTH: readonly Market[] = ["spot", "futures"]
const FUTURES: readonly Market[] = ["futures"]

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** Epoch milliseconds of the envelope's `timestamp` (ISO; the socket client writes UTC). */
const isoMs = (written: string | undefined): number | undefined => {
  if (written === undefined || written.length > 40) return undefined
  const atMs = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(written) ? written : `${written}Z`)
  return Number.isFinite(atMs) ? atMs : undefined
}

export const openNatsMarketData = (options: NatsMarketDataOptions): MarketData => {
  const clock = options.clock ?? systemMarketClock
  const { knows, maxAgeMs } = options
  const board = new QuoteBoard({ feed: "nats", clock, maxAgeMs, maxSymbols: SYMBOLS_MAX, knows })
  const waiters = new Waiters(board, clock)
  const plain: readonly Market[] = options.markets === "both" ? BOTH : [options.markets]

  const hear = (data: Uint8Array): void => {
    const envelope = data.length > MESSAGE_MAX_BYTES ? undefined : parse(data)
    const inner = envelope === undefined ? undefined : field(envelope, "data")
    if (envelope === undefined || !isObject(inner)) return board.notUnderstood()
    const event = decodeMarketEvent(inner)
    switch (event._tag) {
      case "NotUnderstood":
        return board.notUnderstood()
      case "Other":
        return
      case "Prices": {
        const { _tag, ...prices } = event
        const handedOnAtMs = isoMs(text(envelope, "timestamp"))
        for (const market of event.mark === undefined ? plain : FUTURES)
          board.post({ ...prices, market, ...(handedOnAtMs === undefined ? {} : { handedOnAtMs }) })
      }
    }
  }
  const stop = options.subscribe(hear)

  return {
    feed: "nats",
    read: (symbol, market) => board.read(symbol, market),
    want: (symbol, market) => knows(symbol, market),
    prepare: (symbol, market) => (knows(symbol, market) ? waiters.wait(symbol, market) : undefined),
    onPrice: (listener) => board.onPrice(listener),
    counts: () => board.counts(),
    close: async () => {
      stop()
      waiters.close()
    },
  }
}

const parse = (data: Uint8Array) => {
  try {
    const value = parseExact(utf8.decode(data))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
