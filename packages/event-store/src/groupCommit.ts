/**
 * Group commit: appends of many streams, one batch, one flush of the store.
 *
 * Promises: one batch is on its way at a time; what comes meanwhile goes with the next one, and there is no timer when
 * nothing waits. An append whose outcome is not known is sent again, the very same documents, until the store has said
 * `Appended` or `Conflict`, or until `close`; nothing of its stream overtakes it. What waits is bounded.
 * What can go wrong: a second append of a stream while the first is on its way is a broken invariant of the caller
 * ({@link AppendInFlight}); a full queue answers `Unavailable` at once, and nothing of that append was sent.
 */
import type { Append, AppendResult, EventStore } from "./eventStore.ts"

/** Time, as group commit needs it. Simulations give their own. */
export interface Scheduler {
  /** After what is running now, and what else came in with it. */
  soon(run: () => void): void
  /** Returns how to call it off. */
  after(delayMs: number, run: () => void): () => void
}

export const realScheduler: Scheduler = {
  soon: (run) => {
    setImmediate(run)
  },
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

export interface GroupCommitOptions {
  /** Events in one batch, unless a single append has more. */
  readonly maxDocuments?: number
  /** Bytes of event text in one batch, unless a single append has more. */
  readonly maxBatchLength?: number
  /** Events that may wait or be on their way. */
  readonly maxWaitingDocuments?: number
  readonly maxWaitingLength?: number
  readonly firstRetryMs?: number
  readonly lastRetryMs?: number
  readonly scheduler?: Scheduler
}

/** The store as group commit last saw it. */
export type StoreState =
  | { readonly _tag: "Back" }
  /** Nothing is written until `Back`. */
  | { readonly _tag: "Away"; readonly reason: string; readonly attempt: number }
  /** The store takes other appends, but has refused this one many times: nothing else tells that its order stands still. */
  | { readonly _tag: "Stuck"; readonly stream: string; readonly reason: string }

/** The caller had an append of this stream on its way already. */
export class AppendInFlight extends Error {
  override readonly name = "AppendInFlight"
}

/** {@link GroupCommit.appendWithin} gave up waiting; the append goes on. */
export interface StillWaiting {
  readonly _tag: "StillWaiting"
  readonly result: Promise<AppendResult>
}

interface Entry {
  readonly append: Append
  readonly length: number
  readonly tell: (result: AppendResult) => void
  attempts: number
  /** It was refused while others of its batch were taken: the fault may be its own. */
  suspect: boolean
  reported: boolean
}

/** After this many refusals, while others were taken, an append is reported as stuck. */
const STUCK_AFTER = 20

export class GroupCommit {
  readonly #store: Pick<EventStore, "append">
  readonly #options: Required<GroupCommitOptions>
  /** In order of arrival; entries that must be sent again stand in front. */
  #queue: Entry[] = []
  readonly #streams = new Set<string>()
  readonly #listeners = new Set<(state: StoreState) => void>()
  #whenIdle: (() => void)[] = []
  #inFlight = 0
  #documents = 0
  #length = 0
  #failures = 0
  #state: "idle" | "scheduled" | "sending" | "retrying" | "closed" = "idle"
  /** The pause is for suspects alone: the store is not away, and new appends need not wait. */
  #onlySuspects = false
  #cancelRetry: () => void = () => {}

  constructor(store: Pick<EventStore, "append">, options: GroupCommitOptions = {}) {
    this.#store = store
    this.#options = {
      maxDocuments: 500,
      maxBatchLength: 8 * 1024 * 1024,
      maxWaitingDocuments: 100_000,
      maxWaitingLength: 256 * 1024 * 1024,
      firstRetryMs: 50,
      lastRetryMs: 2000,
      scheduler: realScheduler,
      ...options,
    }
  }

  /** Appends that wait or are on their way. */
  get pending(): number {
    return this.#queue.length + this.#inFlight
  }

  /** Events that wait or are on their way. */
  get pendingDocuments(): number {
    return this.#documents
  }

  /** More than half of what may wait is waiting: take no new work until this is false. */
  get isBusy(): boolean {
    return this.#documents * 2 > this.#options.maxWaitingDocuments || this.#length * 2 > this.#options.maxWaitingLength
  }

  /** The last batch did not reach the store. */
  get isAway(): boolean {
    return this.#failures > 0
  }

  /** Returns how to stop listening. */
  onState(listener: (state: StoreState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Resolves with `Appended` or `Conflict` once the store has said so. `Unavailable` comes only from a full queue or
   * after `close`. Rejects with {@link AppendInFlight} only.
   */
  append(append: Append): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      try {
        this.submit(append, resolve)
      } catch (error) {
        reject(error)
      }
    })
  }

  /**
   * As {@link append}, for those who make thousands: `tell` is called once, with what the store said; when that is known
   * at once, before this returns. A `tell` that throws stops nobody else: what it threw becomes an unhandled rejection.
   * @throws AppendInFlight
   */
  submit(append: Append, tell: (result: AppendResult) => void): void {
    if (this.#state === "closed") return tell({ _tag: "Unavailable", reason: "group commit is closed" })
    if (append.records.length === 0) return tell({ _tag: "Appended" })
    if (this.#streams.has(append.stream)) throw new AppendInFlight(`an append of ${append.stream} is on its way already`)
    const length = append.records.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (
      this.#documents + append.records.length > this.#options.maxWaitingDocuments ||
      (this.#length + length > this.#options.maxWaitingLength && this.#documents > 0)
    ) {
      return tell({ _tag: "Unavailable", reason: `${this.#documents} events wait for the store already` })
    }
    this.#streams.add(append.stream)
    this.#documents += append.records.length
    this.#length += length
    this.#queue.push({ append, length, tell, attempts: 0, suspect: false, reported: false })
    this.#schedule()
  }

  /** As {@link append}, but waits at most `waitMs`; the append itself goes on. */
  appendWithin(append: Append, waitMs: number): Promise<AppendResult | StillWaiting> {
    const result = this.append(append)
    return new Promise((resolve, reject) => {
      const cancel = this.#options.scheduler.after(waitMs, () => resolve({ _tag: "StillWaiting", result }))
      result.then(
        (value) => {
          cancel()
          resolve(value)
        },
        (error: unknown) => {
          cancel()
          reject(error)
        },
      )
    })
  }

  /** Resolves when nothing waits and nothing is on its way. */
  idle(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /**
   * Takes nothing more. Waits at most `waitMs` for what is pending; what is still not known then is `Unavailable` (it
   * may be in the store or not). The store itself stays open.
   */
  async close(waitMs = 0): Promise<void> {
    if (this.#state === "closed") return
    if (waitMs > 0 && this.pending > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.scheduler.after(waitMs, resolve)
        void this.idle().then(() => {
          cancel()
          resolve()
        })
      })
    }
    this.#state = "closed"
    this.#cancelRetry()
    const left = this.#queue
    this.#queue = []
    for (const entry of left) this.#settle(entry, { _tag: "Unavailable", reason: "group commit was closed" })
    await this.idle()
  }

  #schedule(): void {
    if (this.#state === "retrying" && this.#onlySuspects) {
      this.#cancelRetry()
      this.#state = "idle"
    }
    if (this.#state !== "idle" || this.#queue.length === 0) return
    this.#state = "scheduled"
    this.#options.scheduler.soon(() => {
      if (this.#state === "scheduled") void this.#send()
    })
  }

  /** From the front of the queue, as much as one batch takes; at least one. */
  #nextBatch(): Entry[] {
    let documents = 0
    let length = 0
    let count = 0
    for (const entry of this.#queue) {
      documents += entry.append.records.length
      length += entry.length
      if (count > 0 && (documents > this.#options.maxDocuments || length > this.#options.maxBatchLength)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  async #send(): Promise<void> {
    this.#state = "sending"
    const batch = this.#nextBatch()
    this.#inFlight = batch.length
    let results: readonly AppendResult[]
    try {
      results = await this.#store.append(batch.map((entry) => entry.append))
    } catch (error) {
      // The port says that this does not happen; an adapter that breaks its word is a store that did not answer.
      results = batch.map(() => ({ _tag: "Unavailable", reason: String(error) }))
    }
    this.#inFlight = 0
    const again: Entry[] = []
    let reason = ""
    for (const [index, entry] of batch.entries()) {
      const result = results[index] ?? { _tag: "Unavailable", reason: "the store gave no result" }
      if (result._tag === "Unavailable" && !this.#isClosed()) {
        reason = result.reason
        entry.attempts += 1
        again.push(entry)
      } else this.#settle(entry, result)
    }
    if (this.#isClosed()) {
      this.#wakeIdle()
      return
    }
    this.#queue = again.length === 0 ? this.#queue : [...again, ...this.#queue]
    if (again.length < batch.length) this.#goOn(again, reason)
    else if (again.every((entry) => entry.suspect)) this.#retrySuspects(again)
    else this.#retryLater(reason)
    this.#wakeIdle()
  }

  /** A method, because the state may have become "closed" while the batch was away, which the compiler cannot know. */
  #isClosed(): boolean {
    return this.#state === "closed"
  }

  #goOn(again: readonly Entry[], reason: string): void {
    if (this.#failures > 0) {
      this.#failures = 0
      this.#emit({ _tag: "Back" })
    }
    for (const entry of again) {
      entry.suspect = true
      if (entry.attempts < STUCK_AFTER || entry.reported) continue
      entry.reported = true
      this.#emit({ _tag: "Stuck", stream: entry.append.stream, reason })
    }
    this.#state = "idle"
    this.#schedule()
  }

  #retryLater(reason: string): void {
    this.#failures += 1
    this.#pause(this.#failures, false)
    this.#emit({ _tag: "Away", reason, attempt: this.#failures })
  }

  #retrySuspects(suspects: readonly Entry[]): void {
    this.#pause(Math.min(...suspects.map((entry) => entry.attempts)), true)
    if (this.#queue.length > suspects.length) this.#schedule()
  }

  #pause(attempt: number, onlySuspects: boolean): void {
    const delayMs = Math.min(this.#options.lastRetryMs, this.#options.firstRetryMs * 2 ** Math.min(attempt - 1, 16))
    this.#state = "retrying"
    this.#onlySuspects = onlySuspects
    this.#cancelRetry = this.#options.scheduler.after(delayMs, () => {
      if (this.#state === "retrying") void this.#send()
    })
  }

  #settle(entry: Entry, result: AppendResult): void {
    this.#streams.delete(entry.append.stream)
    this.#documents -= entry.append.records.length
    this.#length -= entry.length
    try {
      entry.tell(result)
    } catch (error) {
      void Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #wakeIdle(): void {
    if (this.pending > 0) return
    const waiting = this.#whenIdle
    this.#whenIdle = []
    for (const wake of waiting) wake()
  }

  #emit(state: StoreState): void {
    for (const listener of this.#listeners) listener(state)
  }
}
