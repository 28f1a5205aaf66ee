/** Orders that rest have a snapshot: after a restart they are what their events say, with or without it. */
import type { OrderId } from "@petrosa/contracts"
import { orderStream } from "@petrosa/contracts"
import { hashOf } from "@petrosa/event-store"
import { rebuild } from "@petrosa/lifecycle"
import { describe, expect, it } from "vitest"
import { savedIn } from "../../src/rebuilt.ts"
import { World } from "./world.ts"

const FORM = "1"
const QUIET_MS = 2500
const DIGEST_LENGTH = 64

const snapshotOf = async (world: World, order: OrderId, form = FORM) =>
  (await world.store.snapshots?.read(form, [orderStream(order)]))?.get(orderStream(order))

/** What the events of an order come to, without any snapshot. */
const folded = async (world: World, order: OrderId, version = Number.POSITIVE_INFINITY) => {
  const events = (await world.events(order)).filter((event) => event.version <= version)
  const made = rebuild(order, events)
  if (made._tag === "Unreadable") throw new Error(made.detail)
  return made.actor.standing
}

/** Streams whose events are asked for from the first one. */
const countHistories = (world: World): { readonly asked: readonly string[] } => {
  const asked: string[] = []
  const readHistories = world.store.readHistories.bind(world.store)
  world.store.readHistories = (streams) => {
    asked.push(...streams)
    return readHistories(streams)
  }
  return { asked }
}

describe("snapshots of orders that rest", () => {
  it("given an order that nothing happens to, then after a while it has a snapshot that is what its events come to", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    expect(await snapshotOf(world, order)).toBeUndefined()
    await world.pass(QUIET_MS)
    const found = await snapshotOf(world, order)
    if (found === undefined) throw new Error("no snapshot")
    expect(found.later).toEqual([])
    const { regions, context } = savedIn(found.snapshot)
    expect({ regions, context }).toEqual(await folded(world, order, found.snapshot.version))
  })

  it("given a lot under its stop with a snapshot, when the process is killed, then the next one takes it up without its first events, and it is the same", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    await world.pass(QUIET_MS)
    const { contentHash, arrival, trace } = world.live(order)
    world.kill()
    const histories = countHistories(world)
    await world.start()
    const live = world.live(order)
    expect(histories.asked).toEqual([])
    expect({ contentHash: live.contentHash, arrival: live.arrival, trace: live.trace }).toEqual({ contentHash, arrival, trace })
    await world.pass(100)
    expect(live.actor.standing).toEqual(await folded(world, order))
    expect((await world.events(order)).filter(({ type }) => type === "OrderAdopted").map(({ data }) => data)).toMatchObject([
      { cause: "restart", delivery: 0 },
    ])
    // And its life goes on: the target trades, the stop goes, it is done.
    world.venue.fill(world.venue.idOf("T01"), "0.01", { price: "51000" })
    await world.until("it is done", async () => (await world.row(order))?.done)
    expect(await world.store.snapshots?.read(FORM, [orderStream(order)])).toEqual(new Map())
  })

  it("given a snapshot and events after it, when the process is killed, then those are folded into it", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    await world.pass(QUIET_MS)
    world.venue.fill(world.venue.idOf("E01"), "0.004", { price: "49000" })
    await world.until("it is covered", () => world.legs(order).includes("S01 live 0.004"))
    await world.pass(100)
    world.kill()
    expect((await snapshotOf(world, order))?.later.length).toBeGreaterThan(0)
    const histories = countHistories(world)
    await world.start()
    await world.pass(100)
    expect(histories.asked).toEqual([])
    expect(world.live(order).actor.standing).toEqual(await folded(world, order))
    world.venue.fill(world.venue.idOf("E01"), "0.006", { price: "49000" })
    await world.until("the rest is covered", () => world.legs(order).includes("S02 live 0.006"), 5000)
  })

  it("given an order with a snapshot, when its own message comes to the next process, then it is no duplicate; another signal of its id is a conflict", async () => {
    const world = await World.start()
    const body = world.signal({ order_type: "limit", price: 49_000 })
    const message = world.send(body)
    await world.until("it rests", () => world.held[0]?.context.entry?.status === "live")
    await world.pass(QUIET_MS)
    world.kill()
    await world.start()
    const again = world.intake.again(message)
    world.intake.deliver(again)
    await world.pass(100)
    const metrics = await world.engine.metrics.registry.metrics()
    expect(metrics).not.toMatch(/outcome="duplicate"\} [1-9]/)
    world.send({ ...body, quantity: 0.02 })
    await world.until("the conflict is told", async () => /outcome="conflict"\} 1/.test(await world.engine.metrics.registry.metrics()))
  })

  it.each<[string, (saved: string) => { readonly form: string; readonly text: string; readonly isSealed?: boolean }]>([
    ["of another program", (snapshot: string) => ({ form: "2", text: snapshot })],
    ["that is no JSON", () => ({ form: FORM, text: "{" })],
    [
      "of which one digit is another",
      (snapshot: string) => ({ form: FORM, text: snapshot.replace(/"price":"49000"/, '"price":"48000"'), isSealed: false }),
    ],
    ["of another order", (snapshot: string) => ({ form: FORM, text: snapshot.replace(/"order":"[^"]+"/, '"order":"another"') })],
    ["of another version", (snapshot: string) => ({ form: FORM, text: snapshot.replace(/"version":\d+/, '"version":99') })],
    ["in a state that is none", (snapshot: string) => ({ form: FORM, text: snapshot.replace('"order":"placed"', '"order":"nowhere"') })],
  ])("given a snapshot %s, when the process is killed, then the order is taken up from its events", async (_what, spoil) => {
    const world = await World.start()
    const { order } = await world.resting()
    await world.pass(QUIET_MS)
    const found = await snapshotOf(world, order)
    if (found === undefined) throw new Error("no snapshot")
    world.kill()
    const { form, text: spoilt, isSealed = true } = spoil(found.snapshot.text.slice(DIGEST_LENGTH))
    const digest = isSealed ? hashOf(found.snapshot.hash + spoilt) : found.snapshot.text.slice(0, DIGEST_LENGTH)
    const text = digest + spoilt
    expect(text === found.snapshot.text).toBe(form !== FORM)
    await world.store.snapshots?.save(form, [{ ...found.snapshot, text }])
    const histories = countHistories(world)
    await world.start()
    await world.pass(100)
    expect(histories.asked).toEqual([orderStream(order)])
    expect(world.live(order).actor.standing).toEqual(await folded(world, order))
  })

  it("given a program without snapshots, then none are kept, and all is taken up from events", async () => {
    const without = { snapshotForm: undefined as unknown as string }
    const world = await World.start(without)
    const { order } = await world.resting()
    await world.pass(QUIET_MS)
    expect(await snapshotOf(world, order)).toBeUndefined()
    world.kill()
    await world.start(without)
    expect(world.engine.desk.orders.has(order)).toBe(true)
  })

  it("given an order that is parked, then no snapshot of it is made", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    world.tell(order, { type: "OrderParked", data: { code: "STEP_FAILED", detail: "by the test" } })
    await world.pass(QUIET_MS)
    expect(await snapshotOf(world, order)).toBeUndefined()
  })

  it("given a store that is away when an order has come to rest, then its snapshot is made when the store is back", async () => {
    const world = await World.start()
    const { order } = await world.resting()
    world.appends = "away"
    const other = world.send(world.signal({ strategy_id: "second" }))
    await world.until("the store is missed", () => world.engine.journal.isAway)
    await world.pass(QUIET_MS)
    expect(await snapshotOf(world, order)).toBeUndefined()
    await world.storeBack()
    await world.until("it has a snapshot", () => snapshotOf(world, order))
    await world.until("the other signal is decided", () => world.held.length === 2)
    expect(world.intake.answerTo(other)).not.toBe("term")
  })

  it("given a snapshot that cannot be kept, then the order goes on, and the next one is made when it has moved", async () => {
    const world = await World.start()
    const snapshots = world.store.snapshots
    if (snapshots === undefined) throw new Error("none")
    const save = snapshots.save.bind(snapshots)
    snapshots.save = () => Promise.reject(new Error("the disk is full"))
    const { order } = await world.resting()
    await world.pass(QUIET_MS)
    snapshots.save = save
    expect(await snapshotOf(world, order)).toBeUndefined()
    world.venue.fill(world.venue.idOf("E01"), "0.01", { price: "49000" })
    await world.until("it is covered", () => world.legs(order).includes("S01 live 0.01"))
    await world.until("it has a snapshot", () => snapshotOf(world, order))
  })
})
