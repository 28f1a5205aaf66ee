/** An order as the store has it: for those who ask about one that is not held here. */
import type { OrderId } from "@petrosa/contracts"
import { orderStream } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import type { OrderContext } from "@petrosa/lifecycle"
import { rebuild } from "@petrosa/lifecycle"

/** Undefined when there is none, or it cannot be read. */
export const rebuildFromStore = async (store: EventStore, order: OrderId): Promise<OrderContext | undefined> => {
  const read = (await store.readStreams([orderStream(order)])).get(orderStream(order))
  if (read === undefined || read._tag !== "Readable") return undefined
  const rebuilt = rebuild(order, read.events)
  return rebuilt._tag === "Rebuilt" ? rebuilt.actor.context : undefined
}
