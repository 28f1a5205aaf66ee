/** The stored head of a stream, many asked for at once with one query: after a gap every owner asks. */
import type { EventStore } from "@petrosa/event-store"

export type StoredHead =
  | { readonly _tag: "Known"; readonly version: number; readonly hash: string }
  | { readonly _tag: "Unknown"; readonly reason: string }

/** Streams asked for in one query. */
const BATCH = 500

export class HeadCheck {
  readonly #store: EventStore
  #waiting = new Map<string, ((head: StoredHead) => void)[]>()
  #asking = false

  constructor(store: EventStore) {
    this.#store = store
  }

  /** Version 0 and no hash for a stream that is not there. */
  read(stream: string): Promise<StoredHead> {
    return new Promise((resolve) => {
      const others = this.#waiting.get(stream)
      if (others === undefined) this.#waiting.set(stream, [resolve])
      else others.push(resolve)
      if (!this.#asking) {
        this.#asking = true
        queueMicrotask(() => void this.#ask())
      }
    })
  }

  async #ask(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH)
      for (const [stream] of batch) this.#waiting.delete(stream)
      const heads = await this.#read(batch.map(([stream]) => stream))
      for (const [stream, resolvers] of batch) for (const resolve of resolvers) resolve(heads(stream))
    }
    this.#asking = false
  }

  async #read(streams: readonly string[]): Promise<(stream: string) => StoredHead> {
    try {
      const found = await this.#store.readStreams(streams)
      return (stream) => {
        const read = found.get(stream)
        if (read === undefined) return { _tag: "Known", version: 0, hash: "" }
        if (read._tag === "Unreadable") return { _tag: "Known", version: read.head.version, hash: read.head.hash }
        const last = read.events.at(-1)
        return last === undefined ? { _tag: "Known", version: 0, hash: "" } : { _tag: "Known", version: last.version, hash: last.hash }
      }
    } catch (error) {
      return () => ({ _tag: "Unknown", reason: String(error) })
    }
  }
}
