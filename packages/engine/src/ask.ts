/**
 * Questions and requests to a venue on behalf of one order, and what their answers mean for it. Each ends in events that
 * the order takes; none of them decides anything that the lifecycle does not.
 *
 * Unknown is a question: `resolveEntry` and `resolveLeg` ask on a widening schedule until the venue has shown the order, or
 * has proven that it never had it. A failing query is not an answer (docs/design.md section 5).
 */
import type { BracketList, ClientOrderId, Exchange, Fill, Leg, LegRequest, Market, OrderEvent, Read, Via } from "@petrosa/contracts"
import { ZERO, dec, gt, reason, str } from "@petrosa/contracts"
import type { OrderContext } from "@petrosa/lifecycle"
import { entryIsOver, liveLegs, observe, openQuantity, tooOld, usesLists } from "@petrosa/lifecycle"
import type { PriceRead, Venue, VenueOrder } from "@petrosa/venue"
import { ListAsker } from "./askLists.ts"
import type { FaultPoint, FaultPoints } from "./faultPoints.ts"
import { entryProblem, firingStop, stopIsPassed } from "./lastLook.ts"
import type { Cause, LiveOrder } from "./liveOrder.ts"
import { OpenOrders } from "./openOrders.ts"
import type { EngineLog } from "./options.ts"

export interface AskHost {
  readonly faults: FaultPoints | undefined
  readonly receiveWindowMs: number
  readonly maxSignalAgeMs: number
  readonly log: EngineLog
  nowMs(): number
  /** For how long something has lasted: the wall clock may be set. */
  monotonicMs(): number
  sleep(ms: number): Promise<void>
  random(): number
  venueOf(order: LiveOrder): Venue | undefined
  /** The market now, where there is a feed of it. */
  priceOf(order: LiveOrder): PriceRead | undefined
  /** False when the order may be somebody else's by now: then nothing may leave. */
  stillOwner(order: LiveOrder): boolean | Promise<boolean>
  isStopping(): boolean
  /** It has something to place: whatever it waits for is done first. */
  hurry(order: LiveOrder): void
  measure(what: "entry" | "stop" | "target" | "flatten" | "cancel" | "query", order: LiveOrder, sentAtMs: number): void
}

const point = (faults: FaultPoints | undefined, at: FaultPoint, order: LiveOrder): Promise<void> | undefined => faults?.at(at, order.order)

/** The schedule of questions, ms after the first (binance.md 6.2); the last is repeated. */
const RESOLVE_AFTER_MS = [0, 300, 600, 1200, 2500, 5000] as const
/** How many "not found" it takes after the time of proof, at least this far apart. */
const ABSENCE_ANSWERS = 3
const ABSENCE_SPACING_MS = 250
/** A protective order may be sent again sooner: the worst that comes of it is one stop too many, which is cancelled. */
const LEG_ABSENCE_MS = 750
const OWNER_RETRY_MS = 50
const LEGS_KNOWN_MS = 20
/** A stop that the market is through fires within so long, or goes by another price than the one that we see. */
const STOP_FIRES_WITHIN_MS = 1000
const STOP_ASKED_EVERY_MS = 100
/** What rests does not change often, and its end is heard of, or found missing from the next list. */
const CROWD_LIST_AGE_MS = 2_500
/** An order that we believe live and that the venue does not know, this often in a row, over its time of proof, is over. */
const FORGOTTEN_ANSWERS = 3

type Found = "found" | "absent" | "unknown"

export class Asker {
  readonly #host: AskHost
  readonly #openOrders: OpenOrders
  readonly lists: ListAsker

  constructor(host: AskHost) {
    this.#host = host
    this.#openOrders = new OpenOrders(() => host.monotonicMs())
    this.lists = new ListAsker({
      host,
      point: (at, order) => point(host.faults, at, order),
      gone: (order) => this.#gone(order),
      pause: (n) => this.#pause(n),
      legsKnown: (order) => this.#untilLegsKnown(order),
      query: (order, venue, clientOrderId) => this.#query(order, venue, clientOrderId, "query"),
      take: (order, venue, report, via, at) => this.#take(order, venue, report, via, at),
      noteAbsence: (order, venue, clientOrderId, found) => this.#noteAbsence(order, venue, clientOrderId, found),
    })
  }

  /** After a restart nothing is placed before the venue has said which legs are there (design.md 5.6). */
  async #untilLegsKnown(order: LiveOrder): Promise<void> {
    this.#host.hurry(order)
    while (!order.legsKnown && !this.#gone(order)) await this.#host.sleep(LEGS_KNOWN_MS)
  }

  /** Sends the entry, once, if it may still leave; with a bracket, as one list with it. */
  async placeEntry(order: LiveOrder, request: LegRequest, bracket?: BracketList): Promise<void> {
    const host = this.#host
    const venue = host.venueOf(order)
    const { entry } = order.context
    if (venue === undefined || entry === null || entry.status !== "sending") return
    if (host.faults !== undefined) await point(host.faults, "venue.entry.before", order)
    // The store may be away just now: ownership is proven before the deadline, or the entry has certainly not left.
    for (;;) {
      const owner = host.stillOwner(order)
      if (owner === true || (await owner) || order.dropped || order.nowMs >= entry.sendByMs) break
      await host.sleep(OWNER_RETRY_MS)
    }
    if (order.dropped) return
    const nowMs = host.nowMs()
    const leftMs = entry.sendByMs - order.nowMs
    const late = leftMs <= 0 ? reason("SEND_DEADLINE_PASSED", `${-leftMs} ms late`) : undefined
    const old = tooOld(order.context, order.nowMs, host.maxSignalAgeMs)
    const why = entry.cancelReason ?? late ?? old ?? entryProblem(order.context, request, host.priceOf(order))
    if (why !== undefined) {
      order.take([{ type: "EntryNotSent", data: { reason: why } }], "decision")
      return
    }
    // The window that is signed ends before the deadline: a process that sleeps from here on is refused by the venue.
    const receiveWindowMs = Math.max(1, Math.min(entry.receiveWindowMs, leftMs))
    if (host.faults !== undefined) await point(host.faults, "venue.entry.signed", order)
    const complete = this.#complete(order, request, nowMs, receiveWindowMs)
    const outcome = bracket === undefined ? await venue.place(complete) : await this.lists.placeEntry(order, venue, complete, bracket)
    if (host.faults !== undefined) await point(host.faults, "venue.entry.after", order)
    const at: Exchange = { sentAtMs: nowMs, receivedAtMs: host.nowMs() }
    host.measure("entry", order, nowMs)
    // The list was refused, and the entry goes by itself: that is another command.
    if (outcome === undefined) return
    switch (outcome._tag) {
      case "Accepted":
        await this.#take(order, venue, "order" in outcome.value ? outcome.value.order : outcome.value.entry, "reply", at)
        return
      case "Unknown":
        if (order.context.entry?.status !== "sending") return
        order.take([{ type: "EntryUnknown", data: { reason: outcome.reason, sentAtMs: nowMs } }], "reply")
        return
      case "Refused":
        if (order.context.entry?.status !== "sending") return
        if (outcome.class === "duplicate" || outcome.class === "race") {
          // The id is in use: an earlier attempt landed. Ask for it.
          order.take([{ type: "EntryUnknown", data: { reason: outcome.code, sentAtMs: nowMs } }], "reply")
          return
        }
        order.take(
          [{ type: "EntryRefused", data: { class: outcome.class, code: outcome.code, message: outcome.message, via: "reply", ...at } }],
          "reply",
        )
        return
    }
  }

  /** Asks what became of the entry until it is known. */
  async resolveEntry(order: LiveOrder): Promise<void> {
    const unresolved = (): boolean => order.context.entry?.status === "unknown"
    let negatives = 0
    for (let asked = 0; unresolved() && !this.#gone(order); ) {
      // Once "not found" begins to count, the answers come soon after one another, but not at once.
      if (negatives > 0) await this.#host.sleep(ABSENCE_SPACING_MS)
      else await this.#pause(asked++)
      const venue = this.#host.venueOf(order)
      const { entry } = order.context
      if (venue === undefined || entry === null || !unresolved()) return
      const found = await this.#query(order, venue, entry.clientOrderId, "query")
      if (found === "found") continue
      if (found === "unknown") {
        negatives = 0
        continue
      }
      // When could it last have been executed? A request that we saw leave is bounded by its own receive window.
      const lastMs = entry.sentAtMs === null ? entry.sendByMs : Math.min(entry.sendByMs, entry.sentAtMs + entry.receiveWindowMs)
      const proofMs = lastMs + venue.absenceProofMs
      if (this.#host.nowMs() < proofMs) continue
      negatives += 1
      if (negatives < ABSENCE_ANSWERS) continue
      const open = await venue.openOrders(order.context.symbol, order.context.market)
      const trades = await venue.fills(order.context.symbol, order.context.market, { clientOrderId: entry.clientOrderId })
      if (open._tag !== "Known" || trades._tag !== "Known") {
        // A failing question is no answer: back to the widening schedule.
        negatives = 0
        continue
      }
      const there = open.value.find((one) => one.clientOrderId === entry.clientOrderId)
      if (there !== undefined || trades.value.length > 0) continue
      if (!unresolved()) return
      order.take(
        [
          {
            type: "EntryNotPlaced",
            data: {
              evidence: {
                notFoundAnswers: String(negatives),
                lastPossibleExecution: new Date(lastMs).toISOString(),
                absenceProofMs: String(venue.absenceProofMs),
                openOrdersOfSymbol: String(open.value.length),
                tradesOfOrder: "0",
              },
            },
          },
        ],
        "query",
      )
    }
  }

  /** Sends a protective leg or a flatten. */
  async placeLeg(order: LiveOrder, request: LegRequest): Promise<void> {
    const host = this.#host
    const venue = host.venueOf(order)
    const kind = request.leg
    if (venue === undefined || kind === "entry") return
    if (!order.legsKnown) await this.#untilLegsKnown(order)
    if (host.faults !== undefined) await point(host.faults, `venue.${kind}.before`, order)
    if (kind === "flatten") await this.#untilStopHasFired(order, venue)
    const owner = host.stillOwner(order)
    if (owner !== true && !(await owner)) return
    const leg = order.context.legs.find((one) => one.clientOrderId === request.clientOrderId)
    if (leg === undefined || leg.status !== "sending") return
    if (kind === "target" && order.context.closing?.targets === "cancelled") {
      const evidence = { notSent: "the lot is being closed, and its targets go" }
      order.take([{ type: "LegNotPlaced", data: { leg: kind, clientOrderId: request.clientOrderId, evidence } }], "decision")
      return
    }
    const held = openQuantity(order.context)
    if (!gt(held, ZERO) || (kind === "flatten" && gt(dec(request.quantity), held))) {
      // Something else closed it between the decision and now. This one has certainly not left; the planner sizes anew.
      const evidence = { notSent: `${str(held)} is held, ${request.quantity} was to be closed` }
      order.take([{ type: "LegNotPlaced", data: { leg: kind, clientOrderId: request.clientOrderId, evidence } }], "decision")
      return
    }
    const nowMs = host.nowMs()
    const passed = stopIsPassed(request, host.priceOf(order))
    if (passed !== undefined) {
      // What the venue would say, without asking it: out at market.
      const why = { class: "wouldTrigger", code: "STOP_PASSED", message: passed, sentAtMs: nowMs, receivedAtMs: nowMs } as const
      order.take([{ type: "LegRefused", data: { leg: kind, clientOrderId: request.clientOrderId, ...why } }], "decision")
      return
    }
    const outcome = await venue.place(this.#complete(order, request, nowMs, host.receiveWindowMs))
    if (host.faults !== undefined) await point(host.faults, `venue.${kind}.after`, order)
    const at: Exchange = { sentAtMs: nowMs, receivedAtMs: host.nowMs() }
    host.measure(kind, order, nowMs)
    const { clientOrderId } = request
    switch (outcome._tag) {
      case "Accepted":
        await this.#take(order, venue, outcome.value.order, "reply", at)
        return
      case "Unknown":
        if (order.context.legs.find((one) => one.clientOrderId === clientOrderId)?.status !== "sending") return
        order.take([{ type: "LegUnknown", data: { leg: kind, clientOrderId, reason: outcome.reason } }], "reply")
        return
      case "Refused": {
        if (usesLists(order.context) && (outcome.class === "balance" || outcome.class === "race")) await this.lists.findStrays(order, venue)
        if (order.context.legs.find((one) => one.clientOrderId === clientOrderId)?.status !== "sending") return
        const { class: cls, code, message, retryAtMs } = outcome
        const data = { leg: kind, clientOrderId, class: cls, code, message, ...at, ...(retryAtMs === undefined ? {} : { retryAtMs }) }
        order.take([{ type: "LegRefused", data }], "reply")
        return
      }
    }
  }

  /**
   * The market is through a live stop: it closes the lot by itself, and has perhaps done so already. A flatten beside it would
   * close what other lots hold. The venue is asked until it says so, for a moment only: the stop may go by another price.
   */
  async #untilStopHasFired(order: LiveOrder, venue: Venue): Promise<void> {
    const host = this.#host
    const untilMs = host.monotonicMs() + STOP_FIRES_WITHIN_MS
    const firing = (): ClientOrderId | undefined => {
      const { symbol, market } = order.context
      const read = host.priceOf(order)
      return firingStop(
        order.context,
        read === undefined ? venue.price(symbol, market) : read._tag === "Fresh" ? (read.mark ?? read.price) : undefined,
      )
    }
    for (let stop = firing(); stop !== undefined && !this.#gone(order) && host.monotonicMs() < untilMs; stop = firing()) {
      await this.#query(order, venue, stop, "query")
      if (firing() === stop) await host.sleep(STOP_ASKED_EVERY_MS)
    }
  }

  /** Asks what became of a leg until it is known; then the planner places it again under the next attempt, or not. */
  async resolveLeg(order: LiveOrder, kind: Leg, clientOrderId: ClientOrderId): Promise<void> {
    const unresolved = (): boolean => order.context.legs.some((one) => one.clientOrderId === clientOrderId && one.status === "unknown")
    const sinceMs = this.#host.monotonicMs()
    let negatives = 0
    for (let n = 0; unresolved() && !this.#gone(order); n++) {
      await this.#pause(n)
      const venue = this.#host.venueOf(order)
      if (venue === undefined || !unresolved()) return
      const found = await this.#query(order, venue, clientOrderId, "query")
      if (found === "found") continue
      if (found === "unknown") {
        negatives = 0
        continue
      }
      const waitMs = kind === "flatten" ? this.#host.receiveWindowMs + venue.absenceProofMs : Math.min(LEG_ABSENCE_MS, venue.absenceProofMs)
      if (this.#host.monotonicMs() < sinceMs + waitMs) continue
      negatives += 1
      if (negatives < 2) continue
      if (!unresolved()) return
      const evidence = { notFoundAnswers: String(negatives), askedForMs: String(this.#host.monotonicMs() - sinceMs) }
      order.take([{ type: "LegNotPlaced", data: { leg: kind, clientOrderId, evidence } }], "query")
    }
  }

  /** Cancels, and goes on until it is proven gone. Cancels are idempotent; their fills count. */
  async cancel(order: LiveOrder, clientOrderId: ClientOrderId): Promise<void> {
    const wanted = (): boolean => {
      const c = order.context
      if (c.entry?.clientOrderId === clientOrderId) return c.entry.status === "cancelling"
      return c.legs.some((one) => one.clientOrderId === clientOrderId && one.status === "cancelling")
    }
    for (let n = 0; wanted() && !this.#gone(order); n++) {
      if (n > 0) await this.#pause(Math.min(n, 4))
      const host = this.#host
      const venue = host.venueOf(order)
      if (venue === undefined || !wanted()) return
      if (host.faults !== undefined) await point(host.faults, "venue.cancel.before", order)
      if (!(await host.stillOwner(order)) || !wanted()) return
      const sentAtMs = host.nowMs()
      const outcome = await venue.cancel(order.context.symbol, order.context.market, clientOrderId)
      if (host.faults !== undefined) await point(host.faults, "venue.cancel.after", order)
      host.measure("cancel", order, sentAtMs)
      const at = { sentAtMs, receivedAtMs: host.nowMs() }
      if (outcome._tag === "Accepted") await this.#take(order, venue, outcome.value, "reply", at)
      // Refused ("unknown order") may mean filled; Unknown means ask. Both ways the final truth is what the venue shows.
      if (wanted()) this.#noteAbsence(order, venue, clientOrderId, await this.#query(order, venue, clientOrderId, "query"))
    }
  }

  /** Whether the venue has filled more of the entry than we have heard of. True also when it does not answer. */
  async filledUnheard(order: LiveOrder): Promise<boolean> {
    const venue = this.#host.venueOf(order)
    const { entry, symbol, market } = order.context
    if (venue === undefined || entry === null || entry.ended === "filled" || entry.ended === "notSent") return false
    const { faults } = this.#host
    if (faults !== undefined) await point(faults, "venue.query.before", order)
    const answer = await venue.query(symbol, market, entry.clientOrderId)
    if (faults !== undefined) await point(faults, "venue.query.after", order)
    if (answer._tag === "Unknown") return true
    return answer.value !== undefined && gt(dec(answer.value.filledQuantity), dec(entry.filled))
  }

  /** What the venue names as open of a symbol, by our orders; asked once for all who want to know at the same time. */
  listed(venue: Venue, symbol: string, market: Market): ReturnType<OpenOrders["of"]> {
    return this.#openOrders.of(venue, symbol, market)
  }

  /**
   * Legs that may have left on the strength of the plan before a crash, unknown to our events: asked for before recovery
   * places any. Returns false when the venue could not be asked: then nothing may be placed yet.
   */
  async adoptUnrecorded(order: LiveOrder, ids: readonly { readonly leg: Leg; readonly clientOrderId: ClientOrderId }[]): Promise<boolean> {
    const venue = this.#host.venueOf(order)
    if (venue === undefined) return true
    const { symbol, market } = order.context
    const open = await this.#openOrders.of(venue, symbol, market)
    if (open._tag === "Unknown") return false
    const nowMs = this.#host.nowMs()
    for (const report of open.value.get(order.order) ?? []) {
      // The entry comes after its legs: what it filled must not be covered by legs that are there already.
      if (report.clientOrderId === order.context.entry?.clientOrderId) continue
      if (!(await this.#take(order, venue, report, "query", { sentAtMs: nowMs, receivedAtMs: nowMs }))) return false
    }
    for (const { clientOrderId } of ids) {
      const found = await this.#query(order, venue, clientOrderId, "query")
      if (found === "unknown") return false
    }
    return true
  }

  /**
   * Looks at everything that is live at the venue: for when a stream may have missed something.
   *
   * @param late also at an entry that is believed over: the venue may have filled it after all
   * @param crowded many orders of this symbol are looked at: one list of what is open, some seconds old at most, serves all
   *   of them (an exchange counts every question). What is not in it is asked for by itself.
   */
  async look(order: LiveOrder, late = false, crowded = false): Promise<void> {
    const venue = this.#host.venueOf(order)
    if (venue === undefined) return
    const { entry, symbol, market } = order.context
    const open = crowded ? await this.#openOrders.of(venue, symbol, market, CROWD_LIST_AGE_MS) : undefined
    if (open?._tag === "Unknown") return
    const listed = open?.value.get(order.order) ?? []
    if (entry !== null && (late ? entry.ended !== "filled" && entry.ended !== "notSent" : !entryIsOver(order.context))) {
      await this.#lookAt(order, venue, entry.clientOrderId, listed)
    }
    for (const leg of liveLegs(order.context)) {
      if (this.#gone(order)) return
      await this.#lookAt(order, venue, leg.clientOrderId, listed)
    }
  }

  /** Whether all that the lot's legs have traded is known: each was shown by the venue just now, and none is on its way or a question. */
  async exitsHeard(order: LiveOrder): Promise<boolean> {
    const venue = this.#host.venueOf(order)
    if (venue === undefined || !order.legsKnown || this.#gone(order)) return false
    const { symbol, market } = order.context
    const open = await this.#openOrders.of(venue, symbol, market)
    if (open._tag === "Unknown") return false
    const listed = open.value.get(order.order) ?? []
    for (const { clientOrderId, status } of liveLegs(order.context)) {
      if (status === "sending" || status === "unknown" || this.#gone(order)) return false
      if ((await this.#lookAt(order, venue, clientOrderId, listed)) !== "found") return false
    }
    return true
  }

  async #lookAt(order: LiveOrder, venue: Venue, clientOrderId: ClientOrderId, listed: readonly VenueOrder[]): Promise<Found> {
    const report = listed.find((one) => one.clientOrderId === clientOrderId)
    const nowMs = this.#host.nowMs()
    const found: Found =
      report === undefined
        ? await this.#query(order, venue, clientOrderId, "query")
        : (await this.#take(order, venue, report, "query", { sentAtMs: nowMs, receivedAtMs: nowMs }))
          ? "found"
          : "unknown"
    this.#noteAbsence(order, venue, clientOrderId, found)
    return found
  }

  /**
   * An order that we believe live and the venue does not know. One "not found" proves nothing; several over the time of
   * proof do: then a stop is not there, and has to be placed again (design.md 5.6).
   */
  #noteAbsence(order: LiveOrder, venue: Venue, clientOrderId: ClientOrderId, found: Found): void {
    if (found === "found") order.absences?.delete(clientOrderId)
    const status =
      order.context.entry?.clientOrderId === clientOrderId
        ? order.context.entry.status
        : order.context.legs.find((one) => one.clientOrderId === clientOrderId)?.status
    // What is being resolved has its own proof; what is over was to be absent.
    if (found !== "absent" || (status !== "live" && status !== "cancelling")) return
    const nowMs = this.#host.monotonicMs()
    order.absences ??= new Map()
    const before = order.absences.get(clientOrderId) ?? { answers: 0, sinceMs: nowMs }
    const absence = { answers: before.answers + 1, sinceMs: before.sinceMs }
    order.absences.set(clientOrderId, absence)
    if (absence.answers < FORGOTTEN_ANSWERS || nowMs - absence.sinceMs < venue.absenceProofMs) return
    order.absences.delete(clientOrderId)
    const c = order.context
    this.#host.log.error({ order: order.order, clientOrderId }, "the venue does not know an order of ours any more: it is taken for over")
    if (c.entry?.clientOrderId === clientOrderId) {
      order.take([{ type: "EntryEnded", data: { how: "expired", via: "query", detail: "unknown to the venue" } }], "query")
      return
    }
    const leg = c.legs.find((one) => one.clientOrderId === clientOrderId)
    if (leg === undefined) return
    const flat = !gt(openQuantity(c), ZERO) && entryIsOver(c)
    const via = "query" as const
    order.take(
      [
        flat
          ? { type: "SiblingCancelled", data: { leg: leg.leg, clientOrderId, via } }
          : { type: "LegEnded", data: { leg: leg.leg, clientOrderId, how: "expired", via } },
      ],
      "query",
    )
  }

  /** What the venue's stream told. */
  heard(order: LiveOrder, report: VenueOrder, fill: Fill | undefined): Promise<boolean> | undefined {
    const venue = this.#host.venueOf(order)
    if (venue === undefined) return undefined
    const nowMs = this.#host.nowMs()
    const whole = fill === undefined ? report : withFill(report, fill)
    const taken = this.#take(order, venue, whole, "stream", { sentAtMs: nowMs, receivedAtMs: nowMs })
    return taken === true ? undefined : taken
  }

  async #query(order: LiveOrder, venue: Venue, clientOrderId: ClientOrderId, via: Via): Promise<Found> {
    const host = this.#host
    if (host.faults !== undefined) await point(host.faults, "venue.query.before", order)
    const sentAtMs = host.nowMs()
    const answer: Read<VenueOrder | undefined> = await venue.query(order.context.symbol, order.context.market, clientOrderId)
    if (host.faults !== undefined) await point(host.faults, "venue.query.after", order)
    host.measure("query", order, sentAtMs)
    if (answer._tag === "Unknown") return "unknown"
    if (answer.value === undefined) return "absent"
    return (await this.#take(order, venue, answer.value, via, { sentAtMs, receivedAtMs: host.nowMs() })) ? "found" : "unknown"
  }

  /** Folds a report in, fetching the fills that it speaks of and does not carry. False when they could not be had. */
  #take(order: LiveOrder, venue: Venue, report: VenueOrder, via: Via, at: Exchange): true | Promise<boolean> {
    const cause: Cause = via === "trades" ? "query" : via
    const first = this.#observe(order, report, report.fills ?? [], via, at)
    if (first.events.length > 0) order.take(first.events, cause)
    return first.fillsMissing ? this.#takeMissing(order, venue, report, via, at) : true
  }

  async #takeMissing(order: LiveOrder, venue: Venue, report: VenueOrder, via: Via, at: Exchange): Promise<boolean> {
    const cause: Cause = via === "trades" ? "query" : via
    const known = order.context
    const fills = await venue.fills(known.symbol, known.market, {
      clientOrderId: report.clientOrderId as ClientOrderId,
      venueOrderId: report.venueOrderId,
    })
    if (fills._tag === "Unknown") return false
    const again = this.#observe(order, report, fills.value, via === "reply" ? "trades" : via, at)
    if (again.events.length > 0) order.take(again.events, cause)
    return !again.fillsMissing
  }

  #observe(
    order: LiveOrder,
    report: VenueOrder,
    fills: readonly Fill[],
    via: Via,
    at: Exchange,
  ): { readonly events: readonly OrderEvent[]; readonly fillsMissing: boolean } {
    return observe(order.context, report, fills, via, at)
  }

  #complete(order: LiveOrder, request: LegRequest, timestampMs: number, receiveWindowMs: number) {
    const c: OrderContext = order.context
    const positionSide = (c.entry?.side ?? request.side) === "buy" ? ("long" as const) : ("short" as const)
    return { ...request, symbol: c.symbol, market: c.market, positionSide, timestampMs, receiveWindowMs }
  }

  #gone(order: LiveOrder): boolean {
    return order.dropped || this.#host.isStopping() || order.context.parked !== null
  }

  async #pause(n: number): Promise<void> {
    const ms = RESOLVE_AFTER_MS[Math.min(Math.max(n, 0), RESOLVE_AFTER_MS.length - 1)] ?? 5000
    if (ms > 0) await this.#host.sleep(ms * (0.9 + 0.2 * this.#host.random()))
  }
}

/** A stream event with one fill says what is filled up to it: the fill itself is given, earlier ones may be missing. */
const withFill = (report: VenueOrder, fill: Fill): VenueOrder => {
  const given = report.fills ?? []
  const fills = given.some((one) => one.tradeId === fill.tradeId) ? given : [...given, fill]
  return { ...report, fills }
}
