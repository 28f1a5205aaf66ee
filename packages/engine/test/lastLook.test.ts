/** The last look at the market before a request leaves. */
import { describe, expect, test } from "vitest"
import type { LegRequest, OrderType, Side } from "@petrosa/contracts"
import { canonical as c, reason } from "@petrosa/contracts"
import type { PriceRead } from "@petrosa/venue"
import { entryProblem, stopIsPassed } from "../src/lastLook.ts"

const at = (price: string, mark?: string): PriceRead => ({
  _tag: "Fresh",
  price: { symbol: "BTCUSDT", price: c(price), source: "book", atMs: 0 },
  ...(mark === undefined ? {} : { mark: { symbol: "BTCUSDT", price: c(mark), source: "mark", atMs: 0 } }),
  quote: { symbol: "BTCUSDT", market: "futures", feed: "binance" },
})
const stale: PriceRead = { _tag: "Refused", reason: reason("PRICE_STALE", "11 s", "10 s") }
const request = (leg: LegRequest["leg"], side: Side, type: OrderType, triggerPrice?: string): LegRequest => ({
  clientOrderId: "x" as LegRequest["clientOrderId"],
  leg,
  side,
  type,
  quantity: c("1"),
  reduceOnly: leg !== "entry",
  ...(triggerPrice === undefined ? {} : { triggerPrice: c(triggerPrice) }),
})
const stopAt = (price: string | null) => ({ stopPrice: price === null ? null : c(price) })

describe("an entry", () => {
  test("given no feed, then nothing is held against it; given an old price, then it does not leave", () => {
    expect(entryProblem(stopAt("99"), request("entry", "buy", "market"), undefined)).toBeUndefined()
    expect(entryProblem(stopAt("99"), request("entry", "buy", "market"), stale)?.code).toBe("PRICE_STALE")
  })
  test.each([
    ["buy", "market", "99", "99.01", undefined],
    ["buy", "market", "99", "99", "STOP_SIDE"],
    ["buy", "limit", "99", "98", "STOP_SIDE"],
    ["sell", "market", "101", "100.9", undefined],
    ["sell", "limit", "101", "101", "STOP_SIDE"],
  ] as const)("given a %s %s with its stop at %s, when the market is at %s, then %s", (side, type, stop, market, code) => {
    expect(entryProblem(stopAt(stop), request("entry", side, type), at(market))?.code).toBe(code)
  })
  test.each([
    ["buy", "stop", "105", "104.9", undefined],
    ["buy", "stop_limit", "105", "105", "TRIGGER_SIDE"],
    ["buy", "take_profit", "95", "95.1", undefined],
    ["buy", "take_profit_limit", "95", "95", "TRIGGER_SIDE"],
    ["sell", "stop", "95", "95.1", undefined],
    ["sell", "stop", "95", "94", "TRIGGER_SIDE"],
    ["sell", "take_profit", "105", "104", undefined],
    ["sell", "take_profit", "105", "106", "TRIGGER_SIDE"],
  ] as const)("given a %s %s at %s, when the market is at %s, then %s", (side, type, trigger, market, code) => {
    // Its own stop may lie on the market's side of the trigger: it is not there before the trigger is.
    expect(entryProblem(stopAt(trigger), request("entry", side, type, trigger), at(market))?.code).toBe(code)
  })
})

describe("a stop", () => {
  test.each([
    ["sell", "49000", at("49000.1"), false],
    ["sell", "49000", at("49000"), true],
    ["buy", "51000", at("50999"), false],
    ["buy", "51000", at("51001"), true],
    ["sell", "49000", at("48000", "49500"), false],
    ["sell", "49000", at("49500", "48999"), true],
    ["sell", "49000", stale, false],
    ["sell", "49000", undefined, false],
  ] as const)(
    "given one that would %s at %s, case %#, then only a market that is through it (the mark price's) counts",
    (side, trigger, read, passed) => {
      expect(stopIsPassed(request("stop", side, "stop", trigger), read) !== undefined).toBe(passed)
    },
  )
  test("given a target or a flatten, then it is the venue's to judge", () => {
    expect(stopIsPassed(request("target", "sell", "take_profit", "51000"), at("52000"))).toBeUndefined()
    expect(stopIsPassed(request("flatten", "sell", "market"), at("1"))).toBeUndefined()
  })
})
