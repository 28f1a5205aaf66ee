import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  isJsonArray,
  isJsonObject,
  type Json,
  JsonNumber,
  MAX_DEPTH,
  MAX_VALUES,
  printable,
  readJson,
  readJsonObject,
  readJsonText,
  writeJson,
} from "../src/index.ts"
import { bytes, cpuMsOf } from "./helpers.ts"

const MIB = 1_048_576
const read = (text: string) => readJson(bytes(text), 2 * MIB)
const codeOf = (text: string): string => {
  const result = read(text)
  return result._tag === "Json" ? "accepted" : result.code
}
/** As `JSON.parse` would give it: for comparison with it. */
const plain = (value: Json): unknown => {
  if (value instanceof JsonNumber) return Number(value.text)
  if (isJsonArray(value)) return value.map(plain)
  if (isJsonObject(value)) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]))
  return value
}

describe("strict JSON", () => {
  it.each([
    ["nothing", "", "EMPTY"],
    ["blanks only", " \n\t ", "EMPTY"],
    ["a byte order mark only", "\ufeff", "EMPTY"],
    ["a truncated object", '{"a":1', "NOT_JSON"],
    ["a truncated string", '{"a":"b', "NOT_JSON"],
    ["a string that ends in a backslash", '"a\\', "NOT_JSON"],
    ["NaN", '{"a":NaN}', "NOT_JSON"],
    ["Infinity", '{"a":Infinity}', "NOT_JSON"],
    ["-Infinity", '{"a":-Infinity}', "NOT_JSON"],
    ["Python's None", '{"a":None}', "NOT_JSON"],
    ["single quotes", "{'a':1}", "NOT_JSON"],
    ["a trailing comma", '{"a":1,}', "NOT_JSON"],
    ["a trailing comma in an array", "[1,]", "NOT_JSON"],
    ["a comment", '{"a":1/* b */}', "NOT_JSON"],
    ["two values", '{"a":1}{"a":1}', "NOT_JSON"],
    ["a leading zero", '{"a":01}', "NOT_JSON"],
    ["a leading plus", '{"a":+1}', "NOT_JSON"],
    ["a point without digits", '{"a":1.}', "NOT_JSON"],
    ["an exponent without digits", '{"a":1e}', "NOT_JSON"],
    ["a lone minus", '{"a":-}', "NOT_JSON"],
    ["an unescaped line feed in a string", '{"a":"b\nc"}', "NOT_JSON"],
    ["a NUL", '{"a":\u0000}', "NOT_JSON"],
    ["a wrong escape", '{"a":"\\x"}', "NOT_JSON"],
    ["a wrong unicode escape", '{"a":"\\u12g4"}', "NOT_JSON"],
    ["a byte order mark in the middle", '{"a":\ufeff1}', "NOT_JSON"],
    ["two byte order marks", '\ufeff\ufeff{"a":1}', "NOT_JSON"],
    ["an unquoted key", "{a:1}", "NOT_JSON"],
    ["the same key twice", '{"a":1,"a":2}', "DUPLICATE_KEY"],
    ["the same key twice with equal values", '{"a":1,"a":1}', "DUPLICATE_KEY"],
    ["the same key twice, once with escapes", '{"a":1,"\\u0061":1}', "DUPLICATE_KEY"],
    ["the same key twice further down", '{"a":[{"b":1,"b":1}]}', "DUPLICATE_KEY"],
    ["__proto__", '{"__proto__":{"a":1}}', "FORBIDDEN_KEY"],
    ["__proto__ with escapes, further down", '{"a":{"\\u005f_proto__":1}}', "FORBIDDEN_KEY"],
    ["an escaped lone surrogate", '{"a":"\\ud800"}', "NOT_UTF8"],
    ["an escaped lone surrogate in a key", '{"\\udc00":1}', "NOT_UTF8"],
  ])("given %s, it refuses", (_, text, code) => expect(codeOf(text)).toBe(code))

  it.each([
    ["a lone continuation byte", [0x7b, 0x80, 0x7d]],
    ["a truncated sequence", [0x22, 0xe2, 0x82]],
    ["an overlong encoding", [0x22, 0xc0, 0xaf, 0x22]],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])("given bytes that are no UTF-8 (%s), it refuses, and reads the next message as ever", (_, raw) => {
    expect(readJson(Uint8Array.from(raw), MIB)).toMatchObject({ _tag: "Rejected", code: "NOT_UTF8" })
    expect(codeOf('{"a":"é"}')).toBe("accepted")
  })

  it("given text instead of bytes, it refuses lone surrogates and ignores one byte order mark", () => {
    expect(readJsonText('"\ud800"')).toMatchObject({ code: "NOT_UTF8" })
    expect(readJsonText("\ufeff1")).toEqual({ _tag: "Json", value: new JsonNumber("1") })
  })

  it("given numbers, it keeps their source text", () => {
    const numbers = ["0", "-0", "67000.0", "67000", "1e-7", "1E+400", "0.1000", "123456789012345678901234567890.5"]
    expect(writeJson((read(`[${numbers.join(",")}]`) as { value: Json }).value)).toBe(`[${numbers.join(",")}]`)
  })

  it("given keys that every object has, it treats them as any other", () => {
    const result = readJsonObject(bytes('{"constructor":1,"toString":2,"hasOwnProperty":3}'), MIB)
    expect(result._tag === "Json" && [...result.value.keys()]).toEqual(["constructor", "toString", "hasOwnProperty"])
  })

  it("given a byte order mark at the beginning, it reads on", () => expect(codeOf('\ufeff{"a":1}')).toBe("accepted"))

  it("given nesting up to the limit it accepts, one deeper it refuses", () => {
    expect(codeOf("[".repeat(MAX_DEPTH) + "]".repeat(MAX_DEPTH))).toBe("accepted")
    expect(codeOf("[".repeat(MAX_DEPTH + 1) + "]".repeat(MAX_DEPTH + 1))).toBe("TOO_DEEP")
    expect(codeOf('{"a":'.repeat(MAX_DEPTH + 1) + "1" + "}".repeat(MAX_DEPTH + 1))).toBe("TOO_DEEP")
  })

  it("given as many values as allowed it accepts, one more it refuses", () => {
    expect(codeOf(`[${"1,".repeat(MAX_VALUES - 2)}1]`)).toBe("accepted")
    expect(codeOf(`[${"1,".repeat(MAX_VALUES - 1)}1]`)).toBe("TOO_LARGE")
  })

  it("given more bytes than allowed, it says how many came", () => {
    expect(readJson(bytes("123"), 2)).toMatchObject({ code: "TOO_LARGE", message: expect.stringContaining("3 bytes") })
    expect(readJson(bytes("123"), 3)._tag).toBe("Json")
  })

  it.each([
    ["an array", "[]", "NOT_AN_OBJECT"],
    ["null", "null", "NOT_AN_OBJECT"],
    ["a number", "1", "NOT_AN_OBJECT"],
    ["text", '"buy"', "NOT_AN_OBJECT"],
    ["text that only looks like JSON", '"{buy"', "NOT_AN_OBJECT"],
    ["an object as text", JSON.stringify(JSON.stringify({ a: 1 })), "DOUBLE_ENCODED"],
    ["an object as text as text", JSON.stringify(JSON.stringify(JSON.stringify({ a: 1 }))), "DOUBLE_ENCODED"],
  ])("given %s where an object must be, it refuses", (_, text, code) => {
    expect(readJsonObject(bytes(text), MIB)).toMatchObject({ _tag: "Rejected", code })
  })

  it("given hostile input of a mebibyte, it takes well under 100 ms", () => {
    const hostile: Readonly<Record<string, string>> = {
      "nested 10,000 deep": "[".repeat(10_000) + "]".repeat(10_000),
      "nested without an end": "[".repeat(MIB),
      "nested objects": '{"a":'.repeat(MIB / 5),
      "huge array": `[${"1,".repeat(MIB / 2 - 2)}1]`,
      "huge array of empty arrays": `[${"[],".repeat(MIB / 3 - 2)}1]`,
      "huge number": "9".repeat(MIB),
      "huge fraction": `0.${"9".repeat(MIB - 2)}`,
      "huge exponent": `1e${"9".repeat(MIB - 2)}`,
      "huge string": `"${"a".repeat(MIB - 2)}"`,
      "huge string of escapes": `"${"\\u0041".repeat(MIB / 6 - 1)}"`,
      "huge string of backslashes": `"${"\\\\".repeat(MIB / 2 - 1)}"`,
      "huge string that does not end": `"${"a".repeat(MIB - 1)}`,
      "huge key": `{"${"k".repeat(MIB - 10)}":1}`,
      "many keys": `{${Array.from({ length: 19_000 }, (_, i) => `"k${i}":1`).join(",")}}`,
      "double encoded": JSON.stringify(`[${"[],".repeat(MIB / 3 - 4)}1]`),
      "double encoded and deep": JSON.stringify("[".repeat(100_000) + "]".repeat(100_000)),
      blanks: " ".repeat(MIB),
    }
    for (const [name, text] of Object.entries(hostile)) {
      const raw = bytes(text)
      const tookMs = cpuMsOf(() => readJsonObject(raw, 2 * MIB))
      expect(tookMs, name).toBeLessThan(100)
    }
  })

  it("given any JSON, it reads what JSON.parse reads, and writes it back", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const result = readJsonText(text)
        // What we refuse on purpose, and JSON.parse does not.
        if (result._tag === "Rejected") return result.code === "NOT_UTF8" || result.code === "FORBIDDEN_KEY"
        expect(plain(result.value)).toEqual(JSON.parse(text))
        expect(JSON.parse(writeJson(result.value))).toEqual(JSON.parse(text))
        return true
      }),
      { numRuns: 500 },
    )
  })

  it("given any bytes, it never throws, and accepts nothing that JSON.parse refuses", () => {
    const jsonish = fc
      .array(fc.constantFrom(...'{}[]:,"\\0123456789.eE+-truefalsn u\n'), { maxLength: 40 })
      .map((parts) => bytes(parts.join("")))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), jsonish), (raw) => {
        const result = readJson(raw, MIB)
        const accepted = result._tag === "Json" ? new TextDecoder().decode(raw) : "0"
        expect(() => JSON.parse(accepted) as unknown).not.toThrow()
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['{"price":NaN}', 'The value of "price" is wanted, and NaN is no JSON. At character 10.'],
    ['{"a":1,"indicators":{"rsi":-Infinity}}', 'The value of "rsi"'],
    ['{"a":[1,None]}', 'The value of "a"'],
    ['{"price":.5}', 'The value of "price"'],
    ['{"price":}', 'The value of "price"'],
    ["[NaN]", "A value is expected, and NaN is no JSON."],
  ])("given %s, the message names the key that has no value", (text, part) => {
    expect(readJsonText(text)).toMatchObject({ code: "NOT_JSON", message: expect.stringContaining(part) })
  })

  it("given a rejection, its message shows nothing that could forge a log line", () => {
    const result = read('{"a\\nb\\u001b[31m":1,"a\\nb\\u001b[31m":2}')
    expect(result).toMatchObject({ code: "DUPLICATE_KEY", message: expect.stringContaining("a\\u000ab\\u001b[31m") })
  })

  it("given text to print, it shortens and escapes", () => {
    expect(printable("a\u0000b\u202ec\ud800")).toBe("a\\u0000b\\u202ec\\ud800")
    expect(printable("x".repeat(100), 10)).toBe("xxxxxxxxx…")
    expect(printable("Iceberg Order Detector ☕")).toBe("Iceberg Order Detector ☕")
  })
})
