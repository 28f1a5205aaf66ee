/** The flatten of a close and the stop beside it: how little time they have to trade both, and what is left when they do. */
import { canonical, parseClientOrderId, sum, dec, str } from "@petrosa/contracts"
import type { OrderId } from "@petrosa/contracts"
import type { PaperVenue } from "@petrosa/venue"
import { openPaperVenue } from "@petrosa/venue"
import { describe, expect, it, onTestFinished } from "vitest"
import type { FaultPoint } from "../../src/faultPoints.ts"
import { PAPER_FACTS, World } from "./world.ts"

const close = { type: "CloseRequested", data: { cause: "operator", by: "operator", targets: "cancelled" } } as const

/** A covered lot whose flatten the venue has, unfilled. */
const closing = async () => {
  const world = await World.start()
  const { order } = await world.covered()
  world.tell(order, close)
  await world.until("the flatten is at the venue", () => world.legs(order).includes("X01 live 0.01"))
  await world.pass(100)
  return { world, order }
}

describe("a close, while the store does not answer", () => {
  it("given the flatten's fill, then the stop's cancel waits for the store no longer than any protective command does", async () => {
    const { world, order } = await closing()
    world.appends = "silent"
    world.venue.fill(world.venue.idOf("X01"), "0.01")
    await world.pass(200)
    expect(world.venue.sent("cancel")).toEqual(["cancel T01"])
    // PROTECTION_STORE_WAIT_MS: it leaves on the strength of the plan.
    await world.pass(150)
    expect(world.venue.sent("cancel")).toEqual(["cancel T01", "cancel S01"])
    world.appends = "there"
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    await world.pass(1000)
    // It did not leave again.
    expect(world.venue.sent("cancel")).toEqual(["cancel T01", "cancel S01"])
  })

  it("given a flatten that has traded in part, then the stop stays", async () => {
    const { world } = await closing()
    world.venue.fill(world.venue.idOf("X01"), "0.004")
    await world.pass(1000)
    expect(world.venue.sent("cancel")).toEqual(["cancel T01"])
  })

  it("given that the process dies after the cancel and before the fill is durable, when another takes it up, then it finds both, and places nothing", async () => {
    const { world, order } = await closing()
    world.appends = "silent"
    world.venue.fill(world.venue.idOf("X01"), "0.01")
    await world.until("the stop is gone at the venue", () => world.venue.orders.get(world.venue.idOf("S01"))?.status === "cancelled")
    world.kill()
    expect((await world.types(order)).filter((type) => type === "ExitFilled")).toEqual([])
    world.appends = "there"
    const before = world.venue.sent("place").length
    await world.start()
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"))
    expect(world.venue.sent("place").slice(before)).toEqual([])
  })
})

/** An engine at the paper venue, and what happens to the market at some point of its way there. */
const atPaper = async (at: FaultPoint, happens: (paper: PaperVenue) => Promise<void> | undefined) => {
  const world = await World.start()
  world.kill()
  const paper = openPaperVenue({ file: ":memory:", now: () => world.clock.nowMs() })
  onTestFinished(() => paper.close())
  const seat = { venue: paper, facts: PAPER_FACTS }
  const faults = { at: (point: FaultPoint) => (point === at ? happens(paper) : undefined) }
  await world.start({ seats: [seat], seatFor: () => seat, faults })
  return { world, paper }
}
const liveAt = (paper: PaperVenue, order: OrderId): readonly string[] =>
  paper
    .ledger()
    .orders.filter(
      (leg) => parseClientOrderId(leg.clientOrderId)?.order === order && (leg.status === "new" || leg.status === "partially_filled"),
    )
    .map((leg) => leg.clientOrderId.slice(-3))

describe("a close at a venue where another lot shares the position", () => {
  it("given a market that goes through the stop when the flatten has been taken, then nothing of the lot is live, its record is the venue's, and the close says why", async () => {
    const { world, paper } = await atPaper("venue.flatten.after", (venue) => venue.setPrice("BTCUSDT", "futures", "48900"))
    const other = await world.covered({ strategy_id: "patience", stop_loss: 45_000 })
    const { order } = await world.covered({ stop_loss: 49_000 })
    const signal = world.signal({ action: "close" })
    world.send(signal)
    expect(await world.until("the close is over", () => world.ended(signal))).toBe("failed OVER_CLOSED")
    await world.until("it is off the queue", () => !world.engine.desk.orders.has(order))
    expect(liveAt(paper, order)).toEqual([])
    const row = await world.row(order)
    expect(row).toMatchObject({ open_quantity: "-0.01", parked: true, done: true, state: "filled" })
    const types = await world.types(order)
    expect(types.slice(-3)).toEqual(["LotOverClosed", "LotClosed", "OrderParked"])
    // The venue's position is what the lots add up to, the one that is over included.
    const position = await paper.positions()
    const lots = [row, await world.row(other.order)].map((one) => dec(one?.open_quantity ?? "0"))
    expect(str(sum(lots))).toBe("0")
    expect(position).toMatchObject({ _tag: "Known", value: [] })
    // It holds no slot, and the other lot still has its stop.
    expect(world.engine.desk.book.get(order)).toBeUndefined()
    expect(liveAt(paper, other.order)).toEqual(["S01", "T01"])
    expect(world.alarms.filter((text) => text.startsWith("two exits of a lot traded"))).toHaveLength(1)
    // A human has seen it: it is over, and he is not called again.
    world.intake.deliver(world.intake.message("resume", { request: "unpark", by: "operator" }, order))
    await world.until("it is put back", async () => (await world.types(order)).includes("OrderUnparked"))
    await world.until("it is let go", () => !world.engine.desk.orders.has(order))
    expect(await world.row(order)).toMatchObject({ parked: false, done: true, open_quantity: "-0.01" })
  })

  it("given a market that goes through the stop right before the flatten leaves, then the stop is waited for, and the flatten does not leave", async () => {
    const { world, paper } = await atPaper(
      "venue.flatten.before",
      (venue) => void venue.observePrice({ symbol: "BTCUSDT", price: canonical("48900"), source: "signal", atMs: 0 }, "futures"),
    )
    const other = await world.covered({ strategy_id: "patience", stop_loss: 45_000 })
    const { order } = await world.covered({ stop_loss: 49_000 })
    const signal = world.signal({ action: "close" })
    world.send(signal)
    expect(await world.until("the close is over", () => world.ended(signal))).toBe("filled")
    expect(await world.row(order)).toMatchObject({ open_quantity: "0", parked: false, done: true })
    expect(paper.ledger().orders.filter(({ leg }) => leg === "flatten")).toEqual([])
    expect(await paper.positions()).toMatchObject({ value: [{ quantity: "0.01" }] })
    expect(liveAt(paper, other.order)).toEqual(["S01", "T01"])
  })

  it("given a market that is seen through a stop which does not fire, when a moment has passed, then the flatten leaves all the same", async () => {
    const world = await World.start()
    const { order } = await world.covered()
    world.venue.fillsByItself.add("flatten")
    world.venue.price = () => ({ symbol: "BTCUSDT", price: canonical("40000"), source: "last", atMs: 0 }) as never
    world.tell(order, close)
    await world.pass(500)
    expect(world.venue.sent("place flatten")).toEqual([])
    expect(world.venue.resting).toContain("S01 0.01")
    await world.until("the lot is closed", async () => (await world.types(order)).includes("LotClosed"), 2000)
    expect(world.venue.sent("place flatten")).toEqual(["place flatten X01 0.01"])
  })

  it("given a market that stays where it is, then the lot is closed once, and the other keeps all that it holds", async () => {
    const { world, paper } = await atPaper("venue.flatten.after", () => undefined)
    const other = await world.covered({ strategy_id: "patience", stop_loss: 45_000 })
    const { order } = await world.covered({ stop_loss: 49_000 })
    const signal = world.signal({ action: "close" })
    world.send(signal)
    expect(await world.until("the close is over", () => world.ended(signal))).toBe("filled")
    await world.until("it is let go", () => !world.engine.desk.orders.has(order))
    expect(liveAt(paper, order)).toEqual([])
    expect(await paper.positions()).toMatchObject({ value: [{ quantity: "0.01" }] })
    expect(liveAt(paper, other.order)).toEqual(["S01", "T01"])
  })
})
