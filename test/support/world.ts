/**
 * A world for one test file: a NATS server, a store, a paper venue and any number of engine processes, with folders and
 * ports of its own. Signals come from a plain NATS client and a plain HTTP client; the venue and the store are looked at
 * from outside, as an auditor would.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { EventRecord } from "@petrosa/contracts"
import { type EventStore, MongoEventStore, type OrderRow, SqliteEventStore } from "@petrosa/event-store"
import { type Faults, openPaperVenue, type PaperVenue } from "@petrosa/venue"
import { connect, type NatsConnection } from "nats"
import { freshDatabase } from "../../tools/servers/mongoServer.ts"
import { type NatsServer, startNatsServer } from "../../tools/servers/natsServer.ts"
import { EngineProcess } from "./engineProcess.ts"
import type { SignalBody } from "./signals.ts"
import { until } from "./until.ts"

export interface WorldOptions {
  readonly store?: "sqlite" | "mongodb"
  /** Of a server for `mongodb`. */
  readonly mongoUrl?: string
  /** The way of this process to the same server, when the engine's can be cut. */
  readonly directMongoUrl?: string
  readonly env?: Readonly<Record<string, string>>
  readonly nats?: NatsServer
  /** What Node is given to start an engine: flags and script. Default: see {@link EngineProcess}. */
  readonly nodeArguments?: readonly string[]
}

export interface Reply {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of any form
  readonly json: any
  readonly headers: Headers
}

/** Limits and balance that stand in nobody's way: tests of limits set their own. */
const ROOMY = {
  MAX_OPEN_POSITIONS: "100000",
  SIMULATION_BALANCE_USDT: "1000000000",
  LOG_LEVEL: "info",
} as const

export class World {
  readonly nats: NatsServer
  readonly nc: NatsConnection
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly kind: "sqlite" | "mongodb"
  readonly paperFile: string
  readonly engines: EngineProcess[] = []
  url = ""
  readonly #ownNats: boolean
  readonly #auditorsMongoUrl: string
  readonly #nodeArguments: readonly string[] | undefined
  #paper: PaperVenue | undefined
  #mongo: Promise<EventStore> | undefined

  private constructor(nats: NatsServer, nc: NatsConnection, dir: string, options: WorldOptions) {
    this.nats = nats
    this.#ownNats = options.nats === undefined
    this.nc = nc
    this.dir = dir
    this.#nodeArguments = options.nodeArguments
    this.kind = options.store ?? "sqlite"
    this.#auditorsMongoUrl = options.directMongoUrl ?? options.mongoUrl ?? ""
    this.paperFile = join(dir, "paper.sqlite")
    this.env = {
      NATS_URL: nats.url,
      HTTP_PORT: "0",
      PAPER_VENUE_FILE: this.paperFile,
      ...(this.kind === "sqlite"
        ? { SQLITE_FILE: join(dir, "audit.sqlite") }
        : { AUDIT_STORE: "mongodb", MONGODB_URL: options.mongoUrl ?? "", MONGODB_DATABASE: freshDatabase("petrosa_e2e") }),
      ...ROOMY,
      ...options.env,
    }
  }

  static async create(options: WorldOptions = {}): Promise<World> {
    const nats = options.nats ?? (await startNatsServer())
    const dir = mkdtempSync(join(tmpdir(), "petrosa-world-"))
    const nc = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
    return new World(nats, nc, dir, options)
  }

  /** Starts an engine and waits until it is ready. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<EngineProcess> {
    const engine = this.launch(env)
    this.url = await engine.ready()
    return engine
  }

  /** Starts an engine and does not wait. */
  launch(env: Readonly<Record<string, string>> = {}): EngineProcess {
    const engine = new EngineProcess({ ...this.env, ...env }, this.#nodeArguments)
    this.engines.push(engine)
    return engine
  }

  async close(): Promise<void> {
    for (const engine of this.engines) {
      engine.wake()
      if (engine.running) await engine.kill()
    }
    await this.#paper?.close()
    await (await this.#mongo)?.close()
    await this.nc.close().catch(() => undefined)
    if (this.#ownNats) await this.nats.stop()
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }

  // ---- publishers

  /** As a plain NATS publisher does it: no headers, no acknowledgement asked for. */
  publish(body: SignalBody | string | Uint8Array, subject = "signals.trading"): void {
    const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body)
    this.nc.publish(subject, bytes)
  }

  async http(method: string, path: string, body?: SignalBody | string | Uint8Array, headers: Record<string, string> = {}): Promise<Reply> {
    const bytes = body === undefined ? {} : { body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body) }
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(bytes as { body?: string }),
    })
    const text = await response.text()
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      json = undefined
    }
    return { status: response.status, text, json, headers: response.headers }
  }
  trade(body: SignalBody | string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.http("POST", "/trade", body, headers)
  }
  get(path: string): Promise<Reply> {
    return this.http("GET", path)
  }

  // ---- the venue, from outside

  /** The venue's file, opened by this process as well. It may carry out executions that are due. */
  get paper(): PaperVenue {
    this.#paper ??= openPaperVenue({ file: this.paperFile, startingBalance: this.env["SIMULATION_BALANCE_USDT"] ?? "10000" })
    return this.#paper
  }
  setFaults(change: Partial<Faults>): Promise<void> {
    return this.paper.setFaults(change)
  }
  setPrice(price: string, symbol = "BTCUSDT", market: "spot" | "futures" = "futures"): Promise<void> {
    return this.paper.setPrice(symbol, market, price)
  }

  // ---- the store, from outside

  /** The store, read-only. SQLite's file is opened for one piece of work; a connection to MongoDB is kept. */
  async withStore<A>(work: (store: EventStore) => Promise<A>): Promise<A> {
    if (this.kind === "mongodb") {
      this.#mongo ??= this.#openStore()
      return work(await this.#mongo)
    }
    const store = await this.#openStore()
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }
  async #openStore(): Promise<EventStore> {
    if (this.kind === "sqlite") return SqliteEventStore.open({ file: this.env["SQLITE_FILE"] ?? "", readOnly: true })
    return MongoEventStore.open({
      url: this.#auditorsMongoUrl,
      database: this.env["MONGODB_DATABASE"] ?? "",
      readOnly: true,
    })
  }

  row(id: string): Promise<OrderRow | undefined> {
    return this.withStore((store) => store.findOrder(id))
  }

  /** The events of an order, by any of its ids; empty when there is none. */
  trail(id: string): Promise<readonly EventRecord[]> {
    return this.withStore(async (store) => {
      const row = await store.findOrder(id)
      if (row === undefined) return []
      return (await store.readStreams([row.stream])).get(row.stream)?.events ?? []
    })
  }
  async types(id: string): Promise<readonly string[]> {
    return (await this.trail(id)).map((event) => event.type)
  }

  /** Waits until the order has this as its last known fact. */
  async when(id: string, wanted: (row: OrderRow) => boolean, timeoutMs = 8000): Promise<OrderRow> {
    return until(
      async () => {
        const row = await this.row(id)
        return row !== undefined && wanted(row) ? row : undefined
      },
      {
        timeoutMs,
        // FerretDB scans for every read.
        everyMs: this.kind === "mongodb" ? 150 : 20,
        what: `order ${id}: ${wanted.toString()}`,
        seen: async () => ({ trail: await this.types(id), complaints: this.engines.at(-1)?.complaints.slice(-3) }),
      },
    )
  }
  settled(id: string, timeoutMs?: number): Promise<OrderRow> {
    return this.when(id, (row) => row.settled, timeoutMs)
  }
  done(id: string, timeoutMs?: number): Promise<OrderRow> {
    return this.when(id, (row) => row.done, timeoutMs)
  }

  /** All rows, newest first. */
  rows(): Promise<readonly OrderRow[]> {
    return this.withStore(async (store) => {
      const all: OrderRow[] = []
      let cursor: string | undefined
      do {
        const page = await store.listOrders({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
        all.push(...page.orders)
        cursor = page.next
      } while (cursor !== undefined)
      return all
    })
  }

  /** Messages that are still in a stream of the broker. */
  async messages(stream: string): Promise<number> {
    const jsm = await this.nc.jetstreamManager()
    return (await jsm.streams.info(stream)).state.messages
  }
}
