import { array, assert, nat, property } from "fast-check"
import { describe, expect, it } from "vitest"
import { choicesOf, run } from "./violations.ts"

const RUNS = 60
const TIMEOUT_MS = 120_000
const choices = array(nat(1000), { minLength: 250, maxLength: 250 })

/** Seeds that found something once. They stay for ever. */
const FOUND = [
  // An exit is told before the entry's fills that it closes: what is held looks negative for a moment.
  394, 568,
]

describe("an order at a venue that does anything", () => {
  it(
    "given any venue, when anything happens, then at most one entry is sent, no id is used twice, and nothing is held that the clock does not watch",
    () => {
      assert(
        property(choices, (list) => {
          expect(run(list).during).toEqual([])
        }),
        { numRuns: RUNS },
      )
    },
    TIMEOUT_MS,
  )

  it(
    "given any history, when the faults stop, then the order settles, our fills are the venue's, and it is flat without a leg or covered whole",
    () => {
      assert(
        property(choices, (list) => {
          expect(run(list).after).toEqual([])
        }),
        { numRuns: RUNS },
      )
    },
    TIMEOUT_MS,
  )

  it(
    "given any history, when it is folded again from its events as JSON, then state, context and commands are the same at each step",
    () => {
      assert(
        property(choices, (list) => {
          expect(run(list).replay).toEqual([])
        }),
        { numRuns: RUNS },
      )
    },
    TIMEOUT_MS,
  )

  it.each(FOUND)("given the seed %i, which found something once, when it runs, then everything holds", (seed) => {
    const { during, after, replay } = run(choicesOf(seed))
    expect([...during, ...after, ...replay]).toEqual([])
  })
})
