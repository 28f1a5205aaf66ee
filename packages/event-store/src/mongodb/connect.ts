/**
 * A connection to MongoDB that is waited for, loudly: a store that cannot be reached is never replaced by another one.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { type Collection, type Db, MongoClient } from "mongodb"
import type { EventDocument } from "./document.ts"

export const EVENTS = "trade_audit_log"
export const ORDERS = "orders"
export const META = "meta"

export interface MongoConnectOptions {
  readonly url: string
  readonly database: string
  /** Called before each wait: why, and how often it was tried. */
  readonly onWaiting?: ((reason: string, attempt: number) => void) | undefined
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
}

export interface MongoConnection {
  readonly client: MongoClient
  readonly events: Collection<EventDocument>
  readonly orders: Collection<Document & { readonly _id: string }>
  readonly meta: Collection<MetaDocument>
  /** FerretDB scans whatever index there is: there, none are made, and reads are shaped for it. */
  readonly scans: boolean
}

type Document = Readonly<Record<string, unknown>>

export interface MetaDocument {
  readonly _id: string
  readonly value?: string
  readonly at?: string
  readonly beatMs?: number
  readonly n?: number
}

const SELECT_MS = 2000
const RETRY_FIRST_MS = 250
const RETRY_LAST_MS = 5000

/** What a write is worth: it survives the loss of a minority of the replica set, and of the power. */
const DURABLE = { writeConcern: { w: "majority", journal: true }, readConcern: { level: "majority" }, readPreference: "primary" } as const

const collectionsOf = (client: MongoClient, db: Db, scans: boolean): MongoConnection => ({
  client,
  events: db.collection<EventDocument>(EVENTS, DURABLE),
  orders: db.collection<Document & { readonly _id: string }>(ORDERS, DURABLE),
  meta: db.collection<MetaDocument>(META, DURABLE),
  scans,
})

export const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))

/** What the driver refuses about the URL itself will not mend by waiting. */
const makeClient = (url: string): MongoClient => {
  try {
    return new MongoClient(url, {
      appName: "petrosa-tradeengine",
      serverSelectionTimeoutMS: SELECT_MS,
      connectTimeoutMS: SELECT_MS,
      retryWrites: true,
      ignoreUndefined: true,
      maxPoolSize: 8,
    })
  } catch (error) {
    throw new TypeError(`MONGODB_URL cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/**
 * Connects and runs `prepare` (which must be repeatable), again and again until both have worked.
 * @throws TypeError for a URL that is none; the signal's reason when it is aborted.
 */
export const connect = async <A>(
  options: MongoConnectOptions,
  prepare: (connection: MongoConnection) => Promise<A>,
  isFinal: (error: unknown) => boolean,
): Promise<A> => {
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted()
    const client = makeClient(options.url)
    try {
      await client.connect()
      const db = client.db(options.database)
      const build = await db.admin().command({ buildInfo: 1 })
      return await prepare(
        collectionsOf(
          client,
          db,
          Object.keys(build).some((key) => key.toLowerCase().startsWith("ferretdb")),
        ),
      )
    } catch (error) {
      await client.close().catch(() => undefined)
      if (isFinal(error)) throw error
      options.onWaiting?.(reasonOf(error), attempt)
      await sleep(
        Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(attempt - 1, 8)),
        undefined,
        options.signal ? { signal: options.signal } : {},
      )
    }
  }
}
