/** Market events as Binance and the socket client send them, and whatever else may come. */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonical, dec, gt, isPositive } from "@petrosa/contracts"
import { isObject, parseExact } from "../../src/binance/exactJson.ts"
import { decodeMarketEvent } from "../../src/market-data/decode.ts"

const decode = (text: string) => {
  const value = parseExact(text)
  if (!isObject(value)) throw new Error("the test's own JSON is no object")
  return decodeMarketEvent(value)
}

describe("what is understood", () => {
  test("given a spot bookTicker, which has neither type nor time, then bid and ask, and its update id", () => {
    expect(decode('{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21","a":"25.36520000","A":"40.66"}')).toEqual({
      _tag: "Prices",
      symbol: "BNBUSDT",
      book: { bid: "25.3519", ask: "25.3652" },
      updateId: 400900217,
    })
  })
  test("given a futures bookTicker, then also the event's time", () => {
    expect(
      decode('{"e":"bookTicker","u":4,"E":1568014460893,"T":1568014460891,"s":"BNBUSDT","b":"25.35","B":"1","a":"25.36","A":"1"}'),
    ).toEqual({ _tag: "Prices", symbol: "BNBUSDT", book: { bid: "25.35", ask: "25.36" }, updateId: 4, venueAtMs: 1568014460893 })
  })
  test("given a mark price, then its time is E: T is the next funding", () => {
    expect(
      decode('{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15000000","i":"11784.6","r":"0.0003","T":1562306400000}'),
    ).toEqual({ _tag: "Prices", symbol: "BTCUSDT", mark: "11794.15", venueAtMs: 1562305380000 })
  })
  test("given trades and tickers, then the last price, and the ticker's book where it has one", () => {
    expect(decode('{"e":"trade","E":9,"s":"BTCUSDT","t":12345,"p":"0.001","q":"100","T":7,"m":true,"M":true}')).toEqual({
      _tag: "Prices",
      symbol: "BTCUSDT",
      last: "0.001",
      venueAtMs: 7,
    })
    expect(decode('{"e":"24hrTicker","E":9,"s":"BTCUSDT","p":"0.0015","c":"0.0025","b":"0.0024","a":"0.0026"}')).toEqual({
      _tag: "Prices",
      symbol: "BTCUSDT",
      last: "0.0025",
      book: { bid: "0.0024", ask: "0.0026" },
      venueAtMs: 9,
    })
    expect(decode('{"e":"24hrTicker","E":9,"s":"BTCUSDT","c":"0.0025"}')).toMatchObject({ last: "0.0025" })
    expect(decode('{"e":"24hrMiniTicker","E":9,"s":"BTCUSDT","c":"50000.10","o":"1"}')).toMatchObject({ last: "50000.1" })
  })
  test("given a price that a double does not hold, written as a number, then every digit stays", () => {
    expect(decode('{"e":"trade","s":"XUSDT","T":7,"p":0.1234567890123456789}')).toMatchObject({ last: "0.1234567890123456789" })
  })
})

describe("what is left alone", () => {
  test("given a snapshot or a diff of the book, then nothing: whose it is, or what is its top, is a guess", () => {
    expect(decode('{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}')).toEqual({ _tag: "Other" })
    expect(decode('{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[["0.0024","10"]],"a":[]}')).toEqual({ _tag: "Other" })
    expect(decode('{"e":"kline","s":"BTCUSDT","k":{}}')).toEqual({ _tag: "Other" })
  })
  test.each([
    '{"u":1,"s":"BTCUSDT","b":"10","a":"9"}',
    '{"u":1,"s":"BTCUSDT","b":"0.00000000","a":"9"}',
    '{"u":1,"s":"BTCUSDT","b":"-1","a":"9"}',
    '{"u":1,"s":"BTCUSDT","b":"NaN","a":"9"}',
    '{"u":1,"s":"BTCUSDT","b":"1","a":null}',
    '{"u":1,"s":"btcusdt","b":"1","a":"2"}',
    '{"u":1,"s":"BTC.>","b":"1","a":"2"}',
    '{"u":1,"s":{"x":1},"b":"1","a":"2"}',
    '{"e":"trade","s":"BTCUSDT","T":1,"p":"1e999"}',
    '{"e":"trade","s":"BTCUSDT","T":1,"p":true}',
    '{"e":17,"s":"BTCUSDT","p":"1"}',
    '{"e":"trade","p":"1"}',
    '{"e":"markPriceUpdate","s":"BTCUSDT","p":"0"}',
    "{}",
  ])("given %s, then it is not understood", (text) => {
    expect(decode(text)).toEqual({ _tag: "NotUnderstood" })
  })
})

describe("properties", () => {
  const types = ["bookTicker", "trade", "aggTrade", "markPriceUpdate", "24hrTicker", "24hrMiniTicker", "kline", undefined]
  const anything = fc.oneof(fc.jsonValue(), fc.constantFrom("1", "0", "-1", "1e5", "NaN", "", "9".repeat(100), 1e308, -0, null))
  const event = fc.record(
    {
      e: fc.constantFrom(...types),
      s: fc.oneof(fc.constantFrom("BTCUSDT", "ETHUSDT"), anything),
      E: anything,
      T: anything,
      u: anything,
      b: anything,
      a: anything,
      p: anything,
      c: anything,
    },
    { requiredKeys: [] },
  )
  test("whatever comes, nothing is thrown, and every price that comes of it is exact and above zero, bid not above ask", () => {
    fc.assert(
      fc.property(event, (one) => {
        const parsed = parseExact(JSON.stringify(one))
        if (!isObject(parsed)) throw new Error("an object became none")
        const decoded = decodeMarketEvent(parsed)
        if (decoded._tag !== "Prices") return
        const { book, mark, last } = decoded
        for (const price of [book?.bid, book?.ask, mark, last]) {
          if (price === undefined) continue
          expect(isPositive(dec(price))).toBe(true)
          expect(canonical(price)).toBe(price)
        }
        if (book !== undefined) expect(gt(dec(book.bid), dec(book.ask))).toBe(false)
        expect([book, mark, last].some((found) => found !== undefined)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
  test("a price that was written comes back as it was written", () => {
    const decimal = fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 20n }), fc.integer({ min: 0, max: 12 })).map(([digits, places]) => {
      const text = String(digits).padStart(places + 1, "0")
      return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`
    })
    fc.assert(
      fc.property(decimal, (text) => {
        expect(decode(JSON.stringify({ e: "trade", s: "BTCUSDT", T: 1, p: text }))).toMatchObject({ last: canonical(text) })
      }),
    )
  })
})
