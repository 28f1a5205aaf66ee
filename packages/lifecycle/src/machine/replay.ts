/**
 * Replay: an order's records folded through today's machine, each step compared with what was recorded. Pure; sends
 * nothing. Any order can explain itself from its events alone, and here it is held to it.
 */
import type { Command, EventEnvelope, EventRecord, FlatFields, OrderEvent, OrderId } from "@petrosa/contracts"
import { isOrderEventType } from "@petrosa/contracts"
import type { OrderContext } from "./context.ts"
import { flatFields } from "./flat.ts"
import { OrderActor, type Standing } from "./orderActor.ts"
import type { OrderSystem } from "./orderSystem.ts"

export interface Difference {
  readonly version: number
  readonly what: "refused" | "state" | "commands" | "version" | "unknownEvent" | "flat"
  readonly field?: string
  readonly recorded: string
  readonly replayed: string
}

export interface ReplayStep {
  readonly version: number
  readonly type: string
  readonly at: string
  readonly state: string
  readonly regions: { readonly order: string; readonly entry: string; readonly protection: string }
  readonly commands: readonly Command[]
  readonly context: OrderContext
  readonly differences: readonly Difference[]
}

export interface Replay {
  readonly steps: readonly ReplayStep[]
  /** The first difference from what was recorded; undefined: none. */
  readonly difference: Difference | undefined
}

const eventOf = (record: EventEnvelope): OrderEvent | undefined =>
  isOrderEventType(record.type) ? ({ type: record.type, data: record.data } as unknown as OrderEvent) : undefined

const compare = (record: EventRecord, commands: readonly Command[], state: string, flat: FlatFields): readonly Difference[] => {
  const found: Difference[] = []
  const { version } = record
  if (record.state !== state) found.push({ version, what: "state", recorded: record.state, replayed: state })
  const wanted = JSON.stringify(record.commands)
  const got = JSON.stringify(commands)
  if (wanted !== got) found.push({ version, what: "commands", recorded: wanted, replayed: got })
  for (const key of Object.keys(flat) as (keyof FlatFields)[]) {
    const recorded = JSON.stringify(record[key])
    const replayed = JSON.stringify(flat[key])
    if (recorded !== replayed)
      found.push({ version, what: "flat", field: key, recorded: recorded ?? "undefined", replayed: replayed ?? "undefined" })
  }
  return found
}

/**
 * An actor with these records folded in, or the first record that it does not take.
 *
 * @param system where it is to live
 * @param from where the records before these led to; the order's first one is among them otherwise
 */
export const rebuild = (
  order: OrderId,
  records: readonly EventEnvelope[],
  system?: OrderSystem,
  from?: Standing,
):
  | { readonly _tag: "Rebuilt"; readonly actor: OrderActor }
  | { readonly _tag: "Unreadable"; readonly version: number; readonly detail: string } => {
  const actor = new OrderActor(order, { system, from })
  const unreadable = (record: EventEnvelope, detail: string) => {
    actor.stop()
    return { _tag: "Unreadable", version: record.version, detail } as const
  }
  for (const record of records) {
    const event = eventOf(record)
    if (event === undefined) return unreadable(record, `event type ${record.type} is not known`)
    try {
      if (actor.take(event, record.version, Date.parse(record.at)) !== undefined) continue
    } catch (error) {
      return unreadable(record, `${record.type} cannot be folded: ${String(error)}`)
    }
    return unreadable(record, `${record.type} is not taken in state ${actor.state}`)
  }
  return { _tag: "Rebuilt", actor }
}

/** @param until fold only up to this version */
export const replay = (order: OrderId, records: readonly EventRecord[], until = Number.POSITIVE_INFINITY): Replay => {
  const actor = new OrderActor(order)
  const steps: ReplayStep[] = []
  let difference: Difference | undefined
  for (const record of records) {
    if (record.version > until) break
    const { version } = record
    const event = eventOf(record)
    const atMs = Date.parse(record.at)
    const taken = event === undefined || version !== actor.context.version + 1 ? undefined : actor.take(event, version, atMs)
    const differences: readonly Difference[] =
      taken !== undefined
        ? compare(record, taken.commands, taken.state, flatFields(taken.context, record.type))
        : version !== actor.context.version + 1
          ? [{ version, what: "version", recorded: String(version), replayed: String(actor.context.version + 1) }]
          : event === undefined
            ? [{ version, what: "unknownEvent", recorded: record.type, replayed: "" }]
            : [{ version, what: "refused", recorded: record.type, replayed: `not taken in ${JSON.stringify(actor.regions)}` }]
    difference ??= differences[0]
    steps.push({
      version,
      type: record.type,
      at: record.at,
      state: actor.state,
      regions: actor.regions,
      commands: taken?.commands ?? [],
      context: actor.context,
      differences,
    })
    if (taken === undefined) break
  }
  return { steps, difference }
}
