/**
 * The real process against the local Binance over HTTP and WebSocket: orders of both markets, their brackets as the exchange
 * has them, and what a crash or a pause in the middle leaves behind.
 */
import { readFileSync } from "node:fs"
import { dec, eq, sum } from "@petrosa/contracts"
import type { Fill, Market } from "@petrosa/contracts"
import { verifyChain } from "@petrosa/event-store"
import { afterEach, describe, expect, it, vi } from "vitest"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { KEYS, PRICE, serviceWorld } from "./serviceWorld.ts"
import type { ServiceWorld } from "./serviceWorld.ts"

vi.setConfig({ testTimeout: 30_000 * TIME_FACTOR })

let one: ServiceWorld
afterEach(() => one.close())

const LIMIT = { order_type: "limit", price: 49000, current_price: 50000 }

/** The protective orders of an order that are live at the exchange. */
const liveExits = (
  order: string,
  market: Market,
): readonly { readonly id: string; readonly quantity: string; readonly trigger: string }[] => {
  const { orders, algoOrders } = one.sandbox.ledger()
  if (market === "futures")
    return algoOrders
      .filter((algo) => algo.status === "NEW" && algo.clientAlgoId.includes(order))
      .map(({ clientAlgoId, quantity, triggerPrice }) => ({ id: clientAlgoId, quantity, trigger: triggerPrice }))
  return orders
    .filter((row) => row.market === "spot" && row.status === "NEW" && row.side === "SELL" && row.clientId.includes(order))
    .map(({ clientId, quantity, stopPrice, price }) => ({ id: clientId, quantity, trigger: Number(stopPrice) === 0 ? price : stopPrice }))
}
const entriesOf = (order: string) =>
  one.sandbox.ledger().orders.filter((row) => row.clientId.includes(order) && row.clientId.slice(26, 27) === "E")

/** Fills that our events know, and trades that the exchange made for the order, are the same. */
const sameTrades = async (order: string): Promise<void> => {
  const events = await one.world.trail(order)
  const fills = events.flatMap((event) => (event.data as { readonly fills?: readonly Fill[] }).fills ?? [])
  const { trades, algoOrders } = one.sandbox.ledger()
  const children = new Map(algoOrders.map((algo) => [algo.childOrderId, algo.clientAlgoId]))
  const mine = trades.filter((trade) => trade.clientId.includes(order) || (children.get(trade.orderId) ?? "").includes(order))
  expect(mine.length).toBeGreaterThan(0)
  expect(new Set(fills.map((fill) => fill.tradeId))).toEqual(new Set(mine.map((trade) => trade.tradeId)))
  expect(eq(sum(fills.map((fill) => dec(fill.quantity))), sum(mine.map((trade) => dec(trade.quantity))))).toBe(true)
  const stream = events[0]?.stream ?? ""
  const stored = await one.world.withStore((store) => store.readRaw(stream))
  expect(verifyChain(stream, stored)).toMatchObject({ ok: true })
}

const bracketed = async (order: string, market: Market): Promise<void> => {
  await until(() => liveExits(order, market).length === 2, {
    what: `stop and target of ${order} at the exchange`,
    seen: async () => ({
      types: await one.world.types(order),
      exits: liveExits(order, market),
      complaints: one.world.engines.at(-1)?.complaints.slice(-5),
    }),
    timeoutMs: 10_000,
  })
}

/** Of Linux: whether it is stopped. */
const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, "utf8")

const ask = (method: string, path: string) => one.world.http(method, path)

describe.each(["futures", "spot"] as const)("given an engine in testnet mode and a signal for %s", (market) => {
  it("when it is a market order, then it fills, stop and target appear at the exchange, and the target closes the lot", async () => {
    one = await serviceWorld()
    await one.world.start()
    const reply = await one.world.trade(signal({ market }))
    const order = String(reply.json.order)
    await one.world.settled(order, 10_000)
    await bracketed(order, market)
    expect(entriesOf(order)).toMatchObject([{ market, type: "MARKET", status: "FILLED", side: "BUY" }])
    const exits = liveExits(order, market)
    expect(exits.map(({ trigger }) => Math.round(Number(trigger))).sort()).toEqual([49000, 52500])
    expect((await one.world.row(order))?.state).toBe("filled")

    one.setPrice("52600")
    const row = await one.world.done(order, 10_000)
    expect(row).toMatchObject({ state: "filled", open_quantity: "0", simulation_mode: false })
    expect(Number(row.profit)).toBeGreaterThan(0)
    expect(liveExits(order, market)).toEqual([])
    const types = await one.world.types(order)
    for (const type of ["EntryAccepted", "StopAccepted", "TargetAccepted", "OrderCompleted", "ExitFilled", "LotClosed"])
      expect(types).toContain(type)
    await sameTrades(order)
  })

  it("when it is a limit order, then it rests, fills when the price comes, and gets its bracket; another is cancelled by its venue id", async () => {
    one = await serviceWorld()
    await one.world.start()
    const reply = await one.world.trade(signal({ market, ...LIMIT }))
    expect(reply.status).toBe(200)
    const order = String(reply.json.order)
    const other = await one.world.trade(signal({ market, ...LIMIT, price: 48000 }))
    const venueId = String(other.json.result.order_id)
    expect(entriesOf(order)).toMatchObject([{ market, status: "NEW", type: "LIMIT", price: expect.stringMatching(/^49000/) }])

    const elsewhere = market === "spot" ? "futures" : "spot"
    expect((await ask("DELETE", `/order/BTCUSDT/${venueId}?market=${elsewhere}`)).status).toBe(404)
    expect((await ask("DELETE", `/order/ETHUSDT/${venueId}`)).status).toBe(404)
    expect((await ask("DELETE", `/order/BTCUSDT/${venueId}?market=${market}`)).status).toBe(200)
    expect(entriesOf(String(other.json.order))).toMatchObject([{ status: "CANCELED" }])

    one.setPrice("48990")
    await one.world.settled(order, 10_000)
    await bracketed(order, market)
    const account = await ask("GET", `/account?market=${market}`)
    expect(account.json.data).toMatchObject({ venue: `binance-${market}`, mode: "testnet", markets: [market] })
    expect(account.json.data.lots).toMatchObject([{ order, market, quantity: expect.any(Number) }])
    const price = await ask("GET", `/price/BTCUSDT?market=${market}`)
    expect(Math.abs(price.json.price - 48990)).toBeLessThan(10)
  })
})

describe("given an engine in testnet mode", () => {
  it("when a short is signalled on futures, then its bracket is on the other sides; on spot it is declined", async () => {
    one = await serviceWorld({ env: { FUTURES_LEVERAGE: "3", FUTURES_MARGIN_TYPE: "isolated" } })
    await one.world.start()
    const reply = await one.world.trade(signal({ action: "sell" }))
    const order = String(reply.json.order)
    await bracketed(order, "futures")
    expect(
      liveExits(order, "futures")
        .map(({ trigger }) => Math.round(Number(trigger)))
        .sort(),
    ).toEqual([47500, 51000])
    const account = one.sandbox.world.exchange.account("main")
    expect([account.leverage.get("BTCUSDT"), account.marginType.get("BTCUSDT")]).toEqual([3, "ISOLATED"])
    const spot = await one.world.trade(signal({ action: "sell", market: "spot" }))
    expect([spot.status, spot.json.detail.code]).toEqual([400, "SHORT_NOT_SUPPORTED"])
    one.setPrice("51100")
    expect(await one.world.done(order, 10_000)).toMatchObject({ state: "filled", open_quantity: "0" })
    await sameTrades(order)
  })

  it("when stop and target triggers are set, then the exchange gets them so", async () => {
    one = await serviceWorld({ env: { FUTURES_STOP_TRIGGER: "contract", FUTURES_TARGET_TRIGGER: "mark" } })
    await one.world.start()
    const order = String((await one.world.trade(signal())).json.order)
    await bracketed(order, "futures")
    // The mark price alone passes the stop: it does not fire; the mark price alone passes the target: it does.
    one.sandbox.setPrice("BTCUSDT", PRICE, { mark: "48000" })
    one.sandbox.setPrice("BTCUSDT", PRICE, { mark: "53000" })
    const row = await one.world.done(order, 10_000)
    expect(row.open_quantity).toBe("0")
    const fired = one.sandbox.ledger().algoOrders.filter((algo) => algo.childOrderId !== "")
    expect(fired.map((algo) => algo.clientAlgoId.slice(26, 27))).toEqual(["T"])
  })

  it("when the account is in hedge mode, then long and short of two strategies are held side by side, each with its own bracket", async () => {
    const keys = { apiKey: KEYS.BINANCE_API_KEY, apiSecret: KEYS.BINANCE_API_SECRET }
    one = await serviceWorld({
      sandbox: { accounts: [{ name: "main", ...keys, futures: { USDT: "100000" }, hedgeMode: true }] },
      env: { FUTURES_POSITION_MODE: "hedge" },
    })
    await one.world.start()
    const long = String((await one.world.trade(signal())).json.order)
    const short = String((await one.world.trade(signal({ action: "sell" }))).json.order)
    await bracketed(long, "futures")
    await bracketed(short, "futures")
    expect((await ask("GET", "/account")).json.data.positions).toMatchObject([
      { side: "long", quantity: 0.01 },
      { side: "short", quantity: 0.01 },
    ])
  })

  it("when a market is left out, then its signals are declined, and its account is not there", async () => {
    one = await serviceWorld({ env: { BINANCE_MARKETS: "futures" } })
    await one.world.start()
    const reply = await one.world.trade(signal({ market: "spot" }))
    expect([reply.status, reply.json.detail.code]).toEqual([400, "MARKET_NOT_AVAILABLE"])
    expect((await ask("GET", "/account?market=spot")).status).toBe(404)
    expect((await ask("GET", "/account")).json.data.venue).toBe("binance-futures")
    expect(one.sandbox.ledger().orders).toEqual([])
  })

  it("when a signal says simulate, then it is traded on paper, and the exchange hears nothing of it", async () => {
    one = await serviceWorld()
    await one.world.start()
    const reply = await one.world.trade(signal({ simulate: true }))
    expect(reply.json.result).toMatchObject({ status: "filled", simulated: true })
    const real = await one.world.trade(signal())
    expect(real.json.result).toMatchObject({ status: "filled", simulated: false })
    expect(one.placed(String(reply.json.order), "futures")).toEqual([])
    expect(one.placed(String(real.json.order), "futures").length).toBeGreaterThan(0)
  })
})

describe("given a process that ends in the middle", () => {
  it.each(["venue.entry.after", "venue.stop.before", "venue.stop.after", "venue.target.after", "broker.lot.before"])(
    "when it is killed at %s and started again, then there is one entry, and what it filled is under its stop",
    async (point) => {
      one = await serviceWorld()
      const first = await one.world.start({ PETROSA_FAULT_POINT: `${point}:crash` })
      const sent = signal()
      one.world.publish(sent)
      expect(await first.ended).toMatchObject({ signal: "SIGKILL" })
      await one.world.start()
      const row = await one.world.settled(sent.signal_id, 20_000)
      expect(row.state).toBe("filled")
      await bracketed(row.order, "futures")
      expect(entriesOf(row.order)).toHaveLength(1)
      await sameTrades(row.order)
      one.setPrice("48900")
      expect(await one.world.done(row.order, 15_000)).toMatchObject({ open_quantity: "0" })
      expect(liveExits(row.order, "futures")).toEqual([])
    },
    120_000 * TIME_FACTOR,
  )

  // The exchange has a minute to show the entry before it is taken for absent.
  it.skipIf(process.env["PETROSA_LONG"] === undefined).each(["venue.entry.signed", "store.append.after"])(
    "when it is killed at %s, before the entry has left, then it is proven absent, given up, and never sent again",
    async (point) => {
      one = await serviceWorld()
      const first = await one.world.start({ PETROSA_FAULT_POINT: `${point}:crash` })
      const sent = signal()
      one.world.publish(sent)
      expect(await first.ended).toMatchObject({ signal: "SIGKILL" })
      await one.world.start()
      const row = await one.world.settled(sent.signal_id, 80_000)
      expect(row).toMatchObject({ state: "failed", reason: "NOT_PLACED" })
      expect(one.placed(row.order, "futures")).toEqual([])
    },
    120_000 * TIME_FACTOR,
  )

  it("when it is killed while a lot is open, and the stop fires meanwhile, then the next process closes the lot by the exchange's trades", async () => {
    one = await serviceWorld()
    const first = await one.world.start()
    const order = String((await one.world.trade(signal())).json.order)
    await bracketed(order, "futures")
    await first.kill()
    one.setPrice("48900")
    await one.world.start()
    expect(await one.world.done(order, 15_000)).toMatchObject({ state: "filled", open_quantity: "0" })
    expect(liveExits(order, "futures")).toEqual([])
    await sameTrades(order)
  })
})

describe("given a process that sleeps between the signature of its entry and the request", () => {
  it(
    "when it wakes after the deadline, then the exchange refuses what it sends, and the order ends without a position",
    async () => {
      one = await serviceWorld({ env: { SEND_DEADLINE_MS: "2500", RECEIVE_WINDOW_MS: "2000" } })
      const engine = await one.world.start({ PETROSA_FAULT_POINT: "venue.entry.signed:pause" })
      const sent = signal()
      one.world.publish(sent)
      const intent = await until(async () => (await one.world.trail(sent.signal_id)).find((event) => event.type === "EntryIntended"), {
        what: "the durable intent",
      })
      await until(() => /State:\s+T/.test(statusOf(engine.pid)), { what: "the process to sleep" })
      const { sendByMs } = intent.data as { readonly sendByMs: number }
      await until(() => Date.now() > sendByMs, { what: "the deadline to pass" })
      engine.wake()
      const row = await one.world.settled(sent.signal_id, 15_000)
      expect(row).toMatchObject({ state: "failed", open_quantity: "0", status: "rejected" })
      const refused = (await one.world.trail(row.order)).find((event) => event.type === "EntryRefused")
      expect(refused?.data).toMatchObject({ code: "-1021" })
      expect(entriesOf(row.order)).toEqual([])
      // And it goes on.
      expect((await one.world.trade(signal())).json.result.status).toBe("filled")
    },
    60_000 * TIME_FACTOR,
  )
})
