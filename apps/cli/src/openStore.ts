/**
 * The event store, for reading: the one that the engine with this environment would use. A running engine is not in the
 * way, and need not run. SQLite is opened read-only; nothing here writes.
 */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import type { EventStore, OrderRow } from "@petrosa/event-store"
import { SqliteEventStore, StoreUnavailable } from "@petrosa/event-store"
import { CliError, NO } from "./exits.ts"
import type { CliSettings } from "./settings.ts"
import { safe } from "./text.ts"

export const openStore = async (settings: CliSettings): Promise<EventStore> => {
  if (settings.store === "mongodb") return openMongo(settings)
  const file = resolve(settings.sqliteFile)
  if (!existsSync(file)) {
    throw new CliError(
      `There is no event store at ${file} yet. The engine makes it when it starts (npm start). ` +
        `SQLITE_FILE names another file; AUDIT_STORE=mongodb with MONGODB_URL reads a MongoDB.`,
    )
  }
  try {
    return SqliteEventStore.open({ file, readOnly: true })
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new CliError(`The event store cannot be read: ${error.message}.`)
    throw error
  }
}

const openMongo = async (_settings: CliSettings): Promise<EventStore> => {
  throw new CliError("MongoDB cannot be read yet.")
}

/** Runs `use` with the store and closes it, also when it fails. A store that goes away is told, without a stack. */
export const withStore = async <A>(settings: CliSettings, use: (store: EventStore) => Promise<A>): Promise<A> => {
  const store = await openStore(settings)
  try {
    return await use(store)
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new CliError(`The event store cannot be read: ${error.message}.`)
    throw error
  } finally {
    await store.close()
  }
}

/** By our order id, the signal's id or the venue's order id. */
export const findOrder = async (store: EventStore, id: string): Promise<OrderRow> => {
  const row = await store.findOrder(id)
  if (row === undefined)
    throw new CliError(`No order ${safe(id)} is known: neither by our id, nor by the signal's, nor by the venue's.`, NO)
  return row
}
