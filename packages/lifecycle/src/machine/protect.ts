/**
 * Which protective legs an order needs now: from what it holds and which legs it has, to new legs and cancels, each with
 * its command. Pure, and idempotent: asked again without news it asks for nothing.
 *
 * Rules (docs/design.md section 6):
 * - the stop goes first, then the target; both are sized by what was filled;
 * - a new fill gets a further stop for the increment, and nothing touches the first;
 * - nothing removes a stop while the lot holds anything (but merging, smallest first, when there are too many);
 * - a lot that is to close is flattened at market. Its targets, which protect nothing, go first: as long as all is under
 *   stops, the flatten waits until they are proven gone, not for ever (each of them would sell a second time). The stops stay
 *   until it is flat;
 * - when a part of the lot is missing at the venue, a stop for what is left comes first, then the larger ones go;
 * - when the lot is flat and the entry over, every leg that is left goes, until proven gone; also when two exits traded, and
 *   more was given back than was held.
 * Where stop and target are one list at the venue the rules of protectByLists.ts hold instead.
 */
import type { Decimal } from "@petrosa/contracts"
import { dec, eq, gt, gte, isPositive, lt, sub } from "@petrosa/contracts"
import type { ExitLeg, OrderContext } from "./context.ts"
import type { Draft } from "./draft.ts"
import { usesLists } from "./lists.ts"
import { bySize, entryIsOver, fits, hasFills, LIVE, legQuantity, legsMayGo, openQuantity, waitsForTargets } from "./lot.ts"
import { addLeg, cancelLegs, MAYBE_THERE, ON_THE_WAY } from "./placing.ts"
import { planPrices } from "./planPrices.ts"
import { protectByLists } from "./protectByLists.ts"

const isCancelling = (c: OrderContext, kind: ExitLeg["leg"]): boolean => {
  for (const leg of c.legs) if (leg.leg === kind && leg.status === "cancelling") return true
  return false
}

/** Live legs of a kind, smallest first. */
const smallestFirst = (c: OrderContext, kind: ExitLeg["leg"]): readonly ExitLeg[] =>
  c.legs.filter((leg) => leg.leg === kind && leg.status === "live").sort(bySize)

const cancelSmallest = (d: Draft, kind: ExitLeg["leg"]): void => {
  const [smallest] = smallestFirst(d, kind)
  if (smallest !== undefined) cancelLegs(d, (leg) => leg === smallest)
}

/**
 * Legs beyond what is held go (one that was believed lost and showed up after all: both would trade, and sell what other
 * lots hold), never below what is held; and when there are too many, the two smallest are merged.
 *
 * @param open more than nothing
 */
const tidy = (d: Draft, kind: "stop" | "target", open: Decimal): void => {
  // One by itself is beyond what is held only when nothing is: there is nothing to tidy.
  if (liveCount(d, kind) < 2 || isCancelling(d, kind)) return
  const live = smallestFirst(d, kind)
  const [smallest] = live
  if (smallest === undefined) return
  const excess = sub(legQuantity(d, kind, LIVE), open)
  if (gte(excess, sub(dec(smallest.quantity), dec(smallest.filled)))) return cancelLegs(d, (leg) => leg === smallest)
  if (live.length <= (d.plan?.maxLegsOfAKind ?? 4)) return
  const merged = new Set(live.slice(0, 2))
  cancelLegs(d, (leg) => merged.has(leg))
}

/**
 * A part of the lot is missing: its legs are for more than is held, and would close what other lots hold. First one for what is
 * left, then the others go.
 */
const resize = (d: Draft, kind: "stop" | "target", open: Decimal): void => {
  if (!gt(legQuantity(d, kind, LIVE), open) || !fits(d, open)) return
  const right = d.legs.find((leg) => leg.leg === kind && isIn(leg, MAYBE_THERE) && eq(sub(dec(leg.quantity), dec(leg.filled)), open))
  if (right === undefined) addLeg(d, kind, open)
  else if (right.status === "live") cancelLegs(d, (leg) => leg.leg === kind && leg !== right)
}
const isIn = ({ status }: ExitLeg, statuses: readonly ExitLeg["status"][]): boolean => statuses.includes(status)

const liveCount = (c: OrderContext, kind: ExitLeg["leg"]): number => {
  let n = 0
  for (const leg of c.legs) if (leg.leg === kind && leg.status === "live") n++
  return n
}

const close = (d: Draft, open: Decimal): void => {
  if (d.closing?.targets === "cancelled") {
    cancelLegs(d, (leg) => leg.leg === "target")
    if (waitsForTargets(d)) return
  }
  const missing = sub(open, legQuantity(d, "flatten", ON_THE_WAY))
  if (fits(d, missing)) addLeg(d, "flatten", missing)
}

const cover = (d: Draft, open: Decimal): void => {
  // The fill slipped past an absolute price: what the leg would be for has happened already.
  const passed = planPrices(d)?.passed
  if (passed !== undefined) {
    d.closeNeeded = passed === "stop" ? "stopPassed" : "targetPassed"
    return
  }
  const uncovered = sub(open, legQuantity(d, "stop", MAYBE_THERE))
  // While stops are being cancelled nothing is added: what is to be placed instead is known when all of them are gone.
  if (isPositive(uncovered)) {
    if (isCancelling(d, "stop")) return
    if (fits(d, uncovered)) addLeg(d, "stop", uncovered)
    // Too little for a stop of its own. More fills may come; when none can, it goes under one stop with the smallest.
    else if (entryIsOver(d) && fits(d, open)) cancelSmallest(d, "stop")
    return
  }
  if (lt(legQuantity(d, "stop", LIVE), open)) return
  if (!d.targetAbandoned && d.targetRetryAtMs === null && !isCancelling(d, "target")) {
    const untargeted = sub(open, legQuantity(d, "target", MAYBE_THERE))
    if (fits(d, untargeted)) addLeg(d, "target", untargeted)
  }
  if (d.missing !== "0") {
    resize(d, "stop", open)
    if (!d.targetAbandoned && d.targetRetryAtMs === null) resize(d, "target", open)
    return
  }
  tidy(d, "stop", open)
  tidy(d, "target", open)
}

/**
 * Puts into the draft every leg that it needs now, and the commands for them.
 *
 * @param atMs the time of the event that is being folded in, which starts and stops the protection clock
 */
export const protect = (d: Draft, atMs: number): void => {
  if (d.entry === null || d.plan === null || d.parked !== null || !hasFills(d)) return
  const open = openQuantity(d)
  const waiting = d.retryAtMs !== null && atMs < d.retryAtMs
  if (usesLists(d)) protectByLists(d, open, waiting)
  else protectByLegs(d, open, waiting)
  // Less than the exchange lets a leg have cannot be protected: it is outside the invariant until it has grown.
  const exposed = fits(d, sub(open, legQuantity(d, "stop", LIVE)))
  const since = exposed ? (d.unprotectedSinceMs ?? atMs) : null
  if (since === d.unprotectedSinceMs) return
  d.unprotectedSinceMs = since
  d.graceSinceMs = since === null ? null : (d.graceSinceMs ?? since)
  d.graceOver = false
}

const protectByLegs = (d: Draft, open: Decimal, waiting: boolean): void => {
  if (!isPositive(open)) {
    if (legsMayGo(d)) cancelLegs(d, () => true)
  } else if (!waiting) {
    if (d.closing === null && d.closeNeeded === null) cover(d, open)
    else close(d, open)
  }
}
