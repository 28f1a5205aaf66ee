/**
 * One xstate actor system for all orders of a process: a root that starts nothing and decides nothing, whose children the
 * orders' actors are. An actor that is the root of a system of its own weighs 3.6 kB, a child half of that.
 *
 * A child stays in its system until it is stopped: whoever makes an actor in here stops it (`OrderActor.stop`).
 */
import type { AnyActorRef } from "xstate"
import { createActor, fromTransition } from "xstate"

interface StopOne {
  readonly type: "stop"
  readonly child: AnyActorRef
}

const root = fromTransition((nothing: null, event: StopOne, scope) => {
  // An order whose step threw tells its root so (`xstate.error.actor…`): who holds the order has heard it already.
  if (event.type === "stop") scope.stopChild(event.child)
  return nothing
}, null)

export class OrderSystem {
  readonly #root = createActor(root).start()

  get root(): AnyActorRef {
    return this.#root as AnyActorRef
  }

  stop(child: AnyActorRef): void {
    this.#root.send({ type: "stop", child })
  }
}
