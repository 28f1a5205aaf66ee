/**
 * The algo service: conditional orders since 2025-12-09 (binance.md 2.1 and 3.4). An algo order has an id of its own and waits
 * outside the engine, without margin; when its price comes it sends a child, an ordinary order with a new id.
 *
 * NEW → TRIGGERING → TRIGGERED (the child is accepted) → FINISHED (the child is over, filled or not); or CANCELED, EXPIRED
 * (the position that a closePosition order needs is gone), REJECTED (the engine refused the child; `rejectReason` says why).
 */
import { ZERO, abs, add, dec, div, gt, gte, isZero, lt, lte, max, min, mul, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { Account } from "../core/accounts.ts"
import type { MarketPrice } from "../core/ladder.ts"
import { isOpen } from "../core/orders.ts"
import type { OrderEvent, SandboxOrder, WirePositionSide, WireSide } from "../core/orders.ts"
import { F } from "../wire/errors.ts"
import { bound } from "../core/symbols.ts"
import type { FuturesDesk } from "./desk.ts"

export type AlgoStatus = "NEW" | "TRIGGERING" | "TRIGGERED" | "FINISHED" | "CANCELED" | "REJECTED" | "EXPIRED"

export interface AlgoDraft {
  readonly symbol: string
  readonly clientAlgoId: string | undefined
  readonly side: WireSide
  readonly positionSide: WirePositionSide
  readonly type: string
  readonly timeInForce: string
  /** Zero with closePosition. */
  readonly quantity: Decimal
  readonly price: Decimal
  readonly triggerPrice: Decimal
  readonly workingType: "CONTRACT_PRICE" | "MARK_PRICE"
  readonly closePosition: boolean
  readonly priceProtect: boolean
  readonly reduceOnly: boolean
  /** Trailing only: zero: at once. */
  readonly activatePrice: Decimal
  readonly callbackRate: Decimal
  readonly selfTradePrevention: string
  readonly goodTillDateMs: number
}
export interface AlgoOrder extends Omit<AlgoDraft, "clientAlgoId"> {
  readonly id: bigint
  readonly clientAlgoId: string
  readonly account: string
  readonly createdAtMs: number
  updatedAtMs: number
  triggeredAtMs: number
  status: AlgoStatus
  /** A trailing order follows the price from here on. */
  activated: boolean
  child: SandboxOrder | undefined
  rejectReason: string
  hiddenUntilMs: number
}

const OPEN_MAX = 200
export const isWaiting = (order: AlgoOrder): boolean => order.status === "NEW"
const isLimit = (type: string): boolean => type === "STOP" || type === "TAKE_PROFIT"
const isStop = (type: string): boolean => type === "STOP" || type === "STOP_MARKET"

export class AlgoService {
  readonly #desk: FuturesDesk
  readonly #orders = new Map<bigint, AlgoOrder>()
  readonly #waiting = new Map<bigint, { readonly order: AlgoOrder; readonly unwatch: () => void }>()
  readonly #byChild = new Map<bigint, AlgoOrder>()
  #nextId: bigint
  readonly #listeners: ((order: AlgoOrder) => void)[] = []

  constructor(desk: FuturesDesk, firstId: bigint) {
    this.#desk = desk
    this.#nextId = firstId
    desk.exchange.on((event) => this.#happened(event))
  }
  on(listener: (order: AlgoOrder) => void): void {
    this.#listeners.push(listener)
  }

  byId(account: string, id: bigint): AlgoOrder | undefined {
    const order = this.#orders.get(id)
    return order?.account === account ? order : undefined
  }
  byClientId(account: string, clientAlgoId: string): AlgoOrder | undefined {
    const all = [...this.#orders.values()].filter((order) => order.account === account && order.clientAlgoId === clientAlgoId)
    return all.find(isWaiting) ?? all.at(-1)
  }
  open(account: string, symbol?: string): readonly AlgoOrder[] {
    return [...this.#waiting.values()]
      .map((entry) => entry.order)
      .filter((order) => order.account === account && (symbol === undefined || order.symbol === symbol))
  }
  all(account?: string): readonly AlgoOrder[] {
    return [...this.#orders.values()].filter((order) => account === undefined || order.account === account)
  }

  /** Accepts an algo order, or throws why not. */
  place(account: Account, draft: AlgoDraft, hideForMs: number): AlgoOrder {
    const { exchange } = this.#desk
    const open = this.open(account.name)
    if (draft.clientAlgoId !== undefined && open.some((other) => other.clientAlgoId === draft.clientAlgoId)) throw F.duplicate()
    if (open.length >= OPEN_MAX) throw F.maxStopOrders()
    if (draft.closePosition) {
      if (isZero(this.#desk.reducible(account.name, draft.symbol, draft.positionSide, draft.side))) throw F.gteNeedsPosition()
      const same = (other: AlgoOrder): boolean =>
        other.closePosition &&
        other.symbol === draft.symbol &&
        other.side === draft.side &&
        other.positionSide === draft.positionSide &&
        isStop(other.type) === isStop(draft.type)
      if (open.some(same)) throw F.closePositionExists()
    }
    const price = exchange.price("futures", draft.symbol)
    if (price !== undefined && draft.type !== "TRAILING_STOP_MARKET" && reached(draft, price)) throw F.wouldTrigger()
    if (price !== undefined && !isZero(draft.activatePrice)) {
      const now = watched(draft, price)
      if (draft.side === "BUY" ? gte(draft.activatePrice, now) : lte(draft.activatePrice, now)) throw F.wouldTrigger()
    }
    const nowMs = exchange.nowMs()
    const id = this.#nextId
    this.#nextId += 1n
    const order: AlgoOrder = {
      ...draft,
      timeInForce: draft.closePosition ? "GTE_GTC" : draft.timeInForce,
      id,
      clientAlgoId: draft.clientAlgoId ?? `sandbox-algo-${id}`,
      account: account.name,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      triggeredAtMs: 0,
      status: "NEW",
      activated: draft.type === "TRAILING_STOP_MARKET" && isZero(draft.activatePrice),
      child: undefined,
      rejectReason: "",
      hiddenUntilMs: hideForMs > 0 ? nowMs + hideForMs : 0,
    }
    this.#orders.set(id, order)
    const unwatch = exchange.watches.add("futures", draft.symbol, {
      reached: draft.type === "TRAILING_STOP_MARKET" ? this.#trailing(order, price) : (now) => reached(order, now),
      fire: () => this.#fire(order),
    })
    this.#waiting.set(id, { order, unwatch })
    if (draft.goodTillDateMs > 0) exchange.clock.after(draft.goodTillDateMs - nowMs, () => this.end(order, "EXPIRED"))
    this.#tell(order)
    return order
  }

  /** Ends an order that still waits. */
  end(order: AlgoOrder, status: "CANCELED" | "EXPIRED"): void {
    if (isWaiting(order)) this.#become(order, status)
  }
  /** For faults: the price of an order comes now, whatever the market says. */
  trigger(order: AlgoOrder): void {
    if (isWaiting(order)) this.#fire(order)
  }

  #become(order: AlgoOrder, status: AlgoStatus, rejectReason = ""): void {
    order.status = status
    order.rejectReason = rejectReason
    order.updatedAtMs = this.#desk.exchange.nowMs()
    if (status !== "NEW") {
      this.#waiting.get(order.id)?.unwatch()
      this.#waiting.delete(order.id)
    }
    this.#tell(order)
  }
  #tell(order: AlgoOrder): void {
    for (const listener of this.#listeners) listener(order)
  }

  #fire(order: AlgoOrder): void {
    const desk = this.#desk
    order.triggeredAtMs = desk.exchange.nowMs()
    this.#become(order, "TRIGGERING")
    const held = desk.reducible(order.account, order.symbol, order.positionSide, order.side)
    if (order.closePosition && isZero(held)) return this.#become(order, "EXPIRED")
    if (order.priceProtect && this.#apart(order.symbol))
      return this.#become(order, "REJECTED", "Price protect: the gap between last and mark price is too large.")
    const child = desk.exchange.create({
      account: order.account,
      market: "futures",
      symbol: order.symbol,
      // The child goes by the algo order's client id (binance.md 2.5).
      clientId: order.clientAlgoId,
      side: order.side,
      type: isLimit(order.type) ? "LIMIT" : "MARKET",
      origType: order.type,
      timeInForce: isLimit(order.type) ? order.timeInForce : "GTC",
      quantity: order.closePosition ? held : order.quantity,
      price: isLimit(order.type) ? order.price : ZERO,
      stopPrice: order.triggerPrice,
      positionSide: order.positionSide,
      reduceOnly: order.reduceOnly || (order.closePosition && order.positionSide === "BOTH"),
      closePosition: order.closePosition,
      selfTradePrevention: order.selfTradePrevention,
      workingType: order.workingType,
    })
    order.child = child
    this.#byChild.set(child.id, order)
    const refusal = desk.tryOpen(child)
    if (refusal === undefined) return
    this.#byChild.delete(child.id)
    order.child = undefined
    this.#become(order, "REJECTED", refusal.message)
  }
  /** Whether last and mark price are further apart than the symbol's `triggerProtect`. */
  #apart(symbol: string): boolean {
    const price = this.#desk.exchange.price("futures", symbol)
    const most = bound({ filterType: "", value: this.#desk.info(symbol).row["triggerProtect"] }, "value")
    return price !== undefined && !isZero(most) && gt(div(abs(sub(price.last, price.mark)), price.mark), most)
  }

  #happened(event: OrderEvent): void {
    const { order } = event
    if (order.market !== "futures") return
    const algo = this.#byChild.get(order.id)
    if (algo !== undefined) {
      if (event.kind === "NEW") this.#become(algo, "TRIGGERED")
      else if (!isOpen(order.status)) this.#become(algo, "FINISHED")
    }
    if (event.kind !== "TRADE") return
    // Good-till-expire orders live as long as there is a position to close.
    for (const other of this.open(order.account, order.symbol))
      if (other.closePosition && isZero(this.#desk.position(other.account, other.symbol, other.positionSide).quantity))
        this.end(other, "EXPIRED")
  }

  /** Follows the price once it is activated; fires when it has come back by the callback rate (percent). */
  #trailing(order: AlgoOrder, start: MarketPrice | undefined): (price: MarketPrice) => boolean {
    const buy = order.side === "BUY"
    let extreme = start === undefined ? undefined : watched(order, start)
    return (price) => {
      const now = watched(order, price)
      if (!order.activated) {
        if (buy ? gt(now, order.activatePrice) : lt(now, order.activatePrice)) return false
        order.activated = true
        extreme = now
        this.#tell(order)
        return false
      }
      extreme = extreme === undefined ? now : buy ? min(extreme, now) : max(extreme, now)
      const back = mul(extreme, div(order.callbackRate, dec("100")))
      return buy ? gte(now, add(extreme, back)) : lte(now, sub(extreme, back))
    }
  }
}

const watched = (order: Pick<AlgoDraft, "workingType">, price: MarketPrice): Decimal =>
  order.workingType === "MARK_PRICE" ? price.mark : price.last
const reached = (order: Pick<AlgoDraft, "workingType" | "type" | "side" | "triggerPrice">, price: MarketPrice): boolean => {
  const now = watched(order, price)
  const above = isStop(order.type) === (order.side === "BUY")
  return above ? gte(now, order.triggerPrice) : lte(now, order.triggerPrice)
}
