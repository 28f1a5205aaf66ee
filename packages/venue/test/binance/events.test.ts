/** Decoders of stream events and REST rows: recorded messages, 64-bit ids, and anything at all (which must never throw). */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { decodeFuturesEvent, readEvent } from "../../src/binance-futures/events.ts"
import type { FuturesEvent } from "../../src/binance-futures/events.ts"
import { algoOrderStatus, decodeAlgo, decodeOrder as decodeFuturesOrder, decodePosition } from "../../src/binance-futures/orders.ts"
import { decodeSpotEvent, readMessage } from "../../src/binance-spot/events.ts"
import type { SpotEvent } from "../../src/binance-spot/events.ts"
import { decodeOrder as decodeSpotOrder, decodePlacementFills } from "../../src/binance-spot/orders.ts"
import { decimal, id, isObject, millis, parseExact } from "../../src/binance/exactJson.ts"
import { decodeTrade } from "../../src/binance/trades.ts"
import {
  ACCOUNT_POSITION,
  ACCOUNT_UPDATE,
  ALGO_UPDATE,
  EXECUTION_REPORT,
  LISTEN_KEY_EXPIRED,
  LIST_STATUS,
  ORDER_TRADE_UPDATE,
  TRADE_LITE,
  changed,
} from "./fixtures.ts"

const assetsOf = (symbol: string) => ({ baseAsset: symbol.slice(0, 3), quoteAsset: symbol.slice(3) })
const spot = (message: string): SpotEvent => {
  const read = readMessage(message)
  return read._tag === "Event" ? decodeSpotEvent(read.event, assetsOf) : { _tag: "Ignored" }
}
const futures = (message: string): FuturesEvent => {
  const event = readEvent(message)
  return event === undefined ? { _tag: "Ignored" } : decodeFuturesEvent(event, assetsOf)
}

describe("spot's user stream", () => {
  test("given the documented report of a new order, then it is that order, exactly", () => {
    expect(spot(EXECUTION_REPORT)).toEqual({
      _tag: "Order",
      key: "ETHBTC 4293153 8641984 new",
      order: {
        symbol: "ETHBTC",
        clientOrderId: "mUvoqJxFIILMdfAW5iGSOW",
        venueOrderId: "4293153",
        side: "buy",
        type: "limit",
        status: "new",
        quantity: "1",
        filledQuantity: "0",
        filledQuote: "0",
        price: "0.1026441",
        updatedAtMs: 1499405658657,
      },
    })
  })

  test("given the legs of lists, then what waits is told as pending, and what the other leg ended as ended by it", () => {
    expect(spot(changed(EXECUTION_REPORT, { X: '"PENDING_NEW"' }))).toMatchObject({ order: { status: "new", pending: true } })
    const expired = changed(EXECUTION_REPORT, { x: '"EXPIRED"', X: '"EXPIRED"' }).replace('"V":"NONE"', '"V":"NONE","eR":"OCO_TRIGGER"')
    expect(spot(expired)).toMatchObject({ order: { status: "expired", endedBySibling: true } })
    const refused = expired.replace("OCO_TRIGGER", "REJECTED")
    expect(spot(refused)).not.toHaveProperty("order.endedBySibling")
  })

  test("given a trade, then it is a fill with its exact fee, in quote when the fee is in base", () => {
    const message = changed(EXECUTION_REPORT, {
      x: '"TRADE"',
      X: '"PARTIALLY_FILLED"',
      l: '"0.40000000"',
      z: '"0.40000000"',
      L: '"0.10264410"',
      n: '"0.00040000"',
      N: '"ETH"',
      t: "9223372036854775807",
      Z: '"0.04105764"',
    })
    expect(spot(message)).toMatchObject({
      key: "ETHBTC 4293153 trade 9223372036854775807",
      order: { status: "partially_filled", filledQuantity: "0.4", filledQuote: "0.04105764" },
      fill: {
        tradeId: "9223372036854775807",
        quantity: "0.4",
        price: "0.1026441",
        fee: "0.0004",
        feeAsset: "ETH",
        feeQuote: "0.00004105764",
      },
    })
  })

  test("given a cancel, then the order's own id counts, not that of the cancel request", () => {
    const message = changed(EXECUTION_REPORT, { c: '"cancel-request"', C: '"our-order"', x: '"CANCELED"', X: '"CANCELED"' })
    expect(spot(message)).toMatchObject({ order: { clientOrderId: "our-order", status: "cancelled" } })
  })

  test("given other events, then they are balance, the end of the subscription, or nothing to us", () => {
    expect(spot(ACCOUNT_POSITION)).toEqual({ _tag: "Balance" })
    expect(spot(LIST_STATUS)).toEqual({ _tag: "Ignored" })
    expect(spot(`{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}`)).toEqual({ _tag: "Terminated" })
    expect(spot(`{"event":{"e":"serverShutdown","E":1}}`)).toEqual({ _tag: "Shutdown" })
  })

  test("given a report that lacks what makes it one, then it is unreadable, so that somebody asks", () => {
    expect(spot(changed(EXECUTION_REPORT, { X: '"NO_SUCH_STATUS"' }))).toMatchObject({ _tag: "Unreadable" })
    expect(spot(changed(EXECUTION_REPORT, { x: '"TRADE"' }))).toMatchObject({ _tag: "Unreadable" })
    expect(spot(changed(EXECUTION_REPORT, { z: '"much"' }))).toMatchObject({ _tag: "Unreadable" })
  })

  test("given the answers of the subscription, then they are told apart", () => {
    expect(readMessage(`{"id":"u","status":200,"result":{"subscriptionId":0}}`)).toEqual({ _tag: "Subscribed" })
    expect(readMessage(`{"id":"u","status":400,"error":{"code":-2035,"msg":"User Data Stream subscription already active."}}`)).toEqual({
      _tag: "Subscribed",
    })
    expect(readMessage(`{"id":"u","status":401,"error":{"code":-2015,"msg":"x"}}`)).toEqual({ _tag: "Refused", code: "-2015" })
    expect(readMessage("not json")).toEqual({ _tag: "Other" })
  })
})

describe("futures' user stream", () => {
  test("given a recorded order update, raw or combined, then it is that order; twice, it has the same key", () => {
    const event = futures(ORDER_TRADE_UPDATE)
    expect(event).toMatchObject({
      _tag: "Order",
      order: {
        clientOrderId: "bot-e0536484551311f1b0c42676a180379c",
        venueOrderId: "215456450616",
        quantity: "21.26",
        price: "85.67",
        status: "new",
      },
    })
    expect(futures(`{"stream":"key","data":${ORDER_TRADE_UPDATE}}`)).toEqual(event)
  })

  test("given a trade of an order with a 64-bit id, then id, price and fee are exact; a missing fee is none", () => {
    const trade = changed(ORDER_TRADE_UPDATE, {
      x: '"TRADE"',
      X: '"FILLED"',
      i: "8389765612825190229",
      l: '"21.26"',
      z: '"21.26"',
      L: '"85.67"',
      ap: '"85.67"',
      n: '"0.91067210"',
      t: "4467432841",
    })
    const fill = { tradeId: "4467432841", quantity: "21.26", price: "85.67", fee: "0.9106721", feeAsset: "USDT", feeQuote: "0.9106721" }
    expect(futures(trade)).toMatchObject({
      key: "SOLUSDT 8389765612825190229 trade 4467432841",
      order: { venueOrderId: "8389765612825190229", filledQuote: "1821.3442" },
      fill,
    })
    expect(futures(trade.replace('"n":"0.91067210","N":"USDT",', ""))).toMatchObject({
      fill: { fee: "0", feeAsset: "USDT", feeQuote: "0" },
    })
  })

  test("given a liquidation (CALCULATED), then its trade is a fill too", () => {
    const trade = changed(ORDER_TRADE_UPDATE, {
      x: '"CALCULATED"',
      X: '"FILLED"',
      o: '"LIQUIDATION"',
      ot: '"LIQUIDATION"',
      l: '"1"',
      z: '"1"',
      L: '"80"',
      t: "5",
      c: '"autoclose-1"',
    })
    expect(futures(trade)).toMatchObject({ _tag: "Order", fill: { tradeId: "5" }, order: { type: "market" } })
  })

  test("given a recorded algo update, then it names its child, and its ids are text", () => {
    expect(futures(ALGO_UPDATE)).toMatchObject({
      _tag: "Algo",
      key: "algo 1000000033225453 TRIGGERED 1765431097030",
      algo: {
        algoStatus: "TRIGGERED",
        childId: "88937381063",
        order: {
          clientOrderId: "O-20251211-053131-TEST-000-1",
          venueOrderId: "algo:1000000033225453",
          type: "stop",
          triggerPrice: "0.13855",
          status: "new",
        },
      },
    })
    expect(futures(changed(ALGO_UPDATE, { X: '"NEW"', ai: '""', aid: "9223372036854775807" }))).toMatchObject({
      algo: { childId: undefined, order: { venueOrderId: "algo:9223372036854775807" } },
    })
    expect(futures(changed(ALGO_UPDATE, { X: '"FINISHED"', aq: '"38"', ap: '"0.1386"' }))).toMatchObject({
      algo: { order: { status: "filled", filledQuantity: "38", filledQuote: "5.2668" } },
    })
    expect(futures(changed(ALGO_UPDATE, { X: '"FINISHED"' }))).toMatchObject({
      algo: { order: { status: "cancelled", filledQuantity: "0" } },
    })
  })

  test("given other events, then they are balance, an expired key (also with its time as text), or nothing to us", () => {
    expect(futures(ACCOUNT_UPDATE)).toEqual({ _tag: "Account", reason: "ORDER" })
    expect(futures(LISTEN_KEY_EXPIRED)).toEqual({ _tag: "ListenKeyExpired" })
    expect(futures(TRADE_LITE)).toEqual({ _tag: "Ignored" })
    expect(futures(`{"e":"STRATEGY_UPDATE"}`)).toEqual({ _tag: "Ignored" })
    expect(futures(`{"result":null,"id":1}`)).toEqual({ _tag: "Ignored" })
  })

  test.each([
    ["NEW", "0", "new"],
    ["TRIGGERING", "0", "new"],
    ["TRIGGERED", "0", "new"],
    ["TRIGGERED", "1", "partially_filled"],
    ["FINISHED", "0", "cancelled"],
    ["FINISHED", "1", "cancelled"],
    ["FINISHED", "2", "filled"],
    ["CANCELED", "0", "cancelled"],
    ["REJECTED", "0", "rejected"],
    ["EXPIRED", "0", "expired"],
  ] as const)("given an algo order %s with %s of 2 filled, then it is %s", (status, filled, expected) => {
    expect(algoOrderStatus(status, "2" as never, filled as never)).toBe(expected)
  })

  test("given positions, then one-way amounts are signed, and nothing held is no position", () => {
    const row = { symbol: "BTCUSDT", positionSide: "BOTH", positionAmt: "-0.500", entryPrice: "50000.0" }
    expect(decodePosition(row)).toEqual({ symbol: "BTCUSDT", side: "short", quantity: "0.5", entryPrice: "50000" })
    expect(decodePosition({ ...row, positionAmt: "0.5" })).toMatchObject({ side: "long" })
    expect(decodePosition({ ...row, positionSide: "SHORT", positionAmt: "-0.5" })).toMatchObject({ side: "short", quantity: "0.5" })
    expect(decodePosition({ ...row, positionAmt: "0.000" })).toBe("none")
    expect(decodePosition({ symbol: "BTCUSDT" })).toBeUndefined()
  })
})

describe("exact JSON", () => {
  test("given any integer, then it comes back with every digit", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (n) => {
        const json = parseExact(`{"i":${n}}`)
        expect(isObject(json) ? id(json, "i") : undefined).toBe(String(n))
      }),
    )
  })
  test("given decimals as numbers or as text, then they are exact; digits inside of text are left alone", () => {
    const json = parseExact(`{"a":0.10000000000000000001,"b":"1e-7","c":"id 12345678901234567890","d":1e2}`)
    if (!isObject(json)) throw new Error("no object")
    expect(decimal(json, "a")).toBe("0.10000000000000000001")
    expect(decimal(json, "b")).toBe("0.0000001")
    expect(json["c"]).toBe("id 12345678901234567890")
    expect(decimal(json, "d")).toBe("100")
    expect(millis(json, "constructor")).toBeUndefined()
  })
  test("given anything that is no JSON, or nested without end, then there is no answer, and nothing is thrown", () => {
    expect(parseExact("")).toBeUndefined()
    expect(parseExact("<html>")).toBeUndefined()
    expect(() => parseExact(`${"[".repeat(200_000)}${"]".repeat(200_000)}`)).not.toThrow()
  })
})

/** Values that look almost right: the fields of real messages with anything in them. */
const almost = (message: string): fc.Arbitrary<unknown> => {
  const base = JSON.parse(message) as Record<string, unknown>
  const names = [...new Set(message.match(/"([A-Za-z]{1,16})":/g)?.map((name) => name.slice(1, -2)) ?? [])]
  return fc
    .dictionary(fc.constantFrom(...names), fc.oneof(fc.jsonValue(), fc.constantFrom("0", "-1", "1e-7", 2 ** 60, "TRADE", "FILLED")))
    .map((change) => {
      const inner = (base["event"] ?? base["o"] ?? {}) as Record<string, unknown>
      const wrapped = base["event"] === undefined ? "o" : "event"
      return { ...base, ...change, [wrapped]: { ...inner, ...change } }
    })
}

describe("whatever comes, nothing throws", () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    ...[EXECUTION_REPORT, ORDER_TRADE_UPDATE, ALGO_UPDATE, ACCOUNT_UPDATE, LIST_STATUS, LISTEN_KEY_EXPIRED].map(almost),
  )
  test("given any JSON as a message of either stream", () => {
    fc.assert(
      fc.property(anything, (value) => {
        const message = JSON.stringify(value)
        expect(() => spot(message)).not.toThrow()
        expect(() => futures(message)).not.toThrow()
      }),
      { numRuns: 2_000 },
    )
  })
  test("given any text as a message", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (message) => void [spot(message), futures(message)]))
  })
  test("given any JSON as a row of REST", () => {
    fc.assert(
      fc.property(anything, (value) => {
        decodeTrade(value, undefined)
        const json = parseExact(JSON.stringify(value))
        if (!isObject(json)) return
        for (const decode of [decodeSpotOrder, decodeFuturesOrder, decodeAlgo, decodePosition]) decode(json)
        decodePlacementFills(json, undefined)
      }),
      { numRuns: 1_000 },
    )
  })
})
