import { reason } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { ORDER, records, row } from "./fakeEngine.ts"
import { CURL_BODY, engine, get, JSON_TYPE, logged, post, raw, serveForThisFile, start, url } from "./harness.ts"

serveForThisFile()

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
      const response = await fetch(`${url()}/order/btcusdt/12345678`, { method: "DELETE" })
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject(body)
    }
    expect(engine.calls[0]?.args).toEqual(["BTCUSDT", "12345678", expect.stringMatching(/^http .*127\.0\.0\.1/), undefined])
  })

  it("given a market, when account and cancel are asked, then they are of that market; of one that is not traded: 404; of none: 400", async () => {
    await get("/account?market=spot")
    expect((await fetch(`${url()}/order/btcusdt/7?market=futures`, { method: "DELETE" })).status).toBe(404)
    expect(engine.calls).toMatchObject([
      { name: "account", args: ["spot"] },
      { name: "cancelEntry", args: ["BTCUSDT", "7", expect.anything(), "futures"] },
    ])
    engine.answers.account = undefined
    const missing = await get("/account?market=spot")
    expect([missing.status, await missing.json()]).toEqual([404, { detail: "This engine does not trade spot." }])
    expect((await get("/account?market=options")).status).toBe(400)
    expect((await fetch(`${url()}/order/btcusdt/7?market=options`, { method: "DELETE" })).status).toBe(400)
  })
})

describe("GET /orders", () => {
  it.each(["BTC/USDT", "btc%2Fusdt", "BTC-USDT"])(
    "given the symbol %s, as a signal may write it, when asked, then it is BTCUSDT",
    async (symbol) => {
      expect((await get(`/orders?symbol=${symbol}`)).status).toBe(200)
      expect(engine.calls[0]?.args[0]).toMatchObject({ symbol: "BTCUSDT" })
    },
  )

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
    const { schemas } = (document as unknown as { components: { schemas: Record<string, { required?: string[] }> } }).components
    expect(schemas["Signal"]?.required).toEqual(["strategy_id", "symbol", "action", "confidence", "price"])
    expect(JSON.stringify(document.paths["/trade"])).toContain("#/components/schemas/Signal")
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
    const put = await fetch(`${url()}/trade`, { method: "PUT" })
    expect(put.status).toBe(405)
    expect(put.headers.get("allow")).toBe("POST")
    expect(await put.json()).toEqual({ detail: "Only POST here." })
    expect((await get("/trade")).status).toBe(405)
    expect((await fetch(`${url()}/orders/x`, { method: "DELETE" })).headers.get("allow")).toBe("GET, HEAD")
    expect((await fetch(`${url()}/healthz`, { method: "HEAD" })).status).toBe(200)
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
