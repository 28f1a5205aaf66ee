/** What nearly all signals write takes a short way. Each short way is held here against the definition that it shortens. */
import { createHash } from "node:crypto"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  ACTION_SPELLINGS,
  ATTEMPT_MAX,
  canonicalJson,
  clientOrderId,
  epochMsOf,
  eventId,
  exactDecimal,
  folded,
  isEngineId,
  isOrderId,
  isoOf,
  type Json,
  ORDER_ID_LENGTH,
  orderIdOf,
  parseClientOrderId,
  parseDecimal,
  readJsonText,
  reason,
  str,
  SYMBOL_PATTERN,
  symbolOf,
  timestampMsOf,
  wordOf,
  writeJson,
} from "../src/index.ts"
import { ABSENT, ID, NAME } from "../src/fieldKinds.ts"
import { hexOf } from "../src/sha256.ts"
import { Utf8Text } from "../src/utf8Text.ts"

const anyString = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc
    .array(fc.constantFrom(" ", "a", '"', "\\", "\n", "\u007f", "é", "\u2028", "\u202e", "\ud800", "😀", "~"), { maxLength: 220 })
    .map((parts) => parts.join("")),
)

describe("SHA-256", () => {
  const hashed = new Utf8Text()
  const hash = new Uint8Array(32)
  const of = (...parts: readonly string[]): string => {
    hashed.begin()
    for (const part of parts) hashed.put(part)
    hashed.hashInto(hash)
    return hexOf(hash)
  }
  const wellFormed = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ maxLength: 300 }),
    fc.constantFrom("é".repeat(900), "€"),
  )

  it("given text in pieces, it is that of node and of noble", () => {
    fc.assert(
      fc.property(fc.array(wellFormed, { maxLength: 5 }), (parts) => {
        const text = parts.join("")
        expect(of(...parts)).toBe(createHash("sha256").update(text, "utf8").digest("hex"))
        expect(of(text)).toBe(bytesToHex(sha256(new TextEncoder().encode(text))))
      }),
      { numRuns: 1000 },
    )
  })
  it("given any length around the blocks, and a mebibyte, it is that of node", () => {
    for (const length of [...Array.from({ length: 300 }, (_, n) => n), 4095, 4096, 4097, 65_535, 1_048_576]) {
      const text = "abcdefghij".repeat(Math.ceil(length / 10)).slice(0, length)
      expect(of(text), String(length)).toBe(createHash("sha256").update(text).digest("hex"))
    }
  })
  it("given a lone surrogate, it counts as the replacement character", () => expect(of("a\ud800b")).toBe(of("a\ufffdb")))
})

describe("text", () => {
  const written = new Utf8Text()
  it("given any text, its JSON is what JSON.stringify writes", () => {
    fc.assert(
      fc.property(anyString, (text) => {
        expect(written.begin().putJson(text).text()).toBe(JSON.stringify(text))
        expect(writeJson(text)).toBe(JSON.stringify(text))
      }),
      { numRuns: 2000 },
    )
  })

  const PLAIN = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u
  it("given any text, a name and an id are what the patterns say", () => {
    fc.assert(
      fc.property(anyString, (text) => {
        const plain = [...text].length <= 200 && PLAIN.test(text)
        const blank = !/\S/u.test(text)
        expect(NAME.read(text)).toBe(plain && !blank ? text : undefined)
        expect(ID.read(text)).toBe(!plain ? undefined : blank ? ABSENT : text)
      }),
      { numRuns: 2000 },
    )
  })

  it("given any text, a word is the one of its folded form, and a word of the table is its own", () => {
    const spelling = fc
      .tuple(fc.constantFrom(...Object.keys(ACTION_SPELLINGS), "constructor", "__proto__"), fc.constantFrom("", " ", "-"))
      .map(([word, end]) => word + end)
    fc.assert(
      fc.property(
        fc.oneof(
          spelling,
          spelling.map((text) => text.toUpperCase()),
          anyString,
        ),
        (text) => {
          const key = folded(text)
          expect(wordOf(ACTION_SPELLINGS, text)).toBe(Object.hasOwn(ACTION_SPELLINGS, key) ? ACTION_SPELLINGS[key] : undefined)
        },
      ),
    )
    for (const word of Object.keys(ACTION_SPELLINGS)) expect(folded(word)).toBe(word)
  })

  it("given any text, a symbol is what the pattern says", () => {
    const symbol = new RegExp(SYMBOL_PATTERN)
    const near = fc.array(fc.constantFrom("B", "z", "0", "/", "-", "_", " ", "ı"), { maxLength: 32 }).map((parts) => parts.join(""))
    fc.assert(
      fc.property(near, (text) => {
        expect(symbolOf(text)).toBe(symbol.test(text) ? text.trim().replace(/[/-]/, "").toUpperCase() : undefined)
      }),
      { numRuns: 2000 },
    )
  })
})

describe("numbers and times", () => {
  it("given any text, its exact decimal is the canonical text of what is parsed", () => {
    const near = fc.array(fc.constantFrom(..."000123456789..-+e"), { maxLength: 36 }).map((parts) => parts.join(""))
    const number = fc.tuple(fc.nat(), fc.nat(), fc.constantFrom("", "0", "000")).map(([whole, part, zeros]) => `${whole}.${part}${zeros}`)
    fc.assert(
      fc.property(fc.oneof(near, number), (text) => {
        const decimal = parseDecimal(text)
        expect(exactDecimal(text)).toBe(decimal === undefined ? undefined : str(decimal))
      }),
      { numRuns: 4000 },
    )
  })

  it("given any digits in JavaScript's spelling of a time, it is the time of the other spellings, or none as they are", () => {
    const two = fc.oneof(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 99 })).map((n) => String(n).padStart(2, "0"))
    const year = fc.oneof(
      fc.constantFrom("1999", "2000", "2023", "2024", "2099", "2100"),
      fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, "0")),
    )
    fc.assert(
      fc.property(year, two, two, two, two, two, fc.integer({ min: 0, max: 999 }), (y, month, day, hour, minute, second, ms) => {
        const text = `${y}-${month}-${day}T${hour}:${minute}:${second}.${String(ms).padStart(3, "0")}`
        expect(timestampMsOf(`${text}Z`)).toBe(timestampMsOf(`${text}+00:00`))
      }),
      { numRuns: 4000 },
    )
    for (const text of [
      "2025-11-23T12:34:56.78xZ",
      "2025-11-23T12:34:5 .789Z",
      "2025-11-23T12-34:56.789Z",
      "2025-11-23T12:34:56.789z",
      "2025-11-23 12:34:56.789Z",
    ]) {
      expect(timestampMsOf(text)).toBe(timestampMsOf(text.replace(/Z$/i, "+00:00")))
    }
    for (const text of ["0001763901296", "1763901296789", "1763901296.78", "9763901296789", "-763901296789", "176390129678x"]) {
      expect(epochMsOf(text)).toBe(epochMsOf(`${text}${text.includes(".") ? "0" : ".0"}`))
    }
  })

  it("given any times, each is written as JavaScript writes it", () => {
    const near = fc.integer({ min: -200_000, max: 200_000 }).map((ms) => 1_763_901_296_789 + ms)
    const any = fc.oneof(
      near,
      near,
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.integer({ min: -70_000, max: 70_000 }),
    )
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 30 }), (times) => {
        for (const ms of times) expect(isoOf(ms)).toBe(new Date(ms).toISOString())
      }),
      { numRuns: 1000 },
    )
    expect(() => isoOf(Number.NaN)).toThrow(RangeError)
  })
})

describe("JSON", () => {
  it("given objects of few and of many keys, the canonical form has them sorted", () => {
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted)
      if (typeof value !== "object" || value === null) return value
      return Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, member]) => [key, sorted(member)])
    }
    const entries = (value: Json): unknown => {
      if (value instanceof Map) return [...value].map(([key, member]) => [key, entries(member as Json)])
      return Array.isArray(value) ? value.map(entries) : value
    }
    const object = fc.dictionary(
      fc.string({ maxLength: 6 }),
      fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.dictionary(fc.string({ maxLength: 2 }), fc.boolean())),
      { maxKeys: 40 },
    )
    fc.assert(
      fc.property(object, (value) => {
        const read = readJsonText(JSON.stringify(value))
        fc.pre(read._tag === "Json")
        if (read._tag !== "Json") return
        const again = readJsonText(canonicalJson(read.value))
        expect(again._tag === "Json" && entries(again.value)).toEqual(sorted(value))
        expect(writeJson(read.value)).toBe(JSON.stringify(value))
      }),
    )
  })

  it.each([
    ['{"a":1,"a":2}', 8],
    ['{"a":1,"a"', 8],
    ['{"a":1,"a" 2}', 8],
    ['{"a":1,"a":x}', 8],
    ['{"a":1,"a":{"b":1,"b":2}}', 8],
    ['{"a":1,"b":{"c":1,"c":{"__proto__":1}}}', 19],
    ['{"a":1,"b":[{"c":1,"c"]}', 20],
  ])("given %s, the first key that comes twice is what is wrong, whatever is wrong behind it", (text, at) => {
    expect(readJsonText(text)).toMatchObject({
      code: "DUPLICATE_KEY",
      message: expect.stringMatching(new RegExp(`At character ${at}\\.$`)),
    })
  })
})

describe("ids", () => {
  const ORDER_ID = /^[0-9a-hjkmnp-tv-z]{20}$/
  const ENGINE_ID = /^[A-Za-z0-9]{4}$/
  const hashes = fc.uint8Array({ minLength: 13, maxLength: 32 })

  it("given a hash, the order id is its first 100 bits, five at a time", () => {
    fc.assert(
      fc.property(hashes, (hash) => {
        const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("")
        const digits = Array.from({ length: ORDER_ID_LENGTH }, (_, n) => Number.parseInt(bits.slice(5 * n, 5 * n + 5), 2))
        expect(orderIdOf(hash)).toBe(digits.map((n) => "0123456789abcdefghjkmnpqrstvwxyz"[n]).join(""))
        expect(isOrderId(orderIdOf(hash))).toBe(true)
      }),
    )
    expect(() => orderIdOf(new Uint8Array(12))).toThrow(RangeError)
  })

  it("given any text, order ids, engine ids and client order ids are what the patterns say", () => {
    const legs: Readonly<Record<string, string>> = { E: "entry", S: "stop", T: "target", X: "flatten" }
    const made = fc
      .tuple(hashes, fc.constantFrom("entry", "stop", "target", "flatten"), fc.integer({ min: 1, max: ATTEMPT_MAX }))
      .map(([hash, leg, attempt]) => clientOrderId("e0Z9", orderIdOf(hash), leg as "entry", attempt))
    const changed = fc
      .tuple(made, fc.nat({ max: 28 }), fc.constantFrom("", "i", "o", "E", "L", "0", "-", " ", "9", ".", "é", "00"))
      .map(([id, at, put]) => id.slice(0, at) + put + id.slice(at + 1))
    fc.assert(
      fc.property(fc.oneof(made, changed, anyString), (text) => {
        const [engineId, order, leg, attempt] = [text.slice(2, 6), text.slice(6, 26), legs[text.charAt(26)], Number(text.slice(27))]
        const ours =
          text.length === 29 &&
          text.startsWith("pt") &&
          ENGINE_ID.test(engineId) &&
          ORDER_ID.test(order) &&
          leg !== undefined &&
          Number.isInteger(attempt) &&
          attempt >= 1
        expect(parseClientOrderId(text)).toEqual(ours ? { engineId, order, leg, attempt } : undefined)
        for (const part of [text, order, text.slice(0, 20)]) expect(isOrderId(part)).toBe(ORDER_ID.test(part))
        for (const part of [text, engineId, text.slice(0, 4)]) expect(isEngineId(part)).toBe(ENGINE_ID.test(part))
      }),
      { numRuns: 3000 },
    )
  })

  it("given a version, the event's id has eight digits of it", () => {
    for (const version of [0, 1, 9, 10, 99, 100, 12_345_678, 123_456_789, 1.5, -1]) {
      expect(eventId("order/x", version)).toBe(`order/x:${String(version).padStart(8, "0")}`)
    }
  })

  it("given a reason, its members come in one order, and none is there without a value", () => {
    expect(JSON.stringify(reason("HOLD"))).toBe(
      '{"code":"HOLD","class":"declined","message":"The signal says hold: there is nothing to do."}',
    )
    expect(Object.keys(reason("HOLD", "a"))).toEqual(["code", "class", "observed", "message"])
    expect(Object.keys(reason("HOLD", undefined, "b", "m"))).toEqual(["code", "class", "limit", "message"])
    expect(Object.entries(reason("HOLD", "a", "b", "m")).flat()).toEqual([
      "code",
      "HOLD",
      "class",
      "declined",
      "observed",
      "a",
      "limit",
      "b",
      "message",
      "m",
    ])
  })
})
