import type { EventRecord } from "@petrosa/contracts"
import { canonical } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { decideAgain, describeEvent, explainOrder, timings } from "../../src/index.ts"
import { on, only, ORDER, T0, Trail, venueId } from "../machine/support.ts"

/** The records of a trail, as far as an explanation reads them. */
const recordsOf = (trail: Trail): readonly EventRecord[] =>
  trail.steps.map(
    ({ event, version, atMs, state, commands }, n) =>
      ({
        ...trail.flat,
        order: ORDER,
        stream: `order/${ORDER}`,
        version,
        type: event.type,
        data: JSON.parse(JSON.stringify(event.data)) as EventRecord["data"],
        at: new Date(atMs).toISOString(),
        state,
        commands,
        settings_version: "default",
        cause: n === 0 ? "signal" : "reply",
      }) as unknown as EventRecord,
  )

const bracketed = (trail: Trail): Trail => {
  trail.accepted()
  trail.nowMs += 40
  const stop = only(trail.filled("0.01"), "placeStop")
  trail.nowMs += 5
  trail.legAccepted(only(trail.legAccepted(stop), "placeTarget"))
  return trail
}
const begun = (change: Parameters<Trail["begin"]>[0] = {}): Trail => {
  const trail = new Trail()
  trail.begin(change)
  return trail
}
const withData = (records: readonly EventRecord[], type: string, change: (data: Record<string, unknown>) => void): readonly EventRecord[] =>
  records.map((record) => {
    if (record.type !== type) return record
    const data = structuredClone(record.data) as Record<string, unknown>
    change(data)
    return { ...record, data }
  })
const textOf = (records: readonly EventRecord[]): string =>
  explainOrder(records)
    .chapters.flatMap(({ title, lines }) => [title, ...lines.map(({ text }) => text)])
    .join("\n")

describe("deciding an order again", () => {
  it.each([
    ["a market order", {}],
    ["a short", { action: "sell" }],
    ["a limit order", { orderType: "limit", price: canonical("49000") }],
    ["a stop order", { orderType: "stop", triggerPrice: canonical("51000") }],
    ["a size by confidence", { quantity: undefined }],
    ["its own stop and target", { stopLoss: canonical("48000"), takeProfitPct: canonical("0.1") }],
    ["a stop by ATR", { atr: canonical("300") }],
    ["a hold", { action: "hold" }],
    ["a close of nothing", { action: "close" }],
    ["low confidence", { confidence: canonical("0.1") }],
    ["an old signal", { timestampMs: T0 - 400_000 }],
  ] as const)("given %s, when it is decided with its recorded inputs, then it is the same field for field", (_, change) => {
    const again = decideAgain(recordsOf(begun(change as never)))
    expect(again).toMatchObject({ _tag: "Same" })
  })

  it("given a recorded quantity that the inputs do not lead to, when it is decided again, then that is the first difference", () => {
    const records = withData(recordsOf(begun()), "OrderSized", (data) => {
      data["quantity"] = "0.02"
    })
    expect(decideAgain(records)).toMatchObject({ _tag: "Different", path: "OrderSized.quantity", recorded: '"0.02"', today: '"0.01"' })
  })

  it("given a limit under which it would have been declined, when it is decided again, then the kind of the event differs", () => {
    const records = withData(recordsOf(begun()), "SignalValidated", (data) => {
      data["limits"] = { ...(data["limits"] as object), MIN_CONFIDENCE: "0.95" }
    })
    const again = decideAgain(records)
    expect(again).toMatchObject({ _tag: "Different", path: "event 2", recorded: "SignalValidated", today: "OrderFailed LOW_CONFIDENCE" })
  })

  it("given a refusal of an earlier version, whose inputs are not all recorded, then it says so instead of guessing", () => {
    const records = withData(recordsOf(begun({ quantity: canonical("1") })), "OrderFailed", (data) => {
      delete data["inputs"]
    })
    const again = decideAgain(records)
    expect(again).toMatchObject({ _tag: "NotPossible" })
    expect(again._tag === "NotPossible" && again.why).toContain("MAX_POSITION_NOTIONAL")
  })

  it("given a decision that a crash cut in two, then it is not compared as one", () => {
    expect(decideAgain(recordsOf(begun()).slice(0, 2))).toMatchObject({ _tag: "NotPossible" })
  })
})

describe("why", () => {
  it("given a filled and protected order, then it walks from the signal's bytes to the venue's ids, with each rule", () => {
    const records = recordsOf(bracketed(begun()))
    const why = explainOrder(records)
    expect(why.answer).toBe(
      "Bought 0.01 BTCUSDT at 50000, because “volume surge” said buy with a confidence of 0.8. 0.01 is held, under a stop at 49000 and a target at 52500.",
    )
    expect(why.chapters.map(({ title }) => title)).toEqual([
      "The signal",
      "May it trade?",
      "How much, and at what prices?",
      "To the venue",
      "What was filled",
      "Protection",
      "How it ended",
    ])
    const rules = why.chapters.flatMap(({ lines }) => lines.flatMap(({ rule }) => (rule === undefined ? [] : [rule])))
    expect(rules).toContainEqual({ name: "MIN_CONFIDENCE", observed: "0.8", limit: "0.5", passed: true })
    expect(rules).toContainEqual({ name: "MAX_POSITION_NOTIONAL", observed: "500", limit: "1000", passed: true })
    const text = textOf(records)
    for (const needle of [
      "Its bytes: {}",
      "pttest0123456789abcdefghjkE01",
      "took it as 1",
      "the setting STOP_LOSS_DEFAULT, 2 % from the fill",
      "place the stop for 0.01 at 49000",
    ])
      expect(text).toContain(needle)
  })

  it("given a declined order, then the failing rule is named with what was observed and the limit", () => {
    const why = explainOrder(recordsOf(begun({ confidence: canonical("0.3") })))
    expect(why.answer).toContain("LOW_CONFIDENCE")
    expect(why.chapters.at(-1)?.lines.at(-1)?.rule).toEqual({
      name: "LOW_CONFIDENCE",
      observed: "0.3",
      limit: "MIN_CONFIDENCE 0.5",
      passed: false,
    })
  })

  it("given a lot that its target closed, then the answer says how it ended and what came of it", () => {
    const trail = bracketed(begun())
    const target = trail.context.legs.find(({ leg }) => leg === "target")
    const stop = trail.context.legs.find(({ leg }) => leg === "stop")
    trail.exitFilled(target?.clientOrderId as never, "0.01", "52500")
    trail.legGone(stop?.clientOrderId as never)
    expect(explainOrder(recordsOf(trail)).answer).toContain("the target closed 0.01 at 52500, with a profit of 24.98")
  })

  it("given every event, then each is told with its version, and none is left out", () => {
    const trail = begun()
    trail.take(on("EntryUnknown", { reason: "TIMEOUT", sentAtMs: T0 }), on("EntryNotPlaced", { evidence: { openOrders: "0" } }))
    trail.take(on("LateFillFound", { fills: [trail.fill("0.01")], venueOrderId: venueId("9"), via: "stream" }))
    const records = recordsOf(trail)
    const told = new Set(explainOrder(records).chapters.flatMap(({ lines }) => lines.map(({ version }) => version)))
    expect([...told]).toEqual(records.map(({ version }) => version))
    for (const record of records) expect(describeEvent(record)).not.toBe("its data cannot be read")
  })

  it("given events whose data cannot be read, then it says less and does not throw", () => {
    const records = recordsOf(bracketed(begun())).map((record) => ({ ...record, data: {} }))
    expect(() => explainOrder(records)).not.toThrow()
    expect(explainOrder([]).answer).toBe("Nothing is recorded of this order.")
  })
})

describe("where the milliseconds went", () => {
  it("given a protected order, then its milestones follow each other and their times add up", () => {
    const found = timings(recordsOf(bracketed(begun())))
    expect(found.map(({ name }) => name)).toEqual([
      "published",
      "received",
      "decided",
      "sent",
      "acknowledged",
      "filled",
      "protected",
      "settled",
    ])
    expect(found.reduce((sum, { tookMs }) => sum + tookMs, 0)).toBe(45)
    expect(found.find(({ name }) => name === "filled")?.tookMs).toBe(40)
  })

  it("given times that lie before the ones they follow, then they are left out", () => {
    const records = withData(recordsOf(bracketed(begun())), "SignalReceived", (data) => {
      data["arrival"] = { streamTimeMs: T0 + 90_000 }
    })
    const found = timings(records)
    expect(found[0]?.name).toBe("published")
    expect(found.every(({ tookMs }) => tookMs >= 0)).toBe(true)
    expect(timings([] as never)).toEqual([])
  })
})
