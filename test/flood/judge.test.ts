import { describe, expect, it } from "vitest"
import { FloodJudge, type FoundOrder } from "./judge.ts"

const order = (sha256: string, change: Partial<FoundOrder> = {}): FoundOrder => ({
  stream: `order/of-${sha256}`,
  sha256,
  state: "filled",
  reason: null,
  settled: true,
  parked: false,
  ...change,
})
const rejection = (sha256: string) => ({ stream: `rejected/of-${sha256}`, sha256, code: "NOT_JSON" })

/** Two signals, one of them twice, and a malformed message. */
const published = (): FloodJudge => {
  const judge = new FloodJudge()
  judge.published("a", "signal")
  judge.published("b", "signal")
  judge.published("x", "malformed")
  judge.published("a", "copy")
  return judge
}

describe("given two signals, a copy of one, and a malformed message", () => {
  it("when each signal has one order that ended and the malformed message one record, then nothing is wrong", () => {
    const judge = published()
    judge.order(order("a"))
    judge.order(order("b", { state: "failed", reason: "LOW_CONFIDENCE" }))
    judge.rejection(rejection("x"))
    expect(judge.verdict()).toEqual({
      problems: [],
      published: 4,
      signals: 2,
      copies: 1,
      malformed: 1,
      orders: 2,
      filled: 1,
      failed: { "declined: LOW_CONFIDENCE": 1 },
      rejected: { NOT_JSON: 1 },
    })
  })

  const all = { a: order("a"), b: order("b"), x: rejection("x") }
  const wrong: readonly (readonly [what: string, put: (judge: FloodJudge) => void, problem: string])[] = [
    ["a signal has no order", (judge) => (judge.order(all.a), judge.rejection(all.x)), "1 lost signals: publication 1"],
    ["a malformed message has no record", (judge) => (judge.order(all.a), judge.order(all.b)), "1 lost malformed messages: publication 2"],
    [
      "a copy became a second order",
      (judge) => (judge.order(all.a), judge.order(order("a", { stream: "order/second" })), judge.order(all.b), judge.rejection(all.x)),
      "1 signals with more than one order: publication 0 (2)",
    ],
    [
      "a malformed message has two records",
      (judge) => (judge.order(all.a), judge.order(all.b), judge.rejection(all.x), judge.rejection(all.x)),
      "1 malformed messages with more than one record: publication 2 (2)",
    ],
    [
      "a malformed message became an order",
      (judge) => (judge.order(all.a), judge.order(all.b), judge.order(order("x"))),
      "1 malformed messages that became orders: publication 2",
    ],
    [
      "a good signal was rejected",
      (judge) => (judge.order(all.a), judge.rejection(rejection("b")), judge.rejection(all.x)),
      "1 signals that were rejected: publication 1",
    ],
    [
      "an order is of nothing that was published",
      (judge) => (judge.order(all.a), judge.order(all.b), judge.order(order("y")), judge.rejection(all.x)),
      "1 orders that nobody asked for: order/of-y",
    ],
    [
      "a rejection is of nothing that was published",
      (judge) => (judge.order(all.a), judge.order(all.b), judge.rejection(all.x), judge.rejection(rejection("y"))),
      "1 rejections of what nobody published: rejected/of-y",
    ],
    [
      "an order is on its way still",
      (judge) => (judge.order(all.a), judge.order(order("b", { state: "placed", settled: false })), judge.rejection(all.x)),
      "1 orders without a decision: order/of-b (placed)",
    ],
    [
      "an order failed and says no reason",
      (judge) => (judge.order(all.a), judge.order(order("b", { state: "failed" })), judge.rejection(all.x)),
      "1 orders that failed without a reason: order/of-b",
    ],
    [
      "an order is parked",
      (judge) => (judge.order(all.a), judge.order(order("b", { parked: true })), judge.rejection(all.x)),
      "1 parked orders: order/of-b",
    ],
  ]
  it.each(wrong)("when %s, then just that is said", (_what, put, problem) => {
    const judge = published()
    put(judge)
    expect(judge.verdict().problems).toEqual([problem])
  })

  it("when many are lost, then all are counted and a few are named", () => {
    const judge = new FloodJudge()
    for (let n = 0; n < 1000; n++) judge.published(`s${n}`, "signal")
    const said = "1000 lost signals: publication 0, publication 1, publication 2, publication 3, publication 4, …"
    expect(judge.verdict().problems).toEqual([said])
    expect(judge.verdict().problems).toEqual([said])
  })
})

describe("given publications that are no flood", () => {
  it("when two are equal without being a copy, or a copy is of nothing, then the flood itself is wrong", () => {
    const judge = new FloodJudge()
    judge.published("a", "signal")
    judge.published("a", "signal")
    judge.published("x", "malformed")
    judge.published("x", "copy")
    judge.published("z", "copy")
    judge.order(order("a"))
    judge.rejection(rejection("x"))
    expect(judge.verdict().problems).toEqual([
      "1 publications that are equal and were not meant to be: publication 1",
      "2 copies of nothing that was published before: publication 3, publication 4",
    ])
  })
})
