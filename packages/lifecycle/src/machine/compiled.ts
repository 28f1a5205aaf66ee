/**
 * The same machine with its transitions read from a table that was made of the machine itself: what xstate looks for anew
 * at every step (which regions take the event, which arrow's guard lets it through, the new configuration) is looked up.
 * Whoever only steps an order keeps its {@link Position} (no snapshot, no mailbox); {@link compileMachine} makes xstate actors
 * of the same table: real snapshots, `can`, `matches`, inspection of events and snapshots.
 *
 * Why: a lifecycle of nine events took some 400 µs in xstate's general algorithm, about a quarter of all that an order cost then.
 *
 * Promises: the same next configuration, the same context, the same actions in the same order as the machine itself
 * (test/machine/compiled.test.ts compares the two over every path and over random venues). {@link TransitionTable} refuses a machine
 * that uses more of xstate than the table knows: parallel regions of flat states, guards and actions by name, `always`.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate"

/** As much of xstate's inside as the table is made of: pinned by the exact version in the workspace's catalog, and by the tests. */
interface Arrow {
  readonly guard?: { readonly type: string; readonly params?: unknown } | ((args: Asked, params: undefined) => boolean)
  readonly target?: readonly AnyStateNode[] | undefined
  readonly actions: readonly (string | { readonly type: string; readonly params?: unknown })[]
}
interface Asked {
  readonly context: object
  readonly event: { readonly type: string }
}
export interface Snapshot {
  readonly status: string
  readonly context: object
  readonly value: Readonly<Record<string, string>>
  readonly _nodes: readonly AnyStateNode[]
}

type Guard = (args: Asked) => boolean
/** The new context, or `undefined` of an action that only does something. */
type Act = (context: object, event: Asked["event"]) => object | undefined

interface Step {
  readonly guard: Guard | undefined
  /** The state that the region is in after it; `undefined` stays. */
  readonly to: string | undefined
  readonly acts: readonly Act[]
}
interface Place {
  readonly on: ReadonlyMap<string, readonly Step[]>
  readonly always: readonly Step[]
}
/** What one event type may do in a configuration: the arrows of each region, in the machine's order. */
type Arrows = readonly (readonly Step[])[]

/** One value of the machine: its snapshot without context, and the place of each region. */
export interface Configuration {
  readonly template: Snapshot
  readonly places: readonly Place[]
  /** By event type, found once; `undefined`: no region takes it here. */
  readonly arrows: Map<string, Arrows | undefined>
  /** The arrows without an event; `undefined`: there are none here. */
  readonly always: Arrows | undefined
  /** The configuration after region `i` went to a state, found once. */
  readonly next: readonly Map<string, Configuration>[]
}

/** Where somebody who runs from the table is: what a snapshot says, in two fields. */
export interface Position {
  configuration: Configuration
  context: object
}

const NONE: readonly Step[] = []
/** Arrows without an event, one after the other, that lead nowhere new would run for ever. */
const MICROSTEPS_MAX = 100

const BEGIN = { type: "xstate.init" } as const

const unsupported = (what: string): Error => new Error(`this machine cannot be compiled: ${what}`)

/** The first that lets the event through. */
const firstOpen = (steps: readonly Step[], args: Asked): Step | undefined => {
  for (const step of steps) if (step.guard === undefined || step.guard(args)) return step
  return undefined
}

/** `undefined` when no region has an arrow. */
const anyOf = (arrows: Arrows): Arrows | undefined => (arrows.some((steps) => steps.length > 0) ? arrows : undefined)

export class TransitionTable {
  readonly #machine: AnyStateMachine
  readonly #whole: ReadonlySet<string>
  readonly #regions: readonly string[]
  readonly #places: readonly ReadonlyMap<string, Place>[]
  readonly #root: ReadonlyMap<string, readonly Step[]>
  readonly #first: Configuration
  readonly #configurations = new Map<string, Configuration>()
  /** Snapshots of one configuration share its list of nodes. */
  readonly #byNodes = new WeakMap<readonly AnyStateNode[], Configuration>()
  /** Where the step that is being taken is, and the arrows of its microstep: one at a time, since guards and actions start no other. */
  readonly #at: Position = { configuration: undefined as never, context: {} }
  readonly #taken: (Step | undefined)[] = []

  /** @param whole assignments that give the whole context and not a part of it: nothing has to be merged */
  constructor(machine: AnyStateMachine, whole: readonly string[] = []) {
    const { root } = machine
    if (root.type !== "parallel" || root.entry.length > 0 || root.exit.length > 0 || (root.always ?? []).length > 0)
      throw unsupported("its root is not a plain parallel state")
    this.#machine = machine
    this.#whole = new Set(whole)
    this.#regions = Object.keys(root.states)
    this.#root = this.#arrowsOf(root)
    this.#places = this.#regions.map((name) => this.#placesOf(root.states[name] as AnyStateNode))
    this.#first = this.#configuration(
      Object.fromEntries(this.#regions.map((name) => [name, this.#initialOf(root.states[name] as AnyStateNode)])),
    )
  }

  #placesOf(region: AnyStateNode): ReadonlyMap<string, Place> {
    if (region.type !== "compound" || region.transitions.size > 0 || (region.always ?? []).length > 0)
      throw unsupported(`region ${region.key} has arrows of its own`)
    const places = new Map<string, Place>()
    for (const [key, node] of Object.entries(region.states) as [string, AnyStateNode][]) {
      if (node.type !== "atomic" || node.entry.length + node.exit.length + node.invoke.length + node.tags.length > 0)
        throw unsupported(`state ${node.id} is more than a plain state`)
      places.set(key, { on: this.#arrowsOf(node), always: ((node.always ?? []) as readonly Arrow[]).map((arrow) => this.#step(arrow)) })
    }
    return places
  }

  #initialOf(region: AnyStateNode): string {
    const { target, actions } = region.initial as unknown as Arrow
    const [first] = target ?? []
    if (first === undefined || actions.length > 0) throw unsupported(`the beginning of region ${region.key}`)
    return first.key
  }

  #arrowsOf(node: AnyStateNode): ReadonlyMap<string, readonly Step[]> {
    const on = new Map<string, readonly Step[]>()
    for (const [type, arrows] of node.transitions as unknown as ReadonlyMap<string, readonly Arrow[]>) {
      if (type.includes("*") || type === "") throw unsupported(`the arrow ${node.id} on "${type}"`)
      on.set(
        type,
        arrows.map((arrow) => this.#step(arrow)),
      )
    }
    return on
  }

  #step({ guard, target, actions }: Arrow): Step {
    if ((target?.length ?? 0) > 1) throw unsupported("an arrow with several targets")
    return { guard: this.#guard(guard), to: target?.[0]?.key, acts: actions.map((action) => this.#act(action)) }
  }

  #guard(guard: Arrow["guard"]): Guard | undefined {
    if (guard === undefined) return undefined
    if (typeof guard === "function") {
      if ("check" in guard) throw unsupported("a guard made of other guards")
      return (args) => guard(args, undefined)
    }
    const found: unknown = this.#machine.implementations.guards[guard.type]
    if (typeof found !== "function" || "check" in found) throw unsupported(`guard ${guard.type}`)
    const ask = found as (args: Asked, params: unknown) => boolean
    return (args) => ask(args, guard.params)
  }

  #act(action: Arrow["actions"][number]): Act {
    const { type, params } = typeof action === "string" ? { type: action, params: undefined } : action
    const found: unknown = this.#machine.implementations.actions[type]
    if (typeof found !== "function") throw unsupported(`action ${type}`)
    if ("assignment" in found) {
      const { assignment } = found as unknown as { readonly assignment: unknown }
      if (typeof assignment !== "function") throw unsupported(`assignment ${type} by parts`)
      const whole = this.#whole.has(type)
      const assigned = assignment as (args: Asked, params: unknown) => object
      return (context, event) => {
        const change = assigned({ context, event }, params)
        return whole ? change : { ...context, ...change }
      }
    }
    if ("resolve" in found) throw unsupported(`action ${type} is one of xstate's own`)
    const custom = found as unknown as (args: Asked, params: unknown) => void
    return (context, event) => {
      custom({ context, event }, params)
      return undefined
    }
  }

  #configuration(value: Readonly<Record<string, string>>): Configuration {
    const key = this.#regions.map((region) => value[region]).join(" ")
    const known = this.#configurations.get(key)
    if (known !== undefined) return known
    const template = this.#machine.resolveState({ value, context: {} }) as unknown as Snapshot
    const places = this.#regions.map((region, i) => {
      const place = this.#places[i]?.get(value[region] ?? "")
      if (place === undefined) throw unsupported(`${region} is in ${value[region]}`)
      return place
    })
    const configuration: Configuration = {
      template,
      places,
      arrows: new Map(),
      always: anyOf(places.map((place) => place.always)),
      next: this.#regions.map(() => new Map()),
    }
    this.#configurations.set(key, configuration)
    this.#byNodes.set(template._nodes, configuration)
    return configuration
  }

  #moved(from: Configuration, region: number, to: string): Configuration {
    const known = from.next[region]?.get(to)
    if (known !== undefined) return known
    const name = this.#regions[region] as string
    const moved = this.#configuration({ ...from.template.value, [name]: to })
    from.next[region]?.set(to, moved)
    return moved
  }

  /** What this event type may do here. Event types that the machine does not know are not remembered: they have no end. */
  #arrowsFor(from: Configuration, type: string): Arrows | undefined {
    const known = from.arrows.get(type)
    if (known !== undefined || from.arrows.has(type)) return known
    const found = anyOf(from.places.map((place) => place.on.get(type) ?? NONE))
    if (found !== undefined || this.#root.has(type)) from.arrows.set(type, found)
    return found
  }

  /**
   * One microstep: the first arrow of each region that lets the event through, all guards asked before anything changes.
   * False: there is none, and nothing has changed.
   */
  #micro(at: Position, arrows: Arrows, event: Asked["event"]): boolean {
    const args: Asked = { context: at.context, event }
    const taken = this.#taken
    let any = false
    for (let i = 0; i < arrows.length; i++) {
      const step = firstOpen(arrows[i] ?? NONE, args)
      taken[i] = step
      if (step !== undefined) any = true
    }
    if (!any) return false
    for (let i = 0; i < arrows.length; i++) {
      const step = taken[i]
      if (step === undefined) continue
      if (step.to !== undefined) at.configuration = this.#moved(at.configuration, i, step.to)
      for (const act of step.acts) at.context = act(at.context, event) ?? at.context
    }
    return true
  }

  /** The arrows of no region: they change no configuration. */
  #atRoot(at: Position, event: Asked["event"]): void {
    const steps = this.#root.get(event.type)
    const found = steps === undefined ? undefined : firstOpen(steps, { context: at.context, event })
    if (found !== undefined) for (const act of found.acts) at.context = act(at.context, event) ?? at.context
  }

  /** The arrows without an event, as many as there are. */
  #settle(at: Position, event: Asked["event"]): void {
    for (let n = 0; ; n++) {
      const { always } = at.configuration
      if (always === undefined || !this.#micro(at, always, event)) return
      if (n >= MICROSTEPS_MAX) throw new Error(`arrows without an event go round and round after ${event.type}`)
    }
  }

  /** Where an order with this context begins. */
  begin(context: object, event: Asked["event"] = BEGIN): Position {
    const at: Position = { configuration: this.#first, context }
    this.#settle(at, event)
    return at
  }

  /** Where the regions are in these states. @throws when one has no such state */
  at(value: Readonly<Record<string, string>>, context: object): Position {
    return { configuration: this.#configuration(value), context }
  }

  /** Where this snapshot of the machine is. */
  positionOf(snapshot: Snapshot): Position {
    return { configuration: this.#byNodes.get(snapshot._nodes) ?? this.#configuration(snapshot.value), context: snapshot.context }
  }

  snapshotOf({ configuration, context }: Position): Snapshot {
    return { ...configuration.template, context }
  }

  /** Goes on to where this event leads: what it does not lead anywhere changes nothing. When a step throws, it stays as it was. */
  step(position: Position, event: Asked["event"]): void {
    const at = this.#at
    at.configuration = position.configuration
    at.context = position.context
    const arrows = this.#arrowsFor(at.configuration, event.type)
    if (arrows === undefined || !this.#micro(at, arrows, event)) this.#atRoot(at, event)
    this.#settle(at, event)
    position.configuration = at.configuration
    position.context = at.context
  }

  transition(snapshot: Snapshot, event: Asked["event"]): Snapshot {
    const from = this.positionOf(snapshot)
    const to = { ...from }
    this.step(to, event)
    return to.configuration === from.configuration && to.context === from.context ? snapshot : this.snapshotOf(to)
  }
}

/**
 * The machine with a table for its transitions. What is not an event of its own (xstate's stop) it does as before.
 * @param table the table of that machine
 */
export const compileMachine = <M extends AnyStateMachine>(machine: M, table: TransitionTable): M => {
  const general = machine.transition.bind(machine) as (snapshot: unknown, event: unknown, scope: unknown) => unknown
  const contextOf: unknown = machine.config.context
  if (typeof contextOf !== "function") throw unsupported("its context is not made of its input")
  return Object.assign(Object.create(machine) as M, {
    getInitialSnapshot: (_scope: unknown, input: unknown) =>
      table.snapshotOf(table.begin((contextOf as (args: { readonly input: unknown }) => object)({ input }))),
    transition: (snapshot: Snapshot, event: Asked["event"], scope: unknown) =>
      snapshot.status !== "active" || event.type.startsWith("xstate.")
        ? general(snapshot, event, scope)
        : table.transition(snapshot, event),
  })
}
