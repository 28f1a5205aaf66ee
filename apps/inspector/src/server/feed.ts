/**
 * The live feed (server-sent events): transitions as they become durable, and counts every second.
 *
 * Promises: the journal's listener only puts a reference aside; everything else happens five times a second, once for all
 * pages, and only while somebody looks. A page that cannot take what is sent loses it, and is told to `reload` when it can
 * take something again; what waits for it is bounded (1 MiB and one message), and one that stays deaf is dropped.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { EventRecord } from "@petrosa/contracts"
import { isOrderId, orderStream } from "@petrosa/contracts"
import type { EngineFace } from "@petrosa/engine"
import { Follower } from "./follower.ts"
import { type Journals, listenToAll } from "./journals.ts"
import type { RegionCounts, Replicas } from "./regionCounts.ts"
import { SECURITY_HEADERS } from "./reply.ts"
import { slimRow, type Transition, transitionOf } from "./slim.ts"
import { Tally } from "./tally.ts"

const TICK_MS = 200
const COUNTS_MS = 1000
/** A store's list of orders may lag behind when the first page comes (MongoDB): it is read again soon, then now and then. */
const RELOAD_TALLY_MS = [2_000, 8_000, 60_000] as const
/** Transitions of one tick that are told one by one, the newest; the others are counted only. Nobody reads faster. */
const SHOWN_MAX = 60
/** Orders of one tick whose rows are sent. */
const ROWS_MAX = 100
/** Records between two ticks that are looked at. */
const WAITING_MAX = 20_000
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
  /** Of the orders that this process holds. */
  readonly regions: () => RegionCounts
  /** Asks the other replicas for theirs. */
  readonly replicas?: Replicas
  readonly journals?: Journals
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
  #asking: ReturnType<Replicas["ask"]> | undefined
  #timer: NodeJS.Timeout | undefined
  #countsDueMs = 0
  #tallyLoads = 0
  #tallyDueMs = 0
  #lastCounts = ""
  #reading = 0

  constructor(options: FeedOptions) {
    this.#options = options
    this.#tally = new Tally(options.engine.store, options.engine.health().replica, options.regions)
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
    const { engine, journals, replicas } = this.#options
    this.#stopListening = listenToAll(engine, journals, (records) => this.#hear(records))
    const own = engine.health().replica
    this.#asking = replicas?.ask((replica, answer) => {
      if (replica !== own) this.#tally.others.take(replica, answer, Date.now())
    })
    this.#asking?.again()
    this.#tallyDueMs = 0
    this.#tallyLoads = 0
    this.#countsDueMs = 0
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
  }

  #rest(): void {
    this.#stopListening?.()
    this.#stopListening = undefined
    this.#asking?.stop()
    this.#asking = undefined
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
      if (this.#waiting.length < WAITING_MAX) this.#waiting.push(record)
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
      this.#tallyDueMs = nowMs + (RELOAD_TALLY_MS[this.#tallyLoads++] ?? 60_000)
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
      this.#asking?.again()
    }
    for (const page of this.#pages) if (page.deafSinceMs !== undefined && nowMs - page.deafSinceMs > DEAF_MS) page.response.destroy()
  }

  #sendBatch(records: readonly EventRecord[], nowMs: number): void {
    this.#readUnknown(records)
    const arrows = this.#follower.take(records)
    const firstShown = Math.max(0, records.length - SHOWN_MAX)
    const transitions: Transition[] = []
    const newest = new Map<string, EventRecord>()
    for (const [n, record] of records.entries()) {
      const from = this.#tally.take(record, nowMs)
      // An order that is not followed closely is known by its state at least.
      if (from !== null && from !== record.state) arrows.add(`order:${from}>${record.state}`)
      if (n >= firstShown) transitions.push(transitionOf(record, from))
      newest.set(record.order, record)
    }
    const rows = [...newest.values()].slice(-ROWS_MAX).map(slimRow)
    this.#toAll(frame("batch", { transitions, rows, arrows: [...arrows], more: firstShown + this.#more }), nowMs)
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
