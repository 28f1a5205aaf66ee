/**
 * The matching core's memory as tables of the paper venue's file. Every write is one prepared statement; the transaction
 * around them belongs to the caller. Accounts do not meet here: there is one, and it trades with the outside market.
 *
 * What was read or written is remembered (write-through), until {@link SqliteStore.forget}: the caller must call it, inside
 * the transaction, whenever another connection has written, and after every rollback.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { approx, mul, dec, str } from "@petrosa/contracts"
import type { Leg, Market, MarketPrice, SymbolRules } from "@petrosa/contracts"
import { NO_FUNDS, fundsOf, holdingOf, isLive } from "@petrosa/matching"
import type {
  Funds,
  FuturesPosition,
  Holding,
  MatchingStore,
  Order,
  PositionSide,
  Quote,
  Trade,
  Unnumbered,
  UnnumberedTrade,
  WalletBalance,
} from "@petrosa/matching"
import { BySymbol } from "./bySymbol.ts"
import { SLACK, actsAt, quoteAt } from "./priceIndex.ts"
import { orderOf } from "./rows.ts"
import type { OrderRow } from "./rows.ts"

/** Orders that are remembered at most. */
const REMEMBERED = 10_000

export class SqliteStore implements MatchingStore {
  readonly #rulesOf: (symbol: string, market: Market) => SymbolRules | undefined
  readonly #insertOrder: StatementSync
  readonly #updateOrder: StatementSync
  readonly #order: StatementSync
  readonly #liveOrder: StatementSync
  readonly #reachable: StatementSync
  readonly #quote: StatementSync
  readonly #putQuote: StatementSync
  readonly #balance: StatementSync
  readonly #putBalance: StatementSync
  readonly #position: StatementSync
  readonly #putPosition: StatementSync
  readonly #insertFill: StatementSync
  readonly #orders = new Map<number, Order>()
  readonly #prices = new BySymbol<Omit<MarketPrice, "symbol">>()
  readonly #balances = new Map<string, Funds>()
  readonly #positions = new Map<string, Holding>()
  /** The leg of the order that is being inserted: the core does not know legs. */
  leg: Leg = "entry"

  constructor(db: DatabaseSync, rulesOf: (symbol: string, market: Market) => SymbolRules | undefined) {
    this.#rulesOf = rulesOf
    this.#insertOrder = db.prepare(
      "INSERT INTO orders (client_id, leg, market, symbol, side, position_side, type, time_in_force, quantity, price, trigger_price, reduce_only," +
        " placed_ms, status, filled, filled_quote, locked, triggered, pending, updated_ms, live, acts_below, acts_above)" +
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
    )
    this.#updateOrder = db.prepare(
      "UPDATE orders SET status = ?, filled = ?, filled_quote = ?, locked = ?, triggered = ?, pending = ?, updated_ms = ?, live = ?," +
        " acts_below = ?, acts_above = ? WHERE id = ?",
    )
    this.#order = db.prepare("SELECT * FROM orders WHERE id = ?")
    this.#liveOrder = db.prepare(
      "SELECT * FROM orders INDEXED BY orders_client WHERE client_id = ? AND live = 1 AND market = ? AND symbol = ? ORDER BY id DESC LIMIT 1",
    )
    this.#reachable = db.prepare(
      "SELECT * FROM orders WHERE market = ?1 AND symbol = ?2 AND acts_below >= ?3" +
        " UNION ALL SELECT * FROM orders WHERE market = ?1 AND symbol = ?2 AND acts_above <= ?4",
    )
    this.#quote = db.prepare("SELECT price, source, at_ms FROM prices WHERE market = ? AND symbol = ?")
    this.#putQuote = db.prepare("INSERT OR REPLACE INTO prices (market, symbol, price, source, at_ms) VALUES (?, ?, ?, ?, ?)")
    this.#balance = db.prepare("SELECT total, locked FROM balances WHERE asset = ?")
    this.#putBalance = db.prepare("INSERT OR REPLACE INTO balances (asset, total, locked) VALUES (?, ?, ?)")
    this.#position = db.prepare("SELECT quantity, cost, margin, realised FROM positions WHERE symbol = ? AND side = ?")
    this.#putPosition = db.prepare(
      "INSERT OR REPLACE INTO positions (symbol, side, quantity, cost, margin, realised) VALUES (?, ?, ?, ?, ?, ?)",
    )
    this.#insertFill = db.prepare(
      "INSERT INTO fills (order_id, market, symbol, side, quantity, price, fee, fee_asset, fee_quote, liquidity, realised, at_ms)" +
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
  }

  insertOrder(draft: Unnumbered): Order {
    const acts = actsAt(draft)
    const { lastInsertRowid } = this.#insertOrder.run(
      draft.clientOrderId,
      this.leg,
      draft.market,
      draft.symbol,
      draft.side,
      draft.positionSide,
      draft.type,
      draft.timeInForce,
      draft.quantity,
      draft.price ?? null,
      draft.triggerPrice ?? null,
      draft.reduceOnly ? 1 : 0,
      draft.placedAtMs,
      draft.status,
      draft.filled,
      draft.filledQuote,
      draft.locked,
      draft.triggered ? 1 : 0,
      draft.pending ? 1 : 0,
      draft.updatedAtMs,
      acts.below,
      acts.above,
    )
    draft.id = Number(lastInsertRowid)
    this.#remember(draft)
    return draft
  }

  /** What another connection may have changed, or a rollback has undone, is read anew. */
  forget(): void {
    this.#orders.clear()
    this.#prices.clear()
    this.#balances.clear()
    this.#positions.clear()
  }

  /** Orders that are about to be executed; a bounded number. */
  #remember(order: Order): void {
    if (!order.pending) {
      this.#orders.delete(order.id)
      return
    }
    if (this.#orders.size >= REMEMBERED) this.#orders.clear()
    this.#orders.set(order.id, order)
  }

  updateOrder(order: Order): void {
    const acts = actsAt(order)
    this.#remember(order)
    this.#updateOrder.run(
      order.status,
      order.filled,
      order.filledQuote,
      order.locked,
      order.triggered ? 1 : 0,
      order.pending ? 1 : 0,
      order.updatedAtMs,
      isLive(order.status) ? 1 : 0,
      acts.below,
      acts.above,
      order.id,
    )
  }

  order(id: number): Order | undefined {
    const remembered = this.#orders.get(id)
    if (remembered !== undefined) return remembered
    const row = this.#order.get(id) as OrderRow | undefined
    return row === undefined ? undefined : orderOf(row)
  }

  liveOrder(_account: string, market: Market, symbol: string, clientOrderId: string): Order | undefined {
    const row = this.#liveOrder.get(clientOrderId, market, symbol) as OrderRow | undefined
    return row === undefined ? undefined : orderOf(row)
  }

  reachable(market: Market, symbol: string, quote: Quote): readonly Order[] {
    const price = approx(quote.last)
    const rows = this.#reachable.all(market, symbol, price * (1 - SLACK), price * (1 + SLACK)) as unknown as OrderRow[]
    return rows.map(orderOf)
  }

  book(): Iterable<Order> {
    return []
  }

  marketPrice(market: Market, symbol: string): Omit<MarketPrice, "symbol"> | undefined {
    const remembered = this.#prices.get(market, symbol)
    if (remembered !== undefined) return remembered
    const row = this.#quote.get(market, symbol) as { price: MarketPrice["price"]; source: MarketPrice["source"]; at_ms: number } | undefined
    if (row === undefined) return undefined
    const price = { price: row.price, source: row.source, atMs: row.at_ms }
    this.#prices.set(market, symbol, price)
    return price
  }

  putMarketPrice(market: Market, price: MarketPrice): void {
    this.#prices.set(market, price.symbol, { price: price.price, source: price.source, atMs: price.atMs })
    this.#putQuote.run(market, price.symbol, price.price, price.source, price.atMs)
  }

  quote(market: Market, symbol: string): Quote | undefined {
    const price = this.marketPrice(market, symbol)?.price
    return price === undefined ? undefined : quoteAt(price)
  }

  /** The price is already written, with its source and time, by {@link putMarketPrice}: a quote here is that one price. */
  putQuote(): void {}

  funds(_wallet: string, asset: string): Funds {
    const remembered = this.#balances.get(asset)
    if (remembered !== undefined) return remembered
    const row = this.#balance.get(asset) as WalletBalance | undefined
    const funds = row === undefined ? NO_FUNDS : fundsOf(row)
    this.#balances.set(asset, funds)
    return funds
  }
  putFunds(_wallet: string, asset: string, funds: Funds): void {
    this.#balances.set(asset, funds)
    this.#putBalance.run(asset, str(funds.total), str(funds.locked))
  }
  holding(_account: string, symbol: string, side: PositionSide): Holding | undefined {
    const key = `${symbol} ${side}`
    const remembered = this.#positions.get(key)
    if (remembered !== undefined) return remembered
    const row = this.#position.get(symbol, side) as FuturesPosition | undefined
    if (row === undefined) return undefined
    const holding = holdingOf(row)
    this.#positions.set(key, holding)
    return holding
  }
  putHolding(_account: string, symbol: string, side: PositionSide, holding: Holding): void {
    this.#positions.set(`${symbol} ${side}`, holding)
    const { quantity, cost, margin, realised } = holding
    this.#putPosition.run(symbol, side, str(quantity), str(cost), str(margin), str(realised))
  }

  insertTrade(draft: UnnumberedTrade): Trade {
    const rules = this.#rulesOf(draft.symbol, draft.market)
    const feeQuote = draft.feeAsset === rules?.quoteAsset ? draft.fee : str(mul(dec(draft.fee), dec(draft.price)))
    const { lastInsertRowid } = this.#insertFill.run(
      draft.orderId,
      draft.market,
      draft.symbol,
      draft.side,
      draft.quantity,
      draft.price,
      draft.fee,
      draft.feeAsset,
      feeQuote,
      draft.liquidity,
      draft.realised,
      draft.atMs,
    )
    draft.id = Number(lastInsertRowid)
    return draft
  }
}
