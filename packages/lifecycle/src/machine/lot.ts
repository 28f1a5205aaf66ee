/**
 * What an order's lot holds and how it is covered: questions asked of a context. Pure.
 */
import type { Decimal, DecimalString } from "@petrosa/contracts"
import { add, cmp, dec, floorTo, gt, gte, isNegative, isPositive, isZero, lt, lte, mul, sub, ZERO } from "@petrosa/contracts"
import type { ExitLeg, OrderContext } from "./context.ts"
import { armedLeftover, listsOf, usesLists, waitsForEntry } from "./lists.ts"
import { lotFactsOf } from "./lotFacts.ts"
import { planPrices } from "./planPrices.ts"

/** Most often there is nothing to take away. */
const less = (a: Decimal, b: DecimalString): Decimal => (b === "0" ? a : sub(a, dec(b)))

/** Bought (or sold short) by the entry and not yet given back: fills, less fees taken in base, less exits, less dust, less what is missing. */
export const heldQuantity = (c: OrderContext): Decimal => {
  const { entry, exit, dust, missingUnpriced } = c
  if (entry === null) return ZERO
  const facts = lotFactsOf(c, entry)
  facts.held ??= less(less(less(less(dec(entry.filled), entry.feesBase), exit.quantity), dust), missingUnpriced)
  return facts.held
}

/** What legs can close of it: held, floored to the exchange's step. */
export const openQuantity = (c: OrderContext): Decimal => {
  const { entry, plan } = c
  if (entry === null || plan === null) return heldQuantity(c)
  const facts = lotFactsOf(c, entry)
  facts.open ??= floored(heldQuantity(c), plan.stepSize)
  return facts.open
}
const floored = (quantity: Decimal, step: DecimalString): Decimal => (isZero(quantity) ? quantity : floorTo(quantity, dec(step)))

/** Whether a leg may be for so much: not less than the exchange's minimum, at the stop's price also in worth. */
export const fits = (c: OrderContext, quantity: Decimal): boolean => {
  if (!isPositive(quantity) || c.plan === null || lt(quantity, dec(c.plan.minQuantity))) return false
  const { minNotional } = c.plan
  if (minNotional === undefined) return true
  const prices = planPrices(c)
  return prices === undefined || gte(mul(quantity, dec(prices.stop)), dec(minNotional))
}

/** Given back beyond what was held, once no fill of the entry can be missing. Two exits traded where one was to. */
export const excessOf = (c: OrderContext): Decimal => {
  const held = entryIsOver(c) ? heldQuantity(c) : ZERO
  return isNegative(held) ? sub(ZERO, held) : ZERO
}

/** Nothing is held, and nothing more will come: no leg protects anything, and each that is left may sell what other lots hold. */
export const isFlat = (c: OrderContext): boolean => entryIsOver(c) && hasFills(c) && !isPositive(openQuantity(c))

/**
 * All that is left of the legs goes. That more was given back than was held is recorded first (LotOverClosed): events of earlier
 * versions do not have it, and there the legs stayed as they were.
 */
export const legsMayGo = (c: OrderContext): boolean => isFlat(c) && (c.excess !== "0" || isZero(openQuantity(c)))

/** Held, but less than an exit may have: it can only be recorded. */
export const isDust = (c: OrderContext): boolean => c.plan !== null && isPositive(heldQuantity(c)) && !fits(c, openQuantity(c))

export const entryIsOver = (c: OrderContext): boolean => c.entry !== null && c.entry.status === "over"
export const hasFills = (c: OrderContext): boolean => c.entry !== null && c.entry.filled !== "0" && isPositive(dec(c.entry.filled))

/** What a leg would still close. */
const left = (leg: ExitLeg): Decimal => less(dec(leg.quantity), leg.filled)

/** What legs of this kind would still close, counting those with one of these statuses. */
export const legQuantity = (c: OrderContext, kind: ExitLeg["leg"], statuses: readonly ExitLeg["status"][]): Decimal => {
  let total = ZERO
  for (const leg of c.legs) {
    if (leg.leg !== kind || !statuses.includes(leg.status)) continue
    total = total === ZERO ? left(leg) : add(total, left(leg))
  }
  return total
}

export const LIVE: readonly ExitLeg["status"][] = ["live"]

/** Under live stops, all of it, but for what a bracket that came with the entry leaves over and no leg may be for. */
export const stopsCover = (c: OrderContext): boolean => {
  if (c.entry === null) return areStopsEnough(c)
  const facts = lotFactsOf(c, c.entry)
  if (facts.legs !== c.legs) {
    facts.covered = areStopsEnough(c)
    facts.legs = c.legs
  }
  return facts.covered
}
const areStopsEnough = (c: OrderContext): boolean => {
  const uncovered = sub(openQuantity(c), legQuantity(c, "stop", LIVE))
  return !isPositive(uncovered) || (lte(uncovered, armedLeftover(c)) && !fits(c, uncovered))
}
/**
 * The flatten of a close waits until no target may trade beside it: all is under stops meanwhile. (On lists the sale waits for the
 * whole list, by rules of its own.)
 */
export const waitsForTargets = (c: OrderContext): boolean => {
  const { closing } = c
  if (closing?.targets !== "cancelled" || closing.isUrgent === true || usesLists(c) || !isPositive(openQuantity(c)) || !stopsCover(c))
    return false
  return c.legs.some(({ leg, status }) => leg === "target" && status !== "over" && status !== "pending")
}

/** A list has its target or will never have it again: nothing can be added to it. */
export const targetsCover = (c: OrderContext): boolean =>
  c.targetAbandoned ||
  (usesLists(c)
    ? listsOf(c).every(({ stop, target }) => stop?.status !== "live" || (target?.status !== "sending" && target?.status !== "unknown"))
    : gte(legQuantity(c, "target", LIVE), openQuantity(c)))

const isLive = (leg: ExitLeg): boolean => leg.status !== "over" && leg.status !== "pending"
const NO_LEGS: readonly ExitLeg[] = []

/** At the venue, or perhaps there, as orders of their own. (What waits with the entry ends, or begins, with it.) */
export const liveLegs = (c: OrderContext): readonly ExitLeg[] => {
  let n = 0
  for (const leg of c.legs) if (isLive(leg)) n++
  return n === c.legs.length ? c.legs : n === 0 ? NO_LEGS : c.legs.filter(isLive)
}
export const hasLiveLegs = (c: OrderContext): boolean => {
  for (const leg of c.legs) if (isLive(leg)) return true
  return false
}

/** Smallest first. */
export const bySize = (a: ExitLeg, b: ExitLeg): number => cmp(left(a), left(b))

export const totalFeesQuote = (c: OrderContext): Decimal => {
  if (c.job !== null) return dec(c.job.feesQuote)
  if (c.entry === null) return ZERO
  const fees = dec(c.entry.feesQuote)
  return c.exit.feesQuote === "0" ? fees : add(fees, dec(c.exit.feesQuote))
}

export type EntryPhase = "none" | "sending" | "unknown" | "working" | "partlyFilled" | "cancelling" | "over"
/** The state of the `entry` region that this context belongs to. */
export const entryPhase = (c: OrderContext): EntryPhase => {
  if (c.job !== null) return c.job.reported.length >= c.job.lots.length ? "over" : "working"
  if (c.entry === null) return "none"
  switch (c.entry.status) {
    case "sending":
      return "sending"
    case "unknown":
      return "unknown"
    case "cancelling":
      return "cancelling"
    case "over":
      return "over"
    case "live":
      return hasFills(c) ? "partlyFilled" : "working"
  }
}

export type ProtectionPhase = "none" | "armed" | "placing" | "covered" | "growing" | "exiting" | "closed"
/** The state of the `protection` region that this context belongs to. */
export const protectionPhase = (c: OrderContext): ProtectionPhase => {
  // Nothing intended, or no bracket yet and nothing filled: most of an order's first events.
  if (c.entry === null) return "none"
  const waits = c.entry.venueOrderId !== null && waitsForEntry(c)
  // Armed at the full fill, and told before the fill is: the bracket came with the entry.
  if (!hasFills(c)) return waits || (c.plan?.armed !== undefined && hasLiveLegs(c)) ? "armed" : "none"
  if (c.lotClosed) return "closed"
  if (waits && c.closing === null) return "armed"
  if (c.closing !== null || hasExitsSince(c)) return "exiting"
  if (stopsCover(c) && targetsCover(c)) return "covered"
  return isZero(legQuantity(c, "stop", LIVE)) ? "placing" : "growing"
}

/** Something was given back since the lot was last closed. */
const hasExitsSince = ({ exit, settledExit }: OrderContext): boolean =>
  exit.quantity !== settledExit.quantity && gt(dec(exit.quantity), dec(settledExit.quantity))
