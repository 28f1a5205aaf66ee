/**
 * The writing half of the embedded store: one connection, one transaction and one flush to the disk per batch, the
 * projection of orders in it. Runs in the store's own thread (writerThread.ts) or, for `:memory:` and tests, beside the reader.
 *
 * Promises: a batch is there as a whole or not at all; what is there already with the same hash counts as appended, with
 * another one, or after a gap, it is a conflict of that append alone. It imports nothing but Node's: a thread of it starts at once.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { AppendResult } from "../eventStore.ts"

/** One event on its way: what its chain is checked by, and its text, which is all that is stored. */
export interface WrittenEvent {
  readonly version: number
  readonly prev: string
  readonly hash: string
  readonly text: string
  /** What of it the list of orders needs, when it is at hand; else it is read from the text. */
  readonly row?: OrderColumns
}

export interface WrittenAppend {
  readonly stream: string
  readonly events: readonly WrittenEvent[]
}

export interface OrderColumns {
  readonly order: string
  readonly created_at: string
  readonly signal_id: string
  readonly strategy_id: string
  readonly symbol: string
  readonly state: string
  readonly status: string
  readonly reason: string | null
  readonly binance_order_id: string | null
  readonly done: boolean
}

/** Streams whose head is kept in memory: as many as there may be live orders, and more. */
const HEADS_MAX = 50_000

/** What the writer knows of a stream without asking: it is the only writer. */
interface Head {
  readonly no: number
  version: number
  hash: string
  /** The order's row as it is: `undefined` when it must be asked. */
  done: boolean | undefined
  venueOrderId: string | null | undefined
}

interface Moved {
  readonly stream: string
  readonly event: WrittenEvent
  readonly id: number
  readonly isNew: boolean
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export class Appender {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #heads = new Map<string, Head>()
  #nextEvent = 1
  #nextStream = 1

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#forget()
  }

  /** Never throws: what SQLite throws (a full disk, an I/O error) makes the whole batch `Unavailable`. */
  append(batch: readonly WrittenAppend[]): readonly AppendResult[] {
    try {
      this.#db.exec("BEGIN IMMEDIATE")
      const moved = new Map<Head, Moved>()
      const results = batch.map((append): AppendResult => {
        const head = this.#head(append.stream)
        const before = head.version
        const result = this.#write(append, head)
        const last = append.events.find(({ version }) => version === head.version)
        if (head.version > before && last !== undefined)
          moved.set(head, {
            stream: append.stream,
            event: last,
            id: this.#nextEvent - 1,
            isNew: before === 0 || moved.get(head)?.isNew === true,
          })
        return result
      })
      for (const [head, { stream, event, id, isNew }] of moved) {
        const row = event.row ?? (JSON.parse(event.text) as OrderColumns)
        if (row.order !== "") this.#project(stream, head, row, id, isNew)
      }
      this.#db.exec("COMMIT")
      return results
    } catch (error) {
      this.#rollBack()
      return batch.map(() => ({ _tag: "Unavailable", reason: reasonOf(error) }))
    }
  }

  /** The rows of orders were made anew: what is known of them is asked again. */
  forgetRows(): void {
    this.#heads.clear()
    this.#statements.clear()
  }

  /** The file may not grow beyond so many pages (of 4096 bytes): what is more is a full disk. None: as large as the disk. */
  setMaxPages(pages: number | undefined): void {
    this.#db.exec(`PRAGMA max_page_count = ${Math.trunc(pages ?? 4_294_967_294)}`)
  }

  /** Writes what of this append is not there yet. Throws what SQLite throws. */
  #write({ stream, events }: WrittenAppend, head: Head): AppendResult {
    const conflict = (version: number): AppendResult => ({ _tag: "Conflict", stream, version })
    const insert = this.#prepare("INSERT INTO events (id, stream, version, hash, text) VALUES (?, ?, ?, ?, ?)")
    for (const { version, prev, hash, text } of events) {
      if (version <= head.version) {
        const stored = this.#prepare("SELECT hash FROM events WHERE stream = ? AND version = ?").get(head.no, version)?.hash
        if (stored !== hash) return conflict(version)
      } else {
        if (version !== head.version + 1) return conflict(head.version + 1)
        if (prev !== head.hash) return conflict(head.version)
        insert.run(this.#nextEvent, head.no, version, hash, text)
        this.#nextEvent += 1
        head.version = version
        head.hash = hash
      }
    }
    return { _tag: "Appended" }
  }

  /** The head of a stream, which gets its number when it is seen for the first time. */
  #head(stream: string): Head {
    const known = this.#heads.get(stream)
    if (known !== undefined) return known
    let no = this.#prepare("SELECT no FROM streams WHERE name = ?").get(stream)?.no as number | undefined
    let head: Head
    if (no === undefined) {
      no = this.#nextStream
      this.#nextStream += 1
      this.#prepare("INSERT INTO streams (no, name) VALUES (?, ?)").run(no, stream)
      head = { no, version: 0, hash: "", done: undefined, venueOrderId: undefined }
    } else {
      const last = this.#prepare("SELECT version, hash FROM events WHERE stream = ? ORDER BY version DESC LIMIT 1").get(no)
      head = { no, version: Number(last?.version ?? 0), hash: String(last?.hash ?? ""), done: undefined, venueOrderId: undefined }
    }
    if (this.#heads.size >= HEADS_MAX) {
      const oldest = this.#heads.keys().next().value
      if (oldest !== undefined) this.#heads.delete(oldest)
    }
    this.#heads.set(stream, head)
    return head
  }

  #project(stream: string, head: Head, r: OrderColumns, event: number, isNew: boolean): void {
    const done = r.done ? 1 : 0
    if (!isNew && !r.done && head.done === false && head.venueOrderId === r.binance_order_id) {
      // The common step of an order on its way: no index has a word in it.
      this.#prepare("UPDATE orders SET event = ?, state = ?, status = ?, reason = ? WHERE no = ?").run(
        event,
        r.state,
        r.status,
        r.reason,
        head.no,
      )
    } else {
      this.#prepare(
        `INSERT INTO orders (no, event, created_at, signal_id, strategy_id, symbol, state, status, reason, binance_order_id, done)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (no) DO UPDATE SET event = excluded.event, state = excluded.state, status = excluded.status, reason = excluded.reason,
           binance_order_id = excluded.binance_order_id, done = excluded.done`,
      ).run(head.no, event, r.created_at, r.signal_id, r.strategy_id, r.symbol, r.state, r.status, r.reason, r.binance_order_id, done)
    }
    head.done = r.done
    head.venueOrderId = r.binance_order_id
    if (r.done) this.#heads.delete(stream)
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
    this.#nextEvent = Number(this.#prepare("SELECT max(id) AS n FROM events").get()?.n ?? 0) + 1
    this.#nextStream = Number(this.#prepare("SELECT max(no) AS n FROM streams").get()?.n ?? 0) + 1
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
