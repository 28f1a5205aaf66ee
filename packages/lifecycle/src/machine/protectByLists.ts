/**
 * Protection where stop and target are one list at the venue (OCO; spot). Pure, and idempotent as protect.ts is.
 *
 * What is different there (binance.md 3.2; docs/design.md section 6, "Spot"):
 * - what a list sells is reserved: nothing can be sold beside it, so an exit takes the lists away first, has that proven
 *   (what they sold counts), and sells then;
 * - as soon as one leg trades, however little, or the stop fires, the other leg is over: a target that has traded in part
 *   leaves the rest without a stop. It may go on for `partialGraceMs`; then it is taken away, and the rest has a new list;
 * - a bracket that came with the entry waits for the full fill. Until the entry is over nothing else can be placed;
 * - a sale that is refused does not leave the lot naked: the list is put back until the sale is tried again;
 * - a venue without a target (refused for good) still has a stop: alone.
 */
import type { Decimal } from "@petrosa/contracts"
import { cmp, gte, isPositive, isZero, lte, sub } from "@petrosa/contracts"
import type { OrderContext } from "./context.ts"
import type { LegList } from "./lists.ts"
import { armedLeftover, hasStatus, listLeft, listsOf, reservedByLists, waitsForEntry, withoutStop } from "./lists.ts"
import { entryIsOver, fits, legQuantity } from "./lot.ts"
import { addLeg, addList, cancelLegs, cancelLists, MAYBE_THERE, ON_THE_WAY } from "./placing.ts"
import { planPrices } from "./planPrices.ts"

/** @param open what legs can close of the lot now  @param waiting the venue asked us to place nothing yet */
export const protectByLists = (c: OrderContext, open: Decimal, waiting: boolean): OrderContext => {
  if (isZero(open)) return entryIsOver(c) ? cancelLegs(cancelLists(c, listsOf(c)), (leg) => leg.leg === "flatten") : c
  if (!isPositive(open) || waitsForEntry(c) || waiting) return c
  const wanted = c.closing !== null || c.closeNeeded !== null
  return wanted && c.saleRetryAtMs === null ? sell(c, open) : cover(c, open)
}

/** Lists away, proven; then at market. */
const sell = (c: OrderContext, open: Decimal): OrderContext => {
  const next = cancelLists(c, listsOf(c))
  if (next.legs.some((leg) => leg.leg !== "flatten" && hasStatus(leg, MAYBE_THERE))) return next
  const missing = sub(open, legQuantity(next, "flatten", ON_THE_WAY))
  return fits(next, missing) ? addLeg(next, "flatten", missing) : next
}

const bySize = (a: LegList, b: LegList): number => cmp(listLeft(a, MAYBE_THERE), listLeft(b, MAYBE_THERE)) || a.attempt - b.attempt
const isLive = (list: LegList): boolean => list.stop?.status === "live"

const cover = (c: OrderContext, open: Decimal): OrderContext => {
  // A sale that is on its way, or may be, sells all that is not reserved.
  if (isPositive(legQuantity(c, "flatten", ON_THE_WAY))) return c
  const passed = planPrices(c)?.passed
  if (passed !== undefined) return c.closing === null ? { ...c, closeNeeded: passed === "stop" ? "stopPassed" : "targetPassed" } : c
  // What is left under a target alone is too little for a list: it is not worth waiting for.
  const isDusty = entryIsOver(c) && !fits(c, open)
  const next = c.graceOver || isDusty ? cancelLists(c, listsOf(c).filter(withoutStop)) : c
  const uncovered = sub(open, reservedByLists(next, MAYBE_THERE))
  const isCancelling = next.legs.some((leg) => leg.leg !== "flatten" && leg.status === "cancelling")
  // What is to be placed instead is known when all that is to go is gone.
  if (isCancelling) return next
  const lists = listsOf(next).filter(isLive).sort(bySize)
  if (!isPositive(uncovered)) return tidy(next, lists, open)
  if (fits(next, uncovered)) return next.targetAbandoned ? addLeg(next, "stop", uncovered) : addList(next, uncovered)
  // Too little for a list of its own. More fills may come; when none can, it goes under one list with the smallest.
  if (!entryIsOver(next) || lte(uncovered, armedLeftover(next)) || !fits(next, open)) return next
  return cancelLists(next, lists.slice(0, 1))
}

/**
 * A list beyond what is held goes (one that was believed lost and showed up after all would sell what other lots hold),
 * never below what is held; and when there are too many, the two smallest are merged.
 */
const tidy = (c: OrderContext, lists: readonly LegList[], open: Decimal): OrderContext => {
  const [smallest] = lists
  if (smallest === undefined) return c
  const excess = sub(reservedByLists(c, ["live"]), open)
  if (isPositive(excess) && gte(excess, listLeft(smallest, MAYBE_THERE))) return cancelLists(c, [smallest])
  return lists.length <= (c.plan?.maxLegsOfAKind ?? 4) ? c : cancelLists(c, lists.slice(0, 2))
}
