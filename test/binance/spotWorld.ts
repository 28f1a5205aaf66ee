/**
 * An engine in this process on the real spot adapter, over HTTP and WebSocket to the local Binance, with a broker and a
 * store in the hand of the test. Time is real: a test waits for facts, with a deadline.
 *
 * `kill` is a `kill -9`: from that moment nothing that the process began reaches anybody, and nothing reaches it.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Sandbox } from "@petrosa/binance-sandbox"
import type { EventRecord, OrderId } from "@petrosa/contracts"
import { canonical, orderStream, parseClientOrderId } from "@petrosa/contracts"
import { Engine } from "@petrosa/engine"
import type { EngineOptions, FaultPoint } from "@petrosa/engine"
import { SqliteEventStore, verifyStream } from "@petrosa/event-store"
import { systemClock } from "@petrosa/intake"
import { DEFAULT_DECISION_SETTINGS, explainOrder, replay } from "@petrosa/lifecycle"
import type { DecisionSettings } from "@petrosa/lifecycle"
import { openPaperVenue } from "@petrosa/venue"
import type { Venue, VenueOrderStatus } from "@petrosa/venue"
import { eventually } from "@petrosa/venue/testing"
import { onTestFinished } from "vitest"
import { mortal, mortalClock } from "../../packages/engine/test/shell/mortal.ts"
import type { Life } from "../../packages/engine/test/shell/mortal.ts"
import { ScriptedIntake } from "../../packages/engine/test/shell/scriptedIntake.ts"
import { SYMBOL, sandboxFixture } from "./sandboxFixture.ts"
import type { SandboxFixture } from "./sandboxFixture.ts"

export interface SpotWorldOptions {
  /** The local Binance over HTTP and WebSocket (default), or the paper venue with order lists, on a file. */
  readonly on?: "sandbox" | "paper"
  /** In what trades are paid. Default: in what is received, as a new account does. */
  readonly commission?: "received" | "quote"
  readonly decision?: Partial<DecisionSettings>
  /** An entry that rests goes with its bracket. Default true. */
  readonly arms?: boolean
  /** The commission that decisions believe in. Default: the real one, 0.001. */
  readonly baseFeeRate?: string
}

/** Of an order of ours the part that a person reads: `S01` is the first stop. */
const short = (clientId: string): string => clientId.slice(-3)
const orderOf = ({ clientId }: { readonly clientId: string }): string | undefined => parseClientOrderId(clientId)?.order

/** What a test needs of an exchange, whichever it is. */
interface SpotExchange {
  open(): Promise<Venue>
  setPrice(price: string): Promise<void>
  /** In order of arrival. */
  orders(): readonly { readonly clientId: string; readonly status: string; readonly quantity: string }[]
  /** Of the base asset. */
  held(): Promise<number>
  /** Half of a resting entry is filled. */
  halfOf(clientId: string, price: string): Promise<void>
  close(): Promise<void>
}

const onSandbox = (fixture: SandboxFixture): SpotExchange => ({
  open: () => fixture.open(),
  setPrice: async (price) => fixture.sandbox.setPrice(SYMBOL, price, { market: "spot" }),
  orders: () => fixture.sandbox.ledger().orders,
  held: async () => Number(fixture.sandbox.world.exchange.store.balance("main:spot", "BTC").total),
  halfOf: async (clientId) => fixture.sandbox.fill("spot", clientId, "0.005"),
  close: () => fixture.close(),
})

/** Binance's words for what the paper venue says. */
const WORDS: Readonly<Record<VenueOrderStatus, string>> = {
  new: "NEW",
  partially_filled: "PARTIALLY_FILLED",
  filled: "FILLED",
  cancelled: "CANCELED",
  expired: "EXPIRED",
  rejected: "REJECTED",
}
/** The time between the parts of a fill: longer than any test. */
const NEVER_MS = 600_000

const onPaper = async (): Promise<SpotExchange> => {
  const folder = mkdtempSync(join(tmpdir(), "petrosa-paper-spot-"))
  const open = () => openPaperVenue({ file: join(folder, "paper.sqlite"), pollMs: 5, sync: "off", spotLists: true })
  const market = open()
  await market.setPrice(SYMBOL, "spot", "50000")
  const opened: Venue[] = [market]
  return {
    open: async () => {
      const venue = open()
      opened.push(venue)
      return venue
    },
    setPrice: async (price) => {
      await market.setPrice(SYMBOL, "spot", price)
    },
    orders: () =>
      market.ledger().orders.map(({ clientOrderId, status, quantity }) => ({ clientId: clientOrderId, status: WORDS[status], quantity })),
    held: async () => {
      const balances = await market.balances()
      const base = balances._tag === "Known" ? balances.value.find(({ asset }) => asset === "BTC") : undefined
      return base === undefined ? 0 : Number(base.free) + Number(base.locked)
    },
    halfOf: async (_clientId, price) => {
      await market.setFaults({ partialFills: { parts: 2, everyMs: NEVER_MS } })
      await market.setPrice(SYMBOL, "spot", price)
      await market.setFaults({ partialFills: null })
    },
    close: async () => {
      for (const venue of opened) await venue.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export class SpotWorld {
  readonly #exchange: SpotExchange
  readonly #fixture: SandboxFixture | undefined
  readonly store = SqliteEventStore.open({ file: ":memory:" })
  readonly intake = new ScriptedIntake(systemClock)
  readonly #options: SpotWorldOptions
  readonly #alarms: string[] = []
  #life: Life = { over: true }
  #engine: Engine | undefined
  #venue: Venue | undefined
  #processes = 0
  #signals = 0
  /** The process dies when it comes to this point. */
  #diesAt: FaultPoint | undefined
  readonly #messages = new Map<OrderId, ReturnType<ScriptedIntake["message"]>>()

  private constructor(exchange: SpotExchange, fixture: SandboxFixture | undefined, options: SpotWorldOptions) {
    this.#exchange = exchange
    this.#fixture = fixture
    this.#options = options
  }

  static async start(options: SpotWorldOptions = {}): Promise<SpotWorld> {
    const commission = options.commission ?? "received"
    const fixture = options.on === "paper" ? undefined : await sandboxFixture("spot", { sandbox: { fees: { commission } } })
    const exchange = fixture === undefined ? await onPaper() : onSandbox(fixture)
    const world = new SpotWorld(exchange, fixture, options)
    onTestFinished(async () => {
      world.kill()
      await exchange.close()
      await world.store.close()
    })
    await world.begin()
    return world
  }

  /** The local Binance, for what the paper venue cannot do. */
  get fixture(): SandboxFixture {
    if (this.#fixture === undefined) throw new Error("this world is on the paper venue")
    return this.#fixture
  }
  get sandbox(): Sandbox {
    return this.fixture.sandbox
  }

  /** Another process, after the one before was killed. */
  async begin(): Promise<void> {
    const life: Life = { over: false }
    this.#life = life
    this.#processes += 1
    this.#diesAt = undefined
    this.#venue = await this.#exchange.open()
    const engine = new Engine(this.#engineOptions(this.#venue, life))
    this.#engine = engine
    await engine.start()
  }

  kill(): void {
    this.#life.over = true
    this.#engine = undefined
    this.intake.died()
  }

  /** Lets the process die when it comes to this point; it is over when that has happened. */
  async diesAt(point: FaultPoint, until: () => Promise<unknown>): Promise<void> {
    this.#diesAt = point
    await until()
    await eventually(`the process dies at ${point}`, () => this.#engine === undefined, 15_000)
  }

  /** What a strategy sends; each has an id of its own. */
  signal(change: Readonly<Record<string, unknown>> = {}): { readonly signal_id: string } & Readonly<Record<string, unknown>> {
    this.#signals += 1
    return {
      strategy_id: "momentum",
      signal_id: `signal-${this.#signals}`,
      symbol: SYMBOL,
      market: "spot",
      action: "buy",
      confidence: 0.9,
      price: 50000,
      current_price: 50000,
      quantity: 0.01,
      order_type: "market",
      stop_loss: 49000,
      take_profit: 52000,
      timestamp: new Date().toISOString(),
      ...change,
    }
  }

  /** Publishes a signal; the order that it becomes. */
  async send(change: Readonly<Record<string, unknown>> = {}): Promise<OrderId> {
    const signal = this.signal(change)
    const message = this.intake.message("signal", signal)
    this.intake.deliver(message)
    const row = await this.until(`the order of ${signal.signal_id}`, () => this.store.findOrder(signal.signal_id))
    const order = row.order as OrderId
    this.#messages.set(order, message)
    return order
  }

  /** Another process takes the order up. */
  async adopt(order: OrderId): Promise<void> {
    await this.begin()
    const message = this.#messages.get(order)
    if (message === undefined) throw new Error(`no message of ${order}`)
    this.intake.deliver(this.intake.again(message))
    await this.untilEvent(order, "OrderAdopted")
  }

  /** The reply to the next list is lost, and the stream does not tell of its orders either. */
  async loseList(): Promise<void> {
    this.sandbox.addFaults({ kind: "dropEvent", match: { event: "executionReport", execution: "NEW" } })
    await this.fixture.faults.loseReply("list")
  }

  async setPrice(price: string): Promise<void> {
    await this.#exchange.setPrice(price)
  }
  /** Half of the resting entry trades; the paper venue needs a price at which it does. */
  async halfOfEntry(price: string): Promise<void> {
    await this.#exchange.halfOf(this.clientId("E01"), price)
  }
  /** Trades a part of an order of ours, e.g. `E01`. */
  fill(name: string, quantity?: string): void {
    this.sandbox.fill("spot", this.clientId(name), quantity)
  }
  clientId(name: string): string {
    const found = this.#ours().find((order) => short(order.clientId) === name)
    if (found === undefined) throw new Error(`no order ${name} at the exchange`)
    return found.clientId
  }
  /** Of a list the target first, whichever leg the exchange took first. */
  #ours() {
    const ours = this.#exchange.orders().filter(({ clientId }) => parseClientOrderId(clientId) !== undefined)
    return ours.toSorted((one, other) => {
      const [a, b] = [short(one.clientId), short(other.clientId)]
      const isPair = a.slice(1) === b.slice(1) && /^[ST]/.test(a) && /^[ST]/.test(b) && orderOf(one) === orderOf(other)
      return isPair ? b.localeCompare(a) : ours.indexOf(one) - ours.indexOf(other)
    })
  }

  /** Every order that ever reached the exchange, e.g. `S01 EXPIRED 0.01`; of one, what it traded. */
  atVenue(): readonly string[] {
    return this.#ours().map((order) => `${short(order.clientId)} ${order.status} ${Number(order.quantity)}`)
  }
  open(): readonly string[] {
    return this.atVenue().filter((line) => / (NEW|PARTIALLY_FILLED|PENDING_NEW) /.test(line))
  }
  /** What the account holds of the base asset. */
  held(): Promise<number> {
    return this.#exchange.held()
  }

  async events(order: OrderId): Promise<readonly EventRecord[]> {
    return (await this.store.readStreams([orderStream(order)])).get(orderStream(order))?.events ?? []
  }
  async types(order: OrderId): Promise<readonly string[]> {
    return (await this.events(order)).map(({ type }) => type)
  }
  async until<A>(what: string, look: () => A | Promise<A>, withinMs = 15_000): Promise<NonNullable<A>> {
    try {
      return (await eventually(
        what,
        async () => {
          const seen = await look()
          return seen === null || seen === undefined || seen === false ? undefined : seen
        },
        withinMs,
      )) as NonNullable<A>
    } catch (error) {
      throw new Error(`${String(error)}\n${await this.#story()}`, { cause: error })
    }
  }
  untilEvent(order: OrderId, type: string, times = 1): Promise<readonly string[]> {
    return this.until(`${type} of ${order}`, async () => {
      const types = await this.types(order)
      return types.filter((one) => one === type).length >= times ? types : undefined
    })
  }
  untilState(order: OrderId, state: string): Promise<unknown> {
    return this.until(`${order} is ${state}`, async () => (await this.events(order)).at(-1)?.state === state)
  }
  /** The region `protection`, as the events say. */
  async protection(order: OrderId): Promise<string | undefined> {
    return replay(order, await this.events(order)).steps.at(-1)?.regions.protection
  }

  /** The chain is whole, and the events explain themselves: folded again they give the same states and commands. */
  async explains(order: OrderId): Promise<unknown> {
    const events = await this.events(order)
    const { difference } = replay(order, events)
    if (difference !== undefined) return difference
    const { again } = explainOrder(events)
    if (again._tag === "Different") return again
    const verification = await verifyStream(this.store, orderStream(order))
    return verification.findings
  }

  async #story(): Promise<string> {
    const { orders } = await this.store.listOrders({ limit: 5 })
    const trails: string[] = []
    for (const { order } of orders) {
      const events = await this.events(order as OrderId)
      trails.push(`${order}: ${events.map(({ type, state }) => `${type}(${state})`).join(" ")}`)
    }
    return [...trails, `at the exchange: ${this.atVenue().join(", ")}`, `held: ${await this.held()}`, ...this.#alarms].join("\n")
  }

  #engineOptions(real: Venue, life: Life): EngineOptions {
    const venue = mortal(real, life)
    const facts = {
      name: real.name,
      mode: real.mode,
      markets: ["spot"],
      bracketStyle: real.bracketStyle,
      armsEntries: this.#options.arms ?? true,
      shortMarkets: [],
      positionMode: "one-way",
      receiveWindowMs: 2000,
      feeRate: canonical("0.001"),
      baseFeeRate: canonical(this.#options.baseFeeRate ?? "0.001"),
    } as const
    const seat = { venue, facts }
    const quiet = (): void => {}
    const loud = (fields: Readonly<Record<string, unknown>>, text: string): void =>
      void this.#alarms.push(`${text} ${JSON.stringify(fields)}`)
    return {
      engineId: "eng1",
      replica: `replica-${this.#processes}`,
      engineVersion: "1",
      settingsVersion: "1",
      mode: real.mode,
      decision: { ...DEFAULT_DECISION_SETTINGS, ...this.#options.decision },
      defaultMarket: "spot",
      defaultOrderType: "market",
      signalMaxBytes: 1_000_000,
      rejectedMaxBytes: 1_000_000_000,
      ackWaitMs: 5000,
      maxLiveOrders: 20_000,
      protectionStoreWaitMs: 250,
      receiveWindowMs: 2000,
      store: mortal(this.store, life),
      intake: mortal(this.intake, life),
      seatFor: () => seat,
      seats: [seat],
      clock: mortalClock(systemClock, life, () => 0),
      random: () => 0.5,
      newId: () => "id",
      log: { debug: quiet, info: quiet, warn: loud, error: loud },
      faults: {
        at: async (point) => {
          if (life.over) return new Promise<never>(() => {})
          if (point !== this.#diesAt) return
          this.kill()
          return new Promise<never>(() => {})
        },
      },
      alone: true,
    }
  }
}
