/**
 * Exact decimals: the only numbers that may decide anything about money, price or quantity.
 *
 * A value travels as a `DecimalString` (canonical: no exponent, no leading `+`, no trailing zeros, `"0"` for zero) in
 * signals, events and commands, and is a `BigDecimal` while it is being computed with. A float never decides.
 *
 * What can go wrong: text that is no decimal is `undefined` from {@link parseDecimal} and a thrown `RangeError` from
 * {@link dec}: use the former at the edges, the latter for values that this program wrote itself.
 */
import * as BigDecimal from "effect/BigDecimal"

export type Decimal = BigDecimal.BigDecimal

/** Canonical decimal text, e.g. `"50000"`, `"0.001"`, `"-12.5"`. */
export type DecimalString = string & { readonly __brand: "DecimalString" }

/** The longest decimal that is accepted from outside, in characters: beyond it arithmetic would be a way to be slow. */
export const DECIMAL_MAX_LENGTH = 64

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/
const SCALE_MAX = 40

export const ZERO: Decimal = BigDecimal.fromBigInt(0n)
export const ONE: Decimal = BigDecimal.fromBigInt(1n)

/** Parses outside text; `undefined` when it is no finite decimal, too long, or has more than 40 places or digits of exponent. */
export const parseDecimal = (text: string): Decimal | undefined => {
  if (text.length === 0 || text.length > DECIMAL_MAX_LENGTH || !DECIMAL.test(text)) return undefined
  const value = BigDecimal.fromString(text.startsWith("+") ? text.slice(1) : text)
  if (value._tag === "None") return undefined
  const normal = BigDecimal.normalize(value.value)
  return Math.abs(normal.scale) > SCALE_MAX ? undefined : normal
}

/**
 * Texts that were parsed lately. A decimal is parsed anew at every step of an order, and the texts repeat (`"0"`, a price,
 * a quantity): this is most of what arithmetic would cost. Values are never changed, so sharing them is safe.
 */
const parsed = new Map<string, Decimal>()
/** Then it starts anew: about 1 MB. */
const PARSED_MAX = 8192

/** Parses text that this program wrote. Throws `RangeError` on anything else. */
export const dec = (value: string | number | bigint): Decimal => {
  const text = typeof value === "string" ? value : String(value)
  const known = parsed.get(text)
  if (known !== undefined) return known
  const fresh = parseDecimal(text)
  if (fresh === undefined) throw new RangeError(`not an exact decimal: ${JSON.stringify(text).slice(0, 80)}`)
  if (parsed.size >= PARSED_MAX) parsed.clear()
  parsed.set(text, fresh)
  return fresh
}

/** The canonical text: no exponent, no trailing zeros, no negative zero. */
export const str = (value: Decimal): DecimalString => {
  const normal = BigDecimal.normalize(value)
  const negative = normal.value < 0n
  const digits = (negative ? -normal.value : normal.value).toString()
  const sign = negative ? "-" : ""
  if (normal.scale <= 0) return (sign + digits + (digits === "0" ? "" : "0".repeat(-normal.scale))) as DecimalString
  const padded = digits.padStart(normal.scale + 1, "0")
  const point = padded.length - normal.scale
  return `${sign}${padded.slice(0, point)}.${padded.slice(point)}` as DecimalString
}

/** The canonical text of decimal text. Throws `RangeError` on anything else. */
export const canonical = (text: string | number | bigint): DecimalString => str(dec(text))

export const add = BigDecimal.sum
export const sub = BigDecimal.subtract
export const mul = BigDecimal.multiply
export const neg = (a: Decimal): Decimal => BigDecimal.subtract(ZERO, a)
export const abs = BigDecimal.abs
export const min = BigDecimal.min
export const max = BigDecimal.max
/** -1, 0 or 1, as `Array.prototype.sort` wants it. */
export const cmp = (a: Decimal, b: Decimal): -1 | 0 | 1 => (BigDecimal.isLessThan(a, b) ? -1 : BigDecimal.isGreaterThan(a, b) ? 1 : 0)
export const eq = (a: Decimal, b: Decimal): boolean => BigDecimal.equals(a, b)
export const lt = BigDecimal.isLessThan
export const lte = BigDecimal.isLessThanOrEqualTo
export const gt = BigDecimal.isGreaterThan
export const gte = BigDecimal.isGreaterThanOrEqualTo
export const isZero = BigDecimal.isZero
export const isPositive = BigDecimal.isPositive
export const isNegative = BigDecimal.isNegative
export const sum = (values: Iterable<Decimal>): Decimal => {
  let total = ZERO
  for (const value of values) total = add(total, value)
  return total
}

const POWERS: readonly bigint[] = Array.from({ length: 64 }, (_, n) => 10n ** BigInt(n))
const pow10 = (n: number): bigint => POWERS[n] ?? 10n ** BigInt(n)

/** Brings both to one scale, as integers. */
const align = (a: Decimal, b: Decimal): { readonly x: bigint; readonly y: bigint; readonly scale: number } => {
  if (a.scale === b.scale) return { x: a.value, y: b.value, scale: a.scale }
  const scale = Math.max(a.scale, b.scale)
  return { x: a.value * pow10(scale - a.scale), y: b.value * pow10(scale - b.scale), scale }
}

const floorDiv = (x: bigint, y: bigint): bigint => {
  const q = x / y
  return x % y !== 0n && x < 0n !== y < 0n ? q - 1n : q
}

/** `floor(a / b)` as an integer, exact. `b` must not be zero. */
export const quotientFloor = (a: Decimal, b: Decimal): bigint => {
  const { x, y } = align(a, b)
  return floorDiv(x, y)
}

/** The greatest multiple of `step` that is ≤ `value`. A step of zero is a disabled filter: the value comes back as it is. */
export const floorTo = (value: Decimal, step: Decimal): Decimal =>
  isZero(step) ? value : mul(BigDecimal.fromBigInt(quotientFloor(value, step)), step)

/** The least multiple of `step` that is ≥ `value`. A step of zero is a disabled filter. */
export const ceilTo = (value: Decimal, step: Decimal): Decimal => neg(floorTo(neg(value), step))

/** Whether `value` is a multiple of `step`; true for a step of zero (a disabled filter). */
export const isMultipleOf = (value: Decimal, step: Decimal): boolean => isZero(step) || eq(floorTo(value, step), value)

/** `a / b`, rounded half-even to `places` decimal places (default 18). `b` must not be zero. */
export const div = (a: Decimal, b: Decimal, places = 18): Decimal => {
  const { x, y } = align(a, b)
  const scaled = x * pow10(places)
  let q = floorDiv(scaled, y)
  const twice = (scaled - q * y) * 2n
  const whole = y < 0n ? -y : y
  const distance = twice < 0n ? -twice : twice
  if (distance > whole || (distance === whole && q % 2n !== 0n)) q += 1n
  return BigDecimal.normalize(BigDecimal.make(q, places))
}

/** A convenience copy as a float, for the flat fields of a document and for metrics. Never feed it back into a decision. */
export const approx = (value: Decimal | DecimalString | string): number => Number(typeof value === "string" ? value : str(value))
