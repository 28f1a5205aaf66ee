/** The paper venue follows the market: conflated, bounded, never stale. Interest, and the last signal's own price. */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonical } from "@petrosa/contracts"
import type { Market, MarketPrice } from "@petrosa/contracts"
import { followPrices } from "../../src/market-data/follow.ts"
import { Interest } from "../../src/market-data/interest.ts"
import { signalPrices } from "../../src/market-data/signalPrices.ts"
import { openPaperVenue } from "../../src/paper/paperVenue.ts"
import { settle } from "../binance/fakeClock.ts"
import { START_MS, board, marketClock } from "./given.ts"

const c = canonical
const world = () => {
  const clock = marketClock()
  const it = board(clock)
  const taken: { price: string; done: () => void; fail: () => void }[] = []
  const stop = followPrices({
    data: it,
    clock,
    apply: (price) =>
      new Promise<void>((resolve, reject) => {
        taken.push({ price: price.price, done: resolve, fail: () => reject(new Error("busy")) })
      }),
  })
  const move = (price: number, symbol = "BTCUSDT"): void => void it.post({ symbol, market: "futures", last: c(String(price)) })
  return { clock, taken, move, stop, prices: () => taken.map(({ price }) => price) }
}

describe("following", () => {
  test("given a venue that takes its time, then 10,000 moves become one price on its way and the newest after it", async () => {
    const { clock, taken, move, prices } = world()
    for (let n = 1; n <= 10_000; n++) move(n)
    expect(prices()).toEqual(["1"])
    taken[0]?.done()
    await clock.advance(25)
    expect(prices()).toEqual(["1", "10000"])
    taken[1]?.done()
    await clock.advance(1_000)
    expect(prices()).toEqual(["1", "10000"])
  })
  test("given one symbol whose price hangs, then others go on", () => {
    const { move, prices } = world()
    move(1)
    move(2)
    move(7, "ETHUSDT")
    expect(prices()).toEqual(["1", "7"])
  })
  test("given a price that could not be taken, then the next one is tried", async () => {
    const { clock, taken, move, prices } = world()
    move(1)
    taken[0]?.fail()
    await clock.advance(25)
    move(2)
    expect(prices()).toEqual(["1", "2"])
  })
  test("given a price that got stale meanwhile, then it is not handed on", async () => {
    const { clock, taken, move, prices } = world()
    move(1)
    move(2)
    await clock.advance(10_001)
    taken[0]?.done()
    await clock.advance(25)
    expect(prices()).toEqual(["1"])
  })
  test("given the end, then nothing follows", async () => {
    const { move, stop, taken } = world()
    stop()
    move(1)
    await settle()
    expect(taken).toEqual([])
  })
  test("given a real paper venue, then its price is the feed's, with source and feed, and resting orders are reached", async () => {
    const paper = openPaperVenue({ file: ":memory:" })
    const price: MarketPrice = { symbol: "BTCUSDT", price: c("50000.05"), source: "book", atMs: START_MS, feed: "binance" }
    await paper.follow(price, "futures")
    expect(paper.price("BTCUSDT", "futures")).toEqual(price)
    await paper.follow({ ...price, symbol: "NOSUCHUSDT" }, "futures")
    expect(paper.price("NOSUCHUSDT", "futures")).toBeUndefined()
    await paper.close()
    await paper.follow(price, "futures")
  })
})

describe("interest", () => {
  test("given more symbols than places, then those in use stay, and the longest unused makes room", () => {
    const it = new Interest(2)
    it.want("A", "spot", 0)
    it.want("B", "spot", 10)
    expect(it.want("C", "spot", 20)).toEqual({ added: false, refused: true })
    it.want("A", "spot", 50_000)
    expect(it.want("C", "spot", 60_011)).toMatchObject({ added: true, refused: false, gone: { symbol: "B" } })
    expect(it.all().map(({ symbol }) => symbol)).toEqual(["A", "C"])
  })
  test("given a quarter of an hour without a question, then it is given up", () => {
    const it = new Interest(10)
    it.want("A", "spot", 0)
    it.want("B", "futures", 500_000)
    expect(it.expire(900_001)).toMatchObject([{ symbol: "A" }])
    expect(it.has("A", "spot")).toBe(false)
    expect(it.has("B", "futures")).toBe(true)
  })
  test("it never holds more than its places, and what was wanted last is there unless it was refused", () => {
    const wants = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 40_000 })), { maxLength: 60 })
    fc.assert(
      fc.property(wants, (all) => {
        const it = new Interest(4)
        let nowMs = 0
        for (const [n, laterMs] of all) {
          nowMs += laterMs
          const market: Market = n % 2 === 0 ? "spot" : "futures"
          const { refused } = it.want(`S${n}`, market, nowMs)
          expect(it.has(`S${n}`, market)).toBe(!refused)
          expect(it.size).toBeLessThanOrEqual(4)
        }
      }),
    )
  })
})

describe("the last signal's own price", () => {
  test("given one, then it is told with its time; when it is old, with the reason", async () => {
    const clock = marketClock()
    const seen: MarketPrice = { symbol: "BTCUSDT", price: c("50000"), source: "signal", atMs: START_MS - 400 }
    const it = signalPrices({ clock, maxAgeMs: 10_000, priceOf: (symbol) => (symbol === "BTCUSDT" ? seen : undefined) })
    expect(it.read("BTCUSDT", "spot")).toMatchObject({ _tag: "Fresh", price: seen, quote: { feed: "signals", last: { ageMs: 400 } } })
    expect(it.read("ETHUSDT", "spot")).toMatchObject({ _tag: "Refused", reason: { code: "PRICE_UNKNOWN" } })
    await clock.advance(9_601)
    expect(it.read("BTCUSDT", "spot")).toMatchObject({
      _tag: "Refused",
      reason: { code: "PRICE_STALE", observed: "10001 ms old" },
      stale: seen,
    })
  })
})
