import { EVENT_SCHEMA, type OrderEventType } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe as suite, expect, it } from "vitest"
import { plan } from "../src/commands/publish.ts"
import { describe } from "../src/describe.ts"
import { ownId, parseSignals } from "../src/input.ts"
import { terminal } from "../src/io.ts"
import { table } from "../src/table.ts"
import { number, safe, since, withoutCredentials } from "../src/text.ts"
import { story } from "./story.ts"

suite("sentences", () => {
  it("given any event type with data that lacks everything, when described, then something is said and nothing throws", () => {
    for (const type of Object.keys(EVENT_SCHEMA) as OrderEventType[]) {
      for (const data of [{}, { fills: null, reason: 1, lots: "x" }]) {
        const said = describe({ type, data })
        expect(said.length).toBeGreaterThan(5)
      }
    }
    expect(describe({ type: "FromTheFuture", data: {} })).toBe("an event that this version does not know")
  })

  it("given the events of an order, when described, then no sentence holds a hole", () => {
    for (const { record } of [...story({ id: "a" }).append.records, ...story({ id: "b", action: "hold" }).append.records]) {
      expect(describe(record)).not.toMatch(/undefined|null|NaN|\[object|cannot be read/)
    }
  })

  it("given a venue's message with control characters, when described, then a terminal does not obey them", () => {
    const said = describe({ type: "EntryRefused", data: { code: "-2010", message: "no\u001b[2J\u202e\r\nmoney" } })
    expect(said).toBe("the venue refused it: -2010 no\\u001b[2J\\u202e\\u000d\\nmoney")
  })
})

suite("text", () => {
  it("given any text, when made safe, then nothing of it moves the cursor", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(safe(text)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
      }),
    )
  })

  it("given durations, when shown, then as a person reads them", () => {
    expect([0, 12, 59_999, 65_000, 7_380_000, 273_600_000, -5, Number.NaN].map(since)).toEqual([
      "+0.000s",
      "+0.012s",
      "+59.999s",
      "+1m05s",
      "+2h03m",
      "+3d04h",
      "-0.005s",
      "?",
    ])
  })

  it("given numbers, when shown, then without an exponent", () => {
    expect([null, 0, 1e-7, 0.001, 67000, 1.5e-10].map(number)).toEqual(["-", "0", "0.0000001", "0.001", "67000", "0.00000000015"])
  })

  it("given addresses with credentials, when shown, then without them, also where a password holds odd characters", () => {
    expect(withoutCredentials("nats://u:p@h:4222,tls://t@h2")).toBe("nats://***@h:4222,tls://***@h2")
    expect(withoutCredentials("mongodb://u:p/@ss@h:1/db?authSource=x")).toBe("mongodb://***@h:1/db")
    expect(withoutCredentials("nats://h:4222")).toBe("nats://h:4222")
  })
})

suite("input", () => {
  it("given any decimal, when taken out of an array, then every digit of its text is kept", () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.stringMatching(/^[0-9]{1,30}$/))
      .map(([whole, part]) => `${whole}.${part}`)
    fc.assert(
      fc.property(decimal, (text) => {
        const [signal] = parseSignals(`[{"price": ${text}, "nested": {"list": [${text}]}}]`)
        expect(signal?.text).toBe(`{"price":${text},"nested":{"list":[${text}]}}`)
      }),
    )
  })

  it("given ids, when the signal's own is looked for, then by the engine's rule", () => {
    expect(ownId({ strategy_id: "s", signal_id: null, id: " ", decision_id: "d", client_order_id: "c" })).toBe("d")
    expect(ownId({ strategy_id: "s", signal_id: "s" })).toBeUndefined()
    expect(ownId({ strategy_id: "s", id: 5 })).toBeUndefined()
  })

  it("given a plan, when signals lack an id, then only those that need one get one", () => {
    const signals = parseSignals('[{"strategy_id":"a","id":"x"},{"strategy_id":"b"}]')
    const ids = (options: { count: number; same?: boolean; wait?: boolean }) =>
      [...plan(signals, options, "run")].map((signal) => ownId(signal.fields))
    expect(ids({ count: 1 })).toEqual(["x", undefined])
    expect(ids({ count: 1, wait: true })).toEqual(["x", "run-2"])
    expect(ids({ count: 2 })).toEqual(["x-1", "run-2-1", "x-2", "run-2-2"])
    expect(ids({ count: 2, same: true })).toEqual(["x", undefined, "x", undefined])
    expect(ids({ count: 2, same: true, wait: true })).toEqual(["x", "run-2", "x", "run-2"])
  })
})

const io = terminal({ NO_COLOR: "1" })

suite("tables", () => {
  it("given any width, when drawn, then no line is wider, or it says that it cannot", () => {
    const rows = [["1", "a long event name", "many words that have to be wrapped somewhere because the line is short"]]
    const columns = [{ head: "v" }, { head: "event", drop: 1 }, { head: "what", wraps: true }]
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 200 }), (width) => {
        const drawn = table({ ...io, columns: width }, columns, rows)
        const widest = Math.max(...(drawn ?? "").split("\n").map((line) => line.length))
        expect(widest).toBeLessThanOrEqual(width)
        expect(drawn === undefined).toBe(width < 27)
      }),
      { numRuns: 50 },
    )
  })
})
