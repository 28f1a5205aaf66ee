import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  type Append,
  AppendInFlight,
  type AppendResult,
  GroupCommit,
  type Scheduler,
  SqliteEventStore,
  type StoreState,
  verifyAll,
} from "../src/index.ts"
import { appendOf, FaultyStore, headOf, LIFE, streamFor } from "../src/testing/index.ts"

/** Time that stands still until a test moves it. */
class HandClock implements Scheduler {
  #soon: (() => void)[] = []
  #timers: { readonly atMs: number; readonly run: () => void }[] = []
  nowMs = 0
  readonly delays: number[] = []

  soon(run: () => void): void {
    this.#soon.push(run)
  }
  after(delayMs: number, run: () => void): () => void {
    this.delays.push(delayMs)
    const timer = { atMs: this.nowMs + delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }
  get timers(): number {
    return this.#timers.length
  }
  async turn(): Promise<void> {
    for (const run of this.#soon.splice(0)) run()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  async pass(ms: number): Promise<void> {
    this.nowMs += ms
    const due = this.#timers.filter((timer) => timer.atMs <= this.nowMs)
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.nowMs)
    for (const { run } of due) run()
    await this.turn()
  }
}

const gate = () => {
  let open = () => {}
  const until = new Promise<void>((resolve) => {
    open = resolve
  })
  return { until, open: () => open() }
}

describe("group commit", () => {
  let store: FaultyStore
  let clock: HandClock
  let commit: GroupCommit
  let states: StoreState[]
  const start = (options = {}) => {
    commit = new GroupCommit(store, { scheduler: clock, ...options })
    commit.onState((state) => states.push(state))
  }

  beforeEach(() => {
    store = new FaultyStore(SqliteEventStore.open({ file: ":memory:" }))
    clock = new HandClock()
    states = []
    start()
  })
  afterEach(async () => {
    await commit.close()
    await store.close()
  })

  it("given appends of one turn, then they go as one batch, and nothing is timed when nothing waits", async () => {
    const results = Promise.all([1, 2, 3].map((seed) => commit.append(appendOf(seed, LIFE))))
    expect(store.batches.length).toBe(0)
    expect(commit.pending).toBe(3)
    await clock.turn()
    expect(await results).toEqual([1, 2, 3].map(() => ({ _tag: "Appended" })))
    expect(store.batches.length).toBe(1)
    expect(commit.pending).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it("given a batch on its way, then what comes meanwhile goes with the next one, in order of arrival", async () => {
    const slow = gate()
    store.next({ _tag: "Slow", until: slow.until })
    const first = commit.append(appendOf(1, [{}]))
    await clock.turn()
    const rest = [2, 3, 4].map((seed) => commit.append(appendOf(seed, [{}])))
    await clock.turn()
    expect(store.batches.length).toBe(1)
    slow.open()
    await first
    await clock.turn()
    await Promise.all(rest)
    expect(store.batches.map((batch) => batch.map(({ stream }) => stream))).toEqual([[streamFor(1)], [2, 3, 4].map(streamFor)])
  })

  it("given more than a batch may hold, by number or by length, then it is split, and a single larger append goes alone", async () => {
    start({ maxDocuments: 5 })
    const sizes = [2, 2, 2, 7, 1]
    const all = Promise.all(sizes.map((size, index) => commit.append(appendOf(index, LIFE.slice(0, size)))))
    for (let turn = 0; turn < 8; turn += 1) await clock.turn()
    await all
    expect(store.batches.map((batch) => batch.map(({ records }) => records.length))).toEqual([[2, 2], [2], [7], [1]])
    start({ maxBatchLength: 2500 })
    const before = store.batches.length
    const more = Promise.all([10, 11, 12].map((seed) => commit.append(appendOf(seed, [{}]))))
    for (let turn = 0; turn < 8; turn += 1) await clock.turn()
    await more
    expect(store.batches.slice(before).map((batch) => batch.length)).toEqual([2, 1])
  })

  it("given a second append of a stream on its way, then it is refused as a broken invariant, and the first goes on", async () => {
    const first = commit.append(appendOf(1, [{}]))
    await expect(commit.append(appendOf(1, [{}, {}]))).rejects.toBeInstanceOf(AppendInFlight)
    await clock.turn()
    expect(await first).toEqual({ _tag: "Appended" })
    const next = commit.append(appendOf(1, [{}], headOf(appendOf(1, [{}]))))
    await clock.turn()
    expect(await next).toEqual({ _tag: "Appended" })
  })

  it("given a store that is away, then the very same documents are sent again with growing pauses until it is back", async () => {
    store.goAway()
    const result = commit.append(appendOf(1, LIFE))
    await clock.turn()
    const other = commit.append(appendOf(2, [{}]))
    for (let attempt = 0; attempt < 8; attempt += 1) await clock.pass(2000)
    expect(commit.isAway).toBe(true)
    expect(states.every((state) => state._tag === "Away")).toBe(true)
    expect(clock.delays.slice(0, 7)).toEqual([50, 100, 200, 400, 800, 1600, 2000])
    for (const batch of store.batches) expect(batch[0]).toBe(store.batches[0]?.[0])
    store.comeBack()
    await clock.pass(2000)
    await clock.turn()
    expect([await result, await other]).toEqual([{ _tag: "Appended" }, { _tag: "Appended" }])
    expect(states.at(-1)).toEqual({ _tag: "Back" })
    expect(commit.isAway).toBe(false)
    expect((await store.readRaw(streamFor(1))).length).toBe(LIFE.length)
  })

  it.each([{ _tag: "LoseReply" }, { _tag: "Half", documents: 3 }, { _tag: "Refuse" }] as const)(
    "given the fault $_tag, then every append is there once in the end, and its chain is whole",
    async (fault) => {
      store.next(fault, fault)
      const results = Promise.all([1, 2].map((seed) => commit.append(appendOf(seed, LIFE.slice(0, 2)))))
      await clock.turn()
      await clock.pass(50)
      await clock.pass(100)
      expect(await results).toEqual([{ _tag: "Appended" }, { _tag: "Appended" }])
      expect(await verifyAll(store)).toMatchObject({ streams: 2, events: 4, findings: [] })
    },
  )

  it("given a conflict beside others, then only its caller is told", async () => {
    await store.append([appendOf(2, [{ replica: "theirs" }])])
    const results = Promise.all([1, 2, 3].map((seed) => commit.append(appendOf(seed, [{}]))))
    await clock.turn()
    expect((await results).map(({ _tag }) => _tag)).toEqual(["Appended", "Conflict", "Appended"])
    expect(states).toEqual([])
  })

  it("given an append that waits too long, when it is awaited within a time, then the waiting ends and the append goes on", async () => {
    const slow = gate()
    store.next({ _tag: "Slow", until: slow.until })
    const waited = commit.appendWithin(appendOf(1, [{}]), 250)
    await clock.turn()
    await clock.pass(250)
    const answer = await waited
    expect(answer._tag).toBe("StillWaiting")
    expect(commit.pending).toBe(1)
    slow.open()
    expect(answer._tag === "StillWaiting" ? await answer.result : undefined).toEqual({ _tag: "Appended" })
    const quick = commit.appendWithin(appendOf(2, [{}]), 250)
    await clock.turn()
    expect(await quick).toEqual({ _tag: "Appended" })
    expect(clock.timers).toBe(0)
  })

  it("given a full queue, then an append is refused at once, and busy was said before", async () => {
    start({ maxWaitingDocuments: 10 })
    store.goAway()
    const kept = [1, 2].map((seed) => commit.append(appendOf(seed, LIFE.slice(0, 4))))
    expect(commit.isBusy).toBe(true)
    expect(commit.pendingDocuments).toBe(8)
    expect(await commit.append(appendOf(3, LIFE.slice(0, 3)))).toMatchObject({ _tag: "Unavailable" })
    store.comeBack()
    await clock.turn()
    expect((await Promise.all(kept)).map(({ _tag }) => _tag)).toEqual(["Appended", "Appended"])
    expect(commit.isBusy).toBe(false)
    expect((await store.readRaw(streamFor(3))).length).toBe(0)
  })

  it("given one append that the store never takes, then the others go on, and it is reported as stuck", async () => {
    const bad = streamFor("bad")
    const picky = {
      append: async (batch: readonly Append[]): Promise<readonly AppendResult[]> => {
        await store.append(batch.filter(({ stream }) => stream !== bad))
        return batch.map(({ stream }) => (stream === bad ? { _tag: "Unavailable", reason: "never" } : { _tag: "Appended" }))
      },
    }
    const one = new GroupCommit(picky, { scheduler: clock })
    const seen: StoreState[] = []
    one.onState((state) => seen.push(state))
    const stuck = one.append(appendOf("bad", [{}]))
    for (let index = 0; index < 25; index += 1) {
      const other = one.append(appendOf(index, [{}]))
      for (let turn = 0; turn < 2; turn += 1) await clock.turn()
      // Without a timer: nobody waits for the one that is stuck.
      expect(await other).toEqual({ _tag: "Appended" })
    }
    expect(seen.filter(({ _tag }) => _tag === "Stuck")).toEqual([{ _tag: "Stuck", stream: bad, reason: "never" }])
    expect(seen.some(({ _tag }) => _tag === "Away")).toBe(false)
    await one.close()
    expect(await stuck).toMatchObject({ _tag: "Unavailable" })
  })

  it("given a close, then what is pending is waited for, what stays unknown is unavailable, and nothing more is taken", async () => {
    store.goAway()
    const result = commit.append(appendOf(1, [{}]))
    await clock.turn()
    const closed = commit.close(1000)
    await clock.pass(1000)
    await closed
    expect(await result).toMatchObject({ _tag: "Unavailable" })
    expect(await commit.append(appendOf(2, [{}]))).toMatchObject({ _tag: "Unavailable" })
    expect(clock.timers).toBe(0)
  })
})
