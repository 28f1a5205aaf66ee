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

/** A record before it is sealed. */
export type UnsealedRecord = Omit<EventRecord, "hash">

/** Everything but the hash, in the one order of keys that is hashed and written. */
export const canonicalRecord = (r: UnsealedRecord): UnsealedRecord => ({
  _id: r._id,
  stream: r.stream,
  version: r.version,
  schema: r.schema,
  type: r.type,
  state: r.state,
  at: r.at,
  data: r.data,
  commands: r.commands,
  settings_version: r.settings_version,
  engine_version: r.engine_version,
  replica: r.replica,
  cause: r.cause,
  trace: r.trace,
  prev: r.prev,
  order: r.order,
  signal_id: r.signal_id,
  strategy_id: r.strategy_id,
  symbol: r.symbol,
  market: r.market,
  side: r.side,
  order_type: r.order_type,
  quantity: r.quantity,
  price: r.price,
  stop_loss: r.stop_loss,
  take_profit: r.take_profit,
  binance_order_id: r.binance_order_id,
  status: r.status,
  fill_price: r.fill_price,
  filled_quantity: r.filled_quantity,
  fees: r.fees,
  open_quantity: r.open_quantity,
  profit: r.profit,
  reason: r.reason,
  settled: r.settled,
  done: r.done,
  parked: r.parked,
  timestamp: r.timestamp,
  created_at: r.created_at,
  simulation_mode: r.simulation_mode,
  metadata: r.metadata,
})

/** The text that is hashed, and that SQLite stores. */
export const canonicalText = (r: UnsealedRecord): string => JSON.stringify(canonicalRecord(r))

/** A record with its canonical text: what an append carries, so that the text is made once. */
export interface SealedRecord {
  readonly record: EventRecord
  /** {@link canonicalText} of the record: without the hash. */
  readonly text: string
}
