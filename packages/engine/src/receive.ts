/**
 * From messages to orders: decode, identify, decide, or find the order that is there already.
 *
 * Promises: a message is acknowledged only after what it led to is durable; the same signal, by whatever way and however
 * often, is one order; what cannot be decoded is kept raw with its reason before it leaves the stream; an order that is in
 * the store and not held here is adopted only by its own message (or a resume), never by a copy of its signal.
 */
import type { Arrival, OrderEvent, OrderId, Signal, SignalIdentity } from "@petrosa/contracts"
import { dec, decodeSignal, isOrderId, mul, orderStream, reason, str } from "@petrosa/contracts"
import type { HistoryRead } from "@petrosa/event-store"
import { rowOf } from "@petrosa/event-store"
import type { IntakeMessage, MessageHandle } from "@petrosa/intake"
import { decideEntry, hasFills, outstanding, questionsAfterRestart, redecide, unrecordedLegIds } from "@petrosa/lifecycle"
import { bookRow } from "./books.ts"
import { feedOf, priceInputs } from "./livePrice.ts"
import type { Desk } from "./desk.ts"
import type { LiveOrder } from "./liveOrder.ts"
import type { VenueSeat } from "./options.ts"
import { isUndecided, type Rebuilding, type RebuiltOrder, rebuildOrder } from "./rebuilt.ts"
import { RecoveryGuard } from "./recoveryGuard.ts"
import { RecoveryQueue } from "./recoveryQueue.ts"
import { rejectedRecord } from "./rejected.ts"
import { RejectionLog, tellRejection } from "./rejectedNews.ts"

/** A copy of a signal whose order is somebody else's waits this long before it asks again. */
const COPY_RETRY_MS = 1000
const READ_RETRY_MS = 1000
const ASK_AGAIN_MS = 500
/** Legs of one order that may have left on the strength of the plan, as many as attempts are reserved. */
const LEGS_ASKED_MAX = 99
const LOOK_AHEAD = 3
const RECOVERIES_AT_ONCE = 64
/** A message whose order cannot even be begun comes again after this; the alarm is the log and a counter. */
const BROKEN_RETRY_MS = 5_000
const DELIVERIES_MAX = 3
const RAW_KEPT_MAX = 64 * 1024

type Decoded = Extract<ReturnType<typeof decodeSignal>, { readonly _tag: "Signal" }>
interface Incoming {
  readonly message: IntakeMessage
  readonly decoded: Decoded
  readonly arrival: Arrival
}

/** What a resume message asks for, beside taking the order up. */
export interface ResumeRequest {
  readonly request?: "cancel" | "close" | "unpark" | "sweep"
  readonly by?: string
}

const decoder = new TextDecoder("utf-8")
const handleKey = (message: IntakeMessage): string => `${message.kind === "lot" ? "lot" : "signal"}:${message.stream}:${message.sequence}`

export const arrivalOf = (message: IntakeMessage): Arrival => ({
  transport: message.kind === "http" ? "http" : "nats",
  subject: message.subject,
  stream: message.stream,
  sequence: message.sequence,
  streamTimeMs: message.streamTimeMs,
  ...(message.kind === "http" && message.messageId !== undefined ? { idempotencyKey: message.messageId } : {}),
  ...(message.traceparent === undefined ? {} : { traceparent: message.traceparent }),
})

export class Receiver {
  readonly #desk: Desk
  #rejectedBytes = 0
  readonly #rejectionLog = new RejectionLog()
  /** Called when an order that exists gets another message: for the one who waits for an answer by HTTP. */
  onResume: (order: LiveOrder, request: ResumeRequest) => void = () => {}

  readonly guard: RecoveryGuard
  readonly recoveries: RecoveryQueue

  constructor(desk: Desk) {
    this.#desk = desk
    this.guard = new RecoveryGuard(desk.options.store, desk.options.clock)
    this.recoveries = new RecoveryQueue(RECOVERIES_AT_ONCE, (run) => void desk.options.clock.soon(run))
  }

  /** As it was saved at the last stop. */
  restoreRejectedBytes(bytes: number): void {
    if (Number.isSafeInteger(bytes) && bytes > 0) this.#rejectedBytes = bytes
  }

  /** Bytes of raw rejected messages that are kept, to be remembered across restarts. */
  get rejectedBytes(): number {
    return this.#rejectedBytes
  }

  signals(batch: readonly IntakeMessage[]): void {
    const known: { readonly message: IntakeMessage; readonly order: OrderId; readonly incoming?: Incoming }[] = []
    for (const message of batch) {
      if (message.kind === "resume") {
        const order = message.order
        if (order === undefined || !isOrderId(order)) message.term()
        else if (this.#attach(message, order)) continue
        else known.push({ message, order })
        continue
      }
      const incoming = this.#decode(message)
      if (incoming === undefined) continue
      const { order } = incoming.decoded
      const live = this.#desk.orders.get(order)
      if (live !== undefined) this.#again(live, incoming)
      else if (message.deliveryCount > 1 || this.#desk.wasDoneLately(order)) known.push({ message, order, incoming })
      else this.#guarded(message, order, () => this.#begin(incoming))
    }
    if (known.length > 0) void this.#lookUp(known)
  }

  lots(batch: readonly IntakeMessage[]): void {
    const unknown: { readonly message: IntakeMessage; readonly order: OrderId }[] = []
    for (const message of batch) {
      const { order } = message
      if (order === undefined || !isOrderId(order)) message.term()
      else if (this.#attach(message, order)) continue
      else if (this.#desk.wasDoneLately(order)) message.ack()
      else unknown.push({ message, order })
    }
    if (unknown.length > 0) void this.#lookUp(unknown)
  }

  /** A lot or resume message of an order that this process holds. */
  #attach(message: IntakeMessage, order: OrderId): boolean {
    const live = this.#desk.orders.get(order)
    if (live === undefined) return false
    if (message.kind === "resume") {
      const key = handleKey(message)
      live.handles.set(key, message.handle)
      this.onResume(live, resumeOf(message))
      live.whenDurable(() => {
        live.handles.delete(key)
        message.ack()
      })
      return true
    }
    live.handles.set(handleKey(message), message.handle)
    live.lotPublished = true
    this.#desk.finish(live)
    return true
  }

  #decode(message: IntakeMessage): Incoming | undefined {
    const { options } = this.#desk
    const arrival = arrivalOf(message)
    const decoded = decodeSignal(message.data, {
      arrival,
      receivedAtMs: this.#desk.nowMs(),
      defaultMarket: options.defaultMarket,
      defaultOrderType: options.defaultOrderType,
      maxBytes: options.signalMaxBytes,
    })
    if (decoded._tag === "Signal") return { message, decoded, arrival }
    this.#desk.metrics.signals.inc({ outcome: "rejected" })
    void this.#reject(message, decoded)
    return undefined
  }

  async #reject(
    message: IntakeMessage,
    why: Pick<Extract<ReturnType<typeof decodeSignal>, { _tag: "Rejected" }>, "code" | "message" | "fields">,
  ): Promise<void> {
    const kept = await this.keepRejected({
      name: `${message.stream}/${message.sequence}-${message.streamTimeMs}`,
      code: why.code,
      message: why.message,
      fields: why.fields,
      bytes: message.data,
      transport: message.kind === "http" ? "http" : "nats",
      subject: message.subject,
      sequence: message.sequence,
    })
    // Only after it is durable: until then it comes again.
    if (!kept) return
    message.term()
    tellRejection(this.#desk, this.#rejectionLog, message, why)
  }

  /** Records a message that is no order. False when the store did not take it. */
  async keepRejected(one: Omit<Parameters<typeof rejectedRecord>[0], "atMs" | "keepRaw">): Promise<boolean> {
    const { options, journal } = this.#desk
    const keepRaw = this.#rejectedBytes + Math.min(one.bytes.length, RAW_KEPT_MAX) <= options.rejectedMaxBytes
    const { stream, sealed, keptBytes } = rejectedRecord({ ...one, atMs: this.#desk.nowMs(), keepRaw }, options)
    const result = await journal.append(stream, [sealed])
    if (result._tag === "Appended") this.#rejectedBytes += keptBytes
    // A conflict: it was recorded before, and its `term` got lost.
    return result._tag !== "Unavailable"
  }

  /** A message for an order that this process holds: a redelivery, or a copy of its signal. */
  #again(live: LiveOrder, { message, decoded }: Incoming): void {
    if (conflicts(decoded.identity, live.contentHash)) {
      void this.#identityConflict(message, decoded)
      return
    }
    // After a restart its own message finds it held already.
    if (live.awaitsMessage && isOwnMessage(message, live.arrival)) live.awaitsMessage = false
    else this.#desk.metrics.signals.inc({ outcome: "duplicate" })
    live.handles.set(handleKey(message), message.handle)
    this.#desk.finish(live)
  }

  async #identityConflict(message: IntakeMessage, decoded: Decoded): Promise<void> {
    await this.#reject(message, {
      code: "IDENTITY_CONFLICT",
      message: conflictMessage(decoded.signal, decoded.order),
      fields: [],
    })
    this.#desk.metrics.signals.inc({ outcome: "conflict" })
  }

  /**
   * The first signal of a symbol waits, shortly, for the first price of its market; the decision itself never asks. Others
   * of the same order wait with it. False: there is nothing to wait for.
   */
  #waitForPrice(incoming: Incoming): boolean {
    const { message, decoded } = incoming
    const { signal, order } = decoded
    // A close needs no price, and waits for nothing.
    if (signal.action !== "buy" && signal.action !== "sell") return false
    const seat = this.#desk.options.seatFor(signal)
    const waiting = feedOf(seat)?.prepare(signal.symbol, signal.market)
    if (seat === undefined || waiting === undefined) return false
    // Nor does what may be a way out, because its strategy holds something.
    const { symbol, market, strategyId } = signal
    if (this.#desk.book.view({ venue: seat.venue.name, market, symbol, strategyId }, order).own.length > 0) return false
    void waiting.then(() => {
      if (!message.handle.held) return
      const live = this.#desk.orders.get(order)
      if (live !== undefined) this.#again(live, incoming)
      else if (this.#desk.wasDoneLately(order)) void this.#lookUp([{ message, order, incoming }])
      else this.#guarded(message, order, () => this.#begin(incoming, true))
    })
    return true
  }

  /** A signal that is new as far as this process knows. The store has the last word: its first version is unique. */
  #begin(incoming: Incoming, priced = false): void {
    if (!priced && this.#waitForPrice(incoming)) return
    const { message, decoded, arrival } = incoming
    const desk = this.#desk
    const live = desk.hold(decoded.order, decoded.signal.trace ?? arrival.traceparent ?? null)
    live.contentHash = decoded.identity.contentHash
    live.arrival = arrival
    live.handles.set(handleKey(message), message.handle)
    live.onNeverBegun = () => this.#neverBegun(message)
    live.onFirstConflict = () => void this.#lookUp([{ message, order: decoded.order, incoming }])
    const received: OrderEvent = {
      type: "SignalReceived",
      data: {
        signal: decoded.signal,
        identity: decoded.identity,
        arrival,
        raw: rawText(message.data),
        receivedAtMs: desk.nowMs(),
        mode: desk.options.mode,
      },
    }
    desk.metrics.signals.inc({ outcome: "taken" })
    live.take([received, ...this.decide(decoded.order, decoded.signal, [])], "signal")
    const { entry, order } = live.context
    if (entry !== null && order !== "" && !live.dropped) this.#reserve(live)
  }

  #reserve(live: LiveOrder): void {
    const c = live.context
    if (c.entry === null) return
    const price = dec(c.entry.price ?? c.price ?? "0")
    this.#desk.balances.get(c.venue)?.reserve(live.order, c.quoteAsset, str(mul(dec(c.entry.quantity), price)))
  }

  /** The decision on a signal with what is known now. `recorded`: what of it is durable already (after a crash). */
  decide(order: OrderId, signal: Signal, recorded: readonly OrderEvent[], { dryRun = false } = {}): readonly OrderEvent[] {
    const desk = this.#desk
    const { options } = desk
    const seat: VenueSeat | undefined = options.seatFor(signal)
    if (seat === undefined) return [{ type: "OrderFailed", data: { reason: reason("MARKET_NOT_AVAILABLE", signal.market) } }]
    const { venue, facts } = seat
    const nowMs = desk.nowMs()
    const rules = venue.rules(signal.symbol, signal.market)
    // The paper venue has no market of its own: what the strategy saw is its market.
    if (rules !== undefined && recorded.length === 0 && !dryRun && feedOf(seat) === undefined) {
      const fresh = nowMs - signal.timestampMs <= options.decision.maxSignalAgeMs
      if (fresh)
        venue.observePrice({ symbol: signal.symbol, price: signal.currentPrice, source: "signal", atMs: signal.timestampMs }, signal.market)
    }
    const inputs = {
      order,
      engineId: options.engineId,
      signal,
      nowMs,
      settings: options.decision,
      rules,
      venue: facts,
      freeBalance:
        rules === undefined
          ? { unknown: "the symbol is not known" }
          : (desk.balances.get(venue.name)?.free(rules.quoteAsset) ?? { unknown: "no balance keeper" }),
      ...priceInputs(seat, signal),
      book: desk.book.view({ venue: venue.name, market: signal.market, symbol: signal.symbol, strategyId: signal.strategyId }, order),
    }
    return recorded.length === 0 ? decideEntry(inputs) : redecide(inputs, recorded)
  }

  /** Messages of orders that may be in the store: one query for all of them. */
  async #lookUp(
    wanted: readonly { readonly message: IntakeMessage; readonly order: OrderId; readonly incoming?: Incoming }[],
  ): Promise<void> {
    const { store, faults, log } = this.#desk.options
    let found: ReadonlyMap<string, HistoryRead>
    try {
      await faults?.at("store.read.before", wanted[0]?.order ?? "")
      found = await store.readHistories([...new Set(wanted.map(({ order }) => orderStream(order)))])
      await faults?.at("store.read.after", wanted[0]?.order ?? "")
    } catch (error) {
      log.warn({ error: String(error), messages: wanted.length }, "the store could not be read; the messages come again")
      for (const { message } of wanted) message.nak(READ_RETRY_MS)
      return
    }
    // Protection first: what is filled before what is not.
    const filled = (order: OrderId): number => {
      const read = found.get(orderStream(order))
      return read?._tag === "Readable" && Number(read.last.open_quantity) !== 0 ? 0 : 1
    }
    for (const { message, order, incoming } of [...wanted].sort((a, b) => filled(a.order) - filled(b.order))) {
      if (!message.handle.held) continue
      this.#guarded(message, order, () => {
        const live = this.#desk.orders.get(order)
        const read = found.get(orderStream(order))
        if (live !== undefined && incoming !== undefined) this.#again(live, incoming)
        else if (live !== undefined) this.#attach(message, order)
        else if (read !== undefined) this.#existing(message, order, read, incoming)
        else if (incoming !== undefined) this.#begin(incoming)
        else message.term()
      })
    }
  }

  /** One message that cannot be dealt with must not keep the others from being dealt with. */
  #guarded(message: IntakeMessage, order: OrderId, work: () => void): void {
    const before = this.#desk.orders.get(order)
    try {
      work()
    } catch (error) {
      const { log } = this.#desk.options
      log.error({ order, sequence: message.sequence, error: String(error) }, "a message could not be dealt with: a defect; it comes again")
      this.#desk.metrics.stepFailures.inc()
      const live = this.#desk.orders.get(order)
      if (live !== undefined && live !== before) {
        // Held since a moment ago, and not got going: rather not held at all.
        live.handles.clear()
        if (live.version === 0) this.#desk.book.release(order)
        this.#desk.drop(live, "failed")
      }
      if (message.handle.held) this.#neverBegun(message)
    }
  }

  /** Not one event of it could be made: it is tried again, and kept raw in the end. Every signal ends in one decision. */
  #neverBegun(message: IntakeMessage): void {
    if (message.deliveryCount < DELIVERIES_MAX || message.kind === "lot" || message.kind === "resume") {
      message.nak(BROKEN_RETRY_MS)
      return
    }
    void this.#reject(message, { code: "UNPROCESSABLE", message: `The engine failed on it ${message.deliveryCount} times.`, fields: [] })
  }

  #existing(message: IntakeMessage, order: OrderId, read: HistoryRead, incoming: Incoming | undefined): void {
    const { log } = this.#desk.options
    if (read._tag === "Unreadable") {
      // Never act on a history that cannot be read; it waits for a version that can.
      log.error({ order, version: read.version, detail: read.detail }, "the order's history cannot be read by this version: left alone")
      message.nak(60_000)
      return
    }
    const { last } = read
    const first = read.events[0] ?? last
    // What the store says is what counts, whatever was believed of this order here.
    bookRow(this.#desk.book, rowOf(last), this.#venueName(last))
    const data = first.data as { readonly identity?: SignalIdentity; readonly arrival?: Arrival }
    if (incoming !== undefined && conflicts(incoming.decoded.identity, data.identity?.contentHash ?? "")) {
      void this.#identityConflict(message, incoming.decoded)
      return
    }
    const resume = message.kind === "resume" ? resumeOf(message) : undefined
    if (last.parked && resume?.request !== "unpark") {
      message.ack()
      return
    }
    if (last.done && resume === undefined) {
      if (incoming !== undefined) this.#desk.metrics.signals.inc({ outcome: "duplicate" })
      message.ack()
      return
    }
    if (incoming !== undefined && !isOwnMessage(message, data.arrival)) {
      // A copy of the signal of an order that somebody (else) is working on. When it is settled the copy is a duplicate.
      this.#desk.metrics.signals.inc({ outcome: "duplicate" })
      if (last.settled) message.ack()
      else message.nak(COPY_RETRY_MS)
      return
    }
    const cause = message.kind === "lot" ? "lot" : message.kind === "resume" ? "resume" : "redelivery"
    const found = rebuildOrder(order, read, this.#desk.system)
    const live = this.#hold(order, found, (held) => {
      held.handles.set(handleKey(message), message.handle)
      held.lotPublished = message.kind === "lot"
    })
    if (live === undefined || found._tag === "Unreadable") {
      message.nak(60_000)
      return
    }
    this.#adopt(live, found.rebuilt, { cause, delivery: message.deliveryCount }, resume, () => {
      if (resume !== undefined) this.onResume(live, resume)
      // A cancel or a close was asked of an order that has a message of its own, and that one comes back to somebody.
      if (resume?.request === "cancel" || resume?.request === "close") {
        live.whenDurable(() => {
          live.handles.delete(handleKey(message))
          message.ack()
        })
      }
      // A request is in the events now; what carries the order from here is this message, until it is settled.
      this.#desk.finish(live)
    })
  }

  /**
   * Takes an order up that the store has and nobody else can have: this process is alone. Its message, when it has one,
   * comes to the order that is held already. False: there is nothing to take up, or it cannot be read.
   */
  takeUp(order: OrderId, found: Rebuilding): boolean {
    if (found._tag === "Over" || this.#desk.orders.has(order)) return false
    const live = this.#hold(order, found, (held) => {
      held.awaitsMessage = true
    })
    if (live === undefined || found._tag === "Unreadable") return false
    this.#adopt(live, found.rebuilt, { cause: "restart", delivery: 0 }, undefined, () => this.#desk.finish(live))
    return true
  }

  /** The order, held, as its events say; `undefined` when it is to be left alone. */
  #hold(order: OrderId, found: Exclude<Rebuilding, { _tag: "Over" }>, prepare: (live: LiveOrder) => void): LiveOrder | undefined {
    if (found._tag === "Unreadable") {
      const { version, detail, by } = found
      const why = by === "reader" ? "cannot be read by this version" : "is not one that this machine can have"
      this.#desk.options.log.error({ order, version, detail }, `the order's history ${why}: left alone`)
      return undefined
    }
    const { actor, version, head, atMs, trace, contentHash, arrival } = found.rebuilt
    const live = this.#desk.hold(order, trace, { actor, version, head, atMs })
    live.contentHash = contentHash
    live.arrival = arrival
    prepare(live)
    return live
  }

  /** Records that this process has it now, and goes on where it was. */
  #adopt(
    live: LiveOrder,
    rebuilt: RebuiltOrder,
    how: { readonly cause: "redelivery" | "resume" | "lot" | "restart"; readonly delivery: number },
    resume: ResumeRequest | undefined,
    then: () => void,
  ): void {
    const { order } = live
    const downMs = Math.max(0, this.#desk.nowMs() - rebuilt.atMs)
    live.take([{ type: "OrderAdopted", data: { replica: this.#desk.replica, ...how, downMs } }], "recovery")
    const goOn = (): void => {
      if (live.dropped) return
      this.recover(live, rebuilt.events)
      then()
    }
    const restless = outstanding(live.context).length > 0 || questionsAfterRestart(live.context).length > 0
    if (resume?.request === "unpark" || !restless || !this.guard.isSuspect(live.context.adoptedAtMs)) {
      goOn()
      return
    }
    // Nor does anybody else look at it before that: the regular look would be the death of the process that waits.
    this.#desk.task(live, "look", async () => {
      const verdict = await this.guard.enter(order)
      if (verdict === "recover") {
        goOn()
        return
      }
      const detail = `${verdict} processes died while they recovered it`
      live.take([{ type: "OrderParked", data: { code: "ADOPTED_TOO_OFTEN", detail } }], "recovery")
    })
  }

  #venueName(row: { readonly market: string; readonly simulation_mode: boolean }): string {
    const market = row.market === "spot" ? ("spot" as const) : ("futures" as const)
    return this.#desk.options.seatFor({ market, simulate: row.simulation_mode })?.venue.name ?? ""
  }

  /** Goes on where the order was: missing decisions are taken, open questions asked. Nothing is sent again on a guess. */
  recover(live: LiveOrder, recorded: readonly OrderEvent[]): void {
    const c = live.context
    const received = recorded.find((event) => event.type === "SignalReceived")
    if (isUndecided(c) && received !== undefined) {
      const facts = recorded.filter((event) => event.type === "SignalValidated" || event.type === "OrderSized")
      live.take(this.decide(live.order, received.data.signal, facts), "recovery")
      this.#reserve(live)
      return
    }
    const questions = questionsAfterRestart(c)
    if (questions.length > 0) live.take(questions, "recovery")
    if (c.entry !== null) live.legsKnown = false
    // Of thousands that rest each is asked about in its turn; what is filled goes at once.
    if (this.recoveries.isHeld && !hasFills(c)) this.recoveries.add(live.order, () => this.#recovered(live))
    else void this.#recovered(live)
  }

  /** Resolves when it is over. */
  #recovered(live: LiveOrder): Promise<void> {
    if (live.dropped || live.tasks.has("recover")) return Promise.resolve()
    return new Promise((over) => {
      this.#desk.task(live, "recover", async () => {
        try {
          // An order that kills whoever goes on with it is found by its adoptions: they have to be durable before that.
          if (outstanding(live.context).length > 0) await this.#desk.recorded(live)
          if (live.context.entry !== null) await this.#adoptUnrecorded(live)
          live.legsKnown = true
          // What runs already under the same name does not run twice.
          for (const command of outstanding(live.context)) this.#desk.run(live, command)
          // What the stream told while we were away is gone: look at everything that is, or may yet be, there.
          await this.#desk.asker.look(live, true)
        } finally {
          over()
        }
      })
    })
  }

  /** Until the venue has answered nothing more is placed: the protection clock runs meanwhile. */
  async #adoptUnrecorded(live: LiveOrder): Promise<void> {
    const { clock } = this.#desk.options
    // Fills that we have not heard of: the store was away, and legs may have left on the strength of the plan, with gaps.
    const ahead = (await this.#desk.asker.filledUnheard(live)) ? LOOK_AHEAD : 1
    for (let n = 0; n < LEGS_ASKED_MAX && !live.dropped && !this.#desk.stopping; ) {
      // Also those that were planned since we are back, and wait: an earlier process may have used their ids.
      const waiting = live.context.legs.filter(({ status }) => status === "sending")
      const ids = [...unrecordedLegIds(live.context, ahead), ...waiting]
      if (!(await this.#desk.asker.adoptUnrecorded(live, ids))) {
        await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve))
        continue
      }
      // Each that was found may have a next one; when none is found, none is left.
      const next = unrecordedLegIds(live.context, ahead)
      if (next.every(({ clientOrderId }) => ids.some((one) => one.clientOrderId === clientOrderId))) return
      n += 1
    }
  }
}

export const conflictMessage = (signal: Signal, order: OrderId): string =>
  `An order with this ${signal.id === undefined ? "Idempotency-Key" : `id (${JSON.stringify(signal.id)})`} exists (${order}), and its content is another.`

const conflicts = (identity: SignalIdentity, contentHash: string): boolean =>
  identity.kind !== "content" && contentHash !== "" && identity.contentHash !== contentHash

/** Both sequence and time must match: a stream that was made anew starts at 1 again. */
const isOwnMessage = (message: MessageHandle | IntakeMessage, arrival: Arrival | undefined): boolean =>
  arrival !== undefined &&
  arrival.sequence === message.sequence &&
  arrival.streamTimeMs === message.streamTimeMs &&
  arrival.stream === message.stream

const rawText = (bytes: Uint8Array): string => decoder.decode(bytes.length > RAW_KEPT_MAX ? bytes.subarray(0, RAW_KEPT_MAX) : bytes)

const resumeOf = (message: IntakeMessage): ResumeRequest => {
  if (message.data.length === 0) return {}
  try {
    const body: unknown = JSON.parse(decoder.decode(message.data))
    if (typeof body !== "object" || body === null) return {}
    const { request, by } = body as Record<string, unknown>
    const known = request === "cancel" || request === "close" || request === "unpark" || request === "sweep" ? { request } : {}
    return { ...known, ...(typeof by === "string" ? { by } : {}) } as ResumeRequest
  } catch {
    return {}
  }
}
