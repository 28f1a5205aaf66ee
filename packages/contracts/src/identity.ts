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
import { hexOf } from "./sha256.ts"
import type { Arrival, Signal, SignalIdentity } from "./signal.ts"
import { isJsonArray, isJsonObject, type Json, JsonNumber, type JsonObject } from "./strictJson.ts"
import { Utf8Text } from "./utf8Text.ts"

/** What is hashed or written here: each of the exported functions begins it, and the others only add. */
const canonical = new Utf8Text()
const hash = new Uint8Array(32)

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

const putObject = (object: JsonObject, withoutNulls: boolean): void => {
  let before = "{"
  for (const key of sortedKeys(object)) {
    const value = object.get(key) ?? null
    if (value === null && withoutNulls) continue
    canonical.put(before).putJson(key).put(":")
    put(value)
    before = ","
  }
  canonical.put(before === "{" ? "{}" : "}")
}

const put = (value: Json): void => {
  if (value instanceof JsonNumber) canonical.put(exactDecimal(value) ?? value.text)
  else if (typeof value === "string") canonical.putJson(value)
  else if (isJsonArray(value)) {
    canonical.put("[")
    for (let i = 0; i < value.length; i++) {
      if (i > 0) canonical.put(",")
      put(value[i] as Json)
    }
    canonical.put("]")
  } else if (isJsonObject(value)) putObject(value, false)
  else canonical.put(String(value))
}

/** Canonical JSON text: keys sorted by UTF-16 code units, numbers as shortest exact decimals (as written where they are beyond {@link exactDecimal}). */
export const canonicalJson = (value: Json): string => {
  canonical.begin()
  put(value)
  return canonical.text()
}

/** The members of a signal that are not content: where and when it came, and what is already said beside them. */
type NotContent = "timestampMs" | "timestampFrom" | "trace" | "extras"

/** SHA-256, hex, of the canonical decoded body. `extras`: what is recorded without effect (nulls do not count). */
export const contentHashOf = (signal: Omit<Signal, NotContent>, extras: JsonObject): string => {
  // What JSON.stringify writes of an array of four arrays.
  canonical.begin().put("[[").putJson(signal.strategyId)
  canonical.put(",").putJson(signal.symbol)
  canonical.put(",").putJson(signal.market)
  canonical.put(",").putJson(signal.action)
  canonical.put(",").putJson(signal.confidence)
  canonical.put(",").putJson(signal.price)
  canonical.put(",").putJson(signal.currentPrice)
  canonical.put(",").putJson(signal.orderType)
  canonical.put(",").putJson(signal.timeInForce)
  canonical.put("],[").putJson(signal.triggerPrice)
  canonical.put(",").putJson(signal.quantity)
  canonical.put(",").putJson(signal.quoteQuantity)
  canonical.put(",").putJson(signal.positionSizePct)
  canonical.put(",").putJson(signal.icebergQuantity)
  canonical.put("],[").putJson(signal.stopLoss)
  canonical.put(",").putJson(signal.stopLossPct)
  canonical.put(",").putJson(signal.takeProfit)
  canonical.put(",").putJson(signal.takeProfitPct)
  canonical.put(",").putJson(signal.atr)
  canonical.put(",").put(String(signal.entryTimeoutS ?? null))
  canonical.put("],[").put(String(signal.simulate))
  canonical.put(",").putJson(signal.id)
  canonical.put(",").putJson(signal.decisionId)
  canonical.put("]]")
  putObject(extras, true)
  canonical.hashInto(hash)
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
  canonical.begin().put("[").putJson(signal.strategyId)
  canonical.put(",").putJson(signal.market)
  canonical.put(",").putJson(signal.symbol)
  canonical.put(",").putJson(signal.action)
  canonical.put(",").putJson(kind)
  canonical.put(",").putJson(id)
  canonical.put("]").hashInto(hash)
  return { identity: { hash: hexOf(hash), kind, contentHash }, order: orderIdOf(hash) }
}
