/**
 * Two exits of one lot trade where one was to: the flatten of a close and the stop beside it. With other lots of the symbol open
 * no exchange refuses that. What may not be: that anything of such an order goes on living, or that its numbers are not true.
 */
import type { ClientOrderId, Command, OrderEvent, OrderId } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { followUp, isDone, nextDeadline, OrderActor, outstanding } from "../../src/index.ts"
import { d, on, only, ORDER, spotRules, spotVenue, T0, Trail, venueId } from "./support.ts"

const close = on("CloseRequested", { cause: "close", by: "a close", targets: "cancelled" })
const legs = (trail: Trail): readonly string[] =>
  trail.context.legs.map(({ clientOrderId, status }) => `${clientOrderId.slice(-3)} ${status}`)
const asked = (commands: readonly Command[]): readonly string[] =>
  commands.map((command) => {
    const id = "request" in command ? command.request.clientOrderId : "clientOrderId" in command ? command.clientOrderId : ""
    return `${command.type} ${id.slice(-3)}`.trim()
  })
const data = (trail: Trail, type: OrderEvent["type"]): unknown => trail.steps.findLast(({ event }) => event.type === type)?.event.data

/** 0.01 bought at 50000, under its stop and its target. */
const covered = (change: Parameters<Trail["begin"]>[0] = {}) => {
  const trail = new Trail()
  trail.begin(change)
  trail.accepted()
  const stop = only(trail.filled("0.01"), "placeStop")
  const target = only(trail.legAccepted(stop), "placeTarget")
  trail.legAccepted(target)
  return { trail, stop: stop.request.clientOrderId, target: target.request.clientOrderId }
}
/** The same, its close asked for, the flatten taken by the venue. */
const closing = (change: Parameters<Trail["begin"]>[0] = {}) => {
  const { trail, stop, target } = covered(change)
  trail.take(close)
  const flatten = only(trail.take(cancelled(target)), "flatten")
  trail.legAccepted(flatten)
  return { trail, stop, target, flatten: flatten.request.clientOrderId }
}
const cancelled = (clientOrderId: ClientOrderId, leg: "stop" | "target" | "flatten" = "target"): OrderEvent =>
  on("LegEnded", { leg, clientOrderId, how: "cancelled", via: "reply" })

/** What an order is in the end of which 0.01 was sold twice, at 49900 and 49000. */
const expectTruth = (trail: Trail): void => {
  expect(data(trail, "LotOverClosed")).toEqual({ excess: "0.01", asset: "BTC" })
  expect(data(trail, "LotClosed")).toMatchObject({
    quantity: "0.01",
    excess: "0.01",
    entryPrice: "50000",
    exitPrice: "49450",
    fees: "0.03",
  })
  // What the 0.01 that were held brought, less all fees; not what was sold of others.
  expect(data(trail, "LotClosed")).toMatchObject({ profit: "-5.53" })
  expect(trail.types.at(-1)).toBe("OrderParked")
  expect(trail.context.parked?.code).toBe("OVER_CLOSED")
  expect(trail.context.parked?.detail).toContain("0.01 BTC more than was held were sold, at 49450 on average")
  expect(isDone(trail.context)).toBe(true)
  expect(trail.flat).toMatchObject({ open_quantity: "-0.01", parked: true, done: true, profit: "-5.53", settled: true })
}

describe("a close", () => {
  it("given a covered lot, when it is to close, then its target goes first; proven gone, the flatten leaves, and the stop stays", () => {
    const { trail, target } = covered()
    expect(asked(trail.take(close))).toEqual(["cancelLeg T01"])
    expect(legs(trail)).toEqual(["S01 live", "T01 cancelling"])
    expect(asked(trail.take(cancelled(target)))).toEqual(["flatten X01"])
    expect(legs(trail)).toEqual(["S01 live", "T01 over", "X01 sending"])
  })

  it("given a target that has traded when it is to go, then nothing is flattened: the lot is closed by it, once", () => {
    const { trail, stop, target } = covered()
    trail.take(close)
    expect(asked(trail.exitFilled(target, "0.01", "52500"))).toEqual(["cancelLeg S01"])
    trail.legGone(stop)
    expect(trail.types.at(-1)).toBe("LotClosed")
    expect(trail.context.attempts.flatten).toBe(0)
  })

  it("given a target whose cancel is not proven, when D has passed, then the flatten waits no longer, and the cancel goes on", () => {
    const { trail } = covered()
    trail.nowMs += 100
    trail.take(close)
    const due = nextDeadline(trail.context)
    expect(due).toEqual({ deadline: "close", dueAtMs: T0 + 100 + 5000 })
    trail.nowMs += 5000
    expect(asked(trail.take(on("DeadlinePassed", { deadline: "close", dueAtMs: T0 + 5100, nowMs: trail.nowMs })))).toEqual(["flatten X01"])
    expect(legs(trail)).toEqual(["S01 live", "T01 cancelling", "X01 sending"])
    expect(nextDeadline(trail.context)).toBeUndefined()
  })

  it("given a target whose cancel is not proven, when the stop goes, then the flatten waits no longer", () => {
    const { trail, stop } = covered()
    trail.take(close)
    const commands = trail.take(on("LegEnded", { leg: "stop", clientOrderId: stop, how: "expired", via: "stream" }))
    expect(asked(commands)).toEqual(["flatten X01"])
    expect(trail.context.unprotectedSinceMs).not.toBeNull()
  })

  it("given a target that is still on its way, when the lot is to close, then it goes as soon as the venue has it", () => {
    const trail = new Trail()
    trail.begin()
    trail.accepted()
    const stop = only(trail.filled("0.01"), "placeStop")
    const target = only(trail.legAccepted(stop), "placeTarget")
    expect(asked(trail.take(close))).toEqual([])
    expect(asked(trail.legAccepted(target))).toEqual(["cancelLeg T01"])
    expect(asked(trail.take(cancelled(target.request.clientOrderId)))).toEqual(["flatten X01"])
  })

  it("given the flatten's fill, then the stop's cancel is the first thing that is asked for; proven gone, the lot is closed and nobody is alarmed", () => {
    const { trail, stop, flatten } = closing()
    expect(asked(trail.exitFilled(flatten, "0.01", "49900"))).toEqual(["cancelLeg S01"])
    trail.legGone(stop)
    expect(trail.types.at(-1)).toBe("LotClosed")
    expect(data(trail, "LotClosed")).not.toHaveProperty("excess")
    expect(trail.context.parked).toBeNull()
  })

  it("given a flatten that trades in part, then the stop stays", () => {
    const { trail, flatten } = closing()
    expect(trail.exitFilled(flatten, "0.004", "49900")).toEqual([])
    expect(legs(trail)).toContain("S01 live")
  })

  it("given a close that the engine itself finds necessary, then its target goes too", () => {
    const { trail } = covered()
    trail.take(on("LegEnded", { leg: "stop", clientOrderId: trail.context.legs[0]?.clientOrderId as never, how: "expired", via: "stream" }))
    const refused = on("LegRefused", {
      leg: "stop",
      clientOrderId: trail.context.legs.at(-1)?.clientOrderId as never,
      class: "wouldTrigger",
      code: "-2021",
      message: "",
      sentAtMs: 0,
      receivedAtMs: 0,
    })
    expect(asked(trail.take(refused)).toSorted()).toEqual(["cancelLeg T01", "flatten X01"])
  })
})

describe("two exits", () => {
  it("given the flatten's fill and then the stop's, then the truth is recorded and a human is called", () => {
    const { trail, stop, flatten } = closing()
    expect(asked(trail.exitFilled(flatten, "0.01", "49900"))).toEqual(["cancelLeg S01"])
    expect(trail.exitFilled(stop, "0.01", "49000")).toEqual([])
    expectTruth(trail)
  })

  it("given the stop's fill and then the flatten's, then it is the same", () => {
    const { trail, stop, flatten } = closing()
    expect(asked(trail.exitFilled(stop, "0.01", "49000"))).toEqual(["cancelLeg X01"])
    expect(trail.exitFilled(flatten, "0.01", "49900")).toEqual([])
    expectTruth(trail)
  })

  it("given a lot under two stops, when the flatten and the first of them trade, then a human is called when the second is proven gone, and not before", () => {
    const trail = new Trail()
    trail.begin({ orderType: "limit" })
    trail.accepted()
    const first = only(trail.partlyFilled("0.004"), "placeStop")
    trail.legAccepted(only(trail.legAccepted(first), "placeTarget"))
    const second = only(trail.filled("0.006"), "placeStop")
    trail.legAccepted(only(trail.legAccepted(second), "placeTarget"))
    expect(asked(trail.take(close))).toEqual(["cancelLeg T01", "cancelLeg T02"])
    const [one, two] = trail.context.legs.filter(({ leg }) => leg === "target")
    expect(trail.take(cancelled(one?.clientOrderId as never))).toEqual([])
    const flatten = only(trail.take(cancelled(two?.clientOrderId as never)), "flatten")
    trail.legAccepted(flatten)
    expect(asked(trail.exitFilled(flatten.request.clientOrderId, "0.01", "49900"))).toEqual(["cancelLeg S01", "cancelLeg S02"])
    trail.exitFilled(first.request.clientOrderId, "0.004", "49000")
    expect(trail.types.at(-1)).toBe("LotOverClosed")
    expect(trail.context.parked).toBeNull()
    // A process that takes it over goes on cancelling.
    expect(asked(outstanding(trail.context))).toEqual(["cancelLeg S02"])
    // And so it does trade: that counts too.
    trail.exitFilled(second.request.clientOrderId, "0.006", "49000")
    expect(trail.types.filter((type) => type === "LotOverClosed")).toHaveLength(2)
    expect(data(trail, "LotClosed")).toMatchObject({ quantity: "0.01", excess: "0.01", exitPrice: "49450" })
    expect(trail.context.parked?.code).toBe("OVER_CLOSED")
  })

  it("given a target that is live when it is found, then its cancel is asked for with that very event", () => {
    const { trail, stop } = covered()
    // A request of an earlier version: its target stayed.
    const flatten = only(trail.take(on("CloseRequested", { cause: "close", by: "a close" })), "flatten")
    trail.legAccepted(flatten)
    const { clientOrderId } = flatten.request
    expect(
      asked(
        trail.take(
          on("ExitFilled", {
            leg: "stop",
            clientOrderId: stop,
            fills: [trail.fill("0.01", "49000"), trail.fill("0.005", "49000")],
            via: "stream",
          }),
        ),
      ),
    ).toEqual(["cancelLeg T01", "cancelLeg X01"])
    trail.exitFilled(clientOrderId, "0.005", "49900")
    trail.legGone(trail.context.legs[1]?.clientOrderId as never)
    expect(trail.types.filter((type) => type === "LotOverClosed")).toHaveLength(2)
    trail.legGone(clientOrderId)
    expect(trail.context).toMatchObject({ excess: "0.01", parked: { code: "OVER_CLOSED" } })
  })

  it("given a leg of which nobody knows whether it is there, when two exits have traded, then nothing ends before that is known", () => {
    // The flatten's reply is lost; it has traded. The stop trades too, and is told first.
    const lost = covered()
    lost.trail.take(close)
    const sent = only(lost.trail.take(cancelled(lost.target)), "flatten").request.clientOrderId
    lost.trail.take(on("LegUnknown", { leg: "flatten", clientOrderId: sent, reason: "TIMEOUT" }))
    lost.trail.exitFilled(lost.stop, "0.01", "49000")
    expect(lost.trail.types).not.toContain("LotClosed")
    lost.trail.exitFilled(sent, "0.01", "49900")
    expectTruth(lost.trail)
  })

  it("given an order that is over, when a leg that was believed lost turns out to have traded, then its numbers are mended and a human is called", () => {
    const { trail, stop, flatten } = closing()
    trail.exitFilled(flatten, "0.01", "49900")
    trail.legGone(stop)
    expect(isDone(trail.context)).toBe(true)
    trail.exitFilled(stop, "0.01", "49000")
    expectTruth(trail)
  })

  it("given a fill of the entry that is found late, when it was the excess, then there is none, and nobody is called", () => {
    const trail = new Trail()
    trail.begin({ orderType: "limit", quantity: d("0.02") })
    trail.accepted()
    const stop = only(trail.partlyFilled("0.01"), "placeStop")
    const target = only(trail.legAccepted(stop), "placeTarget")
    trail.legAccepted(target)
    trail.take(on("EntryEnded", { how: "cancelled", venueOrderId: venueId("1"), via: "stream" }))
    const fills = [trail.fill("0.01", "49000"), trail.fill("0.01", "49000")]
    trail.take(on("ExitFilled", { leg: "stop", clientOrderId: stop.request.clientOrderId, fills, via: "stream" }))
    expect(trail.context.excess).toBe("0.01")
    trail.take(on("LateFillFound", { fills: [trail.fill("0.01")], venueOrderId: venueId("1"), via: "query" }))
    expect(trail.context.excess).toBe("0")
    trail.legGone(target.request.clientOrderId)
    expect(trail.context.parked).toBeNull()
    expect(data(trail, "LotClosed")).toMatchObject({ quantity: "0.02" })
    expect(isDone(trail.context)).toBe(true)
  })

  it("given a short, then what was bought too much is named so", () => {
    const { trail, stop, flatten } = closing({ action: "sell" })
    trail.exitFilled(flatten, "0.01", "50100")
    trail.exitFilled(stop, "0.01", "51000")
    expect(trail.context.parked?.detail).toContain("0.01 BTC more than was held were bought, at 50550 on average")
    expect(data(trail, "LotClosed")).toMatchObject({ quantity: "0.01", excess: "0.01", profit: "-5.53" })
  })

  it("given that a human has put it back, then it is over, and he is not called again for the same", () => {
    const { trail, stop, flatten } = closing()
    trail.exitFilled(flatten, "0.01", "49900")
    trail.exitFilled(stop, "0.01", "49000")
    expect(trail.take(on("OrderUnparked", { by: "operator" }))).toEqual([])
    expect(trail.context.parked).toBeNull()
    expect(isDone(trail.context)).toBe(true)
  })
})

describe("on lists", () => {
  it("given a sale and a list that was believed gone, when both trade, then what is left of the lists goes, and the truth is recorded", () => {
    const trail = new Trail()
    trail.begin({ market: "spot" }, spotRules, spotVenue)
    trail.accepted()
    const { bracket } = only(trail.filled("0.01"), "placeBracket")
    const [stop, target] = [bracket.stop.clientOrderId, bracket.target.clientOrderId]
    const take = (name: "StopAccepted" | "TargetAccepted", clientOrderId: ClientOrderId) =>
      trail.take(
        on(name, { clientOrderId, venueOrderId: venueId(clientOrderId), quantity: d("0.01"), via: "reply", sentAtMs: 0, receivedAtMs: 0 }),
      )
    take("StopAccepted", stop)
    take("TargetAccepted", target)
    expect(trail.take(close).map(({ type }) => type)).toEqual(["cancelBracket"])
    trail.take(cancelled(target))
    const flatten = only(trail.take(cancelled(stop, "stop")), "flatten")
    trail.legAccepted(flatten)
    trail.exitFilled(flatten.request.clientOrderId, "0.01", "49900")
    expect(isDone(trail.context)).toBe(true)
    // It shows up at the venue after all, under a number that no event knows: live, and its stop trades.
    const again = stop.replace(/S01$/, "S02") as ClientOrderId
    const other = stop.replace(/S01$/, "T02") as ClientOrderId
    take("TargetAccepted", other)
    take("StopAccepted", again)
    trail.exitFilled(again, "0.01", "49000")
    expect(trail.context.parked).toBeNull()
    trail.legGone(other)
    expect(data(trail, "LotClosed")).toMatchObject({ quantity: "0.01", excess: "0.01" })
    expect(trail.context.parked?.code).toBe("OVER_CLOSED")
  })
})

describe("events of earlier versions", () => {
  it("given a close that was requested before targets went with it, then the target stays until the lot is flat, as it did", () => {
    const { trail, target } = covered()
    const flatten = only(trail.take(on("CloseRequested", { cause: "close", by: "a close" })), "flatten")
    expect(legs(trail)).toEqual(["S01 live", "T01 live", "X01 sending"])
    trail.legAccepted(flatten)
    expect(asked(trail.exitFilled(flatten.request.clientOrderId, "0.01", "49900"))).toEqual(["cancelLeg S01", "cancelLeg T01"])
    expect(target).toMatch(/T01$/)
  })

  it("given an order that was parked with a live leg, then its events fold as they were written; put back, it is taken to its end", () => {
    const { trail, stop } = covered()
    const flatten = only(trail.take(on("CloseRequested", { cause: "close", by: "a close" })), "flatten").request.clientOrderId
    const old = new OrderActor(ORDER)
    let version = 0
    const fold = (event: OrderEvent): readonly Command[] => {
      version += 1
      const taken = old.take(event, version, trail.nowMs)
      if (taken === undefined) throw new Error(`${event.type} is not taken`)
      return taken.commands
    }
    for (const { event } of trail.steps) fold(event)
    fold(
      on("FlattenAccepted", {
        clientOrderId: flatten,
        venueOrderId: venueId("x"),
        quantity: d("0.01"),
        via: "reply",
        sentAtMs: 0,
        receivedAtMs: 0,
      }),
    )
    const fills = [trail.fill("0.01", "49000"), trail.fill("0.006", "49000")]
    expect(fold(on("ExitFilled", { leg: "stop", clientOrderId: stop, fills, via: "stream" }))).toEqual([])
    fold(on("OrderParked", { code: "INVARIANT", detail: "more was given back than was held: -0.006 BTC" }))
    expect(followUp(old.context)).toBeUndefined()
    fold(on("OrderUnparked", { by: "operator" }))
    const next = followUp(old.context)
    expect(next).toEqual(on("LotOverClosed", { excess: d("0.006"), asset: "BTC" }))
    expect(asked(fold(next as OrderEvent))).toEqual(["cancelLeg T01", "cancelLeg X01"])
  })
})

describe("the order that asked for the close", () => {
  it("given a lot of which more was given back than it held, when it reports, then the close says so, and not that something is parked", () => {
    const trail = new Trail()
    trail.begin({ action: "close" })
    const lot = "00000000000000000000" as OrderId
    const other = new OrderActor(ORDER)
    const events = [
      ...trail.steps
        .slice(0, 3)
        .map(({ event }) => event)
        .filter(({ type }) => type !== "OrderFailed"),
      on("CloseIntended", { cause: "close", lots: [{ order: lot, quantity: d("0.01"), side: "buy" }] }),
    ]
    events.forEach((event, i) => other.take(event, i + 1, trail.nowMs))
    const report = { order: lot, quantity: d("0.02"), quote: d("989"), fees: d("0.02"), cancelledEntry: false, excess: d("0.01") }
    other.take(on("CloseReported", report), events.length + 1, trail.nowMs)
    expect(followUp(other.context)).toMatchObject({
      type: "OrderFailed",
      data: { reason: { code: "OVER_CLOSED", class: "broken", observed: `${lot} by 0.01` } },
    })
  })
})
