import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ALWAYS_BYTES, ASK_EVERY_MS, JournalInterest } from "../src/journalInterest.ts"

describe("who listens to the journal", () => {
  test("given an ordinary pace, then everything is sent, whoever listens", () => {
    const batches = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 100_000 }), afterMs: fc.integer({ min: 100, max: 5000 }) }))
    fc.assert(
      fc.property(batches, (given) => {
        const interest = new JournalInterest()
        let nowMs = 0
        for (const { bytes, afterMs } of given) {
          nowMs += afterMs
          expect(interest.next(bytes, nowMs)).toBe("send")
          interest.nobodyThere()
        }
      }),
    )
  })

  test("given much and nobody there, then one batch in half a second asks, and the others stay at home", () => {
    const interest = new JournalInterest()
    const seen = { send: 0, ask: 0, leave: 0 }
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
      const what = interest.next(ALWAYS_BYTES / 10, nowMs)
      seen[what] += 1
      if (what === "ask") interest.nobodyThere()
    }
    // Ten batches of each second are within what is always sent.
    expect(seen).toEqual({ send: 100, ask: 20, leave: 880 })
  })

  test("given much and somebody who comes, then from the next question on everything is sent, until nobody is there again", () => {
    const interest = new JournalInterest()
    let nobody = true
    const sentAfterMs = (fromMs: number, untilMs: number): readonly ("send" | "ask" | "leave")[] => {
      const seen: ("send" | "ask" | "leave")[] = []
      for (let nowMs = fromMs; nowMs < untilMs; nowMs += 10) {
        const what = interest.next(ALWAYS_BYTES / 10, nowMs)
        seen.push(what)
        if (what === "ask" && nobody) interest.nobodyThere()
      }
      return seen
    }
    expect(sentAfterMs(0, 2000)).toContain("leave")
    nobody = false
    expect(sentAfterMs(2000 + ASK_EVERY_MS, 4000)).not.toContain("leave")
    nobody = true
    expect(sentAfterMs(4000, 6000)).toContain("leave")
  })
})
