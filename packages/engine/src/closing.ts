/**
 * Closing lots: a closing order asks other orders of its strategy to give back what they hold, and records what each
 * answered. The flatten, its ids and its result are in the lot's own stream; the closing order only asks and adds up.
 */
import type { Command, OrderEvent, OrderId } from "@petrosa/contracts"
import { dec, reason, str, sub } from "@petrosa/contracts"
import type { OrderContext } from "@petrosa/lifecycle"
import { entryIsOver, hasFills, isDone } from "@petrosa/lifecycle"
import type { Desk } from "./desk.ts"
import type { LiveOrder } from "./liveOrder.ts"
import { rebuildFromStore } from "./stored.ts"

type CloseLots = Extract<Command, { type: "closeLots" }>

/** A lot that somebody else holds is asked for again this often. */
const ASK_AGAIN_MS = 500

/** What a lot has to record to close; nothing when it is closed, or closing already. */
export const closeEvents = (c: OrderContext, cause: "opposite" | "close" | "operator", by: string): readonly OrderEvent[] => {
  if (c.entry === null || c.parked !== null || c.closing !== null) return []
  const open = !entryIsOver(c) || (hasFills(c) && !c.lotClosed)
  return open ? [{ type: "CloseRequested", data: { cause, by, targets: "cancelled" } }] : []
}

/** What was given back since the request, once the lot is closed and over; undefined before. */
const reportOf = (c: OrderContext, order: OrderId): OrderEvent | undefined => {
  if (c.parked === null && !(c.settled !== null && isDone(c))) return undefined
  const before = c.exitBeforeClose ?? c.exit
  const quantity = sub(dec(c.exit.quantity), dec(before.quantity))
  return {
    type: "CloseReported",
    data: {
      order,
      quantity: str(quantity),
      quote: str(sub(dec(c.exit.quote), dec(before.quote))),
      fees: str(sub(dec(c.exit.feesQuote), dec(before.feesQuote))),
      cancelledEntry: c.parked === null && !hasFills(c),
      ...(c.parked !== null && !isDone(c) ? { parked: true } : {}),
      ...(c.excess === "0" ? {} : { excess: c.excess }),
    },
  }
}

class Closer {
  readonly #desk: Desk
  /** Closing orders that wait for a lot. */
  readonly #waiting = new Map<OrderId, Set<OrderId>>()

  constructor(desk: Desk) {
    this.#desk = desk
  }

  begin(closing: LiveOrder, command: CloseLots): void {
    for (const lot of command.lots) {
      const waiting = this.#waiting.get(lot.order) ?? new Set()
      waiting.add(closing.order)
      this.#waiting.set(lot.order, waiting)
      this.#desk.task(closing, `close ${lot.order}`, () => this.#close(closing, lot.order))
    }
  }

  async #close(closing: LiveOrder, lot: OrderId): Promise<void> {
    const { intake, clock, store } = this.#desk.options
    const cause = closing.context.job?.cause ?? "close"
    const open = (): boolean => !closing.dropped && !this.#desk.stopping && closing.context.job?.reported.includes(lot) === false
    for (let n = 0; open(); n++) {
      const live = this.#desk.orders.get(lot)
      if (live !== undefined) {
        const events = closeEvents(live.context, cause, closing.order)
        if (events.length > 0) live.take(events, "request")
        this.#report(closing, live.context, lot)
      } else {
        // Somebody else's, or done meanwhile: the store knows.
        try {
          const row = await store.findOrder(lot)
          // What the events say counts; the row may be behind.
          const over = row === undefined || row.done || row.parked
          const stored = over ? await this.#reportStored(closing, lot) : row.version
          if (stored === "reported") return
          if (n % 4 === 0) await intake.publishResume(lot, stored, "close", closing.order)
        } catch {
          // The store is away: asked again below.
        }
      }
      if (open()) await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve))
    }
  }

  /** A lot changed: whoever waits for it may hear. */
  tell(lot: LiveOrder): void {
    const waiting = this.#waiting.get(lot.order)
    if (waiting === undefined || lot.durableVersion < lot.version) return
    for (const id of waiting) {
      const closing = this.#desk.orders.get(id)
      if (closing === undefined || this.#report(closing, lot.context, lot.order)) waiting.delete(id)
    }
    if (waiting.size === 0) this.#waiting.delete(lot.order)
  }

  #report(closing: LiveOrder, lot: OrderContext, id: OrderId): boolean {
    const report = reportOf(lot, id)
    if (report === undefined) return false
    if (closing.context.job?.reported.includes(id) === false) closing.take([report], "request")
    return true
  }

  /** From the lot's own events, when it is not held here. A version: it is open, and whoever is free has to be asked. */
  async #reportStored(closing: LiveOrder, lot: OrderId): Promise<"reported" | number> {
    const context = await rebuildFromStore(this.#desk.options.store, lot)
    const report = context === undefined ? undefined : reportOf(context, lot)
    if (report === undefined) return context?.version ?? 0
    if (closing.context.job?.reported.includes(lot) === false) closing.take([report], "request")
    return "reported"
  }
}

/** Lets the desk hear of closing orders. */
export const joinCloser = (desk: Desk): void => {
  const closer = new Closer(desk)
  desk.listen({
    closeLots: (order, command) => closer.begin(order, command),
    durable: (order) => closer.tell(order),
  })
}

export const cancelEvents = (c: OrderContext, by: string): readonly OrderEvent[] =>
  c.entry === null || entryIsOver(c) || c.entry.cancelReason !== null || c.parked !== null
    ? []
    : [{ type: "EntryCancelRequested", data: { reason: reason("CANCELLED_BY_USER", by), by } }]
