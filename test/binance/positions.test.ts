/**
 * A position that somebody else closes: the exchange (liquidation, auto-deleveraging), or a person by hand. What may not be:
 * that legs of ours live on for a position that is not there, that closing it is tried again and again, or that a lot whose
 * position is there loses its stop.
 */
import type { EventRecord, OrderId } from "@petrosa/contracts"
import { dec } from "@petrosa/contracts"
import { describe, expect, it, vi } from "vitest"
import { TIME_FACTOR, until } from "../support/until.ts"
import { LocalWorld, SYMBOL } from "./support.ts"

vi.setConfig({ testTimeout: 60_000 * TIME_FACTOR })

const BRACKET = { stop_loss: 49000, take_profit: 52000 }
const FUTURES = { market: "futures", absenceProofMs: 4_000 } as const

/** So much of the position is sold by hand, by an order that is none of ours. */
const sellByHand = (world: LocalWorld, quantity: string): void => {
  const { exchange } = world.sandbox.world
  exchange.open(
    exchange.create({
      account: "main",
      market: "futures",
      symbol: SYMBOL,
      clientId: "web_0123456789",
      side: "SELL",
      type: "MARKET",
      quantity: dec(quantity),
      positionSide: "BOTH",
      reduceOnly: true,
    }),
  )
}
const covered = async (world: LocalWorld): Promise<OrderId> => {
  const order = await world.send(BRACKET)
  await world.untilCovered(order)
  await world.settled(order)
  return order
}
const last = async (world: LocalWorld, order: OrderId, type: string): Promise<Readonly<Record<string, unknown>> | undefined> =>
  (await world.events(order)).findLast((event: EventRecord) => event.type === type)?.data as Readonly<Record<string, unknown>> | undefined
/** It is over, and a human is called. */
const parked = async (world: LocalWorld, order: OrderId): Promise<void> => {
  await world.untilEvent(order, "OrderParked")
  expect(await last(world, order, "OrderParked")).toMatchObject({ code: "POSITION_MISSING" })
  expect(world.liveLegs(order)).toEqual([])
  expect(await world.store.findOrder(order)).toMatchObject({ done: true, parked: true, open_quantity: "0" })
  expect(await world.complaints(order)).toEqual([])
}
const flattens = async (world: LocalWorld, order: OrderId): Promise<number> =>
  (await world.events(order)).filter(({ type, data }) => type === "LegRefused" && (data as { leg?: string }).leg === "flatten").length

describe("a position that somebody else closes", () => {
  it("given a covered lot, when the exchange liquidates it, then it is recorded with its price, the legs go, and a human is called", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    world.sandbox.liquidate("main", SYMBOL)
    await parked(world, order)
    expect(world.held).toBe("0")
    expect(await last(world, order, "PositionMissing")).toMatchObject({
      quantity: "0.01",
      asset: "BTC",
      exit: { quote: expect.any(String), feesQuote: expect.any(String) },
      evidence: { venuePosition: "0", lots: "0.01", trades: expect.stringMatching(/autoclose-/) },
    })
    expect(await last(world, order, "LotClosed")).toMatchObject({ quantity: "0.01", closedBy: "venue" })
    expect(Number((await last(world, order, "LotClosed"))?.["exitPrice"])).toBeCloseTo(50000, -3)
    expect(await flattens(world, order)).toBe(0)
  })

  it("given nobody heard of it, when the stop's price comes, then refusals are a question to the venue, not an endless retry", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    world.sandbox.addFaults({ kind: "dropEvent" })
    world.sandbox.liquidate("main", SYMBOL)
    world.setPrice("48900")
    await parked(world, order)
    expect(await last(world, order, "LotClosed")).toMatchObject({ quantity: "0", missing: "0.01" })
    expect(await last(world, order, "PositionMissing")).toMatchObject({ evidence: { reduceOnlyRefused: expect.any(String) } })
    expect(await flattens(world, order)).toBeLessThan(12)
  })

  it("given nobody heard of it, when the stream was cut, then the positions are compared", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    world.sandbox.addFaults({ kind: "dropEvent" })
    world.sandbox.liquidate("main", SYMBOL)
    world.sandbox.disturb("futures", "cut")
    await parked(world, order)
  })

  it("given two lots, when a part of the position is closed by hand, then the newest lot is short of it, and keeps a stop for the rest", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const older = await covered(world)
    const newer = await covered(world)
    sellByHand(world, "0.004")
    await world.untilEvent(newer, "PositionMissing")
    expect(await last(world, newer, "PositionMissing")).toMatchObject({ quantity: "0.004" })
    await until(() => world.liveLegs(newer).join() === "S02,T02", { what: "legs of what is left", seen: () => world.liveLegs(newer) })
    const stops = world.sandbox.ledger().algoOrders.filter(({ clientAlgoId, status }) => clientAlgoId.includes("S0") && status === "NEW")
    expect(stops.map(({ quantity }) => Number(quantity)).sort()).toEqual([0.006, 0.01])
    expect(await world.types(older)).not.toContain("PositionMissing")
    world.setPrice("52100")
    await world.untilClosed(older)
    await parked(world, newer)
    expect(world.held).toBe("0")
  })

  it("given two lots, when one is closed by hand, then the newest ends, and the other keeps its bracket", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const older = await covered(world)
    const newer = await covered(world)
    sellByHand(world, "0.01")
    await parked(world, newer)
    expect(world.liveLegs(older)).toEqual(["S01", "T01"])
    expect(await world.types(older)).not.toContain("PositionMissing")
  })

  it("given a venue that does not say what is held, then nothing is guessed: the legs stay until it does", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    world.sandbox.addFaults({ kind: "http", status: 503, body: "busy", executed: false, match: { market: "futures", op: "positions" } })
    world.sandbox.liquidate("main", SYMBOL)
    await new Promise((resolve) => setTimeout(resolve, 8_000))
    expect(await world.types(order)).not.toContain("PositionMissing")
    expect(world.liveLegs(order)).toEqual(["S01", "T01"])
    world.sandbox.clearFaults()
    await parked(world, order)
  })

  it("given lots whose positions are there, when foreign fills are heard and the stream is cut, then nothing happens to them", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    const { exchange } = world.sandbox.world
    exchange.open(
      exchange.create({
        account: "main",
        market: "futures",
        symbol: SYMBOL,
        clientId: "web_1",
        side: "BUY",
        type: "MARKET",
        quantity: dec("0.02"),
        positionSide: "BOTH",
      }),
    )
    world.sandbox.disturb("futures", "cut")
    await new Promise((resolve) => setTimeout(resolve, 8_000))
    expect(await world.types(order)).not.toContain("PositionMissing")
    expect(world.liveLegs(order)).toEqual(["S01", "T01"])
  })

  it("given a stop of ours that traded while no event came, then it is heard of by asking, and is no riddle", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    world.sandbox.addFaults({ kind: "dropEvent" })
    world.sandbox.disturb("futures", "cut")
    world.setPrice("48900")
    await world.untilClosed(order)
    expect(await last(world, order, "LotClosed")).toMatchObject({ quantity: "0.01", closedBy: "stop" })
    expect(await world.types(order)).not.toContain("PositionMissing")
    expect(await world.complaints(order)).toEqual([])
  })

  it("given a stop of ours that traded, and a venue that answers for positions but not for orders, then its trade is waited for, not guessed away", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    const silent = ["algo.query", "algo.open", "order.query", "order.open", "trades"].map(
      (op) => ({ kind: "http", status: 503, body: "busy", executed: false, match: { market: "futures", op } }) as const,
    )
    world.sandbox.addFaults({ kind: "dropEvent" }, ...silent)
    world.sandbox.disturb("futures", "cut")
    world.setPrice("48900")
    // Twice the time of proof.
    await new Promise((resolve) => setTimeout(resolve, 8_000))
    expect(world.held).toBe("0")
    expect(await world.types(order)).not.toContain("PositionMissing")
    world.sandbox.clearFaults()
    await world.untilClosed(order)
    expect(await last(world, order, "LotClosed")).toMatchObject({ quantity: "0.01", closedBy: "stop" })
    expect(await world.types(order)).not.toContain("PositionMissing")
  })

  it("given a long and a short side by side (hedge mode), when the long is liquidated, then only the long is missing", async () => {
    await using world = await LocalWorld.start({ ...FUTURES, hedge: true })
    const long = await covered(world)
    const short = await world.send({ action: "sell", stop_loss: 51000, take_profit: 48000 })
    await world.untilCovered(short)
    world.sandbox.liquidate("main", SYMBOL, "LONG")
    await parked(world, long)
    expect(world.liveLegs(short)).toEqual(["S01", "T01"])
    expect(await world.types(short)).not.toContain("PositionMissing")
  })

  it("given a liquidation while the process was down, when another takes the lot up, then it finds out", async () => {
    await using world = await LocalWorld.start(FUTURES)
    const order = await covered(world)
    world.kill()
    world.sandbox.liquidate("main", SYMBOL)
    await world.begin()
    await parked(world, order)
  })
})
