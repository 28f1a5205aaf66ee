/** Records for tests: an order's life in a few words. */
import {
  type EventRecord,
  EVENT_SCHEMA,
  eventId,
  type OrderEventType,
  type OrderId,
  orderIdOf,
  orderStream,
  type SealedRecord,
  type UnsealedRecord,
} from "@petrosa/contracts"
import { createHash } from "node:crypto"
import type { Append } from "../eventStore.ts"
import { sealAll } from "../sealing.ts"

/** The order id that belongs to a number (or any text), for ever. */
export const orderIdFor = (seed: number | string): OrderId => orderIdOf(createHash("sha256").update(String(seed)).digest())
export const streamFor = (seed: number | string): string => orderStream(orderIdFor(seed))

const START_MS = Date.UTC(2026, 0, 5, 12)

/** Time `ms` after a fixed start, as records write it. */
export const isoAt = (ms: number): string => new Date(START_MS + ms).toISOString()

export type RecordFields = Partial<Omit<UnsealedRecord, "prev" | "type">> & { readonly type?: string }

/** One unsealed record of an order's stream; whatever matters to the test is given in `fields`. */
export const recordOf = (seed: number | string, version: number, fields: RecordFields = {}): Omit<UnsealedRecord, "prev"> => {
  const order = orderIdFor(seed)
  const stream = fields.stream ?? orderStream(order)
  const type = fields.type ?? "SignalReceived"
  return {
    _id: eventId(stream, version),
    stream,
    version,
    schema: EVENT_SCHEMA[type as OrderEventType] ?? 1,
    state: "received",
    at: isoAt(version * 1000),
    data: { note: `event ${version} of ${seed}`, quantity: "0.01500000", nested: { list: [1, "two", null, true], ms: 1_767_614_400_123 } },
    commands: [],
    settings_version: "s1",
    engine_version: "0.1.0",
    replica: "r1",
    cause: "decision",
    trace: null,
    order,
    signal_id: `signal-${seed}`,
    strategy_id: "momentum_v1",
    symbol: "BTCUSDT",
    market: "spot",
    side: "BUY",
    order_type: "market",
    quantity: 0.015,
    price: null,
    stop_loss: 64_000.5,
    take_profit: null,
    binance_order_id: null,
    status: "pending",
    fill_price: null,
    filled_quantity: null,
    fees: null,
    open_quantity: "0",
    profit: null,
    reason: null,
    settled: false,
    done: false,
    parked: false,
    timestamp: isoAt(0),
    created_at: isoAt(0),
    simulation_mode: true,
    metadata: {},
    ...fields,
    type,
  }
}

/** Sealed records of one stream, versions `from` … , each following the one before; `after` is the event that they follow. */
export const sealedOf = (
  seed: number | string,
  events: readonly RecordFields[],
  after: Pick<EventRecord, "version" | "hash"> = { version: 0, hash: "" },
): readonly SealedRecord[] =>
  sealAll(
    events.map((fields, index) => recordOf(seed, after.version + 1 + index, fields)),
    after.hash,
  )

/** One append of a stream. */
export const appendOf = (seed: number | string, events: readonly RecordFields[], after?: Pick<EventRecord, "version" | "hash">): Append => {
  const records = sealedOf(seed, events, after)
  return { stream: records[0]?.record.stream ?? streamFor(seed), records }
}

/** What the next append of a stream follows. */
export const headOf = (append: Append): Pick<EventRecord, "version" | "hash"> => append.records.at(-1)?.record ?? { version: 0, hash: "" }

/** The life of a market order that is filled: event types with the flat fields that change. */
export const LIFE: readonly RecordFields[] = [
  { type: "SignalReceived", state: "received" },
  { type: "SignalValidated", state: "validated" },
  { type: "OrderSized", state: "sized" },
  { type: "EntryIntended", state: "placed" },
  { type: "EntryAccepted", state: "placed", binance_order_id: "4711" },
  { type: "EntryFilled", state: "placed", binance_order_id: "4711", status: "filled", fill_price: 67_000.1, open_quantity: "0.015" },
  { type: "OrderCompleted", state: "filled", binance_order_id: "4711", status: "filled", fill_price: 67_000.1, settled: true, done: true },
]
