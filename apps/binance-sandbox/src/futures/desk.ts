/**
 * Where futures orders are accepted: LIMIT and MARKET only (conditional ones go to the algo service: -4120), one-way and hedge
 * mode, filters, client ids, and what the matching engine refuses.
 */
import { ZERO, abs, add, cmp, dec, div, isNegative, isZero, lte, mul, str, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { FuturesPosition, RefusalReason } from "@petrosa/matching"
import type { Account } from "../core/accounts.ts"
import type { Exchange } from "../core/exchange.ts"
import type { SandboxOrder, WirePositionSide, WireSide } from "../core/orders.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { ApiError, E, F } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import { checkMarketBand, checkNotional, checkPrecision, checkPrice, checkQuantity, mostOpenOrders } from "./filters.ts"
import { onlyReduces, readClientId, readPosition, readSelfTradePrevention, readPriceMatch } from "./read.ts"

export const ALGO_TYPES = ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"] as const
const TIMES = ["GTC", "IOC", "FOK", "GTX", "GTD", "RPI"] as const
const GOOD_TILL_LEAST_MS = 600_000

const REFUSALS: Readonly<Record<RefusalReason, () => ApiError>> = {
  duplicate: F.duplicate,
  wouldTrigger: F.wouldTrigger,
  wouldMatch: F.postOnly,
  nothingToReduce: F.reduceOnly,
  balance: F.margin,
  noPrice: E.noDepth,
  unknownOrder: E.unknownOrder,
}

export interface FuturesPlacing {
  readonly fillAfterMs: number | undefined
  readonly hideForMs: number
  /** Single orders: EXPIRE_MAKER; batches: NONE. */
  readonly selfTradePrevention: string
}

/** What a position is worth now. */
export interface PositionView {
  readonly quantity: Decimal
  readonly entryPrice: Decimal
  readonly mark: Decimal
  readonly unrealised: Decimal
  readonly margin: Decimal
  readonly realised: Decimal
}

export class FuturesDesk {
  readonly exchange: Exchange

  constructor(exchange: Exchange) {
    this.exchange = exchange
  }

  info(symbol: string): SymbolInfo {
    const info = this.exchange.symbols.get("futures", symbol)
    if (info === undefined) throw E.symbol()
    return info
  }

  position(account: string, symbol: string, side: WirePositionSide): PositionView {
    const key = side === "BOTH" ? "both" : side === "LONG" ? "long" : "short"
    const held: FuturesPosition | undefined = this.exchange.store.position(account, symbol, key)
    const quantity = dec(held?.quantity ?? "0")
    const mark = this.exchange.price("futures", symbol)?.mark ?? ZERO
    const entryPrice = held === undefined || isZero(quantity) ? ZERO : div(dec(held.cost), abs(quantity))
    return {
      quantity,
      entryPrice,
      mark,
      unrealised: isZero(quantity) ? ZERO : mul(sub(mark, entryPrice), quantity),
      margin: dec(held?.margin ?? "0"),
      realised: dec(held?.realised ?? "0"),
    }
  }
  /** What an order of this side could reduce. */
  reducible(account: string, symbol: string, positionSide: WirePositionSide, side: WireSide): Decimal {
    const { quantity } = this.position(account, symbol, positionSide)
    return isNegative(quantity) === (side === "BUY") ? abs(quantity) : ZERO
  }

  /** Reads and places one order. */
  place(account: Account, params: Params, placing: FuturesPlacing): SandboxOrder {
    const order = this.read(account, params, placing)
    params.done()
    this.send(account, order, placing)
    return order
  }

  /** Reads and checks one order; it is not registered yet. */
  read(account: Account, params: Params, placing: Pick<FuturesPlacing, "selfTradePrevention">): SandboxOrder {
    const symbol = params.symbol()
    const side = params.needOneOf("side", ["BUY", "SELL"] as const, E.side)
    const type = params.needOneOf("type", ["LIMIT", "MARKET", ...ALGO_TYPES, "LIQUIDATION"] as const, E.orderType)
    if (ALGO_TYPES.some((algo) => algo === type)) throw F.useAlgo()
    if (type !== "LIMIT" && type !== "MARKET") throw E.orderType()
    const info = this.info(symbol)
    const timeInForce = params.oneOf("timeInForce", TIMES, E.timeInForce)
    const quantity = params.number("quantity")
    const buys = side === "BUY"
    const match = readPriceMatch(
      params,
      (which, depth) => this.exchange.levels("futures", symbol, (which === "own") === buys ? "bids" : "asks").at(depth - 1)?.price,
    )
    const price = match.price === undefined ? params.number("price") : { text: str(match.price), value: match.price }
    const goodTillDate = params.integer("goodTillDate")
    for (const name of ["stopPrice", "activationPrice", "callbackRate"]) if (params.has(name)) throw E.notRequired(name)
    if (params.flag("closePosition") === true) throw E.notRequired("closePosition")
    params.oneOf("workingType", ["CONTRACT_PRICE", "MARK_PRICE"] as const, F.workingType)
    params.ignore("priceProtect")
    if (quantity === undefined) throw E.mandatory("quantity")
    if (type === "LIMIT") {
      if (timeInForce === undefined) throw E.mandatory("timeInForce")
      if (price === undefined) throw E.mandatory("price")
    } else {
      if (price !== undefined) throw E.notRequired("price")
      if (timeInForce !== undefined) throw E.notRequired("timeInForce")
    }
    if (timeInForce === "GTD") {
      if (goodTillDate === undefined) throw E.mandatory("goodTillDate")
      if (goodTillDate <= this.exchange.nowMs() + GOOD_TILL_LEAST_MS) throw F.goodTill()
    } else if (goodTillDate !== undefined && goodTillDate !== 0) throw E.notRequired("goodTillDate")
    const { positionSide, reduceOnly } = readPosition(params, account)
    const clientId = readClientId(params, "newClientOrderId")
    const stp = readSelfTradePrevention(params, placing.selfTradePrevention)
    this.checkStatus(info, onlyReduces(side, positionSide, reduceOnly))
    checkPrecision(info, quantity, [price])
    checkQuantity(info, quantity.value, type === "MARKET")
    if (price !== undefined) checkPrice(this.exchange, info, side, price.value)
    if (!onlyReduces(side, positionSide, reduceOnly)) checkNotional(this.exchange, info, quantity.value, price?.value)
    const draft = this.exchange.create({
      account: account.name,
      market: "futures",
      symbol,
      clientId: clientId ?? "",
      side,
      type,
      timeInForce: timeInForce ?? "GTC",
      quantity: quantity.value,
      price: price?.value ?? ZERO,
      positionSide,
      reduceOnly,
      selfTradePrevention: stp,
      priceMatch: match.word,
      goodTillDateMs: goodTillDate ?? 0,
    })
    return clientId === undefined ? { ...draft, clientId: `sandbox-${draft.id}` } : draft
  }

  checkStatus(info: SymbolInfo, reduces: boolean): void {
    if (info.status === "TRADING") return
    if (info.status === "CLOSE") throw new ApiError(-4141, "Symbol is closed.")
    if (!reduces) throw F.status()
  }

  /** Sends a read order off. Throws what the engine refuses; refused FOK and post-only orders are recorded nowhere. */
  send(account: Account, order: SandboxOrder, placing: Pick<FuturesPlacing, "fillAfterMs" | "hideForMs">): void {
    if (!account.canTrade) throw E.key()
    const { orders } = this.exchange
    const info = this.info(order.symbol)
    if (orders.isTaken("futures", account.name, order.symbol, order.clientId)) throw F.duplicate()
    if (orders.open("futures", account.name, order.symbol).length >= mostOpenOrders(info)) throw F.maxOrders()
    if (placing.hideForMs > 0) order.hiddenUntilMs = this.exchange.nowMs() + placing.hideForMs
    const refusal = this.tryOpen(order, placing.fillAfterMs)
    if (refusal !== undefined) throw refusal
    if (order.goodTillDateMs > 0)
      this.exchange.clock.after(order.goodTillDateMs - this.exchange.nowMs(), () =>
        this.exchange.end(order, "EXPIRED", { reason: "goodTill" }),
      )
  }

  /** Opens an order; the refusal instead of an exception (algo orders need it as a value). */
  tryOpen(order: SandboxOrder, delayMs?: number): ApiError | undefined {
    const info = this.info(order.symbol)
    if (order.type === "MARKET") {
      try {
        checkMarketBand(this.exchange, info, order.side)
      } catch (error) {
        if (error instanceof ApiError) return error
        throw error
      }
    }
    if (order.timeInForce === "FOK") {
      const have = this.exchange.available(order, order.type === "LIMIT" ? order.price : undefined)
      if (
        cmp(
          have.reduce((total, level) => add(total, level.quantity), ZERO),
          order.quantity,
        ) < 0
      )
        return F.fillOrKill()
    }
    const refusal = this.exchange.open(order, { delayMs })
    return refusal === undefined ? undefined : REFUSALS[refusal]()
  }

  /** Changes price and quantity of a resting limit order; it keeps its id and loses its place. */
  modify(order: SandboxOrder, quantity: Decimal, price: Decimal): void {
    if (lte(quantity, order.executed)) {
      this.exchange.end(order, "CANCELED")
      return
    }
    const refusal = this.exchange.amend(order, quantity, price)
    if (refusal !== undefined) throw REFUSALS[refusal]()
  }
}
