/** Deadlines are data in the context: a scheduler outside asks for the next one and sends `DeadlinePassed` when it is due. Pure. */
import type { EventData } from "@petrosa/contracts"
import type { OrderContext } from "./context.ts"
import { listsOf, waitsForEntry, withoutStop } from "./lists.ts"
import { entryIsOver } from "./lot.ts"

export interface Deadline {
  readonly deadline: EventData["DeadlinePassed"]["deadline"]
  readonly dueAtMs: number
}

/** The earliest deadline of the order, or nothing. */
export const nextDeadline = (c: OrderContext): Deadline | undefined => {
  if (c.parked !== null || c.entry === null) return undefined
  let next: Deadline | undefined
  const consider = (deadline: Deadline["deadline"], dueAtMs: number): void => {
    if (next === undefined || dueAtMs < next.dueAtMs) next = { deadline, dueAtMs }
  }
  if (!entryIsOver(c) && c.entry.cancelReason === null && !c.entryTimedOut) consider("entry", c.entry.expiresAtMs)
  if (c.unprotectedSinceMs !== null && c.closing === null && c.closeNeeded === null && c.plan !== null) {
    consider("protection", c.unprotectedSinceMs + c.plan.protectionDeadlineMs)
  }
  const graceMs = c.plan?.partialGraceMs
  if (graceMs !== undefined && c.graceSinceMs !== null && !c.graceOver && c.closing === null && c.closeNeeded === null) {
    if (waitsForEntry(c) || listsOf(c).some(withoutStop)) consider("partial", c.graceSinceMs + graceMs)
  }
  if (c.saleRetryAtMs !== null) consider("retry", c.saleRetryAtMs)
  if (c.retryAtMs !== null) consider("retry", c.retryAtMs)
  if (c.targetRetryAtMs !== null) consider("retry", c.targetRetryAtMs)
  return next
}
