import { canonical } from "@petrosa/contracts"
import type { ClientOrderId, DecimalString, Leg, OrderType } from "@petrosa/contracts"
import { unnumbered } from "@petrosa/matching"
import type { Order } from "@petrosa/matching"
import fc from "fast-check"
import { expect, test } from "vitest"
import type { PlaceRequest } from "../src/index.ts"
import { canonicalText } from "../src/paper/canonicalText.ts"
import { ClientIdIndex } from "../src/paper/clientIdIndex.ts"
import { EventQueue } from "../src/paper/eventQueue.ts"
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

test("given thousands of orders at few prices, in any order, then the index finds the same as a list would, while they come and go", () => {
  const entry = fc.record({ price: fc.integer({ min: 1, max: 5 }), id: fc.nat(4_000) })
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: (e) => e.id, minLength: 600, maxLength: 1_500 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 2, max: 4 }),
      (entries, ascending, at, each) => {
        const list = ascending ? entries.toSorted((a, b) => a.id - b.id) : entries
        const index = new SortedPrices()
        for (const { price: key, id } of list) index.add(key, id)
        for (const { price: key, id } of list) if (id % each !== 0) index.remove(key, id)
        for (const { price: key, id } of list) if (id % each === 1) index.add(key, id)
        const sorted = list.filter(({ id }) => id % each <= 1).toSorted((a, b) => a.price - b.price || a.id - b.id)
        expect(index.atLeast(at)).toEqual(sorted.filter((e) => e.price >= at).map((e) => e.id))
        expect(index.atMost(at)).toEqual(sorted.filter((e) => e.price <= at).map((e) => e.id))
        for (const { price: key, id } of sorted) index.remove(key, id)
        expect(index.atLeast(0)).toEqual([])
      },
    ),
    { numRuns: 20 },
  )
})

test("given any text, then its canonical text is what parsing and printing it gives, or the same refusal", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "5", "9"), maxLength: 34 })
  const text = fc.oneof(
    fc
      .tuple(fc.constantFrom("", "-", "+"), digits, fc.constantFrom("", "."), digits, fc.constantFrom("", "e3", "E-2", "x"))
      .map((parts) => parts.join("")),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.string(),
  )
  const outcome = (run: (text: string) => string, given: string): string => {
    try {
      return run(given)
    } catch (error) {
      return String(error)
    }
  }
  fc.assert(
    fc.property(text, (given) => {
      expect(outcome(canonicalText, given)).toBe(outcome(canonical, given))
    }),
    { numRuns: 2_000 },
  )
})

test("given a log in memory that is read in any steps, then each line is read once, in order, and what is too old is a hole", () => {
  const order = (id: number): Order => {
    const draft = {
      account: "paper",
      clientOrderId: `c${id}`,
      market: "futures",
      symbol: "BTCUSDT",
      side: "buy",
      positionSide: "long",
      type: "market",
      timeInForce: "GTC",
      quantity: "1" as DecimalString,
      triggerOn: "last",
      reduceOnly: false,
    } as const
    return { ...unnumbered(draft, "0" as DecimalString, true, id), id }
  }
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 20 }), fc.nat(20)), { maxLength: 40 }), (steps) => {
      const log = new EventQueue()
      let written = 0
      let cursor = 0
      for (const [add, limit, take] of steps) {
        for (let n = 0; n < add; n += 1) log.add(order(++written), undefined)
        const lines = log.after(cursor, limit)
        expect(lines.map(({ seq, order: { venueOrderId } }) => [seq, venueOrderId])).toEqual(
          Array.from({ length: Math.min(limit, written - cursor) }, (_, n) => [cursor + n + 1, String(cursor + n + 1)]),
        )
        // A reader may stop early: events that are delivered later.
        cursor += Math.min(take, lines.length)
        expect(log.last()).toBe(written)
      }
    }),
  )
  const full = new EventQueue()
  for (let n = 1; n <= 25_000; n += 1) full.add(order(n), undefined)
  expect(full.last()).toBe(25_000)
  const [first] = full.after(3, 1)
  expect(first?.seq).toBeGreaterThan(4)
  expect(first?.seq).toBe(Number(first?.order.venueOrderId))
})

test("given client ids, new ones and used ones, then the index knows the newest order of each, as a map does", () => {
  // Few characters: many texts, and some of the same hash would not be unlikely.
  const id = fc.oneof(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 11 }), fc.string({ maxLength: 36 }))
  fc.assert(
    fc.property(fc.array(id, { minLength: 1, maxLength: 1_500, size: "max" }), (ids) => {
      const index = new ClientIdIndex((order) => ids[order - 1])
      const map = new Map<string, number>()
      ids.forEach((text, n) => {
        if (n % 3 === 0) expect(index.newest(text)).toBe(map.get(text))
        expect(index.put(text, n + 1)).toBe(map.get(text))
        map.set(text, n + 1)
      })
      for (const [text, order] of map) expect(index.newest(text)).toBe(order)
      expect(index.newest("never")).toBe(map.get("never"))
    }),
    { numRuns: 20 },
  )
})
