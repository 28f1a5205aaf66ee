/** The socket client's messages, and bytes that are none. */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { openNatsMarketData } from "../../src/market-data/natsMarketData.ts"
import type { NatsMarketDataOptions } from "../../src/market-data/natsMarketData.ts"
import { START_MS, marketClock } from "./given.ts"

const world = (more: Partial<NatsMarketDataOptions> = {}) => {
  const clock = marketClock()
  let hear: (data: Uint8Array) => void = () => undefined
  let stopped = false
  const data = openNatsMarketData({
    clock,
    markets: "both",
    maxAgeMs: 10_000,
    knows: (symbol) => /^(BTC|ETH)USDT$/.test(symbol),
    subscribe: (onMessage) => {
      hear = onMessage
      return () => {
        stopped = true
      }
    },
    ...more,
  })
  return {
    clock,
    data,
    say: (text: string) => hear(new TextEncoder().encode(text)),
    bytes: (raw: Uint8Array) => hear(raw),
    isStopped: () => stopped,
  }
}

/** As `to_nats_message` of the socket client writes it. */
const envelope = (data: unknown, more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    stream: "btcusdt@trade",
    data,
    timestamp: new Date(START_MS).toISOString().replace("Z", "000Z"),
    message_id: "5d5e9a6e-9b43-4f9f-9b0a-0f7a0d0a9c11",
    source: "binance-websocket",
    version: "1.0",
    _otel_trace_context: {},
    ...more,
  })
const trade = { e: "trade", E: START_MS - 5, s: "BTCUSDT", t: 12345, p: "50000.10", q: "100", T: START_MS - 10, m: true, M: true }

describe("prices from the socket client", () => {
  test("given a trade, then it is the last price of both markets; of one, where the setting says so", () => {
    const both = world()
    both.say(envelope(trade))
    expect(both.data.read("BTCUSDT", "spot")).toMatchObject({
      _tag: "Fresh",
      price: { price: "50000.1", source: "trade", feed: "nats", atMs: START_MS - 10 },
    })
    expect(both.data.read("BTCUSDT", "futures")._tag).toBe("Fresh")
    const spot = world({ markets: "spot" })
    spot.say(envelope(trade))
    expect(spot.data.read("BTCUSDT", "spot")._tag).toBe("Fresh")
    expect(spot.data.read("BTCUSDT", "futures")._tag).toBe("Refused")
  })
  test("given a ticker, then its bid and ask; given a mark price, then of futures whatever the setting says", () => {
    const { data, say } = world({ markets: "spot" })
    say(envelope({ e: "24hrTicker", E: START_MS, s: "ETHUSDT", c: "3000", b: "2999", a: "3001" }))
    say(envelope({ e: "markPriceUpdate", E: START_MS, s: "ETHUSDT", p: "3002.5", T: 1 }))
    expect(data.read("ETHUSDT", "spot")).toMatchObject({ price: { price: "3000", source: "book" } })
    expect(data.read("ETHUSDT", "futures")).toMatchObject({ price: { price: "3002.5", source: "mark" } })
  })
  test("given a message that was handed on long ago and has no time of its own, then it is as old as the envelope", () => {
    const { data, say } = world()
    const { E, T, ...timeless } = trade
    say(envelope(timeless, { timestamp: new Date(START_MS - 11_000).toISOString() }))
    expect(data.read("BTCUSDT", "spot")).toMatchObject({ _tag: "Refused", reason: { code: "PRICE_STALE", observed: "11000 ms old" } })
    expect([E, T]).toEqual([START_MS - 5, START_MS - 10])
  })
  test("given a naive timestamp, then it is UTC", () => {
    const { data, say } = world()
    say(envelope({ e: "trade", s: "BTCUSDT", p: "1" }, { timestamp: new Date(START_MS - 2_000).toISOString().replace("Z", "") }))
    expect(data.read("BTCUSDT", "spot")).toMatchObject({ price: { atMs: START_MS - 2_000 } })
  })
  test("given a snapshot of the book, whose symbol the client guesses, then it moves nothing and is no error", () => {
    const { data, say } = world()
    say(envelope({ lastUpdateId: 1, bids: [["1", "1"]], asks: [["2", "1"]] }, { stream: "btcusdt@depth20@100ms" }))
    expect(data.read("BTCUSDT", "spot")._tag).toBe("Refused")
    expect(data.counts()).toMatchObject({ notUnderstood: 0, understood: 0 })
  })
  test("given symbols that are not traded here, then they are counted and not kept", () => {
    const { data, say } = world()
    say(envelope({ ...trade, s: "FOOUSDT" }))
    expect(data.counts()).toMatchObject({ symbols: 0, unknownSymbols: 2 })
  })
  test("given close, then the subscription ends", async () => {
    const { data, isStopped } = world()
    await data.close()
    expect(isStopped()).toBe(true)
  })
})

describe("hostile messages", () => {
  test.each([
    "",
    "null",
    "[]",
    '"x"',
    "{",
    "{}",
    '{"data":null}',
    '{"data":[]}',
    '{"data":{}}',
    '{"data":"{\\"e\\":\\"trade\\"}"}',
    `{"data":{"__proto__":{"e":"trade"}}}`,
    `{"data":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    JSON.stringify({ data: { ...trade, pad: "x".repeat(70_000) } }),
  ])("given message %#, then it is counted, and nothing is thrown", (text) => {
    const { data, say } = world()
    say(text)
    expect(data.counts()).toMatchObject({ notUnderstood: 1, symbols: 0 })
  })
  test("given any bytes, then nothing is thrown, and each message counts once at least", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (raw) => {
          const { data, bytes } = world()
          bytes(raw)
          expect(data.counts().symbols).toBe(0)
          expect(data.counts().notUnderstood).toBe(1)
        },
      ),
      { numRuns: 500 },
    )
  })
  test("given envelopes with any data and any time, then nothing is thrown, and no price is younger than its receipt", () => {
    const any = fc.oneof(fc.jsonValue(), fc.constant("50000"), fc.constant(START_MS + 1e9))
    const data = fc.record({
      e: fc.constantFrom("trade", "24hrTicker", "bookTicker"),
      s: fc.constant("BTCUSDT"),
      p: any,
      c: any,
      b: any,
      a: any,
      T: any,
      E: any,
      u: any,
    })
    fc.assert(
      fc.property(data, any, (inner, timestamp) => {
        const it = world()
        it.say(envelope(inner, { timestamp }))
        const read = it.data.read("BTCUSDT", "spot")
        const price = read._tag === "Fresh" ? read.price : read.stale
        if (price !== undefined) expect(price.atMs).toBeLessThanOrEqual(START_MS)
      }),
      { numRuns: 500 },
    )
  })
})

describe("waiting for the first price", () => {
  test("given none yet, then it is waited for, and the price ends the wait", async () => {
    const { data, say } = world()
    const waiting = data.prepare("BTCUSDT", "spot")
    expect(data.prepare("BTCUSDT", "spot")).toBe(waiting)
    say(envelope(trade))
    await waiting
    expect(data.read("BTCUSDT", "spot")._tag).toBe("Fresh")
    expect(data.prepare("BTCUSDT", "spot")).toBeUndefined()
  })
  test("given none in 2 s, then the wait ends, and is not begun again for a while", async () => {
    const { data, clock } = world()
    let over = false
    void data.prepare("BTCUSDT", "spot")?.then(() => {
      over = true
    })
    await clock.advance(1_999)
    expect(over).toBe(false)
    await clock.advance(1)
    expect(over).toBe(true)
    expect(data.prepare("BTCUSDT", "spot")).toBeUndefined()
    await clock.advance(5_000)
    expect(data.prepare("BTCUSDT", "spot")).toBeDefined()
  })
  test("given a symbol that nobody trades, then nothing is waited for", () => {
    expect(world().data.prepare("FOOUSDT", "spot")).toBeUndefined()
  })
})
