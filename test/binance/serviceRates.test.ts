/** Open lots are watched without using up what an exchange lets through: protection and new orders need it. */
import { afterEach, expect, it } from "vitest"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { serviceWorld } from "./serviceWorld.ts"
import type { ServiceWorld } from "./serviceWorld.ts"

let one: ServiceWorld
afterEach(() => one.close())

const LOTS = 24
const WATCHED_MS = 10_000

it(
  "given many open lots of one symbol that nothing happens to, then they are watched by lists, and what becomes of one in silence is found",
  async () => {
    one = await serviceWorld({ env: { BINANCE_MARKETS: "futures", MARKET_DATA: "signals" } })
    const { world, sandbox } = one
    const asked: string[] = []
    const gate = sandbox.world.gates.futures
    const answer = gate.pass.bind(gate)
    gate.pass = (...args) => {
      asked.push(args[0].route.op)
      return answer(...args)
    }
    await world.start()
    const bodies = Array.from({ length: LOTS }, () => signal({ quantity: 0.002 }))
    for (const body of bodies) world.publish(body)
    const live = () => sandbox.ledger().algoOrders.filter((algo) => algo.status === "NEW")
    await until(() => live().length === 2 * LOTS, { what: "all brackets", timeoutMs: 40_000, seen: () => live().length })
    // The steps after the last news are over.
    await until(async () => (await world.rows()).every((row) => Date.now() - Date.parse(row.at) > 8_000), {
      what: "silence",
      timeoutMs: 20_000,
    })

    asked.length = 0
    const sinceMs = Date.now()
    await until(() => Date.now() - sinceMs > WATCHED_MS, { what: "time to pass", timeoutMs: WATCHED_MS + 5_000 })
    // One by one it would be 2 questions for each lot every five seconds.
    const oneByOne = (LOTS * 2 * WATCHED_MS) / 5_000
    const questions = asked.filter((op) => /^(order|algo)\./.test(op))
    expect(questions.length, questions.join(" ")).toBeLessThan(oneByOne / 6)
    expect(new Set(questions)).toEqual(new Set(["order.open", "algo.open"]))

    // Nobody tells of it: a stop that fires is missing from the next list.
    sandbox.addFaults({ kind: "dropEvent" })
    one.setPrice("48900")
    for (const body of bodies) expect(await world.done(body.signal_id, 30_000)).toMatchObject({ state: "filled", open_quantity: "0" })
    expect(live()).toEqual([])
    expect(sandbox.ledger().limited.futures).toEqual({ 429: 0, 418: 0 })
  },
  180_000 * TIME_FACTOR,
)
