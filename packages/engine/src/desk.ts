/**
 * The orders that this process holds, and what they ask of it: the host of every {@link LiveOrder}.
 *
 * Promises: a command leaves only when its event is durable (or, protective, when the store is away and the plan is
 * durable), only while this process can believe that it owns the order, and the same work never runs twice at once; an
 * order that is settled has its message acknowledged after that is durable, and its open lot is handed to the stream of
 * lots before; what is done is forgotten.
 */
import type { Command, Decimal, OrderEvent, OrderId, SealedRecord } from "@petrosa/contracts"
import { add, approx, dec, mul, str, ZERO } from "@petrosa/contracts"
import type { StoredHead } from "./heads.ts"
import { HeadCheck } from "./heads.ts"
import type { Clock, MessageHandle } from "@petrosa/intake"
import type { OrderActor, OrderContext } from "@petrosa/lifecycle"
import { hasFills, isDone, LotBook, nextDeadline, OrderSystem } from "@petrosa/lifecycle"
import type { Venue } from "@petrosa/venue"
import { Asker } from "./ask.ts"
import type { BalanceKeeper } from "./balances.ts"
import { bookOrder } from "./books.ts"
import type { Journal } from "./journal.ts"
import type { OrderHost } from "./liveOrder.ts"
import { LiveOrder } from "./liveOrder.ts"
import type { EngineMetrics } from "./metrics.ts"
import { feedOf } from "./livePrice.ts"
import type { EngineOptions, VenueSeat } from "./options.ts"
import { DeadlineScheduler } from "./scheduler.ts"

/** What other parts of the engine hear of an order. */
export interface DeskListener {
  /** Events of it became durable. */
  durable?(order: LiveOrder, records: readonly SealedRecord[]): void
  /** It is not held here any more: done, given up to somebody else, or thrown away after a failed step. */
  left?(order: LiveOrder, why: "done" | "conflict" | "failed" | "parked"): void
  /** A step of it threw. */
  failed?(order: LiveOrder, error: unknown, input: string): void
  /** A closing order asks for its lots. */
  closeLots?(order: LiveOrder, command: Extract<Command, { type: "closeLots" }>): void
}

/** Ids of orders that were done lately: a late message for one of them needs no look into the store. */
const RECENTLY_DONE_MAX = 20_000
const PROTECTIVE_SWEEP_MS = 50
const QUIESCE_TICK_MS = 10
/** After a gap: what is filled does not wait longer than this for the store to say whose it is. */
const OWNER_WAIT_MS = 1000
/** Copies of a signal that turns out to be known already come again after this, one by one. */
const COPY_NAK_MS = 1000

/** While nobody can say whose it is, protection goes on by the plan; an entry does not leave. */
const mayGoOnUnproven = ({ context: { entry } }: LiveOrder): boolean => entry !== null && entry.status !== "sending"

/** Something is filled without a stop, or a market entry was taken and must fill any moment: not to be left alone now. */
const isRestless = (c: OrderContext): boolean =>
  c.parked === null && (c.unprotectedSinceMs !== null || (c.entry?.status === "live" && c.entry.type === "market") || c.closing !== null)

export class Desk implements OrderHost {
  readonly orders = new Map<OrderId, LiveOrder>()
  readonly book = new LotBook()
  readonly system = new OrderSystem()
  readonly journal: Journal
  readonly settingsVersion: string
  readonly engineVersion: string
  readonly replica: string
  readonly asker: Asker
  readonly options: EngineOptions
  readonly metrics: EngineMetrics
  readonly balances: ReadonlyMap<string, BalanceKeeper>
  stopping = false
  /** Since this process started. */
  completed = 0
  failed = 0
  parkedSeen = 0
  /** Exact: filled quantity × price of entries, in quote. */
  volumeQuote: Decimal = ZERO
  readonly #clock: Clock
  readonly #seats: ReadonlyMap<string, VenueSeat>
  readonly #listeners: DeskListener[] = []
  readonly #scheduler: DeadlineScheduler<OrderId>
  readonly #recentlyDone = new Map<OrderId, number>()
  readonly #waiting = new Set<LiveOrder>()
  readonly #heads: HeadCheck
  /** Requests on their way, and news being folded in. */
  #urgent = 0
  #settledHeld = 0
  #epoch = 0
  #sweeping = false

  constructor(options: EngineOptions, journal: Journal, metrics: EngineMetrics, balances: ReadonlyMap<string, BalanceKeeper>) {
    this.options = options
    this.journal = journal
    this.metrics = metrics
    this.balances = balances
    this.#clock = options.clock
    this.settingsVersion = options.settingsVersion
    this.engineVersion = options.engineVersion
    this.replica = options.replica
    this.#seats = new Map(options.seats.map((seat) => [seat.venue.name, seat]))
    this.#scheduler = new DeadlineScheduler(options.clock, (order) => this.#deadline(order))
    this.#heads = new HeadCheck(options.store)
    this.asker = new Asker({
      faults: options.faults,
      receiveWindowMs: options.receiveWindowMs,
      maxSignalAgeMs: options.decision.maxSignalAgeMs,
      log: options.log,
      nowMs: () => this.nowMs(),
      monotonicMs: () => this.monotonicMs(),
      sleep: (ms) => new Promise((resolve) => this.#clock.after(ms, resolve)),
      random: options.random,
      venueOf: (order) => this.venueOf(order.context),
      priceOf: ({ context: c }) => feedOf(this.#seats.get(c.venue))?.read(c.symbol, c.market),
      stillOwner: (order) => this.#stillOwner(order),
      isStopping: () => this.stopping,
      hurry: (order) => this.#hurry(order.order),
      measure: (what, order, sentAtMs) => this.#measure(what, order, sentAtMs),
    })
  }

  listen(listener: DeskListener): void {
    this.#listeners.push(listener)
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  /** Orders that are not settled: what `MAX_LIVE_ORDERS` bounds. Open lots of settled orders do not keep signals out. */
  get unsettled(): number {
    return this.orders.size - this.#settledHeld
  }

  venueOf(c: OrderContext): Venue | undefined {
    return this.#seats.get(c.venue)?.venue
  }

  wasDoneLately(order: OrderId): boolean {
    return this.#recentlyDone.has(order)
  }

  /** A new order, or (with `from`) one rebuilt from its events. */
  hold(
    order: OrderId,
    trace: string | null,
    from?: { readonly actor: OrderActor; readonly version: number; readonly head: string; readonly atMs: number },
  ): LiveOrder {
    const live = new LiveOrder(this, order, trace, from)
    live.epoch = this.#epoch
    this.orders.set(order, live)
    if (from !== undefined) this.onChanged(live)
    return live
  }

  #countSettled(order: LiveOrder, settled: boolean): void {
    if (order.countedSettled === settled) return
    order.countedSettled = settled
    this.#settledHeld += settled ? 1 : -1
  }

  /** Forgets an order without a word: no ack, no nak, no working. It is somebody else's, or comes back by itself. */
  drop(order: LiveOrder, why: "done" | "conflict" | "failed" | "parked"): void {
    order.dropped = true
    this.#countSettled(order, false)
    this.#waiting.delete(order)
    this.#scheduler.set(order.order, undefined)
    if (this.orders.get(order.order) === order) this.orders.delete(order.order)
    order.actor.stop()
    if (why === "done") this.#rememberDone(order.order)
    if (why !== "done") this.balances.get(order.context.venue)?.settled(order.order)
    for (const handle of order.handles.values()) handle.release()
    order.handles.clear()
    for (const listener of this.#listeners) listener.left?.(order, why)
  }

  /** This process slept, or was without the broker: its orders may have gone to others. */
  suspectAll(): void {
    this.#epoch += 1
  }

  onChanged(order: LiveOrder): void {
    const c = order.context
    this.#countSettled(order, c.settled !== null)
    bookOrder(this.book, order.order, c)
    this.#scheduler.set(order.order, nextDeadline(c)?.dueAtMs, order.nowMs)
    // Only where it ends: an adoption begins the clock anew, and ends nothing.
    if (c.unprotectedSinceMs === null && order.unprotectedSinceMs !== null)
      this.metrics.unprotected.observe(Math.max(0, order.nowMs - order.unprotectedSinceMs) / 1000)
    order.unprotectedSinceMs = c.unprotectedSinceMs
    if (c.entry !== null && c.entry.status !== "sending" && c.entry.status !== "unknown") this.balances.get(c.venue)?.settled(order.order)
    if (order.unsavedCount > 0) this.#watchProtective(order)
  }

  onDurable(order: LiveOrder, records: readonly SealedRecord[]): void {
    order.onFirstConflict = undefined
    order.onNeverBegun = undefined
    this.metrics.events.inc(records.length)
    for (const record of records) this.#count(order, record)
    for (const listener of this.#listeners) listener.durable?.(order, records)
    if (order.context.settled !== null || order.context.parked !== null) this.finish(order)
  }

  /** Acknowledges what may be acknowledged, hands the open lot on, and forgets what is done. */
  finish(order: LiveOrder): void {
    if (order.dropped || order.durableVersion < order.version) return
    const c = order.context
    if (c.parked !== null) {
      // Off the queue, its stop left in place; `petrosa unpark` puts it back.
      this.#acknowledge(order)
      this.drop(order, "parked")
      return
    }
    if (c.settled === null) return
    // Whoever is looking may find late truth: it is not done before that is over.
    if (order.tasks.has("recover") || order.tasks.has("look")) return
    if (isDone(c)) {
      this.#acknowledge(order)
      this.drop(order, "done")
      return
    }
    if (!hasFills(c)) return
    if (order.lotPublished) this.#acknowledgeSignals(order)
    // At a stop it stays with its signal's message, which goes back: a task that ends at once would begin again at once, for ever.
    // Taken up from the store by a process that is alone, it has no message yet, and what brings it back next time is the store.
    else if (order.handles.size > 0 && !this.stopping && !order.tasks.has("lot")) this.#task(order, "lot", () => this.#handLotOn(order))
  }

  run(order: LiveOrder, command: Command): void {
    switch (command.type) {
      case "placeEntry":
        return this.#task(order, `place ${command.request.clientOrderId}`, () =>
          this.asker.placeEntry(order, command.request, command.bracket),
        )
      case "resolveEntry":
        return this.#task(order, `resolve ${command.clientOrderId}`, () => this.asker.resolveEntry(order))
      case "cancelEntry":
      case "cancelLeg":
        return this.#task(order, `cancel ${command.clientOrderId}`, () => this.asker.cancel(order, command.clientOrderId))
      case "placeStop":
      case "placeTarget":
      case "flatten":
        return this.#task(order, `place ${command.request.clientOrderId}`, () => this.asker.placeLeg(order, command.request))
      case "resolveLeg":
        return this.#task(order, `resolve ${command.clientOrderId}`, () => this.asker.resolveLeg(order, command.leg, command.clientOrderId))
      case "placeBracket":
        return this.#task(order, `place ${command.bracket.list}`, () => this.asker.lists.placeBracket(order, command.bracket))
      case "resolveBracket":
        return this.#task(order, `resolve list ${command.stop}`, () => this.asker.lists.resolve(order, command))
      case "cancelBracket":
        return this.#task(order, `cancel list ${command.stop}`, () => this.asker.lists.cancel(order, command))
      case "closeLots":
        for (const listener of this.#listeners) listener.closeLots?.(order, command)
        return
    }
  }

  onConflict(order: LiveOrder): void {
    if (order.durableVersion === 0 && order.onFirstConflict !== undefined && !this.stopping) {
      // Not lost: it was never ours to begin. Its message is still held, and the store says what to do with it.
      const lookUp = order.onFirstConflict
      const [, ...copies] = [...order.handles.values()]
      order.handles.clear()
      // What we decided counts for nothing, its slot and its money neither.
      this.book.release(order.order)
      this.drop(order, "conflict")
      lookUp()
      for (const copy of copies) copy.nak(COPY_NAK_MS)
      return
    }
    this.metrics.conflicts.inc()
    this.options.log.warn(
      { order: order.order, version: order.version },
      "another process wrote this order's stream: it is not ours any more",
    )
    this.drop(order, "conflict")
  }

  onRefused(order: LiveOrder, event: OrderEvent): void {
    this.metrics.refusedEvents.inc({ type: event.type })
    this.options.log.debug(
      { order: order.order, event: event.type, regions: order.actor.regions },
      "the machine does not take this event here",
    )
  }

  onStepFailed(order: LiveOrder, error: unknown, input: string): void {
    this.metrics.stepFailures.inc()
    this.options.log.error({ order: order.order, input, error: String(error) }, "a step of the order threw")
    for (const listener of this.#listeners) listener.failed?.(order, error, input)
  }

  /** Resolves when everything taken so far is durable, or after the wait for the store that a position has. */
  recorded(order: LiveOrder): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(this.options.protectionStoreWaitMs, resolve)
      order.whenDurable(() => {
        cancel()
        resolve()
      })
    })
  }

  retryFlush(flush: () => void): void {
    this.#clock.after(PROTECTIVE_SWEEP_MS, flush)
  }

  /** Runs work for an order under a name; the same name does not run twice at once. No promise: it is done already. */
  task(order: LiveOrder, name: string, work: () => Promise<unknown> | undefined): void {
    this.#task(order, name, work)
  }

  /**
   * Nothing new comes in any more: lets what was begun get to where it can be left alone, at most this long. Entries whose
   * intent is durable leave, answers come home, and what is filled gets its stop: the process may be down for a while.
   */
  async quiesce(timeoutMs: number): Promise<void> {
    const untilMs = this.monotonicMs() + timeoutMs
    for (const order of this.orders.values()) if (isRestless(order.context)) this.#task(order, "look", () => this.asker.look(order))
    while (this.monotonicMs() < untilMs && this.#isBusy()) await new Promise<void>((resolve) => this.#clock.after(QUIESCE_TICK_MS, resolve))
    this.stopping = true
    this.#scheduler.stop()
    // Questions that stay open are asked again by whoever comes next.
  }

  #isBusy(): boolean {
    if (this.#urgent > 0 || this.journal.pending > 0) return true
    for (const order of this.orders.values()) if (isRestless(order.context)) return true
    return false
  }

  #task(order: LiveOrder, name: string, work: () => Promise<unknown> | undefined): void {
    if (order.tasks.has(name) || order.dropped) return
    order.tasks.add(name)
    const urgent = name.startsWith("place") || name.startsWith("hear")
    if (urgent) this.#urgent += 1
    const over = (): void => {
      order.tasks.delete(name)
      if (urgent) this.#urgent -= 1
      if (order.context.settled !== null) this.finish(order)
    }
    const failed = (error: unknown): void => {
      this.onStepFailed(order, error, name)
      over()
    }
    let going: Promise<unknown> | undefined
    try {
      going = work()
    } catch (error) {
      failed(error)
      return
    }
    if (going === undefined) over()
    else going.then(over, failed)
  }

  #acknowledge(order: LiveOrder): void {
    for (const handle of order.handles.values()) this.#ack(order, handle)
    order.handles.clear()
  }

  /** Synchronous in production; with fault points a test may stall or crash the process on either side of it. */
  #ack(order: LiveOrder, handle: MessageHandle): void {
    const { faults } = this.options
    if (faults === undefined) {
      handle.ack()
      return
    }
    void (async () => {
      await faults.at("broker.ack.before", order.order)
      handle.ack()
      await faults.at("broker.ack.after", order.order)
    })()
  }

  /** The lot has a message of its own: what else stands for the order has done its work. */
  #acknowledgeSignals(order: LiveOrder): void {
    for (const [key, handle] of order.handles) {
      if (key.startsWith("lot:")) continue
      this.#ack(order, handle)
      order.handles.delete(key)
    }
  }

  /** The signal's message is acknowledged only when the open lot stands in a stream of its own. */
  async #handLotOn(order: LiveOrder): Promise<void> {
    const { faults } = this.options
    for (let n = 0; !order.dropped && !this.stopping; n++) {
      await faults?.at("broker.lot.before", order.order)
      const result = await this.options.intake.publishLot(order.order, order.version)
      await faults?.at("broker.lot.after", order.order)
      if (result._tag === "Published" || result._tag === "Occupied") {
        order.lotPublished = true
        if (order.dropped) return
        this.finish(order)
        return
      }
      if (n === 0) this.options.log.warn({ order: order.order, result }, "the open lot could not be handed to its stream; trying again")
      await new Promise<void>((resolve) => this.#clock.after(Math.min(5000, 200 * 2 ** Math.min(n, 6)), resolve))
    }
  }

  #deadline(id: OrderId): void {
    const order = this.orders.get(id)
    if (order === undefined || order.dropped) return
    const due = nextDeadline(order.context)
    if (due === undefined) return
    // The scheduler counts the time that has passed here; the wall clock may have been set back meanwhile.
    order.take([{ type: "DeadlinePassed", data: { deadline: due.deadline, dueAtMs: due.dueAtMs, nowMs: order.nowMs } }], "deadline")
  }

  /** Orders whose protective commands wait for the store are looked at until they have left. */
  #watchProtective(order: LiveOrder): void {
    this.#waiting.add(order)
    if (this.#sweeping) return
    this.#sweeping = true
    const sweep = (): void => {
      const olderThanMs = this.monotonicMs() - this.options.protectionStoreWaitMs
      // No iterator: it would make an object for each of them, twenty times a second.
      this.#waiting.forEach((one) => {
        if (one.dropped || one.unsavedCount === 0) this.#waiting.delete(one)
        else one.releaseProtective(olderThanMs)
      })
      this.#sweeping = this.#waiting.size > 0
      if (this.#sweeping) this.#clock.after(PROTECTIVE_SWEEP_MS, sweep)
    }
    this.#clock.after(PROTECTIVE_SWEEP_MS, sweep)
  }

  /** After a gap: is the head in the store still the one that we wrote? */
  #stillOwner(order: LiveOrder): boolean | Promise<boolean> {
    if (order.dropped) return false
    this.#checkClock()
    return order.epoch === this.#epoch || this.#proveOwner(order)
  }

  #proveOwner(order: LiveOrder): Promise<boolean> {
    const proven = this.#askOwner(order)
    if (!mayGoOnUnproven(order)) return proven
    // A store that takes its time is, for what is filled, one that is away. What it says in the end counts all the same.
    return new Promise((resolve) => {
      const cancel = this.#clock.after(OWNER_WAIT_MS, () => resolve(!order.dropped))
      void proven.then((isOwner) => {
        cancel()
        resolve(isOwner)
      })
    })
  }

  async #askOwner(order: LiveOrder): Promise<boolean> {
    const epoch = this.#epoch
    const head: StoredHead = await this.#heads.read(order.stream)
    if (order.dropped) return false
    if (head._tag === "Unknown") return mayGoOnUnproven(order)
    if (head.version > order.version || (head.version === order.version && head.hash !== order.head)) {
      this.onConflict(order)
      return false
    }
    order.epoch = epoch
    return true
  }

  #hurry: (order: OrderId) => void = () => {}
  /** Lets an order that has something to place have its recovery first. */
  onHurry(hurry: (order: OrderId) => void): void {
    this.#hurry = hurry
  }

  #checkClock: () => void = () => {}
  /** Lets the intakes look for a gap in our own clock before a command leaves. */
  onCheckClock(check: () => void): void {
    this.#checkClock = check
  }

  #rememberDone(order: OrderId): void {
    this.#recentlyDone.delete(order)
    this.#recentlyDone.set(order, this.nowMs())
    if (this.#recentlyDone.size <= RECENTLY_DONE_MAX) return
    const [oldest] = this.#recentlyDone.keys()
    if (oldest !== undefined) this.#recentlyDone.delete(oldest)
  }

  #measure(what: string, order: LiveOrder, sentAtMs: number): void {
    this.metrics.requestsOf(what).observe((this.nowMs() - sentAtMs) / 1000)
    if (what === "entry" && order.context.adoptedAtMs.length === 0)
      this.metrics.signalToEntry.observe(Math.max(0, sentAtMs - order.arrivedAtMs) / 1000)
    if (what === "stop" && order.context.unprotectedSinceMs !== null) {
      this.metrics.fillToStop.observe(Math.max(0, sentAtMs - order.context.unprotectedSinceMs) / 1000)
    }
  }

  #count(order: LiveOrder, { envelope, flat }: SealedRecord): void {
    switch (envelope.type) {
      case "OrderCompleted":
      case "OrderFailed":
        if (envelope.type === "OrderCompleted") this.completed += 1
        else this.failed += 1
        this.metrics.settled.inc({ state: envelope.state, reason: flat.reason ?? "" })
        break
      case "LotClosed":
        this.metrics.lotsClosed.inc({ closed_by: order.context.closedBy ?? "close" })
        break
      case "LotOverClosed":
        this.options.log.error(
          { order: order.order, excess: order.context.excess },
          "two exits of a lot traded: more was given back than was held; what is left of its legs is being cancelled",
        )
        break
      case "PositionMissing":
        this.options.log.error(
          { order: order.order, missing: envelope.data },
          "the venue holds less than the lots, and no leg of ours closed it: legs for what is not there are being cancelled",
        )
        break
      case "OrderParked":
        this.parkedSeen += 1
        this.metrics.parkedOrders.inc({ code: order.context.parked?.code ?? "" })
        break
      case "EntryFilled":
      case "EntryPartlyFilled":
      case "LateFillFound": {
        const data = envelope.data as { readonly fills?: readonly { readonly price: string; readonly quantity: string }[] }
        for (const fill of data.fills ?? []) {
          const worth = mul(dec(fill.price), dec(fill.quantity))
          this.volumeQuote = add(this.volumeQuote, worth)
          this.metrics.volume.inc(approx(str(worth)))
        }
        break
      }
    }
  }
}
