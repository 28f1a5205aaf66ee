import type { MarketPrice, Signal } from "@petrosa/contracts"
import { str } from "@petrosa/contracts"
import { describe, expect, test } from "vitest"
import { entryPrices, livePriceOf } from "../../src/decisions/index.ts"
import { c, d, NOW, okOf, reasonOf, rulesOf, settings, signal } from "./given.ts"

const at = (price: string) => ({ price: d(price), source: "trade", ageMs: 0 }) as const
const priced = (change: Partial<Signal>, live?: string) =>
  entryPrices(
    signal(change),
    change.action === "sell" ? "sell" : "buy",
    rulesOf("BTCUSDT"),
    live === undefined ? undefined : at(live),
    undefined,
  )
const shown = (change: Partial<Signal>, live?: string) => {
  const { price, triggerPrice, sizing, worst, reference } = okOf(priced(change, live))
  const text = (value: typeof price) => (value === undefined ? undefined : str(value))
  return { price: text(price), trigger: text(triggerPrice), sizing: str(sizing), worst: str(worst), reference: str(reference) }
}

describe("the prices of an entry", () => {
  test("given a market order, then the live price, else current_price", () => {
    expect(shown({ orderType: "market", price: c("49000"), currentPrice: c("50000") })).toMatchObject({
      sizing: "50000",
      reference: "50000",
    })
    expect(shown({ orderType: "market" }, "50100.05")).toMatchObject({ sizing: "50100.05", price: undefined })
  })
  test("given a resting limit order, then it is expected to fill at its price", () => {
    expect(shown({ price: c("49000.07"), currentPrice: c("50000") })).toEqual({
      price: "49000",
      trigger: undefined,
      sizing: "49000",
      worst: "49000",
      reference: "49000",
    })
    expect(shown({ action: "sell", price: c("50500.01"), currentPrice: c("50000") })).toMatchObject({
      price: "50500.1",
      reference: "50500.1",
    })
  })
  test("given a limit order that the market already passed, then it is expected to fill at the market: the stop is judged there", () => {
    expect(shown({ price: c("51000") }, "50000")).toMatchObject({ sizing: "51000", worst: "51000", reference: "50000" })
    expect(shown({ action: "sell", price: c("49000") }, "50000")).toMatchObject({ sizing: "49000", worst: "50000", reference: "50000" })
  })
  test("given trigger types, then the trigger is rounded to fire no later than asked, and prices the order", () => {
    expect(shown({ orderType: "stop", triggerPrice: c("51000.07") })).toMatchObject({
      trigger: "51000",
      sizing: "51000",
      reference: "51000",
    })
    expect(shown({ action: "sell", orderType: "stop", triggerPrice: c("49000.01") })).toMatchObject({ trigger: "49000.1" })
    expect(shown({ orderType: "take_profit", triggerPrice: c("49000.01") })).toMatchObject({ trigger: "49000.1" })
    expect(shown({ orderType: "stop_limit", triggerPrice: c("51000"), price: c("51100"), currentPrice: c("50000") })).toEqual({
      price: "51100",
      trigger: "51000",
      sizing: "51100",
      worst: "51100",
      reference: "51000",
    })
  })
  test.each([
    ["buy", "stop", "49999", "above 50000 USDT (buy stop)"],
    ["buy", "stop", "50000", "above 50000 USDT (buy stop)"],
    ["sell", "stop", "50001", "below 50000 USDT (sell stop)"],
    ["buy", "take_profit", "50001", "below 50000 USDT (buy take_profit)"],
    ["sell", "take_profit", "49999", "above 50000 USDT (sell take_profit)"],
  ] as const)("given a %s %s with its trigger at %s and the market at 50000, then TRIGGER_SIDE", (action, orderType, trigger, limit) => {
    expect(reasonOf(priced({ action, orderType, triggerPrice: c(trigger) }, "50000"))).toMatchObject({ code: "TRIGGER_SIDE", limit })
  })
  test("given no price of the market at all, then the side of the trigger is left to the venue, and a note says so", () => {
    // current_price was left out, so it repeats `price`, here the limit price beyond the trigger.
    const decision = okOf(priced({ orderType: "stop_limit", triggerPrice: c("51000"), price: c("51100"), currentPrice: c("51100") }))
    expect(decision.notes).toHaveLength(1)
  })
})

describe("what counts as a live price", () => {
  const price = (change: Partial<MarketPrice>): MarketPrice => ({
    symbol: "BTCUSDT",
    price: c("50000"),
    source: "mark",
    atMs: NOW,
    ...change,
  })
  test("given a young price of the market, then it counts; of a signal, or too old, then it does not", () => {
    expect(okOf(livePriceOf(price({ atMs: NOW - 10_000 }), NOW, settings()))).toMatchObject({ source: "mark", ageMs: 10_000 })
    expect(okOf(livePriceOf(price({ atMs: NOW - 10_001 }), NOW, settings()))).toBeUndefined()
    expect(okOf(livePriceOf(price({ source: "signal" }), NOW, settings()))).toBeUndefined()
    expect(okOf(livePriceOf(undefined, NOW, settings()))).toBeUndefined()
  })
  test("failures 30: given 0.00000000 or junk, then PRICE_UNKNOWN", () => {
    for (const text of ["0.00000000", "-1", "", "NaN"])
      expect(reasonOf(livePriceOf(price({ price: text as never }), NOW, settings())).code).toBe("PRICE_UNKNOWN")
  })
})
