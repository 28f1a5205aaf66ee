/**
 * One cell of the matrix at work: an engine whose world ends for it, at its fault point, in one moment. From then on nothing
 * that it began reaches store, broker or venue, nothing reaches it, and none of its timers fires; a little later the whole
 * process is killed (SIGKILL). So one process can die at a hundred points.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { type EventRecord, canonical, orderOfStream } from "@petrosa/contracts"
import { Engine, type FaultPoint, type FaultPoints } from "@petrosa/engine"
import { type EventStore, SqliteEventStore } from "@petrosa/event-store"
import { type Broker, ensureStreams, NatsIntake, systemClock } from "@petrosa/intake"
import { DEFAULT_DECISION_SETTINGS } from "@petrosa/lifecycle"
import { NO_FAULTS, openPaperVenue, type PaperVenue } from "@petrosa/venue"
import { type Life, mortal, mortalClock } from "../../../packages/engine/test/shell/mortal.ts"
import { signal } from "../../support/signals.ts"
import { until } from "../../support/until.ts"
import { checkWorld } from "../../support/oracle.ts"
import { type Cell, FAULTS } from "./cells.ts"

const SYMBOL = "ADAUSDT"
const PRICE = 0.5
const STREAM_BYTES = 1_000_000
/** A fault that is still on after so long is switched off, so that what waits for it can end. */
const HEAL_AFTER_MS = 1500
const MOVE_EVERY_MS = 300
const LOOK_EVERY_MS = 40
const TRIES = 5

/** Away from the market: its entry rests until it is cancelled. */
const RESTING = { order_type: "limit", price: 0.49 }
const ada = (change: Readonly<Record<string, unknown>> = {}) =>
  signal({ symbol: SYMBOL, price: PRICE, current_price: PRICE, quantity: 1000, ...change })

/** What the events say of an order last. */
type Last = Pick<EventRecord, "settled" | "done" | "parked" | "type" | "reason">

export class CellAtWork {
  readonly cell: Cell
  readonly reached: Promise<FaultPoint>
  readonly #life: Life = { over: false }
  readonly #dir: string
  readonly #broker: Broker
  readonly #orders = new Map<string, Last>()
  #markReached: (point: FaultPoint) => void = () => {}
  #paper: PaperVenue | undefined
  #store: EventStore | undefined
  #engine: Engine | undefined

  constructor(cell: Cell, dir: string, broker: Broker) {
    this.cell = cell
    this.#dir = join(dir, cell.name)
    this.#broker = broker
    this.reached = new Promise((resolve) => {
      this.#markReached = resolve
    })
  }

  get isOver(): boolean {
    return this.#life.over
  }
  get #names() {
    const { name } = this.cell
    return { signals: `SIGNALS-${name}`, lots: `LOTS-${name}`, subject: `${name}.trading` }
  }
  get #file(): string {
    return join(this.#dir, "audit.sqlite")
  }
  get #paperFile(): string {
    return join(this.#dir, "paper.sqlite")
  }

  /** Starts its engine. With a point: the engine's world ends when it comes to it. */
  async start(point: FaultPoint | undefined): Promise<void> {
    mkdirSync(this.#dir, { recursive: true })
    const life = this.#life
    // 20 times a second is enough for a venue that nobody else has open; with hundreds of them more is too much.
    const paper = openPaperVenue({ file: this.#paperFile, startingBalance: "1000000", pollMs: 1000, sync: "off" })
    this.#paper = paper
    const store = SqliteEventStore.open({ file: this.#file })
    this.#store = store
    const clock = mortalClock(systemClock, life, () => 0)
    const nc = mortal(this.#broker.nc, life)
    const broker = new Proxy(this.#broker, {
      get: (from, key) => {
        if (key === "nc") return nc
        if (key === "connected") return !life.over && from.connected
        const value: unknown = Reflect.get(from, key, from)
        return typeof value === "function" ? (value as (...args: readonly unknown[]) => unknown).bind(from) : value
      },
    })
    const ensure = () =>
      ensureStreams(broker, {
        storeId: store.storeId,
        signalSubject: this.#names.subject,
        signals: { name: this.#names.signals, maxBytes: STREAM_BYTES },
        lots: { name: this.#names.lots, maxBytes: STREAM_BYTES },
        lotsPrefix: this.#names.lots,
      })
    const streams = await ensure()
    if (streams._tag !== "Ready") throw new Error(JSON.stringify(streams))
    if (point !== undefined && (await store.openOrders()).length === 0) await paper.setFaults({ ...NO_FAULTS, ...FAULTS[this.cell.fault] })
    const venue = mortal(paper, life)
    const facts = {
      name: paper.name,
      mode: "simulation",
      markets: paper.markets,
      bracketStyle: paper.bracketStyle,
      shortMarkets: ["futures"],
      positionMode: "hedge",
      receiveWindowMs: 1000,
      feeRate: canonical("0.001"),
      baseFeeRate: canonical("0"),
    } as const
    const seat = { venue, facts }
    const quiet = (): void => {}
    const engine = new Engine({
      engineId: "0001",
      replica: `${this.cell.name}-${process.pid}`,
      engineVersion: "test",
      settingsVersion: "test",
      mode: "simulation",
      decision: { ...DEFAULT_DECISION_SETTINGS, sendDeadlineMs: 3000 },
      defaultMarket: "futures",
      defaultOrderType: "market",
      signalMaxBytes: 65_536,
      rejectedMaxBytes: 1_000_000,
      ackWaitMs: 5000,
      maxLiveOrders: 1000,
      protectionStoreWaitMs: 250,
      receiveWindowMs: 1000,
      store: mortal(store, life),
      intake: new NatsIntake({ broker, streams, ensure, clock }),
      seatFor: () => seat,
      seats: [seat],
      clock,
      random: Math.random,
      newId: () => crypto.randomUUID(),
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      alone: true,
      ...(point === undefined ? {} : { faults: this.#dieAt(point) }),
    })
    this.#engine = engine
    for (const row of (await store.listOrders({ limit: 100 })).orders) this.#orders.set(row.order, row)
    engine.onJournal((records) => {
      for (const record of records) if (orderOfStream(record.stream) !== undefined) this.#orders.set(record.order, record)
    })
    await Promise.race([engine.start(), this.reached])
  }

  #dieAt(point: FaultPoint): FaultPoints {
    return {
      at: (here) => {
        if (here !== point) return undefined
        this.#life.over = true
        this.#markReached(point)
        return new Promise<never>(() => {})
      },
    }
  }

  /** Buys, closes, and ends when both are done, or when its world has ended. */
  async story(options: { readonly buy: boolean; readonly heal: boolean }): Promise<void> {
    const sinceMs = Date.now()
    let healed = false
    let moves = 1
    const paper = this.#paper as PaperVenue
    // A market may be closed without a cancel (the venue ends what only reduces): those points need an entry that rests.
    const rests = this.cell.deaths.some((point) => point.startsWith("venue.cancel"))
    const buy = (): void => this.#publish(ada({ strategy_id: "matrix", ...(rests ? RESTING : {}) }))
    if (options.buy) buy()
    const idle = (): boolean => this.#orders.size > 0 && (this.#engine as Engine).desk.orders.size === this.#openLots
    const begun = (order: Last): boolean => order.settled || order.parked || (rests && (order.type === "EntryAccepted" || !options.buy))
    const come = (what: string, there: () => boolean): Promise<unknown> =>
      until(
        async () => {
          const passedMs = Date.now() - sinceMs
          if (this.isOver || there()) return true
          if (!healed && options.heal && passedMs > HEAL_AFTER_MS) {
            healed = true
            await paper.setFaults(NO_FAULTS)
          }
          // What rests fills when the price moves, once it is there.
          if (this.cell.fault === "rest" && passedMs > moves * MOVE_EVERY_MS) {
            moves += 1
            await paper.setPrice(SYMBOL, "futures", moves % 2 === 0 ? "0.5001" : "0.5002")
          }
          return false
        },
        { timeoutMs: 30_000, everyMs: LOOK_EVERY_MS, what, seen: () => [...this.#orders.values()] },
      )
    const first = (): Promise<unknown> =>
      come("the first order to be settled, or to rest", () => (rests || idle()) && this.#orders.size > 0 && this.#all(begun))
    await first()
    // On a machine that is busy with other things an entry may be too late to leave: then there is another one.
    for (let n = 0; n < TRIES && options.buy && !this.isOver && [...this.#orders.values()].at(-1)?.reason === "SEND_DEADLINE_PASSED"; n++) {
      const before = this.#orders.size
      buy()
      await come("another order", () => this.#orders.size > before)
      await first()
    }
    if (this.isOver) return
    const before = this.#orders.size
    this.#publish(ada({ strategy_id: "matrix", action: "close" }))
    await come("all to be closed", () => this.#orders.size > before && idle() && this.#all((order) => order.done || order.parked))
  }

  #publish(body: Readonly<Record<string, unknown>>): void {
    this.#broker.nc.publish(this.#names.subject, JSON.stringify(body))
  }
  #all(test: (order: Last) => boolean): boolean {
    return [...this.#orders.values()].every(test)
  }
  get #openLots(): number {
    return [...this.#orders.values()].filter((order) => order.settled && !order.done && !order.parked).length
  }

  /** The engine has come to a stand by itself: its world ends now, at no point. */
  end(): void {
    this.#life.over = true
  }

  /** Stops it gracefully, and asks the oracle. */
  async verdict(): Promise<readonly string[]> {
    await this.#engine?.stop()
    await this.#store?.close()
    const paper = this.#paper as PaperVenue
    const jsm = await this.#broker.nc.jetstreamManager()
    const findings = await checkWorld({
      paperFile: this.#paperFile,
      paper,
      messages: async (stream) => (await jsm.streams.info(stream === "LOTS" ? this.#names.lots : this.#names.signals)).state.messages,
      withStore: async (work) => {
        const store = SqliteEventStore.open({ file: this.#file, readOnly: true })
        try {
          return await work(store)
        } finally {
          await store.close()
        }
      },
    })
    await paper.close()
    const open = findings.openLots === 0 ? [] : [`${findings.openLots} lots are open`]
    const parked = findings.parked === 0 ? [] : [`${findings.parked} orders are parked`]
    return [...findings.problems, ...open, ...parked]
  }
}
