/** The broker killed and away under load: live orders go on, what is filled gets its stop, and nothing is doubled or lost. */
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

const LONG = process.env["PETROSA_LONG"] === "1"
/** The half minute with PETROSA_LONG=1. */
const AWAY_MS = LONG ? 30_000 : 4000

let world: World
afterEach(() => world.close())

const ada = () => signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })
const eth = () =>
  signal({ symbol: "ETHUSDT", order_type: "limit", price: 2450, current_price: 2500, quantity: 1, conditional_timeout: 600 })

describe(`given a broker that is killed with 500 orders in flight, and comes back ${AWAY_MS / 1000} s later`, () => {
  it.each([
    { kill: false, name: "the engine lives on" },
    { kill: true, name: "the engine is killed in the middle" },
  ])(
    "when 250 of them fill meanwhile ($name), then each has its stop at once, and nothing is doubled or lost",
    async ({ kill }) => {
      world = await World.create({ env: { PAPER_LATENCY_MS: "50" } })
      const engine = await world.start()
      for (let n = 0; n < 250; n++) world.publish(eth())
      await world.nc.flush()
      await until(async () => (await world.rows()).filter((row) => row.type === "EntryAccepted").length >= 250, {
        what: "250 orders to rest",
        timeoutMs: 20_000,
      })
      for (let n = 0; n < 250; n++) world.publish(ada())
      await world.nc.flush()
      await until(async () => (await world.rows()).length >= 500, { what: "500 orders", timeoutMs: 20_000, everyMs: 10 })
      await world.nats.kill()
      const awaySinceMs = Date.now()
      await world.setPrice("2440", "ETHUSDT")
      const filledAtMs = Date.now()
      const stops = (): number => world.paper.ledger().orders.filter((leg) => leg.leg === "stop").length
      await until(() => stops() >= 500, { what: "500 stops without a broker", timeoutMs: 5000, everyMs: 50, seen: stops })
      const protectedMs = Date.now() - filledAtMs
      expect((await world.get("/readyz")).status).toBe(503)
      if (kill) {
        await engine.kill()
        world.launch()
      }
      await sleep(Math.max(0, awaySinceMs + AWAY_MS - Date.now()))
      await world.nats.restart()
      await quiet(world, 500, 40_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.entriesAtVenue).toBe(500)
      expect(findings.openLots).toBe(500)
      expect(stops()).toBe(500)
      expect(protectedMs).toBeLessThan(5000 * TIME_FACTOR)
    },
    (90_000 + AWAY_MS) * TIME_FACTOR,
  )
})
