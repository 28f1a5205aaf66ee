/** Signatures and bytes of requests, against the examples of Binance's own documentation. */
import { generateKeyPairSync, verify } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { futuresClient, spotClient } from "../../src/binance/client.ts"
import { systemClock } from "../../src/binance/clock.ts"
import { Redactor } from "../../src/binance/redact.ts"
import type { Reply } from "../../src/binance/reply.ts"
import { queryOf, signedQuery, signedSocketParams, signerOf } from "../../src/binance/signing.ts"

/** The keys of the documentation. */
const apiKey = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
const apiSecret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
const hmac = { kind: "hmac", apiKey, apiSecret } as const
const DOCUMENTED =
  "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559" +
  "&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
const params = { symbol: "LTCBTC", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "1", price: "0.1", recvWindow: "5000" }

describe("signing", () => {
  test("given the documentation's REST example, then the signature is the documented one", () => {
    expect(signedQuery(params, 1_499_827_319_559, signerOf(hmac))).toBe(DOCUMENTED)
  })

  test("given the documentation's WebSocket example, then the signature is the documented one", () => {
    const signed = signedSocketParams(
      {
        symbol: "BTCUSDT",
        side: "SELL",
        type: "LIMIT",
        timeInForce: "GTC",
        quantity: "0.01000000",
        price: "52000.00",
        newOrderRespType: "ACK",
        recvWindow: "100",
        timestamp: "1645423376532",
        apiKey,
      },
      signerOf(hmac),
    )
    expect(signed["signature"]).toBe("cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a")
  })

  test("given an Ed25519 key, then what is signed verifies, and the signature is encoded", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519")
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    const query = signedQuery(params, 1_499_827_319_559, signerOf({ kind: "ed25519", apiKey, privateKey: pem }))
    const [payload = "", signature = ""] = query.split("&signature=")
    expect(signature).not.toMatch(/[+/=]/)
    expect(verify(null, Buffer.from(payload), publicKey, Buffer.from(decodeURIComponent(signature), "base64"))).toBe(true)
  })

  test("given a key of another kind, then it is refused, not used", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    expect(() => signerOf({ kind: "ed25519", apiKey, privateKey: pem })).toThrow(TypeError)
  })

  test("given values that need encoding or are missing, then they are encoded, or left out; zero and false stay", () => {
    expect(queryOf({ a: "x y&z", b: undefined, c: "", d: "0", e: false })).toBe("a=x%20y%26z&d=0&e=false")
  })
})

describe("the connector's clients", () => {
  const seen: { method: string; url: string; key: string | undefined; port: number | undefined }[] = []
  let answer: { status: number; body: string } = { status: 200, body: "{}" }
  const server = createServer((request, response) => {
    seen.push({
      method: request.method ?? "",
      url: request.url ?? "",
      key: request.headers["x-mbx-apikey"] as string | undefined,
      port: request.socket.remotePort,
    })
    if (answer.status === 0) request.socket.destroy()
    else response.writeHead(answer.status, { "content-type": "application/json", "x-mbx-used-weight-1m": "7" }).end(answer.body)
  })
  let baseUrl = ""
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))
  const make = (more: { timeoutMs?: number; baseUrl?: string } = {}) => ({
    baseUrl: more.baseUrl ?? baseUrl,
    credentials: hmac,
    timeoutMs: more.timeoutMs ?? 2_000,
    clock: systemClock,
    redactor: new Redactor([apiKey, apiSecret]),
    offsetMs: () => 250,
  })

  test("given the documented order, then both connectors send exactly the documented bytes, with the time that was passed", async () => {
    const spot = spotClient(make())
    const futures = futuresClient(make())
    const options = (): Record<string, unknown> => ({ ...params, timestamp: 1_499_827_319_559 })
    await spot.newOrder("LTCBTC", "BUY", "LIMIT", options())
    await futures.newOrder("LTCBTC", "BUY", "LIMIT", options())
    const [first, second] = seen.slice(-2)
    expect(first).toMatchObject({ method: "POST", url: `/api/v3/order?${DOCUMENTED}`, key: apiKey })
    expect(second).toMatchObject({ method: "POST", url: `/fapi/v1/order?${DOCUMENTED}`, key: apiKey })
    await spot.getOrder("LTCBTC", { symbol: "LTCBTC", origClientOrderId: "a" })
    await spot.getOrder("LTCBTC", { symbol: "LTCBTC", origClientOrderId: "b" })
    // Without a time of its own a request is signed with the exchange's, and the connection is kept.
    const times = seen.slice(-2).map(({ url }) => Number(/timestamp=(\d+)/.exec(url)?.[1]))
    for (const time of times) expect(Math.abs(time - (Date.now() + 250))).toBeLessThan(2_000)
    expect(seen.at(-1)?.port).toBe(seen.at(-2)?.port)
    spot.closeConnections()
    futures.closeConnections()
  })

  test("given ids beyond 2^53, then they come back as they were sent", async () => {
    answer = { status: 200, body: `{"orderId":8389765612825190229,"price":"0.1","n":12}` }
    const client = futuresClient(make())
    const reply = (await client.queryOrder("LTCBTC", { symbol: "LTCBTC" })) as Reply
    expect(reply).toMatchObject({ _tag: "Answered", status: 200, body: { orderId: "8389765612825190229", price: "0.1", n: 12 } })
    expect(reply._tag === "Answered" ? reply.headers["x-mbx-used-weight-1m"] : "").toBe("7")
    client.closeConnections()
  })

  test.each([
    ["an HTTP error", { status: 400, body: `{"code":-1121,"msg":"Invalid symbol."}` }, { _tag: "Answered", status: 400 }],
    ["a page of HTML", { status: 403, body: "<html>no</html>" }, { _tag: "Answered", status: 403, body: undefined }],
    ["a cut connection", { status: 0, body: "" }, { _tag: "Unanswered", notSent: false, code: "ECONNRESET" }],
  ] as const)("given %s, then it is a value, and nothing is thrown", async (_what, given, expected) => {
    answer = given
    const client = spotClient(make())
    expect(await client.account({})).toMatchObject(expected)
    client.closeConnections()
  })

  test("given a long page that repeats what was sent, then nothing of the key is left, wherever the page is cut", async () => {
    const client = spotClient(make())
    for (const length of [4_032, 4_060, 4_090, 4_096, 4_300, 4_600, 5_000]) {
      answer = { status: 403, body: `${"x".repeat(length)}${apiKey}${"y".repeat(2_000)}` }
      const reply = (await client.account({})) as Reply
      expect(reply._tag === "Answered" ? reply.text : apiKey).not.toContain(apiKey.slice(0, 8))
    }
    client.closeConnections()
  })

  test("given a redirect, then it is not followed", async () => {
    answer = { status: 302, body: "" }
    const client = spotClient(make())
    expect(await client.account({})).toMatchObject({ _tag: "Answered", status: 302 })
    client.closeConnections()
  })

  test("given nobody who listens, then it was certainly not sent; given silence, then it may have been", async () => {
    const nobody = createServer()
    await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(nobody.address() as AddressInfo).port}`
    await new Promise((resolve) => nobody.close(resolve))
    expect(await spotClient(make({ baseUrl: url })).account({})).toMatchObject({ _tag: "Unanswered", notSent: true, code: "ECONNREFUSED" })

    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
    const client = spotClient(make({ baseUrl: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, timeoutMs: 80 }))
    expect(await client.account({})).toMatchObject({ _tag: "Unanswered", notSent: false, code: "TIMEOUT" })
    client.closeConnections()
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
  })

  test("given an answer that drips for ever, then the time-out counts the whole of it", async () => {
    const dripping = createServer((_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(" "), 20)
      response.on("close", () => clearInterval(timer))
    })
    await new Promise<void>((resolve) => dripping.listen(0, "127.0.0.1", resolve))
    const client = spotClient(make({ baseUrl: `http://127.0.0.1:${(dripping.address() as AddressInfo).port}`, timeoutMs: 150 }))
    expect(await client.account({})).toMatchObject({ _tag: "Unanswered", notSent: false, code: "TIMEOUT" })
    client.closeConnections()
    dripping.closeAllConnections()
    await new Promise((resolve) => dripping.close(resolve))
  })
})
