/**
 * Anchors: what makes a cut tail, or a stream that is gone, visible (design.md section 7).
 *
 * A hash chain proves nothing about its end. So each writer keeps a stream of its own, `anchor/<replica>/<start>`, whose
 * events hold the heads of the streams that moved since the one before. Its own last head is given to `onAnchored`, for
 * the log: what an attacker of the store cannot reach.
 *
 * Promises: a head is written here at the latest one `tick` after it was durable, unless the store is away; the first
 * anchor of a writer holds the heads that an earlier one, which was killed, left behind. What waits is bounded: one head
 * per stream that moved. Nothing waits for an anchor, and a failed one is tried again with the next tick.
 */
import { ANCHOR_STREAM_PREFIX } from "@petrosa/contracts"
import type { Append, AppendResult, EventStore, StreamHead } from "./eventStore.ts"
import { CHAIN_START } from "./hashChain.ts"
import { plainRecord } from "./plainRecord.ts"
import { sealAll } from "./sealing.ts"

export const HEADS_ANCHORED = "HeadsAnchored"
export const HEADS_ANCHORED_SCHEMA = 1

/** The data of one anchor event. */
export interface HeadsAnchored {
  readonly heads: readonly StreamHead[]
}

/** Heads in one event: about 26 kB, made in a millisecond. An order waits for no more. */
const HEADS_PER_EVENT = 200
/** Where the next writer begins to look for heads that no anchor knows. */
const MARK = "anchors/mark"

export interface AnchorWriterOptions {
  readonly store: Pick<EventStore, "mark" | "headsSince" | "getMeta" | "setMeta">
  /** Usually group commit's. */
  readonly append: (append: Append) => Promise<AppendResult>
  readonly replica: string
  /** When this process started; part of the stream's name, so that each start has its own. */
  readonly startedAtMs: number
  readonly nowMs: () => number
  readonly engineVersion: string
  readonly settingsVersion: string
  readonly simulationMode: boolean
  /** The head of the anchor stream, once for each tick that moved it. */
  readonly onAnchored?: (head: StreamHead) => void
}

export class AnchorWriter {
  readonly stream: string
  readonly #options: AnchorWriterOptions
  #moved = new Map<string, StreamHead>()
  #head: StreamHead
  #running: Promise<void> = Promise.resolve()
  #lookedBack = false
  #lost: string | undefined
  /** An anchor whose outcome is not known: the very same is sent again before any other. */
  #unanswered: { readonly append: Append; readonly heads: readonly StreamHead[] } | undefined

  constructor(options: AnchorWriterOptions) {
    this.#options = options
    this.stream = `${ANCHOR_STREAM_PREFIX}${options.replica}/${new Date(options.startedAtMs).toISOString()}`
    this.#head = { stream: this.stream, version: 0, hash: CHAIN_START }
  }

  /** The head of the anchor stream; version 0 before the first anchor. */
  get head(): StreamHead {
    return this.#head
  }

  /** Why this writer anchors no more: somebody else wrote its stream. */
  get lost(): string | undefined {
    return this.#lost
  }

  /**
   * Before the first append. In a store that nobody has written to nothing was left behind: the first tick need not read what
   * was written meanwhile, which on a server that scans is everything there is, and as dear as having written it. May be
   * left out, and may fail: then the first tick looks.
   */
  async begin(): Promise<void> {
    const { store } = this.#options
    if ((await store.getMeta(MARK)) !== undefined) return
    for await (const heads of store.headsSince(undefined)) if (heads.length > 0) return
    this.#lookedBack = true
  }

  /** For every durable append. */
  moved(stream: string, version: number, hash: string): void {
    if (stream !== this.stream) this.#moved.set(stream, { stream, version, hash })
  }

  /**
   * Every ten seconds. Writes what moved; the first time also what moved before this process and is in no anchor.
   * Rejects when the store could not be read or written: the next tick takes it up.
   */
  tick(): Promise<void> {
    const turn = this.#running.then(() => this.#tick())
    this.#running = turn.catch(() => undefined)
    return turn
  }

  /** At a graceful stop, after the last append. */
  close(): Promise<void> {
    return this.tick()
  }

  async #tick(): Promise<void> {
    if (this.#lost !== undefined) return
    const { version } = this.#head
    try {
      await this.#anchorWhatMoved()
    } finally {
      if (this.#head.version > version) this.#options.onAnchored?.(this.#head)
    }
  }

  async #anchorWhatMoved(): Promise<void> {
    const { store } = this.#options
    // Taken before the heads are: what is written meanwhile is seen by the next writer too.
    const mark = await store.mark()
    if (!this.#lookedBack) {
      for await (const heads of store.headsSince(await store.getMeta(MARK))) {
        for (const head of heads) {
          const known = this.#moved.get(head.stream)
          if (head.stream !== this.stream && (known === undefined || known.version < head.version)) this.#moved.set(head.stream, head)
        }
        while (this.#moved.size >= HEADS_PER_EVENT) await this.#write()
      }
      this.#lookedBack = true
    }
    // What moves while this is written is the next tick's: under load there would be no end.
    let parts = Math.ceil(this.#moved.size / HEADS_PER_EVENT) + (this.#unanswered === undefined ? 0 : 1)
    while (parts-- > 0 && (this.#moved.size > 0 || this.#unanswered !== undefined)) await this.#write()
    if (mark !== undefined) await store.setMeta(MARK, mark)
  }

  #make(): { readonly append: Append; readonly heads: readonly StreamHead[] } {
    const { replica, engineVersion, settingsVersion, simulationMode, nowMs } = this.#options
    const heads: StreamHead[] = []
    for (const head of this.#moved.values()) if (heads.push(head) === HEADS_PER_EVENT) break
    const data: HeadsAnchored = { heads }
    const record = plainRecord({
      stream: this.stream,
      version: this.#head.version + 1,
      type: HEADS_ANCHORED,
      schema: HEADS_ANCHORED_SCHEMA,
      state: "anchor",
      at: new Date(nowMs()).toISOString(),
      data: { ...data },
      replica,
      engineVersion,
      settingsVersion,
      cause: "decision",
      simulationMode,
    })
    return { append: { stream: this.stream, records: sealAll([record], this.#head.hash) }, heads }
  }

  async #write(): Promise<void> {
    this.#unanswered ??= this.#make()
    const { append, heads } = this.#unanswered
    const result = await this.#options.append(append)
    switch (result._tag) {
      case "Appended": {
        this.#unanswered = undefined
        for (const head of heads) if (this.#moved.get(head.stream) === head) this.#moved.delete(head.stream)
        const last = append.records.at(-1)
        if (last !== undefined) this.#head = { stream: this.stream, version: last.envelope.version, hash: last.hash }
        return
      }
      case "Unavailable":
        throw new Error(`the anchor was not written: ${result.reason}`)
      case "Conflict":
        this.#lost = `version ${result.version} of ${this.stream} was written by somebody else`
        throw new Error(this.#lost)
    }
  }
}

/** The heads that an anchor event holds, or `undefined` when it is none that this version can read. */
export const anchoredHeads = (type: string, schema: number, data: Readonly<Record<string, unknown>>): readonly StreamHead[] | undefined => {
  if (type !== HEADS_ANCHORED || schema !== HEADS_ANCHORED_SCHEMA || !Array.isArray(data.heads)) return undefined
  const heads: readonly unknown[] = data.heads
  return heads.every(isHead) ? heads : undefined
}

const isHead = (value: unknown): value is StreamHead =>
  typeof value === "object" &&
  value !== null &&
  "stream" in value &&
  "version" in value &&
  "hash" in value &&
  typeof value.stream === "string" &&
  typeof value.version === "number" &&
  typeof value.hash === "string"
