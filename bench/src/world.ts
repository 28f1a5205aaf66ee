/**
 * One measurement's surroundings: a NATS server, a store and a folder of its own, engines on them, and a publisher. What a
 * section leaves behind is in nobody's way.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { connect, type NatsConnection } from "nats"
import { COMMANDS } from "../../tools/bootstrap.mjs"
import { freshDatabase, startMongoServer } from "../../tools/servers/mongoServer.ts"
import { type NatsServer, startNatsServer } from "../../tools/servers/natsServer.ts"
import { MeasuredChild } from "./child.ts"
import { nowMs } from "./protocol.ts"
import { type SignalOptions, signalText } from "./signals.ts"

export type StoreKind = "sqlite" | "mongodb"

export const SIGNALS = "signals.trading"
/** Between two looks at how far a process has come. */
const LOOK_EVERY_MS = 50
/** Publications between two waits for the server. */
const FLUSH_EVERY = 500

export class BenchWorld {
  readonly kind: StoreKind
  readonly dir: string
  readonly nats: NatsServer
  readonly nc: NatsConnection
  readonly env: Readonly<Record<string, string>>
  readonly #closers: (() => unknown)[]
  #published = 0

  private constructor(
    kind: StoreKind,
    dir: string,
    nats: NatsServer,
    nc: NatsConnection,
    env: Readonly<Record<string, string>>,
    closers: (() => unknown)[],
  ) {
    this.kind = kind
    this.dir = dir
    this.nats = nats
    this.nc = nc
    this.env = env
    this.#closers = closers
  }

  static async open(kind: StoreKind, extra: Readonly<Record<string, string>> = {}): Promise<BenchWorld> {
    const dir = mkdtempSync(join(tmpdir(), "petrosa-bench-"))
    const nats = await startNatsServer()
    const closers: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }), () => nats.stop()]
    let store: Readonly<Record<string, string>> = { SQLITE_FILE: join(dir, "audit.sqlite") }
    if (kind === "mongodb") {
      const mongo = await startMongoServer()
      if ("skipped" in mongo) throw new Error(mongo.skipped)
      closers.push(() => mongo.stop())
      store = { AUDIT_STORE: "mongodb", MONGODB_URL: mongo.url, MONGODB_DATABASE: freshDatabase("petrosa_bench") }
    }
    const nc = await connect({ servers: nats.url })
    closers.push(() => nc.close())
    return new BenchWorld(
      kind,
      dir,
      nats,
      nc,
      {
        NATS_URL: nats.url,
        HTTP_PORT: "0",
        PAPER_VENUE_FILE: ":memory:",
        MAX_OPEN_POSITIONS: "100000",
        SIMULATION_BALANCE_USDT: "1000000000000",
        MAX_POSITION_NOTIONAL: "100000",
        LOG_LEVEL: "error",
        ...store,
        ...extra,
      },
      closers,
    )
  }

  /** The same surroundings with other settings. Only one of the two is to be closed. */
  with(change: Readonly<Record<string, string>>): BenchWorld {
    return new BenchWorld(this.kind, this.dir, this.nats, this.nc, { ...this.env, ...change }, this.#closers)
  }

  engine(flags: readonly string[] = []): Promise<MeasuredChild> {
    return MeasuredChild.start({
      script: "engineChild.ts",
      env: { ...COMMANDS.start.env, ...this.env },
      flags: [...(COMMANDS.start.flags ?? []), ...flags],
    })
  }

  /** An engine that was there once has made the streams, so that signals can be published before the one that is measured. */
  async prepare(): Promise<void> {
    await (await this.engine()).stop()
  }

  /** As fast as the server takes them. */
  async publish(count: number, options: Omit<SignalOptions, "n" | "publishedAtMs"> = {}, subject = SIGNALS): Promise<void> {
    for (let i = 1; i <= count; i += 1) {
      this.nc.publish(subject, signalText({ n: this.#published++, publishedAtMs: nowMs(), ...options }))
      if (i % FLUSH_EVERY === 0) await this.nc.flush()
    }
    await this.nc.flush()
  }

  /** So many a second, evenly. */
  async publishAtRate(count: number, perSecond: number): Promise<void> {
    const startMs = nowMs()
    for (let i = 0; i < count; i += 1) {
      const waitMs = startMs + (i * 1000) / perSecond - nowMs()
      if (waitMs > 0.5) await sleep(waitMs)
      this.nc.publish(SIGNALS, signalText({ n: this.#published++, publishedAtMs: nowMs() }))
    }
    await this.nc.flush()
  }

  /** Always so many on their way: the next is published when one is settled. */
  async publishInWindow(count: number, window: number, timeoutMs: number): Promise<void> {
    const load = { left: count, onTheirWay: 0 }
    const next = (): void => {
      for (; load.onTheirWay < window && load.left > 0; load.left -= 1) {
        load.onTheirWay += 1
        this.nc.publish(SIGNALS, signalText({ n: this.#published++, publishedAtMs: nowMs() }))
      }
    }
    const subscription = this.nc.subscribe("execution.events.>", {
      callback: () => {
        load.onTheirWay -= 1
        next()
      },
    })
    await this.nc.flush()
    next()
    const untilMs = nowMs() + timeoutMs
    while ((load.left > 0 || load.onTheirWay > 0) && nowMs() < untilMs) await sleep(LOOK_EVERY_MS)
    subscription.unsubscribe()
  }

  /** Until so many orders are settled (or the time is up: then it throws). Returns when it was seen. */
  async settled(child: MeasuredChild, count: number, timeoutMs: number): Promise<number> {
    return this.until(child, timeoutMs, `${count} orders settled`, (one) => one.settled + one.failed >= count)
  }

  async until(
    child: MeasuredChild,
    timeoutMs: number,
    what: string,
    done: (counted: Awaited<ReturnType<MeasuredChild["count"]>>) => boolean,
  ): Promise<number> {
    const untilMs = nowMs() + timeoutMs
    for (;;) {
      const counted = await child.count()
      if (done(counted)) return counted.atMs
      if (nowMs() > untilMs) throw new Error(`not within ${timeoutMs} ms: ${what}; ${JSON.stringify(counted)}\n${child.tail()}`)
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** How many messages are in a stream: those that are not acknowledged. */
  async messages(stream: string): Promise<number> {
    const jsm = await this.nc.jetstreamManager()
    return (await jsm.streams.info(stream)).state.messages
  }

  async close(): Promise<void> {
    for (const one of this.#closers.toReversed()) await one()
  }
}
