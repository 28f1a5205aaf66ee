/**
 * The NATS server that `npm start` uses: `NATS_URL` if it is set; else one that runs on 127.0.0.1:4222 already; else one
 * started here, on loopback, with JetStream, its files under `./data/nats`, every write synced to the disk.
 *
 * Promise: a server that was started here ends when this process ends (asked first, so that it closes its files; killed
 * after 5 s), also after `kill -9`. Two processes that start at once do not share a folder: the second one finds the
 * first one's server. What can go wrong, each with a clear word: the port is held by something that is not NATS, or by a
 * NATS without JetStream; no `nats-server` can be had.
 */
import { randomUUID } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type FileLock, tryLock } from "./fileLock.ts"
import { type NatsProbe, probeNats } from "./natsInfo.ts"
import { startNatsServer } from "./natsServer.ts"
import { say } from "./say.ts"

export interface EnsureNatsOptions {
  /** The value of `NATS_URL`; default: from the environment. Empty counts as absent. */
  readonly natsUrl?: string
  /** Default 4222. */
  readonly port?: number
  /** Default `./data/nats` under the working folder. */
  readonly dataDir?: string
}

export interface EnsuredNats {
  readonly url: string
  /** `configured`: from NATS_URL. `running`: it was there. `started`: by us. */
  readonly source: "configured" | "running" | "started"
  /** Stops what was started here, and nothing else. */
  readonly stop: () => Promise<void>
}

/** Written beside the data: who started the server, so that the server of a process that died is not taken for a lasting one. */
interface Owner {
  readonly serverName: string
  readonly ownerPid: number
  readonly serverPid: number
}

const DEFAULT_PORT = 4222
/** A guard kills the server of a dead process within 5 s. */
const ORPHAN_TIMEOUT_MS = 7_000
const START_TIMEOUT_MS = 20_000
const POLL_MS = 50
const nothing = async (): Promise<void> => undefined

/** Rejects with advice where no server can be had. */
export const ensureNats = async (options: EnsureNatsOptions = {}): Promise<EnsuredNats> => {
  const configured = (options.natsUrl ?? process.env.NATS_URL ?? "").trim()
  if (configured !== "") return { url: configured, source: "configured", stop: nothing }
  const port = options.port ?? DEFAULT_PORT
  const dataDir = resolve(options.dataDir ?? join("data", "nats"))
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const running = await lastingServer(port, dataDir)
    if (running !== undefined) return running
    mkdirSync(dataDir, { recursive: true })
    // Two servers on one folder would spoil each other's files, and nats-server does not look.
    const lock = tryLock(join(dataDir, "lock"))
    if (lock !== undefined) {
      try {
        return await startOwn(port, dataDir, lock)
      } catch (error) {
        lock.release()
        throw error
      }
    }
    if (Date.now() > deadline)
      throw new Error(`another process holds ${dataDir} and its nats-server does not answer on port ${port}: is it on another port?`)
    await sleep(POLL_MS)
  }
}

/** A server on the port that is there to stay; undefined when the port is free (after waiting for a dying one to go). */
const lastingServer = async (port: number, dataDir: string): Promise<EnsuredNats | undefined> => {
  const began = Date.now()
  for (;;) {
    const probe = await probeNats(port)
    const waitedMs = Date.now() - began
    if (isDying(dataDir, probe) && waitedMs < ORPHAN_TIMEOUT_MS) {
      await sleep(POLL_MS)
      continue
    }
    switch (probe._tag) {
      case "Nobody":
        return undefined
      case "Other":
        throw new Error(
          `port ${port} on 127.0.0.1 is held by something that is not a NATS server: set NATS_URL to the server to use, or free the port`,
        )
      case "Nats":
        if (!probe.info.jetstream)
          throw new Error(
            `the NATS server on 127.0.0.1:${port} runs without JetStream: start it with --jetstream, or set NATS_URL to another one`,
          )
        return { url: `nats://127.0.0.1:${port}`, source: "running", stop: nothing }
    }
  }
}

const startOwn = async (port: number, dataDir: string, lock: FileLock): Promise<EnsuredNats> => {
  const serverName = `petrosa-${randomUUID()}`
  const server = await startNatsServer({ port, dir: dataDir, serverName, syncAlways: true, orphanFate: "terminate" })
  writeOwner(dataDir, { serverName, ownerPid: process.pid, serverPid: server.pid })
  say(`started nats-server with JetStream on ${server.url}, data in ${dataDir}`)
  return {
    url: server.url,
    source: "started",
    stop: async () => {
      await server.stop()
      rmSync(ownerFile(dataDir), { force: true })
      lock.release()
    },
  }
}

const ownerFile = (dataDir: string): string => join(dataDir, "owner.json")

const writeOwner = (dataDir: string, owner: Owner): void => {
  const file = ownerFile(dataDir)
  writeFileSync(`${file}.new`, `${JSON.stringify(owner)}\n`)
  renameSync(`${file}.new`, file)
}

/**
 * The server of this folder was started by a process that is gone, and its guard is ending it. One that still answers is
 * known by its name; one that has closed its port already, but may still write its files, by its pid. (That pid may be
 * somebody else's by now: the caller waits for a bounded time only, then goes on.)
 */
const isDying = (dataDir: string, probe: NatsProbe): boolean => {
  const owner = readOwner(dataDir)
  if (owner === undefined || isAlive(owner.ownerPid)) return false
  return probe._tag === "Nats" ? probe.info.serverName === owner.serverName : isAlive(owner.serverPid)
}

const readOwner = (dataDir: string): Owner | undefined => {
  try {
    return JSON.parse(readFileSync(ownerFile(dataDir), "utf8")) as Owner
  } catch {
    return undefined
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}
