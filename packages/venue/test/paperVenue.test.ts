import { canonical, type DecimalString } from "@petrosa/contracts"
import { afterEach, describe, expect, test } from "vitest"
import { NO_FAULTS, SINGLE_FAULTS, decodeFaults, openPaperVenue } from "../src/index.ts"
import type { PaperOptions, PlaceRequest, VenueOrder } from "../src/index.ts"
import { answer, eventually, freshId, record, requestFor, valueOf } from "../src/testing/index.ts"
import { paperFixture } from "./paperFixture.ts"
import type { PaperFixture } from "./paperFixture.ts"

const fixtures: PaperFixture[] = []
const make = async (options: Partial<PaperOptions> = {}): Promise<PaperFixture> => {
  const fixture = await paperFixture("futures", options)
  fixtures.push(fixture)
  return fixture
}
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.close()
})

const find = async (fixture: PaperFixture, request: PlaceRequest): Promise<VenueOrder | undefined> =>
  answer(await fixture.venue.query(request.symbol, request.market, request.clientOrderId))
const until = (fixture: PaperFixture, request: PlaceRequest, status: VenueOrder["status"]): Promise<VenueOrder> =>
  eventually(`${request.clientOrderId} ${status}`, async () => {
    const order = await find(fixture, request)
    return order?.status === status ? order : undefined
  })
const usdt = async (fixture: PaperFixture): Promise<{ free: string; locked: string }> => {
  const balance = answer(await fixture.venue.balances()).find((item) => item.asset === "USDT")
  return { free: balance?.free ?? "", locked: balance?.locked ?? "" }
}

describe("prices", () => {
  test("given signals' prices, then a market order fills at the price of its own signal, though the next one is already there", async () => {
    const { venue, ...fixture } = await make()
    const requests = ["50001", "50002", "50003"].map((price) => {
      venue.observePrice({ symbol: "BTCUSDT", price: price as DecimalString, source: "signal", atMs: 1 }, "futures")
      const request = requestFor(fixture)
      return { price, request, placed: venue.place(request) }
    })
    expect(venue.price("BTCUSDT", "futures")?.price).toBe("50003")
    for (const { price, request, placed } of requests) {
      valueOf(await placed)
      const fills = await eventually("its fill", async () => {
        const found = answer(await venue.fills(request.symbol, request.market, request))
        return found.length > 0 ? found : undefined
      })
      expect(fills.map((fill) => fill.price)).toEqual([price])
    }
  })

  test.each([
    ["file", {}],
    ["memory", { file: ":memory:" }],
  ] as const)(
    "given the price of before once more (%s), then it is known with its new time, and it is news again behind another one",
    async (_name, options) => {
      const fixture = await make(options)
      const { venue } = fixture
      const signal = (price: string, atMs: number): void =>
        venue.observePrice({ symbol: "BTCUSDT", price: price as DecimalString, source: "signal", atMs }, "futures")
      signal("50000", 7)
      expect(venue.price("BTCUSDT", "futures")).toMatchObject({ price: "50000", atMs: 7 })
      signal("50010", 8)
      signal("50000", 9)
      const request = requestFor(fixture)
      valueOf(await venue.place(request))
      expect((await until(fixture, request, "filled")).fills).toMatchObject([{ price: "50000" }])
    },
  )

  test("given another process has moved the price, then the price of before is news", async () => {
    const fixture = await make()
    const { venue } = fixture
    const other = await fixture.another()
    await other.setPrice("BTCUSDT", "futures", "50500")
    await new Promise((resolve) => setTimeout(resolve, 2))
    venue.observePrice({ symbol: "BTCUSDT", price: "50000" as DecimalString, source: "signal", atMs: 7 }, "futures")
    const request = requestFor(fixture)
    valueOf(await venue.place(request))
    expect((await until(fixture, request, "filled")).fills).toMatchObject([{ price: "50000" }])
  })

  test.each(["1e30", "0.000000000001"])(
    "given a signal's price of %s, which no order may have, then the market stays where it was",
    async (text) => {
      const fixture = await make()
      const { venue } = fixture
      venue.observePrice({ symbol: "BTCUSDT", price: canonical(text), source: "signal", atMs: 7 }, "futures")
      expect(venue.price("BTCUSDT", "futures")?.price).toBe("50000")
      const request = requestFor(fixture)
      valueOf(await venue.place(request))
      expect((await until(fixture, request, "filled")).fills).toMatchObject([{ price: "50000" }])
    },
  )

  test("given no price of the symbol, then a market order finds no depth", async () => {
    const { venue, ...fixture } = await make()
    const outcome = await venue.place(requestFor(fixture, { symbol: "ETHUSDT", quantity: "1" }))
    expect(outcome).toMatchObject({ _tag: "Refused", class: "fatal", code: "-1112" })
  })

  test.each(["0", "-1"])("given %s as a price by hand, then it is not taken", async (price) => {
    const { venue } = await make()
    await expect(venue.setPrice("BTCUSDT", "futures", price)).rejects.toThrow(RangeError)
    await expect(venue.setPrice("NOSUCH", "futures", "1")).rejects.toThrow(RangeError)
    expect(venue.price("BTCUSDT", "futures")?.price).toBe("50000")
  })
})

describe("money", () => {
  test("given an entry and its exit, then margin is locked in between, and profit and fees are right to the last decimal", async () => {
    const fixture = await make()
    const entry = requestFor(fixture, { quantity: "0.003" })
    valueOf(await fixture.venue.place(entry))
    await until(fixture, entry, "filled")
    expect(await usdt(fixture)).toEqual({ free: "9849.85", locked: "150" })
    expect(answer(await fixture.venue.positions())).toEqual([{ symbol: "BTCUSDT", side: "long", quantity: "0.003", entryPrice: "50000" }])
    await fixture.setPrice("50123.4")
    const exit = requestFor(fixture, { leg: "flatten", side: "sell", reduceOnly: true, quantity: "0.003", clientOrderId: freshId("X") })
    valueOf(await fixture.venue.place(exit))
    await until(fixture, exit, "filled")
    // 10000 + 0.003 × 123.4 − 0.001 × 0.003 × (50000 + 50123.4)
    expect(await usdt(fixture)).toEqual({ free: "10000.0698298", locked: "0" })
    expect(answer(await fixture.venue.positions())).toEqual([])
  })

  test("given a long and a short of one symbol, then they stand side by side", async () => {
    const fixture = await make()
    const long = requestFor(fixture)
    const short = requestFor(fixture, { side: "sell", positionSide: "short" })
    valueOf(await fixture.venue.place(long))
    valueOf(await fixture.venue.place(short))
    await until(fixture, short, "filled")
    expect(answer(await fixture.venue.positions()).map((position) => [position.side, position.quantity])).toEqual([
      ["long", "0.01"],
      ["short", "0.01"],
    ])
  })

  test("given the file is opened again with another starting balance, then the money is what it was", async () => {
    const fixture = await make()
    const other = openPaperVenue({ file: fixture.file, startingBalance: "77" })
    expect(answer(await other.balances())).toEqual([{ asset: "USDT", free: "10000", locked: "0" }])
    await other.close()
  })

  test("given the specification's smallest order, 0.001 BTC at 50,000 on futures, then the filters let it pass", async () => {
    const fixture = await make()
    valueOf(await fixture.venue.place(requestFor(fixture, { quantity: "0.001" })))
  })
})

describe("executions to come", () => {
  test("given a delayed fill, when its process is gone, then another that opens the file carries it out, once", async () => {
    const fixture = await make({ fillDelayMs: 150 })
    const request = requestFor(fixture)
    valueOf(await fixture.venue.place(request))
    expect(await find(fixture, request)).toMatchObject({ status: "new" })
    await fixture.restart()
    const other = await fixture.another()
    await until(fixture, request, "filled")
    expect(other.ledger().fills).toHaveLength(1)
  })

  test("given two processes that both see what is due, then it is executed once", async () => {
    const fixture = await make({ fillDelayMs: 20 })
    await fixture.another()
    const requests = Array.from({ length: 40 }, () => requestFor(fixture, { quantity: "0.002" }))
    await Promise.all(requests.map((request) => fixture.venue.place(request)))
    for (const request of requests) await until(fixture, request, "filled")
    expect(fixture.venue.ledger().fills).toHaveLength(40)
  })

  test("given an order that is cancelled before its fill, then it never fills", async () => {
    const fixture = await make({ fillDelayMs: 100 })
    const request = requestFor(fixture)
    valueOf(await fixture.venue.place(request))
    expect(valueOf(await fixture.venue.cancel(request.symbol, request.market, request.clientOrderId)).status).toBe("cancelled")
    const later = requestFor(fixture)
    valueOf(await fixture.venue.place(later))
    await until(fixture, later, "filled")
    expect(await find(fixture, request)).toMatchObject({ status: "cancelled", filledQuantity: "0" })
  })
})

describe("faults", () => {
  test("given faults are set, then they hold in other processes and after a restart, until they are taken back", async () => {
    const fixture = await make()
    await fixture.venue.setFaults({ slowMs: 7, refuse: { class: "fatal", code: "-9999", leg: "stop", count: 1 } })
    const other = await fixture.another()
    expect(other.faults()).toMatchObject({ slowMs: 7, refuse: { code: "-9999" } })
    await fixture.restart()
    expect(fixture.venue.faults()).toMatchObject({ slowMs: 7 })
    await other.setFaults(NO_FAULTS)
    expect(fixture.venue.faults()).toEqual(NO_FAULTS)
  })

  test("given a refusal on demand of one leg, then that leg is refused so often, and others are not", async () => {
    const fixture = await make()
    await fixture.venue.setFaults({ refuse: { class: "balance", code: "-2019", leg: "entry", count: 2 } })
    expect(await fixture.venue.place(requestFor(fixture, { leg: "target" }))).toMatchObject({ _tag: "Accepted" })
    expect(await fixture.venue.place(requestFor(fixture))).toMatchObject({ _tag: "Refused", class: "balance", code: "-2019" })
    expect(await fixture.venue.place(requestFor(fixture))).toMatchObject({ _tag: "Refused" })
    expect(await fixture.venue.place(requestFor(fixture))).toMatchObject({ _tag: "Accepted" })
    expect(fixture.venue.faults().refuse).toBeNull()
  })

  test("given lost replies by chance, then the same seed loses the same ones", async () => {
    const lost = async (): Promise<readonly string[]> => {
      const fixture = await make()
      await fixture.venue.setFaults({ seed: 7, loseReply: { probability: 0.5, requests: ["entry"] } })
      const tags: string[] = []
      for (let n = 0; n < 20; n += 1) tags.push((await fixture.venue.place(requestFor(fixture, { quantity: "0.002" })))._tag)
      expect(fixture.venue.ledger().orders).toHaveLength(20)
      return tags
    }
    const first = await lost()
    expect(new Set(first)).toEqual(new Set(["Accepted", "Unknown"]))
    expect(await lost()).toEqual(first)
  })

  test("given entries that rest, then a limit order fills only when the price passes it, a market order when it moves, or when the fault ends", async () => {
    const fixture = await make()
    await fixture.venue.setFaults({ rest: true })
    const limit = requestFor(fixture, { type: "limit", price: "50000", timeInForce: "GTC" })
    const market = requestFor(fixture)
    valueOf(await fixture.venue.place(limit))
    valueOf(await fixture.venue.place(market))
    await fixture.setPrice("50000")
    expect(await find(fixture, limit)).toMatchObject({ status: "new" })
    await fixture.setPrice("50001")
    expect(await find(fixture, market)).toMatchObject({ status: "filled", filledQuote: "500.01" })
    expect(await find(fixture, limit)).toMatchObject({ status: "new" })
    await fixture.setPrice("49999.9")
    expect(await find(fixture, limit)).toMatchObject({ status: "filled", filledQuote: "500" })
    const held = requestFor(fixture)
    valueOf(await fixture.venue.place(held))
    await fixture.venue.setFaults({ rest: false })
    await until(fixture, held, "filled")
  })

  test("given a stop that fires in parts, then all of them trade, and it ends filled", async () => {
    const fixture = await make()
    const entry = requestFor(fixture, { quantity: "0.01" })
    valueOf(await fixture.venue.place(entry))
    await until(fixture, entry, "filled")
    const stop = requestFor(fixture, {
      clientOrderId: freshId("S"),
      leg: "stop",
      side: "sell",
      type: "stop",
      triggerPrice: "49000",
      reduceOnly: true,
    })
    valueOf(await fixture.venue.place(stop))
    await fixture.venue.setFaults({ partialFills: { parts: 3, everyMs: 5 } })
    await fixture.setPrice("48000")
    expect((await until(fixture, stop, "filled")).fills).toHaveLength(3)
    expect(answer(await fixture.venue.positions())).toEqual([])
  })

  test("given late events, then they come after that time; given missed events, then they do not come", async () => {
    const fixture = await make()
    const heard = record(fixture.venue)
    await fixture.venue.setFaults({ lateEventsMs: 200 })
    const late = requestFor(fixture)
    const sentAtMs = performance.now()
    valueOf(await fixture.venue.place(late))
    await until(fixture, late, "filled")
    await eventually("the late fill", () => heard.fillsOf(late.clientOrderId).length === 1)
    expect(performance.now() - sentAtMs).toBeGreaterThan(190)
    await fixture.venue.setFaults({ lateEventsMs: 0, missEvents: 1 })
    const missed = requestFor(fixture)
    valueOf(await fixture.venue.place(missed))
    await until(fixture, missed, "filled")
    await fixture.venue.setFaults({ missEvents: 0 })
    const seen = requestFor(fixture)
    valueOf(await fixture.venue.place(seen))
    await eventually("the next fill", () => heard.fillsOf(seen.clientOrderId).length === 1)
    expect(heard.fillsOf(missed.clientOrderId)).toEqual([])
  })

  test("given latency, then the reply takes that long, and the fill may come before it", async () => {
    const fixture = await make({ latencyMs: 200 })
    const heard = record(fixture.venue)
    const request = requestFor(fixture)
    let replied = false
    const placing = fixture.venue.place(request).then((outcome) => {
      replied = true
      return outcome
    })
    await eventually("the fill before the reply", () => heard.fillsOf(request.clientOrderId).length === 1)
    expect(replied).toBe(false)
    valueOf(await placing)
  })
})

describe("faults from outside", () => {
  test("given each fault of the list, then it is decoded as it is", () => {
    for (const faults of [NO_FAULTS, ...Object.values(SINGLE_FAULTS)])
      expect(decodeFaults(JSON.parse(JSON.stringify(faults)))).toEqual({ _tag: "Faults", faults })
  })

  test.each([
    [null, "an object is expected"],
    [{ slow: 1 }, "slow: not known"],
    [{ slowMs: "200" }, "slowMs: an integer of 0…60000 is expected"],
    [{ rest: 1 }, "rest: true or false is expected"],
    [{ loseReply: { requests: ["entries"] } }, "loseReply: requests: a list of entry, stop, target, flatten, cancel, query is expected"],
    [{ partialFills: { parts: 2 } }, "partialFills: everyMs missing"],
    [JSON.parse('{"__proto__": {}}'), "__proto__: not known"],
  ])("given %j, then it is refused: %s", (input, problem) => {
    expect(decodeFaults(input)).toEqual({ _tag: "Wrong", problems: [problem] })
  })
})

describe("life of the venue", () => {
  test("given a closed venue, then requests are refused as not executed, questions are unknown, and nothing rejects", async () => {
    const fixture = await make()
    const placing = fixture.venue.place(requestFor(fixture))
    await fixture.venue.close()
    expect(await placing).toMatchObject({ _tag: "Accepted" })
    expect(await fixture.venue.place(requestFor(fixture))).toMatchObject({ _tag: "Refused", class: "retry" })
    expect(await fixture.venue.openOrders()).toMatchObject({ _tag: "Unknown" })
    await fixture.restart()
    expect(fixture.venue.ledger().orders).toHaveLength(1)
  })

  test("given a file of another schema, then opening it says so", async () => {
    const fixture = await make()
    await fixture.venue.close()
    const { DatabaseSync } = await import("node:sqlite")
    const db = new DatabaseSync(fixture.file)
    db.exec("PRAGMA user_version = 99")
    expect(() => openPaperVenue({ file: fixture.file })).toThrow(/another version/)
    db.exec("PRAGMA user_version = 1")
    db.close()
  })

  test("given another process that holds the lock, then a request waits for it, and happens once", async () => {
    const fixture = await make()
    const { DatabaseSync } = await import("node:sqlite")
    const db = new DatabaseSync(fixture.file)
    db.exec("BEGIN IMMEDIATE")
    const request = requestFor(fixture)
    const placing = fixture.venue.place(request)
    await new Promise((resolve) => setTimeout(resolve, 150))
    db.exec("COMMIT")
    db.close()
    valueOf(await placing)
    expect(fixture.venue.ledger().orders).toHaveLength(1)
  })
})
