/** A small exchange for tests: three accounts, one wallet each per market, BTCUSDT, fees in quote; and what must always hold. */
import { ZERO, add, dec, eq, gt, gte, isNegative, isZero, lte, mul, neg, str, sub, sum } from "@petrosa/contracts"
import type { Decimal, DecimalString, Market } from "@petrosa/contracts"
import { expect } from "vitest"
import { MemoryStore, isLive } from "../src/index.ts"
import type { MatchingRules, NewOrder, Quote } from "../src/index.ts"

export const ACCOUNTS = ["ann", "bob", "cid"] as const

export const rules = (change: Partial<MatchingRules> = {}): MatchingRules => ({
  wallet: (account, market) => `${account}:${market}`,
  assets: () => ({ base: "BTC", quote: "USDT" }),
  feeRate: () => dec("0.001"),
  feeAsset: "quote",
  leverage: () => dec("1"),
  lockUntriggered: true,
  ...change,
})

export const d = (text: string): DecimalString => text as DecimalString
export const quoteOf = (price: string, size?: string): Quote => ({
  bid: d(price),
  ask: d(price),
  last: d(price),
  mark: d(price),
  ...(size === undefined ? {} : { bidSize: d(size), askSize: d(size) }),
})

export const richStore = (accountsMeet: boolean, store = new MemoryStore({ accountsMeet })): MemoryStore => {
  for (const account of ACCOUNTS) {
    for (const market of ["spot", "futures"]) store.putBalance(`${account}:${market}`, "USDT", { total: d("1000000"), locked: d("0") })
    store.putBalance(`${account}:spot`, "BTC", { total: d("10"), locked: d("0") })
  }
  return store
}

let ids = 0
export const draft = (change: Partial<NewOrder> = {}): NewOrder => {
  ids += 1
  return {
    account: "ann",
    clientOrderId: `c${ids}`,
    market: "futures",
    symbol: "BTCUSDT",
    side: "buy",
    positionSide: "long",
    type: "limit",
    timeInForce: "GTC",
    quantity: d("1"),
    price: change.type === undefined || change.type.endsWith("limit") ? d("100") : undefined,
    triggerOn: "last",
    reduceOnly: false,
    ...change,
  }
}

const total = (store: MemoryStore, asset: string): string =>
  str(
    sum(
      ACCOUNTS.flatMap((account) =>
        (["spot", "futures"] as const).map((market) => dec(store.balance(`${account}:${market}`, asset).total)),
      ),
    ),
  )

/** What holds after every step, whatever was done. `meet`: accounts trade with each other; then the book never stands crossed. */
export const checkInvariants = (store: MemoryStore, meet: boolean): void => {
  const trades = store.trades()
  for (const order of store.orders()) {
    const own = trades.filter((trade) => trade.orderId === order.id)
    expect(eq(sum(own.map((trade) => dec(trade.quantity))), dec(order.filled))).toBe(true)
    expect(lte(dec(order.filled), dec(order.quantity))).toBe(true)
    expect(order.status === "filled").toBe(order.filled === order.quantity)
    if (!isLive(order.status)) expect(order.locked).toBe("0")
    if (order.price !== undefined)
      for (const trade of own)
        expect(order.side === "buy" ? lte(dec(trade.price), dec(order.price)) : gte(dec(trade.price), dec(order.price))).toBe(true)
  }
  for (const account of ACCOUNTS) {
    for (const market of ["spot", "futures"] as readonly Market[]) {
      const mine = store.orders().filter((order) => order.account === account && order.market === market)
      const lockedBy = (side: "buy" | "sell") => sum(mine.filter((order) => order.side === side).map((order) => dec(order.locked)))
      const sides = ["long", "short", "both"] as const
      const margin = market === "spot" ? ZERO : sum(sides.map((side) => dec(store.position(account, "BTCUSDT", side)?.margin ?? "0")))
      const usdt = store.balance(`${account}:${market}`, "USDT")
      const expected = market === "spot" ? lockedBy("buy") : add(add(lockedBy("buy"), lockedBy("sell")), margin)
      expect(usdt.locked).toBe(str(expected))
      if (market === "spot") {
        const btc = store.balance(`${account}:spot`, "BTC")
        expect(btc.locked).toBe(str(lockedBy("sell")))
        expect(gt(dec(btc.locked), dec(btc.total))).toBe(false)
        expect(isNegative(dec(usdt.total))).toBe(false)
      }
    }
    const long = store.position(account, "BTCUSDT", "long")
    const short = store.position(account, "BTCUSDT", "short")
    if (long !== undefined) expect(isNegative(dec(long.quantity))).toBe(false)
    if (short !== undefined) expect(gt(dec(short.quantity), ZERO)).toBe(false)
    for (const position of [long, short, store.position(account, "BTCUSDT", "both")])
      if (position !== undefined && isZero(dec(position.quantity))) expect([position.cost, position.margin]).toEqual(["0", "0"])
  }
  // Money: totals moved by realised profit, fees and (spot, against the outside) the legs of the trades; by nothing else.
  const futures = trades.filter((trade) => trade.market === "futures")
  const spot = trades.filter((trade) => trade.market === "spot")
  const fees = sum(trades.map((trade) => dec(trade.fee)))
  const realised = sum(futures.map((trade) => dec(trade.realised)))
  const signed = (side: "buy" | "sell", value: Decimal): Decimal => (side === "buy" ? value : neg(value))
  const spent = sum(spot.map((t) => signed(t.side, mul(dec(t.price), dec(t.quantity)))))
  const got = sum(spot.map((t) => signed(t.side, dec(t.quantity))))
  expect(total(store, "USDT")).toBe(str(sub(sub(add(dec("6000000"), realised), fees), spent)))
  expect(total(store, "BTC")).toBe(str(add(dec("30"), got)))
  if (meet) {
    const best = (side: "buy" | "sell") => [...store.book("futures", "BTCUSDT", side)][0]?.price
    const bid = best("buy")
    const ask = best("sell")
    if (bid !== undefined && ask !== undefined) expect(gt(dec(ask), dec(bid))).toBe(true)
  }
}
