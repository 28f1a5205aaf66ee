/** What we believe live and the venue does not know: one "not found" proves nothing, several over its time of proof do. */
import { describe, expect, it } from "vitest"
import { known } from "@petrosa/contracts"
import { World } from "./world.ts"

describe("an order that the venue does not know any more", () => {
  it("given a live stop that the venue has forgotten, when that is proven, then another is placed, and the lot is not closed for it", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.forget(world.venue.idOf("S01"))
    await world.until("another stop is there", () => world.venue.resting.includes("S02 0.01"), 15_000)
    expect(world.legs(order)).toContain("S01 over 0.01")
    expect(world.venue.sent("place flatten")).toEqual([])
    expect(world.alarms.join()).toContain("does not know an order of ours any more")
  })

  it("given a venue that says not found once or twice, when it finds the stop again, then nothing is placed", async () => {
    const world = await World.start()
    await world.covered()
    let misses = 0
    const stop = world.venue.idOf("S01")
    world.venue.onQuestion = (what, clientOrderId) => {
      if (what !== "query" || clientOrderId !== stop || misses % 3 === 2) {
        if (clientOrderId === stop) misses += 1
        return undefined
      }
      misses += 1
      return known(undefined) as never
    }
    await world.pass(60_000)
    expect(misses).toBeGreaterThan(9)
    expect(world.venue.sent("place stop")).toHaveLength(1)
  })

  it("given a flat lot with a stop that is to go and that the venue does not know, when that is proven, then the lot closes, and the cancels end", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.fillsByItself.add("flatten")
    world.venue.forget(world.venue.idOf("S01"))
    world.tell(order, { type: "CloseRequested", data: { cause: "operator", by: "operator" } })
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"), 20_000)
    await world.until("it is let go", () => !world.engine.desk.orders.has(order))
    const before = world.venue.log.length
    await world.pass(10_000)
    expect(world.venue.log.length).toBe(before)
  })

  it("given a resting entry that the venue has forgotten, when that is proven, then the order is over and its slot is free", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.venue.forget(world.venue.idOf("E01"))
    await world.until("it is over", () => world.intake.answerTo(message) === "ack", 20_000)
    expect((await world.types(order)).slice(-2)).toEqual(["EntryEnded", "OrderFailed"])
    expect(world.engine.desk.book.size).toBe(0)
  })
})
