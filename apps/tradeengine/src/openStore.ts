/** Opens the event store that the settings name. A MongoDB that is away is waited for, loudly, and never replaced by SQLite. */
import type { Settings } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import { MongoEventStore, SqliteEventStore, StoreInUse } from "@petrosa/event-store"
import type { Logger } from "pino"
import { StartRefused } from "./refused.ts"

export const openStore = async (settings: Settings, log: Logger, signal: AbortSignal | undefined): Promise<EventStore> => {
  if (settings.auditStore === "sqlite") {
    try {
      return SqliteEventStore.open({ file: settings.sqliteFile, thread: true })
    } catch (error) {
      if (error instanceof StoreInUse)
        throw new StartRefused(`${error.message} Another engine works on this store: stop it, or give this one its own SQLITE_FILE.`)
      throw error
    }
  }
  return MongoEventStore.open({
    url: settings.mongodbUrl ?? "mongodb://localhost:27017",
    database: settings.mongodbDatabase,
    ...(signal === undefined ? {} : { signal }),
    onWaiting: (reason, attempt) => {
      if (attempt === 1 || attempt % 10 === 0) log.warn({ reason, attempt }, "MongoDB cannot be reached; waiting for it")
    },
    onProjectionError: (error) => log.warn({ error: String(error) }, "the orders projection is behind; it is tried again"),
  })
}
