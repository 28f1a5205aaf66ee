/**
 * What an order's lot holds and how it is covered: questions asked of a context. Pure.
 */
import type { Decimal } from "@petrosa/contracts"
import { add, cmp, dec, floorTo, gt, gte, isPositive, isZero, lt, lte, mul, sub, sum, ZERO } from "@petrosa/contracts"
import type { ExitLeg, OrderContext } from "./context.ts"
import { armedLeftover, listsOf, usesLists, waitsForEntry } from "./lists.ts"
import { planPrices } from "./planPrices.ts"

/** Bought (or sold short) by the entry and not yet given back: fills, less fees taken in base, less exits, less dust. */
export const heldQuantity = (c: OrderContext): Decimal =>
  c.entry === null ? ZERO : sub(sub(sub(dec(c.entry.filled), dec(c.entry.feesBase)), dec(c.exit.quantity)), dec(c.dust))

/** What legs can close of it: held, floored to the exchange's step. */
export const openQuantity = (c: OrderContext): Decimal => {
  const held = heldQuantity(c)
  return c.plan === null ? held : floorTo(held, dec(c.plan.stepSize))
}

/** Whether a leg may be for so much: not less than the exchange's minimum, at the stop's price also in worth. */
export const fits = (c: OrderContext, quantity: Decimal): boolean => {
  if (!isPositive(quantity) || c.plan === null || lt(quantity, dec(c.plan.minQuantity))) return false
  const { minNotional } = c.plan
  if (minNotional === undefined) return true
  const prices = planPrices(c)
  return prices === undefined || gte(mul(quantity, dec(prices.stop)), dec(minNotional))
}

/** Held, but less than an exit may have: it can only be recorded. */
export const isDust = (c: OrderContext): boolean => c.plan !== null && gt(heldQuantity(c), ZERO) && !fits(c, openQuantity(c))

export const entryIsOver = (c: OrderContext): boolean => c.entry !== null && c.entry.status === "over"
export const hasFills = (c: OrderContext): boolean => c.entry !== null && gt(dec(c.entry.filled), ZERO)

const left = (leg: ExitLeg): Decimal => sub(dec(leg.quantity), dec(leg.filled))

/** What legs of this kind would still close, counting those with one of these statuses. */
export const legQuantity = (c: OrderContext, kind: ExitLeg["leg"], statuses: readonly ExitLeg["status"][]): Decimal =>
  sum(c.legs.filter((leg) => leg.leg === kind && statuses.includes(leg.status)).map(left))

/** Under live stops, all of it, but for what a bracket that came with the entry leaves over and no leg may be for. */
export const stopsCover = (c: OrderContext): boolean => {
  const uncovered = sub(openQuantity(c), legQuantity(c, "stop", ["live"]))
  return !isPositive(uncovered) || (lte(uncovered, armedLeftover(c)) && !fits(c, uncovered))
}
/** A list has its target or will never have it again: nothing can be added to it. */
export const targetsCover = (c: OrderContext): boolean =>
  c.targetAbandoned ||
  (usesLists(c)
    ? listsOf(c).every(({ stop, target }) => stop?.status !== "live" || (target?.status !== "sending" && target?.status !== "unknown"))
    : gte(legQuantity(c, "target", ["live"]), openQuantity(c)))

/** At the venue, or perhaps there, as orders of their own. (What waits with the entry ends, or begins, with it.) */
export const liveLegs = (c: OrderContext): readonly ExitLeg[] => c.legs.filter((leg) => leg.status !== "over" && leg.status !== "pending")

/** Smallest first. */
export const bySize = (a: ExitLeg, b: ExitLeg): number => cmp(left(a), left(b))

export const totalFeesQuote = (c: OrderContext): Decimal => {
  if (c.job !== null) return dec(c.job.feesQuote)
  return c.entry === null ? ZERO : add(dec(c.entry.feesQuote), dec(c.exit.feesQuote))
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
  const waits = waitsForEntry(c) && c.entry !== null && c.entry.venueOrderId !== null
  // Armed at the full fill, and told before the fill is: the bracket came with the entry.
  if (!hasFills(c)) return waits || (c.plan?.armed !== undefined && liveLegs(c).length > 0) ? "armed" : "none"
  if (c.lotClosed) return "closed"
  if (waits && c.closing === null) return "armed"
  if (c.closing !== null || gt(dec(c.exit.quantity), dec(c.settledExit.quantity))) return "exiting"
  if (stopsCover(c) && targetsCover(c)) return "covered"
  return isZero(legQuantity(c, "stop", ["live"])) ? "placing" : "growing"
}
