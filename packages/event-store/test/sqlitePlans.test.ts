/** A list or a look-up among a million orders must be answered by an index: what SQLite plans is looked at. */
import { DatabaseSync } from "node:sqlite"
import { describe, expect, it } from "vitest"
import { NEXT_NAMES, nameIndex } from "../src/sqlite/nameIndex.ts"
import { findOrder, listOrders, openOrderIds, openOrders } from "../src/sqlite/orders.ts"
import { prepareWriter } from "../src/sqlite/schema.ts"
import { readSnapshots } from "../src/sqlite/snapshots.ts"
import { UPCASTERS } from "../src/index.ts"

describe("sqlite, how lists are answered", () => {
  const db = new DatabaseSync(":memory:")
  prepareWriter(db)

  const plansOf = async (run: (prepare: (sql: string) => ReturnType<DatabaseSync["prepare"]>) => unknown): Promise<readonly string[]> => {
    const asked = new Set<string>()
    await run((sql) => {
      asked.add(sql)
      return db.prepare(sql)
    })
    expect(asked.size).toBeGreaterThan(0)
    return [...asked].flatMap((sql) => {
      const parameters = Array.from(sql.matchAll(/\?/g), () => 0)
      return db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...parameters)
        .map((row) => String(row.detail))
    })
  }

  it.each([
    ["findOrder", (prepare) => findOrder(prepare, "x")],
    ["all", (prepare) => listOrders(prepare, {})],
    ["state", (prepare) => listOrders(prepare, { state: "filled" })],
    ["status", (prepare) => listOrders(prepare, { status: "filled" })],
    ["reason", (prepare) => listOrders(prepare, { reason: "HOLD" })],
    ["symbol", (prepare) => listOrders(prepare, { symbol: "BTCUSDT", since: "2026", until: "2027" })],
    ["strategy", (prepare) => listOrders(prepare, { strategyId: "a" })],
    ["several", (prepare) => listOrders(prepare, { strategyId: "a", state: "filled" })],
    ["search", (prepare) => listOrders(prepare, { search: "x" })],
  ] as readonly (readonly [string, (prepare: (sql: string) => ReturnType<DatabaseSync["prepare"]>) => unknown])[])(
    "given %s, then no table is read from end to end, and nothing is sorted",
    async (_name, run) => {
      for (const step of await plansOf(run)) expect(step).not.toMatch(/^SCAN|TEMP B-TREE/)
    },
  )

  it("given a signal's id, then each group of orders is asked through its index", async () => {
    const plans = await plansOf((prepare) => findOrder(prepare, "x"))
    expect(plans.some((step) => /orders_signal_group/.test(step))).toBe(true)
  })

  it.each([
    ["openOrders", openOrders],
    ["openOrderIds", openOrderIds],
  ] as const)("given the open orders, when %s reads them, then only those are read", async (_name, read) => {
    const plans = await plansOf((prepare) => read(prepare))
    expect(plans[0]).toMatch(/orders_open/)
    for (const step of plans) expect(step).not.toMatch(/TEMP B-TREE/)
  })

  it("given more names than a step reads, then some steps come to the end of them, through their index alone", async () => {
    const many = new DatabaseSync(":memory:")
    prepareWriter(many)
    many.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO streams (no, name) SELECT i, 'order/' || printf('%05d', i) FROM n`)
    const next = nameIndex(many)
    const steps: string[] = []
    for (let after = next(""); after !== undefined; after = next(after)) steps.push(after)
    expect(steps).toEqual(["order/02000", "order/04000", "order/05000"])
    many.close()
    const plans = await plansOf((prepare) => prepare(NEXT_NAMES))
    expect(plans.some((step) => /COVERING INDEX sqlite_autoindex_streams/.test(step))).toBe(true)
    for (const step of plans) expect(step).not.toMatch(/TEMP B-TREE/)
  })

  it("given orders of which snapshots are asked, then nothing but theirs is read", async () => {
    for (const step of await plansOf((prepare) => readSnapshots(prepare, UPCASTERS, "x", ["order/1"])))
      expect(step).toMatch(/^SEARCH|^SCAN j VIRTUAL|ORDER BY/)
  })
})
