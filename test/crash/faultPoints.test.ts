/**
 * Every named fault point × a crash of the engine's own program: in one world one process after the other, each of which
 * dies at its own point, with an order of its own begun and earlier ones being closed. (Every point × every single fault
 * of the venue: matrix.test.ts. Here faults are on all the time, in worlds of their own, with PETROSA_LONG=1.)
 */
import { FAULT_POINTS, type FaultPoint } from "@petrosa/engine"
import { type Faults, NO_FAULTS } from "@petrosa/venue"
import { afterAll, describe, expect, it } from "vitest"
import type { EngineProcess } from "../support/engineProcess.ts"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"

const EVERY_RUN: Readonly<Record<string, Partial<Faults>>> = { "no fault": {} }
/** A quarter of an hour: with PETROSA_LONG=1. Each is on until the end. */
const LONG: Readonly<Record<string, Partial<Faults>>> = {
  "lost replies": { loseReply: { requests: ["entry", "stop", "target", "flatten", "cancel"] } },
  "slow answers": { slowMs: 40 },
  "fills in parts": { partialFills: { parts: 3, everyMs: 60 } },
  "lost answers to questions": { loseReply: { probability: 0.5, requests: ["query"] } },
  "lost requests": { dropRequest: { probability: 0.4, requests: ["entry", "stop", "target", "flatten", "cancel"] } },
  "refused stops": { refuse: { class: "retry", code: "-1001", leg: "stop", count: 8 } },
  "not found for a while": { notFoundForMs: 500 },
  "news twice": { duplicateEvents: true },
  "late news": { lateEventsMs: 400 },
  "no news": { missEvents: 1 },
}

const VENUE_FAULTS = process.env["PETROSA_LONG"] === "1" ? { ...EVERY_RUN, ...LONG } : EVERY_RUN

/** Points that only a closing lot comes to: there has to be one. */
const NEEDS_CLOSE = /flatten|cancel/
const ORDER: readonly FaultPoint[] = [...FAULT_POINTS].sort((a, b) => Number(NEEDS_CLOSE.test(a)) - Number(NEEDS_CLOSE.test(b)))

const worlds: World[] = []
const reached = new Set<FaultPoint>()
afterAll(async () => {
  await Promise.all(worlds.map((world) => world.close()))
})

const run = async (faults: Partial<Faults>): Promise<{ readonly world: World; readonly published: number }> => {
  const world = await World.create()
  worlds.push(world)
  const strategies: string[] = []
  let published = 0
  let close = 0
  const publish = (body: ReturnType<typeof signal>): void => {
    world.publish(body)
    published += 1
  }
  const publishLot = (): void => {
    const body = signal({ symbol: "ADAUSDT", price: 0.5, current_price: 0.5, quantity: 1000 })
    strategies.push(body.strategy_id)
    publish(body)
  }
  // The first engine makes the stream: before that a plain publisher's signal would go nowhere. It also opens some lots: a
  // process that dies again and again within moments of taking up the same one, two or three orders is told that they are
  // poison; here it is not they.
  const first = await world.start()
  for (let n = 0; n < 4; n++) publishLot()
  await quiet(world, published)
  await first.stop()
  await world.setFaults({ ...NO_FAULTS, ...faults })
  const crashAt = async (point: FaultPoint): Promise<void> => {
    const engine: EngineProcess = world.launch({ PETROSA_FAULT_POINT: `${point}:crash` })
    publishLot()
    const closing = NEEDS_CLOSE.test(point) ? strategies[close++] : undefined
    if (closing !== undefined) publish(signal({ symbol: "ADAUSDT", action: "close", strategy_id: closing, price: 0.5, current_price: 0.5 }))
    await world.nc.flush()
    // Some points are not on every way: then all that there was to do is done some day, and the process has come to none.
    const idle = async (): Promise<boolean> => (await world.messages("SIGNALS")) === 0 && (await world.rows()).every((row) => row.settled)
    await until(async () => !engine.running || (engine.said("ready") !== undefined && (await idle())), {
      timeoutMs: 30_000,
      everyMs: 50,
      what: point,
    })
    if (engine.running) await engine.kill()
    else if ((await engine.ended).signal === "SIGKILL") reached.add(point)
    else throw new Error(`at ${point} the engine ended by itself:\n${engine.tail()}`)
  }
  for (const point of ORDER) await crashAt(point)
  await world.start()
  await world.setFaults(NO_FAULTS)
  await quiet(world, published, 20_000)
  for (const strategy of strategies)
    publish(signal({ symbol: "ADAUSDT", action: "close", strategy_id: strategy, price: 0.5, current_price: 0.5 }))
  await quiet(world, published, 20_000)
  return { world, published }
}

describe("given an engine that crashes at every fault point in turn", () => {
  it.concurrent.each(Object.entries(VENUE_FAULTS))(
    "when the venue has this fault: %s, then nothing is doubled, lost, or left open or unprotected",
    async (_name, faults) => {
      const { world, published } = await run(faults)
      const findings = await checkWorld(world)
      expect(findings.problems).toEqual([])
      expect(findings.orders).toBe(published)
      expect(findings.openLots).toBe(0)
    },
    200_000 * TIME_FACTOR,
  )

  it("and then every fault point was come to", () => {
    expect(FAULT_POINTS.filter((point) => !reached.has(point))).toEqual([])
  })
})
