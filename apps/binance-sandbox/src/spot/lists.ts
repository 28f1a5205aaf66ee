/**
 * Order lists: OCO, OTO, OTOCO. Promises, as on Binance (binance.md 3.2): pending legs go out only when the working order is
 * completely filled; of two legs the other one ends EXPIRED as soon as one trades or fires; cancelling one cancels the list;
 * two legs reserve the balance once. A pending leg that is refused when its time comes ends EXPIRED (reason REJECTED).
 */
import { gt, gte, isZero, lte, max, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { Account } from "../core/accounts.ts"
import { isOpen } from "../core/orders.ts"
import type { OrderEvent, SandboxOrder } from "../core/orders.ts"
import { S } from "../wire/errors.ts"
import type { Placing, SpotDesk } from "./desk.ts"
import { isConditional } from "./filters.ts"
import type { SpotLeg } from "./read.ts"

export interface OrderList {
  readonly id: bigint
  readonly account: string
  readonly symbol: string
  readonly contingency: "OCO" | "OTO"
  readonly clientId: string
  /** The order that comes first; none: an OCO. */
  readonly working: SandboxOrder | undefined
  /** The pair, or the single pending order. */
  readonly legs: readonly SandboxOrder[]
  readonly createdAtMs: number
  updatedAtMs: number
  status: "EXECUTING" | "ALL_DONE"
  hiddenUntilMs: number
  /** The working order is over, and what follows for the legs is done or being done. */
  followed: boolean
}
export const ordersOf = (list: OrderList): readonly SandboxOrder[] =>
  list.working === undefined ? list.legs : [list.working, ...list.legs]

export interface ListDraft {
  readonly clientId: string | undefined
  readonly working: SpotLeg | undefined
  /** One pending order, or two: above and below. */
  readonly legs: readonly SpotLeg[]
}

/** The rules of the pair above/below: types first, then prices against each other and, for an OCO, the last price. */
export const checkPair = (above: SpotLeg, below: SpotLeg): void => {
  const limit = (leg: SpotLeg): boolean => leg.type === "LIMIT_MAKER"
  if ([above, below].some((leg) => leg.type === "MARKET" || leg.type === "LIMIT")) throw S.ocoType()
  if (!isConditional(above.type) && !isConditional(below.type)) throw S.bothLimit()
  if (above.side === "BUY") {
    if (limit(above)) throw S.buyLimitBelow()
    if (above.type.startsWith("TAKE_PROFIT")) throw S.buyTakeProfitBelow()
    if (below.type.startsWith("STOP_LOSS")) throw S.buyStopAbove()
  } else {
    if (limit(below)) throw S.sellLimitAbove()
    if (below.type.startsWith("TAKE_PROFIT")) throw S.sellTakeProfitAbove()
    if (above.type.startsWith("STOP_LOSS")) throw S.sellStopBelow()
  }
  if (lte(trigger(above), trigger(below))) throw S.prices()
}
const trigger = (leg: Pick<SpotLeg, "type" | "price" | "stopPrice">): Decimal => (isConditional(leg.type) ? leg.stopPrice : leg.price)

export class OrderLists {
  readonly #desk: SpotDesk
  readonly #lists = new Map<bigint, OrderList>()
  #nextId = 1n
  readonly #listeners: ((list: OrderList, status: "EXEC_STARTED" | "ALL_DONE") => void)[] = []
  /** Lists whose answer is being written: what follows from a fill waits until it is. */
  readonly #held = new Set<bigint>()

  constructor(desk: SpotDesk) {
    this.#desk = desk
    desk.beforeFiring = (order) => this.#endSiblings(order, "OCO_TRIGGER")
    desk.openLists = (account, symbol) =>
      [...this.#lists.values()].filter((list) => list.account === account && list.symbol === symbol && list.status === "EXECUTING").length
    desk.exchange.on((event) => this.#happened(event))
  }

  on(listener: (list: OrderList, status: "EXEC_STARTED" | "ALL_DONE") => void): void {
    this.#listeners.push(listener)
  }
  byId(account: string, id: bigint): OrderList | undefined {
    const list = this.#lists.get(id)
    return list?.account === account ? list : undefined
  }
  byClientId(account: string, clientId: string): OrderList | undefined {
    return [...this.#lists.values()].findLast((list) => list.account === account && list.clientId === clientId)
  }
  all(account: string): readonly OrderList[] {
    return [...this.#lists.values()].filter((list) => list.account === account)
  }

  /** Checks and places a list. `answered` is called with it before anything follows from a working order that filled at once. */
  place<A>(account: Account, symbol: string, draft: ListDraft, more: Placing, answered: (list: OrderList) => A): A {
    const desk = this.#desk
    const info = desk.info(symbol)
    const { working, legs } = draft
    for (const leg of [...(working === undefined ? [] : [working]), ...legs]) desk.check(account, info, leg, leg.quantity)
    const [above, below] = legs
    if (above !== undefined && below !== undefined) checkPair(above, below)
    desk.checkRoom(account, info, [...(working === undefined ? [] : [working]), ...legs], 1)
    const open = draft.clientId === undefined ? undefined : this.byClientId(account.name, draft.clientId)
    if (open?.status === "EXECUTING") throw S.duplicate()

    const id = this.#nextId
    const make = (leg: SpotLeg): SandboxOrder => desk.make(account, info, leg, leg.quantity, { ...more, listId: id })
    const nowMs = desk.exchange.nowMs()
    const list: OrderList = {
      id,
      account: account.name,
      symbol,
      contingency: working === undefined ? "OCO" : "OTO",
      clientId: draft.clientId ?? `sandbox-list-${id}`,
      working: working === undefined ? undefined : make(working),
      legs: legs.map(make),
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      status: "EXECUTING",
      hiddenUntilMs: more.hideForMs === undefined ? 0 : nowMs + more.hideForMs,
      followed: false,
    }
    if (list.working === undefined) {
      this.#checkAgainstMarket(list.legs)
      this.#register(list)
      this.#placePair(list.legs)
    } else {
      for (const leg of list.legs) leg.status = "PENDING_NEW"
      this.#held.add(id)
      try {
        desk.send(list.working, more.fillAfterMs)
      } catch (error) {
        this.#held.delete(id)
        throw error
      }
      this.#register(list)
      for (const leg of list.legs) desk.exchange.wait(leg)
    }
    for (const listener of this.#listeners) listener(list, "EXEC_STARTED")
    const answer = answered(list)
    if (this.#held.delete(id)) this.#follow(list)
    return answer
  }
  #register(list: OrderList): void {
    this.#nextId += 1n
    this.#lists.set(list.id, list)
  }

  /** An OCO's prices enclose the last price, and the account can pay for the dearer leg. */
  #checkAgainstMarket(legs: readonly SandboxOrder[]): void {
    const desk = this.#desk
    const [above, below] = legs
    if (above === undefined || below === undefined) return
    const last = desk.exchange.price("spot", above.symbol)?.last
    if (last === undefined || gte(last, trigger(leg(above))) || lte(last, trigger(leg(below)))) throw S.prices()
    const needs = legs.map((order) => desk.need(order))
    const [first, second] = needs
    if (first === undefined || second === undefined) return
    const need = max(first.amount, second.amount)
    if (gt(need, desk.free(above.account, first.asset))) throw S.balance()
    for (const order of legs) {
      if (order.type === "LIMIT_MAKER" && desk.exchange.available(order, order.price).length > 0) throw S.wouldMatch()
    }
  }
  /** Both legs go out; the limit leg is locked by the book, the others reserve what is missing to the dearer one. */
  #placePair(legs: readonly SandboxOrder[]): void {
    const desk = this.#desk
    const [first] = legs
    if (first === undefined) return
    let covered = sub(first.quantity, first.quantity)
    for (const order of [...legs].sort((a, b) => Number(isConditional(a.type)) - Number(isConditional(b.type)))) {
      const need = desk.need(order)
      if (!isConditional(order.type)) {
        const refusal = desk.exchange.open(order)
        if (refusal !== undefined) return this.#refused(legs)
        covered = need.amount
        continue
      }
      if (desk.wouldTrigger(order)) return this.#refused(legs)
      const missing = gt(need.amount, covered) ? sub(need.amount, covered) : sub(covered, covered)
      if (!isZero(missing) && !desk.exchange.reserve(order, need.asset, missing)) return this.#refused(legs)
      covered = max(covered, need.amount)
      desk.arm(order)
    }
  }
  /** A pending leg was refused when its time came: all legs end. */
  #refused(legs: readonly SandboxOrder[]): void {
    for (const order of legs) {
      if (!this.#desk.exchange.orders.has(order)) this.#desk.exchange.wait(order, false)
      this.#desk.exchange.end(order, "EXPIRED", { reason: "REJECTED" })
    }
  }

  listOf(order: SandboxOrder): OrderList | undefined {
    return order.listId === -1n ? undefined : this.#lists.get(order.listId)
  }
  #endSiblings(order: SandboxOrder, reason: string): void {
    const list = this.listOf(order)
    if (list === undefined || !list.legs.includes(order)) return
    for (const other of list.legs) if (other !== order) this.#desk.exchange.end(other, "EXPIRED", { reason })
  }

  #happened(event: OrderEvent): void {
    const { order } = event
    const list = this.listOf(order)
    if (list === undefined) return
    list.updatedAtMs = event.atMs
    if (event.kind === "TRADE" || event.kind === "WORKING") this.#endSiblings(order, "OCO_TRIGGER")
    if (event.kind === "CANCELED")
      for (const other of ordersOf(list))
        if (other !== order) this.#desk.exchange.end(other, "CANCELED", event.requestId === undefined ? {} : { requestId: event.requestId })
    if (event.kind === "EXPIRED" && list.legs.includes(order) && order.expiryReason !== "OCO_TRIGGER")
      this.#endSiblings(order, "OCO_TRIGGER")
    if (!this.#held.has(list.id)) this.#follow(list)
  }
  /** What follows from where the working order stands, and whether the list is over. */
  #follow(list: OrderList): void {
    const { working } = list
    if (working !== undefined && !list.followed && !isOpen(working.status)) {
      list.followed = true
      const pending = list.legs.filter((order) => order.status === "PENDING_NEW")
      if (pending.length > 0 && working.status === "FILLED") this.#activate(list)
      else
        for (const order of pending)
          if (working.status === "CANCELED") this.#desk.exchange.end(order, "CANCELED")
          else this.#desk.exchange.end(order, "EXPIRED", { reason: "OTO_PHASE_ONE_EXPIRED" })
    }
    if (list.status === "ALL_DONE" || ordersOf(list).some((order) => isOpen(order.status))) return
    list.status = "ALL_DONE"
    for (const listener of this.#listeners) listener(list, "ALL_DONE")
  }
  #activate(list: OrderList): void {
    const [only, second] = list.legs
    if (only === undefined) return
    if (second !== undefined) {
      this.#placePair(list.legs)
      return
    }
    try {
      this.#desk.send(only)
    } catch {
      this.#refused(list.legs)
    }
  }

  cancel(list: OrderList, requestId: string): void {
    const [first] = ordersOf(list).filter((order) => isOpen(order.status))
    // The others follow it.
    if (first !== undefined) this.#desk.exchange.end(first, "CANCELED", { requestId })
  }
}

const leg = (order: SandboxOrder): Pick<SpotLeg, "type" | "price" | "stopPrice"> => order as Pick<SpotLeg, "type" | "price" | "stopPrice">
