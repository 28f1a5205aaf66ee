/**
 * Somebody who can write the store changes it while an engine is at work: `petrosa verify --all` names what was changed, and
 * nothing else, and an untouched store that is being written is whole.
 */
import { DatabaseSync } from "node:sqlite"
import { MongoClient } from "mongodb"
import { afterEach, describe, expect, it } from "vitest"
import { cli } from "../../apps/cli/test/run.ts"
import { requireMongo } from "../../tools/servers/testing.ts"
import type { EngineProcess } from "../support/engineProcess.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

const mongo = await requireMongo()
let world: World
afterEach(() => world.close())

interface Hand {
  /** One byte of one event, one that matters. */
  change(stream: string, version: number): Promise<void>
  remove(stream: string, version?: number): Promise<void>
}

const inSqlite = (): Hand => {
  const run = (sql: string, ...values: readonly (string | number)[]): void => {
    const db = new DatabaseSync(world.env["SQLITE_FILE"] ?? "")
    db.exec("PRAGMA busy_timeout = 5000")
    const { changes } = db.prepare(sql).run(...values)
    db.close()
    if (changes === 0) throw new Error(`nothing was changed by ${sql}`)
  }
  const of = "stream = (SELECT no FROM streams WHERE name = ?)"
  return {
    change: async (stream, version) =>
      run(`UPDATE events SET text = replace(text, '"quantity":"1000"', '"quantity":"1001"') WHERE ${of} AND version = ?`, stream, version),
    remove: async (stream, version) =>
      version === undefined
        ? run(`DELETE FROM events WHERE ${of}`, stream)
        : run(`DELETE FROM events WHERE ${of} AND version = ?`, stream, version),
  }
}

const inMongo = (): Hand => {
  const work = async (run: (client: MongoClient) => Promise<number>): Promise<void> => {
    const client = await MongoClient.connect(mongo?.url ?? "")
    try {
      if ((await run(client)) === 0) throw new Error("nothing was changed")
    } finally {
      await client.close()
    }
  }
  const events = (client: MongoClient) => client.db(world.env["MONGODB_DATABASE"]).collection("trade_audit_log")
  return {
    change: (stream, version) =>
      work(async (client) => (await events(client).updateOne({ stream, version }, { $set: { replica: "somebody" } })).modifiedCount),
    remove: (stream, version) =>
      work(async (client) => (await events(client).deleteMany(version === undefined ? { stream } : { stream, version })).deletedCount),
  }
}

const anchors = (engine: EngineProcess): number => engine.log.filter((line) => line.msg === "anchored").length

/** @param everyMs between two signals of the load: FerretDB scans for every write */
const story = async (hand: Hand, everyMs: number): Promise<void> => {
  const engine = await world.start()
  const ada = () => signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })
  const bodies = [ada(), ada(), ada()]
  for (const body of bodies) world.publish(body)
  const rows = []
  for (const body of bodies) rows.push(await world.when(body.signal_id, (row) => row.type === "OrderCompleted", 20_000))
  const [changed, cut, gone] = rows.map((row) => row.stream)
  // Every ten seconds; one that was under way may have begun before.
  const before = anchors(engine)
  await until(() => anchors(engine) > before, { what: "an anchor", timeoutMs: 15_000 })
  let stopped = false
  const load = (async (): Promise<void> => {
    while (!stopped) {
      world.publish(ada())
      await world.nc.flush()
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  })()
  try {
    const env = Object.fromEntries(Object.entries(world.env).filter(([name]) => /^(AUDIT_STORE|SQLITE_FILE|MONGODB_)/.test(name)))
    const whole = await cli(["verify", "--all", "--json"], env)
    expect([whole.code, JSON.parse(whole.out).findings]).toEqual([0, []])
    const last = rows[1]?.version ?? 0
    await hand.change(changed ?? "", 4)
    await hand.remove(cut ?? "", last)
    await hand.remove(gone ?? "")
    const broken = await cli(["verify", "--all", "--json"], env)
    expect(broken.code).toBe(1)
    const findings = (JSON.parse(broken.out).findings as { stream: string; version: number; what: string }[]).map(
      ({ stream, version, what }) => ({ stream, version, what }),
    )
    expect(findings).toHaveLength(3)
    expect(findings).toContainEqual({ stream: changed, version: 4, what: "changed" })
    expect(findings).toContainEqual(expect.objectContaining({ stream: cut, what: "tailMissing" }))
    expect(findings).toContainEqual(expect.objectContaining({ stream: gone, what: "streamMissing" }))
  } finally {
    stopped = true
    await load
  }
}

describe("given an engine at work under load", () => {
  it(
    "when a byte, the last event of a stream, and a stream are taken out of SQLite, then verify names each",
    async () => {
      world = await World.create()
      await story(inSqlite(), 50)
    },
    60_000 * TIME_FACTOR,
  )

  it.skipIf(mongo === undefined)(
    "when a field, the last event of a stream, and a stream are taken out of MongoDB, then verify names each",
    async () => {
      world = await World.create({ store: "mongodb", mongoUrl: mongo?.url ?? "" })
      await story(inMongo(), 500)
    },
    60_000 * TIME_FACTOR,
  )
})
