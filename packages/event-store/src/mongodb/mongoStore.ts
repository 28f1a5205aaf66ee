/**
 * The event store on MongoDB: one document per event in `trade_audit_log` (design.md section 7), `w: "majority"`,
 * `j: true`, insert only; no transactions and no change streams, so that a standalone server will do.
 *
 * Promises: see the port. Several engines may write to one database; each (stream, version) exists once. The `orders`
 * collection follows a moment behind the appends; this process's own lists wait for it. On a server that scans for every
 * read (FerretDB) reads are few and batched.
 */
import { randomUUID } from "node:crypto"
import type { Filter } from "mongodb"
import {
  type Append,
  type AppendResult,
  type EventStore,
  type HistoryRead,
  type OrderPage,
  type OrderQuery,
  type OrderRow,
  type StoredEvent,
  type StoredStream,
  type StreamHead,
  type StreamRead,
  StoreUnavailable,
} from "../eventStore.ts"
import { limitOf, readCursor, writeCursor } from "../orderRows.ts"
import { type ReadEvent, readStream, UPCASTERS, type Upcasters } from "../upcasters.ts"
import { appendBatch } from "./append.ts"
import { connect, type MongoConnection, type MongoConnectOptions, reasonOf } from "./connect.ts"
import { type EventDocument, fromDocument, fromRowDocument, type RowDocument, textOf } from "./document.ts"
import { isDuplicate, OrderProjection } from "./projection.ts"

export interface MongoStoreOptions extends MongoConnectOptions {
  /** Reads only: makes no index, no row, no store id. The store must have been opened by an engine before. */
  readonly readOnly?: boolean
  readonly upcasters?: Upcasters
  /** How long order rows are gathered before they are written; default 500. */
  readonly projectEveryMs?: number
  /** The projection could not be written; it is tried again. */
  readonly onProjectionError?: (error: unknown) => void
}

const STORE_ID = "store_id"
/** Beyond this many streams a server that scans is asked for everything: comparing is dearer than sending. */
const SCAN_STREAMS_MAX = 50
const STREAMS_PER_QUERY = 5000
const EVENTS_PER_BATCH = 2000
/** How long another engine's crash may be past before its last heads are missed by `headsSince`. */
const MARK_MARGIN_MS = 600_000

export class MongoEventStore implements EventStore {
  readonly kind = "mongodb"
  readonly storeId: string
  readonly #db: MongoConnection
  readonly #projection: OrderProjection | undefined
  readonly #upcasters: Upcasters
  #closed = false

  private constructor(db: MongoConnection, projection: OrderProjection | undefined, storeId: string, upcasters: Upcasters) {
    this.#db = db
    this.#projection = projection
    this.storeId = storeId
    this.#upcasters = upcasters
  }

  /**
   * Connects, and waits for as long as it takes (`onWaiting` says why); the projection is caught up when it returns.
   * @throws TypeError for a URL that is none, StoreUnavailable for a reader of a database without a store.
   */
  static open(options: MongoStoreOptions): Promise<MongoEventStore> {
    const upcasters = options.upcasters ?? UPCASTERS
    return connect(
      options,
      async (db) => {
        if (options.readOnly === true) {
          const id = (await db.meta.findOne({ _id: STORE_ID }))?.value
          if (id === undefined) throw new StoreUnavailable(`database ${options.database} holds no event store (yet)`)
          return new MongoEventStore(db, undefined, id, upcasters)
        }
        await makeIndexes(db)
        const storeId = await makeStoreId(db)
        const projection = new OrderProjection(db, {
          everyMs: options.projectEveryMs ?? 500,
          onError: options.onProjectionError ?? (() => undefined),
        })
        await projection.catchUp()
        return new MongoEventStore(db, projection, storeId, upcasters)
      },
      (error) => error instanceof StoreUnavailable,
    )
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    const unavailable = (reason: string): readonly AppendResult[] => batch.map(() => ({ _tag: "Unavailable", reason }))
    if (this.#closed) return unavailable("the store is closed")
    const projection = this.#projection
    if (projection === undefined) return unavailable("the store is open for reading only")
    let oldest: string | undefined
    for (const { records } of batch) for (const { record } of records) if (oldest === undefined || record.at < oldest) oldest = record.at
    if (oldest === undefined) return batch.map(() => ({ _tag: "Appended" }))
    try {
      const token = await projection.begin(oldest)
      const results = await appendBatch(this.#db, batch)
      projection.end(token, batch, results)
      return results
    } catch (error) {
      return unavailable(reasonOf(error))
    }
  }

  async #read<A>(read: () => Promise<A>): Promise<A> {
    if (this.#closed) throw new StoreUnavailable("the store is closed")
    try {
      return await read()
    } catch (error) {
      throw new StoreUnavailable(reasonOf(error), { cause: error })
    }
  }

  /** The cursor's documents in bounded parts; errors become StoreUnavailable. */
  async *#documents(filter: Filter<EventDocument>, slim: boolean): AsyncIterable<EventDocument> {
    if (this.#closed) throw new StoreUnavailable("the store is closed")
    const projection = slim ? { stream: 1, version: 1, hash: 1 } : undefined
    const cursor = this.#db.events.find(filter, { sort: { _id: 1 }, batchSize: EVENTS_PER_BATCH, ...(projection && { projection }) })
    try {
      for await (const document of cursor) yield document
    } catch (error) {
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable(reasonOf(error), { cause: error })
    } finally {
      await cursor.close().catch(() => undefined)
    }
  }

  async readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamRead>> {
    const wanted = [...new Set(streams)]
    const events = new Map<string, ReadEvent[]>()
    const take = async (filter: Filter<EventDocument>, only?: ReadonlySet<string>) => {
      for (const document of await this.#read(() => this.#db.events.find(filter, { batchSize: EVENTS_PER_BATCH }).toArray())) {
        const stream = String(document.stream)
        if (only !== undefined && !only.has(stream)) continue
        const list = events.get(stream)
        const event = readEventOf(document)
        if (list === undefined) events.set(stream, [event])
        else list.push(event)
      }
    }
    if (this.#db.scans && wanted.length > SCAN_STREAMS_MAX) await take({}, new Set(wanted))
    else {
      for (let from = 0; from < wanted.length; from += STREAMS_PER_QUERY) {
        await take({ stream: { $in: wanted.slice(from, from + STREAMS_PER_QUERY) } })
      }
    }
    const found = new Map<string, StreamRead>()
    for (const [stream, list] of events) {
      list.sort((a, b) => a.version - b.version)
      found.set(stream, readStream(this.#upcasters, stream, list))
    }
    return found
  }

  async readHistories(streams: readonly string[]): Promise<ReadonlyMap<string, HistoryRead>> {
    const found = new Map<string, HistoryRead>()
    for (const [stream, read] of await this.readStreams(streams))
      found.set(stream, read._tag === "Unreadable" ? read : { ...read, last: read.events.at(-1) as (typeof read.events)[number] })
    return found
  }

  async readRaw(stream: string): Promise<readonly StoredEvent[]> {
    const documents = await this.#read(() => this.#db.events.find({ _id: { $gte: `${stream}:`, $lt: `${stream};` } }).toArray())
    return documents.map((document) => storedOf(stream, document)).sort((a, b) => a.version - b.version)
  }

  async *rawStreams(prefix: string): AsyncIterable<readonly StoredStream[]> {
    let streams: StoredStream[] = []
    let events: StoredEvent[] = []
    let current: string | undefined
    let held = 0
    const finish = () => {
      if (current !== undefined) streams.push({ stream: current, events: events.sort((a, b) => a.version - b.version) })
      events = []
    }
    for await (const document of this.#documents(idsFrom(prefix), false)) {
      const stream = streamOfId(document._id)
      if (stream !== current) {
        finish()
        current = stream
        if (held >= EVENTS_PER_BATCH) {
          yield streams
          streams = []
          held = 0
        }
      }
      events.push(storedOf(stream, document))
      held += 1
    }
    finish()
    if (streams.length > 0) yield streams
  }

  streams(prefix: string): AsyncIterable<readonly StreamHead[]> {
    return headsOf(this.#documents(idsFrom(prefix), true))
  }

  async mark(): Promise<string | undefined> {
    const at = this.#projection?.newestAt
    return at === undefined ? undefined : new Date(Date.parse(at) - MARK_MARGIN_MS).toISOString()
  }

  headsSince(mark: string | undefined): AsyncIterable<readonly StreamHead[]> {
    return headsOf(this.#documents(mark === undefined ? {} : { at: { $gte: mark } }, true))
  }

  async listOrders(query: OrderQuery): Promise<OrderPage> {
    await this.#catchUp()
    const limit = limitOf(query)
    const filter = orderFilter(query)
    const found = await this.#read(() => this.#db.orders.find(filter, { sort: { created_at: -1, _id: -1 }, limit: limit + 1 }).toArray())
    const page = found.slice(0, limit).map(fromRowDocument)
    const last = page.at(-1)
    return found.length > limit && last !== undefined ? { orders: page, next: writeCursor(last.created_at, last.order) } : { orders: page }
  }

  async openOrders(wanted: (order: string) => boolean = () => true): Promise<readonly OrderRow[]> {
    await this.#catchUp()
    const found = await this.#read(() => this.#db.orders.find({ done: false }).toArray())
    return found
      .filter(({ _id }) => wanted(_id))
      .map(fromRowDocument)
      .sort((a, b) => (a.created_at === b.created_at ? (a.order < b.order ? -1 : 1) : a.created_at < b.created_at ? -1 : 1))
  }

  async openOrderIds(): Promise<readonly string[]> {
    const rows = await this.openOrders()
    const isPending = ({ status }: OrderRow): boolean => status === "pending"
    return [...rows.filter((row) => !isPending(row)), ...rows.filter(isPending)].map(({ order }) => order)
  }

  async findOrder(id: string): Promise<OrderRow | undefined> {
    await this.#catchUp()
    const found = (
      await this.#read(() =>
        this.#db.orders
          .find({ $or: [{ _id: id }, { signal_id: id }, { binance_order_id: id }] } as Filter<RowDocument>, {
            sort: { created_at: -1, _id: -1 },
          })
          .toArray(),
      )
    ).map(fromRowDocument)
    return found.find((row) => row.order === id) ?? found[0]
  }

  /** What this process appended is in the rows before it reads them. */
  async #catchUp(): Promise<void> {
    await this.#read(async () => this.#projection?.flush())
  }

  async getMeta(key: string): Promise<string | undefined> {
    return (await this.#read(() => this.#db.meta.findOne({ _id: `value/${key}` })))?.value
  }

  async setMeta(key: string, value: string): Promise<void> {
    if (this.#projection === undefined) throw new StoreUnavailable("the store is open for reading only")
    await this.#read(() => this.#db.meta.updateOne({ _id: `value/${key}` }, { $set: { value } }, { upsert: true }))
  }

  async rebuildProjections(): Promise<number> {
    const projection = this.#projection
    if (projection === undefined) throw new StoreUnavailable("the store is open for reading only")
    await this.#catchUp()
    return this.#read(() => projection.rebuild())
  }

  /** Never fails: what the projection could not write is caught up by the next one that opens. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#projection?.close().catch(() => undefined)
    await this.#db.client.close().catch(() => undefined)
  }
}

const makeIndexes = async (db: MongoConnection): Promise<void> => {
  if (db.scans) return
  await db.events.createIndexes([{ key: { stream: 1, version: 1 }, unique: true }, { key: { at: 1 } }])
  await db.orders.createIndexes([
    { key: { created_at: -1, _id: -1 } },
    { key: { done: 1, created_at: -1 } },
    ...["symbol", "strategy_id", "state", "status", "reason"].map((field) => ({ key: { [field]: 1, created_at: -1 } })),
    { key: { signal_id: 1 } },
    { key: { binance_order_id: 1 } },
  ])
}

/** First writer wins. */
const makeStoreId = async (db: MongoConnection): Promise<string> => {
  try {
    await db.meta.updateOne({ _id: STORE_ID }, { $setOnInsert: { value: randomUUID() } }, { upsert: true })
  } catch (error) {
    if (!isDuplicate(error)) throw error
  }
  const id = (await db.meta.findOne({ _id: STORE_ID }))?.value
  if (id === undefined) throw new Error("the store id that was written cannot be read")
  return id
}

const idsFrom = (prefix: string): Filter<EventDocument> => (prefix === "" ? {} : { _id: { $gte: prefix, $lt: `${prefix}\u{10ffff}` } })

const streamOfId = (id: string): string => {
  const colon = id.lastIndexOf(":")
  return colon < 0 ? id : id.slice(0, colon)
}

/** Where it lies is what its `_id` says; what it says of itself is in the text. */
const storedOf = (stream: string, document: EventDocument): StoredEvent => {
  const record = fromDocument(document)
  return { stream, version: Number(document._id.slice(document._id.lastIndexOf(":") + 1)), hash: record.hash, text: textOf(record) }
}

/** What is no event of ours is told from one by its envelope. */
const readEventOf = (document: EventDocument): ReadEvent => {
  const record = fromDocument(document)
  const { type, schema, prev, data } = record
  const isEvent =
    typeof type === "string" &&
    typeof schema === "number" &&
    typeof prev === "string" &&
    typeof data === "object" &&
    data !== null &&
    !Array.isArray(data)
  return { version: record.version, hash: record.hash, record: isEvent ? record : undefined }
}

/** Heads of documents that come stream by stream, in order of version. */
async function* headsOf(documents: AsyncIterable<EventDocument>): AsyncIterable<readonly StreamHead[]> {
  let heads: StreamHead[] = []
  let head: StreamHead | undefined
  for await (const { stream, version, hash } of documents) {
    if (head !== undefined && head.stream !== stream) {
      heads.push(head)
      if (heads.length >= EVENTS_PER_BATCH) {
        yield heads
        heads = []
      }
    }
    head = { stream: String(stream), version: Number(version), hash: String(hash) }
  }
  if (head !== undefined) heads.push(head)
  if (heads.length > 0) yield heads
}

const orderFilter = (query: OrderQuery): Filter<RowDocument> => {
  const and: Filter<RowDocument>[] = []
  const equal = (field: string, value: string | undefined) => {
    if (value !== undefined) and.push({ [field]: value })
  }
  equal("state", query.state)
  equal("status", query.status)
  equal("symbol", query.symbol)
  equal("strategy_id", query.strategyId)
  equal("reason", query.reason)
  if (query.since !== undefined) and.push({ created_at: { $gte: query.since } })
  if (query.until !== undefined) and.push({ created_at: { $lt: query.until } })
  if (query.search !== undefined && query.search !== "") {
    const part = { $regex: query.search.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), $options: "i" }
    and.push({ $or: [{ _id: part }, { signal_id: part }, { binance_order_id: part }] })
  }
  if (query.cursor !== undefined) {
    const [at, order] = readCursor(query.cursor)
    and.push({ $or: [{ created_at: { $lt: at } }, { created_at: at, _id: { $lt: order } }] })
  }
  return and.length === 0 ? {} : { $and: and }
}
