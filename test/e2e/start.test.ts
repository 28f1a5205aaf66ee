/** Starting: settings that cannot be used, places that are taken, and servers that are away. */
import { afterEach, describe, expect, it } from "vitest"
import type { EngineProcess } from "../support/engineProcess.ts"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { CURL_BODY, signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
afterEach(() => world.close())

const refusal = async (engine: EngineProcess): Promise<string> => {
  const ended = await engine.ended
  expect(ended, engine.tail()).toEqual({ code: 2, signal: null })
  return engine.stderr
}

describe("given settings that cannot be used", () => {
  it.each([
    [{ ACK_WAIT_MS: "soon" }, "ACK_WAIT_MS"],
    [{ STOP_LOSS_DEFUALT: "3" }, "STOP_LOSS_DEFAULT"],
    [{ MAX_POSITION_NOTIONAL: "1e400" }, "MAX_POSITION_NOTIONAL"],
    [{ NATS_SIGNAL_SUBJECT: "signals.>" }, "NATS_SIGNAL_SUBJECT"],
    [{ SIMULATION_ENABLED: "false" }, "BINANCE_API_KEY"],
    [{ SIMULATION_ENABLED: "maybe" }, "SIMULATION_ENABLED"],
  ])("when the engine starts with %o, then it ends with 2 and names the setting", async (env, name) => {
    world = await World.create()
    expect(await refusal(world.launch(env as Record<string, string>))).toContain(name)
  })

  it("when the signals' subject overlaps another stream, then it says so and how to mend it", async () => {
    world = await World.create()
    const jsm = await world.nc.jetstreamManager()
    await jsm.streams.add({ name: "OTHER", subjects: ["signals.>"] })
    expect(await refusal(world.launch())).toMatch(/OTHER/)
  })
})

describe("given an engine at work", () => {
  it("when a second one starts on the same SQLite file, then it is refused, and the first goes on", async () => {
    world = await World.create()
    const first = await world.start()
    expect(await refusal(world.launch())).toMatch(/another engine|in use/i)
    expect(first.running).toBe(true)
    expect((await world.trade(CURL_BODY)).status).toBe(200)
  })

  it("when another store comes to the same stream, then it is refused, with the way to mend it", async () => {
    world = await World.create()
    const first = await world.start()
    const text = await refusal(
      world.launch({ SQLITE_FILE: `${world.dir}/other.sqlite`, PAPER_VENUE_FILE: `${world.dir}/other-paper.sqlite` }),
    )
    expect(text).toMatch(/another store|belongs to/i)
    await first.stop()
    expect(await refusal(world.launch({ SQLITE_FILE: `${world.dir}/third.sqlite` }))).toMatch(/NATS_STREAM|delete|nats stream/i)
  })

  it("when it gets SIGTERM and has nothing to do, then it ends with 0 within two seconds", async () => {
    world = await World.create()
    const engine = await world.start()
    const beganMs = Date.now()
    expect(await engine.stop()).toEqual({ code: 0, signal: null })
    expect(Date.now() - beganMs).toBeLessThan(2000 * TIME_FACTOR)
  })
})

describe("given a broker that goes away", () => {
  it(
    "when it is away, then POST /trade is 503, reads go on, open orders go on; when it is back, so is everything",
    async () => {
      world = await World.create()
      await world.start()
      const resting = signal({ symbol: "ETHUSDT", order_type: "limit", price: 2450, current_price: 2500, quantity: 1 })
      expect((await world.trade(resting)).status).toBe(200)
      await world.nats.kill()
      const reply = await until(
        async () => {
          const answer = await world.trade(signal())
          return answer.status === 503 ? answer : undefined
        },
        { what: "503", timeoutMs: 10_000 },
      )
      expect(reply.headers.get("retry-after")).toBeTruthy()
      expect((await world.get("/readyz")).status).toBe(503)
      expect((await world.get("/healthz")).status).toBe(200)
      expect((await world.get(`/orders/${resting.signal_id}`)).status).toBe(200)
      // Protection does not wait for the broker.
      await world.setPrice("2440", "ETHUSDT")
      await until(async () => (await world.row(resting.signal_id))?.state === "filled", {
        what: "the fill to be protected without a broker",
        timeoutMs: 8000,
      })
      await world.nats.restart()
      await until(async () => (await world.get("/readyz")).status === 200, { what: "to be ready", timeoutMs: 15_000 })
      const after = await until(
        async () => {
          const answer = await world.trade(signal({ strategy_id: "afterwards" }))
          return answer.status === 200 ? answer : undefined
        },
        { what: "a trade", timeoutMs: 10_000 },
      )
      expect(after.json.result.status).toBe("filled")
      await quiet(world, 2)
      expect((await checkWorld(world)).problems).toEqual([])
    },
    60_000 * TIME_FACTOR,
  )

  it(
    "when it is away at the start, then the engine waits for it, and starts when it comes",
    async () => {
      world = await World.create()
      await world.nats.kill()
      const engine = world.launch()
      await until(() => engine.complaints.some((line) => line.msg.includes("NATS")), {
        what: "a word on NATS",
        seen: () => engine.tail(),
        timeoutMs: 10_000,
      })
      await world.nats.restart()
      world.url = await engine.ready()
      expect((await world.trade(CURL_BODY)).status).toBe(200)
    },
    60_000 * TIME_FACTOR,
  )
})
