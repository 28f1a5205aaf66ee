/** A disk that takes its time for every write, under the real process: what is filled does not wait for it, and no entry leaves late. */
import { afterEach, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
afterEach(() => world.close())

const N = 100
/** Longer than PROTECTION_STORE_WAIT_MS. */
const SLOW_MS = 1000
const SEND_DEADLINE_MS = 1500
const ada = () => signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })

describe(`given SQLite that is ${SLOW_MS} ms late with every write`, () => {
  it(
    `when ${N} signals come, then each is bought once, its stop does not wait for the record of its fill, and all is recorded in the end`,
    async () => {
      world = await World.create({ env: { PETROSA_FAULT_POINT: `store.append.before:stall=${SLOW_MS}` } })
      await world.start()
      for (let n = 0; n < N; n++) world.publish(ada())
      await world.nc.flush()
      await quiet(world, N, 60_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.openLots).toBe(N)
      const legs = world.paper.ledger().orders
      const placedAt = (leg: string): ReadonlyMap<string, number> =>
        new Map(legs.filter((one) => one.leg === leg).map((one) => [one.clientOrderId.slice(0, -3), one.placedAtMs]))
      const stops = placedAt("stop")
      const waited = [...placedAt("entry")].map(([order, atMs]) => (stops.get(order) ?? Number.POSITIVE_INFINITY) - atMs)
      console.info(`from entry to stop: ${Math.min(...waited)} to ${Math.max(...waited)} ms`)
      // Its own wait for the store, and not the store's for the disk.
      expect(Math.max(...waited)).toBeLessThan(SLOW_MS)
      expect(findings.unprotectedMaxMs).toBeLessThan(5000 * TIME_FACTOR)
    },
    90_000 * TIME_FACTOR,
  )

  it(
    "when it is later than the send deadline, then not one entry leaves, every order says so, and with a disk that is well again orders are placed",
    async () => {
      world = await World.create({ env: { SEND_DEADLINE_MS: String(SEND_DEADLINE_MS), RECEIVE_WINDOW_MS: "1000" } })
      const slow = await world.start({ PETROSA_FAULT_POINT: `store.append.before:stall=${2 * SEND_DEADLINE_MS}` })
      for (let n = 0; n < N; n++) world.publish(ada())
      await world.nc.flush()
      await quiet(world, N, 60_000)
      expect(await checkWorld(world)).toMatchObject({ problems: [], entriesAtVenue: 0, byReason: { SEND_DEADLINE_PASSED: N } })
      expect((await slow.stop()).code).toBe(0)
      await world.start()
      world.publish(ada())
      await until(() => world.paper.ledger().orders.some((leg) => leg.leg === "stop"), { what: "an order as ever" })
      await quiet(world, N + 1)
      expect((await checkWorld(world)).problems).toEqual([])
    },
    90_000 * TIME_FACTOR,
  )
})
