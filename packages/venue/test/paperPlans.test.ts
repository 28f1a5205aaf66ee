/** The paper venue forgets no order: what it asks must be answered by an index. What SQLite plans is looked at. */
import { describe, expect, test } from "vitest"
import { openDatabase } from "../src/paper/database.ts"
import { STATEMENTS } from "../src/paper/sqliteBooks.ts"

/** One row an asset, a symbol with a position, or a symbol with a price; and what is still to be carried out. */
const SMALL = /^SCAN (balances|positions|prices|work|w)\b/

describe("what the paper venue's file is asked", () => {
  const db = openDatabase(":memory:", "off", { asset: "USDT", amount: "1" })
  const asked = Object.entries(STATEMENTS).filter(([, text]) => !text.startsWith("PRAGMA"))

  test.each(asked)("given %s, then no table that grows for ever is read from end to end", (_name, text) => {
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all()
      .map((row) => String(row.detail))
    for (const step of plan) if (!SMALL.test(step)) expect(step).not.toMatch(/^SCAN|TEMP B-TREE/)
  })

  test("given what is held until the price moves, then only that is read, and its orders", () => {
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN ${STATEMENTS.heldWork}`)
      .all()
      .map((row) => String(row.detail))
    expect(plan[0]).toMatch(/^(SCAN|SEARCH) w USING (COVERING )?INDEX work_held/)
  })
})
