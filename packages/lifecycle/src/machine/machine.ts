/**
 * The order-lifecycle machine: three parallel regions (docs/design.md section 1).
 *
 * `order` is what people see and follows the other two; `entry` is the entry at the venue; `protection` is the bracket.
 * An event that no region takes in its present state changes nothing (the context keeps its version): it is refused.
 *
 * What an event means is `evolve`; guards ask what the order will know AFTER the event, so that an arrow leads to the
 * state that the new context belongs to. Named actions only record and collect commands: nothing is done in here, since
 * an actor's actions run before anything can be stored.
 */
import type { Command, OrderId } from "@petrosa/contracts"
import { assign, setup } from "xstate"
import type { OrderContext } from "./context.ts"
import { initialContext } from "./context.ts"
import type { Recorded } from "./evolve.ts"
import { evolve } from "./evolve.ts"
import type { EntryPhase, ProtectionPhase } from "./lot.ts"
import { entryPhase, protectionPhase } from "./lot.ts"

/** Where the `collect` action puts the commands of the event that is being taken. */
const NOTHING: readonly Command[] = Object.freeze([])
let collected = NOTHING
export const takeCollected = (): readonly Command[] => {
  const commands = collected
  collected = NOTHING
  return commands
}

const after = (args: { readonly context: OrderContext; readonly event: Recorded }): OrderContext => evolve(args.context, args.event)

/** What the guards of one transition ask again and again: the phases of the context after the event. */
let asked: OrderContext | undefined
let askedEntry: EntryPhase = "none"
let askedProtection: ProtectionPhase = "none"
const ask = (c: OrderContext): void => {
  if (asked === c) return
  askedEntry = entryPhase(c)
  askedProtection = protectionPhase(c)
  asked = c
}

const phaseOf = (c: OrderContext): ProtectionPhase => {
  ask(c)
  return askedProtection
}
const WAS_COVERED: ReadonlySet<ProtectionPhase> = new Set(["covered", "exiting", "closed"])

const machineSetup = setup({
  types: { context: {} as OrderContext, events: {} as Recorded, input: {} as { readonly order: OrderId } },
  guards: {
    entryBecomes: (args, params: { readonly phase: EntryPhase }) => {
      ask(after(args))
      return askedEntry === params.phase
    },
    protectionBecomes: (args, params: { readonly phase: ProtectionPhase }) => {
      ask(after(args))
      return askedProtection === params.phase
    },
  },
  actions: {
    record: assign((args) => after(args)),
    collect: ({ context }) => {
      collected = context.commands
    },
  },
})

/** `record` gives the whole context. */
export const WHOLE_ASSIGNMENTS: readonly string[] = ["record"]

const RECORD = ["record", "collect"] as const

/** Arrows of the entry region: to whichever of these the order's entry has come to by the event. */
const entry = (...phases: readonly EntryPhase[]) =>
  phases.map((phase) => ({ guard: { type: "entryBecomes", params: { phase } } as const, target: phase, actions: RECORD }))
/** Arrows of the protection region. */
const protection = (...phases: readonly ProtectionPhase[]) =>
  phases.map((phase) => ({ guard: { type: "protectionBecomes", params: { phase } } as const, target: phase, actions: RECORD }))

/** What a lot that holds something may hear, whatever its bracket is doing. */
const whileHeld = (...phases: readonly ProtectionPhase[]) => ({
  EntryPartlyFilled: protection(...phases),
  EntryFilled: protection(...phases),
  LateFillFound: protection(...phases),
  EntryEnded: protection(...phases),
  StopAccepted: protection(...phases),
  TargetAccepted: protection(...phases),
  FlattenAccepted: protection(...phases),
  LegRefused: protection(...phases),
  LegUnknown: protection(...phases),
  LegNotPlaced: protection(...phases),
  LegEnded: protection(...phases),
  ExitFilled: protection(...phases),
  CloseRequested: protection(...phases),
  DeadlinePassed: protection(...phases),
  DustLeft: protection(...phases),
  SiblingCancelled: protection(...phases),
  LotOverClosed: protection(...phases),
  PositionMissing: protection(...phases),
})

export const orderMachine = machineSetup.createMachine({
  id: "order",
  type: "parallel",
  context: ({ input }) => ({ ...initialContext, order: input.order }),
  on: {
    OrderAdopted: { actions: RECORD },
    StepFailed: { actions: RECORD },
    OrderParked: { actions: RECORD },
    OrderUnparked: { actions: RECORD },
  },
  states: {
    order: {
      initial: "new",
      states: {
        new: { on: { SignalReceived: { target: "received", actions: RECORD } } },
        received: {
          on: { SignalValidated: { target: "validated", actions: RECORD }, OrderFailed: { target: "failed", actions: RECORD } },
        },
        validated: {
          on: { OrderSized: { target: "sized", actions: RECORD }, OrderFailed: { target: "failed", actions: RECORD } },
        },
        sized: {
          on: {
            EntryIntended: { target: "placed", actions: RECORD },
            CloseIntended: { target: "placed", actions: RECORD },
            OrderFailed: { target: "failed", actions: RECORD },
          },
        },
        placed: {
          always: { guard: ({ context }) => phaseOf(context) === "covered", target: "bracketed" },
          on: { OrderCompleted: { target: "filled", actions: RECORD }, OrderFailed: { target: "failed", actions: RECORD } },
        },
        bracketed: {
          always: { guard: ({ context }) => !WAS_COVERED.has(phaseOf(context)), target: "placed" },
          on: { OrderCompleted: { target: "filled", actions: RECORD }, OrderFailed: { target: "failed", actions: RECORD } },
        },
        filled: { on: { LateFillFound: { target: "placed", actions: RECORD } } },
        failed: { on: { LateFillFound: { target: "placed", actions: RECORD } } },
      },
    },
    entry: {
      initial: "none",
      states: {
        none: { on: { EntryIntended: entry("sending"), CloseIntended: entry("working") } },
        sending: {
          on: {
            EntryAccepted: entry("working", "cancelling", "over"),
            EntryRefused: entry("over"),
            EntryListRefused: entry("sending"),
            EntryNotSent: entry("over"),
            EntryUnknown: entry("unknown"),
            EntryPartlyFilled: entry("partlyFilled", "cancelling"),
            EntryFilled: entry("over"),
            EntryEnded: entry("over"),
            EntryCancelRequested: entry("sending"),
            DeadlinePassed: entry("sending"),
            CloseRequested: entry("sending"),
          },
        },
        unknown: {
          on: {
            EntryAccepted: entry("working", "cancelling", "over"),
            EntryRefused: entry("over"),
            EntryNotPlaced: entry("over"),
            EntryPartlyFilled: entry("partlyFilled", "cancelling"),
            EntryFilled: entry("over"),
            EntryEnded: entry("over"),
            EntryCancelRequested: entry("unknown"),
            DeadlinePassed: entry("unknown"),
            CloseRequested: entry("unknown"),
          },
        },
        working: {
          on: {
            EntryPartlyFilled: entry("partlyFilled", "cancelling"),
            EntryFilled: entry("over"),
            EntryEnded: entry("over"),
            EntryUnknown: entry("unknown"),
            EntryCancelRequested: entry("cancelling"),
            CloseReported: entry("working", "over"),
            DeadlinePassed: entry("working"),
            CloseRequested: entry("working"),
          },
        },
        partlyFilled: {
          on: {
            EntryPartlyFilled: entry("partlyFilled", "cancelling"),
            EntryFilled: entry("over"),
            EntryEnded: entry("over"),
            EntryCancelRequested: entry("cancelling"),
            DeadlinePassed: entry("partlyFilled"),
          },
        },
        cancelling: {
          on: {
            EntryPartlyFilled: entry("cancelling"),
            EntryFilled: entry("over"),
            EntryEnded: entry("over"),
            EntryNotPlaced: entry("over"),
            DeadlinePassed: entry("cancelling"),
            CloseRequested: entry("cancelling"),
          },
        },
        over: { on: { LateFillFound: entry("over") } },
      },
    },
    protection: {
      initial: "none",
      states: {
        none: { on: { ...whileHeld("placing", "growing", "covered", "exiting", "armed", "none"), EntryAccepted: protection("armed") } },
        // Its bracket waits at the venue for the full fill; without one (the entry ended) there is nothing to protect.
        armed: { on: { ...whileHeld("armed", "placing", "growing", "covered", "exiting", "none"), EntryNotPlaced: protection("none") } },
        placing: { on: { ...whileHeld("placing", "growing", "covered", "exiting"), LotClosed: protection("closed") } },
        growing: { on: { ...whileHeld("growing", "placing", "covered", "exiting"), LotClosed: protection("closed") } },
        covered: { on: { ...whileHeld("covered", "growing", "placing", "exiting"), LotClosed: protection("closed") } },
        exiting: { on: { ...whileHeld("exiting", "covered", "growing", "placing"), LotClosed: protection("closed") } },
        closed: { on: whileHeld("closed", "placing", "growing", "covered", "exiting") },
      },
    },
  },
})
export type OrderMachine = typeof orderMachine
