/** Every order type, side, mode and end is run, and becomes what docs/binance-table.md says of it. */
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { MODES, render, runMode, TABLE_FILE } from "./orderTable.ts"

const section = (text: string, name: string): string => text.split("\n## ").find((part) => part.startsWith(`${name}\n`)) ?? ""

describe.concurrent("orders at Binance", { timeout: 180_000 }, () => {
  test.each(MODES)("given $name, when each order type comes to each of its ends, then the table says so", async (mode) => {
    const made = await runMode(mode)
    expect(made.flatMap(({ row, complaints }) => complaints.map((complaint) => `${row.type} ${row.end}: ${complaint}`))).toEqual([])
    // To make it anew: node test/binance/orderTable.ts
    expect(section(render(made), mode.name).trim()).toBe(section(readFileSync(TABLE_FILE, "utf8"), mode.name).trim())
  })
})
