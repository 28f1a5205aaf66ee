/** The thread in which an embedded store writes: the process goes on deciding while the disk is being flushed. See writer.ts. */
import { DatabaseSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"
import { Appender } from "./appender.ts"
import { Checkpoints } from "./checkpoints.ts"
import { prepareWriter } from "./schema.ts"
import { type Asked, type Answered, unpack } from "./writerMessages.ts"

const port = parentPort
if (port === null) throw new Error("this file is started as a thread of the embedded event store")

const { file } = workerData as { readonly file: string }
const db = new DatabaseSync(file)
prepareWriter(db)
const appender = new Appender(db)
const checkpoints = new Checkpoints(db, file)
const answer = (answered: Answered): void => port.postMessage(answered)

port.on("message", (asked: Asked) => {
  switch (asked.ask) {
    case "append":
      answer({ id: asked.id, results: appender.append(unpack(asked.packed)) })
      checkpoints.afterCommit()
      return
    case "setMeta":
      answer({ id: asked.id, results: [appender.setMeta(asked.key, asked.value)] })
      return
    case "saveSnapshots":
      answer({ id: asked.id, results: [appender.saveSnapshots(asked.form, asked.snapshots)] })
      return
    case "forgetRows":
      appender.forgetRows()
      answer({ id: asked.id, results: [] })
      return
    case "setMaxPages":
      appender.setMaxPages(asked.pages)
      answer({ id: asked.id, results: [] })
      return
    case "close":
      void checkpoints.close().then(() => {
        db.close()
        answer({ id: asked.id, results: [] })
        port.close()
      })
  }
})
