/**
 * The same machine with its transitions read from a table that was made of the machine itself: what xstate looks for anew
 * at every step (which regions take the event, which arrow's guard lets it through, the new configuration) is looked up.
 * The rest is xstate: real actors, real snapshots, `can`, `matches`, inspection of events and snapshots.
 *
 * Why: a lifecycle of nine events took some 400 µs in xstate's general algorithm, about a quarter of all that an order costs.
 *
 * Promises: the same next configuration, the same context, the same actions in the same order as the machine itself
 * (test/machine/compiled.test.ts compares the two over every path and over random venues). {@link compileMachine} refuses a machine
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
interface Snapshot {
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
/** One value of the machine: its snapshot without context, and the place of each region. */
interface Configuration {
  readonly template: Snapshot
  readonly places: readonly Place[]
  /** The configuration after region `i` went to a state, found once. */
  readonly next: readonly Map<string, Configuration>[]
}

const NONE: readonly Step[] = []
/** Arrows without an event, one after the other, that lead nowhere new would run for ever. */
const MICROSTEPS_MAX = 100

const unsupported = (what: string): Error => new Error(`this machine cannot be compiled: ${what}`)

class Table {
  readonly #machine: AnyStateMachine
  readonly #whole: ReadonlySet<string>
  readonly #regions: readonly string[]
  readonly #places: readonly ReadonlyMap<string, Place>[]
  readonly #root: ReadonlyMap<string, readonly Step[]>
  readonly #begin: Readonly<Record<string, string>>
  readonly #configurations = new Map<string, Configuration>()
  /** Snapshots of one configuration share its list of nodes. */
  readonly #byNodes = new WeakMap<readonly AnyStateNode[], Configuration>()

  constructor(machine: AnyStateMachine, whole: readonly string[]) {
    const { root } = machine
    if (root.type !== "parallel" || root.entry.length > 0 || root.exit.length > 0 || (root.always ?? []).length > 0)
      throw unsupported("its root is not a plain parallel state")
    this.#machine = machine
    this.#whole = new Set(whole)
    this.#regions = Object.keys(root.states)
    this.#root = this.#arrowsOf(root)
    this.#places = this.#regions.map((name) => this.#placesOf(root.states[name] as AnyStateNode))
    this.#begin = Object.fromEntries(this.#regions.map((name) => [name, this.#initialOf(root.states[name] as AnyStateNode)]))
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
    const configuration: Configuration = {
      template,
      places: this.#regions.map((region, i) => {
        const place = this.#places[i]?.get(value[region] ?? "")
        if (place === undefined) throw unsupported(`${region} is in ${value[region]}`)
        return place
      }),
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

  /** One microstep: the first arrow of each region that lets the event through, all guards asked before anything changes. */
  #micro(
    from: Configuration,
    context: object,
    event: Asked["event"],
    eventless: boolean,
  ): { configuration: Configuration; context: object } | undefined {
    const args = { context, event }
    const taken: (Step | undefined)[] = []
    let any = false
    for (const place of from.places) {
      let found: Step | undefined
      for (const step of eventless ? place.always : (place.on.get(event.type) ?? NONE)) {
        if (step.guard !== undefined && !step.guard(args)) continue
        found = step
        any = true
        break
      }
      taken.push(found)
    }
    let configuration = from
    let after = context
    if (!any) {
      if (eventless) return undefined
      const found = (this.#root.get(event.type) ?? NONE).find((step) => step.guard === undefined || step.guard(args))
      if (found === undefined) return undefined
      for (const act of found.acts) after = act(after, event) ?? after
      return { configuration, context: after }
    }
    for (let i = 0; i < taken.length; i++) {
      const step = taken[i]
      if (step === undefined) continue
      if (step.to !== undefined) configuration = this.#moved(configuration, i, step.to)
      for (const act of step.acts) after = act(after, event) ?? after
    }
    return { configuration, context: after }
  }

  /** Where an actor with this context begins. */
  initial(context: object, event: Asked["event"]): Snapshot {
    return this.#settled(this.#configuration(this.#begin), context, event)
  }

  transition(snapshot: Snapshot, event: Asked["event"]): Snapshot {
    const from = this.#byNodes.get(snapshot._nodes) ?? this.#configuration(snapshot.value)
    let configuration = from
    let context = snapshot.context
    const first = this.#micro(from, context, event, false)
    if (first !== undefined) ({ configuration, context } = first)
    const after = this.#settled(configuration, context, event)
    return after._nodes === snapshot._nodes && after.context === snapshot.context ? snapshot : after
  }

  /** After the arrows without an event, as many as there are. */
  #settled(from: Configuration, given: object, event: Asked["event"]): Snapshot {
    let configuration = from
    let context = given
    for (let n = 0; ; n++) {
      const more = this.#micro(configuration, context, event, true)
      if (more === undefined) return { ...configuration.template, context }
      if (n >= MICROSTEPS_MAX) throw new Error(`arrows without an event go round and round after ${event.type}`)
      ;({ configuration, context } = more)
    }
  }
}

/**
 * The machine with a table for its transitions. What is not an event of its own (xstate's stop) it does as before.
 * @param whole assignments that give the whole context and not a part of it: nothing has to be merged
 */
export const compileMachine = <M extends AnyStateMachine>(machine: M, whole: readonly string[] = []): M => {
  const table = new Table(machine, whole)
  const general = machine.transition.bind(machine) as (snapshot: unknown, event: unknown, scope: unknown) => unknown
  const contextOf: unknown = machine.config.context
  if (typeof contextOf !== "function") throw unsupported("its context is not made of its input")
  return Object.assign(Object.create(machine) as M, {
    getInitialSnapshot: (_scope: unknown, input: unknown) =>
      table.initial((contextOf as (args: { readonly input: unknown }) => object)({ input }), { type: "xstate.init" }),
    transition: (snapshot: Snapshot, event: Asked["event"], scope: unknown) =>
      snapshot.status !== "active" || event.type.startsWith("xstate.")
        ? general(snapshot, event, scope)
        : table.transition(snapshot, event),
  })
}
