/** Weights, order counts, their headers, 429 and 418. */
import { afterEach, beforeEach, expect, test } from "vitest"
import { ManualClock, startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { client } from "./support.ts"

let sandbox: Sandbox
let clock: ManualClock
const START = 1_700_000_040_000
beforeEach(async () => {
  clock = new ManualClock(START)
  sandbox = await startSandbox({
    clock,
    limits: {
      spot: {
        limits: [
          { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 50 },
          { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 3 },
        ],
        banAfter: 3,
        firstBanMs: 120_000,
      },
      futures: { limits: [{ rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 2 }] },
    },
  })
})
afterEach(() => sandbox.close())
const LIMIT = { symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "0.01", price: "40000" }
const MARKET = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.01" }

test("weights are counted per interval and told in headers; a new minute begins at zero", async () => {
  const spot = client(sandbox, "spot")
  expect((await spot.call("GET", "/api/v3/account")).headers.get("x-mbx-used-weight-1m")).toBe("20")
  expect((await spot.plain("GET", "/api/v3/time")).headers.get("x-mbx-used-weight-1m")).toBe("21")
  clock.advance(60_000)
  expect((await spot.plain("GET", "/api/v3/time")).headers.get("x-mbx-used-weight-1m")).toBe("1")
})

test("a placed order weighs nothing on spot, a refused one weighs one", async () => {
  const spot = client(sandbox, "spot")
  expect((await spot.call("POST", "/api/v3/order", LIMIT)).headers.get("x-mbx-used-weight-1m")).toBe("0")
  expect((await spot.call("POST", "/api/v3/order", { ...LIMIT, price: "1" })).headers.get("x-mbx-used-weight-1m")).toBe("1")
})

test("too much: 429 with Retry-After until the minute ends; who goes on is banned: 418, twice as long the next time", async () => {
  const spot = client(sandbox, "spot")
  for (let index = 0; index < 2; index += 1) await spot.call("GET", "/api/v3/account")
  clock.advance(12_500)
  const first = await spot.call("GET", "/api/v3/account")
  expect([first.status, first.body.code, first.headers.get("retry-after")]).toEqual([429, -1003, "48"])
  expect(first.body.msg).toBe(
    "Too much request weight used; current limit is 50 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.",
  )
  await spot.call("GET", "/api/v3/account")
  expect((await spot.call("GET", "/api/v3/account")).status).toBe(429)
  const ban = await spot.call("GET", "/api/v3/account")
  expect([ban.status, ban.headers.get("retry-after")]).toEqual([418, "120"])
  expect(ban.body.msg).toContain(`IP banned until ${START + 12_500 + 120_000}.`)
  clock.advance(119_999)
  expect((await spot.plain("GET", "/api/v3/ping")).status).toBe(418)
  clock.advance(1)
  expect((await spot.plain("GET", "/api/v3/ping")).status).toBe(200)
  for (let index = 0; index < 6; index += 1) await spot.call("GET", "/api/v3/account")
  expect((await spot.plain("GET", "/api/v3/ping")).headers.get("retry-after")).toBe("240")
  expect(sandbox.ledger().limited.spot).toEqual({ 429: 6, 418: 4 })
})

test("spot counts unfilled orders: a fill gives one back; a fourth that rests is -1015", async () => {
  const spot = client(sandbox, "spot")
  const count = async (params: Readonly<Record<string, string>>) =>
    (await spot.call("POST", "/api/v3/order", params)).headers.get("x-mbx-order-count-10s")
  expect([await count(LIMIT), await count(MARKET), await count(LIMIT), await count(LIMIT)]).toEqual(["1", "1", "2", "3"])
  const refused = await spot.call("POST", "/api/v3/order", LIMIT)
  expect([refused.status, refused.body]).toEqual([
    429,
    { code: -1015, msg: "Too many new orders; current limit is 3 orders per 10 SECOND." },
  ])
  clock.advance(10_000)
  expect(await count(LIMIT)).toBe("1")
})

test("an order list counts all of its orders", async () => {
  const oco = {
    symbol: "BTCUSDT",
    side: "SELL",
    quantity: "1",
    aboveType: "LIMIT_MAKER",
    abovePrice: "55000",
    belowType: "STOP_LOSS",
    belowStopPrice: "45000",
  }
  const spot = client(sandbox, "spot")
  expect((await spot.call("POST", "/api/v3/orderList/oco", oco)).headers.get("x-mbx-order-count-10s")).toBe("2")
  expect((await spot.call("POST", "/api/v3/orderList/oco", oco)).body.code).toBe(-1015)
  expect((await spot.call("GET", "/api/v3/rateLimit/order")).list).toMatchObject([{ rateLimitType: "ORDERS", limit: 3, count: 2 }])
})

test("futures count every order, algo orders too; exchangeInfo names the limits that are enforced", async () => {
  const futures = client(sandbox, "futures")
  expect((await futures.call("POST", "/fapi/v1/order", MARKET)).headers.get("x-mbx-order-count-10s")).toBe("1")
  const stop = { algoType: "CONDITIONAL", symbol: "BTCUSDT", side: "SELL", type: "STOP_MARKET", quantity: "0.01", triggerPrice: "40000" }
  expect((await futures.call("POST", "/fapi/v1/algoOrder", stop)).headers.get("x-mbx-order-count-10s")).toBe("2")
  expect((await futures.call("POST", "/fapi/v1/order", MARKET)).body.code).toBe(-1015)
  expect((await futures.plain("GET", "/fapi/v1/exchangeInfo")).body["rateLimits"]).toEqual([
    { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 2 },
  ])
})
