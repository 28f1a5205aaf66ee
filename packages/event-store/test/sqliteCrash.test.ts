/** The real thing: another process, `kill -9`, a full disk, readers beside the writer. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { GroupCommit, SqliteEventStore, StoreInUse, StoreUnavailable, verifyAll } from "../src/index.ts"
import { appendOf, headOf, LIFE, orderIdFor, streamFor } from "../src/testing/index.ts"

const CHILD = fileURLToPath(new URL("./writerChild.ts", import.meta.url))

describe.each([
  ["beside the reader", false],
  ["in a thread", true],
])("sqlite, the file, written %s", (_where, thread) => {
  let dir: string
  let file: string
  const children: ChildProcess[] = []

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "petrosa-sqlite-"))
    file = join(dir, "events.db")
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL")
    rmSync(dir, { recursive: true, force: true })
  })

  /** Starts a writer; `confirmed` grows with what it was told is durable. */
  const writer = async (name: string, ...how: readonly string[]) => {
    const child = spawn(process.execPath, [CHILD, file, name, ...(thread ? ["thread"] : []), ...how], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    children.push(child)
    const confirmed = new Map<string, number>()
    const lines = createInterface({ input: child.stdout })
    let onReady = () => {}
    const ready = new Promise<void>((resolve) => {
      onReady = resolve
    })
    lines.on("line", (line) => {
      if (line === "ready") onReady()
      const [seed, version] = line.split(" ")
      if (seed !== undefined && version !== undefined) confirmed.set(seed, Number(version))
    })
    await Promise.race([ready, once(child, "exit").then(() => Promise.reject(new Error("the writer ended")))])
    const enough = async (count: number): Promise<void> => {
      const deadline = Date.now() + 20_000
      while (confirmed.size < count) {
        if (Date.now() > deadline) throw new Error(`only ${confirmed.size} of ${count} orders in time`)
        await sleep(5)
      }
    }
    const kill = async (): Promise<void> => {
      const closed = once(lines, "close")
      child.kill("SIGKILL")
      await closed
    }
    return { confirmed, enough, kill }
  }

  it("given a writer that is killed again and again, then what it was told is there, chains are whole, and the rows agree", async () => {
    const told = new Map<string, number>()
    for (let kill = 0; kill < 4; kill += 1) {
      const child = await writer(`k${kill}`)
      await child.enough(100 + kill * 57)
      expect(() => SqliteEventStore.open({ file })).toThrow(StoreInUse)
      await child.kill()
      for (const [seed, version] of child.confirmed) told.set(seed, version)
      const store = SqliteEventStore.open({ file })
      const { findings } = await verifyAll(store)
      expect(findings).toEqual([])
      const heads = new Map<string, number>()
      for await (const part of store.streams("order/")) for (const { stream, version } of part) heads.set(stream, version)
      for (const [seed, version] of told) expect(heads.get(streamFor(seed)) ?? 0).toBeGreaterThanOrEqual(version)
      // Appends are whole or not there at all: this store's batches are transactions.
      expect(new Set(heads.values())).toEqual(new Set([...heads.values()].filter((version) => [4, 5, 7].includes(version))))
      const open = new Map((await store.openOrders()).map((row) => [row.stream, row.version]))
      expect(open).toEqual(new Map([...heads].filter(([, version]) => version < LIFE.length)))
      const before = await store.listOrders({ limit: 1000 })
      await store.rebuildProjections()
      expect(await store.listOrders({ limit: 1000 })).toEqual(before)
      await store.close()
    }
    expect(told.size).toBeGreaterThan(400)
  })

  it("given a writer that is killed while its log is carried into the file, then what it was told is there, and chains are whole", async () => {
    const told = new Map<string, number>()
    for (let kill = 0; kill < 3; kill += 1) {
      const child = await writer(`l${kill}`, "large")
      // Some 50 pages an order: the log is carried every 80 orders.
      await child.enough(160 + kill * 53)
      await child.kill()
      for (const [seed, version] of child.confirmed) told.set(seed, version)
      const store = SqliteEventStore.open({ file })
      expect((await verifyAll(store)).findings).toEqual([])
      const heads = new Map<string, number>()
      for await (const part of store.streams("order/")) for (const { stream, version } of part) heads.set(stream, version)
      for (const [seed, version] of told) expect(heads.get(streamFor(seed)) ?? 0).toBeGreaterThanOrEqual(version)
      await store.close()
    }
    const db = new DatabaseSync(file)
    expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" })
    db.close()
  })

  it("given an engine that writes, then a reader sees it live; and also after a kill, and after a clean end", async () => {
    const child = await writer("w")
    await child.enough(40)
    const reader = SqliteEventStore.open({ file, readOnly: true })
    expect((await reader.findOrder(orderIdFor("w-0-0")))?.version).toBeGreaterThan(0)
    expect(await verifyAll(reader)).toMatchObject({ findings: [] })
    expect(await reader.append([appendOf(1, [{}])])).toMatchObject([{ _tag: "Unavailable" }])
    await expect(reader.setMeta("a", "b")).rejects.toBeInstanceOf(StoreUnavailable)
    await expect(reader.rebuildProjections()).rejects.toBeInstanceOf(StoreUnavailable)
    const seen = (await reader.listOrders({ limit: 1000 })).orders.length
    await child.enough(seen + 80)
    expect((await reader.listOrders({ limit: 1000 })).orders.length).toBeGreaterThan(Math.min(seen, 999))
    await child.kill()
    expect((await verifyAll(reader)).findings).toEqual([])
    await reader.close()
    const afterKill = SqliteEventStore.open({ file, readOnly: true })
    expect((await verifyAll(afterKill)).findings).toEqual([])
    const id = afterKill.storeId
    await afterKill.close()
    const engine = SqliteEventStore.open({ file })
    await engine.close()
    const afterEnd = SqliteEventStore.open({ file, readOnly: true })
    expect(afterEnd.storeId).toBe(id)
    expect((await verifyAll(afterEnd)).findings).toEqual([])
    await afterEnd.close()
  })

  it("given no store, a file of something else, or a newer store, then opening says so, and nothing stays locked", async () => {
    expect(() => SqliteEventStore.open({ file, readOnly: true })).toThrow(/no event store at/)
    const other = new DatabaseSync(file)
    other.exec("CREATE TABLE theirs (a)")
    other.close()
    expect(() => SqliteEventStore.open({ file })).toThrow(/something else/)
    expect(() => SqliteEventStore.open({ file })).toThrow(/something else/)
    rmSync(file)
    await SqliteEventStore.open({ file }).close()
    const newer = new DatabaseSync(file)
    newer.exec("PRAGMA user_version = 99")
    newer.close()
    expect(() => SqliteEventStore.open({ file })).toThrow(/newer version/)
    expect(() => SqliteEventStore.open({ file, readOnly: true })).toThrow(/newer version/)
  })

  it("given a disk that is full in the middle of a batch, then all of it is unavailable, none is there, and it goes through later", async () => {
    const store = SqliteEventStore.open({ file, thread })
    await store.append([appendOf("before", LIFE)])
    await store.setMaxPages(1)
    const big = Array.from({ length: 50 }, (_, index) => appendOf(index, [{ data: { pad: "x".repeat(5000) } }]))
    const results = await store.append(big)
    expect(results.every((result) => result._tag === "Unavailable" && /full/.test(result.reason))).toBe(true)
    expect((await store.readStreams(big.map(({ stream }) => stream))).size).toBe(0)
    const commit = new GroupCommit(store, { firstRetryMs: 5 })
    const pending = Promise.all(big.map((append) => commit.append(append)))
    await sleep(30)
    expect(commit.isAway).toBe(true)
    await store.setMaxPages(undefined)
    expect((await pending).every(({ _tag }) => _tag === "Appended")).toBe(true)
    await store.append([appendOf("before", [{}], headOf(appendOf("before", LIFE)))])
    expect(await verifyAll(store)).toMatchObject({ streams: 51, findings: [] })
    await commit.close()
    await store.close()
  })
})
