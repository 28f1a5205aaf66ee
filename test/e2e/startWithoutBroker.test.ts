/** A start while the broker is away: on the embedded store what is open goes on at once; everywhere else it is waited for. */
import { afterEach, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
afterEach(() => world.close())

const resting = () =>
  signal({ symbol: "ETHUSDT", order_type: "limit", price: 2450, current_price: 2500, quantity: 1, conditional_timeout: 600 })

describe("given an engine that was killed with a resting entry and an open lot, and a broker that is away", () => {
  it(
    "when it starts, and the entry fills, then it has its stop before the broker is back; then signals are taken, and nothing is doubled",
    async () => {
      world = await World.create()
      const engine = await world.start()
      const entry = resting()
      const lot = signal()
      world.publish(entry)
      world.publish(lot)
      await world.settled(lot.signal_id)
      await world.when(entry.signal_id, (row) => row.type === "EntryAccepted")
      await engine.kill()
      await world.nats.kill()

      const second = await world.start()
      expect(
        second.said("NATS cannot be reached; what is open goes on from the store meanwhile, and signals are taken when it is there"),
      ).toBeDefined()
      await world.setPrice("2440", "ETHUSDT")
      await until(async () => (await world.types(entry.signal_id)).includes("StopAccepted"), { what: "the fill's stop", timeoutMs: 8000 })
      expect((await world.get("/readyz")).status).toBe(503)
      expect((await world.trade(signal())).status).toBe(503)

      await world.nats.restart()
      await until(() => second.said("NATS is there; signals are taken"), { what: "the broker to be found", timeoutMs: 15_000 })
      await until(async () => (await world.get("/readyz")).status === 200, { what: "ready", timeoutMs: 5000 })
      const later = signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })
      world.publish(later)
      await world.nc.flush()
      await world.settled(later.signal_id)
      await quiet(world, 3, 20_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings).toMatchObject({ entriesAtVenue: 3, openLots: 3 })
      // Nothing that was settled is left in the stream of signals: its message came, and found its order.
      await until(async () => (await world.messages("SIGNALS")) === 0, { what: "the signals to be acknowledged", timeoutMs: 10_000 })
    },
    60_000 * TIME_FACTOR,
  )

  it(
    "when the broker that comes carries another store's streams, then the engine stops, and says how to mend it",
    async () => {
      world = await World.create()
      const engine = await world.start()
      const entry = resting()
      world.publish(entry)
      await world.when(entry.signal_id, (row) => row.type === "EntryAccepted")
      await engine.kill()
      const jsm = await world.nc.jetstreamManager()
      const { config } = await jsm.streams.info("SIGNALS")
      await jsm.streams.update("SIGNALS", { ...config, metadata: { ...config.metadata, ...otherStore(config.metadata ?? {}) } })
      await world.nats.kill()
      const second = await world.start()
      await world.nats.restart()
      const { code } = await second.ended
      expect(code).not.toBe(0)
      expect(second.tail()).toMatch(/another store|store/i)
    },
    40_000 * TIME_FACTOR,
  )

  it(
    "when it is stopped before the broker is back, then it stops at once",
    async () => {
      world = await World.create()
      const engine = await world.start()
      const entry = resting()
      world.publish(entry)
      await world.when(entry.signal_id, (row) => row.type === "EntryAccepted")
      await engine.kill()
      await world.nats.kill()
      const second = await world.start()
      const beganMs = Date.now()
      expect(await second.stop()).toEqual({ code: 0, signal: null })
      expect(Date.now() - beganMs).toBeLessThan(5000 * TIME_FACTOR)
    },
    40_000 * TIME_FACTOR,
  )
})

/** The metadata that names the store, with another name. */
const otherStore = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata)
      .filter(([key]) => key.includes("store"))
      .map(([key]) => [key, "00000000-0000-4000-8000-000000000000"]),
  )
