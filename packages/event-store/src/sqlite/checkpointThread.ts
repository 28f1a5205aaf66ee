/**
 * The thread that carries the write-ahead log into the file. See checkpoints.ts.
 *
 * Between its turns, once after the start, it reads the index of stream names from end to end, so that it lies in the system's
 * memory: names are hashes, so each new order looks at a page of it that nobody has touched since. With a million past orders the
 * writer waited for the disk some sixty times a batch (a tenth of the throughput on a fast disk, more on one behind a network).
 */
import { DatabaseSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"
import { nameIndex } from "./nameIndex.ts"

const port = parentPort
if (port === null) throw new Error("this file is started as a thread of the embedded event store")

const db = new DatabaseSync((workerData as { readonly file: string }).file)
// As the writer's: the log is on the disk before the file is changed, the file before the log begins anew.
db.exec("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0; PRAGMA cache_size = -100")
const next = nameIndex(db)

const readNames = (after: string): void => {
  try {
    const last = next(after)
    if (last !== undefined) setImmediate(readNames, last)
  } catch {
    // Closed meanwhile; or the writer reads what it needs, and says what is wrong with the disk.
  }
}

port.on("message", (asked: "carry" | "close") => {
  if (asked === "close") {
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
