/**
 * The writing half of the embedded store: one connection, one transaction and one flush to the disk per batch, the
 * projection of orders in it. Runs in the store's own thread (writerThread.ts) or, for `:memory:` and tests, beside the reader.
 *
 * Promises: a batch is there as a whole or not at all; what is there already with the same hash counts as appended, with
 * another one, or after a gap, it is a conflict of that append alone. It imports nothing but Node's: a thread of it starts at once.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { AppendResult, Snapshot } from "../eventStore.ts"
import { OrderColumnsReader } from "./orderColumns.ts"

/** One event on its way: what its chain is checked by, and its text, which is all that is stored. */
export interface WrittenEvent {
  readonly version: number
  readonly prev: string
  readonly hash: string
  /** UTF-8. Bound as it is: a string would be made for SQLite to unmake (5.0 against 3.3 µs an event). */
  readonly bytes: Buffer
}

export interface WrittenAppend {
  readonly stream: string
  readonly events: readonly WrittenEvent[]
}

/** Streams whose head is kept in memory: as many as there may be live orders, and more. */
const HEADS_MAX = 20_000

/** What the writer knows of a stream without asking: it is the only writer. */
interface Head {
  readonly stream: string
  readonly no: number
  version: number
  hash: string
  /** The order's row as it is: `undefined` when it must be asked. */
  done: boolean | undefined
  venueOrderId: string | null | undefined
  /** It may have a snapshot. */
  hasSnapshot: boolean
  /** In this batch: the last event that was written, its id, and whether the stream's first one was written too. */
  moved: WrittenEvent | undefined
  movedTo: number
  isNew: boolean
}

const APPENDED: AppendResult = { _tag: "Appended" }

/** A part of a text keeps all of it in memory for as long as it is kept itself. */
const ownCopy = (part: string): string => Buffer.from(part).toString()

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Prepared once: a batch has hundreds of runs. */
class Statements {
  readonly begin: StatementSync
  readonly commit: StatementSync
  readonly event: StatementSync
  readonly hashAt: StatementSync
  readonly newStream: StatementSync
  readonly streamNo: StatementSync
  readonly head: StatementSync
  readonly newOrder: StatementSync
  readonly moveOrder: StatementSync
  readonly stepOrder: StatementSync
  readonly lastEvent: StatementSync
  readonly lastStream: StatementSync
  readonly meta: StatementSync
  readonly snapshot: StatementSync
  readonly forgetSnapshot: StatementSync

  constructor(db: DatabaseSync) {
    this.begin = db.prepare("BEGIN IMMEDIATE")
    this.commit = db.prepare("COMMIT")
    this.event = db.prepare("INSERT INTO events (id, stream, version, hash, text) VALUES (?, ?, ?, ?, CAST(? AS TEXT))")
    this.hashAt = db.prepare("SELECT hash FROM events WHERE stream = ? AND version = ?")
    this.newStream = db.prepare("INSERT INTO streams (no, name) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
    this.streamNo = db.prepare("SELECT no FROM streams WHERE name = ?")
    this.head = db.prepare("SELECT version, hash FROM events WHERE stream = ? ORDER BY version DESC LIMIT 1")
    this.newOrder = db.prepare(
      `INSERT INTO orders (no, event, created_at, signal_id, strategy_id, symbol, state, status, reason, binance_order_id, done)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (no) DO UPDATE SET event = excluded.event, state = excluded.state, status = excluded.status, reason = excluded.reason,
         binance_order_id = excluded.binance_order_id, done = excluded.done`,
    )
    this.moveOrder = db.prepare(
      "UPDATE orders SET event = ?, state = ?, status = ?, reason = ?, binance_order_id = ?, done = ? WHERE no = ?",
    )
    // The common step of an order on its way: no index has a word in it.
    this.stepOrder = db.prepare("UPDATE orders SET event = ?, state = ?, status = ?, reason = ? WHERE no = ?")
    this.lastEvent = db.prepare("SELECT max(id) AS n FROM events")
    this.lastStream = db.prepare("SELECT max(no) AS n FROM streams")
    this.meta = db.prepare("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
    this.snapshot = db.prepare(
      `INSERT INTO snapshots (stream, version, hash, form, text)
       SELECT s.no, ?, ?, ?, ? FROM streams s JOIN orders o ON o.no = s.no WHERE s.name = ? AND o.done = 0
       ON CONFLICT (stream) DO UPDATE SET version = excluded.version, hash = excluded.hash, form = excluded.form, text = excluded.text`,
    )
    this.forgetSnapshot = db.prepare("DELETE FROM snapshots WHERE stream = ?")
  }
}

export class Appender {
  readonly #db: DatabaseSync
  readonly #sql: Statements
  readonly #heads = new Map<string, Head>()
  readonly #columns = new OrderColumnsReader()
  /** Streams that moved in the batch that is being written. */
  #moved: Head[] = []
  #nextEvent = 1
  #nextStream = 1

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#sql = new Statements(db)
    this.#forget()
  }

  /** Never throws: what SQLite throws (a full disk, an I/O error) makes the whole batch `Unavailable`. */
  append(batch: readonly WrittenAppend[]): readonly AppendResult[] {
    try {
      this.#sql.begin.run()
      const results = batch.map((append) => this.#write(append))
      for (const head of this.#moved) this.#project(head)
      this.#sql.commit.run()
      this.#moved = []
      return results
    } catch (error) {
      this.#rollBack()
      return batch.map(() => ({ _tag: "Unavailable", reason: reasonOf(error) }))
    }
  }

  /** Never throws. A value of its own, one flush to the disk. */
  setMeta(key: string, value: string): AppendResult {
    try {
      this.#sql.meta.run(key, value)
      return APPENDED
    } catch (error) {
      return { _tag: "Unavailable", reason: reasonOf(error) }
    }
  }

  /**
   * In one transaction that does not wait for the disk: should the newest be lost with the power, the events are
   * there. The next batch's flush carries them along.
   */
  saveSnapshots(form: string, snapshots: readonly Snapshot[]): AppendResult {
    try {
      this.#db.exec("PRAGMA synchronous = NORMAL")
      this.#sql.begin.run()
      for (const { stream, version, hash, text } of snapshots) {
        this.#sql.snapshot.run(version, hash, form, text, stream)
        const head = this.#heads.get(stream)
        if (head !== undefined) head.hasSnapshot = true
      }
      this.#sql.commit.run()
      return APPENDED
    } catch (error) {
      this.#rollBack()
      return { _tag: "Unavailable", reason: reasonOf(error) }
    } finally {
      // Should this throw, the thread ends with its connection: nothing is ever written on without flushes.
      this.#db.exec("PRAGMA synchronous = FULL")
    }
  }

  /** The rows of orders were made anew: what is known of them is asked again. */
  forgetRows(): void {
    this.#heads.clear()
  }

  /** The file may not grow beyond so many pages (of 4096 bytes): what is more is a full disk. None: as large as the disk. */
  setMaxPages(pages: number | undefined): void {
    this.#db.exec(`PRAGMA max_page_count = ${Math.trunc(pages ?? 4_294_967_294)}`)
  }

  /** Writes what of this append is not there yet. Throws what SQLite throws. */
  #write({ stream, events }: WrittenAppend): AppendResult {
    const head = this.#headOf(stream, events[0]?.version === 1)
    const conflict = (version: number): AppendResult => ({ _tag: "Conflict", stream, version })
    for (const event of events) {
      const { version, prev, hash, bytes } = event
      if (version <= head.version) {
        if (this.#sql.hashAt.get(head.no, version)?.hash !== hash) return conflict(version)
      } else {
        if (version !== head.version + 1) return conflict(head.version + 1)
        if (prev !== head.hash) return conflict(head.version)
        this.#sql.event.run(this.#nextEvent, head.no, version, hash, bytes)
        if (head.moved === undefined) {
          this.#moved.push(head)
          head.isNew = version === 1
        }
        head.version = version
        head.hash = hash
        head.moved = event
        head.movedTo = this.#nextEvent
        this.#nextEvent += 1
      }
    }
    return APPENDED
  }

  /** The head of a stream, which gets its number when it is seen for the first time. */
  #headOf(stream: string, begins: boolean): Head {
    const known = this.#heads.get(stream)
    if (known !== undefined) return known
    let head = begins ? this.#newHead(stream) : undefined
    if (head === undefined) {
      const no = this.#sql.streamNo.get(stream)?.no as number | undefined
      if (no === undefined) head = this.#newHead(stream)
      else {
        const last = this.#sql.head.get(no)
        head = headAt(stream, no, Number(last?.version ?? 0), String(last?.hash ?? ""))
      }
    }
    if (head === undefined) throw new Error(`${stream} is neither there nor new`)
    if (this.#heads.size >= HEADS_MAX) {
      const oldest = this.#heads.keys().next().value
      if (oldest !== undefined) this.#heads.delete(oldest)
    }
    this.#heads.set(stream, head)
    return head
  }

  /** Numbers a stream; `undefined` when it has a number already, which the index on names finds with one look. */
  #newHead(stream: string): Head | undefined {
    const no = this.#nextStream
    if (this.#sql.newStream.run(no, stream).changes === 0) return undefined
    this.#nextStream += 1
    return { ...headAt(stream, no, 0, ""), hasSnapshot: false }
  }

  #project(head: Head): void {
    const { no, moved: event, movedTo: id } = head
    head.moved = undefined
    if (event === undefined || !this.#columns.read(event.bytes.toString(), event.prev)) return
    const { state, status, reason, binance_order_id, done } = this.#columns.moving()
    if (!head.isNew && !done && head.done === false && head.venueOrderId === binance_order_id) {
      this.#sql.stepOrder.run(id, state, status, reason, no)
      return
    }
    const isDone = done ? 1 : 0
    if (head.isNew || this.#sql.moveOrder.run(id, state, status, reason, binance_order_id, isDone, no).changes === 0) {
      const { created_at, signal_id, strategy_id, symbol } = this.#columns.fixed()
      this.#sql.newOrder.run(no, id, created_at, signal_id, strategy_id, symbol, state, status, reason, binance_order_id, isDone)
    }
    head.done = done
    head.venueOrderId = binance_order_id === null ? null : ownCopy(binance_order_id)
    if (!done) return
    if (head.hasSnapshot) this.#sql.forgetSnapshot.run(no)
    this.#heads.delete(head.stream)
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK")
    } catch {
      // SQLite rolls back by itself after a full disk or an I/O error.
    }
    try {
      this.#forget()
    } catch {
      // The next append starts with the same question, and fails if it is still unanswered.
      this.#heads.clear()
    }
  }

  /** What is kept in memory is read from the file again. */
  #forget(): void {
    this.#heads.clear()
    this.#moved = []
    this.#nextEvent = Number(this.#sql.lastEvent.get()?.n ?? 0) + 1
    this.#nextStream = Number(this.#sql.lastStream.get()?.n ?? 0) + 1
  }
}

const headAt = (stream: string, no: number, version: number, hash: string): Head => ({
  stream,
  no,
  version,
  hash,
  done: undefined,
  venueOrderId: undefined,
  hasSnapshot: true,
  moved: undefined,
  movedTo: 0,
  isNew: false,
})
