import { createHash } from "node:crypto"
import { request as rawRequest } from "node:http"
import { connect } from "node:net"
import { reason } from "@petrosa/contracts"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { HttpOptions, RunningHttp } from "../../src/http/index.ts"
import { HttpStartFailed, startHttp } from "../../src/http/index.ts"
import { CLIENT_ID, type Fake, fakeEngine, ORDER, records, row } from "./fakeEngine.ts"

/** The specification's curl line, word for word: its body and its header. */
const CURL_BODY = '{"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.8, "price": 50000, "quantity": 0.001}'
const JSON_TYPE = { "content-type": "application/json" }

let engine: Fake
let http: RunningHttp
const logged: { level: string; fields: object; message: string }[] = []
const log: HttpOptions["log"] = {
  info: (fields, message) => logged.push({ level: "info", fields, message }),
  warn: (fields, message) => logged.push({ level: "warn", fields, message }),
  error: (fields, message) => logged.push({ level: "error", fields, message }),
}
const start = (change: Partial<HttpOptions> = {}): Promise<RunningHttp> =>
  startHttp({ host: "127.0.0.1", port: 0, engine, mode: "simulation", log, graceMs: 200, ...change })

const get = (path: string, headers: Record<string, string> = {}) => fetch(http.url + path, { headers })
const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = JSON_TYPE) =>
  fetch(http.url + path, { method: "POST", headers, body })

/** A request whose headers fetch does not let one set. */
const raw = (options: { path: string; method?: string; headers?: Record<string, string>; url?: string }) =>
  new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const url = new URL(options.url ?? http.url)
    const call = rawRequest(
      {
        host: url.hostname.replace(/^\[|\]$/g, ""),
        port: url.port,
        path: options.path,
        method: options.method ?? "GET",
        headers: options.headers ?? {},
      },
      (response) => {
        let body = ""
        response.on("data", (chunk: Buffer) => {
          body += chunk.toString()
        })
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
      },
    )
    call.on("error", reject)
    call.end()
  })

beforeAll(async () => {
  engine = fakeEngine()
  http = await start()
})
afterAll(() => http.close())
beforeEach(() => {
  Object.assign(engine.answers, fakeEngine().answers)
  engine.calls.length = 0
  logged.length = 0
})

describe("POST /trade", () => {
  it("given the specification's curl line, when the order is filled, then the answer has its names and shape", async () => {
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(200)
    expect(response.headers.get("content-type")).toBe("application/json")
    expect(await response.json()).toEqual({
      message: "Signal processed successfully",
      signal_id: "sig-1",
      order: ORDER,
      result: {
        order_id: "12345678",
        status: "filled",
        fill_price: 50005,
        quantity: 0.001,
        filled_quantity: 0.001,
        fees: 0.05,
        symbol: "BTCUSDT",
        side: "buy",
        order_type: "limit",
        price: 50000,
        stop_loss: 49000,
        take_profit: 51500,
        simulated: true,
      },
    })
    expect(engine.calls[0]).toEqual({ name: "trade", args: [CURL_BODY, {}] })
  })

  it("given exact decimals in the events, when answered, then every digit is there and no exponent", async () => {
    engine.answers.trade = async () => ({
      _tag: "Settled",
      row: row({ fees: 0.30000000000000004, fill_price: 1e-7, quantity: 3 }),
      duplicate: false,
    })
    engine.answers.stored = records({
      type: "OrderCompleted",
      data: { quantity: "123456789012345678.1" as never, fillPrice: "0.0000001" as never, fees: "0.3" as never },
    })
    const text = await (await post("/trade", CURL_BODY)).text()
    expect(text).toContain('"fill_price":0.0000001,')
    expect(text).toContain('"quantity":123456789012345678.1,')
    expect(text).toContain('"fees":0.3,')
  })

  it("given a partly filled entry, when it rests, then 200 with what is filled so far, exactly", async () => {
    const fill = { feeAsset: "USDT", atMs: 1, price: "0.1" as never, fee: "0.01" as never, feeQuote: "0.01" as never }
    engine.answers.trade = async () => ({
      _tag: "Resting",
      row: row({ state: "bracketed", status: "partially_filled", fill_price: 0.15, settled: false }),
      duplicate: false,
    })
    engine.answers.stored = records(
      { type: "OrderSized", data: { quantity: "5" } as never },
      {
        type: "EntryPartlyFilled",
        data: { fills: [{ ...fill, tradeId: "1", quantity: "1" as never }], venueOrderId: "1" as never, via: "stream" },
      },
      {
        type: "EntryPartlyFilled",
        data: {
          fills: [
            { ...fill, tradeId: "1", quantity: "1" as never },
            { ...fill, tradeId: "2", quantity: "1" as never, price: "0.2" as never },
          ],
          venueOrderId: "1" as never,
          via: "query",
        },
      },
    )
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(200)
    const { result } = (await response.json()) as { result: object }
    expect(result).toMatchObject({ status: "partially_filled", quantity: 5, filled_quantity: 2, fill_price: 0.15, fees: 0.02 })
  })

  it("given a duplicate, when answered, then it says so and gives the first result", async () => {
    engine.answers.trade = async () => ({ _tag: "Settled", row: row(), duplicate: true })
    expect(await (await post("/trade", CURL_BODY)).json()).toMatchObject({ duplicate: true, order: ORDER, result: { status: "filled" } })
  })

  it("given an order that is not settled in time, when answered, then 202 with where to look", async () => {
    engine.answers.trade = async () => ({ _tag: "Pending", order: ORDER, signalId: "s", duplicate: false })
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(202)
    expect(response.headers.get("location")).toBe(`/orders/${ORDER}`)
    expect(await response.json()).toEqual({ message: "Signal accepted, not settled yet", signal_id: "s", order: ORDER })
  })

  it("given a declined order, when answered, then 400 with code, observed and limit", async () => {
    const why = reason("LOW_CONFIDENCE", "0.3", "0.5")
    engine.answers.trade = async () => ({
      _tag: "Settled",
      row: row({ state: "failed", status: "rejected", reason: "LOW_CONFIDENCE" }),
      reason: why,
      duplicate: false,
    })
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      detail: { code: "LOW_CONFIDENCE", class: "declined", observed: "0.3", limit: "0.5", message: expect.any(String) },
      order: ORDER,
      signal_id: "sig-1",
    })
  })

  it("given a failed order whose reason is only in its row, when answered, then the code's class and message are told", async () => {
    engine.answers.trade = async () => ({
      _tag: "Settled",
      row: row({ state: "failed", status: "rejected", reason: "NOT_PLACED" }),
      duplicate: false,
    })
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ detail: { code: "NOT_PLACED", class: "broken" } })
  })

  it("given a hold, when answered, then 200: it is no error", async () => {
    engine.answers.trade = async () => ({
      _tag: "Settled",
      row: row({ state: "failed", status: "rejected", reason: "HOLD" }),
      reason: reason("HOLD"),
      duplicate: false,
    })
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ message: "Signal declined: hold", result: { status: "rejected" } })
  })

  it("given a body with wrong fields, when answered, then 400 with the list of fields", async () => {
    const fields = [{ field: "confidence", expected: "0..1", received: "85" }]
    engine.answers.trade = async () => ({ _tag: "Rejected", code: "INVALID_FIELDS", message: "Fields are missing or wrong.", fields })
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(400)
    expect(((await response.json()) as { detail: unknown }).detail).toEqual(fields)
  })

  it("given a body that is no JSON, when answered, then 400 with one entry for the body", async () => {
    engine.answers.trade = async () => ({
      _tag: "Rejected",
      code: "NOT_JSON",
      message: "The message is not one valid JSON value.",
      fields: [],
    })
    const response = await post("/trade", "{oops")
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ detail: [{ field: "body", received: "{oops" }], code: "NOT_JSON" })
  })

  it("given an id with other content, when answered, then 409", async () => {
    engine.answers.trade = async () => ({ _tag: "Rejected", code: "IDENTITY_CONFLICT", message: "another", fields: [] })
    expect((await post("/trade", CURL_BODY)).status).toBe(409)
  })

  it("given the broker is away, when answered, then 503 with Retry-After and no secret", async () => {
    engine.answers.trade = async () => ({ _tag: "Unavailable", what: "broker", reason: "nats://u:s3cr3t@host refused" })
    const response = await post("/trade", CURL_BODY)
    expect(response.status).toBe(503)
    expect(response.headers.get("retry-after")).toBe("2")
    const text = await response.text()
    expect(text).not.toContain("s3cr3t")
    expect(text).toContain("broker")
  })

  it("given an Idempotency-Key and a traceparent, when sent, then the engine gets them", async () => {
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`
    await post("/trade", CURL_BODY, { ...JSON_TYPE, "Idempotency-Key": "key-1", traceparent })
    expect(engine.calls[0]?.args[1]).toEqual({ idempotencyKey: "key-1", traceparent })
    const bad = await post("/trade", CURL_BODY, { ...JSON_TYPE, "Idempotency-Key": "with space" })
    expect(bad.status).toBe(400)
    expect(await bad.json()).toMatchObject({ detail: [{ field: "idempotency-key", received: "with space" }] })
    expect(engine.calls).toHaveLength(2)
  })

  it("given a misspelt or wrong dry_run, when sent, then 400 and nothing is traded", async () => {
    for (const query of ["dryrun=true", "dry_run=yes", "dry_run=true&dry_run=false"]) {
      const response = await post(`/trade?${query}`, CURL_BODY)
      expect(response.status).toBe(400)
      const { detail } = (await response.json()) as { detail: { field: string }[] }
      expect(detail[0]?.field).toBe(query.slice(0, query.indexOf("=")))
    }
    expect(engine.calls).toEqual([])
  })

  it("given dry_run, when decided, then decision, size and prices, and the engine was not asked to trade", async () => {
    engine.answers.dryRun = {
      _tag: "Decided",
      order: ORDER,
      signal: { id: "sig-1", strategyId: "s", symbol: "BTCUSDT", action: "buy" } as never,
      events: [
        {
          type: "OrderSized",
          data: {
            quantity: "0.0000001",
            notional: "5",
            type: "limit",
            price: "50000",
            referencePrice: "50000",
            basis: "quantity",
            stop: { price: "49000", rule: {} },
            target: { price: "51500", rule: {} },
            notes: ["n"],
            inputs: {},
          } as never,
        },
        { type: "EntryIntended", data: { request: { clientOrderId: CLIENT_ID, side: "buy" }, venue: "paper", market: "futures" } as never },
      ],
    }
    const response = await post("/trade?dry_run=true", CURL_BODY)
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).toContain('"quantity":0.0000001')
    expect(JSON.parse(text)).toMatchObject({
      dry_run: true,
      decision: "place",
      size: { stop_loss: 49000, take_profit: 51500 },
      entry: { venue: "paper" },
    })
    expect(engine.calls.map((call) => call.name)).toEqual(["dryRun"])
  })

  it("given a declined dry run, when answered, then 200 with the reason: it is an answer, not a failure", async () => {
    engine.answers.dryRun = {
      _tag: "Decided",
      order: ORDER,
      signal: { strategyId: "s", symbol: "BTCUSDT", action: "buy" } as never,
      events: [{ type: "OrderFailed", data: { reason: reason("MIN_NOTIONAL", "5", "10") } }],
      existing: row(),
    }
    const response = await post("/trade?dry_run=1", CURL_BODY)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ decision: "decline", reason: { code: "MIN_NOTIONAL" }, duplicate: true, signal_id: "s" })
  })

  it("given a body above 1 MiB, when sent, then 413 with its length and hash, and the log has them", async () => {
    const body = Buffer.alloc(1024 * 1024 + 1, 0x20)
    const sha256 = createHash("sha256").update(body).digest("hex")
    const response = await post("/trade", body)
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ detail: { length_bytes: body.length, sha256, limit_bytes: 1048576 } })
    expect(logged).toMatchObject([{ level: "warn", fields: { lengthBytes: body.length, sha256, path: "/trade" } }])
    expect(engine.calls).toEqual([])
  })

  it("given a body of exactly 1 MiB, when sent, then the engine gets all of it", async () => {
    const body = Buffer.alloc(1024 * 1024, 0x20)
    expect((await post("/trade", body)).status).toBe(200)
    expect((engine.calls[0]?.args[0] as string).length).toBe(body.length)
  })

  it("given an endless body, when sent, then it is cut off after 16 MiB and memory stays", async () => {
    const url = new URL(http.url)
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname)
      let got = ""
      const chunk = Buffer.alloc(64 * 1024, 0x20)
      const frame = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")])
      const pump = (): void => {
        while (!socket.destroyed && got === "" && socket.write(frame));
      }
      socket.on("drain", pump)
      socket.on("data", (data) => {
        got += data.toString()
      })
      socket.on("error", () => (got === "" ? reject(new Error("no answer")) : resolve(got)))
      socket.on("close", () => resolve(got))
      socket.write("POST /trade HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
      pump()
    })
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
    expect(answer).toContain("Only the first")
    expect(engine.calls).toEqual([])
  })

  it("given a hundred callers at once, when answered, then each gets its own answer", async () => {
    engine.answers.trade = async (body) => {
      const { n } = JSON.parse(new TextDecoder().decode(body)) as { n: number }
      await new Promise((resolve) => setTimeout(resolve, n % 7))
      return { _tag: "Settled", row: row({ signal_id: `s${n}` }), duplicate: false }
    }
    const ids = await Promise.all(
      Array.from(
        { length: 100 },
        async (_, n) => ((await (await post("/trade", JSON.stringify({ n }))).json()) as { signal_id: string }).signal_id,
      ),
    )
    expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => `s${n}`))
  })

  it("given a caller that hangs up, when the engine answers later, then nothing breaks and the signal went on", async () => {
    let finished = false
    let release: () => void = () => undefined
    engine.answers.trade = () =>
      new Promise((resolve) => {
        release = () => {
          finished = true
          resolve({ _tag: "Settled", row: row(), duplicate: false })
        }
      })
    const abort = new AbortController()
    const call = fetch(`${http.url}/trade`, { method: "POST", headers: JSON_TYPE, body: CURL_BODY, signal: abort.signal })
    await expect.poll(() => engine.calls.length).toBe(1)
    abort.abort()
    await expect(call).rejects.toThrow()
    release()
    expect(finished).toBe(true)
    expect((await get("/healthz")).status).toBe(200)
    expect(logged.filter((line) => line.level === "error")).toEqual([])
  })

  it("given a body that is not declared as JSON, when sent, then 415: a form of a foreign page cannot trade", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      expect((await post("/trade", CURL_BODY, { "content-type": type })).status).toBe(415)
    }
    expect((await post("/trade", CURL_BODY, { "content-type": "application/json; charset=utf-8" })).status).toBe(200)
  })
})

describe("GET /price, GET /account, DELETE /order", () => {
  it("given a symbol, when its price is known, then symbol, price and timestamp, without an exponent", async () => {
    const response = await get("/price/ethusdt?market=spot")
    const text = await response.text()
    expect(text).toContain('"price":0.0000001')
    expect(JSON.parse(text)).toMatchObject({ symbol: "ETHUSDT", timestamp: "2026-11-23T00:00:00.000Z", market: "spot" })
    expect(engine.calls[0]).toEqual({ name: "price", args: ["ETHUSDT", "spot"] })
  })

  it("given no price, a venue that is away, a bad symbol, a bad market: 404, 503, 400, 400", async () => {
    expect((await get("/price/NOPEUSDT")).status).toBe(404)
    expect((await get("/price/AWAYUSDT")).status).toBe(503)
    const symbol = await get("/price/BTC%20USDT")
    expect(symbol.status).toBe(400)
    expect(await symbol.json()).toMatchObject({ detail: [{ field: "symbol", expected: "a symbol such as BTCUSDT" }] })
    const market = await get("/price/BTCUSDT?market=options")
    expect(await market.json()).toEqual({ detail: [{ field: "market", expected: '"spot" | "futures"', received: "options" }] })
  })

  it("given an account, when asked, then data.USDT.free as the specification's code reads it, exactly", async () => {
    const text = await (await get("/account")).text()
    expect(text).toContain('"free":9949.9000001')
    const body = JSON.parse(text)
    expect(body.message).toBe("Account information retrieved")
    expect(body.data.USDT.free).toBe(9949.9000001)
    expect(body.data.positions).toEqual([{ symbol: "BTCUSDT", side: "long", quantity: 0.3, entry_price: 50005 }])
    expect(body.data.lots).toMatchObject([{ order: ORDER, quantity: 0.3 }])
  })

  it("given each outcome of a cancellation, when answered, then 200, 202, 409, 404, 503", async () => {
    const resting = row({ state: "failed", status: "cancelled" })
    const cases = [
      [{ _tag: "Cancelled", row: resting }, 200, { message: "Order cancelled", order_id: "12345678", result: { status: "cancelled" } }],
      [{ _tag: "Requested", row: resting }, 202, { message: "Cancellation requested" }],
      [{ _tag: "NotCancellable", row: resting, message: "It is filled." }, 409, { detail: "It is filled.", order: ORDER }],
      [{ _tag: "NotFound" }, 404, { detail: expect.stringContaining("12345678") }],
      [{ _tag: "Unavailable", reason: "TIMEOUT" }, 503, { detail: expect.stringContaining("TIMEOUT") }],
    ] as const
    for (const [answer, status, body] of cases) {
      engine.answers.cancel = answer
      const response = await fetch(`${http.url}/order/btcusdt/12345678`, { method: "DELETE" })
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject(body)
    }
    expect(engine.calls[0]?.args).toEqual(["BTCUSDT", "12345678", expect.stringMatching(/^http .*127\.0\.0\.1/)])
  })
})

describe("GET /orders", () => {
  it("given every filter, when asked, then the store gets them and the page comes back", async () => {
    engine.answers.page = { orders: [row({ open_quantity: "0.30000000000000000001", fill_price: 1e-7, profit: "-0.1" })], next: "c2" }
    const query = `state=filled&status=filled&symbol=btcusdt&strategy=s%201&reason=HOLD&since=2026-11-23T10:00:00%2B02:00&until=2026-11-24&search=abc&limit=7&cursor=c1`
    const text = await (await get(`/orders?${query}`)).text()
    expect(engine.calls[0]?.args[0]).toEqual({
      state: "filled",
      status: "filled",
      symbol: "BTCUSDT",
      strategyId: "s 1",
      reason: "HOLD",
      since: "2026-11-23T08:00:00.000Z",
      until: "2026-11-24T00:00:00.000Z",
      search: "abc",
      limit: 7,
      cursor: "c1",
    })
    expect(text).toContain('"open_quantity":0.30000000000000000001')
    expect(text).toContain('"fill_price":0.0000001')
    const body = JSON.parse(text)
    expect(body.next).toBe("c2")
    expect(body.orders[0]).toMatchObject({
      order: ORDER,
      signal_id: "sig-1",
      strategy_id: "volume_surge_breakout",
      profit: -0.1,
      order_id: "12345678",
    })
  })

  it("given several wrong filters at once, when asked, then 400 names each", async () => {
    const response = await get("/orders?state=done&limit=0&since=yesterday&stat=filled")
    expect(response.status).toBe(400)
    const { detail } = (await response.json()) as { detail: { field: string; expected: string; received: string }[] }
    expect(detail.map((d) => d.field).sort()).toEqual(["limit", "since", "stat", "state"])
    expect(detail.find((d) => d.field === "limit")).toEqual({ field: "limit", expected: "a whole number from 1 to 1000", received: "0" })
    expect(detail.find((d) => d.field === "stat")?.expected).toBe("no such parameter")
    for (const bad of ["limit=1001", "limit=1e2", "limit=-1", "limit=", "symbol=a%00b", "cursor=broken"])
      expect((await get(`/orders?${bad}`)).status).toBe(400)
  })

  it("given an id, when asked, then its order, its events, or 404", async () => {
    engine.answers.stored = records({ type: "OrderFailed", data: { reason: reason("HOLD") } })
    expect(await (await get("/orders/sig-1")).json()).toMatchObject({ order: ORDER, last_event: "OrderCompleted" })
    const events = (await (await get("/orders/a%20b%2Fc/events")).json()) as { version: number; type: string }[]
    expect(events).toMatchObject([{ version: 1, type: "OrderFailed", data: { reason: { code: "HOLD" } } }])
    expect(engine.calls.find((call) => call.args[0] === "a b/c")).toBeDefined()
    engine.answers.unreadable = true
    expect(await (await get("/orders/sig-1/events")).json()).toMatchObject([
      { type: "FooBar", schema: 9, hash: "h1", data: { price: "0.1" } },
    ])
    engine.answers.found = undefined
    expect((await get("/orders/nope")).status).toBe(404)
    expect((await get("/orders/nope/events")).status).toBe(404)
  })

  it("given the store is away, when asked, then 503, not an empty list, and no secret", async () => {
    engine.answers.storeAway = true
    for (const path of ["/orders", "/orders/x", "/orders/x/events"]) {
      const response = await get(path)
      expect(response.status).toBe(503)
      expect(response.headers.get("retry-after")).toBe("2")
      expect(await response.text()).not.toContain("secret")
    }
    expect((await post("/trade", CURL_BODY)).status).toBe(200)
  })
})

describe("probes, metrics, docs", () => {
  it("given Prometheus or a browser, when asked for metrics, then text; given Accept: application/json, then the four keys", async () => {
    const text = await get("/metrics", {
      accept: "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
    })
    expect(text.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    expect(await text.text()).toContain("petrosa_orders_total 3")
    expect((await get("/metrics", { accept: "*/*" })).headers.get("content-type")).toContain("text/plain")
    const json = await (await get("/metrics", { accept: "application/json" })).text()
    expect(json).toBe('{"trades_total":3,"trades_success":2,"trades_failed":1,"total_volume_usdt":12345678901234567.89}')
  })

  it("given an engine that is not ready, when probed, then 503 naming the parts, and it still lives", async () => {
    expect((await get("/readyz")).status).toBe(200)
    expect(await (await get("/readyz")).text()).not.toContain("pass")
    engine.answers.health = {
      ...engine.answers.health,
      ready: false,
      status: "degraded",
      parts: { store: { ok: false, detail: "away since 10:00" } },
    }
    const response = await get("/readyz")
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      detail: "Not ready: store (away since 10:00).",
      ready: false,
      parts: { store: { ok: false } },
    })
    expect(await (await get("/healthz")).json()).toMatchObject({ status: "ok", mode: "simulation" })
  })

  it("given /openapi.json, when read, then every route is in it with its answers", async () => {
    const document = (await (await get("/openapi.json")).json()) as {
      openapi: string
      paths: Record<string, Record<string, { responses: object }>>
    }
    expect(document.openapi).toMatch(/^3\.1/)
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        "/account",
        "/healthz",
        "/metrics",
        "/order/{symbol}/{order_id}",
        "/orders",
        "/orders/{id}",
        "/orders/{id}/events",
        "/price/{symbol}",
        "/readyz",
        "/simulation/price",
        "/trade",
      ].sort(),
    )
    expect(Object.keys(document.paths["/trade"]?.["post"]?.responses ?? {}).sort()).toEqual(["200", "202", "400", "409", "413", "503"])
    expect(JSON.stringify(document)).toContain("strategy_id")
  })

  it("given /docs, when read, then one page that loads nothing from elsewhere", async () => {
    const response = await get("/docs")
    expect(response.status).toBe(200)
    const page = await response.text()
    expect(page).toContain("swagger-ui")
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="https?:/)
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'")
  })

  it("given any answer, when sent, then it carries the security headers and no CORS", async () => {
    for (const path of ["/healthz", "/nothing", "/orders?x=1"]) {
      const { headers } = await get(path, { origin: "http://evil.example" })
      expect(headers.get("x-content-type-options")).toBe("nosniff")
      expect(headers.get("x-frame-options")).toBe("DENY")
      expect(headers.get("cache-control")).toBe("no-store")
      expect(headers.get("access-control-allow-origin")).toBeNull()
    }
  })

  it("given an unknown path or a wrong method, when asked, then 404 or 405 with detail and Allow", async () => {
    const lost = await get("/nothing")
    expect(lost.status).toBe(404)
    expect(await lost.json()).toMatchObject({ detail: expect.stringContaining("/nothing") })
    const put = await fetch(`${http.url}/trade`, { method: "PUT" })
    expect(put.status).toBe(405)
    expect(put.headers.get("allow")).toBe("POST")
    expect(await put.json()).toEqual({ detail: "Only POST here." })
    expect((await get("/trade")).status).toBe(405)
    expect((await fetch(`${http.url}/orders/x`, { method: "DELETE" })).headers.get("allow")).toBe("GET, HEAD")
    expect((await fetch(`${http.url}/healthz`, { method: "HEAD" })).status).toBe(200)
    expect((await raw({ path: "/%ff%fe" })).status).toBeLessThan(500)
    expect((await raw({ path: `/orders/${"x".repeat(5000)}` })).status).toBeLessThan(500)
  })

  it("given a route that throws, when asked, then 500 without the details, which are in the log", async () => {
    const response = await get("/price/BOOMUSDT")
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain("s3cr3t")
    expect(logged[0]).toMatchObject({ level: "error", fields: { path: "/price/BOOMUSDT" } })
  })
})

describe("POST /simulation/price", () => {
  it("given a price, when set, then the exact decimal of its source text reaches the venue", async () => {
    const response = await post("/simulation/price", '{"symbol":"btcusdt","price":67000.10000000000000001}')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('"price":67000.10000000000000001')
    expect(engine.calls[0]).toEqual({ name: "setPrice", args: ["BTCUSDT", "futures", "67000.10000000000000001"] })
  })

  it("given wrong bodies, when sent, then 400 names the fields and nothing is set", async () => {
    for (const [body, fields] of [
      ["{", ["body"]],
      ["[]", ["symbol", "price"]],
      ['{"symbol":"BTCUSDT","price":-1}', ["price"]],
      ['{"symbol":"BTCUSDT","price":true,"market":"x","y":1}', ["price", "market", "y"]],
    ] as const) {
      const response = await post("/simulation/price", body)
      expect(response.status).toBe(400)
      expect(((await response.json()) as { detail: { field: string }[] }).detail.map((d) => d.field)).toEqual(fields)
    }
    expect(engine.calls).toEqual([])
  })

  it("given a live engine, when asked, then 403 and nothing is set", async () => {
    const live = await start({ mode: "live" })
    const response = await fetch(`${live.url}/simulation/price`, {
      method: "POST",
      headers: JSON_TYPE,
      body: '{"symbol":"BTCUSDT","price":1}',
    })
    await live.close()
    expect(response.status).toBe(403)
    expect(engine.calls).toEqual([])
  })
})

describe("who may ask", () => {
  it("given a foreign name in Host, when bound to loopback, then 421; loopback names pass", async () => {
    expect((await raw({ path: "/account", headers: { host: "evil.example" } })).status).toBe(421)
    expect((await raw({ path: "/account", headers: { host: "127.0.0.1.evil.example:8000" } })).status).toBe(421)
    expect((await raw({ path: "/account", headers: { host: "localhost@evil.example" } })).status).toBe(421)
    for (const host of ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"]) {
      expect((await raw({ path: "/account", headers: { host } })).status).toBe(200)
    }
  })

  it("given a page of another origin, when it posts or deletes, then 403 and nothing happens", async () => {
    const host = new URL(http.url).host
    for (const origin of ["http://evil.example", "null", `http://${host}.evil.example`]) {
      expect((await raw({ path: "/order/BTCUSDT/1", method: "DELETE", headers: { host, origin } })).status).toBe(403)
    }
    expect(engine.calls).toEqual([])
    expect((await raw({ path: "/order/BTCUSDT/1", method: "DELETE", headers: { host, origin: `http://${host}` } })).status).toBe(404)
  })

  it("given a token, when it is missing or wrong, then 401 everywhere but at the probes; right: it passes", async () => {
    const guarded = await start({ token: "t0k3n-of-some-length" })
    try {
      const ask = (path: string, authorization?: string) =>
        fetch(guarded.url + path, { headers: authorization === undefined ? {} : { authorization } })
      for (const path of ["/account", "/orders", "/metrics", "/docs", "/openapi.json", "/nothing", "//healthz", "/healthz/"]) {
        const response = await ask(path)
        expect([path, response.status]).toEqual([path, 401])
        expect(response.headers.get("www-authenticate")).toContain("Bearer")
      }
      for (const bad of ["Bearer nope", "Basic t0k3n-of-some-length", "t0k3n-of-some-length", "Bearer t0k3n-of-some-length x"]) {
        const response = await ask("/account", bad)
        expect(response.status).toBe(401)
        expect(await response.text()).not.toContain("t0k3n")
      }
      expect((await ask("/account", "Bearer t0k3n-of-some-length")).status).toBe(200)
      expect((await ask("/healthz")).status).toBe(200)
      expect((await ask("/readyz?verbose=1")).status).toBe(200)
    } finally {
      await guarded.close()
    }
  })
})

describe("starting and stopping", () => {
  it("given a port in use, when started, then an error that says so", async () => {
    await expect(start({ port: Number(new URL(http.url).port) })).rejects.toThrow(HttpStartFailed)
    await expect(start({ port: Number(new URL(http.url).port) })).rejects.toThrow(/in use/)
  })

  it("given a request that is being answered, when closed, then it is answered, and later ones are refused", async () => {
    const own = await start({ graceMs: 2000 })
    let release: () => void = () => undefined
    engine.answers.trade = () =>
      new Promise((resolve) => {
        release = () => resolve({ _tag: "Settled", row: row(), duplicate: false })
      })
    const call = fetch(`${own.url}/trade`, { method: "POST", headers: JSON_TYPE, body: CURL_BODY })
    await expect.poll(() => engine.calls.length).toBe(1)
    const closing = own.close()
    release()
    expect((await call).status).toBe(200)
    const answered = performance.now()
    await closing
    expect(performance.now() - answered).toBeLessThan(1000)
    await expect(fetch(`${own.url}/healthz`)).rejects.toThrow()
    await own.close()
  })

  it("given a request that never ends, when closed, then close returns after its grace", async () => {
    const own = await start({ graceMs: 100 })
    engine.answers.trade = () => new Promise(() => undefined)
    const call = fetch(`${own.url}/trade`, { method: "POST", headers: JSON_TYPE, body: CURL_BODY }).then(
      (response) => response.status,
      () => "cut",
    )
    await expect.poll(() => engine.calls.length).toBe(1)
    const before = performance.now()
    await own.close()
    expect(performance.now() - before).toBeLessThan(2000)
    expect(["cut", 503]).toContain(await call)
  })

  it("given a host that is not loopback, when bound to all interfaces, then any Host is answered", async () => {
    const open = await start({ host: "0.0.0.0" })
    expect((await raw({ path: "/healthz", url: open.url, headers: { host: "tradeengine.petrosa.svc" } })).status).toBe(200)
    await open.close()
    const named = await start({ host: "0.0.0.0", allowedHosts: ["engine.example"] })
    expect((await raw({ path: "/healthz", url: named.url, headers: { host: "engine.example:80" } })).status).toBe(200)
    expect((await raw({ path: "/healthz", url: named.url, headers: { host: "evil.example" } })).status).toBe(421)
    await named.close()
  })
})
