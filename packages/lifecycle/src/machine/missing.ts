/**
 * Something else than this engine closed the position at the venue (liquidation, auto-deleveraging, a person): what that means
 * for a lot. Pure.
 */
import type { EventData } from "@petrosa/contracts"
import { isPositive } from "@petrosa/contracts"
import { type Draft, plus } from "./draft.ts"
import { openQuantity } from "./lot.ts"

/** Of the lot only what is at the venue is left: its legs are for that, and for nothing when it is nothing. */
export const foldMissing = (d: Draft, { quantity, exit }: EventData["PositionMissing"]): void => {
  d.missing = plus(d.missing, quantity)
  if (exit === undefined) d.missingUnpriced = plus(d.missingUnpriced, quantity)
  else
    d.exit = {
      quantity: plus(d.exit.quantity, quantity),
      quote: plus(d.exit.quote, exit.quote),
      feesQuote: plus(d.exit.feesQuote, exit.feesQuote),
    }
  d.closedBy = "venue"
  if (isPositive(openQuantity(d))) return
  d.closeNeeded = null
  d.retryAtMs = null
  d.targetRetryAtMs = null
}
