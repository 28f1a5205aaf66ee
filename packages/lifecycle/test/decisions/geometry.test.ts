import type { DecimalString, PriceRule, Side, Signal } from "@petrosa/contracts"
import { eq, floorTo, gt, gte, isZero, lt, lte, mul, str, sub } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bracketPrices, type DecisionSettings, exitSideOf, priceOfRule, rulesNumbers, solveBracket } from "../../src/decisions/index.ts"
import { anyRules, c, d, must, okOf, priceFor, reasonOf, rulesOf, settings, signal, withRules } from "./given.ts"

const solve = (
  change: Partial<Signal>,
  entrySide: Side = "buy",
  other: Partial<DecisionSettings> = {},
  rules = rulesOf("BTCUSDT"),
  reference = "50000",
) => solveBracket({ signal: signal(change), entrySide, reference: d(reference), settings: settings(other), rules })

describe("precedence of the rules (failures 27: absolute, percentage, both, neither)", () => {
  test("given prices, then the prices", () => {
    const bracket = okOf(solve({ stopLoss: c("49000"), takeProfit: c("51500") }))
    expect(bracket.stop).toEqual({ price: "49000", rule: { kind: "price", price: "49000", from: "stop_loss" } })
    expect(bracket.target).toEqual({ price: "51500", rule: { kind: "price", price: "51500", from: "take_profit" } })
    expect(bracket.notes).toEqual([])
  })
  test("given percentages only, then fractions of the fill price", () => {
    const bracket = okOf(solve({ stopLossPct: c("0.03"), takeProfitPct: c("0.06") }, "sell"))
    expect([bracket.stop.price, bracket.target.price]).toEqual(["51500", "47000"])
    expect(bracket.stop.rule).toEqual({ kind: "fraction", fraction: "0.03", from: "stop_loss_pct" })
  })
  test("given an ATR, then its multiples as distances", () => {
    const bracket = okOf(solve({ atr: c("400") }))
    expect([bracket.stop.price, bracket.target.price]).toEqual(["49400", "51200"])
    expect(bracket.stop.rule).toEqual({ kind: "distance", distance: "600", from: "ATR_STOP_MULTIPLE" })
  })
  test("given nothing, then the defaults, 2 % and 5 %", () => {
    const bracket = okOf(solve({}))
    expect([bracket.stop.price, bracket.target.price]).toEqual(["49000", "52500"])
    expect(bracket.target.rule.from).toBe("TAKE_PROFIT_DEFAULT")
  })
  test("given a stop only, then each leg finds its own rule", () => {
    const bracket = okOf(solve({ stopLoss: c("49500"), atr: c("400") }))
    expect([bracket.stop.rule.from, bracket.target.rule.from]).toEqual(["stop_loss", "ATR_TARGET_MULTIPLE"])
  })
  test("given a price and a percentage that disagree, then the price counts and a note says so", () => {
    const bracket = okOf(solve({ stopLoss: c("49000"), stopLossPct: c("0.03"), takeProfit: c("51500"), takeProfitPct: c("0.03") }))
    expect(bracket.stop.price).toBe("49000")
    expect(bracket.notes).toEqual(["stop_loss 49000 counts; stop_loss_pct 0.03 would be 48500"])
  })
})

describe("sides (failures 28, 31: refused, never mirrored)", () => {
  test.each([
    ["buy", { stopLoss: c("51750") }, "STOP_SIDE", "below 50000 USDT"],
    ["sell", { stopLoss: c("49000") }, "STOP_SIDE", "above 50000 USDT"],
    ["buy", { takeProfit: c("49000") }, "TARGET_SIDE", "above 50000 USDT"],
    ["sell", { takeProfit: c("51000") }, "TARGET_SIDE", "below 50000 USDT"],
    ["buy", { stopLoss: c("50000") }, "STOP_SIDE", "below 50000 USDT"],
    ["buy", { stopLossPct: c("0") }, "STOP_SIDE", "below 50000 USDT"],
  ] as const)("given a %s with %o, then %s", (side, change, code, limit) => {
    expect(reasonOf(solve(change, side))).toMatchObject({ code, limit })
  })
  test("failures 29: given a reference of zero, then PRICE_UNKNOWN: the check is never skipped", () => {
    expect(reasonOf(solve({ stopLoss: c("49000") }, "buy", {}, rulesOf("BTCUSDT"), "0")).code).toBe("PRICE_UNKNOWN")
  })
})

describe("house rules and exchange filters together", () => {
  test("failures 35: given a stop 0.01 % away, then STOP_DISTANCE with the percentage and the range", () => {
    expect(reasonOf(solve({ stopLoss: c("49995") }))).toMatchObject({
      code: "STOP_DISTANCE",
      observed: "0.01 % from the entry: 49995 USDT (stop_loss) with the entry at 50000",
      limit: "40000 to 49950 USDT",
    })
  })
  test("failures 31: given a stop absurdly far, then STOP_DISTANCE", () => {
    expect(reasonOf(solve({ stopLoss: c("454.66") }, "buy", {}, rulesOf("BCHUSDT"), "223.66")).code).toBe("STOP_SIDE")
    expect(reasonOf(solve({ stopLoss: c("454.66") }, "sell", {}, rulesOf("BCHUSDT"), "223.66")).code).toBe("STOP_DISTANCE")
  })
  test("given a target nearer than the least distance, then TARGET_DISTANCE", () => {
    expect(reasonOf(solve({ takeProfit: c("50010") })).code).toBe("TARGET_DISTANCE")
  })
  const near = withRules(rulesOf("XLMUSDT"), { percentPrice: { buyUp: c("1.05"), buyDown: c("0"), sellUp: c("0"), sellDown: c("0.95") } })
  test("failures 36, 37, 38: given a floor of 6 % and a PERCENT_PRICE of 5 %, then BRACKET_INFEASIBLE, once, with both ranges", () => {
    for (const change of [{ stopLossPct: c("0.024") }, { stopLossPct: c("0.06") }, {}, { atr: c("0.01") }])
      expect(reasonOf(solve(change, "buy", { minStopDistancePct: c("6") }, near, "0.3"))).toMatchObject({
        code: "BRACKET_INFEASIBLE",
        observed: "the exchange allows 0.285 to 4.7445 USDT",
        limit: "the house allows 0.24 to 0.282 USDT",
      })
  })
  test("failures 39: given a stop 14.8 % away and a PERCENT_PRICE of 5 %, then PERCENT_PRICE before anything is bought", () => {
    expect(reasonOf(solve({ stopLossPct: c("0.148") }, "sell", {}, near, "0.3"))).toMatchObject({
      code: "PERCENT_PRICE",
      limit: "0.00284 to 0.315 USDT",
    })
  })
  test("given a default that the exchange does not allow, then it is moved to what it allows, and the rule and a note say so", () => {
    const bracket = okOf(solve({}, "buy", { stopLossDefaultPct: c("8") }, near, "0.3"))
    expect(bracket.stop).toMatchObject({ price: "0.285", rule: { kind: "price", price: "0.285" } })
    expect(bracket.notes).toHaveLength(1)
  })
  test("failures 35: given an ATR distance inside the house's least distance, then it is widened to it, as a fraction of the fill", () => {
    const bracket = okOf(solve({ atr: c("10") }, "buy", { minStopDistancePct: c("1") }))
    expect(bracket.stop).toMatchObject({
      price: "49500",
      rule: { kind: "fraction", fraction: "0.01", from: "ATR_STOP_MULTIPLE, moved to the house's distance" },
    })
  })
  test("given a stop that is below the exchange's least price, then PRICE_FILTER", () => {
    expect(reasonOf(solve({ stopLoss: c("20") }, "buy", { maxStopDistancePct: c("0") }, rulesOf("LTCUSDT"), "20.5")).code).toBe(
      "PRICE_FILTER",
    )
  })
  test("given no least distance and an entry on a tick, then one tick away is feasible", () => {
    const bracket = okOf(
      solve({ stopLoss: c("49999.9"), takeProfit: c("50000.1") }, "buy", { minStopDistancePct: c("0"), minTargetDistancePct: c("0") }),
    )
    expect([bracket.stop.price, bracket.target.price]).toEqual(["49999.9", "50000.1"])
  })
})

describe("bracketPrices, at the fill (failures 40: made from the fill, not before)", () => {
  const plan = (stop: PriceRule, target: PriceRule, exitSide: Side = "sell", tickSize: DecimalString = c("0.25")) => ({
    stop,
    target,
    exitSide,
    tickSize,
  })
  const fraction = (text: string): PriceRule => ({ kind: "fraction", fraction: c(text), from: "test" })
  const price = (text: string): PriceRule => ({ kind: "price", price: c(text), from: "test" })
  test("given a fill that slipped, then fractions follow it and prices stay", () => {
    expect(bracketPrices(plan(fraction("0.02"), price("110")), d("101.1"))).toEqual({ stop: "99.25", target: "110" })
    expect(bracketPrices(plan(fraction("0.02"), fraction("0.05"), "buy"), d("101.1"))).toEqual({ stop: "103", target: "96.25" })
  })
  test("failures 33, 34: given a fill beyond an absolute stop or target, then it is marked as passed", () => {
    expect(bracketPrices(plan(price("99"), price("110")), d("98.5")).passed).toBe("stop")
    expect(bracketPrices(plan(price("99"), price("110")), d("110")).passed).toBe("target")
    expect(bracketPrices(plan(price("99"), price("90"), "buy"), d("99")).passed).toBe("stop")
  })
  test("given an average between two ticks that rounding would carry the stop over, then the next tick outwards", () => {
    expect(bracketPrices(plan(fraction("0.0001"), fraction("0.05")), d("100.03"))).toMatchObject({ stop: "100" })
  })
  test("failures 29, 30: given a fill price of 0.00000000, then it throws: no anchor, no bracket", () => {
    expect(() => bracketPrices(plan(fraction("0.02"), fraction("0.05")), d("0.00000000"))).toThrow(RangeError)
  })
})

describe("properties over all symbols and odd rules", () => {
  const pct = fc.integer({ min: 1, max: 3000 }).map((n) => c((n / 10_000).toFixed(4)))
  const given = anyRules.chain((rules) =>
    fc.record({
      rules: fc.constant(rules),
      reference: priceFor(rules),
      side: fc.constantFrom("buy" as const, "sell" as const),
      stop: fc.option(pct, { nil: undefined }),
      target: fc.option(pct, { nil: undefined }),
      absolute: fc.boolean(),
      atrPct: fc.option(pct, { nil: undefined }),
      floor: fc.constantFrom("0", "0.1", "1", "6"),
      ceiling: fc.constantFrom("0", "5", "20"),
    }),
  )
  test("given any signal, then the solver gives prices that are on tick, on their side, in every bound, never later than asked; or a typed refusal", () => {
    let accepted = 0
    fc.assert(
      fc.property(given, ({ rules, reference, side, stop, target, absolute, atrPct, floor, ceiling }) => {
        const sign = side === "buy" ? -1 : 1
        const at = (fraction: DecimalString, direction: number) =>
          str(mul(reference, direction < 0 ? sub(d("1"), d(fraction)) : sub(d("2"), sub(d("1"), d(fraction)))))
        const asked: Partial<Signal> = {
          ...(stop === undefined ? {} : absolute ? { stopLoss: at(stop, sign) } : { stopLossPct: stop }),
          ...(target === undefined ? {} : absolute ? { takeProfit: at(target, -sign) } : { takeProfitPct: target }),
          ...(atrPct === undefined ? {} : { atr: str(mul(reference, d(atrPct))) }),
        }
        const s = settings({ minStopDistancePct: c(floor), maxStopDistancePct: c(ceiling) })
        const decision = solveBracket({ signal: signal(asked), entrySide: side, reference, settings: s, rules })
        if ("reason" in decision) {
          must(
            [
              "STOP_SIDE",
              "TARGET_SIDE",
              "STOP_DISTANCE",
              "TARGET_DISTANCE",
              "PERCENT_PRICE",
              "PRICE_FILTER",
              "BRACKET_INFEASIBLE",
            ].includes(decision.reason.code),
          )

          must(Boolean(decision.reason.observed))
          return
        }
        accepted += 1
        const n = rulesNumbers(rules)
        const [stopPrice, targetPrice] = [d(decision.ok.stop.price), d(decision.ok.target.price)]
        const exitSide = exitSideOf(side)
        for (const price of [stopPrice, targetPrice]) {
          expect(eq(floorTo(price, n.tick), price)).toBe(true)
          expect(gt(price, d("0")) && gte(price, n.priceMin) && (isZero(n.priceMax) || lte(price, n.priceMax))).toBe(true)
          const [down, up] = exitSide === "sell" ? [n.sellDown, n.sellUp] : [n.buyDown, n.buyUp]
          expect((isZero(down) || gte(price, mul(reference, down))) && (isZero(up) || lte(price, mul(reference, up)))).toBe(true)
        }
        expect(
          side === "buy" ? lt(stopPrice, reference) && lt(reference, targetPrice) : lt(targetPrice, reference) && lt(reference, stopPrice),
        ).toBe(true)
        if (stop !== undefined) {
          const wanted = priceOfRule(decision.ok.stop.rule, reference, side === "buy")
          must(side === "buy" ? gte(stopPrice, wanted) : lte(stopPrice, wanted))
        }
        // What the plan gives at a fill at the expected price is what was decided.
        const atFill = bracketPrices(
          { stop: decision.ok.stop.rule, target: decision.ok.target.rule, tickSize: rules.price.tick, exitSide },
          reference,
        )
        expect(atFill.passed).toBeUndefined()
        expect([atFill.stop, atFill.target]).toEqual([decision.ok.stop.price, decision.ok.target.price])
      }),
      { numRuns: 1000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })
  test("given any fill price, then a bracket is on tick and on its side, or marked as passed", () => {
    fc.assert(
      fc.property(given, fc.integer({ min: -300, max: 300 }), ({ rules, reference, side, stop, target, absolute }, slip) => {
        const decision = solveBracket({
          signal: signal(
            stop === undefined
              ? {}
              : absolute
                ? { stopLoss: str(mul(reference, d(side === "buy" ? "0.98" : "1.02"))) }
                : { stopLossPct: stop },
          ),
          entrySide: side,
          reference,
          settings: settings(),
          rules,
        })
        if ("reason" in decision || target === undefined) return
        const fill = mul(reference, d((1 + slip / 10_000).toFixed(4)))
        const exitSide = exitSideOf(side)
        const prices = bracketPrices(
          { stop: decision.ok.stop.rule, target: decision.ok.target.rule, tickSize: rules.price.tick, exitSide },
          fill,
        )
        const [stopPrice, targetPrice] = [d(prices.stop), d(prices.target)]
        for (const price of [stopPrice, targetPrice]) expect(eq(floorTo(price, d(rules.price.tick)), price)).toBe(true)
        const below = exitSide === "sell"
        if (prices.passed !== "stop") must(below ? lt(stopPrice, fill) : gt(stopPrice, fill))
        if (prices.passed === undefined) must(below ? gt(targetPrice, fill) : lt(targetPrice, fill))
      }),
      { numRuns: 500 },
    )
  })
})
