/** Signatures, keys, time: what is refused before an order is even looked at. */
import { createHmac, generateKeyPairSync, sign as signWith } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { DEFAULT_ACCOUNT, EXAMPLE_KEY, EXAMPLE_SECRET, ManualClock, sign, startSandbox } from "../src/index.ts"
import type { Sandbox } from "../src/index.ts"
import { checkRestSignature, lateness, readTiming, socketPayload } from "../src/wire/auth.ts"
import { openAccount } from "../src/core/accounts.ts"
import { client, read, withSandbox } from "./support.ts"

const account = openAccount(DEFAULT_ACCOUNT)

describe("the vectors of Binance's documentation", () => {
  const QUERY = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
  const SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"

  test("given the example request, when it is signed, then the signature is the documented one", () => {
    expect(sign(EXAMPLE_SECRET, QUERY)).toBe(SIGNATURE)
  })
  test.each([
    ["in the query", `${QUERY}&signature=${SIGNATURE}`, ""],
    ["in the body", "", `${QUERY}&signature=${SIGNATURE}`],
    ["in upper case", `${QUERY}&signature=${SIGNATURE.toUpperCase()}`, ""],
    [
      "half in the query, half in the body (the documented mixed example)",
      "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
      "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature=0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
    ],
  ])("given it %s, when it is checked, then it passes", (_name, query, body) => {
    expect(() => checkRestSignature(account, query, body, true)).not.toThrow()
  })
  test.each([
    ["another price", `${QUERY.replace("price=0.1", "price=0.2")}&signature=${SIGNATURE}`],
    [
      "another order of parameters",
      `side=BUY&symbol=LTCBTC&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature=${SIGNATURE}`,
    ],
    ["a parameter after the signature", `${QUERY}&signature=${SIGNATURE}&x=1`],
  ])("given %s, when it is checked, then -1022", (_name, query) => {
    expect(() => checkRestSignature(account, query, "", true)).toThrow("Signature for this request is not valid.")
  })
  test("given the WebSocket API example, when its payload is built, then names are sorted and values are not encoded", () => {
    const params = new Map(Object.entries({ timestamp: "1", symbol: "BTCUSDT", apiKey: "k", listClientOrderId: "a b", signature: "gone" }))
    expect(socketPayload(params)).toBe("apiKey=k&listClientOrderId=a b&symbol=BTCUSDT&timestamp=1")
  })
})

describe("timing", () => {
  test.each([
    [1_000_000, 5000, 1_005_000, "fine"],
    [1_000_000, 5000, 1_005_001, "outside"],
    [1_000_999, 5000, 1_000_000, "fine"],
    [1_001_000, 5000, 1_000_000, "ahead"],
  ] as const)("given timestamp %i and window %i, at %i: %s", (timestampMs, receiveWindowMs, serverMs, found) => {
    expect(lateness({ timestampMs, receiveWindowMs }, serverMs)).toBe(found)
  })
  test("given microseconds, then they are read as such; three places are allowed on spot only", () => {
    expect(readTiming("1499827319559123", undefined, "spot").timestampMs).toBe(1_499_827_319_559.123)
    expect(readTiming("1499827319559", "5000.125", "spot").receiveWindowMs).toBe(5000.125)
    expect(() => readTiming("1499827319559", "5000.125", "futures")).toThrow("Illegal characters")
    expect(() => readTiming("1499827319559", "60001", "spot")).toThrow("recvWindow must be less than 60000.")
  })
})

describe("over HTTP", () => {
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await startSandbox()
  })
  afterEach(() => sandbox.close())
  const send = async (market: "spot" | "futures", query: string, headers: Record<string, string> = { "X-MBX-APIKEY": EXAMPLE_KEY }) =>
    read(
      await fetch(
        `${market === "spot" ? sandbox.spotUrl : sandbox.futuresUrl}${market === "spot" ? "/api/v3/account" : "/fapi/v3/account"}?${query}`,
        { headers },
      ),
    )
  const signed = (query: string): string => `${query}&signature=${sign(EXAMPLE_SECRET, query)}`

  test.each(["spot", "futures"] as const)("%s: every way to be nobody", async (market) => {
    const now = sandbox.world.exchange.nowMs()
    const query = `timestamp=${now}`
    const table: readonly (readonly [string, Promise<{ status: number; body: { code?: number } }>, number, number])[] = [
      ["no key", send(market, signed(query), {}), 401, -2014],
      ["a key of another form", send(market, signed(query), { "X-MBX-APIKEY": "short" }), 401, -2014],
      ["an unknown key", send(market, signed(query), { "X-MBX-APIKEY": "a".repeat(64) }), 401, -2015],
      ["no signature", send(market, query), 400, -1102],
      ["a wrong signature", send(market, `${query}&signature=${"0".repeat(64)}`), 400, -1022],
      ["no timestamp", send(market, signed("recvWindow=5000")), 400, -1102],
      ["a late timestamp", send(market, signed(`timestamp=${now - 6000}`)), 400, -1021],
      ["an early timestamp", send(market, signed(`timestamp=${now + 60_000}`)), 400, -1021],
      ["a window too wide", send(market, signed(`recvWindow=60001&timestamp=${now}`)), 400, -1131],
      ["a parameter twice", send(market, signed(`a=1&a=2&timestamp=${now}`)), 400, -1101],
      ["a parameter that nobody reads", send(market, signed(`sneaky=1&timestamp=${now}`)), 400, -1104],
      [
        "raw characters that an encoder would have encoded",
        send(market, signed(`symbols=[BTCUSDT]&timestamp=${now}`)),
        400,
        market === "spot" ? -1022 : -1104,
      ],
    ]
    for (const [name, answer, status, code] of table)
      expect([name, (await answer).status, (await answer).body.code]).toEqual([name, status, code])
  })

  test("the second check of the timestamp, before the matching engine: -1021 on spot, -5028 on futures", async () => {
    sandbox.addFaults({ kind: "slow", beforeMs: 150, match: { op: "order.place" } })
    const spot = await client(sandbox, "spot").call("POST", "/api/v3/order", {
      symbol: "BTCUSDT",
      side: "BUY",
      type: "MARKET",
      quantity: "0.01",
      recvWindow: 100,
    })
    expect(spot.body).toEqual({ code: -1021, msg: "Timestamp for this request is outside of the recvWindow." })
    const futures = await client(sandbox, "futures").call("POST", "/fapi/v1/order", {
      symbol: "BTCUSDT",
      side: "BUY",
      type: "MARKET",
      quantity: "0.01",
      recvWindow: 100,
    })
    expect(futures.body.code).toBe(-5028)
    expect(sandbox.ledger().orders).toHaveLength(0)
  })

  test("a POST with its parameters in the body is signed over the body", async () => {
    const order = { symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "0.01", price: "40000" }
    expect((await client(sandbox, "spot").call("POST", "/api/v3/order", order, { body: true })).status).toBe(200)
  })

  test("clock skew: the client is told to be late; the server's time and Date header show it", async () => {
    sandbox.setSkew(10_000)
    const before = Date.now()
    const late = await client(sandbox, "spot").call("GET", "/api/v3/account", {}, { timestamp: before })
    expect(late.body.code).toBe(-1021)
    const time = await client(sandbox, "spot").plain("GET", "/api/v3/time")
    expect(Number(time.body["serverTime"])).toBeGreaterThanOrEqual(before + 10_000)
    expect(Date.parse(time.headers.get("date") ?? "")).toBeGreaterThanOrEqual(before + 9000)
  })
})

test("an Ed25519 key signs REST requests in base64", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519")
  const apiKey = "E".repeat(64)
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString()
  await withSandbox({ accounts: [{ name: "ed", apiKey, publicKey: pem, spot: { USDT: "5" } }] }, async (sandbox) => {
    const query = `timestamp=${sandbox.world.exchange.nowMs()}`
    const good = encodeURIComponent(signWith(null, Buffer.from(query), privateKey).toString("base64"))
    const ask = async (signature: string) =>
      read(await fetch(`${sandbox.spotUrl}/api/v3/account?${query}&signature=${signature}`, { headers: { "X-MBX-APIKEY": apiKey } }))
    expect((await ask(good)).status).toBe(200)
    expect((await ask(createHmac("sha256", "x").update(query).digest("hex"))).body.code).toBe(-1022)
  })
})

test("keys without the permission, and accounts that may not trade", async () => {
  await withSandbox({ accounts: [{ ...DEFAULT_ACCOUNT, permissions: ["spot"] }] }, async (sandbox) => {
    expect((await client(sandbox, "futures").call("GET", "/fapi/v3/balance")).body).toEqual({
      code: -2015,
      msg: "Invalid API-key, IP, or permissions for action.",
    })
    sandbox.world.exchange.account("main").canTrade = false
    const refused = await client(sandbox, "spot").call("POST", "/api/v3/order", {
      symbol: "BTCUSDT",
      side: "BUY",
      type: "MARKET",
      quantity: "0.01",
    })
    expect(refused.body).toEqual({ code: -2010, msg: "This account may not place or cancel orders." })
  })
})

test("with a clock that is held still the exchange's time does not move", async () => {
  const clock = new ManualClock(1_700_000_000_000)
  await withSandbox({ clock }, async (sandbox) => {
    expect((await client(sandbox, "futures").plain("GET", "/fapi/v1/time")).body).toEqual({ serverTime: 1_700_000_000_000 })
    clock.advance(5000)
    expect((await client(sandbox, "futures").plain("GET", "/fapi/v1/time")).body).toEqual({ serverTime: 1_700_000_005_000 })
  })
})
