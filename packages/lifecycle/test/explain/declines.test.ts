/** Every decline of the decision can be taken again from its events alone. */
import type { EventRecord, OrderEvent, ReasonCode, Signal } from "@petrosa/contracts"
import { canonical } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decideEntry, type EntryInputs, EMPTY_VIEW, LotBook, redecide } from "../../src/decisions/index.ts"
import { decideAgain } from "../../src/index.ts"
import {
  anyRules,
  c,
  endOf,
  futures,
  inputs,
  lot,
  must,
  NOW,
  orderId,
  rulesOf,
  settings,
  signal,
  spot,
  withRules,
} from "../decisions/given.ts"

/** As they come back from a store. */
const recordsOf = (given: EntryInputs, ...parts: readonly (readonly OrderEvent[])[]): readonly EventRecord[] =>
  [
    { type: "SignalReceived", data: { signal: given.signal } },
    ...parts.flatMap((events, n): readonly object[] => (n === 0 ? events : [{ type: "OrderAdopted", data: {} }, ...events])),
  ].map(
    (event, n) =>
      JSON.parse(
        JSON.stringify({
          ...event,
          order: given.order,
          version: n + 1,
          // Not the time of the decision: that has to be in the events.
          at: new Date(NOW + 77).toISOString(),
          settings_version: "default",
        }),
      ) as EventRecord,
  )

const held = (...lots: Parameters<typeof lot>[0][]) => {
  const book = new LotBook()
  for (const one of lots) book.reserve(lot(one))
  return book.view({ venue: "binance-futures", market: "futures", symbol: "BTCUSDT", strategyId: "breakout" })
}
const btc = rulesOf("BTCUSDT")
const live = (price: string, ageMs = 0) => ({ symbol: "BTCUSDT", price: c(price), source: "mark" as const, atMs: NOW - ageMs })
const good: Partial<Signal> = { quantity: c("0.004"), stopLoss: c("49000"), takeProfit: c("51500") }

const CASES: readonly (readonly [ReasonCode, Partial<Signal>, Partial<EntryInputs>])[] = [
  ["HOLD", { action: "hold" }, {}],
  ["LOW_CONFIDENCE", { confidence: c("0.59") }, { settings: settings({ minConfidence: c("0.6") }) }],
  ["SIGNAL_TOO_OLD", { timestampMs: NOW - 61_001 }, { settings: settings({ maxSignalAgeMs: 61_000 }) }],
  ["SIGNAL_FROM_FUTURE", { timestampMs: NOW + 5001 }, {}],
  ["MARKET_NOT_AVAILABLE", { market: "spot" }, {}],
  ["SYMBOL_UNKNOWN", {}, { rules: undefined }],
  ["SYMBOL_NOT_ALLOWED", {}, { settings: settings({ symbolsDenied: ["ETHUSDT", "BTCUSDT"] }) }],
  ["SYMBOL_NOT_ALLOWED", {}, { settings: settings({ symbolsAllowed: ["ETHUSDT"] }) }],
  ["SYMBOL_NOT_TRADING", {}, { rules: withRules(btc, { trading: false, status: "BREAK" }) }],
  ["ORDER_TYPE_NOT_SUPPORTED", { orderType: "stop_limit" }, { rules: withRules(btc, { orderTypes: ["limit"] }) }],
  ["TIME_IN_FORCE_NOT_SUPPORTED", { timeInForce: "FOK" }, { rules: withRules(btc, { timesInForce: ["GTC"] }) }],
  ["ICEBERG_NOT_SUPPORTED", { icebergQuantity: c("0.001") }, {}],
  ["PRICE_DEVIATION", {}, { livePrice: live("40000", 100) }],
  ["PRICE_UNKNOWN", {}, { livePrice: live("0") }],
  ["PRICE_UNKNOWN", {}, { settings: settings({ livePriceRequired: true }) }],
  ["PRICE_STALE", {}, { settings: settings({ livePriceRequired: true, maxPriceAgeMs: 700 }), livePrice: live("50000", 701) }],
  ["NOTHING_TO_CLOSE", { action: "close" }, {}],
  ["SHORT_NOT_SUPPORTED", { action: "sell", market: "spot" }, { venue: spot(), rules: rulesOf("BTCUSDT", "spot") }],
  ["ALREADY_OPEN", {}, { book: held({}) }],
  ["OPPOSITE_HELD", {}, { book: held({ strategyId: "other", side: "sell" }) }],
  ["OPPOSITE_SIGNAL_REFUSED", {}, { book: held({ side: "sell" }), settings: settings({ oppositeSignal: "refuse" }) }],
  ["ORDER_TYPE_NOT_SUPPORTED", { orderType: "stop", triggerPrice: c("51000") }, { book: held({ side: "sell" }) }],
  ["MAX_OPEN_POSITIONS", {}, { book: { ...EMPTY_VIEW, openPositions: 10 } }],
  [
    "NO_ROOM_FOR_STOP",
    {},
    { book: { ...EMPTY_VIEW, openPositions: 100 }, settings: settings({ maxOpenPositions: 1000 }), venue: futures({ mode: "live" }) },
  ],
  [
    "NO_ROOM_FOR_STOP",
    { market: "spot" },
    {
      book: { ...EMPTY_VIEW, openPositions: 5, others: { buy: 5, sell: 0 } },
      settings: settings({ maxOpenPositions: 1000 }),
      venue: spot(),
      rules: rulesOf("BTCUSDT", "spot"),
    },
  ],
  ["TRIGGER_SIDE", { orderType: "stop", triggerPrice: c("49900") }, { livePrice: live("50000") }],
  ["STOP_SIDE", { stopLoss: c("51000") }, {}],
  ["TARGET_SIDE", { takeProfit: c("49500") }, {}],
  ["STOP_DISTANCE", { stopLoss: c("30000") }, {}],
  ["BALANCE_UNKNOWN", {}, { freeBalance: { unknown: "the venue does not answer" } }],
  ["BALANCE_TOO_LOW", {}, { freeBalance: { known: c("150") } }],
  ["MIN_NOTIONAL", { quantity: c("0.001") }, {}],
  ["MAX_POSITION_NOTIONAL", { quantity: c("0.018") }, { book: held({}), settings: settings({ maxLotsPerStrategySymbol: 2 }) }],
  [
    "PERCENT_PRICE",
    {},
    { marketPrice: live("58000"), rules: withRules(btc, { percentPrice: { ...btc.percentPrice, buyDown: c("0.95") } }) },
  ],
]

describe("a decline", () => {
  it.each(CASES)("given %s, when it is decided again from its events alone, then it is the same", (code, change, other) => {
    const given = inputs({ signal: signal({ ...good, ...change }), ...other })
    const events = decideEntry(given)
    expect(endOf(events)).toBe(code)
    expect(decideAgain(recordsOf(given, events))).toMatchObject({ _tag: "Same", decided: "OrderFailed" })
  })

  it("given any signal against any rules, then every decline can be taken again", () => {
    fc.assert(
      fc.property(
        anyRules,
        fc.record({
          side: fc.constantFrom("buy", "sell"),
          type: fc.constantFrom("market", "limit", "stop", "take_profit"),
          price: fc.double({ min: 0.0001, max: 90_000, noNaN: true }),
          quantity: fc.double({ min: 0, max: 50, noNaN: true }),
          stop: fc.double({ min: 0.5, max: 1.4, noNaN: true }),
          balance: fc.double({ min: 0, max: 5000, noNaN: true }),
          livePart: fc.option(fc.double({ min: 0.8, max: 1.2, noNaN: true }), { nil: undefined }),
          age: fc.integer({ min: 0, max: 20_000 }),
        }),
        (rules, random) => {
          const text = (value: number) => canonical(value.toFixed(6))
          const venue = rules.market === "spot" ? spot() : futures()
          const price = text(random.price)
          const given = inputs({
            rules,
            venue,
            freeBalance: { known: text(random.balance) },
            ...(random.livePart === undefined
              ? {}
              : {
                  livePrice: { symbol: rules.symbol, price: text(random.price * random.livePart), source: "mark", atMs: NOW - random.age },
                }),
            signal: signal({
              symbol: rules.symbol,
              market: rules.market,
              action: random.side as "buy",
              orderType: random.type as "limit",
              price,
              currentPrice: price,
              quantity: text(random.quantity),
              stopLoss: text(random.price * random.stop),
              ...(random.type === "stop" || random.type === "take_profit" ? { triggerPrice: text(random.price * 1.02) } : {}),
            }),
          })
          const events = decideEntry(given)
          if (events.at(-1)?.type !== "OrderFailed") return
          const again = decideAgain(recordsOf(given, events))
          must(again._tag === "Same", JSON.stringify({ again, events }))
        },
      ),
      { numRuns: 300 },
    )
  })

  it("given a limit that would not have declined it, then today's decision goes on, and that is said", () => {
    const given = inputs({ signal: signal({ ...good, confidence: c("0.4") }) })
    const records = recordsOf(given, decideEntry(given)).map((record) => {
      if (record.type !== "OrderFailed") return record
      const data = structuredClone(record.data) as { inputs: { settings: Record<string, string> } }
      data.inputs.settings["MIN_CONFIDENCE"] = "0.3"
      return { ...record, data } as unknown as EventRecord
    })
    expect(decideAgain(records)).toMatchObject({
      _tag: "Different",
      path: "event 2",
      recorded: "OrderFailed LOW_CONFIDENCE",
      today: "no decline here: it goes on to the live price, which was not read then",
    })
  })

  it("given a size that no longer held after a crash, then that second decision is taken again, with what it had read", () => {
    const first = inputs({ signal: signal({ ...good }) })
    const prefix = decideEntry(first).slice(0, 2)
    const later = { ...first, nowMs: NOW + 20_000, freeBalance: { known: c("20") } } as const
    const second = redecide(later, prefix)
    expect(endOf(second)).toBe("INPUTS_CHANGED")
    expect(decideAgain(recordsOf(first, prefix, second))).toMatchObject({ _tag: "Same", decided: "OrderFailed" })
    const nothing = inputs({ signal: signal({ action: "close" }) })
    const closing = decideEntry(nothing)
    expect(decideAgain(recordsOf(nothing, closing.slice(0, 1), redecide(nothing, closing.slice(0, 1))))).toMatchObject({ _tag: "Same" })
    const hold = inputs({ signal: signal({ action: "hold" }) })
    const holding = decideEntry(hold)
    expect(decideAgain(recordsOf(hold, holding.slice(0, 1), holding.slice(1)))).toMatchObject({ _tag: "Same" })
    const third = redecide({ ...first, nowMs: NOW + 400_000 }, prefix.slice(0, 1))
    expect(endOf(third)).toBe("SIGNAL_TOO_OLD")
    expect(decideAgain(recordsOf(first, prefix.slice(0, 1), third))).toMatchObject({ _tag: "Same" })
  })

  it("given a bot that repeats itself, then what its declines cost stays small", () => {
    const size = (change: Partial<EntryInputs>) => {
      const given = inputs({ signal: signal({ ...good }), ...change })
      return JSON.stringify(decideEntry(given).at(-1)?.data).length
    }
    expect(size({ settings: settings({ minConfidence: c("0.9") }) })).toBeLessThan(700)
    expect(size({ book: held({}) })).toBeLessThan(1800)
    expect(size({ freeBalance: { known: c("1") } })).toBeLessThan(2500)
  })

  it("given an order id of a lot, then it is kept: it may be what the reason names", () => {
    const given = inputs({ signal: signal({ ...good }), book: held({ order: orderId(7) }) })
    const [, failed] = decideEntry(given)
    expect(failed?.type === "OrderFailed" && failed.data.inputs?.book?.own).toEqual([
      { order: orderId(7), side: "buy", quantity: "0.004", notional: "200" },
    ])
  })
})
