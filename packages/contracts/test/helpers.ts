/** What the tests of this folder share: messages, contexts, and the short ways to decode and to read an error. */
import type { Arrival, DecodeContext, DecodedSignal, FieldError, RejectedSignal } from "../src/index.ts"
import { decodeSignal } from "../src/index.ts"

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const NATS_ARRIVAL: Arrival = {
  transport: "nats",
  subject: "signals.trading",
  stream: "SIGNALS",
  sequence: 7,
  streamTimeMs: 1_763_856_000_000,
}
export const HTTP_ARRIVAL: Arrival = { ...NATS_ARRIVAL, transport: "http", subject: "signals.http", sequence: 8, idempotencyKey: "call-1" }

export const CONTEXT: DecodeContext = {
  arrival: NATS_ARRIVAL,
  receivedAtMs: 1_763_856_000_005,
  defaultMarket: "futures",
  defaultOrderType: "limit",
  maxBytes: 1_048_576,
}

/** The specification's example. */
export const SPECIFICATION_EXAMPLE = `{
  "strategy_id": "volume_surge_breakout",
  "symbol": "BTCUSDT",
  "action": "buy",
  "confidence": 0.85,
  "price": 50000.00,
  "quantity": 0.001,
  "current_price": 50000.00,
  "timeframe": "15m",
  "stop_loss": 49000.00,
  "take_profit": 51500.00,
  "indicators": {"rsi": 61.25},
  "metadata": {"note": "x"},
  "timestamp": "2024-01-01T00:00:00.000Z"
}`

/** The specification's curl line. */
export const CURL_LINE =
  '{"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.8, "price": 50000, "quantity": 0.001}'

/** The least signal, with a timestamp; `undefined` removes a field. */
export const BASE = {
  strategy_id: "s1",
  symbol: "BTCUSDT",
  action: "buy",
  confidence: 0.9,
  price: 50000,
  timestamp: "2025-11-23T00:00:00Z",
}
export type Fields = Readonly<Record<string, unknown>>

export const decodeText = (text: string, context: Partial<DecodeContext> = {}): DecodedSignal | RejectedSignal =>
  decodeSignal(bytes(text), { ...CONTEXT, ...context })

/** {@link BASE} with other fields. */
export const decodeWith = (fields: Fields, context: Partial<DecodeContext> = {}): DecodedSignal | RejectedSignal =>
  decodeText(JSON.stringify({ ...BASE, ...fields }), context)

export const expectSignal = (result: DecodedSignal | RejectedSignal): DecodedSignal => {
  if (result._tag !== "Signal") throw new Error(`rejected: ${JSON.stringify(result)}`)
  return result
}
export const expectRejected = (result: DecodedSignal | RejectedSignal): RejectedSignal => {
  if (result._tag !== "Rejected") throw new Error(`accepted: ${JSON.stringify(result)}`)
  return result
}
export const signalWith = (fields: Fields, context: Partial<DecodeContext> = {}) => expectSignal(decodeWith(fields, context)).signal
export const orderWith = (fields: Fields, context: Partial<DecodeContext> = {}) => expectSignal(decodeWith(fields, context)).order
/** The names of the wrong fields. */
export const wrongFields = (fields: Fields, context: Partial<DecodeContext> = {}): readonly string[] =>
  expectRejected(decodeWith(fields, context)).fields.map((error) => error.field)
export const errorOf = (fields: Fields, name: string): FieldError => {
  const error = expectRejected(decodeWith(fields)).fields.find((e) => e.field === name)
  if (error === undefined) throw new Error(`no error of ${name}`)
  return error
}

/**
 * Processor time of a call, the cheapest of up to three: unlike wall-clock time it does not hang on what else the machine
 * does. One cheap call is enough.
 */
export const cpuMsOf = (call: () => unknown): number => {
  let leastMs = Number.POSITIVE_INFINITY
  for (let attempt = 1; attempt <= 3 && leastMs > 20; attempt++) {
    const before = process.cpuUsage()
    call()
    const { user, system } = process.cpuUsage(before)
    leastMs = Math.min(leastMs, (user + system) / 1000)
  }
  return leastMs
}
