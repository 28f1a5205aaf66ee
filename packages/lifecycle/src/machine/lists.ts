/**
 * Lists (OCO, OTOCO): a stop and a target that are one request at the venue, and of which only one can trade. Questions
 * asked of a context. Pure.
 *
 * A stop and a target of a list have the same attempt number; a number is never used for two lists, nor for a list and a
 * lone leg. The venue reserves what a list sells once, for the larger of its legs.
 */
import type { Decimal } from "@petrosa/contracts"
import { dec, floorTo, gte, isPositive, lt, max, sub, sum, ZERO } from "@petrosa/contracts"
import type { ExitLeg, LegStatus, OrderContext } from "./context.ts"

export interface LegList {
  readonly attempt: number
  /** Absent: it was never placed, or is proven not to be there. */
  readonly stop: ExitLeg | undefined
  readonly target: ExitLeg | undefined
}

export const usesLists = (c: OrderContext): boolean => c.plan?.style === "oco"

/** By attempt, oldest first. A stop that was placed by itself is a list of one. */
export const listsOf = (c: OrderContext): readonly LegList[] => {
  const found = new Map<number, LegList>()
  for (const leg of c.legs) {
    if (leg.leg === "flatten") continue
    const { attempt } = leg
    const list = found.get(attempt) ?? { attempt, stop: undefined, target: undefined }
    found.set(attempt, leg.leg === "stop" ? { ...list, stop: leg } : { ...list, target: leg })
  }
  return [...found.values()].sort((a, b) => a.attempt - b.attempt)
}

/** The other leg of the same list. */
export const siblingOf = (c: OrderContext, leg: Pick<ExitLeg, "leg" | "attempt">): ExitLeg | undefined =>
  !usesLists(c) || leg.leg === "flatten"
    ? undefined
    : c.legs.find((one) => one.attempt === leg.attempt && one.leg === (leg.leg === "stop" ? "target" : "stop"))

const left = (leg: ExitLeg | undefined, statuses: readonly LegStatus[]): Decimal =>
  leg === undefined || !statuses.includes(leg.status) ? ZERO : sub(dec(leg.quantity), dec(leg.filled))

/** What a list would still sell, as far as its legs have one of these statuses. */
export const listLeft = (list: LegList, statuses: readonly LegStatus[]): Decimal =>
  max(left(list.stop, statuses), left(list.target, statuses))

/** What all lists would still sell: what the venue reserves for them. */
export const reservedByLists = (c: OrderContext, statuses: readonly LegStatus[]): Decimal =>
  sum(listsOf(c).map((list) => listLeft(list, statuses)))

export const hasStatus = (leg: ExitLeg | undefined, statuses: readonly LegStatus[]): boolean =>
  leg !== undefined && statuses.includes(leg.status)

/** The bracket waits at the venue, or on its way there, for the full fill of the entry. */
export const waitsForEntry = (c: OrderContext): boolean => {
  for (const leg of c.legs) if (leg.status === "pending") return true
  return false
}

/** Still in the book with its target, without its stop: the target has begun to trade, or the stop was taken away. */
export const withoutStop = (list: LegList): boolean =>
  list.target?.status === "live" && (list.stop === undefined || list.stop.status === "over")

/**
 * What a bracket that came with the entry leaves over: it was sized by the worst commission. Less than a leg may be for, it
 * stays outside until the lot closes; nothing takes a stop away for it.
 */
export const armedLeftover = (c: OrderContext): Decimal => {
  const armed = c.plan?.armed
  if (armed === undefined || c.plan === null || c.entry === null || lt(dec(c.entry.filled), dec(c.entry.quantity))) return ZERO
  const stop = c.legs.find((leg) => leg.clientOrderId === armed.stop.clientOrderId)
  if (stop === undefined || stop.status === "over") return ZERO
  const net = floorTo(sub(dec(c.entry.filled), dec(c.entry.feesBase)), dec(c.plan.stepSize))
  const over = sub(net, dec(armed.stop.quantity))
  return isPositive(over) && gte(net, over) ? over : ZERO
}
