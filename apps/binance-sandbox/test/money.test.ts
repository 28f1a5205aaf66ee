/** What must hold after any sequence of requests and prices: no money from nowhere, nothing locked for nobody, trades add up. */
import { ZERO, add, cmp, dec, eq, isNegative, isZero, str, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import fc from "fast-check"
import { expect, test } from "vitest"
import { ManualClock } from "../src/index.ts"
import { createWorld } from "../src/world.ts"
import type { World } from "../src/world.ts"
import { Params } from "../src/wire/params.ts"
import { ApiError } from "../src/wire/errors.ts"
import type { Route } from "../src/wire/routes.ts"

type Step =
  | { readonly kind: "price"; readonly price: number }
  | {
      readonly kind: "call"
      readonly market: "spot" | "futures"
      readonly route: string
      readonly params: Readonly<Record<string, string>>
    }
  | { readonly kind: "cancel"; readonly market: "spot" | "futures"; readonly nth: number }

const price = fc.integer({ min: 30_000, max: 70_000 })
const side = fc.constantFrom("BUY", "SELL")
const quantity = fc.integer({ min: 1, max: 900 }).map((n) => (n / 1000).toString())
const spotOrder = fc
  .record({
    side,
    quantity,
    price,
    type: fc.constantFrom("LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS", "TAKE_PROFIT_LIMIT"),
    timeInForce: fc.constantFrom("GTC", "IOC", "FOK"),
  })
  .map((order): Step => {
    const limit = order.type === "LIMIT" || order.type.endsWith("_LIMIT")
    const params: Record<string, string> = { symbol: "BTCUSDT", side: order.side, type: order.type, quantity: order.quantity }
    if (limit || order.type === "LIMIT_MAKER") params["price"] = String(order.price)
    if (limit) params["timeInForce"] = order.timeInForce
    if (order.type.startsWith("STOP") || order.type.startsWith("TAKE")) params["stopPrice"] = String(order.price)
    return { kind: "call", market: "spot", route: "POST /api/v3/order", params }
  })
const oco = fc.record({ side, quantity, above: price, below: price }).map(
  ({ side: s, quantity: q, above, below }): Step => ({
    kind: "call",
    market: "spot",
    route: "POST /api/v3/orderList/oco",
    params:
      s === "SELL"
        ? {
            symbol: "BTCUSDT",
            side: s,
            quantity: q,
            aboveType: "LIMIT_MAKER",
            abovePrice: String(above),
            belowType: "STOP_LOSS",
            belowStopPrice: String(below),
          }
        : {
            symbol: "BTCUSDT",
            side: s,
            quantity: q,
            aboveType: "STOP_LOSS_LIMIT",
            aboveStopPrice: String(above),
            abovePrice: String(above + 100),
            aboveTimeInForce: "GTC",
            belowType: "LIMIT_MAKER",
            belowPrice: String(below),
          },
  }),
)
const otoco = fc.record({ quantity, entry: price, above: price, below: price }).map(
  ({ quantity: q, entry, above, below }): Step => ({
    kind: "call",
    market: "spot",
    route: "POST /api/v3/orderList/otoco",
    params: {
      symbol: "BTCUSDT",
      workingType: "LIMIT",
      workingSide: "BUY",
      workingPrice: String(entry),
      workingQuantity: q,
      workingTimeInForce: "GTC",
      pendingSide: "SELL",
      pendingQuantity: q,
      pendingAboveType: "LIMIT_MAKER",
      pendingAbovePrice: String(above),
      pendingBelowType: "STOP_LOSS",
      pendingBelowStopPrice: String(below),
    },
  }),
)
const futuresOrder = fc.record({ side, quantity, price, market: fc.boolean(), reduceOnly: fc.boolean() }).map(
  (order): Step => ({
    kind: "call",
    market: "futures",
    route: "POST /fapi/v1/order",
    params: {
      symbol: "BTCUSDT",
      side: order.side,
      quantity: order.quantity,
      reduceOnly: String(order.reduceOnly),
      ...(order.market ? { type: "MARKET" } : { type: "LIMIT", price: String(order.price), timeInForce: "GTC" }),
    },
  }),
)
const algo = fc.record({ side, quantity, price, close: fc.boolean(), type: fc.constantFrom("STOP_MARKET", "TAKE_PROFIT_MARKET") }).map(
  (order): Step => ({
    kind: "call",
    market: "futures",
    route: "POST /fapi/v1/algoOrder",
    params: {
      algoType: "CONDITIONAL",
      symbol: "BTCUSDT",
      side: order.side,
      type: order.type,
      triggerPrice: String(order.price),
      ...(order.close ? { closePosition: "true" } : { quantity: order.quantity, reduceOnly: "true" }),
    },
  }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: price.map((p): Step => ({ kind: "price", price: p })) },
  { weight: 3, arbitrary: spotOrder },
  { weight: 2, arbitrary: oco },
  { weight: 2, arbitrary: otoco },
  { weight: 3, arbitrary: futuresOrder },
  { weight: 2, arbitrary: algo },
  {
    weight: 1,
    arbitrary: fc
      .record({ market: fc.constantFrom("spot" as const, "futures" as const), nth: fc.nat(20) })
      .map((c): Step => ({ kind: "cancel", ...c })),
  },
)

const START = { USDT: dec("100000"), BTC: dec("2") }
const open = (thin: boolean): World =>
  createWorld(new ManualClock(1_700_000_000_000), {
    accounts: [{ name: "main", apiKey: "k".repeat(64), apiSecret: "s", spot: { USDT: "100000", BTC: "2" }, futures: { USDT: "100000" } }],
    ...(thin ? { liquidity: { levels: 2, quantity: "0.2" } } : {}),
  })

const run = async (world: World, one: Step): Promise<void> => {
  if (one.kind === "price") {
    for (const market of ["spot", "futures"] as const) world.exchange.setPrice(market, "BTCUSDT", { last: dec(one.price) })
    return
  }
  if (one.kind === "cancel") {
    const order = world.exchange.orders.open(one.market, "main")[one.nth]
    if (order !== undefined) world.exchange.end(order, "CANCELED")
    return
  }
  const route = world.routes[one.market].get(one.route) as Extract<Route, { security: "signed" }>
  try {
    await route.run({
      params: Params.of(one.params),
      ip: "",
      account: world.exchange.account("main"),
      fillAfterMs: undefined,
      hideForMs: 0,
      fillOnCancel: undefined,
    })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
const total = (items: Iterable<Decimal>): Decimal => [...items].reduce((sum, item) => add(sum, item), ZERO)

const check = (world: World): void => {
  const { exchange } = world
  const trades = exchange.orders.trades()
  const wallet = (market: string, asset: string) => exchange.store.balance(`main:${market}`, asset)
  // Spot: what is held is what was there, plus and minus every trade and fee.
  for (const [asset, start] of Object.entries(START)) {
    const moves = trades
      .filter((trade) => trade.market === "spot")
      .map((trade) => {
        const base = trade.side === "BUY" ? trade.quantity : sub(ZERO, trade.quantity)
        const quote = trade.side === "BUY" ? sub(ZERO, trade.quote) : trade.quote
        return sub(asset === "BTC" ? base : quote, trade.commissionAsset === asset ? trade.commission : ZERO)
      })
    expect(wallet("spot", asset).total).toBe(str(add(start, total(moves))))
    expect(isNegative(dec(wallet("spot", asset).locked))).toBe(false)
    expect(cmp(dec(wallet("spot", asset).locked), dec(wallet("spot", asset).total)) <= 0).toBe(true)
  }
  // Futures: profit and fees, nothing else.
  const realised = trades.filter((trade) => trade.market === "futures").map((trade) => sub(trade.realised, trade.commission))
  expect(wallet("futures", "USDT").total).toBe(str(add(dec("100000"), total(realised))))
  // Orders: executed is the sum of their trades, never more than asked for; nothing open means nothing locked.
  for (const order of exchange.orders.all()) {
    const own = trades.filter((trade) => trade.orderId === order.id && trade.market === order.market)
    expect(str(order.executed)).toBe(str(total(own.map((trade) => trade.quantity))))
    expect(cmp(order.executed, order.quantity) <= 0).toBe(true)
    if (order.status === "FILLED") expect(eq(order.executed, order.quantity)).toBe(true)
  }
  if (exchange.orders.open("spot", "main").length === 0) for (const asset of ["USDT", "BTC"]) expect(wallet("spot", asset).locked).toBe("0")
  const held = world.futures.desk.position("main", "BTCUSDT", "BOTH")
  const net = total(
    trades
      .filter((trade) => trade.market === "futures")
      .map((trade) => (trade.side === "BUY" ? trade.quantity : sub(ZERO, trade.quantity))),
  )
  expect(str(held.quantity)).toBe(str(net))
  if (isZero(held.quantity)) {
    expect(isZero(held.margin)).toBe(true)
    // Good-till-expire orders do not outlive the position.
    expect(world.futures.algos.open("main").filter((one) => one.closePosition)).toEqual([])
  }
  // Lists: of two legs at most one has traded, and a list that is over has nothing open.
  for (const list of world.spot.lists.all("main")) {
    const traded = list.legs.filter((leg) => !isZero(leg.executed))
    expect(traded.length <= 1).toBe(true)
    const live = [...(list.working === undefined ? [] : [list.working]), ...list.legs].filter((order) => exchange.orders.isOpen(order))
    expect(list.status === "ALL_DONE").toBe(live.length === 0)
  }
}

test.each([false, true])("any sequence keeps the books (thin book: %s)", { timeout: 120_000 }, async (thin) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const world = open(thin)
      try {
        for (const one of steps) {
          await run(world, one)
          check(world)
        }
        for (const order of world.exchange.orders.open("spot", "main")) world.exchange.end(order, "CANCELED")
        check(world)
      } finally {
        world.stop()
      }
    }),
    { numRuns: 60 },
  )
})
