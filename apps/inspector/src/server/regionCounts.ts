/**
 * How many orders are in which state of `entry` and `protection`, of all replicas together.
 *
 * The flat fields of an event do not say it, and folding every order here would cost what the engines pay: so each replica
 * counts the orders that it holds, when a page looks, and they add up. An order is held by one replica at a time.
 */
import { orderMachine, REGIONS, type Regions } from "@petrosa/lifecycle"

export type RegionCounts = Readonly<Record<string, Readonly<Record<string, number>>>>

/** How the replicas ask each other (the intake's `Inquiry`). */
export interface Replicas {
  answer(make: () => unknown): () => void
  ask(onAnswer: (replica: string, answer: unknown) => void): { again(): void; stop(): void }
}

const COUNTED = REGIONS.filter((region) => region !== "order")
/** However many ask, the orders are counted only so often. */
const KEPT_MS = 500
/** A replica that did not answer for so long is not counted any more. */
const SILENT_MS = 3500
const REPLICAS_MAX = 200

export const countRegions = (held: Iterable<Regions>): RegionCounts => {
  const counts: Record<string, Record<string, number>> = {}
  for (const region of COUNTED) counts[region] = {}
  for (const regions of held) for (const region of COUNTED) bump(counts, region, regions[region], 1)
  return counts
}

const bump = (counts: Record<string, Record<string, number>>, region: string, state: string, by: number): void => {
  const states = (counts[region] ??= {})
  states[state] = (states[state] ?? 0) + by
}

/** Counts at most twice a second. */
export const cached = (make: () => RegionCounts, nowMs: () => number): (() => RegionCounts) => {
  let known: RegionCounts | undefined
  let atMs = 0
  return () => {
    if (known === undefined || nowMs() - atMs >= KEPT_MS) {
      known = make()
      atMs = nowMs()
    }
    return known
  }
}

/** What the other replicas last said. */
export class OtherReplicas {
  readonly #said = new Map<string, { readonly counts: RegionCounts; readonly atMs: number }>()

  take(replica: string, answer: unknown, nowMs: number): void {
    const counts = readCounts(answer)
    if (counts === undefined || (this.#said.size >= REPLICAS_MAX && !this.#said.has(replica))) return
    this.#said.set(replica, { counts, atMs: nowMs })
  }

  forget(): void {
    this.#said.clear()
  }

  /** Who is there. */
  names(nowMs: number): readonly string[] {
    for (const [replica, { atMs }] of this.#said) if (nowMs - atMs > SILENT_MS) this.#said.delete(replica)
    return [...this.#said.keys()]
  }

  /** Adds theirs to ours. */
  plus(own: RegionCounts, nowMs: number): RegionCounts {
    const sum: Record<string, Record<string, number>> = {}
    const all = [own, ...this.names(nowMs).map((replica) => this.#said.get(replica)?.counts ?? {})]
    for (const counts of all)
      for (const [region, states] of Object.entries(counts)) for (const [state, n] of Object.entries(states)) bump(sum, region, state, n)
    return sum
  }
}

/** An answer comes from another process, maybe of another version: only what this machine has, and numbers, count. */
const readCounts = (answer: unknown): RegionCounts | undefined => {
  if (typeof answer !== "object" || answer === null) return undefined
  const counts: Record<string, Record<string, number>> = {}
  for (const region of COUNTED) {
    const states = (answer as Readonly<Record<string, unknown>>)[region]
    if (typeof states !== "object" || states === null) continue
    for (const [state, n] of Object.entries(states))
      if (Object.hasOwn(orderMachine.states[region]?.states ?? {}, state) && Number.isSafeInteger(n) && n >= 0)
        bump(counts, region, state, n as number)
  }
  return counts
}
