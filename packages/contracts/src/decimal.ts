/**
 * Exact decimals: the only numbers that may decide anything about money, price or quantity.
 *
 * A value travels as a `DecimalString` (canonical: no exponent, no leading `+`, no trailing zeros, `"0"` for zero) in
 * signals, events and commands, and is a {@link Decimal} while it is being computed with. A float never decides.
 *
 * What can go wrong: text that is no decimal is `undefined` from {@link parseDecimal} and a thrown `RangeError` from
 * {@link dec}: use the former at the edges, the latter for values that this program wrote itself.
 *
 * How it is fast: digits that are a safe integer (nearly all: a price times a quantity has a dozen) are computed with as
 * a number, everything else as a bigint. Both are integers, so neither rounds: a product, sum or remainder of safe
 * integers is exact whenever what comes out is a safe integer itself (rounding is monotone, and 2^53 is a number: what
 * was truly beyond it cannot be rounded below it). Whatever comes out otherwise is computed again with bigints.
 * `test/decimal.test.ts` holds both ways against `effect/BigDecimal`.
 */

/** Canonical decimal text, e.g. `"50000"`, `"0.001"`, `"-12.5"`. */
export type DecimalString = string & { readonly __brand: "DecimalString" }

/** `value · 10^-scale`, exact; the same number may have several forms. Never changed: compare with {@link eq}, never with `===`. */
class ExactDecimal {
  /** The digits where they are a safe integer (never -0), else NaN, which no comparison of the fast ways lets through. */
  readonly small: number
  readonly scale: number
  /** The digits where `small` is NaN. */
  readonly large: bigint | undefined
  /** The canonical text, once it is known: see {@link str}. */
  text: DecimalString | undefined

  constructor(small: number, scale: number, large: bigint | undefined, text: DecimalString | undefined) {
    this.small = small
    this.scale = scale
    this.large = large
    this.text = text
  }

  /** The digits. */
  get value(): bigint {
    return this.large ?? BigInt(this.small)
  }
  toString(): string {
    return str(this)
  }
  toJSON(): string {
    return str(this)
  }
}
export type Decimal = ExactDecimal

/** The longest decimal that is accepted from outside, in characters: beyond it arithmetic would be a way to be slow. */
export const DECIMAL_MAX_LENGTH = 64

const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,3}))?$/
const SCALE_MAX = 40
const SAFE = Number.MAX_SAFE_INTEGER
/** A number may have so many digits and still be worth a try as a safe integer. */
const SAFE_DIGITS = 16

const ofSmall = (small: number, scale: number): Decimal => new ExactDecimal(small, scale, undefined, undefined)

const trailingZeros = (digits: string): number => {
  let end = digits.length
  while (end > 1 && digits.charCodeAt(end - 1) === 0x30) end--
  return digits.length - end
}

/** Without trailing zeros, so that the scale is the least one; zero has the scale 0. */
const ofNormalized = (value: bigint, scale: number): Decimal => {
  const digits = value.toString()
  if (digits === "0") return ZERO
  const zeros = trailingZeros(digits)
  const kept = BigInt(digits.slice(0, digits.length - zeros))
  if (kept >= -SAFE && kept <= SAFE) return ofSmall(Number(kept), scale - zeros)
  return new ExactDecimal(Number.NaN, scale - zeros, kept, undefined)
}

/** A long product or quotient is often small again without its trailing zeros: those are looked for only if there are any. */
const ofBig = (value: bigint, scale: number): Decimal => {
  if (value >= -SAFE && value <= SAFE) return ofSmall(Number(value), scale)
  if (value % 10n === 0n) return ofNormalized(value, scale)
  return new ExactDecimal(Number.NaN, scale, value, undefined)
}

export const ZERO: Decimal = ofSmall(0, 0)
export const ONE: Decimal = ofSmall(1, 0)

/**
 * Plain text (`-12.50`: digits, at most one point, a sign) whose digits are a safe integer; `undefined` for everything
 * else, also for what is no decimal. Text that is canonical already is kept, so that it is never written again.
 */
const parsePlain = (text: string): Decimal | undefined => {
  const { length } = text
  if (length === 0 || length > SAFE_DIGITS + 2) return undefined
  const negative = text.charCodeAt(0) === 0x2d
  const start = negative ? 1 : 0
  let digits = 0
  let point = -1
  for (let i = start; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x30 && code <= 0x39) digits = digits * 10 + (code - 0x30)
    else if (code === 0x2e && point < 0) point = i
    else return undefined
  }
  const places = point < 0 ? 0 : length - point - 1
  const count = length - start - (point < 0 ? 0 : 1)
  if (count === 0 || count > SAFE_DIGITS || digits > SAFE) return undefined
  const whole = point < 0 ? length - start : point - start
  const isCanonical =
    (whole === 1 || (whole > 1 && text.charCodeAt(start) !== 0x30)) &&
    (point < 0 || (places > 0 && text.charCodeAt(length - 1) !== 0x30)) &&
    (digits !== 0 || length === 1)
  const small = negative && digits !== 0 ? -digits : digits
  return new ExactDecimal(small, places, undefined, isCanonical ? (text as DecimalString) : undefined)
}

/** Any text that {@link DECIMAL} matches. */
const parseAny = (text: string): Decimal | undefined => {
  if (text.length > DECIMAL_MAX_LENGTH) return undefined
  const found = DECIMAL.exec(text)
  if (found === null) return undefined
  const [, sign, whole = "", fraction = "", onlyFraction = "", exponent = "0"] = found
  const places = fraction === "" ? onlyFraction : fraction
  const digits = BigInt(whole + places)
  const value = ofNormalized(sign === "-" ? -digits : digits, places.length - Number(exponent))
  return Math.abs(value.scale) > SCALE_MAX ? undefined : value
}

/** Parses outside text; `undefined` when it is no finite decimal, too long, or has more than 40 places or digits of exponent. */
export const parseDecimal = (text: string): Decimal | undefined => parsePlain(text) ?? parseAny(text)

/** Decimals that were parsed lately, by their text: an order's few quantities and prices are asked for some hundred times. */
const LATELY = 256
const lately: (Decimal | undefined)[] = Array.from({ length: LATELY }, () => undefined)
const placeOf = (text: string): number => {
  const { length } = text
  return (length * 37 + text.charCodeAt(length - 1) * 11 + text.charCodeAt(length >> 1) * 3 + text.charCodeAt(0)) & (LATELY - 1)
}

/** Parses text that this program wrote. Throws `RangeError` on anything else. */
export const dec = (value: string | number | bigint): Decimal => {
  if (value === "0") return ZERO
  const text = typeof value === "string" ? value : String(value)
  const place = placeOf(text)
  const known = lately[place]
  if (known !== undefined && known.text === text) return known
  const decimal = parsePlain(text) ?? parseAny(text)
  if (decimal === undefined) throw new RangeError(`not an exact decimal: ${JSON.stringify(text).slice(0, 80)}`)
  // Nobody changes it, so all who name it may have the same one. Only what is canonical is known by its text.
  if (decimal.text !== undefined) lately[place] = decimal
  return decimal
}

const written = (value: Decimal): DecimalString => {
  const negative = value.large === undefined ? value.small < 0 : value.large < 0n
  const signed = value.large === undefined ? String(value.small) : value.large.toString()
  const all = negative ? signed.slice(1) : signed
  if (all === "0") return "0" as DecimalString
  const zeros = trailingZeros(all)
  const digits = zeros === 0 ? all : all.slice(0, -zeros)
  const scale = value.scale - zeros
  const sign = negative ? "-" : ""
  if (scale <= 0) return (sign + digits + "0".repeat(-scale)) as DecimalString
  const point = digits.length - scale
  if (point > 0) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}` as DecimalString
  return `${sign}0.${"0".repeat(-point)}${digits}` as DecimalString
}

/** The canonical text: no exponent, no trailing zeros, no negative zero. */
export const str = (value: Decimal): DecimalString => {
  value.text ??= written(value)
  return value.text
}

/** The canonical text of decimal text. Throws `RangeError` on anything else. */
export const canonical = (text: string | number | bigint): DecimalString => str(dec(text))

const POWERS: readonly bigint[] = Array.from({ length: 128 }, (_, n) => 10n ** BigInt(n))
const pow10 = (n: number): bigint => POWERS[n] ?? 10n ** BigInt(n)
/** 10^0 … 10^15: safe integers. */
const SMALL_POWERS: readonly number[] = Array.from({ length: 16 }, (_, n) => 10 ** n)
/** The digits at a greater scale; NaN, or beyond the safe integers, where they are not to be had as a number. */
const smallAt = (a: Decimal, scale: number): number =>
  a.scale === scale ? a.small : a.small * (SMALL_POWERS[scale - a.scale] ?? Number.NaN)
const largeAt = (a: Decimal, scale: number): bigint => (a.scale === scale ? a.value : a.value * pow10(scale - a.scale))
/** NaN is not safe either. */
const isSafe = (n: number): boolean => n >= -SAFE && n <= SAFE
const greaterScale = (a: Decimal, b: Decimal): number => (a.scale > b.scale ? a.scale : b.scale)

export const add = (a: Decimal, b: Decimal): Decimal => {
  const scale = greaterScale(a, b)
  const x = smallAt(a, scale)
  const y = smallAt(b, scale)
  const total = x + y
  if (isSafe(x) && isSafe(y) && isSafe(total)) return ofSmall(total, scale)
  return ofBig(largeAt(a, scale) + largeAt(b, scale), scale)
}
export const sub = (a: Decimal, b: Decimal): Decimal => {
  const scale = greaterScale(a, b)
  const x = smallAt(a, scale)
  const y = smallAt(b, scale)
  const difference = x - y
  if (isSafe(x) && isSafe(y) && isSafe(difference)) return ofSmall(difference, scale)
  return ofBig(largeAt(a, scale) - largeAt(b, scale), scale)
}
export const mul = (a: Decimal, b: Decimal): Decimal => {
  const product = a.small * b.small
  // `+ 0`: a negative number by zero is -0 otherwise.
  if (isSafe(product)) return ofSmall(product + 0, a.scale + b.scale)
  return ofBig(a.value * b.value, a.scale + b.scale)
}
export const neg = (a: Decimal): Decimal => {
  if (a.large === undefined) return ofSmall(0 - a.small, a.scale)
  return new ExactDecimal(Number.NaN, a.scale, -a.large, undefined)
}
export const abs = (a: Decimal): Decimal => (isNegative(a) ? neg(a) : a)

/** -1, 0 or 1, as `Array.prototype.sort` wants it. */
export const cmp = (a: Decimal, b: Decimal): -1 | 0 | 1 => {
  const scale = greaterScale(a, b)
  const x = smallAt(a, scale)
  const y = smallAt(b, scale)
  if (isSafe(x) && isSafe(y)) return x < y ? -1 : x > y ? 1 : 0
  const p = largeAt(a, scale)
  const q = largeAt(b, scale)
  return p < q ? -1 : p > q ? 1 : 0
}
export const eq = (a: Decimal, b: Decimal): boolean => cmp(a, b) === 0
export const lt = (a: Decimal, b: Decimal): boolean => cmp(a, b) < 0
export const lte = (a: Decimal, b: Decimal): boolean => cmp(a, b) <= 0
export const gt = (a: Decimal, b: Decimal): boolean => cmp(a, b) > 0
export const gte = (a: Decimal, b: Decimal): boolean => cmp(a, b) >= 0
export const min = (a: Decimal, b: Decimal): Decimal => (cmp(a, b) < 0 ? a : b)
export const max = (a: Decimal, b: Decimal): Decimal => (cmp(a, b) > 0 ? a : b)
/** A large value is never zero: see {@link ofBig}. */
export const isZero = (a: Decimal): boolean => a.small === 0
export const isPositive = (a: Decimal): boolean => (a.large === undefined ? a.small > 0 : a.large > 0n)
export const isNegative = (a: Decimal): boolean => (a.large === undefined ? a.small < 0 : a.large < 0n)
export const sum = (values: Iterable<Decimal>): Decimal => {
  let total = ZERO
  for (const value of values) total = add(total, value)
  return total
}

const floorDiv = (x: bigint, y: bigint): bigint => {
  const q = x / y
  return x % y !== 0n && x < 0n !== y < 0n ? q - 1n : q
}

/** `x - y · floor(x / y)`: `%` of numbers is exact, and so is its floored form, which lies between 0 and y. */
const floorRemainder = (x: number, y: number): number => {
  const rest = x % y
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest
}

/** `floor(a / b)` as an integer, exact. `b` must not be zero. */
export const quotientFloor = (a: Decimal, b: Decimal): bigint => {
  const scale = greaterScale(a, b)
  const x = smallAt(a, scale)
  const y = smallAt(b, scale)
  if (isSafe(x) && isSafe(y) && y !== 0) {
    const multiple = x - floorRemainder(x, y)
    if (isSafe(multiple)) return BigInt(multiple / y)
  }
  return floorDiv(largeAt(a, scale), largeAt(b, scale))
}

/** The greatest multiple of `step` that is ≤ `value`. A step of zero is a disabled filter: the value comes back as it is. */
export const floorTo = (value: Decimal, step: Decimal): Decimal => {
  if (isZero(step)) return value
  const scale = greaterScale(value, step)
  const x = smallAt(value, scale)
  const y = smallAt(step, scale)
  if (isSafe(x) && isSafe(y)) {
    const rest = floorRemainder(x, y)
    if (rest === 0) return value
    if (isSafe(x - rest)) return ofSmall(x - rest, scale)
  }
  const large = largeAt(step, scale)
  return ofBig(floorDiv(largeAt(value, scale), large) * large, scale)
}

/** The least multiple of `step` that is ≥ `value`. A step of zero is a disabled filter. */
export const ceilTo = (value: Decimal, step: Decimal): Decimal => neg(floorTo(neg(value), step))

/** Whether `value` is a multiple of `step`; true for a step of zero (a disabled filter). */
export const isMultipleOf = (value: Decimal, step: Decimal): boolean => isZero(step) || eq(floorTo(value, step), value)

/** So many places are divided at a time: most quotients (an average price, a share) end within them. */
const CHUNK = 4

/** Long division of whole numbers; `undefined` where a number of the way is not a safe integer. */
const divSmall = (a: number, b: number, places: number): Decimal | undefined => {
  const x = Math.abs(a)
  const y = Math.abs(b)
  let rest = x % y
  let quotient = (x - rest) / y
  let scale = 0
  while (rest !== 0 && scale < places) {
    const step = places - scale < CHUNK ? places - scale : CHUNK
    const power = SMALL_POWERS[step] ?? Number.NaN
    const scaled = rest * power
    rest = scaled % y
    quotient = quotient * power + (scaled - rest) / y
    if (!isSafe(scaled) || !isSafe(quotient)) return undefined
    scale += step
  }
  // What is left of the last place, against half of it (a doubling is exact in any float).
  if (rest * 2 > y || (rest * 2 === y && quotient % 2 !== 0)) quotient++
  if (!isSafe(quotient)) return undefined
  for (let i = 1; i < CHUNK && scale > 0 && quotient % 10 === 0; i++, scale--) quotient /= 10
  return ofSmall(a < 0 !== b < 0 ? 0 - quotient : quotient, scale)
}

/** `a / b`, rounded half-even to `places` decimal places (default 18). `b` must not be zero. */
export const div = (a: Decimal, b: Decimal, places = 18): Decimal => {
  const scale = greaterScale(a, b)
  const m = smallAt(a, scale)
  const n = smallAt(b, scale)
  const short = isSafe(m) && isSafe(n) && n !== 0 ? divSmall(m, n, places) : undefined
  if (short !== undefined) return short
  const x = largeAt(a, scale) * pow10(places)
  const y = largeAt(b, scale)
  // Towards zero first: the rest then has the sign of x, and what is rounded is the magnitude.
  const quotient = x / y
  const rest = x - quotient * y
  const twice = rest < 0n ? rest * -2n : rest * 2n
  const whole = y < 0n ? -y : y
  const isUp = twice > whole || (twice === whole && quotient % 2n !== 0n)
  return ofBig(isUp ? quotient + (x < 0n === y < 0n ? 1n : -1n) : quotient, places)
}

/** 10^0 … 10^22: each is exactly a float, so that a division by it is rounded once, as the reading of the text would be. */
const FLOAT_POWERS: readonly number[] = Array.from({ length: 23 }, (_, n) => Number(`1e${n}`))

/** A convenience copy as a float, for the flat fields of a document and for metrics. Never feed it back into a decision. */
export const approx = (value: Decimal | DecimalString | string): number => {
  if (typeof value === "string") return Number(value)
  const power = value.large === undefined ? FLOAT_POWERS[value.scale] : undefined
  return power === undefined ? Number(str(value)) : value.small / power
}
