/**
 * An order as its events say, ready to be held: what whoever takes it up has to know, and no more.
 *
 * It is made from all of the events, or from a snapshot of what they once came to and those after it. Promise: the one is the
 * other (test/shell/snapshots.test.ts); where a snapshot does not fit, the events are folded from the first.
 */
import type { Arrival, EventEnvelope, OrderEvent, OrderId, SignalIdentity } from "@petrosa/contracts"
import type { HistoryRead, ReadableHistory, Snapshot, SnapshotRead } from "@petrosa/event-store"
import { hashOf } from "@petrosa/event-store"
import type { OrderActor, OrderContext, OrderSystem, Standing } from "@petrosa/lifecycle"
import { initialContext, isDone, rebuild } from "@petrosa/lifecycle"
import type { LiveOrder } from "./liveOrder.ts"

export interface RebuiltOrder {
  readonly actor: OrderActor
  readonly version: number
  readonly head: string
  /** Of its last event, epoch ms. */
  readonly atMs: number
  readonly trace: string | null
  /** Of its signal's canonical content; empty: not known. */
  readonly contentHash: string
  /** Of its own message. */
  readonly arrival: Arrival | undefined
  /** As recorded, of an order that is not decided yet: what was decided is taken from there. Else none. */
  readonly events: readonly OrderEvent[]
}

export type Rebuilding =
  | { readonly _tag: "Rebuilt"; readonly rebuilt: RebuiltOrder }
  /** Done or parked: there is nothing to take up. */
  | { readonly _tag: "Over" }
  /** This version cannot read it, or its machine cannot have such a history: it is left alone. */
  | { readonly _tag: "Unreadable"; readonly version: number; readonly detail: string; readonly by: "reader" | "machine" }

const eventOf = ({ type, data }: EventEnvelope): OrderEvent => ({ type, data }) as unknown as OrderEvent

/** It was received, and not decided. */
export const isUndecided = (c: OrderContext): boolean => c.entry === null && c.job === null && c.settled === null

/** Also of one that is done or parked. */
export const rebuildOrder = (
  order: OrderId,
  read: ReadableHistory,
  system?: OrderSystem,
): Exclude<Rebuilding, { readonly _tag: "Over" }> => {
  const { last, events } = read
  const made = rebuild(order, events, system)
  if (made._tag === "Unreadable") return { _tag: "Unreadable", version: made.version, detail: made.detail, by: "machine" }
  const data = events[0]?.data as { readonly identity?: SignalIdentity; readonly arrival?: Arrival } | undefined
  return {
    _tag: "Rebuilt",
    rebuilt: {
      actor: made.actor,
      version: last.version,
      head: last.hash,
      atMs: Date.parse(last.at),
      trace: last.trace,
      contentHash: data?.identity?.contentHash ?? "",
      arrival: data?.arrival,
      events: isUndecided(made.actor.context) ? events.map(eventOf) : [],
    },
  }
}

/** An order that is open in the store, to be taken up. */
export const rebuildOpen = (order: OrderId, read: HistoryRead, system?: OrderSystem): Rebuilding => {
  if (read._tag === "Unreadable") return { _tag: "Unreadable", version: read.version, detail: read.detail, by: "reader" }
  return read.last.done || read.last.parked ? { _tag: "Over" } : rebuildOrder(order, read, system)
}

/** The text of a snapshot. Its form is the program's own: see `snapshotForm` (options.ts). */
interface Saved {
  readonly regions: Standing["regions"]
  /** What is not as in a new order: half of a context. */
  readonly context: Partial<OrderContext>
  readonly atMs: number
  readonly trace: string | null
  readonly contentHash: string
  readonly arrival?: Arrival | undefined
}

/** An order that is worth a snapshot: decided, whole in the store, and with something still to come. */
export const canBeSaved = (live: LiveOrder): boolean => {
  const { context } = live
  return live.unsavedCount === 0 && !live.dropped && context.parked === null && !isUndecided(context) && !isDone(context)
}

const changedIn = (context: OrderContext): Partial<OrderContext> => {
  const changed: Record<string, unknown> = {}
  for (const key of Object.keys(context) as (keyof OrderContext)[]) if (context[key] !== initialContext[key]) changed[key] = context[key]
  return changed
}

/** SHA-256 over the hash of the event that it ends with and what is saved: an event has its hash, and what stands for it has one too. */
const digestOf = (head: string, saved: string): string => hashOf(`${head}${saved}`)
const DIGEST_LENGTH = digestOf("", "").length

/** The digest, and JSON. */
export const save = ({ actor: { regions, context }, head, atMs, trace, contentHash, arrival }: LiveOrder): string => {
  const saved = JSON.stringify({ regions, context: changedIn(context), atMs, trace, contentHash, arrival } satisfies Saved)
  return digestOf(head, saved) + saved
}

/** What {@link save} wrote. @throws when it is not that, or not of this event */
export const savedIn = ({ hash, text }: Pick<Snapshot, "hash" | "text">): Omit<Saved, "context"> & Standing => {
  const json = text.slice(DIGEST_LENGTH)
  if (digestOf(hash, json) !== text.slice(0, DIGEST_LENGTH)) throw new Error("the snapshot is not what was written")
  const saved = JSON.parse(json) as Saved
  return { ...saved, context: { ...initialContext, ...saved.context } }
}

/** `undefined`: it cannot be, and the events have to be asked. Never throws. */
export const restore = (order: OrderId, { snapshot, later }: SnapshotRead, system?: OrderSystem): Rebuilding | undefined => {
  const last = later.at(-1)
  try {
    const { regions, context, atMs, trace, contentHash, arrival } = savedIn(snapshot)
    if (context.order !== order || context.version !== snapshot.version) return undefined
    const made = rebuild(order, later, system, { regions, context })
    if (made._tag === "Unreadable") return undefined
    if (made.actor.context.parked !== null || isDone(made.actor.context)) return { _tag: "Over" }
    const rebuilt: RebuiltOrder = {
      actor: made.actor,
      version: last?.version ?? snapshot.version,
      head: last?.hash ?? snapshot.hash,
      atMs: last === undefined ? atMs : Date.parse(last.at),
      trace,
      contentHash,
      arrival,
      events: [],
    }
    return { _tag: "Rebuilt", rebuilt }
  } catch {
    // It is not what was written: a cache is thrown away, not repaired.
    return undefined
  }
}
