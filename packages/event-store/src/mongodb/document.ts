/**
 * An event as a MongoDB document, and back to the very text that its hash was made of.
 *
 * The document is the record as it is (contracts, records.ts). What MongoDB, its driver or a server that speaks its
 * protocol would refuse or change is wrapped, as small as can be: `{ "%json": "<JSON text>" }` stands for the value that
 * the text says. That is: an object with a key that starts with `$` or holds `.` or NUL (metadata such as `rsi.14`), an
 * array inside an array, text with half a surrogate pair, what is nested very deep, and a `%json` of somebody else's.
 *
 * Promises: for every record, `textOf(fromDocument(toDocument(record)))` is `canonicalText(record)`.
 */
import { canonicalRecord, canonicalText, type EventRecord, type UnsealedRecord } from "@petrosa/contracts"
import type { OrderRow } from "../eventStore.ts"
import { rowOf } from "../orderRows.ts"

/** A document as the driver takes and gives it: `_id` is the event's id. */
export type EventDocument = Readonly<Record<string, unknown>> & { readonly _id: string }

const WRAPPED = "%json"
/** MongoDB takes 100 levels; an event has two of its own. */
const DEPTH_MAX = 60

const isStrangeKey = (key: string): boolean =>
  key.startsWith("$") ||
  key.includes(".") ||
  key.includes("\0") ||
  key === WRAPPED ||
  key === "__proto__" ||
  key === "_bsontype" ||
  !key.isWellFormed()

/** Keys that were looked at and are fine: the same few come again in every event. Metadata may bring any others, so: bounded. */
const plainKeys = new Set<string>()
const PLAIN_KEYS_MAX = 1000
const PLAIN_KEY_LENGTH_MAX = 64

const mustWrapKey = (key: string): boolean => {
  if (plainKeys.has(key)) return false
  if (isStrangeKey(key)) return true
  if (plainKeys.size < PLAIN_KEYS_MAX && key.length <= PLAIN_KEY_LENGTH_MAX) plainKeys.add(key)
  return false
}

const wrap = (value: unknown): Readonly<Record<string, string>> => ({ [WRAPPED]: JSON.stringify(value) })

/** Returns the value itself when nothing in it has to be wrapped, which is the rule. */
const encode = (value: unknown, depth: number, inArray: boolean): unknown => {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : wrap(value)
    case "number":
      return Number.isFinite(value) ? value : null
    case "object":
      break
    default:
      return value
  }
  if (value === null) return null
  if (depth >= DEPTH_MAX) return wrap(value)
  if (Array.isArray(value)) return inArray ? wrap(value) : encodeArray(value, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  // A date, or whatever else has its own way to become JSON: what was hashed is that JSON.
  if (prototype !== Object.prototype && prototype !== null) return encode(JSON.parse(JSON.stringify(value)), depth, inArray)
  return encodeObject(value as Record<string, unknown>, depth)
}

const encodeArray = (list: readonly unknown[], depth: number): unknown => {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index += 1) {
    const encoded = encode(list[index], depth + 1, true)
    if (encoded === list[index]) continue
    copy ??= [...list]
    copy[index] = encoded
  }
  return copy ?? list
}

const encodeObject = (object: Record<string, unknown>, depth: number): unknown => {
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(object)) {
    if (mustWrapKey(key)) return wrap(object)
    const value = object[key]
    const encoded = encode(value, depth + 1, false)
    if (encoded === value) continue
    copy ??= { ...object }
    copy[key] = encoded
  }
  return copy ?? object
}

/** Of an object whose keys are ours: they are not looked at. */
const encodeFields = (object: Record<string, unknown>, keys: readonly string[]): unknown => {
  let copy: Record<string, unknown> | undefined
  for (const key of keys) {
    const value = object[key]
    const encoded = encode(value, 1, false)
    if (encoded === value) continue
    copy ??= { ...object }
    copy[key] = encoded
  }
  return copy ?? object
}

const decode = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index += 1) {
      const decoded = decode(value[index])
      if (decoded === value[index]) continue
      copy ??= [...value]
      copy[index] = decoded
    }
    return copy ?? value
  }
  const object = value as Record<string, unknown>
  const keys = Object.keys(object)
  const text = object[WRAPPED]
  if (keys.length === 1 && typeof text === "string") {
    try {
      return JSON.parse(text)
    } catch {
      // Somebody changed it; the hash will say so.
      return value
    }
  }
  let copy: Record<string, unknown> | undefined
  for (const key of keys) {
    const decoded = decode(object[key])
    if (decoded === object[key]) continue
    copy ??= { ...object }
    copy[key] = decoded
  }
  return copy ?? value
}

/** What a sealed record has, and in this order: its canonical keys, then its hash. */
const SEALED_KEYS: readonly string[] = [...Object.keys(canonicalRecord({} as UnsealedRecord)), "hash"]

/** As `sealStep` made it, with nothing else in it: it is a document as it is. */
const isAsSealed = (record: EventRecord): boolean => {
  const keys = Object.keys(record)
  if (keys.length !== SEALED_KEYS.length) return false
  for (let index = 0; index < keys.length; index += 1) if (keys[index] !== SEALED_KEYS[index]) return false
  return true
}

/** The record itself when it is canonical and nothing in it has to be wrapped, which is the rule: forty fields are not copied. */
export const toDocument = (record: EventRecord): EventDocument => {
  const canonical = isAsSealed(record) ? record : { ...canonicalRecord(record), hash: record.hash }
  return encodeFields(canonical as unknown as Record<string, unknown>, SEALED_KEYS) as EventDocument
}

/** The record of a document. Its form is not checked: {@link textOf} and the hash tell whether it is what was written. */
export const fromDocument = (document: EventDocument): EventRecord => decode(document) as EventRecord

/** The canonical text of what is stored. Fields that no event has are part of it: they were put there later. */
export const textOf = (record: EventRecord): string => {
  const canonical = canonicalRecord(record)
  const extra = Object.entries(record).filter(([key]) => key !== "hash" && !Object.hasOwn(canonical, key))
  return extra.length === 0 ? canonicalText(record) : JSON.stringify({ ...canonical, ...Object.fromEntries(extra) })
}

export type RowDocument = Readonly<Record<string, unknown>> & { readonly _id: string }

/** A row of the `orders` collection; its `_id` is the order. */
export const toRowDocument = (row: OrderRow): RowDocument => encodeObject({ _id: row.order, ...row }, 0) as RowDocument

export const fromRowDocument = (document: RowDocument): OrderRow => rowOf(decode(document) as EventRecord)
