import type { Signal } from "@petrosa/contracts"
import { add, str } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  type DecisionSettings,
  decideAgainstLots,
  EMPTY_VIEW,
  LotBook,
  type LotBookView,
  type LotEntry,
} from "../../src/decisions/index.ts"
import { c, d, futures, lot, must, orderId, rulesOf, settings, signal, spot } from "./given.ts"

const decide = (view: LotBookView, change: Partial<Signal>, other: Partial<DecisionSettings> = {}, venue = futures()) => {
  const decision = decideAgainstLots(view, signal(change), settings(other), venue)
  return "reason" in decision ? decision.reason.code : decision
}
const bookOf = (...lots: readonly LotEntry[]): LotBook => {
  const book = new LotBook()
  for (const entry of lots) book.reserve(entry)
  return book
}
const KEY = { venue: "binance-futures", market: "futures", symbol: "BTCUSDT", strategyId: "breakout" } as const
const viewOf = (...lots: readonly LotEntry[]) => bookOf(...lots).view(KEY)

describe("repeated signals", () => {
  test("given nothing, then it opens", () => {
    expect(decide(EMPTY_VIEW, { action: "buy" })).toEqual({ kind: "open", side: "buy" })
    expect(decide(EMPTY_VIEW, { action: "sell" })).toEqual({ kind: "open", side: "sell" })
  })
  test("given a lot, or an entry on its way, of the same side, then ALREADY_OPEN", () => {
    expect(decide(viewOf(lot()), { action: "buy" })).toBe("ALREADY_OPEN")
    expect(decide(viewOf(lot({ state: "onItsWay", quantity: c("0") })), { action: "buy" })).toBe("ALREADY_OPEN")
  })
  test("given MAX_LOTS_PER_STRATEGY_SYMBOL 2, then a second one opens and a third does not", () => {
    const two = { maxLotsPerStrategySymbol: 2 }
    expect(decide(viewOf(lot()), { action: "buy" }, two)).toMatchObject({ kind: "open" })
    expect(decide(viewOf(lot(), lot({ order: orderId(98) })), { action: "buy" }, two)).toBe("ALREADY_OPEN")
  })
  test("given lots of another strategy, symbol, market or venue, then they are not this one's", () => {
    const others = [
      lot({ strategyId: "other" }),
      lot({ order: orderId(2), symbol: "ETHUSDT" }),
      lot({ order: orderId(3), market: "spot" }),
      lot({ order: orderId(4), venue: "paper" }),
    ]
    expect(decide(viewOf(...others), { action: "buy" })).toMatchObject({ kind: "open" })
  })
})

describe("opposite signals", () => {
  test("given this strategy's lots of the other side, then they are closed and nothing is opened", () => {
    expect(
      decide(
        viewOf(lot(), lot({ order: orderId(98), state: "onItsWay", quantity: c("0.001") })),
        { action: "sell" },
        { maxLotsPerStrategySymbol: 2 },
      ),
    ).toEqual({
      kind: "close",
      cause: "opposite",
      lots: [
        { order: orderId(99), quantity: "0.004", side: "buy" },
        { order: orderId(98), quantity: "0.001", side: "buy" },
      ],
    })
  })
  test("given only an entry on its way of the other side, then it is cancelled and closed as a lot is", () => {
    expect(decide(viewOf(lot({ state: "onItsWay", quantity: c("0"), side: "sell" })), { action: "buy" })).toMatchObject({
      kind: "close",
      cause: "opposite",
    })
  })
  test("given OPPOSITE_SIGNAL=refuse, then OPPOSITE_SIGNAL_REFUSED", () => {
    expect(decide(viewOf(lot()), { action: "sell" }, { oppositeSignal: "refuse" })).toBe("OPPOSITE_SIGNAL_REFUSED")
  })
  test("given an opposite signal that waits for a trigger, then it is refused by name", () => {
    expect(decide(viewOf(lot()), { action: "sell", orderType: "stop" })).toBe("ORDER_TYPE_NOT_SUPPORTED")
  })
  test("given another strategy on the other side, then OPPOSITE_HELD in one-way mode, and it opens in hedge mode", () => {
    const view = viewOf(lot({ strategyId: "other" }))
    expect(decide(view, { action: "sell" })).toBe("OPPOSITE_HELD")
    expect(decide(view, { action: "sell" }, {}, futures({ positionMode: "hedge" }))).toEqual({ kind: "open", side: "sell" })
    expect(decide(view, { action: "buy" })).toMatchObject({ kind: "open" })
  })
  test("given a spot sell with nothing of this strategy, then SHORT_NOT_SUPPORTED, also while another strategy holds some", () => {
    expect(decide(EMPTY_VIEW, { action: "sell", market: "spot" }, {}, spot())).toBe("SHORT_NOT_SUPPORTED")
    expect(decide({ openPositions: 1, own: [], others: { buy: 1, sell: 0 } }, { action: "sell", market: "spot" }, {}, spot())).toBe(
      "SHORT_NOT_SUPPORTED",
    )
  })
  test("given a spot sell with a lot, then it is closed", () => {
    expect(
      decide(
        { openPositions: 1, own: [lot({ market: "spot" })], others: { buy: 0, sell: 0 } },
        { action: "sell", market: "spot" },
        {},
        spot(),
      ),
    ).toMatchObject({ kind: "close" })
  })
})

describe("close and MAX_OPEN_POSITIONS", () => {
  test("given a close with nothing held, then NOTHING_TO_CLOSE; with lots, all of them", () => {
    expect(decide(EMPTY_VIEW, { action: "close" })).toBe("NOTHING_TO_CLOSE")
    expect(decide(viewOf(lot({ strategyId: "other" })), { action: "close" })).toBe("NOTHING_TO_CLOSE")
    expect(decide(viewOf(lot()), { action: "close" })).toMatchObject({ kind: "close", cause: "close", lots: [{ quantity: "0.004" }] })
  })
  test("given as many lots and entries on their way as MAX_OPEN_POSITIONS, then no more; closing goes on", () => {
    const others = Array.from({ length: 3 }, (_, n) =>
      lot({ order: orderId(n), strategyId: `s${n}`, symbol: `S${n}`, state: n === 0 ? "onItsWay" : "open" }),
    )
    expect(decide(viewOf(...others), { action: "buy" }, { maxOpenPositions: 3 })).toBe("MAX_OPEN_POSITIONS")
    expect(decide(viewOf(...others), { action: "buy" }, { maxOpenPositions: 4 })).toMatchObject({ kind: "open" })
    expect(decide(viewOf(...others, lot()), { action: "sell" }, { maxOpenPositions: 3 })).toMatchObject({ kind: "close" })
  })
  test("given as many lots as the exchange takes conditional orders for, then no more: their stops would be refused; closing goes on", () => {
    const many = (count: number, market: "spot" | "futures", symbol: (n: number) => string) =>
      Array.from({ length: count }, (_, n) =>
        lot({ order: orderId(n), strategyId: `s${n}`, market, venue: `binance-${market}`, symbol: symbol(n) }),
      )
    const roomy = settings({ maxOpenPositions: 1000 })
    const on = (lots: readonly LotEntry[], market: "spot" | "futures", mode: "live" | "simulation" = "live") => {
      const view = bookOf(...lots).view({ ...KEY, market, venue: `binance-${market}` })
      const venue = market === "spot" ? spot({ mode }) : futures({ mode })
      const decision = decideAgainstLots(view, signal({ market }), roomy, venue, rulesOf("BTCUSDT", market))
      return "reason" in decision ? decision.reason : decision
    }
    // Spot: five of a symbol.
    expect(rulesOf("BTCUSDT", "spot").maxAlgoOrders).toBe(5)
    expect(
      on(
        many(4, "spot", () => "BTCUSDT"),
        "spot",
      ),
    ).toMatchObject({ kind: "open" })
    expect(
      on(
        many(5, "spot", () => "BTCUSDT"),
        "spot",
      ),
    ).toMatchObject({ code: "NO_ROOM_FOR_STOP", limit: "MAX_NUM_ALGO_ORDERS 5" })
    expect(
      on(
        many(50, "spot", (n) => `S${n}`),
        "spot",
      ),
    ).toMatchObject({ kind: "open" })
    // Futures: two hundred of the account, two for each lot.
    expect(
      on(
        many(99, "futures", (n) => `S${n}`),
        "futures",
      ),
    ).toMatchObject({ kind: "open" })
    expect(
      on(
        many(100, "futures", (n) => `S${n}`),
        "futures",
      ),
    ).toMatchObject({ code: "NO_ROOM_FOR_STOP" })
    // The paper venue counts nothing.
    expect(
      on(
        many(100, "futures", () => "BTCUSDT"),
        "futures",
        "simulation",
      ),
    ).toMatchObject({ kind: "open" })
    const full = bookOf(...many(100, "futures", (n) => `S${n}`), lot()).view(KEY)
    expect(decideAgainstLots(full, signal({ action: "close" }), roomy, futures())).toMatchObject({ kind: "close" })
  })
  test("given hold, then HOLD", () => {
    expect(decide(viewOf(lot()), { action: "hold" })).toBe("HOLD")
  })
})

describe("LotBook", () => {
  test("given the same order twice, then it counts once; released twice, then once", () => {
    const book = bookOf(lot(), lot())
    expect(book.view(KEY)).toMatchObject({ openPositions: 1, own: [{ order: orderId(99) }] })
    expect([book.release(orderId(99)), book.release(orderId(99)), book.size]).toEqual([true, false, 0])
    expect(book.view(KEY)).toEqual(EMPTY_VIEW)
    expect(book.update(orderId(99), { state: "open" })).toBe(false)
  })
  test("given the order that decides itself, then a view without it", () => {
    expect(bookOf(lot()).view(KEY, orderId(99))).toEqual(EMPTY_VIEW)
  })
  test("given strategy ids and symbols made to collide, then they do not", () => {
    const book = bookOf(lot({ symbol: "A\nb", strategyId: "c" }))
    expect(book.view({ ...KEY, symbol: "A", strategyId: "b\nc" }).own).toEqual([])
  })
  test("property: given any operations, then views and sums equal those of a scan", () => {
    const entry = fc.record({
      order: fc.integer({ min: 1, max: 12 }).map(orderId),
      venue: fc.constantFrom("paper", "binance-futures"),
      strategyId: fc.constantFrom("a", "b c", "ü"),
      market: fc.constantFrom("spot" as const, "futures" as const),
      symbol: fc.constantFrom("BTCUSDT", "ETHUSDT"),
      side: fc.constantFrom("buy" as const, "sell" as const),
      state: fc.constantFrom("onItsWay" as const, "open" as const),
      quantity: fc.constantFrom("0", "0.1").map(c),
      notional: fc.constantFrom("0.3", "70").map(c),
    })
    const operation = fc.oneof(
      entry.map((value) => ({ kind: "reserve", value }) as const),
      entry.map((value) => ({ kind: "update", value }) as const),
      entry.map((value) => ({ kind: "release", value }) as const),
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const book = new LotBook()
        const model = new Map<string, LotEntry>()
        for (const { kind, value } of operations) {
          if (kind === "reserve") {
            book.reserve(value)
            model.delete(value.order)
            model.set(value.order, value)
          } else if (kind === "release") {
            must(book.release(value.order) === model.delete(value.order))
          } else {
            const before = model.get(value.order)
            const { state, quantity, notional } = value
            must(book.update(value.order, { state, quantity, notional }) === (before !== undefined))
            if (before !== undefined) model.set(value.order, { ...before, state, quantity, notional })
          }
        }
        const all = [...model.values()]
        for (const venue of ["paper", "binance-futures"]) {
          const there = all.filter((one) => one.venue === venue)
          expect(str(book.notionalOnItsWay(venue))).toBe(
            str(there.filter((one) => one.state === "onItsWay").reduce((total, one) => add(total, d(one.notional)), d("0"))),
          )
          for (const market of ["spot", "futures"] as const)
            for (const symbol of ["BTCUSDT", "ETHUSDT"])
              for (const strategyId of ["a", "b c", "ü"]) {
                const here = there.filter((one) => one.market === market && one.symbol === symbol)
                const others = here.filter((one) => one.strategyId !== strategyId)
                const view = book.view({ venue, market, symbol, strategyId })
                expect(view.openPositions).toBe(there.length)
                expect(new Set(view.own)).toEqual(new Set(here.filter((one) => one.strategyId === strategyId)))
                expect(view.others).toEqual({
                  buy: others.filter((one) => one.side === "buy").length,
                  sell: others.filter((one) => one.side === "sell").length,
                })
              }
        }
      }),
      { numRuns: 200 },
    )
  })
})
