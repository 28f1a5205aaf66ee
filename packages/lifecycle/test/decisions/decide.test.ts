import type { OrderEvent, Signal } from "@petrosa/contracts"
import { parseClientOrderId } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { decideEntry, EMPTY_VIEW, type EntryInputs, LotBook, redecide } from "../../src/decisions/index.ts"
import {
  anyRules,
  c,
  dataOf,
  endOf,
  futures,
  inputs,
  lot,
  NOW,
  orderId,
  rulesOf,
  settings,
  signal,
  spot,
  TABLE,
  typesOf,
  withRules,
} from "./given.ts"

const sized = { quantity: c("0.004"), stopLoss: c("49000"), takeProfit: c("51500") } as const
const decide = (change: Partial<Signal> = {}, other: Partial<EntryInputs> = {}) =>
  decideEntry(inputs({ signal: signal({ ...sized, ...change }), ...other }))
const view = (...lots: Parameters<typeof lot>[0][]) => {
  const book = new LotBook()
  for (const one of lots) book.reserve(lot(one))
  return book.view({ venue: "binance-futures", market: "futures", symbol: "BTCUSDT", strategyId: "breakout" })
}

describe("an entry", () => {
  test("given a good signal, then validated, sized and intended, in one append", () => {
    const events = decide()
    expect(typesOf(events)).toEqual(["SignalValidated", "OrderSized", "EntryIntended"])
    expect(dataOf(events, "OrderSized")).toMatchObject({
      side: "buy",
      quantity: "0.004",
      notional: "200",
      type: "limit",
      price: "50000",
      timeInForce: "GTC",
      referencePrice: "50000",
      basis: "quantity",
      stop: { price: "49000" },
      target: { price: "51500" },
      notes: [],
    })
  })
  test("given it, then everything that was used is in the events, as text", () => {
    const { inputs: used } = dataOf(
      decide({}, { livePrice: { symbol: "BTCUSDT", price: c("50010"), source: "mark", atMs: NOW } }),
      "OrderSized",
    )
    expect(used).toMatchObject({
      free_balance: "10000 USDT",
      market_price: "50010",
      market_price_source: "mark",
      filter_notional: "100 to 0, reduce-only exempt",
      filter_lot: "0.001 to 1000, step 0.001",
      MAX_POSITION_NOTIONAL: "1000",
      SETTINGS_VERSION: "default",
      open_positions: "0",
    })
    for (const value of Object.values(used)) expect(typeof value).toBe("string")
  })
  test("given it, then the intent has its id, its absolute deadlines and the plan of its bracket", () => {
    const intent = dataOf(decide({ entryTimeoutS: 60 }), "EntryIntended")
    expect(parseClientOrderId(intent.request.clientOrderId)).toEqual({ engineId: "ab12", order: orderId(1), leg: "entry", attempt: 1 })
    expect(intent).toMatchObject({
      request: { leg: "entry", side: "buy", type: "limit", quantity: "0.004", price: "50000", timeInForce: "GTC", reduceOnly: false },
      venue: "binance-futures",
      market: "futures",
      symbol: "BTCUSDT",
      quoteAsset: "USDT",
      baseAsset: "BTC",
      sendByMs: NOW + 5_000,
      receiveWindowMs: 5_000,
      expiresAtMs: NOW + 60_000,
      plan: {
        style: "legs",
        exitSide: "sell",
        stop: { kind: "price", price: "49000" },
        target: { kind: "price", price: "51500" },
        maxQuantity: "0.004",
        tickSize: "0.1",
        stepSize: "0.001",
        minQuantity: "0.001",
        protectionDeadlineMs: 5_000,
        maxLegsOfAKind: 4,
      },
    })
    expect(dataOf(decide(), "EntryIntended").expiresAtMs).toBe(NOW + 900_000)
  })
  test("given a receive window that is longer than the send deadline, then the shorter one is signed", () => {
    expect(
      dataOf(decide({}, { venue: futures({ receiveWindowMs: 60_000 }), settings: settings({ sendDeadlineMs: 2_000 }) }), "EntryIntended")
        .receiveWindowMs,
    ).toBe(2_000)
  })
  test("given a market order, then neither price nor time in force is sent", () => {
    const { request } = dataOf(decide({ orderType: "market" }), "EntryIntended")
    expect([request.price, request.triggerPrice, request.timeInForce]).toEqual([undefined, undefined, undefined])
  })
  test("given a short, then its stop is above and its target below", () => {
    const events = decide({ action: "sell", stopLoss: c("51000"), takeProfit: c("48500") })
    expect(dataOf(events, "EntryIntended")).toMatchObject({ request: { side: "sell" }, plan: { exitSide: "buy" } })
  })
  test("given a spot iceberg, then its part is in the request, down to the step", () => {
    const spotInputs = { rules: rulesOf("BTCUSDT", "spot"), venue: spot() }
    const events = decide({ market: "spot", icebergQuantity: c("0.001007"), timeInForce: "GTC" }, spotInputs)
    expect(dataOf(events, "EntryIntended")).toMatchObject({ request: { icebergQuantity: "0.001" }, plan: { style: "oco" } })
    expect(endOf(decide({ market: "spot", icebergQuantity: c("0.0001") }, spotInputs))).toBe("ICEBERG_PARTS")
  })
  test("failures 16: given any mode of the strategy, then the same bad signal is refused for the same reason", () => {
    for (const mode of ["simulation", "testnet", "live"] as const)
      expect(endOf(decide({ stopLoss: c("51000") }, { venue: futures({ mode }) }))).toBe("STOP_SIDE")
  })
})

describe("a feed of the market is there", () => {
  const required = settings({ livePriceRequired: true })
  const live = (ageMs: number, change: Partial<NonNullable<EntryInputs["livePrice"]>> = {}) =>
    ({ symbol: "BTCUSDT", price: c("50010"), source: "book", atMs: NOW - ageMs, feed: "nats", ...change }) as const
  const failed = (other: Partial<EntryInputs>, change: Partial<Signal> = {}) =>
    dataOf(decide(change, { settings: required, ...other }), "OrderFailed").reason

  test("given no price of it, or only what a signal saw, then PRICE_UNKNOWN", () => {
    expect(failed({})).toMatchObject({ code: "PRICE_UNKNOWN", class: "declined", limit: "a live price" })
    expect(failed({ livePrice: live(0, { source: "signal" }) }).code).toBe("PRICE_UNKNOWN")
  })
  test("given a price one millisecond too old, then PRICE_STALE with its age and the limit; at the limit, an entry", () => {
    expect(failed({ livePrice: live(10_001) })).toMatchObject({
      code: "PRICE_STALE",
      class: "declined",
      observed: "10001 ms old (book)",
      limit: "MAX_PRICE_AGE_MS 10000",
    })
    expect(typesOf(decide({}, { settings: required, livePrice: live(10_000) })).at(-1)).toBe("EntryIntended")
  })
  test("given a price of it, then the event names source, age and feed", () => {
    const { livePrice, limits } = dataOf(decide({}, { settings: required, livePrice: live(100) }), "SignalValidated")
    expect(livePrice).toEqual({ price: "50010", source: "book", ageMs: 100, feed: "nats" })
    expect(limits).toMatchObject({ LIVE_PRICE_REQUIRED: "true" })
  })
  test("given hold, a close, or an opposite signal, then no price is needed: nobody is kept from getting out", () => {
    expect(failed({}, { action: "hold" }).code).toBe("HOLD")
    const holding = { settings: required, book: view({ side: "buy" }), livePrice: live(3_600_000) }
    expect(typesOf(decide({ action: "close" }, holding)).at(-1)).toBe("CloseIntended")
    expect(typesOf(decide({ action: "sell" }, holding)).at(-1)).toBe("CloseIntended")
  })
})

describe("the ends of a decision", () => {
  const cases: readonly (readonly [string, Partial<Signal>, Partial<EntryInputs>, string])[] = [
    ["hold", { action: "hold" }, {}, "HOLD"],
    ["an unknown symbol (failures 17)", {}, { rules: undefined }, "SYMBOL_UNKNOWN"],
    ["a stale signal (failures 12)", { timestampMs: NOW - 300_001 }, {}, "SIGNAL_TOO_OLD"],
    ["a stop on the wrong side (failures 28)", { stopLoss: c("50001") }, {}, "STOP_SIDE"],
    ["an unknown balance (failures 21)", {}, { freeBalance: { unknown: "time-out" } }, "BALANCE_UNKNOWN"],
    ["a balance of zero (failures 22)", {}, { freeBalance: { known: c("0") } }, "BALANCE_TOO_LOW"],
    ["less than the minimum (failures 18)", { quantity: c("0.001") }, {}, "MIN_NOTIONAL"],
    ["1e9 of it (failures 25)", { quantity: c("1000000000") }, {}, "MAX_QUANTITY"],
    ["a lot of the same side", {}, { book: view({}) }, "ALREADY_OPEN"],
    ["nothing to close", { action: "close" }, {}, "NOTHING_TO_CLOSE"],
    [
      "a limit price too far from the mark (failures 39)",
      { price: c("75001"), currentPrice: c("75001"), takeProfit: c("90000"), stopLoss: c("70000") },
      { marketPrice: { symbol: "BTCUSDT", price: c("50000"), source: "mark", atMs: NOW } },
      "STOP_SIDE",
    ],
    [
      "a mark that is no price (failures 30)",
      {},
      { marketPrice: { symbol: "BTCUSDT", price: c("0"), source: "mark", atMs: NOW } },
      "PRICE_UNKNOWN",
    ],
    ["all positions taken", {}, { book: { ...EMPTY_VIEW, openPositions: 10 } }, "MAX_OPEN_POSITIONS"],
  ]
  test.each(cases)("given %s, then the last event is OrderFailed with its reason", (_, change, other, code) => {
    const events = decide(change, other)
    expect(endOf(events)).toBe(code)
    expect(typesOf(events).filter((type) => type === "EntryIntended" || type === "OrderSized")).toEqual([])
  })
  test("failures 39: given a buy limit above the exchange's range around the mark, then PERCENT_PRICE", () => {
    const rules = rulesOf("ETHUSDT")
    const mark = { symbol: "ETHUSDT", price: c("2000"), source: "mark", atMs: NOW } as const
    const far = signal({ symbol: "ETHUSDT", price: c("2201"), currentPrice: c("2201"), quantity: c("0.1") })
    expect(endOf(decideEntry(inputs({ signal: far, rules, marketPrice: mark })))).toBe("PERCENT_PRICE")
  })
  test("failures 24, 36: given a filter that refuses, then that is the end of the order, declined: nothing is left to be retried", () => {
    const events = decide({ quantity: c("0.001") })
    expect(events.at(-1)).toMatchObject({
      type: "OrderFailed",
      data: { reason: { class: "declined", observed: "50 USDT", limit: "100 USDT" } },
    })
    expect(redecide(inputs(), events)).toEqual([])
  })
  test("given hold, then it was validated before it ended", () => {
    expect(typesOf(decide({ action: "hold" }))).toEqual(["SignalValidated", "OrderFailed"])
  })
})

describe("a close", () => {
  test("given a close with a lot, then validated, sized by the lots, and intended", () => {
    const events = decide({ action: "close" }, { book: view({}), freeBalance: { unknown: "time-out" } })
    expect(typesOf(events)).toEqual(["SignalValidated", "OrderSized", "CloseIntended"])
    expect(dataOf(events, "OrderSized")).toMatchObject({
      side: "sell",
      quantity: "0.004",
      notional: "200",
      type: "market",
      basis: "lots",
      lots: [{ order: orderId(99) }],
    })
    expect(dataOf(events, "CloseIntended")).toEqual({ cause: "close", lots: [{ order: orderId(99), quantity: "0.004", side: "buy" }] })
  })
  test("given an opposite signal, then the lots are closed whole, and what has no effect is noted", () => {
    const events = decide({ action: "sell", quantity: c("0.001") }, { book: view({}) })
    expect(dataOf(events, "CloseIntended").cause).toBe("opposite")
    expect(dataOf(events, "OrderSized").notes).toEqual([
      "a close trades at market: order_type limit at 50000 has no effect",
      "a close takes whole lots: quantity 0.001 has no effect",
    ])
  })
  test("given a short lot, then the close buys", () => {
    expect(dataOf(decide({ action: "close" }, { book: view({ side: "sell" }) }), "OrderSized").side).toBe("buy")
  })
})

describe("redecide: recovery from a prefix of the append", () => {
  const given = inputs({ signal: signal(sized) })
  const [validated, size, intent] = decideEntry(given) as readonly [OrderEvent, OrderEvent, OrderEvent]
  const later = (change: Partial<EntryInputs> = {}) => ({ ...given, nowMs: NOW + 10_000, ...change })

  test("given only SignalReceived, then the whole decision, with today's time", () => {
    const events = redecide(later(), [])
    expect(typesOf(events)).toEqual(["SignalValidated", "OrderSized", "EntryIntended"])
    expect(dataOf(events, "EntryIntended").sendByMs).toBe(NOW + 15_000)
  })
  test("given SignalValidated, then what is missing; it is validated again all the same", () => {
    expect(typesOf(redecide(later(), [validated]))).toEqual(["OrderSized", "EntryIntended"])
    expect(endOf(redecide(later({ nowMs: NOW + 300_000 }), [validated]))).toBe("SIGNAL_TOO_OLD")
    const hold = inputs({ signal: signal({ action: "hold" }) })
    expect(typesOf(redecide(hold, decideEntry(hold).slice(0, 1)))).toEqual(["OrderFailed"])
  })
  test("given a recorded size that still holds, then its intent, with today's deadlines", () => {
    const events = redecide(later(), [validated, size])
    expect(typesOf(events)).toEqual(["EntryIntended"])
    expect(dataOf(events, "EntryIntended")).toEqual({
      ...(intent as Extract<OrderEvent, { type: "EntryIntended" }>).data,
      sendByMs: NOW + 15_000,
      expiresAtMs: NOW + 910_000,
    })
  })
  test("given a balance that moved but still covers the recorded size, then the size is kept, not worked out again", () => {
    const computed = inputs({ signal: signal() })
    const events = decideEntry(computed)
    expect(dataOf(events, "OrderSized")).toMatchObject({ quantity: "0.003", basis: "confidence" })
    const again = redecide({ ...computed, freeBalance: { known: c("50000") } }, events.slice(0, 2))
    expect(dataOf(again, "EntryIntended").request.quantity).toBe("0.003")
  })
  test.each([
    ["the balance is gone", { freeBalance: { known: c("10") } }, "BALANCE_TOO_LOW"],
    ["the cap was lowered", { settings: settings({ maxPositionNotional: c("150") }) }, "MAX_POSITION_NOTIONAL"],
    [
      "the exchange's minimum rose",
      { rules: withRules(rulesOf("BTCUSDT"), { notional: { ...rulesOf("BTCUSDT").notional, min: c("500") } }) },
      "MIN_NOTIONAL",
    ],
    [
      "the step grew",
      { rules: withRules(rulesOf("BTCUSDT"), { lot: { min: c("0.01"), max: c("1000"), step: c("0.01") } }) },
      "QUANTITY_STEP",
    ],
    [
      "the market fell through the stop",
      { livePrice: { symbol: "BTCUSDT", price: c("48900"), source: "trade", atMs: NOW + 10_000 } as const },
      "STOP_SIDE",
    ],
  ])("given that %s, then INPUTS_CHANGED says which check", (_, change, code) => {
    const [end] = redecide(later(change), [validated, size])
    expect(end).toMatchObject({ type: "OrderFailed", data: { reason: { code: "INPUTS_CHANGED" } } })
    expect(JSON.stringify(end)).toContain(`"observed":"${code}: `)
  })
  test("given a tick that grew, then the recorded price is not sent: INPUTS_CHANGED says which number", () => {
    const rules = withRules(rulesOf("BTCUSDT"), { price: { min: c("0"), max: c("0"), tick: c("3") } })
    expect(redecide(later({ rules }), [validated, size])).toMatchObject([
      { type: "OrderFailed", data: { reason: { code: "INPUTS_CHANGED", observed: "price 49998", limit: "price 50000, as recorded" } } },
    ])
  })
  test("given a slot that was taken meanwhile, then its own reason", () => {
    expect(endOf(redecide(later({ book: view({}) }), [validated, size]))).toBe("ALREADY_OPEN")
  })
  test("given a lot of the other side that came up meanwhile, then an entry never becomes a close", () => {
    expect(endOf(redecide(later({ book: view({ side: "sell" }) }), [validated, size]))).toBe("INPUTS_CHANGED")
  })
  test("given a sized close, then it closes what is held today; nothing left: its own reason", () => {
    const close = inputs({ signal: signal({ action: "close" }), book: view({}) })
    const recorded = decideEntry(close).slice(0, 2)
    const today = { ...close, book: view({ quantity: c("0.002") }) }
    expect(redecide(today, recorded)).toEqual([
      { type: "CloseIntended", data: { cause: "close", lots: [{ order: orderId(99), quantity: "0.002", side: "buy" }] } },
    ])
    expect(endOf(redecide({ ...close, book: EMPTY_VIEW }, recorded))).toBe("NOTHING_TO_CLOSE")
  })
  test("given an intent or an end, then nothing is missing: an entry is never decided twice", () => {
    expect(redecide(later(), [validated, size, intent])).toEqual([])
    expect(redecide(later(), [{ type: "OrderFailed", data: { reason: { code: "HOLD", class: "declined", message: "" } } }])).toEqual([])
  })
})

describe("properties", () => {
  const action = fc.constantFrom("buy" as const, "sell" as const, "hold" as const, "close" as const)
  const number = fc.double({ min: 1e-9, max: 1e9, noNaN: true }).map((x) => c(x.toPrecision(7)))
  const any = fc.record({
    rules: fc.option(anyRules, { nil: undefined }),
    action,
    market: fc.constantFrom("spot" as const, "futures" as const),
    orderType: fc.constantFrom("market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit") as fc.Arbitrary<
      Signal["orderType"]
    >,
    timeInForce: fc.constantFrom("GTC", "IOC", "FOK", "GTX") as fc.Arbitrary<Signal["timeInForce"]>,
    price: number,
    current: number,
    optional: fc.record(
      {
        triggerPrice: number,
        quantity: number,
        quoteQuantity: number,
        icebergQuantity: number,
        stopLoss: number,
        stopLossPct: fc.constantFrom(c("0"), c("0.02"), c("1")),
        takeProfit: number,
        takeProfitPct: fc.constantFrom(c("0.05"), c("1")),
        atr: number,
      },
      { requiredKeys: [] },
    ),
    free: number,
    live: fc.option(number, { nil: undefined }),
    book: fc.constantFrom(EMPTY_VIEW, view({}), view({ side: "sell" }), view({ strategyId: "other" })),
  })
  test("given any signal, rules and market, then it never throws, ends in an intent or one reason, and deciding again gives the same bytes", () => {
    fc.assert(
      fc.property(any, ({ rules, optional, price, current, free, live, book, ...rest }) => {
        const given = inputs({
          signal: signal({ ...rest, ...optional, price, currentPrice: current, symbol: rules?.symbol ?? "NOPE" }),
          rules,
          venue: futures({ markets: ["spot", "futures"] }),
          freeBalance: { known: free },
          livePrice: live === undefined ? undefined : { symbol: "X", price: live, source: "trade", atMs: NOW },
          book,
        })
        const events = decideEntry(given)
        const last = events.at(-1)
        expect(["EntryIntended", "CloseIntended", "OrderFailed"]).toContain(last?.type)
        expect(events.filter((event) => event.type === "OrderFailed").length).toBeLessThanOrEqual(1)
        expect(last?.type !== "OrderFailed" || last.data.reason.class === "declined").toBe(true)
        expect(JSON.stringify(decideEntry(given))).toBe(JSON.stringify(events))
        // Taking up the decision again from each prefix, with nothing changed, leads to the same end.
        for (let kept = 0; kept < events.length; kept += 1)
          expect(JSON.stringify([...events.slice(0, kept), ...redecide(given, events.slice(0, kept))])).toBe(JSON.stringify(events))
      }),
      { numRuns: 1000 },
    )
  })
  test("given each of the 44 symbols and a computed size, then it is accepted with an intent, or a limit says why not", () => {
    const ends = TABLE.map((rules) => {
      const middle = c((Math.sqrt(Number(rules.price.min) * Number(rules.price.max)) || 1).toPrecision(5))
      return endOf(
        decideEntry(
          inputs({
            signal: signal({ symbol: rules.symbol, market: rules.market, price: middle, currentPrice: middle }),
            rules,
            venue: rules.market === "spot" ? spot() : futures(),
            settings: settings({ maxPositionNotional: c("0") }),
          }),
        ),
      )
    })
    expect(ends.filter((end) => end.endsWith("EntryIntended")).length).toBeGreaterThan(40)
  })
})
