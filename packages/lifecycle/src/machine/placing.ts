/**
 * New legs and cancels, each with its command: the words in which the protection rules speak. Pure.
 */
import type { BracketList, Command, Decimal, LegRequest } from "@petrosa/contracts"
import { ATTEMPT_MAX, clientOrderId, dec, listClientOrderId, parseClientOrderId, str } from "@petrosa/contracts"
import type { ExitLeg, LegStatus, OrderContext } from "./context.ts"
import type { LegList } from "./lists.ts"
import { hasStatus, usesLists } from "./lists.ts"
import { planPrices } from "./planPrices.ts"

export const ON_THE_WAY = ["sending", "unknown", "live"] as const satisfies readonly LegStatus[]
/** A leg that is being cancelled may still be there: nothing takes its place before it is proven gone. */
export const MAYBE_THERE = [...ON_THE_WAY, "cancelling"] as const satisfies readonly LegStatus[]

type ExitKind = ExitLeg["leg"]

export const requestOf = (c: OrderContext, leg: ExitLeg): LegRequest => {
  const side = c.entry?.side === "buy" ? "sell" : "buy"
  const base = { clientOrderId: leg.clientOrderId, leg: leg.leg, side, quantity: leg.quantity, reduceOnly: true } as const
  switch (leg.leg) {
    case "stop":
      return leg.price === null ? { ...base, type: "market" } : { ...base, type: "stop", triggerPrice: leg.price }
    case "target":
      if (leg.price === null) return { ...base, type: "market" }
      // In a list the target rests in the book: the venue has no list of two triggers that fire at market.
      return usesLists(c)
        ? { ...base, type: "limit", price: leg.price, timeInForce: "GTX" }
        : { ...base, type: "take_profit", triggerPrice: leg.price }
    case "flatten":
      return { ...base, type: "market" }
  }
}

const COMMAND_OF = { stop: "placeStop", target: "placeTarget", flatten: "flatten" } as const

/** Stop and target of a list share a number, and no number is used twice (lists.ts). */
const nextAttempt = (c: OrderContext, leg: ExitKind): number =>
  usesLists(c) && leg !== "flatten" ? Math.max(c.attempts.stop, c.attempts.target) + 1 : c.attempts[leg] + 1
export const withAttempt = (c: OrderContext, leg: ExitKind, attempt: number): OrderContext["attempts"] =>
  usesLists(c) && leg !== "flatten" ? { ...c.attempts, stop: attempt, target: attempt } : { ...c.attempts, [leg]: attempt }

/** Adds a leg of this kind under the next attempt. Without an attempt left the context comes back as it is: the deadline decides. */
export const addLeg = (c: OrderContext, leg: ExitKind, quantity: Decimal): OrderContext => {
  const engineId = c.entry === null ? undefined : parseClientOrderId(c.entry.clientOrderId)?.engineId
  const attempt = nextAttempt(c, leg)
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
    attempts: withAttempt(c, leg, attempt),
    stopPrice: leg === "stop" ? added.price : c.stopPrice,
    targetPrice: leg === "target" ? added.price : c.targetPrice,
    commands: [...c.commands, command],
  }
}

export const cancelLegs = (c: OrderContext, which: (leg: ExitLeg) => boolean): OrderContext => {
  const gone = c.legs.filter((leg) => leg.status === "live" && which(leg))
  if (gone.length === 0) return c
  return {
    ...c,
    legs: c.legs.map((leg) => (gone.includes(leg) ? { ...leg, status: "cancelling" } : leg)),
    commands: [...c.commands, ...gone.map((leg) => ({ type: "cancelLeg", leg: leg.leg, clientOrderId: leg.clientOrderId }) as const)],
  }
}

/** Adds a stop and a target as one list, under the next attempt. Without an attempt left the context comes back as it is. */
export const addList = (c: OrderContext, quantity: Decimal): OrderContext => {
  const engineId = c.entry === null ? undefined : parseClientOrderId(c.entry.clientOrderId)?.engineId
  const prices = planPrices(c)
  const attempt = nextAttempt(c, "stop")
  if (engineId === undefined || prices === undefined || c.order === "" || attempt > ATTEMPT_MAX) return c
  const { order } = c
  const leg = (kind: "stop" | "target"): ExitLeg => ({
    clientOrderId: clientOrderId(engineId, order, kind, attempt),
    venueOrderId: null,
    leg: kind,
    attempt,
    quantity: str(quantity),
    price: prices[kind],
    status: "sending",
    filled: str(dec("0")),
  })
  const stop = leg("stop")
  const target = leg("target")
  const bracket: BracketList = {
    list: listClientOrderId(stop.clientOrderId),
    stop: requestOf(c, stop),
    target: requestOf(c, target),
  }
  return {
    ...c,
    legs: [...c.legs, stop, target],
    attempts: withAttempt(c, "stop", attempt),
    stopPrice: stop.price,
    targetPrice: target.price,
    commands: [...c.commands, { type: "placeBracket", bracket }],
  }
}

/** Takes lists away: one cancel each, which the venue does to both legs. A leg that is left alone is cancelled alone. */
export const cancelLists = (c: OrderContext, lists: readonly LegList[]): OrderContext => {
  const commands: Command[] = []
  const gone = new Set<ExitLeg>()
  for (const { stop, target } of lists) {
    const live = [stop, target].filter((leg) => leg !== undefined).filter((leg) => hasStatus(leg, ["live"]))
    const [first] = live
    if (first === undefined) continue
    for (const leg of live) gone.add(leg)
    commands.push(
      live.length === 2 && stop !== undefined && target !== undefined
        ? { type: "cancelBracket", stop: stop.clientOrderId, target: target.clientOrderId }
        : { type: "cancelLeg", leg: first.leg, clientOrderId: first.clientOrderId },
    )
  }
  if (gone.size === 0) return c
  return {
    ...c,
    legs: c.legs.map((leg) => (gone.has(leg) ? { ...leg, status: "cancelling" } : leg)),
    commands: [...c.commands, ...commands],
  }
}
