import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { SqliteEventStore } from "../src/index.ts"
import { eventStoreContract } from "../src/testing/index.ts"

for (const thread of [false, true])
  eventStoreContract(thread ? "sqlite, written in a thread" : "sqlite", async () => {
    const dir = mkdtempSync(join(tmpdir(), "petrosa-store-"))
    const file = join(dir, "store", "events.db")
    return {
      open: async (options) => SqliteEventStore.open({ file, thread, ...options }),
      sharedByWriters: false,
      dropProjection: async () => {
        const db = new DatabaseSync(file)
        db.exec("DROP TABLE orders")
        db.close()
      },
      dispose: async () => rmSync(dir, { recursive: true, force: true }),
    }
  })
