/**
 * A real NATS server with JetStream for a test: loopback, its own port, its own folder.
 *
 * Promise: it is gone when this process is gone (see childServer.ts), and its temporary folder with it.
 * What can go wrong: no `nats-server` can be had (the error says what to install); it does not start (the error holds its log).
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ChildServer, type OrphanFate, removeAtExit, removeNow, startChildServer } from "./childServer.ts"
import { findNatsServer, NATS_ADVICE } from "./natsBinary.ts"
import { probeNats } from "./natsInfo.ts"
import { freePort } from "./ports.ts"

export { findNatsServer } from "./natsBinary.ts"

export interface NatsServerOptions {
  /** Holds the configuration, the log and JetStream's files. Kept after `stop`. Default: a temporary folder, removed by `stop`. */
  readonly dir?: string
  /** Default: a free one. */
  readonly port?: number
  /** Lines added to the server's configuration file, e.g. `max_payload: 2MB`. */
  readonly config?: string
  /** Every write reaches the disk before it is acknowledged (as in production). Default false: tests are quicker without. */
  readonly syncAlways?: boolean
  /** How its INFO line names it. Default: `petrosa-test-<port>`. */
  readonly serverName?: string
  /** What becomes of it when this process dies. Default: killed at once. */
  readonly orphanFate?: OrphanFate
}

export interface NatsServer {
  readonly url: string
  readonly port: number
  readonly dir: string
  /** Of the process that runs now; it changes with `restart`. */
  readonly pid: number
  /** SIGTERM; resolves when the process is gone. A temporary folder is removed. */
  readonly stop: () => Promise<void>
  /** SIGKILL, as a crash; resolves when the process is gone. The folder stays, for `restart`. */
  readonly kill: () => Promise<void>
  /** On the same port and folder, after `kill` or in one go (stops first). Resolves when it answers. */
  readonly restart: () => Promise<void>
}

const PORT_ATTEMPTS = 5

/** Starts one and resolves when it answers with JetStream. */
export const startNatsServer = async (options: NatsServerOptions = {}): Promise<NatsServer> => {
  const binary = await findNatsServer()
  if (binary === undefined) throw new Error(NATS_ADVICE)
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "petrosa-nats-"))
  const temporary = options.dir === undefined
  if (temporary) removeAtExit(dir)
  mkdirSync(dir, { recursive: true })
  let failure: unknown
  for (let attempt = 0; attempt < (options.port === undefined ? PORT_ATTEMPTS : 1); attempt++) {
    const port = options.port ?? (await freePort())
    try {
      return await startOn(binary, dir, port, temporary, options)
    } catch (error) {
      failure = error
    }
  }
  if (temporary) removeNow(dir)
  throw failure
}

const startOn = async (binary: string, dir: string, port: number, temporary: boolean, options: NatsServerOptions): Promise<NatsServer> => {
  const serverName = options.serverName ?? `petrosa-test-${port}`
  const configFile = join(dir, "nats.conf")
  writeFileSync(configFile, configText(port, dir, serverName, options))
  const start = (): Promise<ChildServer> =>
    startChildServer({
      name: "nats-server",
      binary,
      args: ["--config", configFile],
      logFile: join(dir, "nats.log"),
      ready: async () => {
        const probe = await probeNats(port)
        return probe._tag === "Nats" && probe.info.serverName === serverName && probe.info.jetstream
      },
      orphanFate: options.orphanFate ?? "kill",
      ...(temporary ? { removeWithParent: dir } : {}),
    })
  let child = await start()
  return {
    url: `nats://127.0.0.1:${port}`,
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

/**
 * What publishers that ask for no acknowledgement send faster than it is synced to the disk waits in the server's memory;
 * by default it drops what is beyond 100,000 messages or 128 MB, and tells nobody. deploy/nats.conf says the same.
 */
const INGEST_BUFFER = ["  max_buffered_msgs: 1000000", "  max_buffered_size: 512MB"] as const

const configText = (port: number, dir: string, serverName: string, options: NatsServerOptions): string =>
  [
    `server_name: ${JSON.stringify(serverName)}`,
    `listen: "127.0.0.1:${port}"`,
    "jetstream {",
    `  store_dir: ${JSON.stringify(dir)}`,
    ...(options.syncAlways === true ? ["  sync_interval: always", ...INGEST_BUFFER] : []),
    "}",
    options.config ?? "",
    "",
  ].join("\n")
