/**
 * A decoded signal: what every later decision reads. Aliases and defaults are resolved, numbers are exact decimals taken
 * from the source text, times are epoch milliseconds. `decodeSignal.ts` makes it; this file only says what it is.
 */
import type { DecimalString } from "./decimal.ts"

export const ACTIONS = ["buy", "sell", "hold", "close"] as const
export type Action = (typeof ACTIONS)[number]

export const MARKETS = ["spot", "futures"] as const
export type Market = (typeof MARKETS)[number]

export const ORDER_TYPES = ["market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit"] as const
export type OrderType = (typeof ORDER_TYPES)[number]

export const TIMES_IN_FORCE = ["GTC", "IOC", "FOK", "GTX"] as const
export type TimeInForce = (typeof TIMES_IN_FORCE)[number]

export type Side = "buy" | "sell"

export interface Signal {
  readonly strategyId: string
  /** Upper case, as exchanges write it. */
  readonly symbol: string
  readonly market: Market
  readonly action: Action
  /** 0…1. */
  readonly confidence: DecimalString
  /** > 0, in quote. */
  readonly price: DecimalString
  /** > 0, in quote; the price of the market as the strategy saw it; `price` when the signal has none. */
  readonly currentPrice: DecimalString
  readonly orderType: OrderType
  readonly timeInForce: TimeInForce
  /** Only with the four trigger types. */
  readonly triggerPrice?: DecimalString
  /** > 0, in base. */
  readonly quantity?: DecimalString
  /** > 0, in quote. */
  readonly quoteQuantity?: DecimalString
  /** 0…1 of the free balance. */
  readonly positionSizePct?: DecimalString
  readonly icebergQuantity?: DecimalString
  readonly stopLoss?: DecimalString
  /** 0…1 of the entry price. */
  readonly stopLossPct?: DecimalString
  readonly takeProfit?: DecimalString
  readonly takeProfitPct?: DecimalString
  /** `indicators.atr`: average true range, in quote, > 0. */
  readonly atr?: DecimalString
  /** The entry's own time-out, seconds; `ENTRY_TIMEOUT_SECONDS` when absent. */
  readonly entryTimeoutS?: number
  /** This order goes to the paper venue, whatever the mode. */
  readonly simulate: boolean
  /** When the strategy decided; with `timestampFrom: "arrival"` the time at which the message arrived. */
  readonly timestampMs: number
  readonly timestampFrom: "signal" | "arrival"
  /** The signal's own id (the first of `signal_id`, `id`, `decision_id`, `client_order_id` that counts). */
  readonly id?: string
  readonly decisionId?: string
  /** Trace context of the body (`_otel_trace_context`, `_otel_trace_headers`), as compact JSON text. */
  readonly trace?: string
  /** What is recorded and has no effect on the trade: every other field, as it came (compact JSON text of one object). */
  readonly extras?: string
}

/** Where an order's identity comes from: its own id, its content, or (neither id nor timestamp) its arrival. */
export interface SignalIdentity {
  /** SHA-256 of the canonical JSON array [strategy, market, symbol, action, kind, id], hex. */
  readonly hash: string
  readonly kind: "id" | "content" | "arrival"
  /** SHA-256 of the canonical decoded body without its timestamp, hex: the same id with another content is a conflict. */
  readonly contentHash: string
}

/** How a message came to us: part of the first event of an order. */
export interface Arrival {
  readonly transport: "nats" | "http"
  readonly subject: string
  /** JetStream: stream name, sequence and the server's time (epoch ms). Both must match for a message to be "still there". */
  readonly stream: string
  readonly sequence: number
  readonly streamTimeMs: number
  /** HTTP: the caller's `Idempotency-Key`, or the one that was made for the call. */
  readonly idempotencyKey?: string
  /** Trace context of the NATS headers (`traceparent`). */
  readonly traceparent?: string
}

/** One thing wrong with an input: which field, what was expected, what came (shortened). */
export interface FieldError {
  readonly field: string
  readonly expected: string
  readonly received: string
}
