/**
 * The document of one event in the audit log (docs/design.md section 7), the same on MongoDB and in SQLite.
 *
 * The canonical form of a record is `JSON.stringify` of the object that {@link canonicalRecord} builds, key order fixed,
 * everything but `hash`; `hash` is SHA-256 of that text, and `prev` (the hash of the version before, `""` for the first)
 * is part of it: a chain per stream.
 */
import type { Command } from "./commands.ts"

/** The seven states that people see, and what streams that are no orders have. */
export const ORDER_STATES = ["received", "validated", "sized", "placed", "bracketed", "filled", "failed"] as const
export type OrderState = (typeof ORDER_STATES)[number]

export const STATUSES = ["pending", "partially_filled", "filled", "cancelled", "rejected", "expired"] as const
export type Status = (typeof STATUSES)[number]

/**
 * The fold so far, flat, for people who query by hand and for documents that other services already read (the
 * specification's names). Numbers here are convenience copies; nothing is decided by them.
 */
export interface FlatFields {
  /** Our order id (`""` in streams that are no orders). */
  readonly order: string
  /** The signal's own id, else its strategy id. */
  readonly signal_id: string
  readonly strategy_id: string
  readonly symbol: string
  readonly market: string
  readonly side: string
  readonly order_type: string
  readonly quantity: number | null
  readonly price: number | null
  readonly stop_loss: number | null
  readonly take_profit: number | null
  readonly binance_order_id: string | null
  readonly status: Status
  readonly fill_price: number | null
  readonly filled_quantity: number | null
  /** In quote, entry and exits so far. */
  readonly fees: number | null
  /** What the lot still holds, exact decimal text; `"0"` when nothing is held. */
  readonly open_quantity: string
  /** In quote, exact decimal text, once the lot is closed. */
  readonly profit: string | null
  /** Reason code of a failed order. */
  readonly reason: string | null
  /** Settled: `filled` or `failed`, so that the JetStream message may be acknowledged. */
  readonly settled: boolean
  /** Settled, and no lot, leg or command is open: nothing will happen any more unless late truth comes. */
  readonly done: boolean
  readonly parked: boolean
  /** When the signal was made, ISO 8601 UTC. */
  readonly timestamp: string
  /** When the order's first event was recorded, ISO 8601 UTC. */
  readonly created_at: string
  readonly simulation_mode: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface EventRecord extends FlatFields {
  readonly _id: string
  readonly stream: string
  /** 1, 2, 3 … without a gap. */
  readonly version: number
  readonly schema: number
  readonly type: string
  /** The state after this event: one of {@link ORDER_STATES} (`rejected`, `anchor` in other streams). */
  readonly state: string
  /** When it was decided, ISO 8601 UTC with milliseconds. */
  readonly at: string
  readonly data: Readonly<Record<string, unknown>>
  readonly commands: readonly Command[]
  readonly settings_version: string
  readonly engine_version: string
  readonly replica: string
  /** What made this event happen: `signal`, `reply`, `stream`, `query`, `deadline`, `decision`, `recovery`, `operator`. */
  readonly cause: string
  readonly trace: string | null
  readonly prev: string
  readonly hash: string
}

/** A record without the fold that it carries for readers. */
export type EventEnvelope = Omit<EventRecord, keyof FlatFields>

/** A record before it is sealed. */
export type UnsealedRecord = Omit<EventRecord, "hash">

/** What an event says besides the fold so far. */
export type Envelope = Omit<UnsealedRecord, keyof FlatFields | "prev">

/** Everything but the hash, in the one order of keys that is hashed and written. */
export const recordOf = (e: Envelope, f: FlatFields, prev: string): UnsealedRecord => ({
  _id: e._id,
  stream: e.stream,
  version: e.version,
  schema: e.schema,
  type: e.type,
  state: e.state,
  at: e.at,
  data: e.data,
  commands: e.commands,
  settings_version: e.settings_version,
  engine_version: e.engine_version,
  replica: e.replica,
  cause: e.cause,
  trace: e.trace,
  prev: prev,
  order: f.order,
  signal_id: f.signal_id,
  strategy_id: f.strategy_id,
  symbol: f.symbol,
  market: f.market,
  side: f.side,
  order_type: f.order_type,
  quantity: f.quantity,
  price: f.price,
  stop_loss: f.stop_loss,
  take_profit: f.take_profit,
  binance_order_id: f.binance_order_id,
  status: f.status,
  fill_price: f.fill_price,
  filled_quantity: f.filled_quantity,
  fees: f.fees,
  open_quantity: f.open_quantity,
  profit: f.profit,
  reason: f.reason,
  settled: f.settled,
  done: f.done,
  parked: f.parked,
  timestamp: f.timestamp,
  created_at: f.created_at,
  simulation_mode: f.simulation_mode,
  metadata: f.metadata,
})

/** The same, of a record that is one already: its keys in the one order. */
export const canonicalRecord = (r: UnsealedRecord): UnsealedRecord => recordOf(r, r, r.prev)

/** The text that is hashed, and that SQLite stores. */
export const canonicalText = (r: UnsealedRecord): string => JSON.stringify(canonicalRecord(r))

/**
 * A record that has its place in the chain: what an append carries. Its canonical text was made once, and is there as the
 * bytes that were hashed; whoever needs the text or the record as one object asks for it, and it is made then.
 */
export interface SealedRecord {
  readonly envelope: Envelope
  readonly flat: FlatFields
  readonly prev: string
  readonly hash: string
  /** UTF-8 of {@link canonicalText}. */
  readonly bytes: Uint8Array
  /** {@link canonicalText} of the record: without the hash. */
  readonly text: string
  readonly record: EventRecord
}
