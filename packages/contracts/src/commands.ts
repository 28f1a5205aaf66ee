/**
 * Commands: what a state asks of the outside. Data, not calls; recorded in the event that asked for them. The result of
 * each comes back as an event, and a command without one is what recovery has to ask about (docs/design.md section 4).
 */
import type { BracketList, LegRequest, LotToClose } from "./events.ts"
import type { ClientOrderId, Leg } from "./ids.ts"

export type Command =
  /** Send the entry, once, before `sendByMs`. Never re-issued: recovery turns it into `resolveEntry`. */
  | {
      readonly type: "placeEntry"
      readonly request: LegRequest
      /** It goes as one list with its bracket (OTOCO), which the venue arms when all of the entry is filled. */
      readonly bracket?: BracketList
    }
  /** Ask the venue what became of the entry, until it is known. */
  | { readonly type: "resolveEntry"; readonly clientOrderId: ClientOrderId }
  | { readonly type: "cancelEntry"; readonly clientOrderId: ClientOrderId }
  | { readonly type: "placeStop"; readonly request: LegRequest }
  | { readonly type: "placeTarget"; readonly request: LegRequest }
  | { readonly type: "flatten"; readonly request: LegRequest }
  /** Send stop and target as one list (OCO, spot): one request, taken or refused as a whole. */
  | { readonly type: "placeBracket"; readonly bracket: BracketList }
  /** Ask the venue what became of a protective leg, until it is known. */
  | { readonly type: "resolveLeg"; readonly leg: Leg; readonly clientOrderId: ClientOrderId }
  /** Cancel a leg, and go on until it is proven gone (its fills count). */
  | { readonly type: "cancelLeg"; readonly leg: Leg; readonly clientOrderId: ClientOrderId }
  /** Ask the venue what became of a list, by the ids of its legs, until it is known. */
  | { readonly type: "resolveBracket"; readonly stop: ClientOrderId; readonly target: ClientOrderId }
  /** Cancel a list, and go on until both legs are proven gone (their fills count). */
  | { readonly type: "cancelBracket"; readonly stop: ClientOrderId; readonly target: ClientOrderId }
  /** Ask other orders of the same strategy to close what they hold. */
  | { readonly type: "closeLots"; readonly lots: readonly LotToClose[] }

export type CommandType = Command["type"]
/** Commands that may leave on the strength of the plan when the store is away (docs/design.md section 6). */
export const PROTECTIVE_COMMANDS: ReadonlySet<CommandType> = new Set([
  "placeStop",
  "placeTarget",
  "placeBracket",
  "cancelLeg",
  "cancelBracket",
  "flatten",
  "resolveLeg",
  "resolveBracket",
])
