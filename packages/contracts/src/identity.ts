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
import { exactDecimal } from "./fieldKinds.ts"
import { type OrderId, orderIdOf } from "./ids.ts"
import { HashedText, hexOf } from "./sha256.ts"
import type { Arrival, Signal, SignalIdentity } from "./signal.ts"
import { isJsonArray, isJsonObject, type Json, JsonNumber, type JsonObject, quoted } from "./strictJson.ts"

/** Canonical JSON text: keys sorted by UTF-16 code units, numbers as shortest exact decimals (as written where they are beyond {@link exactDecimal}). */
export const canonicalJson = (value: Json): string => {
  if (value instanceof JsonNumber) return exactDecimal(value) ?? value.text
  if (typeof value === "string") return quoted(value)
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  return isJsonObject(value) ? canonicalObject(value, false) : String(value)
}

/** Objects of up to so many keys are sorted by insertion: a quarter of what `sort` costs for three. */
const FEW = 16
/** By UTF-16 code units, which is what `<` and `sort` compare. */
const sortedKeys = (object: JsonObject): readonly string[] => {
  if (object.size > FEW) return [...object.keys()].sort()
  const keys: string[] = []
  for (const key of object.keys()) {
    let i = keys.length
    for (; i > 0; i--) {
      const before = keys[i - 1] as string
      if (before < key) break
      keys[i] = before
    }
    keys[i] = key
  }
  return keys
}

const canonicalObject = (object: JsonObject, withoutNulls: boolean): string => {
  let members = ""
  for (const key of sortedKeys(object)) {
    const value = object.get(key) ?? null
    if (value === null && withoutNulls) continue
    members += `${members === "" ? "" : ","}${quoted(key)}:${canonicalJson(value)}`
  }
  return `{${members}}`
}

/** Both are used within one call only. */
const hashed = new HashedText()
const hash = new Uint8Array(32)

/** The members of a signal that are not content: where and when it came, and what is already said beside them. */
type NotContent = "timestampMs" | "timestampFrom" | "trace" | "extras"

/** SHA-256, hex, of the canonical decoded body. `extras`: what is recorded without effect (nulls do not count). */
export const contentHashOf = (signal: Omit<Signal, NotContent>, extras: JsonObject): string => {
  // What JSON.stringify writes of an array of four arrays.
  hashed.begin("[[").putJson(signal.strategyId)
  hashed.put(",").putJson(signal.symbol)
  hashed.put(",").putJson(signal.market)
  hashed.put(",").putJson(signal.action)
  hashed.put(",").putJson(signal.confidence)
  hashed.put(",").putJson(signal.price)
  hashed.put(",").putJson(signal.currentPrice)
  hashed.put(",").putJson(signal.orderType)
  hashed.put(",").putJson(signal.timeInForce)
  hashed.put("],[").putJson(signal.triggerPrice)
  hashed.put(",").putJson(signal.quantity)
  hashed.put(",").putJson(signal.quoteQuantity)
  hashed.put(",").putJson(signal.positionSizePct)
  hashed.put(",").putJson(signal.icebergQuantity)
  hashed.put("],[").putJson(signal.stopLoss)
  hashed.put(",").putJson(signal.stopLossPct)
  hashed.put(",").putJson(signal.takeProfit)
  hashed.put(",").putJson(signal.takeProfitPct)
  hashed.put(",").putJson(signal.atr)
  hashed.put(",").put(String(signal.entryTimeoutS ?? null))
  hashed.put("],[").put(String(signal.simulate))
  hashed.put(",").putJson(signal.id)
  hashed.put(",").putJson(signal.decisionId)
  hashed.put("]]").put(canonicalObject(extras, true)).into(hash)
  return hexOf(hash)
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
  hashed.begin("[").putJson(signal.strategyId)
  hashed.put(",").putJson(signal.market)
  hashed.put(",").putJson(signal.symbol)
  hashed.put(",").putJson(signal.action)
  hashed.put(",").putJson(kind)
  hashed.put(",").putJson(id)
  hashed.put("]").into(hash)
  return { identity: { hash: hexOf(hash), kind, contentHash }, order: orderIdOf(hash) }
}
