/**
 * New legs and cancels, each with its command: the words in which the protection rules speak. Pure.
 */
import type { BracketList, ClientOrderId, Decimal, DecimalString, LegRequest } from "@petrosa/contracts"
import { ATTEMPT_MAX, clientOrderId, listClientOrderId, parseClientOrderId, str } from "@petrosa/contracts"
import type { ExitLeg, LegStatus, OrderContext } from "./context.ts"
import { command, type Draft, NOUGHT } from "./draft.ts"
import type { LegList } from "./lists.ts"
import { hasStatus, usesLists } from "./lists.ts"
import { LIVE } from "./lot.ts"
import { planPrices } from "./planPrices.ts"

export const ON_THE_WAY = ["sending", "unknown", "live"] as const satisfies readonly LegStatus[]
/** A leg that is being cancelled may still be there: nothing takes its place before it is proven gone. */
export const MAYBE_THERE = [...ON_THE_WAY, "cancelling"] as const satisfies readonly LegStatus[]

type ExitKind = ExitLeg["leg"]

export const requestOf = (c: OrderContext, { clientOrderId: id, leg, quantity, price }: ExitLeg): LegRequest => {
  const side = c.entry?.side === "buy" ? "sell" : "buy"
  if (leg === "flatten" || price === null) return { clientOrderId: id, leg, side, quantity, reduceOnly: true, type: "market" }
  if (leg === "stop") return { clientOrderId: id, leg, side, quantity, reduceOnly: true, type: "stop", triggerPrice: price }
  // In a list the target rests in the book: the venue has no list of two triggers that fire at market.
  return usesLists(c)
    ? { clientOrderId: id, leg, side, quantity, reduceOnly: true, type: "limit", price, timeInForce: "GTX" }
    : { clientOrderId: id, leg, side, quantity, reduceOnly: true, type: "take_profit", triggerPrice: price }
}

const COMMAND_OF = { stop: "placeStop", target: "placeTarget", flatten: "flatten" } as const

/** Stop and target of a list share a number, and no number is used twice (lists.ts). */
const nextAttempt = (c: OrderContext, leg: ExitKind): number =>
  usesLists(c) && leg !== "flatten" ? Math.max(c.attempts.stop, c.attempts.target) + 1 : c.attempts[leg] + 1
export const withAttempt = (c: OrderContext, leg: ExitKind, attempt: number): OrderContext["attempts"] =>
  usesLists(c) && leg !== "flatten"
    ? { ...c.attempts, stop: attempt, target: attempt }
    : {
        stop: leg === "stop" ? attempt : c.attempts.stop,
        target: leg === "target" ? attempt : c.attempts.target,
        flatten: leg === "flatten" ? attempt : c.attempts.flatten,
      }

const engineOf = ({ entry }: OrderContext): string | undefined =>
  entry === null ? undefined : parseClientOrderId(entry.clientOrderId)?.engineId

const legFor = (clientId: ClientOrderId, leg: ExitKind, attempt: number, quantity: Decimal, price: DecimalString | null): ExitLeg => ({
  clientOrderId: clientId,
  venueOrderId: null,
  leg,
  attempt,
  quantity: str(quantity),
  price,
  status: "sending",
  filled: NOUGHT,
})

/** Adds a leg of this kind under the next attempt. Without an attempt left nothing is added: the deadline decides. */
export const addLeg = (d: Draft, leg: ExitKind, quantity: Decimal): void => {
  const engineId = engineOf(d)
  const attempt = nextAttempt(d, leg)
  if (engineId === undefined || d.order === "" || attempt > ATTEMPT_MAX) return
  const prices = planPrices(d)
  const price = leg === "flatten" ? null : (prices?.[leg] ?? null)
  const added = legFor(clientOrderId(engineId, d.order, leg, attempt), leg, attempt, quantity, price)
  d.legs = d.legs.length === 0 ? [added] : [...d.legs, added]
  d.attempts = withAttempt(d, leg, attempt)
  if (leg === "stop") d.stopPrice = price
  if (leg === "target") d.targetPrice = price
  command(d, { type: COMMAND_OF[leg], request: requestOf(d, added) })
}

const cancelling = (leg: ExitLeg): ExitLeg => ({ ...leg, status: "cancelling" })

export const cancelLegs = (d: Draft, which: (leg: ExitLeg) => boolean): void => {
  const gone = d.legs.filter((leg) => leg.status === "live" && which(leg))
  if (gone.length === 0) return
  d.legs = d.legs.map((leg) => (gone.includes(leg) ? cancelling(leg) : leg))
  for (const { leg, clientOrderId: id } of gone) command(d, { type: "cancelLeg", leg, clientOrderId: id })
}

/** Adds a stop and a target as one list, under the next attempt. Without an attempt left nothing is added. */
export const addList = (d: Draft, quantity: Decimal): void => {
  const engineId = engineOf(d)
  const prices = planPrices(d)
  const attempt = nextAttempt(d, "stop")
  const { order } = d
  if (engineId === undefined || prices === undefined || order === "" || attempt > ATTEMPT_MAX) return
  const stop = legFor(clientOrderId(engineId, order, "stop", attempt), "stop", attempt, quantity, prices.stop)
  const target = legFor(clientOrderId(engineId, order, "target", attempt), "target", attempt, quantity, prices.target)
  const bracket: BracketList = {
    list: listClientOrderId(stop.clientOrderId),
    stop: requestOf(d, stop),
    target: requestOf(d, target),
  }
  d.legs = [...d.legs, stop, target]
  d.attempts = withAttempt(d, "stop", attempt)
  d.stopPrice = stop.price
  d.targetPrice = target.price
  command(d, { type: "placeBracket", bracket })
}

/** Takes lists away: one cancel each, which the venue does to both legs. A leg that is left alone is cancelled alone. */
export const cancelLists = (d: Draft, lists: readonly LegList[]): void => {
  const gone = new Set<ExitLeg>()
  for (const { stop, target } of lists) {
    const live = [stop, target].filter((leg) => leg !== undefined).filter((leg) => hasStatus(leg, LIVE))
    const [first] = live
    if (first === undefined) continue
    for (const leg of live) gone.add(leg)
    command(
      d,
      live.length === 2 && stop !== undefined && target !== undefined
        ? { type: "cancelBracket", stop: stop.clientOrderId, target: target.clientOrderId }
        : { type: "cancelLeg", leg: first.leg, clientOrderId: first.clientOrderId },
    )
  }
  if (gone.size > 0) d.legs = d.legs.map((leg) => (gone.has(leg) ? cancelling(leg) : leg))
}
