/** Somebody else wrote the stream, or this process meets its own former self: no message is lost, none is held for ever. */
import { describe, expect, it } from "vitest"
import type { OrderEvent } from "@petrosa/contracts"
import { refused } from "@petrosa/contracts"
import { World } from "./world.ts"

const adopted: OrderEvent = { type: "OrderAdopted", data: { replica: "another", delivery: 1, cause: "resume", downMs: 0 } }

describe("conflicts", () => {
  it("given an order that is done, when two copies of its signal come at once after a restart, then both are answered, and the order stays done", async () => {
    const world = await World.start()
    world.venue.onPlace = () => refused("fatal", "-1111", "precision")
    const signal = world.signal()
    world.send(signal)
    expect(await world.until("it is over", () => world.ended(signal))).toBe("failed ENTRY_REFUSED")
    await world.until("it is let go", () => world.held.length === 0)
    world.kill()
    await world.start()
    const copies = [world.intake.message("signal", signal), world.intake.message("signal", signal)]
    world.intake.deliver(...copies)
    await world.until("both are answered", () => copies.every((copy) => world.intake.answerTo(copy) !== undefined))
    // Whichever was given back comes again, and is acknowledged then.
    for (const copy of copies) {
      if (world.intake.answerTo(copy) !== "nak") continue
      const again = world.intake.again(copy)
      world.intake.deliver(again)
      await world.until("it is acknowledged", () => world.intake.answerTo(again) === "ack")
    }
    expect(copies.map((copy) => world.intake.answerTo(copy))).toEqual(["ack", "ack"])
    expect(world.held).toEqual([])
    expect(world.venue.sent("place entry")).toHaveLength(1)
  })

  it("given a request for an order, when the order turns out to be somebody else's before it is durable, then the request is let go with it, and comes again", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.appends = "silent"
    const cancel = world.intake.message("resume", { request: "cancel", by: "operator" }, order)
    world.intake.deliver(cancel)
    await world.pass(50)
    world.engine.desk.onConflict(world.live(order))
    world.appends = "there"
    await world.pass(200)
    expect([world.intake.answerTo(message), world.intake.answerTo(cancel)]).toEqual(["release", "release"])
    expect(world.engine.desk.orders.has(order)).toBe(false)
    // Nobody else has it after all: with its messages it goes on here, and the request is heard.
    world.intake.deliver(world.intake.again(message), world.intake.again(cancel))
    await world.until("the entry is cancelled", () => world.venue.order("E01").status === "cancelled")
    await world.until("both are acknowledged", () => [message, cancel].every((one) => world.intake.answerTo(one) === "ack"))
  })

  it("given another process that wrote the order's next version, when ours is refused, then the order is dropped without an answer, and nothing leaves", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    const ours = world.live(order)
    const theirs = world.engine.desk.hold(order, null, await rebuilt(world, order))
    theirs.take([adopted], "recovery")
    await world.pass(50)
    const before = world.venue.log.length
    ours.take([{ type: "EntryCancelRequested", data: { reason: reasonOf("CANCELLED_BY_USER"), by: "us" } }], "request")
    await world.pass(50)
    expect(ours.dropped).toBe(true)
    expect(world.intake.answerTo(message)).toBe("release")
    expect(world.venue.log.slice(before)).not.toContain("cancel E01")
  })

  it("given an append that is still on its way, when the order is rebuilt in the same process, then its appends go on as soon as that one ends", async () => {
    const world = await World.start()
    const { message, order } = await world.resting()
    world.appends = "silent"
    world.tell(order, adopted)
    await world.pass(30)
    world.engine.desk.onStepFailed(world.live(order), new Error("a step threw"), "test")
    await world.pass(100)
    world.appends = "there"
    await world.pass(1000)
    const live = world.engine.desk.orders.get(order)
    if (live === undefined) {
      // The former append won: then the message is free, and whoever gets it goes on.
      expect(world.intake.answerTo(message)).toMatch(/release|nak/)
      world.intake.deliver(world.intake.again(message))
      await world.until("it is adopted", () => world.engine.desk.orders.has(order))
    }
    await world.until("all that it knows is durable", () => world.live(order).durableVersion === world.live(order).version)
    world.venue.fill(world.venue.idOf("E01"), "0.01", { price: "49000" })
    await world.until("its fill is covered", () => world.live(order).context.settled === "filled")
  })
})

const reasonOf = (code: "CANCELLED_BY_USER") => ({ code, class: "declined", message: "" }) as const

const rebuilt = async (world: World, order: Parameters<World["events"]>[0]) => {
  const { rebuild } = await import("@petrosa/lifecycle")
  const events = await world.events(order)
  const made = rebuild(order, events)
  const last = events.at(-1)
  if (made._tag === "Unreadable" || last === undefined) throw new Error("the order cannot be rebuilt")
  return { actor: made.actor, version: last.version, head: last.hash, atMs: Date.parse(last.at) }
}
