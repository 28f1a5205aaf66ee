/**
 * The matrix: every named fault point × every single fault of the paper venue. A cell is one pair: an engine of its own, on
 * a store, a venue and streams of its own, with one order.
 *
 * Points that only a restart comes to are preceded by another one: the first process dies right after its entry has left,
 * the second while it takes that order up.
 */
import { FAULT_POINTS, type FaultPoint } from "@petrosa/engine"
import { type Faults, SINGLE_FAULTS } from "@petrosa/venue"

export const FAULTS: Readonly<Record<string, Partial<Faults>>> = { none: {}, ...SINGLE_FAULTS }

export interface Cell {
  /** Of its folder, its streams and its subjects. */
  readonly name: string
  readonly fault: string
  /** One process after the other, each of which dies at its point; then comes one that lives. */
  readonly deaths: readonly FaultPoint[]
}

const ONLY_AT_A_RESTART = /^store\.read\.|^venue\.query\./

const deathsAt = (point: FaultPoint): readonly FaultPoint[] => (ONLY_AT_A_RESTART.test(point) ? ["venue.entry.after", point] : [point])

export const CELLS: readonly Cell[] = FAULT_POINTS.flatMap((point, p) =>
  Object.keys(FAULTS).map((fault, f) => ({ name: `p${p}f${f}`, fault, deaths: deathsAt(point) })),
)

/** What a process of cells is told. */
export interface Task {
  readonly dir: string
  readonly natsUrl: string
  /** Which of their deaths is due; when there is none left the cells live, are healed, and are looked at in the end. */
  readonly round: number
  readonly cells: readonly Cell[]
}

/** What it says, as lines of JSON. */
export type Said =
  | { readonly _tag: "Reached"; readonly cell: string; readonly point: FaultPoint }
  /** Everything has come to a stand: it may be killed. */
  | { readonly _tag: "Still" }
  | { readonly _tag: "Problem"; readonly cell: string; readonly problem: string }
