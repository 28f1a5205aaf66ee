/**
 * What the embedded store's file says of every message, read with SQL of our own: its projections and its reader are not asked.
 * A piece at a time, so that hundreds of thousands of orders need no memory.
 */
import { createHash } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
import { setImmediate as nextTurn } from "node:timers/promises"
import type { FoundOrder, FoundRejection } from "./judge.ts"

export type Found = ({ readonly _tag: "Order" } & FoundOrder) | ({ readonly _tag: "Rejection" } & FoundRejection)

const STREAMS_PER_READ = 500
const READ = `
SELECT s.no, s.name,
  (SELECT e.text FROM events e WHERE e.stream = s.no ORDER BY e.version LIMIT 1) AS first,
  (SELECT e.text FROM events e WHERE e.stream = s.no ORDER BY e.version DESC LIMIT 1) AS last
FROM streams s WHERE s.no > ? AND (s.name LIKE 'order/%' OR s.name LIKE 'rejected/%') ORDER BY s.no LIMIT ?`

interface Row {
  readonly no: number
  readonly name: string
  readonly first: string | null
  readonly last: string | null
}
interface First {
  readonly type: string
  readonly data: { readonly raw?: string; readonly sha256?: string; readonly code?: string }
}
type Last = Pick<FoundOrder, "state" | "reason" | "settled" | "parked">

export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

const foundOf = ({ name, first: firstText, last: lastText }: Row): Found => {
  if (firstText === null || lastText === null) throw new Error(`the stream ${name} has no events`)
  const first = JSON.parse(firstText) as First
  if (first.type === "MessageRejected")
    return { _tag: "Rejection", stream: name, sha256: first.data.sha256 ?? "", code: first.data.code ?? "" }
  const { state, reason, settled, parked } = JSON.parse(lastText) as Last
  // A stream that does not begin with its signal has no message: the judge says that nobody asked for it.
  return { _tag: "Order", stream: name, sha256: sha256(first.data.raw ?? ""), state, reason, settled, parked }
}

/** Every stream of an order and of a rejected message, in batches, oldest first. */
export const readStoreFile = async function* (file: string): AsyncGenerator<readonly Found[]> {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  try {
    const read = db.prepare(READ)
    for (let after = 0; ; ) {
      const rows = read.all(after, STREAMS_PER_READ) as unknown as readonly Row[]
      const last = rows.at(-1)
      if (last === undefined) return
      yield rows.map(foundOf)
      after = last.no
      await nextTurn()
    }
  } finally {
    db.close()
  }
}
