/** What the bench and the processes that it measures say to each other (Node's IPC). */

/** How far a measured process had come: taken by itself, in its own turn, each time another {@link MARK_EVERY} are settled. */
export interface Mark {
  readonly settled: number
  /** Epoch, with fractions of a millisecond. */
  readonly atMs: number
  /** User and system time of the process, all its threads. */
  readonly cpuUs: number
}

export const MARK_EVERY = 100

export interface StoreCounts {
  /** Writes of the store: group commits. */
  readonly batches: number
  /** Appends of one stream each. */
  readonly appends: number
  readonly events: number
  /** Bytes of their canonical texts. */
  readonly textLength: number
}

/** Bytes of the measured process. */
export interface Memory {
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
}

export interface Report {
  readonly marks: readonly Mark[]
  readonly settled: number
  readonly failed: number
  readonly failures: Readonly<Record<string, number>>
  readonly store: StoreCounts
  /** From publication to the entry request, ms, in order of publication. */
  readonly signalToEntryMs: readonly number[]
  /** From the venue's word of the entry's fill to the stop request, ms. */
  readonly fillToStopMs: readonly number[]
  /** Order events that were made durable, of one whole life; what was appended together stands together. */
  readonly sample: readonly (readonly SampleRecord[])[]
  readonly memory: Memory
  /** Orders that the process holds. */
  readonly live: number
}

export interface SampleRecord {
  readonly record: Readonly<Record<string, unknown>>
  readonly text: string
}

export type Ask =
  | { readonly ask: "report"; readonly gc?: boolean }
  /** Forget what was measured so far. */
  | { readonly ask: "reset" }
  /** Settled and live now. */
  | { readonly ask: "count" }
  /** Moves the paper venue's price. */
  | { readonly ask: "price"; readonly symbol: string; readonly price: string }
  | { readonly ask: "stop" }

export interface Counted {
  readonly settled: number
  readonly failed: number
  readonly live: number
  /** Orders whose entry the venue has. */
  readonly accepted: number
  /** Orders held that were adopted from the store, the adoption durable. */
  readonly adopted: number
  /** Orders of which the store was given a snapshot. */
  readonly snapshots: number
  readonly atMs: number
}

export type Answer =
  | { readonly is: "ready"; readonly startMs: number; readonly atMs: number; readonly url?: string }
  | { readonly is: "report"; readonly report: Report }
  | { readonly is: "count"; readonly counted: Counted }
  | { readonly is: "reset" | "price" }
  | { readonly is: "stopped"; readonly stopMs: number }
  | { readonly is: "broken"; readonly error: string }

/** Epoch milliseconds with fractions; comparable between processes of one machine. */
export const nowMs = (): number => performance.timeOrigin + performance.now()

export const cpuUs = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}
