/** The spine, from outside: a plain publisher, a plain curl line, and what can be read afterwards. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { checkWorld } from "../support/oracle.ts"
import { CURL_BODY, specificationSignal } from "../support/signals.ts"
import { World } from "../support/world.ts"

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start()
})
afterAll(() => world.close())

describe("given an engine on SQLite and a paper venue", () => {
  it("when the specification's signal comes from a plain NATS client, then it is filled and protected, with a trail", async () => {
    world.publish(specificationSignal())
    const row = await world.settled("volume_surge_breakout")
    const trail = await world.trail(row.order)
    expect(trail.map((event) => event.type)).toEqual([
      "SignalReceived",
      "SignalValidated",
      "OrderSized",
      "EntryIntended",
      "EntryAccepted",
      "EntryFilled",
      "StopAccepted",
      "TargetAccepted",
      "OrderCompleted",
    ])
    expect(trail.map((event) => event.state)).toEqual([
      "received",
      "validated",
      "sized",
      "placed",
      "placed",
      "placed",
      "placed",
      "bracketed",
      "filled",
    ])
  })

  it("when the specification's curl line is sent, then the answer is a filled order", async () => {
    const reply = await world.trade(CURL_BODY)
    expect(reply.status, reply.text).toBe(200)
    expect(reply.json).toMatchObject({ signal_id: "test", result: { status: "filled", fill_price: 50000, quantity: 0.001 } })
  })

  it("and then nothing is wrong in the whole world", async () => {
    const findings = await checkWorld(world)
    expect(findings.problems).toEqual([])
  })
})
