/**
 * Who writes for an embedded store: the appender itself, or a thread that has one.
 *
 * Promises: as {@link Appender}; one batch after the other. Should the thread die, what it was given is `Unavailable` (it may be
 * in the file or not: sending it again is safe), and the next append starts another.
 */
import type { DatabaseSync } from "node:sqlite"
import { Worker } from "node:worker_threads"
import type { Append, AppendResult, Snapshot } from "../eventStore.ts"
import { Appender, reasonOf, type WrittenAppend } from "./appender.ts"
import { type Answered, type Asked, pack } from "./writerMessages.ts"

export interface Writer {
  append(batch: readonly Append[]): Promise<readonly AppendResult[]>
  /** `Unavailable`: it may be written or not. */
  setMeta(key: string, value: string): Promise<AppendResult>
  /** `Unavailable`: they may be written or not. */
  saveSnapshots(form: string, snapshots: readonly Snapshot[]): Promise<AppendResult>
  forgetRows(): Promise<void>
  setMaxPages(pages: number | undefined): Promise<void>
  close(): Promise<void>
}

const written = ({ stream, records }: Append): WrittenAppend => ({
  stream,
  events: records.map(({ envelope, prev, hash, bytes }) => ({
    version: envelope.version,
    prev,
    hash,
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  })),
})

/** Writes on the connection that reads: every append holds the event loop until it is on the disk. */
export const writerBeside = (db: DatabaseSync): Writer => {
  const appender = new Appender(db)
  return {
    append: (batch) => Promise.resolve(appender.append(batch.map(written))),
    setMeta: (key, value) => Promise.resolve(appender.setMeta(key, value)),
    saveSnapshots: (form, snapshots) => Promise.resolve(appender.saveSnapshots(form, snapshots)),
    forgetRows: async () => appender.forgetRows(),
    setMaxPages: async (pages) => appender.setMaxPages(pages),
    close: async () => {},
  }
}

interface Waiting {
  readonly answer: (results: readonly AppendResult[]) => void
  readonly appends: number
}

/** An `Asked` without its number, whatever its kind. */
type Ask<A = Asked> = A extends Asked ? Omit<A, "id"> : never

class ThreadWriter implements Writer {
  readonly #file: string
  readonly #waiting = new Map<number, Waiting>()
  #thread: Worker | undefined
  #next = 0
  #closing = false

  constructor(file: string) {
    this.#file = file
    this.#thread = this.#start()
  }

  #start(): Worker {
    const thread = new Worker(new URL("./writerThread.ts", import.meta.url), {
      workerData: { file: this.#file },
      name: "event store",
      // What it is given is written and forgotten: a small young generation keeps the whole process small.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    let why = "the thread that writes ended"
    thread.on("message", ({ id, results }: Answered) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      waiting?.answer(results)
      this.#hold(thread)
    })
    thread.on("error", (error) => {
      why = reasonOf(error)
    })
    thread.on("exit", () => {
      if (this.#thread === thread) this.#thread = undefined
      const open = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const { answer, appends } of open) answer(Array.from({ length: appends }, () => ({ _tag: "Unavailable", reason: why })))
    })
    thread.unref()
    return thread
  }

  /** The process stays for what is on its way, and for nothing else. */
  #hold(thread: Worker): void {
    if (this.#waiting.size > 0 || this.#closing) thread.ref()
    else thread.unref()
  }

  #ask(ask: Ask, appends: number, transfer: readonly ArrayBuffer[] = []): Promise<readonly AppendResult[]> {
    const thread = (this.#thread ??= this.#start())
    const id = this.#next++
    return new Promise((answer) => {
      this.#waiting.set(id, { answer, appends })
      this.#hold(thread)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      thread.postMessage({ ...ask, id }, transfer)
    })
  }

  append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    const packed = pack(batch)
    return this.#ask({ ask: "append", packed }, batch.length, [packed.texts.buffer])
  }

  async #askOne(ask: Ask): Promise<AppendResult> {
    const [result] = await this.#ask(ask, 1)
    return result ?? { _tag: "Unavailable", reason: "the thread that writes gave no answer" }
  }

  /** In the thread too: on a connection beside it the event loop would stand still until the batch that is being written is on the disk. */
  setMeta(key: string, value: string): Promise<AppendResult> {
    return this.#askOne({ ask: "setMeta", key, value })
  }

  saveSnapshots(form: string, snapshots: readonly Snapshot[]): Promise<AppendResult> {
    return this.#askOne({ ask: "saveSnapshots", form, snapshots })
  }

  async forgetRows(): Promise<void> {
    await this.#ask({ ask: "forgetRows" }, 0)
  }

  async setMaxPages(pages: number | undefined): Promise<void> {
    await this.#ask({ ask: "setMaxPages", pages }, 0)
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const thread = this.#thread
    if (thread === undefined) return
    const ended = new Promise((resolve) => thread.once("exit", resolve))
    thread.ref()
    await this.#ask({ ask: "close" }, 0)
    await ended
  }
}

/** Writes in a thread of its own: the event loop is free while the disk is being flushed. */
export const writerInThread = (file: string): Writer => new ThreadWriter(file)
