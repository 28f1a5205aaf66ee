/** The adapters against what the exchange says rarely: truncated messages, half answers, lagging services, bans of the stream. */
import { clientOrderId } from "@petrosa/contracts"
import type { OrderId } from "@petrosa/contracts"
import { afterEach, describe, expect, test } from "vitest"
import { systemClock } from "../../src/binance/clock.ts"
import type { Script, Stub } from "./stubExchange.ts"
import { stubExchange } from "./stubExchange.ts"

const closing: Stub[] = []
afterEach(async () => {
  for (const stub of closing.splice(0)) await stub.close()
})
const make = async (...args: Parameters<typeof stubExchange>): Promise<Stub> => {
  const stub = await stubExchange(...args)
  closing.push(stub)
  return stub
}

const STOP = clientOrderId("test", "0123456789abcdefghjk" as OrderId, "stop", 1)
const ALGO = {
  algoId: 1000000033225453,
  clientAlgoId: STOP,
  algoType: "CONDITIONAL",
  orderType: "STOP_MARKET",
  symbol: "BTCUSDT",
  side: "SELL",
  positionSide: "BOTH",
  quantity: "0.5",
  algoStatus: "NEW",
  actualOrderId: "",
  actualPrice: "0.00000",
  triggerPrice: "49000.0",
  price: "0.0",
  createTime: 1_765_431_000_000,
  updateTime: 1_765_431_000_000,
}
const CHILD = {
  symbol: "BTCUSDT",
  orderId: "8389765612825190229",
  clientOrderId: STOP,
  side: "SELL",
  type: "MARKET",
  origType: "MARKET",
  status: "PARTIALLY_FILLED",
  origQty: "0.5",
  executedQty: "0.2",
  avgPrice: "49000.0",
  cumQuote: "9800",
  updateTime: 1_765_431_097_030,
}
const trade = (id: number, qty: string) => ({
  id,
  orderId: CHILD.orderId,
  symbol: "BTCUSDT",
  side: "SELL",
  price: "49000.0",
  qty,
  commission: "1",
  commissionAsset: "USDT",
  time: 1_765_431_097_030,
})
const say =
  (body: unknown, status = 200) =>
  () => ({ status, body })

describe("a stream", () => {
  test.each(["spot", "futures"] as const)("given a message on %s that breaks off, then it is asked what was missed", async (market) => {
    const stub = await make(market)
    stub.say(`{"e":"ORDER_TRADE_UPDATE","o":{"s":"BTCUSDT","i":1234,"x":"TRADE","l":"0.`)
    expect(stub.heard).toMatchObject([{ _tag: "Gap" }])
    expect(stub.troubles.map((trouble) => trouble.code)).toContain("STREAM_EVENT")
  })
  test.each(["spot", "futures"] as const)("given a word of the protocol on %s, then nothing was missed", async (market) => {
    const stub = await make(market)
    for (const message of [`{"result":null,"id":1}`, `{"id":"u","status":200,"result":{}}`, `[]`, `7`]) stub.say(message)
    expect(stub.heard).toEqual([])
  })
})

describe("exchangeInfo read again", () => {
  const again = async (symbols: readonly unknown[]) => {
    let shiftMs = 0
    const clock = { ...systemClock, nowMs: () => Date.now() + shiftMs }
    const stub = await make("spot", { "DELETE /api/v3/order": say({ code: -1013, msg: "Filter failure: LOT_SIZE" }, 400) }, { clock })
    const before = stub.venue.rules("BTCUSDT", "spot")
    stub.script({ "GET /api/v3/exchangeInfo": say({ symbols, rateLimits: [] }) })
    shiftMs = 60_000
    // A filter that refuses has the rules read again.
    await stub.venue.cancel("BTCUSDT", "spot", STOP)
    while (stub.asked.filter((name) => name === "GET /api/v3/exchangeInfo").length < 2)
      await new Promise((resolve) => setTimeout(resolve, 10))
    await new Promise((resolve) => setTimeout(resolve, 100))
    return { before, after: stub.venue.rules("BTCUSDT", "spot") }
  }
  const other = { symbol: "ETHUSDT", status: "TRADING", baseAsset: "ETH", quoteAsset: "USDT", orderTypes: ["LIMIT"], filters: [] }

  test("given a symbol that cannot be read any more, then what was known of it stays: what is open needs its stop", async () => {
    const broken = { ...other, symbol: "BTCUSDT", filters: [{ filterType: "LOT_SIZE", stepSize: "a little" }] }
    const { before, after } = await again([other, broken])
    expect(before).toMatchObject({ symbol: "BTCUSDT", trading: true })
    expect(after).toEqual(before)
  })
  test("given a symbol that is not named any more, then it is known, and nothing is opened in it", async () => {
    const { before, after } = await again([other])
    expect(after).toEqual({ ...before, trading: false })
  })
  test("given a symbol in BREAK, then it is told as it is", async () => {
    expect((await again([other, { ...other, symbol: "BTCUSDT", baseAsset: "BTC", status: "BREAK" }])).after).toMatchObject({
      status: "BREAK",
      trading: false,
    })
  })
})

describe("a ban that the stream hears of first", () => {
  const refusal = (status: number, data: object) =>
    JSON.stringify({ id: "u", status, error: { code: -1003, msg: "Way too much request weight used.", data } })

  test.each([418, 429])("given %i to the subscription, then nothing more leaves before its end, by either way", async (status) => {
    const stub = await make("spot", { "GET /api/v3/openOrders": say([]) })
    const untilMs = Date.now() + 60_000
    stub.say(refusal(status, { serverTime: Date.now(), retryAfter: untilMs }))
    expect(await stub.venue.openOrders("BTCUSDT", "spot")).toEqual({ _tag: "Unknown", reason: "RATE_BUDGET" })
    expect(stub.asked).not.toContain("GET /api/v3/openOrders")
    expect(stub.troubles.map((trouble) => trouble.code)).toContain("RATE_LIMITED")
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(stub.sockets).toHaveLength(1)
  })
  test("given another refusal, then the stream is tried again, and REST goes on", async () => {
    const stub = await make("spot", { "GET /api/v3/openOrders": say([]) })
    stub.say(JSON.stringify({ id: "u", status: 400, error: { code: -1021, msg: "Timestamp for this request was 1000ms ahead." } }))
    expect(await stub.venue.openOrders("BTCUSDT", "spot")).toEqual({ _tag: "Known", value: [] })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(stub.sockets).toHaveLength(2)
  })
})

describe("the cancel of an algo order", () => {
  const cancel = async (script: Script) => {
    const stub = await make("futures", script)
    return { stub, outcome: await stub.venue.cancel("BTCUSDT", "futures", STOP) }
  }
  test("given that it is taken, and that the exchange still shows it as waiting, then it is cancelled", async () => {
    const { outcome } = await cancel({
      "DELETE /fapi/v1/algoOrder": say({ algoId: ALGO.algoId, clientAlgoId: STOP, code: "200", msg: "success" }),
      "GET /fapi/v1/algoOrder": say(ALGO),
    })
    expect(outcome).toMatchObject({ _tag: "Accepted", value: { status: "cancelled", filledQuantity: "0" } })
  })
  test("given that it is taken although it fired, and its child trades, then it is not called cancelled while the child lives", async () => {
    let child: Record<string, unknown> = CHILD
    const { stub, outcome } = await cancel({
      "DELETE /fapi/v1/algoOrder": say({ code: "200", msg: "success" }),
      "GET /fapi/v1/algoOrder": say({ ...ALGO, algoStatus: "TRIGGERED", actualOrderId: CHILD.orderId }),
      "GET /fapi/v1/order": () => ({ body: child }),
      "DELETE /fapi/v1/order": () => {
        child = { ...CHILD, status: "CANCELED" }
        return { body: child }
      },
    })
    expect(stub.asked).toContain("DELETE /fapi/v1/order")
    expect(outcome).toMatchObject({ _tag: "Accepted", value: { status: "cancelled", filledQuantity: "0.2" } })
  })
  test.each([
    ["nothing", {}],
    ["a list", []],
    ["a word", "ok"],
    ["success of something else", { code: "-1" }],
  ])("given %s for an answer, then whether it is cancelled is asked, not assumed", async (_name, body) => {
    const { outcome } = await cancel({
      "DELETE /fapi/v1/algoOrder": say(JSON.stringify(body)),
      "GET /fapi/v1/algoOrder": say(ALGO),
    })
    expect(outcome._tag).not.toBe("Accepted")
  })
})

describe("an algo order that is finished", () => {
  const FINISHED = { ...ALGO, algoStatus: "FINISHED", actualOrderId: CHILD.orderId }
  test("given that its child is not to be found yet, and nothing says what it filled, then its trades do", async () => {
    const stub = await make("futures", {
      "GET /fapi/v1/algoOrder": say(FINISHED),
      "GET /fapi/v1/userTrades": say([trade(1, "0.2"), trade(2, "0.3")]),
    })
    expect(await stub.venue.query("BTCUSDT", "futures", STOP)).toMatchObject({
      _tag: "Known",
      value: { status: "filled", filledQuantity: "0.5" },
    })
  })
  test("given that its child is gone, and there are no trades of it, then it ended without a fill", async () => {
    const stub = await make("futures", { "GET /fapi/v1/algoOrder": say(FINISHED) })
    expect(await stub.venue.query("BTCUSDT", "futures", STOP)).toMatchObject({
      _tag: "Known",
      value: { status: "cancelled", filledQuantity: "0" },
    })
  })
  test("given that its child is gone, and its trades cannot be read, then it is not known", async () => {
    const stub = await make("futures", { "GET /fapi/v1/algoOrder": say(FINISHED), "GET /fapi/v1/userTrades": say("", 502) })
    expect(await stub.venue.query("BTCUSDT", "futures", STOP)).toMatchObject({ _tag: "Unknown" })
  })
})
