/**
 * The live feed (server-sent events): transitions as they become durable, and counts every second.
 *
 * Promises: the journal's listener only puts a reference aside; everything else happens ten times a second, once for all
 * pages, and only while somebody looks. A page that cannot take what is sent loses it, and is told to `reload` when it can
 * take something again; what waits for it is bounded (1 MiB and one message), and one that stays deaf is dropped.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { EventRecord } from "@petrosa/contracts"
import { isOrderId, orderStream } from "@petrosa/contracts"
import type { EngineFace } from "@petrosa/engine"
import type { Regions } from "@petrosa/lifecycle"
import { Follower } from "./follower.ts"
import { SECURITY_HEADERS } from "./reply.ts"
import { slimRow, type Transition, transitionOf } from "./slim.ts"
import { Tally } from "./tally.ts"

const TICK_MS = 100
const COUNTS_MS = 1000
const RELOAD_TALLY_MS = 60_000
/** Records of one tick that are shown; the others are counted only. */
const SHOWN_MAX = 200
/** Orders of one tick whose history is read so that they can be followed. */
const READ_MAX = 4
export const FEEDS_MAX = 64
/** A page for which more than this waits to be sent is left out, until it has taken all of it. */
const HELD_MAX_BYTES = 1024 * 1024
/** A page that took nothing for so long is dropped; it comes back by itself. */
const DEAF_MS = 30_000

interface Page {
  readonly response: ServerResponse
  deafSinceMs: number | undefined
  missed: boolean
}

export interface FeedOptions {
  readonly engine: EngineFace
  /** The regions of every order that this process holds. */
  readonly held: () => Iterable<Regions>
  /** Listens to the journals of all replicas; the result ends it. */
  readonly journals?: (listener: (replica: string, batch: Uint8Array) => void) => () => void
  readonly hello: () => unknown
  readonly log: { warn(fields: object, message: string): void }
}

export class Feed {
  readonly #options: FeedOptions
  readonly #pages = new Set<Page>()
  readonly #tally: Tally
  readonly #follower = new Follower()
  #waiting: EventRecord[] = []
  #more = 0
  #stopListening: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #countsDueMs = 0
  #tallyDueMs = 0
  #lastCounts = ""
  #reading = 0

  constructor(options: FeedOptions) {
    this.#options = options
    this.#tally = new Tally(options.engine.store, options.held)
  }

  get pages(): number {
    return this.#pages.size
  }

  /** Adds a page. False: there are too many. */
  open(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#pages.size >= FEEDS_MAX) return false
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      "cache-control": "no-store",
      "content-type": "text/event-stream",
      "x-accel-buffering": "no",
    })
    const page: Page = { response, deafSinceMs: undefined, missed: false }
    request.socket.setNoDelay(true)
    response.on("drain", () => {
      page.deafSinceMs = undefined
      if (!page.missed) return
      page.missed = false
      this.#write(page, frame("reload", {}))
    })
    response.on("error", () => this.#leave(page))
    response.on("close", () => this.#leave(page))
    this.#pages.add(page)
    this.#write(page, frame("hello", this.#options.hello()))
    if (this.#lastCounts !== "") this.#write(page, this.#lastCounts)
    if (this.#pages.size === 1) this.#begin()
    return true
  }

  close(): void {
    for (const page of this.#pages) page.response.end()
    this.#pages.clear()
    this.#rest()
  }

  #leave(page: Page): void {
    this.#pages.delete(page)
    if (this.#pages.size === 0) this.#rest()
  }

  #begin(): void {
    const { engine, journals } = this.#options
    const own = engine.health().replica
    const ends = [engine.onJournal((records) => this.#hear(records))]
    if (journals !== undefined) {
      ends.push(
        journals((replica, batch) => {
          if (replica !== own) this.#hear(readBatch(batch))
        }),
      )
    }
    this.#stopListening = () => {
      for (const stop of ends) stop()
    }
    this.#tallyDueMs = 0
    this.#countsDueMs = 0
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
  }

  #rest(): void {
    this.#stopListening?.()
    this.#stopListening = undefined
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#waiting = []
    this.#more = 0
    this.#lastCounts = ""
    this.#tally.forget()
    this.#follower.forget()
  }

  /** Called by the engine's journal: must be quick. */
  #hear(records: readonly EventRecord[]): void {
    for (const record of records) {
      if (record.order === "") continue
      // Beyond what is shown, records still count: bounded by the journal's batches between two ticks.
      if (this.#waiting.length < SHOWN_MAX * 50) this.#waiting.push(record)
      else this.#more += 1
    }
  }

  #tick(): void {
    const nowMs = Date.now()
    const records = this.#waiting
    this.#waiting = []
    if (records.length > 0 || this.#more > 0) this.#sendBatch(records, nowMs)
    this.#more = 0
    if (nowMs >= this.#tallyDueMs) {
      this.#tallyDueMs = nowMs + RELOAD_TALLY_MS
      this.#tally.load().then(
        () => {
          this.#countsDueMs = 0
        },
        (error: unknown) => this.#options.log.warn({ error: String(error) }, "the inspector cannot count: the store cannot be read"),
      )
    }
    if (nowMs >= this.#countsDueMs) {
      this.#countsDueMs = nowMs + COUNTS_MS
      this.#lastCounts = frame("counts", this.#tally.counts(nowMs))
      this.#toAll(this.#lastCounts, nowMs)
    }
    for (const page of this.#pages) if (page.deafSinceMs !== undefined && nowMs - page.deafSinceMs > DEAF_MS) page.response.destroy()
  }

  #sendBatch(records: readonly EventRecord[], nowMs: number): void {
    const shown = records.slice(0, SHOWN_MAX)
    this.#readUnknown(shown)
    const arrows = this.#follower.take(shown)
    const transitions: Transition[] = []
    for (const [n, record] of records.entries()) {
      const from = this.#tally.take(record, nowMs)
      if (n < SHOWN_MAX) transitions.push(transitionOf(record, from, arrows[n] ?? []))
    }
    const newest = new Map<string, EventRecord>()
    for (const record of shown) newest.set(record.order, record)
    this.#toAll(
      frame("batch", { transitions, rows: [...newest.values()].map(slimRow), more: records.length - shown.length + this.#more }),
      nowMs,
    )
  }

  /** Orders that began before anybody looked are read, a few at a time, so that their next steps can be drawn. */
  #readUnknown(records: readonly EventRecord[]): void {
    for (const { order, version, done } of records) {
      if (this.#reading >= READ_MAX) return
      if (version === 1 || done || !isOrderId(order) || this.#follower.follows(order)) continue
      const stream = orderStream(order)
      this.#reading += 1
      this.#options.engine.store
        .readStreams([stream])
        .then((found) => {
          const read = found.get(stream)
          if (read?._tag === "Readable" && this.#timer !== undefined && !this.#follower.follows(order))
            this.#follower.begin(order, read.events)
        })
        // The store is away: the counts say so.
        .catch(() => undefined)
        .finally(() => {
          this.#reading -= 1
        })
    }
  }

  #toAll(text: string, nowMs: number): void {
    for (const page of this.#pages) {
      if (page.response.writableLength > HELD_MAX_BYTES) {
        page.missed = true
        page.deafSinceMs ??= nowMs
      } else this.#write(page, text)
    }
  }

  #write(page: Page, text: string): void {
    if (!page.response.destroyed) page.response.write(text)
  }
}

const frame = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

const readBatch = (batch: Uint8Array): readonly EventRecord[] => {
  try {
    const records: unknown = JSON.parse(new TextDecoder().decode(batch))
    return Array.isArray(records) ? (records as readonly EventRecord[]) : []
  } catch {
    return []
  }
}
