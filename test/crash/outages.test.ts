/** The store away under load, with fills in the middle of it: no entry leaves, protection does not wait, nothing is lost. */
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, describe, expect, it } from "vitest"
import { requireMongo } from "../../tools/servers/testing.ts"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { type Proxy, startProxy } from "../support/proxy.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

const AWAY_MS = 10_000
const RESTING = 100
/** Come while it is away, evenly. */
const SIGNALS = 100

const mongo = await requireMongo()
let world: World
let proxy: Proxy
afterEach(async () => {
  await world.close()
  await proxy.close()
})

describe.skipIf(mongo === undefined)("given MongoDB behind a line that can be cut", () => {
  const create = async (): Promise<void> => {
    const port = Number(new URL(mongo?.url ?? "").port)
    proxy = await startProxy(port)
    world = await World.create({
      store: "mongodb",
      mongoUrl: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
      env: { ACK_WAIT_MS: "2000", SIMULATION_BALANCE_USDT: "1000000000" },
      directMongoUrl: mongo?.url ?? "",
    })
  }
  const resting = () =>
    signal({ symbol: "ETHUSDT", order_type: "limit", price: 2450, current_price: 2500, quantity: 1, conditional_timeout: 600 })

  it.each([
    { kill: false, name: "the engine lives on" },
    { kill: true, name: "the engine is killed in the middle" },
  ])(
    `when it is cut for 10 s while ${RESTING} orders rest and ${SIGNALS} signals come ($name), then fills get their stops at once, no entry leaves, and all goes on`,
    async ({ kill, name }) => {
      await create()
      const engine = await world.start()
      for (let n = 0; n < RESTING; n++) world.publish(resting())
      await world.nc.flush()
      await until(async () => (await world.rows()).filter((row) => row.type === "EntryAccepted").length >= RESTING, {
        what: "all to rest",
        timeoutMs: 30_000,
        everyMs: 500,
      })

      proxy.cut()
      const cutAtMs = Date.now()
      await sleep(1000)
      const entriesBefore = world.paper.ledger().orders.filter((leg) => leg.leg === "entry").length
      const load = (async (): Promise<void> => {
        for (let n = 0; n < SIGNALS; n++) {
          world.publish(signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 }))
          await sleep((0.8 * AWAY_MS) / SIGNALS)
        }
        await world.nc.flush()
      })()
      await world.setPrice("2440", "ETHUSDT")
      const filledAtMs = Date.now()
      const stops = (): number => world.paper.ledger().orders.filter((leg) => leg.leg === "stop").length
      await until(() => stops() >= RESTING, {
        what: `${RESTING} stops without a store`,
        timeoutMs: 5000,
        seen: () => [stops(), engine.complaints.slice(-3)],
      })
      const protectedMs = Date.now() - filledAtMs
      console.info(`${RESTING} under their stops ${protectedMs} ms after the price moved, without a store (${name})`)
      if (kill) {
        await engine.kill()
        world.launch()
      }
      await load
      await sleep(Math.max(0, cutAtMs + AWAY_MS - Date.now()))
      const entries = world.paper.ledger().orders.filter((leg) => leg.leg === "entry").length
      proxy.mend()
      await quiet(world, RESTING + SIGNALS, 60_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.orders).toBe(RESTING + SIGNALS)
      expect(entries).toBe(entriesBefore)
      expect(protectedMs).toBeLessThan(5000)
      // One stop for each lot, also for those that were placed on the strength of the plan.
      expect(stops()).toBe(findings.openLots)
    },
    120_000 * TIME_FACTOR,
  )
})
