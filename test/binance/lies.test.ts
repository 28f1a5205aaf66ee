/**
 * Every lie that the local Binance can tell, one by one, with one bracketed order each, on both markets: at most one entry, none
 * given up that the exchange has, our fills the exchange's trades, and what is held under its bracket. Then crashes: the
 * process dies at each of its named points while one reply is lost, and another process takes the order up.
 */
import type { FaultRule, Match } from "@petrosa/binance-sandbox"
import type { Market, OrderId } from "@petrosa/contracts"
import { FAULT_POINTS } from "@petrosa/engine"
import type { FaultPoint } from "@petrosa/engine"
import { describe, expect, test } from "vitest"
import { until } from "../support/until.ts"
import { LocalWorld } from "./support.ts"

const BRACKET = { stop_loss: 49000, take_profit: 52000 }
/** Long absence proofs are what the product has; here they would only make the test wait. A busy machine is no lie of the exchange. */
const PROOF = { absenceProofMs: 4_000, decision: { protectionDeadlineMs: 30_000 } } as const

// Tests wait more than they work: they run side by side, each in a world of its own.

/** The order stands as it should while it holds something, and ends as it should when its target comes. */
const holdsAndCloses = async (world: LocalWorld, order: OrderId): Promise<void> => {
  await world.settled(order)
  await world.untilCovered(order)
  expect(world.entries(order)).toBe(1)
  const legs = world.liveLegs(order).map((leg) => leg.slice(0, 1))
  expect(legs).toEqual(["S", "T"])
  world.sandbox.clearFaults()
  world.setPrice("52100")
  await world.untilClosed(order)
  expect(await world.complaints(order)).toEqual([])
  // What spot's commission leaves is too little to be sold.
  expect(Math.abs(Number(world.held))).toBeLessThan(0.00002)
}

const entry = (market: Market): Match => ({ market, op: "order.place", type: "MARKET" })
type Lie = readonly [name: string, rules: (market: Market) => readonly FaultRule[]]

const EXECUTED: readonly Lie[] = [
  ["the entry is taken, and its reply lost", (market) => [{ kind: "loseReply", count: 1, match: entry(market) }]],
  ["the entry's reply never ends", (market) => [{ kind: "loseReply", hang: true, count: 1, match: entry(market) }]],
  ["-1007, and the entry was executed", (market) => [{ kind: "timeout", executed: true, count: 1, match: entry(market) }]],
  ["-1007, and it fills later", (market) => [{ kind: "timeout", executed: true, fillAfterMs: 700, count: 1, match: entry(market) }]],
  ["a 502, and the entry was executed", (market) => [{ kind: "http", status: 502, executed: true, count: 1, match: entry(market) }]],
  ["a 200 that is no JSON", (market) => [{ kind: "http", status: 200, body: "<html>", executed: true, count: 1, match: entry(market) }]],
  [
    "the reply is lost, and the exchange denies the order for some seconds",
    (market) => [
      { kind: "loseReply", count: 1, match: entry(market) },
      { kind: "notFound", forMs: 2500, count: 1, match: entry(market) },
    ],
  ],
  ["each event comes twice", () => [{ kind: "duplicateEvent" }]],
  ["each event comes after the next one", () => [{ kind: "swapEvent" }]],
  ["each event is late", () => [{ kind: "delayEvent", ms: 800 }]],
  ["no event comes at all", () => [{ kind: "dropEvent" }]],
  ["every request is slow", () => [{ kind: "slow", beforeMs: 150, afterMs: 150 }]],
]
const PROTECTIVE: readonly Lie[] = [
  [
    "the protection is taken, and its reply lost",
    () => [
      { kind: "loseReply", count: 1, match: { op: "algo.place" } },
      { kind: "loseReply", count: 1, match: { op: "list.place" } },
    ],
  ],
  [
    "the protection never arrives",
    () => [
      { kind: "dropRequest", count: 1, match: { op: "algo.place" } },
      { kind: "dropRequest", count: 1, match: { op: "list.place" } },
    ],
  ],
  [
    "a 503 to the protection, not executed",
    () => [
      { kind: "http", status: 503, executed: false, count: 1, match: { op: "algo.place" } },
      { kind: "http", status: 503, executed: false, count: 1, match: { op: "list.place" } },
    ],
  ],
]

describe.concurrent.each(["futures", "spot"] as const)("on %s, given one bracketed order", { timeout: 120_000 }, (market) => {
  test.each([...EXECUTED, ...PROTECTIVE])(
    "when %s, then there is one entry, it is under its bracket, and it closes once",
    async (_name, rules) => {
      await using world = await LocalWorld.start({ market, ...PROOF, venue: { timeoutMs: 1_500 } })
      world.sandbox.addFaults(...rules(market))
      await holdsAndCloses(world, await world.send(BRACKET))
    },
  )

  test.each([
    ["the entry never arrives", { kind: "dropRequest", count: 1 }],
    ["-1007, and nothing was executed", { kind: "timeout", executed: false, count: 1 }],
    ["a 502, and nothing was executed", { kind: "http", status: 502, executed: false, count: 1 }],
  ] as const)("when %s, then it is given up after the proof, and nothing is ever sent again", async (_name, rule) => {
    await using world = await LocalWorld.start({ market, ...PROOF })
    world.sandbox.addFaults({ ...rule, match: entry(market) })
    const order = await world.send(BRACKET)
    expect(await world.settled(order)).toMatchObject({ state: "failed", data: { reason: { code: "NOT_PLACED" } } })
    expect([world.entries(order), world.held, await world.complaints(order)]).toEqual([0, "0", []])
  })

  test("when an entry that rests fills between its cancel and the reply, then the fill counts and is protected", async () => {
    await using world = await LocalWorld.start({ market, ...PROOF })
    const order = await world.send({ ...BRACKET, order_type: "limit", price: 49500 })
    await world.untilEvent(order, "EntryAccepted")
    world.sandbox.addFaults({ kind: "fillOnCancel", count: 1 })
    await world.cancelEntry(order)
    await holdsAndCloses(world, order)
  })

  test("when the user stream falls silent, or its key dies under an open socket, then fills are found by asking", async () => {
    await using world = await LocalWorld.start({ market, ...PROOF })
    world.sandbox.disturb(market, market === "futures" ? "killListenKey" : "silence")
    const order = await world.send({ ...BRACKET, order_type: "limit", price: 49500 })
    await world.untilEvent(order, "EntryAccepted")
    world.setPrice("49400")
    await holdsAndCloses(world, order)
  })

  test("when the exchange's clock runs away, then the entry is refused and nothing is held", async () => {
    await using world = await LocalWorld.start({ market, ...PROOF })
    world.sandbox.setSkew(30_000)
    const order = await world.send(BRACKET)
    expect((await world.settled(order)).state).toBe("failed")
    expect([world.entries(order), world.held]).toEqual([0, "0"])
  })

  test("when the filters change under the engine, then the order is refused with the exchange's code, or fits them", async () => {
    await using world = await LocalWorld.start({ market, ...PROOF })
    const { symbols } = world.sandbox.world.exchange
    symbols.patch(market, "BTCUSDT", { filters: [{ filterType: "LOT_SIZE", minQty: "0.1", maxQty: "100", stepSize: "0.1" }] })
    const order = await world.send(BRACKET)
    const last = await world.settled(order)
    expect(last.state).toBe("failed")
    expect(JSON.stringify(last.data)).toMatch(market === "spot" ? /-1013/ : /-4004|-1111/)
    expect([world.entries(order), world.held]).toEqual([0, "0"])
    // The rules are read anew after such a refusal: the next one is declined or raised by ourselves.
    const next = await until(async () => {
      const again = await world.send(BRACKET)
      return JSON.stringify((await world.settled(again)).data).match(/"-(1013|4004|1111)"/) !== null ? undefined : again
    })
    expect(await world.complaints(next)).toEqual([])
  })
})

/** Points that an order which fills and is protected comes to. */
const POINTS = FAULT_POINTS.filter((point) => /^(store\.append|broker\.lot|venue\.(entry|stop|target|query))/.test(point))
describe.concurrent.each(["futures", "spot"] as const)(
  "on %s, given a lost reply of the entry and a process that dies",
  { timeout: 120_000 },
  (market) => {
    test.each(POINTS)(
      "at %s, then another process finds one entry at most, and what is held is under its bracket",
      async (point: FaultPoint) => {
        await using world = await LocalWorld.start({ market, ...PROOF })
        world.sandbox.addFaults({ kind: "loseReply", count: 1, match: entry(market) })
        if (!point.startsWith("store.")) world.dieAt(point)
        const order = await world.send(BRACKET)
        if (point.startsWith("store.")) world.dieAt(point)
        // (Some points are passed before they can be set, and an order can be done without coming to others.)
        const died = await until(async () => (!world.alive ? "died" : world.liveLegs(order).length === 2 ? "lives" : undefined), {
          timeoutMs: 10_000,
        })
        if (died === "lives") world.kill()
        await world.begin()
        world.redeliver(order)
        await world.untilEvent(order, "OrderAdopted")
        const last = await world.settled(order)
        expect(world.entries(order)).toBeLessThanOrEqual(1)
        if (world.entries(order) === 0) {
          expect([last.state, world.held]).toEqual(["failed", "0"])
          return
        }
        await holdsAndCloses(world, order)
      },
    )
  },
)
