/**
 * Old events, read as today's (design.md section 7).
 *
 * An upcaster takes the `data` of one event type from schema N to N + 1. They are applied one after the other when a
 * stream is read; what is stored never changes, and the record keeps the hash of what is stored.
 *
 * Promises: {@link readStream} never throws and never guesses: an event type or schema that this version does not know,
 * a gap, or a text that is no event makes the stream `Unreadable` from there on. (Rolling updates run two versions of
 * the engine on one store, so a newer schema is an ordinary thing to meet.)
 */
import { EVENT_SCHEMA, type EventEnvelope, type EventRecord, ORDER_STREAM_PREFIX } from "@petrosa/contracts"
import type { HistoryRead, StreamHead, StreamRead, UnreadableStream } from "./eventStore.ts"

export type EventPayload = Readonly<Record<string, unknown>>
export type Upcaster = (data: EventPayload, record: EventEnvelope) => EventPayload

export interface Upcasters {
  /** Today's schema of each event type that may stand in an order's stream. Other streams are read as they are. */
  readonly schemas: Readonly<Record<string, number>>
  /** By event type: index 0 takes schema 1 to 2, index 1 takes 2 to 3 … */
  readonly steps: Readonly<Record<string, readonly Upcaster[]>>
}

/**
 * Checks at start that there is a way from every old schema to today's.
 * @throws RangeError when a step is missing or left over.
 */
export const makeUpcasters = (schemas: Readonly<Record<string, number>>, steps: Upcasters["steps"]): Upcasters => {
  for (const [type, schema] of Object.entries(schemas)) {
    const found = steps[type]?.length ?? 0
    if (found !== schema - 1) throw new RangeError(`${type} has schema ${schema} and ${found} upcasters instead of ${schema - 1}`)
  }
  for (const type of Object.keys(steps))
    if (!Object.hasOwn(schemas, type)) throw new RangeError(`upcasters of an unknown event type ${type}`)
  return { schemas, steps }
}

/** What this version of the engine reads. A change of an event type adds its step here, and its fixture to the tests. */
export const UPCASTERS: Upcasters = makeUpcasters(EVENT_SCHEMA, {})

type Upcast<R> = { readonly record: R } | { readonly what: "unknownType" | "newerSchema" | "notAnEvent"; readonly detail: string }

const upcast = <R extends EventEnvelope>(upcasters: Upcasters, record: R): Upcast<R> => {
  if (!Object.hasOwn(upcasters.schemas, record.type)) return { what: "unknownType", detail: `event type ${record.type}` }
  const today = upcasters.schemas[record.type] as number
  if (record.schema === today) return { record }
  if (record.schema > today) return { what: "newerSchema", detail: `${record.type} has schema ${record.schema}, known is ${today}` }
  if (!Number.isInteger(record.schema) || record.schema < 1)
    return { what: "notAnEvent", detail: `${record.type} has schema ${record.schema}` }
  try {
    let data = record.data
    for (const step of (upcasters.steps[record.type] ?? []).slice(record.schema - 1)) data = step(data, record)
    return { record: { ...record, schema: today, data } }
  } catch (error) {
    return { what: "notAnEvent", detail: `${record.type} of schema ${record.schema} cannot be upcast: ${String(error)}` }
  }
}

/** One stored event on its way to a reader: `record` is absent when its text is no event. */
export interface ReadEvent<R extends EventEnvelope = EventRecord> {
  readonly version: number
  readonly hash: string
  readonly record: R | undefined
}

/** Reads one stream: `stored` are all its events in order of version, at least one. */
export const readStream = (upcasters: Upcasters, stream: string, stored: readonly ReadEvent[]): StreamRead =>
  read(upcasters, stream, stored)

/** The same, of events of which only the last is whole. */
export const readHistory = (
  upcasters: Upcasters,
  stream: string,
  earlier: readonly ReadEvent<EventEnvelope>[],
  last: ReadEvent,
): HistoryRead => {
  const found = read(upcasters, stream, [...earlier, last])
  return found._tag === "Unreadable" ? found : { ...found, last: found.events.at(-1) as EventRecord }
}

/** What comes after an event of which only version and hash are known. */
export const readLater = (
  upcasters: Upcasters,
  after: StreamHead,
  stored: readonly ReadEvent<EventEnvelope>[],
): ReturnType<typeof read<EventEnvelope>> => read(upcasters, after.stream, stored, after)

const read = <R extends EventEnvelope>(
  upcasters: Upcasters,
  stream: string,
  stored: readonly ReadEvent<R>[],
  after: Pick<StreamHead, "version" | "hash"> = { version: 0, hash: "" },
): { readonly _tag: "Readable"; readonly events: readonly R[] } | UnreadableStream<R> => {
  const events: R[] = []
  const last = stored.at(-1)
  const head: StreamHead = { stream, version: last?.version ?? 0, hash: last?.hash ?? "" }
  const unreadable = (version: number, what: UnreadableStream["what"], detail: string): UnreadableStream<R> => ({
    _tag: "Unreadable",
    stream,
    version,
    what,
    detail,
    events,
    head,
  })
  const checked = stream.startsWith(ORDER_STREAM_PREFIX)
  for (const { version, record } of stored) {
    const expected = after.version + events.length + 1
    if (version !== expected) return unreadable(expected, "missing", `after version ${expected - 1} comes ${version}`)
    if (record === undefined || record.stream !== stream || record.version !== version) {
      return unreadable(version, "notAnEvent", "what is stored is not this event")
    }
    if (record.prev !== (stored[events.length - 1]?.hash ?? after.hash)) {
      return unreadable(version, "notAnEvent", "it does not follow the event before it")
    }
    const result: Upcast<R> = checked ? upcast(upcasters, record) : { record }
    if (!("record" in result)) return unreadable(version, result.what, result.detail)
    events.push(result.record)
  }
  return { _tag: "Readable", events }
}
