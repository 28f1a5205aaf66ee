/**
 * Spot brackets end to end: engine, spot adapter and local Binance, over HTTP and WebSocket. Each order ends with our fills
 * equal to the exchange's, nothing left open there, and events that explain themselves.
 */
import type { OrderId } from "@petrosa/contracts"
import { rebuild } from "@petrosa/lifecycle"
import { eventually } from "@petrosa/venue/testing"
import { describe, expect, test } from "vitest"
import { SpotWorld } from "./spotWorld.ts"

/** The lot is closed, nothing of it is open or held at the exchange beyond what nobody can sell, and the events say so. */
const endsFlat = async (world: SpotWorld, order: OrderId): Promise<void> => {
  await world.untilEvent(order, "LotClosed")
  await world.until("nothing is open at the exchange", () => world.open().length === 0)
  await world.until("its last leg is proven gone", async () => {
    const built = rebuild(order, await world.events(order))
    return built._tag === "Rebuilt" && built.actor.context.legs.every(({ status }) => status === "over")
  })
  expect(await world.held()).toBeLessThan(0.00002)
  expect((await world.types(order)).filter((type) => type === "LotClosed")).toHaveLength(1)
  expect(await world.explains(order)).toEqual([])
}

const covered = async (world: SpotWorld, order: OrderId): Promise<void> => {
  await world.until(`${order} is covered`, async () => (await world.protection(order)) === "covered")
}

describe("a market entry", { timeout: 60_000 }, () => {
  test("given that it fills, then one list covers what is left after the commission; the target is hit: the stop expires, the lot closes once", async () => {
    const world = await SpotWorld.start()
    const order = await world.send()
    await world.untilState(order, "filled")
    expect(world.open()).toEqual(["T01 NEW 0.00999", "S01 NEW 0.00999"])
    const list = world.sandbox.ledger().orders.filter(({ clientId }) => clientId.endsWith("01") && !clientId.endsWith("E01"))
    expect(new Set(list.map(({ listId }) => listId)).size).toBe(1)
    await world.setPrice("52000")
    await endsFlat(world, order)
    const types = await world.types(order)
    expect(types.slice(0, 6)).toEqual(["SignalReceived", "SignalValidated", "OrderSized", "EntryIntended", "EntryAccepted", "EntryFilled"])
    // Which leg of a list is told first, and which end of it, is the exchange's business.
    expect(types.slice(6, 8).sort()).toEqual(["StopAccepted", "TargetAccepted"])
    expect(types.slice(8).sort()).toEqual(["ExitFilled", "LotClosed", "OrderCompleted", "SiblingCancelled"])
    const last = (await world.events(order)).at(-1)
    expect(last).toMatchObject({ state: "filled", status: "filled", open_quantity: "0" })
    expect((await world.events(order)).find(({ type }) => type === "LotClosed")?.data).toMatchObject({ closedBy: "target" })
  })

  test("given a stop that is hit, then it sells, and the target is gone by itself", async () => {
    const world = await SpotWorld.start()
    const order = await world.send()
    await world.untilState(order, "filled")
    await world.setPrice("48900")
    await endsFlat(world, order)
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 EXPIRED 0.00999", "S01 FILLED 0.00999"])
    expect((await world.events(order)).find(({ type }) => type === "LotClosed")?.data).toMatchObject({ closedBy: "stop" })
  })

  test("given a close, then the list is cancelled and proven gone before anything is sold, and what is sold is the lot's own", async () => {
    const world = await SpotWorld.start()
    const order = await world.send()
    await world.untilState(order, "filled")
    await world.send({ action: "close" })
    await endsFlat(world, order)
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 CANCELED 0.00999", "S01 CANCELED 0.00999", "X01 FILLED 0.00999"])
    const types = await world.types(order)
    expect(types.indexOf("FlattenAccepted")).toBeGreaterThan(types.lastIndexOf("LegEnded"))
  })

  test("given a close whose sale is refused, then the list is put back, and the sale is tried again", async () => {
    const world = await SpotWorld.start()
    const order = await world.send()
    await world.untilState(order, "filled")
    world.sandbox.addFaults({
      kind: "refuse",
      code: -2010,
      msg: "Market is closed.",
      count: 1,
      match: { op: "order.place", type: "MARKET" },
    })
    await world.send({ action: "close" })
    await endsFlat(world, order)
    expect(world.atVenue().map((line) => line.replace(/ [\d.]+$/, ""))).toEqual([
      "E01 FILLED",
      "T01 CANCELED",
      "S01 CANCELED",
      "T02 CANCELED",
      "S02 CANCELED",
      "X02 FILLED",
    ])
  })

  test("given a lost reply of the list, then it is found by its legs, and there is one", async () => {
    const world = await SpotWorld.start()
    await world.loseList()
    const order = await world.send()
    await covered(world, order)
    expect(await world.types(order)).toContain("LegUnknown")
    expect(world.open()).toEqual(["T01 NEW 0.00999", "S01 NEW 0.00999"])
    await world.setPrice("52000")
    await endsFlat(world, order)
  })

  test("given a list that never arrives, then it is sent again under the next ids", async () => {
    const world = await SpotWorld.start()
    await world.fixture.faults.dropRequest("list")
    const order = await world.send()
    await covered(world, order)
    expect(await world.types(order)).toContain("LegNotPlaced")
    expect(world.open()).toEqual(["T02 NEW 0.00999", "S02 NEW 0.00999"])
    await world.setPrice("48900")
    await endsFlat(world, order)
  })

  test("given a list that is refused for good, then a stop by itself covers the lot", async () => {
    const world = await SpotWorld.start()
    world.sandbox.addFaults({ kind: "refuse", code: -1013, msg: "Filter failure: MAX_NUM_ORDER_LISTS", match: { op: "list.place" } })
    const order = await world.send()
    await world.untilState(order, "filled")
    expect(world.open()).toEqual(["S02 NEW 0.00999"])
    await world.setPrice("48900")
    await endsFlat(world, order)
  })

  test("given a market that is through the stop when the list goes, then the lot is sold at once", async () => {
    const world = await SpotWorld.start()
    world.sandbox.addFaults({ kind: "slow", beforeMs: 300, count: 1, match: { op: "list.place" } })
    const order = await world.send()
    await world.untilEvent(order, "EntryFilled")
    await world.setPrice("48900")
    await endsFlat(world, order)
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "X01 FILLED 0.00999"])
    await world.untilState(order, "failed")
  })

  test("given a target that trades in part, then the rest has a list of its own after the grace, and never more is sold than is held", async () => {
    const world = await SpotWorld.start({ decision: { partialGraceMs: 300 } })
    const order = await world.send()
    await world.untilState(order, "filled")
    world.fill("T01", "0.004")
    await world.untilEvent(order, "StopAccepted", 2)
    await world.until("a new list", () => world.open().length === 2)
    expect(world.open()).toEqual(["T02 NEW 0.00599", "S02 NEW 0.00599"])
    await world.setPrice("48900")
    await endsFlat(world, order)
  })

  test.each(["venue.stop.before", "venue.stop.after", "venue.entry.after"] as const)(
    "given a crash at %s, then the next process asks first, and one list covers the lot",
    async (point) => {
      const world = await SpotWorld.start()
      let order = "" as OrderId
      await world.diesAt(point, async () => {
        order = await world.send()
      })
      await world.adopt(order)
      await covered(world, order)
      expect(world.open()).toHaveLength(2)
      expect(world.atVenue().filter((line) => line.startsWith("E"))).toEqual(["E01 FILLED 0.01"])
      await world.setPrice("52000")
      await endsFlat(world, order)
    },
  )
})

describe("a limit entry", { timeout: 60_000 }, () => {
  const limit = { order_type: "limit", price: 49500, stop_loss: 48500, take_profit: 51000 } as const
  const resting = async (world: SpotWorld, change: Readonly<Record<string, unknown>> = {}): Promise<OrderId> => {
    const order = await world.send({ ...limit, ...change })
    await world.untilEvent(order, "EntryAccepted")
    return order
  }

  test("given that it rests, then its bracket waits with it (armed), and is in force when all of it is filled", async () => {
    const world = await SpotWorld.start()
    const order = await resting(world)
    expect(await world.protection(order)).toBe("armed")
    expect(world.open()).toEqual(["E01 NEW 0.01", "T01 PENDING_NEW 0.00999", "S01 PENDING_NEW 0.00999"])
    await world.setPrice("49400")
    await world.untilState(order, "filled")
    expect(await world.protection(order)).toBe("covered")
    expect(world.open()).toEqual(["T01 NEW 0.00999", "S01 NEW 0.00999"])
    await world.setPrice("51000")
    await endsFlat(world, order)
  })

  test("given that it fills while no process runs, then it was under its stop all the time, and the next process knows", async () => {
    const world = await SpotWorld.start()
    const order = await resting(world)
    world.kill()
    await world.setPrice("49400")
    expect(world.open()).toEqual(["T01 NEW 0.00999", "S01 NEW 0.00999"])
    await world.adopt(order)
    await covered(world, order)
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 NEW 0.00999", "S01 NEW 0.00999"])
    await world.setPrice("48400")
    await endsFlat(world, order)
  })

  test("given that it fills and its stop is hit while no process runs, then the next process finds the lot closed", async () => {
    const world = await SpotWorld.start()
    const order = await resting(world)
    world.kill()
    await world.setPrice("49400")
    await world.setPrice("48400")
    await world.adopt(order)
    await endsFlat(world, order)
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 EXPIRED 0.00999", "S01 FILLED 0.00999"])
    expect((await world.events(order)).at(-1)?.state).toBe("filled")
  })

  test("given a fill in part, then after the grace the rest is cancelled, and what is held has its own list; another part does not begin the grace anew", async () => {
    const world = await SpotWorld.start({ decision: { partialGraceMs: 600 } })
    const order = await resting(world)
    world.fill("E01", "0.004")
    await world.untilEvent(order, "EntryPartlyFilled")
    expect(await world.protection(order)).toBe("armed")
    const partAtMs = Date.parse((await world.events(order)).find(({ type }) => type === "EntryPartlyFilled")?.at ?? "")
    await new Promise((resolve) => setTimeout(resolve, 350))
    world.fill("E01", "0.002")
    await world.untilState(order, "filled")
    expect(world.open()).toEqual(["T02 NEW 0.00599", "S02 NEW 0.00599"])
    const deadline = (await world.events(order)).find(({ type }) => type === "DeadlinePassed")
    expect(deadline?.data).toMatchObject({ deadline: "partial" })
    expect(Date.parse(deadline?.at ?? "") - partAtMs).toBeLessThan(900)
    await world.setPrice("48400")
    await endsFlat(world, order)
  })

  test("given a fill in part, when the rest is filled within the grace, then the bracket that waited is in force", async () => {
    const world = await SpotWorld.start()
    const order = await resting(world)
    world.fill("E01", "0.004")
    await world.untilEvent(order, "EntryPartlyFilled")
    world.fill("E01")
    await world.untilState(order, "filled")
    expect(world.open()).toEqual(["T01 NEW 0.00999", "S01 NEW 0.00999"])
    expect(await world.types(order)).not.toContain("EntryCancelRequested")
    await world.setPrice("51000")
    await endsFlat(world, order)
  })

  test("given a close while it rests, then it is cancelled with its bracket, and nothing was bought", async () => {
    const world = await SpotWorld.start()
    const order = await resting(world)
    await world.send({ action: "close" })
    await world.untilState(order, "failed")
    await world.until("nothing is open", () => world.open().length === 0)
    expect(world.atVenue()).toEqual(["E01 CANCELED 0.01", "T01 CANCELED 0.00999", "S01 CANCELED 0.00999"])
    expect(await world.explains(order)).toEqual([])
  })

  test("given a close while a part is filled, then the rest is cancelled, and the part is sold", async () => {
    const world = await SpotWorld.start()
    const order = await resting(world)
    world.fill("E01", "0.004")
    await world.untilEvent(order, "EntryPartlyFilled")
    await world.send({ action: "close" })
    await endsFlat(world, order)
    expect(world.atVenue().at(-1)).toBe("X01 FILLED 0.00399")
  })

  test("given that the list is refused, then the entry goes by itself under another id, and its bracket follows the fill", async () => {
    const world = await SpotWorld.start()
    const refuse = {
      kind: "refuse",
      code: -1013,
      msg: "Filter failure: MAX_NUM_ORDER_LISTS",
      count: 1,
      match: { op: "list.place" },
    } as const
    world.sandbox.addFaults(refuse)
    const order = await resting(world)
    expect(await world.types(order)).toContain("EntryListRefused")
    expect(world.open()).toEqual(["E02 NEW 0.01"])
    await world.setPrice("49400")
    await world.untilState(order, "filled")
    expect(world.open()).toEqual(["T02 NEW 0.00999", "S02 NEW 0.00999"])
    await world.setPrice("51000")
    await endsFlat(world, order)
  })

  test("given an entry that is refused for what is its own, then it ends refused, and was sent by itself once", async () => {
    const world = await SpotWorld.start()
    const refuse = { kind: "refuse", code: -1013, msg: "Filter failure: PERCENT_PRICE_BY_SIDE" } as const
    world.sandbox.addFaults({ ...refuse, match: { op: "list.place" } }, { ...refuse, match: { op: "order.place" } })
    const order = await world.send(limit)
    await world.untilState(order, "failed")
    expect(world.atVenue()).toEqual([])
    expect((await world.events(order)).at(-1)).toMatchObject({ reason: "ENTRY_REFUSED" })
    expect(await world.explains(order)).toEqual([])
  })

  test("given a lost reply of the list, then the entry is found, and is not sent again", async () => {
    const world = await SpotWorld.start()
    await world.loseList()
    const order = await resting(world)
    expect(await world.types(order)).toContain("EntryUnknown")
    expect(world.atVenue()).toHaveLength(3)
    expect(await world.protection(order)).toBe("armed")
    await world.setPrice("49400")
    await world.untilState(order, "filled")
    await world.setPrice("48400")
    await endsFlat(world, order)
  })

  test("given a bracket that is refused when it is to be armed (it is for more than the commission left), then we place one", async () => {
    const world = await SpotWorld.start({ baseFeeRate: "0" })
    const order = await resting(world)
    expect(world.open()).toContain("S01 PENDING_NEW 0.01")
    await world.setPrice("49400")
    await world.untilState(order, "filled")
    expect(world.atVenue()).toEqual(["E01 FILLED 0.01", "T01 EXPIRED 0.01", "S01 EXPIRED 0.01", "T02 NEW 0.00999", "S02 NEW 0.00999"])
    await world.setPrice("51000")
    await endsFlat(world, order)
  })

  test("given that the commission is not taken from what is bought, then the bracket stays as it is, and what it left over is dust at the end", async () => {
    const world = await SpotWorld.start({ commission: "quote" })
    const order = await resting(world)
    await world.setPrice("49400")
    await world.untilState(order, "filled")
    expect(world.open()).toEqual(["T01 NEW 0.00999", "S01 NEW 0.00999"])
    await world.setPrice("51000")
    await world.untilEvent(order, "LotClosed")
    expect(await world.types(order)).toContain("DustLeft")
    expect(world.atVenue()).toHaveLength(3)
    expect(await world.explains(order)).toEqual([])
  })

  test.each(["venue.entry.before", "venue.entry.after", "venue.query.after", "venue.cancel.after"] as const)(
    "given a crash at %s, then there is one entry at most, and what it bought is covered or sold",
    async (point) => {
      const world = await SpotWorld.start({ decision: { partialGraceMs: 200 } })
      let order = "" as OrderId
      await world.diesAt(point, async () => {
        order = await world.send(limit)
        if (point === "venue.entry.before" || point === "venue.entry.after") return
        await world.untilEvent(order, "EntryAccepted")
        if (point === "venue.cancel.after") world.fill("E01", "0.004")
        else await world.setPrice("49400")
      })
      await world.adopt(order)
      if (world.atVenue().length === 0) {
        // Whether it left cannot be known before the time of proof: it is a question, and exposure, until then.
        await world.untilEvent(order, "EntryUnknown")
        return
      }
      if (point === "venue.entry.after") await world.setPrice("49400")
      await covered(world, order)
      expect(world.atVenue().filter((line) => line.startsWith("E"))).toHaveLength(1)
      await world.setPrice("48400")
      await endsFlat(world, order)
    },
  )
})

test("given many lots of one symbol side by side, when they end in every way, then what is sold of each is its own", {
  timeout: 60_000,
}, async () => {
  const world = await SpotWorld.start()
  const orders: OrderId[] = []
  for (let n = 0; n < 4; n++) orders.push(await world.send({ strategy_id: `strategy ${n}`, quantity: 0.01 + n * 0.002 }))
  for (const order of orders) await world.untilState(order, "filled")
  expect(world.open()).toHaveLength(8)
  await world.send({ strategy_id: "strategy 1", action: "close" })
  const [, second] = orders
  if (second === undefined) throw new Error("four orders were sent")
  await world.untilEvent(second, "LotClosed")
  expect(world.open()).toHaveLength(6)
  await world.setPrice("48900")
  for (const order of orders) await world.untilEvent(order, "LotClosed")
  await eventually("nothing is open", () => world.open().length === 0, 15_000)
  expect(await world.held()).toBeLessThan(0.0001)
  for (const order of orders) expect(await world.explains(order)).toEqual([])
})
