/**
 * The floor: the least that any engine of this kind must do, as a process of its own. Each message is consumed from
 * JetStream and acknowledged when as many appends as an order has are durable, one after the other, with the very documents
 * of a real order, ready-made, in groups of at most 500. No decoding, no decision, no machine, no hash, no venue, no news.
 */
import { readFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { MongoClient } from "mongodb"
import { AckPolicy, connect, type JsMsg } from "nats"
import { IN_FLIGHT_MAX } from "./measures.ts"
import { type Answer, type Ask, cpuUs, type Mark, MARK_EVERY, nowMs, type SampleRecord } from "./protocol.ts"

const GROUP_MAX = 500

/** One append of one order, waiting. */
interface Waiting {
  readonly order: number
  readonly message: JsMsg
  readonly step: number
}

interface Store {
  readonly write: (batch: readonly Waiting[]) => Promise<void>
  readonly close: () => Promise<void>
}

const send = (answer: Answer): void => {
  process.send?.(answer)
}

const sqlite = (file: string, steps: readonly (readonly SampleRecord[])[]): Store => {
  const db = new DatabaseSync(file)
  db.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32000;
    CREATE TABLE events (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, version INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL);
    CREATE UNIQUE INDEX events_stream ON events (stream, version);
  `)
  const insert = db.prepare("INSERT INTO events (stream, version, hash, text) VALUES (?, ?, ?, ?)")
  const rows = steps.map((step) => step.map(({ record, text }) => ({ version: Number(record.version), hash: String(record.hash), text })))
  return {
    write: async (batch) => {
      db.exec("BEGIN IMMEDIATE")
      for (const { order, step } of batch) for (const { version, hash, text } of rows[step] ?? []) insert.run(order, version, hash, text)
      db.exec("COMMIT")
    },
    close: async () => db.close(),
  }
}

const mongodb = async (url: string, database: string, steps: readonly (readonly SampleRecord[])[]): Promise<Store> => {
  const client = await MongoClient.connect(url, { writeConcern: { w: "majority", journal: true } })
  const events = client.db(database).collection<Record<string, unknown> & { _id: string }>("floor")
  return {
    write: async (batch) => {
      await events.insertMany(
        batch.flatMap(({ order, step }) =>
          (steps[step] ?? []).map(({ record }) => ({
            ...record,
            _id: `floor/${order}:${Number(record.version)}`,
            stream: `floor/${order}`,
          })),
        ),
        { ordered: true },
      )
    },
    close: () => client.close(),
  }
}

const main = async (): Promise<void> => {
  const startedAtMs = nowMs()
  const env = (name: string): string => process.env[name] ?? ""
  const steps = JSON.parse(readFileSync(env("FLOOR_SAMPLE"), "utf8")) as readonly (readonly SampleRecord[])[]
  const store =
    env("FLOOR_STORE") === "sqlite" ? sqlite(env("FLOOR_FILE"), steps) : await mongodb(env("MONGODB_URL"), env("MONGODB_DATABASE"), steps)
  const nc = await connect({ servers: env("NATS_URL") })
  const jsm = await nc.jetstreamManager()
  await jsm.consumers.add(env("FLOOR_STREAM"), {
    durable_name: "floor",
    ack_policy: AckPolicy.Explicit,
    ack_wait: 60_000_000_000,
    max_ack_pending: IN_FLIGHT_MAX,
  })

  const marks: Mark[] = []
  let settled = 0
  let batches = 0
  let appends = 0
  let events = 0
  let order = 0
  const sizes = steps.map((step) => step.length)
  const queue: Waiting[] = []
  let scheduled = false
  const flush = async (): Promise<void> => {
    while (queue.length > 0) {
      let count = 0
      for (let size = 0; count < queue.length; count += 1) {
        size += sizes[queue[count]?.step ?? 0] ?? 0
        if (count > 0 && size > GROUP_MAX) break
      }
      const batch = queue.splice(0, count)
      await store.write(batch)
      batches += 1
      appends += batch.length
      for (const { order: n, message, step } of batch) {
        events += sizes[step] ?? 0
        if (step + 1 < steps.length) queue.push({ order: n, message, step: step + 1 })
        else {
          message.ack()
          settled += 1
          if (settled % MARK_EVERY === 0) marks.push({ settled, atMs: nowMs(), cpuUs: cpuUs() })
        }
      }
      // What came in meanwhile is read before the next group.
      await new Promise((resolve) => setImmediate(resolve))
    }
    scheduled = false
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      flush().catch((error: unknown) => send({ is: "broken", error: String(error) }))
    })
  }

  process.on("message", (ask: Ask) => {
    const { heapUsed, external, rss } = process.memoryUsage()
    switch (ask.ask) {
      case "count":
        send({ is: "count", counted: { settled, failed: 0, live: order - settled, accepted: 0, adopted: 0, snapshots: 0, atMs: nowMs() } })
        return
      case "report":
        send({
          is: "report",
          report: {
            marks,
            settled,
            failed: 0,
            failures: {},
            store: { batches, appends, events, textLength: 0 },
            signalToEntryMs: [],
            fillToStopMs: [],
            sample: [],
            memory: { heapUsed, external, rss },
            live: order - settled,
          },
        })
        return
      case "reset":
      case "price":
        send({ is: ask.ask })
        return
      case "stop":
        void (async () => {
          await nc.close()
          await store.close()
          send({ is: "stopped", stopMs: 0 })
          process.disconnect?.()
        })()
    }
  })
  const consumer = await nc.jetstream().consumers.get(env("FLOOR_STREAM"), "floor")
  await consumer.consume({
    max_messages: IN_FLIGHT_MAX,
    callback: (message) => {
      order += 1
      queue.push({ order, message, step: 0 })
      schedule()
    },
  })
  send({ is: "ready", startMs: nowMs() - startedAtMs, atMs: nowMs() })
}

process.on("disconnect", () => process.exit(0))
main().catch((error: unknown) => {
  send({ is: "broken", error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  process.exitCode = 1
  process.disconnect?.()
})
