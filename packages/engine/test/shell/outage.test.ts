/** Store or venue away: protection goes on by its plan, an entry waits or has certainly not left, and nobody is hammered. */
import { describe, expect, it } from "vitest"
import { refused, unknown } from "@petrosa/contracts"
import { engineFace } from "../../src/face.ts"
import { World } from "./world.ts"

/** Between the durable intent and the request the process sleeps, and the store cannot be read when it wakes. */
const behindAGap = async () => {
  const world: World = await World.start({
    faults: {
      at: (point) => {
        if (point !== "venue.entry.before") return undefined
        world.engine.desk.suspectAll()
        world.reads = "away"
        return undefined
      },
    },
  })
  const signal = world.signal()
  const message = world.send(signal)
  await world.until("the entry waits for its owner to be proven", () => world.reads === "away")
  return { world, signal, message }
}

describe("while the store is away", () => {
  it("given nothing that is written, when the store cannot be read, then the engine is not ready, takes nothing in, and is ready when it can", async () => {
    const world = await World.start()
    const face = engineFace(world.engine)
    expect(face.health().parts["store"]).toMatchObject({ ok: true })
    world.reads = "away"
    await world.until("it is noticed", () => !face.health().ready, 3000)
    expect(face.health().parts["store"]).toMatchObject({ ok: false, detail: expect.stringContaining("switched off") })
    expect(world.intake.capacity("signals")).toBe(0)
    world.reads = "there"
    await world.until("it is ready again", () => face.health().ready, 3000)
    expect(world.intake.capacity("signals")).toBeGreaterThan(0)
  })

  it("given a store that does not answer at all, when four seconds are over, then the engine is not ready", async () => {
    const world = await World.start()
    const face = engineFace(world.engine)
    world.reads = "silent"
    await world.pass(5000)
    expect(face.health().ready).toBe(true)
    await world.until("it is noticed", () => !face.health().ready, 2000)
    world.reads = "there"
    await world.until("it is ready again", () => face.health().ready, 3000)
  })

  it("given an owner that is to be proven after the broker was away, when the store does not answer, then a fill gets its stop by the plan all the same", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    world.engine.desk.suspectAll()
    world.reads = "silent"
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("the stop is there", () => world.venue.resting.includes("S01 0.004"), 2000)
    expect(world.live(order).dropped).toBe(false)
  })

  it("given the same, when the order has gone to somebody else and the store says so in time, then nothing leaves", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    const live = world.live(order)
    world.engine.desk.suspectAll()
    world.reads = "silent"
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.pass(100)
    world.engine.desk.onConflict(live)
    world.reads = "there"
    await world.pass(3000)
    expect(world.venue.sent("place stop")).toEqual([])
  })

  it("given one report that says partly filled and cancelled, when it is taken, then the stop leaves by the plan all the same", async () => {
    const world = await World.start()
    await world.resting()
    world.appends = "away"
    const entry = world.venue.idOf("E01")
    world.venue.fill(entry, "0.004", { price: "49000", tell: false })
    world.venue.end(entry, "cancelled")
    await world.until("the stop rests at the venue", () => world.venue.resting.includes("S01 0.004"), 1000)
  })

  it("given a stop that the venue does not take yet, when the protection deadline passes, then the flatten leaves, without the store", async () => {
    const world = await World.start()
    await world.resting()
    world.appends = "away"
    world.venue.onPlace = (request) =>
      request.leg === "stop" ? refused("rateLimit", "-1003", "slow down", world.clock.nowMs() + 60_000) : undefined
    const atMs = world.clock.nowMs()
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("the flatten has left", () => world.venue.sent("place flatten").length > 0, 6000)
    expect(world.clock.nowMs() - atMs).toBeGreaterThanOrEqual(5000)
    expect(world.venue.sent("place flatten")).toEqual(["place flatten X01 0.004"])
  })

  it("given that, when the store is back, then what was done is recorded, and not done again", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    world.appends = "away"
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("the stop rests at the venue", () => world.venue.resting.includes("S01 0.004"), 1000)
    await world.storeBack()
    await world.until("it is recorded", async () => (await world.types(order)).includes("StopAccepted"))
    expect(world.venue.sent("place stop")).toHaveLength(1)
  })

  it("given an entry whose owner cannot be proven because nothing can be read, when it can again in time, then the entry leaves, once", async () => {
    const { world, message } = await behindAGap()
    await world.pass(300)
    expect(world.venue.sent("place entry")).toEqual([])
    world.reads = "there"
    await world.until("the entry is at the venue", () => world.venue.resting.includes("E01 0.01"), 1000)
    await world.pass(2000)
    expect(world.venue.sent("place entry")).toHaveLength(1)
    expect(world.intake.answerTo(message)).toBeUndefined()
  })

  it("given the same, when the send deadline passes first, then the entry has certainly not left, and the order says so", async () => {
    const { world, signal, message } = await behindAGap()
    expect(await world.until("the order is over", () => world.ended(signal), 30_000)).toBe("failed SEND_DEADLINE_PASSED")
    world.reads = "there"
    await world.until("its message is answered", () => world.intake.answerTo(message) === "ack")
    expect(world.venue.sent("place entry")).toEqual([])
  })
})

describe("while the venue does not answer", () => {
  it("given entries whose balance is to be asked for again, when the venue does not tell it, then it is not hammered", async () => {
    const world = await World.start()
    await world.covered()
    world.venue.onQuestion = (what) => (what === "balances" ? unknown("TIMEOUT") : undefined)
    world.send(world.signal({ strategy_id: "another" }))
    await world.pass(200)
    const before = world.venue.balanceQuestions
    await world.pass(5000)
    const asked = world.venue.balanceQuestions - before
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThan(10)
  })

  it("given an entry that is not found, when what else would prove it cannot be asked, then the questions stay far apart, and nothing is given up", async () => {
    const world = await World.start()
    world.venue.onPlace = () => unknown("TIMEOUT")
    world.venue.onQuestion = (what) => (what === "openOrders" ? unknown("-1003") : undefined)
    const signal = world.signal()
    world.send(signal)
    await world.pass(5000)
    const before = world.venue.log.length
    await world.pass(20_000)
    expect(world.venue.log.length - before).toBeLessThan(60)
    expect(await world.ended(signal)).toBeUndefined()
    world.venue.onQuestion = () => undefined
    expect(await world.until("it is proven", () => world.ended(signal), 20_000)).toBe("failed NOT_PLACED")
    expect(world.venue.sent("place entry")).toHaveLength(1)
  })
})
