/**
 * Market data for real: Binance's public streams (of the local Binance, over real HTTP and WebSocket), the socket client's
 * subject on a real NATS server, and the engine as a process that simulates on either.
 */
import { createServer } from "node:http"
import { afterEach, describe, expect, test } from "vitest"
import type { Sandbox, SandboxOptions } from "@petrosa/binance-sandbox"
import { startSandbox } from "@petrosa/binance-sandbox"
import type { EventData, Market } from "@petrosa/contracts"
import type { BinanceMarketDataOptions } from "@petrosa/venue"
import { BinanceMarketData } from "@petrosa/venue"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { until } from "../support/until.ts"
import type { World as WorldType } from "../support/world.ts"
import { World } from "../support/world.ts"

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const BTC = "BTCUSDT"
const sandboxOf = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const sandbox = await startSandbox({ prices: { BTCUSDT: "50000", ETHUSDT: "2500" }, ...options })
  closers.push(() => sandbox.close())
  return sandbox
}
const feedOf = (sandbox: Sandbox, more: Partial<BinanceMarketDataOptions> = {}) => {
  const troubles: string[] = []
  const feed = new BinanceMarketData({
    hosts: {
      spot: { rest: sandbox.spotUrl, stream: sandbox.spotStreamUrl },
      futures: { rest: sandbox.futuresUrl, stream: sandbox.futuresStreamUrl },
    },
    maxAgeMs: 10_000,
    maxSymbols: 10,
    knows: (symbol) => symbol === BTC || symbol === "ETHUSDT",
    onTrouble: (code, message) => troubles.push(`${code} ${message}`),
    ...more,
  })
  closers.push(() => feed.close())
  const priceIs = (price: string, market: Market = "futures", symbol = BTC) =>
    until(
      () => {
        const read = feed.read(symbol, market)
        return read._tag === "Fresh" && read.price.price === price ? read : undefined
      },
      { what: `${symbol} to be ${price}`, seen: () => ({ read: feed.read(symbol, market), troubles, counts: feed.counts() }) },
    )
  return { feed, troubles, priceIs }
}
/** Streams are subscribed, not only connected: a move is heard, and REST (asked every 2.5 s at most) has not told of it. */
const streaming = async (sandbox: Sandbox, priceIs: (price: string, market?: Market) => Promise<unknown>, market: Market) => {
  await until(() => sandbox.connections(market) >= (market === "spot" ? 1 : 2), { what: "the connections" })
  await priceIs(market === "spot" ? "50000.005" : "50000.05", market)
}

describe("the public streams", () => {
  test.each(["spot", "futures"] as const)(
    "given %s, then the first price comes before any change, and changes follow at once",
    async (market) => {
      const sandbox = await sandboxOf()
      const { feed, priceIs } = feedOf(sandbox)
      expect(feed.read(BTC, market)).toMatchObject({ _tag: "Refused", reason: { code: "PRICE_UNKNOWN" } })
      await feed.prepare(BTC, market)
      expect(feed.read(BTC, market)._tag).toBe("Fresh")
      await streaming(sandbox, priceIs, market)
      const times: number[] = []
      for (let n = 1; n <= 20; n++) {
        const startMs = performance.now()
        sandbox.setPrice(BTC, String(50_000 + n), { market })
        await priceIs(market === "spot" ? `${50_000 + n}.005` : `${50_000 + n}.05`, market)
        times.push(performance.now() - startMs)
      }
      const read = await priceIs(market === "spot" ? "50020.005" : "50020.05", market)
      expect(read.quote).toMatchObject({
        market,
        feed: "binance",
        bid: { price: "50020" },
        ask: { price: market === "spot" ? "50020.01" : "50020.1" },
      })
      expect(read.price).toMatchObject({ source: "book", feed: "binance" })
      expect(read.quote.last?.price).toBe("50020")
      if (market === "futures") expect(read.mark).toMatchObject({ price: "50020", source: "mark" })
      else expect(read.mark).toBeUndefined()
      // REST is asked for prices that are half the limit old, 5 s: what was heard sooner came by the streams.
      expect(times.sort((a, b) => a - b)[10]).toBeLessThan(2_000)
    },
  )

  test("given a symbol that does not move, then asking keeps its price fresh; when nothing answers any more, then it is refused with its age", async () => {
    const sandbox = await startSandbox({ prices: { BTCUSDT: "50000" } })
    const { feed } = feedOf(sandbox, { maxAgeMs: 1_500 })
    await feed.prepare(BTC, "spot")
    const startMs = Date.now()
    let reads = 0
    while (Date.now() - startMs < 4_000) {
      expect(feed.read(BTC, "spot")).toMatchObject({ _tag: "Fresh", price: { price: "50000.005" } })
      reads += 1
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(reads).toBeGreaterThan(10)
    await sandbox.close()
    const refused = await until(() => {
      const read = feed.read(BTC, "spot")
      return read._tag === "Refused" ? read : undefined
    })
    expect(refused.reason).toMatchObject({ code: "PRICE_STALE", limit: "MAX_PRICE_AGE_MS 1500" })
    expect(Number.parseInt(refused.reason.observed ?? "", 10)).toBeGreaterThan(1_500)
    expect(["50000", "50000.005"]).toContain(refused.stale?.price)
  })

  test("given cut connections, then they are made again and prices go on", async () => {
    const sandbox = await sandboxOf()
    const { feed, priceIs, troubles } = feedOf(sandbox)
    await feed.prepare(BTC, "futures")
    await streaming(sandbox, priceIs, "futures")
    sandbox.disturb("futures", "cut")
    await until(() => feed.counts().lost >= 2, { what: "the loss to be noticed" })
    await until(() => sandbox.connections("futures") >= 2, { what: "new connections" })
    sandbox.setPrice(BTC, "51000", { market: "futures" })
    await priceIs("51000.05")
    expect(troubles.filter((line) => line.startsWith("MARKET_DATA_LOST"))).not.toHaveLength(0)
  })

  test("given connections that are renewed all the time, then there is an overlap, and no loss", async () => {
    const sandbox = await sandboxOf()
    const { feed, priceIs } = feedOf(sandbox, { rotateAfterMs: 150 })
    await feed.prepare(BTC, "spot")
    await streaming(sandbox, priceIs, "spot")
    const startMs = Date.now()
    for (let n = 1; Date.now() - startMs < 1_200; n++) {
      sandbox.setPrice(BTC, String(50_000 + n), { market: "spot" })
      await priceIs(`${50_000 + n}.005`, "spot")
    }
    expect(feed.counts().lost).toBe(0)
    expect(sandbox.connections("spot")).toBeLessThanOrEqual(2)
  })

  test("given streams that fall silent with their sockets open, then REST tells the price, and the streams are made anew", async () => {
    const sandbox = await sandboxOf()
    const { feed, priceIs, troubles } = feedOf(sandbox, { maxAgeMs: 500 })
    await feed.prepare(BTC, "spot")
    await streaming(sandbox, priceIs, "spot")
    sandbox.disturb("spot", "silence")
    for (let n = 1; n <= 3; n++) {
      sandbox.setPrice(BTC, String(50_000 + n), { market: "spot" })
      await priceIs(`${50_000 + n}.005`, "spot")
    }
    await until(() => troubles.some((line) => line.includes("the stream does not tell")), {
      what: "the silence to be noticed",
      seen: () => troubles,
    })
    await until(() => sandbox.connections("spot") >= 1)
    await priceIs("50003.005", "spot")
  })

  test("given symbols that are not traded here, or more than there is room for, then they are not followed", async () => {
    const sandbox = await sandboxOf()
    const { feed, troubles } = feedOf(sandbox, { maxSymbols: 1 })
    expect(feed.want("FOOUSDT", "spot")).toBe(false)
    expect(feed.want("../x", "spot")).toBe(false)
    expect(feed.prepare("FOOUSDT", "spot")).toBeUndefined()
    expect(feed.want(BTC, "spot")).toBe(true)
    expect(feed.want("ETHUSDT", "spot")).toBe(false)
    expect(feed.prepare("ETHUSDT", "spot")).toBeUndefined()
    expect(troubles[0]).toContain("MARKET_DATA_FULL")
  })

  test("given any host, then what is asked of it carries no key and no signature", async () => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
      response.writeHead(200, { "content-type": "application/json" }).end("[]")
    })
    server.on("upgrade", (request, socket) => {
      seen.push(`UPGRADE ${request.url} ${JSON.stringify(request.headers)}`)
      socket.destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    closers.push(() => server.close())
    const address = server.address()
    if (address === null || typeof address === "string") throw new Error("no port")
    const hosts = { rest: `http://127.0.0.1:${address.port}`, stream: `ws://127.0.0.1:${address.port}` }
    const feed = new BinanceMarketData({ hosts: { spot: hosts, futures: hosts }, maxAgeMs: 400, maxSymbols: 10, knows: () => true })
    closers.push(() => feed.close())
    for (const market of ["spot", "futures"] as const) feed.want(BTC, market)
    await until(() => seen.filter((line) => line.startsWith("UPGRADE")).length >= 3 && seen.length >= 6, {
      what: "requests",
      seen: () => seen,
    })
    for (const line of seen) expect(line.toLowerCase()).not.toMatch(/apikey|signature|listenkey|timestamp=/)
    expect(seen.some((line) => line.startsWith("GET /fapi/v1/premiumIndex?symbol=BTCUSDT"))).toBe(true)
  })
})

/** Each waits in a world of its own until a price of the feed is there. */
const priceAt = async (world: WorldType, price: number, market: Market = "futures") =>
  until(
    async () => {
      const reply = await world.get(`/price/BTCUSDT?market=${market}`)
      return reply.status === 200 && reply.json.price === price ? reply.json : undefined
    },
    { what: `a price of ${price}`, seen: async () => (await world.get(`/price/BTCUSDT?market=${market}`)).text },
  )

const dataOf = async <K extends keyof EventData>(world: WorldType, id: string, type: K): Promise<EventData[K]> => {
  const found = (await world.trail(id)).find((event) => event.type === type)
  if (found === undefined) throw new Error(`${id} has no ${type}`)
  return found.data as EventData[K]
}

describe("simulation on live prices", () => {
  const worldOn = async (sandbox: Sandbox, env: Readonly<Record<string, string>> = {}): Promise<WorldType> => {
    const world = await World.create({
      env: {
        MARKET_DATA: "binance",
        BINANCE_SPOT_URL: sandbox.spotUrl,
        BINANCE_SPOT_WS_URL: sandbox.spotStreamUrl,
        BINANCE_FUTURES_URL: sandbox.futuresUrl,
        BINANCE_FUTURES_WS_URL: sandbox.futuresStreamUrl,
        ...env,
      },
    })
    closers.push(() => world.close())
    await world.start()
    return world
  }

  test("given a moving market, then a limit order rests until the price comes to it, is protected, and its target is hit; the events name price, source and age", async () => {
    const sandbox = await sandboxOf()
    const world = await worldOn(sandbox)
    const body = signal({ order_type: "limit", price: 49_000, current_price: 49_500, stop_loss: 48_000, take_profit: 51_000 })
    world.publish(body)
    await world.when(body.signal_id, (row) => row.type === "EntryAccepted")
    const { livePrice } = await dataOf(world, body.signal_id, "SignalValidated")
    expect(livePrice).toMatchObject({ price: "50000.05", source: "book", feed: "binance" })
    expect(livePrice?.ageMs).toBeLessThanOrEqual(10_000)
    const told = await priceAt(world, 50_000.05)
    expect(told).toMatchObject({
      symbol: BTC,
      market: "futures",
      feed: "binance",
      source: "book",
      stale: false,
      bid: 50_000,
      ask: 50_000.1,
      mark_price: 50_000,
    })
    expect(told.age_ms).toBeLessThanOrEqual(10_000)

    sandbox.setPrice(BTC, "49500", { market: "futures" })
    expect(await priceAt(world, 49_500.05)).toMatchObject({ mark_price: 49_500, last_price: 49_500 })
    expect((await world.row(body.signal_id))?.type).toBe("EntryAccepted")
    sandbox.setPrice(BTC, "48990", { market: "futures" })
    await world.when(body.signal_id, (row) => row.state === "filled")
    expect((await world.row(body.signal_id))?.fill_price).toBe(49_000)
    sandbox.setPrice(BTC, "51010", { market: "futures" })
    const row = await world.done(body.signal_id)
    expect(Number(row.profit)).toBeGreaterThan(0)
    // Nothing of it has touched the exchange: public data only.
    expect(sandbox.ledger().orders).toEqual([])
    expect(sandbox.ledger().algoOrders).toEqual([])
    await checkWorld(world)
  })

  test("given a signal with another symbol's price, then it is declined for the distance; a market order fills at the feed's price, not at the signal's", async () => {
    const sandbox = await sandboxOf()
    const world = await worldOn(sandbox)
    const far = signal({ price: 2500, current_price: 2500 })
    world.publish(far)
    expect(await world.settled(far.signal_id)).toMatchObject({ state: "failed", reason: "PRICE_DEVIATION" })
    const near = signal({ price: 49_900, current_price: 49_900, market: "spot", stop_loss: 48_000, take_profit: 53_000 })
    world.publish(near)
    const row = await world.when(near.signal_id, (one) => one.state === "filled")
    expect(row.fill_price).toBe(50_000.005)
  })

  test("given a feed that is lost, then entries are declined with the age and the limit, a stale price is shown as such, and a close still passes; when it is back, entries pass again", async () => {
    const sandbox = await startSandbox({ prices: { BTCUSDT: "50000" } })
    const [spotPort, futuresPort] = [sandbox.spotUrl, sandbox.futuresUrl].map((url) => Number(new URL(url).port)) as [number, number]
    const world = await worldOn(sandbox, { MAX_PRICE_AGE_MS: "2500" })
    const first = signal({ stop_loss: 48_000, take_profit: 53_000 })
    world.publish(first)
    await world.when(first.signal_id, (row) => row.state === "filled")
    await sandbox.close()
    await until(async () => (await world.get("/price/BTCUSDT?market=futures")).json?.stale === true, { what: "the price to be stale" })
    const late = signal()
    world.publish(late)
    await world.settled(late.signal_id)
    const { reason } = await dataOf(world, late.signal_id, "OrderFailed")
    expect(reason).toMatchObject({ code: "PRICE_STALE", class: "declined", limit: "MAX_PRICE_AGE_MS 2500" })
    expect(reason.observed).toMatch(/^\d{4,} ms old \((book|mark|trade)\)$/)
    const close = signal({ action: "close", strategy_id: first.strategy_id })
    world.publish(close)
    await world.done(first.signal_id)
    const again = await startSandbox({ prices: { BTCUSDT: "50500" }, spotPort, futuresPort })
    closers.push(() => again.close())
    await priceAt(world, 50_500.05)
    const after = signal({ price: 50_500, current_price: 50_500, stop_loss: 48_000, take_profit: 53_000 })
    world.publish(after)
    expect((await world.when(after.signal_id, (row) => row.state === "filled")).fill_price).toBe(50_500.05)
  })
})

describe("simulation on the socket client's prices", () => {
  const envelope = (price: string): string =>
    JSON.stringify({
      stream: "btcusdt@trade",
      data: { e: "trade", E: Date.now(), s: BTC, t: 1, p: price, q: "0.1", T: Date.now(), m: false, M: true },
      timestamp: new Date().toISOString(),
      message_id: "1",
      source: "binance-websocket",
      version: "1.0",
    })

  test("given a plain client on binance.websocket.data, then the paper venue's market follows it; what is no message of it is counted; silence makes prices stale", async () => {
    const world = await World.create({ env: { MARKET_DATA: "nats", MAX_PRICE_AGE_MS: "3000" } })
    closers.push(() => world.close())
    await world.start()
    const early = signal()
    world.publish(early)
    expect(await world.settled(early.signal_id)).toMatchObject({ state: "failed", reason: "PRICE_UNKNOWN" })

    let price = "50000.5"
    const timer = setInterval(() => world.publish(envelope(price), "binance.websocket.data"), 50)
    closers.push(() => clearInterval(timer))
    world.publish("not JSON", "binance.websocket.data")
    world.publish(new Uint8Array([0xff, 0x00]), "binance.websocket.data")
    expect(await priceAt(world, 50_000.5)).toMatchObject({ feed: "nats", source: "trade", last_price: 50_000.5, stale: false })

    const body = signal({
      order_type: "limit",
      price: 49_000,
      current_price: 49_500,
      stop_loss: 48_000,
      take_profit: 52_000,
      quantity: 0.02,
    })
    world.publish(body)
    await world.when(body.signal_id, (row) => row.type === "EntryAccepted")
    price = "48999"
    await world.when(body.signal_id, (row) => row.state === "filled")
    price = "47900"
    const row = await world.done(body.signal_id)
    expect(Number(row.profit)).toBeLessThan(0)
    expect((await world.get("/metrics")).text).toContain('petrosa_market_data{what="not_understood"} 2')

    clearInterval(timer)
    await until(async () => (await world.get("/price/BTCUSDT?market=futures")).json?.stale === true, { what: "the price to be stale" })
    const late = signal({ price: 47_900, current_price: 47_900, stop_loss: 46_000, take_profit: 51_000 })
    world.publish(late)
    expect(await world.settled(late.signal_id)).toMatchObject({ state: "failed", reason: "PRICE_STALE" })
    await checkWorld(world)
  })
})
