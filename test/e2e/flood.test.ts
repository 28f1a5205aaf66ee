/** The flood of `npm run campaign -- flood`, a small one: the engine as `npm start` starts it, a nats-server that syncs every write. */
import { describe, expect, it } from "vitest"
import { floodCampaign, LIMIT_BYTES } from "../flood/campaign.ts"
import { TIME_FACTOR } from "../support/until.ts"

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
const ORDERS = 400

describe("given an engine as npm start starts it", () => {
  it(
    `when ${ORDERS} publications come at once, copies and malformed ones among them (SEED=${SEED}), then each signal has one decision and memory stays low`,
    async () => {
      const result = await floodCampaign({ orders: ORDERS, bots: 100, seed: SEED, say: (text) => console.info(text) })
      expect(result.problems, `SEED=${SEED}`).toEqual([])
      expect(result.verdict).toMatchObject({ published: ORDERS, signals: 392, copies: 4, malformed: 4, orders: 392 })
      expect(result.verdict.filled).toBeGreaterThan(50)
      expect(Object.values(result.verdict.rejected).reduce((a, b) => a + b, 0)).toBe(4)
      expect(result.duplicatesCounted).toBeGreaterThanOrEqual(4)
      expect(result.memory.highestBytes).toBeGreaterThan(0)
      expect(result.memory.highestBytes).toBeLessThan(LIMIT_BYTES)
      // Every order, every rejected message and the anchors themselves.
      expect(result.chains.streams).toBeGreaterThan(396)
    },
    90_000 * TIME_FACTOR,
  )
})
