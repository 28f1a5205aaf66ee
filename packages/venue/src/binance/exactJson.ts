/**
 * Binance's JSON without losing digits. PURE.
 *
 * `JSON.parse` rounds order ids beyond 2^53 (futures ids such as 8389765612825190229 occur: binance.md 1.3.7), which then name
 * another order. Here every number that a double does not hold as a safe integer stays the text that it was written as;
 * the others are numbers. The readers below take both, so that no caller has to know.
 *
 * Never throws: text that is no JSON, or nested so deeply that reading it would overflow the stack, is `undefined`.
 */
import { DECIMAL_MAX_LENGTH, parseDecimal, str } from "@petrosa/contracts"
import type { DecimalString } from "@petrosa/contracts"

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** Binance's largest answer, exchangeInfo of all futures, has 1.1 MB. */
export const JSON_MAX_LENGTH = 32 * 1024 * 1024

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown
const parse = JSON.parse as (text: string, reviver: Reviver) => Json

const exactly: Reviver = (_key, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) ? (context.source ?? String(value)) : value

export const parseExact = (text: string): Json | undefined => {
  if (text.length > JSON_MAX_LENGTH) return undefined
  try {
    return parse(text, exactly)
  } catch {
    return undefined
  }
}

/** A message that broke off on its way, or is none at all: what it said is lost. */
export const isBroken = (text: string): boolean => parseExact(text) === undefined

export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value)
/** The objects of a list; of anything else, none. */
export const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** A field of an object from outside. Own properties only: `constructor` is no field. */
export const field = (from: JsonObject, name: string): Json | undefined => (Object.hasOwn(from, name) ? from[name] : undefined)

/** Text; `undefined` when it is missing, empty, or something else. */
export const text = (from: JsonObject, name: string): string | undefined => {
  const value = field(from, name)
  return typeof value === "string" && value !== "" ? value : undefined
}

/** An id: digits, as text, whatever it was sent as. Ids of `-1` and `0` mean "none" in most places: the caller says so. */
export const id = (from: JsonObject, name: string): string | undefined => {
  const value = field(from, name)
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined
  return typeof value === "string" && /^-?\d{1,20}$/.test(value) ? value : undefined
}

/** An exact decimal, canonical, from text or a number; `undefined` when it is neither. */
export const decimal = (from: JsonObject, name: string): DecimalString | undefined => {
  const value = field(from, name)
  if (typeof value !== "string" && typeof value !== "number") return undefined
  const source = String(value)
  if (source.length > DECIMAL_MAX_LENGTH) return undefined
  const parsed = parseDecimal(source)
  return parsed === undefined ? undefined : str(parsed)
}

const ZERO_TEXT = "0" as DecimalString
/** A decimal that may be missing: then it is zero. */
export const decimalOrZero = (from: JsonObject, name: string): DecimalString => decimal(from, name) ?? ZERO_TEXT
/** A decimal of which zero means "none". */
export const decimalOrNone = (from: JsonObject, name: string): DecimalString | undefined => {
  const value = decimal(from, name)
  return value === undefined || value === "0" ? undefined : value
}

/** Epoch milliseconds, also when they come as text (`listenKeyExpired` does that). */
export const millis = (from: JsonObject, name: string): number | undefined => {
  const value = field(from, name)
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
