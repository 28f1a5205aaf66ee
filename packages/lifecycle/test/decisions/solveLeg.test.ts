/** The leg that is judged at once against the definition in full. */
import { canonical, dec, type PriceRule } from "@petrosa/contracts"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { type LegInput, solveLegAtOnce, solveLegInFull } from "../../src/decisions/bracketSolver.ts"
import { rulesOf } from "./given.ts"

/** Small numbers in quarters, so that prices, bounds and ticks meet often. */
const quarters = (min: number, max: number) => fc.integer({ min, max }).map((n) => dec(canonical(n / 4)))
const bound = fc.option(quarters(-4, 60), { nil: undefined })
const range = fc.record({ low: bound, high: bound })

const inputs = fc
  .record({
    leg: fc.constantFrom("stop" as const, "target" as const),
    below: fc.boolean(),
    asked: fc.boolean(),
    note: fc.option(fc.constant("a note"), { nil: undefined }),
    kind: fc.constantFrom("price" as const, "distance" as const, "fraction" as const),
    amount: fc.integer({ min: 0, max: 60 }).map((n) => canonical(n / 4)),
    reference: quarters(1, 50),
    house: range,
    exchange: range,
    tick: fc.constantFrom("0", "0.25", "0.5", "1", "3", "0.7").map((text) => canonical(text)),
  })
  .map(({ leg, below, asked, note, kind, amount, reference, house, exchange, tick }): LegInput => {
    const rule: PriceRule =
      kind === "price"
        ? { kind, price: amount, from: "x" }
        : kind === "distance"
          ? { kind, distance: amount, from: "x" }
          : { kind, fraction: amount, from: "x" }
    const btc = rulesOf("BTCUSDT")
    return {
      leg,
      choice: note === undefined ? { rule, asked } : { rule, asked, note },
      reference,
      below,
      house,
      exchange,
      rules: { ...btc, price: { ...btc.price, tick } },
    }
  })

test("given any leg that is solved at once, when it is judged in full, then it is the same", () => {
  let solved = 0
  fc.assert(
    fc.property(inputs, (input) => {
      const atOnce = solveLegAtOnce(input)
      if (atOnce === undefined) return
      solved += 1
      // As text: one number may have several forms.
      expect(JSON.stringify(atOnce)).toBe(JSON.stringify(solveLegInFull(input)))
    }),
    { numRuns: 20_000 },
  )
  expect(solved).toBeGreaterThan(500)
})
