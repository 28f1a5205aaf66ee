/**
 * The thread that carries the write-ahead log into the file. See checkpoints.ts.
 *
 * Between its turns, once after the start, it reads the index of stream names from end to end, so that it lies in the system's
 * memory: names are hashes, so each new order looks at a page of it that nobody has touched since. With a million past orders the
 * writer waited for the disk some sixty times a batch (a tenth of the throughput on a fast disk, more on one behind a network).
 */
import { DatabaseSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"

const port = parentPort
if (port === null) throw new Error("this file is started as a thread of the embedded event store")

/** A step: a millisecond, and some tens when all of it lies on the disk. */
const NAMES_AT_ONCE = 2000

const db = new DatabaseSync((workerData as { readonly file: string }).file)
// As the writer's: the log is on the disk before the file is changed, the file before the log begins anew.
db.exec("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0; PRAGMA cache_size = -100")
const nextNames = db.prepare(`SELECT max(name) AS last FROM (SELECT name FROM streams WHERE name > ? ORDER BY name LIMIT ${NAMES_AT_ONCE})`)

let isOver = false

const readNames = (after: string): void => {
  if (isOver) return
  let last: unknown
  try {
    last = nextNames.get(after)?.last
  } catch {
    // The writer reads what it needs, and says what is wrong with the disk.
    return
  }
  if (typeof last === "string") setImmediate(readNames, last)
}

port.on("message", (asked: "carry" | "close") => {
  if (asked === "close") {
    isOver = true
    db.close()
    port.close()
    return
  }
  try {
    db.exec("PRAGMA wal_checkpoint(PASSIVE)")
  } catch {
    // What could not be carried stays in the log, where it is durable; the next commit says what is wrong with the disk.
  }
  port.postMessage("carried")
})
setImmediate(readNames, "")
