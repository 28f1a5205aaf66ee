/** `kill -9` of the real process with orders in flight on a slow venue that loses replies. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { killing } from "../support/killing.ts"
import { TIME_FACTOR } from "../support/until.ts"
import { World } from "../support/world.ts"

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))

describe("given 200 orders on SQLite and a slow venue that loses replies and requests", () => {
  let world: World
  beforeAll(async () => {
    world = await World.create()
  })
  afterAll(() => world.close())

  it(
    `when the engine is killed three times at random moments (SEED=${SEED}), then nothing is lost, doubled, or left without its stop`,
    async () => {
      const { findings, published } = await killing(world, { orders: 200, kills: 3, seed: SEED, onProgress: (text) => console.info(text) })
      expect(findings.problems, `SEED=${SEED}`).toEqual([])
      expect(findings.orders).toBe(published)
      expect(findings.settled).toBe(published)
    },
    90_000 * TIME_FACTOR,
  )
})
