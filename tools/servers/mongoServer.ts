/**
 * A server that speaks MongoDB's protocol, for tests: `MONGODB_URL` if it is set; else `mongod` from PATH; else
 * `tools/mongo-wire`, the project's own small program around FerretDB's embeddable package, built with Go.
 *
 * mongo-wire gives MongoDB's answers for what this project uses (duplicates, ordered and unordered bulk writes, write
 * concerns), but scans for every read, and knows no transactions and no change streams: keep histories short on it.
 * Promise: what was started here is gone when this process is gone (see childServer.ts).
 */
import { createHash, randomUUID } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildOnce, onPath } from "./cache.ts"
import { type ChildServer, removeAtExit, removeNow, startChildServer } from "./childServer.ts"
import { accepts, freePort } from "./ports.ts"
import { run } from "./run.ts"
import { say } from "./say.ts"

export interface MongoServerOptions {
  /** Holds the log and the data. Kept after `stop`. Default: a temporary folder, removed by `stop`. */
  readonly dir?: string
  /** Default: a free one. */
  readonly port?: number
  /** Start a server even where `MONGODB_URL` names one: for tests that kill it. */
  readonly own?: boolean
}

interface MongoBase {
  readonly url: string
  /** Stops what was started here; nothing for a server that was given by `MONGODB_URL`. */
  readonly stop: () => Promise<void>
}

/** A server of our own: it can be killed and started again. */
export interface StartedMongo extends MongoBase {
  readonly kind: "mongod" | "mongo-wire"
  readonly port: number
  readonly dir: string
  /** Of the process that runs now; it changes with `restart`. */
  readonly pid: number
  /** SIGKILL, as a crash; resolves when the process is gone. The folder stays, for `restart`. */
  readonly kill: () => Promise<void>
  /** On the same port and folder; stops first. */
  readonly restart: () => Promise<void>
}

/** The server of `MONGODB_URL`: others may use it, so it is never killed; use a database of your own (`freshDatabase`). */
export interface GivenMongo extends MongoBase {
  readonly kind: "given"
}

export type MongoServer = StartedMongo | GivenMongo

/** No server can be had here, and why. */
export interface MongoSkipped {
  readonly skipped: string
}

export const MONGO_ADVICE =
  "no MongoDB can be had: set MONGODB_URL, or install mongod on PATH, or install Go (1.21 or newer), with which tools/mongo-wire is built"

const PORT_ATTEMPTS = 5
const BUILD_TIMEOUT_MS = 15 * 60_000
const SOURCES = ["go.mod", "go.sum", "main.go"] as const

/** A name for a database that no other test uses. */
export const freshDatabase = (prefix = "petrosa_test"): string => `${prefix}_${randomUUID().replaceAll("-", "").slice(0, 16)}`

export function startMongoServer(options: MongoServerOptions & { readonly own: true }): Promise<StartedMongo | MongoSkipped>
export function startMongoServer(options?: MongoServerOptions): Promise<MongoServer | MongoSkipped>
export async function startMongoServer(options: MongoServerOptions = {}): Promise<MongoServer | MongoSkipped> {
  const given = process.env.MONGODB_URL
  if (given !== undefined && given !== "" && options.own !== true) return { url: given, kind: "given", stop: async () => undefined }
  const program = await findMongo()
  if ("skipped" in program) return program
  const temporary = options.dir === undefined
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "petrosa-mongo-"))
  if (temporary) removeAtExit(dir)
  mkdirSync(join(dir, "db"), { recursive: true })
  let failure: unknown
  for (let attempt = 0; attempt < (options.port === undefined ? PORT_ATTEMPTS : 1); attempt++) {
    try {
      return await startOn(program, dir, options.port ?? (await freePort()), temporary)
    } catch (error) {
      failure = error
    }
  }
  if (temporary) removeNow(dir)
  throw failure
}

export interface MongoProgram {
  readonly kind: "mongod" | "mongo-wire"
  readonly binary: string
}

let found: Promise<MongoProgram | MongoSkipped> | undefined

/** The program that would be started; builds mongo-wire if it must. Asked once per process. */
export const findMongo = (): Promise<MongoProgram | MongoSkipped> => {
  found ??= find()
  return found
}

const find = async (): Promise<MongoProgram | MongoSkipped> => {
  const mongod = onPath("mongod")
  if (mongod !== undefined) return { kind: "mongod", binary: mongod }
  const go = onPath("go")
  if (go === undefined) return { skipped: MONGO_ADVICE }
  try {
    return { kind: "mongo-wire", binary: await mongoWire(go) }
  } catch (error) {
    return { skipped: `${MONGO_ADVICE}; building tools/mongo-wire failed: ${error instanceof Error ? error.message : String(error)}` }
  }
}

const mongoWire = async (go: string): Promise<string> => {
  const sources = fileURLToPath(new URL("../mongo-wire", import.meta.url))
  const hash = createHash("sha256")
  for (const file of SOURCES) hash.update(`${file}\0`).update(readFileSync(join(sources, file)))
  return buildOnce(`mongo-wire-${hash.digest("hex").slice(0, 16)}`, async (folder) => {
    say("building mongo-wire, a MongoDB for tests, from Go modules (once, one to three minutes)")
    const binary = join(folder, "mongo-wire")
    await run(go, ["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-o", binary, "."], {
      cwd: sources,
      env: { CGO_ENABLED: "0" },
      timeoutMs: BUILD_TIMEOUT_MS,
    })
    return binary
  })
}

const startOn = async (program: MongoProgram, dir: string, port: number, temporary: boolean): Promise<StartedMongo> => {
  const start = (): Promise<ChildServer> =>
    startChildServer({
      name: program.kind,
      binary: program.binary,
      args: ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", join(dir, "db")],
      logFile: join(dir, "mongo.log"),
      ready: () => accepts(port),
      ...(temporary ? { removeWithParent: dir } : {}),
    })
  let child = await start()
  return {
    url: `mongodb://127.0.0.1:${port}/`,
    kind: program.kind,
    port,
    dir,
    get pid() {
      return child.pid
    },
    stop: async () => {
      await child.stop()
      if (temporary) removeNow(dir)
    },
    kill: () => child.kill(),
    restart: async () => {
      await child.stop()
      child = await start()
    },
  }
}
