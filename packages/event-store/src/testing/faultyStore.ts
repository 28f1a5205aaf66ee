/**
 * A store that lies, is slow, or is away, around a real one: for tests of whoever uses a store.
 *
 * Faults are used up one append call after the other, in the order they were given; then the store behind works as it is.
 */
import {
  type Append,
  type AppendResult,
  type EventStore,
  type HistoryRead,
  type OrderPage,
  type OrderQuery,
  type OrderRow,
  type StoredEvent,
  type StoredStream,
  type StreamHead,
  type StreamRead,
  StoreUnavailable,
} from "../eventStore.ts"

export type AppendFault =
  /** Nothing is written, and the store says that it does not know. */
  | { readonly _tag: "Refuse" }
  /** Everything is written, and the reply is lost. */
  | { readonly _tag: "LoseReply" }
  /** The first `documents` of the batch are written (in order, as MongoDB does), and the reply is lost. */
  | { readonly _tag: "Half"; readonly documents: number }
  /** Waits for the promise, before anything is written. */
  | { readonly _tag: "Slow"; readonly until: Promise<void> }
  /** Works as it is. */
  | { readonly _tag: "None" }

export class FaultyStore implements EventStore {
  readonly #store: EventStore
  readonly #faults: AppendFault[] = []
  #away: string | undefined
  /** Every batch that was asked for, whatever became of it. */
  readonly batches: (readonly Append[])[] = []

  constructor(store: EventStore) {
    this.#store = store
  }

  get kind(): EventStore["kind"] {
    return this.#store.kind
  }

  get storeId(): string {
    return this.#store.storeId
  }

  /** The next append calls go like this. */
  next(...faults: readonly AppendFault[]): void {
    this.#faults.push(...faults)
  }

  /** From now on nothing answers. */
  goAway(reason = "the store is away (test)"): void {
    this.#away = reason
  }

  comeBack(): void {
    this.#away = undefined
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    this.batches.push(batch)
    const lost = (reason: string): readonly AppendResult[] => batch.map(() => ({ _tag: "Unavailable", reason }))
    if (this.#away !== undefined) return lost(this.#away)
    const fault = this.#faults.shift() ?? { _tag: "None" }
    switch (fault._tag) {
      case "None":
        return this.#store.append(batch)
      case "Refuse":
        return lost("refused (test)")
      case "LoseReply":
        await this.#store.append(batch)
        return lost("the reply was lost (test)")
      case "Half":
        await this.#store.append(firstDocuments(batch, fault.documents))
        return lost("half was written (test)")
      case "Slow":
        await fault.until
        return this.#away === undefined ? this.#store.append(batch) : lost(this.#away)
    }
  }

  #here(): EventStore {
    if (this.#away !== undefined) throw new StoreUnavailable(this.#away)
    return this.#store
  }

  async readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamRead>> {
    return this.#here().readStreams(streams)
  }
  async readHistories(streams: readonly string[]): Promise<ReadonlyMap<string, HistoryRead>> {
    return this.#here().readHistories(streams)
  }
  async readRaw(stream: string): Promise<readonly StoredEvent[]> {
    return this.#here().readRaw(stream)
  }
  async *rawStreams(prefix: string): AsyncIterable<readonly StoredStream[]> {
    yield* this.#here().rawStreams(prefix)
  }
  async *streams(prefix: string): AsyncIterable<readonly StreamHead[]> {
    yield* this.#here().streams(prefix)
  }
  async mark(): Promise<string | undefined> {
    return this.#here().mark()
  }
  async *headsSince(mark: string | undefined): AsyncIterable<readonly StreamHead[]> {
    yield* this.#here().headsSince(mark)
  }
  async listOrders(query: OrderQuery): Promise<OrderPage> {
    return this.#here().listOrders(query)
  }
  async openOrders(wanted?: (order: string) => boolean): Promise<readonly OrderRow[]> {
    return this.#here().openOrders(wanted)
  }
  async openOrderIds(): Promise<readonly string[]> {
    return this.#here().openOrderIds()
  }
  async findOrder(id: string): Promise<OrderRow | undefined> {
    return this.#here().findOrder(id)
  }
  async getMeta(key: string): Promise<string | undefined> {
    return this.#here().getMeta(key)
  }
  async setMeta(key: string, value: string): Promise<void> {
    return this.#here().setMeta(key, value)
  }
  async rebuildProjections(): Promise<number> {
    return this.#here().rebuildProjections()
  }
  close(): Promise<void> {
    return this.#store.close()
  }
}

/** What a crash in the middle of an ordered batch leaves. */
export const firstDocuments = (batch: readonly Append[], documents: number): readonly Append[] => {
  let left = documents
  return batch.flatMap(({ stream, records }) => {
    const part = records.slice(0, Math.max(0, left))
    left -= records.length
    return part.length === 0 ? [] : [{ stream, records: part }]
  })
}
