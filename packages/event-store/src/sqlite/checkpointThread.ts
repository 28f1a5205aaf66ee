/** The thread that carries the write-ahead log into the file. See checkpoints.ts. */
import { DatabaseSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"

const port = parentPort
if (port === null) throw new Error("this file is started as a thread of the embedded event store")

const db = new DatabaseSync((workerData as { readonly file: string }).file)
// As the writer's: the log is on the disk before the file is changed, the file before the log begins anew.
db.exec("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0; PRAGMA cache_size = -100")

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
