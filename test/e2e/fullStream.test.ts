/** The stream of signals is full: who publishes is told so where that can be, memory stays bounded, and it goes on. */
import { afterEach, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
afterEach(() => world.close())

/** Of the whole broker: what a stream may take is at most what there is. */
const SMALL = 600_000

describe("given a stream that is as good as full of orders that rest", () => {
  it(
    "when a signal comes by HTTP, then it is refused with 503, and taken when there is room again; nothing is lost or doubled",
    async () => {
      world = await World.create()
      await world.start()
      const jsm = await world.nc.jetstreamManager()
      const info = await jsm.streams.info("SIGNALS")
      await jsm.streams.update("SIGNALS", { ...info.config, max_bytes: SMALL })
      const eth = () =>
        signal({
          symbol: "ETHUSDT",
          order_type: "limit",
          price: 2450,
          current_price: 2500,
          quantity: 1,
          conditional_timeout: 600,
          metadata: { note: "x".repeat(10_000) },
        })
      const full = async (): Promise<boolean> => {
        const { state } = await jsm.streams.info("SIGNALS")
        return state.bytes > SMALL - 10_500
      }
      let published = 0
      await until(
        async () => {
          if (await full()) return true
          world.publish(eth())
          published += 1
          await world.nc.flush()
          return false
        },
        { everyMs: 1, timeoutMs: 20_000, what: "the stream to be full" },
      )
      await until(async () => (await world.rows()).filter((row) => row.type === "EntryAccepted").length === published, {
        what: "all to rest",
        timeoutMs: 20_000,
      })
      // A plain publisher is not told: the signal never was in the stream, and never becomes an order.
      world.publish(eth())
      await world.nc.flush()
      const body = eth()
      const refused = await world.trade(body)
      expect([refused.status, refused.text]).toEqual([503, expect.stringContaining("STREAM_FULL")])
      expect((await world.get("/readyz")).status).toBe(200)
      await world.setPrice("2440", "ETHUSDT")
      await quiet(world, published)
      const taken = await world.trade({
        ...body,
        price: 2440,
        current_price: 2440,
        order_type: "market",
        stop_loss: 2400,
        take_profit: 2500,
      })
      expect(taken.status, taken.text).toBe(200)
      await quiet(world, published + 1)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.orders).toBe(published + 1)
    },
    60_000 * TIME_FACTOR,
  )
})
