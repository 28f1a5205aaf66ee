/**
 * From what a venue says of one of our orders to the events that follow. Pure, idempotent and monotone: the same report
 * twice, an old report after a new one, or a report that arrives by another way, adds nothing. Fills count once, by trade
 * id; a terminal status counts only when all the fills that it speaks of are known.
 */
import type { ClientOrderId, Decimal, DecimalString, Exchange, Fill, OrderEvent, VenueOrderId, Via } from "@petrosa/contracts"
import { add, dec, gte, isPositive, lt, lte, parseClientOrderId, ZERO } from "@petrosa/contracts"
import type { EntryLeg, ExitLeg, OrderContext } from "./context.ts"
import { legOf } from "./draft.ts"
import { siblingOf } from "./lists.ts"
import { entryIsOver, openQuantity } from "./lot.ts"

/** What is needed of a venue's order (a structural part of the Venue port's `VenueOrder`). */
export interface OrderReport {
  readonly clientOrderId: string
  readonly venueOrderId: VenueOrderId
  readonly status: "new" | "partially_filled" | "filled" | "cancelled" | "expired" | "rejected"
  readonly quantity: DecimalString
  readonly filledQuantity: DecimalString
  readonly price?: DecimalString
  readonly triggerPrice?: DecimalString
  /** It waits for another order of its list, and is not in force. */
  readonly pending?: boolean
  /** It ended because the other leg of its list trades, or fired. */
  readonly endedBySibling?: boolean
  readonly raw?: string
}

export interface Observation {
  readonly events: readonly OrderEvent[]
  /** The report speaks of fills that are neither known nor given: ask for them, and observe again. */
  readonly fillsMissing: boolean
}

const NOTHING: Observation = { events: [], fillsMissing: false }

/** When the request left and the answer came; for a stream event both are the time it arrived. */
export const observe = (c: OrderContext, report: OrderReport, fills: readonly Fill[], via: Via, at: Exchange): Observation => {
  if (c.entry === null) return NOTHING
  if (report.clientOrderId === c.entry.clientOrderId) return observeEntry(c, c.entry, report, fills, via, at)
  const leg = legOf(c, report.clientOrderId)
  if (leg !== undefined) return observeLeg(c, report, leg, leg, fills, via, at)
  const parts = parseClientOrderId(report.clientOrderId)
  if (parts === undefined || parts.order !== c.order || parts.leg === "entry") return NOTHING
  return observeLeg(c, report, { leg: parts.leg, attempt: parts.attempt }, undefined, fills, via, at)
}

const NO_FILLS: readonly Fill[] = []

const news = (c: OrderContext, fills: readonly Fill[]): readonly Fill[] => {
  const [first] = fills
  if (first === undefined) return NO_FILLS
  if (fills.length === 1) return c.trades.includes(first.tradeId) ? NO_FILLS : [first]
  const seen = new Set(c.trades)
  const fresh: Fill[] = []
  for (const fill of fills) {
    if (seen.has(fill.tradeId)) continue
    seen.add(fill.tradeId)
    fresh.push(fill)
  }
  return fresh.sort((a, b) => a.atMs - b.atMs)
}

/** So much, and these fills. */
const withFills = (filled: Decimal, fresh: readonly Fill[]): Decimal => {
  let total = filled
  for (const fill of fresh) total = add(total, dec(fill.quantity))
  return total
}

const isTerminal = (status: OrderReport["status"]): status is "cancelled" | "expired" | "rejected" =>
  status === "cancelled" || status === "expired" || status === "rejected"

const observeEntry = (
  c: OrderContext,
  entry: EntryLeg,
  report: OrderReport,
  fills: readonly Fill[],
  via: Via,
  { sentAtMs, receivedAtMs }: Exchange,
): Observation => {
  const { venueOrderId } = report
  const events: OrderEvent[] = []
  const fresh = news(c, fills)
  const known = withFills(dec(entry.filled), fresh)
  const fillsMissing = lt(known, dec(report.filledQuantity))
  const isOver = entry.status === "over"

  if ((entry.status === "sending" || entry.status === "unknown") && report.status !== "rejected") {
    const { clientOrderId } = entry
    const data = { clientOrderId, venueOrderId, via, sentAtMs, receivedAtMs }
    events.push({ type: "EntryAccepted", data: report.raw === undefined ? data : { ...data, reply: report.raw } })
  }
  const full = (fresh.length > 0 || isTerminal(report.status)) && gte(known, dec(entry.quantity))
  if (fresh.length > 0) {
    const data = { fills: fresh, venueOrderId, via }
    events.push({ type: isOver ? "LateFillFound" : full ? "EntryFilled" : "EntryPartlyFilled", data })
  }
  if (isTerminal(report.status) && !isOver && !full && !fillsMissing) {
    events.push({ type: "EntryEnded", data: { how: report.status, venueOrderId, via } })
  }
  // The venue calls it filled, and it is not what was asked for: it was amended there. Nothing more will come of it.
  const isShort = report.status === "filled" && isPositive(dec(report.filledQuantity)) && lt(known, dec(entry.quantity))
  if (isShort && !isOver && !fillsMissing) {
    const detail = `filled at the venue with ${report.filledQuantity} of ${entry.quantity}: it was made smaller there`
    events.push({ type: "EntryEnded", data: { how: "expired", venueOrderId, via, detail } })
  }
  return events.length === 0 && !fillsMissing ? NOTHING : { events, fillsMissing }
}

/** It ended because the other leg of its list trades: nothing was taken from us. */
const isReplaced = (c: OrderContext, leg: ExitLeg | undefined, report: OrderReport): boolean => {
  const sibling = leg === undefined ? undefined : siblingOf(c, leg)
  if (sibling === undefined || leg?.status === "cancelling") return false
  return report.endedBySibling === true || isPositive(dec(sibling.filled))
}

const ACCEPTED = { stop: "StopAccepted", target: "TargetAccepted", flatten: "FlattenAccepted" } as const

const observeLeg = (
  c: OrderContext,
  report: OrderReport,
  { leg: kind, attempt }: Pick<ExitLeg, "leg" | "attempt">,
  leg: ExitLeg | undefined,
  fills: readonly Fill[],
  via: Via,
  { sentAtMs, receivedAtMs }: Exchange,
): Observation => {
  const clientOrderId = report.clientOrderId as ClientOrderId
  const events: OrderEvent[] = []
  const { venueOrderId } = report
  const fresh = news(c, fills)
  const known = withFills(leg === undefined ? ZERO : dec(leg.filled), fresh)
  const fillsMissing = lt(known, dec(report.filledQuantity))
  const waiting = leg === undefined || leg.status === "sending" || leg.status === "unknown" || leg.status === "pending"
  const unfilled = fresh.length === 0 && !fillsMissing && isTerminal(report.status)
  // A bracket that goes with the entry begins, or ends, with it: until then it says nothing of its own. One that was forgotten
  // (its entry ended, it was proven not to be there) and never traded is no news either.
  if (report.pending === true || (leg?.status === "pending" && unfilled) || (leg === undefined && unfilled && attempt <= c.attempts[kind]))
    return NOTHING
  // What is over and never traded was not taken just now: it does not cover anything, not even for a moment.
  if (waiting && !unfilled && report.status !== "rejected") {
    const price = report.triggerPrice ?? leg?.price ?? report.price
    const { quantity } = report
    const data =
      price === undefined
        ? { clientOrderId, venueOrderId, quantity, via, sentAtMs, receivedAtMs }
        : { clientOrderId, venueOrderId, quantity, price, via, sentAtMs, receivedAtMs }
    events.push({ type: ACCEPTED[kind], data: report.raw === undefined ? data : { ...data, reply: report.raw } })
  }
  if (fresh.length > 0) events.push({ type: "ExitFilled", data: { leg: kind, clientOrderId, fills: fresh, via } })
  const stillThere = leg === undefined || leg.status !== "over"
  if (!stillThere || fillsMissing) return { events, fillsMissing }

  const used = leg === undefined ? gte(known, dec(report.quantity)) : gte(known, dec(leg.quantity))
  // All of it traded, and something unsettled it again: say so, so that it can end.
  const stuck = used && fresh.length === 0 && leg !== undefined
  if (stuck) events.push({ type: "LegEnded", data: { leg: kind, clientOrderId, how: "filled", via } })
  if (report.status === "filled" && !used) events.push({ type: "LegEnded", data: { leg: kind, clientOrderId, how: "filled", via } })
  if (isTerminal(report.status) && !used) {
    // Gone as it was to be, because the lot is flat, or taken from us?
    const flat = lte(openQuantity(c), withFills(ZERO, fresh))
    events.push(
      (flat && entryIsOver(c)) || isReplaced(c, leg, report)
        ? { type: "SiblingCancelled", data: { leg: kind, clientOrderId, via } }
        : { type: "LegEnded", data: { leg: kind, clientOrderId, how: report.status, via } },
    )
  }
  return { events, fillsMissing }
}
