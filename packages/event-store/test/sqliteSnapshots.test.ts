/** Snapshots beside the events: a cache that is never believed where the events say otherwise. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Append, type Snapshot, SqliteEventStore } from "../src/index.ts"
import { appendOf, headOf, LIFE, streamFor } from "../src/testing/index.ts"

const FORM = "this program"
const OPEN = LIFE.slice(0, 6)

/** Of what this append ends with. */
const snapshotOf = (append: Append, text = `what ${append.stream} came to`): Snapshot => {
  const { version, hash } = headOf(append)
  return { stream: append.stream, version, hash, text }
}

describe.each([true, false])("snapshots in the embedded store (written in a thread: %s)", (thread) => {
  let dir: string
  let file: string
  let store: SqliteEventStore
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "petrosa-snapshots-"))
    file = join(dir, "events.db")
    store = SqliteEventStore.open({ file, thread })
  })
  afterEach(async () => {
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const save = (...snapshots: readonly Snapshot[]): Promise<void> =>
    store.snapshots?.save(FORM, snapshots) ?? Promise.reject(new Error("none"))
  const read = async (seed: number | string, form = FORM) => (await store.snapshots?.read(form, [streamFor(seed)]))?.get(streamFor(seed))
  const inFile = (sql: string): number => {
    const db = new DatabaseSync(file)
    const changes = Number(db.prepare(sql).run().changes)
    db.close()
    return changes
  }
  const kept = (): number => {
    const db = new DatabaseSync(file, { readOnly: true })
    const count = Number(db.prepare("SELECT count(*) AS n FROM snapshots").get()?.["n"])
    db.close()
    return count
  }

  it("given a snapshot and events after it, when it is read, then both are there, also after the store was opened again", async () => {
    const first = appendOf(1, OPEN.slice(0, 4))
    await store.append([first])
    await save(snapshotOf(first))
    expect(await read(1)).toEqual({ snapshot: snapshotOf(first), later: [] })
    await store.append([appendOf(1, OPEN.slice(4), headOf(first))])
    await store.close()
    store = SqliteEventStore.open({ file, thread })
    const found = await read(1)
    expect(found?.snapshot.version).toBe(4)
    const all = (await store.readHistories([streamFor(1)])).get(streamFor(1))
    expect(found?.later.map(({ type, data, prev, hash }) => ({ type, data, prev, hash }))).toEqual(
      all?.events.slice(4).map(({ type, data, prev, hash }) => ({ type, data, prev, hash })),
    )
  })

  it("given several snapshots of one order, then the last one counts", async () => {
    const first = appendOf(1, OPEN.slice(0, 4))
    const second = appendOf(1, OPEN.slice(4), headOf(first))
    await store.append([first, second])
    await save(snapshotOf(first))
    await save(snapshotOf(second))
    expect(await read(1)).toMatchObject({ snapshot: { version: 6 }, later: [] })
    expect(kept()).toBe(1)
  })

  it("given a snapshot that another program made, then it is not there", async () => {
    const first = appendOf(1, OPEN)
    await store.append([first])
    await save(snapshotOf(first))
    expect(await read(1, "another program")).toBeUndefined()
  })

  it("given an order that is done, then no snapshot of it is kept, whichever comes first", async () => {
    const whole = appendOf(1, LIFE)
    const open = appendOf(2, OPEN)
    await store.append([whole, open])
    await save(snapshotOf(whole), snapshotOf(open))
    expect(kept()).toBe(1)
    await store.append([appendOf(2, LIFE.slice(6), headOf(open))])
    expect(kept()).toBe(0)
  })

  it("given an order that is done after the store was opened again, then its snapshot is gone too", async () => {
    const open = appendOf(2, OPEN)
    await store.append([open])
    await save(snapshotOf(open))
    await store.close()
    store = SqliteEventStore.open({ file, thread })
    await store.append([appendOf(2, LIFE.slice(6), headOf(open))])
    expect(kept()).toBe(0)
  })

  it("given a stream that is not there, then nothing is kept of it", async () => {
    await save({ stream: streamFor("nobody"), version: 1, hash: "x", text: "y" })
    expect(kept()).toBe(0)
  })

  it.each([
    ["its event is gone", "DELETE FROM events WHERE version = 6"],
    ["its event is another one", "UPDATE events SET hash = 'another' WHERE version = 6"],
    ["it names another event", "UPDATE snapshots SET hash = 'another'"],
  ])("given a snapshot of which this is so: %s, when it is read, then it is not there", async (_what, sql) => {
    const open = appendOf(1, OPEN)
    await store.append([open])
    await save(snapshotOf(open))
    expect(inFile(sql)).toBe(1)
    expect(await read(1)).toBeUndefined()
  })

  it.each([
    ["is missing", "DELETE FROM events WHERE version = 5"],
    ["is no event", "UPDATE events SET text = '{' WHERE version = 5"],
    ["does not follow", "UPDATE events SET hash = 'another' WHERE version = 5"],
    [
      "has a type that is not known",
      'UPDATE events SET text = replace(text, \'"type":"EntryAccepted"\', \'"type":"Unheard"\') WHERE version = 5',
    ],
  ])("given a snapshot after which an event %s, when it is read, then it is not there", async (_what, sql) => {
    const first = appendOf(1, OPEN.slice(0, 4))
    await store.append([first, appendOf(1, OPEN.slice(4), headOf(first))])
    await save(snapshotOf(first))
    expect(await read(1)).toMatchObject({ later: [{ version: 5 }, { version: 6 }] })
    expect(inFile(sql)).toBe(1)
    expect(await read(1)).toBeUndefined()
  })

  it("given a full disk, when snapshots are to be kept, then that is told, and events are written as before once there is room", async () => {
    const open = appendOf(1, OPEN)
    await store.append([open])
    await store.setMaxPages(1)
    await expect(save(snapshotOf(open, "x".repeat(1_000_000)))).rejects.toMatchObject({ name: "StoreUnavailable" })
    await store.setMaxPages(undefined)
    expect(await store.append([appendOf(1, LIFE.slice(6), headOf(open))])).toEqual([{ _tag: "Appended" }])
    expect(await store.append([appendOf(2, LIFE)])).toEqual([{ _tag: "Appended" }])
  })

  it("given a store that is open for reading only, then its snapshots are read, and none can be kept", async () => {
    const open = appendOf(1, OPEN)
    await store.append([open])
    await save(snapshotOf(open))
    const reader = SqliteEventStore.open({ file, readOnly: true })
    expect((await reader.snapshots?.read(FORM, [open.stream]))?.get(open.stream)?.snapshot).toEqual(snapshotOf(open))
    await expect(reader.snapshots?.save(FORM, [snapshotOf(open)])).rejects.toMatchObject({ name: "StoreUnavailable" })
    await reader.close()
  })
})

describe("the writer's flushes", () => {
  it("given snapshots that were kept, or could not be, then the next batch waits for the disk again", async () => {
    const db = new DatabaseSync(":memory:")
    const { Appender } = await import("../src/sqlite/appender.ts")
    const { prepareWriter } = await import("../src/sqlite/schema.ts")
    prepareWriter(db)
    const appender = new Appender(db)
    const synchronous = (): unknown => db.prepare("PRAGMA synchronous").get()?.["synchronous"]
    expect(synchronous()).toBe(2)
    expect(appender.saveSnapshots(FORM, [])).toEqual({ _tag: "Appended" })
    expect(synchronous()).toBe(2)
    db.exec("DROP TABLE snapshots")
    expect(appender.saveSnapshots(FORM, [snapshotOf(appendOf(1, OPEN))])).toMatchObject({ _tag: "Unavailable" })
    expect(synchronous()).toBe(2)
    db.close()
  })
})
