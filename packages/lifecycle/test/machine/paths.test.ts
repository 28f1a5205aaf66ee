/**
 * Every path of the machine up to a length: at each of its steps the order is rehydrated, from its events alone and from
 * xstate's persisted snapshot, with the same state, context and commands.
 *
 * The walk is our own and not `xstate/graph`'s: that one merges places and joins paths that led to them, which is right for
 * events without data only; ours carry ids, amounts and versions that depend on the whole path before.
 */
import type { Command, OrderEvent } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { createActor } from "xstate"
import type { OrderContext, Recorded } from "../../src/index.ts"
import { FOLLOW_UPS_MAX, followUp, OrderActor, orderMachine, outstanding, sampleEvents, whatNext } from "../../src/index.ts"
import { ORDER, spotRules, spotVenue, T0, Trail } from "./support.ts"

type Snapshot = ReturnType<typeof orderMachine.resolveState>
interface Walked {
  readonly events: readonly Recorded[]
  readonly snapshot: Snapshot
}

/** Operators and crashes may come at any time: they multiply paths without adding one that is new. */
const ANY_TIME: ReadonlySet<string> = new Set(["OrderAdopted", "StepFailed", "OrderParked", "OrderUnparked"])

const begin = (): Walked => ({
  events: [],
  snapshot: createActor(orderMachine, { input: { order: ORDER } })
    .start()
    .getSnapshot(),
})

/** An entry that goes as one list with its bracket (spot), up to its intent, decided for real. */
const beginArmed = (): Walked => {
  const trail = new Trail()
  trail.begin({ orderType: "limit", market: "spot" }, spotRules, spotVenue)
  return trail.steps.reduce((walked, { event }): Walked => {
    const next = stepped(walked, event)
    if (next === undefined) throw new Error(`${event.type} is not taken`)
    return next
  }, begin())
}

/** The machine with one more event; `undefined`: it does not take it. */
const stepped = ({ events, snapshot }: Walked, given: OrderEvent): Walked | undefined => {
  const event = { ...given, version: events.length + 1, atMs: T0 + events.length * 10 } as Recorded
  if (!snapshot.can(event)) return undefined
  const actor = createActor(orderMachine, { input: { order: ORDER }, snapshot }).start()
  actor.send(event)
  const after = actor.getSnapshot()
  actor.stop()
  return { events: [...events, event], snapshot: after }
}

/** Every step that the machine takes from here with an example of each event; what follows by itself, follows. */
const stepsFrom = (walked: Walked): readonly Walked[] => {
  const { context, value } = walked.snapshot
  const found: Walked[] = []
  for (const sample of sampleEvents(context, value.order, T0 + walked.events.length * 10)) {
    if (ANY_TIME.has(sample.type)) continue
    let next = stepped(walked, sample)
    for (let n = 0; next !== undefined; n++) {
      found.push(next)
      const follows = followUp(next.snapshot.context)
      if (follows === undefined) break
      if (n > FOLLOW_UPS_MAX) throw new Error(`follow-ups feed themselves: ${pathOf(next)}`)
      found.pop()
      const after = stepped(next, follows)
      if (after === undefined) throw new Error(`the machine refuses its own ${follows.type} after ${pathOf(next)}`)
      next = after
    }
  }
  return found
}

interface Seen {
  readonly regions: unknown
  readonly context: OrderContext
  readonly commands: readonly Command[]
}

/** What another process has after reading these events from a store. */
const rehydrated = (events: readonly Recorded[]): Seen => {
  const actor = new OrderActor(ORDER)
  let commands: readonly Command[] = []
  for (const stored of JSON.parse(JSON.stringify(events)) as readonly Recorded[]) {
    const taken = actor.take(stored as OrderEvent, stored.version, stored.atMs)
    if (taken === undefined) throw new Error(`${stored.type} is not taken after a restart, in ${JSON.stringify(actor.regions)}`)
    commands = taken.commands
  }
  return { regions: actor.regions, context: actor.context, commands }
}

const pathOf = ({ events }: Walked): string => events.map(({ type }) => type).join(" > ")

const check = (walked: Walked): void => {
  const { value, context } = walked.snapshot
  const fromEvents = rehydrated(walked.events)
  expect(fromEvents, pathOf(walked)).toEqual({ regions: value, context, commands: context.commands })
  const persisted: unknown = JSON.parse(JSON.stringify(orderMachine.getPersistedSnapshot(walked.snapshot)))
  const restored = createActor(orderMachine, { input: { order: ORDER }, snapshot: persisted as never })
    .start()
    .getSnapshot()
  expect({ value: restored.value, context: restored.context }, pathOf(walked)).toEqual({ value, context })
}

/** Every path of at most so many events; each prefix of a path is one of them. */
const everyPath = function* (length: number): Generator<Walked> {
  const waiting = [begin()]
  for (let walked = waiting.pop(); walked !== undefined; walked = waiting.pop()) {
    yield walked
    if (walked.events.length < length) waiting.push(...stepsFrom(walked))
  }
}

const part = (filled: string, whole: string): string => (filled === "0" ? "none" : filled === whole ? "all" : "some")

/** Two orders are at the same place when nothing but counters, ids, amounts and times differ. */
const placeOf = ({ snapshot: { value, context: c } }: Walked): string =>
  JSON.stringify([
    value,
    c.entry === null ? null : [c.entry.status, c.entry.ended, part(c.entry.filled, c.entry.quantity), c.entry.cancelReason !== null],
    [...new Set(c.legs.map(({ leg, status }) => `${leg} ${status}`))].sort(),
    [c.closing !== null, c.closeNeeded !== null, c.settled, c.lotClosed],
  ])

/** One shortest path to every place that can be reached with so many events, nearest first. */
const everyPlace = (length: number, from: Walked = begin()): readonly Walked[] => {
  const known = new Map<string, Walked>()
  let edge: readonly Walked[] = [from]
  for (let n = from.events.length; n <= length && edge.length > 0; n++) {
    const next: Walked[] = []
    for (const walked of edge) {
      const place = placeOf(walked)
      if (known.has(place)) continue
      known.set(place, walked)
      next.push(...stepsFrom(walked))
    }
    edge = next
  }
  return [...known.values()]
}

describe("every path of the machine", () => {
  it("given every path of up to eight events, when it is rehydrated at each step, then state, context and commands are the same", {
    timeout: 120_000,
  }, () => {
    let paths = 0
    for (const walked of everyPath(8)) {
      check(walked)
      paths += 1
    }
    expect(paths).toBeGreaterThan(500)
  })

  it("given every place that nine steps lead to, when its path is rehydrated, then it is the same, and every state was seen", {
    timeout: 120_000,
  }, () => {
    const reached = new Set<string>()
    for (const walked of [...everyPlace(9), ...everyPlace(9, beginArmed())]) {
      check(walked)
      for (const [region, state] of Object.entries(walked.snapshot.value)) reached.add(`${region}:${state}`)
      for (const command of outstanding(walked.snapshot.context)) expect(command.type, pathOf(walked)).not.toBe("placeEntry")
    }
    const states = Object.entries(orderMachine.states).flatMap(([region, node]) =>
      Object.keys(node.states).map((state) => `${region}:${state}`),
    )
    expect(states.filter((state) => !reached.has(state))).toEqual([])
  })

  it("given any place, when the machine is asked what could happen next, then it calls possible what it takes, and nothing else", {
    timeout: 120_000,
  }, () => {
    let possible = 0
    for (const walked of [...everyPlace(8), ...everyPlace(8, beginArmed())]) {
      const { value, context } = walked.snapshot
      const atMs = T0 + walked.events.length * 10
      const samples = sampleEvents(context, value.order, atMs)
      for (const next of whatNext(ORDER, value, context, atMs)) {
        const taken = samples.filter(({ type }) => type === next.type).map((sample) => stepped(walked, sample)?.snapshot.value)
        const led = taken.filter((states) => states !== undefined)
        if (!next.possible) expect(led, `${next.type} after ${pathOf(walked)}`).toEqual([])
        else {
          possible += 1
          expect(led, `${next.type} after ${pathOf(walked)}`).toContainEqual(next.leadsTo)
        }
      }
    }
    expect(possible).toBeGreaterThan(200)
  })
})
