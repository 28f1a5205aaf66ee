/** The two ways in, and what may be asked twice: identity, duplicates, idempotency, answers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { CURL_BODY, signal, specificationSignal } from "../support/signals.ts"
import { until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start()
})
afterAll(() => world.close())

const entries = (order: string): number =>
  world.paper.ledger().orders.filter((leg) => leg.clientOrderId.includes(order) && leg.leg === "entry").length

describe("given a signal with an id", () => {
  it("when it comes twice by NATS, twice by HTTP, and once after a restart, then it is one order, and each answer names it", async () => {
    const body = JSON.stringify(signal())
    const { signal_id: id } = JSON.parse(body) as { signal_id: string }
    world.publish(body)
    world.publish(body)
    const row = await world.settled(id)
    for (let n = 0; n < 2; n++) {
      const reply = await world.trade(body)
      expect(reply.status, reply.text).toBe(200)
      expect(reply.json).toMatchObject({ order: row.order, duplicate: true, signal_id: id, result: { status: "filled" } })
    }
    await world.engines.at(-1)?.kill()
    await world.start()
    world.publish(body)
    await world.nc.flush()
    await until(async () => (await world.messages("SIGNALS")) === 0, { what: "the copy to be gone" })
    expect((await world.rows()).filter((one) => one.signal_id === id)).toHaveLength(1)
    expect(entries(row.order)).toBe(1)
  })

  it("when it comes again with another content, then it is refused as a conflict, and kept", async () => {
    const first = signal()
    const reply = await world.trade(first)
    expect(reply.status, reply.text).toBe(200)
    const again = await world.trade({ ...first, quantity: 0.02 })
    world.publish({ ...first, quantity: 0.03 })
    const conflicts = await until(
      async () => {
        const found: unknown[] = []
        await world.withStore(async (store) => {
          for await (const batch of store.rawStreams("rejected/"))
            for (const { events } of batch) {
              const { data } = JSON.parse(events[0]?.text ?? "{}") as { data: { code: string; raw: string } }
              if (data.code === "IDENTITY_CONFLICT" && data.raw.includes(first.signal_id)) found.push(data)
            }
        })
        return found.length >= 2 ? found : undefined
      },
      { what: "two recorded conflicts" },
    )
    expect(conflicts).toHaveLength(2)
    expect(again.status, again.text).toBe(409)
    expect((await world.rows()).filter((one) => one.signal_id === first.signal_id)).toHaveLength(1)
  })

  it("when numbers are written differently (67000.0 and 67000), then it is the same content", async () => {
    const id = "python-and-javascript"
    const rest = `"strategy_id":"py","signal_id":"${id}","symbol":"BTCUSDT","action":"buy","confidence":0.9,"order_type":"market","timestamp":"${new Date().toISOString()}"`
    const one = await world.trade(`{${rest},"price":50000.0,"quantity":0.010}`)
    const two = await world.trade(`{"quantity":0.01,"price":50000,${rest}}`)
    expect(one.status, one.text).toBe(200)
    expect(two.status, two.text).toBe(200)
    expect(two.json).toMatchObject({ order: one.json.order, duplicate: true })
  })
})

describe("given the specification's curl line", () => {
  it("when it is sent twice, then it is two orders (the second is declined: its strategy holds that lot)", async () => {
    const one = await world.trade(CURL_BODY)
    const two = await world.trade(CURL_BODY)
    expect(one.status, one.text).toBe(200)
    expect(two.json.order).not.toBe(one.json.order)
    expect(two.status, two.text).toBe(400)
    expect(two.json.detail).toMatchObject({ code: "ALREADY_OPEN" })
  })

  it("when it is sent twice with one Idempotency-Key, then it is one order, and the second answer says so", async () => {
    const body = CURL_BODY.replace('"test"', '"idempotent"')
    const one = await world.trade(body, { "idempotency-key": "k-1" })
    const two = await world.trade(body, { "idempotency-key": "k-1" })
    expect(one.status, one.text).toBe(200)
    expect(one.json.duplicate).toBeUndefined()
    expect(two.status, two.text).toBe(200)
    expect(two.json).toMatchObject({ order: one.json.order, duplicate: true, result: one.json.result })
  })
})

describe("given many clients at once", () => {
  it("when 60 POST /trade are under way together, then each gets its own filled order", async () => {
    const bodies = Array.from({ length: 60 }, () => signal())
    const replies = await Promise.all(bodies.map((body) => world.trade(body)))
    expect(replies.map((reply) => reply.status)).toEqual(bodies.map(() => 200))
    expect(replies.map((reply) => reply.json.signal_id)).toEqual(bodies.map((body) => body.signal_id))
    expect(new Set(replies.map((reply) => reply.json.order)).size).toBe(60)
    expect(new Set(replies.map((reply) => reply.json.result.order_id)).size).toBe(60)
  })

  it("when one signal is posted ten times at the same time, then it is one order", async () => {
    const body = signal()
    const replies = await Promise.all(Array.from({ length: 10 }, () => world.trade(body)))
    expect(
      replies.map((reply) => reply.status),
      replies.map((reply) => reply.text).join("\n"),
    ).toEqual(Array.from({ length: 10 }, () => 200))
    expect(new Set(replies.map((reply) => reply.json.order)).size).toBe(1)
    expect(replies.filter((reply) => reply.json.duplicate !== true)).toHaveLength(1)
    expect(entries(replies[0]?.json.order)).toBe(1)
  })
})

describe("given a publisher that listens to execution.events", () => {
  it("when its signal settles and its lot closes, then it hears of both", async () => {
    const body = signal({
      stop_loss: 2400,
      take_profit: 2600,
      price: 2500,
      current_price: 2500,
      symbol: "ETHUSDT",
      quantity: 0.2,
      strategy_id: "hört zu.*>",
    })
    const heard: Record<string, unknown>[] = []
    const subjects: string[] = []
    const subscription = world.nc.subscribe("execution.events.>", {
      callback: (_error, message) => {
        const news = message.json<Record<string, unknown>>()
        if (news["signal_id"] !== body.signal_id) return
        subjects.push(message.subject)
        heard.push(news)
      },
    })
    world.publish(body)
    const row = await world.when(body.signal_id, (one) => one.state === "filled")
    await world.setPrice("2601", "ETHUSDT")
    await world.done(body.signal_id)
    await until(() => heard.length >= 2, { what: "two messages", seen: () => heard })
    subscription.unsubscribe()
    expect(heard[0]).toMatchObject({
      event: "settled",
      order: row.order,
      strategy_id: "hört zu.*>",
      status: "filled",
      quantity: 0.2,
      fill_price: 2500,
    })
    expect(heard[1]).toMatchObject({ event: "lot_closed", order: row.order })
    expect(Number(heard[1]?.["profit"])).toBeGreaterThan(0)
    expect(new Set(subjects).size).toBe(1)
    expect(subjects[0]?.split(".")).toHaveLength(3)
  })
})

describe("given the specification's signal, on the record", () => {
  it("when it is filled, then its documents carry the specification's flat fields, and HTTP shows the same trail", async () => {
    const reply = await world.trade(specificationSignal({ strategy_id: "flat" }))
    expect(reply.status, reply.text).toBe(200)
    const events = (await world.get(`/orders/${reply.json.order}/events`)).json as Record<string, unknown>[]
    expect(events.length).toBeGreaterThanOrEqual(8)
    expect(events).toEqual(JSON.parse(JSON.stringify(await world.trail(reply.json.order))))
    expect(events.at(-1)).toMatchObject({
      signal_id: "flat",
      strategy_id: "flat",
      symbol: "BTCUSDT",
      side: "buy",
      order_type: "limit",
      quantity: 0.001,
      price: 50000,
      stop_loss: 49000,
      take_profit: 51500,
      binance_order_id: reply.json.result.order_id,
      status: "filled",
      fill_price: 50000,
      fees: 0.05,
      simulation_mode: true,
      metadata: { source: "ta-bot" },
    })
    for (const id of [reply.json.order, "flat", reply.json.result.order_id])
      expect((await world.get(`/orders/${id}`)).json.order).toBe(reply.json.order)
  })

  it("and then nothing is wrong in the whole world", async () => {
    await quiet(world, 1, 5000)
    expect((await checkWorld(world)).problems).toEqual([])
  })
})
