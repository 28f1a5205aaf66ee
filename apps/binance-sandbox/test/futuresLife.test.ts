/** The lives of futures orders: positions, hedge mode, the algo service, changes, batches, the dead man's switch. */
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ManualClock, startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { client, inner, openFuturesUserStream, until, withSandbox } from "./support.ts"
import type { Client, Json } from "./support.ts"

let sandbox: Sandbox
let futures: Client
beforeEach(async () => {
  sandbox = await startSandbox()
  futures = client(sandbox, "futures")
})
afterEach(() => sandbox.close())

const MARKET = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "1" }
const LIMIT = { symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "1", price: "49000" }
const STOP = {
  algoType: "CONDITIONAL",
  symbol: "BTCUSDT",
  side: "SELL",
  type: "STOP_MARKET",
  quantity: "1",
  triggerPrice: "48000",
  reduceOnly: "true",
  clientAlgoId: "stop",
}
const place = (params: Readonly<Record<string, string>>) => futures.call("POST", "/fapi/v1/order", params)
const algo = (params: Readonly<Record<string, string>>) => futures.call("POST", "/fapi/v1/algoOrder", params)
const found = async (clientAlgoId: string): Promise<Json> => (await futures.call("GET", "/fapi/v1/algoOrder", { clientAlgoId })).body
const order = async (clientId: string): Promise<Json> =>
  (await futures.call("GET", "/fapi/v1/order", { symbol: "BTCUSDT", origClientOrderId: clientId })).body
const positions = async (): Promise<readonly Json[]> => (await futures.call("GET", "/fapi/v3/positionRisk", { symbol: "BTCUSDT" })).list
const without = (params: Readonly<Record<string, string>>, ...names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !names.includes(name)))

describe("positions", () => {
  test("ACK and RESULT of a market order; position, margin, profit and fees; ids beyond 2^53 stay whole", async () => {
    const ack = (await place({ ...MARKET, newClientOrderId: "in" })).body
    expect(ack).toMatchObject({ status: "NEW", executedQty: "0.000" })
    for (const answer of [ack, (await place({ ...MARKET, newOrderRespType: "RESULT" })).body]) {
      expect(answer).not.toHaveProperty("avgPrice")
      expect(answer).not.toHaveProperty("cumQuote")
    }
    expect(BigInt(String(ack["orderId"])) > 2n ** 53n).toBe(true)
    expect((await order("in"))["orderId"]).toBe(ack["orderId"])
    expect(await order("in")).toMatchObject({ status: "FILLED", avgPrice: "50000.10000", cumQuote: "50000.10000000" })
    expect(await positions()).toMatchObject([{ positionAmt: "2.000", entryPrice: "50000.10000000", positionSide: "BOTH", leverage: "20" }])
    const [trade] = (await futures.call("GET", "/fapi/v1/userTrades", { symbol: "BTCUSDT", orderId: String(ack["orderId"]) })).list
    expect(trade).toMatchObject({ commission: "25.00005000", commissionAsset: "USDT", maker: false, buyer: true })
    sandbox.setPrice("BTCUSDT", "51000", { market: "futures" })
    expect(await positions()).toMatchObject([{ unRealizedProfit: "1999.80000000" }])
    await place({ ...MARKET, side: "SELL", quantity: "2", reduceOnly: "true" })
    expect(await positions()).toEqual([])
    const account = (await futures.call("GET", "/fapi/v3/account")).body
    expect(account).toMatchObject({ totalWalletBalance: "1001898.79990000", totalInitialMargin: "0.00000000" })
  })

  test("the client id is unique among open orders only (-4116); after a fill it executes again", async () => {
    await place({ ...LIMIT, newClientOrderId: "same" })
    expect((await place({ ...LIMIT, newClientOrderId: "same" })).body).toEqual({ code: -4116, msg: "ClientOrderId is duplicated." })
    await place({ ...MARKET, newClientOrderId: "again" })
    await place({ ...MARKET, newClientOrderId: "again" })
    expect(await positions()).toMatchObject([{ positionAmt: "2.000" }])
  })

  test("hedge mode: both sides at once, closing by side, what is refused", async () => {
    const dual = (on: string) => futures.call("POST", "/fapi/v1/positionSide/dual", { dualSidePosition: on })
    expect((await dual("true")).body.code).toBe(200)
    expect((await dual("true")).body.code).toBe(-4059)
    expect((await place(MARKET)).body.code).toBe(-4061)
    await place({ ...MARKET, positionSide: "LONG" })
    await place({ ...MARKET, side: "SELL", positionSide: "SHORT", quantity: "2" })
    expect((await positions()).map((row) => [row["positionSide"], row["positionAmt"]])).toEqual([
      ["LONG", "1.000"],
      ["SHORT", "-2.000"],
    ])
    expect((await place({ ...MARKET, side: "SELL", positionSide: "LONG", reduceOnly: "true" })).body).toEqual({
      code: -1106,
      msg: "Parameter 'reduceOnly' sent when not required.",
    })
    expect((await dual("false")).body.code).toBe(-4068)
    await place({ ...MARKET, side: "SELL", positionSide: "LONG" })
    expect((await place({ ...MARKET, side: "SELL", positionSide: "LONG" })).body.code).toBe(-2022)
    expect(
      (await algo({ ...without(STOP, "reduceOnly"), side: "BUY", positionSide: "SHORT", triggerPrice: "52000", quantity: "2" })).status,
    ).toBe(200)
    sandbox.setPrice("BTCUSDT", "52000", { market: "futures" })
    expect(await positions()).toEqual([])
    await place({ ...LIMIT, positionSide: "LONG" })
    expect((await dual("false")).body.code).toBe(-4067)
  })

  test("leverage and margin type", async () => {
    expect((await futures.call("POST", "/fapi/v1/leverage", { symbol: "BTCUSDT", leverage: 5 })).body).toMatchObject({ leverage: 5 })
    expect((await futures.call("POST", "/fapi/v1/leverage", { symbol: "BTCUSDT", leverage: 126 })).body.code).toBe(-4028)
    const type = (marginType: string) => futures.call("POST", "/fapi/v1/marginType", { symbol: "BTCUSDT", marginType })
    expect((await type("CROSSED")).body.code).toBe(-4046)
    expect((await type("ISOLATED")).body.code).toBe(200)
    await place(LIMIT)
    expect((await type("CROSSED")).body.code).toBe(-4047)
    await futures.call("DELETE", "/fapi/v1/allOpenOrders", { symbol: "BTCUSDT" })
    await place(MARKET)
    expect((await type("CROSSED")).body.code).toBe(-4048)
    expect(await positions()).toMatchObject([{ positionInitialMargin: "10000.02000000", marginType: "isolated" }])
    expect((await futures.call("GET", "/fapi/v1/symbolConfig", { symbol: "BTCUSDT" })).list).toMatchObject([
      { leverage: 5, marginType: "ISOLATED" },
    ])
  })

  test("modify keeps the id; unchanged values are -5027; too large a change leaves the order as it was", async () => {
    const before = (await place({ ...LIMIT, newClientOrderId: "m" })).body
    const modify = (change: Readonly<Record<string, string>>) =>
      futures.call("PUT", "/fapi/v1/order", {
        symbol: "BTCUSDT",
        side: "BUY",
        origClientOrderId: "m",
        quantity: "1",
        price: "49000",
        ...change,
      })
    expect((await modify({})).body.code).toBe(-5027)
    expect((await modify({ price: "49500" })).body).toMatchObject({ orderId: before["orderId"], price: "49500.00", status: "NEW" })
    expect((await modify({ quantity: "900" })).body.code).toBe(-2019)
    expect(await order("m")).toMatchObject({ origQty: "1.000", price: "49500.00", status: "NEW" })
    expect((await modify({ price: "50100" })).body).toMatchObject({ status: "FILLED" })
  })

  test("batches answer per element", async () => {
    const list = JSON.stringify([
      { ...LIMIT, newClientOrderId: "b1" },
      { ...LIMIT, price: "1.234" },
    ])
    const placed = (await futures.call("POST", "/fapi/v1/batchOrders", { batchOrders: list })).list
    expect(placed).toMatchObject([{ clientOrderId: "b1", selfTradePreventionMode: "NONE" }, { code: -1111 }])
    const ids = `[${String(placed[0]?.["orderId"])},1]`
    expect((await futures.call("DELETE", "/fapi/v1/batchOrders", { symbol: "BTCUSDT", orderIdList: ids })).list).toMatchObject([
      { status: "CANCELED" },
      { code: -2011 },
    ])
    expect((await futures.call("POST", "/fapi/v1/batchOrders", { batchOrders: "[]" })).body.code).toBe(-4082)
  })

  test("a forced close comes as an order of the exchange (autoclose-), CALCULATED on the stream", async () => {
    const stream = await openFuturesUserStream(sandbox)
    await place(MARKET)
    sandbox.liquidate("main", "BTCUSDT")
    const event = await stream.next((one) => inner(one)["x"] === "CALCULATED", "the liquidation")
    expect(inner(event)).toMatchObject({ o: "LIQUIDATION", S: "SELL", c: expect.stringMatching(/^autoclose-\d+$/) })
    expect(await positions()).toEqual([])
    stream.close()
  })

  test("with time: unfilled orders are forgotten after three days, GTD ends, countdownCancelAll spares algo orders", async () => {
    const clock = new ManualClock(1_700_000_000_000)
    await withSandbox({ clock }, async (other) => {
      const call = client(other, "futures")
      await call.call("POST", "/fapi/v1/order", { ...LIMIT, newClientOrderId: "gone" })
      await call.call("POST", "/fapi/v1/order", { ...LIMIT, newClientOrderId: "till", timeInForce: "GTD", goodTillDate: 1_700_000_601_000 })
      await call.call("POST", "/fapi/v1/algoOrder", STOP)
      await call.call("POST", "/fapi/v1/countdownCancelAll", { symbol: "BTCUSDT", countdownTime: 700_000 })
      const status = async (id: string) => (await call.call("GET", "/fapi/v1/order", { symbol: "BTCUSDT", origClientOrderId: id })).body
      clock.advance(601_000)
      expect([(await status("till"))["status"], (await status("gone"))["status"]]).toEqual(["EXPIRED", "NEW"])
      clock.advance(99_000)
      expect((await status("gone"))["status"]).toBe("CANCELED")
      expect((await call.call("GET", "/fapi/v1/openAlgoOrders")).list).toHaveLength(1)
      clock.advance(3 * 86_400_000 + 1)
      expect((await status("gone")).code).toBe(-2013)
    })
  })
})

describe("the algo service", () => {
  test("NEW → TRIGGERING → TRIGGERED → FINISHED; the child has its own id, our client id, and fills", async () => {
    const stream = await openFuturesUserStream(sandbox)
    await place(MARKET)
    const placed = (await algo(STOP)).body
    expect(placed).toMatchObject({ algoStatus: "NEW", algoType: "CONDITIONAL", orderType: "STOP_MARKET" })
    expect((await futures.call("GET", "/fapi/v1/openOrders", { symbol: "BTCUSDT" })).list).toEqual([])
    expect((await futures.call("GET", "/fapi/v1/openAlgoOrders", { symbol: "BTCUSDT" })).list).toMatchObject([
      { clientAlgoId: "stop", actualOrderId: "" },
    ])
    await futures.call("DELETE", "/fapi/v1/allOpenOrders", { symbol: "BTCUSDT" })
    expect((await found("stop"))["algoStatus"]).toBe("NEW")
    sandbox.setPrice("BTCUSDT", "47990", { market: "futures" })
    const done = await found("stop")
    expect(done).toMatchObject({ algoStatus: "FINISHED", actualQty: "1.000", actualPrice: "47990.00000", actualType: "MARKET" })
    const child = (await futures.call("GET", "/fapi/v1/order", { symbol: "BTCUSDT", orderId: String(done["actualOrderId"]) })).body
    expect(child).toMatchObject({ status: "FILLED", clientOrderId: "stop", type: "MARKET", origType: "STOP_MARKET", reduceOnly: true })
    await until(() => stream.frames.some((event) => inner(event)["X"] === "FINISHED"), "FINISHED")
    const seen = stream.frames
      .filter((event) => event["e"] !== "ACCOUNT_UPDATE" && event["e"] !== "TRADE_LITE")
      .map((event) => `${String(event["e"])} ${String(inner(event)["X"])}`)
    expect(seen.slice(-6)).toEqual([
      "ALGO_UPDATE NEW",
      "ALGO_UPDATE TRIGGERING",
      "ORDER_TRADE_UPDATE NEW",
      "ALGO_UPDATE TRIGGERED",
      "ORDER_TRADE_UPDATE FILLED",
      "ALGO_UPDATE FINISHED",
    ])
    stream.close()
  })

  test("closePosition: GTE_GTC, only one stop per direction (-4130) beside a target; EXPIRED when the position is gone", async () => {
    await place(MARKET)
    const close = { ...without(STOP, "quantity", "reduceOnly"), closePosition: "true" }
    expect((await algo(close)).body).toMatchObject({ timeInForce: "GTE_GTC", closePosition: true, reduceOnly: true })
    expect((await algo({ ...close, clientAlgoId: "second" })).body.code).toBe(-4130)
    expect((await algo({ ...close, clientAlgoId: "target", type: "TAKE_PROFIT_MARKET", triggerPrice: "52000" })).status).toBe(200)
    expect((await algo({ ...STOP, clientAlgoId: "sized" })).status).toBe(200)
    await place({ ...MARKET, side: "SELL", reduceOnly: "true" })
    expect([(await found("stop"))["algoStatus"], (await found("target"))["algoStatus"], (await found("sized"))["algoStatus"]]).toEqual([
      "EXPIRED",
      "EXPIRED",
      "NEW",
    ])
  })

  test("closePosition closes all that is there at the trigger, however much that has become", async () => {
    await place(MARKET)
    await algo({ ...without(STOP, "quantity", "reduceOnly"), closePosition: "true" })
    await place({ ...MARKET, quantity: "2" })
    sandbox.setPrice("BTCUSDT", "48000", { market: "futures" })
    expect(await positions()).toEqual([])
    expect(await found("stop")).toMatchObject({ algoStatus: "FINISHED", actualQty: "3.000" })
  })

  test("REJECTED at the trigger, with the engine's reason: nothing to reduce, no margin, a fill-or-kill that cannot be filled", async () => {
    const stream = await openFuturesUserStream(sandbox)
    await algo(STOP)
    await algo({ ...without(STOP, "reduceOnly"), clientAlgoId: "poor", quantity: "900" })
    await algo({ ...without(STOP, "reduceOnly"), clientAlgoId: "kill", type: "STOP", price: "48500", timeInForce: "FOK" })
    sandbox.setPrice("BTCUSDT", "47000", { market: "futures" })
    expect([(await found("stop"))["algoStatus"], (await found("poor"))["algoStatus"], (await found("kill"))["algoStatus"]]).toEqual([
      "REJECTED",
      "REJECTED",
      "REJECTED",
    ])
    await until(() => stream.frames.filter((event) => inner(event)["X"] === "REJECTED").length === 3, "three rejections")
    expect(stream.frames.flatMap((event) => inner(event)["rm"] ?? []).filter((text) => text !== "")).toEqual([
      "ReduceOnly Order is rejected.",
      "Margin is insufficient.",
      expect.stringContaining("the FOK order has been rejected"),
    ])
    stream.close()
  })

  test("a stop-limit child that rests and is cancelled: FINISHED with nothing filled", async () => {
    await place(MARKET)
    await algo({ ...STOP, type: "STOP", price: "47900" })
    sandbox.setPrice("BTCUSDT", "47000", { market: "futures" })
    expect((await found("stop"))["algoStatus"]).toBe("TRIGGERED")
    expect((await futures.call("DELETE", "/fapi/v1/algoOrder", { clientAlgoId: "stop" })).body.code).toBe(-2011)
    await futures.call("DELETE", "/fapi/v1/order", { symbol: "BTCUSDT", origClientOrderId: "stop" })
    expect(await found("stop")).toMatchObject({ algoStatus: "FINISHED", actualQty: "0.000" })
  })

  test("triggers on the mark price do not see the last price; a trailing stop follows and fires", async () => {
    await place({ ...MARKET, quantity: "2" })
    await algo({ ...STOP, workingType: "MARK_PRICE" })
    sandbox.setPrice("BTCUSDT", "47000", { market: "futures", mark: "50000" })
    expect((await found("stop"))["algoStatus"]).toBe("NEW")
    sandbox.setPrice("BTCUSDT", "50000", { market: "futures", mark: "48000" })
    expect((await found("stop"))["algoStatus"]).toBe("FINISHED")
    sandbox.setPrice("BTCUSDT", "50000", { market: "futures" })
    await algo({
      ...without(STOP, "triggerPrice"),
      type: "TRAILING_STOP_MARKET",
      callbackRate: "1",
      activatePrice: "51000",
      clientAlgoId: "trail",
    })
    for (const [price, status] of [
      ["49000", "NEW"],
      ["51000", "NEW"],
      ["53000", "NEW"],
      ["52480", "NEW"],
      ["52470", "FINISHED"],
    ] as const) {
      sandbox.setPrice("BTCUSDT", price, { market: "futures" })
      expect([price, (await found("trail"))["algoStatus"]]).toEqual([price, status])
    }
  })

  test("cancel, cancel all, and the id that may be used again", async () => {
    await algo(STOP)
    expect((await algo(STOP)).body.code).toBe(-4116)
    expect((await futures.call("DELETE", "/fapi/v1/algoOrder", { clientAlgoId: "stop" })).body).toMatchObject({
      code: "200",
      msg: "success",
      clientAlgoId: "stop",
    })
    expect((await algo(STOP)).status).toBe(200)
    await futures.call("DELETE", "/fapi/v1/algoOpenOrders", { symbol: "BTCUSDT" })
    expect((await futures.call("GET", "/fapi/v1/allAlgoOrders", { symbol: "BTCUSDT" })).list.map((one) => one["algoStatus"])).toEqual([
      "CANCELED",
      "CANCELED",
    ])
  })

  test("priceProtect refuses at the trigger when last and mark are far apart", async () => {
    await algo({ ...without(STOP, "reduceOnly"), priceProtect: "TRUE" })
    sandbox.setPrice("BTCUSDT", "40000", { market: "futures", mark: "50000" })
    expect((await found("stop"))["algoStatus"]).toBe("REJECTED")
  })
})
