/** The Binance adapters beyond the contract, over real HTTP and WebSocket: start, streams, faults, modes, limits, secrets. */
import { generateKeyPairSync } from "node:crypto"
import { EXAMPLE_KEY, EXAMPLE_SECRET, startSandbox } from "@petrosa/binance-sandbox"
import type { FaultRule } from "@petrosa/binance-sandbox"
import { dec, eq } from "@petrosa/contracts"
import type { Fill, Market, OrderType, Side } from "@petrosa/contracts"
import { openBinanceFutures, openBinanceSpot } from "@petrosa/venue"
import type { PlaceRequest, VenueOrder } from "@petrosa/venue"
import { answer, eventually, freshId, record, requestFor, valueOf } from "@petrosa/venue/testing"
import fc from "fast-check"
import { afterEach, describe, expect, test } from "vitest"
import { SYMBOL, credentials, sandboxFixture } from "./sandboxFixture.ts"
import type { SandboxFixture } from "./sandboxFixture.ts"

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
const make = async (...args: Parameters<typeof sandboxFixture>): Promise<SandboxFixture> => {
  const fixture = await sandboxFixture(...args)
  closing.push(() => fixture.close())
  return fixture
}
const find = async (fixture: SandboxFixture, request: PlaceRequest): Promise<VenueOrder | undefined> =>
  answer(await fixture.venue.query(request.symbol, request.market, request.clientOrderId))
const untilStatus = (fixture: SandboxFixture, request: PlaceRequest, status: VenueOrder["status"]): Promise<VenueOrder> =>
  eventually(`${request.clientOrderId} ${status}`, async () => {
    const order = await find(fixture, request)
    return order?.status === status ? order : undefined
  })

describe("starting", () => {
  test.each([2_000, -2_000])(
    "given a clock that is %i ms off, then it does not start; allowed, requests are signed with the exchange's time",
    async (skewMs) => {
      const fixture = await make("futures")
      fixture.sandbox.setSkew(skewMs)
      const options = {
        mode: "testnet",
        credentials,
        restUrl: fixture.sandbox.futuresUrl,
        socketUrl: fixture.sandbox.futuresStreamUrl,
        pricePollMs: 0,
      } as const
      expect(await openBinanceFutures(options)).toMatchObject({ _tag: "NotStarted", code: "CLOCK_OFFSET" })
      const venue = await fixture.open({ allowClockOffset: true })
      valueOf(await venue.place(requestFor(fixture)))
      expect(await venue.place(requestFor(fixture, { timestampMs: Date.now() - 6_000 }))).toMatchObject({ code: "-1021" })
    },
  )

  test("given a clock that is set while trading, then it is refused as not executed, measured again, and trading goes on", async () => {
    const fixture = await make("futures")
    fixture.sandbox.setSkew(8_000)
    expect(await fixture.venue.place(requestFor(fixture))).toMatchObject({ _tag: "Refused", class: "retry", code: "-1021" })
    await eventually("trading", async () => (await fixture.venue.place(requestFor(fixture)))._tag === "Accepted")
    expect(fixture.troubles.map((trouble) => trouble.code)).toContain("CLOCK_OFFSET")
  })

  test("given a wrong secret, then neither market starts, and the reason holds no secret", async () => {
    const fixture = await make("spot")
    const wrong = { kind: "hmac", apiKey: EXAMPLE_KEY, apiSecret: "x".repeat(64) } as const
    const common = { mode: "testnet", credentials: wrong, pricePollMs: 0 } as const
    const starts = [
      await openBinanceSpot({ ...common, restUrl: fixture.sandbox.spotUrl, socketUrl: fixture.sandbox.spotApiSocketUrl }),
      await openBinanceFutures({ ...common, restUrl: fixture.sandbox.futuresUrl, socketUrl: fixture.sandbox.futuresStreamUrl }),
    ]
    for (const start of starts)
      expect(start).toMatchObject({ _tag: "NotStarted", code: "PERMISSION", message: expect.stringContaining("-1022") })
    expect(JSON.stringify(starts)).not.toContain(wrong.apiSecret)
  })

  test("given an Ed25519 key, then spot trades and listens with it; futures say that they cannot", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519")
    const pem = (key: typeof privateKey, type: "pkcs8" | "spki"): string => key.export({ type, format: "pem" } as never).toString()
    const account = { name: "main", apiKey: EXAMPLE_KEY, publicKey: pem(publicKey, "spki"), spot: { USDT: "10000" } }
    const edCredentials = { kind: "ed25519", apiKey: EXAMPLE_KEY, privateKey: pem(privateKey, "pkcs8") } as const
    const fixture = await make("spot", { sandbox: { accounts: [account] }, venue: { credentials: edCredentials } })
    const heard = record(fixture.venue)
    const request = requestFor(fixture)
    valueOf(await fixture.venue.place(request))
    await eventually("its fill", () => heard.fillsOf(request.clientOrderId).length === 1)
    expect(await openBinanceFutures({ mode: "testnet", credentials: edCredentials })).toMatchObject({
      _tag: "NotStarted",
      code: "CREDENTIALS",
    })
    expect(await openBinanceSpot({ mode: "testnet", credentials: { ...edCredentials, privateKey: "no key" } })).toMatchObject({
      code: "CREDENTIALS",
    })
  })

  test("given nobody who answers, then it does not start, and does not throw", async () => {
    const sandbox = await startSandbox()
    await sandbox.close()
    const start = await openBinanceSpot({ mode: "testnet", credentials, restUrl: sandbox.spotUrl, socketUrl: sandbox.spotApiSocketUrl })
    expect(start).toMatchObject({ _tag: "NotStarted", code: "UNREACHABLE" })
  })

  test("given another position mode than the one that is asked for, then it does not start", async () => {
    const fixture = await make("futures")
    await expect(fixture.open({ positionMode: "hedge" })).rejects.toThrow("POSITION_MODE")
    await fixture.open({ positionMode: "oneWay" })
  })
})

describe("user streams", () => {
  test.each([
    ["spot", "cut"],
    ["spot", "shutdown"],
    ["futures", "cut"],
    ["futures", "expireListenKey"],
  ] as const)("given %s and %s, then a gap is told, and what happens afterwards is heard", async (market, action) => {
    const fixture = await make(market)
    const heard = record(fixture.venue)
    fixture.sandbox.disturb(market, action)
    await eventually("the gap", () => heard.events.filter((event) => event._tag === "Gap").length === 2)
    const request = requestFor(fixture)
    valueOf(await fixture.venue.place(request))
    await eventually("its fill", () => heard.fillsOf(request.clientOrderId).length === 1)
  })

  test("given a listen key that died in silence, then an accepted order that is not heard of makes the stream anew", async () => {
    const fixture = await make("futures", { venue: { newsWithinMs: 200 } })
    const heard = record(fixture.venue)
    fixture.sandbox.disturb("futures", "killListenKey")
    valueOf(await fixture.venue.place(requestFor(fixture)))
    await eventually("the gap", () => heard.events.filter((event) => event._tag === "Gap").length === 2)
    expect(fixture.troubles.map((trouble) => trouble.code)).toContain("STREAM_DUMB")
    const request = requestFor(fixture)
    valueOf(await fixture.venue.place(request))
    await eventually("its fill", () => heard.fillsOf(request.clientOrderId).length === 1)
  })

  test.each(["spot", "futures"] as const)("given %s and orders that are heard of, then the stream is left alone", async (market) => {
    const fixture = await make(market, { venue: { newsWithinMs: 1_500 } })
    const heard = record(fixture.venue)
    valueOf(await fixture.venue.place(requestFor(fixture)))
    valueOf(await fixture.venue.place(requestFor(fixture, { type: "limit", price: "40000", timeInForce: "GTC" })))
    valueOf(await fixture.venue.place(requestFor(fixture, { type: "stop", triggerPrice: "60000" })))
    await new Promise((resolve) => setTimeout(resolve, 1_700))
    expect(heard.events.filter((event) => event._tag === "Gap")).toHaveLength(1)
    expect(fixture.troubles).toEqual([])
  })

  test("given events that are lost, then polling shows the fill, exact", async () => {
    const fixture = await make("futures", { sandbox: { faults: [{ kind: "dropEvent" }] } })
    const heard = record(fixture.venue)
    const request = requestFor(fixture)
    valueOf(await fixture.venue.place(request))
    const filled = await untilStatus(fixture, request, "filled")
    expect(filled.fills).toHaveLength(1)
    expect(heard.events.filter((event) => event._tag === "Order")).toEqual([])
  })

  test("given the child's fill before the news of its trigger, then it is told under the stop's own id", async () => {
    const swap: FaultRule = { kind: "delayEvent", ms: 150, match: { event: "ALGO_UPDATE" } }
    const fixture = await make("futures", { sandbox: { faults: [swap] } })
    const heard = record(fixture.venue)
    const entry = requestFor(fixture)
    valueOf(await fixture.venue.place(entry))
    await untilStatus(fixture, entry, "filled")
    const stop = requestFor(fixture, {
      clientOrderId: freshId("S"),
      leg: "stop",
      side: "sell",
      reduceOnly: true,
      type: "stop",
      triggerPrice: "49000",
    })
    const placed = valueOf(await fixture.venue.place(stop))
    await fixture.setPrice("48900")
    await eventually("the stop's fill", () => heard.fillsOf(stop.clientOrderId).length === 1)
    const order = await untilStatus(fixture, stop, "filled")
    expect(order).toMatchObject({ venueOrderId: placed.venueOrderId, type: "stop", filledQuantity: "0.01", filledQuote: "489" })
    expect(answer(await fixture.venue.fills(SYMBOL, "futures", stop)).map((fill) => fill.tradeId)).toEqual(
      heard.fillsOf(stop.clientOrderId),
    )
    const told = heard.events.filter((event) => event._tag === "Order" && event.order.clientOrderId === stop.clientOrderId)
    expect(new Set(told.map((event) => (event._tag === "Order" ? event.order.venueOrderId : "")))).toEqual(new Set([placed.venueOrderId]))
  })
})

describe("every type, both sides, as far as each market has them", () => {
  const cases: readonly (readonly [Market, "oneWay" | "hedge", Side])[] = [
    ["futures", "oneWay", "buy"],
    ["futures", "oneWay", "sell"],
    ["futures", "hedge", "buy"],
    ["futures", "hedge", "sell"],
    ["spot", "oneWay", "buy"],
  ]
  test.each(cases)(
    "given %s in %s mode and %s entries, then all six types fill, and their fills are the exchange's trades",
    async (market, mode, side) => {
      const spot = { USDT: "100000" }
      const fixture = await make(market, {
        sandbox: {
          accounts: [{ name: "main", apiKey: EXAMPLE_KEY, apiSecret: EXAMPLE_SECRET, spot, futures: spot, hedgeMode: mode === "hedge" }],
          fees: { commission: "received" },
        },
      })
      const up = side === "buy"
      const types: readonly (readonly [OrderType, { price?: string; triggerPrice?: string }])[] = [
        ["market", {}],
        ["limit", { price: up ? "50500" : "49500" }],
        ["stop", { triggerPrice: up ? "51000" : "49000" }],
        ["stop_limit", { triggerPrice: up ? "51000" : "49000", price: up ? "51500" : "48500" }],
        ["take_profit", { triggerPrice: up ? "49000" : "51000" }],
        ["take_profit_limit", { triggerPrice: up ? "49000" : "51000", price: up ? "49500" : "50500" }],
      ]
      const requests = types.map(([type, prices]) => requestFor(fixture, { type, side, positionSide: up ? "long" : "short", ...prices }))
      for (const request of requests) expect(valueOf(await fixture.venue.place(request)).order.type).toBe(request.type)
      await fixture.setPrice("51000")
      await fixture.setPrice("49000")
      for (const request of requests) {
        const order = await untilStatus(fixture, request, "filled")
        expect(order).toMatchObject({ type: request.type, side, filledQuantity: "0.01" })
        const fills = answer(await fixture.venue.fills(SYMBOL, market, request))
        // The news of a trade and the trade may bear times a millisecond apart.
        const timeless = (list: readonly Fill[]): readonly Fill[] => list.map((fill) => ({ ...fill, atMs: 0 }))
        expect(timeless(order.fills ?? [])).toEqual(timeless(fills))
        const { trades } = fixture.sandbox.ledger()
        const childless = trades.filter((trade) => trade.clientId === request.clientOrderId && trade.market === market)
        expect(fills.map((fill) => fill.tradeId)).toEqual(childless.map((trade) => trade.tradeId))
        for (const [n, fill] of fills.entries()) {
          expect(eq(dec(fill.fee), dec(childless[n]?.commission ?? "-1"))).toBe(true)
          expect(fill.feeAsset).toBe(childless[n]?.commissionAsset)
          expect(fill.feeQuote).not.toBe("0")
        }
      }
      if (market === "spot") return
      const positions = answer(await fixture.venue.positions())
      expect(positions).toEqual([expect.objectContaining({ symbol: SYMBOL, side: up ? "long" : "short", quantity: "0.06" })])
      // And out again, with a stop that reduces.
      const stop = requestFor(fixture, {
        clientOrderId: freshId("S"),
        leg: "stop",
        side: up ? "sell" : "buy",
        positionSide: up ? "long" : "short",
        reduceOnly: true,
        type: "stop",
        quantity: "0.06",
        triggerPrice: up ? "48000" : "52000",
      })
      valueOf(await fixture.venue.place(stop))
      await fixture.setPrice(up ? "47900" : "52100")
      await untilStatus(fixture, stop, "filled")
      expect(answer(await fixture.venue.positions())).toEqual([])
    },
  )

  test("given a stop-limit whose child rests, when it is cancelled, then the child is, and what it is now is told", async () => {
    const fixture = await make("futures")
    const request = requestFor(fixture, { type: "stop_limit", triggerPrice: "51000", price: "50500" })
    valueOf(await fixture.venue.place(request))
    await fixture.setPrice("51000")
    await eventually("the child", async () => fixture.sandbox.ledger().algoOrders[0]?.childOrderId !== "")
    expect(await find(fixture, request)).toMatchObject({ status: "new", type: "stop_limit" })
    expect(answer(await fixture.venue.openOrders(SYMBOL, "futures")).map((order) => order.clientOrderId)).toEqual([request.clientOrderId])
    expect(valueOf(await fixture.venue.cancel(SYMBOL, "futures", request.clientOrderId))).toMatchObject({ status: "cancelled" })
    expect(await find(fixture, request)).toMatchObject({ status: "cancelled", filledQuantity: "0" })
    expect(answer(await fixture.venue.openOrders())).toEqual([])
  })

  test("given orders of a process that remembers nothing, then stop and child are found, cancelled, and their fills told", async () => {
    const fixture = await make("futures")
    const resting = requestFor(fixture, { clientOrderId: freshId("E"), type: "stop", triggerPrice: "60000" })
    const fired = requestFor(fixture, { clientOrderId: freshId("E"), type: "stop", triggerPrice: "50100" })
    valueOf(await fixture.venue.place(resting))
    valueOf(await fixture.venue.place(fired))
    await fixture.setPrice("50200")
    await fixture.restart()
    expect(await untilStatus(fixture, fired, "filled")).toMatchObject({ type: "stop", filledQuantity: "0.01" })
    expect(answer(await fixture.venue.fills(SYMBOL, "futures", fired))).toHaveLength(1)
    expect(valueOf(await fixture.venue.cancel(SYMBOL, "futures", resting.clientOrderId))).toMatchObject({
      status: "cancelled",
      type: "stop",
    })
  })

  test("given leverage and margin type in the settings, then they are set before the first entry of a symbol, once", async () => {
    const fixture = await make("futures", { venue: { leverage: 3, marginType: "isolated" } })
    valueOf(await fixture.venue.place(requestFor(fixture)))
    valueOf(await fixture.venue.place(requestFor(fixture)))
    const account = fixture.sandbox.world.exchange.account("main")
    expect([account.leverage.get(SYMBOL), account.marginType.get(SYMBOL)]).toEqual([3, "ISOLATED"])
  })
})

describe("what the exchange does when it is unwell", () => {
  const unwell: readonly (readonly [string, FaultRule, object])[] = [
    ["-1007, executed", { kind: "timeout", executed: true }, { _tag: "Unknown", reason: "-1007" }],
    ["-1007, not executed", { kind: "timeout", executed: false }, { _tag: "Unknown", reason: "-1007" }],
    ["a 502 of a proxy, executed", { kind: "http", status: 502, executed: true }, { _tag: "Unknown", reason: "HTTP_502" }],
    ["a 403 of the firewall", { kind: "http", status: 403, executed: false }, { _tag: "Unknown", reason: "HTTP_403" }],
    [
      "a 200 that is no JSON",
      { kind: "http", status: 200, executed: true, body: "<html>" },
      { _tag: "Unknown", reason: "UNREADABLE_ANSWER" },
    ],
    ["silence", { kind: "loseReply", hang: true }, { _tag: "Unknown", reason: "TIMEOUT" }],
    [
      "a key without permission",
      { kind: "refuse", code: -2015, msg: "Invalid API-key, IP, or permissions for action.", status: 401 },
      { class: "account" },
    ],
    ["a slow way to the engine", { kind: "slow", beforeMs: 1_200 }, { _tag: "Refused", class: "retry" }],
  ]
  for (const market of ["spot", "futures"] as const)
    test.each(unwell)(`given ${market} and %s, then the outcome says exactly as much as is known`, async (_what, rule, expected) => {
      // Silence is waited for; everything else is an answer, however slow this machine is.
      const fixture = await make(market, { venue: { timeoutMs: rule.kind === "loseReply" ? 700 : 10_000 } })
      fixture.sandbox.addFaults({ ...rule, count: 1, match: { op: "order.place" } })
      const request = requestFor(fixture, { receiveWindowMs: 1_000 })
      expect(await fixture.venue.place(request)).toMatchObject(expected)
      const executed = fixture.sandbox.ledger().orders.filter((order) => order.clientId === request.clientOrderId)
      expect(executed.length).toBeLessThanOrEqual(1)
      // What is asked afterwards agrees with the exchange's own memory.
      expect((await find(fixture, request)) !== undefined).toBe(executed.length === 1)
    })

  test("given a ban, then nothing leaves any more, and until when is said", async () => {
    const fixture = await make("futures")
    fixture.sandbox.addFaults({ kind: "rateLimit", status: 418, retryAfterS: 60, count: 1 })
    expect(await fixture.venue.positions()).toMatchObject({ _tag: "Unknown" })
    const outcome = await fixture.venue.place(requestFor(fixture))
    expect(outcome).toMatchObject({ _tag: "Refused", class: "rateLimit", code: "RATE_BUDGET" })
    const retryAtMs = outcome._tag === "Refused" ? (outcome.retryAtMs ?? 0) : 0
    expect(retryAtMs - Date.now()).toBeGreaterThan(50_000)
    expect(await fixture.allClientIds()).toEqual([])
    expect(fixture.sandbox.ledger().limited.futures[418]).toBe(1)
    expect(fixture.troubles.map((trouble) => trouble.code)).toContain("RATE_LIMITED")
  })

  test.each(["spot", "futures"] as const)(
    "given more orders than %s lets through, then no 429 is provoked, and exits still pass",
    async (market) => {
      const fixture = await make(market, { sandbox: { limits: { spot: { banAfter: 1 }, futures: { banAfter: 1 } } } })
      const entries = Array.from({ length: 400 }, () =>
        requestFor(fixture, { type: "limit", price: "40000", quantity: "0.002", timeInForce: "GTC" }),
      )
      const outcomes = await Promise.all(entries.map((request) => fixture.venue.place(request)))
      const held = outcomes.filter((outcome) => outcome._tag === "Refused" && outcome.code === "RATE_BUDGET")
      expect(held.length).toBeGreaterThan(0)
      const first = entries[outcomes.findIndex((outcome) => outcome._tag === "Accepted")]
      if (first === undefined) throw new Error("not one was taken")
      expect((await fixture.venue.cancel(SYMBOL, market, first.clientOrderId))._tag).toBe("Accepted")
      const taken = outcomes.filter((outcome) => outcome._tag === "Accepted").length
      expect(await fixture.allClientIds()).toHaveLength(taken)
      expect(fixture.sandbox.ledger().limited[market]).toEqual({ 429: 0, 418: 0 })
    },
  )
})

describe.each(["spot", "futures"] as const)("whatever %s answers", (market) => {
  test("given any JSON to every request, then no method rejects, nothing is taken for an order, and no error is nothing", async () => {
    // With a whole rate budget to the end: an answer that was never asked for would show nothing.
    const roomy = { limits: [], banAfter: 1_000_000, firstBanMs: 1 }
    const fixture = await make(market, {
      sandbox: { limits: { spot: roomy, futures: roomy } },
      venue: { maxRequestsPerMinute: 100_000 },
    })
    const { venue } = fixture
    const request = requestFor(fixture)
    const bodies = [
      ...fc.sample(fc.jsonValue(), 40).map((value) => JSON.stringify(value)),
      "[]",
      "",
      "<html>",
      "[null]",
      `[{"symbol":1}]`,
      `{"code":"x"}`,
    ]
    for (const body of bodies) {
      fixture.sandbox.clearFaults()
      fixture.sandbox.addFaults({ kind: "http", status: 200, body, executed: false })
      expect((await venue.place(request))._tag).not.toBe("Accepted")
      expect((await venue.cancel(SYMBOL, market, freshId()))._tag).not.toBe("Accepted")
      expect(await venue.query(SYMBOL, market, freshId())).toMatchObject({ _tag: "Unknown" })
      // Only an empty list may say that there is nothing, and it does.
      expect([body, (await venue.openOrders())._tag]).toEqual([body, body === "[]" ? "Known" : "Unknown"])
      // Fills of an order that cannot even be looked up.
      expect([body, (await venue.fills(SYMBOL, market, request))._tag]).toEqual([body, "Unknown"])
      await venue.balances()
      await venue.positions()
    }
    const codes = fixture.troubles.map((trouble) => trouble.code)
    for (const code of ["ADAPTER_ERROR", "RATE_LIMITED", "RATE_BUDGET"]) expect(codes).not.toContain(code)
    // Every question went out: not one was held back.
    const { tally } = fixture.sandbox.world.gates[market]
    expect(tally.get("order.open")?.requests ?? 0).toBeGreaterThanOrEqual(bodies.length)
  })
})

test("given a run full of failures, then nothing that leaves the adapters holds key, secret, signature or listen key", async () => {
  const said: unknown[] = []
  for (const market of ["spot", "futures"] as const) {
    const fixture = await make(market, { venue: { timeoutMs: 400 } })
    const heard = record(fixture.venue)
    const echo = `no: ${EXAMPLE_KEY} signature=${"a".repeat(64)} ${EXAMPLE_SECRET}`
    const rules: readonly FaultRule[] = [
      { kind: "refuse", code: -1022, msg: echo },
      { kind: "http", status: 502, body: echo, executed: false },
      { kind: "http", status: 200, body: `{"code":-9999,"msg":"${echo}"}`, executed: true },
      { kind: "loseReply" },
      { kind: "dropRequest" },
      { kind: "timeout", executed: true },
    ]
    for (const rule of rules) {
      fixture.sandbox.clearFaults()
      fixture.sandbox.addFaults(rule)
      said.push(await fixture.venue.place(requestFor(fixture)), await fixture.venue.query(SYMBOL, market, freshId()))
      said.push(await fixture.venue.cancel(SYMBOL, market, freshId()), await fixture.venue.balances(), await fixture.venue.openOrders())
    }
    fixture.sandbox.clearFaults()
    const good = requestFor(fixture)
    said.push(await fixture.venue.place(good))
    fixture.sandbox.disturb(market, "cut")
    await eventually("the gap", () => heard.events.filter((event) => event._tag === "Gap").length === 2)
    said.push(heard.events, fixture.troubles)
  }
  const text = JSON.stringify(said)
  expect(text.length).toBeGreaterThan(1_000)
  for (const secret of [EXAMPLE_KEY, EXAMPLE_SECRET, "a".repeat(64)]) expect(text).not.toContain(secret)
  expect(text).not.toMatch(/signature=[0-9a-f]/)
  expect(text).not.toMatch(/listenKey=(?!\*)/)
})

test("given a symbol in use, then its price is read and has an age; given one that nobody knows, then there is none", async () => {
  for (const market of ["spot", "futures"] as const) {
    const fixture = await make(market, { venue: { pricePollMs: 20 } })
    expect(fixture.venue.price(SYMBOL, market)).toBeUndefined()
    const price = await eventually("a price", () => fixture.venue.price(SYMBOL, market))
    expect(price).toMatchObject({ symbol: SYMBOL, source: market === "spot" ? "book" : "mark" })
    expect(Date.now() - price.atMs).toBeLessThan(5_000)
    expect(Math.abs(Number(price.price) - 50_000)).toBeLessThan(1)
    expect(fixture.venue.price("NOSUCH", market)).toBeUndefined()
  }
})
