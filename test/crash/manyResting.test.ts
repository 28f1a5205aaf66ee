/**
 * 2,000 orders that rest, and the process is ended: all of them are taken up again, none is left to nobody. Most are taken up from
 * their snapshots; the oracle holds each of these against the fold of its events.
 */
import { DatabaseSync } from "node:sqlite"
import { afterEach, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

const N = 2000
const PORTION = 200
/** Of the first portion; each further one is lower by one, so that they do not fill all at once. */
const HIGHEST = 2450
const eth = (price: number) =>
  signal({ symbol: "ETHUSDT", order_type: "limit", price, current_price: 2500, quantity: 1, conditional_timeout: 3600 })

const snapshotsIn = (file: string | undefined): number => {
  const db = new DatabaseSync(file ?? "", { readOnly: true })
  try {
    return Number(db.prepare("SELECT count(*) AS n FROM snapshots").get()?.["n"])
  } finally {
    db.close()
  }
}

let world: World
afterEach(() => world.close())

describe(`given ${N} orders that rest at the venue`, () => {
  it.each(["kill", "stop"] as const)(
    "when the engine is ended by %s and started again, then it takes up every one of them, and each fills",
    async (ending) => {
      world = await World.create()
      const engine = await world.start()
      const resting = async (): Promise<number> => (await world.rows()).filter((row) => row.type === "EntryAccepted").length
      // In portions: what waits for its turn longer than SEND_DEADLINE_MS is rightly not sent.
      for (let published = PORTION; published <= N; published += PORTION) {
        for (let n = 0; n < PORTION; n++) world.publish(eth(HIGHEST - published / PORTION + 1))
        await world.nc.flush()
        await until(async () => (await resting()) === published, {
          what: `${published} to rest`,
          timeoutMs: 20_000,
          everyMs: 50,
          seen: resting,
        })
      }
      const snapshots = (): number => snapshotsIn(world.env["SQLITE_FILE"])
      await until(() => snapshots() >= N / 2, { what: "half of them to have a snapshot", timeoutMs: 15_000, seen: snapshots })
      await engine[ending]()
      const again = await world.start()
      const adopted = async (): Promise<number> =>
        (await world.rows()).filter((row) => row.replica === again.said("the engine is at work")?.["replica"]).length
      await until(async () => (await adopted()) === N, { what: "all to be taken up", timeoutMs: 15_000, everyMs: 200, seen: adopted })
      const filled = async (): Promise<number> => (await world.rows()).filter((row) => row.state === "filled").length
      for (let portion = 1; portion <= N / PORTION; portion++) {
        await world.setPrice(String(HIGHEST - portion + 0.5), "ETHUSDT")
        await until(async () => (await filled()) === portion * PORTION, {
          what: "a portion to fill",
          timeoutMs: 20_000,
          everyMs: 50,
          seen: filled,
        })
      }
      await quiet(world, N, 60_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.openLots).toBe(N)
      expect(findings.snapshots).toBeGreaterThan(N / 4)
    },
    150_000 * TIME_FACTOR,
  )
})
