/**
 * `petrosa replay <id> [--at N]`: folds the recorded events through today's machine and compares every step with what was
 * recorded. Replaying sends nothing. It stops at the first difference.
 */
import type { EventRecord, OrderId } from "@petrosa/contracts"
import { CANNOT, CliError, type ExitCode, NO, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { findOrder, withStore } from "../openStore.ts"
import { type Difference, type Replay, type ReplayStep, replayRecords } from "../replay.ts"
import { readSettings } from "../settings.ts"
import { cut, plural, safe } from "../text.ts"

export interface ReplayOptions {
  readonly at?: number
  readonly json?: boolean
}

export const replay = (io: Io, id: string, options: ReplayOptions): Promise<ExitCode> =>
  withStore(readSettings(), async (store) => {
    const row = await findOrder(store, id)
    const read = (await store.readStreams([row.stream])).get(row.stream)
    if (read === undefined) throw new CliError(`The order ${row.order} has no events in this store.`)
    const { at } = options
    const last = read.events.at(-1)?.version ?? 0
    if (at !== undefined && at > last) throw new CliError(`Version ${at} is not there: the order has ${plural(last, "event")}.`)
    const result = await replayRecords(row.order as OrderId, read.events, at)
    const unreadable = read._tag === "Unreadable" && (at === undefined || read.version <= at) ? read : undefined
    if (options.json === true) {
      io.json({
        order: row.order,
        steps: result.steps,
        difference: result.difference ?? null,
        unreadable: unreadable === undefined ? null : { version: unreadable.version, what: unreadable.what, detail: unreadable.detail },
      })
    } else show(io, result, read.events, at)
    if (result.difference !== undefined) return NO
    if (unreadable === undefined) return OK
    io.err(`Version ${unreadable.version} cannot be read: ${unreadable.detail}. A newer version of petrosa may.`)
    return CANNOT
  })

const show = (io: Io, result: Replay, events: readonly EventRecord[], at: number | undefined): void => {
  let before: Readonly<Record<string, unknown>> = {}
  for (const step of result.steps) {
    io.out(stepLine(io, step))
    const context = step.context as unknown as Readonly<Record<string, unknown>>
    for (const line of changes(before, context, io.columns)) io.out(`      ${io.c.dim(line)}`)
    for (const command of step.commands) io.out(`      ${io.c.cyan(`asks: ${command.type}`)}`)
    for (const difference of step.differences) io.out(io.c.red(`      differs: ${sentence(difference)}`))
    before = context
  }
  const lastStep = result.steps.at(-1)
  if (at !== undefined && lastStep !== undefined) io.out(`\ncontext at version ${lastStep.version}:\n${safeJson(lastStep.context)}`)
  io.out("")
  if (result.difference === undefined)
    io.out(io.c.green(`${plural(result.steps.length, "event")} replayed, no difference from what was recorded.`))
  else
    io.out(
      io.c.red(
        `First difference at version ${result.difference.version}, of ${plural(events.length, "event")}: ${sentence(result.difference)}`,
      ),
    )
}

const stepLine = (io: Io, step: ReplayStep): string => {
  const regions = `${step.regions.order} | ${step.regions.entry} | ${step.regions.protection}`
  return `${String(step.version).padStart(4)}  ${io.c.bold(step.type)} → ${step.state}  ${io.c.dim(`(${regions})`)}`
}

const sentence = (difference: Difference): string => {
  const recorded = cut(safe(difference.recorded), 400)
  const replayed = cut(safe(difference.replayed), 400)
  switch (difference.what) {
    case "state":
      return `recorded is the state ${recorded}, the machine comes to ${replayed}`
    case "commands":
      return `recorded are the commands ${recorded}, the machine asks for ${replayed}`
    case "flat":
      return `the field ${difference.field ?? "?"} is recorded as ${recorded}, the machine says ${replayed}`
    case "version":
      return `version ${replayed} is missing; ${recorded} comes instead`
    case "unknownEvent":
      return `the machine does not know the event ${recorded}`
    case "refused":
      return `the machine does not take ${recorded} here: ${replayed}`
  }
}

/** Fields that every event changes, or that are shown elsewhere. */
const NOT_SHOWN: ReadonlySet<string> = new Set(["version", "commands"])
const CHANGES_MAX = 24

/** What the event changed in the context, one line a field; of a nested value only the parts that changed. */
const changes = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  columns: number,
): readonly string[] => {
  const lines: string[] = []
  const width = Math.min(columns - 6, 400)
  const compare = (path: string, was: unknown, is: unknown): void => {
    if (isNested(was) && isNested(is) && Array.isArray(was) === Array.isArray(is)) {
      const keys = new Set([...Object.keys(was), ...Object.keys(is)])
      for (const key of keys) compare(`${path}.${key}`, was[key], is[key])
      return
    }
    const from = JSON.stringify(was)
    const to = JSON.stringify(is) ?? "gone"
    if (from === to || (was === undefined && isNothing(is))) return
    lines.push(cut(`${path}: ${was === undefined || was === null ? "" : `${safe(from ?? "")} → `}${safe(to)}`, width))
  }
  for (const [key, value] of Object.entries(after)) if (!NOT_SHOWN.has(key)) compare(key, before[key], value)
  return lines.length > CHANGES_MAX ? [...lines.slice(0, CHANGES_MAX), `and ${lines.length - CHANGES_MAX} more fields`] : lines
}

const isNested = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null

/** A value that says nothing yet: at the first event everything is new. */
const isNothing = (value: unknown): boolean =>
  isNested(value)
    ? Object.values(value).every(isNothing)
    : value === null || value === "" || value === false || value === 0 || value === "0"

const safeJson = (value: unknown): string =>
  JSON.stringify(value, null, 2)
    .split("\n")
    .map((line) => safe(line))
    .join("\n")
