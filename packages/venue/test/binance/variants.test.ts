/**
 * Every variant of stream events that binance.md names, and those that nobody has named yet: what is known is told exactly, what is
 * new is ignored where it is none of ours, and unreadable (so that somebody asks) where it may be.
 */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { decodeFuturesEvent, readEvent } from "../../src/binance-futures/events.ts"
import type { FuturesEvent } from "../../src/binance-futures/events.ts"
import { decodeSpotEvent, readMessage } from "../../src/binance-spot/events.ts"
import type { SpotEvent } from "../../src/binance-spot/events.ts"
import { ALGO_UPDATE, EXECUTION_REPORT, ORDER_TRADE_UPDATE } from "./fixtures.ts"

type Json = Record<string, unknown>
const assetsOf = (symbol: string) => ({ baseAsset: symbol.slice(0, 3), quoteAsset: symbol.slice(3) })
const futures = (message: string): FuturesEvent => {
  const event = readEvent(message)
  return event === undefined ? { _tag: "Ignored" } : decodeFuturesEvent(event, assetsOf)
}
const spot = (message: string): SpotEvent => {
  const read = readMessage(message)
  return read._tag === "Event" ? decodeSpotEvent(read.event, assetsOf) : { _tag: "Ignored" }
}
/** A futures event with other fields inside `o`. */
const inner = (message: string, change: Json): string => {
  const event = JSON.parse(message) as { readonly o: Json }
  return JSON.stringify({ ...event, o: { ...event.o, ...change } })
}
const report = (change: Json): string => {
  const message = JSON.parse(EXECUTION_REPORT) as Json
  const event = (message["event"] ?? message) as Json
  return JSON.stringify({ subscriptionId: 0, event: { ...event, ...change } })
}
const TRADE = { x: "TRADE", X: "PARTIALLY_FILLED", t: 7, l: "1.5", L: "85.5", z: "1.5", ap: "85.5", n: "0.01", N: "USDT" }

describe("futures orders", () => {
  test.each([
    ["NEW", "NEW", "new"],
    ["TRADE", "PARTIALLY_FILLED", "partially_filled"],
    ["TRADE", "FILLED", "filled"],
    ["CANCELED", "CANCELED", "cancelled"],
    ["EXPIRED", "EXPIRED", "expired"],
    ["EXPIRED", "EXPIRED_IN_MATCH", "expired"],
    ["AMENDMENT", "NEW", "new"],
    ["CALCULATED", "FILLED", "filled"],
  ])("given execution %s with status %s, then it is %s", (x, X, status) => {
    const change = x === "TRADE" || x === "CALCULATED" ? { ...TRADE, x, X } : { x, X }
    expect(futures(inner(ORDER_TRADE_UPDATE, change))).toMatchObject({ _tag: "Order", order: { status } })
  })
  test.each(["SOMETHING_NEW", "", null, 5])("given the status %j, then it is unreadable, so that somebody asks", (X) => {
    expect(futures(inner(ORDER_TRADE_UPDATE, { X }))).toMatchObject({ _tag: "Unreadable" })
  })
  test.each(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"])("given the expiry reason %s, then the order is expired", (er) => {
    expect(futures(inner(ORDER_TRADE_UPDATE, { x: "EXPIRED", X: "EXPIRED", er }))).toMatchObject({ order: { status: "expired" } })
  })
  test.each(["autoclose-1779367929401", "adl_autoclose", "settlement_autoclose-1779367929401"])(
    "given an order of the exchange itself, %s, then it is told with its trade, under its own id",
    (c) => {
      const event = futures(inner(ORDER_TRADE_UPDATE, { ...TRADE, x: "CALCULATED", c, o: "LIQUIDATION", ot: "LIQUIDATION" }))
      expect(event).toMatchObject({ _tag: "Order", order: { clientOrderId: c, type: "market" }, fill: { tradeId: "7", quantity: "1.5" } })
    },
  )
  test("given ids beyond 2^53, then no digit is lost", () => {
    const message = inner(ORDER_TRADE_UPDATE, { ...TRADE, i: 1, t: 2 })
      .replace('"i":1', '"i":8389765612825190229')
      .replace('"t":2', '"t":9007199254740993')
    expect(futures(message)).toMatchObject({ order: { venueOrderId: "8389765612825190229" }, fill: { tradeId: "9007199254740993" } })
  })
  test("given a trade without a trade id, then it is unreadable", () => {
    for (const t of [0, null, undefined]) expect(futures(inner(ORDER_TRADE_UPDATE, { ...TRADE, t }))).toMatchObject({ _tag: "Unreadable" })
  })
})

describe("algo orders", () => {
  test.each([
    ["NEW", "0", "new"],
    ["TRIGGERING", "0", "new"],
    ["TRIGGERED", "0", "new"],
    ["FINISHED", "38", "filled"],
    ["FINISHED", "0", "cancelled"],
    ["FINISHED", "12", "cancelled"],
    ["CANCELED", "0", "cancelled"],
    ["REJECTED", "0", "rejected"],
    ["EXPIRED", "0", "expired"],
  ])("given %s with %s filled, then it is %s", (X, aq, status) => {
    expect(futures(inner(ALGO_UPDATE, { X, aq, ap: aq === "0" ? "0" : "0.14" }))).toMatchObject({
      _tag: "Algo",
      algo: { algoStatus: X, order: { status } },
    })
  })
  test("given a rejection, then its reason is told; given no child, none; given a child of 64 bits, all of its digits", () => {
    expect(futures(inner(ALGO_UPDATE, { X: "REJECTED", rm: "Margin is insufficient.", ai: "" }))).toMatchObject({
      rejectReason: "Margin is insufficient.",
      algo: { childId: undefined },
    })
    expect(futures(inner(ALGO_UPDATE, { ai: "8389765612825190229" }))).toMatchObject({ algo: { childId: "8389765612825190229" } })
  })
  test.each(["", null, undefined])(
    "given that it is finished, and %j for what it filled, then it is unreadable: nothing is no quantity",
    (aq) => {
      expect(futures(inner(ALGO_UPDATE, { X: "FINISHED", aq }))).toMatchObject({ _tag: "Unreadable" })
      expect(futures(inner(ALGO_UPDATE, { X: "CANCELED", aq, ai: "" }))).toMatchObject({ algo: { order: { status: "cancelled" } } })
    },
  )
  test("given a status that nobody has named, then it is unreadable; given a trailing stop, then it is not ours", () => {
    expect(futures(inner(ALGO_UPDATE, { X: "PAUSED" }))).toMatchObject({ _tag: "Unreadable" })
    expect(futures(inner(ALGO_UPDATE, { o: "TRAILING_STOP_MARKET", ia: true }))).toEqual({ _tag: "Ignored" })
  })
})

describe("spot reports", () => {
  test.each([
    ["NEW", "NEW", "new"],
    ["NEW", "PENDING_NEW", "new"],
    ["CANCELED", "CANCELED", "cancelled"],
    ["REJECTED", "REJECTED", "rejected"],
    ["EXPIRED", "EXPIRED", "expired"],
    ["TRADE_PREVENTION", "EXPIRED_IN_MATCH", "expired"],
    ["REPLACED", "NEW", "new"],
  ])("given execution %s with status %s, then it is %s", (x, X, status) => {
    expect(spot(report({ x, X }))).toMatchObject({ _tag: "Order", order: { status } })
  })
  test.each([
    "REJECTED",
    "EXCHANGE_CANCELED",
    "OTO_PHASE_ONE_EXPIRED",
    "UNFILLED_IOC_QUANTITY_EXPIRED",
    "INSUFFICIENT_LIQUIDITY",
    "NEW_REASON",
  ])("given the expiry reason %s, then it is expired, and not by its sibling", (eR) => {
    const event = spot(report({ x: "EXPIRED", X: "EXPIRED", eR }))
    expect(event).toMatchObject({ order: { status: "expired" } })
    expect(event).not.toHaveProperty("order.endedBySibling")
  })
  test("given a status that nobody has named, then it is unreadable", () => {
    expect(spot(report({ X: "HALTED" }))).toMatchObject({ _tag: "Unreadable" })
  })
})

test("given a trade between two orders of the account (a stop that fires into a resting entry), then each order's fill is news of its own", () => {
  const keyOf = (event: SpotEvent | FuturesEvent): unknown => (event._tag === "Order" ? event.key : event)
  for (const [decode, message] of [
    [futures, (i: number) => inner(ORDER_TRADE_UPDATE, { ...TRADE, i })],
    [spot, (i: number) => report({ ...TRADE, z: "1.5", i })],
  ] as const) {
    expect(keyOf(decode(message(1)))).not.toEqual(keyOf(decode(message(2))))
    expect(keyOf(decode(message(1)))).toEqual(keyOf(decode(message(1))))
  }
})

test.each(["TRADE_LITE", "STRATEGY_UPDATE", "GRID_UPDATE", "CONDITIONAL_ORDER_TRIGGER_REJECT", "SOMETHING_OF_2027", "listStatus"])(
  "given an event %s, then it is ignored on either market",
  (e) => {
    const message = JSON.stringify({ e, E: 1, o: {}, O: [] })
    expect([futures(message), spot(message)]).toEqual([{ _tag: "Ignored" }, { _tag: "Ignored" }])
  },
)

test("given any further fields, at any level, then an event means what it meant", () => {
  const known = new Set("eETosSxXicCqzlLntTNmapfFgrIwMOPWZYQVbBRu".split(""))
  const extra = fc.dictionary(
    fc
      .string({ minLength: 2, maxLength: 6 })
      .filter((name) => !known.has(name) && !/^(ap|ot|sp|aid|caid|ai|aq|tp|rm|eR|__proto__)$/.test(name)),
    fc.jsonValue(),
    { maxKeys: 4 },
  )
  fc.assert(
    fc.property(extra, extra, (outer, within) => {
      for (const message of [ORDER_TRADE_UPDATE, ALGO_UPDATE]) {
        const event = JSON.parse(message) as { readonly o: Json }
        const wider = JSON.stringify({ ...outer, ...event, o: { ...within, ...event.o } })
        if (Object.hasOwn(outer, "data")) continue
        expect(futures(wider)).toEqual(futures(message))
      }
      expect(spot(report(within))).toEqual(spot(report({})))
    }),
  )
})
