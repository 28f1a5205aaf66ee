/** An order that takes the process down again and again: it is parked, its stop stays, and `petrosa unpark` puts it back. */
import { afterEach, describe, expect, it } from "vitest"
import { cli } from "../../apps/cli/test/run.ts"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
afterEach(() => world.close())

/** It is not known whether its entry is at the venue; whoever asks dies of it. */
const FIRST = { PETROSA_FAULT_POINT: "venue.entry.after:crash" }
const DEADLY = { PETROSA_FAULT_POINT: "venue.query.before:crash" }
const STARTS_MAX = 10

const ada = (change = {}) => signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000, ...change })

describe("given an order that takes down every process that recovers it", () => {
  it(
    "when three have died of it, then it is parked, others go on, and after `petrosa unpark` its fill is under a stop at once",
    async () => {
      world = await World.create()
      await (await world.start()).stop()
      const lot = ada()
      world.publish(lot)
      await world.nc.flush()
      expect((await world.launch(FIRST).ended).signal).toBe("SIGKILL")
      let deaths = 0
      for (let n = 0; n < STARTS_MAX && (await world.row(lot.signal_id))?.parked !== true; n++) {
        const next = world.launch(DEADLY)
        await until(async () => !next.running || (await world.row(lot.signal_id))?.parked === true, {
          timeoutMs: 15_000,
          everyMs: 50,
          what: "it to be parked, or the process to die",
          seen: () => next.tail(),
        })
        if (next.running) await next.stop()
        else deaths += 1
      }
      expect((await world.row(lot.signal_id))?.parked).toBe(true)
      expect((await world.trail(lot.signal_id)).at(-1)).toMatchObject({ type: "OrderParked", data: { code: "ADOPTED_TOO_OFTEN" } })
      // Three under its mark, and one before it was suspected: an order that is adopted once is nobody's suspect.
      expect(deaths).toBe(4)
      const stops = (): number => world.paper.ledger().orders.filter((leg) => leg.leg === "stop" && leg.status === "new").length
      expect(stops()).toBe(0)

      // The cause is mended.
      const engine = await world.start()
      const other = ada()
      world.publish(other)
      await world.when(other.signal_id, (row) => row.state === "filled")
      expect(await world.row(lot.signal_id)).toMatchObject({ parked: true })
      const env = { AUDIT_STORE: "sqlite", SQLITE_FILE: world.env["SQLITE_FILE"] ?? "", NATS_URL: world.nats.url }
      const unparked = await cli(["unpark", lot.signal_id, "--by", "ann", "--json"], env)
      expect([unparked.code, JSON.parse(unparked.out)], unparked.err).toMatchObject([0, { result: "unparked" }])
      await world.when(lot.signal_id, (row) => row.state === "filled")
      expect((await world.trail(lot.signal_id)).findLast((event) => event.type === "OrderUnparked")?.data).toMatchObject({ by: "ann" })
      const again = await cli(["unpark", lot.signal_id], env)
      expect([again.code, again.err]).toEqual([1, expect.stringContaining("is not parked")])
      await quiet(world, 2)
      expect(stops()).toBe(2)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings).toMatchObject({ openLots: 2, entriesAtVenue: 2, parked: 0 })
      expect(engine.running).toBe(true)
    },
    120_000 * TIME_FACTOR,
  )
})
