/** Times, ids, and bytes that mean harm. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeSignal, REFUSED_FIELDS } from "../src/index.ts"
import {
  BASE,
  bytes,
  CONTEXT,
  cpuMsOf,
  decodeText,
  decodeWith,
  expectSignal,
  type Fields,
  HTTP_ARRIVAL,
  NATS_ARRIVAL,
  signalWith,
  wrongFields,
} from "./helpers.ts"

describe("timestamps", () => {
  it("given none, it is the time at which the stream took the message, never now", () => {
    for (const timestamp of [null, undefined]) {
      expect(signalWith({ timestamp })).toMatchObject({ timestampMs: NATS_ARRIVAL.streamTimeMs, timestampFrom: "arrival" })
    }
  })
  it("given none, and no stream that took it (a dry run), it is the time of our clock", () => {
    const result = signalWith({ timestamp: null }, { arrival: { ...HTTP_ARRIVAL, streamTimeMs: 0 } })
    expect(result).toMatchObject({ timestampMs: CONTEXT.receivedAtMs, timestampFrom: "arrival" })
  })
  it.each(["ts", "time", "datetime", "created_at", "generated_at"])("given none, but %s, it is refused: it may be old", (name) => {
    expect(wrongFields({ timestamp: null, [name]: "2020-01-01T00:00:00Z" })).toEqual([name])
    expect(decodeWith({ [name]: "2020-01-01T00:00:00Z" })._tag).toBe("Signal")
  })
  it.each(["", "yesterday", "2025-02-30T00:00:00Z", 0, 1, true, {}, 1763856000000000])(
    "given %j, it is a field error, never now",
    (timestamp) => {
      expect(wrongFields({ timestamp })).toEqual(["timestamp"])
    },
  )
})

describe("ids", () => {
  it.each([
    [{ signal_id: "a", id: "b", decision_id: "c", client_order_id: "d" }, "a"],
    [{ id: "b", decision_id: "c", client_order_id: "d" }, "b"],
    [{ decision_id: "c", client_order_id: "d" }, "c"],
    [{ client_order_id: "d" }, "d"],
    [{ signal_id: null, id: "b" }, "b"],
    [{ signal_id: "", id: "b" }, "b"],
    [{ signal_id: "  ", id: "b" }, "b"],
    [{ signal_id: "s1", id: "b" }, "b"],
    [{ signal_id: "s1", id: "s1", decision_id: "s1", client_order_id: "s1" }, undefined],
    [{ id: 12345678901234567890n }, "12345678901234567890"],
    [{}, undefined],
  ])("given %o, the id is %s", (fields: Fields, id) => {
    const text = JSON.stringify({ ...BASE, ...fields }, (_, value) => (typeof value === "bigint" ? `#${value}#` : value)).replace(
      /"#(\d+)#"/g,
      "$1",
    )
    expect(expectSignal(decodeText(text)).signal.id).toBe(id)
  })
  it("given several ids, the others are recorded", () => {
    const signal = signalWith({ signal_id: "a", id: "b", decision_id: "c", client_order_id: "d" })
    expect(signal.decisionId).toBe("c")
    expect(signal.extras).toBe('{"id":"b","client_order_id":"d"}')
  })
  it.each([true, 1.5, {}, [], "a\nb", "x".repeat(201)])("given an id %j, it is a field error", (id) =>
    expect(wrongFields({ id })).toEqual(["id"]),
  )
})

describe("hostile bytes", () => {
  it.each([
    ["", "EMPTY"],
    ["{", "NOT_JSON"],
    ["[]", "NOT_AN_OBJECT"],
    [JSON.stringify(JSON.stringify(BASE)), "DOUBLE_ENCODED"],
    ['{"price":1,"price":1}', "DUPLICATE_KEY"],
    ['{"__proto__":{"price":1}}', "FORBIDDEN_KEY"],
    [`{"a":${"[".repeat(10_000)}`, "TOO_DEEP"],
  ])("given %.20s, it is rejected with its code", (text, code) => {
    expect(decodeText(text)).toMatchObject({ _tag: "Rejected", code, fields: [] })
  })
  it("given more bytes than allowed, TOO_LARGE", () => {
    expect(decodeWith({ rationale: "x".repeat(1000) }, { maxBytes: 999 })).toMatchObject({ code: "TOO_LARGE" })
  })

  it("given a mebibyte in one field or in many, it takes well under 100 ms", () => {
    const huge = "9".repeat(1_000_000)
    const blanks = " ".repeat(1_000_000)
    const hostile: readonly Fields[] = [
      ...[...Object.keys(BASE), "order_type", "quantity", "signal_id", "conditional_timeout", "type", "exchange", "side", "x"].flatMap(
        (name) => [{ [name]: huge }, { [name]: `${blanks}x` }, { [name]: `BTCUSDT${blanks}x` }],
      ),
      { [huge]: 1 },
      Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`trailing-_ .${"_".repeat(30)}${i}`, 1])),
      { x: Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`k${15_000 - i}`, "y".repeat(40)])) },
    ]
    for (const fields of hostile) {
      const raw = bytes(JSON.stringify({ ...BASE, ...fields }))
      const tookMs = cpuMsOf(() => decodeSignal(raw, { ...CONTEXT, maxBytes: 4_000_000 }))
      expect(tookMs, Object.keys(fields)[0]?.slice(0, 20)).toBeLessThan(100)
    }
  })

  it("given any bytes, it never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
        expect(decodeSignal(raw, CONTEXT)._tag).toMatch(/^(Signal|Rejected)$/)
      }),
      { numRuns: 1000 },
    )
  })

  const names = [
    ...Object.keys(BASE),
    ...Object.keys(REFUSED_FIELDS),
    "order_type",
    "trigger_price",
    "quantity",
    "stop_loss",
    "indicators",
    "meta",
    "signal_id",
    "conditional_direction",
    "conditional_timeout",
    "x",
  ]
  const anyFields = fc.dictionary(
    fc.oneof(fc.constantFrom(...names), fc.string()),
    fc.oneof(fc.jsonValue(), fc.constantFrom("buy", "stop", "BTCUSDT", 1, "1", 0.5, null)),
    { maxKeys: 12 },
  )
  it("given any fields, it never throws, and answers the same each time", () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const result = decodeWith(fields)
        expect(decodeWith(fields)).toEqual(result)
        const named = result._tag === "Rejected" ? result.fields : []
        expect(result._tag === "Rejected" && result.code === "INVALID_FIELDS").toBe(named.length > 0)
      }),
      { numRuns: 1000 },
    )
  })
})
