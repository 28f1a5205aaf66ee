import type { Signal, SymbolRules } from "@petrosa/contracts"
import { eq, floorTo, gte, isZero, lte, min, mul, str } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  balanceOf,
  type DecisionSettings,
  entryPrices,
  exitQuantity,
  type FreeBalance,
  rulesNumbers,
  sizeEntry,
  type SizingInputs,
  solveBracket,
  type VenueFacts,
  venueNumbers,
} from "../../src/decisions/index.ts"
import { anyRules, c, d, futures, must, okOf, priceFor, reasonOf, rulesOf, settings, signal, spot, withRules } from "./given.ts"

interface Given {
  readonly signal?: Partial<Signal>
  readonly settings?: Partial<DecisionSettings>
  readonly rules?: SymbolRules
  readonly venue?: VenueFacts
  readonly free?: FreeBalance
  readonly held?: string
}
const sizingInputs = (given: Given = {}): SizingInputs => {
  const rules = given.rules ?? rulesOf("BTCUSDT")
  const asked = signal({ market: rules.market, symbol: rules.symbol, ...given.signal })
  const side = asked.action === "sell" ? "sell" : "buy"
  const s = settings(given.settings)
  const prices = okOf(entryPrices(asked, side, rules, undefined, undefined))
  const bracket = okOf(solveBracket({ signal: asked, entrySide: side, reference: prices.reference, settings: s, rules }))
  return {
    signal: asked,
    side,
    prices,
    rules,
    settings: s,
    venue: given.venue ?? (rules.market === "spot" ? spot() : futures()),
    freeBalance: given.free ?? { known: c("10000") },
    exitPrices: [bracket.stop.price, bracket.target.price],
    heldNotional: d(given.held ?? "0"),
  }
}
const size = (given?: Given) => sizeEntry(sizingInputs(given))
const shown = (given?: Given) => {
  const { quantity, notional, basis } = okOf(size(given))
  return { quantity: str(quantity), notional: str(notional), basis }
}

describe("precedence", () => {
  const all = { quantity: c("0.0045"), quoteQuantity: c("300"), positionSizePct: c("0.05") }
  test("given quantity, quote quantity and percentage, then the quantity, down to the step", () => {
    expect(shown({ signal: all })).toEqual({ quantity: "0.004", notional: "200", basis: "quantity" })
  })
  test("given quote quantity and percentage, then the quote quantity at the price it will trade at", () => {
    const { quantity: _, ...rest } = all
    expect(shown({ signal: rest })).toEqual({ quantity: "0.006", notional: "300", basis: "quote_quantity" })
    expect(shown({ signal: { ...rest, price: c("40000"), currentPrice: c("41000") } })).toMatchObject({ quantity: "0.007" })
    expect(shown({ signal: { ...rest, orderType: "market", price: c("40000"), currentPrice: c("50000") } })).toMatchObject({
      quantity: "0.006",
    })
    expect(shown({ signal: { ...rest, orderType: "stop", triggerPrice: c("60000") } })).toMatchObject({ quantity: "0.005" })
  })
  test("given a percentage only, then that share of the free balance", () => {
    expect(shown({ signal: { positionSizePct: c("0.05") } })).toEqual({ quantity: "0.01", notional: "500", basis: "position_size_pct" })
  })
  test("given nothing, then POSITION_SIZE_PCT of the free balance × confidence", () => {
    expect(shown()).toEqual({ quantity: "0.003", notional: "150", basis: "confidence" })
    expect(shown({ signal: { confidence: c("1") } })).toMatchObject({ quantity: "0.004" })
  })
  test("given zeros, then they are absent", () => {
    expect(shown({ signal: { quantity: c("0"), quoteQuantity: c("0"), positionSizePct: c("0") } })).toMatchObject({ basis: "confidence" })
  })
  test("given SIZING=confidence, then what the signal says of its size is ignored", () => {
    expect(shown({ signal: all, settings: { sizing: "confidence" } })).toEqual({ quantity: "0.003", notional: "150", basis: "confidence" })
  })
  test("given all of the balance, then the commission still fits in", () => {
    const whole = shown({
      signal: { positionSizePct: c("1") },
      settings: { maxPositionNotional: c("0") },
      venue: futures({ feeRate: c("0.01") }),
    })
    expect(whole).toMatchObject({ quantity: "0.198" })
  })
})

describe("the exchange's minimum", () => {
  test("failures 19: given a computed size that rounds down below the minimum, then it is raised, up to the step", () => {
    const rules = withRules(rulesOf("ETHUSDT"), {})
    const low = {
      signal: { price: c("3656.21"), currentPrice: c("3656.21"), symbol: "ETHUSDT", confidence: c("1") },
      rules,
      free: { known: c("979.5") },
    }
    // 0.005358 → 0.005 = 18.28 < 20: raised to 0.006 = 21.94.
    expect(shown(low)).toEqual({ quantity: "0.006", notional: "21.93726", basis: "raised_to_minimum" })
    expect(okOf(size(low)).notes[0]).toContain("confidence raised from 0.005 to 0.006 ETH: MIN_NOTIONAL")
    expect(reasonOf(size({ ...low, settings: { sizeBelowMinimum: "refuse" } }))).toMatchObject({ code: "MIN_NOTIONAL", limit: "20 USDT" })
  })
  test("failures 18: given a signal's own quantity below the minimum, then it is never raised", () => {
    expect(reasonOf(size({ signal: { quantity: c("0.001") } }))).toMatchObject({
      code: "MIN_NOTIONAL",
      observed: "50 USDT",
      limit: "100 USDT",
    })
    expect(reasonOf(size({ signal: { quoteQuantity: c("60") } })).code).toBe("MIN_NOTIONAL")
    expect(reasonOf(size({ signal: { quantity: c("0.0009") } })).code).toBe("QUANTITY_STEP")
  })
  test("failures 19: given a raise that breaks another limit, then that limit refuses, and says that it was raised", () => {
    const low = { signal: { positionSizePct: c("0.001") } }
    expect(shown(low)).toMatchObject({ quantity: "0.002", basis: "raised_to_minimum" })
    const capped = reasonOf(size({ ...low, settings: { maxPositionNotional: c("99") } }))
    expect(capped.code).toBe("MAX_POSITION_NOTIONAL")
    expect(capped.message).toContain("Raised from 0 to the exchange's minimum of 0.002 BTC")
    expect(reasonOf(size({ ...low, free: { known: c("99") } })).code).toBe("BALANCE_TOO_LOW")
  })
})

describe("limits", () => {
  test("failures 25: given a quantity of 1e9, then it is refused, also as the first order", () => {
    expect(reasonOf(size({ signal: { quantity: c("1000000000") } })).code).toBe("MAX_QUANTITY")
    expect(reasonOf(size({ signal: { quantity: c("0.021") } }))).toMatchObject({
      code: "MAX_POSITION_NOTIONAL",
      observed: "1050 USDT",
      limit: "1000 USDT",
    })
  })
  test("failures 25: given a lot that is held already, then the cap counts it and the new order", () => {
    expect(reasonOf(size({ signal: { quantity: c("0.004") }, held: "900" }))).toMatchObject({
      code: "MAX_POSITION_NOTIONAL",
      observed: "1100 USDT, 900 of it held already",
    })
  })
  test("given more than the balance with the commission, then BALANCE_TOO_LOW", () => {
    expect(reasonOf(size({ signal: { quantity: c("0.01") }, free: { known: c("500") } }))).toMatchObject({
      code: "BALANCE_TOO_LOW",
      observed: "500 USDT free",
    })
    expect(shown({ signal: { quantity: c("0.01") }, free: { known: c("500.25") } })).toMatchObject({ quantity: "0.01" })
  })
  test("failures 21, 22: given a balance that is unknown, missing, or zero, then no new risk, with three reasons", () => {
    expect(reasonOf(balanceOf({ unknown: "the venue answered 500" }, "USDT"))).toMatchObject({
      code: "BALANCE_UNKNOWN",
      observed: "the venue answered 500",
    })
    expect(reasonOf(balanceOf({ known: "" as never }, "USDT"))).toMatchObject({ code: "BALANCE_UNKNOWN", observed: '""' })
    expect(reasonOf(balanceOf({ known: c("0.00000000") }, "USDT"))).toMatchObject({ code: "BALANCE_TOO_LOW", observed: "0 USDT" })
    expect(reasonOf(size({ signal: { quantity: c("0.01") }, free: { unknown: "time-out" } })).code).toBe("BALANCE_UNKNOWN")
  })
  test("failures 20: given a confidence that is no decimal, then sizing throws: there is no default quantity", () => {
    expect(() => size({ signal: { confidence: "NaN" as never } })).toThrow(RangeError)
  })
  test("given a quantity that one order at market could not close, then MAX_QUANTITY although the entry itself is a limit order", () => {
    const rules = rulesOf("BTCUSDC")
    const given = { rules, signal: { quantity: c("101") }, free: { known: c("99000000") }, settings: { maxPositionNotional: c("0") } }
    expect(reasonOf(size(given))).toMatchObject({ code: "MAX_QUANTITY", limit: "100 BTC" })
  })
})

describe("exits are not dust", () => {
  const rules = rulesOf("ETHUSDT", "spot")
  test("given a spot entry just above the minimum, then what is left at the stop price, net of commission, is below it: refused", () => {
    // 0.0026 × 2000 = 5.2 ≥ 5, but 0.0025 × 1960 = 4.9 < 5.
    const own = { rules, signal: { quantity: c("0.0026"), price: c("2000"), currentPrice: c("2000") } }
    expect(reasonOf(size(own))).toMatchObject({ code: "EXIT_WOULD_BE_DUST", observed: "4.9 USDT at 1960", limit: "5 USDT" })
  })
  test("given a computed size, then it is raised until its exit is not dust", () => {
    const computed = { rules, signal: { price: c("2000"), currentPrice: c("2000"), positionSizePct: c("0.0005") } }
    expect(shown(computed)).toMatchObject({ quantity: "0.0027", basis: "raised_to_minimum" })
  })
  test("given futures, where reduce-only is exempt, then the minimum holds for the entry only", () => {
    expect(shown({ signal: { quantity: c("0.002") } })).toMatchObject({ notional: "100" })
  })
})

describe("properties over all symbols and odd rules", () => {
  const given = anyRules.chain((rules) =>
    fc.record({
      rules: fc.constant(rules),
      price: priceFor(rules),
      action: rules.market === "spot" ? fc.constant("buy" as const) : fc.constantFrom("buy" as const, "sell" as const),
      orderType: fc.constantFrom("limit" as const, "market" as const),
      free: fc.double({ min: 1, max: 1e7, noNaN: true }).map((x) => c(x.toPrecision(7))),
      cap: fc.constantFrom("0", "50", "1000", "100000"),
      ask: fc.oneof(
        fc.double({ min: 0.01, max: 1e5, noNaN: true }).map((x) => ({ kind: "quote", value: c(x.toPrecision(6)) }) as const),
        fc.double({ min: 0.0001, max: 1, noNaN: true }).map((x) => ({ kind: "share", value: c(x.toFixed(6)) }) as const),
        fc.double({ min: 1e-5, max: 1e4, noNaN: true }).map((x) => ({ kind: "quantity", value: c(x.toPrecision(6)) }) as const),
        fc.constant({ kind: "confidence", value: c("0.7") } as const),
      ),
    }),
  )
  test("given anything, when a size is accepted: notional ≥ minimum, a multiple of the step, never above a limit, and its exit is no dust", () => {
    let accepted = 0
    let raised = 0
    fc.assert(
      fc.property(given, ({ rules, price, action, orderType, free, cap, ask }) => {
        const n = rulesNumbers(rules)
        const asked: Partial<Signal> = {
          action,
          orderType,
          price: str(price),
          currentPrice: str(price),
          ...(ask.kind === "quantity"
            ? { quantity: ask.value }
            : ask.kind === "quote"
              ? { quoteQuantity: ask.value }
              : ask.kind === "share"
                ? { positionSizePct: ask.value }
                : {}),
        }
        const side = action
        const prices = entryPrices(signal({ ...asked, market: rules.market, symbol: rules.symbol }), side, rules, undefined, undefined)
        if ("reason" in prices) return
        const bracket = solveBracket({
          signal: signal(asked),
          entrySide: side,
          reference: prices.ok.reference,
          settings: settings(),
          rules,
        })
        if ("reason" in bracket) return
        const made = sizingInputs({ rules, signal: asked, free: { known: free }, settings: { maxPositionNotional: c(cap) } })
        const decision = sizeEntry(made)
        if ("reason" in decision) {
          must(Boolean(decision.reason.observed))
          return
        }
        accepted += 1
        const { quantity, basis } = decision.ok
        if (basis === "raised_to_minimum") raised += 1
        expect(eq(floorTo(quantity, n.lotStep), quantity)).toBe(true)
        expect(eq(floorTo(quantity, n.marketStep), quantity)).toBe(true)
        expect(gte(quantity, n.lotMin) && (isZero(n.marketMax) || lte(quantity, n.marketMax))).toBe(true)
        if (orderType !== "market" || rules.notional.minAppliesToMarket) must(gte(mul(quantity, prices.ok.sizing), n.notionalMin))
        const worth = mul(quantity, prices.ok.worst)
        expect(cap === "0" || lte(worth, d(cap))).toBe(true)
        expect(lte(mul(worth, venueNumbers(made.venue).cost), d(free))).toBe(true)
        const left = exitQuantity(quantity, side, rules, made.venue)
        expect(gte(left, n.marketMin)).toBe(true)
        if (!rules.notional.reduceOnlyExempt) must(gte(mul(left, min(d(bracket.ok.stop.price), d(bracket.ok.target.price))), n.notionalMin))
        if (ask.kind === "quantity") must(lte(quantity, d(ask.value)))
        if (ask.kind === "quote") must(lte(mul(quantity, prices.ok.sizing), d(ask.value)))
        if (ask.kind === "share" && basis !== "raised_to_minimum") must(lte(mul(quantity, prices.ok.sizing), mul(d(free), d(ask.value))))
      }),
      { numRuns: 1000 },
    )
    expect(accepted).toBeGreaterThan(100)
    expect(raised).toBeGreaterThan(5)
  })
})
