import type { MarketPrice, Signal } from "@petrosa/contracts"
import { describe, expect, test } from "vitest"
import { tooOld, validate, type ValidationInputs } from "../../src/decisions/index.ts"
import { c, futures, NOW, rulesOf, settings, signal, spot, withRules } from "./given.ts"

const judge = (change: Partial<Signal> = {}, other: Partial<ValidationInputs> = {}) =>
  validate(signal(change), { nowMs: NOW, settings: settings(), venue: futures(), rules: rulesOf("BTCUSDT"), ...other })
const codeOf = (result: ReturnType<typeof validate>) => ("reason" in result ? result.reason.code : "ok")
const live = (price: string, change: Partial<MarketPrice> = {}): MarketPrice => ({
  symbol: "BTCUSDT",
  price: c(price),
  source: "trade",
  atMs: NOW - 100,
  ...change,
})
const inSpot = { rules: rulesOf("BTCUSDT", "spot"), venue: spot() }

describe("what is recorded", () => {
  test("given a good signal, then its age, venue, mode, live price and the limits it was held against", () => {
    const result = judge({}, { livePrice: live("50010") })
    expect(result).toMatchObject({
      ok: {
        nowMs: NOW,
        ageMs: 1000,
        venue: "binance-futures",
        mode: "testnet",
        livePrice: { price: "50010", source: "trade", ageMs: 100 },
        limits: { MIN_CONFIDENCE: "0.5", MAX_SIGNAL_AGE_SECONDS: "300", MAX_PRICE_DEVIATION_PCT: "5", SETTINGS_VERSION: "default" },
      },
    })
  })
  test("given hold, then HOLD, declined, and it was validated", () => {
    const result = judge({ action: "hold", confidence: c("0.1") })
    expect(result).toMatchObject({ reason: { code: "HOLD", class: "declined" }, validated: { ageMs: 1000 } })
  })
})

describe("confidence and age", () => {
  test("given a confidence below MIN_CONFIDENCE, then LOW_CONFIDENCE; at it, accepted", () => {
    expect(judge({ confidence: c("0.49") })).toMatchObject({
      reason: { code: "LOW_CONFIDENCE", class: "declined", observed: "0.49", limit: "MIN_CONFIDENCE 0.5" },
    })
    expect(codeOf(judge({ confidence: c("0.5") }))).toBe("ok")
  })
  test("failures 12: given a signal that was held 301 s, then SIGNAL_TOO_OLD at intake and again right before sending", () => {
    expect(judge({ timestampMs: NOW - 301_000 })).toMatchObject({
      reason: { code: "SIGNAL_TOO_OLD", observed: "301 s old", limit: "300 s" },
    })
    expect(codeOf(judge({ timestampMs: NOW - 300_000 }))).toBe("ok")
    expect(tooOld({ timestampMs: NOW }, NOW + 300_001, 300_000)?.code).toBe("SIGNAL_TOO_OLD")
    expect(tooOld({ timestampMs: NOW }, NOW + 300_000, 300_000)).toBeUndefined()
  })
  test("given a timestamp more than 5 s ahead, then SIGNAL_FROM_FUTURE", () => {
    expect(judge({ timestampMs: NOW + 5_001 })).toMatchObject({
      reason: { code: "SIGNAL_FROM_FUTURE", observed: "5.001 s ahead", limit: "5 s" },
    })
    expect(codeOf(judge({ timestampMs: NOW + 5_000 }))).toBe("ok")
  })
})

describe("symbol and market", () => {
  test("failures 17: given a symbol that the venue does not know, or that is delisted, then it is refused", () => {
    expect(codeOf(judge({ symbol: "NOPEUSDT" }, { rules: undefined }))).toBe("SYMBOL_UNKNOWN")
    const halted = withRules(rulesOf("BTCUSDT"), { trading: false, status: "BREAK" })
    expect(judge({}, { rules: halted })).toMatchObject({ reason: { code: "SYMBOL_NOT_TRADING", observed: "status BREAK" } })
  })
  test("failures 17: given SYMBOLS_ALLOWED and SYMBOLS_DENIED, then both hold, and the second wins", () => {
    expect(codeOf(judge({}, { settings: settings({ symbolsAllowed: ["ETHUSDT"] }) }))).toBe("SYMBOL_NOT_ALLOWED")
    expect(codeOf(judge({}, { settings: settings({ symbolsAllowed: ["BTCUSDT"] }) }))).toBe("ok")
    expect(codeOf(judge({}, { settings: settings({ symbolsAllowed: ["BTCUSDT"], symbolsDenied: ["BTCUSDT"] }) }))).toBe(
      "SYMBOL_NOT_ALLOWED",
    )
  })
  test("given a market that no venue serves, then MARKET_NOT_AVAILABLE", () => {
    expect(codeOf(judge({ market: "spot" }))).toBe("MARKET_NOT_AVAILABLE")
  })
})

describe("price (failures 17, 32: another symbol's price)", () => {
  test("given a price more than MAX_PRICE_DEVIATION_PCT from the live price, then PRICE_DEVIATION", () => {
    expect(judge({}, { livePrice: live("1800") })).toMatchObject({
      reason: { code: "PRICE_DEVIATION", observed: "price 50000 USDT, 2677.7778 % from 1800 (trade)", limit: "5 %" },
    })
    expect(codeOf(judge({ price: c("95"), currentPrice: c("95") }, { livePrice: live("100") }))).toBe("ok")
    expect(codeOf(judge({ price: c("94.99"), currentPrice: c("95") }, { livePrice: live("100") }))).toBe("PRICE_DEVIATION")
    expect(codeOf(judge({ price: c("100"), currentPrice: c("106") }, { livePrice: live("100") }))).toBe("PRICE_DEVIATION")
  })
  test("given no live price, one of an earlier signal, or one that is too old, then deviation cannot be told", () => {
    expect(codeOf(judge())).toBe("ok")
    expect(codeOf(judge({}, { livePrice: live("1800", { source: "signal" }) }))).toBe("ok")
    expect(codeOf(judge({}, { livePrice: live("1800", { atMs: NOW - 10_001 }) }))).toBe("ok")
  })
  test("failures 29, 30: given a live price of 0.00000000 or of nothing, then PRICE_UNKNOWN: the check is never skipped", () => {
    expect(codeOf(judge({}, { livePrice: live("0.00000000") }))).toBe("PRICE_UNKNOWN")
    expect(codeOf(judge({}, { livePrice: { ...live("1"), price: "null" as never } }))).toBe("PRICE_UNKNOWN")
  })
  test("given MAX_PRICE_DEVIATION_PCT 0, then the rule is off", () => {
    expect(codeOf(judge({}, { livePrice: live("1800"), settings: settings({ maxPriceDeviationPct: c("0") }) }))).toBe("ok")
  })
})

describe("order type, time in force, iceberg: refused by name, never dropped", () => {
  test("given a type that the symbol does not offer, then ORDER_TYPE_NOT_SUPPORTED", () => {
    expect(codeOf(judge({ market: "spot", orderType: "stop", triggerPrice: c("51000") }, inSpot))).toBe("ORDER_TYPE_NOT_SUPPORTED")
    expect(codeOf(judge({ orderType: "stop", triggerPrice: c("51000") }))).toBe("ok")
    expect(codeOf(judge({ orderType: "stop" }))).toBe("ORDER_TYPE_NOT_SUPPORTED")
  })
  test.each([
    ["limit", "GTX", "ok"],
    ["limit", "FOK", "ok"],
    ["stop_limit", "GTX", "TIME_IN_FORCE_NOT_SUPPORTED"],
    ["market", "GTC", "ok"],
    ["market", "IOC", "ok"],
    ["market", "FOK", "TIME_IN_FORCE_NOT_SUPPORTED"],
    ["market", "GTX", "TIME_IN_FORCE_NOT_SUPPORTED"],
    ["stop", "IOC", "TIME_IN_FORCE_NOT_SUPPORTED"],
  ] as const)("given %s %s, then %s", (orderType, timeInForce, expected) => {
    expect(codeOf(judge({ orderType, timeInForce, triggerPrice: c("51000") }))).toBe(expected)
  })
  test("given a time in force that the symbol does not list, then it is refused", () => {
    const rules = withRules(rulesOf("BTCUSDT"), { timesInForce: ["GTC"] })
    expect(codeOf(judge({ timeInForce: "FOK" }, { rules }))).toBe("TIME_IN_FORCE_NOT_SUPPORTED")
  })
  test("given an iceberg quantity, then only for spot limit GTC orders", () => {
    const iceberg = { icebergQuantity: c("0.001"), quantity: c("0.005") }
    expect(codeOf(judge(iceberg))).toBe("ICEBERG_NOT_SUPPORTED")
    expect(codeOf(judge({ ...iceberg, market: "spot" }, inSpot))).toBe("ok")
    expect(codeOf(judge({ ...iceberg, market: "spot", orderType: "market" }, inSpot))).toBe("ICEBERG_NOT_SUPPORTED")
    expect(codeOf(judge({ ...iceberg, market: "spot", timeInForce: "IOC" }, inSpot))).toBe("ICEBERG_NOT_SUPPORTED")
  })
})

describe("close: a way out is not barred by what it does not use", () => {
  test("given a denied or halted symbol, another price, or a broken feed, then a close passes", () => {
    const close = { action: "close", orderType: "stop" } as const
    expect(codeOf(judge(close, { settings: settings({ symbolsDenied: ["BTCUSDT"] }) }))).toBe("ok")
    expect(codeOf(judge(close, { rules: undefined }))).toBe("ok")
    expect(codeOf(judge(close, { livePrice: live("1800") }))).toBe("ok")
    expect(codeOf(judge(close, { livePrice: live("0") }))).toBe("ok")
  })
  test("given a close that is too old or not confident, then it is declined like any signal", () => {
    expect(codeOf(judge({ action: "close", timestampMs: NOW - 301_000 }))).toBe("SIGNAL_TOO_OLD")
    expect(codeOf(judge({ action: "close", confidence: c("0.2") }))).toBe("LOW_CONFIDENCE")
  })
})
