/**
 * Deciding an order again: today's code with the inputs that the order recorded, and the first difference from what was
 * decided then. Pure.
 *
 * Promises: it never says "the same" of something that it did not decide again. What a decision read and its events do not
 * hold (the symbol's list of order types of an entry, say) is taken as it must have been for the recorded outcome, and is
 * listed in `assumed`. Where too much is missing the answer is `NotPossible`, with what is missing.
 */
import type { EventData, EventRecord, OrderEvent, Reason } from "@petrosa/contracts"
import { isOrderId } from "@petrosa/contracts"
import { decideEntry, redecide } from "../decisions/decide.ts"
import { dataOf, declinedInputs, GoesOn, inputsOf } from "./recordedInputs.ts"

export type Again =
  | { readonly _tag: "Same"; readonly decided: string; readonly assumed: readonly string[] }
  | {
      readonly _tag: "Different"
      /** Where the first difference is, as `OrderSized.quantity`. */
      readonly path: string
      readonly recorded: string
      readonly today: string
      readonly assumed: readonly string[]
    }
  | { readonly _tag: "NotPossible"; readonly why: string }

const DECISION: ReadonlySet<string> = new Set(["SignalValidated", "OrderSized", "EntryIntended", "CloseIntended", "OrderFailed"])
const ENDS: ReadonlySet<string> = new Set(["EntryIntended", "CloseIntended", "OrderFailed"])

interface Recorded {
  /** What a crash had left of an earlier decision; empty: there was none. */
  readonly before: readonly EventRecord[]
  readonly decision: readonly EventRecord[]
  readonly adopted: boolean
}

/** The decision that the order recorded: what follows SignalReceived before anything was asked of a venue. */
const recordedDecision = (records: readonly EventRecord[]): Recorded => {
  let before: EventRecord[] = []
  let decision: EventRecord[] = []
  let adopted = false
  for (const record of records.slice(1)) {
    if (record.type === "OrderAdopted") {
      before = [...before, ...decision]
      decision = []
      adopted = true
      continue
    }
    if (!DECISION.has(record.type)) break
    decision.push(record)
    if (ENDS.has(record.type)) break
  }
  return { before, decision, adopted }
}

/** What today's code decides with the recorded inputs, and the first difference from what was decided then. */
export const decideAgain = (records: readonly EventRecord[]): Again => {
  const [first] = records
  const received = first?.type === "SignalReceived" ? (first.data as unknown as EventData["SignalReceived"]) : undefined
  if (first === undefined || received === undefined) return notPossible("the first event is not SignalReceived")
  const { order } = first
  if (!isOrderId(order)) return notPossible("its order id cannot be read")
  const { before, decision, adopted } = recordedDecision(records)
  const last = decision.at(-1)
  const failed = dataOf(decision, "OrderFailed")
  const read = failed?.inputs
  const crashed = adopted && read === undefined && failed?.reason.code !== "HOLD"
  if (last === undefined || !ENDS.has(last.type) || crashed)
    return notPossible("it was not decided before something else happened (a crash came between): the decision was taken with other inputs")
  if (new Set(decision.map(({ settings_version }) => settings_version)).size > 1)
    return notPossible("it was decided in two parts, under two versions of the settings")
  try {
    const { signal } = received
    if (read !== undefined) {
      const inputs = declinedInputs(order, signal, read)
      return compare(last.type, decision, () => redecide(inputs, before as unknown as readonly OrderEvent[]), [])
    }
    const inputs = inputsOf(order, signal, [...before, ...decision])
    if ("missing" in inputs) return notPossible(inputs.missing)
    return compare(last.type, [...before, ...decision], () => decideEntry(inputs.inputs), inputs.assumed)
  } catch (error) {
    return notPossible(`what is recorded cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const notPossible = (why: string): Again => ({ _tag: "NotPossible", why })

const compare = (end: string, recorded: readonly EventRecord[], today: () => readonly OrderEvent[], assumed: readonly string[]): Again => {
  try {
    const difference = firstDifference(recorded, today())
    return difference === undefined ? { _tag: "Same", decided: end, assumed } : { _tag: "Different", ...difference, assumed }
  } catch (error) {
    if (!(error instanceof GoesOn)) throw error
    const last = recorded.at(-1)
    return {
      _tag: "Different",
      path: `event ${last?.version ?? 0}`,
      recorded: nameOf(last),
      today: `no decline here: it goes on to ${error.what}, which was not read then`,
      assumed,
    }
  }
}

/** The first place at which two decisions differ, in the order in which the code writes their fields. */
const firstDifference = (
  recorded: readonly EventRecord[],
  today: readonly OrderEvent[],
): { readonly path: string; readonly recorded: string; readonly today: string } | undefined => {
  for (let n = 0; n < Math.max(recorded.length, today.length); n++) {
    const then = recorded[n]
    const now = today[n]
    if (then?.type !== now?.type)
      return { path: `event ${then?.version ?? (recorded.at(-1)?.version ?? 1) + 1}`, recorded: nameOf(then), today: nameOf(now) }
    const found = differ(now?.type ?? "", decided(then), decided(now))
    if (found !== undefined) return found
  }
  return undefined
}

/** What was decided: not what it was decided on, of which another version may record more or less. */
const decided = (event: { readonly type: string; readonly data: unknown } | undefined): unknown =>
  event?.type === "OrderFailed" ? { reason: (event.data as { readonly reason?: unknown }).reason } : event?.data

const nameOf = (event: { readonly type: string; readonly data: unknown } | undefined): string => {
  if (event === undefined) return "nothing"
  const why = (event.data as { readonly reason?: Reason }).reason
  return why === undefined ? event.type : `${event.type} ${why.code}`
}

const isNested = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null

const differ = (
  path: string,
  then: unknown,
  now: unknown,
): { readonly path: string; readonly recorded: string; readonly today: string } | undefined => {
  if (isNested(then) && isNested(now) && Array.isArray(then) === Array.isArray(now)) {
    for (const key of new Set([...Object.keys(now), ...Object.keys(then)])) {
      const found = differ(`${path}.${key}`, then[key], now[key])
      if (found !== undefined) return found
    }
    return undefined
  }
  const was = JSON.stringify(then) ?? "nothing"
  const is = JSON.stringify(now) ?? "nothing"
  return was === is ? undefined : { path, recorded: was, today: is }
}
