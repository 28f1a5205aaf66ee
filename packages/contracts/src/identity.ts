/**
 * Which order a signal is: docs/design.md section 5.1. Pure and for ever: an order id that came out differently after an
 * update would be a second order, so the fixtures of `test/identity.test.ts` may never change.
 *
 * Identity = SHA-256 of the JSON array `[strategy, market, symbol, action, kind, id]`, where the id is
 * - kind `id`: the signal's own id;
 * - kind `content` (no id, but a timestamp): `<content hash>@<timestamp, epoch ms>`;
 * - kind `arrival` (neither): `nats:<stream sequence>@<the server's time, epoch ms>`, or `http:<idempotency key>`.
 *
 * Content hash = SHA-256 of the canonical JSON of the decoded body without timestamp and trace context: aliases and
 * defaults resolved, numbers as shortest exact decimals (`67000.0`, `67000` and `6.7e4` are one), keys sorted, absent and
 * null the same. What is recorded without effect is part of it.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { exactDecimal } from "./fieldKinds.ts"
import { type OrderId, orderIdOf } from "./ids.ts"
import type { Arrival, Signal, SignalIdentity } from "./signal.ts"
import { isJsonArray, isJsonObject, type Json, JsonNumber, type JsonObject, quoted } from "./strictJson.ts"

/** Canonical JSON text: keys sorted by UTF-16 code units, numbers as shortest exact decimals (as written where they are beyond {@link exactDecimal}). */
export const canonicalJson = (value: Json): string => {
  if (value instanceof JsonNumber) return exactDecimal(value) ?? value.text
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  if (!isJsonObject(value)) return typeof value === "string" ? quoted(value) : String(value)
  const members: string[] = []
  for (const key of [...value.keys()].sort()) members.push(`${quoted(key)}:${canonicalJson(value.get(key) ?? null)}`)
  return `{${members.join(",")}}`
}

const utf8 = new TextEncoder()
const hashOf = (text: string): Uint8Array => sha256(utf8.encode(text))

/** The members of a signal that are not content: where and when it came, and what is already said beside them. */
type NotContent = "timestampMs" | "timestampFrom" | "trace" | "extras"

/** SHA-256, hex, of the canonical decoded body. `extras`: what is recorded without effect (nulls do not count). */
export const contentHashOf = (signal: Omit<Signal, NotContent>, extras: JsonObject): string => {
  const { strategyId, symbol, market, action, confidence, price, currentPrice, orderType, timeInForce } = signal
  const body = JSON.stringify([
    [strategyId, symbol, market, action, confidence, price, currentPrice, orderType, timeInForce],
    [signal.triggerPrice, signal.quantity, signal.quoteQuantity, signal.positionSizePct, signal.icebergQuantity],
    [signal.stopLoss, signal.stopLossPct, signal.takeProfit, signal.takeProfitPct, signal.atr, signal.entryTimeoutS],
    [signal.simulate, signal.id, signal.decisionId],
  ])
  const counted = new Map<string, Json>()
  for (const [key, value] of extras) if (value !== null) counted.set(key, value)
  return bytesToHex(hashOf(`${body}${canonicalJson(counted)}`))
}

const idOf = (signal: Signal, contentHash: string, arrival: Arrival): readonly [SignalIdentity["kind"], string] => {
  if (signal.id !== undefined) return ["id", signal.id]
  if (signal.timestampFrom === "signal") return ["content", `${contentHash}@${signal.timestampMs}`]
  if (arrival.idempotencyKey !== undefined) return ["arrival", `http:${arrival.idempotencyKey}`]
  return ["arrival", `nats:${arrival.sequence}@${arrival.streamTimeMs}`]
}

/** The identity of a signal and the order that it is. */
export const identityOf = (
  signal: Signal,
  contentHash: string,
  arrival: Arrival,
): { readonly identity: SignalIdentity; readonly order: OrderId } => {
  const [kind, id] = idOf(signal, contentHash, arrival)
  const hash = hashOf(JSON.stringify([signal.strategyId, signal.market, signal.symbol, signal.action, kind, id]))
  return { identity: { hash: bytesToHex(hash), kind, contentHash }, order: orderIdOf(hash) }
}
