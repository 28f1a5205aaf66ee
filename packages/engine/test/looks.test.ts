import type { OrderId } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { Looks } from "../src/looks.ts"
import { ManualClock } from "./manualClock.ts"

interface Seen {
  readonly order: string
  readonly atMs: number
  readonly crowded: boolean
}

const world = () => {
  const clock = new ManualClock()
  const startMs = clock.nowMs()
  const seen: Seen[] = []
  const looks = new Looks(clock, (order, crowded) => seen.push({ order, atMs: clock.nowMs() - startMs, crowded }))
  return { clock, seen, looks }
}
const id = (n: number): OrderId => `order-${n}` as OrderId
const many = (count: number) => Array.from({ length: count }, (_, n) => id(n))

describe("when orders are looked at", () => {
  it("given an order of which nothing is heard, then it is looked at soon, and each time later", async () => {
    const { clock, seen, looks } = world()
    looks.watch(id(1), 1, undefined)
    await clock.pass(20_000)
    expect(seen.map(({ atMs }) => atMs)).toEqual([400, 1200, 2800, 6000, 11_000, 16_000])
  })

  it("given news, then the pause begins anew; the same version again is no news", async () => {
    const { clock, seen, looks } = world()
    looks.watch(id(1), 1, undefined)
    await clock.pass(399)
    looks.watch(id(1), 2, undefined)
    await clock.pass(399)
    expect(seen).toEqual([])
    looks.watch(id(1), 2, undefined)
    await clock.pass(1)
    expect(seen.map(({ atMs }) => atMs)).toEqual([798 + 1])
  })

  it("given news of one that has been quiet for long, then it is looked at soon again", async () => {
    const { clock, seen, looks } = world()
    looks.watch(id(1), 1, undefined)
    await clock.pass(12_000)
    seen.length = 0
    looks.watch(id(1), 2, undefined)
    await clock.pass(1500)
    expect(seen.map(({ atMs }) => atMs)).toEqual([12_400, 13_200])
  })

  it("given one that is forgotten, also while its turn has come, then it is not looked at", async () => {
    const { clock, seen, looks } = world()
    for (const one of many(20)) looks.watch(one, 1, undefined)
    await clock.pass(401)
    const before = new Set(seen.map(({ order }) => order))
    expect(before.size).toBe(5)
    for (const one of many(20)) if (!before.has(one)) looks.forget(one)
    await clock.pass(700)
    expect(new Set(seen.map(({ order }) => order))).toEqual(before)
  })

  it("given thousands of resting orders where nobody counts, then those that are quiet share fifty looks a second, a few at once", async () => {
    const { clock, seen, looks } = world()
    for (const one of many(2000)) looks.watch(one, 1, undefined)
    await clock.pass(100_000)
    const before = seen.length
    await clock.pass(100_000)
    const aSecond = (seen.length - before) / 100
    expect(aSecond).toBeGreaterThan(40)
    expect(aSecond).toBeLessThanOrEqual(55)
    const bursts = new Map<number, number>()
    for (const { atMs } of seen) bursts.set(atMs, (bursts.get(atMs) ?? 0) + 1)
    expect(Math.max(...bursts.values())).toBeLessThanOrEqual(5)
    // Nobody is left out.
    expect(new Set(seen.slice(before).map(({ order }) => order)).size).toBe(2000)
  })

  it("given a gap in the stream, then everybody's turn comes as soon as it can: 250 a second", async () => {
    const { clock, seen, looks } = world()
    for (const one of many(500)) looks.watch(one, 1, undefined)
    await clock.pass(120_000)
    seen.length = 0
    looks.all()
    await clock.pass(2100)
    expect(new Set(seen.map(({ order }) => order)).size).toBe(500)
  })

  it("given an exchange that counts questions, then a crowd is looked at every five seconds from one list, and others share the minute's questions", async () => {
    const { clock, seen, looks } = world()
    for (const one of many(4)) looks.watch(one, 1, "binance futures BTCUSDT")
    for (let n = 100; n < 200; n++) looks.watch(id(n), 1, `binance futures COIN${n}`)
    await clock.pass(120_000)
    seen.length = 0
    const minutes = 10
    await clock.pass(minutes * 60_000)
    const crowd = seen.filter(({ crowded }) => crowded)
    expect(new Set(crowd.map(({ order }) => order))).toEqual(new Set(many(4)))
    expect(crowd.length).toBeGreaterThanOrEqual(4 * 11 * minutes)
    expect(seen.length - crowd.length).toBeLessThanOrEqual(150 * minutes + 100)
    // One of the four is gone: what is left is no crowd.
    looks.forget(id(0))
    seen.length = 0
    await clock.pass(60_000)
    expect(seen.filter(({ crowded }) => crowded)).toEqual([])
  })

  it("given a stop, then nobody is looked at any more", async () => {
    const { clock, seen, looks } = world()
    for (const one of many(20)) looks.watch(one, 1, undefined)
    await clock.pass(400)
    looks.stop()
    const before = seen.length
    await clock.pass(10_000)
    expect(seen.length).toBe(before)
  })
})
