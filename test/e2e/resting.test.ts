/** Entries that rest: how they end, each with and without a partial fill, and what the trail says of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { NO_FAULTS } from "@petrosa/venue"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { type SignalBody, signal } from "../support/signals.ts"
import { until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start()
})
afterAll(() => world.close())
beforeEach(() => world.setFaults(NO_FAULTS))

/** A limit order 2 % below the market: it rests. */
const resting = (change: SignalBody = {}) =>
  signal({
    order_type: "limit",
    price: 2450,
    current_price: 2500,
    symbol: "ETHUSDT",
    quantity: 1,
    stop_loss: 2300,
    take_profit: 2700,
    ...change,
  })

const accepted = async (id: string): Promise<void> => void (await world.when(id, (row) => row.type === "EntryAccepted"))

/** Lets half of the entry trade: the price comes to it, the venue gives a part, and the rest is far away in time. */
const partly = async (id: string): Promise<void> => {
  await world.setFaults({ partialFills: { parts: 2, everyMs: 3_600_000 } })
  await world.setPrice("2449", "ETHUSDT")
  await world.setFaults({ partialFills: null })
  await until(async () => (await world.types(id)).includes("TargetAccepted"), {
    what: "the part to be protected",
    seen: () => world.types(id),
  })
}

const strip = (types: readonly string[]): readonly string[] =>
  types.filter((type) => type !== "SignalReceived" && type !== "SignalValidated" && type !== "OrderSized")

describe("given a limit order away from the market", () => {
  it("when its time is up, then it is cancelled, and failed for that reason", async () => {
    const body = resting({ conditional_timeout: 1 })
    world.publish(body)
    const row = await world.settled(body.signal_id)
    expect(row).toMatchObject({ state: "failed", reason: "ENTRY_TIMEOUT", status: "cancelled", done: true })
    expect(strip(await world.types(body.signal_id))).toEqual([
      "EntryIntended",
      "EntryAccepted",
      "DeadlinePassed",
      "EntryCancelRequested",
      "EntryEnded",
      "OrderFailed",
    ])
  })

  it("when its time is up after a part was filled, then the rest is cancelled, and the part stays under its stop", async () => {
    const body = resting({ conditional_timeout: 3 })
    world.publish(body)
    await accepted(body.signal_id)
    await partly(body.signal_id)
    const row = await world.settled(body.signal_id)
    expect(row).toMatchObject({ state: "filled", status: "cancelled", filled_quantity: 0.5, open_quantity: "0.5", done: false })
    expect(strip(await world.types(body.signal_id))).toEqual([
      "EntryIntended",
      "EntryAccepted",
      "EntryPartlyFilled",
      "StopAccepted",
      "TargetAccepted",
      "DeadlinePassed",
      "EntryCancelRequested",
      "EntryEnded",
      "OrderCompleted",
    ])
  })

  it("when DELETE /order asks for it, by any of its ids, then it is cancelled", async () => {
    for (const name of ["order", "signal_id", "binance_order_id"] as const) {
      const body = resting()
      const answer = await world.trade(body)
      expect(answer.status, answer.text).toBe(200)
      expect(answer.json.result).toMatchObject({ status: "pending", filled_quantity: 0 })
      const row = await world.row(body.signal_id)
      const reply = await world.http("DELETE", `/order/ETHUSDT/${row?.[name]}`)
      expect(reply.status, reply.text).toBe(200)
      expect(reply.json).toMatchObject({ result: { status: "cancelled", state: "failed", reason: "CANCELLED_BY_USER" } })
      const again = await world.http("DELETE", `/order/ETHUSDT/${row?.[name]}`)
      expect(again.status, again.text).toBe(409)
    }
    expect((await world.http("DELETE", "/order/ETHUSDT/nothing-of-that-name")).status).toBe(404)
  })

  it("when DELETE /order asks for it after a part was filled, then the part stays under its stop", async () => {
    const body = resting()
    world.publish(body)
    await accepted(body.signal_id)
    await partly(body.signal_id)
    const reply = await world.http("DELETE", `/order/ETHUSDT/${body.signal_id}`)
    expect(reply.status, reply.text).toBe(200)
    expect(reply.json.result).toMatchObject({ status: "cancelled", state: "filled", open_quantity: 0.5, filled_quantity: 0.5 })
    expect(strip(await world.types(body.signal_id)).slice(-3)).toEqual(["EntryCancelRequested", "EntryEnded", "OrderCompleted"])
  })

  it("when an opposite signal of its strategy comes, then it is cancelled, nothing is opened, and both trails say why", async () => {
    const body = resting()
    world.publish(body)
    await accepted(body.signal_id)
    const opposite = resting({ action: "sell", strategy_id: body.strategy_id, price: 2500, stop_loss: 2700, take_profit: 2300 })
    world.publish(opposite)
    const row = await world.settled(body.signal_id)
    expect(row).toMatchObject({ state: "failed", reason: "CANCELLED_BY_OPPOSITE", status: "cancelled", done: true })
    expect(await world.settled(opposite.signal_id)).toMatchObject({ state: "failed", reason: "ONLY_CANCELLED", done: true })
  })

  it("when an opposite signal comes after a part was filled, then the rest is cancelled, and the part is given back", async () => {
    const body = resting()
    world.publish(body)
    await accepted(body.signal_id)
    await partly(body.signal_id)
    const opposite = resting({
      action: "sell",
      strategy_id: body.strategy_id,
      price: 2455,
      current_price: 2455,
      stop_loss: 2700,
      take_profit: 2300,
    })
    world.publish(opposite)
    const row = await world.done(body.signal_id)
    expect(row).toMatchObject({ state: "filled", open_quantity: "0", filled_quantity: 0.5 })
    expect(await world.settled(opposite.signal_id)).toMatchObject({
      state: "filled",
      status: "filled",
      filled_quantity: 0.5,
      open_quantity: "0",
    })
    expect(await world.types(body.signal_id)).toEqual(
      expect.arrayContaining(["CloseRequested", "EntryCancelRequested", "EntryEnded", "ExitFilled", "SiblingCancelled", "LotClosed"]),
    )
  })

  it("when the price comes to it, then it fills at its limit and is protected", async () => {
    const body = resting()
    world.publish(body)
    await accepted(body.signal_id)
    await world.setPrice("2440", "ETHUSDT")
    expect(await world.settled(body.signal_id)).toMatchObject({ state: "filled", status: "filled", fill_price: 2450, open_quantity: "1" })
  })

  it("when it fills in four parts, then every part is covered, and it is filled once, as a whole", async () => {
    await world.setPrice("2500", "ETHUSDT")
    const body = resting()
    world.publish(body)
    await accepted(body.signal_id)
    await world.setFaults({ partialFills: { parts: 4, everyMs: 150 } })
    await world.setPrice("2445", "ETHUSDT")
    expect(await world.settled(body.signal_id)).toMatchObject({ state: "filled", status: "filled", filled_quantity: 1, open_quantity: "1" })
    const types = await world.types(body.signal_id)
    expect(types.filter((type) => type === "EntryPartlyFilled")).toHaveLength(3)
    expect(types.filter((type) => type === "EntryFilled")).toHaveLength(1)
    expect(types.filter((type) => type === "OrderCompleted")).toHaveLength(1)
  })

  it("and then nothing is wrong in the whole world", async () => {
    await quiet(world, 1, 5000)
    expect((await checkWorld(world)).problems).toEqual([])
  })
})
