/** A process that is alone goes on from its store: no message has to come first, and those that come find their order held. */
import { describe, expect, it } from "vitest"
import type { OrderId } from "@petrosa/contracts"
import { DEFAULT_DECISION_SETTINGS } from "@petrosa/lifecycle"
import { takeUpFromStore } from "../../src/takeUp.ts"
import { World } from "./world.ts"

const duplicates = async (world: World): Promise<number> =>
  Number(/^petrosa_signals_total\{outcome="duplicate"\} (\d+)$/m.exec(await world.engine.metrics.registry.metrics())?.[1] ?? 0)

describe("taking up what is open from the store", () => {
  it("given a resting entry that fills while nobody is there, when the process starts and no message comes, then the fill gets its stop", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    world.kill()
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000", tell: false })
    await world.start()
    await world.until("it is covered", () => world.venue.resting.includes("S01 0.004"), 3000)
    expect(world.live(order).context.unprotectedSinceMs).toBeNull()
    const adopted = (await world.events(order)).filter(({ type }) => type === "OrderAdopted")
    expect(adopted.map(({ data }) => data)).toMatchObject([{ cause: "restart", delivery: 0 }])
  })

  it("given a lot whose stop is gone, when the process starts and no message comes, then another stop is placed", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.kill()
    await world.venue.cancel("BTCUSDT", "futures", world.venue.idOf("S01") as never)
    await world.start()
    await world.until("another stop is live", () => world.legs(order).includes("S02 live 0.01"), 3000)
  })

  it("given an order that is taken up, when its own message comes, then it is no duplicate, and is acknowledged when the order is settled", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.kill()
    await world.start()
    expect(world.engine.desk.orders.has(order)).toBe(true)
    const again = world.intake.again(message)
    world.intake.deliver(again)
    await world.pass(100)
    expect(await duplicates(world)).toBe(0)
    expect(world.intake.answerTo(again)).toBeUndefined()
    expect((await world.types(order)).filter((type) => type === "OrderAdopted")).toHaveLength(1)
    world.venue.fill(world.venue.idOf("E01"), "0.01", { price: "49000" })
    await world.until("its message is acknowledged", () => world.intake.answerTo(again) === "ack")
    // A copy of its signal is one.
    world.intake.deliver(world.intake.again(message))
    await world.until("it is counted", async () => (await duplicates(world)) === 1)
  })

  it("given an intent without a request (the process died in between), when the next one starts, then the entry is asked for and not sent", async () => {
    const world = await World.start()
    world.venue.onReply = () => new Promise(() => {})
    world.send(world.signal())
    await world.until("the entry has left", () => world.venue.sent("place entry").length === 1)
    const [order] = world.held.map((one) => one.order)
    world.kill()
    await world.start()
    await world.until("the entry is found", () => world.engine.desk.orders.get(order as OrderId)?.context.entry?.status === "live")
    await world.pass(3000)
    expect(world.venue.sent("place entry")).toHaveLength(1)
  })

  it("given hundreds of resting entries of which one filled while nobody was there, then that one is looked at among the first", async () => {
    const wide = { decision: { ...DEFAULT_DECISION_SETTINGS, maxOpenPositions: 1000 } }
    const world = await World.start(wide)
    const count = 300
    for (let n = 0; n < count; n++) world.send(world.signal({ order_type: "limit", price: 49_000, strategy_id: `bot ${n}` }))
    await world.until(
      "all of them rest",
      () => world.held.filter(({ context }) => context.entry?.status === "live").length === count,
      60_000,
    )
    // The last in the store's turn: the newest.
    const filled = world.held.at(-1)
    const entry = filled?.context.entry
    if (filled === undefined || entry === null || entry === undefined) throw new Error("nothing rests")
    world.kill()
    world.venue.fill(entry.clientOrderId, "0.004", { price: "49000", tell: false })
    const asked = new Set<string>()
    world.venue.onQuestion = (what, clientOrderId) => {
      if (what !== "query") return undefined
      asked.add(clientOrderId.slice(6, 26))
      return undefined
    }
    await world.start(wide)
    await world.until("it is covered", () => world.venue.resting.some((line) => line.startsWith("S01")), 10_000)
    expect([...asked].indexOf(filled.order)).toBeLessThan(130)
  })

  it("given an order whose taking up throws, then the others are taken up, what is filled first, and it is told", async () => {
    const world = await World.start()
    const { order: resting } = await world.resting()
    const { order: bad } = await world.covered({ strategy_id: "second" })
    const { order: good } = await world.covered({ strategy_id: "third" })
    const inTurn: string[] = []
    const receiver = {
      takeUp: (order: OrderId) => {
        inTurn.push(order)
        if (order === bad) throw new RangeError("a defect of ours")
        return true
      },
    }
    expect(await takeUpFromStore(world.engine.desk, receiver)).toMatchObject({ taken: 2 })
    expect(inTurn).toEqual([bad, good, resting])
    expect(world.alarms.some((alarm) => alarm.includes("could not be taken up") && alarm.includes(bad))).toBe(true)
  })

  it("given a lot that is parked, when the process starts, then it is not taken up, and holds its slot all the same", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    const { order: other } = await world.covered({ strategy_id: "second" })
    world.tell(order, { type: "OrderParked", data: { code: "STEP_FAILED", detail: "by the test" } })
    await world.pass(100)
    world.kill()
    await world.start()
    expect(world.engine.desk.orders.has(order)).toBe(false)
    expect(world.engine.desk.orders.has(other)).toBe(true)
    expect(world.engine.desk.book.get(order)).toMatchObject({ state: "open", quantity: "0.01" })
    expect(world.engine.desk.book.size).toBe(2)
  })

  it("given several processes, then nothing is taken up without its message", async () => {
    const world = await World.start({ alone: false })
    const { order } = await world.covered()
    world.kill()
    await world.start({ alone: false })
    await world.pass(500)
    expect(world.engine.desk.orders.has(order)).toBe(false)
  })
})
