/**
 * Where spot orders are accepted: checks in Binance's order (symbol, type, filters, counts, client id, trigger, balance), and
 * conditional orders that wait for their price with the balance that they need reserved.
 */
import { ZERO, add, dec, floorTo, gte, isZero, lte, mul, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { RefusalReason } from "@petrosa/matching"
import type { Account } from "../core/accounts.ts"
import type { Exchange } from "../core/exchange.ts"
import type { SandboxOrder, WireSide } from "../core/orders.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { ratio } from "../wire/decimals.ts"
import type { ApiError } from "../wire/errors.ts"
import { E, S } from "../wire/errors.ts"
import { checkCounts, checkFilters, checkMaxPosition, checkSymbol, isConditional } from "./filters.ts"
import type { SpotLeg } from "./read.ts"

const REFUSALS: Readonly<Record<RefusalReason, () => ApiError>> = {
  duplicate: S.duplicate,
  wouldTrigger: S.wouldTrigger,
  wouldMatch: S.wouldMatch,
  nothingToReduce: S.balance,
  balance: S.balance,
  noPrice: E.noDepth,
  unknownOrder: E.unknownOrder,
}

export interface Placing {
  readonly selfTradePrevention?: string
  readonly fillAfterMs?: number | undefined
  readonly hideForMs?: number
}

/** Whether a conditional order waits for a price above the market. */
const waitsAbove = (order: Pick<SandboxOrder, "type" | "side">): boolean => order.type.startsWith("STOP_LOSS") === (order.side === "BUY")

export class SpotDesk {
  readonly exchange: Exchange
  readonly #watched = new Map<bigint, () => void>()
  /** Set by the order lists: what has to happen before an order's trigger sends it off. */
  beforeFiring: (order: SandboxOrder) => void = () => undefined
  openLists: (account: string, symbol: string) => number = () => 0

  constructor(exchange: Exchange) {
    this.exchange = exchange
    exchange.on((event) => {
      if (event.kind !== "NEW" && event.kind !== "TRADE") this.#unwatch(event.order)
    })
  }
  #unwatch(order: SandboxOrder): void {
    this.#watched.get(order.id)?.()
    this.#watched.delete(order.id)
  }

  info(symbol: string): SymbolInfo {
    const info = this.exchange.symbols.get("spot", symbol)
    if (info === undefined) throw E.symbol()
    return info
  }

  /** The quantity of a leg; of one that is given in quote: what the book gives for it. */
  quantityOf(account: Account, info: SymbolInfo, leg: SpotLeg): Decimal {
    if (isZero(leg.quoteOrderQuantity)) return leg.quantity
    let left = leg.quoteOrderQuantity
    let quantity = ZERO
    for (const level of this.exchange.available(
      { account: account.name, market: "spot", symbol: info.symbol, side: leg.side },
      undefined,
    )) {
      const part = ratio(left, level.price)
      const taken = lte(part, level.quantity) ? part : level.quantity
      quantity = add(quantity, taken)
      left = sub(left, mul(taken, level.price))
      if (isZero(left) || taken === part) break
    }
    const floored = floorTo(quantity, info.step)
    if (isZero(floored)) throw E.rejected("Order book liquidity is less than `LOT_SIZE` filter minimum quantity.")
    return floored
  }

  /** Every check that needs nothing but the leg and the account; nothing is changed. */
  check(account: Account, info: SymbolInfo, leg: SpotLeg, quantity: Decimal): void {
    if (!account.canTrade) throw S.disabled()
    checkSymbol(info, leg.type)
    checkFilters(this.exchange, info, { ...leg, quantity })
  }
  checkRoom(account: Account, info: SymbolInfo, legs: readonly SpotLeg[], lists: number): void {
    const open = this.exchange.orders.open("spot", account.name, info.symbol)
    const algos = legs.filter((leg) => isConditional(leg.type)).length
    checkCounts(info, open, { orders: legs.length, algos, lists }, this.openLists(account.name, info.symbol))
    const buys = (side: WireSide, quantity: Decimal): Decimal => (side === "BUY" ? quantity : ZERO)
    const openBuys = open.reduce((total, order) => add(total, buys(order.side, sub(order.quantity, order.executed))), ZERO)
    const more = legs.reduce((total, leg) => add(total, buys(leg.side, leg.quantity)), ZERO)
    checkMaxPosition(info, dec(this.exchange.store.balance(`${account.name}:spot`, info.base).total), openBuys, more)
    const ids = legs.flatMap((leg) => leg.clientId ?? [])
    if (new Set(ids).size !== ids.length || ids.some((id) => this.exchange.orders.isTaken("spot", account.name, info.symbol, id)))
      throw S.duplicate()
  }

  /** Makes the order of a leg; it is not registered yet. */
  make(
    account: Account,
    info: SymbolInfo,
    leg: SpotLeg,
    quantity: Decimal,
    more: Placing & { readonly listId?: bigint } = {},
  ): SandboxOrder {
    const { selfTradePrevention, listId } = more
    const order = this.exchange.create({
      account: account.name,
      market: "spot",
      symbol: info.symbol,
      clientId: leg.clientId ?? "",
      side: leg.side,
      type: leg.type,
      timeInForce: leg.timeInForce,
      quantity,
      price: leg.price,
      stopPrice: leg.stopPrice,
      icebergQuantity: leg.icebergQuantity,
      quoteOrderQuantity: leg.quoteOrderQuantity,
      strategyId: leg.strategyId,
      strategyType: leg.strategyType,
      ...(selfTradePrevention === undefined ? {} : { selfTradePrevention }),
      ...(listId === undefined ? {} : { listId }),
    })
    const named: SandboxOrder = leg.clientId === undefined ? { ...order, clientId: `sandbox-${order.id}` } : order
    if (more.hideForMs !== undefined && more.hideForMs > 0) named.hiddenUntilMs = this.exchange.nowMs() + more.hideForMs
    return named
  }

  /** Checks and places a single order. */
  place(account: Account, symbol: string, leg: SpotLeg, more: Placing = {}): SandboxOrder {
    const info = this.info(symbol)
    const quantity = this.quantityOf(account, info, leg)
    this.check(account, info, leg, quantity)
    this.checkRoom(account, info, [{ ...leg, quantity }], 0)
    const order = this.make(account, info, leg, quantity, more)
    this.send(order, more.fillAfterMs)
    return order
  }

  /** Sends a checked order off: to its trigger, or to the book. Throws what the engine refuses. */
  send(order: SandboxOrder, delayMs?: number): void {
    if (isConditional(order.type)) {
      if (this.wouldTrigger(order)) throw S.wouldTrigger()
      const need = this.need(order)
      if (!this.exchange.reserve(order, need.asset, need.amount)) throw S.balance()
      this.arm(order)
      return
    }
    const refusal = this.exchange.open(order, { delayMs })
    if (refusal !== undefined) throw REFUSALS[refusal]()
  }

  /** Whether its trigger is already reached. */
  wouldTrigger(order: Pick<SandboxOrder, "symbol" | "type" | "side" | "stopPrice">): boolean {
    const last = this.exchange.price("spot", order.symbol)?.last
    if (last === undefined) throw E.noDepth()
    return waitsAbove(order) ? gte(last, order.stopPrice) : lte(last, order.stopPrice)
  }
  /** What an order has to have reserved while it waits. */
  need(order: Pick<SandboxOrder, "symbol" | "side" | "quantity" | "price" | "stopPrice">): {
    readonly asset: string
    readonly amount: Decimal
  } {
    const { base, quote } = this.info(order.symbol)
    if (order.side === "SELL") return { asset: base, amount: order.quantity }
    return { asset: quote, amount: mul(order.quantity, isZero(order.price) ? order.stopPrice : order.price) }
  }
  free(account: string, asset: string): Decimal {
    const balance = this.exchange.store.balance(`${account}:spot`, asset)
    return sub(dec(balance.total), dec(balance.locked))
  }

  /** Lets a conditional order wait for its price. What it needs is reserved by the caller. */
  arm(order: SandboxOrder): void {
    const activated = order.status === "PENDING_NEW"
    if (activated) {
      order.status = "NEW"
      order.updatedAtMs = this.exchange.nowMs()
    }
    this.exchange.wait(order)
    const unwatch = this.exchange.watches.add("spot", order.symbol, {
      reached: (price) => (waitsAbove(order) ? gte(price.last, order.stopPrice) : lte(price.last, order.stopPrice)),
      fire: () => {
        this.#watched.delete(order.id)
        this.beforeFiring(order)
        if (this.exchange.open(order) !== undefined) this.exchange.close(order, "EXPIRED", { reason: "REJECTED" })
      },
    })
    this.#watched.set(order.id, unwatch)
  }
}
