/**
 * What is worked out of a lot and asked for again and again: at each event of its order (guards, rules, follow-ups, flat fields,
 * deadlines), and at the next events too, as long as nothing is filled. It is kept by the very values that it is made of: those
 * are replaced when they change, never changed, so it holds for a context that is still being made as well.
 *
 * Orders take turns: the lots of the last thousand are remembered. Without that half of an exit's arithmetic was done again at each
 * answer of the venue (an average to 18 places, two prices on their ticks, the quantity on its step).
 */
import type { BracketPlan, Decimal, DecimalString } from "@petrosa/contracts"
import type { BracketPrices } from "../decisions/geometry.ts"
import type { EntryLeg, ExitTotals, OrderContext } from "./context.ts"

export interface LotFacts {
  readonly entry: EntryLeg
  readonly plan: BracketPlan | null
  readonly exit: ExitTotals
  readonly dust: DecimalString
  readonly missing: DecimalString
  /** Each of these is worked out by whoever asks for it first (lot.ts, planPrices.ts). */
  held: Decimal | undefined
  open: Decimal | undefined
  average: Decimal | undefined
  averageText: DecimalString | undefined
  prices: BracketPrices | undefined
  /** Whether {@link OrderContext.legs}, when they were these, had live stops for all of it. */
  covered: boolean
  legs: OrderContext["legs"] | undefined
}

const REMEMBERED_MAX = 1024
const remembered = new Map<EntryLeg, LotFacts>()
let last: LotFacts | undefined

const isOf = (facts: LotFacts, { entry, plan, exit, dust, missingUnpriced }: OrderContext): boolean =>
  facts.entry === entry && facts.exit === exit && facts.plan === plan && facts.dust === dust && facts.missing === missingUnpriced

export const lotFactsOf = (c: OrderContext, entry: EntryLeg): LotFacts => {
  if (last !== undefined && isOf(last, c)) return last
  const known = remembered.get(entry)
  if (known !== undefined && isOf(known, c)) {
    last = known
    return known
  }
  last = {
    entry,
    plan: c.plan,
    exit: c.exit,
    dust: c.dust,
    missing: c.missingUnpriced,
    held: undefined,
    open: undefined,
    average: undefined,
    averageText: undefined,
    prices: undefined,
    covered: false,
    legs: undefined,
  }
  // Of an entry that has not filled there is nothing to work out that would be worth keeping.
  if (entry.filled !== "0") {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(entry, last)
  }
  return last
}
