/**
 * Whether records can be folded at all. A damaged event may throw inside the machine, and what an actor throws reaches
 * nobody but the process; whoever only looks at an order asks here first. Pure.
 */
import type { EventRecord } from "@petrosa/contracts"
import { isOrderEventType } from "@petrosa/contracts"
import type { OrderContext } from "../machine/context.ts"
import { initialContext } from "../machine/context.ts"
import { evolve, type Recorded } from "../machine/evolve.ts"
import { entryPhase, protectionPhase } from "../machine/lot.ts"

/** The context after this record; `undefined`: its data cannot be folded. An unknown event changes nothing here. */
export const foldOne = (c: OrderContext, record: EventRecord): OrderContext | undefined => {
  if (!isOrderEventType(record.type)) return c
  try {
    const recorded = { type: record.type, data: record.data, version: record.version, atMs: Date.parse(record.at) } as unknown as Recorded
    const after = evolve(c, recorded)
    entryPhase(after)
    protectionPhase(after)
    return after
  } catch {
    return undefined
  }
}

/** The records up to the first one that cannot be folded. */
export const foldable = (records: readonly EventRecord[]): readonly EventRecord[] => {
  let context: OrderContext = initialContext
  for (const [n, record] of records.entries()) {
    const after = foldOne(context, record)
    if (after === undefined) return records.slice(0, n)
    context = after
  }
  return records
}
