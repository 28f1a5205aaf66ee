/**
 * Checkpoints that no commit waits for: what lies in the write-ahead log is carried into the file by another thread, while
 * batches go on being written.
 *
 * Carried by the commit that filled the log, as SQLite does by itself, 4000 pages held that batch, and everything behind it, for
 * four times as long as a batch takes, and up to eight.
 * Promises: the log is bounded ({@link LOG_FRAMES_MAX}: then a commit carries it after all). Durability does not depend on any
 * of this: a batch is durable in the log, and a checkpoint moves only what is.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { Worker } from "node:worker_threads"

/**
 * Carried when so many pages wait. With 4000 a commit at a hundred orders a second stood 12 to 20 ms behind each of the file's
 * flushes (once in 1.2 s: the p99 of signal → entry was 11 to 13 ms, with 1000 it is 7 to 9); throughput is the same.
 */
const FRAMES = 1000
/** 64 MB: `journal_size_limit`. */
const LOG_FRAMES_MAX = 16_000
/** A thread that ends so often by itself is not started again: commits carry the log then, as SQLite does by itself. */
const FALLS_MAX = 3
/**
 * What came in while the others were carried: few enough to carry between two batches, so that the log begins anew. The batch behind
 * it waits for that: 1000 pages were 12 ms and more.
 */
const REST_MAX = 64
/** Each turn of the thread is shorter than the one before: it has what came in during that one. At full load it comes to no end. */
const TURNS_MAX = 6

interface Log {
  readonly log: number
  readonly checkpointed: number
}

export class Checkpoints {
  readonly #file: string
  readonly #db: DatabaseSync
  readonly #look: StatementSync
  readonly #carry: StatementSync
  #thread: Worker | undefined
  #running = false
  #turns = 0
  #falls = 0

  constructor(db: DatabaseSync, file: string) {
    this.#db = db
    this.#file = file
    this.#look = db.prepare("PRAGMA wal_checkpoint(NOOP)")
    this.#carry = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")
    db.exec(`PRAGMA wal_autocheckpoint = ${LOG_FRAMES_MAX}`)
  }

  /** Between two batches. Costs some microseconds. Never throws. */
  afterCommit(): void {
    if (!this.#running && this.#falls < FALLS_MAX && this.#waiting() >= FRAMES) this.#go()
  }

  async close(): Promise<void> {
    const thread = this.#thread
    if (thread === undefined) return
    const ended = new Promise((resolve) => thread.once("exit", resolve))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    thread.postMessage("close")
    await ended
  }

  #go(): void {
    this.#running = true
    this.#thread ??= this.#start()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#thread.postMessage("carry")
  }

  /** Started when it is needed first: most stores that are opened never get so far. */
  #start(): Worker {
    const thread = new Worker(new URL("./checkpointThread.ts", import.meta.url), {
      workerData: { file: this.#file },
      name: "event store checkpoints",
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    })
    thread.on("message", () => {
      this.#running = false
      this.#turns += 1
      if (this.#waiting() > REST_MAX && this.#turns < TURNS_MAX) this.#go()
      else this.#rest()
    })
    // The exit follows.
    thread.on("error", () => {})
    thread.on("exit", (code) => {
      this.#thread = undefined
      this.#running = false
      if (code === 0) return
      this.#falls += 1
      if (this.#falls >= FALLS_MAX) this.#db.exec(`PRAGMA wal_autocheckpoint = ${FRAMES}`)
    })
    return thread
  }

  #waiting(): number {
    try {
      const { log, checkpointed } = this.#look.get() as unknown as Log
      return log - checkpointed
    } catch {
      // A file that is gone bad is told by the next commit.
      return 0
    }
  }

  /** A log that is carried to its end is written from its start again. */
  #rest(): void {
    this.#turns = 0
    try {
      this.#carry.get()
    } catch {
      // It stays in the log; the next commit says what is wrong with the disk.
    }
  }
}
