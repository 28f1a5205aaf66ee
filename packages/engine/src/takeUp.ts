/**
 * After a restart of a process that is certainly alone (the lock of the embedded store): what is open is taken up from the
 * store at once. Nobody else can have it, so nothing has to come from the broker first: lots get their stops back, and
 * resting entries are looked at, also while the broker is away. Messages that stand for these orders come when they come.
 *
 * Promises: what is filled goes first; a few dozen orders are read at a time; one that cannot be read, or whose rebuilding
 * throws, keeps no other from being taken up. Where other processes may be at work an order is adopted only by its message.
 */
import { type OrderId, orderStream } from "@petrosa/contracts"
import type { SnapshotRead } from "@petrosa/event-store"
import type { Desk } from "./desk.ts"
import { type Rebuilding, rebuildOpen, restore } from "./rebuilt.ts"
import type { Receiver } from "./receive.ts"

const ORDERS_PER_READ = 100
const NO_SNAPSHOTS: ReadonlyMap<string, SnapshotRead> = new Map()

/** Reads these orders, and calls back with each that is there; of an order that throws the others are none the worse. */
const eachRebuilt = async (
  { options: { store, faults, snapshotForm }, system }: Desk,
  orders: readonly OrderId[],
  take: (order: OrderId, rebuilt: () => Rebuilding) => void,
): Promise<void> => {
  await faults?.at("store.read.before", orders[0] ?? "")
  const streams = orders.map((order) => orderStream(order))
  const snapshots = snapshotForm === undefined ? NO_SNAPSHOTS : ((await store.snapshots?.read(snapshotForm, streams)) ?? NO_SNAPSHOTS)
  const restored = new Map<OrderId, Rebuilding>()
  for (const order of orders) {
    const found = snapshots.get(orderStream(order))
    const made = found === undefined ? undefined : restore(order, found, system)
    if (made !== undefined) restored.set(order, made)
  }
  const histories = await store.readHistories(streams.filter((_stream, i) => !restored.has(orders[i] as OrderId)))
  await faults?.at("store.read.after", orders[0] ?? "")
  for (const order of orders) {
    const made = restored.get(order)
    const history = histories.get(orderStream(order))
    if (made !== undefined) take(order, () => made)
    else if (history !== undefined) take(order, () => rebuildOpen(order, history, system))
  }
}

export interface TakenUp {
  readonly taken: number
  /** Open, and not held: parked, or not to be read. */
  readonly left: readonly OrderId[]
}

/** Rejects when the store cannot be read: what was taken up stays, and is passed over next time. */
export const takeUpFromStore = async (desk: Desk, receiver: Pick<Receiver, "takeUp">): Promise<TakenUp> => {
  const inTurn = (await desk.options.store.openOrderIds()) as readonly OrderId[]
  let taken = 0
  for (let from = 0; from < inTurn.length && !desk.stopping; from += ORDERS_PER_READ) {
    // What was taken up gets its turn: adoptions are written, stops are looked for.
    if (from > 0) await new Promise<void>((resolve) => desk.options.clock.soon(resolve))
    const orders = inTurn.slice(from, from + ORDERS_PER_READ)
    await eachRebuilt(desk, orders, (order, rebuilt) => {
      try {
        if (receiver.takeUp(order, rebuilt())) taken += 1
      } catch (error) {
        desk.options.log.error(
          { order, error: String(error) },
          "an order could not be taken up from the store: a defect; its message comes",
        )
        const live = desk.orders.get(order)
        if (live !== undefined) desk.drop(live, "failed")
      }
    })
  }
  return { taken, left: inTurn.filter((order) => !desk.orders.has(order)) }
}
