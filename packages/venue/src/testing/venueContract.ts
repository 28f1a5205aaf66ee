/**
 * The contract of the Venue port: what every adapter must show. Run it from a test file:
 *
 *     venueContract("paper, futures", () => makeFixture())
 */
import { add, dec, str, sum } from "@petrosa/contracts"
import type { ClientOrderId, DecimalString, Outcome, Read } from "@petrosa/contracts"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { OtocoAcknowledgement, OtocoRequest, PlaceRequest, VenueOrder } from "../venue.ts"
import { eventually, freshId, record, requestFor } from "./fixture.ts"
import type { VenueFixture } from "./fixture.ts"

export const valueOf = <A>(outcome: Outcome<A>): A => {
  if (outcome._tag !== "Accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`)
  return outcome.value
}
export const answer = <A>(read: Read<A>): A => {
  if (read._tag !== "Known") throw new Error(`not known: ${JSON.stringify(read)}`)
  return read.value
}

export interface ContractOptions {
  /** Several processes may use the account, and it survives a restart. Default true; false for a venue in memory. */
  readonly processes?: boolean
  /** The adapter tells each trade once, however often the exchange's stream does. Default false: it passes duplicates on. */
  readonly removesDuplicates?: boolean
}

export const venueContract = (name: string, make: () => Promise<VenueFixture>, options: ContractOptions = {}): void => {
  describe(`venue contract: ${name}`, () => {
    let fixture: VenueFixture
    const find = async (request: PlaceRequest): Promise<VenueOrder | undefined> =>
      answer(await fixture.venue.query(request.symbol, request.market, request.clientOrderId))
    const untilStatus = (request: PlaceRequest, status: VenueOrder["status"]): Promise<VenueOrder> =>
      eventually(`${request.clientOrderId} ${status}`, async () => {
        const order = await find(request)
        return order?.status === status ? order : undefined
      })
    /** Buys at market, and waits for the fill. */
    const hold = async (quantity = "0.01"): Promise<VenueOrder> => {
      const request = requestFor(fixture, { quantity })
      valueOf(await fixture.venue.place(request))
      return untilStatus(request, "filled")
    }
    const held = async (): Promise<string> => {
      if (fixture.market === "futures") {
        return answer(await fixture.venue.positions()).find((p) => p.symbol === fixture.symbol && p.side === "long")?.quantity ?? "0"
      }
      const base = fixture.venue.rules(fixture.symbol, "spot")?.baseAsset
      const balance = answer(await fixture.venue.balances()).find((b) => b.asset === base)
      return balance === undefined ? "0" : str(add(dec(balance.free), dec(balance.locked)))
    }
    /** Stop and target of one lot are one list there, and nothing is reduce-only. */
    const usesLists = (): boolean => fixture.market === "spot" && fixture.venue.bracketStyle === "oco"
    /** Stop and target, as the venue has them: two orders, or one list. */
    const protect = async (stop: PlaceRequest, target: PlaceRequest): Promise<void> => {
      const { venue } = fixture
      if (!usesLists() || venue.placeOco === undefined) {
        valueOf(await venue.place(stop))
        valueOf(await venue.place(target))
        return
      }
      const { symbol, market, side, quantity, timestampMs, receiveWindowMs } = stop
      valueOf(
        await venue.placeOco({
          symbol,
          market,
          side,
          quantity,
          listClientOrderId: freshId("L"),
          stop: { clientOrderId: stop.clientOrderId, triggerPrice: stop.triggerPrice ?? quantity },
          target: { clientOrderId: target.clientOrderId, price: target.triggerPrice ?? quantity },
          timestampMs,
          receiveWindowMs,
        }),
      )
    }
    const exit = (draft: Parameters<typeof requestFor>[1]): PlaceRequest =>
      requestFor(fixture, { clientOrderId: freshId("S"), leg: "stop", side: "sell", reduceOnly: true, ...draft })

    beforeEach(async () => {
      fixture = await make()
    })
    afterEach(() => fixture.close())

    describe("placing", () => {
      test("given a market order, when it is placed, then it is acknowledged first, and filled, told and counted afterwards", async () => {
        const heard = record(fixture.venue)
        const request = requestFor(fixture)
        const placed = valueOf(await fixture.venue.place(request))
        expect(placed.clientOrderId).toBe(request.clientOrderId)
        expect(placed.venueOrderId).toBe(placed.order.venueOrderId)
        const filled = await untilStatus(request, "filled")
        expect(filled).toMatchObject({
          venueOrderId: placed.venueOrderId,
          filledQuantity: "0.01",
          filledQuote: "500",
          side: "buy",
          type: "market",
        })
        const fills = answer(await fixture.venue.fills(request.symbol, request.market, request))
        expect(str(sum(fills.map((fill) => dec(fill.quantity))))).toBe("0.01")
        expect(fills.every((fill) => fill.price === "50000" && dec(fill.fee).value >= 0n)).toBe(true)
        await eventually("its fill in the stream", () => heard.fillsOf(request.clientOrderId).length === fills.length)
        expect(heard.fillsOf(request.clientOrderId)).toEqual(fills.map((fill) => fill.tradeId))
        expect(await held()).toBe("0.01")
      })

      test("given a limit order away from the market, then it rests and is listed, and the price comes to it: it fills at its price", async () => {
        const request = requestFor(fixture, { type: "limit", price: "49000", timeInForce: "GTC" })
        valueOf(await fixture.venue.place(request))
        const open = answer(await fixture.venue.openOrders(fixture.symbol, fixture.market))
        expect(open.map((order) => order.clientOrderId)).toEqual([request.clientOrderId])
        expect(await find(request)).toMatchObject({ status: "new", filledQuantity: "0", price: "49000" })
        await fixture.setPrice("48900")
        expect(await untilStatus(request, "filled")).toMatchObject({ filledQuote: "490" })
      })

      test("given a limit order through the market, then it fills at the better price of the market", async () => {
        const request = requestFor(fixture, { type: "limit", price: "50500", timeInForce: "GTC" })
        valueOf(await fixture.venue.place(request))
        expect(await untilStatus(request, "filled")).toMatchObject({ filledQuote: "500" })
      })

      test.each(["IOC", "FOK"] as const)("given %s away from the market, then it ends unfilled", async (timeInForce) => {
        const request = requestFor(fixture, { type: "limit", price: "49000", timeInForce })
        const outcome = await fixture.venue.place(request)
        if (outcome._tag === "Accepted") await untilStatus(request, "expired")
        else expect(outcome._tag).toBe("Refused")
        expect(await held()).toBe("0")
      })

      test("given post-only through the market, then it is refused", async () => {
        const outcome = await fixture.venue.place(requestFor(fixture, { type: "limit", price: "50500", timeInForce: "GTX" }))
        expect(outcome).toMatchObject({ _tag: "Refused", class: "fatal" })
      })

      test("given a stop entry, then it waits for its trigger and fills beyond it", async () => {
        const request = requestFor(fixture, { type: "stop", triggerPrice: "51000" })
        valueOf(await fixture.venue.place(request))
        await fixture.setPrice("50999")
        expect(await find(request)).toMatchObject({ status: "new" })
        await fixture.setPrice("51000")
        await eventually("the position", async () => (await held()) === "0.01")
      })
    })

    describe("refusing", () => {
      test("given a request whose receive window has passed, then it is refused as certainly not executed, and nothing is there", async () => {
        const request = requestFor(fixture, { timestampMs: fixture.now() - 6_000 })
        expect(await fixture.venue.place(request)).toMatchObject({ _tag: "Refused", class: "retry", code: "-1021" })
        expect(await find(request)).toBeUndefined()
        expect(await fixture.allClientIds()).toEqual([])
      })

      test("given a request signed more than a second ahead, then it is refused", async () => {
        const outcome = await fixture.venue.place(requestFor(fixture, { timestampMs: fixture.now() + 5_000 }))
        expect(outcome).toMatchObject({ _tag: "Refused", class: "retry", code: "-1021" })
      })

      test("given a client id of a live order, then the second is a duplicate; given that of a filled order, then it is taken AGAIN", async () => {
        const resting = requestFor(fixture, { type: "limit", price: "40000", timeInForce: "GTC" })
        valueOf(await fixture.venue.place(resting))
        expect(await fixture.venue.place({ ...resting })).toMatchObject({ _tag: "Refused", class: "duplicate" })
        const market = requestFor(fixture)
        valueOf(await fixture.venue.place(market))
        await untilStatus(market, "filled")
        valueOf(await fixture.venue.place({ ...market, timestampMs: fixture.now() }))
        await eventually("both executed", async () => (await held()) === "0.02")
        expect(await fixture.allClientIds()).toEqual([resting.clientOrderId, market.clientOrderId, market.clientOrderId])
      })

      test.each([
        ["an unknown symbol", { symbol: "NOSUCHUSDT" }],
        ["a price off the tick", { type: "limit", price: "49000.001", timeInForce: "GTC" }],
        ["a quantity off the step", { quantity: "0.0100000001" }],
        ["less than the minimum notional", { type: "limit", price: "30000", quantity: "0.0001", timeInForce: "GTC" }],
        ["a limit order without a price", { type: "limit", timeInForce: "GTC" }],
      ] as const)("given %s, then it is refused for good", async (_what, draft) => {
        expect(await fixture.venue.place(requestFor(fixture, draft))).toMatchObject({ _tag: "Refused", class: "fatal" })
        expect(await fixture.allClientIds()).toEqual([])
      })

      test("given more than the balance, then it is refused for the balance, and nothing is locked", async () => {
        const before = answer(await fixture.venue.balances())
        const outcome = await fixture.venue.place(requestFor(fixture, { type: "limit", price: "49000", quantity: "1", timeInForce: "GTC" }))
        expect(outcome).toMatchObject({ _tag: "Refused", class: "balance" })
        expect(answer(await fixture.venue.balances())).toEqual(before)
      })

      test("given a stop that is already passed, then it would trigger at once, and is refused", async () => {
        await hold()
        expect(await fixture.venue.place(exit({ type: "stop", triggerPrice: "50100" }))).toMatchObject({
          _tag: "Refused",
          class: "wouldTrigger",
        })
        expect(await fixture.venue.place(exit({ type: "take_profit", triggerPrice: "49900" }))).toMatchObject({
          _tag: "Refused",
          class: "wouldTrigger",
        })
      })

      test("given nothing to reduce, then a reduce-only order is a race", async () => {
        expect(await fixture.venue.place(exit({ leg: "flatten", type: "market" }))).toMatchObject({ _tag: "Refused", class: "race" })
      })
    })

    describe("cancelling", () => {
      test("given a resting order, then it is cancelled; given it is over or unknown, then it is a race", async () => {
        const request = requestFor(fixture, { type: "limit", price: "40000", timeInForce: "GTC" })
        const free = answer(await fixture.venue.balances())
        valueOf(await fixture.venue.place(request))
        const cancelled = valueOf(await fixture.venue.cancel(request.symbol, request.market, request.clientOrderId))
        expect(cancelled).toMatchObject({ status: "cancelled", filledQuantity: "0", clientOrderId: request.clientOrderId })
        expect(await find(request)).toMatchObject({ status: "cancelled" })
        expect(answer(await fixture.venue.balances())).toEqual(free)
        const again = await fixture.venue.cancel(request.symbol, request.market, request.clientOrderId)
        expect(again).toMatchObject({ _tag: "Refused", class: "race" })
        expect(await fixture.venue.cancel(request.symbol, request.market, freshId())).toMatchObject({ _tag: "Refused", class: "race" })
      })

      test("given a filled order, then cancelling it is a race and changes nothing", async () => {
        const order = await hold()
        const outcome = await fixture.venue.cancel(order.symbol, fixture.market, order.clientOrderId as PlaceRequest["clientOrderId"])
        expect(outcome).toMatchObject({ _tag: "Refused", class: "race" })
        expect(await held()).toBe("0.01")
      })

      test("given a partly filled order, then cancelling it keeps what was filled", async () => {
        await fixture.faults.partialFills(4, 300)
        const request = requestFor(fixture, { type: "limit", price: "50000", timeInForce: "GTC", quantity: "0.04" })
        valueOf(await fixture.venue.place(request))
        await untilStatus(request, "partially_filled")
        const cancelled = valueOf(await fixture.venue.cancel(request.symbol, request.market, request.clientOrderId))
        expect(cancelled.status).toBe("cancelled")
        expect(["0.01", "0.02", "0.03"]).toContain(cancelled.filledQuantity)
        expect(await held()).toBe(cancelled.filledQuantity)
      })
    })

    describe("protective legs", () => {
      test("given a stop and a target, when the price passes the stop, then the stop closes the position, and is told", async () => {
        const heard = record(fixture.venue)
        await hold()
        const stop = exit({ type: "stop", triggerPrice: "49000" })
        const target = exit({ clientOrderId: freshId("T"), leg: "target", type: "take_profit", triggerPrice: "52000" })
        await protect(stop, target)
        await fixture.setPrice("49001")
        expect(await held()).toBe("0.01")
        await fixture.setPrice("49000")
        await eventually("flat", async () => (await held()) === "0")
        await eventually("the stop's fill in the stream", () => heard.fillsOf(stop.clientOrderId).length === 1)
        if (usesLists()) {
          // One list: its sibling ends by itself.
          expect(await untilStatus(target, "expired")).toMatchObject({ filledQuantity: "0" })
          return
        }
        // Its sibling stays: removing it is the engine's business.
        expect(await find(target)).toMatchObject({ status: "new" })
        valueOf(await fixture.venue.cancel(target.symbol, target.market, target.clientOrderId))
      })

      test("given a stop and a target as one list, when one is cancelled, then both are gone, and nothing is reserved any more", async () => {
        if (!usesLists()) return
        await hold()
        const stop = exit({ type: "stop", triggerPrice: "49000" })
        const target = exit({ clientOrderId: freshId("T"), leg: "target", type: "take_profit", triggerPrice: "52000" })
        await protect(stop, target)
        const open = answer(await fixture.venue.openOrders(fixture.symbol, fixture.market))
        expect(open.map((order) => order.clientOrderId).sort()).toEqual([stop.clientOrderId, target.clientOrderId].sort())
        const cancelled = valueOf(await fixture.venue.cancel(stop.symbol, stop.market, stop.clientOrderId))
        expect(cancelled).toMatchObject({ clientOrderId: stop.clientOrderId, status: "cancelled" })
        await untilStatus(target, "cancelled")
        valueOf(await fixture.venue.place(exit({ leg: "flatten", type: "market" })))
        await eventually("flat", async () => (await held()) === "0")
      })

      test("given a list whose prices do not enclose the market, then one of them is passed, and nothing is there", async () => {
        if (!usesLists()) return
        await hold()
        const stop = exit({ type: "stop", triggerPrice: "50100" })
        const target = exit({ clientOrderId: freshId("T"), leg: "target", type: "take_profit", triggerPrice: "52000" })
        await expect(protect(stop, target)).rejects.toThrow("wouldTrigger")
        expect(answer(await fixture.venue.openOrders(fixture.symbol, fixture.market))).toEqual([])
        expect(await find(stop)).toBeUndefined()
      })

      test("given a target, when the price passes it, then it closes the position at the better price", async () => {
        await hold()
        const target = exit({ clientOrderId: freshId("T"), leg: "target", type: "take_profit", triggerPrice: "52000" })
        valueOf(await fixture.venue.place(target))
        await fixture.setPrice("52100")
        await eventually("flat", async () => (await held()) === "0")
        const fills = answer(await fixture.venue.fills(target.symbol, target.market, target))
        expect(fills.map((fill) => fill.price)).toEqual(["52100"])
      })

      test("given more to reduce than is held, then never more is traded than what is held", async () => {
        await hold("0.01")
        const outcome = await fixture.venue.place(exit({ leg: "flatten", type: "market", quantity: "0.03" }))
        if (usesLists()) {
          // Without reduce-only at the exchange the whole request is refused: what is held has to be asked for.
          expect(outcome).toMatchObject({ _tag: "Refused", class: "race" })
          expect(await held()).toBe("0.01")
          return
        }
        valueOf(outcome)
        await eventually("flat", async () => (await held()) === "0")
      })
    })

    describe("an entry with its bracket as one list", () => {
      const draft = (change: Partial<OtocoRequest> = {}): OtocoRequest => ({
        entry: requestFor(fixture, { type: "limit", price: "49000", timeInForce: "GTC" }),
        side: "sell",
        quantity: "0.01" as DecimalString,
        listClientOrderId: freshId("L"),
        stop: { clientOrderId: freshId("S"), triggerPrice: "48000" as DecimalString },
        target: { clientOrderId: freshId("T"), price: "51000" as DecimalString },
        ...change,
      })
      const offered = (): boolean => usesLists() && fixture.venue.placeOtoco !== undefined
      const otoco = async (request: OtocoRequest): Promise<Outcome<OtocoAcknowledgement>> =>
        (await fixture.venue.placeOtoco?.(request)) ?? { _tag: "Unknown", reason: "not offered" }
      const legOf = async (id: ClientOrderId): Promise<VenueOrder | undefined> =>
        answer(await fixture.venue.query(fixture.symbol, fixture.market, id))
      const untilLeg = (id: ClientOrderId, is: (order: VenueOrder) => boolean): Promise<VenueOrder> =>
        eventually(`the leg ${id}`, async () => {
          const order = await legOf(id)
          return order !== undefined && is(order) ? order : undefined
        })

      test("given that it rests, then its bracket waits; when all of it is filled, then the bracket is in force, and its stop closes", async () => {
        if (!offered()) return
        const heard = record(fixture.venue)
        const request = draft()
        const placed = valueOf(await otoco(request))
        expect(placed.entry).toMatchObject({ clientOrderId: request.entry.clientOrderId, status: "new" })
        for (const leg of [request.stop, request.target])
          expect(await legOf(leg.clientOrderId)).toMatchObject({ status: "new", pending: true })
        await fixture.setPrice("48900")
        await untilStatus(request.entry, "filled")
        const stop = await untilLeg(request.stop.clientOrderId, (order) => order.pending !== true)
        expect(stop).toMatchObject({ status: "new", type: "stop", triggerPrice: "48000", quantity: "0.01" })
        expect(await legOf(request.target.clientOrderId)).toMatchObject({ status: "new", type: "limit", price: "51000" })
        await fixture.setPrice("48000")
        await eventually("flat", async () => (await held()) === "0")
        expect(await untilLeg(request.target.clientOrderId, (order) => order.status === "expired")).toMatchObject({ endedBySibling: true })
        await eventually("the stop's fill in the stream", () => heard.fillsOf(request.stop.clientOrderId).length === 1)
      })

      test("given that it fills at once, then the bracket is in force soon after", async () => {
        if (!offered()) return
        const request = draft({ entry: requestFor(fixture, { type: "limit", price: "50500", timeInForce: "GTC" }) })
        valueOf(await otoco(request))
        await untilStatus(request.entry, "filled")
        await untilLeg(request.stop.clientOrderId, (order) => order.pending !== true && order.status === "new")
      })

      test("given that the entry is cancelled, then its bracket is gone with it, and nothing is reserved", async () => {
        if (!offered()) return
        const free = answer(await fixture.venue.balances())
        const request = draft()
        valueOf(await otoco(request))
        valueOf(await fixture.venue.cancel(fixture.symbol, fixture.market, request.entry.clientOrderId))
        for (const leg of [request.stop, request.target]) await untilLeg(leg.clientOrderId, ({ status }) => status !== "new")
        expect(answer(await fixture.venue.openOrders(fixture.symbol, fixture.market))).toEqual([])
        expect(answer(await fixture.venue.balances())).toEqual(free)
      })

      test("given a bracket for more than the entry leaves, when it is filled, then the legs expire, and what was bought is free", async () => {
        if (!offered()) return
        const request = draft({ quantity: "0.02" as DecimalString })
        valueOf(await otoco(request))
        await fixture.setPrice("48900")
        await untilStatus(request.entry, "filled")
        for (const leg of [request.stop, request.target]) await untilLeg(leg.clientOrderId, ({ status }) => status === "expired")
        valueOf(await fixture.venue.place(exit({ leg: "flatten", type: "market" })))
        await eventually("flat", async () => (await held()) === "0")
      })

      test.each([
        ["a bracket off the step", { quantity: "0.0100000001" as DecimalString }],
        ["a stop off the tick", { stop: { clientOrderId: freshId("S"), triggerPrice: "48000.001" as DecimalString } }],
      ] as const)("given %s, then all of it is refused for good, and nothing is there", async (_what, change) => {
        if (!offered()) return
        const request = draft(change)
        expect(await otoco(request)).toMatchObject({ _tag: "Refused", class: "fatal" })
        expect(answer(await fixture.venue.openOrders(fixture.symbol, fixture.market))).toEqual([])
        expect(await find(request.entry)).toBeUndefined()
      })

      test("given a lost reply, then the outcome is unknown, and the entry and its legs are found by their ids", async () => {
        if (!offered()) return
        await fixture.faults.loseReply("list")
        const request = draft()
        expect(await otoco(request)).toMatchObject({ _tag: "Unknown" })
        expect(await find(request.entry)).toMatchObject({ status: "new" })
        expect(await legOf(request.stop.clientOrderId)).toMatchObject({ pending: true })
      })
    })

    describe("faults of the world", () => {
      test("given a lost reply, then the outcome is unknown, the question finds the order, and there is one", async () => {
        await fixture.faults.loseReply("entry")
        const request = requestFor(fixture)
        expect(await fixture.venue.place(request)).toMatchObject({ _tag: "Unknown" })
        expect(await untilStatus(request, "filled")).toMatchObject({ filledQuantity: "0.01" })
        expect(await fixture.allClientIds()).toEqual([request.clientOrderId])
      })

      test("given a request that never arrives, then the outcome is unknown, and the venue does not know it", async () => {
        await fixture.faults.dropRequest("entry")
        const request = requestFor(fixture)
        expect(await fixture.venue.place(request)).toMatchObject({ _tag: "Unknown" })
        expect(await find(request)).toBeUndefined()
        expect(await fixture.allClientIds()).toEqual([])
      })

      test("given a lost reply to a cancel, then it is unknown, and the order is cancelled", async () => {
        const request = requestFor(fixture, { type: "limit", price: "40000", timeInForce: "GTC" })
        valueOf(await fixture.venue.place(request))
        await fixture.faults.loseReply("cancel")
        expect(await fixture.venue.cancel(request.symbol, request.market, request.clientOrderId)).toMatchObject({ _tag: "Unknown" })
        expect(await find(request)).toMatchObject({ status: "cancelled" })
      })

      test("given a lost answer to a question, then the answer is unknown, not nothing", async () => {
        await fixture.faults.loseReply("query")
        expect(await fixture.venue.query(fixture.symbol, fixture.market, freshId())).toMatchObject({ _tag: "Unknown" })
        expect(await fixture.venue.query(fixture.symbol, fixture.market, freshId())).toEqual({ _tag: "Known", value: undefined })
      })

      test("given a venue that lags behind itself, then an accepted order is not found at first, and found within absenceProofMs", async () => {
        await fixture.faults.notFoundFor(300)
        const request = requestFor(fixture)
        valueOf(await fixture.venue.place(request))
        expect(await find(request)).toBeUndefined()
        await eventually("found", () => find(request), fixture.venue.absenceProofMs)
      })

      test("given partial fills, then each is told, and they add up to the order", async () => {
        const heard = record(fixture.venue)
        await fixture.faults.partialFills(3, 20)
        const request = requestFor(fixture, { quantity: "0.01" })
        valueOf(await fixture.venue.place(request))
        const order = await untilStatus(request, "filled")
        expect(order.fills).toHaveLength(3)
        expect(str(sum((order.fills ?? []).map((fill) => dec(fill.quantity))))).toBe("0.01")
        await eventually("three fills in the stream", () => heard.fillsOf(request.clientOrderId).length === 3)
      })

      test("given events that come twice, then they carry the same trade ids", async () => {
        const heard = record(fixture.venue)
        await fixture.faults.duplicateEvents()
        const request = requestFor(fixture)
        valueOf(await fixture.venue.place(request))
        const told = (): number =>
          heard.events.filter((e) => e._tag === "Order" && e.order.clientOrderId === request.clientOrderId && e.fill !== undefined).length
        await eventually("the fill", () => told() >= (options.removesDuplicates === true ? 1 : 2))
        expect(heard.fillsOf(request.clientOrderId)).toHaveLength(1)
        if (options.removesDuplicates !== true) return
        // Whatever was sent twice has come before the fill of a later order.
        const later = requestFor(fixture)
        valueOf(await fixture.venue.place(later))
        await eventually("the fill of a later order", () => heard.fillsOf(later.clientOrderId).length === 1)
        expect(told()).toBe(1)
      })
    })

    test("given a subscription, then a gap is told first: ask for what is live", () => {
      const heard = record(fixture.venue)
      expect(heard.events[0]).toMatchObject({ _tag: "Gap" })
      heard.stop()
    })

    if (options.processes === false) return
    describe("processes", () => {
      test("given two instances on one account, then each hears of the other's orders, and an id is a duplicate across them", async () => {
        const other = await fixture.another()
        const heard = record(other)
        const request = requestFor(fixture, { type: "limit", price: "40000", timeInForce: "GTC" })
        valueOf(await fixture.venue.place(request))
        const seen = (status: string): boolean =>
          heard.events.some((e) => e._tag === "Order" && e.order.clientOrderId === request.clientOrderId && e.order.status === status)
        await eventually("the order of the other instance", () => seen("new"))
        expect(await other.place({ ...request })).toMatchObject({ _tag: "Refused", class: "duplicate" })
        valueOf(await other.cancel(request.symbol, request.market, request.clientOrderId))
        expect(await find(request)).toMatchObject({ status: "cancelled" })
        await eventually("its own cancel", () => seen("cancelled"))
        await other.close()
      })

      test("given a restart, then orders, fills, balances and resting stops are there, and the stop still fires", async () => {
        await hold()
        const stop = exit({ type: "stop", triggerPrice: "49000" })
        valueOf(await fixture.venue.place(stop))
        const balances = answer(await fixture.venue.balances())
        const ids = await fixture.allClientIds()
        await fixture.restart()
        expect(answer(await fixture.venue.balances())).toEqual(balances)
        expect(await fixture.allClientIds()).toEqual(ids)
        expect(await find(stop)).toMatchObject({ status: "new" })
        await fixture.setPrice("48000")
        await eventually("flat", async () => (await held()) === "0")
      })
    })
  })
}
