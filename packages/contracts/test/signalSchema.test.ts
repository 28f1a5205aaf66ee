/** The JSON Schema says what the decoder does, for every rule about one field. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, it } from "vitest"
import { REFUSED_FIELDS, SIGNAL_FIELDS, signalJsonSchema, SOMETIMES_FIELDS } from "../src/index.ts"
import { BASE, CURL_LINE, decodeText, type Fields, SPECIFICATION_EXAMPLE } from "./helpers.ts"

const validate = new Ajv2020({
  allErrors: true,
  allowUnionTypes: true,
  strict: true,
  strictTypes: false,
  allowMatchingProperties: true,
}).compile(signalJsonSchema)

const values: readonly unknown[] = [
  null,
  true,
  false,
  "",
  " ",
  "buy",
  "BUY",
  "open long",
  "OPEN-LONG",
  "close_long",
  "market",
  "Market",
  "stop",
  "spot",
  "GTC",
  "gtx",
  "above",
  "BTCUSDT",
  " btc/usdt ",
  "BTC_USDT",
  "ßUSDT",
  "x".repeat(200),
  "x".repeat(201),
  "🚀".repeat(200),
  "🚀".repeat(201),
  "a\nb",
  "a\u202eb",
  0,
  1,
  -1,
  0.5,
  1.5,
  85,
  50000,
  2_592_000,
  2_592_001,
  "0",
  "-0.0",
  "0.0",
  "0e5",
  "0.5",
  ".5",
  "5.",
  "+5",
  "-5",
  "1e-3",
  "1e",
  " 1",
  "NaN",
  "Infinity",
  "1,5",
  "2025-11-23T00:00:00Z",
  "2025-11-23 00:00:00.123456+00:00",
  "2025-11-23",
  "now",
  1_763_856_000,
  1_763_856_000.25,
  1_763_856_000_000,
  1_763_856_000_000_000,
  "1763856000",
  [],
  [1],
  {},
  { simulate: true },
  { simulate: 1 },
  { other: 1 },
]

/** What several fields decide together, or what needs arithmetic, is not in a schema of single fields. */
const beyondTheSchema = (name: string, value: unknown): boolean => {
  switch (name) {
    case "order_type":
      return typeof value === "string" && value.toLowerCase() === "stop" // needs a trigger price
    case "trigger_price":
    case "stop_price":
    case "conditional_price":
    case "conditional_direction":
      return true
    case "confidence":
    case "position_size_pct":
    case "stop_loss_pct":
    case "take_profit_pct":
    case "conditional_timeout":
      return typeof value === "string" // bounds of numbers in text
    default:
      return false
  }
}

const judge = (fields: Fields): { readonly schema: boolean; readonly decoder: boolean } => {
  const text = JSON.stringify({ ...BASE, ...fields })
  return { schema: validate(JSON.parse(text)), decoder: decodeText(text)._tag === "Signal" }
}

describe("JSON Schema of the signal", () => {
  it("given the specification's messages and its own examples, it accepts them", () => {
    for (const text of [SPECIFICATION_EXAMPLE, CURL_LINE, ...(signalJsonSchema.examples as unknown[]).map((e) => JSON.stringify(e))]) {
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true)
      expect(decodeText(text)._tag).toBe("Signal")
    }
  })
  for (const name of [
    ...Object.keys(SIGNAL_FIELDS),
    ...Object.keys(REFUSED_FIELDS).filter((n) => !SOMETIMES_FIELDS.has(n)),
    "trailing_stop",
    "takeProfit2",
    "stop_loss_type",
    "x",
  ]) {
    it(`given any value of ${name}, it judges as the decoder does`, () => {
      for (const value of values) {
        if (beyondTheSchema(name, value)) continue
        const { schema, decoder } = judge({ [name]: value })
        expect(schema, `${name}: ${JSON.stringify(value)?.slice(0, 60)} (schema, decoder)`).toBe(decoder)
      }
    })
  }
  it("given a needed field missing, it refuses as the decoder does", () => {
    for (const name of ["strategy_id", "symbol", "action", "confidence", "price"])
      expect(judge({ [name]: undefined })).toEqual({ schema: false, decoder: false })
  })
  it("given no object, it refuses as the decoder does", () => {
    for (const text of ["null", "[]", "1", '"x"']) {
      expect(validate(JSON.parse(text))).toBe(false)
      expect(decodeText(text)._tag).toBe("Rejected")
    }
  })
  it("given the table, every field is described", () => {
    for (const field of Object.values(SIGNAL_FIELDS)) expect(field.meaning).toMatch(/\.$/)
    expect(Object.keys(signalJsonSchema.properties as object)).toEqual(expect.arrayContaining(Object.keys(SIGNAL_FIELDS)))
  })
})
