/** The same spot orders on the local Binance and on the paper venue with order lists: both lead to the same. */
import type { OrderId } from "@petrosa/contracts"
import { rebuild } from "@petrosa/lifecycle"
import { describe, expect, test } from "vitest"
import { SpotWorld } from "./spotWorld.ts"

const limit = { order_type: "limit", price: 49500, stop_loss: 48500, take_profit: 51000 } as const

const endsFlat = async (world: SpotWorld, order: OrderId): Promise<void> => {
  await world.untilEvent(order, "LotClosed")
  await world.until("nothing is open at the exchange", () => world.open().length === 0)
  await world.until("its last leg is proven gone", async () => {
    const built = rebuild(order, await world.events(order))
    return built._tag === "Rebuilt" && built.actor.context.legs.every(({ status }) => status === "over")
  })
  expect(await world.held()).toBe(0)
  expect(await world.explains(order)).toEqual([])
}

describe.each(["sandbox", "paper"] as const)("on the %s", { timeout: 60_000 }, (on) => {
  const start = (partialGraceMs = 400): Promise<SpotWorld> =>
    SpotWorld.start({ on, commission: "quote", baseFeeRate: "0", decision: { partialGraceMs } })
  const resting = async (world: SpotWorld): Promise<OrderId> => {
    const order = await world.send(limit)
    await world.untilEvent(order, "EntryAccepted")
    return order
  }

  test.each([
    ["target", "52000", ["E01 FILLED 0.01", "T01 FILLED 0.01", "S01 EXPIRED 0.01"]],
    ["stop", "48900", ["E01 FILLED 0.01", "T01 EXPIRED 0.01", "S01 FILLED 0.01"]],
  ] as const)("given a market entry under its list, when the %s is hit, then the other leg expires", async (leg, price, orders) => {
    const world = await start()
    const order = await world.send()
    await world.untilState(order, "filled")
    expect(world.open()).toEqual(["T01 NEW 0.01", "S01 NEW 0.01"])
    await world.setPrice(price)
    await endsFlat(world, order)
    expect(world.atVenue()).toEqual(orders)
    expect((await world.events(order)).find(({ type }) => type === "LotClosed")?.data).toMatchObject({ closedBy: leg })
  })

  test("given a close, then the list is gone before what is held is sold", async () => {
    const world = await start()
    const order = await world.send()
    await world.untilState(order, "filled")
    await world.send({ action: "close" })
    await endsFlat(world, order)
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 CANCELED 0.01", "S01 CANCELED 0.01", "X01 FILLED 0.01"])
  })

  test("given a limit entry that rests with its bracket, when it fills, then it is covered at once", async () => {
    const world = await start()
    const order = await resting(world)
    expect(await world.protection(order)).toBe("armed")
    await world.setPrice("49400")
    await world.untilState(order, "filled")
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 NEW 0.01", "S01 NEW 0.01"])
    await world.setPrice("51000")
    await endsFlat(world, order)
  })

  test("given that it fills, and its stop is hit, while no process runs, then the next one finds the lot closed", async () => {
    const world = await start()
    const order = await resting(world)
    world.kill()
    await world.setPrice("49400")
    await world.setPrice("48400")
    await world.adopt(order)
    await endsFlat(world, order)
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 EXPIRED 0.01", "S01 FILLED 0.01"])
  })

  test("given a fill in part, then after the grace the rest is cancelled, and what is held has a list of its own", async () => {
    const world = await start()
    const order = await resting(world)
    await world.halfOfEntry("49500")
    await world.untilEvent(order, "EntryPartlyFilled")
    await world.untilState(order, "filled")
    expect(world.atVenue()).toEqual(["E01 CANCELED 0.01", "T01 CANCELED 0.01", "S01 CANCELED 0.01", "T02 NEW 0.005", "S02 NEW 0.005"])
    await world.setPrice("48400")
    await endsFlat(world, order)
  })

  test("given a close while it rests, then entry and bracket are gone, and nothing was bought", async () => {
    const world = await start()
    const order = await resting(world)
    await world.send({ action: "close" })
    await world.untilState(order, "failed")
    expect(world.atVenue()).toEqual(["E01 CANCELED 0.01", "T01 CANCELED 0.01", "S01 CANCELED 0.01"])
    expect(await world.explains(order)).toEqual([])
  })
})
