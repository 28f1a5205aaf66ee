/** What is not traded: hostile bytes, wrong fields, and decisions against a signal. Nothing of it is lost, or fatal. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { checkWorld } from "../support/oracle.ts"
import { type SignalBody, signal } from "../support/signals.ts"
import { until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
beforeAll(async () => {
  world = await World.create({
    env: { MAX_OPEN_POSITIONS: "2", SYMBOLS_DENIED: "DOGEUSDT", MAX_POSITION_NOTIONAL: "5000", SIMULATION_BALANCE_USDT: "9000" },
  })
  await world.start()
})
afterAll(() => world.close())

interface Kept {
  readonly code: string
  readonly raw?: string
  readonly encoding?: string
  readonly length: number
  readonly kept: string
  readonly fields: readonly { readonly field: string }[]
}
const rejected = (): Promise<readonly Kept[]> =>
  world.withStore(async (store) => {
    const found: Kept[] = []
    for await (const batch of store.rawStreams("rejected/"))
      for (const { events } of batch) for (const event of events) found.push((JSON.parse(event.text) as { data: Kept }).data)
    return found
  })

const big = (bytes: number): string => JSON.stringify({ ...signal(), note: "x".repeat(bytes) })
const HOSTILE: readonly { readonly name: string; readonly bytes: Uint8Array; readonly code: string }[] = [
  { name: "nothing", bytes: Buffer.from(""), code: "EMPTY" },
  { name: "blanks", bytes: Buffer.from("  \n"), code: "EMPTY" },
  { name: "a truncated object", bytes: Buffer.from(JSON.stringify(signal()).slice(0, -9)), code: "NOT_JSON" },
  { name: "bytes that are no UTF-8", bytes: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), code: "NOT_UTF8" },
  { name: "10,000 deep", bytes: Buffer.from("[".repeat(10_000)), code: "TOO_DEEP" },
  { name: "10,000 deep objects", bytes: Buffer.from('{"a":'.repeat(10_000)), code: "TOO_DEEP" },
  { name: "a key twice", bytes: Buffer.from('{"strategy_id":"a","strategy_id":"b"}'), code: "DUPLICATE_KEY" },
  { name: "an array", bytes: Buffer.from(`[${JSON.stringify(signal())}]`), code: "NOT_AN_OBJECT" },
  { name: "a number", bytes: Buffer.from("42"), code: "NOT_AN_OBJECT" },
  { name: "JSON in a string", bytes: Buffer.from(JSON.stringify(JSON.stringify(signal()))), code: "DOUBLE_ENCODED" },
  { name: "__proto__", bytes: Buffer.from('{"__proto__":{"price":1},"strategy_id":"a"}'), code: "FORBIDDEN_KEY" },
  { name: "no fields", bytes: Buffer.from("{}"), code: "INVALID_FIELDS" },
  { name: "a confidence in percent", bytes: Buffer.from(JSON.stringify(signal({ confidence: 85 }))), code: "INVALID_FIELDS" },
  { name: "a price of NaN", bytes: Buffer.from(JSON.stringify(signal()).replace('"price":50000', '"price":NaN')), code: "NOT_JSON" },
  { name: "a negative price", bytes: Buffer.from(JSON.stringify(signal({ price: -1 }))), code: "INVALID_FIELDS" },
  { name: "a boolean price", bytes: Buffer.from(JSON.stringify(signal({ price: true }))), code: "INVALID_FIELDS" },
  { name: "a time that is none", bytes: Buffer.from(JSON.stringify(signal({ timestamp: "yesterday" }))), code: "INVALID_FIELDS" },
  { name: "an unknown action", bytes: Buffer.from(JSON.stringify(signal({ action: "buyy" }))), code: "INVALID_FIELDS" },
]

describe("given hostile messages", () => {
  it.each(HOSTILE)("when $name comes by NATS, then it is kept raw with its reason: $code", async ({ bytes, code }) => {
    const before = await rejected()
    world.publish(bytes)
    const kept = await until(
      async () => {
        const now = await rejected()
        return now.length > before.length ? now : undefined
      },
      { what: "the rejection" },
    )
    const news = kept.filter((one) => !before.some((old) => JSON.stringify(old) === JSON.stringify(one)))
    expect(news).toHaveLength(1)
    expect(news[0]).toMatchObject({ code, length: bytes.length, kept: "whole" })
    expect(Buffer.from(news[0]?.raw ?? "", news[0]?.encoding === "base64" ? "base64" : "utf8")).toEqual(Buffer.from(bytes))
    expect(await world.messages("SIGNALS")).toBe(0)
  })

  it.each(HOSTILE)("when $name comes by HTTP, then the answer is 400 with a detail", async ({ bytes }) => {
    const reply = await world.http("POST", "/trade", bytes)
    expect(reply.status, reply.text).toBe(400)
    expect(reply.json.detail).toBeDefined()
    expect(reply.text.length).toBeLessThan(5000)
  })

  it("when a wrong signal names its strategy, then its bot hears on execution.events what is wrong with it", async () => {
    const heard: string[] = []
    const ears = world.nc.subscribe("execution.events.wired_wrongly", { callback: (_, message) => void heard.push(message.string()) })
    await world.nc.flush()
    world.publish(Buffer.from(JSON.stringify(signal({ strategy_id: "wired_wrongly", signal_id: "w 1", confidence: 85 }))))
    const told = await until(() => heard[0], { what: "the news" })
    ears.unsubscribe()
    expect(JSON.parse(told)).toMatchObject({
      signal_id: "w 1",
      strategy_id: "wired_wrongly",
      event: "rejected",
      reason: { code: "INVALID_FIELDS" },
      fields: [{ field: "confidence" }],
    })
  })

  it("when a body of 900 kB is refused by NATS, then its head, length and hash are kept; over HTTP 1.5 MB is 413", async () => {
    const text = big(900_000).replace('"confidence":0.9', '"confidence":"none"')
    world.publish(text)
    const kept = await until(async () => (await rejected()).find((one) => one.length === text.length), { what: "the rejection" })
    expect(kept).toMatchObject({ kept: "cut", code: "INVALID_FIELDS" })
    expect(kept.raw?.length).toBe(64 * 1024)
    const reply = await world.http("POST", "/trade", big(1_500_000))
    expect(reply.status).toBe(413)
    expect(reply.json.detail).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  it("when fields are wrong, then the answer names each", async () => {
    const reply = await world.trade({ symbol: "BTCUSDT", action: "buy", confidence: 85, price: 0 })
    expect(reply.status).toBe(400)
    expect(reply.json.detail.map((one: { field: string }) => one.field)).toEqual(
      expect.arrayContaining(["strategy_id", "confidence", "price"]),
    )
  })

  it("and then the engine is well, and trades", async () => {
    expect((await world.get("/readyz")).status).toBe(200)
    expect(world.engines.at(-1)?.running).toBe(true)
    const reply = await world.trade(signal({ strategy_id: "survivor" }))
    expect(reply.status, reply.text).toBe(200)
  })
})

describe("given signals that are understood and not wanted", () => {
  const DECLINED: readonly { readonly name: string; readonly change: SignalBody; readonly code: string }[] = [
    { name: "too little confidence", change: { confidence: 0.4 }, code: "LOW_CONFIDENCE" },
    { name: "six minutes old", change: { timestamp: new Date(Date.now() - 360_000).toISOString() }, code: "SIGNAL_TOO_OLD" },
    { name: "an hour ahead", change: { timestamp: new Date(Date.now() + 3_600_000).toISOString() }, code: "SIGNAL_FROM_FUTURE" },
    { name: "an unknown symbol", change: { symbol: "NOSUCHUSDT" }, code: "SYMBOL_UNKNOWN" },
    { name: "a denied symbol", change: { symbol: "DOGEUSDT", price: 0.1, current_price: 0.1, quantity: 1000 }, code: "SYMBOL_NOT_ALLOWED" },
    { name: "worth too much", change: { quantity: 1 }, code: "MAX_POSITION_NOTIONAL" },
    { name: "a stop on the wrong side", change: { stop_loss: 51_000 }, code: "STOP_SIDE" },
    { name: "a target on the wrong side", change: { take_profit: 49_000 }, code: "TARGET_SIDE" },
    { name: "a sale on spot", change: { market: "spot", action: "sell" }, code: "SHORT_NOT_SUPPORTED" },
    { name: "less than the exchange takes", change: { quantity: 0.0001 }, code: "" },
  ]
  it.each(DECLINED)("when it is $name, then it is declined with a code, and a dry run says the same", async ({ change, code }) => {
    const body = signal(change)
    const dry = await world.http("POST", "/trade?dry_run=true", body)
    expect(dry.status, dry.text).toBe(200)
    expect(dry.json).toMatchObject({ dry_run: true, decision: "decline" })
    expect(await world.row(body.signal_id)).toBeUndefined()
    const reply = await world.trade(body)
    expect(reply.status, reply.text).toBe(400)
    expect(reply.json.detail).toMatchObject({ class: "declined", code: dry.json.reason.code })
    if (code !== "") expect(reply.json.detail.code).toBe(code)
    expect(await world.row(body.signal_id)).toMatchObject({ state: "failed", reason: reply.json.detail.code, done: true })
  })

  it("when a dry run would be placed, then it says size and prices, and nothing has happened", async () => {
    const ledger = world.paper.ledger().orders.length
    const body = signal({ stop_loss: 49_000, take_profit: 52_000 })
    const dry = await world.http("POST", "/trade?dry_run=true", body)
    expect(dry.json).toMatchObject({ decision: "place", size: { quantity: 0.01, stop_loss: 49000, take_profit: 52000 } })
    expect(await world.row(body.signal_id)).toBeUndefined()
    expect(world.paper.ledger().orders.length).toBe(ledger)
  })

  it("when three come at once and there is room for one, then exactly one is filled", async () => {
    const bodies = [signal(), signal(), signal()]
    const replies = await Promise.all(bodies.map((body) => world.trade(body)))
    expect(replies.map((reply) => reply.status).toSorted()).toEqual([200, 400, 400])
    for (const reply of replies) if (reply.status === 400) expect(reply.json.detail.code).toBe("MAX_OPEN_POSITIONS")
  })

  it("and then nothing is wrong in the whole world", async () => {
    expect((await checkWorld(world)).problems).toEqual([])
  })
})
