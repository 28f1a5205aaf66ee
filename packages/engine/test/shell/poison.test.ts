/** A step that throws never takes the process down, nor the orders beside it; the third time its order is parked. */
import { describe, expect, it } from "vitest"
import type { DecimalString } from "@petrosa/contracts"
import { World } from "./world.ts"

/** An event that the machine takes and cannot fold. */
const unfoldable = (world: World) => ({
  type: "EntryPartlyFilled" as const,
  data: {
    fills: [
      {
        tradeId: "x",
        quantity: "0.001" as DecimalString,
        price: "no price" as DecimalString,
        fee: "0" as DecimalString,
        feeAsset: "USDT",
        feeQuote: "0" as DecimalString,
        atMs: world.clock.nowMs(),
      },
    ],
    venueOrderId: "v1" as never,
    via: "stream" as const,
  },
})

describe("a step that throws", () => {
  it("given a report that cannot be folded, when it is taken, then the failure is recorded, and the order goes on", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    world.tell(order, unfoldable(world))
    await world.until("the failure is recorded", async () => (await world.types(order)).includes("StepFailed"))
    world.venue.fill(world.venue.idOf("E01"), "0.01", { price: "49000" })
    await world.until("its fill is covered", () => world.live(order).context.settled === "filled")
  })

  it("given the same report three times, when it throws for the third, then the order is parked, off the queue, and its stop stays", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("what is filled is under a stop", () =>
      world.live(order).context.legs.some(({ leg, status }) => leg === "stop" && status === "live"),
    )
    for (let n = 1; n <= 3; n++) {
      await world.until("it is held", () => world.engine.desk.orders.has(order))
      await world.until("it has settled down", () => world.live(order).durableVersion === world.live(order).version)
      world.tell(order, unfoldable(world))
      await world.until(`failure ${n}`, async () => (await world.types(order)).filter((type) => type === "StepFailed").length === n)
    }
    await world.until("it is parked", async () => (await world.row(order))?.parked)
    expect((await world.events(order)).at(-1)).toMatchObject({ type: "OrderParked", data: { code: "STEP_FAILED" } })
    await world.until("it is off the queue", () => !world.engine.desk.orders.has(order))
    expect(world.intake.answerTo(message)).toBe("ack")
    expect(world.venue.resting).toContain("S01 0.004")
  })

  it("given an entry on its way, when a step throws, then what became of it is asked, not forgotten", async () => {
    const world = await World.start()
    let letGo = (): void => {}
    const gate = new Promise<undefined>((resolve) => {
      letGo = () => resolve(undefined)
    })
    world.venue.onPlace = (request) => (request.leg === "entry" ? gate : undefined)
    world.send(world.signal())
    await world.until("the entry has left", () => world.venue.sent("place entry").length === 1)
    const [before] = world.held
    if (before === undefined) throw new Error("nothing is held")
    world.engine.desk.onStepFailed(before, new Error("a step threw"), "test")
    await world.pass(150)
    letGo()
    await world.until("the entry is known to be live", () => world.live(before.order).context.entry?.status === "live")
    expect(world.venue.sent("place entry")).toHaveLength(1)
  })

  it("given a flatten on its way, when a step throws, then it is asked for, and the lot closes", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.onReply = (request, reply) => (request.leg === "flatten" ? new Promise(() => {}) : reply)
    world.tell(order, { type: "CloseRequested", data: { cause: "operator", by: "operator" } })
    await world.until("the flatten is at the venue", () => world.venue.resting.includes("X01 0.01"))
    world.engine.desk.onStepFailed(world.live(order), new Error("a step threw"), "test")
    world.venue.fill(world.venue.idOf("X01"), "0.01", { tell: false })
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    expect(world.venue.sent("place flatten")).toHaveLength(1)
  })
})

describe("a message that cannot be dealt with", () => {
  it("given a decision that throws, when its batch comes in, then the others are dealt with, and the bad one is given back, every time", async () => {
    const world = await World.start()
    const rules = world.venue.rules.bind(world.venue)
    world.venue.rules = (symbol, market) => {
      if (symbol === "ETHUSDT") throw new RangeError("a defect of ours")
      return rules(symbol, market)
    }
    world.venue.fillsByItself.add("entry")
    const good = world.signal({ strategy_id: "good" })
    const bad = world.intake.message("signal", world.signal({ symbol: "ETHUSDT" }))
    world.intake.deliver(bad, world.intake.message("signal", good))
    expect(await world.until("the good one is decided", () => world.ended(good))).toBe("filled")
    expect(world.intake.answerTo(bad)).toBe("nak")
    const held = world.held.length
    world.intake.deliver(world.intake.again(bad))
    await world.until(
      "it is given back again",
      () => world.intake.answers.filter((answer) => answer.startsWith(`nak signal ${bad.sequence}`)).length === 2,
    )
    expect(world.held).toHaveLength(held)
    // Nothing of it is left behind: its strategy may go on.
    expect([...world.engine.desk.book.entries()].map(({ strategyId }) => strategyId)).toEqual(["good"])
  })

  it("given an order whose recovery throws, when many are taken up after a restart, then the others are recovered, and it is not held without work", async () => {
    const world = await World.start()
    const lots = [await world.covered(), await world.covered({ strategy_id: "second" }), await world.covered({ strategy_id: "third" })]
    world.kill()
    await world.start({ alone: false })
    const { receiver } = world.engine
    const recover = receiver.recover.bind(receiver)
    const [bad, ...good] = lots
    receiver.recover = (live, recorded) => {
      if (live.order === bad?.order) throw new RangeError("a defect of ours")
      recover(live, recorded)
    }
    world.intake.deliver(...lots.map(({ message }) => world.intake.again(message)))
    await world.until("the others are recovered", () => good.every(({ order }) => world.engine.desk.orders.get(order)?.legsKnown))
    expect(world.engine.desk.orders.has(bad?.order as never)).toBe(false)
    expect(bad === undefined ? undefined : world.intake.answerTo(bad.message)).toBe("nak")
    // It is a lot: its slot is not free because of that.
    await world.pass(100)
    expect(world.engine.desk.book.size).toBe(3)
  })
})

describe("an order that is put back", () => {
  it("given a parked lot without a stop, when it is unparked, then it is asked what is there, and what lacks is placed at once", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.tell(order, { type: "OrderParked", data: { code: "OPERATOR", detail: "" } })
    await world.until("it is off the queue", () => !world.engine.desk.orders.has(order))
    await world.venue.cancel("BTCUSDT", "futures", world.venue.idOf("S01") as never)
    const unpark = world.intake.message("resume", { request: "unpark", by: "operator" }, order)
    world.intake.deliver(unpark)
    await world.until("another stop is live", () => world.legs(order).includes("S02 live 0.01"), 3000)
    expect(await world.types(order)).toContain("OrderUnparked")
    expect(world.venue.sent("place flatten")).toEqual([])
    await world.until("the order is held on", () => world.engine.desk.orders.has(order))
  })
})
