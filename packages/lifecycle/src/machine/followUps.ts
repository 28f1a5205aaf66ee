/**
 * What must be recorded next because of what is known now: decisions that need nothing from outside. The engine asks
 * after every event and appends the answer in the same append, until there is none. Pure.
 */
import type { DecimalString, EventData, OrderEvent, Reason } from "@petrosa/contracts"
import { ATTEMPT_MAX, dec, div, eq, gt, isPositive, isZero, min, mul, reason, str, sub, ZERO } from "@petrosa/contracts"
import type { OrderContext } from "./context.ts"
import { isDone } from "./flat.ts"
import { usesLists, waitsForEntry } from "./lists.ts"
import {
  entryIsOver,
  excessOf,
  hasFills,
  hasLiveLegs,
  heldQuantity,
  isDust,
  isFlat,
  liveLegs,
  openQuantity,
  protectionPhase,
  stopsCover,
  totalFeesQuote,
} from "./lot.ts"
import { averageFillPriceText } from "./planPrices.ts"

const event = <K extends OrderEvent["type"]>(type: K, data: EventData[K]): OrderEvent => ({ type, data }) as OrderEvent

/** Why an entry that filled nothing is over. */
const failureOf = (c: OrderContext): Reason => {
  const entry = c.entry
  if (entry === null) return c.reason ?? reason("PARKED")
  switch (entry.ended) {
    case "notSent":
      return c.reason ?? reason("SEND_DEADLINE_PASSED")
    case "notPlaced":
      return reason("NOT_PLACED")
    case "expired":
      return entry.cancelReason ?? reason("ENTRY_EXPIRED")
    case "cancelled":
      return entry.cancelReason ?? reason("ENTRY_CANCELLED_AT_VENUE")
    case "refused":
      return c.reason ?? reason("ENTRY_REFUSED")
    case "rejected":
    case "filled":
    case null:
      return reason("ENTRY_REFUSED")
  }
}

/**
 * The profit of what was closed since the lot was last closed, in quote: exits less their share of the entry, less all fees.
 * Of what was given back beyond what was held it is not known what it had cost: it is no profit of this lot, and named apart.
 */
const lotClosed = (c: OrderContext): OrderEvent => {
  const entry = c.entry
  const bought = entry === null ? ZERO : sub(dec(entry.filled), dec(entry.feesBase))
  const given = dec(c.exit.quantity)
  const excess = c.excess === "0" ? ZERO : min(dec(c.excess), given)
  const sold = sub(given, excess)
  const cost = entry === null || isZero(bought) ? ZERO : eq(bought, sold) ? dec(entry.quote) : div(mul(dec(entry.quote), sold), bought)
  const total = dec(c.exit.quote)
  const proceeds = isZero(excess) ? total : div(mul(total, sold), given)
  const fees = totalFeesQuote(c)
  const gross = entry?.side === "sell" ? sub(cost, proceeds) : sub(proceeds, cost)
  return event("LotClosed", {
    quantity: str(sold),
    entryPrice: averageFillPriceText(c),
    exitPrice: exitPriceText(c),
    fees: str(fees),
    profit: str(sub(gross, fees)),
    closedBy: c.closedBy ?? "close",
    ...(isZero(excess) ? {} : { excess: c.excess }),
    ...(c.missingUnpriced === "0" ? {} : { missing: c.missingUnpriced }),
  })
}

/** The average of all that was given back. */
const exitPriceText = ({ exit }: OrderContext): DecimalString => {
  const given = dec(exit.quantity)
  return isZero(given) ? str(ZERO) : str(div(dec(exit.quote), given))
}

/**
 * A human is told when nothing of it can trade any more, and once: put back to work it is over. What is held at the venue is less
 * than the lots of this symbol and side add up to without this one; who makes up for that, and at which price, is not the engine's
 * to guess (docs/design.md section 6).
 */
const overClosedAlarm = (c: OrderContext): OrderEvent | undefined =>
  c.excess === c.excessTold || !isDone(c)
    ? undefined
    : event("OrderParked", {
        code: "OVER_CLOSED",
        detail: `two exits traded: ${c.excess} ${c.baseAsset} more than was held ${c.entry?.side === "sell" ? "were bought" : "were sold"}, at ${exitPriceText(c)} on average; nothing of it is live any more, and the other lots of ${c.symbol} on this side have so much less than they record`,
      })

/** As {@link overClosedAlarm}: when nothing of it can trade any more, and once. */
const missingAlarm = (c: OrderContext): OrderEvent | undefined =>
  c.missing === c.missingTold || !isDone(c)
    ? undefined
    : event("OrderParked", {
        code: "POSITION_MISSING",
        detail: `${c.missing} ${c.baseAsset} of this lot were closed at the venue by something that is not this engine (liquidation, auto-deleveraging, or by hand); nothing of it is live any more`,
      })

const completed = (c: OrderContext): OrderEvent =>
  event("OrderCompleted", {
    quantity: c.entry?.filled ?? str(ZERO),
    fillPrice: averageFillPriceText(c),
    fees: str(totalFeesQuote(c)),
  })

const jobDone = (c: OrderContext): OrderEvent | undefined => {
  const job = c.job
  if (job === null || job.reported.length < job.lots.length) return undefined
  if (job.parkedLots.length > 0) {
    return event("OrderFailed", {
      reason: reason(
        "PARKED",
        job.parkedLots.join(", "),
        undefined,
        "A lot that was to be closed is parked, and was not: a human has to look.",
      ),
    })
  }
  if (job.overClosed.length > 0) return event("OrderFailed", { reason: reason("OVER_CLOSED", job.overClosed.join(", ")) })
  if (isZero(dec(job.quantity))) {
    return event("OrderFailed", {
      reason: job.cancelledEntries > 0 ? reason("ONLY_CANCELLED", `${job.cancelledEntries} entries cancelled`) : reason("NOTHING_TO_CLOSE"),
    })
  }
  return event("OrderCompleted", { quantity: job.quantity, fillPrice: str(div(dec(job.quote), dec(job.quantity))), fees: job.feesQuote })
}

const settle = (c: OrderContext): OrderEvent | undefined => {
  if (c.settled !== null || !entryIsOver(c)) return undefined
  if (!hasFills(c)) return event("OrderFailed", { reason: failureOf(c) })
  const phase = protectionPhase(c)
  if (phase === "covered" || (phase === "exiting" && c.wasCovered && c.closing === null)) return completed(c)
  if (phase !== "closed") return undefined
  // Closed before it was ever covered, because it could not be covered: that is a failure, whatever the profit.
  const forced = !c.wasCovered && (c.closedCause === "protection" || c.closedCause === "stopPassed")
  return forced
    ? event("OrderFailed", { reason: reason("PROTECTION_FAILED", `closed at market, profit ${c.profit ?? "unknown"}`) })
    : completed(c)
}

/** More than nothing. */
const isGiven = (text: DecimalString): boolean => text !== "0" && isPositive(dec(text))

const cancelReasonOf = (c: OrderContext): Reason | undefined => {
  if (c.entryTimedOut) return reason("ENTRY_TIMEOUT", undefined, c.entry === null ? undefined : new Date(c.entry.expiresAtMs).toISOString())
  if (c.closing !== null || c.closeNeeded !== null) return reason("CANCELLED_BY_OPPOSITE", c.closing?.by)
  if (c.graceOver && waitsForEntry(c))
    return reason(
      "PARTIAL_FILL",
      c.entry === null ? undefined : `${c.entry.filled} of ${c.entry.quantity} ${c.baseAsset}`,
      `${c.plan?.partialGraceMs ?? 0} ms`,
    )
  if (isGiven(c.exit.quantity)) return reason("CANCELLED_BY_USER", "an exit of the lot traded while its entry was still working")
  if (c.missing !== "0") return reason("CANCELLED_BY_USER", "the lot was closed at the venue while its entry was still working")
  return undefined
}

/** The next event that what is known makes necessary, or nothing. Bounded: each removes its own cause. */
export const followUp = (c: OrderContext): OrderEvent | undefined => {
  if (c.parked !== null) return undefined
  if (c.job !== null) return c.settled === null ? jobDone(c) : undefined
  if (c.entry === null) return undefined

  // While the entry may have fills that we have not heard of, an exit may be told first. Afterwards it cannot be.
  const excess = excessOf(c)
  if (gt(excess, dec(c.excess))) return event("LotOverClosed", { excess: str(excess), asset: c.baseAsset })
  if (c.closeNeeded !== null && c.closing === null && hasFills(c) && !c.lotClosed) {
    return event("CloseRequested", { cause: c.closeNeeded, by: "engine", targets: "cancelled" })
  }
  if (
    c.closing !== null &&
    c.attempts.flatten >= ATTEMPT_MAX &&
    isPositive(openQuantity(c)) &&
    liveLegs(c).every((leg) => leg.leg !== "flatten") &&
    // What is parked stays under its stop: first it is put back.
    (!usesLists(c) || stopsCover(c) || c.attempts.stop >= ATTEMPT_MAX)
  ) {
    return event("OrderParked", {
      code: "INVARIANT",
      detail: `${ATTEMPT_MAX} attempts to close ${str(openQuantity(c))} ${c.baseAsset} at market failed`,
    })
  }
  if (!entryIsOver(c) && c.entry.cancelReason === null) {
    const why = cancelReasonOf(c)
    if (why !== undefined) return event("EntryCancelRequested", { reason: why, by: "engine" })
  }
  if (entryIsOver(c) && hasFills(c) && !c.lotClosed) {
    // A leg that is on its way, or has traded in part, may still close it.
    if (isDust(c) && !liveLegs(c).some((leg) => leg.leg === "flatten" || leg.status === "unknown" || isGiven(leg.filled))) {
      return event("DustLeft", { quantity: str(heldQuantity(c)), asset: c.baseAsset })
    }
    if (isFlat(c) && !hasLiveLegs(c)) return lotClosed(c)
  }
  return settle(c) ?? overClosedAlarm(c) ?? missingAlarm(c)
}

/** How many follow-ups one input may have: more is a rule that feeds itself. */
export const FOLLOW_UPS_MAX = 12
