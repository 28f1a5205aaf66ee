/**
 * An engine in this process on a real Binance adapter, over HTTP and WebSocket to the local Binance; broker and store are in
 * the hand of who runs it. Time is real: whoever waits waits for facts, with a deadline. No test runner is needed.
 *
 * `kill` is a `kill -9`: from that moment nothing that the process began reaches anybody, and nothing reaches it.
 */
import { EXAMPLE_KEY, EXAMPLE_SECRET, startSandbox } from "@petrosa/binance-sandbox"
import type { LedgerOrder, Sandbox, SandboxOptions } from "@petrosa/binance-sandbox"
import type { EventRecord, Fill, Market, OrderId } from "@petrosa/contracts"
import { add, canonical, dec, orderStream, parseClientOrderId, str, ZERO } from "@petrosa/contracts"
import { Engine, engineFace } from "@petrosa/engine"
import type { EngineOptions, FaultPoint } from "@petrosa/engine"
import { SqliteEventStore, verifyStream } from "@petrosa/event-store"
import { systemClock } from "@petrosa/intake"
import { DEFAULT_DECISION_SETTINGS, rebuild, replay } from "@petrosa/lifecycle"
import type { DecisionSettings } from "@petrosa/lifecycle"
import { openBinanceFutures, openBinanceSpot } from "@petrosa/venue"
import type { FuturesOptions, SpotOptions, Trouble, Venue } from "@petrosa/venue"
import { mortal, mortalClock } from "../../packages/engine/test/shell/mortal.ts"
import type { Life } from "../../packages/engine/test/shell/mortal.ts"
import { ScriptedIntake } from "../../packages/engine/test/shell/scriptedIntake.ts"
import { until } from "../support/until.ts"

export const SYMBOL = "BTCUSDT"
export const START_PRICE = "50000"

export interface LocalOptions {
  readonly market: Market
  readonly hedge?: boolean
  readonly sandbox?: SandboxOptions
  readonly decision?: Partial<DecisionSettings>
  readonly venue?: Partial<SpotOptions & FuturesOptions>
  /** Shorter than the product's, which waits a minute before it believes that there is no order. */
  readonly absenceProofMs?: number
}

/** Of an order of ours the part that a person reads: `S01` is the first stop. */
export const short = (clientId: string): string => clientId.slice(-3)

export class LocalWorld {
  readonly sandbox: Sandbox
  readonly market: Market
  readonly store = SqliteEventStore.open({ file: ":memory:" })
  readonly intake = new ScriptedIntake(systemClock)
  readonly troubles: Trouble[] = []
  readonly alarms: string[] = []
  readonly #options: LocalOptions
  readonly #opened: Venue[] = []
  readonly #messages = new Map<OrderId, ReturnType<ScriptedIntake["message"]>>()
  #life: Life = { over: true }
  #engine: Engine | undefined
  #processes = 0
  #signals = 0
  #diesAt: FaultPoint | undefined

  private constructor(sandbox: Sandbox, options: LocalOptions) {
    this.sandbox = sandbox
    this.market = options.market
    this.#options = options
  }

  static async start(options: LocalOptions): Promise<LocalWorld> {
    const sandbox = await startSandbox({
      accounts: [
        {
          name: "main",
          apiKey: EXAMPLE_KEY,
          apiSecret: EXAMPLE_SECRET,
          spot: { USDT: "100000" },
          futures: { USDT: "100000" },
          hedgeMode: options.hedge ?? false,
        },
      ],
      prices: { [SYMBOL]: START_PRICE },
      strictStreams: true,
      ...options.sandbox,
    })
    const world = new LocalWorld(sandbox, options)
    try {
      await world.begin()
    } catch (error) {
      await world.close()
      throw error
    }
    return world
  }
  /** Another process, after the one before was killed. */
  async begin(): Promise<void> {
    const life: Life = { over: false }
    this.#life = life
    this.#processes += 1
    this.#diesAt = undefined
    const venue = await this.#open()
    const engine = new Engine(this.#engineOptions(venue, life))
    this.#engine = engine
    await engine.start()
  }
  kill(): void {
    this.#life.over = true
    this.#engine = undefined
    this.intake.died()
  }
  async close(): Promise<void> {
    if (this.#engine !== undefined) this.kill()
    for (const venue of this.#opened) await venue.close()
    await this.sandbox.close()
    await this.store.close()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
  get alive(): boolean {
    return this.#engine !== undefined
  }
  /** The process dies when it comes to this point next. */
  dieAt(point: FaultPoint): void {
    this.#diesAt = point
  }
  async #open(): Promise<Venue> {
    const common = {
      mode: "testnet",
      credentials: { kind: "hmac", apiKey: EXAMPLE_KEY, apiSecret: EXAMPLE_SECRET },
      onTrouble: (trouble: Trouble) => void this.troubles.push(trouble),
      ...this.#options.venue,
    } as const
    const { sandbox } = this
    const start =
      this.market === "spot"
        ? await openBinanceSpot({ restUrl: sandbox.spotUrl, socketUrl: sandbox.spotApiSocketUrl, ...common })
        : await openBinanceFutures({ restUrl: sandbox.futuresUrl, socketUrl: sandbox.futuresStreamUrl, ...common })
    if (start._tag !== "Started") throw new Error(`not started: ${start.code} ${start.message}`)
    this.#opened.push(start.venue)
    return start.venue
  }

  // ---- what a strategy does

  /** Publishes a signal of a strategy of its own; the order that it becomes. */
  async send(change: Readonly<Record<string, unknown>> = {}): Promise<OrderId> {
    this.#signals += 1
    const signal = {
      strategy_id: `s${this.#signals}`,
      signal_id: `signal-${this.#signals}`,
      symbol: SYMBOL,
      market: this.market,
      action: "buy",
      confidence: 0.9,
      price: 50000,
      current_price: 50000,
      quantity: 0.01,
      order_type: "market",
      timestamp: new Date().toISOString(),
      ...change,
    }
    const message = this.intake.message("signal", signal)
    this.intake.deliver(message)
    const row = await until(async () => (await this.store.findOrder(signal.signal_id)) ?? undefined, {
      what: `the order of ${signal.signal_id}`,
    })
    const order = row.order as OrderId
    this.#messages.set(order, message)
    return order
  }
  /** The broker hands the order's message to who is alive. */
  redeliver(order: OrderId): void {
    const message = this.#messages.get(order)
    if (message === undefined) throw new Error(`no message of ${order}`)
    this.intake.deliver(this.intake.again(message))
  }
  async cancelEntry(order: OrderId): Promise<string> {
    const engine = this.#engine
    if (engine === undefined) throw new Error("nobody is alive")
    return (await engineFace(engine).cancelEntry(SYMBOL, order, "operator", this.market))._tag
  }
  setPrice(price: string): void {
    this.sandbox.setPrice(SYMBOL, price, { market: this.market, mark: price })
  }
  /** The engine's own view of the price has come near this one. */
  async untilPriceSeen(price: string): Promise<void> {
    await until(() => Math.abs(Number(this.#opened.at(-1)?.price(SYMBOL, this.market)?.price ?? price) / Number(price) - 1) < 0.0005, {
      what: `the price ${price} is seen`,
    })
  }

  // ---- what the exchange knows

  /** Orders of ours that the exchange has ever had (children of algo orders aside). */
  orders(order?: OrderId): readonly LedgerOrder[] {
    return this.sandbox
      .ledger()
      .orders.filter(
        ({ clientId, market }) =>
          market === this.market && parseClientOrderId(clientId) !== undefined && (order === undefined || clientId.includes(order)),
      )
  }
  entry(order: OrderId): LedgerOrder | undefined {
    return this.orders(order).find(({ clientId }) => short(clientId).startsWith("E"))
  }
  algoEntry(order: OrderId): string | undefined {
    return this.sandbox.ledger().algoOrders.find(({ clientAlgoId }) => clientAlgoId.includes(order) && short(clientAlgoId).startsWith("E"))
      ?.clientAlgoId
  }
  /** How many entries ever reached the exchange: an algo order and its child are one. */
  entries(order: OrderId): number {
    const { orders, algoOrders } = this.sandbox.ledger()
    const children = new Set(algoOrders.map((algo) => algo.childOrderId))
    const ours = (id: string): boolean => id.includes(order) && short(id).startsWith("E")
    return (
      orders.filter(({ clientId, orderId, market }) => market === this.market && ours(clientId) && !children.has(orderId)).length +
      algoOrders.filter(({ clientAlgoId }) => ours(clientAlgoId)).length
    )
  }
  /** Our protective legs that are live at the exchange, e.g. `S01`. */
  liveLegs(order?: OrderId): readonly string[] {
    const { orders, algoOrders } = this.sandbox.ledger()
    const open = orders
      .filter(({ market, status }) => market === this.market && ["NEW", "PARTIALLY_FILLED", "PENDING_NEW"].includes(status))
      .map(({ clientId }) => clientId)
    const waiting = algoOrders.filter(({ status }) => status === "NEW").map(({ clientAlgoId }) => clientAlgoId)
    return [...(this.market === "futures" ? waiting : []), ...open]
      .filter((id) => parseClientOrderId(id) !== undefined && (order === undefined || id.includes(order)))
      .map(short)
      .sort()
  }
  /** Trades of the order at the exchange and fills in its events: quantities by trade id. */
  async trades(order: OrderId): Promise<{ readonly exchange: readonly string[]; readonly events: readonly string[] }> {
    const { trades, algoOrders } = this.sandbox.ledger()
    const parents = new Map(algoOrders.map((algo) => [algo.childOrderId, algo.clientAlgoId]))
    const said = (id: string, quantity: string): string => `${id} ${str(dec(quantity))}`
    const events = (await this.events(order)).flatMap(({ data }) => (data as { readonly fills?: readonly Fill[] }).fills ?? [])
    return {
      exchange: trades
        .filter(
          ({ clientId, orderId, market }) =>
            market === this.market && (clientId.includes(order) || (parents.get(orderId) ?? "").includes(order)),
        )
        .map(({ tradeId, quantity }) => said(tradeId, quantity))
        .sort(),
      events: [...new Set(events.map(({ tradeId, quantity }) => said(tradeId, quantity)))].sort(),
    }
  }
  /** What the account has of the base asset, or its position: signed. */
  get held(): string {
    if (this.market === "spot") return str(dec(this.sandbox.world.exchange.store.balance("main:spot", "BTC").total))
    const { desk } = this.sandbox.world.futures
    return str((["BOTH", "LONG", "SHORT"] as const).reduce((total, side) => add(total, desk.position("main", SYMBOL, side).quantity), ZERO))
  }

  // ---- what the store knows

  async events(order: OrderId): Promise<readonly EventRecord[]> {
    return (await this.store.readStreams([orderStream(order)])).get(orderStream(order))?.events ?? []
  }
  async types(order: OrderId): Promise<readonly string[]> {
    return (await this.events(order)).map(({ type }) => type)
  }
  async settled(order: OrderId): Promise<EventRecord> {
    return this.#until(`${order} is settled`, order, async () => {
      const last = (await this.events(order)).at(-1)
      return last !== undefined && (last.state === "filled" || last.state === "failed") ? last : undefined
    })
  }
  async untilEvent(order: OrderId, type: string): Promise<EventRecord> {
    return this.#until(`${type} of ${order}`, order, async () => (await this.events(order)).find((event) => event.type === type))
  }
  async untilCovered(order: OrderId): Promise<void> {
    await this.#until(
      `${order} is covered`,
      order,
      async () => replay(order, await this.events(order)).steps.at(-1)?.regions.protection === "covered",
    )
  }
  /** Closed once, each leg proven gone, nothing of it left at the exchange. */
  async untilClosed(order: OrderId): Promise<void> {
    await this.untilEvent(order, "LotClosed")
    await this.#until(`every leg of ${order} is over`, order, async () => {
      const built = rebuild(order, await this.events(order))
      return (
        built._tag === "Rebuilt" && built.actor.context.legs.every(({ status }) => status === "over") && this.liveLegs(order).length === 0
      )
    })
  }
  /** What is wrong with the order's own story: its chain, its replay, its trades. Empty: nothing. */
  async complaints(order: OrderId): Promise<readonly string[]> {
    const { difference } = replay(order, await this.events(order))
    const { findings } = await verifyStream(this.store, orderStream(order))
    const { exchange, events } = await this.trades(order)
    return [
      ...(difference === undefined ? [] : [`replay: ${JSON.stringify(difference)}`]),
      ...findings.map((finding) => `chain: ${JSON.stringify(finding)}`),
      ...(exchange.join() === events.join() ? [] : [`trades: the exchange has ${exchange.join()}, the events ${events.join()}`]),
      ...(this.entries(order) > 1 ? [`${this.entries(order)} entries`] : []),
    ]
  }
  async #until<A>(what: string, order: OrderId, look: () => Promise<A>): Promise<Exclude<A, undefined | false>> {
    return until(look, {
      what,
      timeoutMs: 10_000,
      seen: async () => ({
        events: (await this.events(order)).map(({ type, state }) => `${type}(${state})`),
        exchange: this.orders(order).map(({ clientId, status }) => `${short(clientId)} ${status}`),
        legs: this.liveLegs(order),
        alarms: this.alarms.slice(-5),
      }),
    })
  }

  #engineOptions(real: Venue, life: Life): EngineOptions {
    const venue = mortal(impatient(real, this.#options.absenceProofMs), life)
    const spot = this.market === "spot"
    const facts = {
      name: real.name,
      mode: "testnet",
      markets: [this.market],
      bracketStyle: real.bracketStyle,
      armsEntries: spot,
      shortMarkets: spot ? [] : (["futures"] as const),
      positionMode: this.#options.hedge === true ? "hedge" : "one-way",
      receiveWindowMs: 2000,
      feeRate: canonical("0.001"),
      baseFeeRate: canonical(spot ? "0.001" : "0"),
    } as const
    const seat = { venue, facts }
    const quiet = (): void => {}
    const loud = (fields: Readonly<Record<string, unknown>>, text: string): void =>
      void this.alarms.push(`${text} ${JSON.stringify(fields)}`)
    return {
      engineId: "eng1",
      replica: `replica-${this.#processes}`,
      engineVersion: "1",
      settingsVersion: "1",
      mode: "testnet",
      decision: { ...DEFAULT_DECISION_SETTINGS, maxOpenPositions: 1000, ...this.#options.decision },
      defaultMarket: this.market,
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

const impatient = (venue: Venue, absenceProofMs: number | undefined): Venue =>
  absenceProofMs === undefined
    ? venue
    : new Proxy(venue, {
        get(from, key) {
          if (key === "absenceProofMs") return absenceProofMs
          const value: unknown = Reflect.get(from, key, from)
          return typeof value === "function" ? (value as (...given: readonly unknown[]) => unknown).bind(from) : value
        },
      })
