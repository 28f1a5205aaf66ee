/**
 * Past orders by the million: a store that is filled once and kept in the user's cache. Each past order is a copy of one real
 * life under another id, its chain sealed anew: `petrosa verify` finds nothing wrong with it.
 */
import { hash } from "node:crypto"
import { copyFileSync, constants, existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type EventRecord, orderIdOf, orderStream, type SealedRecord } from "@petrosa/contracts"
import { type Append, CHAIN_START, SqliteEventStore, sealedAs } from "@petrosa/event-store"
import { cacheFolder } from "./cacheFolder.ts"
import type { Sample } from "./sample.ts"

/** Appended at once: large groups, since nobody waits for them. */
const GROUP = 1000
const SAY_EVERY = 50_000
/** They came one every two seconds and a half. */
const SPACING_MS = 2500
const COPIED_UP_TO = 100_000
/** Part of the file's name: another form of events is another file. */
const FORM = 2

interface Piece {
  readonly record: EventRecord
  /** Its text, cut where the id, the signal's id, the hash before or the time of creation stands. */
  readonly parts: readonly (string | { readonly put: Mark })[]
}
type Mark = "order" | "signal" | "prev" | "created"

const cut = (text: string, marks: ReadonlyMap<string, Mark>): Piece["parts"] => {
  const pattern = new RegExp([...marks.keys()].map((key) => key.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g")
  const parts: Piece["parts"][number][] = []
  let from = 0
  for (const found of text.matchAll(pattern)) {
    parts.push(text.slice(from, found.index), { put: marks.get(found[0]) ?? "order" })
    from = found.index + found[0].length
  }
  parts.push(text.slice(from))
  return parts
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
    return { record: one, parts: cut(text, marks) }
  })

const lifeOf = (pieces: readonly Piece[], n: number, createdAt: string): Append => {
  const order = orderIdOf(Buffer.from(hash("sha256", `past order ${n}`), "hex"))
  const stream = orderStream(order)
  const signal = `past_${n}`
  let prev = CHAIN_START
  const records = pieces.map(({ record, parts }): SealedRecord => {
    const put = { order, signal, prev, created: createdAt }
    const text = parts.map((part) => (typeof part === "string" ? part : put[part.put])).join("")
    const sealed: EventRecord = { ...record, stream, order, signal_id: signal, created_at: createdAt, prev, hash: hash("sha256", text) }
    prev = sealed.hash
    return sealedAs(sealed, text)
  })
  return { stream, records }
}

/** The file with so many past orders, made when it is not there. Returns a copy in `folder`, or the file itself when it is large. */
export const pastOrders = async (count: number, sample: Sample, folder: string, say: (text: string) => void): Promise<string> => {
  const cached = join(cacheFolder(), `past-${count}-${FORM}.sqlite`)
  if (!existsSync(cached)) {
    mkdirSync(cacheFolder(), { recursive: true })
    const making = `${cached}.making`
    for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(`${making}${suffix}`, { force: true })
    const store = SqliteEventStore.open({ file: making })
    const pieces = piecesOf(sample)
    const newestMs = Date.now() - 60_000
    for (let n = 0; n < count; n += GROUP) {
      const batch = Array.from({ length: Math.min(GROUP, count - n) }, (_, i) =>
        lifeOf(pieces, n + i, new Date(newestMs - (count - n - i) * SPACING_MS).toISOString()),
      )
      const failed = (await store.append(batch)).find((result) => result._tag !== "Appended")
      if (failed !== undefined) throw new Error(`past orders could not be written: ${JSON.stringify(failed)}`)
      if ((n + batch.length) % SAY_EVERY === 0) say(`${n + batch.length} of ${count} past orders written (once; kept in ${cacheFolder()})`)
    }
    await store.close()
    renameSync(making, cached)
    rmSync(`${making}.lock`, { force: true })
  }
  // Each run adds some thousand orders to a large one: less than copying many gigabytes would disturb what is measured.
  if (count > COPIED_UP_TO) return cached
  const copy = join(folder, "audit.sqlite")
  copyFileSync(cached, copy, constants.COPYFILE_FICLONE)
  return copy
}
