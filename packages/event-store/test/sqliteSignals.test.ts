/** Orders are found by their signals, however many groups of them there are, and in files that an older engine has written. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { SqliteEventStore } from "../src/index.ts"
import { appendOf, LIFE, orderIdFor } from "../src/testing/index.ts"
import { SIGNAL_GROUP } from "../src/sqlite/schema.ts"

/** As schema 1 was at first. */
const OLD = "DROP INDEX orders_signal_group; CREATE INDEX orders_signal ON orders (signal_id, no)"

describe("sqlite, orders by their signals", () => {
  let dir: string
  let file: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "petrosa-signals-"))
    file = join(dir, "events.db")
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const indexes = (): readonly string[] => {
    const db = new DatabaseSync(file)
    const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'orders_signal%'").all()
    db.close()
    return names.map(({ name }) => String(name))
  }

  it("given orders in several groups, then each is found, the newest of those with one signal, and none for a signal that never came", async () => {
    const store = SqliteEventStore.open({ file })
    const count = SIGNAL_GROUP * 2 + 10
    const isAgain = (n: number): boolean => n === 7 || n === SIGNAL_GROUP + 7
    const signalOf = (n: number): string => (isAgain(n) ? "again" : `signal ${n}`)
    // The venue's id of a newer order, and of an older one, that is a signal's too.
    const venueOf = (n: number): string | null => (n === 20 ? "signal 10" : n === 30 ? "signal 40" : null)
    for (let from = 0; from < count; from += 500) {
      const batch = Array.from({ length: Math.min(500, count - from) }, (_, i) =>
        appendOf(from + i, [{ signal_id: signalOf(from + i), binance_order_id: venueOf(from + i) }]),
      )
      expect((await store.append(batch)).every(({ _tag }) => _tag === "Appended")).toBe(true)
    }
    for (const n of [0, 1, SIGNAL_GROUP - 2, SIGNAL_GROUP - 1, SIGNAL_GROUP, 2 * SIGNAL_GROUP - 1, 2 * SIGNAL_GROUP, count - 1])
      expect((await store.findOrder(signalOf(n)))?.order).toBe(orderIdFor(n))
    expect((await store.findOrder("again"))?.order).toBe(orderIdFor(SIGNAL_GROUP + 7))
    expect((await store.findOrder("signal 10"))?.order).toBe(orderIdFor(20))
    expect((await store.findOrder("signal 40"))?.order).toBe(orderIdFor(40))
    expect(await store.findOrder("never")).toBeUndefined()
    await store.close()
  })

  it("given a file with the index of before, then readers find in it, and the next engine gives it the new one", async () => {
    const life = (n: number) =>
      appendOf(
        n,
        LIFE.map((fields) => ({ ...fields, signal_id: "same" })),
      )
    const store = SqliteEventStore.open({ file })
    await store.append([life(1), life(2)])
    await store.close()
    const older = new DatabaseSync(file)
    older.exec(OLD)
    older.close()
    const reader = SqliteEventStore.open({ file, readOnly: true })
    expect((await reader.findOrder("same"))?.order).toBe(orderIdFor(2))
    await reader.close()
    const engine = SqliteEventStore.open({ file, thread: true })
    expect(indexes()).toEqual(["orders_signal_group"])
    await engine.append([life(3)])
    expect((await engine.findOrder("same"))?.order).toBe(orderIdFor(3))
    await engine.close()
  })
})
