/** Deadlines are data in the context: a scheduler outside asks for the next one and sends `DeadlinePassed` when it is due. Pure. */
import type { EventData } from "@petrosa/contracts"
import type { OrderContext } from "./context.ts"
import { listsOf, waitsForEntry, withoutStop } from "./lists.ts"
import { entryIsOver, waitsForTargets } from "./lot.ts"

export interface Deadline {
  readonly deadline: EventData["DeadlinePassed"]["deadline"]
  readonly dueAtMs: number
}

/** The earliest deadline of the order, or nothing. Of two at the same time the first in this order. */
export const nextDeadline = (c: OrderContext): Deadline | undefined => {
  const { entry, plan } = c
  if (c.parked !== null || entry === null) return undefined
  let deadline: Deadline["deadline"] | undefined
  let dueAtMs = Number.POSITIVE_INFINITY
  if (!entryIsOver(c) && entry.cancelReason === null && !c.entryTimedOut && entry.expiresAtMs < dueAtMs) {
    deadline = "entry"
    dueAtMs = entry.expiresAtMs
  }
  const wantsToClose = c.closing !== null || c.closeNeeded !== null
  if (c.unprotectedSinceMs !== null && !wantsToClose && plan !== null && c.unprotectedSinceMs + plan.protectionDeadlineMs < dueAtMs) {
    deadline = "protection"
    dueAtMs = c.unprotectedSinceMs + plan.protectionDeadlineMs
  }
  const graceMs = plan?.partialGraceMs
  if (graceMs !== undefined && c.graceSinceMs !== null && !c.graceOver && !wantsToClose && c.graceSinceMs + graceMs < dueAtMs) {
    if (waitsForEntry(c) || listsOf(c).some(withoutStop)) {
      deadline = "partial"
      dueAtMs = c.graceSinceMs + graceMs
    }
  }
  // As long as a lot may be without its stop, and no longer: should the venue not tell what became of a target.
  if (c.closing !== null && plan !== null && c.closing.sinceMs + plan.protectionDeadlineMs < dueAtMs && waitsForTargets(c)) {
    deadline = "close"
    dueAtMs = c.closing.sinceMs + plan.protectionDeadlineMs
  }
  const retryAtMs = earliest(c.saleRetryAtMs, c.retryAtMs, c.targetRetryAtMs)
  if (retryAtMs < dueAtMs) {
    deadline = "retry"
    dueAtMs = retryAtMs
  }
  return deadline === undefined ? undefined : { deadline, dueAtMs }
}

const earliest = (a: number | null, b: number | null, c: number | null): number =>
  Math.min(a ?? Number.POSITIVE_INFINITY, b ?? Number.POSITIVE_INFINITY, c ?? Number.POSITIVE_INFINITY)
