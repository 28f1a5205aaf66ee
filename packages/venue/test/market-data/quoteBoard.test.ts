/** The newest price wins, and an old one is refused with its age. */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonical } from "@petrosa/contracts"
import { START_MS, board, marketClock } from "./given.ts"

const c = canonical
const BTC = { symbol: "BTCUSDT", market: "futures" } as const
const book = (bid: string, ask: string) => ({ bid: c(bid), ask: c(ask) })

describe("a fresh price", () => {
  test("given bid, ask, mark and last, then the price is the exact middle, and each is there with its times", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ ...BTC, book: book("50000", "50000.1"), venueAtMs: START_MS - 30 })
    await clock.advance(100)
    it.post({ ...BTC, mark: c("49990"), venueAtMs: START_MS + 90 })
    it.post({ ...BTC, last: c("50000.1"), venueAtMs: START_MS + 95 })
    expect(it.read("BTCUSDT", "futures")).toEqual({
      _tag: "Fresh",
      price: { symbol: "BTCUSDT", price: "50000.05", source: "book", atMs: START_MS - 30, feed: "binance" },
      mark: { symbol: "BTCUSDT", price: "49990", source: "mark", atMs: START_MS + 90, feed: "binance" },
      quote: {
        ...BTC,
        feed: "binance",
        bid: { price: "50000", venueAtMs: START_MS - 30, receivedAtMs: START_MS, ageMs: 130 },
        ask: { price: "50000.1", venueAtMs: START_MS - 30, receivedAtMs: START_MS, ageMs: 130 },
        mark: { price: "49990", venueAtMs: START_MS + 90, receivedAtMs: START_MS + 100, ageMs: 10 },
        last: { price: "50000.1", venueAtMs: START_MS + 95, receivedAtMs: START_MS + 100, ageMs: 5 },
      },
    })
  })
  test("given no venue time (spot's bookTicker), then age counts from the receipt; by REST, from the question", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ symbol: "BTCUSDT", market: "spot", book: book("1", "1") })
    await clock.advance(7)
    expect(it.read("BTCUSDT", "spot").quote?.bid).toEqual({ price: "1", receivedAtMs: START_MS, ageMs: 7 })
    it.post({ symbol: "BTCUSDT", market: "spot", book: book("2", "2"), askedAtMs: START_MS + 3 })
    expect(it.read("BTCUSDT", "spot").quote?.bid).toMatchObject({ price: "2", ageMs: 4 })
  })
  test("given a stale book and a fresh trade, then the trade", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ ...BTC, book: book("1", "2") })
    await clock.advance(10_001)
    it.post({ ...BTC, last: c("3") })
    expect(it.read("BTCUSDT", "futures")).toMatchObject({ _tag: "Fresh", price: { price: "3", source: "trade" } })
  })
})

describe("a price that is refused", () => {
  test("given none, then PRICE_UNKNOWN", () => {
    expect(board(marketClock()).read("BTCUSDT", "spot")).toMatchObject({
      _tag: "Refused",
      reason: { code: "PRICE_UNKNOWN", class: "declined" },
    })
  })
  test("given one that is as old as is allowed, then it counts; one millisecond later it is refused with its age and the limit", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ ...BTC, book: book("1", "1") })
    await clock.advance(10_000)
    expect(it.read("BTCUSDT", "futures")._tag).toBe("Fresh")
    await clock.advance(1)
    expect(it.read("BTCUSDT", "futures")).toMatchObject({
      _tag: "Refused",
      reason: { code: "PRICE_STALE", observed: "10001 ms old", limit: "MAX_PRICE_AGE_MS 10000" },
      stale: { price: "1", atMs: START_MS },
    })
  })
  test("given a message that was long on its way, then it is as old as the venue says", () => {
    const it = board(marketClock())
    it.post({ ...BTC, last: c("1"), venueAtMs: START_MS - 10_001 })
    expect(it.read("BTCUSDT", "futures")).toMatchObject({ _tag: "Refused", reason: { code: "PRICE_STALE" } })
  })
  test("given a venue's clock that runs ahead, or a hostile time, then a price is never younger than its receipt", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ ...BTC, last: c("1"), venueAtMs: START_MS + 86_400_000 })
    await clock.advance(10_001)
    expect(it.read("BTCUSDT", "futures")._tag).toBe("Refused")
  })
  test("given a wall clock that is set back, then an old price does not become young", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ ...BTC, last: c("1") })
    await clock.advance(10_001)
    clock.skewMs = -60_000
    expect(it.read("BTCUSDT", "futures")._tag).toBe("Refused")
  })
  test("given a machine that slept (the monotonic clock stood still), then the wall clock counts", () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ ...BTC, last: c("1") })
    clock.skewMs = 60_000
    expect(it.read("BTCUSDT", "futures")._tag).toBe("Refused")
  })
})

describe("the newest wins", () => {
  test("given an older event after a newer one, then it is left out", () => {
    const it = board(marketClock())
    it.post({ ...BTC, last: c("2"), venueAtMs: START_MS - 10 })
    expect(it.post({ ...BTC, last: c("1"), venueAtMs: START_MS - 20 })).toBe("outdated")
    expect(it.read("BTCUSDT", "futures")).toMatchObject({ price: { price: "2" } })
    expect(it.counts()).toMatchObject({ understood: 2, outdated: 1 })
  })
  test("given two tickers without times, then the update id decides", () => {
    const it = board(marketClock())
    it.post({ symbol: "X", market: "spot", book: book("2", "2"), updateId: 11 })
    expect(it.post({ symbol: "X", market: "spot", book: book("1", "1"), updateId: 10 })).toBe("outdated")
  })
  test("given an answer by REST that was asked for before the last event came, then the event stays", async () => {
    const clock = marketClock()
    const it = board(clock)
    const askedAtMs = clock.nowMs()
    await clock.advance(5)
    it.post({ ...BTC, book: book("2", "2"), venueAtMs: START_MS - 3_000 })
    expect(it.post({ ...BTC, book: book("1", "1"), askedAtMs })).toBe("outdated")
  })
  test("given our clock ahead of the venue's, then events of the stream still follow an answer by REST", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ ...BTC, book: book("1", "1"), askedAtMs: START_MS })
    await clock.advance(5)
    expect(it.post({ ...BTC, book: book("2", "2"), venueAtMs: START_MS - 3_000 })).toBe("taken")
  })
  test("given a feed that begins anew with lower ids (another host, a reset), then it is taken after a while", async () => {
    const clock = marketClock()
    const it = board(clock)
    it.post({ symbol: "X", market: "spot", book: book("2", "2"), updateId: 1_000 })
    await clock.advance(10_001)
    expect(it.post({ symbol: "X", market: "spot", book: book("1", "1"), updateId: 1 })).toBe("taken")
  })
  test("in whatever order events of one clock come, the one with the latest time stands", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 40 }), (lags) => {
        const it = board(marketClock())
        for (const lag of lags) it.post({ ...BTC, last: c(String(lag + 1)), venueAtMs: START_MS - lag })
        expect(it.read("BTCUSDT", "futures")).toMatchObject({ price: { price: String(Math.min(...lags) + 1) } })
      }),
    )
  })
})

describe("bounds", () => {
  test("given symbols that are not known, or too many, then they are counted and not kept", () => {
    const it = board(marketClock(), { maxSymbols: 2, knows: (symbol) => symbol !== "FOO" })
    expect(["FOO", "A", "B", "C", "A"].map((symbol) => it.post({ symbol, market: "spot", last: c("1") }))).toEqual([
      "unknown",
      "taken",
      "taken",
      "unknown",
      "taken",
    ])
    expect(it.counts()).toMatchObject({ symbols: 2, unknownSymbols: 2 })
  })
})
