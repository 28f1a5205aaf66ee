/**
 * The embedded event store: one SQLite file (Node's own), one writer, any number of readers.
 *
 * Promises: one `append` is one transaction and one flush to the disk (WAL, synchronous=FULL); the projection of orders
 * is part of it. A second writer on the same file is refused when it opens (lock.ts). A full disk or an I/O error rolls
 * the whole batch back and is `Unavailable`: sending it again is safe. With `thread` a batch is written in a thread of its
 * own; without, and in every read, Node's SQLite holds the event loop: 500 events for some milliseconds.
 */
import { existsSync, mkdirSync } from "node:fs"
import { randomUUID } from "node:crypto"
import { dirname, resolve } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { setImmediate as nextTurn } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import {
  type Append,
  type AppendResult,
  type EventStore,
  type HistoryRead,
  type OrderPage,
  type OrderQuery,
  type OrderRow,
  type Snapshot,
  type SnapshotRead,
  type Snapshots,
  type StoredEvent,
  type StoredStream,
  type StreamHead,
  type StreamRead,
  StoreUnavailable,
} from "../eventStore.ts"
import { CHAIN_START, envelopeFromText, recordFromText } from "../hashChain.ts"
import { type ReadEvent, readHistory, readStream, UPCASTERS, type Upcasters } from "../upcasters.ts"
import { reasonOf } from "./appender.ts"
import { type FileLock, lockFile } from "./lock.ts"
import { findOrder, listOrders, openOrderIds, openOrders, rebuildOrders } from "./orders.ts"
import { prepareReader, prepareWriter, REBUILD, whyNotOurs } from "./schema.ts"
import { readSnapshots } from "./snapshots.ts"
import { type Writer, writerBeside, writerInThread } from "./writer.ts"

export interface SqliteStoreOptions {
  /** A path, or `:memory:`. The folder is made. */
  readonly file: string
  /** Opens without the lock, also while an engine writes. The file must exist. */
  readonly readOnly?: boolean
  /** Writes in a thread of its own (not `:memory:`): an engine decides on while the disk is being flushed. */
  readonly thread?: boolean
  readonly upcasters?: Upcasters
  /** Given by simulations, which must not depend on chance; used only when the store is new. */
  readonly newStoreId?: string
}

const ONLY_READS = "PRAGMA query_only = ON"
const STORE_ID = "store_id"
const MEMORY = ":memory:"
const STREAMS_PER_READ = 200
const HEADS_PER_BATCH = 1000
/** Of one read: some milliseconds. */
const EVENTS_PER_MARK = 1000

interface StoredRow {
  readonly name: string
  readonly version: number
  readonly hash: string
  readonly text: string
}

export class SqliteEventStore implements EventStore {
  readonly kind = "sqlite"
  readonly storeId: string
  /** None of a file that only readers of this version have opened yet. */
  readonly snapshots: Snapshots | undefined
  readonly #db: DatabaseSync
  readonly #lock: FileLock | undefined
  /** None: open for reading only. */
  readonly #writer: Writer | undefined
  readonly #upcasters: Upcasters
  readonly #statements = new Map<string, StatementSync>()
  #closed = false

  private constructor(db: DatabaseSync, lock: FileLock | undefined, options: SqliteStoreOptions) {
    this.#db = db
    this.#lock = lock
    this.#upcasters = options.upcasters ?? UPCASTERS
    if (options.readOnly !== true) {
      db.prepare("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)").run(STORE_ID, options.newStoreId ?? randomUUID())
      // The rows were deleted (they are a cache, and may be).
      const isEmpty = (table: "events" | "orders"): boolean => db.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() === undefined
      if (isEmpty("orders") && !isEmpty("events")) rebuildOrders(db, REBUILD)
    }
    const id = db.prepare("SELECT value FROM meta WHERE key = ?").get(STORE_ID)?.value
    if (typeof id !== "string") throw new StoreUnavailable(`${options.file} has no store id: it was never opened by an engine`)
    this.storeId = id
    if (options.readOnly !== true) {
      if (options.thread === true && options.file !== MEMORY) {
        this.#writer = writerInThread(resolve(options.file))
        // The pages that are written are in the thread's cache, and the log is the thread's to carry. This connection only reads: a
        // write of its own would hold the event loop until the batch that is being written is on the disk, 100 ms and more.
        db.exec(`PRAGMA cache_size = -4000; PRAGMA wal_autocheckpoint = 0; ${ONLY_READS}`)
      } else this.#writer = writerBeside(db)
    }
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'snapshots'").get() !== undefined) {
      this.snapshots = {
        save: (form, snapshots) => this.#saveSnapshots(form, snapshots),
        read: (form, streams) => this.#readSnapshots(form, streams),
      }
    }
  }

  /**
   * @throws StoreInUse when another engine has the file.
   * @throws StoreUnavailable when the file is not one of ours, is not there (readOnly), or cannot be opened.
   */
  static open(options: SqliteStoreOptions): SqliteEventStore {
    const file = options.file === MEMORY ? MEMORY : resolve(options.file)
    const readOnly = options.readOnly === true
    if (readOnly && !existsSync(file)) throw new StoreUnavailable(`there is no event store at ${file} (yet)`)
    if (!readOnly && file !== MEMORY) mkdirSync(dirname(file), { recursive: true })
    const lock = readOnly || file === MEMORY ? undefined : lockFile(file)
    let db: DatabaseSync | undefined
    try {
      db = readOnly ? openToRead(file) : new DatabaseSync(file)
      const wrong = whyNotOurs(db)
      if (wrong !== undefined) throw new StoreUnavailable(`${file} cannot be used: ${wrong}`)
      if (readOnly) prepareReader(db)
      else prepareWriter(db)
      return new SqliteEventStore(db, lock, options)
    } catch (error) {
      db?.close()
      lock?.release()
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable(`${file}: ${reasonOf(error)}`, { cause: error })
    }
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    const unavailable = (reason: string): readonly AppendResult[] => batch.map(() => ({ _tag: "Unavailable", reason }))
    if (this.#closed) return unavailable("the store is closed")
    if (this.#writer === undefined) return unavailable("the store is open for reading only")
    return this.#writer.append(batch)
  }

  #prepare = (sql: string): StatementSync => {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** Reads; what SQLite throws becomes StoreUnavailable. */
  #read<A>(read: () => A): A {
    if (this.#closed) throw new StoreUnavailable("the store is closed")
    try {
      return read()
    } catch (error) {
      throw this.#asUnavailable(error)
    }
  }

  /** The same of what is read piece by piece; the store may be closed in between. */
  async #readInTurns<A>(read: () => Promise<A>): Promise<A> {
    if (this.#closed) throw new StoreUnavailable("the store is closed")
    try {
      return await read()
    } catch (error) {
      throw this.#asUnavailable(error)
    }
  }

  #asUnavailable(error: unknown): unknown {
    const isSqlites = error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR"
    if (!isSqlites && !this.#closed) return error
    return new StoreUnavailable(this.#closed ? "the store is closed" : (error as Error).message, { cause: error })
  }

  #stored(streams: readonly string[]): Map<string, StoredEvent[]> {
    const rows = this.#read(() => {
      const statement = this.#prepare(
        `SELECT j.key, e.version, e.hash, e.text
         FROM json_each(?) j CROSS JOIN streams s ON s.name = j.value CROSS JOIN events e ON e.stream = s.no
         ORDER BY j.key, e.version`,
      )
      statement.setReturnArrays(true)
      return statement.all(JSON.stringify(streams))
    }) as unknown as readonly (readonly [at: number, version: number, hash: string, text: string])[]
    const found = new Map<string, StoredEvent[]>()
    for (const [at, version, hash, text] of rows) {
      const stream = streams[at] as string
      const event: StoredEvent = { stream, version, hash, text }
      const events = found.get(stream)
      if (events === undefined) found.set(stream, [event])
      else events.push(event)
    }
    return found
  }

  /** `read` is given all events of a stream, at least one. */
  async #readEach<A>(streams: readonly string[], read: (stream: string, events: readonly StoredEvent[]) => A): Promise<Map<string, A>> {
    const found = new Map<string, A>()
    const wanted = [...new Set(streams)]
    for (let from = 0; from < wanted.length; from += STREAMS_PER_READ) {
      if (from > 0) await nextTurn()
      for (const [stream, events] of this.#stored(wanted.slice(from, from + STREAMS_PER_READ))) found.set(stream, read(stream, events))
    }
    return found
  }

  async readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamRead>> {
    return this.#readEach(streams, (stream, events) => readStream(this.#upcasters, stream, events.map(whole)))
  }

  async readHistories(streams: readonly string[]): Promise<ReadonlyMap<string, HistoryRead>> {
    return this.#readEach(streams, (stream, events) => {
      const earlier = events.slice(0, -1).map(({ version, hash, text }, index) => {
        return { version, hash, record: envelopeFromText(text, hash, events[index - 1]?.hash ?? CHAIN_START) }
      })
      return readHistory(this.#upcasters, stream, earlier, whole(events.at(-1) as StoredEvent))
    })
  }

  async #readSnapshots(form: string, streams: readonly string[]): Promise<ReadonlyMap<string, SnapshotRead>> {
    return this.#read(() => readSnapshots(this.#prepare, this.#upcasters, form, streams))
  }

  async #saveSnapshots(form: string, snapshots: readonly Snapshot[]): Promise<void> {
    await this.#write((writer) => writer.saveSnapshots(form, snapshots))
  }

  async #write(write: (writer: Writer) => Promise<AppendResult>): Promise<void> {
    if (this.#writer === undefined) throw new StoreUnavailable("the store is open for reading only")
    if (this.#closed) throw new StoreUnavailable("the store is closed")
    const result = await write(this.#writer)
    if (result._tag === "Unavailable") throw new StoreUnavailable(result.reason)
  }

  async readRaw(stream: string): Promise<readonly StoredEvent[]> {
    return this.#stored([stream]).get(stream) ?? []
  }

  async *rawStreams(prefix: string): AsyncIterable<readonly StoredStream[]> {
    if (prefix !== "") {
      for await (const names of this.#names(prefix, STREAMS_PER_READ)) yield listed(this.#stored(names))
      return
    }
    // By number, so that the file is read from its start to its end; also events whose stream has lost its name.
    let after = -(2 ** 53) + 1
    for (;;) {
      const numbers = this.#read(() =>
        this.#prepare("SELECT DISTINCT stream FROM events WHERE stream > ? ORDER BY stream LIMIT ?").all(after, STREAMS_PER_READ),
      ).map((row) => Number(row.stream))
      const last = numbers.at(-1)
      if (last === undefined) return
      const rows = this.#read(() =>
        this.#prepare(
          `SELECT coalesce(s.name, 'nameless/' || e.stream) AS name, e.version, e.hash, e.text FROM events e LEFT JOIN streams s ON s.no = e.stream
           WHERE e.stream > ? AND e.stream <= ? ORDER BY e.stream, e.version`,
        ).all(after, last),
      ) as unknown as StoredRow[]
      yield listed(grouped(rows))
      after = last
      await nextTurn()
    }
  }

  async *#names(prefix: string, count: number): AsyncIterable<readonly string[]> {
    let after = ""
    for (;;) {
      const names = this.#read(() =>
        this.#prepare("SELECT name FROM streams WHERE name >= ? AND name < ? AND name > ? ORDER BY name LIMIT ?").all(
          prefix,
          `${prefix}\u{10ffff}`,
          after,
          count,
        ),
      ).map((row) => String(row.name))
      const last = names.at(-1)
      if (last === undefined) return
      yield names
      after = last
      await nextTurn()
    }
  }

  async *streams(prefix: string): AsyncIterable<readonly StreamHead[]> {
    for await (const names of this.#names(prefix, HEADS_PER_BATCH)) {
      const heads = this.#read(() =>
        this.#prepare(
          `SELECT s.name AS stream, e.version, e.hash FROM json_each(?) j JOIN streams s ON s.name = j.value JOIN events e ON e.stream = s.no
           AND e.version = (SELECT max(version) FROM events WHERE stream = s.no)`,
        ).all(JSON.stringify(names)),
      )
      yield heads.map((row) => ({ stream: String(row.stream), version: Number(row.version), hash: String(row.hash) }))
    }
  }

  async mark(): Promise<string | undefined> {
    return String(this.#read(() => Number(this.#prepare("SELECT max(id) AS n FROM events").get()?.n ?? 0)))
  }

  async *headsSince(mark: string | undefined): AsyncIterable<readonly StreamHead[]> {
    const from = mark === undefined ? Number.NaN : Number(mark)
    if (Number.isInteger(from)) yield* this.#headsBetween(from, Number(await this.mark()))
    else yield* this.streams("")
  }

  async *#headsBetween(from: number, to: number): AsyncIterable<readonly StreamHead[]> {
    for (let at = from; at < to; at += EVENTS_PER_MARK) {
      const heads = this.#read(() =>
        this.#prepare(
          `SELECT s.name AS stream, e.version, e.hash FROM
             (SELECT stream, max(version) AS version FROM events WHERE id > ? AND id <= ? GROUP BY stream) m
           JOIN events e ON e.stream = m.stream AND e.version = m.version JOIN streams s ON s.no = m.stream`,
        ).all(at, Math.min(to, at + EVENTS_PER_MARK)),
      )
      yield heads.map((row) => ({ stream: String(row.stream), version: Number(row.version), hash: String(row.hash) }))
      await nextTurn()
    }
  }

  async listOrders(query: OrderQuery): Promise<OrderPage> {
    return this.#readInTurns(() => listOrders(this.#prepare, query))
  }

  async openOrders(wanted?: (order: string) => boolean): Promise<readonly OrderRow[]> {
    return this.#readInTurns(() => openOrders(this.#prepare, wanted))
  }

  async openOrderIds(): Promise<readonly string[]> {
    return this.#readInTurns(() => openOrderIds(this.#prepare))
  }

  async findOrder(id: string): Promise<OrderRow | undefined> {
    return this.#read(() => findOrder(this.#prepare, id))
  }

  async getMeta(key: string): Promise<string | undefined> {
    const value = this.#read(() => this.#prepare("SELECT value FROM meta WHERE key = ?").get(key)?.value)
    return typeof value === "string" ? value : undefined
  }

  async setMeta(key: string, value: string): Promise<void> {
    await this.#write((writer) => writer.setMeta(key, value))
  }

  async rebuildProjections(): Promise<number> {
    if (this.#writer === undefined) throw new StoreUnavailable("the store is open for reading only")
    const count = this.#read(() => {
      this.#statements.clear()
      const only = Number(this.#db.prepare("PRAGMA query_only").get()?.query_only) === 1
      if (only) this.#db.exec("PRAGMA query_only = OFF")
      try {
        return rebuildOrders(this.#db, REBUILD)
      } finally {
        if (only) this.#db.exec(ONLY_READS)
      }
    })
    await this.#writer.forgetRows()
    return count
  }

  /** The file may not grow beyond so many pages (of 4096 bytes): what is more is a full disk. None: as large as the disk. */
  async setMaxPages(pages: number | undefined): Promise<void> {
    await this.#writer?.setMaxPages(pages)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#writer?.close()
    this.#statements.clear()
    this.#db.close()
    this.#lock?.release()
  }
}

/** A store whose engine ended cleanly, in a folder that cannot be written, opens only as a file that nobody changes. */
const openToRead = (file: string): DatabaseSync => {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()
    return db
  } catch (error) {
    db.close()
    if (existsSync(`${file}-wal`)) throw error
    const url = pathToFileURL(file)
    url.searchParams.set("immutable", "1")
    return new DatabaseSync(url, { readOnly: true })
  }
}

const whole = ({ version, hash, text }: StoredEvent): ReadEvent => ({ version, hash, record: recordFromText(text, hash) })

const grouped = (rows: readonly StoredRow[]): Map<string, StoredEvent[]> => {
  const streams = new Map<string, StoredEvent[]>()
  for (const row of rows) {
    const event: StoredEvent = { stream: row.name, version: row.version, hash: row.hash, text: row.text }
    const events = streams.get(row.name)
    if (events === undefined) streams.set(row.name, [event])
    else events.push(event)
  }
  return streams
}

const listed = (streams: ReadonlyMap<string, readonly StoredEvent[]>): readonly StoredStream[] =>
  [...streams].map(([stream, events]) => ({ stream, events }))
