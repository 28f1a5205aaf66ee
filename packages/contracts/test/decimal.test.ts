/** Decimals are computed with as safe integers where they are, as bigints where not: both against `effect/BigDecimal`. */
import * as BigDecimal from "effect/BigDecimal"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  abs,
  add,
  approx,
  canonical,
  ceilTo,
  cmp,
  dec,
  type Decimal,
  div,
  eq,
  floorTo,
  gt,
  gte,
  isMultipleOf,
  isNegative,
  isPositive,
  isZero,
  lt,
  lte,
  max,
  min,
  mul,
  neg,
  ONE,
  parseDecimal,
  quotientFloor,
  str,
  sub,
  sum,
  ZERO,
} from "../src/index.ts"

/** The definition: what text is a decimal, and its value. */
const defined = (text: string): BigDecimal.BigDecimal | undefined => {
  if (text.length === 0 || text.length > 64 || !/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text)) return undefined
  const value = BigDecimal.fromString(text.startsWith("+") ? text.slice(1) : text)
  if (value._tag === "None") return undefined
  const normal = BigDecimal.normalize(value.value)
  return Math.abs(normal.scale) > 40 ? undefined : normal
}
/** The definition of the canonical text. */
const textOf = (value: BigDecimal.BigDecimal): string => {
  const normal = BigDecimal.normalize(value)
  const digits = (normal.value < 0n ? -normal.value : normal.value).toString()
  const sign = normal.value < 0n ? "-" : ""
  if (normal.scale <= 0) return sign + digits + (digits === "0" ? "" : "0".repeat(-normal.scale))
  const padded = digits.padStart(normal.scale + 1, "0")
  return `${sign}${padded.slice(0, -normal.scale)}.${padded.slice(-normal.scale)}`
}
const floorDiv = (x: bigint, y: bigint): bigint => {
  const q = x / y
  return x % y !== 0n && x < 0n !== y < 0n ? q - 1n : q
}
const aligned = (a: BigDecimal.BigDecimal, b: BigDecimal.BigDecimal): readonly [bigint, bigint] => {
  const scale = Math.max(a.scale, b.scale)
  return [a.value * 10n ** BigInt(scale - a.scale), b.value * 10n ** BigInt(scale - b.scale)]
}
const quotientOf = (a: BigDecimal.BigDecimal, b: BigDecimal.BigDecimal): bigint => floorDiv(...aligned(a, b))
const dividedBy = (a: BigDecimal.BigDecimal, b: BigDecimal.BigDecimal, places: number): BigDecimal.BigDecimal => {
  const [x, y] = aligned(a, b)
  const scaled = x * 10n ** BigInt(places)
  const q = floorDiv(scaled, y)
  const twice = (scaled - q * y) * 2n
  const [distance, whole] = [twice < 0n ? -twice : twice, y < 0n ? -y : y]
  return BigDecimal.make(distance > whole || (distance === whole && q % 2n !== 0n) ? q + 1n : q, places)
}

/** Digits of any length, and many around 2^53, where the two ways meet; any scale, trailing zeros, every way to write them. */
const digits = fc.oneof(
  fc.integer({ min: 0, max: 1000 }).map(String),
  fc.maxSafeNat().map(String),
  fc.bigInt({ min: 2n ** 53n - 20n, max: 2n ** 53n + 20n }).map(String),
  fc.bigInt({ min: 9n * 10n ** 14n, max: 10n ** 17n }).map(String),
  fc.bigInt({ min: 0n, max: 10n ** 34n }).map(String),
  fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 0, max: 20 })).map(([n, zeros]) => `${n}${"0".repeat(zeros)}`),
  fc.integer({ min: 0, max: 22 }).map((n) => "0".repeat(n + 1)),
)
const decimalText = fc
  .tuple(fc.constantFrom("", "", "-"), digits, fc.integer({ min: 0, max: 30 }), fc.constantFrom("", "", "0", "000"))
  .map(([sign, all, places, zeros]) => {
    const padded = all.padStart(places + 1, "0")
    return places === 0 ? sign + padded : `${sign}${padded.slice(0, -places)}.${padded.slice(-places)}${zeros}`
  })
  .filter((text) => text.length <= 64)
const anyText = fc.oneof(
  decimalText,
  fc
    .tuple(fc.constantFrom("+", "-", ""), decimalText, fc.integer({ min: -60, max: 60 }))
    .map(([sign, text, exponent]) => `${sign}${text}e${exponent}`),
  fc.array(fc.constantFrom(..."0123456789.+-eE "), { maxLength: 22 }).map((parts) => parts.join("")),
  fc.array(fc.constantFrom(..."0019."), { maxLength: 19 }).map((parts) => parts.join("")),
)

const RUNS = { numRuns: 2000 }
const known = (text: string): BigDecimal.BigDecimal => defined(text) ?? expect.unreachable(text)

describe("decimals", () => {
  it("given any text, it is the decimal that the definition says, written canonically, or none", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const definition = defined(text)
        const value = parseDecimal(text)
        expect(value === undefined ? undefined : str(value)).toBe(definition === undefined ? undefined : textOf(definition))
        if (definition === undefined) expect(() => dec(text)).toThrow(RangeError)
        else expect(canonical(text)).toBe(textOf(definition))
      }),
      RUNS,
    )
  })

  it("given two decimals, sums, products and what is compared are those of BigDecimal", () => {
    fc.assert(
      fc.property(decimalText, decimalText, (s, t) => {
        const [a, b, x, y] = [dec(s), dec(t), known(s), known(t)]
        expect(str(add(a, b))).toBe(textOf(BigDecimal.sum(x, y)))
        expect(str(sub(a, b))).toBe(textOf(BigDecimal.subtract(x, y)))
        expect(str(mul(a, b))).toBe(textOf(BigDecimal.multiply(x, y)))
        expect(cmp(a, b)).toBe(BigDecimal.Order(x, y))
        expect([eq(a, b), lt(a, b), lte(a, b), gt(a, b), gte(a, b)]).toEqual([
          BigDecimal.equals(x, y),
          BigDecimal.isLessThan(x, y),
          BigDecimal.isLessThanOrEqualTo(x, y),
          BigDecimal.isGreaterThan(x, y),
          BigDecimal.isGreaterThanOrEqualTo(x, y),
        ])
        expect(str(min(a, b))).toBe(textOf(BigDecimal.min(x, y)))
        expect(str(max(a, b))).toBe(textOf(BigDecimal.max(x, y)))
        expect(eq(sub(add(a, b), b), a)).toBe(true)
      }),
      RUNS,
    )
  })

  it("given one decimal, its sign, its digits and its float are those of its text", () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const [a, x] = [dec(text), known(text)]
        expect([isZero(a), isPositive(a), isNegative(a)]).toEqual([x.value === 0n, x.value > 0n, x.value < 0n])
        expect(str(neg(a))).toBe(textOf(BigDecimal.negate(x)))
        expect(str(abs(a))).toBe(textOf(BigDecimal.abs(x)))
        expect(textOf(BigDecimal.make(a.value, a.scale))).toBe(textOf(x))
        expect(approx(a)).toBe(Number(textOf(x)))
        for (const zero of [mul(a, ZERO), sub(a, a), mul(neg(a), ZERO)]) expect(Object.is(approx(zero), 0)).toBe(true)
      }),
      RUNS,
    )
  })

  it("given a step, floor, ceiling and quotient are those of the bigints", () => {
    fc.assert(
      fc.property(decimalText, decimalText, (s, t) => {
        const [a, step, x, y] = [dec(s), dec(t), known(s), known(t)]
        if (isZero(step)) {
          expect([floorTo(a, step), str(ceilTo(a, step)), isMultipleOf(a, step)]).toEqual([a, textOf(x), true])
          return
        }
        const floor = BigDecimal.multiply(BigDecimal.fromBigInt(quotientOf(x, y)), y)
        expect(quotientFloor(a, step)).toBe(quotientOf(x, y))
        expect(str(floorTo(a, step))).toBe(textOf(floor))
        expect(str(ceilTo(a, step))).toBe(
          textOf(BigDecimal.negate(BigDecimal.multiply(BigDecimal.fromBigInt(quotientOf(BigDecimal.negate(x), y)), y))),
        )
        expect(isMultipleOf(a, step)).toBe(BigDecimal.equals(floor, x))
      }),
      RUNS,
    )
  })

  it("given a quotient, it is rounded half-even as the bigints are", () => {
    const small = fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: 0, max: 4 })).map(([n, e]) => `${n}e-${e}`)
    const oneOf = fc.oneof(decimalText, small)
    fc.assert(
      fc.property(oneOf, oneOf, fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 18)), (s, t, places) => {
        fc.pre(!isZero(dec(t)))
        expect(str(div(dec(s), dec(t), places))).toBe(textOf(dividedBy(known(s), known(t), places)))
      }),
      { numRuns: 4000 },
    )
    const halves = ["0.5", "1.5", "2.5", "-0.5", "-1.5", "3.4", "3.6"]
    expect(halves.map((half) => str(div(dec(half), ONE, 0)))).toEqual(["0", "2", "2", "0", "-2", "3", "4"])
  })

  it("given zero to divide by, it throws, as ever", () => {
    expect(() => div(ONE, ZERO)).toThrow(RangeError)
    expect(() => quotientFloor(ONE, ZERO)).toThrow(RangeError)
  })

  it("given a chain of steps, it is what the chain of BigDecimal is, also where a value becomes large and small again", () => {
    const step = fc.tuple(fc.constantFrom("add", "sub", "mul", "div", "floorTo"), decimalText)
    fc.assert(
      fc.property(decimalText, fc.array(step, { maxLength: 8 }), (start, steps) => {
        let [a, x]: [Decimal, BigDecimal.BigDecimal] = [dec(start), known(start)]
        for (const [name, text] of steps) {
          const [b, y] = [dec(text), known(text)]
          if (isZero(b)) continue
          if (name === "add") [a, x] = [add(a, b), BigDecimal.sum(x, y)]
          else if (name === "sub") [a, x] = [sub(a, b), BigDecimal.subtract(x, y)]
          else if (name === "mul") [a, x] = [mul(a, b), BigDecimal.multiply(x, y)]
          else if (name === "div") [a, x] = [div(a, b, 12), dividedBy(x, y, 12)]
          else [a, x] = [floorTo(a, b), BigDecimal.multiply(BigDecimal.fromBigInt(quotientOf(x, y)), y)]
          expect(str(a)).toBe(textOf(x))
          expect(isZero(a)).toBe(x.value === 0n)
          expect([a.small, a.large === undefined]).toEqual([
            a.large === undefined ? Number(a.value) : Number.NaN,
            Number.isSafeInteger(a.small),
          ])
        }
      }),
      { numRuns: 1500 },
    )
  })

  it("given numbers and bigints, it takes them as their text", () => {
    expect([0, -0, 1e21, 1e-7, 0.1, 123_456_789_012_345_678_901n, -5n].map((n) => canonical(n))).toEqual([
      "0",
      "0",
      "1000000000000000000000",
      "0.0000001",
      "0.1",
      "123456789012345678901",
      "-5",
    ])
    expect(() => dec(Number.NaN)).toThrow('not an exact decimal: "NaN"')
    expect(str(sum([dec("0.1"), dec("0.2"), dec("-0.3")]))).toBe("0")
  })
})
