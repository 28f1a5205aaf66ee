/** The context of an order at a step, and what a step changed in it: put together from what each step set. */
import type { Json, Step } from "./types.ts"

/** The context after a step: every change up to it, one after the other. */
export const contextAt = (steps: readonly Step[], version: number): Json => {
  const context: Record<string, unknown> = {}
  for (const step of steps) if (step.version <= version) Object.assign(context, step.set)
  return context
}

export interface Change {
  readonly path: string
  readonly from: string
  readonly to: string
}

/** Fields that every event changes, or that are shown elsewhere. */
const NOT_SHOWN: ReadonlySet<string> = new Set(["version", "commands"])
const isNested = (value: unknown): value is Json => typeof value === "object" && value !== null
const isNothing = (value: unknown): boolean =>
  isNested(value)
    ? Object.values(value).every(isNothing)
    : value === null || value === "" || value === false || value === 0 || value === "0"

/** What differs between two contexts, down to the values. */
export const changesBetween = (before: Json, after: Json): readonly Change[] => {
  const found: Change[] = []
  const compare = (path: string, was: unknown, is: unknown): void => {
    if (isNested(is) && (isNested(was) || was === undefined || was === null) && Object.keys(is).length > 0) {
      const old = isNested(was) ? was : {}
      for (const key of new Set([...Object.keys(old), ...Object.keys(is)])) compare(path === "" ? key : `${path}.${key}`, old[key], is[key])
      return
    }
    const from = JSON.stringify(was) ?? ""
    const to = JSON.stringify(is) ?? "gone"
    if (from !== to && !(was === undefined && isNothing(is))) found.push({ path, from, to })
  }
  for (const key of Object.keys(after)) if (!NOT_SHOWN.has(key)) compare(key, before[key], after[key])
  return found
}
