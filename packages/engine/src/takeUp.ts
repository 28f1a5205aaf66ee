/**
 * After a restart of a process that is certainly alone (the lock of the embedded store): what is open is taken up from the
 * store at once. Nobody else can have it, so nothing has to come from the broker first: lots get their stops back, and
 * resting entries are looked at, also while the broker is away. Messages that stand for these orders come when they come.
 *
 * Promises: what is filled goes first; a few hundred orders are read at a time; one that cannot be read, or whose rebuilding
 * throws, keeps no other from being taken up. Where other processes may be at work an order is adopted only by its message.
 */
import { type OrderId, orderStream } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import type { Desk } from "./desk.ts"
import type { Receiver } from "./receive.ts"

const ORDERS_PER_READ = 50

const isFilled = (row: OrderRow): boolean => row.open_quantity !== "0"

/** Returns how many orders were taken up. */
export const takeUpFromStore = async (desk: Desk, receiver: Pick<Receiver, "takeUp">, rows: readonly OrderRow[]): Promise<number> => {
  const open = rows.filter((row) => !row.done && !row.parked && row.order !== "")
  const inTurn = [...open.filter(isFilled), ...open.filter((row) => !isFilled(row))]
  const { store, faults } = desk.options
  let taken = 0
  for (let from = 0; from < inTurn.length && !desk.stopping; from += ORDERS_PER_READ) {
    // What was taken up gets its turn: adoptions are written, stops are looked for.
    if (from > 0) await new Promise<void>((resolve) => desk.options.clock.soon(resolve))
    const orders = inTurn.slice(from, from + ORDERS_PER_READ).map((row) => row.order as OrderId)
    await faults?.at("store.read.before", orders[0] ?? "")
    const read = await store.readHistories(orders.map((order) => orderStream(order)))
    await faults?.at("store.read.after", orders[0] ?? "")
    for (const order of orders) {
      const stream = read.get(orderStream(order))
      if (stream === undefined) continue
      try {
        if (receiver.takeUp(order, stream)) taken += 1
      } catch (error) {
        desk.options.log.error(
          { order, error: String(error) },
          "an order could not be taken up from the store: a defect; its message comes",
        )
        const live = desk.orders.get(order)
        if (live !== undefined) desk.drop(live, "failed")
      }
    }
  }
  return taken
}
