/** Rules that an adversarial reading of the machine found broken once, R1 to R24: each of these must never come back. */
import type { Command, OrderEvent } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { isDone, nextDeadline, observe } from "../../src/index.ts"
import { d, on, only, rules, Trail, venueId } from "./support.ts"

const typesOf = (commands: readonly Command[]): readonly string[] => commands.map(({ type }) => type)

/** A symbol whose least quantity is five steps: a part of a lot may be too small for a leg of its own. */
const coarse = { ...rules, lot: { ...rules.lot, min: d("0.005") }, marketLot: { ...rules.marketLot, min: d("0.005") } }

const refusal = (leg: "stop" | "target" | "flatten", clientOrderId: string, cls: string): OrderEvent =>
  on("LegRefused", {
    leg,
    clientOrderId: clientOrderId as never,
    class: cls as never,
    code: "-1",
    message: "",
    sentAtMs: 0,
    receivedAtMs: 0,
  })

const ended = (leg: "stop" | "target" | "flatten", clientOrderId: string, how: "cancelled" | "expired"): OrderEvent =>
  on("LegEnded", { leg, clientOrderId: clientOrderId as never, how, via: "reply" })

const deadline = (trail: Trail): readonly Command[] => {
  const due = nextDeadline(trail.context)
  if (due === undefined) throw new Error("nothing is due")
  trail.nowMs = Math.max(trail.nowMs, due.dueAtMs)
  return trail.take(on("DeadlinePassed", { deadline: due.deadline, dueAtMs: due.dueAtMs, nowMs: trail.nowMs }))
}

/** A venue that takes whatever it is asked for and proves each cancel by itself. Returns how many requests it had. */
const obey = (trail: Trail, asked: readonly Command[]): number => {
  const queue = [...asked]
  let requests = 0
  for (let command = queue.shift(); command !== undefined; command = queue.shift()) {
    requests += 1
    if (requests > 100) throw new Error("the planner feeds itself")
    if (command.type === "placeStop" || command.type === "placeTarget") queue.push(...trail.legAccepted(command))
    else if (command.type === "cancelLeg") {
      const { leg, clientOrderId } = command
      queue.push(...trail.take(ended(leg as "stop", clientOrderId, "cancelled")))
    } else throw new Error(`not expected: ${command.type}`)
  }
  return requests
}

const placed = (quantity = "0.01", symbolRules = rules): Trail => {
  const trail = new Trail()
  trail.begin({ orderType: "limit", quantity: d(quantity) }, symbolRules)
  trail.accepted()
  return trail
}

/** All of the lot under one stop and one target. */
const covered = (trail = placed(), quantity = "0.01") => {
  const stop = only(trail.filled(quantity), "placeStop")
  const target = only(trail.legAccepted(stop), "placeTarget")
  trail.legAccepted(target)
  return { trail, stop: stop.request, target: target.request }
}

const live = (trail: Trail, kind: string): readonly string[] =>
  trail.context.legs.filter(({ leg, status }) => leg === kind && status === "live").map(({ quantity }) => quantity)

describe("R1: merging", () => {
  it("given more parts than legs of a kind may be, when cancels are proven one by one, then stops and targets are merged once each, and all is covered", () => {
    const trail = placed()
    let requests = 0
    for (let n = 0; n < 5; n++) requests += obey(trail, trail.partlyFilled("0.001"))
    // Five stops and targets, and of each kind two cancels and one merged leg.
    expect(requests).toBe(16)
    expect(live(trail, "stop").toSorted()).toEqual(["0.001", "0.001", "0.001", "0.002"])
    expect(live(trail, "target").toSorted()).toEqual(["0.001", "0.001", "0.001", "0.002"])
    expect(trail.context.unprotectedSinceMs).toBeNull()
    expect(trail.types).not.toContain("CloseRequested")
  })

  it("given ten parts, when each is merged with what is there, then the number of legs stays bounded, and nothing is ever flattened", () => {
    const trail = placed("0.01")
    for (let n = 0; n < 10; n++) obey(trail, trail.partlyFilled("0.001"))
    expect(live(trail, "stop").length).toBeLessThanOrEqual(4)
    expect(trail.types).toContain("OrderCompleted")
    expect(trail.context.attempts.flatten).toBe(0)
  })
})

describe("R2: legs that are over", () => {
  it("given a stop that has traded in full, when its reply turns out to be lost, then it stays over, and nothing is asked", () => {
    const { trail, stop } = covered()
    trail.exitFilled(stop.clientOrderId, "0.01", "49000")
    expect(trail.take(on("LegUnknown", { leg: "stop", clientOrderId: stop.clientOrderId, reason: "TIMEOUT" }))).toEqual([])
    expect(trail.context.legs.find(({ leg }) => leg === "stop")?.status).toBe("over")
  })

  it("given a leg that has traded in full and is believed to be there, when the venue shows it, then it ends", () => {
    const { trail, target } = covered()
    const stuck = {
      ...trail.context,
      legs: trail.context.legs.map((leg) => (leg.leg === "target" ? { ...leg, filled: leg.quantity, status: "cancelling" as const } : leg)),
    }
    const report = {
      clientOrderId: target.clientOrderId,
      venueOrderId: venueId("9"),
      status: "filled",
      quantity: d("0.01"),
      filledQuantity: d("0.01"),
    } as const
    const { events } = observe(stuck, report, [], "query", { sentAtMs: 0, receivedAtMs: 0 })
    expect(events).toMatchObject([{ type: "LegEnded", data: { how: "filled" } }])
  })
})

describe("R4: legs that the venue takes and ends again", () => {
  it("given a flatten that expires each time, when it is tried again, then each try waits longer, and the clock never stops", () => {
    const trail = placed()
    trail.filled("0.01")
    let flatten = only(trail.take(on("CloseRequested", { cause: "operator", by: "x" })), "flatten")
    const waits: number[] = []
    for (let n = 0; n < 8; n++) {
      trail.legAccepted(flatten)
      const atOnce = trail.take(ended("flatten", flatten.request.clientOrderId, "expired"))
      const beforeMs = trail.nowMs
      flatten = only(atOnce.length > 0 ? atOnce : deadline(trail), "flatten")
      waits.push(trail.nowMs - beforeMs)
    }
    // At once the first time only.
    expect(waits.filter((wait) => wait === 0)).toHaveLength(1)
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
    expect(waits.at(-1)).toBeGreaterThanOrEqual(10_000)
  })

  it("given a stop that expires each time, when D has passed, then it has been tried a few times, not a hundred, and the lot is flattened", () => {
    const trail = placed()
    let stop = only(trail.filled("0.01"), "placeStop")
    let flattened = false
    for (let n = 0; n < 200 && !flattened; n++) {
      trail.legAccepted(stop)
      let next = trail.take(ended("stop", stop.request.clientOrderId, "expired"))
      for (let due = 0; next.length === 0 && due < 5; due++) next = deadline(trail)
      flattened = next.some(({ type }) => type === "flatten")
      if (!flattened)
        stop = only(
          next.filter(({ type }) => type === "placeStop"),
          "placeStop",
        )
      // Taken for a moment each time: without a pause between the tries D would never pass.
      trail.nowMs += 1
    }
    expect(trail.context.attempts.stop).toBeLessThan(99)
  })
})

describe("R5: one leg too many", () => {
  it("given a target that was believed lost, when it shows up beside its successor, then one of them goes, and the other stays", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    const lost = only(trail.legAccepted(stop), "placeTarget")
    trail.take(on("LegUnknown", { leg: "target", clientOrderId: lost.request.clientOrderId, reason: "TIMEOUT" }))
    const second = only(
      trail.take(on("LegNotPlaced", { leg: "target", clientOrderId: lost.request.clientOrderId, evidence: {} })),
      "placeTarget",
    )
    trail.legAccepted(second)
    expect(typesOf(trail.legAccepted(lost))).toEqual(["cancelLeg"])
    expect(live(trail, "target")).toEqual(["0.01"])
    expect(live(trail, "stop")).toEqual(["0.01"])
  })
})

describe("R9: what the venue has is what counts", () => {
  it("given a stop that the venue has with less than was asked, when it shows it, then the difference gets a stop of its own", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    const { clientOrderId } = stop.request
    const there = { clientOrderId, venueOrderId: venueId("7"), quantity: d("0.003"), via: "query", sentAtMs: 0, receivedAtMs: 0 } as const
    const next = trail.take(on("StopAccepted", there))
    expect(only(next, "placeStop").request.quantity).toBe("0.007")
    expect(trail.context.unprotectedSinceMs).not.toBeNull()
  })
})

describe("R18: dust", () => {
  it("given a stop that trades in parts, when less than a leg may have is left of it, then it is no dust yet: the stop closes it", () => {
    const { trail, stop, target } = covered(placed("0.01", coarse))
    expect(trail.exitFilled(stop.clientOrderId, "0.007", "49000")).toEqual([])
    expect(trail.types).not.toContain("DustLeft")
    expect(only(trail.exitFilled(stop.clientOrderId, "0.003", "49000"), "cancelLeg").clientOrderId).toBe(target.clientOrderId)
    trail.legGone(target.clientOrderId)
    expect(trail.types.at(-1)).toBe("LotClosed")
    expect([trail.context.parked, trail.context.dust, isDone(trail.context)]).toEqual([null, "0", true])
  })

  it("given what is left when nothing can close it any more, when that is known, then it is dust, and the lot is over", () => {
    const { trail, stop, target } = covered(placed("0.01", coarse))
    trail.exitFilled(stop.clientOrderId, "0.007", "49000")
    expect(typesOf(trail.take(ended("stop", stop.clientOrderId, "expired")))).toEqual(["cancelLeg"])
    expect(trail.context.dust).toBe("0.003")
    trail.legGone(target.clientOrderId)
    expect(trail.types.slice(-3)).toEqual(["DustLeft", "SiblingCancelled", "LotClosed"])
  })
})

describe("R19: a fill too small for a stop of its own", () => {
  const grown = () => {
    const trail = placed("0.02", coarse)
    const stop = only(trail.partlyFilled("0.01"), "placeStop")
    trail.legAccepted(only(trail.legAccepted(stop), "placeTarget"))
    expect(trail.partlyFilled("0.002")).toEqual([])
    return { trail, stop: stop.request }
  }

  it("given more fills to come, when D passes, then the lot that is covered is not flattened for it", () => {
    const { trail } = grown()
    expect(nextDeadline(trail.context)?.deadline).toBe("entry")
    trail.nowMs += 5000
    expect(only(trail.partlyFilled("0.008"), "placeStop").request.quantity).toBe("0.01")
  })

  it("given no more fills to come, when the entry is over, then it goes under one stop with the rest", () => {
    const { trail, stop } = grown()
    const gone = only(trail.take(on("EntryEnded", { how: "cancelled", venueOrderId: venueId("1"), via: "reply" })), "cancelLeg")
    expect(gone.clientOrderId).toBe(stop.clientOrderId)
    const whole = only(trail.take(ended("stop", stop.clientOrderId, "cancelled")), "placeStop")
    expect(whole.request.quantity).toBe("0.012")
  })
})

describe("R23: the back-off of a target", () => {
  it("given a target that is refused again and again, when a new fill comes, then its stop does not wait for the target", () => {
    const trail = placed("0.02")
    const stop = only(trail.partlyFilled("0.01"), "placeStop")
    let target = only(trail.legAccepted(stop), "placeTarget")
    for (let n = 0; n < 6; n++) {
      trail.take(refusal("target", target.request.clientOrderId, "retry"))
      if (n < 5) target = only(deadline(trail), "placeTarget")
    }
    expect(only(trail.partlyFilled("0.01"), "placeStop").request.quantity).toBe("0.01")
  })
})

describe("R24: unparked", () => {
  it("given a lot that lost its stop while it was parked, when it is unparked, then a stop is asked for at once, and the clock starts then", () => {
    const trail = placed()
    const stop = only(trail.filled("0.01"), "placeStop")
    trail.take(on("OrderParked", { code: "OPERATOR", detail: "" }))
    trail.take(on("LegNotPlaced", { leg: "stop", clientOrderId: stop.request.clientOrderId, evidence: {} }))
    trail.nowMs += 3_600_000
    expect(only(trail.take(on("OrderUnparked", { by: "operator" })), "placeStop").request.quantity).toBe("0.01")
    expect(nextDeadline(trail.context)).toEqual({ deadline: "protection", dueAtMs: trail.nowMs + 5000 })
  })
})

describe("an entry whose outcome is unknown", () => {
  it("given a lost reply after the entry was seen to rest, when a fill is told, then it is protected, and the entry is not given up", () => {
    const trail = placed("0.02")
    trail.take(on("EntryUnknown", { reason: "TIMEOUT" }))
    const stop = only(trail.partlyFilled("0.01"), "placeStop")
    trail.take(on("EntryNotPlaced", { evidence: {} }))
    expect(trail.context.entry?.filled).toBe("0.01")
    expect(stop.request.quantity).toBe("0.01")
    expect(trail.types).not.toContain("OrderFailed")
  })
})

describe("an entry that was made smaller at the venue (amended by hand)", () => {
  const report = (status: "filled" | "partially_filled", filled: string) =>
    ({ clientOrderId: placed().entryId, venueOrderId: venueId("1"), status, quantity: d(filled), filledQuantity: d(filled) }) as const
  const at = { sentAtMs: 0, receivedAtMs: 0 }

  it("given that it is filled with less than was asked for, when all of it is known, then it is over, and the lot completes with what it holds", () => {
    const trail = placed("0.02")
    const { events, fillsMissing } = observe(trail.context, report("filled", "0.01"), [trail.fill("0.01")], "stream", at)
    expect([events.map(({ type }) => type), fillsMissing]).toEqual([["EntryPartlyFilled", "EntryEnded"], false])
    obey(trail, trail.take(...events))
    expect(trail.types.at(-1)).toBe("OrderCompleted")
    expect(trail.context.entry?.filled).toBe("0.01")
    expect(live(trail, "stop")).toEqual(["0.01"])
  })

  it("given that fills of it are missing, or that it still works, or that nothing was filled, then it is not over", () => {
    const trail = placed("0.02")
    expect(observe(trail.context, report("filled", "0.01"), [trail.fill("0.005")], "stream", at)).toMatchObject({ fillsMissing: true })
    for (const [status, filled] of [
      ["filled", "0.01"],
      ["filled", "0"],
      ["partially_filled", "0.01"],
    ] as const) {
      const { events } = observe(trail.context, report(status, filled), [], "query", at)
      expect(events.map(({ type }) => type)).not.toContain("EntryEnded")
    }
  })
})
