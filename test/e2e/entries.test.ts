/** Every type of entry, bought and sold, on spot and futures, through the real engine; and a venue that answers badly. */
import { NO_FAULTS } from "@petrosa/venue"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
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

interface Case {
  readonly order_type: string
  /** For a buy: the fields, and the price to which the market has to move for it to trade (none: at once). */
  readonly buy: SignalBody
  readonly buyMoves?: string
  readonly sell: SignalBody
  readonly sellMoves?: string
}

/** The market stands at 2500. */
const CASES: readonly Case[] = [
  { order_type: "market", buy: { price: 2500 }, sell: { price: 2500 } },
  { order_type: "limit", buy: { price: 2500 }, sell: { price: 2500 } },
  {
    order_type: "stop",
    buy: { price: 2520, trigger_price: 2520 },
    buyMoves: "2521",
    sell: { price: 2480, trigger_price: 2480 },
    sellMoves: "2479",
  },
  {
    order_type: "stop_limit",
    buy: { price: 2525, trigger_price: 2520 },
    buyMoves: "2521",
    sell: { price: 2475, trigger_price: 2480 },
    sellMoves: "2479",
  },
  {
    order_type: "take_profit",
    buy: { price: 2480, trigger_price: 2480 },
    buyMoves: "2479",
    sell: { price: 2520, trigger_price: 2520 },
    sellMoves: "2521",
  },
  {
    order_type: "take_profit_limit",
    buy: { price: 2485, trigger_price: 2480 },
    buyMoves: "2479",
    sell: { price: 2515, trigger_price: 2520 },
    sellMoves: "2521",
  },
]
const MATRIX = CASES.flatMap((one) => [
  { market: "futures", action: "buy", order_type: one.order_type, fields: one.buy, moves: one.buyMoves },
  { market: "futures", action: "sell", order_type: one.order_type, fields: one.sell, moves: one.sellMoves },
  { market: "spot", action: "buy", order_type: one.order_type, fields: one.buy, moves: one.buyMoves },
]) as readonly { market: "spot" | "futures"; action: string; order_type: string; fields: SignalBody; moves: string | undefined }[]

describe.each(MATRIX)("given a $order_type entry, $action on $market", ({ market, action, order_type, fields, moves }) => {
  it("when its time has come, then it fills, is protected, and replays without a difference", async () => {
    await world.setPrice("2500", "ETHUSDT", market)
    const body = signal({ symbol: "ETHUSDT", market, action, order_type, current_price: 2500, quantity: 0.3, ...fields })
    world.publish(body)
    if (moves !== undefined) {
      await until(async () => (await world.row(body.signal_id))?.type === "EntryAccepted", {
        what: "to rest",
        seen: () => world.trail(body.signal_id),
      })
      await world.setPrice(moves, "ETHUSDT", market)
    }
    const row = await world.settled(body.signal_id)
    expect(row, JSON.stringify((await world.trail(body.signal_id)).at(-1)?.data)).toMatchObject({
      state: "filled",
      status: "filled",
      open_quantity: "0.3",
      order_type,
    })
    const legs = world.paper.ledger().orders.filter((one) => one.clientOrderId.includes(row.order))
    expect(legs.map((one) => one.leg).toSorted()).toEqual(["entry", "stop", "target"])
    // Out of the way of the next.
    world.publish(
      signal({
        symbol: "ETHUSDT",
        market,
        action: "close",
        strategy_id: body.strategy_id,
        price: 2500,
        current_price: Number(moves ?? 2500),
      }),
    )
    await world.done(body.signal_id)
  })
})

describe("given a venue that answers badly", () => {
  const one = (): SignalBody & { readonly signal_id: string } =>
    signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })

  it("when it refuses the entry, then the order is failed: refused, and says what the venue said", async () => {
    await world.setFaults({ refuse: { class: "balance", code: "-2019", message: "Margin is insufficient.", leg: "entry", count: 1 } })
    const reply = await world.trade(one())
    expect(reply.status, reply.text).toBe(400)
    expect(reply.json.detail).toMatchObject({ code: "ENTRY_REFUSED", class: "refused" })
    expect(reply.text).toContain("-2019")
  })

  it.each(["fatal", "balance", "wouldTrigger"] as const)(
    "when it refuses the stop (%s), then what was filled is closed at market",
    async (cls) => {
      await world.setFaults({ refuse: { class: cls, code: "-1", leg: "stop" } })
      const body = one()
      world.publish(body)
      const row = await world.done(body.signal_id)
      expect(row).toMatchObject({ state: "failed", reason: "PROTECTION_FAILED", open_quantity: "0" })
    },
  )

  it.each(["retry", "rateLimit"] as const)(
    "when it refuses the stop for a while (%s), then it is placed as soon as it may",
    async (cls) => {
      await world.setFaults({ refuse: { class: cls, code: "-1003", leg: "stop", count: 2 } })
      const body = one()
      world.publish(body)
      expect(await world.settled(body.signal_id)).toMatchObject({ state: "filled", open_quantity: "1000" })
    },
  )

  it("when it refuses stop after stop, then the lot is closed at market when the deadline of protection has passed", async () => {
    await world.setFaults({ refuse: { class: "retry", code: "-1", leg: "stop" } })
    const body = one()
    world.publish(body)
    const row = await world.done(body.signal_id, 12_000)
    expect(row).toMatchObject({ state: "failed", reason: "PROTECTION_FAILED", open_quantity: "0" })
    const events = await world.trail(body.signal_id)
    const filled = events.find((event) => event.type === "EntryFilled")
    const deadline = events.find((event) => event.type === "DeadlinePassed" && event.data["deadline"] === "protection")
    expect(Date.parse(deadline?.at ?? "") - Date.parse(filled?.at ?? "")).toBeGreaterThanOrEqual(5000)
  })

  it("when it refuses the target for good, then the lot stays under its stop", async () => {
    await world.setFaults({ refuse: { class: "fatal", code: "-1", leg: "target" } })
    const body = one()
    world.publish(body)
    expect(await world.settled(body.signal_id)).toMatchObject({ state: "filled", open_quantity: "1000" })
  })

  it.each(["entry", "stop", "target"] as const)(
    "when the reply to the %s is lost, then it is found by asking, and nothing is doubled",
    async (leg) => {
      await world.setFaults({ loseReply: { count: 1, requests: [leg] } })
      const body = one()
      world.publish(body)
      const row = await world.settled(body.signal_id)
      expect(row).toMatchObject({ state: "filled", open_quantity: "1000" })
      const legs = world.paper.ledger().orders.filter((order) => order.clientOrderId.includes(row.order))
      expect(legs.map((order) => order.leg).toSorted()).toEqual(["entry", "stop", "target"])
    },
  )

  it("when the request of the entry is lost, then its absence is proven, and it is given up, not sent again", async () => {
    await world.setFaults({ dropRequest: { count: 1, requests: ["entry"] } })
    const body = one()
    world.publish(body)
    const row = await world.settled(body.signal_id, 12_000)
    expect(row).toMatchObject({ state: "failed", reason: "NOT_PLACED" })
    expect(world.paper.ledger().orders.filter((order) => order.clientOrderId.includes(row.order))).toEqual([])
  })

  it.each(["stop", "target"] as const)("when the request of the %s is lost, then it is sent again under another id", async (leg) => {
    await world.setFaults({ dropRequest: { count: 1, requests: [leg] } })
    const body = one()
    world.publish(body)
    const row = await world.settled(body.signal_id)
    expect(row).toMatchObject({ state: "filled", open_quantity: "1000" })
  })

  it("when its news come late, twice, or never, then every order ends as it should", async () => {
    for (const fault of [{ lateEventsMs: 700 }, { duplicateEvents: true }, { missEvents: 1 }, { notFoundForMs: 600 }]) {
      await world.setFaults({ ...NO_FAULTS, ...fault })
      const body = one()
      world.publish(body)
      expect(await world.settled(body.signal_id), JSON.stringify(fault)).toMatchObject({ state: "filled", open_quantity: "1000" })
    }
  })

  it("and then nothing is wrong in the whole world", async () => {
    await world.setFaults(NO_FAULTS)
    await quiet(world, 1, 5000)
    expect((await checkWorld(world)).problems).toEqual([])
  })
})
