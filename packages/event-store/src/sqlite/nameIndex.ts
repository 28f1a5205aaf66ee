/** Reads the index of stream names from end to end, a step at a time: what was read lies in the system's memory. */
import type { DatabaseSync } from "node:sqlite"

/** A step: a millisecond, and some tens when all of it lies on the disk. */
const NAMES_AT_ONCE = 2000

export const NEXT_NAMES = `SELECT max(name) AS last FROM (SELECT name FROM streams WHERE name > ? ORDER BY name LIMIT ${NAMES_AT_ONCE})`

/** A step: behind which name it is given, and up to which it came; `undefined` at the end. Throws what SQLite throws. */
export const nameIndex = (db: DatabaseSync): ((after: string) => string | undefined) => {
  const next = db.prepare(NEXT_NAMES)
  return (after) => {
    const last = next.get(after)?.last
    return typeof last === "string" ? last : undefined
  }
}
