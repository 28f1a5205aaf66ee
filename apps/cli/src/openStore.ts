/**
 * The event store, for reading: the one that the engine with this environment would use. A running engine is not in the
 * way, and need not run. SQLite is opened read-only; nothing here writes.
 */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { MONGODB_URL_DEFAULT } from "@petrosa/contracts"
import type { EventStore, OrderRow } from "@petrosa/event-store"
import { MongoEventStore, SqliteEventStore, StoreUnavailable } from "@petrosa/event-store"
import { CliError, NO } from "./exits.ts"
import type { CliSettings } from "./settings.ts"
import { safe, withoutCredentials } from "./text.ts"

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

const MONGO_ATTEMPTS = 2

/** The engine waits for its MongoDB for ever; a person at a terminal wants to know why. */
const openMongo = async ({ mongodbUrl: url = MONGODB_URL_DEFAULT, mongodbDatabase: database }: CliSettings): Promise<EventStore> => {
  const stop = new AbortController()
  let problem = "no answer"
  try {
    return await MongoEventStore.open({
      url,
      database,
      readOnly: true,
      signal: stop.signal,
      onWaiting: (reason, attempt) => {
        problem = reason
        if (attempt >= MONGO_ATTEMPTS) stop.abort()
      },
    })
  } catch (error) {
    if (stop.signal.aborted)
      throw new CliError(`MongoDB at ${withoutCredentials(url)} cannot be reached: ${problem}. MONGODB_URL names another one.`)
    if (error instanceof StoreUnavailable) throw new CliError(`The event store cannot be read: ${error.message}.`)
    if (error instanceof TypeError) throw new CliError("MONGODB_URL is no address of a MongoDB.")
    throw error
  }
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
