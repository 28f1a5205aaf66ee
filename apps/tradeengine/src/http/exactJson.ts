/**
 * JSON with exact numbers: money leaves as JSON numbers whose digits are those of the exact decimal, without an exponent
 * and without a detour through a float (`0.0000001`, not `1e-7`; `0.3`, not `0.30000000000000004`).
 *
 * It rests on `JSON.rawJSON` and on the source text that `JSON.parse` hands to its reviver (both in Node ≥ 22).
 */
import { parseDecimal, str } from "@petrosa/contracts"

interface RawJson {
  rawJSON(text: string): unknown
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}
const json = JSON as unknown as RawJson

/** An exact number for an answer, from decimal text. Text that is no decimal stays text: an answer is never invented. */
export const exact = (text: string): unknown => {
  const value = parseDecimal(text)
  return value === undefined ? text : json.rawJSON(str(value))
}

export const exactOrNull = (text: string | null | undefined): unknown => (text === null || text === undefined ? null : exact(text))

/** A flat number of a record (a float) with all its digits and without an exponent. */
export const plain = (value: number | null | undefined): unknown => {
  if (value === null || value === undefined) return null
  const decimal = parseDecimal(String(value))
  return decimal === undefined ? value : json.rawJSON(str(decimal))
}

/** `JSON.parse`, with every number as its source text. Throws `SyntaxError`. */
export const parseExact = (text: string): unknown =>
  json.parse(text, (_key, value, context) => (typeof value === "number" && context.source !== undefined ? context.source : value))
