/** What lies around the markets: public data, price feeds, the admin endpoint, the process. */
import { spawn } from "node:child_process"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ManualClock, readRecording, startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { client, futuresConnector, openFuturesUserStream, read, spotConnector, until, withSandbox } from "./support.ts"
import type { Json, Reply } from "./support.ts"

let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(() => sandbox.close())
const admin = async (method: string, path: string, body?: unknown, base = sandbox.adminUrl): Promise<Reply> =>
  read(await fetch(`${base}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }))
const LIMIT = { symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "1", price: "49000", newClientOrderId: "x" }

describe("public data", () => {
  test("spot through the connector: exchangeInfo of real symbols, prices, book, averages", async () => {
    const spot = spotConnector(sandbox)
    const info = (await spot["exchangeInfo"]!({ symbol: "BTCUSDT" })).data
    const [row] = info["symbols"] as readonly Json[]
    expect(row).toMatchObject({
      symbol: "BTCUSDT",
      status: "TRADING",
      ocoAllowed: true,
      orderTypes: expect.arrayContaining(["STOP_LOSS", "LIMIT_MAKER"]),
    })
    expect((info["rateLimits"] as readonly Json[])[0]).toEqual({
      rateLimitType: "REQUEST_WEIGHT",
      interval: "MINUTE",
      intervalNum: 1,
      limit: 6000,
    })
    expect((await spot["tickerPrice"]!("BTCUSDT")).data).toEqual({ symbol: "BTCUSDT", price: "50000.00000000" })
    expect((await spot["bookTicker"]!("BTCUSDT")).data).toMatchObject({ bidPrice: "50000.00000000", askPrice: "50000.01000000" })
    expect((await spot["avgPrice"]!("BTCUSDT")).data).toMatchObject({ mins: 5, price: "50000.00000000" })
    await client(sandbox, "spot").call("POST", "/api/v3/order", { ...LIMIT, price: "50000" })
    const depth = (await spot["depth"]!("BTCUSDT", { limit: 2 })).data
    expect([depth["bids"], (depth["asks"] as readonly unknown[]).length]).toEqual([
      [
        ["50000.00000000", "21.00000000"],
        ["49999.99000000", "20.00000000"],
      ],
      2,
    ])
  })
  test("futures through the connector: all symbols whatever is asked, precisions, mark price, book ticker", async () => {
    const futures = futuresConnector(sandbox)
    const rows = (await futures["getExchangeInfo"]!()).data["symbols"] as readonly Json[]
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.find((row) => row["symbol"] === "BTCUSDT")).toMatchObject({
      contractType: "PERPETUAL",
      pricePrecision: 2,
      quantityPrecision: 3,
      marketTakeBound: "0.05",
    })
    sandbox.setPrice("BTCUSDT", "50100", { market: "futures", mark: "50090" })
    expect((await futures["getPremiumIndex"]!("BTCUSDT")).data).toMatchObject({ markPrice: "50090.00000000" })
    expect((await client(sandbox, "futures").plain("GET", "/fapi/v1/ticker/bookTicker", { symbol: "BTCUSDT" })).body).toMatchObject({
      bidPrice: "50100.00",
      askPrice: "50100.10",
    })
    expect((await client(sandbox, "futures").plain("GET", "/fapi/v2/ticker/price", { symbol: "BTCUSDT" })).body).toMatchObject({
      price: "50100.00",
    })
  })
  test("candles and trades of what was printed", async () => {
    const clock = new ManualClock(1_700_000_040_000)
    await withSandbox({ clock }, async (held) => {
      for (const price of ["50500", "49800", "50200"]) {
        clock.advance(10_000)
        held.setPrice("BTCUSDT", price)
      }
      const candle = (
        (await (await fetch(`${held.spotUrl}/api/v3/klines?symbol=BTCUSDT&interval=1m`)).json()) as readonly (readonly unknown[])[]
      ).at(-1)
      expect(candle?.slice(0, 5)).toEqual([1_700_000_040_000, "50000.00000000", "50500.00000000", "49800.00000000", "50200.00000000"])
      expect(
        (await client(held, "spot").plain("GET", "/api/v3/trades", { symbol: "BTCUSDT", limit: 2 })).list.map((one) => one["price"]),
      ).toEqual(["49800.00000000", "50200.00000000"])
    })
  })
})

describe("feeds", () => {
  const walk = async (seed: number): Promise<readonly unknown[]> => {
    const clock = new ManualClock(1_700_000_000_000)
    const prices: unknown[] = []
    await withSandbox({ clock, feed: { kind: "walk", seed, everyMs: 1000, volatilityBps: 20, symbols: ["BTCUSDT"] } }, async (held) => {
      for (let second = 0; second < 5; second += 1) {
        clock.advance(1000)
        prices.push((await client(held, "spot").plain("GET", "/api/v3/ticker/price", { symbol: "BTCUSDT" })).body["price"])
      }
    })
    return prices
  }
  test("a random walk: on the tick, and the same for the same seed", async () => {
    const [first, again, other] = [await walk(7), await walk(7), await walk(8)]
    expect(first).toEqual(again)
    expect(first).not.toEqual(other)
    expect(new Set(first).size).toBeGreaterThan(2)
    for (const price of first) expect(String(price)).toMatch(/^\d+\.\d{2}000000$/)
  })
  test("a recording is played in its time", async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const ticks = readRecording(
      '{"afterMs":1000,"symbol":"BTCUSDT","price":"51000"}\n{"afterMs":3000,"symbol":"BTCUSDT","price":"52000","market":"spot"}\n',
    )
    await withSandbox({ clock, feed: { kind: "recorded", ticks, speed: 2, repeat: false } }, async (held) => {
      const price = async (market: "spot" | "futures") =>
        (
          await client(held, market).plain("GET", market === "spot" ? "/api/v3/ticker/price" : "/fapi/v1/ticker/price", {
            symbol: "BTCUSDT",
          })
        ).body["price"]
      clock.advance(500)
      expect([await price("spot"), await price("futures")]).toEqual(["51000.00000000", "51000.00"])
      clock.advance(1000)
      expect([await price("spot"), await price("futures")]).toEqual(["52000.00000000", "51000.00"])
    })
    expect(() => readRecording("no json")).toThrow("line 1 of the recording is no tick")
  })
})

describe("the admin endpoint", () => {
  test("price, liquidity, fill, ledger", async () => {
    await client(sandbox, "spot").call("POST", "/api/v3/order", LIMIT)
    expect((await admin("POST", "/fill", { market: "spot", clientId: "x", quantity: "0.4" })).status).toBe(200)
    expect((await admin("GET", "/ledger")).body).toMatchObject({
      orders: [{ clientId: "x", status: "PARTIALLY_FILLED", executed: "0.4" }],
      trades: [{ clientId: "x", quantity: "0.4", price: "49000" }],
    })
    expect((await admin("POST", "/liquidity", { market: "spot", symbol: "BTCUSDT", levels: 1, quantity: "0.1" })).status).toBe(200)
    expect((await admin("POST", "/price", { symbol: "BTCUSDT", price: "48000" })).status).toBe(200)
    expect((await admin("GET", "/ledger?account=main")).body["orders"]).toMatchObject([{ executed: "0.5" }])
    expect((await admin("POST", "/price", { symbol: "NOSUCH", price: "1" })).body.code).toBe(-1121)
    expect((await admin("POST", "/price", { symbol: "BTCUSDT", price: "much" })).body.code).toBe(-1130)
  })
  test("faults, clock, accounts, symbols, fees, limits, streams, reset", async () => {
    const { ids } = (await admin("POST", "/faults", [{ kind: "refuse", code: -1001, msg: "no", count: 1 }, { kind: "dropEvent" }]))
      .body as { ids: readonly number[] }
    expect((await client(sandbox, "spot").call("GET", "/api/v3/account")).body.code).toBe(-1001)
    expect((await admin("GET", "/faults")).list).toMatchObject([
      { id: ids[0], struck: 1 },
      { id: ids[1], struck: 0 },
    ])
    await admin("DELETE", `/faults?id=${ids[1]}`)
    expect((await admin("GET", "/faults")).list).toHaveLength(1)
    await admin("DELETE", "/faults")
    expect((await admin("POST", "/faults", { kind: "explode" })).body.code).toBe(-1130)

    await admin("POST", "/clock", { skewMs: -5000 })
    expect((await admin("GET", "")).body).toMatchObject({ skewMs: -5000 })
    await admin("POST", "/clock", { skewMs: 0 })

    const other = { name: "other", apiKey: "o".repeat(64), apiSecret: "s", spot: { USDT: "77" } }
    expect((await admin("POST", "/accounts", other)).list).toHaveLength(2)
    const account = await client(sandbox, "spot").call(
      "GET",
      "/api/v3/account",
      { omitZeroBalances: "true" },
      { key: other.apiKey, secret: "s" },
    )
    expect(account.body["balances"]).toEqual([{ asset: "USDT", free: "77.00000000", locked: "0.00000000" }])

    await admin("POST", "/symbols", { market: "spot", symbol: "BTCUSDT", change: { status: "HALT" } })
    expect((await client(sandbox, "spot").call("POST", "/api/v3/order", LIMIT)).body.msg).toBe("Market is closed.")
    await admin("POST", "/fees", { spot: { taker: "0.01" }, commission: "quote" })
    expect((await client(sandbox, "spot").call("GET", "/api/v3/account")).body).toMatchObject({ takerCommission: 100, makerCommission: 10 })
    await admin("POST", "/limits", {
      market: "spot",
      limits: [{ rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 1 }],
      reset: true,
    })
    expect((await client(sandbox, "spot").call("GET", "/api/v3/account")).status).toBe(429)

    const stream = await openFuturesUserStream(sandbox)
    await admin("POST", "/streams", { market: "futures", action: "cut" })
    await until(() => stream.closed === 1006, "the cut")
    expect((await admin("POST", "/streams", { market: "futures", action: "dance" })).body.code).toBe(-1130)

    await client(sandbox, "futures").call("POST", "/fapi/v1/order", { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "1" })
    await admin("POST", "/liquidate", { account: "main", symbol: "BTCUSDT", adl: true })
    expect((await admin("GET", "/ledger")).body).toMatchObject({
      positions: [],
      orders: [{ side: "BUY" }, { clientId: "adl_autoclose", side: "SELL" }],
    })

    await admin("POST", "/reset")
    expect((await admin("GET", "/ledger")).body).toMatchObject({ orders: [], trades: [] })
    expect((await client(sandbox, "spot").call("POST", "/api/v3/order", LIMIT)).status).toBe(200)
    expect((await admin("GET", "/nothing")).status).toBe(404)
  })
  test("executions can be made to take their time: a market order is NEW first", async () => {
    await admin("POST", "/execution", { delayMs: 100 })
    const futures = client(sandbox, "futures")
    await futures.call("POST", "/fapi/v1/order", { symbol: "BTCUSDT", side: "BUY", type: "MARKET", quantity: "1", newClientOrderId: "x" })
    expect((await futures.call("GET", "/fapi/v1/order", { symbol: "BTCUSDT", origClientOrderId: "x" })).body["status"]).toBe("NEW")
    await until(() => sandbox.ledger().trades.length === 1, "the fill")
  })
})

test("several accounts trade with each other before they trade with the outside", async () => {
  const second = { name: "second", apiKey: "b".repeat(64), apiSecret: "s", spot: { BTC: "5" } }
  const { DEFAULT_ACCOUNT } = await import("../src/index.ts")
  await withSandbox({ accounts: [DEFAULT_ACCOUNT, second] }, async (both) => {
    const spot = client(both, "spot")
    await spot.call("POST", "/api/v3/order", { ...LIMIT, price: "50000.00" })
    const sell = { symbol: "BTCUSDT", side: "SELL", type: "MARKET", quantity: "0.5" }
    await spot.call("POST", "/api/v3/order", sell, { key: second.apiKey, secret: "s" })
    expect((await spot.call("GET", "/api/v3/order", { symbol: "BTCUSDT", origClientOrderId: "x" })).body).toMatchObject({
      status: "PARTIALLY_FILLED",
      executedQty: "0.50000000",
    })
    expect(both.ledger().trades.map((trade) => [trade.account, trade.side, trade.maker])).toEqual([
      ["second", "SELL", false],
      ["main", "BUY", true],
    ])
  })
})

describe("the process", () => {
  const main = join(import.meta.dirname, "..", "src", "main.ts")
  const start = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    const seen = { out: "", err: "", code: undefined as number | null | undefined }
    child.stdout.on("data", (part: Buffer) => {
      seen.out += part.toString()
    })
    child.stderr.on("data", (part: Buffer) => {
      seen.err += part.toString()
    })
    child.on("exit", (code) => {
      seen.code = code
    })
    return { child, seen }
  }
  test("starts, serves with a script of faults, stops at SIGTERM", async () => {
    const script = join(mkdtempSync(join(tmpdir(), "sandbox-")), "faults.json")
    writeFileSync(script, JSON.stringify([{ kind: "refuse", code: -1000, msg: "scripted", count: 1 }]))
    const { child, seen } = start("--port", "0", "--feed", "manual", "--faults", script)
    try {
      const url = await until(() => /BINANCE_SPOT_URL=(\S+)/.exec(seen.out)?.[1], "the address", 15_000)
      expect((await read(await fetch(`${url}/api/v3/time`))).body).toEqual({ code: -1000, msg: "scripted" })
      expect((await read(await fetch(`${url}/api/v3/time`))).status).toBe(200)
    } finally {
      child.kill("SIGTERM")
    }
    expect(await until(() => seen.code !== undefined && `code ${seen.code}`, "the end", 10_000)).toBe("code 0")
  })
  test("wrong arguments: exit code 2, with the help", async () => {
    const { seen } = start("--port", "many")
    expect(await until(() => seen.code !== undefined && `code ${seen.code}`, "the end", 15_000)).toBe("code 2")
    expect(seen.err).toContain("--port is no number: many")
  })
})
