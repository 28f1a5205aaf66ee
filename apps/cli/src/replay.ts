/** The seam to the machine: the one place of this app that knows how an order is replayed. */
import type { EventRecord, OrderId } from "@petrosa/contracts"
import type { Replay } from "@petrosa/lifecycle"

export type { Difference, Replay, ReplayStep } from "@petrosa/lifecycle"

/** Loaded on demand: xstate is not needed by the other commands. */
export const replayRecords = async (order: OrderId, records: readonly EventRecord[], until?: number): Promise<Replay> => {
  const { replay } = await import("@petrosa/lifecycle")
  return replay(order, records, until)
}
