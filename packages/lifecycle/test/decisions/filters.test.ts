import { add, eq, gte, isZero, lt, lte, mul, str, sub } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  applyFilters,
  checkFilters,
  checkIceberg,
  checkNotional,
  checkPercentPrice,
  checkPrice,
  checkQuantity,
  commonStep,
  greatestQuantity,
  leastQuantity,
  roundLimitPrice,
  roundQuantity,
  roundStopLimitPrice,
  roundStopTrigger,
  roundTarget,
  rulesNumbers,
} from "../../src/decisions/index.ts"
import { TABLE, anyRules, c, d, must, okOf, priceFor, reasonOf, rulesOf, withRules } from "./given.ts"

const text = (value: Parameters<typeof str>[0]) => str(value)

describe("rounding of prices", () => {
  test("given a limit price between two ticks, then it is never worse than asked: BUY down, SELL up", () => {
    expect(text(roundLimitPrice("buy", d("55.324242343"), d("0.01")))).toBe("55.32")
    expect(text(roundLimitPrice("sell", d("55.324242343"), d("0.01")))).toBe("55.33")
  })
  test("given a protective stop between two ticks, then it fires no later than asked: SELL up, BUY down", () => {
    expect(text(roundStopTrigger("sell", d("100.01"), d("0.25")))).toBe("100.25")
    expect(text(roundStopTrigger("buy", d("100.24"), d("0.25")))).toBe("100")
  })
  test("given a target between two ticks, then it is reached no later than asked: SELL down, BUY up", () => {
    expect(text(roundTarget("sell", d("100.24"), d("0.25")))).toBe("100")
    expect(text(roundTarget("buy", d("100.01"), d("0.25")))).toBe("100.25")
  })
  test("given a protective stop-limit price, then it is more fillable: SELL down, BUY up", () => {
    expect(text(roundStopLimitPrice("sell", d("99.99"), d("0.05")))).toBe("99.95")
    expect(text(roundStopLimitPrice("buy", d("99.96"), d("0.05")))).toBe("100")
  })
  test("failures 23: given ticks that are tiny or no power of ten, then rounding is exact", () => {
    expect(text(roundLimitPrice("buy", d("0.00001234"), d("0.0000001")))).toBe("0.0000123")
    expect(text(roundLimitPrice("buy", d("67321.57"), d("0.05")))).toBe("67321.55")
    expect(text(roundLimitPrice("buy", d("67321.57"), d("0.25")))).toBe("67321.5")
  })
})

describe("quantities", () => {
  test("given a spot market order and a MARKET_LOT_SIZE step of zero, then that part is disabled and only its maximum counts", () => {
    const rules = rulesOf("BTCUSDT", "spot")
    expect(text(roundQuantity(d("0.123456789"), true, rules))).toBe("0.12345")
    expect(checkQuantity(d("129"), true, rules)).toBeUndefined()
    expect(reasonOf({ reason: checkQuantity(d("130"), true, rules) })).toMatchObject({
      code: "MAX_QUANTITY",
      observed: "130 BTC",
      limit: "129.84957276 BTC",
    })
    expect(checkQuantity(d("130"), false, rules)).toBeUndefined()
  })
  test("given steps of which neither is a multiple of the other, then the least common multiple counts at market", () => {
    expect(text(commonStep(d("0.2"), d("0.3")))).toBe("0.6")
    expect(text(commonStep(d("0.25"), d("0.1")))).toBe("0.5")
    expect(text(commonStep(d("0"), d("0.1")))).toBe("0.1")
    expect(text(commonStep(d("0.001"), d("0")))).toBe("0.001")
  })
  test("given such rules, then a market order obeys both steps and a limit order its own", () => {
    const rules = withRules(rulesOf("XRPUSDT", "spot"), {
      lot: { min: c("0"), max: c("0"), step: c("0.3") },
      marketLot: { min: c("0"), max: c("0"), step: c("0.2") },
    })
    expect([text(roundQuantity(d("1.7"), true, rules)), text(roundQuantity(d("1.7"), false, rules))]).toEqual(["1.2", "1.5"])
    expect(checkQuantity(d("1.5"), true, rules)).toMatchObject({ code: "QUANTITY_STEP" })
  })
  test("given less than one step, then nothing is left: QUANTITY_STEP", () => {
    const rules = rulesOf("XRPUSDT", "spot")
    expect(reasonOf(applyFilters({ side: "buy", type: "market", quantity: d("0.9"), reduceOnly: false }, d("0.5"), rules)).code).toBe(
      "QUANTITY_STEP",
    )
  })
  test("given less than the minimum, then MIN_QUANTITY names both with their unit", () => {
    const rules = withRules(rulesOf("BTCUSDT"), { lot: { min: c("0.01"), max: c("1000"), step: c("0.001") } })
    expect(checkQuantity(d("0.009"), false, rules)).toMatchObject({ code: "MIN_QUANTITY", observed: "0.009 BTC", limit: "0.01 BTC" })
  })
})

describe("prices and notionals", () => {
  const rules = rulesOf("ETHUSDT")
  test("given a price below, above, or between the bounds of PRICE_FILTER", () => {
    expect(checkPrice(d("18.66"), "price", rules)).toMatchObject({ code: "PRICE_FILTER", limit: "at least 18.67 USDT" })
    expect(checkPrice(d("95264.26"), "price", rules)).toMatchObject({ code: "PRICE_FILTER", limit: "at most 95264.25 USDT" })
    expect(checkPrice(d("2000.005"), "price", rules)).toMatchObject({ code: "PRICE_FILTER", limit: "a multiple of 0.01 USDT" })
    expect(checkPrice(d("2000.01"), "price", rules)).toBeUndefined()
  })
  test("failures 39: given a price too far from the market, then PERCENT_PRICE holds for the price and for the trigger of every type", () => {
    expect(checkPercentPrice("buy", d("2200.01"), d("2000"), "price", rules)).toMatchObject({
      code: "PERCENT_PRICE",
      limit: "at most 2200 USDT",
    })
    expect(checkPercentPrice("sell", d("1799.99"), d("2000"), "price", rules)).toMatchObject({
      code: "PERCENT_PRICE",
      limit: "at least 1800 USDT",
    })
    // One-sided on futures: a buy may be as low as it likes.
    expect(checkPercentPrice("buy", d("100"), d("2000"), "price", rules)).toBeUndefined()
    const quantity = d("1")
    for (const type of ["limit", "stop_limit", "take_profit_limit"] as const)
      expect(reasonOf(applyFilters({ side: "buy", type, quantity, price: d("2300"), reduceOnly: false }, d("2000"), rules)).code).toBe(
        "PERCENT_PRICE",
      )
    for (const type of ["stop", "stop_limit"] as const)
      expect(
        reasonOf(
          applyFilters({ side: "buy", type, quantity, price: d("2100"), triggerPrice: d("2300"), reduceOnly: false }, d("2000"), rules),
        ).code,
      ).toBe("PERCENT_PRICE")
  })
  test("given a futures order that only reduces, then it is exempt from the notional; on spot it is not", () => {
    const exit = { quantity: d("0.001"), price: d("2000"), type: "market", reduceOnly: true } as const
    expect(checkNotional(exit, rules)).toBeUndefined()
    expect(checkNotional({ ...exit, reduceOnly: false }, rules)).toMatchObject({
      code: "MIN_NOTIONAL",
      observed: "2 USDT",
      limit: "20 USDT",
    })
    expect(checkNotional(exit, rulesOf("ETHUSDT", "spot"))).toMatchObject({ code: "MIN_NOTIONAL" })
  })
  test("given a market order, then the reference price values it, and the maximum only where the rules say so", () => {
    const spot = rulesOf("ETHUSDT", "spot")
    const big = { side: "buy", type: "market", quantity: d("3000"), reduceOnly: false } as const
    expect(text(okOf(applyFilters(big, d("4000"), spot)).quantity)).toBe("3000")
    const strict = withRules(spot, { notional: { ...spot.notional, maxAppliesToMarket: true } })
    expect(reasonOf(applyFilters(big, d("4000"), strict)).code).toBe("MAX_NOTIONAL")
    const lax = withRules(spot, { notional: { ...spot.notional, minAppliesToMarket: false } })
    expect(checkNotional({ quantity: d("0.0001"), price: d("2000"), type: "market", reduceOnly: false }, lax)).toBeUndefined()
  })
  test("given an iceberg, then ceil(quantity / part) is at most the number of parts", () => {
    const spot = rulesOf("ETHUSDT", "spot")
    expect(checkIceberg(d("1"), d("0.1"), spot)).toBeUndefined()
    expect(checkIceberg(d("1.0001"), d("0.1"), spot)).toMatchObject({ code: "ICEBERG_PARTS", observed: "11 parts", limit: "10 parts" })
    expect(checkIceberg(d("1"), d("1"), spot)).toMatchObject({ code: "ICEBERG_PARTS" })
  })
})

describe("failures 18: each symbol at its minimum, and one step below it", () => {
  test.each(TABLE.map((rules) => [`${rules.symbol} ${rules.market}`, rules] as const))("%s", (_, rules) => {
    const n = rulesNumbers(rules)
    const price = roundLimitPrice("sell", mul(n.priceMin, d("3")), n.tick)
    const least = leastQuantity(n.notionalMin, price, n.lotStep)
    const order = { side: "buy", type: "limit", price, reduceOnly: false } as const
    const below = sub(least, n.lotStep)
    const enough = lt(least, n.lotMin) ? n.lotMin : least
    expect(lte(enough, n.lotMax) ? checkNotional({ ...order, quantity: enough }, rules) : undefined).toBeUndefined()
    expect(checkNotional({ ...order, quantity: below }, rules)?.code).toBe("MIN_NOTIONAL")
  })
})

describe("properties over all symbols and odd rules", () => {
  const draft = anyRules.chain((rules) =>
    fc.record({
      rules: fc.constant(rules),
      price: priceFor(rules),
      quantity: fc.double({ min: 1e-7, max: 1e6, noNaN: true }).map((q) => d(q.toPrecision(8))),
      side: fc.constantFrom("buy" as const, "sell" as const),
      type: fc.constantFrom("limit" as const, "market" as const),
      reduceOnly: fc.boolean(),
    }),
  )
  test("given any order, when it is accepted, then it passes every filter as it stands, on tick and step, and never grew", () => {
    fc.assert(
      fc.property(draft, ({ rules, price, quantity, side, type, reduceOnly }) => {
        const asked = { side, type, quantity, reduceOnly, ...(type === "limit" ? { price } : {}) }
        const decision = applyFilters(asked, price, rules)
        if ("reason" in decision) {
          must(Boolean(decision.reason.observed))
          must(Boolean(decision.reason.limit))
          return
        }
        const n = rulesNumbers(rules)
        const order = decision.ok
        expect(checkFilters(order, price, rules)).toBeUndefined()
        expect(eq(roundQuantity(order.quantity, type === "market", rules), order.quantity)).toBe(true)
        expect(lte(order.quantity, quantity)).toBe(true)
        if (order.price !== undefined) {
          must(eq(roundLimitPrice(side, order.price, n.tick), order.price))
          must(side === "buy" ? lte(order.price, price) : gte(order.price, price))
        }
        if (!(reduceOnly && rules.notional.reduceOnlyExempt) && (type !== "market" || rules.notional.minAppliesToMarket))
          must(gte(mul(order.quantity, order.price ?? price), n.notionalMin))
        // Rounding again changes nothing.
        expect(okOf(applyFilters(order, price, rules))).toEqual(order)
      }),
      { numRuns: 500 },
    )
  })
  test("given a notional and a price, then the least quantity reaches it and one step less does not; the greatest stays within and one more does not", () => {
    fc.assert(
      fc.property(
        anyRules.chain((rules) => fc.tuple(fc.constant(rules), priceFor(rules), fc.integer({ min: 1, max: 1_000_000 }))),
        ([rules, price, cents]) => {
          const notional = mul(d(cents), d("0.01"))
          const step = isZero(d(rules.lot.step)) ? d("0.00000001") : d(rules.lot.step)
          const least = leastQuantity(notional, price, step)
          expect(gte(mul(least, price), notional)).toBe(true)
          expect(lt(mul(sub(least, step), price), notional)).toBe(true)
          const most = greatestQuantity(notional, price, step)
          expect(lte(mul(most, price), notional)).toBe(true)
          expect(lt(notional, mul(add(most, step), price))).toBe(true)
        },
      ),
    )
  })
  test("given two steps, then their common step is a multiple of both", () => {
    const step = fc
      .integer({ min: 1, max: 500 })
      .chain((n) => fc.integer({ min: 0, max: 7 }).map((places) => d((n / 10 ** places).toFixed(places))))
    fc.assert(
      fc.property(step, step, (a, b) => {
        const both = commonStep(a, b)
        for (const one of [a, b]) expect(eq(roundLimitPrice("buy", both, one), both)).toBe(true)
      }),
    )
  })
})
