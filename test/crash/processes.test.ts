/** Several engine processes on one broker and one MongoDB: who owns what, who takes over, and who is too late. */
import { setTimeout as sleep } from "node:timers/promises"
import { NO_FAULTS } from "@petrosa/venue"
import { afterEach, describe, expect, it } from "vitest"
import { requireMongo } from "../../tools/servers/testing.ts"
import type { EngineProcess } from "../support/engineProcess.ts"
import { killing, LOSSY, quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
const ACK_WAIT_MS = 2000
const mongo = await requireMongo()
let world: World
afterEach(() => world.close())

const create = (env: Readonly<Record<string, string>> = {}): Promise<World> =>
  World.create({ store: "mongodb", mongoUrl: mongo?.url ?? "", env: { ACK_WAIT_MS: String(ACK_WAIT_MS), ...env } })
const HELD = 500
const PORTION = 50
/** So many of them fill afterwards; the others rest on. */
const FILLING = 50
/** What the oracle says of an order that rests. */
const RESTS = /: not settled, in placed after (EntryAccepted|OrderAdopted) /
const eth = (price: number) =>
  signal({ symbol: "ETHUSDT", order_type: "limit", price, current_price: 2500, quantity: 1, conditional_timeout: 3600 })
const ada = (change = {}) => signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000, ...change })
/** Straight from the events: the rows of orders are brought up to date by the engine, which may be stopped. */
const intended = (): Promise<boolean> =>
  world.withStore(async (store) => {
    for await (const batch of store.rawStreams("order/"))
      if (batch.some(({ events }) => events.some((event) => event.text.includes('"EntryIntended"')))) return true
    return false
  })
const replicasOf = async (id: string): Promise<readonly string[]> => [...new Set((await world.trail(id)).map((event) => event.replica))]

describe.skipIf(mongo === undefined)("given MongoDB", () => {
  it(
    `when 100 orders are in flight and the engine is killed twice (SEED=${SEED}), then nothing is lost, doubled, or left without its stop`,
    async () => {
      world = await create({ ACK_WAIT_MS: "1000" })
      const { findings, published } = await killing(world, { orders: 100, kills: 2, seed: SEED, lifeMs: 1500 })
      expect(findings.problems, `SEED=${SEED}`).toEqual([])
      expect(findings.orders).toBe(published)
    },
    120_000 * TIME_FACTOR,
  )

  describe("and two processes on one stream", () => {
    const both = async (env: Readonly<Record<string, string>> = {}): Promise<readonly [EngineProcess, EngineProcess]> => {
      const a = await world.start({ REPLICA_ID: "a", ...env })
      const b = await world.start({ REPLICA_ID: "b" })
      return [a, b]
    }

    it(
      "when 60 signals come, then both work, each order is acted on once",
      async () => {
        world = await create({ PAPER_LATENCY_MS: "20" })
        await both()
        for (let n = 0; n < 60; n++) world.publish(ada())
        await quiet(world, 60)
        const findings = await checkWorld(world)
        expect(findings.problems).toEqual([])
        expect(findings.entriesAtVenue).toBe(60)
        const replicas = new Set((await world.rows()).map((row) => row.replica))
        expect([...replicas].toSorted()).toEqual(["a", "b"])
      },
      60_000 * TIME_FACTOR,
    )

    it(
      "when one is killed, then the other takes its orders over within ack_wait and a second",
      async () => {
        world = await create()
        const a = await world.start({ REPLICA_ID: "a" })
        const bodies = Array.from({ length: 10 }, () =>
          signal({ symbol: "ETHUSDT", order_type: "limit", price: 2450, current_price: 2500, quantity: 1 }),
        )
        for (const body of bodies) world.publish(body)
        for (const body of bodies) await world.when(body.signal_id, (row) => row.type === "EntryAccepted")
        const lot = ada()
        world.publish(lot)
        await world.when(lot.signal_id, (row) => row.state === "filled")
        await world.start({ REPLICA_ID: "b" })
        await a.kill()
        const killedAtMs = Date.now()
        for (const body of [...bodies, lot]) await world.when(body.signal_id, (row) => row.replica === "b")
        const adopted = (await Promise.all([...bodies, lot].map((body) => world.trail(body.signal_id))))
          .flat()
          .filter((event) => event.type === "OrderAdopted" && event.replica === "b")
          .map((event) => Date.parse(event.at) - killedAtMs)
        expect(adopted.length).toBe(11)
        console.info(`taken over ${Math.min(...adopted)} to ${Math.max(...adopted)} ms after the kill (ack_wait ${ACK_WAIT_MS} ms)`)
        // Machines that are busy with other things are late; the bound itself is the issue's.
        expect(Math.max(...adopted)).toBeLessThan(ACK_WAIT_MS + 1000 * TIME_FACTOR)
        await world.setPrice("2440", "ETHUSDT")
        await quiet(world, 11)
        expect((await checkWorld(world)).problems).toEqual([])
      },
      60_000 * TIME_FACTOR,
    )

    // Before its last look at the clock, and after it: then it sends what it has signed.
    it.each([
      { point: "venue.entry.before", sends: 0, name: "before it is signed", then: "it does not send it" },
      { point: "venue.entry.signed", sends: 1, name: "after it is signed", then: "the venue refuses what it sends" },
    ])(
      "when one is stopped between the durable intent and the request ($name), past the deadline, and woken, then $then, and the order ends right",
      async ({ point, sends }) => {
        world = await create({ SEND_DEADLINE_MS: "1500", RECEIVE_WINDOW_MS: "1000" })
        const a = await world.start({ REPLICA_ID: "a", PETROSA_FAULT_POINT: `${point}:pause` })
        const urlOfA = world.url
        const body = ada()
        world.publish(body)
        await until(intended, { what: "the durable intent", everyMs: 100 })
        await world.start({ REPLICA_ID: "b" })
        const row = await world.settled(body.signal_id, 15_000)
        expect(row).toMatchObject({ replica: "b", state: "failed", reason: "NOT_PLACED" })
        const entriesSent = async (): Promise<number> => {
          const metrics = await (await fetch(`${urlOfA}/metrics`)).text()
          return Number(/^petrosa_venue_request_seconds_count\{kind="entry"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
        }
        a.wake()
        await until(() => a.log.some((line) => line.level >= 40), { what: "the sleeper to notice", seen: () => a.tail() })
        await until(async () => (await entriesSent()) === sends, { what: `${sends} entries to have left`, seen: entriesSent })
        const next = ada()
        world.publish(next)
        await world.settled(next.signal_id)
        const findings = await checkWorld(world)
        expect(findings.problems).toEqual([])
        // The other one's, of the next signal. Who woke had at most that one to send.
        expect(findings.entriesAtVenue).toBe(1)
        expect(await entriesSent()).toBe(sends + ((await world.row(next.signal_id))?.replica === "a" ? 1 : 0))
        expect(await replicasOf(body.signal_id)).toEqual(["a", "b"])
      },
      90_000 * TIME_FACTOR,
    )

    it(
      "when one is stopped after its request left, and woken, then it does nothing with an order that has gone to the other",
      async () => {
        world = await create()
        const a = await world.start({ REPLICA_ID: "a", PETROSA_FAULT_POINT: "venue.entry.after:pause" })
        const body = ada()
        world.publish(body)
        await until(intended, { what: "the durable intent", everyMs: 100 })
        await world.start({ REPLICA_ID: "b" })
        const row = await world.settled(body.signal_id, 15_000)
        expect(row).toMatchObject({ replica: "b", state: "filled" })
        a.wake()
        await sleep(500)
        await quiet(world, 1)
        const findings = await checkWorld(world)
        expect(findings.problems).toEqual([])
        expect(findings.entriesAtVenue).toBe(1)
      },
      90_000 * TIME_FACTOR,
    )

    it(
      `when the broker is killed and comes back with ${HELD} held, then no harm is done`,
      async () => {
        world = await create({ PAPER_LATENCY_MS: "50", ACK_WAIT_MS: "5000" })
        await both()
        const jsm = await world.nc.jetstreamManager()
        const held = async (): Promise<number> =>
          (await jsm.consumers.list("SIGNALS").next()).reduce((sum, one) => sum + one.num_ack_pending, 0)
        const placed = (leg: string): number => world.paper.ledger().orders.filter((one) => one.leg === leg).length
        // The venue and the broker are asked, not the store: what speaks MongoDB here scans for every read.
        for (let published = 0; published < HELD; published += PORTION) {
          for (let n = 0; n < PORTION; n++) world.publish(eth(published + n < FILLING ? 2450 : 2400))
          await world.nc.flush()
          await until(() => placed("entry") >= published + PORTION, {
            what: `${published + PORTION} entries`,
            timeoutMs: 20_000,
            everyMs: 50,
          })
        }
        await until(async () => (await held()) === HELD, { what: "all to be held", everyMs: 50, seen: held })
        await world.nats.kill()
        await sleep(1500)
        await world.nats.restart()
        const backAtMs = Date.now()
        await until(async () => (await world.get("/readyz")).status === 200, { timeoutMs: 15_000, what: "to be ready again" })
        await until(async () => (await held()) === HELD, { what: "all to be held again", timeoutMs: 30_000, everyMs: 50, seen: held })
        console.info(`${HELD} held again ${Date.now() - backAtMs} ms after the broker was back`)
        await world.setPrice("2440", "ETHUSDT")
        const filledAtMs = Date.now()
        await until(() => placed("stop") >= FILLING, { what: "stops", timeoutMs: 10_000, everyMs: 50, seen: () => placed("stop") })
        console.info(`${FILLING} under their stops ${Date.now() - filledAtMs} ms after the price moved`)
        await until(async () => (await world.messages("SIGNALS")) === HELD - FILLING && (await world.messages("LOTS")) === FILLING, {
          what: "what filled to be settled",
          timeoutMs: 30_000,
          everyMs: 200,
          seen: async () => [await world.messages("SIGNALS"), await world.messages("LOTS")],
        })
        const findings = await checkWorld(world, { queues: false })
        expect(findings.problems.filter((problem) => !RESTS.test(problem))).toEqual([])
        expect(findings.problems.filter((problem) => RESTS.test(problem))).toHaveLength(HELD - FILLING)
        expect(findings).toMatchObject({ orders: HELD, entriesAtVenue: HELD, openLots: FILLING, byReason: {} })
        expect(placed("stop")).toBe(FILLING)
      },
      120_000 * TIME_FACTOR,
    )

    // Two minutes: with PETROSA_LONG=1.
    it.runIf(process.env["PETROSA_LONG"] === "1")(
      "when both are killed and started in turn under load, then nothing is lost or doubled",
      async () => {
        world = await create({ ACK_WAIT_MS: "1000" })
        await world.start()
        await world.setFaults({ ...NO_FAULTS, ...LOSSY })
        let [a, b] = await both()
        for (let round = 0; round < 3; round++) {
          for (let n = 0; n < 15; n++) world.publish(ada())
          await world.nc.flush()
          await sleep(400)
          await a.kill()
          a = await world.start({ REPLICA_ID: `a${round}` })
          await b.kill()
          b = await world.start({ REPLICA_ID: `b${round}` })
        }
        await world.setFaults(NO_FAULTS)
        await quiet(world, 45, 40_000)
        const findings = await checkWorld(world)
        expect(findings.problems).toEqual([])
        expect(findings.orders).toBe(45)
      },
      120_000 * TIME_FACTOR,
    )
  })
})
