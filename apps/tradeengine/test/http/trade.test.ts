import { createHash } from "node:crypto"
import { connect } from "node:net"
import { reason } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { CLIENT_ID, ORDER, records, row } from "./fakeEngine.ts"
import { CURL_BODY, engine, get, JSON_TYPE, logged, post, serveForThisFile, start, url } from "./harness.ts"

serveForThisFile()

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
    expect(engine.calls[0]?.args[0]).toHaveLength(body.length)
  })

  it("given an endless body, when sent, then it is cut off after 16 MiB and memory stays", async () => {
    const { port, hostname } = new URL(url())
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname)
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

  it("given more callers than may wait, when one comes, then 503 with Retry-After, and the others are answered", async () => {
    const small = await start({ maxWaiting: 2 })
    const release: (() => void)[] = []
    engine.answers.trade = () => new Promise((resolve) => release.push(() => resolve({ _tag: "Settled", row: row(), duplicate: false })))
    const call = () => fetch(`${small.url}/trade`, { method: "POST", headers: JSON_TYPE, body: CURL_BODY })
    const waiting = [call(), call()]
    await expect.poll(() => release.length).toBe(2)
    const third = await call()
    expect([third.status, third.headers.get("retry-after")]).toEqual([503, "1"])
    for (const one of release) one()
    expect((await Promise.all(waiting)).map((response) => response.status)).toEqual([200, 200])
    engine.answers.trade = async () => ({ _tag: "Settled", row: row(), duplicate: false })
    expect((await call()).status).toBe(200)
    await small.close()
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
    const call = fetch(`${url()}/trade`, { method: "POST", headers: JSON_TYPE, body: CURL_BODY, signal: abort.signal })
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

  it("given a compressed body, when sent, then 415 says so, and the engine is not asked", async () => {
    const response = await post("/trade", CURL_BODY, { ...JSON_TYPE, "content-encoding": "gzip" })
    expect(response.status).toBe(415)
    expect(await response.json()).toEqual({ detail: "The body must be sent as it is; this came with the Content-Encoding gzip." })
    expect(engine.calls).toEqual([])
    expect((await post("/trade", CURL_BODY, { ...JSON_TYPE, "content-encoding": "identity" })).status).toBe(200)
  })
})
