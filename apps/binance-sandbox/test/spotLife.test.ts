/** The lives of spot orders and order lists: fills, partial fills, ids, fees, what is locked, and what a list does. */
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { client, openSpotUserStream, until } from "./support.ts"
import type { Client, Json } from "./support.ts"

let sandbox: Sandbox
let spot: Client
beforeEach(async () => {
  sandbox = await startSandbox()
  spot = client(sandbox, "spot")
})
afterEach(() => sandbox.close())

const LIMIT = { symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "1", price: "49000" }
const balance = async (asset: string): Promise<unknown> => {
  const rows = (await spot.call("GET", "/api/v3/account")).body["balances"] as readonly Json[]
  const row = rows.find((one) => one["asset"] === asset)
  return [row?.["free"], row?.["locked"]]
}
const order = async (clientId: string): Promise<Json> =>
  (await spot.call("GET", "/api/v3/order", { symbol: "BTCUSDT", origClientOrderId: clientId })).body
const reports = (body: Json): readonly string[] =>
  (body["orderReports"] as readonly Json[]).map((report) => `${String(report["type"])} ${String(report["status"])}`)

describe("single orders", () => {
  test("given a resting limit order, when the price comes, then it fills as maker at its own price; the balance was locked meanwhile", async () => {
    expect((await spot.call("POST", "/api/v3/order", { ...LIMIT, newClientOrderId: "rest" })).body).toMatchObject({
      status: "NEW",
      executedQty: "0.00000000",
    })
    expect(await balance("USDT")).toEqual(["951000.00000000", "49000.00000000"])
    sandbox.setPrice("BTCUSDT", "48900")
    expect(await order("rest")).toMatchObject({ status: "FILLED", cummulativeQuoteQty: "49000.00000000" })
    expect((await spot.call("GET", "/api/v3/myTrades", { symbol: "BTCUSDT" })).list).toMatchObject([
      { isMaker: true, price: "49000.00000000", commission: "0.00100000", commissionAsset: "BTC" },
    ])
    expect(await balance("USDT")).toEqual(["951000.00000000", "0.00000000"])
    expect(await balance("BTC")).toEqual(["10.99900000", "0.00000000"])
  })

  test("given a thin book, when a market order is larger than it, then it walks the levels and the rest expires", async () => {
    sandbox.world.exchange.setLiquidity("spot", "BTCUSDT", { levels: 3, quantity: "0.4", spreadTicks: 1, stepTicks: 100 })
    const answer = (await spot.call("POST", "/api/v3/order", { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "2" })).body
    expect(answer).toMatchObject({ status: "EXPIRED", executedQty: "1.20000000", expiryReason: "INSUFFICIENT_LIQUIDITY" })
    expect((answer["fills"] as readonly Json[]).map((fill) => [fill["price"], fill["qty"]])).toEqual([
      ["50000.01000000", "0.40000000"],
      ["50001.01000000", "0.40000000"],
      ["50002.01000000", "0.40000000"],
    ])
  })

  test("given a thin book, when a limit order crosses it, then it is partly filled and rests; IOC expires its rest; FOK does nothing", async () => {
    sandbox.world.exchange.setLiquidity("spot", "BTCUSDT", { levels: 1, quantity: "0.4", spreadTicks: 1, stepTicks: 1 })
    const cross = { ...LIMIT, price: "50001" }
    expect((await spot.call("POST", "/api/v3/order", { ...cross, timeInForce: "FOK" })).body).toMatchObject({
      status: "EXPIRED",
      executedQty: "0.00000000",
      expiryReason: "UNFILLED_FOK_ORDER_EXPIRED",
    })
    expect((await spot.call("POST", "/api/v3/order", { ...cross, newClientOrderId: "part" })).body).toMatchObject({
      status: "PARTIALLY_FILLED",
      executedQty: "0.40000000",
    })
    sandbox.setPrice("BTCUSDT", "50000")
    expect(await order("part")).toMatchObject({ status: "PARTIALLY_FILLED", executedQty: "0.80000000" })
    expect((await spot.call("DELETE", "/api/v3/order", { symbol: "BTCUSDT", origClientOrderId: "part" })).body).toMatchObject({
      status: "CANCELED",
      executedQty: "0.80000000",
    })
    sandbox.setPrice("BTCUSDT", "50000")
    expect((await spot.call("POST", "/api/v3/order", { ...cross, timeInForce: "IOC" })).body).toMatchObject({
      status: "EXPIRED",
      executedQty: "0.40000000",
      expiryReason: "UNFILLED_IOC_QUANTITY_EXPIRED",
    })
  })

  test("a client id is unique among open orders only: refused while open, taken again after the fill (both executed)", async () => {
    const market = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.01", newClientOrderId: "twice" }
    const first = (await spot.call("POST", "/api/v3/order", market)).body
    const second = (await spot.call("POST", "/api/v3/order", market)).body
    expect([first["status"], second["status"]]).toEqual(["FILLED", "FILLED"])
    expect((await order("twice"))["orderId"]).toBe(second["orderId"])
    await spot.call("POST", "/api/v3/order", { ...LIMIT, newClientOrderId: "open" })
    expect((await spot.call("POST", "/api/v3/order", { ...LIMIT, newClientOrderId: "open" })).body).toEqual({
      code: -2010,
      msg: "Duplicate order sent.",
    })
  })

  test("ACK, RESULT and FULL; quoteOrderQty; a stop order that fires", async () => {
    const base = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quoteOrderQty: "1000" }
    expect((await spot.call("POST", "/api/v3/order", { ...base, newOrderRespType: "ACK" })).body).not.toHaveProperty("status")
    expect((await spot.call("POST", "/api/v3/order", { ...base, newOrderRespType: "RESULT" })).body).not.toHaveProperty("fills")
    const full = (await spot.call("POST", "/api/v3/order", base)).body
    expect(full).toMatchObject({ executedQty: "0.01999000", origQuoteOrderQty: "1000.00000000", fills: [{ price: "50000.01000000" }] })
    const stop = { symbol: "BTCUSDT", side: "SELL", type: "STOP_LOSS", quantity: "1", stopPrice: "49500", newClientOrderId: "stop" }
    expect((await spot.call("POST", "/api/v3/order", stop)).body).not.toHaveProperty("status")
    expect(await order("stop")).toMatchObject({ status: "NEW", isWorking: false, workingTime: -1 })
    sandbox.setPrice("BTCUSDT", "49500.01")
    expect((await order("stop"))["status"]).toBe("NEW")
    sandbox.setPrice("BTCUSDT", "49500")
    expect(await order("stop")).toMatchObject({ status: "FILLED", cummulativeQuoteQty: "49500.00000000" })
  })

  test("cancelReplace: both, one of two (409), none (400)", async () => {
    await spot.call("POST", "/api/v3/order", { ...LIMIT, newClientOrderId: "a" })
    const replace = { ...LIMIT, cancelReplaceMode: "STOP_ON_FAILURE", newClientOrderId: "b", cancelOrigClientOrderId: "a" }
    expect((await spot.call("POST", "/api/v3/order/cancelReplace", replace)).body).toMatchObject({
      cancelResult: "SUCCESS",
      newOrderResult: "SUCCESS",
    })
    const gone = await spot.call("POST", "/api/v3/order/cancelReplace", { ...replace, newClientOrderId: "c" })
    expect([gone.status, gone.body]).toMatchObject([
      400,
      { code: -2022, data: { cancelResult: "FAILURE", newOrderResult: "NOT_ATTEMPTED" } },
    ])
    const half = await spot.call("POST", "/api/v3/order/cancelReplace", {
      ...replace,
      cancelOrigClientOrderId: "b",
      newClientOrderId: "d",
      quantity: "1000",
      price: "50",
    })
    expect([half.status, half.body]).toMatchObject([
      409,
      { code: -2021, data: { cancelResult: "SUCCESS", newOrderResult: "FAILURE", newOrderResponse: { code: -1013 } } },
    ])
  })

  test("fees in BNB, and in what is received once there is no BNB left", async () => {
    sandbox.world.exchange.fees = { ...sandbox.world.exchange.fees, commission: "bnb" }
    const market = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.1" }
    const [fill] = (await spot.call("POST", "/api/v3/order", market)).body["fills"] as readonly Json[]
    expect(fill).toMatchObject({ commission: "0.00625000", commissionAsset: "BNB" })
    sandbox.world.exchange.store.putBalance("main:spot", "BNB", { total: "0" as never, locked: "0" as never })
    const [poor] = (await spot.call("POST", "/api/v3/order", market)).body["fills"] as readonly Json[]
    expect(poor).toMatchObject({ commission: "0.00010000", commissionAsset: "BTC" })
    sandbox.world.exchange.fees = { ...sandbox.world.exchange.fees, commission: "quote" }
    const [quote] = (await spot.call("POST", "/api/v3/order", market)).body["fills"] as readonly Json[]
    expect(quote).toMatchObject({ commission: "5.00000100", commissionAsset: "USDT" })
  })
})

describe("order lists", () => {
  const OCO = {
    symbol: "BTCUSDT",
    side: "SELL",
    quantity: "1",
    aboveType: "LIMIT_MAKER",
    abovePrice: "55000",
    aboveClientOrderId: "above",
    belowType: "STOP_LOSS_LIMIT",
    belowStopPrice: "45000",
    belowPrice: "44900",
    belowTimeInForce: "GTC",
    belowClientOrderId: "below",
    listClientOrderId: "list",
  }
  const OTOCO = {
    symbol: "BTCUSDT",
    workingType: "LIMIT",
    workingSide: "BUY",
    workingPrice: "49000",
    workingQuantity: "1",
    workingTimeInForce: "GTC",
    workingClientOrderId: "work",
    pendingSide: "SELL",
    pendingQuantity: "0.999",
    pendingAboveType: "LIMIT_MAKER",
    pendingAbovePrice: "55000",
    pendingAboveClientOrderId: "above",
    pendingBelowType: "STOP_LOSS",
    pendingBelowStopPrice: "45000",
    pendingBelowClientOrderId: "below",
    listClientOrderId: "list",
  }
  const place = (path: string, params: Readonly<Record<string, string>>) => spot.call("POST", `/api/v3/orderList/${path}`, params)
  const states = async (...ids: readonly string[]): Promise<readonly unknown[]> =>
    Promise.all(ids.map(async (id) => (await order(id))["status"]))

  test("an OCO locks the balance once; the limit leg fills: the other one is EXPIRED, the list ALL_DONE", async () => {
    const stream = await openSpotUserStream(sandbox)
    expect(reports((await place("oco", OCO)).body)).toEqual(["LIMIT_MAKER NEW", "STOP_LOSS_LIMIT NEW"])
    expect(await balance("BTC")).toEqual(["9.00000000", "1.00000000"])
    sandbox.setPrice("BTCUSDT", "55100")
    expect(await states("above", "below")).toEqual(["FILLED", "EXPIRED"])
    expect(await balance("BTC")).toEqual(["9.00000000", "0.00000000"])
    await until(() => stream.events().some((event) => event["l"] === "ALL_DONE"), "the end of the list")
    expect(stream.events().find((event) => event["X"] === "EXPIRED")).toMatchObject({ c: "below", eR: "OCO_TRIGGER" })
    stream.close()
  })
  test("the stop leg fires: the limit leg is EXPIRED, the stop becomes a limit order and fills", async () => {
    await place("oco", OCO)
    sandbox.setPrice("BTCUSDT", "44950")
    expect(await states("above", "below")).toEqual(["EXPIRED", "FILLED"])
    expect(await balance("BTC")).toEqual(["9.00000000", "0.00000000"])
  })
  test("a partial fill of the limit leg ends the stop at once", async () => {
    sandbox.world.exchange.setLiquidity("spot", "BTCUSDT", { levels: 1, quantity: "0.4", spreadTicks: 1, stepTicks: 1 })
    await place("oco", OCO)
    sandbox.setPrice("BTCUSDT", "55100")
    expect(await states("above", "below")).toEqual(["PARTIALLY_FILLED", "EXPIRED"])
  })
  test("cancelling one leg, or the list, cancels both", async () => {
    await place("oco", OCO)
    expect((await spot.call("DELETE", "/api/v3/order", { symbol: "BTCUSDT", origClientOrderId: "below" })).body).toMatchObject({
      listOrderStatus: "ALL_DONE",
    })
    expect(await states("above", "below")).toEqual(["CANCELED", "CANCELED"])
    await place("oco", { ...OCO, aboveClientOrderId: "a2", belowClientOrderId: "b2" })
    expect(reports((await spot.call("DELETE", "/api/v3/orderList", { symbol: "BTCUSDT", listClientOrderId: "list" })).body)).toEqual([
      "LIMIT_MAKER CANCELED",
      "STOP_LOSS_LIMIT CANCELED",
    ])
    expect(await balance("BTC")).toEqual(["10.00000000", "0.00000000"])
    expect((await spot.call("GET", "/api/v3/openOrderList")).list).toEqual([])
    expect((await spot.call("GET", "/api/v3/allOrderList")).list).toHaveLength(2)
  })

  test.each([
    ["a limit above in a buy", { ...OCO, side: "BUY" }, -1165],
    [
      "a limit below in a sell",
      { ...OCO, aboveType: "STOP_LOSS", aboveStopPrice: "55000", belowType: "LIMIT_MAKER", belowPrice: "45000" },
      -1166,
    ],
    ["two limits", { ...OCO, belowType: "LIMIT_MAKER", belowPrice: "45000" }, -1168],
    [
      "a stop loss above in a sell",
      { ...OCO, aboveType: "STOP_LOSS", aboveStopPrice: "55000", belowType: "STOP_LOSS", belowStopPrice: "45000" },
      -1197,
    ],
    ["a take profit below in a sell", { ...OCO, aboveType: "LIMIT_MAKER", belowType: "TAKE_PROFIT", belowStopPrice: "45000" }, -1199],
    ["a market leg", { ...OCO, belowType: "MARKET" }, -1158],
    ["prices on the wrong side", { ...OCO, abovePrice: "49000" }, -2010],
    ["a stop above the market", { ...OCO, belowStopPrice: "51000", belowPrice: "50900" }, -2010],
    ["more than there is", { ...OCO, quantity: "11" }, -2010],
    ["the same id twice", { ...OCO, belowClientOrderId: "above" }, -2010],
  ] as const)("an OCO with %s is refused, and leaves nothing", async (_name, params, code) => {
    const clean = Object.fromEntries(
      Object.entries(params).filter(([name]) => {
        const stop = (leg: "above" | "below") => String((params as Readonly<Record<string, string>>)[`${leg}Type`])
        for (const leg of ["above", "below"] as const) {
          const type = stop(leg)
          if (name === `${leg}Price`) return type.endsWith("LIMIT") || type === "LIMIT_MAKER"
          if (name === `${leg}StopPrice`) return type.startsWith("STOP") || type.startsWith("TAKE")
          if (name === `${leg}TimeInForce`) return type.endsWith("LIMIT")
        }
        return true
      }),
    )
    expect((await place("oco", clean)).body.code).toBe(code)
    expect((await spot.call("GET", "/api/v3/openOrders", { symbol: "BTCUSDT" })).list).toEqual([])
    expect(await balance("BTC")).toEqual(["10.00000000", "0.00000000"])
  })

  test("an OTOCO: pending legs wait for the FULL fill of the working order", async () => {
    sandbox.world.exchange.setLiquidity("spot", "BTCUSDT", { levels: 1, quantity: "0.6", spreadTicks: 1, stepTicks: 1 })
    const placed = await place("otoco", OTOCO)
    expect(placed.body).toMatchObject({ contingencyType: "OTO", listOrderStatus: "EXECUTING" })
    expect(reports(placed.body)).toEqual(["LIMIT NEW", "LIMIT_MAKER PENDING_NEW", "STOP_LOSS PENDING_NEW"])
    sandbox.setPrice("BTCUSDT", "48900")
    expect(await states("work", "above", "below")).toEqual(["PARTIALLY_FILLED", "PENDING_NEW", "PENDING_NEW"])
    expect((await spot.call("DELETE", "/api/v3/order", { symbol: "BTCUSDT", origClientOrderId: "above" })).body).toMatchObject({
      listOrderStatus: "ALL_DONE",
    })
    expect(await states("work", "above", "below")).toEqual(["CANCELED", "CANCELED", "CANCELED"])
    expect(await balance("USDT")).toEqual(["970600.00000000", "0.00000000"])
  })
  test("an OTOCO that fills: the bracket is live, the stop ends it, and 0.999 of what was bought is gone again", async () => {
    await place("otoco", OTOCO)
    sandbox.setPrice("BTCUSDT", "48900")
    expect(await states("work", "above", "below")).toEqual(["FILLED", "NEW", "NEW"])
    expect(await balance("BTC")).toEqual(["10.00000000", "0.99900000"])
    sandbox.setPrice("BTCUSDT", "44000")
    expect(await states("above", "below")).toEqual(["EXPIRED", "FILLED"])
    expect(await balance("BTC")).toEqual(["10.00000000", "0.00000000"])
    expect((await spot.call("GET", "/api/v3/orderList", { origClientOrderId: "list" })).body).toMatchObject({ listStatusType: "ALL_DONE" })
  })
  test("pending legs that ask for more than was received (fee in base) end EXPIRED, reason REJECTED", async () => {
    sandbox.world.exchange.store.putBalance("main:spot", "BTC", { total: "0" as never, locked: "0" as never })
    const stream = await openSpotUserStream(sandbox)
    await place("otoco", { ...OTOCO, pendingQuantity: "1" })
    sandbox.setPrice("BTCUSDT", "48900")
    expect(await states("work", "above", "below")).toEqual(["FILLED", "EXPIRED", "EXPIRED"])
    await until(() => stream.events().some((event) => event["eR"] === "REJECTED"), "the reason")
    expect(await balance("BTC")).toEqual(["0.99900000", "0.00000000"])
    stream.close()
  })
  test("a working order that expires (IOC) takes its pending order along", async () => {
    const oto = {
      symbol: "BTCUSDT",
      workingType: "LIMIT",
      workingSide: "BUY",
      workingPrice: "49000",
      workingQuantity: "1",
      workingTimeInForce: "IOC",
      workingClientOrderId: "work",
      pendingType: "LIMIT",
      pendingSide: "SELL",
      pendingQuantity: "0.9",
      pendingPrice: "60000",
      pendingTimeInForce: "GTC",
      pendingClientOrderId: "after",
    }
    await place("oto", oto)
    expect(await states("work", "after")).toEqual(["EXPIRED", "EXPIRED"])
    expect(await order("after")).toMatchObject({ expiryReason: "OTO_PHASE_ONE_EXPIRED" })
    await place("oto", { ...oto, workingPrice: "50100", workingClientOrderId: "w2", pendingClientOrderId: "p2" })
    expect(await states("w2", "p2")).toEqual(["FILLED", "NEW"])
  })
})
