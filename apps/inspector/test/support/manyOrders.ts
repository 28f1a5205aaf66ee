/**
 * Finished orders by the thousand, for lists: copies of real lives of several kinds under other ids, strategies and times,
 * their chains sealed anew, so that the store is as a long run would have left it.
 */
import { hash } from "node:crypto"
import { type EventRecord, type OrderId, orderIdOf, orderStream, type SealedRecord } from "@petrosa/contracts"
import { type Append, CHAIN_START, type EventStore, SqliteEventStore, sealedAs } from "@petrosa/event-store"
import type { Story } from "./story.ts"

const GROUP = 500
/** One every ten seconds. */
const SPACING_MS = 10_000
export const STRATEGIES = 40

type Life = readonly { readonly record: EventRecord; readonly text: string }[]

/** The lives of those orders of a story that have ended. */
export const livesOf = async (file: string, story: Story): Promise<readonly Life[]> => {
  const store = SqliteEventStore.open({ file, readOnly: true })
  try {
    const lives: Life[] = []
    for (const order of [story.closedByTarget, story.closedByStop, story.declined, story.held, story.refused]) {
      const stream = orderStream(order as OrderId)
      const read = (await store.readStreams([stream])).get(stream)
      const texts = await store.readRaw(stream)
      const life = (read?.events ?? []).map((record, n) => ({ record, text: texts[n]?.text ?? "" }))
      if (life.at(-1)?.record.done !== true) throw new Error(`${order} has not ended`)
      lives.push(life)
    }
    return lives
  } finally {
    await store.close()
  }
}

export const orderIdAt = (n: number): OrderId => orderIdOf(Buffer.from(hash("sha256", `one of many ${n}`), "hex"))

/** Order number `n`: the lives in turn, the strategies in turn. */
const copyOf = (life: Life, n: number, createdAt: string): Append => {
  const [first] = life
  if (first === undefined) throw new Error("an empty life")
  const order = orderIdAt(n)
  const stream = orderStream(order)
  const put = new Map([
    [first.record.order as string, order as string],
    [first.record.signal_id, `many-${n}`],
    [first.record.strategy_id, `strategy_${n % STRATEGIES}`],
    [first.record.created_at, createdAt],
  ])
  let prev: string = CHAIN_START
  const records = life.map(({ record, text }): SealedRecord => {
    let copy = text
    for (const [from, to] of put) copy = copy.replaceAll(from, to)
    if (record.prev !== "") copy = copy.replaceAll(record.prev, prev)
    const sealed = { ...(JSON.parse(copy) as EventRecord), hash: hash("sha256", copy) }
    prev = sealed.hash
    return sealedAs(sealed, copy)
  })
  return { stream, records }
}

/** Fills a new store. */
export const writeMany = async (file: string, lives: readonly Life[], count: number): Promise<void> => {
  const store: EventStore = SqliteEventStore.open({ file })
  try {
    const newestMs = Date.now() - 60_000
    for (let n = 0; n < count; n += GROUP) {
      const batch = Array.from({ length: Math.min(GROUP, count - n) }, (_, i) =>
        copyOf(lives[(n + i) % lives.length] as Life, n + i, new Date(newestMs - (count - n - i) * SPACING_MS).toISOString()),
      )
      const failed = (await store.append(batch)).find((result) => result._tag !== "Appended")
      if (failed !== undefined) throw new Error(`orders could not be written: ${JSON.stringify(failed)}`)
    }
  } finally {
    await store.close()
  }
}
