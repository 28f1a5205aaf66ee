/**
 * Which protective legs an order needs now: from what it holds and which legs it has, to new legs and cancels, each with
 * its command. Pure, and idempotent: asked again without news it asks for nothing.
 *
 * Rules (docs/design.md section 6):
 * - the stop goes first, then the target; both are sized by what was filled;
 * - a new fill gets a further stop for the increment, and nothing touches the first;
 * - nothing removes a stop while the lot holds anything (but merging, smallest first, when there are too many);
 * - a lot that is to close is flattened at market, its stops stay until it is flat;
 * - when the lot is flat and the entry over, every leg that is left goes, until proven gone.
 * Where stop and target are one list at the venue the rules of protectByLists.ts hold instead.
 */
import type { Decimal } from "@petrosa/contracts"
import { dec, gt, gte, isPositive, isZero, lt, sub } from "@petrosa/contracts"
import type { ExitLeg, OrderContext } from "./context.ts"
import { usesLists } from "./lists.ts"
import { bySize, entryIsOver, fits, hasFills, legQuantity, openQuantity } from "./lot.ts"
import { addLeg, cancelLegs, MAYBE_THERE, ON_THE_WAY } from "./placing.ts"
import { planPrices } from "./planPrices.ts"
import { protectByLists } from "./protectByLists.ts"

const isCancelling = (c: OrderContext, kind: ExitLeg["leg"]): boolean =>
  c.legs.some((leg) => leg.leg === kind && leg.status === "cancelling")

const cancelSmallest = (c: OrderContext, kind: ExitLeg["leg"]): OrderContext => {
  const [smallest] = c.legs.filter((leg) => leg.leg === kind && leg.status === "live").sort(bySize)
  return smallest === undefined ? c : cancelLegs(c, (leg) => leg === smallest)
}

/**
 * Legs beyond what is held go (one that was believed lost and showed up after all: both would trade, and sell what other
 * lots hold), never below what is held; and when there are too many, the two smallest are merged.
 */
const tidy = (c: OrderContext, kind: "stop" | "target", open: Decimal): OrderContext => {
  if (isCancelling(c, kind)) return c
  const live = c.legs.filter((leg) => leg.leg === kind && leg.status === "live").sort(bySize)
  const [smallest] = live
  if (smallest === undefined) return c
  const excess = sub(legQuantity(c, kind, ["live"]), open)
  if (gte(excess, sub(dec(smallest.quantity), dec(smallest.filled)))) return cancelLegs(c, (leg) => leg === smallest)
  if (live.length <= (c.plan?.maxLegsOfAKind ?? 4)) return c
  const merged = new Set(live.slice(0, 2))
  return cancelLegs(c, (leg) => merged.has(leg))
}

const close = (c: OrderContext, open: Decimal): OrderContext => {
  const missing = sub(open, legQuantity(c, "flatten", ON_THE_WAY))
  return fits(c, missing) ? addLeg(c, "flatten", missing) : c
}

const cover = (c: OrderContext, open: Decimal): OrderContext => {
  // The fill slipped past an absolute price: what the leg would be for has happened already.
  const passed = planPrices(c)?.passed
  if (passed !== undefined) return { ...c, closeNeeded: passed === "stop" ? "stopPassed" : "targetPassed" }
  const uncovered = sub(open, legQuantity(c, "stop", MAYBE_THERE))
  // While stops are being cancelled nothing is added: what is to be placed instead is known when all of them are gone.
  if (isPositive(uncovered)) {
    if (isCancelling(c, "stop")) return c
    if (fits(c, uncovered)) return addLeg(c, "stop", uncovered)
    // Too little for a stop of its own. More fills may come; when none can, it goes under one stop with the smallest.
    return entryIsOver(c) && fits(c, open) ? cancelSmallest(c, "stop") : c
  }
  if (lt(legQuantity(c, "stop", ["live"]), open)) return c
  const untargeted = sub(open, legQuantity(c, "target", MAYBE_THERE))
  const later = c.targetAbandoned || c.targetRetryAtMs !== null || isCancelling(c, "target")
  const next = later || !fits(c, untargeted) ? c : addLeg(c, "target", untargeted)
  return tidy(tidy(next, "stop", open), "target", open)
}

/**
 * The context with every leg that it needs now, and the commands for them.
 *
 * @param atMs the time of the event that is being folded in, which starts and stops the protection clock
 */
export const protect = (c: OrderContext, atMs: number): OrderContext => {
  if (c.entry === null || c.plan === null || c.parked !== null || !hasFills(c)) return c
  const open = openQuantity(c)
  const waiting = c.retryAtMs !== null && atMs < c.retryAtMs
  const next = usesLists(c) ? protectByLists(c, open, waiting) : protectByLegs(c, open, waiting)
  // Less than the exchange lets a leg have cannot be protected: it is outside the invariant until it has grown.
  const exposed = fits(next, sub(open, legQuantity(next, "stop", ["live"])))
  const since = exposed ? (c.unprotectedSinceMs ?? atMs) : null
  if (since === next.unprotectedSinceMs) return next
  return { ...next, unprotectedSinceMs: since, graceSinceMs: since === null ? null : (c.graceSinceMs ?? since), graceOver: false }
}

const protectByLegs = (c: OrderContext, open: Decimal, waiting: boolean): OrderContext => {
  let next = c
  if (gt(open, dec("0")) && !waiting) next = c.closing === null && c.closeNeeded === null ? cover(c, open) : close(c, open)
  return isZero(open) && entryIsOver(next) ? cancelLegs(next, () => true) : next
}
