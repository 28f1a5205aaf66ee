/** The journals of all replicas as one: this engine's own from memory, the others' from NATS. */
import type { EventRecord } from "@petrosa/contracts"
import type { EngineFace } from "@petrosa/engine"

/** Listens to the journals of all replicas; the result ends it. */
export type Journals = (listener: (replica: string, batch: Uint8Array) => void) => () => void

/** `hear` is called by the engine's journal: it must be quick. The result ends it. */
export const listenToAll = (
  engine: EngineFace,
  journals: Journals | undefined,
  hear: (records: readonly EventRecord[]) => void,
): (() => void) => {
  const own = engine.health().replica
  const ends = [engine.onJournal(hear)]
  if (journals !== undefined) {
    ends.push(
      journals((replica, batch) => {
        if (replica !== own) hear(readBatch(batch))
      }),
    )
  }
  return () => {
    for (const end of ends) end()
  }
}

const readBatch = (batch: Uint8Array): readonly EventRecord[] => {
  try {
    const records: unknown = JSON.parse(new TextDecoder().decode(batch))
    return Array.isArray(records) ? (records as readonly EventRecord[]) : []
  } catch {
    return []
  }
}
