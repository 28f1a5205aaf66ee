/**
 * What real clients send and wait for, held as exact requests: seen with ccxt 4.5 (REST and sockets), `binance` 3.6, node-binance-api
 * 1.0, binance-api-node 0.13, @binance/spot 32, @binance/derivatives-trading-usds-futures 38, python-binance 1.0.37, binance-connector
 * 3.13 and go-binance 2.8. README.md says how each is pointed here.
 */
import { generateKeyPairSync, sign as signWith } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { EXAMPLE_KEY, EXAMPLE_SECRET, ManualClock, sign, startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { client, openFuturesUserStream, openSocket, read, until, withSandbox } from "./support.ts"
import type { Json, Socket } from "./support.ts"

let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await startSandbox({ prices: { BTCUSDT: "50000" } })
})
afterEach(() => sandbox.close())

const sendRaw = async (base: string, method: string, path: string, text: string, inBody: boolean) => {
  const signed = `${text}&signature=${sign(EXAMPLE_SECRET, text)}`
  const headers = { "X-MBX-APIKEY": EXAMPLE_KEY, "content-type": "application/x-www-form-urlencoded" }
  return read(
    inBody
      ? await fetch(`${base}${path}`, { method, headers, body: signed })
      : await fetch(`${base}${path}?${signed}`, { method, headers }),
  )
}
const now = (): number => sandbox.world.exchange.nowMs()

describe("requests in the forms that clients give them", () => {
  test("given ccxt's batch, raw JSON in the body, then each order is answered; its ids are cancelled under small names", async () => {
    const orders = ["45000", "45001"].map((price, n) => ({
      symbol: "BTCUSDT",
      side: "BUY",
      type: "LIMIT",
      timeInForce: "GTC",
      quantity: "0.01",
      price,
      newClientOrderId: `x-${n}`,
    }))
    const placed = await sendRaw(
      sandbox.futuresUrl,
      "POST",
      "/fapi/v1/batchOrders",
      `timestamp=${now()}&batchOrders=${JSON.stringify(orders)}&recvWindow=10000`,
      true,
    )
    expect(placed.list.map((one) => one["status"])).toEqual(["NEW", "NEW"])
    const ids = placed.list.map((one) => String(one["orderId"])).join("%2C")
    const cancelled = await sendRaw(
      sandbox.futuresUrl,
      "DELETE",
      "/fapi/v1/batchOrders",
      `timestamp=${now()}&symbol=BTCUSDT&recvWindow=10000&orderidlist=%5B${ids}%5D`,
      false,
    )
    expect(cancelled.list.map((one) => one["status"])).toEqual(["CANCELED", "CANCELED"])
  })
  test("given go-binance's empty parameters, then futures take them for none", async () => {
    const text = `newOrderRespType=&price=47000.0&quantity=0.01&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp=${now()}&type=LIMIT`
    expect((await sendRaw(sandbox.futuresUrl, "POST", "/fapi/v1/order", text, true)).body).toMatchObject({ status: "NEW" })
    expect(
      (await sendRaw(sandbox.futuresUrl, "GET", "/fapi/v1/leverageBracket", `symbol=&timestamp=${now()}`, false)).list.length,
    ).toBeGreaterThan(1)
  })
  test("given the old way to place an OCO, then a list stands as the new one would", async () => {
    const { body } = await client(sandbox, "spot").call("POST", "/api/v3/order/oco", {
      symbol: "BTCUSDT",
      side: "SELL",
      quantity: "0.01",
      price: "55000",
      stopPrice: "45000",
      stopLimitPrice: "44900",
      stopLimitTimeInForce: "GTC",
      limitClientOrderId: "target",
      stopClientOrderId: "stop",
    })
    expect(body).toMatchObject({ contingencyType: "OCO", listOrderStatus: "EXECUTING" })
    const reports = body["orderReports"] as readonly Json[]
    expect(reports.map((one) => [one["clientOrderId"], one["type"], one["price"], one["stopPrice"]])).toEqual([
      ["target", "LIMIT_MAKER", "55000.00000000", undefined],
      ["stop", "STOP_LOSS_LIMIT", "44900.00000000", "45000.00000000"],
    ])
  })
  test("given a price match, then the order has the price of that level", async () => {
    const futures = client(sandbox, "futures")
    const order = { symbol: "BTCUSDT", type: "LIMIT", timeInForce: "GTC", quantity: "0.01" }
    for (const [side, priceMatch, price] of [
      ["BUY", "QUEUE", "50000.00"],
      ["BUY", "QUEUE_5", "49999.60"],
      ["SELL", "QUEUE", "50000.10"],
    ] as const)
      expect((await futures.call("POST", "/fapi/v1/order", { ...order, side, priceMatch })).body).toMatchObject({
        price,
        priceMatch,
        status: "NEW",
      })
    const taken = await futures.call("POST", "/fapi/v1/order", {
      ...order,
      side: "BUY",
      priceMatch: "OPPONENT",
      newOrderRespType: "RESULT",
    })
    expect(taken.body).toMatchObject({ price: "50000.10", status: "FILLED" })
  })
  test.each([
    "/sapi/v1/capital/config/getall",
    "/sapi/v1/asset/tradeFee",
    "/sapi/v1/margin/allPairs",
    "/sapi/v1/account/apiRestrictions",
    "/api/v3/account/commission?symbol=BTCUSDT",
    "/api/v3/myFilters?symbol=BTCUSDT",
  ])("given %s, which clients ask for at their start, then there is an answer", async (path) => {
    const [where = "", query = ""] = path.split("?")
    const answer = await client(sandbox, "spot").call("GET", where, Object.fromEntries(new URLSearchParams(query)))
    expect([answer.status, answer.body.code]).toEqual([200, undefined])
  })
  test("given trades, then income tells of each commission and profit, and the tape of each trade that took", async () => {
    const futures = client(sandbox, "futures")
    for (const side of ["BUY", "SELL"])
      await futures.call("POST", "/fapi/v1/order", { symbol: "BTCUSDT", side, type: "MARKET", quantity: "0.1" })
    const income = (await futures.call("GET", "/fapi/v1/income")).list.map((one) => [one["incomeType"], one["income"], one["asset"]])
    expect(income).toEqual([
      ["COMMISSION", "-2.50000500", "USDT"],
      ["REALIZED_PNL", "-0.01000000", "USDT"],
      ["COMMISSION", "-2.50000000", "USDT"],
    ])
    const tape = (await futures.plain("GET", "/fapi/v1/aggTrades", { symbol: "BTCUSDT" })).list.map((one) => [one["p"], one["q"], one["m"]])
    expect(tape.slice(-2)).toEqual([
      ["50000.10", "0.100", false],
      ["50000.00", "0.100", true],
    ])
  })
})

describe("candles", () => {
  type Row = readonly [number, string, string, string, string, string, number, ...unknown[]]
  const rows = async (query: string, market: "spot" | "futures" = "spot"): Promise<readonly Row[]> =>
    (await (
      await fetch(`${market === "spot" ? `${sandbox.spotUrl}/api/v3` : `${sandbox.futuresUrl}/fapi/v1`}/klines?${query}`)
    ).json()) as Row[]

  test.each(["1m", "15m", "4h", "1d", "1w", "1M"])(
    "given a bot that warms up on %s, then candles follow each other without a gap",
    async (interval) => {
      const found = await rows(`symbol=BTCUSDT&interval=${interval}&limit=${interval === "1M" ? 20 : 100}`)
      expect(found.length).toBeGreaterThan(interval === "1M" ? 19 : 99)
      for (const [index, [openMs, open, high, low, close, , closeMs]] of found.entries()) {
        const next = found[index + 1]
        if (next !== undefined) expect(next[0]).toBe(closeMs + 1)
        expect(Number(high)).toBeGreaterThanOrEqual(Math.max(Number(open), Number(close)))
        expect(Number(low)).toBeLessThanOrEqual(Math.min(Number(open), Number(close)))
        expect(openMs % 60_000).toBe(0)
      }
      expect(found.at(-1)?.[4]).toBe("50000.00000000")
    },
  )
  test("given a window, then its candles and no others; the same ones again; futures take 1500", async () => {
    const endMs = Math.floor(now() / 60_000) * 60_000 - 3_600_000
    const query = `symbol=BTCUSDT&interval=1m&startTime=${endMs - 600_000}&endTime=${endMs}`
    const found = await rows(query)
    expect(found.map(([openMs]) => openMs)).toEqual(Array.from({ length: 11 }, (_, n) => endMs - 600_000 + n * 60_000))
    expect(await rows(query)).toEqual(found)
    expect(await rows("symbol=BTCUSDT&interval=1m&limit=1500", "futures")).toHaveLength(1500)
    expect((await (await fetch(`${sandbox.spotUrl}/api/v3/klines?symbol=BTCUSDT&interval=7m`)).json()) as Json).toMatchObject({
      code: -1120,
    })
  })
  test("given prices that move, then the day's ticker holds them", async () => {
    for (const price of ["53000", "47000", "51000"]) sandbox.setPrice("BTCUSDT", price)
    const day = (await client(sandbox, "spot").plain("GET", "/api/v3/ticker/24hr", { symbol: "BTCUSDT" })).body
    expect(day).toMatchObject({
      lastPrice: "51000.00000000",
      highPrice: "53000.00000000",
      lowPrice: "47000.00000000",
      bidPrice: "51000.00000000",
    })
    expect(Number(day["priceChange"])).toBeCloseTo(51_000 - Number(day["openPrice"]), 6)
  })
})

describe("streams that clients keep state from", () => {
  const bookOf = (side: readonly (readonly [string, string])[]) => new Map(side)
  test.each(["spot", "futures"] as const)(
    "given %s, when a local book is kept from differences, then it is the exchange's",
    async (market) => {
      const url =
        market === "spot" ? `${sandbox.spotStreamUrl}/ws/btcusdt@depth@100ms` : `${sandbox.futuresStreamUrl}/public/ws/btcusdt@depth`
      const socket = await openSocket(url)
      const rest = async () =>
        (
          await client(sandbox, market).plain("GET", market === "spot" ? "/api/v3/depth" : "/fapi/v1/depth", {
            symbol: "BTCUSDT",
            limit: 1000,
          })
        ).body as unknown as { lastUpdateId: number; bids: [string, string][]; asks: [string, string][] }
      const first = await rest()
      const book = { b: bookOf(first.bids), a: bookOf(first.asks) }
      const base = { symbol: "BTCUSDT", type: "LIMIT", timeInForce: "GTC", quantity: "0.01" }
      const path = market === "spot" ? "/api/v3/order" : "/fapi/v1/order"
      await client(sandbox, market).call("POST", path, { ...base, side: "BUY", price: "49990" })
      sandbox.setPrice("BTCUSDT", "50003", { market })
      await client(sandbox, market).call("POST", path, { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.5" })
      sandbox.setPrice("BTCUSDT", "49998", { market })
      const last = await rest()
      await until(() => socket.frames.some((frame) => Number(frame["u"]) >= last.lastUpdateId), "the last difference")
      let u = first.lastUpdateId
      for (const frame of socket.frames) {
        if (Number(frame["u"]) <= first.lastUpdateId) continue
        if (market === "spot") expect(Number(frame["U"])).toBe(u + 1)
        else expect(frame["pu"]).toBe(u)
        u = Number(frame["u"])
        for (const side of ["b", "a"] as const)
          for (const [price, quantity] of frame[side] as [string, string][])
            if (Number(quantity) === 0) book[side].delete(price)
            else book[side].set(price, quantity)
      }
      expect(Object.fromEntries(book.b)).toEqual(Object.fromEntries(last.bids))
      expect(Object.fromEntries(book.a)).toEqual(Object.fromEntries(last.asks))
      socket.close()
    },
  )
  test("given a minute that ends, then its candle is told once more, closed, before the next one", async () => {
    const clock = new ManualClock(1_700_000_040_000)
    await withSandbox({ clock, prices: { BTCUSDT: "50000" } }, async (held) => {
      const socket = await openSocket(`${held.spotStreamUrl}/stream?streams=btcusdt@kline_1m/btcusdt@bookTicker`)
      clock.advance(1000)
      held.setPrice("BTCUSDT", "50100")
      clock.advance(60_000)
      const k = (frame: Json): Json => ((frame["data"] as Json)["k"] ?? {}) as Json
      await socket.next((frame) => k(frame)["t"] === 1_700_000_100_000, "the next minute")
      const closed = socket.frames.filter((frame) => k(frame)["x"] === true)
      expect(closed.map((frame) => [k(frame)["t"], k(frame)["o"], k(frame)["c"]])).toEqual([
        [1_700_000_040_000, "50000.00000000", "50100.00000000"],
      ])
      // Who has just come hears of the book as it is, without a change.
      expect(socket.frames.find((frame) => frame["stream"] === "btcusdt@bookTicker")).toMatchObject({ data: { b: "50000.00000000" } })
      socket.close()
    })
  })
})

describe("the WebSocket APIs", () => {
  const ask = async (socket: Socket, id: string, method: string, params: Json): Promise<Json> => {
    socket.send({ id, method, params })
    return socket.next((frame) => frame["id"] === id, method)
  }
  const signed = (params: Json): Json => {
    const all: Json = { ...params, apiKey: EXAMPLE_KEY, timestamp: now() }
    const payload = Object.keys(all)
      .sort()
      .map((name) => `${name}=${String(all[name])}`)
      .join("&")
    return { ...all, signature: sign(EXAMPLE_SECRET, payload) }
  }
  test("given futures, then orders are placed, asked for and cancelled, also conditional ones", async () => {
    const socket = await openSocket(sandbox.futuresApiSocketUrl)
    const order = {
      symbol: "BTCUSDT",
      side: "BUY",
      type: "LIMIT",
      timeInForce: "GTC",
      quantity: "0.01",
      price: "47000",
      newClientOrderId: "w",
    }
    expect(await ask(socket, "1", "order.place", signed(order))).toMatchObject({
      status: 200,
      result: { clientOrderId: "w", status: "NEW" },
    })
    const named = { symbol: "BTCUSDT", origClientOrderId: "w" }
    expect(await ask(socket, "2", "order.status", signed(named))).toMatchObject({ result: { price: "47000.00", avgPrice: "0.00000" } })
    expect(await ask(socket, "3", "order.cancel", signed(named))).toMatchObject({ result: { status: "CANCELED" } })
    const stop = { algoType: "CONDITIONAL", symbol: "BTCUSDT", side: "SELL", type: "STOP_MARKET", quantity: "0.01", triggerPrice: "45000" }
    expect(await ask(socket, "4", "algoOrder.place", signed({ ...stop, clientAlgoId: "a" }))).toMatchObject({
      result: { algoStatus: "NEW" },
    })
    expect(await ask(socket, "5", "algoOrder.cancel", signed({ clientAlgoId: "a" }))).toMatchObject({ status: 200 })
    expect(await ask(socket, "6", "v2/account.balance", signed({}))).toMatchObject({ status: 200 })
    expect(await ask(socket, "7", "userDataStream.start", { apiKey: EXAMPLE_KEY })).toMatchObject({
      result: { listenKey: expect.any(String) },
    })
    expect(await ask(socket, "8", "order.place", { ...signed(order), price: "1" })).toMatchObject({ status: 400, error: { code: -1022 } })
    expect(await ask(socket, "9", "no.such", {})).toMatchObject({ error: { code: -1020 } })
    socket.close()
  })
  test("given an Ed25519 key, then a session needs no further signature; an HMAC key has no session", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519")
    const account = {
      name: "ed",
      apiKey: "E".repeat(64),
      publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
      spot: { USDT: "1000" },
    }
    await withSandbox({ accounts: [account], prices: { BTCUSDT: "50000" } }, async (held) => {
      const socket = await openSocket(held.spotApiSocketUrl)
      expect(await ask(socket, "0", "userDataStream.subscribe", {})).toMatchObject({ error: { code: -2015 } })
      const timestamp = held.world.exchange.nowMs()
      const signature = signWith(null, Buffer.from(`apiKey=${account.apiKey}&timestamp=${timestamp}`), privateKey).toString("base64")
      const logon = await ask(socket, "1", "session.logon", { apiKey: account.apiKey, timestamp, signature })
      expect(logon).toMatchObject({ status: 200, result: { apiKey: account.apiKey, authorizedSince: expect.any(Number) } })
      expect(await ask(socket, "2", "userDataStream.subscribe", {})).toMatchObject({ result: { subscriptionId: 0 } })
      const placed = await ask(socket, "3", "order.place", { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.001", timestamp })
      expect(placed).toMatchObject({ status: 200, result: { status: "FILLED" } })
      await socket.next((frame) => (frame["event"] as Json | undefined)?.["x"] === "TRADE", "the trade")
      expect(await ask(socket, "4", "session.logout", {})).toMatchObject({ result: { apiKey: null } })
      expect(await ask(socket, "5", "account.status", { timestamp })).toMatchObject({ error: { code: -2014 } })
      socket.close()
    })
    const socket = await openSocket(sandbox.spotApiSocketUrl)
    expect(await ask(socket, "1", "session.logon", signed({}))).toMatchObject({ error: { code: -4056 } })
    socket.close()
  })
  test("given a key in the path of the socket, as binance-api-node and python-binance do, then its events come", async () => {
    const socket = await openFuturesUserStream(sandbox, (key) => `/ws/${key}`)
    await client(sandbox, "futures").call("POST", "/fapi/v1/order", { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.01" })
    await socket.next((frame) => frame["e"] === "ACCOUNT_UPDATE", "the account")
    socket.close()
  })
})

test("given limit orders that trade at once, and prices that run through resting ones, then no book ticker is ever crossed", async () => {
  const socket = await openSocket(`${sandbox.futuresStreamUrl}/ws/btcusdt@bookTicker`)
  const futures = client(sandbox, "futures")
  const limit = { symbol: "BTCUSDT", type: "LIMIT", timeInForce: "GTC", quantity: "0.01" }
  for (const [side, price] of [
    ["BUY", "49900"],
    ["BUY", "49950"],
    ["SELL", "50100"],
    ["BUY", "50010"],
    ["SELL", "49990"],
  ])
    await futures.call("POST", "/fapi/v1/order", { ...limit, side: side ?? "", price: price ?? "" })
  for (const price of ["49800", "50200", "50000"]) sandbox.setPrice("BTCUSDT", price, { market: "futures" })
  await until(() => socket.frames.some((frame) => frame["b"] === "50200.00"), "the prices")
  const crossed = socket.frames.filter((frame) => Number(frame["b"]) >= Number(frame["a"]))
  expect(crossed).toEqual([])
  socket.close()
})
