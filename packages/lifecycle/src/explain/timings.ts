/**
 * Where did the milliseconds go: from the signal's arrival to a position under its stop. A fold of recorded times; a time
 * that is not recorded (or that lies before the one it follows, by another clock) is left out, never guessed. Pure.
 */
import type { EventRecord } from "@petrosa/contracts"

export const MILESTONES = ["published", "received", "decided", "sent", "acknowledged", "filled", "protected", "settled"] as const
export type MilestoneName = (typeof MILESTONES)[number]

export interface Milestone {
  readonly name: MilestoneName
  readonly atMs: number
  /** Since the milestone before; 0 for the first one. */
  readonly tookMs: number
  /** What that time was spent on. */
  readonly says: string
}

const SAYS: Readonly<Record<MilestoneName, string>> = {
  published: "the broker took the signal",
  received: "on its way from the broker to us",
  decided: "decoded, checked and sized",
  sent: "made durable, then handed to the network",
  acknowledged: "the venue answered",
  filled: "the venue filled the last part",
  protected: "all of it came under a live stop",
  settled: "the end was recorded",
}

const time = (value: unknown): number | undefined => (typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined)
const at = (record: EventRecord | undefined): number | undefined => (record === undefined ? undefined : time(Date.parse(record.at)))

export const timings = (records: readonly EventRecord[]): readonly Milestone[] => {
  const first = (...types: readonly string[]): EventRecord | undefined => records.find(({ type }) => types.includes(type))
  const received = first("SignalReceived")
  const arrival = received?.data["arrival"] as { readonly streamTimeMs?: unknown; readonly transport?: unknown } | undefined
  const answer = first("EntryAccepted", "EntryRefused")
  const filled = records.findLast(({ type }) => type === "EntryFilled") ?? records.findLast(({ type }) => type === "EntryPartlyFilled")
  const covered = records.find(({ state, version }) => state === "bracketed" && version > (filled?.version ?? Number.POSITIVE_INFINITY))
  const known: Readonly<Record<MilestoneName, number | undefined>> = {
    published: time(arrival?.streamTimeMs),
    received: time(received?.data["receivedAtMs"]),
    decided: at(first("EntryIntended", "CloseIntended") ?? first("SignalValidated", "OrderFailed")),
    sent: time(answer?.data["sentAtMs"]),
    acknowledged: time(answer?.data["receivedAtMs"]),
    filled: at(filled),
    protected: at(covered),
    settled: at(first("OrderCompleted", "OrderFailed")),
  }
  const found: Milestone[] = []
  for (const name of MILESTONES) {
    const atMs = known[name]
    const before = found.at(-1)?.atMs
    if (atMs === undefined || (before !== undefined && atMs < before)) continue
    found.push({ name, atMs, tookMs: before === undefined ? 0 : atMs - before, says: SAYS[name] })
  }
  return found
}
