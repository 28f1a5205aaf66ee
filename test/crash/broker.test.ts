/** The broker killed and away under load: live orders go on, what is filled gets its stop, and nothing is doubled or lost. */
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { requireMongo } from "../../tools/servers/testing.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World, type WorldOptions } from "../support/world.ts"

const AWAY_MS = 30_000
/** A sweep comes every 24 to 36 s. */
const SWEPT_WITHIN_MS = 60_000
const mongo = await requireMongo()

const worlds: World[] = []
afterAll(() => Promise.all(worlds.map((world) => world.close())))
const create = async (env: Readonly<Record<string, string>>, options: WorldOptions = {}): Promise<World> => {
  const world = await World.create({ ...options, env })
  worlds.push(world)
  return world
}

const ada = () => signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })
const eth = () =>
  signal({ symbol: "ETHUSDT", order_type: "limit", price: 2450, current_price: 2500, quantity: 1, conditional_timeout: 600 })

// Side by side: they wait most of the time.
describe.concurrent("the broker", () => {
  describe(`given a broker that is killed with 500 orders in flight, and comes back ${AWAY_MS / 1000} s later`, () => {
    it.each([
      { kill: false, name: "the engine lives on" },
      { kill: true, name: "the engine is killed in the middle" },
    ])(
      "when 250 of them fill meanwhile ($name), then each has its stop at once, and nothing is doubled or lost",
      async ({ kill, name }) => {
        const world = await create({ PAPER_LATENCY_MS: "50" })
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
        console.info(`500 under their stops ${protectedMs} ms after the price moved, without a broker (${name})`)
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

  // On SQLite a process that is alone takes everything up from its store.
  describe.skipIf(mongo === undefined)("given a broker that has lost its streams, with orders of a process that is gone", () => {
    it(
      "when a process that need not be alone has been there for a minute, then it has taken up every one of them, once, and goes on",
      async () => {
        const world = await create({ ACK_WAIT_MS: "2000" }, { store: "mongodb", mongoUrl: mongo?.url ?? "" })
        const first = await world.start({ REPLICA_ID: "a" })
        const resting = [eth(), eth(), eth()]
        const lot = ada()
        for (const body of [...resting, lot]) world.publish(body)
        for (const body of resting) await world.when(body.signal_id, (row) => row.type === "EntryAccepted", 20_000)
        await world.when(lot.signal_id, (row) => row.state === "filled", 20_000)
        await until(async () => (await world.messages("LOTS")) === 1, { what: "the lot to be in its stream" })
        await first.kill()
        const jsm = await world.nc.jetstreamManager()
        for (const stream of ["SIGNALS", "LOTS"]) await jsm.streams.delete(stream)
        const second = await world.start({ REPLICA_ID: "b" })
        for (const body of [...resting, lot]) await world.when(body.signal_id, (row) => row.replica === "b", SWEPT_WITHIN_MS)
        expect(second.said("orders without a message were asked to be taken up again")).toBeDefined()
        for (const body of [...resting, lot])
          expect((await world.types(body.signal_id)).filter((type) => type === "OrderAdopted")).toHaveLength(1)
        await world.setPrice("2440", "ETHUSDT")
        await quiet(world, 4)
        const findings = await checkWorld(world)
        expect(findings.problems).toEqual([])
        expect(findings).toMatchObject({ entriesAtVenue: 4, openLots: 4 })
      },
      (60_000 + SWEPT_WITHIN_MS) * TIME_FACTOR,
    )
  })
})
