/** A process dies and another goes on: what left on the strength of the plan is found before anything else leaves. */
import { describe, expect, it } from "vitest"
import { refused, unknown } from "@petrosa/contracts"
import type { OrderId } from "@petrosa/contracts"
import { short } from "./scriptedVenue.ts"
import { World } from "./world.ts"

const afterRecovery = async (world: World, order: OrderId) =>
  world.until("the recovery is over", () => {
    const live = world.engine.desk.orders.get(order)
    return live !== undefined && live.legsKnown && !live.tasks.has("recover") && live
  })

describe("recovery", () => {
  it("given stops that left by the plan while the store was away, when the process dies, then the next one takes every one of them over and places none again", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.appends = "away"
    for (const [n, quantity] of ["0.002", "0.003", "0.001"].entries()) {
      world.venue.fill(world.venue.idOf("E01"), quantity, { price: "49000" })
      await world.until("its stop has left by the plan", () => world.venue.sent("place stop").length === n + 1)
    }
    await world.pass(300)
    world.kill()
    world.appends = "there"
    const before = world.venue.sent("place stop").length
    await world.start()
    world.intake.deliver(world.intake.again(message))
    await afterRecovery(world, order)
    await world.until("all of it is covered", () => world.live(order).context.unprotectedSinceMs === null)
    await world.pass(1000)
    expect(world.venue.sent("place stop").slice(before)).toEqual([])
    expect(world.legs(order).filter((leg) => leg.startsWith("S"))).toEqual(["S01 live 0.002", "S02 live 0.003", "S03 live 0.001"])
    // What we believe is what is there.
    const ours = world.legs(order).map((leg) => leg.replace(" live", ""))
    expect(ours.toSorted()).toEqual(world.venue.resting.filter((leg) => !leg.startsWith("E")).toSorted())
  })

  it("given a stop that left by the plan and traded while nobody was there, when the next process recovers, then its trade counts, and no stop is placed for what is sold already", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.appends = "away"
    world.venue.fill(world.venue.idOf("E01"), "0.002", { price: "49000" })
    await world.until("its stop rests at the venue", () => world.venue.resting.includes("S01 0.002"))
    world.kill()
    world.appends = "there"
    world.venue.fill(world.venue.idOf("S01"), "0.002", { price: "48000", tell: false })
    world.venue.log.length = 0
    await world.start()
    world.intake.deliver(world.intake.again(message))
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    expect(world.venue.sent("place")).toEqual([])
    const exits = (await world.events(order)).filter(({ type }) => type === "ExitFilled")
    expect(exits.map(({ data }) => short(String(data.clientOrderId)))).toEqual(["S01"])
    // An exit of the lot traded: the rest of its entry is not wanted any more.
    expect(world.venue.order("E01").status).toBe("cancelled")
  })

  it("given the same, when the stream tells the entry's fill before the venue has said which legs there are, then no stop leaves under an id that was used", async () => {
    const world = await World.start({ alone: false })
    const { message, order } = await world.resting()
    world.appends = "away"
    world.venue.fill(world.venue.idOf("E01"), "0.002", { price: "49000" })
    await world.until("its stop rests at the venue", () => world.venue.resting.includes("S01 0.002"))
    world.kill()
    world.appends = "there"
    world.venue.fill(world.venue.idOf("S01"), "0.002", { price: "48000", tell: false })
    world.venue.log.length = 0
    await world.start({ alone: false })
    let answer = (): void => {}
    const gate = new Promise<void>((resolve) => {
      answer = resolve
    })
    world.venue.onQuestion = () => gate
    world.intake.deliver(world.intake.again(message))
    await world.until("it is adopted", () => world.engine.desk.orders.has(order))
    const { fills: _, ...entry } = world.venue.order("E01")
    const [fill] = world.venue.order("E01").fills
    world.venue.tell({ _tag: "Order", order: entry, ...(fill === undefined ? {} : { fill }) })
    await world.pass(1000)
    expect(world.live(order).context.entry?.filled).toBe("0.002")
    expect(world.venue.sent("place")).toEqual([])
    answer()
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    expect(world.venue.sent("place")).toEqual([])
  })

  it("given a refused stop before one that was taken, both unrecorded, when the next process looks for legs, then the gap hides nothing", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.venue.onPlace = (request) => (short(request.clientOrderId) === "S01" ? refused("retry", "-1021", "clock") : undefined)
    world.appends = "away"
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("the second attempt rests at the venue", () => world.venue.resting.includes("S02 0.004"))
    world.kill()
    world.appends = "there"
    world.venue.onPlace = () => undefined
    world.venue.fill(world.venue.idOf("S02"), "0.004", { price: "48000", tell: false })
    world.venue.log.length = 0
    await world.start()
    world.intake.deliver(world.intake.again(message))
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    expect(world.venue.sent("place")).toEqual([])
    expect((await world.events(order)).filter(({ type }) => type === "ExitFilled")).toHaveLength(1)
  })

  it("given a venue that does not list what is open, when it tells a fill meanwhile, then nothing is placed until it has, and then what lacks is placed", async () => {
    const world = await World.start({ alone: false })
    const { message, order } = await world.resting()
    world.kill()
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000", tell: false })
    world.venue.log.length = 0
    await world.start({ alone: false })
    world.venue.onQuestion = (what) => (what === "openOrders" ? unknown("TIMEOUT") : undefined)
    world.intake.deliver(world.intake.again(message))
    await world.until("the fill is known", () => world.engine.desk.orders.get(order)?.context.entry?.filled === "0.004")
    await world.pass(3000)
    expect(world.venue.sent("place")).toEqual([])
    world.venue.onQuestion = () => undefined
    await world.until("the stop is placed", () => world.venue.resting.includes("S01 0.004"))
    expect(world.live(order).context.unprotectedSinceMs).toBeNull()
  })

  it("given an entry whose reply nobody heard, when the process dies, then the next one asks for it and never sends it again", async () => {
    const world = await World.start()
    world.venue.onReply = () => new Promise(() => {})
    const message = world.send(world.signal())
    await world.until("the entry has left", () => world.venue.sent("place entry").length === 1)
    const [order] = world.held.map((one) => one.order)
    world.kill()
    await world.start()
    world.intake.deliver(world.intake.again(message))
    await world.until("the entry is found", () => world.engine.desk.orders.get(order as OrderId)?.context.entry?.status === "live")
    await world.pass(3000)
    expect(world.venue.sent("place entry")).toHaveLength(1)
  })
})
