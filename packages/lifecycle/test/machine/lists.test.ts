/** Stop and target as one list (spot): what is asked for, when, and in which order. */
import type { ClientOrderId, Command, OrderEvent } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { entryByItself, nextDeadline, outstanding, planPrices, questionsAfterRestart } from "../../src/index.ts"
import { d, ORDER, on, only, spotRules, spotVenue, Trail, venueId } from "./support.ts"

const at = { sentAtMs: 0, receivedAtMs: 0 }
const id = (name: string): ClientOrderId => `pttest${ORDER}${name}` as ClientOrderId
const legs = (trail: Trail): readonly string[] =>
  trail.context.legs.map(
    ({ clientOrderId, status, quantity, filled }) =>
      `${clientOrderId.slice(-3)} ${status} ${quantity}${filled === "0" ? "" : ` (${filled})`}`,
  )
const types = (commands: readonly Command[]): readonly string[] => commands.map(({ type }) => type)

/** A market entry of 0.01, filled, with a commission of 0.00001 in base. */
const bought = (): { readonly trail: Trail; readonly commands: readonly Command[] } => {
  const trail = new Trail()
  trail.begin({ market: "spot" }, spotRules, spotVenue)
  trail.accepted()
  const fill = { ...trail.fill("0.01"), fee: d("0.00001"), feeAsset: "BTC", feeQuote: d("0.5") }
  return { trail, commands: trail.take(on("EntryFilled", { fills: [fill], venueOrderId: venueId("1"), via: "stream" })) }
}
const taken = (name: string, quantity: string): OrderEvent =>
  on(name.startsWith("S") ? "StopAccepted" : "TargetAccepted", {
    clientOrderId: id(name),
    venueOrderId: venueId(name),
    quantity: d(quantity),
    via: "stream",
    ...at,
  })
const listTaken = (trail: Trail, n = "01", quantity = "0.00999"): readonly Command[] =>
  trail.take(taken(`S${n}`, quantity), taken(`T${n}`, quantity))
const gone = (name: string, how: "cancelled" | "expired" = "cancelled"): OrderEvent =>
  on("LegEnded", { leg: name.startsWith("S") ? "stop" : "target", clientOrderId: id(name), how, via: "stream" })
const refusedList = (n: string, cls: "fatal" | "wouldTrigger" | "balance" | "retry"): OrderEvent =>
  on("LegRefused", { leg: "stop", clientOrderId: id(`S${n}`), sibling: id(`T${n}`), class: cls, code: "-1", message: "", ...at })
const deadline = (trail: Trail): readonly Command[] => {
  const due = nextDeadline(trail.context)
  if (due === undefined) throw new Error("no deadline is set")
  trail.nowMs = due.dueAtMs
  return trail.take(on("DeadlinePassed", { ...due, nowMs: due.dueAtMs }))
}
/** A limit entry that goes with its bracket, taken by the venue. */
const resting = (): Trail => {
  const trail = new Trail()
  trail.begin({ orderType: "limit", market: "spot" }, spotRules, spotVenue)
  trail.accepted()
  return trail
}

describe("after the fill", () => {
  it("given a fill, then one list is asked for, of what is left after the commission in base; when it is taken, then the lot is covered", () => {
    const { trail, commands } = bought()
    const { bracket } = only(commands, "placeBracket")
    const prices = planPrices(trail.context)
    expect(bracket.stop).toMatchObject({ type: "stop", side: "sell", quantity: "0.00999", triggerPrice: prices?.stop })
    expect(bracket.target).toMatchObject({ type: "limit", timeInForce: "GTX", quantity: "0.00999", price: prices?.target })
    expect(trail.context.unprotectedSinceMs).not.toBeNull()
    listTaken(trail)
    expect(trail.actor.regions.protection).toBe("covered")
    expect(trail.context.unprotectedSinceMs).toBeNull()
  })

  it("given a further fill, then it has a list of its own, and nothing touches the first", () => {
    const trail = new Trail()
    trail.begin({ orderType: "limit", market: "spot" }, spotRules, { ...spotVenue, armsEntries: false })
    trail.accepted()
    only(trail.partlyFilled("0.004"), "placeBracket")
    expect(types(listTaken(trail, "01", "0.004"))).toEqual([])
    expect(only(trail.filled("0.006"), "placeBracket").bracket.stop.quantity).toBe("0.006")
    expect(legs(trail)).toEqual(["S01 live 0.004", "T01 live 0.004", "S02 sending 0.006", "T02 sending 0.006"])
  })

  it("given one leg that trades, then the other is asked for and not believed live; proven gone, the lot closes once", () => {
    const { trail } = bought()
    listTaken(trail)
    expect(types(trail.exitFilled(id("T01"), "0.00999", "52500"))).toEqual(["resolveLeg"])
    trail.legGone(id("S01"))
    expect(trail.types.filter((type) => type === "LotClosed")).toHaveLength(1)
    expect(trail.actor.state).toBe("filled")
  })

  it("given a target that traded in part, then the clock runs; after the grace its rest is cancelled, and then has a list of its own", () => {
    const { trail } = bought()
    listTaken(trail)
    trail.exitFilled(id("T01"), "0.004", "52500")
    expect(trail.context.unprotectedSinceMs).not.toBeNull()
    expect(types(trail.legGone(id("S01")))).toEqual([])
    expect(nextDeadline(trail.context)).toMatchObject({ deadline: "partial" })
    expect(types(deadline(trail))).toEqual(["cancelLeg"])
    expect(only(trail.take(gone("T01")), "placeBracket").bracket.stop.quantity).toBe("0.00599")
  })

  it("given a list that is over by somebody's hand, then it is placed again under the next number when both legs are known to be gone", () => {
    const { trail } = bought()
    listTaken(trail)
    expect(types(trail.take(gone("S01")))).toEqual([])
    expect(only(trail.take(gone("T01")), "placeBracket").bracket.stop.clientOrderId).toBe(id("S02"))
  })
})

describe("refusals", () => {
  it("given a refusal for good, then a stop by itself is tried; given that it is refused too, then the lot is sold", () => {
    const { trail } = bought()
    const stop = only(trail.take(refusedList("01", "fatal")), "placeStop")
    expect(stop.request).toMatchObject({ clientOrderId: id("S02"), quantity: "0.00999" })
    const alone = on("LegRefused", { leg: "stop", clientOrderId: id("S02"), class: "fatal", code: "-1", message: "", ...at })
    expect(types(trail.take(alone))).toContain("flatten")
    expect(trail.context.closing?.cause).toBe("protection")
  })

  it("given a price that is passed, then the lot is sold at once", () => {
    const { trail } = bought()
    expect(types(trail.take(refusedList("01", "wouldTrigger")))).toEqual(["flatten"])
    expect(trail.context.closing?.cause).toBe("stopPassed")
  })

  it("given an unknown outcome, then both legs are one question; proven absent, a new list goes", () => {
    const { trail } = bought()
    const unknown = { leg: "stop", clientOrderId: id("S01"), sibling: id("T01") } as const
    expect(types(trail.take(on("LegUnknown", { ...unknown, reason: "TIMEOUT" })))).toEqual(["resolveBracket"])
    expect(only(trail.take(on("LegNotPlaced", { ...unknown, evidence: {} })), "placeBracket").bracket.stop.clientOrderId).toBe(id("S02"))
  })

  it("given a restart while a list is on its way, then it is one question, asked again until it is answered", () => {
    const { trail } = bought()
    expect(questionsAfterRestart(trail.context)).toEqual([
      { type: "LegUnknown", data: { leg: "stop", clientOrderId: id("S01"), sibling: id("T01"), reason: "RESTART" } },
    ])
    trail.take(...questionsAfterRestart(trail.context))
    expect(outstanding(trail.context)).toEqual([{ type: "resolveBracket", stop: id("S01"), target: id("T01") }])
  })
})

describe("the way out", () => {
  const close = on("CloseRequested", { cause: "close", by: "operator" })

  it("given a close, then the list is cancelled first; only when both legs are proven gone, what is held is sold", () => {
    const { trail } = bought()
    listTaken(trail)
    expect(types(trail.take(close))).toEqual(["cancelBracket"])
    expect(trail.context.unprotectedSinceMs).not.toBeNull()
    expect(types(trail.take(gone("S01")))).toEqual([])
    expect(only(trail.take(gone("T01")), "flatten").request.quantity).toBe("0.00999")
  })

  it("given that the list sold a part while it was being cancelled, then only the rest is sold", () => {
    const { trail } = bought()
    listTaken(trail)
    trail.take(close)
    trail.exitFilled(id("S01"), "0.004", "49000")
    trail.take(gone("S01"))
    expect(only(trail.take(gone("T01", "expired")), "flatten").request.quantity).toBe("0.00599")
  })

  it("given a sale that is refused, then the list is put back; when the sale is due again, then it is taken away, and sold", () => {
    const { trail } = bought()
    listTaken(trail)
    trail.take(close, gone("S01"), gone("T01"))
    const refused = on("LegRefused", {
      leg: "flatten",
      clientOrderId: id("X01"),
      class: "retry",
      code: "-2010",
      message: "Market is closed.",
      ...at,
    })
    expect(only(trail.take(refused), "placeBracket").bracket.stop.clientOrderId).toBe(id("S02"))
    listTaken(trail, "02")
    expect(trail.context.unprotectedSinceMs).toBeNull()
    expect(types(deadline(trail))).toEqual(["cancelBracket"])
    trail.take(gone("S02"))
    expect(only(trail.take(gone("T02")), "flatten").request.clientOrderId).toBe(id("X02"))
  })

  it("given a put-back that is refused too, then it is not tried again before the sale is", () => {
    const { trail } = bought()
    listTaken(trail)
    trail.take(close, gone("S01"), gone("T01"))
    trail.take(on("LegRefused", { leg: "flatten", clientOrderId: id("X01"), class: "retry", code: "-1", message: "", ...at }))
    expect(types(trail.take(refusedList("02", "wouldTrigger")))).toEqual([])
    expect(types(deadline(trail))).toEqual(["flatten"])
  })

  it("given what is left and worth less than the exchange's minimum, then it is dust, and the lot is closed", () => {
    const { trail } = bought()
    listTaken(trail)
    trail.exitFilled(id("T01"), "0.0099", "52500")
    trail.legGone(id("S01"))
    trail.take(gone("T01"))
    expect(trail.types.slice(-3)).toEqual(["LegEnded", "DustLeft", "LotClosed"])
  })
})

describe("an entry with its bracket", () => {
  it("given the intent, then entry, stop and target are one command, all of them durable in it, and the bracket is net of the worst commission", () => {
    const trail = new Trail()
    const { request, bracket } = only(trail.begin({ orderType: "limit", market: "spot" }, spotRules, spotVenue), "placeEntry")
    expect(request).toMatchObject({ clientOrderId: id("E01"), type: "limit", quantity: "0.01" })
    expect(bracket).toMatchObject({
      list: id("L01"),
      stop: { clientOrderId: id("S01"), quantity: "0.00999" },
      target: { clientOrderId: id("T01"), type: "limit" },
    })
    expect(trail.context.plan?.armed).toEqual(bracket)
    expect(trail.actor.regions.protection).toBe("none")
    trail.accepted()
    expect(trail.actor.regions.protection).toBe("armed")
  })

  it.each([
    ["market", {}],
    ["limit", { timeInForce: "IOC" }],
    ["stop", { triggerPrice: d("51000") }],
  ] as const)("given a %s entry that does not rest in the book, then it goes by itself", (orderType, more) => {
    const trail = new Trail()
    expect(only(trail.begin({ orderType, market: "spot", ...more }, spotRules, spotVenue), "placeEntry").bracket).toBeUndefined()
  })

  it("given the full fill, then whether the bracket is in force is a question; in force, the lot is covered", () => {
    const trail = resting()
    expect(types(trail.filled("0.01"))).toEqual(["resolveBracket"])
    expect(trail.actor.regions.protection).toBe("placing")
    listTaken(trail)
    expect(trail.actor.regions.protection).toBe("covered")
    expect(trail.actor.state).toBe("filled")
  })

  it("given a bracket that is refused when it is armed, then one is placed by us", () => {
    const trail = resting()
    trail.filled("0.01")
    trail.take(gone("T01", "expired"))
    expect(only(trail.take(gone("S01", "expired")), "placeBracket").bracket.stop).toMatchObject({
      clientOrderId: id("S02"),
      quantity: "0.01",
    })
  })

  it("given a fill in part, then the grace runs from it and is not begun anew by the next, nor by who adopts the order; then the rest is cancelled, and what is held has its own list", () => {
    const trail = resting()
    const sinceMs = trail.nowMs
    expect(types(trail.partlyFilled("0.004"))).toEqual([])
    expect(trail.actor.regions.protection).toBe("armed")
    trail.nowMs += 500
    trail.partlyFilled("0.002")
    trail.take(on("OrderAdopted", { replica: "b", delivery: 2, cause: "redelivery", downMs: 1 }))
    expect(nextDeadline(trail.context)).toEqual({ deadline: "partial", dueAtMs: sinceMs + 2000 })
    expect(types(deadline(trail))).toEqual(["cancelEntry"])
    expect(trail.context.entry?.cancelReason?.code).toBe("PARTIAL_FILL")
    const ended = on("EntryEnded", { how: "cancelled", venueOrderId: venueId("1"), via: "reply" })
    expect(only(trail.take(ended), "placeBracket").bracket.stop).toMatchObject({ clientOrderId: id("S02"), quantity: "0.006" })
  })

  it("given that the entry ends unfilled, then its bracket is over with it", () => {
    const trail = resting()
    trail.take(on("EntryEnded", { how: "expired", venueOrderId: venueId("1"), via: "stream" }))
    expect(legs(trail)).toEqual([])
    expect(trail.actor.regions).toEqual({ order: "failed", entry: "over", protection: "none" })
  })

  it("given a list that is refused for certain, then the entry goes by itself, once more, under another id, and its bracket follows the fill", () => {
    const trail = new Trail()
    const { request } = only(trail.begin({ orderType: "limit", market: "spot" }, spotRules, spotVenue), "placeEntry")
    const alone = entryByItself(request, ORDER, "test")
    const again = only(
      trail.take(on("EntryListRefused", { class: "fatal", code: "-1013", message: "", request: alone, ...at })),
      "placeEntry",
    )
    expect(again).toEqual({ type: "placeEntry", request: { ...request, clientOrderId: id("E02") } })
    trail.take(on("EntryAccepted", { clientOrderId: id("E02"), venueOrderId: venueId("2"), via: "reply", ...at }))
    expect(trail.actor.regions.protection).toBe("none")
    expect(only(trail.filled("0.01"), "placeBracket").bracket.stop.clientOrderId).toBe(id("S02"))
  })

  it("given a close while a part is filled, then nothing is sold before the entry and its bracket are over", () => {
    const trail = resting()
    trail.partlyFilled("0.004")
    expect(types(trail.take(on("CloseRequested", { cause: "close", by: "operator" })))).toEqual(["cancelEntry"])
    const ended = on("EntryEnded", { how: "cancelled", venueOrderId: venueId("1"), via: "reply" })
    expect(only(trail.take(ended), "flatten").request.quantity).toBe("0.004")
  })

  it("given a commission that was not taken, then what the bracket left over takes no stop away", () => {
    const trail = resting()
    trail.filled("0.01")
    expect(types(listTaken(trail))).toEqual([])
    expect(trail.context).toMatchObject({ settled: "filled", unprotectedSinceMs: null })
  })
})
