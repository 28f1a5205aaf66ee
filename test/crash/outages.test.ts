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
    "when it is cut for 10 s while 20 orders rest and 20 signals come ($name), then fills get their stops at once, no entry leaves, and all goes on",
    async ({ kill }) => {
      await create()
      const engine = await world.start()
      const bodies = Array.from({ length: 20 }, resting)
      for (const body of bodies) world.publish(body)
      for (const body of bodies) await world.when(body.signal_id, (row) => row.type === "EntryAccepted", 20_000)

      proxy.cut()
      const cutAtMs = Date.now()
      await sleep(1000)
      const entriesBefore = world.paper.ledger().orders.filter((leg) => leg.leg === "entry").length
      for (let n = 0; n < 20; n++) world.publish(signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 }))
      await world.nc.flush()
      await world.setPrice("2440", "ETHUSDT")
      const filledAtMs = Date.now()
      const stops = (): number => world.paper.ledger().orders.filter((leg) => leg.leg === "stop").length
      await until(() => stops() >= 20, {
        what: "20 stops without a store",
        timeoutMs: 3000,
        seen: () => [stops(), engine.complaints.slice(-3)],
      })
      const protectedMs = Date.now() - filledAtMs
      if (kill) {
        await engine.kill()
        world.launch()
      }
      await sleep(Math.max(0, cutAtMs + 10_000 - Date.now()))
      const entries = world.paper.ledger().orders.filter((leg) => leg.leg === "entry").length
      proxy.mend()
      await quiet(world, 40, 40_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.orders).toBe(40)
      expect(entries).toBe(entriesBefore)
      expect(protectedMs).toBeLessThan(5000)
      // One stop for each lot, also for those that were placed on the strength of the plan.
      expect(stops()).toBe(findings.openLots)
    },
    120_000 * TIME_FACTOR,
  )
})
