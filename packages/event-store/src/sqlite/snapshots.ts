/** Reads snapshots and what came after them. */
import type { StatementSync } from "node:sqlite"
import type { EventEnvelope } from "@petrosa/contracts"
import type { SnapshotRead } from "../eventStore.ts"
import { envelopeFromText } from "../hashChain.ts"
import { type ReadEvent, readLater, type Upcasters } from "../upcasters.ts"

/** From the event that the snapshot names, in whose place stands the snapshot itself, with the hash that it names. */
const FROM_SNAPSHOTS = `SELECT j.key, e.version, e.hash,
    CASE WHEN e.version = p.version THEN p.text ELSE e.text END, CASE WHEN e.version = p.version THEN p.hash END
  FROM json_each(?) j CROSS JOIN streams s ON s.name = j.value CROSS JOIN snapshots p ON p.stream = s.no AND p.form = ?
    CROSS JOIN events e ON e.stream = s.no AND e.version >= p.version
  ORDER BY j.key, e.version`

type Row = readonly [at: number, version: number, hash: string, text: string, named: string | null]

const eventsOf = (after: string, rows: readonly Row[]): readonly ReadEvent<EventEnvelope>[] =>
  rows.map(([, version, hash, text], i) => ({ version, hash, record: envelopeFromText(text, hash, rows[i - 1]?.[2] ?? after) }))

/** One query, whatever the number of streams. Throws what SQLite throws. */
export const readSnapshots = (
  prepare: (sql: string) => StatementSync,
  upcasters: Upcasters,
  form: string,
  streams: readonly string[],
): ReadonlyMap<string, SnapshotRead> => {
  const statement = prepare(FROM_SNAPSHOTS)
  statement.setReturnArrays(true)
  const rows = statement.all(JSON.stringify(streams), form) as unknown as readonly Row[]
  const found = new Map<string, SnapshotRead>()
  for (let from = 0; from < rows.length; ) {
    const [at, version, hash, text, named] = rows[from] as Row
    let to = from + 1
    while (rows[to]?.[0] === at) to += 1
    const later = to === from + 1 ? [] : rows.slice(from + 1, to)
    from = to
    if (named !== hash) continue
    const stream = streams[at] as string
    const read = readLater(upcasters, { stream, version, hash }, eventsOf(hash, later))
    if (read._tag === "Readable") found.set(stream, { snapshot: { stream, version, hash, text }, later: read.events })
  }
  return found
}
