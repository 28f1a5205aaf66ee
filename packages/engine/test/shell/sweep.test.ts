/** Orders whose message is gone are asked for through the stream; whoever is free takes them up, and nobody else is disturbed. */
import { describe, expect, it } from "vitest"
import type { OrderId } from "@petrosa/contracts"
import type { IntakeMessage } from "@petrosa/intake"
import { DEFAULT_DECISION_SETTINGS } from "@petrosa/lifecycle"
import { Sweeper } from "../../src/sweep.ts"
import { World } from "./world.ts"

/** Longer than an order may be on its way from its message to an owner, and than one sweep waits for the next. */
const A_SWEEP_MS = 31_000
const OLD_MS = 16_000
/** More than one sweep looks at. */
const MANY = 230

/** Several processes may be at work: nothing is taken up without a message. */
const OPTIONS = { alone: false, decision: { ...DEFAULT_DECISION_SETTINGS, maxOpenPositions: 1000 } }
const restart = async (world: World): Promise<void> => {
  world.kill()
  await world.start(OPTIONS)
}
const create = async (): Promise<World> => {
  const world = await World.start(OPTIONS)
  world.intake.keepsStreams = true
  return world
}
const sweep = (world: World): Promise<number> => new Sweeper(world.engine.desk).sweep()
const requests = (world: World, order: OrderId): readonly string[] =>
  world.intake.resumes.filter((one) => one.order === order).map(({ body }) => (JSON.parse(body) as { readonly request: string }).request)

describe("the sweep", () => {
  it("given a resting order whose message is gone, when half a minute is over, then it is asked for, taken up, and its fill gets its stop", async () => {
    const world = await create()
    const { message, order } = await world.resting()
    world.intake.gone.add(message.sequence)
    await restart(world)
    await world.until("it is taken up", () => world.engine.desk.orders.has(order), A_SWEEP_MS)
    expect(requests(world, order)).toEqual(["sweep"])
    await world.until("it is adopted", async () => (await world.types(order)).includes("OrderAdopted"))
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("its fill is covered", () => world.venue.resting.includes("S01 0.004"), 3000)
  })

  it("given one whose message is there, or that nobody can tell of, or that is parked, or held, then it is not asked for", async () => {
    const world = await create()
    const { message, order } = await world.resting()
    await restart(world)
    await world.pass(OLD_MS)
    expect(await sweep(world)).toBe(0)
    world.intake.gone.add(message.sequence)
    world.intake.isSilent = true
    expect(await sweep(world)).toBe(0)
    world.intake.isSilent = false
    world.intake.deliver(world.intake.again(message))
    await world.until("it is held", () => world.engine.desk.orders.has(order))
    await world.pass(OLD_MS)
    expect(await sweep(world)).toBe(0)
    world.tell(order, { type: "OrderParked", data: { code: "OPERATOR", detail: "" } })
    await world.until("it is off the queue", () => !world.engine.desk.orders.has(order))
    await world.pass(OLD_MS)
    expect(await sweep(world)).toBe(0)
    expect(world.intake.resumes).toEqual([])
  })

  it("given one that just came, then it is left to whoever is about to take it up", async () => {
    const world = await create()
    const { message } = await world.resting()
    world.intake.gone.add(message.sequence)
    await restart(world)
    expect(await sweep(world)).toBe(0)
  })

  it("given a lot that has lost its message, and its stop, when it is swept, then it is taken up, and another stop is placed", async () => {
    const world = await create()
    const { order } = await world.covered()
    world.intake.purgeLots()
    await restart(world)
    await world.venue.cancel("BTCUSDT", "futures", world.venue.idOf("S01") as never)
    await world.pass(OLD_MS)
    expect(await sweep(world)).toBe(1)
    await world.until("another stop is live", () => world.legs(order).includes("S02 live 0.01"), 3000)
  })

  it(`given ${MANY} lots and ${MANY} resting orders that other processes hold, when it is swept a few times, then what is lost among them is found all the same`, async () => {
    const world = await create()
    const small = (change: object): object => world.signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 30, ...change })
    for (let n = 0; n < MANY; n++) {
      world.venue.fillsByItself.add("entry")
      world.send(small({ strategy_id: `lot ${n}` }))
      await world.pass(10)
    }
    await world.until("all are covered", () => world.held.filter(({ context }) => context.settled === "filled").length === MANY, 60_000)
    world.venue.fillsByItself.clear()
    const messages = new Map<OrderId, IntakeMessage>()
    for (let n = 0; n < MANY; n++) {
      const message = world.send(small({ strategy_id: `rests ${n}`, order_type: "limit", price: 0.49 }))
      await world.pass(10)
      const order = world.held.at(-1)?.order
      if (order !== undefined) messages.set(order, message)
    }
    expect(messages.size).toBe(MANY)
    // The one that comes last, whatever the order of their ids.
    const lost = [...messages.keys()].toSorted().at(-1) as OrderId
    world.intake.gone.add(messages.get(lost)?.sequence ?? 0)
    await restart(world)
    await world.pass(OLD_MS)
    const sweeper = new Sweeper(world.engine.desk)
    expect(await sweeper.sweep()).toBe(0)
    expect(await sweeper.sweep()).toBe(1)
    expect(world.intake.resumes.map(({ order }) => order)).toEqual([lost])
  })
})
