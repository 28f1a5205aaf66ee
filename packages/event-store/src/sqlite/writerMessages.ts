/**
 * What the embedded store and its thread say to each other. A batch travels as one piece of memory with all its texts, which
 * is handed over and not copied again, and a flat list that says what is where: an object for each event would cost more
 * than its text.
 */
import type { Append, AppendResult, Snapshot } from "../eventStore.ts"
import type { WrittenAppend, WrittenEvent } from "./appender.ts"

export interface Packed {
  /** For each append: stream, number of events; for each event: version, prev ({@link FOLLOWS}: the hash before it), hash, bytes of text. */
  readonly list: readonly (string | number)[]
  /** UTF-8, one after the other. */
  readonly texts: Uint8Array<ArrayBuffer>
}

export type Asked =
  | { readonly id: number; readonly ask: "append"; readonly packed: Packed }
  | { readonly id: number; readonly ask: "setMeta"; readonly key: string; readonly value: string }
  | { readonly id: number; readonly ask: "saveSnapshots"; readonly form: string; readonly snapshots: readonly Snapshot[] }
  | { readonly id: number; readonly ask: "forgetRows" }
  | { readonly id: number; readonly ask: "setMaxPages"; readonly pages: number | undefined }
  | { readonly id: number; readonly ask: "close" }

export interface Answered {
  readonly id: number
  readonly results: readonly AppendResult[]
}

/** Its `prev` is the hash of the event before it in the same append: the rule. */
const FOLLOWS = 0

export const pack = (batch: readonly Append[]): Packed => {
  let length = 0
  for (const { records } of batch) for (const { bytes } of records) length += bytes.length
  const texts = new Uint8Array(length)
  const list: (string | number)[] = []
  let at = 0
  for (const { stream, records } of batch) {
    list.push(stream, records.length)
    let before: string | undefined
    for (const { envelope, prev, hash, bytes } of records) {
      list.push(envelope.version, prev === before ? FOLLOWS : prev, hash, bytes.length)
      before = hash
      texts.set(bytes, at)
      at += bytes.length
    }
  }
  return { list, texts }
}

export const unpack = ({ list, texts }: Packed): readonly WrittenAppend[] => {
  const all = Buffer.from(texts.buffer, texts.byteOffset, texts.byteLength)
  const batch: WrittenAppend[] = []
  let from = 0
  for (let at = 0; at < list.length; ) {
    const stream = list[at] as string
    const count = list[at + 1] as number
    at += 2
    const events: WrittenEvent[] = []
    let before = ""
    for (; events.length < count; at += 4) {
      const prev = list[at + 1] as string | typeof FOLLOWS
      const hash = list[at + 2] as string
      const to = from + (list[at + 3] as number)
      events.push({ version: list[at] as number, prev: prev === FOLLOWS ? before : prev, hash, bytes: all.subarray(from, to) })
      from = to
      before = hash
    }
    batch.push({ stream, events })
  }
  return batch
}
