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
 */
import type { Command, Decimal, LegRequest } from "@petrosa/contracts"
import { ATTEMPT_MAX, clientOrderId, dec, gt, gte, isPositive, isZero, lt, parseClientOrderId, str, sub } from "@petrosa/contracts"
import type { ExitLeg, OrderContext } from "./context.ts"
import { bySize, entryIsOver, hasFills, legQuantity, openQuantity } from "./lot.ts"
import { planPrices } from "./planPrices.ts"

type ExitKind = ExitLeg["leg"]

const requestOf = (c: OrderContext, leg: ExitLeg): LegRequest => {
  const side = c.entry?.side === "buy" ? "sell" : "buy"
  const base = { clientOrderId: leg.clientOrderId, leg: leg.leg, side, quantity: leg.quantity, reduceOnly: true } as const
  switch (leg.leg) {
    case "stop":
      return leg.price === null ? { ...base, type: "market" } : { ...base, type: "stop", triggerPrice: leg.price }
    case "target":
      return leg.price === null ? { ...base, type: "market" } : { ...base, type: "take_profit", triggerPrice: leg.price }
    case "flatten":
      return { ...base, type: "market" }
  }
}

const COMMAND_OF = { stop: "placeStop", target: "placeTarget", flatten: "flatten" } as const

/** Adds a leg of this kind under the next attempt. Without an attempt left the context comes back as it is: the deadline decides. */
const addLeg = (c: OrderContext, leg: ExitKind, quantity: Decimal): OrderContext => {
  const engineId = c.entry === null ? undefined : parseClientOrderId(c.entry.clientOrderId)?.engineId
  const attempt = c.attempts[leg] + 1
  if (engineId === undefined || c.order === "" || attempt > ATTEMPT_MAX) return c
  const prices = planPrices(c)
  const price = leg === "stop" ? prices?.stop : leg === "target" ? prices?.target : undefined
  const added: ExitLeg = {
    clientOrderId: clientOrderId(engineId, c.order, leg, attempt),
    venueOrderId: null,
    leg,
    attempt,
    quantity: str(quantity),
    price: price ?? null,
    status: "sending",
    filled: str(dec("0")),
  }
  const command: Command = { type: COMMAND_OF[leg], request: requestOf(c, added) }
  return {
    ...c,
    legs: [...c.legs, added],
    attempts: { ...c.attempts, [leg]: attempt },
    stopPrice: leg === "stop" ? added.price : c.stopPrice,
    targetPrice: leg === "target" ? added.price : c.targetPrice,
    commands: [...c.commands, command],
  }
}

const cancelLegs = (c: OrderContext, which: (leg: ExitLeg) => boolean): OrderContext => {
  const gone = c.legs.filter((leg) => leg.status === "live" && which(leg))
  if (gone.length === 0) return c
  return {
    ...c,
    legs: c.legs.map((leg) => (gone.includes(leg) ? { ...leg, status: "cancelling" } : leg)),
    commands: [...c.commands, ...gone.map((leg) => ({ type: "cancelLeg", leg: leg.leg, clientOrderId: leg.clientOrderId }) as const)],
  }
}

const ON_THE_WAY = ["sending", "unknown", "live"] as const
/** A leg that is being cancelled may still be there: nothing takes its place before it is proven gone. */
const MAYBE_THERE = [...ON_THE_WAY, "cancelling"] as const

const fits = (c: OrderContext, quantity: Decimal): boolean =>
  isPositive(quantity) && c.plan !== null && gte(quantity, dec(c.plan.minQuantity))

const isCancelling = (c: OrderContext, kind: ExitKind): boolean => c.legs.some((leg) => leg.leg === kind && leg.status === "cancelling")

const cancelSmallest = (c: OrderContext, kind: ExitKind): OrderContext => {
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
  let next = c
  if (gt(open, dec("0")) && !waiting) next = c.closing === null && c.closeNeeded === null ? cover(c, open) : close(c, open)
  if (isZero(open) && entryIsOver(next)) next = cancelLegs(next, () => true)
  // Less than the exchange lets a leg have cannot be protected: it is outside the invariant until it has grown.
  const exposed = fits(next, sub(open, legQuantity(next, "stop", ["live"])))
  const since = exposed ? (c.unprotectedSinceMs ?? atMs) : null
  return since === next.unprotectedSinceMs ? next : { ...next, unprotectedSinceMs: since }
}
