/**
 * Messages of xstate's inspection protocol, as `@statelyai/inspect` 0.7.2 sends them (its `StatelyInspectionEvent`), made
 * from recorded events. Pure.
 *
 * Each order is an actor of its own: its session id and root id are the order's id. What is sent is what the journal holds,
 * less the signal's raw bytes and the venue's replies; keys are in neither.
 */
import type { OrderEvent } from "@petrosa/contracts"
import type { OrderContext, Regions } from "@petrosa/lifecycle"
import { orderMachine } from "@petrosa/lifecycle"

/** The version of the protocol. */
export const STATELY_VERSION = "0.7.2"

interface Base {
  readonly _version: typeof STATELY_VERSION
  /** Epoch ms, as text. */
  readonly createdAt: string
  readonly id: null
  readonly rootId: string
  readonly sessionId: string
}
export interface StatelySnapshot {
  readonly status: "active"
  readonly value: Regions
  readonly context: OrderContext
  readonly children: Readonly<Record<string, never>>
  readonly tags: readonly never[]
  readonly historyValue: Readonly<Record<string, never>>
}
type StepEvent = Readonly<Record<string, unknown>> & { readonly type: string }
export type StatelyMessage =
  | (Base & {
      readonly type: "@xstate.actor"
      readonly name: string
      /** The machine's configuration, as JSON. */
      readonly definition: string
      readonly snapshot: StatelySnapshot
    })
  | (Base & { readonly type: "@xstate.event"; readonly event: StepEvent })
  | (Base & { readonly type: "@xstate.snapshot"; readonly event: StepEvent; readonly snapshot: StatelySnapshot })

let definition: string | undefined
/** Without actions: every transition has the same two, and the text is sent with each actor. */
const definitionOf = (): string =>
  (definition ??= JSON.stringify(orderMachine.config, (key, value: unknown) => {
    if (key === "actions" || key === "context") return undefined
    return typeof value === "function" ? { type: value.name } : value
  }))

const baseOf = (order: string, atMs: number): Base => ({
  _version: STATELY_VERSION,
  createdAt: String(atMs),
  id: null,
  rootId: order,
  sessionId: order,
})

const snapshotOf = (regions: Regions, context: OrderContext): StatelySnapshot => ({
  status: "active",
  value: regions,
  context,
  children: {},
  tags: [],
  historyValue: {},
})

const NOT_SENT: ReadonlySet<string> = new Set(["raw", "reply"])

const eventOf = (event: OrderEvent, version: number, atMs: number): StepEvent => ({
  type: event.type,
  data: Object.fromEntries(Object.entries(event.data).filter(([name]) => !NOT_SENT.has(name))),
  version,
  atMs,
})

/** An actor that is there. */
export const actorMessage = (order: string, name: string, atMs: number, regions: Regions, context: OrderContext): StatelyMessage => ({
  type: "@xstate.actor",
  name,
  ...baseOf(order, atMs),
  definition: definitionOf(),
  snapshot: snapshotOf(regions, context),
})

/** A step of it: the event that it took, and the snapshot that came of it. */
export const stepMessages = (
  order: string,
  event: OrderEvent,
  version: number,
  atMs: number,
  regions: Regions,
  context: OrderContext,
): readonly StatelyMessage[] => {
  const sent = eventOf(event, version, atMs)
  return [
    { type: "@xstate.event", event: sent, ...baseOf(order, atMs) },
    { type: "@xstate.snapshot", event: sent, snapshot: snapshotOf(regions, context), ...baseOf(order, atMs) },
  ]
}
