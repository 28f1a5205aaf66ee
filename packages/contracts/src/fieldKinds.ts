/**
 * The kinds of fields that a signal has: for each one how its JSON value is read, what a field error says was expected,
 * and its JSON Schema: side by side, so that they cannot drift apart (a test holds them against each other).
 *
 * `read` answers the value, {@link ABSENT} for a value that asks for nothing, or `undefined` for a wrong one. `null` never
 * reaches it: it means "absent" everywhere.
 */
import {
  ACTION_SPELLINGS,
  type ConditionalType,
  type Direction,
  MARKET_SPELLINGS,
  ORDER_TYPE_SPELLINGS,
  SYMBOL_PATTERN,
  symbolOf,
  TIME_IN_FORCE_SPELLINGS,
  wordOf,
} from "./aliases.ts"
import type { OrderType } from "./signal.ts"
import { DECIMAL_MAX_LENGTH, type DecimalString, parseDecimal, str } from "./decimal.ts"
import { isJsonObject, type Json, JsonNumber, type JsonObject } from "./strictJson.ts"
import { EARLIEST_S, epochMsOf, ISO_PATTERN, LATEST_S, timestampMsOf } from "./timestamp.ts"

export const ABSENT = Symbol("absent")

export type JsonSchema = Readonly<Record<string, unknown>>

export interface FieldKind<out A> {
  /** Completes "expected …". */
  readonly expected: string
  readonly jsonSchema: JsonSchema
  readonly read: (value: Json) => A | typeof ABSENT | undefined
}

/** Beyond it there is arithmetic to do anyway. */
const PLAIN_MAX_LENGTH = 32

/** The canonical decimal of `67000`, `0.85` and `67000.00`: digits without a sign or a needless zero in front, zeros behind the point cut off. */
const plainDecimal = (text: string): DecimalString | undefined => {
  const { length } = text
  if (length === 0 || length > PLAIN_MAX_LENGTH) return undefined
  let point = -1
  let lastDigit = -1
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e && point < 0 && i > 0) point = i
    else if (code < 0x30 || code > 0x39) return undefined
    else if (code !== 0x30) lastDigit = i
  }
  const whole = point < 0 ? length : point
  if (whole > 1 && text.charCodeAt(0) === 0x30) return undefined
  if (point < 0) return text as DecimalString
  if (point === length - 1) return undefined
  // Behind the last digit that is not zero, or at the point when there is none behind it.
  const end = lastDigit > point ? lastDigit + 1 : point
  return (end === length ? text : text.slice(0, end)) as DecimalString
}

/** The canonical decimal of a number or of numeric text; `undefined` for everything else. The common spellings take a short way. */
export const exactDecimal = (value: Json): DecimalString | undefined => {
  const text = value instanceof JsonNumber ? value.text : value
  if (typeof text !== "string") return undefined
  const plain = plainDecimal(text)
  if (plain !== undefined) return plain
  const decimal = parseDecimal(text)
  return decimal === undefined ? undefined : str(decimal)
}

// A canonical decimal has its sign in front and "0" for zero: no arithmetic is needed to compare it with 0 and 1.
const isNegative = (value: DecimalString): boolean => value.startsWith("-")
const isZero = (value: string): boolean => value === "0"
const isFraction = (value: string): boolean => value === "0" || value === "1" || value.startsWith("0.")

// Numeric text. `[1-9]` before any exponent is what makes it more than zero.
const EXPONENT = "(?:[eE][+-]?\\d{1,3})?"
const ABOVE_ZERO = `^\\+?(?:0*[1-9]\\d*(?:\\.\\d*)?|0*\\.0*[1-9]\\d*)${EXPONENT}$`
const ZERO_OR_MORE = `^(?:\\+?(?:\\d+(?:\\.\\d*)?|\\.\\d+)|-(?:0+(?:\\.0*)?|\\.0+))${EXPONENT}$`
const numeric = (range: JsonSchema, pattern: string): JsonSchema => ({
  anyOf: [
    { type: "number", ...range },
    { type: "string", pattern, maxLength: DECIMAL_MAX_LENGTH },
  ],
})

/** A number above zero, exact. */
export const POSITIVE: FieldKind<DecimalString> = {
  expected: "a number above 0 (or the same as text), at most 64 characters",
  jsonSchema: numeric({ exclusiveMinimum: 0 }, ABOVE_ZERO),
  read: (value) => {
    const decimal = exactDecimal(value)
    return decimal === undefined || isZero(decimal) || isNegative(decimal) ? undefined : decimal
  },
}

/** A quantity: zero asks for nothing (the TA bot always sends 0.0). */
export const AMOUNT: FieldKind<DecimalString> = {
  expected: "a number above 0, or 0 or null for none",
  jsonSchema: numeric({ minimum: 0 }, ZERO_OR_MORE),
  read: (value) => {
    const decimal = exactDecimal(value)
    return decimal === undefined || isNegative(decimal) ? undefined : isZero(decimal) ? ABSENT : decimal
  },
}

/** 0…1. */
export const FRACTION: FieldKind<DecimalString> = {
  expected: "a number from 0 to 1 (85 % is 0.85)",
  jsonSchema: numeric({ minimum: 0, maximum: 1 }, ZERO_OR_MORE),
  read: (value) => {
    const decimal = exactDecimal(value)
    return decimal === undefined || !isFraction(decimal) ? undefined : decimal
  },
}

/** 0…1, where zero asks for nothing. */
export const SHARE: FieldKind<DecimalString> = {
  expected: "a number above 0 and at most 1 (2 % is 0.02), or 0 or null for none",
  jsonSchema: FRACTION.jsonSchema,
  read: (value) => {
    const decimal = exactDecimal(value)
    return decimal === undefined || !isFraction(decimal) ? undefined : isZero(decimal) ? ABSENT : decimal
  },
}

/** Above 0, at most 1: a distance. */
export const DISTANCE: FieldKind<DecimalString> = {
  expected: "a number above 0 and at most 1 (2 % is 0.02)",
  jsonSchema: numeric({ exclusiveMinimum: 0, maximum: 1 }, ABOVE_ZERO),
  read: (value) => {
    const decimal = exactDecimal(value)
    return decimal === undefined || !isFraction(decimal) || isZero(decimal) ? undefined : decimal
  },
}

/** The longest time-out that a signal may ask for: 30 days. */
export const TIMEOUT_MAX_S = 2_592_000

export const SECONDS: FieldKind<number> = {
  expected: `whole seconds from 1 to ${TIMEOUT_MAX_S}`,
  jsonSchema: {
    anyOf: [
      { type: "integer", minimum: 1, maximum: TIMEOUT_MAX_S },
      { type: "string", pattern: ABOVE_ZERO, maxLength: DECIMAL_MAX_LENGTH },
    ],
  },
  read: (value) => {
    const decimal = exactDecimal(value)
    if (decimal === undefined || !/^[1-9]\d{0,6}$/.test(decimal)) return undefined
    const seconds = Number(decimal)
    return seconds <= TIMEOUT_MAX_S ? seconds : undefined
  },
}

/** Longest text of an id or a strategy's name, in characters (code points, as JSON Schema counts). */
export const TEXT_MAX_LENGTH = 200
// Control characters, line separators and the controls that turn the direction of text: they forge log lines and names.
const FORBIDDEN = "\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069"
const PLAIN_PATTERN = `^[^${FORBIDDEN}]*$`
const PLAIN = new RegExp(PLAIN_PATTERN, "u")
const NOT_BLANK = /\S/u
const lengthOf = (text: string): number => {
  if (text.length <= TEXT_MAX_LENGTH) return text.length
  let length = 0
  for (const _ of text) length++
  return length
}
const isPlain = (text: string): boolean =>
  isAscii(text) || (text.length <= TEXT_MAX_LENGTH * 2 && lengthOf(text) <= TEXT_MAX_LENGTH && PLAIN.test(text))
/** Whether there is nothing but printable ASCII, as in nearly all names. */
const isAscii = (text: string): boolean => {
  if (text.length > TEXT_MAX_LENGTH) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}
const isBlank = (text: string): boolean => {
  const first = text.charCodeAt(0)
  return !(first > 0x20 && first < 0x7f) && !NOT_BLANK.test(text)
}

/** Text that is not blank; spaces and any script are fine, and nothing is trimmed: `"a"` and `"a "` are two strategies. */
export const NAME: FieldKind<string> = {
  expected: `text of 1 to ${TEXT_MAX_LENGTH} characters, not blank, without control characters`,
  jsonSchema: { type: "string", maxLength: TEXT_MAX_LENGTH, allOf: [{ pattern: "\\S" }, { pattern: PLAIN_PATTERN }] },
  read: (value) => (typeof value === "string" && isPlain(value) && !isBlank(value) ? value : undefined),
}

/** An id: text, or a whole number; blank asks for nothing. */
export const ID: FieldKind<string> = {
  expected: `text of at most ${TEXT_MAX_LENGTH} characters without control characters, a whole number, or null`,
  jsonSchema: { anyOf: [{ type: "string", maxLength: TEXT_MAX_LENGTH, pattern: PLAIN_PATTERN }, { type: "integer" }] },
  read: (value) => {
    if (typeof value === "string") return !isPlain(value) ? undefined : isBlank(value) ? ABSENT : value
    if (!(value instanceof JsonNumber)) return undefined
    const decimal = exactDecimal(value)
    return decimal === undefined || decimal.includes(".") ? undefined : decimal
  },
}

export const SYMBOL: FieldKind<string> = {
  expected: "a symbol such as BTCUSDT: 2 to 30 letters and digits (BTC/USDT and BTC-USDT are understood)",
  jsonSchema: { type: "string", pattern: SYMBOL_PATTERN },
  read: (value) => (typeof value === "string" ? symbolOf(value) : undefined),
}

/** Words of a table, whatever their case; `-` and spaces between words count as `_`. */
const word = <A>(table: Readonly<Record<string, A>>, expected: string): FieldKind<A> => ({
  expected,
  jsonSchema: { type: "string", pattern: wordPattern(Object.keys(table)) },
  read: (value) => (typeof value === "string" ? wordOf(table, value) : undefined),
})
// JSON Schema patterns have no flag for case: `buy` becomes `[bB][uU][yY]`.
const wordPattern = (words: readonly string[]): string => {
  const anyCase = (text: string): string =>
    [...text].map((c) => (c === "_" ? "(?:_|[\\s-]+)" : /[a-z]/.test(c) ? `[${c}${c.toUpperCase()}]` : c)).join("")
  return `^\\s*(?:${words.map(anyCase).join("|")})\\s*$`
}

export const ACTION = word(ACTION_SPELLINGS, "buy, sell, hold or close")
export const MARKET = word(MARKET_SPELLINGS, "spot or futures")
export const TIME_IN_FORCE = word(TIME_IN_FORCE_SPELLINGS, "GTC, IOC, FOK or GTX (post-only)")
const DIRECTION_SPELLINGS: Readonly<Record<string, Direction>> = { above: "above", below: "below" }
export const DIRECTION = word(DIRECTION_SPELLINGS, "above or below")
const CONDITIONAL_SPELLINGS: Readonly<Record<string, ConditionalType>> = {
  conditional_limit: "conditional_limit",
  conditional_stop: "conditional_stop",
}
export const ORDER_TYPE = word<OrderType | ConditionalType>(
  { ...ORDER_TYPE_SPELLINGS, ...CONDITIONAL_SPELLINGS },
  "market, limit, stop, stop_limit, take_profit, take_profit_limit, conditional_limit or conditional_stop",
)

export const BOOLEAN: FieldKind<boolean> = {
  expected: "true, false or null",
  jsonSchema: { type: "boolean" },
  read: (value) => (typeof value === "boolean" ? value : undefined),
}

export const OBJECT: FieldKind<JsonObject> = {
  expected: "an object or null",
  jsonSchema: { type: "object" },
  read: (value) => (isJsonObject(value) ? value : undefined),
}

/** Recorded as it came. */
export const ANYTHING: FieldKind<Json> = { expected: "anything", jsonSchema: {}, read: (value) => value }

/** Epoch milliseconds. */
export const TIMESTAMP: FieldKind<number> = {
  expected: "an ISO 8601 date and time, epoch seconds or epoch milliseconds between 2000 and 2100",
  jsonSchema: {
    anyOf: [
      { type: "string", pattern: ISO_PATTERN },
      { type: "string", pattern: "^\\d{9,13}(\\.\\d*)?$" },
      { type: "number", minimum: EARLIEST_S, maximum: LATEST_S },
      { type: "number", minimum: EARLIEST_S * 1000, maximum: LATEST_S * 1000 },
    ],
  },
  read: (value) => (value instanceof JsonNumber ? epochMsOf(value.text) : typeof value === "string" ? timestampMsOf(value) : undefined),
}

/** Whether a value asks for something: not null, false, blank, zero, an empty array or object. */
export const asks = (value: Json | undefined): boolean => {
  if (value === undefined || value === null || value === false) return false
  if (typeof value === "string") return !isBlank(value)
  if (value instanceof JsonNumber) return exactDecimal(value) !== "0"
  if (Array.isArray(value)) return value.length > 0
  return isJsonObject(value) ? value.size > 0 : true
}
/** The JSON Schema of values that ask for nothing. */
export const ASKS_NOTHING: JsonSchema = {
  anyOf: [
    { enum: [null, false, 0] },
    { type: "string", pattern: "^\\s*$" },
    { type: "array", maxItems: 0 },
    { type: "object", maxProperties: 0 },
  ],
}
