/**
 * What is remembered of orders that went through this process: which endpoint has them, and which child belongs to which algo
 * order. Bounded; what is forgotten (or was placed by another process) is found by asking both endpoints. PURE.
 */
import { parseClientOrderId } from "@petrosa/contracts"
import { BoundedMap } from "../binance/seen.ts"
import type { VenueOrder } from "../venue.ts"
import type { AlgoView, OrderKind } from "./orders.ts"

const ORDERS_MAX = 50_000

export class OrderMemory {
  readonly #kinds = new BoundedMap<string, OrderKind>(ORDERS_MAX)
  readonly #algos = new BoundedMap<string, AlgoView>(ORDERS_MAX)
  readonly #parents = new BoundedMap<string, string>(ORDERS_MAX)

  placed(clientOrderId: string, kind: OrderKind): void {
    this.#kinds.set(clientOrderId, kind)
  }

  /** An algo order was seen: an answer, or an event. What was known of its child is kept. */
  sawAlgo(view: AlgoView): AlgoView {
    const { clientOrderId, venueOrderId } = view.order
    const before = this.#algos.get(clientOrderId)
    const childId = view.childId ?? (before?.order.venueOrderId === venueOrderId ? before.childId : undefined)
    const merged: AlgoView = { ...view, childId }
    this.#kinds.set(clientOrderId, "algo")
    this.#algos.set(clientOrderId, merged)
    if (childId !== undefined) this.#parents.set(childId, clientOrderId)
    return merged
  }
  algo(clientOrderId: string): AlgoView | undefined {
    return this.#algos.get(clientOrderId)
  }

  /** Which algo order an ordinary order is the child of: by its id, or because it bears the algo order's client id. */
  parentOf(order: Pick<VenueOrder, "venueOrderId" | "clientOrderId">): AlgoView | undefined {
    const parent = this.#parents.get(order.venueOrderId)
    if (parent !== undefined) return this.#algos.get(parent)
    const named = this.#algos.get(order.clientOrderId)
    if (named === undefined || this.#kinds.get(order.clientOrderId) !== "algo") return undefined
    return this.sawAlgo({ ...named, childId: named.childId ?? order.venueOrderId })
  }

  /** Where to look for an order, the likelier first. One that is known not to be an algo order is looked for in one place. */
  placesOf(clientOrderId: string): readonly OrderKind[] {
    const kind = this.#kinds.get(clientOrderId)
    if (kind === "order") return ["order"]
    if (kind === "algo") return ["algo", "order"]
    const leg = parseClientOrderId(clientOrderId)?.leg
    return leg === "stop" || leg === "target" ? ["algo", "order"] : ["order", "algo"]
  }
}
