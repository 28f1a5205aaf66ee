/** Reads snapshots and what came after them. */
import type { StatementSync } from "node:sqlite"
import type { EventEnvelope } from "@petrosa/contracts"
import type { SnapshotRead } from "../eventStore.ts"
import { envelopeFromText } from "../hashChain.ts"
import { type ReadEvent, readLater, type Upcasters } from "../upcasters.ts"

const OF_STREAMS = `json_each(?) j CROSS JOIN streams s ON s.name = j.value CROSS JOIN snapshots p ON p.stream = s.no AND p.form = ?`
const SNAPSHOTS = `SELECT j.key, p.version, p.hash, p.text FROM ${OF_STREAMS}`
/** From the event that the snapshot names, of which only the hash is wanted. */
const EVENTS = `SELECT j.key, e.version, e.hash, CASE WHEN e.version > p.version THEN e.text END
  FROM ${OF_STREAMS} CROSS JOIN events e ON e.stream = s.no AND e.version >= p.version ORDER BY j.key, e.version`

type Row = readonly [at: number, version: number, hash: string, text: string | null]

const eventsOf = (after: string, rows: readonly Row[]): readonly ReadEvent<EventEnvelope>[] =>
  rows.map(([, version, hash, text], i) => ({
    version,
    hash,
    record: text === null ? undefined : envelopeFromText(text, hash, rows[i - 1]?.[2] ?? after),
  }))

/** Two queries, whatever the number of streams. Throws what SQLite throws. */
export const readSnapshots = (
  prepare: (sql: string) => StatementSync,
  upcasters: Upcasters,
  form: string,
  streams: readonly string[],
): ReadonlyMap<string, SnapshotRead> => {
  const all = (sql: string): readonly Row[] => {
    const statement = prepare(sql)
    statement.setReturnArrays(true)
    return statement.all(JSON.stringify(streams), form) as unknown as readonly Row[]
  }
  const events = Map.groupBy(all(EVENTS), ([at]) => at)
  const found = new Map<string, SnapshotRead>()
  for (const [at, version, hash, text] of all(SNAPSHOTS)) {
    const [named, ...later] = events.get(at) ?? []
    if (named?.[1] !== version || named[2] !== hash || text === null) continue
    const stream = streams[at] as string
    const read = readLater(upcasters, { stream, version, hash }, eventsOf(hash, later))
    if (read._tag === "Readable") found.set(stream, { snapshot: { stream, version, hash, text }, later: read.events })
  }
  return found
}
