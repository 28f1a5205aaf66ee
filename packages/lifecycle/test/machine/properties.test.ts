import { dec, gt, gte, isZero, str, sub } from "@petrosa/contracts"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { heldQuantity, isDone, legQuantity, openQuantity, OrderActor, protectionPhase } from "../../src/index.ts"
import { RandomWorld } from "./randomVenue.ts"
import { ORDER } from "./support.ts"

const RUNS = 60
const TIMEOUT_MS = 120_000

const run = (choices: readonly number[], check: (world: RandomWorld) => void): RandomWorld => {
  const world = new RandomWorld(choices)
  world.begin()
  for (let n = 0; n < 60; n++) {
    world.step(false)
    check(world)
  }
  // The faults stop: everything must converge.
  for (let n = 0; n < 120; n++) {
    world.step(true)
    world.tellAll()
    check(world)
  }
  return world
}

const choices = fc.array(fc.nat(1000), { minLength: 250, maxLength: 250 })

describe("an order at a venue that does anything", () => {
  it("given any venue, when anything happens, then at most one entry is sent, no id is used twice, and nothing is held that the clock does not watch", () => {
    fc.assert(
      fc.property(choices, (list) => {
        run(list, (world) => {
          const c = world.trail.context
          expect(world.entriesSent).toBeLessThanOrEqual(1)
          expect(world.placedTwice).toEqual([])
          if (c.parked !== null) return
          // What we know to hold is under live stops, or the protection clock runs, or a flatten is out.
          const open = openQuantity(c)
          if (gt(open, dec("0")) && !c.lotClosed) {
            const covered = gte(legQuantity(c, "stop", ["live"]), open)
            expect(covered || c.unprotectedSinceMs !== null).toBe(true)
          }
        })
      }),
      { numRuns: RUNS },
    )
  }, TIMEOUT_MS)

  it("given any history, when the faults stop, then the order settles, our fills are the venue's, and it is flat without a leg or covered whole", () => {
    fc.assert(
      fc.property(choices, (list) => {
        const world = run(list, () => {})
        const c = world.trail.context
        expect(c.parked).toBeNull()
        expect(c.settled === null ? world.trail.actor.regions : "settled").toBe("settled")
        expect(str(sub(heldQuantity(c), world.position))).toBe("0")
        const live = [...world.venue.values()].filter(({ request, status }) => request.leg !== "entry" && (status === "new" || status === "partially_filled"))
        if (isZero(world.position)) {
          expect(live).toEqual([])
          expect(isDone(c)).toBe(true)
        } else {
          // An exit leg that has traded in part rests; the rest of the lot is still whole under its stop.
          expect(["covered", "exiting"]).toContain(protectionPhase(c))
          expect(gte(legQuantity(c, "stop", ["live"]), openQuantity(c))).toBe(true)
        }
      }),
      { numRuns: RUNS },
    )
  }, TIMEOUT_MS)

  it("given any history, when it is folded again from its events as JSON, then state, context and commands are the same at each step", () => {
    fc.assert(
      fc.property(choices, (list) => {
        const world = run(list, () => {})
        const again = new OrderActor(ORDER)
        for (const { event, version, atMs, state, commands } of world.trail.steps) {
          const taken = again.take(JSON.parse(JSON.stringify(event)), version, atMs)
          expect(taken?.state).toBe(state)
          expect(taken?.commands).toEqual(commands)
        }
        expect(again.context).toEqual(world.trail.context)
      }),
      { numRuns: RUNS },
    )
  }, TIMEOUT_MS)
})
