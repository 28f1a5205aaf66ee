/**
 * The disk is full under SQLite, with fills in the middle of it: real write errors under the real adapter of the real
 * process. Linux lets a process be forbidden to make any file longer (RLIMIT_FSIZE), from outside and while it runs: every
 * append to the log of the store fails, and the venue's own, shorter files go on. (A reader keeps SQLite from beginning the log anew.)
 */
import { execFileSync } from "node:child_process"
import { statSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, describe, expect, it } from "vitest"
import type { EngineProcess } from "../support/engineProcess.ts"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

/** More than the venue's own log grows meanwhile. */
const LOG_BYTES = 6 * 1024 * 1024
const AWAY_MS = 10_000
const RESTING = 200
/** Come while it is full, evenly. */
const SIGNALS = 200

let world: World
let reader: DatabaseSync | undefined
afterEach(async () => {
  if (reader?.isOpen === true) reader.close()
  await world.close()
})

const ada = () => signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })
const eth = () =>
  signal({ symbol: "ETHUSDT", order_type: "limit", price: 2450, current_price: 2500, quantity: 1, conditional_timeout: 600 })
const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
const logOf = (file: string | undefined): number => sizeOf(`${file}-wal`)

/** Begins to read, and does not end: as long as somebody reads from it SQLite cannot begin its log anew, and each append makes it longer. */
const keepReading = (file: string | undefined): DatabaseSync => {
  const reader = new DatabaseSync(file ?? "", { readOnly: true })
  reader.exec("BEGIN; SELECT count(*) FROM streams")
  return reader
}

/** What is in the log goes into the file, and the log is empty. */
const emptyLog = async (file: string): Promise<void> => {
  const db = new DatabaseSync(file, { timeout: 1000 })
  try {
    const carry = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)")
    await until(() => carry.get()?.["busy"] === 0, { what: "the venue's log to be empty" })
  } finally {
    db.close()
  }
}

const forbidToGrow = (engine: EngineProcess, bytes: number | "unlimited"): void => {
  execFileSync("prlimit", ["--pid", String(engine.pid), `--fsize=${bytes}:unlimited`])
}
const canForbid = ((): boolean => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    process.stderr.write("\n!!! SKIPPED: no prlimit here (Linux, util-linux): the full disk is not tried\n\n")
    return false
  }
})()

describe.skipIf(!canForbid)("given SQLite on a disk that is full for 10 s, under load", () => {
  it.each([
    { kill: false, name: "the engine lives on" },
    { kill: true, name: "the engine is killed in the middle" },
  ])(
    `when ${RESTING} orders rest and ${SIGNALS} signals come meanwhile ($name), then fills get their stops at once, no entry leaves, and all goes on`,
    async ({ kill, name }) => {
      world = await World.create()
      const engine = await world.start()
      for (let n = 0; n < RESTING; n++) world.publish(eth())
      await world.nc.flush()
      await until(async () => (await world.rows()).filter((row) => row.type === "EntryAccepted").length >= RESTING, {
        what: "all to rest",
        timeoutMs: 20_000,
      })
      reader = keepReading(world.env["SQLITE_FILE"])
      let lots = 0
      await until(
        async () => {
          if (logOf(world.env["SQLITE_FILE"]) > LOG_BYTES) return true
          for (let n = 0; n < 50; n++, lots++) world.publish(ada())
          await world.nc.flush()
          return until(async () => (await world.rows()).filter((row) => row.settled).length >= lots, { timeoutMs: 20_000 }).then(
            () => false,
          )
        },
        { timeoutMs: 60_000, what: "the store's log to be long" },
      )
      await emptyLog(world.paperFile)
      const limit = logOf(world.env["SQLITE_FILE"])
      expect(logOf(world.paperFile)).toBeLessThan(limit)
      expect(sizeOf(world.paperFile)).toBeLessThan(limit)
      const placed = (leg: string): number => world.paper.ledger().orders.filter((one) => one.leg === leg).length

      forbidToGrow(engine, limit)
      const fullAtMs = Date.now()
      const entriesBefore = placed("entry")
      const stopsBefore = placed("stop")
      const load = (async (): Promise<void> => {
        for (let n = 0; n < SIGNALS; n++) {
          world.publish(ada())
          await sleep((0.9 * AWAY_MS) / SIGNALS)
        }
        await world.nc.flush()
      })()
      await until(async () => (await world.get("/readyz")).status === 503, { what: "to be not ready" })
      await world.setPrice("2440", "ETHUSDT")
      const filledAtMs = Date.now()
      await until(() => placed("stop") >= stopsBefore + RESTING, { what: `${RESTING} stops without a store`, timeoutMs: 5000 })
      const protectedMs = Date.now() - filledAtMs
      console.info(`${RESTING} under their stops ${protectedMs} ms after the price moved, without a store (${name})`)
      if (kill) {
        await engine.kill()
        // It cannot write its store, says so, and ends: whoever supervises it starts it again.
        const meanwhile = world.launch()
        forbidToGrow(meanwhile, limit)
        expect((await meanwhile.ended).code, meanwhile.tail()).not.toBe(0)
        expect(JSON.stringify(meanwhile.complaints) + meanwhile.stderr).toMatch(/disk I\/O error/)
      }
      await load
      reader.close()
      await sleep(Math.max(0, fullAtMs + AWAY_MS - Date.now()))
      const entries = placed("entry")
      if (kill) await world.start()
      else forbidToGrow(engine, "unlimited")
      await quiet(world, lots + RESTING + SIGNALS, 40_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.orders).toBe(lots + RESTING + SIGNALS)
      expect(entries).toBe(entriesBefore)
      expect(protectedMs).toBeLessThan(5000)
      // One stop for each lot, also for those that were placed on the strength of the plan.
      expect(placed("stop")).toBe(findings.openLots)
      expect((await world.get("/readyz")).status).toBe(200)
    },
    120_000 * TIME_FACTOR,
  )
})
