/**
 * Order lists on the paper venue's spot market, as Binance has them (binance.md 3.2): of a stop and a target only one can
 * trade, and as soon as one trades, or the stop fires, the other ends; what they sell is reserved once; cancelling one order
 * of a list cancels all; a bracket that goes with an entry waits for the full fill, and ends with the entry otherwise.
 *
 * Synchronous; every method runs in a turn of the exchange. Nothing is written before everything is checked.
 */
import { ZERO, accepted, dec, gte, lt, lte, refused, str, sub } from "@petrosa/contracts"
import type { Leg, Outcome, Refused } from "@petrosa/contracts"
import { end, isLive, place, tryLock, unnumbered } from "@petrosa/matching"
import type { MatchingEvent, MatchingRules, NewOrder, Order } from "@petrosa/matching"
import type { OcoAcknowledgement, OcoRequest, OtocoRequest, PlaceRequest, VenueOrder } from "../venue.ts"
import type { PaperBooks } from "./books.ts"
import { refusalOf } from "./refusals.ts"
import { ACCOUNT, asVenueOrder } from "./rows.ts"

/** What an order is in its list. */
export interface Listed {
  readonly orderId: number
  /** The id of the list's first order. */
  readonly listId: number
  readonly isEntry: boolean
  /** It waits for the entry of its list. */
  readonly waits: boolean
  readonly endedBySibling: boolean
}

/** What the port tells of an order's place in its list. */
export const marksOf = (listed: Listed | undefined): Pick<VenueOrder, "pending" | "endedBySibling"> => ({
  ...(listed?.waits === true ? { pending: true } : {}),
  ...(listed?.endedBySibling === true ? { endedBySibling: true } : {}),
})

const wrongPrices = (): Refused => refused("wouldTrigger", "-2010", "The relationship of the prices for the orders is not correct.")

type Legs = Pick<OcoRequest, "side" | "quantity" | "stop" | "target">
/** The two legs as requests of their own: what the filters are held against. */
export const legRequests = (
  list: Legs,
  common: Pick<PlaceRequest, "symbol" | "market" | "timestampMs" | "receiveWindowMs">,
): { readonly stop: PlaceRequest; readonly target: PlaceRequest } => {
  const { symbol, market, timestampMs, receiveWindowMs } = common
  const both = { symbol, market, timestampMs, receiveWindowMs, side: list.side, quantity: list.quantity, positionSide: "long" } as const
  const { stop, target } = list
  return {
    stop: { ...both, ...stop, leg: "stop", type: "stop", reduceOnly: true },
    target: { ...both, ...target, leg: "target", type: "limit", timeInForce: "GTX", reduceOnly: true },
  }
}

/** The stop sells what the target reserves: it reserves nothing of its own. */
const draftOf = (request: PlaceRequest): NewOrder => ({
  account: ACCOUNT,
  clientOrderId: request.clientOrderId,
  market: request.market,
  symbol: request.symbol,
  side: request.side,
  positionSide: request.positionSide,
  type: request.type,
  timeInForce: request.timeInForce ?? "GTC",
  quantity: str(dec(request.quantity)),
  price: request.price,
  triggerPrice: request.triggerPrice,
  triggerOn: "last",
  reduceOnly: request.leg === "stop",
})

export class PaperLists {
  readonly #books: PaperBooks
  readonly #rules: MatchingRules
  readonly #log: (events: readonly MatchingEvent[]) => void

  /** @param log records events without asking what follows from them */
  constructor(books: PaperBooks, rules: MatchingRules, log: (events: readonly MatchingEvent[]) => void) {
    this.#books = books
    this.#rules = rules
    this.#log = log
  }

  /** Both legs, or nothing. Filters and time are the caller's. */
  placePair(stop: PlaceRequest, target: PlaceRequest, nowMs: number): Outcome<OcoAcknowledgement> {
    const last = this.#books.marketPrice(stop.market, stop.symbol)?.price
    if (last === undefined || !this.#encloses(stop, target, last)) return wrongPrices()
    if (this.#isTaken(stop) || this.#isTaken(target)) return refusalOf("spot", "duplicate")
    if (lt(this.#free(stop), dec(stop.quantity))) return refusalOf("spot", "balance")
    const orders: Order[] = []
    for (const request of [stop, target]) {
      this.#books.leg = request.leg
      const placed = place(this.#books, this.#rules, draftOf(request), nowMs)
      if (placed._tag === "Refused") {
        for (const order of orders) this.#log([end(this.#books, this.#rules, order, "unfilled", nowMs)])
        return refusalOf("spot", placed.reason)
      }
      orders.push(placed.order)
      this.#log(placed.events)
    }
    const [first, second] = orders
    if (first === undefined || second === undefined) return refusalOf("spot", "balance")
    for (const order of orders)
      this.#books.putListed({ orderId: order.id, listId: first.id, isEntry: false, waits: false, endedBySibling: false })
    const [stopOrder, targetOrder] = [asVenueOrder(first), asVenueOrder(second)]
    const reply = `{"orderListId":${first.id},"contingencyType":"OCO","orders":[${first.id},${second.id}]}`
    return accepted({ listId: stopOrder.venueOrderId, stop: stopOrder, target: targetOrder, reply })
  }

  /** The legs of an entry that was just taken: they wait. */
  await(
    entryId: number,
    stop: PlaceRequest,
    target: PlaceRequest,
    nowMs: number,
  ): { readonly stop: VenueOrder; readonly target: VenueOrder } {
    this.#books.putListed({ orderId: entryId, listId: entryId, isEntry: true, waits: false, endedBySibling: false })
    const waiting = (request: PlaceRequest): VenueOrder => {
      this.#books.leg = request.leg
      // Pending: the market passes it by, and nothing executes it.
      const order = this.#books.insertOrder(unnumbered(draftOf(request), str(ZERO), true, nowMs))
      const listed: Listed = { orderId: order.id, listId: entryId, isEntry: false, waits: true, endedBySibling: false }
      this.#books.putListed(listed)
      this.#log([{ _tag: "Accepted", order }])
      return { ...asVenueOrder(order), ...marksOf(listed) }
    }
    return { stop: waiting(stop), target: waiting(target) }
  }

  /** The prices of a pair fit each other, whatever the market is. */
  fits(request: OtocoRequest): Refused | undefined {
    const [stop, target] = [dec(request.stop.triggerPrice), dec(request.target.price)]
    return (request.side === "sell" ? lt(stop, target) : lt(target, stop)) ? undefined : wrongPrices()
  }
  taken(request: OtocoRequest): boolean {
    const { symbol, market } = request.entry
    return [request.stop, request.target].some(({ clientOrderId }) => this.#isTaken({ symbol, market, clientOrderId }))
  }

  /** What follows for the other orders of a list. */
  follow(event: MatchingEvent, nowMs: number): void {
    const listed = this.#books.listed(event.order.id)
    if (listed === undefined) return
    const others = this.#books
      .ofList(listed.listId)
      .filter(({ orderId, isEntry }) => orderId !== listed.orderId && (listed.isEntry || !isEntry || event._tag === "Ended"))
    switch (event._tag) {
      case "Accepted":
        return
      case "Triggered":
        return this.#endAll(
          others.filter(({ isEntry }) => !isEntry),
          "unfilled",
          nowMs,
          true,
        )
      case "Traded":
        if (!listed.isEntry)
          this.#endAll(
            others.filter(({ isEntry }) => !isEntry),
            "unfilled",
            nowMs,
            true,
          )
        else if (event.order.status === "filled") this.#arm(others, nowMs)
        return
      case "Ended":
        return this.#endAll(others, event.reason === "cancelled" ? "cancelled" : "unfilled", nowMs, false)
    }
  }

  #endAll(others: readonly Listed[], how: "cancelled" | "unfilled", nowMs: number, bySibling: boolean): void {
    for (const listed of others) {
      const order = this.#books.order(listed.orderId)
      if (order === undefined || !isLive(order.status)) continue
      this.#books.putListed({ ...listed, waits: false, endedBySibling: bySibling })
      this.#books.deleteWork(order.id)
      this.#log([end(this.#books, this.#rules, order, how, nowMs)])
    }
  }

  /** The entry is filled: its legs come into force, or are refused together. */
  #arm(legs: readonly Listed[], nowMs: number): void {
    const orders = legs.flatMap(({ orderId }) => this.#books.order(orderId) ?? [])
    const stop = orders.find(({ type }) => type === "stop")
    const target = orders.find(({ type }) => type === "limit")
    if (stop === undefined || target === undefined) return
    const last = this.#books.marketPrice(stop.market, stop.symbol)?.price
    const wallet = this.#rules.wallet(ACCOUNT, "spot")
    const { base } = this.#rules.assets("spot", stop.symbol)
    const fits = last === undefined || this.#encloses(stop, target, last)
    if (!fits || !tryLock(this.#books, wallet, base, dec(target.quantity))) {
      this.#endAll(legs, "unfilled", nowMs, false)
      return
    }
    for (const listed of legs) this.#books.putListed({ ...listed, waits: false })
    for (const order of [target, stop]) {
      const inForce: Order = { ...order, pending: false, locked: order === target ? target.quantity : order.locked, updatedAtMs: nowMs }
      this.#books.updateOrder(inForce)
      this.#log([{ _tag: "Accepted", order: inForce }])
    }
  }

  #encloses(
    stop: { readonly side: "buy" | "sell"; readonly triggerPrice?: string | undefined },
    target: { readonly price?: string | undefined },
    last: string,
  ): boolean {
    if (stop.triggerPrice === undefined || target.price === undefined) return false
    const [low, high] = stop.side === "sell" ? [stop.triggerPrice, target.price] : [target.price, stop.triggerPrice]
    return !gte(dec(last), dec(high)) && !lte(dec(last), dec(low))
  }
  #isTaken(request: Pick<PlaceRequest, "symbol" | "market" | "clientOrderId">): boolean {
    return this.#books.liveOrder(ACCOUNT, request.market, request.symbol, request.clientOrderId) !== undefined
  }
  #free(request: PlaceRequest): ReturnType<typeof dec> {
    const { base } = this.#rules.assets("spot", request.symbol)
    const { total, locked } = this.#books.funds(this.#rules.wallet(ACCOUNT, "spot"), base)
    return sub(total, locked)
  }
}

/** Of which leg a list's request is, to the faults that hit requests. */
export const LIST_LEG: Readonly<Record<"oco" | "otoco", Leg>> = { oco: "stop", otoco: "entry" }
