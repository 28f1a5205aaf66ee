/**
 * From events to durable records: seals each with its place in the chain, appends them in groups, and tells the listeners
 * what has become durable. Nothing here decides; a record that was handed in is either durable, or its stream belongs to
 * somebody else.
 */
import type { SealedRecord } from "@petrosa/contracts"
import type { AppendResult, EventStore } from "@petrosa/event-store"
import { AppendInFlight, GroupCommit } from "@petrosa/event-store"
import type { FaultPoints } from "./faultPoints.ts"

export type JournalListener = (records: readonly SealedRecord[]) => void

export class Journal {
  readonly #commit: GroupCommit
  readonly #faults: FaultPoints | undefined
  readonly #listeners = new Set<JournalListener>()
  #durable: SealedRecord[] = []
  #publishing = false
  #closed = false

  constructor(store: EventStore, onAway: (reason: string | undefined) => void, faults?: FaultPoints) {
    this.#faults = faults
    this.#commit = new GroupCommit(store)
    this.#commit.onState((state) => {
      if (state._tag !== "Stuck") onAway(state._tag === "Away" ? state.reason : undefined)
    })
  }

  /** Records waiting or on their way, all streams. */
  get pending(): number {
    return this.#commit.pendingDocuments
  }
  /** So much is waiting that nothing new should be begun. */
  get isBusy(): boolean {
    return this.#commit.isBusy
  }
  get isAway(): boolean {
    return this.#commit.isAway
  }
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Appends the records of one stream; `tell` is called once they are durable, or when the stream turns out to be somebody
   * else's. Returns false when another append of this stream is on its way: nothing of this one was sent.
   */
  submit(stream: string, records: readonly SealedRecord[], tell: (result: AppendResult) => void): boolean {
    if (this.#faults !== undefined) {
      // Fault points may stall or throw: they need a promise. Production has none.
      this.append(stream, records).then(tell, () => tell({ _tag: "Unavailable", reason: "another append is on its way" }))
      return true
    }
    try {
      this.#commit.submit({ stream, records }, (result) => {
        if (result._tag === "Appended") this.#publish(records)
        tell(result)
      })
      return true
    } catch (error) {
      if (error instanceof AppendInFlight) return false
      throw error
    }
  }

  /** Appends the records of one stream. Resolves when they are durable, or when the stream turns out to be somebody else's. */
  async append(stream: string, records: readonly SealedRecord[]): Promise<AppendResult> {
    if (this.#faults !== undefined) await this.#faults.at("store.append.before", stream)
    const result = await this.#commit.append({ stream, records })
    if (this.#faults !== undefined) await this.#faults.at("store.append.after", stream)
    if (result._tag === "Appended") this.#publish(records)
    return result
  }

  #publish(records: readonly SealedRecord[]): void {
    for (const sealed of records) this.#durable.push(sealed)
    if (this.#publishing) return
    this.#publishing = true
    // One message per group commit, not per stream: all appends of a batch resolve in the same turn.
    queueMicrotask(() => {
      this.#publishing = false
      const batch = this.#durable
      this.#durable = []
      for (const listener of this.#listeners) listener(batch)
    })
  }

  /** Called synchronously with every batch that became durable: a listener must be quick. */
  listen(listener: JournalListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes nothing more, and waits at most this long for what is on its way. */
  async close(timeoutMs: number): Promise<void> {
    const done = this.#commit.close(timeoutMs)
    this.#closed = true
    await done
  }
}
