/** WebSockets: user streams in all their forms, the WebSocket API, market streams, heartbeats. */
import { createRequire } from "node:module"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { EXAMPLE_KEY, EXAMPLE_SECRET, ManualClock, sign, startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { EVENTS, client, inner, openFuturesUserStream, openSocket, openSpotUserStream, until, withSandbox } from "./support.ts"
import type { Json, Socket } from "./support.ts"

let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(() => sandbox.close())
const MARKET = { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "0.01", newClientOrderId: "x-1" }
const buy = (market: "spot" | "futures") =>
  client(sandbox, market).call("POST", market === "spot" ? "/api/v3/order" : "/fapi/v1/order", MARKET)
const isTrade = (frame: Json): boolean => inner((frame["data"] as Json | undefined) ?? frame)["x"] === "TRADE"

describe("futures user streams", () => {
  test.each([
    ["/private/ws?listenKey=…&events=…", (key: string) => `/private/ws?listenKey=${key}&events=${EVENTS}`, false],
    ["/private/ws?listenKey=…", (key: string) => `/private/ws?listenKey=${key}`, false],
    ["/private/stream?listenKey=…", (key: string) => `/private/stream?listenKey=${key}&events=${EVENTS}`, true],
    ["/ws/<key>", (key: string) => `/ws/${key}`, false],
    ["/private/ws/<key>", (key: string) => `/private/ws/${key}`, false],
    ["/stream?streams=<key>", (key: string) => `/stream?streams=${key}`, true],
  ])("%s delivers", async (_name, path, wrapped) => {
    const stream = await openFuturesUserStream(sandbox, path)
    await buy("futures")
    const frame = await stream.next(isTrade, "the fill")
    expect("stream" in frame).toBe(wrapped)
    stream.close()
  })
  test("SUBSCRIBE with a listen key delivers", async () => {
    const { body } = await client(sandbox, "futures").plain("POST", "/fapi/v1/listenKey", {}, true)
    const socket = await openSocket(`${sandbox.futuresStreamUrl}/ws`)
    socket.send({ method: "SUBSCRIBE", params: [body["listenKey"]], id: 7 })
    expect(await socket.next((frame) => frame["id"] === 7, "the answer")).toEqual({ result: null, id: 7 })
    await buy("futures")
    await socket.next(isTrade, "the fill")
    socket.close()
  })
  test("events= is a filter", async () => {
    const stream = await openFuturesUserStream(sandbox, (key) => `/private/ws?listenKey=${key}&events=ACCOUNT_UPDATE`)
    await buy("futures")
    await until(() => stream.frames.length > 0, "an event")
    expect(stream.frames.map((frame) => frame["e"])).toEqual(["ACCOUNT_UPDATE"])
    stream.close()
  })
  test("strict, as production: the path form under /private and a missing events= deliver nothing", async () => {
    await withSandbox({ strictStreams: true }, async (strict) => {
      const path = await openFuturesUserStream(strict, (key) => `/private/ws/${key}`)
      const bare = await openFuturesUserStream(strict, (key) => `/private/ws?listenKey=${key}`)
      const good = await openFuturesUserStream(strict)
      await client(strict, "futures").call("POST", "/fapi/v1/order", MARKET)
      await good.next(isTrade, "the fill")
      expect([path.frames, bare.frames]).toEqual([[], []])
    })
  })
  test("the events of a market order: TRADE_LITE, ACCOUNT_UPDATE and ORDER_TRADE_UPDATE share the trade; ids of 64 bits are bare numbers", async () => {
    const stream = await openFuturesUserStream(sandbox)
    await buy("futures")
    await stream.next(isTrade, "the fill")
    expect(stream.frames.map((frame) => frame["e"])).toEqual(["ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"])
    const [, lite, account, trade] = stream.frames
    expect(inner(trade)).toMatchObject({
      X: "FILLED",
      c: "x-1",
      l: "0.01",
      z: "0.01",
      L: "50000.1",
      ap: "50000.1",
      N: "USDT",
      n: "0.2500005",
      ps: "BOTH",
      R: false,
    })
    expect([lite?.["t"], lite?.["i"]]).toEqual([inner(trade)["t"], inner(trade)["i"]])
    expect(account?.["a"]).toMatchObject({
      m: "ORDER",
      B: [{ a: "USDT", wb: "999999.74999950" }],
      P: [{ s: "BTCUSDT", pa: "0.01", ep: "50000.1", ps: "BOTH", mt: "cross" }],
    })
    expect(BigInt(String(inner(trade)["i"])) > 2n ** 53n).toBe(true)
    stream.close()
  })
  test("a listen key runs out after an hour without renewal, and says so", async () => {
    const clock = new ManualClock(1_700_000_000_000)
    await withSandbox({ clock, heartbeats: { futures: { pingMs: 86_400_000 } } }, async (held) => {
      const stream = await openFuturesUserStream(held)
      clock.advance(59 * 60_000)
      expect((await client(held, "futures").plain("PUT", "/fapi/v1/listenKey", {}, true)).body).toEqual({ listenKey: stream.key })
      clock.advance(59 * 60_000)
      expect(stream.frames).toEqual([])
      clock.advance(2 * 60_000)
      await stream.next((frame) => frame["e"] === "listenKeyExpired", "the event")
    })
  })
})

describe("spot's WebSocket API", () => {
  const ask = async (
    socket: Socket,
    id: string,
    method: string,
    params: Readonly<Record<string, string | number | boolean>> = {},
  ): Promise<Json> => {
    socket.send({ id, method, params })
    return socket.next((frame) => frame["id"] === id, method)
  }
  const signed = (params: Readonly<Record<string, string | number>>): Readonly<Record<string, string | number>> => {
    const all: Readonly<Record<string, string | number>> = { ...params, apiKey: EXAMPLE_KEY, timestamp: sandbox.world.exchange.nowMs() }
    const payload = Object.entries(all)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join("&")
    return { ...all, signature: sign(EXAMPLE_SECRET, payload) }
  }

  test("time, order.place, order.status, order.cancel: status, result, rateLimits", async () => {
    const socket = await openSocket(sandbox.spotApiSocketUrl)
    expect(await ask(socket, "1", "time")).toMatchObject({ status: 200, rateLimits: [{ rateLimitType: "REQUEST_WEIGHT", count: 1 }] })
    const limit = {
      symbol: "BTCUSDT",
      side: "BUY",
      type: "LIMIT",
      timeInForce: "GTC",
      quantity: "0.01",
      price: "40000",
      newClientOrderId: "ws-1",
    }
    expect(await ask(socket, "2", "order.place", signed(limit))).toMatchObject({
      status: 200,
      result: { status: "NEW", clientOrderId: "ws-1" },
    })
    expect(await ask(socket, "3", "order.status", signed({ symbol: "BTCUSDT", origClientOrderId: "ws-1" }))).toMatchObject({
      result: { status: "NEW" },
    })
    expect(await ask(socket, "4", "v3/order.cancel", signed({ symbol: "BTCUSDT", origClientOrderId: "ws-1" }))).toMatchObject({
      result: { status: "CANCELED" },
    })
    expect(await ask(socket, "5", "order.place", signed({ ...limit, price: "1" }))).toMatchObject({ status: 400, error: { code: -1013 } })
    expect(await ask(socket, "6", "time", { returnRateLimits: false })).not.toHaveProperty("rateLimits")
    socket.close()
  })
  test("what is refused: a wrong signature, an unknown method, dead listen keys, a second subscription, an unsubscription of nothing", async () => {
    const socket = await openSocket(sandbox.spotApiSocketUrl)
    expect(await ask(socket, "1", "account.status", { ...signed({}), signature: "0".repeat(64) })).toMatchObject({
      status: 400,
      error: { code: -1022 },
    })
    expect(await ask(socket, "2", "userDataStream.start", { apiKey: EXAMPLE_KEY })).toHaveProperty("error")
    expect(await ask(socket, "3", "no.such")).toHaveProperty("error")
    expect(await ask(socket, "4", "userDataStream.unsubscribe")).toMatchObject({ error: { code: -2036 } })
    const first = await ask(socket, "5", "userDataStream.subscribe.signature", signed({}))
    expect(first).toMatchObject({ status: 200, result: { subscriptionId: expect.any(Number) } })
    expect(await ask(socket, "6", "userDataStream.subscribe.signature", signed({}))).toMatchObject({ error: { code: -2035 } })
    expect(
      await ask(socket, "7", "userDataStream.unsubscribe", { subscriptionId: (first["result"] as Json)["subscriptionId"] as number }),
    ).toMatchObject({ status: 200 })
    await buy("spot")
    await ask(socket, "8", "ping")
    expect(socket.frames.filter((frame) => "event" in frame)).toEqual([])
    socket.close()
  })
  test("the events of a market order: NEW, TRADE, and the balances after each", async () => {
    const stream = await openSpotUserStream(sandbox)
    await buy("spot")
    await until(() => stream.events().length === 4, "four events")
    const [created, , trade, position] = stream.events()
    expect(created).toMatchObject({ e: "executionReport", x: "NEW", X: "NEW", c: "x-1", t: -1, w: true, g: -1, r: "NONE" })
    expect(trade).toMatchObject({
      x: "TRADE",
      X: "FILLED",
      l: "0.01000000",
      L: "50000.01000000",
      n: "0.00001000",
      N: "BTC",
      m: false,
      Z: "500.00010000",
    })
    expect(position).toMatchObject({
      e: "outboundAccountPosition",
      B: expect.arrayContaining([{ a: "BTC", f: "10.00999000", l: "0.00000000" }]),
    })
    stream.close()
  })
  test("two connections get every event each (overlap at rotation)", async () => {
    const [one, two] = [await openSpotUserStream(sandbox), await openSpotUserStream(sandbox)]
    await buy("spot")
    await until(() => one.events().length === 4 && two.events().length === 4, "both")
    expect(one.events()).toEqual(two.events())
    one.close()
    two.close()
  })
  test("the connector's sendSignatureMessage subscribes", async () => {
    const { WebsocketAPI } = createRequire(import.meta.url)("@binance/connector") as {
      WebsocketAPI: new (
        key: string,
        secret: string,
        options: object,
      ) => { sendSignatureMessage(method: string, params: object): void; disconnect(): void }
    }
    const got: Json[] = []
    let opened = false
    const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, log: () => undefined }
    const api = new WebsocketAPI(EXAMPLE_KEY, EXAMPLE_SECRET, {
      wsURL: sandbox.spotApiSocketUrl,
      logger: quiet,
      callbacks: {
        open: () => {
          opened = true
        },
        message: (text: string) => got.push(JSON.parse(text) as Json),
      },
    })
    await until(() => opened, "the connection")
    api.sendSignatureMessage("userDataStream.subscribe.signature", {})
    await until(() => got.some((frame) => frame["status"] === 200), "the subscription")
    await buy("spot")
    await until(() => got.some((frame) => (frame["event"] as Json | undefined)?.["x"] === "TRADE"), "the fill")
    api.disconnect()
  })
})

test("the connectors' stream classes: a user stream and a market stream", async () => {
  const require = createRequire(import.meta.url)
  type Streams = new (options: object) => { userDataStream(key: string): void; bookTicker(symbol: string): void; disconnect(): void }
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, log: () => undefined }
  const { UMStream } = require("@binance/futures-connector") as { UMStream: Streams }
  const { WebsocketStream } = require("@binance/connector") as { WebsocketStream: Streams }
  const got: Json[] = []
  const opened = { count: 0 }
  const callbacks = {
    open: () => {
      opened.count += 1
    },
    message: (text: string) => got.push(JSON.parse(text) as Json),
  }
  const { body } = await client(sandbox, "futures").plain("POST", "/fapi/v1/listenKey", {}, true)
  const user = new UMStream({ wsURL: sandbox.futuresStreamUrl, logger: quiet, callbacks })
  user.userDataStream(String(body["listenKey"]))
  const market = new WebsocketStream({ wsURL: sandbox.spotStreamUrl, logger: quiet, callbacks })
  market.bookTicker("BTCUSDT")
  await until(() => opened.count === 2, "both connections")
  await buy("futures")
  sandbox.setPrice("BTCUSDT", "50500", { market: "spot" })
  await until(() => got.some(isTrade) && got.some((frame) => frame["b"] === "50500.00000000"), "the fill and the book ticker")
  user.disconnect()
  market.disconnect()
})

test("a WebSocket at a path that is none is refused", async () => {
  await expect(openSocket(`${sandbox.futuresStreamUrl}/ws-api/v3`)).rejects.toThrow("404")
  await expect(openSocket(`${sandbox.spotStreamUrl}/private/ws`)).rejects.toThrow("404")
})

describe("market streams", () => {
  test("spot: raw and combined, SUBSCRIBE and UNSUBSCRIBE", async () => {
    const raw = await openSocket(`${sandbox.spotStreamUrl}/ws/btcusdt@bookTicker`)
    const combined = await openSocket(`${sandbox.spotStreamUrl}/stream?streams=btcusdt@trade/ethusdt@miniTicker`)
    sandbox.setPrice("BTCUSDT", "51000", { market: "spot" })
    expect(await raw.next((frame) => frame["s"] === "BTCUSDT", "a book ticker")).toMatchObject({ b: "51000.00000000", a: "51000.01000000" })
    expect(await combined.next((frame) => frame["stream"] === "btcusdt@trade", "a trade")).toMatchObject({
      data: { e: "trade", p: "51000.00000000" },
    })
    combined.send({ method: "UNSUBSCRIBE", params: ["btcusdt@trade"], id: 1 })
    combined.send({ method: "LIST_SUBSCRIPTIONS", id: 2 })
    expect(await combined.next((frame) => frame["id"] === 2, "the list")).toEqual({ result: ["ethusdt@miniTicker"], id: 2 })
    raw.close()
    combined.close()
  })
  test("futures: mark price, book ticker, aggregate trades", async () => {
    const socket = await openSocket(
      `${sandbox.futuresStreamUrl}/public/stream?streams=btcusdt@markPrice@1s/btcusdt@bookTicker/btcusdt@aggTrade`,
    )
    sandbox.setPrice("BTCUSDT", "51000", { market: "futures", mark: "50990" })
    for (const [event, fields] of [
      ["markPriceUpdate", { p: "50990.00" }],
      ["bookTicker", { b: "51000.00" }],
      ["aggTrade", { p: "51000.00" }],
    ] as const)
      expect(
        await socket.next((frame) => {
          const data = frame["data"] as Json
          return data["e"] === event && Object.entries(fields).every(([name, value]) => data[name] === value)
        }, event),
      ).toBeDefined()
    socket.close()
  })
})

test("the server pings; who does not answer is cut; a connection lives for so long and no longer", async () => {
  const clock = new ManualClock(1_700_000_000_000)
  await withSandbox({ clock, heartbeats: { futures: { lifeMs: 400_000 } } }, async (held) => {
    const spot = await openSocket(held.spotApiSocketUrl)
    const futures = await openSocket(`${held.futuresStreamUrl}/ws`)
    for (let beat = 1; beat <= 3; beat += 1) {
      clock.advance(20_000)
      await until(() => spot.pings === beat, "a ping")
    }
    await client(held, "spot").plain("GET", "/api/v3/ping")
    expect(spot.closed).toBeUndefined()
    // Held still: five minutes pass for the server, and no pong can come in between.
    clock.advance(300_000)
    await until(() => spot.closed !== undefined, "the cut of the silent one")
    clock.advance(300_000)
    await until(() => futures.closed !== undefined, "the end of its life")
  })
})
