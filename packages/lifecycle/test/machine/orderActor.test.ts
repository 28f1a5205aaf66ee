/** An order steps without an actor around it until somebody asks for that actor: both, and an inspected one, are the same order. */
import type { Decimal, OrderEvent } from "@petrosa/contracts"
import { dec, div, eq, floorTo, isPositive, lte, str, sub, sum, ZERO } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import type { InspectionEvent } from "xstate"
import type { OrderContext, Standing } from "../../src/index.ts"
import {
  averageFillPrice,
  averageFillPriceText,
  bracketPrices,
  evolve,
  fits,
  hasLiveLegs,
  heldQuantity,
  initialContext,
  legQuantity,
  liveLegs,
  OrderActor,
  OrderSystem,
  openQuantity,
  planPrices,
  orderMachine,
  sampleEvents,
  stopsCover,
} from "../../src/index.ts"
import { armedLeftover } from "../../src/machine/lists.ts"
import { ORDER, T0, Trail } from "./support.ts"
import { choicesOf, mannerOf, run } from "./violations.ts"

const SEEDS = 24

const deepFreeze = <T>(value: T): T => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
  return value
}

describe("an order and its xstate actor", () => {
  it("given what random venues do to orders, when one is looked at from the start, one later, one is inspected and one is not, then all are the same", {
    timeout: 120_000,
  }, () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { world } = run(choicesOf(seed), mannerOf(seed))
      const plain = new OrderActor(ORDER)
      const others = [new OrderActor(ORDER), new OrderActor(ORDER), new OrderActor(ORDER, { inspect: () => {} })]
      const [early, late] = others
      expect(early?.ref.getSnapshot().value).toEqual(plain.regions)
      for (const { event, version, atMs } of world.trail.steps) {
        if (version === 4 + (seed % 9)) expect(late?.ref.getSnapshot().context).toEqual(plain.context)
        const samples = version % 7 === 0 ? sampleEvents(plain.context, plain.regions.order, atMs) : []
        for (const sample of samples) for (const other of others) expect(other.can(sample, atMs), sample.type).toBe(plain.can(sample, atMs))
        const taken = plain.take(event, version, atMs)
        for (const other of others) {
          expect(other.take(event, version, atMs), `seed ${seed}, version ${version}, ${event.type}`).toEqual(taken)
          expect(other.regions).toEqual(plain.regions)
        }
        const { value, context, status } = plain.snapshot
        const seen = early?.ref.getSnapshot()
        expect({ value, context, status }).toEqual({ value: seen?.value, context: seen?.context, status: seen?.status })
      }
    }
  })

  it("given what random venues do to orders, when one goes on from where another stood, through JSON, then it is the same order ever after", {
    timeout: 120_000,
  }, () => {
    for (let seed = 100; seed < 100 + SEEDS; seed++) {
      const { steps } = run(choicesOf(seed), mannerOf(seed)).world.trail
      for (const stop of [1, 3, 5 + (seed % 7), steps.length - 1]) {
        const whole = new OrderActor(ORDER)
        for (const { event, version, atMs } of steps.slice(0, stop)) whole.take(event, version, atMs)
        const from = JSON.parse(JSON.stringify(whole.standing)) as Standing
        const later = new OrderActor(ORDER, { from })
        expect(later.standing).toEqual(whole.standing)
        for (const { event, version, atMs } of steps.slice(stop)) {
          expect(later.can(event, atMs), event.type).toBe(whole.can(event, atMs))
          expect(later.take(event, version, atMs), `seed ${seed} from ${stop}: ${event.type}`).toEqual(whole.take(event, version, atMs))
          expect(later.regions).toEqual(whole.regions)
        }
        const { value, context } = later.ref.getSnapshot()
        expect({ value, context }).toEqual({ value: whole.regions, context: whole.context })
      }
    }
  })

  it("given a state that no region has, when an order is to go on from there, then it is refused", () => {
    const { context } = new OrderActor(ORDER)
    expect(() => new OrderActor(ORDER, { from: { regions: { order: "x", entry: "none", protection: "none" }, context } })).toThrow()
  })

  it("given an order under way, when somebody subscribes to its actor, then further events are heard there, with xstate's own snapshots", () => {
    const trail = new Trail()
    trail.begin()
    const heard: unknown[] = []
    trail.actor.ref.subscribe((snapshot) => heard.push([snapshot.value.entry, snapshot.matches({ order: "placed" })]))
    expect(trail.actor.ref).toBe(trail.actor.ref)
    trail.accepted()
    expect(heard).toEqual([["working", true]])
    expect(orderMachine.getPersistedSnapshot(trail.actor.snapshot as never)).toMatchObject({ status: "active", value: trail.actor.regions })
  })

  it("given an inspected order, when it takes an event, then xstate tells of the event, the microsteps and the snapshot", () => {
    const seen: InspectionEvent["type"][] = []
    const actor = new OrderActor(ORDER, { inspect: ({ type }) => seen.push(type) })
    const trail = new Trail()
    trail.begin()
    seen.length = 0
    actor.take(trail.steps[0]?.event as OrderEvent, 1, T0)
    expect(seen).toEqual(expect.arrayContaining(["@xstate.event", "@xstate.microstep", "@xstate.snapshot"]))
  })

  it("given an actor in a system, when its order is stopped, then it is stopped with it, also one that is asked for afterwards", () => {
    const system = new OrderSystem()
    const [one, two] = [new OrderActor(ORDER, { system }), new OrderActor(ORDER, { system })]
    expect(one.ref.getSnapshot().status).toBe("active")
    for (const actor of [one, two]) actor.stop()
    for (const actor of [one, two]) {
      expect(actor.ref.getSnapshot().status).toBe("stopped")
      expect(actor.take({ type: "OrderUnparked", data: { by: "x" } } as unknown as OrderEvent, 1, T0)).toBeUndefined()
    }
  })

  it.each([
    ["by itself", false],
    ["with its actor", true],
  ])(
    "given a step that throws, when the order runs %s, then it has changed nothing, and throws at every further event",
    (_how, withActor) => {
      const trail = new Trail()
      trail.begin()
      const actor = new OrderActor(ORDER)
      if (withActor) actor.ref.getSnapshot()
      const before = actor.context
      const broken = { type: "SignalReceived", data: null } as unknown as OrderEvent
      expect(() => actor.take(broken, 1, T0)).toThrow(TypeError)
      expect(actor.context).toBe(before)
      expect(() => actor.take(trail.steps[0]?.event as OrderEvent, 1, T0)).toThrow(TypeError)
    },
  )
})

/** The questions of lot.ts as they are meant, asked of nothing but the context. */
const held = (c: OrderContext): Decimal =>
  c.entry === null ? ZERO : sub(sub(sub(dec(c.entry.filled), dec(c.entry.feesBase)), dec(c.exit.quantity)), dec(c.dust))
const open = (c: OrderContext): Decimal => (c.plan === null ? held(c) : floorTo(held(c), dec(c.plan.stepSize)))
const liveStops = (c: OrderContext): Decimal =>
  sum(
    c.legs.filter(({ leg, status }) => leg === "stop" && status === "live").map(({ quantity, filled }) => sub(dec(quantity), dec(filled))),
  )
const covered = (c: OrderContext): boolean => {
  const uncovered = sub(open(c), liveStops(c))
  return !isPositive(uncovered) || (lte(uncovered, armedLeftover(c)) && !fits(c, uncovered))
}

describe("what is kept of a lot", () => {
  it("given contexts of many orders, when they are asked in any order, then the answers are those of each context alone", () => {
    const contexts: OrderContext[] = []
    for (let seed = 0; seed < SEEDS; seed++) {
      let context: OrderContext = { ...initialContext, order: ORDER }
      for (const { event, version, atMs } of run(choicesOf(seed), mannerOf(seed)).world.trail.steps) {
        // What an event changes is put into a copy: nothing that an earlier context holds may be touched.
        context = evolve(deepFreeze(context), { ...event, version, atMs } as Parameters<typeof evolve>[1])
        contexts.push(context)
      }
    }
    expect(contexts.length).toBeGreaterThan(200)
    const asked = [...contexts, ...choicesOf(7, 2000).map((n, i) => contexts[(n * 31 + i) % contexts.length] as OrderContext)]
    for (const c of asked) {
      expect(stopsCover(c)).toBe(covered(c))
      expect(eq(heldQuantity(c), held(c))).toBe(true)
      expect(str(openQuantity(c))).toBe(str(open(c)))
      expect(eq(legQuantity(c, "stop", ["live"]), liveStops(c))).toBe(true)
      const price = c.entry === null || c.entry.filled === "0" ? undefined : div(dec(c.entry.quote), dec(c.entry.filled))
      // As text: one number may have several forms.
      expect(JSON.stringify(averageFillPrice(c))).toBe(JSON.stringify(price))
      expect(averageFillPriceText(c)).toBe(str(price ?? ZERO))
      expect(JSON.stringify(planPrices(c))).toBe(
        JSON.stringify(price === undefined || c.plan === null ? undefined : bracketPrices(c.plan, price)),
      )
      const live = c.legs.filter(({ status }) => status !== "over" && status !== "pending")
      expect(liveLegs(c)).toEqual(live)
      expect(hasLiveLegs(c)).toBe(live.length > 0)
    }
  })
})
