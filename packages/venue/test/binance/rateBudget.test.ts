/** The rate budget: by example, and as rules over any course of requests. */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  BAN_DEFAULT_MS,
  BAN_MAX_MS,
  RateBudget,
  SHARE,
  WINDOW_GUARD_MS,
  limitsOf,
  silenceOf,
  usageOf,
} from "../../src/binance/rateBudget.ts"
import type { Ask, Limit, Priority } from "../../src/binance/rateBudget.ts"

const WEIGHT: Limit = { kind: "weight", intervalMs: 60_000, limit: 100, name: "REQUEST_WEIGHT 1 MINUTE" }
const ORDERS: Limit = { kind: "orders", intervalMs: 10_000, limit: 10, name: "ORDERS 10 SECOND" }
const ask = (priority: Priority, weight = 1, orders = 0): Ask => ({ priority, weight, orders })
/** The beginning of a window, past the guard. */
const T = 1_699_999_980_000 + WINDOW_GUARD_MS

describe("what headers and exchangeInfo say", () => {
  test("given the headers of an answer, then the counts are read, whatever the interval", () => {
    expect(
      usageOf({ "x-mbx-used-weight-1m": "12", "x-mbx-order-count-10s": "3", "x-mbx-order-count-1d": "9", "x-mbx-uuid": "1", date: "x" }),
    ).toEqual([
      { kind: "weight", intervalMs: 60_000, used: 12 },
      { kind: "orders", intervalMs: 10_000, used: 3 },
      { kind: "orders", intervalMs: 86_400_000, used: 9 },
    ])
    expect(usageOf({ "x-mbx-used-weight-1m": "many", "x-mbx-used-weight-1x": "3", "x-mbx-used-weight-": "3" })).toEqual([])
  })

  test("given exchangeInfo's rateLimits, then they are read, and what is not readable is left out", () => {
    expect(
      limitsOf([
        { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 6000 },
        { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 50 },
        { rateLimitType: "RAW_REQUESTS", interval: "MINUTE", intervalNum: 5, limit: 300000 },
        { rateLimitType: "CONNECTIONS", interval: "MINUTE", intervalNum: 5, limit: 300 },
        null,
        { rateLimitType: "ORDERS", interval: "FORTNIGHT", intervalNum: 1, limit: 1 },
      ]).map(({ kind, intervalMs, limit }) => [kind, intervalMs, limit]),
    ).toEqual([
      ["weight", 60_000, 6000],
      ["orders", 10_000, 50],
      ["requests", 300_000, 300000],
    ])
    expect(limitsOf(undefined)).toEqual([])
  })

  test("given a refusal, then Retry-After or the text says until when", () => {
    expect(silenceOf("30", "", 1_000)).toBe(31_000)
    expect(silenceOf(undefined, "Way too many requests; IP banned until 1700000123456.", 1_000)).toBe(1_700_000_123_456)
    expect(silenceOf("soon", "no", 1_000)).toBeUndefined()
  })
})

describe("the reserve", () => {
  test("given entries that use up their share, then questions and then exits still leave, until the limit", () => {
    const budget = new RateBudget([WEIGHT])
    const admitted = (priority: Priority): number => {
      let n = 0
      while (budget.admit(ask(priority), T)._tag === "Admitted") n += 1
      return n
    }
    expect(admitted("entry")).toBe(70)
    expect(admitted("question")).toBe(15)
    expect(admitted("protective")).toBe(15)
    expect(budget.admit(ask("protective"), T)).toEqual({ _tag: "Wait", untilMs: T + 60_000, limit: WEIGHT.name })
    // What is over without a word of the exchange counts to the end of the window.
    for (let n = 0; n < 100; n++) budget.finished(ask("entry"), [], T)
    expect(budget.admit(ask("protective"), T + 59_999)._tag).toBe("Wait")
    expect(budget.admit(ask("protective"), T + 60_000)._tag).toBe("Admitted")
  })

  test("given headers, then they count, not our sum: others use the same address, and fills give orders back", () => {
    const budget = new RateBudget([WEIGHT, ORDERS])
    const entry = ask("entry", 1, 1)
    expect(budget.admit(entry, T)._tag).toBe("Admitted")
    budget.finished(
      entry,
      [
        { kind: "weight", intervalMs: 60_000, used: 95 },
        { kind: "orders", intervalMs: 10_000, used: 1 },
      ],
      T,
    )
    expect(budget.admit(ask("question"), T)._tag).toBe("Wait")
    expect(budget.admit(ask("protective", 5), T)._tag).toBe("Admitted")
    expect(budget.admit(ask("protective", 1), T)._tag).toBe("Wait")
  })

  test("given limits from exchangeInfo, then what was used is kept", () => {
    const budget = new RateBudget([WEIGHT])
    budget.admit(ask("entry", 60), T)
    budget.setLimits([{ ...WEIGHT, limit: 80 }, ORDERS])
    expect(budget.admit(ask("entry", 1), T)._tag).toBe("Wait")
    expect(budget.view(T)).toEqual([
      { limit: WEIGHT.name, used: 60, of: 80 },
      { limit: ORDERS.name, used: 0, of: 10 },
    ])
  })
})

describe("after 429 and 418", () => {
  test("given a 429 without a time, then the silence doubles with jitter, and ends with a good answer", () => {
    const budget = new RateBudget([WEIGHT])
    const untils = [0, 0, 0].map(() => budget.limited(429, undefined, T, 0.5) - T)
    expect(untils).toEqual([1_000, 2_000, 4_000])
    expect(budget.admit(ask("protective"), T + 3_999)._tag).toBe("Wait")
    expect(budget.admit(ask("protective"), T + 4_000)._tag).toBe("Admitted")
    budget.finished(ask("protective"), [{ kind: "weight", intervalMs: 60_000, used: 1 }], T + 4_000)
    expect(budget.limited(429, undefined, T + 5_000, 0.5) - T - 5_000).toBe(1_000)
  })

  test("given a ban, then nothing leaves before its end, also when a later refusal names an earlier time", () => {
    const budget = new RateBudget([WEIGHT])
    budget.limited(418, T + 300_000, T, 0)
    budget.limited(429, T + 1_000, T, 0)
    expect(budget.admit(ask("protective"), T + 299_999)).toMatchObject({ _tag: "Wait", untilMs: T + 300_000 })
    expect(budget.admit(ask("protective"), T + 300_000)._tag).toBe("Admitted")
  })

  test("given a time that is over already, or no time to wait at all, then there is a pause all the same: who goes on is banned for longer", () => {
    expect(new RateBudget([WEIGHT]).limited(418, T - 1, T, 0.5)).toBe(T + BAN_DEFAULT_MS)
    expect(new RateBudget([WEIGHT]).limited(429, T, T, 0.5)).toBe(T + 1_000)
  })

  test("given a time that no ban lasts to, then the silence ends with the longest ban that there is", () => {
    expect(new RateBudget([WEIGHT]).limited(418, 9_999_999_999_999, T, 0.5)).toBe(T + BAN_MAX_MS)
    expect(new RateBudget([WEIGHT]).limited(429, T + 100 * 86_400_000, T, 0.5)).toBe(T + BAN_MAX_MS)
  })
})

const priority = fc.constantFrom<Priority>("protective", "question", "entry")
const step = fc.record({
  afterMs: fc.integer({ min: 0, max: 30_000 }),
  priority,
  weight: fc.integer({ min: 0, max: 40 }),
  orders: fc.integer({ min: 0, max: 2 }),
  finish: fc.boolean(),
  lowHeader: fc.boolean(),
})

describe("rules over any course of requests", () => {
  test("never more than a limit in one of its windows, never more entries than their share; who waits is told a later time", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        (steps, weightLimit, orderLimit) => {
          const limits: readonly Limit[] = [
            { ...WEIGHT, limit: weightLimit },
            { ...ORDERS, limit: orderLimit },
          ]
          const budget = new RateBudget(limits)
          let nowMs = T
          // What the exchange counts, by its own windows.
          const counted = new Map<string, number>()
          for (const one of steps) {
            nowMs += one.afterMs
            const request: Ask = { priority: one.priority, weight: one.weight, orders: one.orders }
            const admission = budget.admit(request, nowMs)
            if (admission._tag === "Wait") {
              expect(admission.untilMs).toBeGreaterThan(nowMs)
              continue
            }
            for (const limit of limits) {
              const cost = limit.kind === "weight" ? one.weight : one.orders
              const key = `${limit.kind} ${Math.floor((nowMs - WINDOW_GUARD_MS) / limit.intervalMs)}`
              const total = (counted.get(key) ?? 0) + cost
              counted.set(key, total)
              if (cost === 0) continue
              expect(total).toBeLessThanOrEqual(limit.limit)
              expect(total).toBeLessThanOrEqual(Math.max(1, Math.floor(limit.limit * SHARE[one.priority])))
            }
            if (one.finish) budget.finished(request, [], nowMs)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test("a silence is never shortened, and nothing is admitted in it", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom(429, 418),
            fc.option(fc.integer({ min: 0, max: 600_000 })),
            fc.double({ min: 0, max: 0.999, noNaN: true }),
          ),
          {
            minLength: 1,
            maxLength: 20,
          },
        ),
        priority,
        (hits, who) => {
          const budget = new RateBudget([WEIGHT])
          let untilMs = 0
          for (const [status, inMs, chance] of hits) {
            const next = budget.limited(status, inMs === null ? undefined : T + inMs, T, chance)
            expect(next).toBeGreaterThanOrEqual(untilMs)
            untilMs = next
          }
          if (untilMs > T) expect(budget.admit(ask(who), untilMs - 1)._tag).toBe("Wait")
          expect(budget.admit(ask(who), Math.max(untilMs, T))._tag).toBe("Admitted")
        },
      ),
      { numRuns: 200 },
    )
  })
})
