/** What the embedded store and its thread say to each other. A batch is packed flat: an object for each event would cost more than its text. */
import type { AppendResult } from "../eventStore.ts"
import type { WrittenAppend, WrittenEvent } from "./appender.ts"

/** stream, number of events, then version, prev, hash, text of each. */
export type Packed = readonly (string | number)[]

export type Asked =
  | { readonly id: number; readonly ask: "append"; readonly packed: Packed }
  | { readonly id: number; readonly ask: "forgetRows" }
  | { readonly id: number; readonly ask: "setMaxPages"; readonly pages: number | undefined }
  | { readonly id: number; readonly ask: "close" }

export interface Answered {
  readonly id: number
  readonly results: readonly AppendResult[]
}

export const pack = (batch: readonly WrittenAppend[]): Packed => {
  const packed: (string | number)[] = []
  for (const { stream, events } of batch) {
    packed.push(stream, events.length)
    for (const { version, prev, hash, text } of events) packed.push(version, prev, hash, text)
  }
  return packed
}

export const unpack = (packed: Packed): readonly WrittenAppend[] => {
  const batch: WrittenAppend[] = []
  for (let at = 0; at < packed.length; ) {
    const stream = packed[at] as string
    const count = packed[at + 1] as number
    const events: WrittenEvent[] = []
    for (at += 2; events.length < count; at += 4)
      events.push({
        version: packed[at] as number,
        prev: packed[at + 1] as string,
        hash: packed[at + 2] as string,
        text: packed[at + 3] as string,
      })
    batch.push({ stream, events })
  }
  return batch
}
