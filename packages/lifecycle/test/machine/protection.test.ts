import { describe, expect, it } from "vitest"
import { nextDeadline } from "../../src/index.ts"
import { on, only, Trail, T0, venueId } from "./support.ts"

const refusal = (clientOrderId: string, leg: "stop" | "target" | "flatten", cls: string, code = "-1") =>
  on("LegRefused", { leg, clientOrderId: clientOrderId as never, class: cls as never, code, message: "", sentAtMs: T0, receivedAtMs: T0 })

const placed = (change = {}): Trail => {
  const trail = new Trail()
  trail.begin({ orderType: "limit", ...change })
  trail.accepted()
  return trail
}

describe("protection", () => {
  it("given a fill, when nothing is known of the stop, then the clock runs, and its deadline is D after the fill", () => {
    const trail = placed()
    trail.nowMs += 100
    trail.filled("0.01")
    expect(trail.context.unprotectedSinceMs).toBe(T0 + 100)
    expect(nextDeadline(trail.context)).toEqual({ deadline: "protection", dueAtMs: T0 + 100 + 5000 })
  })

  it("given fills one after the other, when each is covered, then every one has a stop of its own and none is touched", () => {
    const trail = placed()
    const first = only(trail.partlyFilled("0.004"), "placeStop")
    const second = only(trail.partlyFilled("0.003"), "placeStop")
    expect([first.request.quantity, second.request.quantity]).toEqual(["0.004", "0.003"])
    expect(first.request.clientOrderId).not.toBe(second.request.clientOrderId)
    // The target waits until all that is filled is under stops.
    expect(trail.legAccepted(first)).toEqual([])
    expect(only(trail.legAccepted(second), "placeTarget").request.quantity).toBe("0.007")
  })

  it("given more live stops than four, when the next is live, then the two smallest are merged, cancel first", () => {
    const trail = placed()
    for (const quantity of ["0.001", "0.002", "0.001", "0.001", "0.002"]) {
      const stop = only(trail.partlyFilled(quantity), "placeStop")
      const next = trail.legAccepted(stop)
      for (const command of next) if (command.type === "placeTarget") trail.legAccepted(command)
    }
    const cancelling = trail.context.legs.filter((leg) => leg.leg === "stop" && leg.status === "cancelling")
    expect(cancelling.map((leg) => leg.quantity)).toEqual(["0.001", "0.001"])
    const [a, b] = cancelling
    // Nothing takes their place before both are proven gone; the clock runs meanwhile.
    const gone = (leg: typeof a) =>
      trail.take(on("LegEnded", { leg: "stop", clientOrderId: leg?.clientOrderId as never, how: "cancelled", via: "reply" }))
    expect(gone(a)).toEqual([])
    expect(trail.context.unprotectedSinceMs).not.toBeNull()
    const merged = only(gone(b), "placeStop")
    expect(merged.request.quantity).toBe("0.002")
    // And that is the end of it: merging does not feed itself.
    trail.legAccepted(merged)
    expect(trail.context.legs.filter((leg) => leg.leg === "stop" && leg.status === "cancelling")).toEqual([])
  })

  it("given a stop that would trigger at once, when the venue says so, then the lot is closed at market and the order failed", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    const flatten = only(trail.take(refusal(stop.request.clientOrderId, "stop", "wouldTrigger", "-2021")), "flatten")
    expect(flatten.request).toMatchObject({ type: "market", side: "sell", quantity: "0.01", reduceOnly: true })
    trail.legAccepted(flatten)
    trail.exitFilled(flatten.request.clientOrderId, "0.01", "48900")
    expect(trail.types.slice(-3)).toEqual(["ExitFilled", "LotClosed", "OrderFailed"])
    expect(trail.flat).toMatchObject({ reason: "PROTECTION_FAILED", done: true, profit: "-11.02" })
  })

  it("given a stop that is refused for good, when the venue says so, then it is not tried again: the lot is closed at market", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    const commands = trail.take(refusal(stop.request.clientOrderId, "stop", "fatal", "-1111"))
    expect(commands.map(({ type }) => type)).toEqual(["flatten"])
  })

  it("given a stop that is refused for now, when the wait is over, then it goes under the next attempt", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    expect(trail.take(refusal(stop.request.clientOrderId, "stop", "rateLimit", "-1003"))).toEqual([])
    const due = nextDeadline(trail.context)
    expect(due?.deadline).toBe("retry")
    trail.nowMs = due?.dueAtMs ?? 0
    const again = only(trail.take(on("DeadlinePassed", { deadline: "retry", dueAtMs: trail.nowMs, nowMs: trail.nowMs })), "placeStop")
    expect(again.request.clientOrderId).toMatch(/S02$/)
  })

  it("given a lot without a live stop, when D has passed, then it is flattened, whatever else is tried", () => {
    const trail = placed()
    trail.filled("0.01")
    trail.nowMs += 5000
    const commands = trail.take(on("DeadlinePassed", { deadline: "protection", dueAtMs: trail.nowMs, nowMs: trail.nowMs }))
    expect(commands.map(({ type }) => type)).toEqual(["flatten"])
    expect(trail.types).toContain("CloseRequested")
  })

  it("given a target that is refused for good, when the stop is live, then the stop stays and the order is bracketed without it", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    const target = only(trail.legAccepted(stop), "placeTarget")
    expect(trail.take(refusal(target.request.clientOrderId, "target", "fatal"))).toEqual([])
    expect(trail.types.at(-1)).toBe("OrderCompleted")
    expect(trail.context.legs.find(({ leg }) => leg === "stop")?.status).toBe("live")
  })

  it("given a stop whose outcome is unknown, when it is proven absent, then it goes under the next attempt, and when it shows up after all it is taken in", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    const { clientOrderId } = stop.request
    expect(trail.take(on("LegUnknown", { leg: "stop", clientOrderId, reason: "TIMEOUT" })).map(({ type }) => type)).toEqual(["resolveLeg"])
    const again = only(trail.take(on("LegNotPlaced", { leg: "stop", clientOrderId, evidence: {} })), "placeStop")
    expect(again.request.clientOrderId).toMatch(/S02$/)
    trail.legAccepted(only(trail.legAccepted(again), "placeTarget"))
    trail.legAccepted(stop)
    // Two stops on the same quantity would both trade: one goes at once, the other stays.
    const stops = trail.context.legs.filter(({ leg }) => leg === "stop")
    expect(stops.map(({ status }) => status).toSorted()).toEqual(["cancelling", "live"])
    expect(trail.context.unprotectedSinceMs).toBeNull()
  })

  it("given a leg that the stream has shown to be over, when its reply turns out to be lost, then there is nothing to ask", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    trail.legAccepted(only(trail.legAccepted(stop), "placeTarget"))
    const flatten = only(trail.take(on("CloseRequested", { cause: "operator", by: "x" })), "flatten")
    trail.legAccepted(flatten)
    trail.exitFilled(flatten.request.clientOrderId, "0.01", "50100")
    expect(trail.take(on("LegUnknown", { leg: "flatten", clientOrderId: flatten.request.clientOrderId, reason: "TIMEOUT" }))).toEqual([])
    for (const leg of trail.context.legs.filter(({ status }) => status === "cancelling")) trail.legGone(leg.clientOrderId)
    expect(trail.types.at(-1)).toBe("LotClosed")
  })

  it("given a flatten that the venue never takes, when its attempts are used up, then the order is parked with an alarm, and until then it is tried", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    trail.take(refusal(stop.request.clientOrderId, "stop", "fatal"))
    for (let n = 0; n < 200 && trail.context.parked === null; n++) {
      const leg = trail.context.legs.find(({ status }) => status === "sending")
      if (leg !== undefined) {
        trail.take(refusal(leg.clientOrderId, "flatten", "account", "-2015"))
        continue
      }
      const due = nextDeadline(trail.context)
      expect(due?.deadline).toBe("retry")
      trail.nowMs = due?.dueAtMs ?? 0
      trail.take(on("DeadlinePassed", { deadline: "retry", dueAtMs: trail.nowMs, nowMs: trail.nowMs }))
    }
    expect(trail.context.parked?.code).toBe("INVARIANT")
    expect(trail.context.attempts.flatten).toBe(99)
    // Not in a quarter of an hour: the last attempts are far apart.
    expect(trail.nowMs - T0).toBeGreaterThan(3_600_000)
  })

  it("given a fill that cannot be folded, when it is taken, then the step throws, and the process is told by nobody else", () => {
    const trail = placed()
    expect(() => trail.filled("0.01", "not a price" as never)).toThrow(RangeError)
  })

  it("given a live stop that somebody cancels by hand, when that is seen, then another is placed at once", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    trail.legAccepted(only(trail.legAccepted(stop), "placeTarget"))
    const again = trail.take(on("LegEnded", { leg: "stop", clientOrderId: stop.request.clientOrderId, how: "cancelled", via: "stream" }))
    expect(only(again, "placeStop").request.quantity).toBe("0.01")
  })

  it("given a working entry, when an exit of its lot trades, then the rest of the entry is cancelled at once", () => {
    const trail = placed()
    const stop = only(trail.partlyFilled("0.004"), "placeStop")
    trail.legAccepted(only(trail.legAccepted(stop), "placeTarget"))
    const commands = trail.exitFilled(stop.request.clientOrderId, "0.004", "49000")
    expect(commands.map(({ type }) => type)).toContain("cancelEntry")
    expect(commands.map(({ type }) => type)).not.toContain("cancelLeg")
    trail.take(on("EntryEnded", { how: "cancelled", venueOrderId: venueId("1"), via: "reply" }))
    const target = trail.context.legs.find(({ leg }) => leg === "target")
    expect(target?.status).toBe("cancelling")
    trail.legGone(target?.clientOrderId as never)
    // It was covered once, so it counts as filled as soon as the entry is over; its lot closes when the sibling is gone.
    expect(trail.types.slice(-4)).toEqual(["EntryEnded", "OrderCompleted", "SiblingCancelled", "LotClosed"])
  })

  it("given an entry that is still being sent, when a close is requested and it fills after all, then what filled is closed at once", () => {
    const trail = new Trail()
    trail.begin()
    expect(trail.take(on("CloseRequested", { cause: "opposite", by: "x" }))).toEqual([])
    const commands = trail.accepted()
    expect(commands.map(({ type }) => type)).toEqual(["cancelEntry"])
    expect(trail.filled("0.01").map(({ type }) => type)).toEqual(["flatten"])
  })

  it("given a fill beyond an absolute stop, when the bracket is due, then no stop is placed that would be passed: out at market", () => {
    const trail = placed({ stopLoss: "49500" })
    expect(trail.filled("0.01", "49400").map(({ type }) => type)).toEqual(["flatten"])
  })
})
