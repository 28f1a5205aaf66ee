/** Closing: what is open is closed, once, by exactly what is held; and whoever asked hears what came of it. */
import { describe, expect, it } from "vitest"
import { unknown } from "@petrosa/contracts"
import { World } from "./world.ts"

const close = { type: "CloseRequested", data: { cause: "operator", by: "operator" } } as const

describe("closing", () => {
  it("given an open lot that this process does not hold and the projection does not show yet, when its strategy closes it, then the lot is closed, not called nothing", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.fillsByItself.add("flatten")
    world.engine.desk.drop(world.live(order), "failed")
    world.behind.add(order)
    const signal = world.signal({ action: "close" })
    world.send(signal)
    await world.until("somebody is asked to take the lot up", () => world.intake.resumes.some((resume) => resume.order === order))
    expect(await world.until("the close is over", () => world.ended(signal))).toBe("filled")
    expect((await world.types(order)).at(-1)).toBe("LotClosed")
    expect(world.venue.sent("place flatten")).toEqual(["place flatten X01 0.01"])
  })

  it("given a store that cannot be read, when a lot that is not held is to be closed, then the answer waits, and is not that there is nothing", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.fillsByItself.add("flatten")
    world.engine.desk.drop(world.live(order), "failed")
    world.behind.add(order)
    world.reads = "away"
    const signal = world.signal({ action: "close" })
    world.send(signal)
    await world.pass(5000)
    expect(await world.ended(signal)).toBeUndefined()
    world.reads = "there"
    expect(await world.until("the close is over", () => world.ended(signal))).toBe("filled")
  })

  it("given a flatten that is decided, when the stop sells everything before it leaves, then it does not leave", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.appends = "silent"
    world.tell(order, close)
    await world.pass(50)
    world.venue.fill(world.venue.idOf("S01"), "0.01", { price: "49000" })
    await world.until("the stop's trade is known", () => world.live(order).context.exit.quantity === "0.01")
    world.appends = "there"
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    expect(world.venue.sent("place flatten")).toEqual([])
  })

  it("given the same, when the stop has sold a part, then the flatten that leaves is for the rest", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.fillsByItself.add("flatten")
    world.appends = "silent"
    world.tell(order, close)
    await world.pass(50)
    world.venue.fill(world.venue.idOf("S01"), "0.004", { price: "49000" })
    await world.until("the stop's trade is known", () => world.live(order).context.exit.quantity === "0.004")
    world.appends = "there"
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    expect(world.venue.sent("place flatten").map((line) => line.split(" ").at(-1))).toEqual(["0.006"])
  })

  it("given a flatten whose fill the stream has told, when its reply is lost while the other legs are being cancelled, then the lot closes all the same", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.fillsByItself.add("flatten")
    world.venue.cancelTakesMs = 300
    world.venue.onReply = async (request, reply) => {
      if (request.leg !== "flatten") return reply
      await new Promise<void>((resolve) => world.clock.after(100, resolve))
      return unknown("TIMEOUT")
    }
    world.tell(order, close)
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    await world.until("it is let go", () => !world.engine.desk.orders.has(order))
    expect(world.engine.desk.book.size).toBe(0)
    const before = world.venue.log.length
    await world.pass(10_000)
    expect(world.venue.log.length).toBe(before)
  })

  // B11
  it("given a lot that is parked while it is open, when its strategy closes it, then the answer is PARKED, not that there was nothing", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.tell(order, { type: "OrderParked", data: { code: "OPERATOR", detail: "" } })
    await world.until("it is off the queue", () => !world.engine.desk.orders.has(order))
    const signal = world.signal({ action: "close" })
    world.send(signal)
    expect(await world.until("the close is over", () => world.ended(signal))).toBe("failed PARKED")
    expect((await world.row(order))?.open_quantity).toBe("0.01")
  })
})
