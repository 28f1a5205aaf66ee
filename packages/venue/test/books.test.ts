import type { ClientOrderId, DecimalString, Leg, OrderType } from "@petrosa/contracts"
import fc from "fast-check"
import { expect, test } from "vitest"
import type { PlaceRequest } from "../src/index.ts"
import { SortedPrices } from "../src/paper/sortedPrices.ts"
import { paperFixture } from "./paperFixture.ts"

const price = fc.integer({ min: 49_900, max: 50_100 }).map(String)
const step = fc.oneof(
  { weight: 1, arbitrary: fc.record({ price }) },
  {
    weight: 3,
    arbitrary: fc.record({
      id: fc.integer({ min: 1, max: 12 }).map((n) => `c${n}` as ClientOrderId),
      leg: fc.constantFrom<Leg>("entry", "stop", "flatten"),
      side: fc.constantFrom("buy" as const, "sell" as const),
      positionSide: fc.constantFrom("long" as const, "short" as const),
      type: fc.constantFrom<OrderType>("market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit"),
      limit: price,
      trigger: price,
      quantity: fc.integer({ min: 1, max: 20 }).map((n) => String(n / 1000)),
      reduceOnly: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ cancel: fc.integer({ min: 1, max: 12 }).map((n) => `c${n}` as ClientOrderId) }) },
)

test("given the same requests, then the file and the memory answer, remember and tell the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25 }),
      fc.constantFrom("spot" as const, "futures" as const),
      async (steps, market) => {
        const run = async (file: string | undefined): Promise<unknown> => {
          let clock = 1_000_000
          const fixture = await paperFixture(market, { now: () => clock, ...(file === undefined ? {} : { file }) })
          const { venue } = fixture
          const told: unknown[] = []
          venue.subscribe((event) => told.push(event))
          await venue.setFaults({ partialFills: { parts: 2, everyMs: 0 }, loseReply: { probability: 0.2 } })
          const answers: unknown[] = []
          for (const one of steps) {
            clock += 10
            if ("price" in one) await venue.setPrice("BTCUSDT", market, one.price)
            else if ("cancel" in one) answers.push(await venue.cancel("BTCUSDT", market, one.cancel))
            else {
              const request: PlaceRequest = {
                clientOrderId: one.id,
                leg: one.leg,
                side: one.side,
                type: one.type,
                quantity: one.quantity as DecimalString,
                reduceOnly: one.reduceOnly,
                symbol: "BTCUSDT",
                market,
                positionSide: one.positionSide,
                timestampMs: clock,
                receiveWindowMs: 100,
                ...(one.type.endsWith("limit") ? { price: one.limit as DecimalString } : {}),
                ...(one.type === "market" || one.type === "limit" ? {} : { triggerPrice: one.trigger as DecimalString }),
              }
              answers.push(await venue.place(request))
            }
            // Two requests that change nothing: the turns between them carry out what is due.
            for (let turn = 0; turn < 4; turn += 1) await venue.setFaults({})
          }
          const end = {
            answers,
            ledger: venue.ledger(),
            balances: await venue.balances(),
            positions: await venue.positions(),
            open: await venue.openOrders(),
          }
          for (let turn = 0; turn < 3; turn += 1) await venue.setFaults({})
          const text = JSON.stringify({ ...end, told: told.filter((event) => (event as { _tag: string })._tag === "Order") })
          await fixture.close()
          return JSON.parse(text)
        }
        expect(await run(":memory:")).toEqual(await run(undefined))
      },
    ),
    { numRuns: 12 },
  )
}, 60_000)

test("given prices in any order, then the index finds what is at or beyond a price, and forgets what is removed", () => {
  const entries = fc.uniqueArray(fc.record({ price: fc.integer({ min: 1, max: 9 }), id: fc.integer({ min: 1, max: 99 }) }), {
    selector: (e) => e.id,
  })
  fc.assert(
    fc.property(entries, fc.integer({ min: 0, max: 10 }), fc.nat(9), (list, at, drop) => {
      const index = new SortedPrices()
      for (const { price: key, id } of list) index.add(key, id)
      for (const { price: key, id } of list.slice(0, drop)) index.remove(key, id)
      const left = list.slice(drop)
      const ids = (keep: (key: number) => boolean) => left.flatMap((e) => (keep(e.price) ? [e.id] : [])).sort()
      expect([...index.atLeast(at)].sort()).toEqual(ids((key) => key >= at))
      expect([...index.atMost(at)].sort()).toEqual(ids((key) => key <= at))
    }),
  )
})
