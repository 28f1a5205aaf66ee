/** The venue fills an order that we believe over: it is taken up again and protected, whoever hears of it and however late. */
import { describe, expect, it } from "vitest"
import { unknown } from "@petrosa/contracts"
import { World } from "./world.ts"

/** An entry that was cancelled with nothing filled: done, and let go. */
const cancelled = async (world: World) => {
  const { message, order } = await world.resting()
  const cancel = world.intake.message("resume", { request: "cancel", by: "user" }, order)
  world.intake.deliver(cancel)
  await world.until("it is done and let go", () => !world.engine.desk.orders.has(order) && world.intake.answerTo(message) === "ack")
  return { order, entry: world.venue.idOf("E01") }
}

describe("late truth", () => {
  it("given an order that failed and is done, when the venue tells of a fill, then it is taken up again, and the fill is covered", async () => {
    const world = await World.start()
    const { order, entry } = await cancelled(world)
    expect((await world.types(order)).at(-1)).toBe("OrderFailed")
    world.venue.fill(entry, "0.004", { price: "49000" })
    await world.until("what is filled is covered", () => world.venue.resting.includes("S01 0.004"))
    const types = await world.until("it has settled anew", async () => {
      const seen = await world.types(order)
      return seen.at(-1) === "OrderCompleted" && seen
    })
    expect(types).toContain("LateFillFound")
    expect(world.engine.desk.orders.has(order)).toBe(true)
    expect(world.engine.desk.book.get(order)).toMatchObject({ state: "open", quantity: "0.004" })
  })

  it("given a store that cannot be read when the fill is told, when it can again, then the fill is not forgotten", async () => {
    const world = await World.start()
    const { entry } = await cancelled(world)
    world.reads = "away"
    world.venue.fill(entry, "0.004", { price: "49000" })
    await world.pass(6000)
    world.reads = "there"
    await world.until("what is filled is covered", () => world.venue.resting.includes("S01 0.004"))
  })

  it("given a venue that does not answer when the order is taken up, when it does again, then the fill is found", async () => {
    const world = await World.start()
    const { order, entry } = await cancelled(world)
    world.venue.onQuestion = () => unknown("TIMEOUT")
    world.venue.fill(entry, "0.004", { price: "49000" })
    await world.until("it is taken up", () => world.engine.desk.orders.has(order))
    await world.pass(2000)
    world.venue.onQuestion = () => undefined
    await world.until("what is filled is covered", () => world.venue.resting.includes("S01 0.004"), 15_000)
  })

  it("given a trade whose id is a number that stands in the records for something else, when it is told late, then it counts", async () => {
    const world = await World.start()
    const { entry } = await cancelled(world)
    world.venue.fill(entry, "0.004", { price: "49000", tradeId: "1" })
    await world.until("what is filled is covered", () => world.venue.resting.includes("S01 0.004"))
  })

  it("given an echo of a fill that is known, when it comes late, then nothing is taken up", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.fillsByItself.add("flatten")
    world.tell(order, { type: "CloseRequested", data: { cause: "operator", by: "operator" } })
    await world.until("it is done", () => !world.engine.desk.orders.has(order))
    const resumes = world.intake.resumes.length
    const { fills, ...report } = world.venue.order("E01")
    const [fill] = fills
    world.venue.tell({ _tag: "Order", order: report, ...(fill === undefined ? {} : { fill }) })
    await world.pass(10_000)
    expect(world.intake.resumes).toHaveLength(resumes)
  })
})
