/**
 * One order at run time: the machine, fed with recorded events, whose commands are collected and never run here.
 *
 * `take` is all there is: an event in, the state and the commands out, or a refusal when the machine does not take that
 * event in that state. A refused event has changed nothing.
 *
 * Every order is an xstate actor, and whoever wants to see that actor has it: an inspected order is one of the machine itself
 * from its beginning, and `ref` gives that of any other, in the state that it is in, through which all further events go. Until
 * somebody asks, an order steps by the same table without the actor around it (mailbox, relay, observers, a snapshot a step):
 * to make and to stop that one took 9 kB and some 10 µs of each order, and an order in memory weighed 2.6 kB instead of 1.0.
 * test/machine/orderActor.test.ts holds the three ways equal.
 */
import type { Command, OrderEvent, OrderId, OrderState } from "@petrosa/contracts"
import type { Actor, InspectionEvent, SnapshotFrom } from "xstate"
import { createActor } from "xstate"
import { compileMachine, type Position, TransitionTable } from "./compiled.ts"
import type { OrderContext } from "./context.ts"
import { initialContext } from "./context.ts"
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
const table = new TransitionTable(orderMachine, WHOLE_ASSIGNMENTS)
const compiledMachine = compileMachine(orderMachine, table)

type OrderSnapshot = SnapshotFrom<OrderMachine>
interface Regions {
  readonly order: string
  readonly entry: string
  readonly protection: string
}

/** Where an order stands, as plain JSON: all that its events came to. */
export interface Standing {
  readonly regions: Regions
  readonly context: OrderContext
}

export interface OrderActorOptions {
  /** The system that its actor is to live in, until it is stopped; without one it is a system of its own. */
  readonly system?: OrderSystem | undefined
  readonly inspect?: (event: InspectionEvent) => void
  /** Where its events led to so far: it goes on from there, and is not to be inspected. */
  readonly from?: Standing | undefined
}

export class OrderActor {
  readonly order: OrderId
  readonly #system: OrderSystem | undefined
  /** Where it is, as long as nobody has asked for its actor. */
  readonly #position: Position
  #actor: Actor<OrderMachine> | undefined
  #error: unknown
  #stopped = false

  constructor(order: OrderId, { system, inspect, from }: OrderActorOptions = {}) {
    this.order = order
    this.#system = system
    this.#position = from === undefined ? table.begin({ ...initialContext, order }) : table.at({ ...from.regions }, from.context)
    if (inspect !== undefined) this.#actor = this.#start(createActor(orderMachine, { ...this.#options(), inspect }))
  }

  #options() {
    return { input: { order: this.order }, ...(this.#system === undefined ? {} : { parent: this.#system.root }) }
  }

  #start(actor: Actor<OrderMachine>): Actor<OrderMachine> {
    // Without an observer xstate throws an error of a guard or an action later, out of everybody's reach.
    actor.subscribe({
      error: (error) => {
        this.#error = error
      },
    })
    return actor.start()
  }

  /** Its xstate actor, in the state that the order is in: to be looked at, never to be sent anything (that is what `take` is for). */
  get ref(): Actor<OrderMachine> {
    if (this.#actor === undefined) {
      this.#actor = this.#start(createActor(compiledMachine, { ...this.#options(), snapshot: this.snapshot }))
      if (this.#stopped) this.#stopActor(this.#actor)
    }
    return this.#actor
  }

  /** xstate's snapshot of it. */
  get snapshot(): OrderSnapshot {
    return this.#actor === undefined ? (table.snapshotOf(this.#position) as unknown as OrderSnapshot) : this.#actor.getSnapshot()
  }

  get context(): OrderContext {
    return this.#actor === undefined ? (this.#position.context as OrderContext) : this.#actor.getSnapshot().context
  }

  get standing(): Standing {
    return { regions: this.regions, context: this.context }
  }

  /** The state of each region. `order` is `new` before the first event. */
  get regions(): Regions {
    return this.#actor === undefined ? (this.#position.configuration.template.value as unknown as Regions) : this.#actor.getSnapshot().value
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
    const recorded = { type: event.type, data: event.data, version, atMs } as Recorded
    if (this.#error === undefined) this.#step(recorded)
    if (this.#error !== undefined)
      throw this.#error instanceof Error ? this.#error : new Error("a step of the machine threw", { cause: this.#error })
    const { context } = this
    return context.version === version ? { state: this.state, commands: takeCollected(), context } : undefined
  }

  #step(event: Recorded): void {
    if (this.#actor !== undefined) return this.#actor.send(event)
    try {
      table.step(this.#position, event)
    } catch (error) {
      this.#error = error
    }
  }

  #stopActor(actor: Actor<OrderMachine>): void {
    if (this.#system === undefined) actor.stop()
    else this.#system.stop(actor)
  }

  /** It takes nothing more, and leaves its system. */
  stop(): void {
    this.#stopped = true
    if (this.#actor !== undefined) this.#stopActor(this.#actor)
  }

  /** Whether the machine takes this event in its present state. */
  can(event: OrderEvent, atMs: number): boolean {
    return this.snapshot.can({ ...event, version: this.context.version + 1, atMs })
  }
}
