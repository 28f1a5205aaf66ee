/** The connectors that real clients use, over real HTTP and WebSocket. */
import { afterEach, beforeEach, expect, test } from "vitest"
import { startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { futuresConnector, inner, openFuturesUserStream, openSpotUserStream, spotConnector, until } from "./support.ts"

let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(async () => {
  await sandbox.close()
})

test("spot: market order, limit order, cancel, queries and account through @binance/connector", async () => {
  const spot = spotConnector(sandbox)
  const stream = await openSpotUserStream(sandbox)
  expect((await spot["ping"]!()).data).toEqual({})
  const market = await spot["newOrder"]!("BTCUSDT", "BUY", "MARKET", { quantity: "0.01", newClientOrderId: "m-1" })
  expect(market.data).toMatchObject({ status: "FILLED", executedQty: "0.01000000", clientOrderId: "m-1" })
  expect(market.headers["x-mbx-order-count-10s"]).toBe("0")
  const limit = await spot["newOrder"]!("BTCUSDT", "BUY", "LIMIT", {
    quantity: "0.01",
    price: "40000",
    timeInForce: "GTC",
    newClientOrderId: "l-1",
  })
  expect(limit.data).toMatchObject({ status: "NEW", origQty: "0.01000000", price: "40000.00000000", fills: [] })
  expect((await spot["openOrders"]!({ symbol: "BTCUSDT" })).data).toHaveLength(1)
  expect((await spot["getOrder"]!("BTCUSDT", { origClientOrderId: "l-1" })).data).toMatchObject({ status: "NEW", isWorking: true })
  const cancelled = await spot["cancelOrder"]!("BTCUSDT", { origClientOrderId: "l-1" })
  expect(cancelled.data).toMatchObject({ status: "CANCELED", origClientOrderId: "l-1" })
  expect((await spot["myTrades"]!("BTCUSDT")).data).toHaveLength(1)
  const account = (await spot["account"]!()).data
  expect(account["balances"]).toContainEqual({ asset: "BTC", free: "10.00999000", locked: "0.00000000" })
  await until(() => stream.events().some((event) => event["x"] === "CANCELED" && event["C"] === "l-1"), "the cancel on the stream")
  expect(
    stream
      .events()
      .filter((event) => event["e"] === "executionReport")
      .map((event) => event["x"]),
  ).toEqual(["NEW", "TRADE", "NEW", "CANCELED"])
  stream.close()
})

test("spot: an OCO through newOCOOrder, an OTOCO through signRequest", async () => {
  const spot = spotConnector(sandbox)
  const oco = await spot["newOCOOrder"]!("BTCUSDT", "SELL", "0.01", "LIMIT_MAKER", "STOP_LOSS", {
    abovePrice: "55000",
    belowStopPrice: "45000",
    listClientOrderId: "oco-1",
  })
  expect(oco.data).toMatchObject({ contingencyType: "OCO", listOrderStatus: "EXECUTING" })
  sandbox.setPrice("BTCUSDT", "56000", { market: "spot" })
  const list = await spot["getOCOOrder"]!({ origClientOrderId: "oco-1" })
  expect(list.data).toMatchObject({ listOrderStatus: "ALL_DONE" })
  const otoco = await spot["signRequest"]!("POST", "/api/v3/orderList/otoco", {
    symbol: "BTCUSDT",
    workingType: "LIMIT",
    workingSide: "BUY",
    workingPrice: "57000",
    workingQuantity: "0.01",
    workingTimeInForce: "GTC",
    pendingSide: "SELL",
    pendingQuantity: "0.00999",
    pendingAboveType: "LIMIT_MAKER",
    pendingAbovePrice: "60000",
    pendingBelowType: "STOP_LOSS",
    pendingBelowStopPrice: "52000",
  })
  expect(otoco.data).toMatchObject({ contingencyType: "OTO" })
  expect((otoco.data["orderReports"] as readonly { status: string }[]).map((report) => report.status)).toEqual([
    "FILLED",
    "PENDING_NEW",
    "PENDING_NEW",
  ])
  expect((await spot["openOrders"]!({ symbol: "BTCUSDT" })).data).toHaveLength(2)
})

test("futures: market entry, protective stop by algoOrder, its trigger, through @binance/futures-connector", async () => {
  const futures = futuresConnector(sandbox)
  const stream = await openFuturesUserStream(sandbox)
  const entry = await futures["newOrder"]!("BTCUSDT", "BUY", "MARKET", { quantity: "0.01", newClientOrderId: "e-1" })
  expect(entry.data).toMatchObject({ status: "NEW", executedQty: "0.000" })
  expect(entry.data).not.toHaveProperty("avgPrice")
  expect((await futures["queryOrder"]!("BTCUSDT", { origClientOrderId: "e-1" })).data).toMatchObject({
    status: "FILLED",
    avgPrice: "50000.10000",
  })
  const stop = await futures["signRequest"]!("POST", "/fapi/v1/algoOrder", {
    algoType: "CONDITIONAL",
    symbol: "BTCUSDT",
    side: "SELL",
    type: "STOP_MARKET",
    quantity: "0.01",
    triggerPrice: "49000",
    reduceOnly: "true",
    clientAlgoId: "s-1",
  })
  expect(stop.data).toMatchObject({ algoStatus: "NEW", clientAlgoId: "s-1" })
  sandbox.setPrice("BTCUSDT", "48900", { market: "futures" })
  const found = await futures["signRequest"]!("GET", "/fapi/v1/algoOrder", { clientAlgoId: "s-1" })
  expect(found.data).toMatchObject({ algoStatus: "FINISHED", actualQty: "0.010" })
  await until(() => stream.frames.some((event) => inner(event)["X"] === "FINISHED"), "FINISHED on the stream")
  expect(stream.frames.filter((event) => event["e"] === "ALGO_UPDATE").map((event) => inner(event)["X"])).toEqual([
    "NEW",
    "TRIGGERING",
    "TRIGGERED",
    "FINISHED",
  ])
  expect((await futures["getPositionInformationV3"]!({ symbol: "BTCUSDT" })).data).toEqual([])
  stream.close()
})
