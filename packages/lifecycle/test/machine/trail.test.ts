import { describe, expect, it } from "vitest"
import { on, only, Trail, T0, venueId } from "./support.ts"

const covered = (trail: Trail, quantity = "0.01"): { readonly stop: string; readonly target: string } => {
  const stop = only(trail.filled(quantity), "placeStop")
  const target = only(trail.legAccepted(stop), "placeTarget")
  trail.legAccepted(target)
  return { stop: stop.request.clientOrderId, target: target.request.clientOrderId }
}

describe("the trail of an order", () => {
  it("given a market order that fills at once, when its bracket is live, then the trail reads as in the design and the order is filled", () => {
    const trail = new Trail()
    const entry = only(trail.begin(), "placeEntry")
    expect(entry.request).toMatchObject({ leg: "entry", side: "buy", type: "market", quantity: "0.01", reduceOnly: false })
    expect(trail.accepted()).toEqual([])
    covered(trail)
    expect(trail.types).toEqual([
      "SignalReceived",
      "SignalValidated",
      "OrderSized",
      "EntryIntended",
      "EntryAccepted",
      "EntryFilled",
      "StopAccepted",
      "TargetAccepted",
      "OrderCompleted",
    ])
    expect(trail.steps.map(({ state }) => state)).toEqual([
      "received",
      "validated",
      "sized",
      "placed",
      "placed",
      "placed",
      "placed",
      "bracketed",
      "filled",
    ])
    expect(trail.flat).toMatchObject({ status: "filled", fill_price: 50000, open_quantity: "0.01", settled: true, done: false })
  })

  it("given a covered lot, when its target trades, then the stop is cancelled, proven gone, and the profit is exact", () => {
    const trail = new Trail()
    trail.begin()
    trail.accepted()
    const { stop, target } = covered(trail)
    const cancel = only(trail.exitFilled(target as never, "0.01", "52500"), "cancelLeg")
    expect(cancel.clientOrderId).toBe(stop)
    expect(trail.context.lotClosed).toBe(false)
    trail.legGone(stop as never)
    expect(trail.types.slice(-3)).toEqual(["ExitFilled", "SiblingCancelled", "LotClosed"])
    // 0.01 × (52500 − 50000) − 0.01 − 0.01
    expect(trail.flat).toMatchObject({ profit: "24.98", open_quantity: "0", done: true })
  })

  it("given a short, when its stop trades above the entry, then the loss is exact", () => {
    const trail = new Trail()
    trail.begin({ action: "sell" })
    trail.accepted()
    const { stop, target } = covered(trail)
    trail.exitFilled(stop as never, "0.01", "51000")
    trail.legGone(target as never)
    expect(trail.context.profit).toBe("-10.02")
  })

  it("given a hold, when it is received, then it ends declined with HOLD and nothing is asked of the venue", () => {
    const trail = new Trail()
    expect(trail.begin({ action: "hold" })).toEqual([])
    expect(trail.types).toEqual(["SignalReceived", "SignalValidated", "OrderFailed"])
    expect(trail.flat).toMatchObject({ status: "rejected", reason: "HOLD", settled: true, done: true })
  })

  it("given a refused entry, when the venue says so, then the order failed and no leg is placed", () => {
    const trail = new Trail()
    trail.begin()
    trail.take(on("EntryRefused", { class: "fatal", code: "-4164", message: "notional", via: "reply", sentAtMs: T0, receivedAtMs: T0 }))
    expect(trail.types.at(-1)).toBe("OrderFailed")
    expect(trail.flat).toMatchObject({ reason: "ENTRY_REFUSED", done: true })
  })

  it("given a resting entry, when its time-out passes, then it is cancelled once and ends with ENTRY_TIMEOUT", () => {
    const trail = new Trail()
    trail.begin({ orderType: "limit", price: "49000" as never })
    trail.accepted()
    trail.nowMs += 900_000
    const cancel = trail.take(on("DeadlinePassed", { deadline: "entry", dueAtMs: trail.nowMs, nowMs: trail.nowMs }))
    expect(cancel.map(({ type }) => type)).toEqual(["cancelEntry"])
    trail.take(on("EntryEnded", { how: "cancelled", venueOrderId: venueId("1"), via: "reply" }))
    expect(trail.flat).toMatchObject({ reason: "ENTRY_TIMEOUT", status: "cancelled", done: true })
  })

  it("given a partly filled entry, when it is cancelled, then what is filled stays, protected, and the order is filled, smaller", () => {
    const trail = new Trail()
    trail.begin({ orderType: "limit" })
    trail.accepted()
    const stop = only(trail.partlyFilled("0.004"), "placeStop")
    expect(stop.request.quantity).toBe("0.004")
    const target = only(trail.legAccepted(stop), "placeTarget")
    trail.legAccepted(target)
    expect(trail.actor.state).toBe("bracketed")
    trail.nowMs += 900_000
    trail.take(on("DeadlinePassed", { deadline: "entry", dueAtMs: trail.nowMs, nowMs: trail.nowMs }))
    trail.take(on("EntryEnded", { how: "cancelled", venueOrderId: venueId("1"), via: "reply" }))
    expect(trail.types.at(-1)).toBe("OrderCompleted")
    expect(trail.flat).toMatchObject({ status: "cancelled", filled_quantity: 0.004, open_quantity: "0.004" })
    expect(trail.actor.state).toBe("filled")
  })

  it("given an entry whose outcome is unknown, when the venue proves that it never had it, then it is given up and not sent again", () => {
    const trail = new Trail()
    trail.begin()
    expect(trail.take(on("EntryUnknown", { reason: "TIMEOUT", sentAtMs: T0 })).map(({ type }) => type)).toEqual(["resolveEntry"])
    const commands = trail.take(on("EntryNotPlaced", { evidence: {} }))
    expect(commands).toEqual([])
    expect(trail.flat).toMatchObject({ reason: "NOT_PLACED" })
    expect(trail.steps.flatMap(({ commands: all }) => all).filter(({ type }) => type === "placeEntry")).toHaveLength(1)
  })

  it("given an order that failed as NOT_PLACED, when a fill turns up after all, then the order is opened again and protected", () => {
    const trail = new Trail()
    trail.begin()
    trail.take(on("EntryUnknown", { reason: "TIMEOUT", sentAtMs: T0 }), on("EntryNotPlaced", { evidence: {} }))
    const stop = only(
      trail.take(on("LateFillFound", { fills: [trail.fill("0.01")], venueOrderId: venueId("9"), via: "stream" })),
      "placeStop",
    )
    expect(trail.actor.state).toBe("placed")
    trail.legAccepted(only(trail.legAccepted(stop), "placeTarget"))
    expect(trail.types.at(-1)).toBe("OrderCompleted")
    expect(trail.actor.state).toBe("filled")
  })

  it("given an event that the present state does not take, when it comes, then it is refused and nothing changes", () => {
    const trail = new Trail()
    trail.begin()
    const before = trail.context
    trail.legGone("ptnope" as never)
    trail.take(on("OrderSized", { side: "buy" } as never))
    expect(trail.refused.map(({ type }) => type)).toContain("OrderSized")
    expect(trail.context.entry).toEqual(before.entry)
  })
})
