/**
 * Requests and questions about lists (OCO, OTOCO) on behalf of one order. As in ask.ts: each ends in events that the order
 * takes, an unknown outcome is a question, and a failing answer is none.
 *
 * A list is taken or refused as one, and it is found by the ids of its legs: one leg that is there proves the other.
 */
import type { BracketList, ClientOrderId, Exchange, LegRequest, Outcome, Via } from "@petrosa/contracts"
import { dec, gt, gte, add, mul, parseClientOrderId, refused, str } from "@petrosa/contracts"
import { entryByItself, openQuantity } from "@petrosa/lifecycle"
import type { OcoRequest, OtocoAcknowledgement, PlaceRequest, Venue, VenueOrder } from "@petrosa/venue"
import type { AskHost } from "./ask.ts"
import type { FaultPoint } from "./faultPoints.ts"
import { stopIsPassed } from "./lastLook.ts"
import type { LiveOrder } from "./liveOrder.ts"

/** What {@link Asker} does for legs and lists alike. */
export interface Asking {
  readonly host: AskHost
  point(at: FaultPoint, order: LiveOrder): Promise<void> | undefined
  gone(order: LiveOrder): boolean
  /** Waits as long as is due before the n-th question. */
  pause(n: number): Promise<void>
  /** Waits until the venue has said which legs are there, after a restart. */
  legsKnown(order: LiveOrder): Promise<void>
  query(order: LiveOrder, venue: Venue, clientOrderId: ClientOrderId): Promise<"found" | "absent" | "unknown">
  /** Folds a report in; false when fills that it speaks of could not be had. */
  take(order: LiveOrder, venue: Venue, report: VenueOrder, via: Via, at: Exchange): true | Promise<boolean>
  noteAbsence(order: LiveOrder, venue: Venue, clientOrderId: ClientOrderId, found: "found" | "absent" | "unknown"): void
}

/** A protective order may be sent again sooner than an entry is given up: should both arrive, the venue refuses one for the balance. */
const LIST_ABSENCE_MS = 750
const ABSENCE_ANSWERS = 2
/** The id of a leg that is known by its list alone. */
interface ListIds {
  readonly stop: ClientOrderId
  readonly target: ClientOrderId
}

export class ListAsker {
  readonly #asking: Asking

  constructor(asking: Asking) {
    this.#asking = asking
  }

  /** The entry with its bracket, as one request. Undefined: it was refused for certain, and that is recorded. */
  async placeEntry(
    order: LiveOrder,
    venue: Venue,
    entry: PlaceRequest,
    bracket: BracketList,
  ): Promise<Outcome<OtocoAcknowledgement> | undefined> {
    const outcome: Outcome<OtocoAcknowledgement> =
      venue.placeOtoco === undefined
        ? refused("fatal", "NOT_OFFERED", "this venue does not take an entry and its bracket as one list")
        : await venue.placeOtoco({
            entry,
            side: bracket.stop.side,
            quantity: bracket.stop.quantity,
            listClientOrderId: bracket.list,
            ...legsOf(bracket),
          })
    if (outcome._tag !== "Refused" || outcome.class !== "fatal" || order.context.entry?.status !== "sending") return outcome
    const parts = parseClientOrderId(entry.clientOrderId)
    if (parts === undefined) return outcome
    // Whether the list or the entry is at fault is not said: by itself the entry is refused for what is its own.
    const { class: cls, code, message } = outcome
    const { symbol: _s, market: _m, positionSide: _p, timestampMs, receiveWindowMs: _w, ...request } = entry
    const alone: LegRequest = entryByItself(request, parts.order, parts.engineId)
    const at = { sentAtMs: timestampMs, receivedAtMs: this.#asking.host.nowMs() }
    order.take([{ type: "EntryListRefused", data: { class: cls, code, message, request: alone, ...at } }], "reply")
    return undefined
  }

  /** Stop and target as one list. */
  async placeBracket(order: LiveOrder, bracket: BracketList): Promise<void> {
    const { host } = this.#asking
    const venue = host.venueOf(order)
    if (venue === undefined) return
    await this.#asking.legsKnown(order)
    if (host.faults !== undefined) await this.#asking.point("venue.stop.before", order)
    if (!(await host.stillOwner(order))) return
    const { stop, target } = bracket
    const ids: ListIds = { stop: stop.clientOrderId, target: target.clientOrderId }
    const list = { leg: "stop", clientOrderId: ids.stop, sibling: ids.target } as const
    const isSending = (): boolean => statusOf(order, ids.stop) === "sending"
    if (!isSending()) return
    const held = openQuantity(order.context)
    if (gt(dec(stop.quantity), held)) {
      // Something else sold of it between the decision and now. This one has certainly not left; the planner sizes anew.
      const evidence = { notSent: `${str(held)} is held, ${stop.quantity} was to be protected` }
      order.take([{ type: "LegNotPlaced", data: { ...list, evidence } }], "decision")
      return
    }
    const nowMs = host.nowMs()
    const passed = stopIsPassed(stop, host.priceOf(order))
    if (passed !== undefined) {
      const why = { class: "wouldTrigger", code: "STOP_PASSED", message: passed, sentAtMs: nowMs, receivedAtMs: nowMs } as const
      order.take([{ type: "LegRefused", data: { ...list, ...why } }], "decision")
      return
    }
    const { symbol, market } = order.context
    const outcome =
      venue.placeOco === undefined
        ? refused("fatal", "NOT_OFFERED", "this venue does not take a stop and a target as one list")
        : await venue.placeOco({
            symbol,
            market,
            side: stop.side,
            quantity: stop.quantity,
            listClientOrderId: bracket.list,
            ...legsOf(bracket),
            timestampMs: nowMs,
            receiveWindowMs: host.receiveWindowMs,
          })
    if (host.faults !== undefined) await this.#asking.point("venue.stop.after", order)
    const at: Exchange = { sentAtMs: nowMs, receivedAtMs: host.nowMs() }
    host.measure("stop", order, nowMs)
    switch (outcome._tag) {
      case "Accepted":
        for (const leg of [outcome.value.stop, outcome.value.target]) await this.#asking.take(order, venue, leg, "reply", at)
        return
      case "Unknown":
        if (isSending()) order.take([{ type: "LegUnknown", data: { ...list, reason: outcome.reason } }], "reply")
        return
      case "Refused": {
        // What is to be sold is reserved already: by a list of ours that was believed lost?
        if (outcome.class === "balance" || outcome.class === "race") await this.findStrays(order, venue)
        if (!isSending()) return
        const { class: cls, code, message, retryAtMs } = outcome
        const data = { class: cls, code, message, ...at, ...(retryAtMs === undefined ? {} : { retryAtMs }) }
        const which = cls === "wouldTrigger" && this.#isTargetPassed(order, venue, bracket) ? asTarget(ids) : list
        order.take([{ type: "LegRefused", data: { ...which, ...data } }], "reply")
        return
      }
    }
  }

  /** Which of the two is passed is not said: the newest price is nearer to it. Unknown: the stop. */
  #isTargetPassed(order: LiveOrder, venue: Venue, { stop, target }: BracketList): boolean {
    const { symbol, market } = order.context
    const price = venue.price(symbol, market)?.price
    if (price === undefined || stop.triggerPrice === undefined || target.price === undefined) return false
    const twice = mul(dec(price), dec("2"))
    const both = add(dec(stop.triggerPrice), dec(target.price))
    return stop.side === "sell" ? gte(twice, both) : gt(both, twice)
  }

  /** Orders of ours that are open at the venue and that the events do not know, or have given up. */
  async findStrays(order: LiveOrder, venue: Venue): Promise<void> {
    const { symbol, market } = order.context
    const sentAtMs = this.#asking.host.nowMs()
    const open = await venue.openOrders(symbol, market)
    if (open._tag === "Unknown") return
    const at = { sentAtMs, receivedAtMs: this.#asking.host.nowMs() }
    for (const report of open.value) {
      const parts = parseClientOrderId(report.clientOrderId)
      if (parts === undefined || parts.order !== order.order || parts.leg === "entry") continue
      await this.#asking.take(order, venue, report, "query", at)
    }
  }

  /** Asks what became of a list until it is known; then the planner places it again under the next attempt, or not. */
  async resolve(order: LiveOrder, ids: ListIds): Promise<void> {
    const { host } = this.#asking
    const unresolved = (): readonly ClientOrderId[] => [ids.stop, ids.target].filter((id) => statusOf(order, id) === "unknown")
    const sinceMs = host.monotonicMs()
    let negatives = 0
    for (let n = 0; unresolved().length > 0 && !this.#asking.gone(order); n++) {
      await this.#asking.pause(n)
      const venue = host.venueOf(order)
      if (venue === undefined) return
      const answers: ("found" | "absent" | "unknown")[] = []
      for (const id of unresolved()) answers.push(await this.#asking.query(order, venue, id))
      if (answers.length === 0) return
      if (answers.some((answer) => answer !== "absent")) {
        negatives = 0
        continue
      }
      if (host.monotonicMs() < sinceMs + Math.min(LIST_ABSENCE_MS, venue.absenceProofMs)) continue
      negatives += 1
      if (negatives < ABSENCE_ANSWERS) continue
      // A leg may be listed before it can be asked for.
      await this.findStrays(order, venue)
      const [first, second] = unresolved()
      if (first === undefined) return
      const evidence = { notFoundAnswers: String(negatives), askedForMs: String(host.monotonicMs() - sinceMs) }
      const leg = first === ids.stop ? "stop" : "target"
      const data = second === undefined ? { leg, clientOrderId: first, evidence } : { leg, clientOrderId: first, sibling: second, evidence }
      order.take([{ type: "LegNotPlaced", data: data as typeof data & { readonly leg: "stop" | "target" } }], "query")
    }
  }

  /** Cancels a list, and goes on until both legs are proven gone. */
  async cancel(order: LiveOrder, ids: ListIds): Promise<void> {
    const { host } = this.#asking
    const wanted = (): readonly ClientOrderId[] => [ids.stop, ids.target].filter((id) => statusOf(order, id) === "cancelling")
    for (let n = 0; wanted().length > 0 && !this.#asking.gone(order); n++) {
      if (n > 0) await this.#asking.pause(Math.min(n, 4))
      const venue = host.venueOf(order)
      if (venue === undefined) return
      if (host.faults !== undefined) await this.#asking.point("venue.cancel.before", order)
      if (!(await host.stillOwner(order))) return
      const [first] = wanted()
      if (first === undefined) return
      const sentAtMs = host.nowMs()
      const outcome = await venue.cancel(order.context.symbol, order.context.market, first)
      if (host.faults !== undefined) await this.#asking.point("venue.cancel.after", order)
      host.measure("cancel", order, sentAtMs)
      const at = { sentAtMs, receivedAtMs: host.nowMs() }
      if (outcome._tag === "Accepted") await this.#asking.take(order, venue, outcome.value, "reply", at)
      // The other leg, and what a refusal or a lost answer leaves open: the final truth is what the venue shows.
      for (const id of wanted()) this.#asking.noteAbsence(order, venue, id, await this.#asking.query(order, venue, id))
    }
  }
}

const statusOf = (order: LiveOrder, id: ClientOrderId): string | undefined =>
  order.context.legs.find((leg) => leg.clientOrderId === id)?.status

const asTarget = (ids: ListIds) => ({ leg: "target", clientOrderId: ids.target, sibling: ids.stop }) as const

/** Throws for a list without prices: the planner makes none. */
const legsOf = ({ stop, target }: BracketList): Pick<OcoRequest, "stop" | "target"> => {
  if (stop.triggerPrice === undefined || target.price === undefined) throw new RangeError("a list has a stop price and a target price")
  return {
    stop: { clientOrderId: stop.clientOrderId, triggerPrice: stop.triggerPrice },
    target: { clientOrderId: target.clientOrderId, price: target.price },
  }
}
