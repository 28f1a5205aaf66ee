import { array, assert, integer, option, property, tuple } from "fast-check"
import { describe, expect, it } from "vitest"
import { DeadlineScheduler } from "../src/scheduler.ts"
import { ManualClock } from "./manualClock.ts"

describe("the deadline scheduler", () => {
  it("given deadlines set, moved and removed in any order, when time passes, then each key is woken once, at its last deadline, in order of time", async () => {
    // One run is asynchronous: the property is checked over fixed lists that fast-check makes.
    const lists: (readonly (readonly [number, number | null])[])[] = []
    assert(
      property(array(tuple(integer({ min: 0, max: 20 }), option(integer({ min: 0, max: 5000 }))), { maxLength: 200 }), (list) => {
        lists.push(list)
      }),
      { numRuns: 60 },
    )
    for (const list of lists) {
      const clock = new ManualClock()
      const startMs = clock.nowMs()
      const woken: { readonly key: number; readonly atMs: number }[] = []
      const scheduler = new DeadlineScheduler<number>(clock, (key) => woken.push({ key, atMs: clock.nowMs() - startMs }))
      const expected = new Map<number, number>()
      for (const [key, atMs] of list) {
        scheduler.set(key, atMs === null ? undefined : startMs + atMs)
        if (atMs === null) expected.delete(key)
        else expected.set(key, atMs)
      }
      await clock.pass(10_000)
      scheduler.stop()
      expect(new Map(woken.map(({ key, atMs }) => [key, atMs]))).toEqual(expected)
      expect(woken).toHaveLength(expected.size)
      expect(woken.map(({ atMs }) => atMs)).toEqual(woken.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
    }
  })

  it("given a stopped scheduler, when a deadline passes, then nobody is woken", async () => {
    const clock = new ManualClock()
    const woken: string[] = []
    const scheduler = new DeadlineScheduler<string>(clock, (key) => woken.push(key))
    scheduler.set("a", clock.nowMs() + 10)
    scheduler.stop()
    await clock.pass(1000)
    expect(woken).toEqual([])
  })
})
