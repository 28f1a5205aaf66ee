/**
 * The `orders` collection: one row per order, written behind the appends. A cache: it can be deleted and rebuilt.
 *
 * Promises: it never delays an append (but see {@link OrderProjection.begin}); newest version wins, whoever writes; it is
 * caught up when the store opens, also after a crash. On a server that scans, rows are written when the appends pause, and
 * under load when they have waited long enough: an order changes many times within a second, and its last row will do.
 *
 * For the catching up each writer keeps a checkpoint: every event that it wrote and that is not in its rows yet was decided
 * (`at`) at or after it. Only `at`s are compared with `at`s, so a clock that steps does no harm.
 */
import { randomUUID } from "node:crypto"
import { type AnyBulkWriteOperation, MongoBulkWriteError, MongoServerError } from "mongodb"
import type { EventRecord } from "@petrosa/contracts"
import type { Append, AppendResult, OrderRow } from "../eventStore.ts"
import { rowOf } from "../orderRows.ts"
import type { MongoConnection } from "./connect.ts"
import { type EventDocument, fromDocument, toRowDocument } from "./document.ts"

const DUPLICATE = 11000
const ROWS_PER_WRITE = 500
/** Rows that may wait; beyond it they are read from the events again when the store has time. */
const WAITING_MAX = 50_000
/** The checkpoint stays so far behind, so that ordinary appends never have to move it back. */
const MARGIN_MS = 5000
/** How far the clocks of several engines may be apart before a crash could lose a row of this cache. */
const SKEW_MS = 60_000
const CHECKPOINT_EVERY_MS = 5000
/** A checkpoint that was not touched for so long belongs to a process that is no more. */
const DEAD_AFTER_MS = 3_600_000
/** The store is left alone for so many times the length of a flush. */
const REST = 10
/** Appends pause when none has been on its way for so long (or for the time that rows are gathered, if that is shorter). */
const PAUSE_MS = 50
/**
 * Where a row that is there already costs scans of the collection, rows wait for a pause, for at most so many times the time
 * that they are gathered, counted from the oldest. Elsewhere they do not wait: other replicas count what is open from them.
 */
const PATIENCE_SCANNING = 20
const PREFIX = "projection/"
const MARKER = "projection"
const VERSION = "1"

const earlier = (iso: string, ms: number): string => new Date(Date.parse(iso) - ms).toISOString()
const min = (a: string | undefined, b: string | undefined): string | undefined => (a === undefined ? b : b === undefined || a < b ? a : b)

interface Waiting {
  readonly row: OrderRow
  /** The first event of this order is among those that wait: there can be no row yet. */
  readonly isNew: boolean
  readonly firstAt: string
}

/** What an append on its way holds the checkpoint with. */
export interface AppendToken {
  readonly at: string
}

export interface ProjectionOptions {
  /** How long rows are gathered before they are written. */
  readonly everyMs: number
  readonly onError: (error: unknown) => void
}

export class OrderProjection {
  readonly #db: MongoConnection
  readonly #options: ProjectionOptions
  readonly #id = `${PREFIX}${randomUUID()}`
  #waiting = new Map<string, Waiting>()
  #writing: ReadonlyMap<string, Waiting> = new Map()
  readonly #onTheirWay = new Set<AppendToken>()
  /** Streams whose last append got no answer, with when its events were decided. */
  readonly #unknown = new Map<string, string>()
  #newestAt: string | undefined
  /** What the store has; `undefined` until the first append. */
  #checkpoint: string | undefined
  #checkpointAtMs = 0
  /** Writes of the checkpoint, one after the other. */
  #checkpointWrites: Promise<void> = Promise.resolve()
  #overflowed = false
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #failures = 0
  /** A slow server is given rest after a flush. */
  #restUntilMs = 0
  /** When the oldest of the rows that wait began to. */
  #waitingSinceMs: number | undefined
  #lastAppendMs = 0
  #closed = false

  constructor(db: MongoConnection, options: ProjectionOptions) {
    this.#db = db
    this.#options = options
  }

  /** The newest `at` that this writer appended. */
  get newestAt(): string | undefined {
    return this.#newestAt
  }

  /**
   * Before an append leaves. Asks the store only when these events were decided before the checkpoint (the first append,
   * one that waited long, a clock that was set back): then the checkpoint is moved back first.
   */
  async begin(at: string): Promise<AppendToken> {
    const token: AppendToken = { at }
    this.#onTheirWay.add(token)
    try {
      if (this.#checkpoint === undefined || at < this.#checkpoint) await this.#moveBack(at)
    } catch (error) {
      this.#onTheirWay.delete(token)
      throw error
    }
    return token
  }

  /** After it. What is unknown (`Unavailable`) holds the checkpoint until the same stream is appended with an answer. */
  end(token: AppendToken, batch: readonly Append[], results: readonly AppendResult[]): void {
    for (const [index, { stream, records }] of batch.entries()) {
      const last = records.at(-1)?.record
      const result = results[index]?._tag ?? "Unavailable"
      if (last === undefined) continue
      if (result === "Unavailable") this.#unknown.set(stream, min(this.#unknown.get(stream), token.at) ?? token.at)
      else this.#unknown.delete(stream)
      if (result === "Appended") this.#note(last, records[0]?.record.version === 1, token.at)
    }
    this.#onTheirWay.delete(token)
    this.#lastAppendMs = performance.now()
    this.#schedule()
  }

  #note(record: EventRecord, isNew: boolean, at: string): void {
    if (this.#newestAt === undefined || record.at > this.#newestAt) this.#newestAt = record.at
    if (record.order === "") return
    const before = this.#waiting.get(record.order)
    if (before === undefined && this.#waiting.size >= WAITING_MAX) {
      this.#overflowed = true
      return
    }
    if (before !== undefined && before.row.version >= record.version) return
    this.#waiting.set(record.order, { row: rowOf(record), isNew: isNew || before?.isNew === true, firstAt: min(before?.firstAt, at) ?? at })
  }

  #schedule(): void {
    // After a flush that is on its way it is called again, and knows then how long that one took.
    if (this.#timer !== undefined || this.#flushing !== undefined || this.#closed || this.#waiting.size === 0) return
    this.#waitingSinceMs ??= performance.now()
    const delayMs = Math.max(this.#options.everyMs * 2 ** Math.min(this.#failures, 5), this.#restUntilMs - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#mayWait()) this.#schedule()
      else this.flush().catch(this.#options.onError)
    }, delayMs)
    this.#timer.unref()
  }

  /** Writing is dear here, appends are going on, and these rows have not waited long. */
  #mayWait(): boolean {
    if (!this.#db.scans) return false
    const { everyMs } = this.#options
    const nowMs = performance.now()
    if (nowMs - (this.#waitingSinceMs ?? nowMs) >= everyMs * PATIENCE_SCANNING) return false
    return this.#onTheirWay.size > 0 || nowMs - this.#lastAppendMs < Math.min(PAUSE_MS, everyMs)
  }

  /** Writes everything that waits. Rejects when the store did not take it; it waits on then. */
  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing.catch(() => undefined)
    if (this.#waiting.size === 0 && !this.#overflowed) return
    const startMs = performance.now()
    this.#flushing = this.#flushOnce()
    try {
      await this.#flushing
      this.#failures = 0
      const nowMs = performance.now()
      this.#restUntilMs = nowMs + (nowMs - startMs) * REST
    } catch (error) {
      this.#failures += 1
      throw error
    } finally {
      this.#flushing = undefined
      this.#schedule()
    }
  }

  async #flushOnce(): Promise<void> {
    const taken = this.#waiting
    this.#waiting = new Map()
    this.#waitingSinceMs = undefined
    this.#writing = taken
    try {
      await this.#write([...taken.values()])
    } catch (error) {
      for (const [order, waiting] of taken) {
        const newer = this.#waiting.get(order)
        this.#waiting.set(order, newer === undefined ? waiting : { ...newer, isNew: waiting.isNew, firstAt: waiting.firstAt })
      }
      throw error
    } finally {
      this.#writing = new Map()
    }
    if (this.#overflowed) {
      this.#overflowed = false
      try {
        if (this.#checkpoint !== undefined) await this.#readSince(this.#checkpoint)
      } catch (error) {
        this.#overflowed = true
        throw error
      }
    }
    if (Date.now() - this.#checkpointAtMs >= CHECKPOINT_EVERY_MS) await this.#advance()
  }

  async #write(rows: readonly Pick<Waiting, "row" | "isNew">[]): Promise<void> {
    for (let from = 0; from < rows.length; from += ROWS_PER_WRITE) {
      const part = rows.slice(from, from + ROWS_PER_WRITE)
      // Inserting is much cheaper than looking first.
      const fresh = part.filter(({ isNew }) => isNew)
      const refused = await this.#bulk(fresh.map(({ row }) => ({ insertOne: { document: toRowDocument(row) } })))
      const known = [...part.filter(({ isNew }) => !isNew), ...fresh.filter((_, index) => refused.includes(index))].map(({ row }) => row)
      if (known.length === 0) continue
      if (this.#db.scans) await this.#replace(known)
      // A duplicate of an upsert means that a newer row is there.
      else await this.#bulk(known.map(upsertOf))
    }
  }

  /**
   * On a server that scans, where each of many updates would read the whole collection: two scans for all of them. A
   * crash in between loses rows that the checkpoint still covers.
   */
  async #replace(rows: readonly OrderRow[]): Promise<void> {
    const stored = await this.#db.orders.find({ _id: { $in: rows.map((row) => row.order) } }, { projection: { version: 1 } }).toArray()
    const versions = new Map(stored.map((row) => [row._id, Number(row.version)]))
    const newer = rows.filter((row) => (versions.get(row.order) ?? 0) < row.version)
    const old = newer.filter((row) => versions.has(row.order)).map((row) => row.order)
    if (old.length > 0) await this.#db.orders.deleteMany({ _id: { $in: old } })
    await this.#bulk(newer.map((row) => ({ insertOne: { document: toRowDocument(row) } })))
  }

  /** Returns the indexes of duplicates. */
  async #bulk(
    operations: AnyBulkWriteOperation<Readonly<Record<string, unknown>> & { readonly _id: string }>[],
  ): Promise<readonly number[]> {
    if (operations.length === 0) return []
    try {
      await this.#db.orders.bulkWrite(operations, { ordered: false })
      return []
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error
      const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
      if (errors.length === 0 || errors.some((write) => write.code !== DUPLICATE)) throw error
      return errors.map((write) => write.index)
    }
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const turn = this.#checkpointWrites.then(write)
    this.#checkpointWrites = turn.catch(() => undefined)
    return turn
  }

  #moveBack(at: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#checkpoint === undefined || at < this.#checkpoint) await this.#writeCheckpoint(earlier(at, MARGIN_MS))
    })
  }

  async #writeCheckpoint(at: string): Promise<void> {
    await this.#db.meta.updateOne({ _id: this.#id }, { $set: { at, beatMs: Date.now() } }, { upsert: true, timeoutMS: 10_000 })
    this.#checkpoint = at
    this.#checkpointAtMs = Date.now()
  }

  #advance(): Promise<void> {
    return this.#inTurn(async () => {
      let at = this.#newestAt
      for (const token of this.#onTheirWay) at = min(at, token.at)
      for (const unknown of this.#unknown.values()) at = min(at, unknown)
      for (const waiting of this.#waiting.values()) at = min(at, waiting.firstAt)
      for (const waiting of this.#writing.values()) at = min(at, waiting.firstAt)
      if (at === undefined || this.#overflowed) return
      const next = earlier(at, MARGIN_MS)
      // Before it is written: an append that begins meanwhile and is older takes its turn after this one, and moves it back.
      if (this.#checkpoint === undefined || next > this.#checkpoint) this.#checkpoint = next
      await this.#writeCheckpoint(next)
    })
  }

  /** Brings the rows up to date with what other processes, or this one before a crash, left behind. */
  async catchUp(): Promise<void> {
    const marker = await this.#db.meta.findOne({ _id: MARKER })
    if (marker?.value !== VERSION || ((await this.#db.orders.findOne({})) === null && (await this.#db.events.findOne({})) !== null)) {
      await this.rebuild()
      return
    }
    const checkpoints = await this.#db.meta.find({ _id: { $gte: PREFIX, $lt: `${PREFIX}~` } }).toArray()
    const from = checkpoints.reduce<string | undefined>((at, checkpoint) => min(at, checkpoint.at), undefined)
    if (from === undefined) return
    const newest = await this.#readSince(from)
    if (newest === undefined) return
    const safe = earlier(newest, SKEW_MS)
    for (const { _id, at, beatMs } of checkpoints) {
      if (Date.now() - (beatMs ?? 0) > DEAD_AFTER_MS) await this.#db.meta.deleteOne({ _id, beatMs: beatMs ?? 0 })
      else if (at !== undefined && at < safe) await this.#db.meta.updateOne({ _id, at }, { $set: { at: safe } })
    }
  }

  async rebuild(): Promise<number> {
    await this.#db.meta.deleteOne({ _id: MARKER })
    await this.#db.orders.deleteMany({})
    let orders = 0
    await this.#project(this.#db.events.find({}, { projection: SLIM }).sort({ _id: 1 }), (count) => {
      orders += count
    })
    await this.#db.meta.updateOne({ _id: MARKER }, { $set: { value: VERSION } }, { upsert: true })
    return orders
  }

  #readSince(at: string): Promise<string | undefined> {
    return this.#project(this.#db.events.find({ at: { $gte: at } }, { projection: SLIM }), () => undefined)
  }

  /** Writes the rows of these events, in any order. Returns the newest `at`. */
  async #project(documents: AsyncIterable<EventDocument>, onRows: (count: number) => void): Promise<string | undefined> {
    let rows = new Map<string, OrderRow>()
    let newest: string | undefined
    const write = async () => {
      onRows(rows.size)
      await this.#write([...rows.values()].map((row) => ({ row, isNew: false })))
      rows = new Map()
    }
    for await (const document of documents) {
      const record = fromDocument(document)
      if (newest === undefined || record.at > newest) newest = record.at
      if (record.order === "") continue
      const before = rows.get(record.order)
      if (before === undefined && rows.size >= ROWS_PER_WRITE * 10) await write()
      if (before === undefined || before.version < record.version) rows.set(record.order, rowOf(record))
    }
    await write()
    return newest
  }

  /** Writes what waits, and takes the checkpoint away: nothing has to be caught up after a clean end. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.flush()
    if (this.#checkpoint !== undefined && this.#unknown.size === 0) await this.#db.meta.deleteOne({ _id: this.#id })
  }
}

/** A row needs none of these. */
const SLIM = { data: 0, commands: 0, metadata: 0 } as const

const upsertOf = (row: OrderRow) => ({
  updateOne: {
    filter: { _id: row.order, version: { $lt: row.version } },
    update: { $set: withoutId(toRowDocument(row)) },
    upsert: true,
  },
})

const withoutId = ({ _id, ...rest }: Readonly<Record<string, unknown>> & { readonly _id: string }): Readonly<Record<string, unknown>> =>
  rest

/** Whether an error says that the document is there already. */
export const isDuplicate = (error: unknown): boolean => error instanceof MongoServerError && error.code === DUPLICATE
