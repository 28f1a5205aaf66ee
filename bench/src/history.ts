/**
 * Past orders by the million: a store that is filled once and kept in the user's cache. Each past order is a copy of one real
 * life under another id, its chain sealed anew: `petrosa verify` finds nothing wrong with it.
 */
import { hash } from "node:crypto"
import { closeSync, copyFileSync, constants, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type EventRecord, orderIdOf, orderStream, type SealedRecord } from "@petrosa/contracts"
import { AnchorWriter, type Append, type AppendResult, CHAIN_START, sealedAs, SqliteEventStore } from "@petrosa/event-store"
import { cacheFolder } from "./cacheFolder.ts"
import type { Sample } from "./sample.ts"

/** Appended at once: large groups, since nobody waits for them. */
const GROUP = 1000
const SAY_EVERY = 50_000
/** They came one every two seconds and a half. */
const SPACING_MS = 2500
const COPIED_UP_TO = 100_000
/** Part of the file's name: another form of events is another file. */
const FORM = 3

type Mark = "order" | "signal" | "venueOrder" | "prev" | "created"
interface Piece {
  readonly record: EventRecord
  /** Its text around what differs from life to life: one more than there are marks. */
  readonly texts: readonly string[]
  readonly marks: readonly Mark[]
}

const cut = (record: EventRecord, text: string, marks: ReadonlyMap<string, Mark>): Piece => {
  const pattern = new RegExp([...marks.keys()].map((key) => key.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g")
  const texts: string[] = []
  const put: Mark[] = []
  let from = 0
  for (const found of text.matchAll(pattern)) {
    texts.push(text.slice(from, found.index))
    put.push(marks.get(found[0]) ?? "order")
    from = found.index + found[0].length
  }
  texts.push(text.slice(from))
  return { record, texts, marks: put }
}

const piecesOf = (sample: Sample): readonly Piece[] =>
  sample.whole.flat().map(({ record, text }) => {
    const one = record as unknown as EventRecord
    const marks = new Map<string, Mark>([
      [one.order, "order"],
      [one.signal_id, "signal"],
      // Also the time of the first events: a life begins when it was created.
      [one.created_at, "created"],
    ])
    if (one.prev !== "") marks.set(one.prev, "prev")
    if (one.binance_order_id !== null) marks.set(venueOrderField(one.binance_order_id), "venueOrder")
    return cut(one, text, marks)
  })

const venueOrderField = (id: string): string => `"binance_order_id":"${id}"`
/** Like a venue's: all of one length, growing. */
const FIRST_VENUE_ORDER = 8_000_000_000

const lifeOf = (pieces: readonly Piece[], n: number, createdAt: string): Append => {
  const digest = hash("sha256", `past order ${n}`)
  const order = orderIdOf(Buffer.from(digest, "hex"))
  const stream = orderStream(order)
  // Strategies name their signals by chance (UUIDs), which is what an index of them likes least.
  const signal = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  const venueOrder = String(FIRST_VENUE_ORDER + 3 * n)
  const put = { order, signal, venueOrder: venueOrderField(venueOrder), prev: CHAIN_START as string, created: createdAt }
  const records = pieces.map(({ record, texts, marks }): SealedRecord => {
    let text = texts[0] ?? ""
    for (const [i, mark] of marks.entries()) text += put[mark] + (texts[i + 1] ?? "")
    const sealed: EventRecord = {
      ...record,
      stream,
      order,
      signal_id: signal,
      binance_order_id: record.binance_order_id === null ? null : venueOrder,
      created_at: createdAt,
      prev: put.prev,
      hash: hash("sha256", text),
    }
    put.prev = sealed.hash
    return sealedAs(sealed, text)
  })
  return { stream, records }
}

const write = async (store: SqliteEventStore, batch: readonly Append[]): Promise<readonly AppendResult[]> => {
  const results = await store.append(batch)
  const failed = results.find((result) => result._tag !== "Appended")
  if (failed !== undefined) throw new Error(`past orders could not be written: ${JSON.stringify(failed)}`)
  return results
}

const make = async (file: string, count: number, sample: Sample, say: (text: string) => void): Promise<void> => {
  const store = SqliteEventStore.open({ file, thread: true })
  const pieces = piecesOf(sample)
  const newestMs = Date.now() - 60_000
  // Anchored, as an engine would have left them: one that finds a million heads in no anchor begins by anchoring those.
  const anchors = new AnchorWriter({
    store,
    append: async (append) => (await write(store, [append]))[0] ?? { _tag: "Unavailable", reason: "no answer" },
    replica: "past",
    startedAtMs: newestMs - count * SPACING_MS,
    nowMs: Date.now,
    engineVersion: "bench",
    settingsVersion: "bench",
    simulationMode: true,
  })
  // The next group is made while the one before is being written.
  let writing: Promise<unknown> = Promise.resolve()
  for (let n = 0; n < count; n += GROUP) {
    const batch = Array.from({ length: Math.min(GROUP, count - n) }, (_, i) =>
      lifeOf(pieces, n + i, new Date(newestMs - (count - n - i) * SPACING_MS).toISOString()),
    )
    await writing
    writing = write(store, batch).then(() => {
      for (const { stream, records } of batch) {
        const last = records.at(-1)
        if (last !== undefined) anchors.moved(stream, last.envelope.version, last.hash)
      }
      return anchors.tick()
    })
    const made = n + batch.length
    if (made % SAY_EVERY === 0) say(`${made} of ${count} past orders written (once; kept in ${cacheFolder()})`)
  }
  await writing
  await anchors.close()
  const newest = await store.mark()
  await store.setMeta(MADE, JSON.stringify({ orders: count, events: Number(newest) } satisfies Made))
  await store.close()
}

/** In the file's own named values: how far it is of past orders alone. */
const MADE = "bench/made"
interface Made {
  readonly orders: number
  /** The last event's number. */
  readonly events: number
}

/** Takes out what a run before has left: its orders, still with open lots, would be taken up by the engine that is measured. */
const cutBack = (file: string): void => {
  const db = new DatabaseSync(file)
  const text = db.prepare("SELECT value FROM meta WHERE key = ?").get(MADE)?.value
  const { events, orders } = JSON.parse(String(text)) as Made
  // One stream more: the anchors'.
  const streams = orders + 1
  db.exec("BEGIN IMMEDIATE")
  db.prepare("DELETE FROM orders WHERE no > ?").run(streams)
  db.prepare("DELETE FROM events WHERE id > ?").run(events)
  db.prepare("DELETE FROM streams WHERE no > ?").run(streams)
  db.prepare("DELETE FROM meta WHERE key NOT IN ('store_id', ?)").run(MADE)
  db.prepare("INSERT INTO meta (key, value) VALUES ('anchors/mark', ?)").run(String(events))
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
  db.close()
}

/** Until it is on the disk: what is still on its way there would stand before everything that is measured. */
const flush = (file: string): void => {
  const open = openSync(file, "r+")
  fsyncSync(open)
  closeSync(open)
}

/** The file with so many past orders, made when it is not there. Returns a copy in `folder`, or the file itself when it is large. */
export const pastOrders = async (count: number, sample: Sample, folder: string, say: (text: string) => void): Promise<string> => {
  const cached = join(cacheFolder(), `past-${count}-${FORM}.sqlite`)
  if (!existsSync(cached)) {
    mkdirSync(cacheFolder(), { recursive: true })
    const making = `${cached}.making`
    for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(`${making}${suffix}`, { force: true })
    await make(making, count, sample, say)
    renameSync(making, cached)
    rmSync(`${making}.lock`, { force: true })
  }
  // A large one is used itself: copying many gigabytes would disturb what is measured.
  if (count > COPIED_UP_TO) {
    cutBack(cached)
    return cached
  }
  const copy = join(folder, "audit.sqlite")
  copyFileSync(cached, copy, constants.COPYFILE_FICLONE)
  flush(copy)
  return copy
}
