/**
 * What could happen next to an order, and which of it is possible now: every arrow that leaves its present states, asked
 * of the machine itself with an example of the event ({@link sampleEvents}). Pure: nothing is recorded.
 */
import type { OrderEventType, OrderId } from "@petrosa/contracts"
import { createActor } from "xstate"
import type { OrderContext } from "../machine/context.ts"
import type { Recorded } from "../machine/evolve.ts"
import { followUp } from "../machine/followUps.ts"
import { orderMachine } from "../machine/machine.ts"
import { sampleEvents } from "./samples.ts"

export interface Regions {
  readonly order: string
  readonly entry: string
  readonly protection: string
}
export const REGIONS = ["order", "entry", "protection"] as const
export type Region = (typeof REGIONS)[number]

export interface NextEvent {
  readonly type: OrderEventType
  /** The regions whose present state has an arrow for it; empty: an event that is taken in every state. */
  readonly regions: readonly Region[]
  /** The machine takes an example of it now. */
  readonly possible: boolean
  /** Where that example leads; absent when it is not possible. */
  readonly leadsTo?: Regions
  /** What it would ask of the outside. */
  readonly commands?: readonly string[]
}

/** Every event with an arrow from these states, possible ones first. */
export const whatNext = (order: OrderId, regions: Regions, context: OrderContext, atMs: number): readonly NextEvent[] => {
  const arrows = new Map<OrderEventType, Region[]>()
  for (const region of REGIONS) {
    const state = orderMachine.states[region]?.states[regions[region]]
    for (const type of state?.ownEvents ?? []) {
      const known = arrows.get(type as OrderEventType) ?? []
      arrows.set(type as OrderEventType, [...known, region])
    }
  }
  for (const type of orderMachine.root.ownEvents) arrows.set(type as OrderEventType, [])
  const before = orderMachine.resolveState({ value: regions as never, context })
  const own = followUp(context)
  const samples = [...(own === undefined ? [] : [own]), ...sampleEvents(context, regions.order, atMs)]
  const found = [...arrows].map(([type, at]): NextEvent => {
    for (const sample of samples) {
      if (sample.type !== type) continue
      const recorded = { ...sample, version: context.version + 1, atMs } as Recorded
      if (!before.can(recorded)) continue
      const actor = createActor(orderMachine, { input: { order }, snapshot: before })
      actor.start()
      actor.send(recorded)
      const after = actor.getSnapshot()
      actor.stop()
      if (after.context.version !== recorded.version) continue
      return { type, regions: at, possible: true, leadsTo: after.value, commands: after.context.commands.map((one) => one.type) }
    }
    return { type, regions: at, possible: false }
  })
  return found.sort((a, b) => Number(b.possible) - Number(a.possible))
}
