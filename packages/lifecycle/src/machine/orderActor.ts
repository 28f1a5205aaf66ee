/**
 * One order at run time: a real xstate actor, fed with recorded events, whose commands are collected and never run here.
 *
 * `take` is all there is: an event in, the state and the commands out, or a refusal when the machine does not take that
 * event in that state. A refused event has changed nothing.
 */
import type { Command, OrderEvent, OrderId, OrderState } from "@petrosa/contracts"
import type { Actor, InspectionEvent } from "xstate"
import { createActor } from "xstate"
import { compileMachine } from "./compiled.ts"
import type { OrderContext } from "./context.ts"
import type { Recorded } from "./evolve.ts"
import type { OrderMachine } from "./machine.ts"
import { orderMachine, takeCollected, WHOLE_ASSIGNMENTS } from "./machine.ts"
import type { OrderSystem } from "./orderSystem.ts"

export interface Taken {
  readonly state: OrderState
  readonly commands: readonly Command[]
  readonly context: OrderContext
}

/** Who inspects sees every microstep of the machine itself; all others run it from its table. */
const compiledMachine = compileMachine(orderMachine, WHOLE_ASSIGNMENTS)

export interface OrderActorOptions {
  /** The system that it is to live in, until it is stopped; without one it is a system of its own. */
  readonly system?: OrderSystem | undefined
  readonly inspect?: (event: InspectionEvent) => void
}

export class OrderActor {
  readonly order: OrderId
  readonly #actor: Actor<OrderMachine>
  readonly #system: OrderSystem | undefined
  #error: unknown
  #stopped = false

  constructor(order: OrderId, { system, inspect }: OrderActorOptions = {}) {
    this.order = order
    this.#system = system
    const options = { input: { order }, ...(system === undefined ? {} : { parent: system.root }) }
    this.#actor = inspect === undefined ? createActor(compiledMachine, options) : createActor(orderMachine, { ...options, inspect })
    // Without an observer xstate throws an error of a guard or an action later, out of everybody's reach.
    this.#actor.subscribe({
      error: (error) => {
        this.#error = error
      },
    })
    this.#actor.start()
  }

  get context(): OrderContext {
    return this.#actor.getSnapshot().context
  }

  /** The state of each region. `order` is `new` before the first event. */
  get regions(): { readonly order: string; readonly entry: string; readonly protection: string } {
    return this.#actor.getSnapshot().value
  }

  get state(): OrderState {
    const { order } = this.regions
    return (order === "new" ? "received" : order) as OrderState
  }

  /**
   * Takes the event as the next version, or returns `undefined` when the machine refuses it here. Throws when a step of it
   * throws: the actor is then of no use any more, and has to be rebuilt from its events.
   */
  take(event: OrderEvent, version: number, atMs: number): Taken | undefined {
    if (this.#stopped) return undefined
    takeCollected()
    const recorded = { ...event, version, atMs } as Recorded
    this.#actor.send(recorded)
    if (this.#error !== undefined)
      throw this.#error instanceof Error ? this.#error : new Error("a step of the machine threw", { cause: this.#error })
    const { context } = this.#actor.getSnapshot()
    if (context.version !== version) return undefined
    return { state: this.state, commands: takeCollected(), context }
  }

  /** It takes nothing more, and leaves its system. */
  stop(): void {
    this.#stopped = true
    if (this.#system === undefined) this.#actor.stop()
    else this.#system.stop(this.#actor)
  }

  /** Whether the machine takes this event in its present state. */
  can(event: OrderEvent, atMs: number): boolean {
    return this.#actor.getSnapshot().can({ ...event, version: this.context.version + 1, atMs })
  }
}
