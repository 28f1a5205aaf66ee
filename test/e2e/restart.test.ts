/** Stopping and starting: what was begun goes on, and nothing is given up because of a restart. */
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { requireMongo } from "../../tools/servers/testing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

const mongo = await requireMongo()
let world: World
afterEach(() => world.close())

/** When each order was taken up by the process that is ready since then, ms. */
const adoptedAfter = async (readyAtMs: number): Promise<readonly number[]> => {
  const adopted: number[] = []
  await world.withStore(async (store) => {
    for await (const batch of store.rawStreams("order/"))
      for (const { text } of batch.flatMap(({ events }) => events)) {
        const event = JSON.parse(text) as { readonly type: string; readonly at: string }
        if (event.type === "OrderAdopted") adopted.push(Date.parse(event.at) - readyAtMs)
      }
  })
  adopted.sort((a, b) => a - b)
  console.info(`${adopted.length} taken up, ${adopted[0]} to ${adopted.at(-1)} ms later`)
  return adopted
}

describe("given an engine on SQLite", () => {
  it(
    "when it gets SIGTERM with 500 orders in flight, then they go on within a second of the restart, each is filled, and not one was given up",
    async () => {
      world = await World.create({ env: { PAPER_LATENCY_MS: "200" } })
      const engine = await world.start()
      const N = 500
      for (let n = 0; n < N; n++) world.publish(signal())
      await world.nc.flush()
      await until(async () => (await world.rows()).length > N / 2, { what: "half of the orders", timeoutMs: 20_000, everyMs: 5 })
      const ended = await engine.stop()
      expect(ended, engine.tail()).toEqual({ code: 0, signal: null })
      const before = await world.rows()
      await world.start()
      const readyAtMs = Date.now()
      await quiet(world, N, 60_000)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.byReason).toEqual({})
      expect(findings.openLots).toBe(N)
      const adopted = await adoptedAfter(readyAtMs)
      expect(adopted.length).toBe(before.length)
      expect(adopted.at(-1)).toBeLessThan(1000 * TIME_FACTOR)
    },
    90_000 * TIME_FACTOR,
  )

  it(
    "when it is restarted seven times within a minute, gracefully and not, then an order that rests is not parked",
    async () => {
      world = await World.create()
      let engine = await world.start()
      const resting = signal({ order_type: "limit", price: 49_000, conditional_timeout: 600 })
      world.publish(resting)
      await world.when(resting.signal_id, (row) => row.type === "EntryAccepted")
      // More than three orders: a process that dies within moments of taking up the same few orders suspects those.
      for (let n = 0; n < 4; n++) world.publish(signal())
      const lot = signal()
      world.publish(lot)
      await world.when(lot.signal_id, (row) => row.state === "filled")
      for (let n = 0; n < 7; n++) {
        const adopted = async (id: string): Promise<number> => (await world.types(id)).filter((type) => type === "OrderAdopted").length
        if (n % 2 === 0) await engine.kill()
        else expect((await engine.stop()).code).toBe(0)
        engine = await world.start()
        await until(async () => (await adopted(resting.signal_id)) > n && (await adopted(lot.signal_id)) > n, {
          timeoutMs: 8000,
          what: `adoption ${n + 1} of both`,
          seen: async () => [await world.types(resting.signal_id), await world.types(lot.signal_id), engine.complaints],
        })
      }
      expect((await world.row(resting.signal_id))?.parked).toBe(false)
      expect((await world.row(lot.signal_id))?.parked).toBe(false)
      const reply = await world.http("DELETE", `/order/BTCUSDT/${resting.signal_id}`)
      expect(reply.status, reply.text).toBe(200)
      await quiet(world, 6)
      expect((await checkWorld(world)).problems).toEqual([])
    },
    90_000 * TIME_FACTOR,
  )

  it(
    "when it was killed with 500 in flight, then they are taken up again within a second of its being ready (it is alone)",
    async () => {
      world = await World.create({ env: { PAPER_LATENCY_MS: "300" } })
      const engine = await world.start()
      for (let n = 0; n < 500; n++) world.publish(signal())
      await world.nc.flush()
      await until(async () => (await world.rows()).length >= 500, { what: "all decided", timeoutMs: 20_000, everyMs: 5 })
      await engine.kill()
      await sleep(100)
      const again = await world.start()
      const readyAtMs = Date.now()
      await quiet(world, 500, 60_000)
      const adopted = await adoptedAfter(readyAtMs)
      expect(adopted.length).toBe(500)
      expect(adopted.at(-1)).toBeLessThan(1000 * TIME_FACTOR)
      expect((await checkWorld(world)).problems).toEqual([])
      expect(again.complaints).toEqual([])
    },
    60_000 * TIME_FACTOR,
  )

  it(
    "when it died right after its entries left, and the venue does not find them for 5 s, then they are asked for until they are found, and none is given up",
    async () => {
      world = await World.create()
      await (await world.start()).stop()
      // Shorter than the proof of absence: send deadline (5 s) and what the venue needs (2 s).
      await world.setFaults({ notFoundForMs: 5000 })
      const dying = world.launch({ PETROSA_FAULT_POINT: "venue.entry.after:crash" })
      for (let n = 0; n < 20; n++) world.publish(signal())
      expect((await dying.ended).signal).toBe("SIGKILL")
      await world.start()
      await quiet(world, 20)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      // Of what had not left by then nothing is at the venue, and the oracle has seen to that.
      expect(findings.openLots).toBe(findings.entriesAtVenue)
      expect(findings.entriesAtVenue).toBeGreaterThan(0)
    },
    60_000 * TIME_FACTOR,
  )
})

describe.skipIf(mongo === undefined)("given an engine on MongoDB", () => {
  const N = 100
  const ACK_WAIT_MS = 2000

  it(
    `when it was killed with ${N} in flight, then they are taken up by the next one as their messages come again: within ack_wait, and what the store takes`,
    async () => {
      world = await World.create({
        store: "mongodb",
        mongoUrl: mongo?.url ?? "",
        env: { PAPER_LATENCY_MS: "1000", ACK_WAIT_MS: String(ACK_WAIT_MS) },
      })
      const engine = await world.start()
      for (let n = 0; n < N; n++) world.publish(signal())
      await world.nc.flush()
      await until(async () => (await world.rows()).length >= N, { what: "all decided", timeoutMs: 20_000, everyMs: 100 })
      await engine.kill()
      const killedAtMs = Date.now()
      const again = await world.start()
      const startedAfterMs = Date.now() - killedAtMs
      await quiet(world, N, 60_000)
      const adopted = await adoptedAfter(killedAtMs)
      console.info(`of ${N} on MongoDB, after the kill; the next process was ready ${startedAfterMs} ms after it`)
      expect(adopted.length).toBeGreaterThan(0)
      expect(adopted.at(-1)).toBeLessThan(Math.max(ACK_WAIT_MS, startedAfterMs) + 3000 * TIME_FACTOR)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.orders).toBe(N)
      expect(again.running).toBe(true)
    },
    90_000 * TIME_FACTOR,
  )
})
