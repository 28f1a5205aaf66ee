/** Every code that is enforced on orders, as a table: what is sent, and what Binance says. */
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { client } from "./support.ts"

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ limits: { spot: { limits: [] }, futures: { limits: [] } } })
  sandbox.world.exchange.symbols.patch("spot", "LTCUSDT", { status: "HALT" })
  sandbox.world.exchange.symbols.patch("futures", "LTCUSDT", { status: "PENDING_TRADING" })
})
afterAll(() => sandbox.close())
type Params = Readonly<Record<string, string>>
type Row = readonly [name: string, params: Params, code: number, text?: string]
const named = (rows: readonly Row[]) => rows.map(([name, params, code, text]) => ({ name, params, code, text }))

const LIMIT: Params = { symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "0.01", price: "40000" }
const MARKET: Params = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.01" }
const without = (params: Params, name: string): Params => Object.fromEntries(Object.entries(params).filter(([key]) => key !== name))
const STOP: Params = {
  symbol: "BTCUSDT",
  side: "SELL",
  type: "STOP_LOSS_LIMIT",
  timeInForce: "GTC",
  quantity: "0.01",
  price: "44000",
  stopPrice: "45000",
}
const filter = (name: string): string => `Filter failure: ${name}`

describe("spot orders", () => {
  const rows: readonly Row[] = [
    ["no symbol", without(LIMIT, "symbol"), -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."],
    ["an unknown symbol", { ...LIMIT, symbol: "NOSUCH" }, -1121, "Invalid symbol."],
    [
      "a malformed symbol",
      { ...LIMIT, symbol: "btcusdt" },
      -1100,
      "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.",
    ],
    ["no side", without(LIMIT, "side"), -1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed."],
    ["a strange side", { ...LIMIT, side: "LONG" }, -1117, "Invalid side."],
    ["a strange type", { ...LIMIT, type: "STOP_MARKET" }, -1116, "Invalid orderType."],
    ["a strange time in force", { ...LIMIT, timeInForce: "GTX" }, -1115, "Invalid timeInForce."],
    [
      "a limit without time in force",
      without(LIMIT, "timeInForce"),
      -1102,
      "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
    ],
    ["a limit without price", without(LIMIT, "price"), -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."],
    [
      "a limit without quantity",
      without(LIMIT, "quantity"),
      -1102,
      "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.",
    ],
    [
      "an exponent",
      { ...LIMIT, quantity: "1e-2" },
      -1100,
      "Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
    ],
    ["a negative price", { ...LIMIT, price: "-5" }, -1100],
    ["an empty client id", { ...LIMIT, newClientOrderId: "" }, -1105, "Parameter 'newClientOrderId' was empty."],
    ["a client id of 37", { ...LIMIT, newClientOrderId: "a".repeat(37) }, -1100],
    ["a client id with a dot", { ...LIMIT, newClientOrderId: "a.b" }, -1100],
    ["nine places", { ...LIMIT, price: "40000.123456789" }, -1111, "Parameter 'price' has too much precision."],
    ["a market order with a price", { ...MARKET, price: "1" }, -1106, "Parameter 'price' sent when not required."],
    ["a market order with a time in force", { ...MARKET, timeInForce: "GTC" }, -1106, "Parameter 'timeInForce' sent when not required."],
    [
      "a market order without a size",
      without(MARKET, "quantity"),
      -1102,
      "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
    ],
    ["both sizes", { ...MARKET, quoteOrderQty: "100" }, -1106],
    [
      "a stop without its price",
      without(STOP, "stopPrice"),
      -1102,
      "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!",
    ],
    ["a limit with a stop price", { ...LIMIT, stopPrice: "1" }, -1106, "Parameter 'stopPrice' sent when not required."],
    [
      "a parameter that futures have",
      { ...LIMIT, reduceOnly: "true" },
      -1104,
      "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
    ],
    ["a strategy type too small", { ...LIMIT, strategyType: "5" }, -1134],
    ["a strange response type", { ...LIMIT, newOrderRespType: "SHORT" }, -1136],
    ["a halted symbol", { ...LIMIT, symbol: "LTCUSDT", price: "70", quantity: "1" }, -2010, "Market is closed."],
    ["more than there is", { ...LIMIT, quantity: "100", price: "49000" }, -2010, "Account has insufficient balance for requested action."],
    ["a stop on the wrong side", { ...STOP, stopPrice: "51000", price: "50500" }, -2010, "Order would trigger immediately."],
    [
      "a maker that would take",
      { ...without(LIMIT, "timeInForce"), type: "LIMIT_MAKER", price: "51000" },
      -2010,
      "Order would immediately match and take.",
    ],
    ["trailing", { ...without(STOP, "stopPrice"), trailingDelta: "100" }, -1013],
    // Filters, at their edges.
    ["a price off the tick", { ...LIMIT, price: "40000.005" }, -1013, filter("PRICE_FILTER")],
    ["a price above the greatest", { ...LIMIT, price: "1000000.01" }, -1013, filter("PRICE_FILTER")],
    ["a quantity off the step", { ...LIMIT, quantity: "0.010001" }, -1013, filter("LOT_SIZE")],
    ["a quantity above the greatest", { ...LIMIT, quantity: "9000.00001" }, -1013, filter("LOT_SIZE")],
    ["a market quantity above the market's greatest", { ...MARKET, quantity: "129.84958" }, -1013, filter("MARKET_LOT_SIZE")],
    ["less than the least notional", { ...LIMIT, quantity: "0.00012" }, -1013, filter("NOTIONAL")],
    ["a market order below the least notional", { ...MARKET, quantity: "0.00009" }, -1013, filter("NOTIONAL")],
    ["more than the greatest notional", { ...LIMIT, quantity: "200", price: "50000" }, -1013, filter("NOTIONAL")],
    ["a price five times too low", { ...LIMIT, price: "9999.99" }, -1013, filter("PERCENT_PRICE_BY_SIDE")],
    ["too many iceberg parts", { ...LIMIT, quantity: "0.1", icebergQty: "0.00999" }, -1013, filter("ICEBERG_PARTS")],
  ]
  test.each(named(rows))("given $name, then it is refused", async ({ name, params, code, text }) => {
    const answer = await client(sandbox, "spot").call("POST", "/api/v3/order", params)
    expect([answer.status, answer.body.code]).toEqual([400, code])
    if (text !== undefined) expect(answer.body.msg).toBe(text)
    expect((await client(sandbox, "spot").call("POST", "/api/v3/order/test", params)).body.code).toBe(
      // What only the engine can know, a test order does not find out.
      ["more than there is", "a stop on the wrong side", "a maker that would take"].includes(name) ? undefined : code,
    )
  })

  const edges: readonly (readonly [string, Params])[] = [
    ["the least notional exactly", { ...LIMIT, quantity: "0.00012", price: "41666.67" }],
    ["the lowest price that the band allows", { ...LIMIT, price: "10000", quantity: "0.01" }],
    ["ten iceberg parts", { ...LIMIT, quantity: "0.1", icebergQty: "0.01" }],
    ["eight places with trailing zeros", { ...LIMIT, price: "40000.00000000" }],
    ["a client id of 36", { ...LIMIT, newClientOrderId: "A".repeat(36) }],
    ["the greatest market quantity", { ...MARKET, side: "BUY", quantity: "12.00000" }],
  ]
  test.each(edges)("given %s, then it is taken", async (_name, params) => {
    expect((await client(sandbox, "spot").call("POST", "/api/v3/order", params)).body).not.toHaveProperty("code")
  })

  test("queries and cancels of what is not there", async () => {
    const spot = client(sandbox, "spot")
    const gone = { symbol: "BTCUSDT", origClientOrderId: "never" }
    expect((await spot.call("GET", "/api/v3/order", gone)).body).toEqual({ code: -2013, msg: "Order does not exist." })
    expect((await spot.call("DELETE", "/api/v3/order", gone)).body).toEqual({ code: -2011, msg: "Unknown order sent." })
    expect((await spot.call("GET", "/api/v3/order", { symbol: "BTCUSDT" })).body.code).toBe(-1102)
    const order = (await spot.call("POST", "/api/v3/order", { ...LIMIT, newClientOrderId: "mine" })).body
    expect(
      (await spot.call("GET", "/api/v3/order", { symbol: "BTCUSDT", orderId: String(order["orderId"]), origClientOrderId: "other" })).body
        .code,
    ).toBe(-2039)
    expect((await spot.call("GET", "/api/v3/orderList", { origClientOrderId: "never" })).body.code).toBe(-2018)
    expect((await spot.call("DELETE", "/api/v3/openOrders", { symbol: "ETHUSDT" })).body.code).toBe(-2011)
  })

  test("order counts per symbol: MAX_NUM_ALGO_ORDERS at the sixth stop, MAX_NUM_ORDERS, MAX_POSITION", async () => {
    const spot = client(sandbox, "spot")
    const stop = { ...STOP, symbol: "ETHUSDT", quantity: "1", price: "2400", stopPrice: "2500" }
    for (let index = 0; index < 5; index += 1) expect((await spot.call("POST", "/api/v3/order", stop)).status).toBe(200)
    expect((await spot.call("POST", "/api/v3/order", stop)).body.msg).toBe(filter("MAX_NUM_ALGO_ORDERS"))
    sandbox.world.exchange.symbols.patch("spot", "ETHUSDT", { filters: [{ filterType: "MAX_NUM_ORDERS", maxNumOrders: 5 }] })
    expect((await spot.call("POST", "/api/v3/order", { ...LIMIT, symbol: "ETHUSDT", price: "2000" })).body.msg).toBe(
      filter("MAX_NUM_ORDERS"),
    )
    sandbox.world.exchange.symbols.patch("spot", "BNBUSDT", { filters: [{ filterType: "MAX_POSITION", maxPosition: "100" }] })
    expect((await spot.call("POST", "/api/v3/order", { ...MARKET, symbol: "BNBUSDT", quantity: "0.1" })).body.msg).toBe(
      filter("MAX_POSITION"),
    )
  })
})

describe("futures orders", () => {
  const rows: readonly Row[] = [
    ["an unknown symbol", { ...LIMIT, symbol: "NOSUCH" }, -1121, "Invalid symbol."],
    ["a strange type", { ...LIMIT, type: "LIMIT_MAKER" }, -1116],
    ...["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"].map(
      (type): Row => [
        `type ${type}`,
        { ...LIMIT, type, stopPrice: "1" },
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
      ],
    ),
    ["a limit without price", without(LIMIT, "price"), -1102],
    ["a market order with a price", { ...MARKET, price: "50000" }, -1106],
    ["a limit with a stop price", { ...LIMIT, stopPrice: "1" }, -1106, "Parameter 'stopPrice' sent when not required."],
    ["a position side in one-way mode", { ...LIMIT, positionSide: "LONG" }, -4061, "Order's position side does not match user's setting."],
    ["a client id of 40", { ...LIMIT, newClientOrderId: "a".repeat(40) }, -4015],
    ["a client id with a space", { ...LIMIT, newClientOrderId: "a b" }, -4015],
    [
      "more places than the price may have",
      { ...LIMIT, price: "40000.123" },
      -1111,
      "Precision is over the maximum defined for this asset.",
    ],
    ["more places than the quantity may have", { ...LIMIT, quantity: "0.0101" }, -1111],
    ["a price off the tick", { ...LIMIT, price: "40000.05" }, -4014, "Price not increased by tick size."],
    ["a price below the least", { ...LIMIT, price: "261" }, -4013],
    ["a price above the greatest", { ...LIMIT, price: "809484.1" }, -4002],
    ["no quantity worth the name", { ...LIMIT, quantity: "0" }, -4003],
    ["a quantity above the greatest", { ...LIMIT, quantity: "1000.001" }, -4005],
    ["a price too far above the mark", { ...LIMIT, price: "75000.1" }, -4016, "Limit price can't be higher than 75000."],
    ["a price too far below the mark", { ...LIMIT, side: "SELL", price: "24999.9" }, -4024, "Limit price can't be lower than 25000."],
    [
      "less than the least notional",
      { ...LIMIT, quantity: "0.001" },
      -4164,
      "Order's notional must be no smaller than 50 (unless you choose reduce only).",
    ],
    ["more than the margin allows", { ...LIMIT, quantity: "900" }, -2019, "Margin is insufficient."],
    ["reduce-only without a position", { ...MARKET, reduceOnly: "true" }, -2022, "ReduceOnly Order is rejected."],
    ["post-only that would take", { ...LIMIT, timeInForce: "GTX", price: "50001" }, -5022],
    ["fill or kill that cannot be filled", { ...LIMIT, timeInForce: "FOK" }, -5021],
    ["GTD without a date", { ...LIMIT, timeInForce: "GTD" }, -1102],
    ["a status that does not open", { ...LIMIT, symbol: "LTCUSDT", price: "70", quantity: "5" }, -4140],
    ["a parameter that spot has", { ...LIMIT, icebergQty: "1" }, -1104],
    ["a price match beside a price", { ...LIMIT, priceMatch: "QUEUE" }, -1106],
    ["a price match that is suspended", { ...without(LIMIT, "price"), priceMatch: "OPPONENT_20" }, -1130],
  ]
  test.each(named(rows))("given $name, then it is refused", async ({ params, code, text }) => {
    const answer = await client(sandbox, "futures").call("POST", "/fapi/v1/order", params)
    expect([answer.status, answer.body.code]).toEqual([400, code])
    if (text !== undefined) expect(answer.body.msg).toBe(text)
  })

  test.each([
    ["the least notional exactly", { ...LIMIT, quantity: "0.001", price: "50000" }],
    ["the highest price that the band allows", { ...LIMIT, price: "75000", quantity: "0.001" }],
    ["a client id of 36", { ...LIMIT, newClientOrderId: "a:/._-".repeat(6) }],
  ] as const)("given %s, then it is taken", async (_name, params) => {
    expect((await client(sandbox, "futures").call("POST", "/fapi/v1/order", params)).body).not.toHaveProperty("code")
  })

  test("off-step and below the least quantity where precision allows it", async () => {
    sandbox.world.exchange.symbols.patch("futures", "ETHUSDT", {
      filters: [{ filterType: "LOT_SIZE", minQty: "0.010", stepSize: "0.005", maxQty: "100" }],
    })
    const order = { ...LIMIT, symbol: "ETHUSDT", price: "2900" }
    expect((await client(sandbox, "futures").call("POST", "/fapi/v1/order", { ...order, quantity: "0.012" })).body.code).toBe(-4023)
    expect((await client(sandbox, "futures").call("POST", "/fapi/v1/order", { ...order, quantity: "0.005" })).body.code).toBe(-4004)
    expect((await client(sandbox, "futures").call("POST", "/fapi/v1/order", { ...order, quantity: "0.02" })).status).toBe(200)
  })
  test("MAX_NUM_ORDERS: -2025", async () => {
    sandbox.world.exchange.symbols.patch("futures", "BCHUSDT", { filters: [{ filterType: "MAX_NUM_ORDERS", limit: 1 }] })
    const order = { ...LIMIT, symbol: "BCHUSDT", price: "390", quantity: "1" }
    expect((await client(sandbox, "futures").call("POST", "/fapi/v1/order", order)).status).toBe(200)
    expect((await client(sandbox, "futures").call("POST", "/fapi/v1/order", order)).body.code).toBe(-2025)
  })
  test("the market's band: -4131", async () => {
    sandbox.setPrice("BNBUSDT", "600", { market: "futures", mark: "300" })
    const answer = await client(sandbox, "futures").call("POST", "/fapi/v1/order", { ...MARKET, symbol: "BNBUSDT", quantity: "1" })
    expect(answer.body.code).toBe(-4131)
  })
})

describe("algo orders", () => {
  const ALGO: Params = { algoType: "CONDITIONAL", symbol: "SOLUSDT", side: "SELL", type: "STOP_MARKET", quantity: "1", triggerPrice: "140" }
  const rows: readonly Row[] = [
    ["no algoType", without(ALGO, "algoType"), -1102],
    ["no trigger", without(ALGO, "triggerPrice"), -1102],
    ["stopPrice instead of triggerPrice", { ...without(ALGO, "triggerPrice"), stopPrice: "140" }, -1102],
    ["a plain type", { ...ALGO, type: "MARKET" }, -1116],
    ["a stop-limit without price", { ...ALGO, type: "STOP" }, -1102],
    ["a stop-market with a price", { ...ALGO, price: "139" }, -1106],
    ["no quantity", without(ALGO, "quantity"), -1102],
    ["past its trigger", { ...ALGO, triggerPrice: "160" }, -2021, "Order would immediately trigger."],
    ["a target past its trigger", { ...ALGO, type: "TAKE_PROFIT_MARKET" }, -2021],
    ["closePosition with a quantity", { ...ALGO, closePosition: "true" }, -4137],
    ["closePosition with reduceOnly", { ...without(ALGO, "quantity"), closePosition: "true", reduceOnly: "true" }, -1106],
    ["closePosition with reduceOnly false", { ...without(ALGO, "quantity"), closePosition: "true", reduceOnly: "false" }, -4138],
    ["closePosition without a position", { ...without(ALGO, "quantity"), closePosition: "true" }, -4509],
    ["closePosition of a stop-limit", { ...without(ALGO, "quantity"), type: "STOP", price: "139", closePosition: "true" }, -4136],
    ["a callback rate too large", { ...without(ALGO, "triggerPrice"), type: "TRAILING_STOP_MARKET", callbackRate: "20.1" }, -4020],
    [
      "an activation price that is already passed",
      { ...without(ALGO, "triggerPrice"), type: "TRAILING_STOP_MARKET", callbackRate: "1", activatePrice: "149" },
      -2021,
    ],
    ["a strange working type", { ...ALGO, workingType: "LAST" }, -4031],
    ["a position side in one-way mode", { ...ALGO, positionSide: "SHORT" }, -4061],
    ["too many places", { ...ALGO, triggerPrice: "140.12345" }, -1111],
    ["a strange parameter", { ...ALGO, stopPrice: "1" }, -1104],
  ]
  test.each(named(rows))("given $name, then it is refused", async ({ params, code, text }) => {
    const answer = await client(sandbox, "futures").call("POST", "/fapi/v1/algoOrder", params)
    expect([answer.status, answer.body.code]).toEqual([400, code])
    if (text !== undefined) expect(answer.body.msg).toBe(text)
  })
  test("a trigger off the tick is taken, as it was on the testnet; the 201st open order is -4045", async () => {
    const futures = client(sandbox, "futures")
    expect((await futures.call("POST", "/fapi/v1/algoOrder", { ...ALGO, triggerPrice: "140.05" })).status).toBe(200)
    for (let index = 1; index < 200; index += 1) await futures.call("POST", "/fapi/v1/algoOrder", ALGO)
    expect((await futures.call("POST", "/fapi/v1/algoOrder", ALGO)).body).toEqual({ code: -4045, msg: "Reach max stop order limit." })
    expect((await futures.call("DELETE", "/fapi/v1/algoOpenOrders", { symbol: "SOLUSDT" })).body.code).toBe(200)
  })
  test("what is not there: -2013 to a query, -2011 to a cancel, -1102 without an id", async () => {
    const futures = client(sandbox, "futures")
    expect((await futures.call("GET", "/fapi/v1/algoOrder", { clientAlgoId: "never" })).body.code).toBe(-2013)
    expect((await futures.call("DELETE", "/fapi/v1/algoOrder", { algoId: "1" })).body.code).toBe(-2011)
    expect((await futures.call("GET", "/fapi/v1/algoOrder")).body.code).toBe(-1102)
  })
})

test("endpoints that are not there: 404 with a page on spot, -5000 on futures; dead listen keys of spot: 410", async () => {
  const spot = await client(sandbox, "spot").plain("GET", "/api/v1/ticker/24hr")
  expect([spot.status, spot.text.includes("<title>404 Not Found</title>")]).toEqual([404, true])
  const futures = await client(sandbox, "futures").plain("POST", "/fapi/v1/nothing")
  expect([futures.status, futures.body]).toEqual([404, { code: -5000, msg: "Path /fapi/v1/nothing, Method POST is invalid" }])
  const dead = await client(sandbox, "spot").plain("POST", "/api/v3/userDataStream", {}, true)
  expect([dead.status, dead.text.includes("410 Gone")]).toEqual([410, true])
})
