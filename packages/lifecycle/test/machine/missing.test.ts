/**
 * The venue's position is proven smaller than the lots (liquidation, auto-deleveraging, closed by hand). What may not be: a leg
 * for what is not there, a moment without a stop for what is, or a profit that nobody knows.
 */
import type { ClientOrderId, Command, DecimalString } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { followUp, isDone } from "../../src/index.ts"
import { d, on, only, Trail } from "./support.ts"

const missing = (quantity: string, exit?: { readonly quote: DecimalString; readonly feesQuote: DecimalString }) =>
  on("PositionMissing", { quantity: d(quantity), asset: "BTC", evidence: { venuePosition: "0" }, ...(exit === undefined ? {} : { exit }) })
const ended = (clientOrderId: ClientOrderId, leg: "stop" | "target") =>
  on("LegEnded", { leg, clientOrderId, how: "cancelled", via: "reply" })
const legs = (trail: Trail): readonly string[] =>
  trail.context.legs.map(({ clientOrderId, quantity, status }) => `${clientOrderId.slice(-3)} ${quantity} ${status}`)
const kinds = (commands: readonly Command[]): readonly string[] => commands.map(({ type }) => type)
const data = (trail: Trail, type: string): unknown => trail.steps.findLast(({ event }) => event.type === type)?.event.data

/** 0.01 bought at 50000, under its stop and its target. */
const covered = () => {
  const trail = new Trail()
  trail.begin()
  trail.accepted()
  const stop = only(trail.filled("0.01"), "placeStop")
  const target = only(trail.legAccepted(stop), "placeTarget")
  trail.legAccepted(target)
  return { trail, stop: stop.request.clientOrderId, target: target.request.clientOrderId }
}

describe("a position that is missing", () => {
  it("given all of the lot, when it is not known what it brought, then the legs go, the lot ends without a guess, and a human is called", () => {
    const { trail, stop, target } = covered()
    expect(kinds(trail.take(missing("0.01")))).toEqual(["cancelLeg", "cancelLeg"])
    trail.take(ended(stop, "stop"))
    expect(trail.types).not.toContain("LotClosed")
    trail.take(ended(target, "target"))
    expect(data(trail, "LotClosed")).toMatchObject({ quantity: "0", exitPrice: "0", missing: "0.01", closedBy: "venue" })
    expect(data(trail, "OrderParked")).toMatchObject({ code: "POSITION_MISSING" })
    expect(isDone(trail.context)).toBe(true)
    expect(trail.flat).toMatchObject({ open_quantity: "0", parked: true, done: true })
    trail.take(on("OrderUnparked", { by: "operator" }))
    expect(followUp(trail.context)).toBeUndefined()
  })

  it("given it is known what it brought, then that is the lot's exit, and its profit is true", () => {
    const { trail, stop, target } = covered()
    trail.take(missing("0.01", { quote: d("450"), feesQuote: d("2") }))
    trail.take(ended(stop, "stop"))
    trail.take(ended(target, "target"))
    const closed = data(trail, "LotClosed") as Readonly<Record<string, string>>
    expect(closed).toMatchObject({ quantity: "0.01", exitPrice: "45000" })
    expect(closed).not.toHaveProperty("missing")
    expect(Number(closed["profit"])).toBeCloseTo(-50 - Number(closed["fees"]))
  })

  it("given a part of it, then a stop and a target for the rest come first, and the larger ones go when they are taken", () => {
    const { trail, stop, target } = covered()
    const commands = trail.take(missing("0.004"))
    expect(kinds(commands)).toEqual(["placeStop", "placeTarget"])
    expect(legs(trail)).toEqual(["S01 0.01 live", "T01 0.01 live", "S02 0.006 sending", "T02 0.006 sending"])
    expect(kinds(trail.legAccepted(only(commands, "placeStop")))).toEqual(["cancelLeg"])
    expect(trail.context.unprotectedSinceMs).toBeNull()
    trail.legAccepted(only(commands, "placeTarget"))
    trail.take(ended(stop, "stop"))
    trail.take(ended(target, "target"))
    expect(legs(trail)).toEqual(["S01 0.01 over", "T01 0.01 over", "S02 0.006 live", "T02 0.006 live"])
    expect(trail.context.unprotectedSinceMs).toBeNull()
    expect(trail.context.parked).toBeNull()
  })

  it("given a stop of ours that turns out to have traded all the same, then the excess is recorded: nothing is hidden", () => {
    const { trail, stop, target } = covered()
    trail.take(missing("0.01"))
    trail.exitFilled(stop, "0.01", "49000")
    trail.take(ended(target, "target"))
    expect(data(trail, "LotOverClosed")).toEqual({ excess: "0.01", asset: "BTC" })
    expect(trail.context.parked).not.toBeNull()
  })
})
