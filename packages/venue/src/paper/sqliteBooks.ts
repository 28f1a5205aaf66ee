/** The paper venue's memory as one SQLite file that several processes share: see `database.ts` for what that promises. */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { abs, dec, str, sub } from "@petrosa/contracts"
import type { DecimalString, Fill, Market, MarketPrice, SymbolRules } from "@petrosa/contracts"
import { entryPrice } from "@petrosa/matching"
import type { FuturesPosition, Order } from "@petrosa/matching"
import type { Balance, Position } from "../venue.ts"
import { EVENTS_KEPT } from "./books.ts"
import type { FoundOrder, LoggedEvent, PaperBooks, Work } from "./books.ts"
import { readLedger } from "./ledger.ts"
import type { Ledger } from "./ledger.ts"
import type { Listed } from "./lists.ts"
import { fillOf, venueOrderOf } from "./rows.ts"
import type { FillRow, OrderRow, ToldOrder } from "./rows.ts"
import { SqliteStore } from "./sqliteStore.ts"

interface ListedRow {
  readonly order_id: number
  readonly list_id: number
  readonly is_entry: number
  readonly waits: number
  readonly by_sibling: number
}
const listedOf = (row: ListedRow): Listed => ({
  orderId: row.order_id,
  listId: row.list_id,
  isEntry: row.is_entry === 1,
  waits: row.waits === 1,
  endedBySibling: row.by_sibling === 1,
})

interface WorkRow {
  readonly order_id: number
  readonly due_ms: number | null
  readonly at_price: DecimalString | null
  readonly parts: number
  readonly maker: number
}
const workOf = (row: WorkRow): Work => ({
  orderId: row.order_id,
  dueMs: row.due_ms,
  atPrice: row.at_price,
  parts: row.parts,
  maker: row.maker === 1,
})

/** The parts of an order that never change, what the event changed, and the fill. */
type EventRow = ToldOrder & {
  readonly market: Market
  readonly seq: number
  readonly fill_id: number | null
  readonly f_quantity: FillRow["quantity"]
  readonly f_price: FillRow["price"]
  readonly f_fee: FillRow["fee"]
  readonly f_fee_asset: string
  readonly f_fee_quote: FillRow["fee_quote"]
  readonly f_at_ms: number
}
const eventOf = (row: EventRow): LoggedEvent => {
  const event = { seq: row.seq, atMs: row.updated_ms, market: row.market, order: venueOrderOf(row) }
  if (row.fill_id === null) return event
  const fill = fillOf({
    id: row.fill_id,
    order_id: row.id,
    quantity: row.f_quantity,
    price: row.f_price,
    fee: row.f_fee,
    fee_asset: row.f_fee_asset,
    fee_quote: row.f_fee_quote,
    at_ms: row.f_at_ms,
  })
  return { ...event, fill }
}

/** Every 1000th line takes so many old ones away. */
const PRUNE_EVERY = 1_000

export class SqliteBooks extends SqliteStore implements PaperBooks {
  readonly undoable = true
  readonly #db: DatabaseSync
  readonly #sql: Readonly<Record<Statement, StatementSync>>
  #seenVersion = -1

  constructor(db: DatabaseSync, rulesOf: (symbol: string, market: Market) => SymbolRules | undefined) {
    super(db, rulesOf)
    this.#db = db
    this.#sql = Object.fromEntries(Object.entries(STATEMENTS).map(([name, text]) => [name, db.prepare(text)])) as Record<
      Statement,
      StatementSync
    >
    this.othersWrote()
  }

  begin(): void {
    this.#db.exec("BEGIN IMMEDIATE")
  }
  commit(): void {
    this.#db.exec("COMMIT")
  }
  rollback(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK")
  }
  close(): void {
    this.#db.close()
  }

  /** SQLite's data_version changes when another connection has written. */
  othersWrote(): boolean {
    const { data_version: version } = this.#sql.dataVersion.get() as { data_version: number }
    if (version === this.#seenVersion) return false
    this.#seenVersion = version
    this.forget()
    return true
  }

  counts(market: Market, symbol: string): { readonly orders: number; readonly algos: number } {
    return this.#sql.counts.get(market, symbol) as { orders: number; algos: number }
  }

  putWork(work: Work): void {
    this.#sql.putWork.run(work.orderId, work.dueMs, work.atPrice, work.parts, work.maker ? 1 : 0)
  }
  deleteWork(orderId: number): void {
    this.#sql.deleteWork.run(orderId)
  }
  dueWork(nowMs: number, limit: number): readonly Work[] {
    return (this.#sql.dueWork.all(nowMs, limit) as unknown as WorkRow[]).map(workOf)
  }
  nextDueMs(): number | undefined {
    return (this.#sql.nextWork.get() as { due: number | null }).due ?? undefined
  }
  heldWork(market: Market, symbol: string): readonly Work[] {
    return (this.#sql.heldWork.all(market, symbol) as unknown as WorkRow[]).map(workOf)
  }
  releaseWork(nowMs: number): void {
    this.#sql.releaseWork.run(nowMs)
  }

  listed(orderId: number): Listed | undefined {
    const row = this.#sql.listed.get(orderId) as ListedRow | undefined
    return row === undefined ? undefined : listedOf(row)
  }
  ofList(listId: number): readonly Listed[] {
    return (this.#sql.ofList.all(listId) as unknown as ListedRow[]).map(listedOf)
  }
  putListed({ orderId, listId, isEntry, waits, endedBySibling }: Listed): void {
    this.#sql.putListed.run(orderId, listId, isEntry ? 1 : 0, waits ? 1 : 0, endedBySibling ? 1 : 0)
  }

  logEvent(order: Order, fillId: number | null): void {
    const { lastInsertRowid } = this.#sql.logEvent.run(order.id, order.status, order.filled, order.filledQuote, fillId, order.updatedAtMs)
    const seq = Number(lastInsertRowid)
    if (seq % PRUNE_EVERY === 0 && seq > EVENTS_KEPT) this.#sql.pruneEvents.run(seq - EVENTS_KEPT)
  }
  eventsAfter(seq: number, limit: number): readonly LoggedEvent[] {
    return (this.#sql.eventsAfter.all(seq, limit) as unknown as EventRow[]).map(eventOf)
  }
  lastEvent(): number {
    return (this.#sql.lastEvent.get() as { last: number }).last
  }

  meta(key: string): string | undefined {
    return (this.#sql.meta.get(key) as { value: string } | undefined)?.value
  }
  putMeta(key: string, value: string): void {
    this.#sql.putMeta.run(key, value)
  }

  findOrder(symbol: string, market: Market, clientOrderId: string, id?: string): FoundOrder | undefined {
    const row = (
      id === undefined ? this.#sql.byClientId.get(clientOrderId, market, symbol) : this.#sql.byId.get(Number(id), market, symbol)
    ) as OrderRow | undefined
    return row === undefined ? undefined : found(row)
  }
  openOrders(symbol?: string, market?: Market): readonly FoundOrder[] {
    return (this.#sql.open.all(symbol ?? null, market ?? null) as unknown as OrderRow[]).map(found)
  }
  fillsOf(orderId: number): readonly Fill[] {
    return (this.#sql.fills.all(orderId) as unknown as FillRow[]).map(fillOf)
  }
  balances(): readonly Balance[] {
    const rows = this.#sql.balances.all() as unknown as { asset: string; total: DecimalString; locked: DecimalString }[]
    return rows.map(({ asset, total, locked }) => ({ asset, free: str(sub(dec(total), dec(locked))), locked }))
  }
  positions(): readonly Position[] {
    const rows = this.#sql.positions.all() as unknown as ({ symbol: string; side: "long" | "short" } & FuturesPosition)[]
    return rows.map((row) => ({ symbol: row.symbol, side: row.side, quantity: str(abs(dec(row.quantity))), entryPrice: entryPrice(row) }))
  }
  prices(): readonly { readonly market: Market; readonly price: MarketPrice }[] {
    const rows = this.#sql.prices.all() as unknown as {
      market: Market
      symbol: string
      price: DecimalString
      source: MarketPrice["source"]
      at_ms: number
    }[]
    return rows.map((row) => ({
      market: row.market,
      price: { symbol: row.symbol, price: row.price, source: row.source, atMs: row.at_ms },
    }))
  }
  ledger(): Ledger {
    return readLedger(this.#db)
  }
}

const found = (row: OrderRow): FoundOrder => ({ id: row.id, market: row.market, placedAtMs: row.placed_ms, order: venueOrderOf(row) })

export const STATEMENTS = {
  dataVersion: "PRAGMA data_version",
  counts: "SELECT count(*) AS orders, count(trigger_price) AS algos FROM orders WHERE live = 1 AND market = ?1 AND symbol = ?2",
  putWork: "INSERT OR REPLACE INTO work (order_id, due_ms, at_price, parts, maker) VALUES (?, ?, ?, ?, ?)",
  deleteWork: "DELETE FROM work WHERE order_id = ?",
  dueWork: "SELECT * FROM work WHERE due_ms <= ? ORDER BY due_ms, order_id LIMIT ?",
  nextWork: "SELECT min(due_ms) AS due FROM work WHERE due_ms IS NOT NULL",
  // Asked with each new price: from what is held, which is little, to its orders, and never through all orders there ever were.
  heldWork: "SELECT w.* FROM work w CROSS JOIN orders o ON o.id = w.order_id WHERE w.due_ms IS NULL AND o.market = ? AND o.symbol = ?",
  releaseWork: "UPDATE work SET due_ms = ?, at_price = NULL WHERE due_ms IS NULL",
  listed: "SELECT * FROM lists WHERE order_id = ?",
  ofList: "SELECT * FROM lists WHERE list_id = ? ORDER BY order_id",
  putListed: "INSERT OR REPLACE INTO lists (order_id, list_id, is_entry, waits, by_sibling) VALUES (?, ?, ?, ?, ?)",
  logEvent: "INSERT INTO events (order_id, status, filled, filled_quote, fill_id, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
  pruneEvents: "DELETE FROM events WHERE seq <= ?",
  eventsAfter:
    "SELECT o.id, o.client_id, o.market, o.symbol, o.side, o.type, o.quantity, o.price, o.trigger_price," +
    " e.seq, e.status, e.filled, e.filled_quote, e.at_ms AS updated_ms, e.fill_id," +
    " f.quantity AS f_quantity, f.price AS f_price, f.fee AS f_fee, f.fee_asset AS f_fee_asset, f.fee_quote AS f_fee_quote, f.at_ms AS f_at_ms" +
    " FROM events e JOIN orders o ON o.id = e.order_id LEFT JOIN fills f ON f.id = e.fill_id WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
  lastEvent: "SELECT coalesce(max(seq), 0) AS last FROM events",
  meta: "SELECT value FROM meta WHERE key = ?",
  putMeta: "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
  byClientId: "SELECT * FROM orders WHERE client_id = ? AND market = ? AND symbol = ? ORDER BY id DESC LIMIT 1",
  byId: "SELECT * FROM orders WHERE id = ? AND market = ? AND symbol = ?",
  open: "SELECT * FROM orders WHERE live = 1 AND (?1 IS NULL OR symbol = ?1) AND (?2 IS NULL OR market = ?2) ORDER BY id",
  fills: "SELECT * FROM fills WHERE order_id = ? ORDER BY id",
  balances: "SELECT asset, total, locked FROM balances ORDER BY asset",
  positions: "SELECT * FROM positions WHERE quantity <> '0' ORDER BY symbol, side",
  prices: "SELECT market, symbol, price, source, at_ms FROM prices",
} as const
type Statement = keyof typeof STATEMENTS
