/**
 * A batch of appends as ordered inserts (MongoDB has no transaction here, on purpose: it works on a standalone server).
 *
 * Ordered, so that a stream never has version 3 without 2: on the first error everything before it is in, and nothing
 * after it. A duplicate `_id` is read back: the same hash is ours (the reply to an earlier attempt was lost), another
 * one is a conflict; the rest of that stream is left out, and the remainder is sent again. After a network error nothing
 * is known: `Unavailable`, and the caller sends the very same documents.
 *
 * What was found to be there already may not have reached the majority yet: then one more majority write, which covers
 * everything before it, comes before any `Appended`.
 */
import { MongoBulkWriteError, type WriteError } from "mongodb"
import type { Append, AppendResult } from "../eventStore.ts"
import { type MongoConnection, reasonOf } from "./connect.ts"
import { type EventDocument, toDocument } from "./document.ts"

const DUPLICATE = 11000
/** A write without an answer for so long is unknown. */
const WRITE_TIMEOUT_MS = 10_000
/** Each round ends in success, or leaves out at least one stream or what is already there. */
const ROUNDS_MAX = 50

interface Pending {
  readonly document: EventDocument
  readonly stream: string
  readonly version: number
  readonly hash: string
  /** Which append of the batch it belongs to. */
  readonly append: number
}

const firstWriteError = (error: MongoBulkWriteError): WriteError | undefined =>
  Array.isArray(error.writeErrors) ? error.writeErrors[0] : (error.writeErrors as WriteError | undefined)

export const appendBatch = async ({ events, meta }: MongoConnection, batch: readonly Append[]): Promise<readonly AppendResult[]> => {
  const results: (AppendResult | undefined)[] = batch.map(() => undefined)
  const unknown = (reason: string): readonly AppendResult[] => results.map((result) => result ?? { _tag: "Unavailable", reason })
  const ghosts = new Set<string>()
  let fence = false
  let pending: readonly Pending[] = batch.flatMap(({ stream, records }, append) =>
    records.map(({ envelope, hash, record }) => ({ document: toDocument(record), stream, version: envelope.version, hash, append })),
  )

  /** Leaves out the streams of failed documents, and gives their appends a result each. */
  const keepOthers = (left: readonly Pending[], fails: (item: Pending) => AppendResult | "ours" | undefined): readonly Pending[] => {
    const failed = new Map<string, AppendResult>()
    return left.filter((item) => {
      const before = failed.get(item.stream)
      const result = before === undefined ? fails(item) : before._tag === "Conflict" ? { ...before, version: item.version } : before
      if (result === undefined) return true
      if (result === "ours") return false
      failed.set(item.stream, before ?? result)
      results[item.append] ??= result
      return false
    })
  }

  for (let round = 0; pending.length > 0; round += 1) {
    if (round === ROUNDS_MAX) return unknown(`the batch was not written in ${ROUNDS_MAX} rounds`)
    try {
      await events.insertMany(
        pending.map((item) => item.document),
        { ordered: true, timeoutMS: WRITE_TIMEOUT_MS },
      )
      fence = false
      break
    } catch (error) {
      const write = error instanceof MongoBulkWriteError ? firstWriteError(error) : undefined
      if (write === undefined) return unknown(reasonOf(error))
      fence = true
      const left = pending.slice(write.index)
      if (write.code === DUPLICATE) {
        let stored: ReadonlyMap<string, string>
        try {
          stored = await storedHashes(events, left)
        } catch (readError) {
          return unknown(reasonOf(readError))
        }
        const culprit = left[0]
        pending = keepOthers(left, (item) => {
          const hash = stored.get(item.document._id)
          if (hash === item.hash) return "ours"
          const conflict: AppendResult = { _tag: "Conflict", stream: item.stream, version: item.version }
          if (hash !== undefined) return conflict
          if (item !== culprit) return undefined
          // A duplicate that is not under this id: that version is there under another one, or it was rolled back meanwhile.
          if (ghosts.has(item.document._id)) return conflict
          ghosts.add(item.document._id)
          return undefined
        })
      } else {
        const reason = `${write.code}: ${write.errmsg ?? "refused"}`
        pending = keepOthers(left, (item) => (item === left[0] ? { _tag: "Unavailable", reason } : undefined))
      }
    }
  }
  if (fence) {
    try {
      await meta.updateOne({ _id: "fence" }, { $inc: { n: 1 } }, { upsert: true, timeoutMS: WRITE_TIMEOUT_MS })
    } catch (error) {
      return unknown(reasonOf(error))
    }
  }
  return results.map((result) => result ?? { _tag: "Appended" })
}

const storedHashes = async (events: MongoConnection["events"], items: readonly Pending[]): Promise<ReadonlyMap<string, string>> => {
  const found = await events
    .find(
      { _id: { $in: items.map((item) => item.document._id) } },
      { projection: { hash: 1 }, readConcern: { level: "local" }, timeoutMS: WRITE_TIMEOUT_MS },
    )
    .toArray()
  return new Map(found.map((document) => [document._id, String(document.hash)]))
}
