import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { AnchorWriter, type EventStore, hashOf, SqliteEventStore, type StreamHead, sealAll, verifyAll, verifyStream } from "../src/index.ts"
import { appendOf, FaultyStore, headOf, LIFE, recordOf, streamFor } from "../src/testing/index.ts"

const START_MS = Date.UTC(2026, 0, 5)

describe("verify and anchors", () => {
  let dir: string
  let file: string
  let store: SqliteEventStore

  const anchorsOf = (on: EventStore, startedAtMs = START_MS): AnchorWriter =>
    new AnchorWriter({
      store: on,
      append: async (append) => (await on.append([append]))[0] ?? { _tag: "Unavailable", reason: "no result" },
      replica: "r1",
      startedAtMs,
      nowMs: () => startedAtMs,
      engineVersion: "0.1.0",
      settingsVersion: "s1",
      simulationMode: true,
    })
  const tamper = async (sql: string, ...values: (string | number)[]): Promise<void> => {
    await store.close()
    const db = new DatabaseSync(file)
    db.prepare(sql).run(...values)
    db.close()
    store = SqliteEventStore.open({ file })
  }
  const OF_STREAM = "stream = (SELECT no FROM streams WHERE name = ?)"

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "petrosa-verify-"))
    file = join(dir, "events.db")
    store = SqliteEventStore.open({ file })
    await store.append([1, 2, 3].map((seed) => appendOf(seed, LIFE)))
  })
  afterEach(async () => {
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  })

  it("given an honest store, then nothing is found, with and without anchors", async () => {
    expect(await verifyAll(store)).toEqual({ streams: 3, events: 3 * LIFE.length, anchored: 0, findings: [] })
    const anchors = anchorsOf(store)
    await anchors.tick()
    expect(anchors.head.version).toBe(1)
    expect(await verifyAll(store, { anchor: anchors.head.hash })).toEqual({
      streams: 4,
      events: 3 * LIFE.length + 1,
      anchored: 3,
      findings: [],
    })
    expect(await verifyStream(store, streamFor(2))).toMatchObject({ streams: 1, anchored: 1, findings: [] })
  })

  it.each(Array.from({ length: LIFE.length }, (_, index) => index + 1))(
    "given one byte of event %i changed, then it is named",
    async (version) => {
      await tamper(
        `UPDATE events SET text = replace(text, '"0.01500000"', '"0.01500001"') WHERE ${OF_STREAM} AND version = ?`,
        streamFor(2),
        version,
      )
      expect((await verifyAll(store)).findings).toMatchObject([{ stream: streamFor(2), version, what: "changed" }])
      expect((await verifyStream(store, streamFor(2))).findings).toMatchObject([{ version, what: "changed" }])
      expect((await verifyStream(store, streamFor(1))).findings).toEqual([])
    },
  )

  it("given a changed event with its hash made anew, then the event after it tells", async () => {
    const text = (await store.readRaw(streamFor(2)))[2]?.text.replace("0.01500000", "9.01500000") ?? ""
    await tamper(`UPDATE events SET text = ?, hash = ? WHERE ${OF_STREAM} AND version = 3`, text, hashOf(text), streamFor(2))
    expect((await verifyAll(store)).findings).toMatchObject([{ stream: streamFor(2), version: 4, what: "prev" }])
  })

  it("given an event missing in the middle, or at the start, then it is named", async () => {
    await tamper(`DELETE FROM events WHERE ${OF_STREAM} AND version = 3`, streamFor(2))
    await tamper(`DELETE FROM events WHERE ${OF_STREAM} AND version = 1`, streamFor(3))
    expect((await verifyAll(store)).findings).toMatchObject([
      { stream: streamFor(2), version: 3, what: "missing" },
      { stream: streamFor(3), version: 1, what: "missing" },
    ])
  })

  it("given an event of another stream put in, or a stream without its name, then it is named", async () => {
    await tamper(
      `UPDATE events SET stream = (SELECT no FROM streams WHERE name = ?), version = 8 WHERE ${OF_STREAM} AND version = 7`,
      streamFor(1),
      streamFor(2),
    )
    expect((await verifyAll(store)).findings).toMatchObject([{ stream: streamFor(1), version: 8, what: "inserted" }])
    await tamper("DELETE FROM streams WHERE name = ?", streamFor(3))
    expect((await verifyAll(store)).findings.map(({ stream }) => stream)).toEqual([streamFor(1), expect.stringMatching(/^nameless\//)])
  })

  it("given an anchor, when the last event, or a whole stream, is removed, then it is named; before the anchor it is not known", async () => {
    await tamper(`DELETE FROM events WHERE ${OF_STREAM} AND version = 7`, streamFor(1))
    expect((await verifyAll(store)).findings).toEqual([])
    await anchorsOf(store).tick()
    await tamper(`DELETE FROM events WHERE ${OF_STREAM} AND version = 7`, streamFor(2))
    await tamper(`DELETE FROM events WHERE ${OF_STREAM}`, streamFor(3))
    expect((await verifyAll(store)).findings).toMatchObject([
      { stream: streamFor(2), version: 7, what: "tailMissing" },
      { stream: streamFor(3), version: 0, what: "streamMissing" },
    ])
    expect((await verifyStream(store, streamFor(3))).findings).toMatchObject([{ what: "streamMissing" }])
  })

  it("given an anchor, when a whole chain is written anew, then it is named", async () => {
    await anchorsOf(store).tick()
    const forged = sealAll(
      LIFE.map((fields, index) => recordOf(2, index + 1, { ...fields, data: { quantity: "1000" } })),
      "",
    )
    for (const { record, text } of forged) {
      await tamper(
        `UPDATE events SET text = ?, hash = ? WHERE ${OF_STREAM} AND version = ?`,
        text,
        record.hash,
        streamFor(2),
        record.version,
      )
    }
    expect((await verifyAll(store)).findings).toMatchObject([{ stream: streamFor(2), version: 7, what: "rewritten" }])
  })

  it("given the anchors removed, when the logged head is asked for, then it is missed", async () => {
    const anchors = anchorsOf(store)
    await anchors.tick()
    await tamper(`DELETE FROM events WHERE ${OF_STREAM}`, anchors.stream)
    expect((await verifyAll(store)).findings).toEqual([])
    expect((await verifyAll(store, { anchor: anchors.head.hash })).findings).toMatchObject([{ what: "anchorMissing" }])
  })

  it("given streams that move, then each tick anchors their heads once, and a quiet one writes nothing", async () => {
    const heads: StreamHead[] = []
    const anchors = new AnchorWriter({
      store,
      append: async (append) => (await store.append([append]))[0] ?? { _tag: "Unavailable", reason: "" },
      replica: "r1",
      startedAtMs: START_MS,
      nowMs: () => START_MS,
      engineVersion: "1",
      settingsVersion: "1",
      simulationMode: true,
      onAnchored: (head) => heads.push(head),
    })
    await anchors.tick()
    await anchors.tick()
    expect(heads.length).toBe(1)
    const more = appendOf(9, LIFE.slice(0, 2))
    await store.append([more])
    anchors.moved(more.stream, 1, more.records[0]?.record.hash ?? "")
    anchors.moved(more.stream, 2, headOf(more).hash)
    await anchors.close()
    expect(heads.map(({ version }) => version)).toEqual([1, 2])
    const events = (await store.readStreams([anchors.stream])).get(anchors.stream)
    expect(events?.events[1]?.data).toEqual({ heads: [{ stream: more.stream, version: 2, hash: headOf(more).hash }] })
  })

  it("given a writer that was killed, when the next one starts, then the heads that no anchor knew are anchored, and only those", async () => {
    await anchorsOf(store).tick()
    await store.append([appendOf(4, LIFE), appendOf(1, [{ type: "OrderAdopted" }], headOf(appendOf(1, LIFE)))])
    const next = anchorsOf(store, START_MS + 60_000)
    await next.tick()
    const heads = (await store.readStreams([next.stream])).get(next.stream)?.events[0]?.data.heads as readonly StreamHead[]
    expect(heads.map(({ stream, version }) => [stream, version]).sort()).toEqual(
      [
        [anchorsOf(store).stream, 1],
        [streamFor(1), LIFE.length + 1],
        [streamFor(4), LIFE.length],
      ].sort(),
    )
    expect((await verifyAll(store)).findings).toEqual([])
  })

  it("given a store that nobody wrote to, when a writer begins there, then its first anchor has what moved, and reads nothing back", async () => {
    const empty = SqliteEventStore.open({ file: join(dir, "empty.sqlite") })
    let reads = 0
    const headsSince = empty.headsSince.bind(empty)
    empty.headsSince = (mark) => {
      reads += 1
      return headsSince(mark)
    }
    const anchors = anchorsOf(empty)
    await anchors.begin()
    const append = appendOf(1, LIFE)
    await empty.append([append])
    const head = headOf(append)
    anchors.moved(append.stream, head.version, head.hash)
    reads = 0
    await anchors.tick()
    expect(reads).toBe(0)
    expect(await verifyAll(empty)).toMatchObject({ streams: 2, anchored: 1, findings: [] })
    await empty.close()
  })

  it("given a store with events, anchored or not, when a writer begins there, then what no anchor knows is in its first", async () => {
    const first = anchorsOf(store)
    await first.begin()
    await first.tick()
    expect(await verifyAll(store)).toMatchObject({ anchored: 3 })
    await store.append([appendOf(9, LIFE)])
    const next = anchorsOf(store, START_MS + 1000)
    await next.begin()
    await next.tick()
    // The first writer's own stream is one of them.
    expect(await verifyAll(store)).toMatchObject({ anchored: 5, findings: [] })
  })

  it("given an anchor whose reply is lost, or a store that is away, then the next tick takes it up, and the chain stays whole", async () => {
    const faulty = new FaultyStore(store)
    const anchors = anchorsOf(faulty)
    faulty.next({ _tag: "LoseReply" })
    await expect(anchors.tick()).rejects.toThrow(/not written/)
    const more = appendOf(9, [{}])
    await store.append([more])
    anchors.moved(more.stream, 1, headOf(more).hash)
    faulty.goAway()
    await expect(anchors.tick()).rejects.toThrow()
    faulty.comeBack()
    await anchors.tick()
    expect(anchors.head.version).toBe(2)
    expect(await verifyAll(store)).toMatchObject({ anchored: 4, findings: [] })
  })

  it("given a store that is written meanwhile, then verifying it finds nothing", async () => {
    const reader = SqliteEventStore.open({ file, readOnly: true })
    const anchors = anchorsOf(store)
    let round = 0
    const writing = (async () => {
      for (; round < 60; round += 1) {
        const life = appendOf(`w${round}`, LIFE)
        for (const sealed of life.records) {
          await store.append([{ stream: life.stream, records: [sealed] }])
          anchors.moved(life.stream, sealed.envelope.version, sealed.hash)
        }
        if (round % 5 === 0) await anchors.tick()
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    })()
    let checks = 0
    while (round < 60) {
      const { findings } = await verifyAll(reader)
      expect(findings).toEqual([])
      checks += 1
    }
    await writing
    expect(checks).toBeGreaterThan(1)
    expect(await verifyAll(reader)).toMatchObject({ events: 3 * LIFE.length + 60 * LIFE.length + anchors.head.version, findings: [] })
    await reader.close()
  })
})
