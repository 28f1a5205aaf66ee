/**
 * The engine: joins the order desk, the intakes, the venues and the store, and lives through start, outages and stop.
 *
 * Start: the lot book is filled before the first entry, balances are known, then messages flow; a process that is alone
 * takes back at once what it had before it died. Stop: nothing new, what is on its way comes home, everything held is
 * given back. Kill at any point: the messages come again, and the store says how far each order got.
 */
import type { EventRecord, OrderId, SealedRecord } from "@petrosa/contracts"
import type { IntakeEvent, QueueKind } from "@petrosa/intake"
import { AnchorWriter } from "@petrosa/event-store"
import { Announcer } from "./announce.ts"
import { BalanceKeeper } from "./balances.ts"
import { bookRow } from "./books.ts"
import { cancelEvents, closeEvents, joinCloser } from "./closing.ts"
import { Desk } from "./desk.ts"
import { Journal } from "./journal.ts"
import type { LiveOrder } from "./liveOrder.ts"
import { EngineMetrics } from "./metrics.ts"
import type { EngineOptions } from "./options.ts"
import { joinPoison } from "./poison.ts"
import { PositionWatch } from "./positions.ts"
import { Receiver, type ResumeRequest } from "./receive.ts"
import { StoreWatch } from "./storeWatch.ts"
import { SnapshotKeeper } from "./snapshots.ts"
import { Sweeper } from "./sweep.ts"
import { movedFirst } from "./movedFirst.ts"
import { takeUpFromStore } from "./takeUp.ts"
import { VenueFeed } from "./venueFeed.ts"

const REJECTED_BYTES_KEY = "rejected_bytes"
/** Requests to the venue that are on their way at a graceful stop get this long to come home. */
const QUIESCE_MS = 2500
/** Other processes' lots are read from the store this often, while there are other processes. */
const OTHERS_EVERY_MS = 1000
const OTHERS_HEARD_WITHIN_MS = 30_000
const START_RETRY_MS = 1000
const ANCHOR_EVERY_MS = 10_000
const LOTS_AT_ONCE = 1000
/**
 * While more events than this wait for the store, no new signal is taken in: one of its batches. More would make entries
 * miss their deadline, and stops wait behind the entries of others; and it would be slower: what many orders hold while
 * they take turns is neither in the processor's cache nor young any more (2000: 800 orders/s, 500: 1000, 250: 940).
 */
const WAITING_EVENTS_MAX = 500
/** From SignalReceived to EntryIntended: what a signal adds to what waits, when it comes in. */
const EVENTS_OF_A_DECISION = 4

const DEFAULTS_KEY = "identity_defaults"

/** DEFAULT_MARKET or DEFAULT_ORDER_TYPE changed while orders are in flight whose identity depends on them. */
export class DefaultsChanged extends Error {
  override readonly name = "DefaultsChanged"
  constructor(before: string, now: string, inFlight: number) {
    super(
      `DEFAULT_MARKET and DEFAULT_ORDER_TYPE were "${before}" and are now "${now}", while ${inFlight} order(s) are in flight: their signals would become other orders. ` +
        "Start with the former values until they are settled (petrosa orders), then change them.",
    )
  }
}

export interface EngineState {
  readonly storeAwaySince: number | undefined
  readonly storeAwayReason: string
  readonly started: boolean
  readonly stopping: boolean
}

export class Engine {
  readonly options: EngineOptions
  readonly desk: Desk
  readonly journal: Journal
  readonly metrics: EngineMetrics
  readonly receiver: Receiver
  readonly #balances: ReadonlyMap<string, BalanceKeeper>
  readonly #feed: VenueFeed
  readonly #positions: PositionWatch
  readonly #announcer: Announcer
  readonly #snapshots: SnapshotKeeper
  readonly #sweeper: Sweeper
  readonly #storeWatch: StoreWatch
  /** Who finds that the store is away, and why: whoever appends, or the watch. */
  readonly #away = new Map<"append" | "watch", string>()
  readonly #anchors: AnchorWriter
  #storeAwaySince: number | undefined
  #storeAwayReason = ""
  #started = false
  #stopping = false
  #troubles = new Map<string, string>()
  #othersHeardMs = Number.NEGATIVE_INFINITY
  #cancelOthers: (() => void) | undefined
  #cancelAnchors: (() => void) | undefined
  #stopJournal: (() => void) | undefined

  constructor(options: EngineOptions) {
    this.options = options
    this.journal = new Journal(options.store, (reason) => this.#storeState("append", reason), options.faults)
    this.metrics = new EngineMetrics({
      liveOrders: () => this.desk.orders.size,
      openLots: () => this.desk.book.size,
      storeAway: () => this.#storeAwaySince !== undefined,
      pendingRecords: () => this.journal.pending,
    })
    this.#balances = new Map(options.seats.map(({ venue }) => [venue.name, new BalanceKeeper(venue, options.clock)]))
    this.desk = new Desk(options, this.journal, this.metrics, this.#balances)
    this.receiver = new Receiver(this.desk)
    this.receiver.onResume = (order, request) => this.#resume(order, request)
    this.#positions = new PositionWatch(this.desk)
    this.#feed = new VenueFeed(this.desk, this.#positions)
    this.#announcer = new Announcer(this.desk)
    this.#sweeper = new Sweeper(this.desk)
    this.#storeWatch = new StoreWatch(options.store, options.clock, (reason) => this.#storeState("watch", reason))
    this.#anchors = new AnchorWriter({
      store: options.store,
      append: (append) => this.journal.append(append.stream, append.records),
      replica: options.replica,
      startedAtMs: options.clock.nowMs(),
      nowMs: () => options.clock.nowMs(),
      engineVersion: options.engineVersion,
      settingsVersion: options.settingsVersion,
      simulationMode: options.mode === "simulation",
      // Into the log, out of the reach of whoever can write the store.
      onAnchored: (head) => options.log.info({ ...head }, "anchored"),
    })
    this.journal.listen((records) => {
      for (let i = 0; i < records.length; i++) {
        const { envelope, hash } = records[i] as SealedRecord
        // What was appended together stands together: the last of it is the head.
        if (records[i + 1]?.envelope.stream !== envelope.stream) this.#anchors.moved(envelope.stream, envelope.version, hash)
      }
    })
    this.desk.onHurry((order) => this.receiver.recoveries.hurry(order))
    this.#snapshots = new SnapshotKeeper(this.desk)
    joinCloser(this.desk)
    joinPoison(this.desk, (order) => this.receiver.recover(order, []))
  }

  get state(): EngineState & { readonly troubles: ReadonlyMap<string, string> } {
    return {
      storeAwaySince: this.#storeAwaySince,
      storeAwayReason: this.#storeAwayReason,
      started: this.#started,
      stopping: this.#stopping,
      troubles: this.#troubles,
    }
  }

  async start(): Promise<void> {
    const { options } = this
    this.receiver.restoreRejectedBytes(
      Number((await this.#persistently("read the store", () => options.store.getMeta(REJECTED_BYTES_KEY))) ?? 0),
    )
    // Who is alone holds what is open before anything counts on the book: the orders enter it themselves.
    if (!options.alone) await this.#fillBook()
    for (const [venue, keeper] of this.#balances) {
      await keeper.start((problem) =>
        options.log.warn({ venue, problem }, "the balance is not known; waiting for it before any signal is taken in"),
      )
    }
    await this.#checkDefaults()
    this.#positions.start(options.seats)
    this.#feed.start(options.seats)
    if (options.alone) {
      const { recoveries } = this.receiver
      recoveries.hold()
      // Asked back meanwhile: afterwards thousands of questions to the venue would go first.
      const asked = options.intake.reclaim()
      const { taken, left } = await this.#persistently("take up what is open", () => takeUpFromStore(this.desk, this.receiver))
      for (const order of left) await this.#bookFromStore(order)
      recoveries.release()
      void movedFirst(this.desk, recoveries)
      if (taken > 0) options.log.info({ takenUp: taken }, "open orders are taken up from the store")
      options.log.info({ ...(await asked) }, "what an earlier process held is asked back")
    }
    this.desk.onCheckClock(() => options.intake.checkClock())
    this.#anchors.begin().catch((error: unknown) => options.log.debug({ error: String(error) }, "the first anchor looks back instead"))
    options.intake.start({
      take: (batch) => {
        if (this.#stopping) {
          for (const message of batch) message.nak()
          return
        }
        const [first] = batch
        if (first?.kind === "lot") this.receiver.lots(batch)
        else this.receiver.signals(batch)
      },
      capacity: (queue) => this.#capacity(queue),
      onEvent: (event, queue) => this.#intakeEvent(queue, event),
    })
    this.#stopJournal = options.onJournal?.((replica, batch) => this.#othersJournal(replica, batch))
    this.#started = true
    this.#sweeper.start()
    this.#storeWatch.start()
    this.#anchorRegularly()
    this.#watchOthers()
    options.log.info(
      { replica: options.replica, openLots: this.desk.book.size, store: options.store.kind, mode: options.mode },
      "the engine is at work",
    )
  }

  /** Gives everything back: another process has it at once. Nothing is left undone that was begun and can be finished in time. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const { log, store } = this.options
    this.#cancelOthers?.()
    this.#sweeper.stop()
    this.#storeWatch.stop()
    this.#snapshots.stop()
    this.#cancelAnchors?.()
    this.#stopJournal?.()
    const { intake } = this.options
    await intake.pause()
    await this.receiver.guard.clear()
    await this.desk.quiesce(QUIESCE_MS)
    this.#feed.stop()
    this.#positions.stop()
    for (const keeper of this.#balances.values()) keeper.stop()
    if (this.receiver.rejectedBytes > 0 && this.#storeAwaySince === undefined) {
      await store
        .setMeta(REJECTED_BYTES_KEY, String(this.receiver.rejectedBytes))
        .catch((error: unknown) => log.warn({ error: String(error) }, "a counter could not be saved"))
    }
    if (this.#storeAwaySince === undefined) await this.#anchor()
    if (this.#storeAwaySince === undefined) await this.receiver.guard.clear()
    await this.journal.close(QUIESCE_MS)
    const stopped = await intake.stop()
    log.info({ ...stopped }, "stopped; what was held is given back")
  }

  /** What moved is anchored every ten seconds: a cut tail, or a stream that is gone, is found up to the last anchor. */
  #anchorRegularly(): void {
    this.#cancelAnchors = this.options.clock.after(ANCHOR_EVERY_MS, () => {
      const done = this.#storeAwaySince === undefined ? this.#anchor() : Promise.resolve()
      void done.finally(() => {
        if (!this.#stopping) this.#anchorRegularly()
      })
    })
  }

  async #anchor(): Promise<void> {
    try {
      await this.#anchors.tick()
    } catch (error) {
      this.options.log.warn({ error: String(error) }, "the anchor could not be written; the next one takes it up")
    }
  }

  /** How many more messages are taken in now. */
  #capacity(queue: QueueKind): number {
    if (this.#stopping || this.#storeAwaySince !== undefined || this.journal.isBusy) return 0
    // Lots are there already, and have to be watched whatever else is going on; signals wait for room.
    if (queue === "lots") return LOTS_AT_ONCE
    const room = Math.floor((WAITING_EVENTS_MAX - this.journal.pending) / EVENTS_OF_A_DECISION)
    return Math.max(0, Math.min(room, this.options.maxLiveOrders - this.desk.unsettled))
  }

  /** With what is open in the store. */
  async #fillBook(): Promise<void> {
    const rows = await this.#persistently("read what is open", () => this.options.store.openOrders())
    for (const row of rows) bookRow(this.desk.book, row, this.#venueNameOf(row))
  }

  async #bookFromStore(order: OrderId): Promise<void> {
    const row = await this.#persistently("read what is open", () => this.options.store.findOrder(order))
    if (row !== undefined && !this.desk.orders.has(order)) bookRow(this.desk.book, row, this.#venueNameOf(row))
  }

  /**
   * A signal's identity is taken after its defaults are resolved (design.md 5.1): with other defaults a redelivered message
   * would be another order. So they do not change while orders are in flight.
   */
  async #checkDefaults(): Promise<void> {
    const { store, defaultMarket, defaultOrderType } = this.options
    const now = `${defaultMarket} ${defaultOrderType}`
    const before = await this.#persistently("read the store", () => store.getMeta(DEFAULTS_KEY))
    if (before !== undefined && before !== now) {
      const inFlight = (await this.#persistently("read what is open", () => store.openOrders())).filter(
        (row) => !row.settled && !row.parked,
      ).length
      if (inFlight > 0) throw new DefaultsChanged(before, now, inFlight)
    }
    if (before !== now) await this.#persistently("write the store", () => store.setMeta(DEFAULTS_KEY, now))
  }

  #venueNameOf(row: { readonly market: string; readonly simulation_mode: boolean }): string {
    const seat = this.options.seatFor({ market: row.market === "spot" ? "spot" : "futures", simulate: row.simulation_mode })
    return seat?.venue.name ?? ""
  }

  /** The store may be away at start: it is waited for, loudly. */
  async #persistently<A>(what: string, attempt: () => Promise<A>): Promise<A> {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        if (this.#stopping) throw error
        this.options.log.warn({ error: String(error) }, `cannot ${what}; trying again`)
        await new Promise<void>((resolve) => this.options.clock.after(START_RETRY_MS, resolve))
      }
    }
  }

  #storeState(source: "append" | "watch", reason: string | undefined): void {
    const { log } = this.options
    if (reason !== undefined) this.#away.set(source, reason)
    else if (!this.#away.delete(source)) return
    const [away] = this.#away.values()
    if (away !== undefined) {
      if (this.#storeAwaySince === undefined)
        log.error({ reason: away }, "the event store does not answer: no entry leaves; protection goes on by its plan")
      this.#storeAwaySince ??= this.options.clock.nowMs()
      this.#storeAwayReason = away
      return
    }
    if (this.#storeAwaySince !== undefined)
      log.info({ awayMs: this.options.clock.nowMs() - this.#storeAwaySince }, "the event store is back")
    this.#storeAwaySince = undefined
    this.options.intake.wake()
  }

  #intakeEvent(stream: QueueKind, event: IntakeEvent): void {
    const { log } = this.options
    switch (event.type) {
      case "gap":
        log.warn(
          { stream, cause: event.cause, forMs: event.forMs },
          "this process slept or was without the broker: ownership is proven again before the next command",
        )
        this.desk.suspectAll()
        return
      case "renewed":
        if (event.skipped > 0) this.desk.suspectAll()
        return
      case "trouble":
        if (!this.#troubles.has(stream)) log.warn({ stream, code: event.code, detail: event.detail }, "nothing comes from the broker")
        this.#troubles.set(stream, `${event.code}: ${event.detail}`)
        return
      case "recovered":
        this.#troubles.delete(stream)
        return
      case "replaced":
        return
      case "handlerFailed":
        log.error({ stream, error: String(event.error) }, "a batch could not be taken in; it comes again")
        return
    }
  }

  #resume(order: LiveOrder, request: ResumeRequest): void {
    const by = request.by ?? "resume"
    switch (request.request) {
      case "cancel":
        order.take(cancelEvents(order.context, by), "request")
        return
      case "close":
        order.take(closeEvents(order.context, "close", by), "request")
        return
      case "unpark":
        if (order.context.parked !== null) {
          order.take([{ type: "OrderUnparked", data: { by } }], "operator")
          this.receiver.recover(order, [])
        }
        return
      case "sweep":
      case undefined:
        this.desk.task(order, "look", () => this.desk.asker.look(order, true))
    }
  }

  /** The journal of another process: its orders count in our limits as soon as we hear of them. */
  #othersJournal(replica: string, batch: Uint8Array): void {
    if (replica === this.options.replica) return
    this.#othersHeardMs = this.options.clock.nowMs()
    const rows = this.#announcer.readJournal(batch)
    for (const row of rows) {
      const held = this.desk.orders.get(row.order as OrderId)
      if (held === undefined) bookRow(this.desk.book, row, this.#venueNameOf(row))
      // It took over an order that we still hold: better to let go now than to find out with our next append.
      else if (row.version >= held.version && row.hash !== held.head) this.desk.onConflict(held)
    }
  }

  /** While there are other processes, what the store shows counts too, at most a second old. */
  #watchOthers(): void {
    this.#cancelOthers = this.options.clock.after(OTHERS_EVERY_MS, () => {
      const heard = this.options.clock.nowMs() - this.#othersHeardMs < OTHERS_HEARD_WITHIN_MS
      const done = heard && this.#storeAwaySince === undefined ? this.#readOthers() : Promise.resolve()
      void done.finally(() => {
        if (!this.#stopping) this.#watchOthers()
      })
    })
  }

  async #readOthers(): Promise<void> {
    try {
      const rows = await this.options.store.openOrders((order) => !this.desk.orders.has(order as OrderId))
      const open = new Set(rows.map((row) => row.order))
      for (const row of rows) if (!this.desk.orders.has(row.order as OrderId)) bookRow(this.desk.book, row, this.#venueNameOf(row))
      for (const entry of Array.from(this.desk.book.entries()))
        if (!open.has(entry.order) && !this.desk.orders.has(entry.order)) this.desk.book.release(entry.order)
    } catch (error) {
      this.options.log.warn({ error: String(error) }, "the lots of other processes could not be read")
    }
  }

  onJournal(listener: (records: readonly EventRecord[]) => void): () => void {
    return this.journal.listen((records) => listener(records.map((sealed) => sealed.record)))
  }
}
