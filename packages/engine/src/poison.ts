/**
 * Poison: an order whose step threw is rebuilt from its events and told so (`StepFailed`); the third time it is parked:
 * durable, alarmed, off the queue, its stop left in place. A step that throws never takes the process down.
 */
import type { OrderEvent } from "@petrosa/contracts"
import { orderStream } from "@petrosa/contracts"
import { rebuild } from "@petrosa/lifecycle"
import type { Desk } from "./desk.ts"
import type { LiveOrder } from "./liveOrder.ts"

const STEP_FAILURES_MAX = 3
const COPY_NAK_MS = 5000

class Poison {
  readonly #desk: Desk

  readonly #recover: (order: LiveOrder) => void

  constructor(desk: Desk, recover: (order: LiveOrder) => void) {
    this.#desk = desk
    this.#recover = recover
  }

  async failed(order: LiveOrder, error: unknown, input: string): Promise<void> {
    if (order.dropped) return
    const count = order.context.stepFailures + 1
    const handles = [...order.handles]
    order.handles.clear()
    this.#desk.drop(order, "failed")
    const event: OrderEvent = { type: "StepFailed", data: { error: String(error).slice(0, 500), input: input.slice(0, 200), count } }
    try {
      const read = (await this.#desk.options.store.readStreams([orderStream(order.order)])).get(orderStream(order.order))
      const last = read?._tag === "Readable" ? read.events.at(-1) : undefined
      if (read === undefined || read._tag !== "Readable" || last === undefined) {
        // Not one event of it is durable: its message comes again, and with it the question; a copy says nothing new.
        const [, ...copies] = handles
        for (const [, handle] of copies) handle.nak(COPY_NAK_MS)
        order.onNeverBegun?.()
        return
      }
      if (this.#desk.orders.has(order.order)) {
        // Its message came again while the store was read: it is in hands already.
        for (const [, handle] of handles) handle.release()
        return
      }
      const rebuilt = rebuild(order.order, read.events, this.#desk.system)
      if (rebuilt._tag === "Unreadable") {
        for (const [, handle] of handles) handle.nak(60_000)
        return
      }
      const live = this.#desk.hold(order.order, order.trace, {
        actor: rebuilt.actor,
        version: last.version,
        head: last.hash,
        atMs: Date.parse(last.at),
      })
      live.contentHash = order.contentHash
      live.arrival = order.arrival
      for (const [key, handle] of handles) live.handles.set(key, handle)
      live.take([event], "recovery")
      if (count >= STEP_FAILURES_MAX)
        live.take([{ type: "OrderParked", data: { code: "STEP_FAILED", detail: String(error).slice(0, 500) } }], "recovery")
      // As after a restart: what was on its way is a question now.
      else this.#recover(live)
    } catch (failure) {
      this.#desk.options.log.error(
        { order: order.order, error: String(failure) },
        "the order could not be rebuilt; its message comes again",
      )
      for (const [, handle] of handles) handle.release()
    }
  }
}

/** Lets the desk hear of steps that throw. */
export const joinPoison = (desk: Desk, recover: (order: LiveOrder) => void): void => {
  const poison = new Poison(desk, recover)
  desk.listen({ failed: (order, error, input) => void poison.failed(order, error, input) })
}
