/** The table that orders run from against xstate's own way through the same machine. */
import type { OrderEvent } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import type { AnyStateMachine } from "xstate"
import { assign, createActor, setup } from "xstate"
import type { Recorded } from "../../src/index.ts"
import { OrderActor, OrderSystem, orderMachine, sampleEvents } from "../../src/index.ts"
import { compileMachine, TransitionTable } from "../../src/machine/compiled.ts"
import { WHOLE_ASSIGNMENTS } from "../../src/machine/machine.ts"
import { ORDER, T0, Trail } from "./support.ts"
import { choicesOf, run } from "./violations.ts"

const compiled = compileMachine(orderMachine, new TransitionTable(orderMachine, WHOLE_ASSIGNMENTS))

type Snapshot = ReturnType<typeof orderMachine.resolveState>
const after = (machine: typeof orderMachine, snapshot: Snapshot, event: Recorded): Snapshot => {
  const actor = createActor(machine, { input: { order: ORDER }, snapshot }).start()
  actor.send(event)
  const next = actor.getSnapshot()
  actor.stop()
  return next
}
const seen = ({ value, context, status, tags, children }: Snapshot) => ({ value, context, status, tags: [...tags], children })

describe("the compiled machine", () => {
  it("given a new order, when an actor of it starts, then it begins as the machine itself does", () => {
    const start = (machine: typeof orderMachine) =>
      createActor(machine, { input: { order: ORDER } })
        .start()
        .getSnapshot()
    expect(seen(start(compiled))).toEqual(seen(start(orderMachine)))
    expect(start(compiled).matches({ order: "new", entry: "none" })).toBe(true)
  })

  it("given what random venues do to orders, when each event, and each that might have come instead, is taken, then both ways lead to the same", {
    timeout: 120_000,
  }, () => {
    const taken = new Set<string>()
    const refused = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const { world } = run(choicesOf(seed))
      let snapshot: Snapshot = createActor(orderMachine, { input: { order: ORDER } })
        .start()
        .getSnapshot()
      for (const { event, version, atMs } of world.trail.steps) {
        const given = { ...event, version, atMs } as Recorded
        const instead = version % 5 === 0 ? sampleEvents(snapshot.context, snapshot.value.order, atMs) : []
        for (const other of instead) {
          const sample = { ...other, version, atMs } as Recorded
          const [general, table] = [after(orderMachine, snapshot, sample), after(compiled, snapshot, sample)]
          expect(seen(table), `${JSON.stringify(snapshot.value)} + ${sample.type}`).toEqual(seen(general))
          expect(table.context === snapshot.context, sample.type).toBe(general.context === snapshot.context)
          ;(general.context === snapshot.context ? refused : taken).add(`${Object.values(snapshot.value).join(" ")} ${sample.type}`)
        }
        const next = after(orderMachine, snapshot, given)
        expect(seen(after(compiled, snapshot, given)), `seed ${seed}, version ${version}, ${event.type}`).toEqual(seen(next))
        snapshot = next
      }
    }
    expect(taken.size).toBeGreaterThan(100)
    expect(refused.size).toBeGreaterThan(5)
  })

  it("given every place of the machine, when any event type comes that no arrow of it takes, then nothing changes", () => {
    const trail = new Trail()
    trail.begin()
    const before = trail.actor.regions
    expect(trail.actor.take({ type: "SignalReceived", data: {} } as unknown as OrderEvent, trail.context.version + 1, T0)).toBeUndefined()
    expect(trail.actor.take({ type: "Nonsense", data: {} } as unknown as OrderEvent, trail.context.version + 1, T0)).toBeUndefined()
    expect(trail.actor.regions).toEqual(before)
  })

  it("given a system of orders, when one is stopped, then it takes nothing more, keeps its context, and the others go on", () => {
    const system = new OrderSystem()
    const received = new Trail()
    received.begin()
    const first = received.steps[0]?.event
    if (first === undefined) throw new Error("the trail is empty")
    const one = new OrderActor(ORDER, { system })
    const two = new OrderActor(ORDER, { system })
    expect(one.take(first, 1, T0)?.state).toBe("received")
    one.stop()
    one.stop()
    expect(one.context.version).toBe(1)
    expect(one.take(received.steps[1]?.event as OrderEvent, 2, T0)).toBeUndefined()
    expect(two.take(first, 1, T0)?.state).toBe("received")
  })

  it("given a step that throws, when the order lives in a system, then who took the event hears it and the others go on", () => {
    const system = new OrderSystem()
    const one = new OrderActor(ORDER, { system })
    const two = new OrderActor(ORDER, { system })
    const trail = new Trail()
    trail.begin()
    expect(() => one.take({ type: "SignalReceived", data: null } as unknown as OrderEvent, 1, T0)).toThrow()
    expect(two.take(trail.steps[0]?.event as OrderEvent, 1, T0)?.state).toBe("received")
  })

  it.each([
    ["a state with an entry action", { states: { r: { initial: "a", states: { a: { entry: () => {} } } } } }],
    ["a nested state", { states: { r: { initial: "a", states: { a: { initial: "b", states: { b: {} } } } } } }],
    ["a wildcard", { states: { r: { initial: "a", states: { a: { on: { "*": { target: "a" } } } } } } }],
    ["a delay", { states: { r: { initial: "a", states: { a: { after: { 10: "a" } } } } } }],
    ["an unknown action", { states: { r: { initial: "a", states: { a: { on: { x: { actions: "missing" } } } } } } }],
    ["an assignment by parts", { states: { r: { initial: "a", states: { a: { on: { x: { actions: "parts" } } } } } } }],
    ["one of xstate's own actions", { states: { r: { initial: "a", states: { a: { on: { x: { actions: "raise" } } } } } } }],
    ["a machine that is not parallel", { type: "compound", initial: "r", states: { r: {} } }],
  ])("given %s, when the machine is compiled, then it is refused, not run wrongly", (_name, config) => {
    const machine = setup({ actions: { parts: assign({ n: 1 }) } }).createMachine({
      id: "m",
      type: "parallel",
      context: () => ({}),
      ...(config as object),
    } as never) as unknown as AnyStateMachine
    expect(() => new TransitionTable(machine)).toThrow(/cannot be compiled/)
  })
})
