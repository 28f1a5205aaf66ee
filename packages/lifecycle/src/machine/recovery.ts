/**
 * What an order that was just rebuilt from its events has to ask about: every command without a result (docs/design.md
 * 4.5). `placeEntry` is never issued again: it becomes a question. Replaying itself sends nothing. Pure.
 */
import type { ClientOrderId, Command, Leg, OrderEvent } from "@petrosa/contracts"
import { ATTEMPT_MAX, clientOrderId, parseClientOrderId } from "@petrosa/contracts"
import type { ExitLeg, OrderContext } from "./context.ts"
import { siblingOf } from "./lists.ts"

/** Requests that may or may not have left before the restart: from now on they are questions. Append these first. */
export const questionsAfterRestart = (c: OrderContext): readonly OrderEvent[] => {
  if (c.parked !== null) return []
  const events: OrderEvent[] = []
  if (c.entry?.status === "sending") events.push({ type: "EntryUnknown", data: { reason: "RESTART" } })
  for (const leg of c.legs) {
    if (leg.status !== "sending") continue
    const sibling = siblingOf(c, leg)
    if (leg.leg === "target" && sibling?.status === "sending") continue
    const asked = { leg: leg.leg, clientOrderId: leg.clientOrderId, reason: "RESTART" }
    events.push({ type: "LegUnknown", data: sibling?.status === "sending" ? { ...asked, sibling: sibling.clientOrderId } : asked })
  }
  return events
}

/** The list of a leg, when both of its legs wait for the same. */
const listWith = (c: OrderContext, leg: ExitLeg): { readonly stop: ClientOrderId; readonly target: ClientOrderId } | undefined => {
  const sibling = siblingOf(c, leg)
  if (sibling === undefined || sibling.status !== leg.status) return undefined
  return leg.leg === "stop"
    ? { stop: leg.clientOrderId, target: sibling.clientOrderId }
    : { stop: sibling.clientOrderId, target: leg.clientOrderId }
}

/** Commands whose result is still missing, to be issued (again). Protection first. */
export const outstanding = (c: OrderContext): readonly Command[] => {
  if (c.parked !== null) return []
  const commands: Command[] = []
  for (const leg of c.legs) {
    const { status } = leg
    if (status !== "unknown" && status !== "cancelling") continue
    const list = listWith(c, leg)
    // A list is one question, and one cancel: its target says nothing by itself.
    if (list !== undefined && leg.leg === "stop")
      commands.push({ type: status === "unknown" ? "resolveBracket" : "cancelBracket", ...list })
    if (list === undefined)
      commands.push({ type: status === "unknown" ? "resolveLeg" : "cancelLeg", leg: leg.leg, clientOrderId: leg.clientOrderId })
  }
  if (c.entry?.status === "unknown") commands.push({ type: "resolveEntry", clientOrderId: c.entry.clientOrderId })
  if (c.entry?.status === "cancelling") commands.push({ type: "cancelEntry", clientOrderId: c.entry.clientOrderId })
  if (c.job !== null && c.settled === null) {
    const { reported } = c.job
    const lots = c.job.lots.filter((lot) => !reported.includes(lot.order))
    if (lots.length > 0) commands.push({ type: "closeLots", lots })
  }
  return commands
}

/**
 * The next client order ids of each kind of leg: what may have left on the strength of the plan, unknown to our events.
 *
 * @param ahead how many of each kind: an attempt that was refused leaves a gap before the one that was taken
 */
export const unrecordedLegIds = (
  c: OrderContext,
  ahead = 1,
): readonly { readonly leg: Exclude<Leg, "entry">; readonly clientOrderId: ClientOrderId }[] => {
  const engineId = c.entry === null ? undefined : parseClientOrderId(c.entry.clientOrderId)?.engineId
  if (engineId === undefined || c.order === "") return []
  const { order } = c
  return (["stop", "target", "flatten"] as const).flatMap((leg) =>
    Array.from({ length: ahead }, (_, i) => c.attempts[leg] + 1 + i)
      .filter((attempt) => attempt <= ATTEMPT_MAX)
      .map((attempt) => ({ leg, clientOrderId: clientOrderId(engineId, order, leg, attempt) })),
  )
}
