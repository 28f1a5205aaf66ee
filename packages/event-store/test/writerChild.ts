/**
 * A process that writes lives of orders through group commit until it is killed, for sqliteCrash.test.ts. It tells each
 * append that the store has confirmed on its standard output. With `large` its events fill the write-ahead log in no time.
 */
import { writeSync } from "node:fs"
import { GroupCommit, SqliteEventStore } from "../src/index.ts"
import { LIFE, sealedOf, streamFor } from "../src/testing/index.ts"

const [file, name] = process.argv.slice(2)
if (file === undefined || name === undefined) throw new Error("usage: writerChild <file> <name> [thread] [large]")
const store = SqliteEventStore.open({ file, thread: process.argv.includes("thread") })
const commit = new GroupCommit(store)
const events = process.argv.includes("large") ? LIFE.map((fields) => ({ ...fields, data: { pad: "x".repeat(30_000) } })) : LIFE
writeSync(1, "ready\n")

const live = async (seed: string): Promise<void> => {
  const all = sealedOf(seed, events)
  for (const [from, to] of [
    [0, 4],
    [4, 5],
    [5, 7],
  ] as const) {
    const result = await commit.append({ stream: streamFor(seed), records: all.slice(from, to) })
    if (result._tag !== "Appended") throw new Error(JSON.stringify(result))
    writeSync(1, `${seed} ${to}\n`)
  }
}

for (let round = 0; round < 100_000; round += 1) {
  await Promise.all(Array.from({ length: 40 }, (_, index) => live(`${name}-${round}-${index}`)))
}
