/**
 * Somebody sets the wall clock. Back by an hour: no stop, no flatten and no try may wait for that hour to pass again. Ahead by
 * an hour: nothing is over because of that.
 */
import { describe, expect, it } from "vitest"
import { refused } from "@petrosa/contracts"
import { World } from "./world.ts"

const AN_HOUR_MS = 3_600_000

/** Stops are refused for a long time; everything else is taken. */
const noStops = (world: World): void => {
  world.venue.onPlace = (request) =>
    request.leg === "stop" ? refused("rateLimit", "-1003", "slow down", world.clock.nowMs() + world.wallAheadMs + AN_HOUR_MS) : undefined
}

describe("a wall clock that is set back", () => {
  it("given an uncovered lot, when the clock is set back, then it is flattened D after its fill all the same", async () => {
    const world = await World.start()
    await world.resting()
    noStops(world)
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.pass(1000)
    world.wallAheadMs = -AN_HOUR_MS
    await world.until("the flatten has left", () => world.venue.sent("place flatten").length > 0, 6000)
  })

  // B12
  it("given an order from before the clock was set back, when it fills afterwards and cannot be covered, then it is flattened D after the fill", async () => {
    const world = await World.start()
    await world.resting()
    noStops(world)
    world.wallAheadMs = -AN_HOUR_MS
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("the flatten has left", () => world.venue.sent("place flatten").length > 0, 6000)
  })

  // B12
  it("given a stop that is refused after the clock was set back, when its short wait is over, then it is tried again", async () => {
    const world = await World.start()
    await world.resting()
    world.wallAheadMs = -AN_HOUR_MS
    let refusals = 0
    world.venue.onPlace = (request) => {
      if (request.leg !== "stop" || refusals >= 2) return undefined
      refusals += 1
      return refused("retry", "-1021", "Timestamp for this request is outside of the recvWindow.")
    }
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("the stop is there", () => world.venue.resting.some((leg) => leg.startsWith("S")), 4000)
  })

  it("given an uncovered lot, when its process dies and the next one's clock is an hour behind, then it is flattened D after it was taken up", async () => {
    const world = await World.start()
    const { message } = await world.resting()
    noStops(world)
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.pass(1000)
    world.kill()
    world.wallAheadMs = -AN_HOUR_MS
    await world.start()
    world.intake.deliver(world.intake.again(message))
    await world.until("the flatten has left", () => world.venue.sent("place flatten").length > 0, 7000)
  })

  // B13
  it("given a clock that was set back between two processes, when the next one goes on, then time within the order's stream does not go back", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.kill()
    world.wallAheadMs = -AN_HOUR_MS
    await world.start()
    world.intake.deliver(world.intake.again(message))
    await world.until("it is adopted", async () => (await world.types(order)).includes("OrderAdopted"))
    const times = (await world.events(order)).map(({ at }) => at)
    expect(times).toEqual(times.toSorted())
  })

  // B14
  it("given a stream that missed a fill after the clock was set back, when what is live is looked at, then the fill is found and covered", async () => {
    const world = await World.start()
    await world.resting()
    world.wallAheadMs = -AN_HOUR_MS
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000", tell: false })
    await world.until("the stop is there", () => world.venue.resting.includes("S01 0.004"), 10_000)
  })

  // B14
  it("given a fill while the store is away, when the clock is set back before its stop has left by the plan, then the stop leaves all the same", async () => {
    const world = await World.start()
    await world.resting()
    world.appends = "away"
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.pass(100)
    world.wallAheadMs = -AN_HOUR_MS
    await world.until("the stop is there", () => world.venue.resting.includes("S01 0.004"), 2000)
  })
})

describe("a wall clock that is set ahead", () => {
  it("given an entry that rests for ten minutes, when the clock is set ahead by an hour, then it rests on, and its fill is covered", async () => {
    const world = await World.start()
    const { order } = await world.resting({ conditional_timeout: 600 })
    world.wallAheadMs = AN_HOUR_MS
    await world.pass(5000)
    expect(world.venue.sent("cancel E01")).toEqual([])
    expect(world.live(order).context.entry?.status).toBe("live")
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("the stop is there", () => world.venue.resting.includes("S01 0.004"), 2000)
  })

  it("given the same, when its ten minutes are over, then it is cancelled", async () => {
    const world = await World.start()
    await world.resting({ conditional_timeout: 10 })
    world.wallAheadMs = AN_HOUR_MS
    await world.until("it is cancelled", () => world.venue.sent("cancel E01").length > 0, 12_000)
  })

  it("given an uncovered lot, when the clock is set ahead, then it is not flattened for that, but D after its fill", async () => {
    const world = await World.start()
    await world.resting()
    noStops(world)
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.pass(1000)
    world.wallAheadMs = AN_HOUR_MS
    await world.pass(3000)
    expect(world.venue.sent("place flatten")).toEqual([])
    await world.until("the flatten has left", () => world.venue.sent("place flatten").length > 0, 2000)
  })

  it("given a decision whose record takes its time, when the clock is set ahead meanwhile, then its entry does not leave late, and the order says so", async () => {
    const world = await World.start()
    world.appends = "silent"
    const signal = world.signal()
    world.send(signal)
    await world.pass(100)
    world.wallAheadMs = AN_HOUR_MS
    world.appends = "there"
    expect(await world.until("it has ended", () => world.ended(signal))).toBe("failed SEND_DEADLINE_PASSED")
    expect(world.venue.sent("place entry")).toEqual([])
  })
})
