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
import { cmp, gte, isPositive, lte, sub } from "@petrosa/contracts"
import type { Draft } from "./draft.ts"
import type { LegList } from "./lists.ts"
import { armedLeftover, hasStatus, listLeft, listsOf, reservedByLists, waitsForEntry, withoutStop } from "./lists.ts"
import { entryIsOver, fits, LIVE, legQuantity, legsMayGo } from "./lot.ts"
import { addLeg, addList, cancelLegs, cancelLists, MAYBE_THERE, ON_THE_WAY } from "./placing.ts"
import { planPrices } from "./planPrices.ts"

/** @param open what legs can close of the lot now  @param waiting the venue asked us to place nothing yet */
export const protectByLists = (d: Draft, open: Decimal, waiting: boolean): void => {
  if (!isPositive(open)) {
    if (!legsMayGo(d)) return
    cancelLists(d, listsOf(d))
    cancelLegs(d, (leg) => leg.leg === "flatten")
    return
  }
  if (waitsForEntry(d) || waiting) return
  const wanted = d.closing !== null || d.closeNeeded !== null
  if (wanted && d.saleRetryAtMs === null) sell(d, open)
  else cover(d, open)
}

/** Lists away, proven; then at market. */
const sell = (d: Draft, open: Decimal): void => {
  cancelLists(d, listsOf(d))
  if (d.legs.some((leg) => leg.leg !== "flatten" && hasStatus(leg, MAYBE_THERE))) return
  const missing = sub(open, legQuantity(d, "flatten", ON_THE_WAY))
  if (fits(d, missing)) addLeg(d, "flatten", missing)
}

const bySize = (a: LegList, b: LegList): number => cmp(listLeft(a, MAYBE_THERE), listLeft(b, MAYBE_THERE)) || a.attempt - b.attempt
const isLive = (list: LegList): boolean => list.stop?.status === "live"

const cover = (d: Draft, open: Decimal): void => {
  // A sale that is on its way, or may be, sells all that is not reserved.
  if (isPositive(legQuantity(d, "flatten", ON_THE_WAY))) return
  const passed = planPrices(d)?.passed
  if (passed !== undefined) {
    if (d.closing === null) d.closeNeeded = passed === "stop" ? "stopPassed" : "targetPassed"
    return
  }
  // What is left under a target alone is too little for a list: it is not worth waiting for.
  const isDusty = entryIsOver(d) && !fits(d, open)
  if (d.graceOver || isDusty) cancelLists(d, listsOf(d).filter(withoutStop))
  const uncovered = sub(open, reservedByLists(d, MAYBE_THERE))
  const isCancelling = d.legs.some((leg) => leg.leg !== "flatten" && leg.status === "cancelling")
  // What is to be placed instead is known when all that is to go is gone.
  if (isCancelling) return
  const lists = listsOf(d).filter(isLive).sort(bySize)
  if (!isPositive(uncovered)) return tidy(d, lists, open)
  if (fits(d, uncovered)) return d.targetAbandoned ? addLeg(d, "stop", uncovered) : addList(d, uncovered)
  // Too little for a list of its own. More fills may come; when none can, it goes under one list with the smallest.
  if (!entryIsOver(d) || lte(uncovered, armedLeftover(d)) || !fits(d, open)) return
  cancelLists(d, lists.slice(0, 1))
}

/**
 * A list beyond what is held goes (one that was believed lost and showed up after all would sell what other lots hold),
 * never below what is held; and when there are too many, the two smallest are merged.
 */
const tidy = (d: Draft, lists: readonly LegList[], open: Decimal): void => {
  const [smallest] = lists
  if (smallest === undefined) return
  const excess = sub(reservedByLists(d, LIVE), open)
  if (isPositive(excess) && gte(excess, listLeft(smallest, MAYBE_THERE))) cancelLists(d, [smallest])
  else if (lists.length > (d.plan?.maxLegsOfAKind ?? 4)) cancelLists(d, lists.slice(0, 2))
}
