/** Every fault, one by one: what the client sees, and what the exchange really did. */
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { Faults } from "../src/faults/rules.ts"
import type { RequestView } from "../src/faults/rules.ts"
import { readFaults, startSandbox } from "../src/index.ts"
import type { FaultRule, Sandbox } from "../src/index.ts"
import {
  EVENTS,
  client,
  futuresConnector,
  inner,
  openFuturesUserStream,
  openSocket,
  openSpotUserStream,
  spotConnector,
  until,
} from "./support.ts"
import type { Json } from "./support.ts"

let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(() => sandbox.close())

const MARKET = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.01", newClientOrderId: "x-1" }
const LIMIT = {
  symbol: "BTCUSDT",
  side: "BUY",
  type: "LIMIT",
  timeInForce: "GTC",
  quantity: "0.01",
  price: "40000",
  newClientOrderId: "x-1",
}
const MARKETS = [
  ["spot", "/api/v3/order"],
  ["futures", "/fapi/v1/order"],
] as const
const lost = async (run: () => Promise<unknown>): Promise<unknown> =>
  run().then(
    (reply) => reply,
    () => "no reply",
  )

describe.each(MARKETS)("%s requests", (market, path) => {
  const call = () => client(sandbox, market)
  const query = { symbol: "BTCUSDT", origClientOrderId: "x-1" }

  test("loseReply: executed, the socket closes; the order is found by its id", async () => {
    sandbox.addFaults({ kind: "loseReply", count: 1, match: { op: "order.place", clientIdStartsWith: "x-" } })
    expect(await lost(() => call().call("POST", path, MARKET))).toBe("no reply")
    expect((await call().call("GET", path, query)).body).toMatchObject({ status: "FILLED" })
    expect((await call().call("POST", path, { ...MARKET, newClientOrderId: "x-2" })).status).toBe(200)
  })
  test("loseReply with hang: silence; the connector's own time-out ends it, and the order is there", async () => {
    sandbox.addFaults({ kind: "loseReply", hang: true, count: 1 })
    const connector = (market === "spot" ? spotConnector(sandbox) : futuresConnector(sandbox)) as unknown as {
      timeout: number
    } & ReturnType<typeof spotConnector>
    connector.timeout = 200
    await expect(connector["newOrder"]!("BTCUSDT", "BUY", "MARKET", { quantity: "0.01", newClientOrderId: "x-1" })).rejects.toMatchObject({
      code: "ECONNABORTED",
    })
    expect(sandbox.ledger().orders).toMatchObject([{ clientId: "x-1", status: "FILLED" }])
  })
  test("dropRequest: nothing happened", async () => {
    sandbox.addFaults({ kind: "dropRequest", count: 1 })
    expect(await lost(() => call().call("POST", path, MARKET))).toBe("no reply")
    expect(sandbox.ledger().orders).toEqual([])
  })
  test("timeout, not executed: -1007, and nothing", async () => {
    sandbox.addFaults({ kind: "timeout", executed: false, count: 1 })
    const answer = await call().call("POST", path, MARKET)
    expect([answer.status, answer.body.code]).toEqual([market === "spot" ? 504 : 408, -1007])
    expect(answer.body.msg).toBe("Timeout waiting for response from backend server. Send status unknown; execution status unknown.")
    expect(sandbox.ledger().orders).toEqual([])
  })
  test("timeout, executed: -1007, the order is open, and fills later", async () => {
    sandbox.addFaults({ kind: "timeout", executed: true, fillAfterMs: 100, count: 1 })
    expect((await call().call("POST", path, MARKET)).body.code).toBe(-1007)
    expect((await call().call("GET", path, query)).body).toMatchObject({ status: "NEW" })
    await until(() => sandbox.ledger().trades.length === 1, "the fill")
    expect((await call().call("GET", path, query)).body).toMatchObject({ status: "FILLED" })
  })
  test.each([true, false])("a 503 page, executed: %s", async (executed) => {
    sandbox.addFaults({ kind: "http", status: 503, executed, count: 1, match: { method: "POST" } })
    const answer = await call().call("POST", path, MARKET)
    expect([answer.status, answer.text.startsWith("<html>")]).toEqual([503, true])
    expect(sandbox.ledger().orders).toHaveLength(executed ? 1 : 0)
  })
  test("a 503 with a body of its own", async () => {
    sandbox.addFaults({
      kind: "http",
      status: 503,
      executed: false,
      body: '{"code":-1008,"msg":"Request throttled by system-level protection."}',
    })
    expect((await call().call("POST", path, MARKET)).body.code).toBe(-1008)
  })
  test("refuse: any code and text", async () => {
    sandbox.addFaults({
      kind: "refuse",
      code: -1001,
      msg: "Internal error; unable to process your request. Please try again.",
      status: 500,
      count: 1,
    })
    expect((await call().call("POST", path, MARKET)).body.code).toBe(-1001)
    expect(sandbox.ledger().orders).toEqual([])
  })
  test("notFound: accepted, and for a while denied by query, cancel and lists; then there", async () => {
    sandbox.addFaults({ kind: "notFound", forMs: 200, count: 1, match: { op: "order.place" } })
    expect((await call().call("POST", path, LIMIT)).status).toBe(200)
    expect((await call().call("GET", path, query)).body.code).toBe(-2013)
    expect((await call().call("DELETE", path, query)).body.code).toBe(-2011)
    expect(
      (await call().call("GET", market === "spot" ? "/api/v3/openOrders" : "/fapi/v1/openOrders", { symbol: "BTCUSDT" })).list,
    ).toEqual([])
    const endMs = Date.now() + 3000
    let seen = await call().call("GET", path, query)
    while (seen.body.code === -2013 && Date.now() < endMs) seen = await call().call("GET", path, query)
    expect(seen.body).toMatchObject({ status: "NEW" })
  })
  test("fillOnCancel: all of it: -2011 and FILLED; a part: CANCELED with a fill", async () => {
    await call().call("POST", path, LIMIT)
    sandbox.addFaults({ kind: "fillOnCancel", count: 1 })
    expect((await call().call("DELETE", path, query)).body.code).toBe(-2011)
    expect((await call().call("GET", path, query)).body).toMatchObject({ status: "FILLED" })
    await call().call("POST", path, { ...LIMIT, newClientOrderId: "x-2" })
    sandbox.addFaults({ kind: "fillOnCancel", quantity: "0.004", count: 1 })
    const cancel = await call().call("DELETE", path, { ...query, origClientOrderId: "x-2" })
    expect(cancel.body).toMatchObject({ status: "CANCELED", executedQty: market === "spot" ? "0.00400000" : "0.004" })
  })
  test("slow: before the engine and before the reply", async () => {
    sandbox.addFaults({ kind: "slow", beforeMs: 60, afterMs: 60, count: 1 })
    const beganMs = performance.now()
    expect((await call().call("POST", path, MARKET)).status).toBe(200)
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(118)
  })
  test.each([429, 418] as const)("rateLimit %i with Retry-After", async (status) => {
    sandbox.addFaults({ kind: "rateLimit", status, retryAfterS: 7, count: 1 })
    const answer = await call().call("POST", path, MARKET)
    expect([answer.status, answer.body.code, answer.headers.get("retry-after")]).toEqual([status, -1003, "7"])
    if (status === 418) expect(answer.body.msg).toMatch(/IP banned until \d{13}/)
    expect(sandbox.ledger().orders).toEqual([])
  })
  test("changed filters: what was fine is refused", async () => {
    expect((await call().call("POST", path, LIMIT)).status).toBe(200)
    sandbox.world.exchange.symbols.patch(market, "BTCUSDT", { filters: [{ filterType: "PRICE_FILTER", tickSize: "100000" }] })
    expect((await call().call("POST", path, { ...LIMIT, newClientOrderId: "x-2" })).body.code).toBe(market === "spot" ? -1013 : -4014)
  })
})

describe("the algo service and lists under faults", () => {
  const ALGO = {
    algoType: "CONDITIONAL",
    symbol: "BTCUSDT",
    side: "SELL",
    type: "STOP_MARKET",
    quantity: "0.01",
    triggerPrice: "40000",
    clientAlgoId: "x-s",
  }
  test("an algo order whose reply is lost, one that is denied, one that fires while it is cancelled", async () => {
    const futures = client(sandbox, "futures")
    sandbox.addFaults({ kind: "loseReply", count: 1, match: { op: "algo.place" } })
    expect(await lost(() => futures.call("POST", "/fapi/v1/algoOrder", ALGO))).toBe("no reply")
    expect((await futures.call("GET", "/fapi/v1/algoOrder", { clientAlgoId: "x-s" })).body).toMatchObject({ algoStatus: "NEW" })
    sandbox.addFaults(
      { kind: "notFound", forMs: 60_000, count: 1, match: { op: "algo.place" } },
      { kind: "fillOnCancel", count: 1, match: { op: "algo.cancel" } },
    )
    expect((await futures.call("POST", "/fapi/v1/algoOrder", { ...ALGO, clientAlgoId: "x-h" })).status).toBe(200)
    expect((await futures.call("GET", "/fapi/v1/algoOrder", { clientAlgoId: "x-h" })).body.code).toBe(-2013)
    expect((await futures.call("DELETE", "/fapi/v1/algoOrder", { clientAlgoId: "x-s" })).body.code).toBe(-2011)
    expect((await futures.call("GET", "/fapi/v1/algoOrder", { clientAlgoId: "x-s" })).body).toMatchObject({ algoStatus: "FINISHED" })
  })
  test("a list whose reply is lost", async () => {
    const spot = client(sandbox, "spot")
    sandbox.addFaults({ kind: "loseReply", count: 1, match: { op: "list.place" } })
    const oco = {
      symbol: "BTCUSDT",
      side: "SELL",
      quantity: "1",
      aboveType: "LIMIT_MAKER",
      abovePrice: "55000",
      belowType: "STOP_LOSS",
      belowStopPrice: "45000",
      listClientOrderId: "x-l",
    }
    expect(await lost(() => spot.call("POST", "/api/v3/orderList/oco", oco))).toBe("no reply")
    expect((await spot.call("GET", "/api/v3/orderList", { origClientOrderId: "x-l" })).body).toMatchObject({ listOrderStatus: "EXECUTING" })
  })
})

describe("stream events", () => {
  /** One market order on both markets; the events of the orders as the clients got them. */
  const trade = async (rule: FaultRule, wait: (events: { spot: readonly Json[]; futures: readonly Json[] }) => boolean) => {
    const spot = await openSpotUserStream(sandbox)
    const futures = await openFuturesUserStream(sandbox)
    sandbox.addFaults(rule)
    await client(sandbox, "spot").call("POST", "/api/v3/order", MARKET)
    await client(sandbox, "futures").call("POST", "/fapi/v1/order", MARKET)
    const seen = () => ({
      spot: spot.events().filter((event) => event["e"] === "executionReport"),
      futures: futures.frames.filter((event) => event["e"] === "ORDER_TRADE_UPDATE"),
    })
    await until(() => wait(seen()), "the events")
    const events = seen()
    spot.close()
    futures.close()
    return { spot: events.spot.map((event) => event["x"]), futures: events.futures.map((event) => inner(event)["x"]) }
  }

  test("duplicateEvent", async () => {
    const seen = await trade(
      { kind: "duplicateEvent", match: { execution: "TRADE" } },
      (events) => events.spot.length === 3 && events.futures.length === 3,
    )
    expect(seen).toEqual({ spot: ["NEW", "TRADE", "TRADE"], futures: ["NEW", "TRADE", "TRADE"] })
  })
  test("dropEvent", async () => {
    const seen = await trade(
      { kind: "dropEvent", match: { execution: "NEW" } },
      (events) => events.spot.length === 1 && events.futures.length === 1,
    )
    expect(seen).toEqual({ spot: ["TRADE"], futures: ["TRADE"] })
  })
  test("delayEvent: the late NEW comes after the TRADE", async () => {
    const seen = await trade(
      { kind: "delayEvent", ms: 60, match: { execution: "NEW" } },
      (events) => events.spot.length === 2 && events.futures.length === 2,
    )
    expect(seen).toEqual({ spot: ["TRADE", "NEW"], futures: ["TRADE", "NEW"] })
  })
  test("swapEvent: an event comes after the next one", async () => {
    const spot = await openSpotUserStream(sandbox)
    sandbox.addFaults({ kind: "swapEvent", count: 1, match: { event: "executionReport" } })
    await client(sandbox, "spot").call("POST", "/api/v3/order", MARKET)
    await until(() => spot.events().length === 4, "four events")
    expect(spot.events().map((event) => event["e"])).toEqual([
      "outboundAccountPosition",
      "executionReport",
      "executionReport",
      "outboundAccountPosition",
    ])
    spot.close()
  })
  test("a dead listen key with an open socket: nothing comes; PUT says -1125; a new key delivers", async () => {
    const stream = await openFuturesUserStream(sandbox)
    sandbox.disturb("futures", "killListenKey")
    const futures = client(sandbox, "futures")
    await futures.call("POST", "/fapi/v1/order", MARKET)
    expect((await futures.plain("PUT", "/fapi/v1/listenKey", {}, true)).body).toEqual({
      code: -1125,
      msg: "This listenKey does not exist.",
    })
    const again = await openFuturesUserStream(sandbox)
    expect(again.key).not.toBe(stream.key)
    await futures.call("POST", "/fapi/v1/order", MARKET)
    await again.next((event) => inner(event)["x"] === "TRADE", "the fill on the new stream")
    expect([stream.frames, stream.closed]).toEqual([[], undefined])
    stream.close()
    again.close()
  })
  test("an expired listen key says so", async () => {
    const stream = await openFuturesUserStream(sandbox)
    sandbox.disturb("futures", "expireListenKey")
    expect(await stream.next((event) => event["e"] === "listenKeyExpired", "the event")).toMatchObject({ listenKey: stream.key })
    stream.close()
  })
  test("silence, cut, and shutdown", async () => {
    const silent = await openSpotUserStream(sandbox)
    sandbox.disturb("spot", "silence")
    await client(sandbox, "spot").call("POST", "/api/v3/order", MARKET)
    const second = await openSpotUserStream(sandbox)
    expect(silent.events()).toEqual([])
    sandbox.disturb("spot", "shutdown")
    await until(() => second.closed !== undefined, "the close")
    expect(second.events()).toMatchObject([{ e: "serverShutdown" }])
    const third = await openSocket(`${sandbox.futuresStreamUrl}/private/ws?listenKey=x&events=${EVENTS}`)
    sandbox.disturb("futures", "cut")
    await until(() => third.closed === 1006, "the cut")
  })
})

describe("rules", () => {
  const view: RequestView = {
    market: "spot",
    account: "main",
    method: "POST",
    path: "/api/v3/order",
    op: "order.place",
    symbol: "BTCUSDT",
    clientId: "pt-1",
    type: "LIMIT",
  }
  test("count, skip, and match with a prefix", () => {
    const faults = new Faults(1, [{ kind: "loseReply", skip: 1, count: 2, match: { path: "/api/v3/*", clientIdStartsWith: "pt-" } }])
    expect([1, 2, 3, 4].map(() => faults.strike("loseReply", view) !== undefined)).toEqual([false, true, true, false])
    expect(faults.strike("loseReply", { ...view, path: "/fapi/v1/order" })).toBeUndefined()
    expect(faults.strike("dropRequest", view)).toBeUndefined()
  })
  test("the same seed strikes the same requests; another one others", () => {
    const draw = (seed: number): readonly boolean[] => {
      const faults = new Faults(seed, [{ kind: "loseReply", probability: 0.5 }])
      return Array.from({ length: 40 }, () => faults.strike("loseReply", view) !== undefined)
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(draw(7).filter(Boolean).length).toBeGreaterThan(5)
  })
  test("what is no rule is refused when it is read", () => {
    expect(() => readFaults([{ kind: "explode" }])).toThrow("faults")
    expect(readFaults({ kind: "dropEvent" })).toHaveLength(1)
  })
})
