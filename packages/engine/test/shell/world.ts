/**
 * A whole engine in one process, with everything from outside in the hand of the test: time, venue, broker, and a store
 * that can be switched off. Time passes only while a test lets it, so that a wait is as long as it says, on any machine.
 *
 * `kill` is a `kill -9`: from that moment nothing that the process began reaches anybody, and nothing reaches it.
 */
import type { EventRecord, OrderEvent, OrderId } from "@petrosa/contracts"
import { canonical, orderStream } from "@petrosa/contracts"
import type { Append, AppendResult, EventStore, OrderRow } from "@petrosa/event-store"
import { SqliteEventStore } from "@petrosa/event-store"
import type { IntakeMessage } from "@petrosa/intake"
import { DEFAULT_DECISION_SETTINGS } from "@petrosa/lifecycle"
import { onTestFinished } from "vitest"
import { Engine } from "../../src/engine.ts"
import type { LiveOrder } from "../../src/liveOrder.ts"
import type { EngineLog, EngineOptions } from "../../src/options.ts"
import { ManualClock, settle } from "../manualClock.ts"
import { type Life, mortal, mortalClock } from "./mortal.ts"
import { ScriptedIntake } from "./scriptedIntake.ts"
import { ScriptedVenue, short } from "./scriptedVenue.ts"

const STEP_MS = 10
/** Turns of the event loop that one step of time gives to appends, answers, and what follows from them. */
const TURNS = 6
/** What was begun for an order has come home, and nobody looks at it any more because of that. */
const SETTLED_DOWN_MS = 200
const STORE_BACK_WITHIN_MS = 5000

/** What an engine knows of the venue without asking: futures in hedge mode, spot too. */
export const PAPER_FACTS = {
  name: "paper",
  mode: "simulation",
  markets: ["spot", "futures"],
  bracketStyle: "legs",
  shortMarkets: ["futures"],
  positionMode: "hedge",
  receiveWindowMs: 2000,
  feeRate: canonical("0.001"),
  baseFeeRate: canonical("0"),
} as const

export class World {
  readonly clock = new ManualClock()
  readonly venue = new ScriptedVenue(this.clock)
  readonly intake = new ScriptedIntake(this.clock)
  readonly store = SqliteEventStore.open({ file: ":memory:" })
  /** `away`: it says so. `silent`: it takes what it is given and does not answer until it is back. */
  appends: "there" | "away" | "silent" = "there"
  reads: "there" | "away" | "silent" = "there"
  /** How far the engine's wall clock is from the venue's. Somebody sets it back: less than nothing. */
  wallAheadMs = 0
  /** Orders that `findOrder` does not have yet: the projection is behind. */
  readonly behind = new Set<string>()
  /** Warnings and errors of the log. */
  readonly alarms: string[] = []
  #life: Life = { over: true }
  #engine: Engine | undefined
  #replicas = 0
  #signals = 0

  /** A world with a started engine in it; it ends with the test. */
  static async start(change: Partial<EngineOptions> = {}): Promise<World> {
    const world = new World()
    onTestFinished(() => world.#end())
    await world.start(change)
    return world
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error("no engine is running")
    return this.#engine
  }

  /** Another process, after the one before was killed. */
  async start(change: Partial<EngineOptions> = {}): Promise<Engine> {
    const life: Life = { over: false }
    this.#life = life
    this.#replicas += 1
    const engine = new Engine({ ...this.#options(life), ...change })
    this.#engine = engine
    let started = false
    void engine.start().then(() => {
      started = true
    })
    await this.until("the engine is started", () => started)
    return engine
  }

  kill(): void {
    this.#life.over = true
    this.#engine = undefined
    this.venue.listeners.clear()
    this.intake.died()
  }

  async #end(): Promise<void> {
    this.kill()
    await settle()
    await this.store.close()
  }

  #options(life: Life): EngineOptions {
    const venue = mortal(this.venue, life)
    const seat = { venue, facts: PAPER_FACTS }
    return {
      engineId: "eng1",
      replica: `replica-${this.#replicas}`,
      engineVersion: "1",
      settingsVersion: "1",
      mode: "simulation",
      decision: DEFAULT_DECISION_SETTINGS,
      defaultMarket: "futures",
      defaultOrderType: "market",
      signalMaxBytes: 1_000_000,
      rejectedMaxBytes: 1_000_000_000,
      ackWaitMs: 5000,
      maxLiveOrders: 20_000,
      protectionStoreWaitMs: 250,
      receiveWindowMs: 500,
      store: this.#storeOf(life),
      intake: mortal(this.intake, life),
      seatFor: () => seat,
      seats: [seat],
      clock: mortalClock(this.clock, life, () => this.wallAheadMs),
      random: () => 0.5,
      newId: () => "id",
      log: this.#log(),
      alone: true,
      snapshotForm: "1",
    }
  }

  #storeOf(life: Life): EventStore {
    const { store } = this
    const append = async (batch: readonly Append[]): Promise<readonly AppendResult[]> => {
      while (this.appends === "silent" && !life.over) await settle()
      if (life.over) return new Promise<never>(() => {})
      return this.appends === "away" ? batch.map(() => ({ _tag: "Unavailable", reason: "switched off" })) : store.append(batch)
    }
    const readStreams = async (streams: readonly string[]) => {
      while (this.reads === "silent" && !life.over) await settle()
      if (this.reads === "away") throw new Error("the store is switched off")
      return store.readStreams(streams)
    }
    const readHistories = async (streams: readonly string[]) => {
      if (this.reads === "away") throw new Error("the store is switched off")
      return store.readHistories(streams)
    }
    const getMeta = async (key: string) => {
      while (this.reads === "silent" && !life.over) await settle()
      if (this.reads === "away") throw new Error("the store is switched off")
      return store.getMeta(key)
    }
    const findOrder = async (id: string) => (this.behind.has(id) ? undefined : store.findOrder(id))
    const changed: Partial<EventStore> = { append, readStreams, readHistories, getMeta, findOrder }
    return mortal(
      new Proxy<EventStore>(store, {
        get(from, key) {
          if (Object.hasOwn(changed, key)) return Reflect.get(changed, key)
          const value: unknown = Reflect.get(from, key, from)
          return typeof value === "function" ? (value as (...args: readonly unknown[]) => unknown).bind(from) : value
        },
      }),
      life,
    )
  }

  #log(): EngineLog {
    const quiet = (): void => {}
    const loud = (fields: Readonly<Record<string, unknown>>, text: string): void =>
      void this.alarms.push(`${text} ${JSON.stringify(fields)}`)
    return { debug: quiet, info: quiet, warn: loud, error: loud }
  }

  /** Lets this much time pass. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      for (let turn = 0; turn < TURNS; turn++) await settle()
      await this.clock.pass(Math.min(STEP_MS, ms - passed))
    }
    for (let turn = 0; turn < TURNS; turn++) await settle()
  }

  /** Lets time pass until this is so; when it never is, the error tells what happened instead. */
  async until<A>(what: string, look: () => A | Promise<A>, withinMs = 10_000): Promise<NonNullable<A>> {
    for (let passed = 0; ; passed += STEP_MS) {
      const seen = await look()
      if (seen !== undefined && seen !== null && seen !== false) return seen
      if (passed >= withinMs) throw new Error(`not within ${withinMs} ms: ${what}\n${await this.#story()}`)
      await this.pass(STEP_MS)
    }
  }

  /** The store is back, and has what waited for it. Its queue tries again in real time. */
  async storeBack(): Promise<void> {
    this.appends = "there"
    this.reads = "there"
    const { journal } = this.engine
    for (let waitedMs = 0; journal.isAway; waitedMs += STEP_MS) {
      if (waitedMs > STORE_BACK_WITHIN_MS) throw new Error("the journal has not found the store again")
      await new Promise<void>((resolve) => setTimeout(resolve, STEP_MS))
    }
    await this.pass(STEP_MS)
  }

  /** What a strategy sends; each has an id of its own. */
  signal(change: Readonly<Record<string, unknown>> = {}): { readonly signal_id: string } & Readonly<Record<string, unknown>> {
    this.#signals += 1
    return {
      strategy_id: "momentum",
      signal_id: `signal-${this.#signals}`,
      symbol: "BTCUSDT",
      action: "buy",
      confidence: 0.9,
      price: 50000,
      current_price: 50000,
      quantity: 0.01,
      order_type: "market",
      timestamp: new Date(this.clock.nowMs()).toISOString(),
      ...change,
    }
  }

  /** Delivers a signal; what came of it is seen later. */
  send(body: object): IntakeMessage {
    const message = this.intake.message("signal", body)
    this.intake.deliver(message)
    return message
  }

  /** A resting entry of 0.01, taken by the venue. */
  async resting(change: Readonly<Record<string, unknown>> = {}): Promise<{ readonly message: IntakeMessage; readonly order: OrderId }> {
    const message = this.send(this.signal({ order_type: "limit", price: 49_000, ...change }))
    const live = await this.until("the entry rests at the venue", () => this.held.find((one) => one.context.entry?.status === "live"))
    await this.pass(SETTLED_DOWN_MS)
    return { message, order: live.order }
  }

  /** An open lot of 0.01 under its stop and target. */
  async covered(change: Readonly<Record<string, unknown>> = {}): Promise<{ readonly message: IntakeMessage; readonly order: OrderId }> {
    this.venue.fillsByItself.add("entry")
    const before = new Set(this.held.map(({ order }) => order))
    const message = this.send(this.signal(change))
    const live = await this.until("the lot is covered", () =>
      this.held.find(({ order, context }) => !before.has(order) && context.settled === "filled"),
    )
    await this.pass(SETTLED_DOWN_MS)
    return { message, order: live.order }
  }

  get held(): readonly LiveOrder[] {
    return [...this.engine.desk.orders.values()]
  }

  live(order: OrderId): LiveOrder {
    const live = this.engine.desk.orders.get(order)
    if (live === undefined) throw new Error(`order ${order} is not held`)
    return live
  }

  /** Its legs as we believe them to be, e.g. `S01 live 0.01`. */
  legs(order: OrderId): readonly string[] {
    const legs = this.engine.desk.orders.get(order)?.context.legs ?? []
    return legs.map((leg) => `${short(leg.clientOrderId)} ${leg.status} ${leg.quantity}`)
  }

  /** Tells an order something, as the engine's other parts do. */
  tell(order: OrderId, ...events: readonly OrderEvent[]): void {
    this.live(order).take(events, "request")
  }

  async events(order: OrderId): Promise<readonly EventRecord[]> {
    return (await this.store.readStreams([orderStream(order)])).get(orderStream(order))?.events ?? []
  }
  async types(order: OrderId): Promise<readonly string[]> {
    return (await this.events(order)).map(({ type }) => type)
  }
  async row(id: string): Promise<OrderRow | undefined> {
    return this.store.findOrder(id)
  }
  /** How the order of a signal ended, e.g. `filled`, or `failed NOTHING_TO_CLOSE`; undefined while it has not. */
  async ended(signal: { readonly signal_id: string }): Promise<string | undefined> {
    const row = await this.row(signal.signal_id)
    if (row === undefined || !row.settled) return undefined
    return row.reason === null ? row.state : `${row.state} ${row.reason}`
  }

  async #story(): Promise<string> {
    const orders = await this.store.listOrders({ limit: 10 })
    const trails: string[] = []
    for (const { order } of orders.orders) trails.push(`${order}: ${(await this.types(order as OrderId)).join(" ")}`)
    const held = (this.#engine === undefined ? [] : this.held).map(
      (one) => `held ${one.order}: entry ${one.context.entry?.status}, ${this.legs(one.order).join(", ")}; ${[...one.tasks].join(", ")}`,
    )
    return [
      ...trails,
      ...held,
      `venue: ${this.venue.log.slice(-40).join(", ")}`,
      `broker: ${this.intake.answers.join(", ")}`,
      ...this.alarms,
    ].join("\n")
  }
}
