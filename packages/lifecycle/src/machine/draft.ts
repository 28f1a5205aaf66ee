/**
 * A context that is being made: `evolve` copies the one before once, and everything that an event changes is put into that
 * copy. (Copying 56 fields for every word of every rule was most of what an order allocated.) Nobody else ever sees a draft.
 *
 * Only its own fields may be put anew. What they hold (entry, legs, plan, …) is shared with the contexts before, and what is
 * kept of it in lotFacts.ts goes by its identity: it is replaced, never changed. The types say so.
 */
import type { Command, DecimalString } from "@petrosa/contracts"
import { add, dec, str } from "@petrosa/contracts"
import type { EntryLeg, ExitLeg, OrderContext } from "./context.ts"

export type Draft = { -readonly [K in keyof OrderContext]: OrderContext[K] }

export const NOUGHT = "0" as DecimalString
export const plus = (a: DecimalString, b: DecimalString): DecimalString => (b === "0" ? a : str(a === "0" ? dec(b) : add(dec(a), dec(b))))
const NO_COMMANDS: readonly Command[] = Object.freeze([])

export const draftOf = (c: OrderContext, version: number): Draft => ({ ...c, version, commands: NO_COMMANDS })

/** Asks for one more command. */
export const command = (d: Draft, asked: Command): void => {
  d.commands = d.commands.length === 0 ? [asked] : [...d.commands, asked]
}

export const changeEntry = (d: Draft, change: Partial<EntryLeg>): void => {
  if (d.entry !== null) d.entry = { ...d.entry, ...change }
}

export const legOf = ({ legs }: OrderContext, clientOrderId: string | undefined): ExitLeg | undefined => {
  for (const leg of legs) if (leg.clientOrderId === clientOrderId) return leg
  return undefined
}

/** Puts a leg in the place of another. */
export const replaceLeg = (d: Draft, leg: ExitLeg, by: ExitLeg): void => {
  d.legs = d.legs.length === 1 ? [by] : d.legs.map((one) => (one === leg ? by : one))
}

/** The leg of this id, if there is one. */
export const changeLeg = (d: Draft, clientOrderId: string | undefined, change: Partial<ExitLeg>): void => {
  const leg = legOf(d, clientOrderId)
  if (leg !== undefined) replaceLeg(d, leg, { ...leg, ...change })
}
