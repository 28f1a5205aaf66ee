/** What only a store that writes in a thread of its own can do, and get wrong. */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { SqliteEventStore, verifyAll } from "../src/index.ts"
import { appendOf, LIFE } from "../src/testing/index.ts"

describe("an embedded store that writes in a thread", () => {
  let dir: string
  let file: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "petrosa-thread-"))
    file = join(dir, "events.db")
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it("given a disk that does not answer, when a batch waits for it, then the event loop goes on, and the batch is written afterwards", async () => {
    const store = SqliteEventStore.open({ file, thread: true })
    await store.append([appendOf("first", LIFE)])
    // Somebody holds the file's write lock: the writer waits for it as it would for a disk.
    const other = new DatabaseSync(file)
    other.exec("BEGIN IMMEDIATE")
    let written = false
    const waiting = store.append([appendOf("second", LIFE)]).then((results) => {
      written = true
      return results
    })
    let turns = 0
    const untilMs = performance.now() + 200
    while (performance.now() < untilMs) {
      await new Promise((resolve) => setImmediate(resolve))
      turns += 1
    }
    expect(written).toBe(false)
    expect(turns).toBeGreaterThan(100)
    other.exec("COMMIT")
    other.close()
    expect(await waiting).toEqual([{ _tag: "Appended" }])
    await store.close()
  })

  it("given batches on their way, when the store is closed, then they are answered and on the disk before", async () => {
    const store = SqliteEventStore.open({ file, thread: true })
    const batches = Array.from({ length: 20 }, (_, i) => store.append([appendOf(i, LIFE)]))
    const closed = store.close()
    expect((await Promise.all(batches)).flat().every(({ _tag }) => _tag === "Appended")).toBe(true)
    await closed
    expect((await store.append([appendOf("late", LIFE)]))[0]?._tag).toBe("Unavailable")
    const reader = SqliteEventStore.open({ file, readOnly: true })
    expect(await verifyAll(reader)).toMatchObject({ streams: 20, findings: [] })
    await reader.close()
    // The lock is free again.
    await SqliteEventStore.open({ file, thread: true }).close()
  })

  it("given an append that resolved, when it is read at once, then it is there", async () => {
    const store = SqliteEventStore.open({ file, thread: true })
    for (let i = 0; i < 50; i++) {
      const append = appendOf(i, LIFE)
      await store.append([append])
      expect(await store.readRaw(append.stream)).toHaveLength(LIFE.length)
    }
    await store.close()
  })

  it("given much more than the log holds, when it is written, then the log is carried meanwhile, and everything is there", async () => {
    const store = SqliteEventStore.open({ file, thread: true })
    const batches = 60
    for (let i = 0; i < batches; i++) {
      const results = await store.append([appendOf(i, [{ data: { pad: "x".repeat(2_000_000) } }])])
      expect(results).toEqual([{ _tag: "Appended" }])
    }
    // 120 MB: the log is at most 64 and a batch.
    expect(statSync(`${file}-wal`).size).toBeLessThan(80e6)
    expect(statSync(file).size).toBeGreaterThan(40e6)
    expect(await verifyAll(store)).toMatchObject({ streams: batches, findings: [] })
    await store.close()
    const reader = SqliteEventStore.open({ file, readOnly: true })
    expect(await verifyAll(reader)).toMatchObject({ streams: batches, findings: [] })
    await reader.close()
  })

  it("given many orders whose names are being read in the background, when the store is closed, then the log is in the file and the thread ends", async () => {
    const names = new DatabaseSync(file)
    await SqliteEventStore.open({ file }).close()
    names.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
      INSERT INTO streams (no, name) SELECT i, 'order/' || hex(randomblob(10)) FROM n`)
    names.exec("PRAGMA wal_checkpoint(TRUNCATE)")
    names.close()
    const store = SqliteEventStore.open({ file, thread: true })
    const before = statSync(file).size
    // More than a thousand pages: the thread that carries the log is started, and begins to read.
    await store.append([
      appendOf(
        "large",
        Array.from({ length: 3 }, () => ({ data: { pad: "x".repeat(2_000_000) } })),
      ),
    ])
    await store.append([appendOf("next", LIFE)])
    const closing = performance.now()
    await store.close()
    expect(performance.now() - closing).toBeLessThan(3000)
    expect(statSync(file).size).toBeGreaterThan(before + 5_000_000)
  })

  it("given a file that is gone bad under the writer, when it appends, then the batch is unavailable and says why, not an end of the process", async () => {
    const store = SqliteEventStore.open({ file, thread: true })
    await store.append([appendOf("first", LIFE)])
    const other = new DatabaseSync(file)
    other.exec("DROP TABLE events")
    other.close()
    const [result] = await store.append([appendOf("second", LIFE)])
    expect(result).toMatchObject({ _tag: "Unavailable", reason: expect.stringMatching(/no such table/) })
    await store.close()
  })
})
