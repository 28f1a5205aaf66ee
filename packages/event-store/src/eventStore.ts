/**
 * The EventStore port: the memory of the engine. Append-only; one document per event; a hash chain per stream.
 *
 * Promises: an `Appended` result means that every record of that append is durable (survives the loss of power as far as
 * the adapter's medium does); records of one stream are durable in order, so that a crash leaves a prefix, never a gap;
 * version N of a stream exists once, whoever writes. What can go wrong is a value: see {@link AppendResult}.
 */
import type { EventEnvelope, EventRecord, SealedRecord } from "@petrosa/contracts"

/** Records of ONE stream, of consecutive versions. */
export interface Append {
  readonly stream: string
  readonly records: readonly SealedRecord[]
}

export type AppendResult =
  | { readonly _tag: "Appended" }
  /**
   * Somebody else wrote `version` (or, where the adapter can see it, the version before these is not the one that they
   * follow). Nothing of this append from `version` on was written by it.
   */
  | { readonly _tag: "Conflict"; readonly stream: string; readonly version: number }
  /**
   * The store did not answer, or refused, and what was written is not known. Sending the very same records again is
   * always safe: versions that are already there with the same hash count as written.
   */
  | { readonly _tag: "Unavailable"; readonly reason: string }

/** The projection of one order: its last event's flat fields and head. A cache: it can be deleted and rebuilt. */
export type OrderRow = Pick<
  EventRecord,
  | "order"
  | "stream"
  | "version"
  | "hash"
  | "state"
  | "type"
  | "at"
  | "signal_id"
  | "strategy_id"
  | "symbol"
  | "market"
  | "side"
  | "order_type"
  | "quantity"
  | "price"
  | "stop_loss"
  | "take_profit"
  | "binance_order_id"
  | "status"
  | "fill_price"
  | "filled_quantity"
  | "fees"
  | "open_quantity"
  | "profit"
  | "reason"
  | "settled"
  | "done"
  | "parked"
  | "timestamp"
  | "created_at"
  | "simulation_mode"
  | "replica"
>

export interface OrderQuery {
  /** 1…1000; default 50. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly cursor?: string
  readonly state?: string
  readonly status?: string
  readonly symbol?: string
  readonly strategyId?: string
  readonly reason?: string
  /** ISO 8601, on `created_at`: `since` ≤ created_at < `until`. */
  readonly since?: string
  readonly until?: string
  /** Part of an id (order, signal, venue order), case-insensitive. */
  readonly search?: string
}

export interface OrderPage {
  readonly orders: readonly OrderRow[]
  readonly next?: string
}

/** One stream as {@link EventStore.readStreams} found it. */
export type StreamRead = ReadableStream | UnreadableStream

export interface ReadableStream {
  readonly _tag: "Readable"
  readonly events: readonly EventRecord[]
}

/** One stream as {@link EventStore.readHistories} found it. */
export type HistoryRead = ReadableHistory | UnreadableStream<EventEnvelope>

export interface ReadableHistory {
  readonly _tag: "Readable"
  readonly events: readonly EventEnvelope[]
  /** The last of them, whole. */
  readonly last: EventRecord
}

/**
 * A stream with an event that this version of the engine does not know, or with a gap, or with a text that is no event.
 * Nobody may act on it: its order is parked (design.md section 7).
 */
export interface UnreadableStream<R = EventRecord> {
  readonly _tag: "Unreadable"
  readonly stream: string
  /** The first version that cannot be read. */
  readonly version: number
  readonly what: "unknownType" | "newerSchema" | "missing" | "notAnEvent"
  /** For people: which type and schema, or what is wrong. */
  readonly detail: string
  /** The events before that version. */
  readonly events: readonly R[]
  /** The stream's last event: what an `OrderParked` is appended after. */
  readonly head: StreamHead
}

/**
 * What the events of a stream came to. A cache: without it the events are folded from the first one, and it may be thrown away
 * at any time.
 */
export interface Snapshot {
  readonly stream: string
  /** The last event that is folded in, and its hash. */
  readonly version: number
  readonly hash: string
  readonly text: string
}

/** A stream from its snapshot on. */
export interface SnapshotRead {
  readonly snapshot: Snapshot
  /** What came after it, in order of version; empty: nothing did. */
  readonly later: readonly EventEnvelope[]
}

/**
 * Snapshots beside the events, of a store that can keep them. `form` names the program that folded (and writes their texts): what
 * another one made is not there.
 */
export interface Snapshots {
  /** Keeps them, each in the place of the one before; not those of orders that are done. Rejects when the store cannot; nothing depends on it. */
  save(form: string, snapshots: readonly Snapshot[]): Promise<void>
  /**
   * Everything asked for is held in memory at once: some hundred streams at a time. Only streams that can be read from their snapshot to their end: the event that the snapshot names is there with its hash,
   * and nothing is missing or unreadable behind it. The others are not in the map: {@link EventStore.readHistories} says why.
   */
  read(form: string, streams: readonly string[]): Promise<ReadonlyMap<string, SnapshotRead>>
}

/** A read that failed: the store is away, or what it holds cannot be read. Thrown by the reading methods only. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable"
}

export interface EventStore {
  readonly kind: "sqlite" | "mongodb"
  /** A random id that was written into the store when it was made: two stores never share one. */
  readonly storeId: string
  /** None: it keeps none. */
  readonly snapshots?: Snapshots | undefined

  /** Writes several streams' appends as one batch. One result per append, in order. Never rejects. */
  append(batch: readonly Append[]): Promise<readonly AppendResult[]>

  /**
   * The events of these streams, in order of version, upcast to today's schemas. One query for all of them; a stream
   * without events is not in the map. A stream that cannot be read does not spoil the others: see {@link StreamRead}.
   * Everything asked for is held in memory at once: ask for some hundred streams at a time.
   */
  readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamRead>>
  /**
   * The same for who rebuilds orders: of the fold in the flat fields only the last is asked for. Half of what an event says
   * is there for readers; of thousands of orders nobody needs it at a restart.
   */
  readHistories(streams: readonly string[]): Promise<ReadonlyMap<string, HistoryRead>>
  /** Exactly what is stored for one stream, not upcast, with the hash that is stored beside it: for verify. */
  readRaw(stream: string): Promise<readonly StoredEvent[]>
  /** As {@link readRaw}, for all streams with this prefix, in one pass over the store, whole streams in bounded batches. */
  rawStreams(prefix: string): AsyncIterable<readonly StoredStream[]>
  /** The heads of all streams with this prefix, in batches, in no particular order. */
  streams(prefix: string): AsyncIterable<readonly StreamHead[]>
  /** A place in the store's history that {@link headsSince} may start at later; none when nothing was written yet. */
  mark(): Promise<string | undefined>
  /** The heads of (at least) the streams that were written since the mark, in batches; of all streams without one. */
  headsSince(mark: string | undefined): AsyncIterable<readonly StreamHead[]>

  /** Newest first. */
  listOrders(query: OrderQuery): Promise<OrderPage>
  /** Orders that are not done (unsettled, or with an open lot or leg), parked ones too. With `wanted`: those of them, the others are not read. */
  openOrders(wanted?: (order: string) => boolean): Promise<readonly OrderRow[]>
  /** The ids of {@link openOrders}, in the order in which they are to be taken up: what is filled (its status is not `pending`) comes first. */
  openOrderIds(): Promise<readonly string[]>
  /** By order id, the signal's own id, the venue's order id of the entry. The newest, when several signals share an id. */
  findOrder(id: string): Promise<OrderRow | undefined>

  /** Small named values beside the events: the store's own facts (JetStream stream ids, checkpoints). */
  getMeta(key: string): Promise<string | undefined>
  setMeta(key: string, value: string): Promise<void>

  /** Throws the order rows away and makes them from the events again. Returns how many orders there are. */
  rebuildProjections(): Promise<number>

  /** Brings the projections up to date, and frees what is held. */
  close(): Promise<void>
}

/** An event as it lies in the store: `text` is what its hash must be made of. */
export interface StoredEvent {
  readonly stream: string
  readonly version: number
  /** As stored beside the text: not part of it. */
  readonly hash: string
  readonly text: string
}

export interface StreamHead {
  readonly stream: string
  readonly version: number
  readonly hash: string
}

/** All events of one stream, in order of version. */
export interface StoredStream {
  readonly stream: string
  readonly events: readonly StoredEvent[]
}
