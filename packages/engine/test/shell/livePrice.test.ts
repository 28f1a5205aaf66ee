/** Decisions and requests with a feed of the market: waited for once, looked at last, never guessed. */
import { describe, expect, it } from "vitest"
import type { DecimalString, MarketPrice } from "@petrosa/contracts"
import { canonical, reason } from "@petrosa/contracts"
import { DEFAULT_DECISION_SETTINGS } from "@petrosa/lifecycle"
import type { MarketData, PriceRead } from "@petrosa/venue"
import type { VenueSeat } from "../../src/options.ts"
import { World } from "./world.ts"

/** A feed that tells what a test says. */
class ScriptedFeed implements MarketData {
  readonly feed = "binance"
  price: DecimalString | undefined
  ageMs = 0
  readonly prepared: string[] = []
  #come: () => void = () => undefined
  #waiting: Promise<void> | undefined
  nowMs: () => number = () => 0

  read(symbol: string, market: "spot" | "futures"): PriceRead {
    if (this.price === undefined) return { _tag: "Refused", reason: reason("PRICE_UNKNOWN") }
    const price: MarketPrice = { symbol, price: this.price, source: "book", atMs: this.nowMs() - this.ageMs, feed: "binance" }
    return this.ageMs > 10_000
      ? { _tag: "Refused", reason: reason("PRICE_STALE", `${this.ageMs} ms old`), stale: price }
      : { _tag: "Fresh", price, quote: { symbol, market, feed: "binance" } }
  }
  want(): boolean {
    return true
  }
  prepare(symbol: string): Promise<void> | undefined {
    if (this.price !== undefined) return undefined
    this.prepared.push(symbol)
    this.#waiting ??= new Promise((resolve) => {
      this.#come = resolve
    })
    return this.#waiting
  }
  come(price: string): void {
    this.price = canonical(price)
    this.#come()
  }
  onPrice(): () => void {
    return () => undefined
  }
  counts() {
    return { understood: 0, notUnderstood: 0, unknownSymbols: 0, outdated: 0, lost: 0, symbols: 0 }
  }
  async close(): Promise<void> {}
}

const start = async (price?: string) => {
  const world = await World.start({ decision: { ...DEFAULT_DECISION_SETTINGS, livePriceRequired: true } })
  const feed = new ScriptedFeed()
  feed.nowMs = () => world.clock.nowMs()
  if (price !== undefined) feed.price = canonical(price)
  // The world makes its own seat; the feed is all that it lacks.
  for (const seat of world.engine.desk.options.seats) (seat as { prices?: VenueSeat["prices"] }).prices = feed
  return { world, feed }
}

describe("the first price of a symbol", () => {
  it("given none yet, when a signal comes (twice), then its decision waits for the price, is one order, and names price, age and feed", async () => {
    const { world, feed } = await start()
    world.venue.fillsByItself.add("entry")
    const signal = world.signal()
    world.send(signal)
    world.send(signal)
    await world.pass(500)
    expect(feed.prepared).toEqual(["BTCUSDT", "BTCUSDT"])
    expect(await world.row(signal.signal_id)).toBeUndefined()
    expect(world.venue.sent("place entry")).toEqual([])
    feed.come("50010")
    expect(await world.until("it is filled", () => world.ended(signal))).toBe("filled")
    expect(world.venue.sent("place entry")).toHaveLength(1)
    const order = world.held[0]?.order
    if (order === undefined) throw new Error("no order is held")
    const validated = (await world.events(order)).find((event) => event.type === "SignalValidated")
    expect(validated?.data).toMatchObject({ livePrice: { price: "50010", source: "book", ageMs: 0, feed: "binance" } })
  })

  it("given an old price, then the entry is declined, with its age and the limit, and nothing is asked of the venue", async () => {
    const { world, feed } = await start("50000")
    feed.ageMs = 10_001
    const signal = world.signal()
    world.send(signal)
    expect(await world.until("it is declined", () => world.ended(signal))).toBe("failed PRICE_STALE")
    expect(world.venue.placed).toEqual([])
  })

  it("given an old price and an open lot, when an opposite signal or a close comes, then the lot is closed: nobody is kept from getting out", async () => {
    for (const way of [{ action: "sell" }, { action: "close" }]) {
      const { world, feed } = await start("50000")
      world.venue.fillsByItself.add("flatten")
      const { order } = await world.covered()
      feed.ageMs = 3_600_000
      world.send(world.signal(way))
      await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    }
  })

  it("given no price, when a close comes, then it does not wait for one", async () => {
    const { world, feed } = await start()
    const signal = world.signal({ action: "close" })
    world.send(signal)
    expect(await world.until("it is answered", () => world.ended(signal))).toBe("failed NOTHING_TO_CLOSE")
    expect(feed.prepared).toEqual([])
  })

  it("given signals, then they do not move the market of a venue that has a feed", async () => {
    const { world } = await start("50000")
    const observed: unknown[] = []
    Object.assign(world.venue, { observePrice: (price: unknown) => observed.push(price) })
    const signal = world.signal({ price: 50100, current_price: 50100 })
    world.send(signal)
    await world.until("it is taken", () => world.row(signal.signal_id))
    expect(observed).toEqual([])
  })
})

describe("the last look", () => {
  it("given an entry whose record takes its time, when the market goes through its stop meanwhile, then it does not leave", async () => {
    const { world, feed } = await start("50000")
    world.appends = "silent"
    const signal = world.signal({ stop_loss: 49_500, take_profit: 51_000 })
    world.send(signal)
    await world.pass(200)
    feed.price = canonical("49500")
    world.appends = "there"
    expect(await world.until("it is over", () => world.ended(signal))).toBe("failed STOP_SIDE")
    expect(world.venue.placed).toEqual([])
  })

  it("given the same, when the price becomes old meanwhile, then it does not leave", async () => {
    const { world, feed } = await start("50000")
    world.appends = "silent"
    const signal = world.signal()
    world.send(signal)
    await world.pass(200)
    feed.ageMs = 10_500
    world.appends = "there"
    expect(await world.until("it is over", () => world.ended(signal))).toBe("failed PRICE_STALE")
    expect(world.venue.placed).toEqual([])
  })

  it("given a fill, when the market is through the stop before that is sent, then no stop is sent: out at market", async () => {
    const { world, feed } = await start("50000")
    world.venue.fillsByItself.add("entry")
    world.venue.fillsByItself.add("flatten")
    world.venue.onReply = (request, reply) => {
      if (request.leg === "entry") feed.price = canonical("48000")
      return reply
    }
    const signal = world.signal({ stop_loss: 49_000, take_profit: 52_000 })
    world.send(signal)
    const row = await world.until("the lot is closed", async () => {
      const one = await world.row(signal.signal_id)
      return one?.done === true ? one : undefined
    })
    expect(world.venue.sent("place stop")).toEqual([])
    expect(world.venue.sent("place flatten")).toHaveLength(1)
    const refused = (await world.events(row.order as Parameters<typeof world.events>[0])).find((event) => event.type === "LegRefused")
    expect(refused?.data).toMatchObject({ leg: "stop", class: "wouldTrigger", code: "STOP_PASSED" })
  })

  it("given a fill and a price that is old, then the stop is sent all the same: the venue judges it", async () => {
    const { world, feed } = await start("50000")
    world.venue.fillsByItself.add("entry")
    world.venue.onReply = (request, reply) => {
      if (request.leg === "entry") feed.ageMs = 60_000
      return reply
    }
    const signal = world.signal({ stop_loss: 49_000, take_profit: 52_000 })
    world.send(signal)
    await world.until("it is covered", () => world.ended(signal))
    expect(world.venue.sent("place stop")).toHaveLength(1)
  })
})
