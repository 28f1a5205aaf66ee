/** A graceful stop ends, whatever is open. */
import { expect, it } from "vitest"
import { World } from "./world.ts"

it("given a settled lot that could not be handed on, when the engine stops, then nothing goes round and round", async () => {
  const world = await World.start()
  world.intake.publishLot = async () => ({ _tag: "BrokerAway", code: "BROKER_AWAY", message: "switched off", mayHaveArrived: false })
  const { desk } = world.engine
  world.venue.fillsByItself.add("entry")
  const signal = world.signal()
  world.send(signal)
  await world.until("it is filled", () => world.ended(signal))
  const [live] = world.held
  if (live === undefined) throw new Error("the lot is not held")
  await world.until("it is being handed on", () => live.tasks.has("lot"))
  let rounds = 0
  const finish = desk.finish.bind(desk)
  desk.finish = (order) => {
    rounds += 1
    // Round and round without a pause no test would ever end.
    if (rounds > 50) throw new Error("for ever")
    finish(order)
  }
  desk.stopping = true
  await world.pass(10_000)
  expect(live.tasks.has("lot")).toBe(false)
  expect(rounds).toBeLessThan(20)
})
