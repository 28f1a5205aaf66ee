/**
 * For test files: servers that start before the suite and stop after it.
 *
 *     const mongo = await requireMongo()
 *     describe.skipIf(mongo === undefined)("…", () => { … mongo!.url … })
 *
 * The rule for MongoDB: where none can be had its suites are skipped, loudly; with `CI=true` that is a failure.
 */
import { afterAll } from "vitest"
import { type MongoServer, type StartedMongo, startMongoServer } from "./mongoServer.ts"
import { type NatsServer, type NatsServerOptions, startNatsServer } from "./natsServer.ts"

export { freshDatabase } from "./mongoServer.ts"

/** At the top of a test file. Stops by itself after the file. `own`: one that the test may kill, also where MONGODB_URL is set. */
export function requireMongo(options: { readonly own: true }): Promise<StartedMongo | undefined>
export function requireMongo(options?: { readonly own?: boolean }): Promise<MongoServer | undefined>
export async function requireMongo(options: { readonly own?: boolean } = {}): Promise<MongoServer | undefined> {
  const server = await startMongoServer(options)
  if ("skipped" in server) {
    if (isCi()) throw new Error(`CI=true, and ${server.skipped}`)
    process.stderr.write(`\n!!! SKIPPED: a MongoDB suite does not run: ${server.skipped}\n\n`)
    return undefined
  }
  afterAll(() => server.stop())
  return server
}

/** At the top of a test file. Stops by itself after the file. NATS can be had nearly everywhere: without one the suite fails. */
export const requireNats = async (options: NatsServerOptions = {}): Promise<NatsServer> => {
  const server = await startNatsServer(options)
  afterAll(() => server.stop())
  return server
}

/** `CI` as CI services set it: "true" or "1". */
export const isCi = (): boolean => process.env.CI === "true" || process.env.CI === "1"
