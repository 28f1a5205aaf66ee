/** When the rows of orders are written, on a server that only counts: soon; where it scans in pauses, rarely under load; with rest after a slow flush. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { MongoConnection } from "../src/mongodb/connect.ts"
import { OrderProjection } from "../src/mongodb/projection.ts"
import { appendOf, orderIdFor } from "../src/testing/index.ts"

const EVERY_MS = 500

interface Written {
  readonly atMs: number
  readonly order: string
  readonly version: number
  readonly inserted: boolean
}

/** A server that has every row, takes `tookMs` for a write, and remembers what it was asked. */
const countingServer = (scans: boolean, tookMs: number): { readonly db: MongoConnection; readonly written: Written[] } => {
  const written: Written[] = []
  const rowOf = (operation: Record<string, never>): Omit<Written, "atMs"> => {
    const { insertOne, updateOne } = operation as {
      readonly insertOne?: { readonly document: { readonly _id: string; readonly version: number } }
      readonly updateOne?: { readonly filter: { readonly _id: string }; readonly update: { readonly $set: { readonly version: number } } }
    }
    return insertOne === undefined
      ? { order: updateOne?.filter._id ?? "", version: updateOne?.update.$set.version ?? 0, inserted: false }
      : { order: insertOne.document._id, version: insertOne.document.version, inserted: true }
  }
  const db = {
    scans,
    meta: { updateOne: async () => undefined, deleteOne: async () => undefined },
    orders: {
      bulkWrite: async (operations: readonly Record<string, never>[]) => {
        await new Promise((resolve) => setTimeout(resolve, tookMs))
        for (const operation of operations) written.push({ atMs: performance.now(), ...rowOf(operation) })
      },
      find: () => ({ toArray: async () => [] }),
    },
  }
  return { db: db as unknown as MongoConnection, written }
}

describe("the projection's timing", () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const append = async (projection: OrderProjection, seed: number, versions: number): Promise<void> => {
    const whole = appendOf(
      seed,
      Array.from({ length: versions }, () => ({})),
    )
    const last = { ...whole, records: versions === 1 ? whole.records : whole.records.slice(-1) }
    const token = await projection.begin(last.records[0]?.record.at ?? "")
    // On its way for a moment.
    await vi.advanceTimersByTimeAsync(5)
    projection.end(token, [last], [{ _tag: "Appended" }])
  }

  /** An order a 100 ms, each of four appends; for so long. */
  const load = async (projection: OrderProjection, forMs: number, first = 0): Promise<number> => {
    let seed = first
    for (const startMs = performance.now(); performance.now() - startMs < forMs; seed += 1)
      for (let version = 1; version <= 4; version += 1) {
        await append(projection, seed, version)
        await vi.advanceTimersByTimeAsync(20)
      }
    return seed
  }

  const open = (db: MongoConnection): OrderProjection =>
    new OrderProjection(db, {
      everyMs: EVERY_MS,
      onError: (error) => {
        throw error
      },
    })

  it("given a few appends and then a pause, then their rows are written after the time that rows are gathered", async () => {
    for (const scans of [false, true]) {
      const { db, written } = countingServer(scans, 1)
      const projection = open(db)
      const startMs = performance.now()
      for (const version of [1, 2, 3]) await append(projection, 1, version)
      await vi.advanceTimersByTimeAsync(EVERY_MS)
      expect(written).toMatchObject([{ order: orderIdFor(1), version: 3, inserted: true }])
      expect((written[0]?.atMs ?? 0) - startMs).toBeLessThan(EVERY_MS + 50)
      await projection.close()
    }
  })

  it("given appends without a pause, then rows are there soon all the same: other replicas count what is open from them", async () => {
    const { db, written } = countingServer(false, 1)
    const projection = open(db)
    const startMs = performance.now()
    await load(projection, 5000)
    const flushes = [0, ...new Set(written.map(({ atMs }) => atMs - startMs))]
    for (const [index, atMs] of flushes.slice(1).entries()) expect(atMs - (flushes[index] ?? 0)).toBeLessThan(EVERY_MS + 50)
    expect(flushes.length).toBeGreaterThan(8)
    await vi.advanceTimersByTimeAsync(EVERY_MS + 10)
    await projection.close()
  })

  it("given a server that scans, then rows wait for a pause, but not for ever, and almost every order is written once", async () => {
    const mostMs = 10_000
    const { db, written } = countingServer(true, 1)
    const projection = open(db)
    const startMs = performance.now()
    const orders = await load(projection, 3 * mostMs)
    const flushes = [...new Set(written.map(({ atMs }) => atMs))].map((atMs) => atMs - startMs)
    expect(flushes[0]).toBeGreaterThan(mostMs - EVERY_MS)
    expect(flushes[0]).toBeLessThan(mostMs + EVERY_MS + 50)
    expect(flushes.length).toBeLessThanOrEqual(6)
    const flushed = projection.flush()
    await vi.advanceTimersByTimeAsync(10)
    await flushed
    expect(new Set(written.map(({ order }) => order)).size).toBe(orders)
    expect(written.length).toBeLessThanOrEqual(orders + flushes.length)
    const newest = new Map(written.map(({ order, version }) => [order, version]))
    expect([...newest.values()].every((version) => version === 4)).toBe(true)
    await projection.close()
  })

  it("given a flush that took long, then the server has ten times as long a rest, also when appends came meanwhile", async () => {
    const { db, written } = countingServer(false, 1000)
    const projection = open(db)
    await append(projection, 1, 1)
    await vi.advanceTimersByTimeAsync(EVERY_MS + 10)
    // The first flush is on its way now.
    await append(projection, 2, 1)
    await vi.advanceTimersByTimeAsync(10_500)
    expect(written.map(({ order }) => order)).toEqual([orderIdFor(1)])
    await vi.advanceTimersByTimeAsync(2500)
    expect(written.map(({ order }) => order)).toEqual([orderIdFor(1), orderIdFor(2)])
    const closed = projection.close()
    await vi.advanceTimersByTimeAsync(5000)
    await closed
  })

  it("given rows that wait for a pause, when somebody asks for a list, then they are written at once", async () => {
    const { db, written } = countingServer(true, 1)
    const projection = open(db)
    await append(projection, 1, 1)
    const flushed = projection.flush()
    await vi.advanceTimersByTimeAsync(2)
    await flushed
    expect(written.length).toBe(1)
    await projection.close()
  })
})
