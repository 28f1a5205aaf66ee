import { dec, str } from "@petrosa/contracts"
import type { Side } from "@petrosa/contracts"
import { describe, expect, test } from "vitest"
import { FLAT, cancel, entryPrice, execute, place, positionAfter, sweep } from "../src/index.ts"
import type { MatchingStore, MemoryStore, NewOrder, Order } from "../src/index.ts"
import { d, draft, quoteOf, richStore, rules } from "./world.ts"

const house = rules()
const put = (store: MatchingStore, change: Partial<NewOrder>): Order => {
  const placed = place(store, house, draft(change), 1)
  if (placed._tag === "Refused") throw new Error(`refused: ${placed.reason}`)
  if (placed.order.pending) execute(store, house, placed.order.id, 1)
  return store.order(placed.order.id) ?? placed.order
}
const refusal = (store: MatchingStore, change: Partial<NewOrder>): string => {
  const placed = place(store, house, draft(change), 1)
  return placed._tag === "Refused" ? placed.reason : "placed"
}
const at = (price: string, meet = false): MemoryStore => {
  const store = richStore(meet)
  for (const market of ["spot", "futures"] as const) sweep(store, house, market, "BTCUSDT", quoteOf(price), 0)
  return store
}

describe("triggers", () => {
  test.each([
    ["stop", "buy", "110", "109.9", "110"],
    ["stop", "sell", "90", "90.1", "90"],
    ["take_profit", "buy", "90", "90.1", "90"],
    ["take_profit", "sell", "110", "109.9", "110"],
  ] as const)("given a %s to %s at %s, then it waits at %s, fires at %s and trades once", (type, side: Side, trigger, before, then) => {
    const store = at("100")
    const order = put(store, { type, side, triggerPrice: d(trigger), positionSide: side === "buy" ? "long" : "short", price: undefined })
    sweep(store, house, "futures", "BTCUSDT", quoteOf(before), 2)
    expect(store.order(order.id)).toMatchObject({ status: "new", triggered: false })
    sweep(store, house, "futures", "BTCUSDT", quoteOf(then), 3)
    expect(store.order(order.id)).toMatchObject({ status: "filled", triggered: true, filledQuote: then, pending: false })
    sweep(store, house, "futures", "BTCUSDT", quoteOf("100"), 4)
    sweep(store, house, "futures", "BTCUSDT", quoteOf(then), 5)
    expect(store.trades()).toHaveLength(1)
  })

  test.each([
    ["stop", "buy", "100"],
    ["stop", "sell", "100"],
    ["take_profit", "buy", "101"],
    ["take_profit", "sell", "99"],
  ] as const)("given a %s to %s at %s with the market at 100, then it would trigger at once", (type, side, trigger) => {
    const positionSide = side === "buy" ? "long" : "short"
    expect(refusal(at("100"), { type, side, positionSide, triggerPrice: d(trigger), price: undefined })).toBe("wouldTrigger")
  })

  test("given a stop-limit that fires beyond its limit, then it rests there, and fills when the price comes back", () => {
    const store = at("100")
    const order = put(store, { type: "stop_limit", triggerPrice: d("105"), price: d("106") })
    sweep(store, house, "futures", "BTCUSDT", quoteOf("108"), 2)
    expect(store.order(order.id)).toMatchObject({ status: "new", triggered: true, pending: false })
    sweep(store, house, "futures", "BTCUSDT", quoteOf("105.5"), 3)
    expect(store.order(order.id)).toMatchObject({ status: "filled", filledQuote: "106" })
  })

  test("given a trigger on the mark price, then the last price does not fire it", () => {
    const store = at("100")
    const order = put(store, { type: "stop", triggerOn: "mark", triggerPrice: d("110"), price: undefined })
    sweep(store, house, "futures", "BTCUSDT", { ...quoteOf("111"), mark: d("109") }, 2)
    expect(store.order(order.id)?.triggered).toBe(false)
    sweep(store, house, "futures", "BTCUSDT", { ...quoteOf("109"), mark: d("110") }, 3)
    expect(store.order(order.id)).toMatchObject({ status: "filled", filledQuote: "109" })
  })

  test("given a reduce-only stop whose position is gone, when it fires, then it ends without trading", () => {
    const store = at("100")
    put(store, { type: "market", price: undefined })
    const stop = put(store, { type: "stop", side: "sell", reduceOnly: true, triggerPrice: d("90"), price: undefined })
    put(store, { type: "market", side: "sell", reduceOnly: true, price: undefined })
    sweep(store, house, "futures", "BTCUSDT", quoteOf("89"), 2)
    expect(store.order(stop.id)).toMatchObject({ status: "expired", filled: "0" })
    expect(store.position("ann", "BTCUSDT", "long")).toMatchObject({ quantity: "0", margin: "0" })
  })

  test("given stop and target of one lot, when one price move reaches two stops, then together they close no more than is held", () => {
    const store = at("100")
    put(store, { type: "market", price: undefined })
    for (const trigger of ["90", "91"])
      put(store, { type: "stop", side: "sell", reduceOnly: true, triggerPrice: d(trigger), price: undefined })
    sweep(store, house, "futures", "BTCUSDT", quoteOf("80"), 2)
    expect(store.orders().map((order) => order.status)).toEqual(["filled", "filled", "expired"])
    expect(store.position("ann", "BTCUSDT", "long")?.quantity).toBe("0")
  })
})

describe("times in force", () => {
  test("given post-only through the market, then it would match; given away from it, then it rests", () => {
    expect(refusal(at("100"), { timeInForce: "GTX", price: d("100") })).toBe("wouldMatch")
    expect(put(at("100"), { timeInForce: "GTX", price: d("99") })).toMatchObject({ status: "new", pending: false })
  })

  test("given little liquidity, then IOC takes it and ends, FOK takes nothing, GTC takes it and rests", () => {
    const small = (): MemoryStore => {
      const store = at("100")
      sweep(store, house, "futures", "BTCUSDT", quoteOf("100", "0.4"), 1)
      return store
    }
    expect(put(small(), { timeInForce: "IOC" })).toMatchObject({ status: "expired", filled: "0.4", locked: "0" })
    expect(put(small(), { timeInForce: "FOK" })).toMatchObject({ status: "expired", filled: "0", locked: "0" })
    expect(put(small(), { timeInForce: "GTC" })).toMatchObject({ status: "partially_filled", filled: "0.4", locked: "60" })
    expect(put(small(), { type: "market", price: undefined })).toMatchObject({ status: "expired", filled: "0.4" })
  })

  test("given a budget, then an execution trades no more than it, and goes on later", () => {
    const store = at("100")
    const placed = place(store, house, draft({ type: "market", price: undefined }), 1)
    if (placed._tag === "Refused") throw new Error(placed.reason)
    execute(store, house, placed.order.id, 1, { maxQuantity: dec("0.3") })
    expect(store.order(placed.order.id)).toMatchObject({ status: "partially_filled", filled: "0.3", pending: true })
    execute(store, house, placed.order.id, 2)
    expect(store.order(placed.order.id)).toMatchObject({ status: "filled", pending: false })
  })
})

describe("accounts that meet", () => {
  test("given a crossing order, then it trades at the maker's price, both pay their fee, and the rest rests", () => {
    const store = richStore(true)
    put(store, { account: "bob", side: "sell", positionSide: "short", price: d("101"), quantity: d("0.4") })
    const taker = put(store, { account: "ann", price: d("102") })
    expect(taker).toMatchObject({ status: "partially_filled", filled: "0.4", filledQuote: "40.4" })
    expect(store.trades().map((trade) => [trade.account, trade.liquidity, trade.price, trade.fee])).toEqual([
      ["ann", "taker", "101", "0.0404"],
      ["bob", "maker", "101", "0.0404"],
    ])
    expect([...store.book("futures", "BTCUSDT", "buy")].map((order) => order.id)).toEqual([taker.id])
  })

  test("given an order of the same account on the other side, then the older one gives way, and they do not trade", () => {
    const store = richStore(true)
    const maker = put(store, { side: "sell", positionSide: "short", price: d("100") })
    put(store, { price: d("100") })
    expect(store.order(maker.id)?.status).toBe("expired")
    expect(store.trades()).toHaveLength(0)
  })

  test("given a resting reduce-only order of more than is held, then it gives no more than is held, and ends", () => {
    const store = richStore(true)
    put(store, { account: "bob", price: d("100"), quantity: d("0.4") })
    put(store, { account: "cid", side: "sell", positionSide: "short", price: d("100"), quantity: d("0.4") })
    const maker = put(store, { account: "bob", side: "sell", reduceOnly: true, price: d("101"), quantity: d("1") })
    const taker = put(store, { account: "ann", price: d("101"), quantity: d("1") })
    expect(taker).toMatchObject({ status: "partially_filled", filled: "0.4" })
    expect(store.order(maker.id)).toMatchObject({ status: "expired", filled: "0.4" })
    expect(store.position("bob", "BTCUSDT", "long")?.quantity).toBe("0")
  })

  test("given an order that is accepted and not yet executed, then price moves pass it by", () => {
    const store = at("100")
    const placed = place(store, house, draft({ price: d("101") }), 1)
    if (placed._tag === "Refused") throw new Error(placed.reason)
    sweep(store, house, "futures", "BTCUSDT", quoteOf("90"), 2)
    expect(store.order(placed.order.id)).toMatchObject({ status: "new", pending: true })
    execute(store, house, placed.order.id, 3)
    expect(store.order(placed.order.id)).toMatchObject({ status: "filled", filledQuote: "90" })
  })

  test("given book and outside market, then the better price comes first", () => {
    const store = at("100", true)
    put(store, { account: "bob", side: "sell", positionSide: "short", price: d("100.5"), quantity: d("0.5") })
    sweep(store, house, "futures", "BTCUSDT", { ...quoteOf("100.4"), ask: d("100.8") }, 2)
    put(store, { type: "market", price: undefined })
    expect(store.trades().flatMap((trade) => (trade.account === "ann" ? [[trade.price, trade.quantity]] : []))).toEqual([
      ["100.5", "0.5"],
      ["100.8", "0.5"],
    ])
  })
})

describe("refusals leave no trace", () => {
  test.each([
    ["duplicate", { clientOrderId: "same", price: d("90") }],
    ["balance", { quantity: d("20000") }],
    ["nothingToReduce", { side: "sell", reduceOnly: true }],
    ["nothingToReduce", { side: "sell", positionSide: "long" }],
    ["noPrice", { symbol: "ETHUSDT", type: "market", price: undefined }],
  ] as const)("%s", (reason, change) => {
    const store = at("100")
    put(store, { clientOrderId: "same", price: d("90") })
    const before = JSON.stringify(store.exportState())
    expect(refusal(store, change)).toBe(reason)
    expect(JSON.stringify(store.exportState())).toBe(before)
  })

  test("given an id of an order that is over, then it is taken again: ids are unique among live orders only", () => {
    const store = at("100")
    put(store, { clientOrderId: "same", type: "market", price: undefined })
    expect(put(store, { clientOrderId: "same", type: "market", price: undefined }).status).toBe("filled")
  })

  test("given an order that is over, then it cannot be cancelled", () => {
    const store = at("100")
    const order = put(store, { type: "market", price: undefined })
    expect(cancel(store, house, "ann", "futures", "BTCUSDT", order.clientOrderId, 2)).toEqual({ _tag: "Refused", reason: "unknownOrder" })
  })
})

describe("money", () => {
  test("given a long that is closed in thirds, then the profit is exact to the last digit", () => {
    let position = positionAfter(FLAT, dec("0.003"), dec("50000.01"), dec("1")).position
    expect(entryPrice(position)).toBe("50000.01")
    const realised = []
    for (const price of ["51000", "49000.37", "50500.5"]) {
      const after = positionAfter(position, dec("-0.001"), dec(price), dec("1"))
      realised.push(str(after.realised))
      position = after.position
    }
    expect(realised).toEqual(["0.99999", "-0.99964", "0.50049"])
    expect(position).toMatchObject({ quantity: "0", cost: "0", margin: "0" })
  })

  test("given a one-way position that is turned around, then the old one is realised and the new one starts at the price", () => {
    const long = positionAfter(FLAT, dec("1"), dec("100"), dec("2")).position
    const { position, realised } = positionAfter(long, dec("-3"), dec("110"), dec("2"))
    expect(str(realised)).toBe("10")
    expect(position).toEqual({ quantity: "-2", cost: "220", margin: "110", realised: "10" })
  })

  test("given spot with fees in what is received, then a buyer gets less of the base, and pays no quote for it", () => {
    const store = at("100")
    const received = rules({ feeAsset: "received" })
    const placed = place(store, received, draft({ market: "spot", type: "market", price: undefined }), 1)
    if (placed._tag === "Refused") throw new Error(placed.reason)
    execute(store, received, placed.order.id, 1)
    expect(store.balance("ann:spot", "BTC").total).toBe("10.999")
    expect(store.balance("ann:spot", "USDT")).toEqual({ total: "999900", locked: "0" })
  })

  test("given triggers that lock nothing, then margin is asked for when they fire, and without it the order is rejected", () => {
    const store = at("100")
    const lazy = rules({ lockUntriggered: false })
    const placed = place(store, lazy, draft({ type: "stop", triggerPrice: d("110"), quantity: d("9500"), price: undefined }), 1)
    if (placed._tag === "Refused") throw new Error(placed.reason)
    expect(placed.order.locked).toBe("0")
    sweep(store, lazy, "futures", "BTCUSDT", quoteOf("110"), 2)
    expect(store.order(placed.order.id)).toMatchObject({ status: "rejected", filled: "0" })
  })
})
