/** The questions that the paper venue answers, each one statement on what is committed. `hidden`: orders that are too new to be told of. */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { abs, dec, str, sub } from "@petrosa/contracts"
import type { ClientOrderId, DecimalString, Fill, Market, MarketPrice, VenueOrderId } from "@petrosa/contracts"
import { entryPrice } from "@petrosa/matching"
import type { FuturesPosition } from "@petrosa/matching"
import type { Balance, Position, VenueOrder } from "../venue.ts"
import { fillOf, venueOrderOf } from "./rows.ts"
import type { FillRow, OrderRow } from "./rows.ts"

export type Hidden = (placedAtMs: number) => boolean

export class PaperReads {
  readonly #order: StatementSync
  readonly #orderById: StatementSync
  readonly #open: StatementSync
  readonly #fills: StatementSync
  readonly #balances: StatementSync
  readonly #positions: StatementSync
  readonly #prices: StatementSync

  constructor(db: DatabaseSync) {
    this.#order = db.prepare("SELECT * FROM orders WHERE client_id = ? AND market = ? AND symbol = ? ORDER BY id DESC LIMIT 1")
    this.#orderById = db.prepare("SELECT * FROM orders WHERE id = ? AND market = ? AND symbol = ?")
    this.#open = db.prepare(
      "SELECT * FROM orders WHERE live = 1 AND (?1 IS NULL OR symbol = ?1) AND (?2 IS NULL OR market = ?2) ORDER BY id",
    )
    this.#fills = db.prepare("SELECT * FROM fills WHERE order_id = ? ORDER BY id")
    this.#balances = db.prepare("SELECT asset, total, locked FROM balances ORDER BY asset")
    this.#positions = db.prepare("SELECT * FROM positions WHERE quantity <> '0' ORDER BY symbol, side")
    this.#prices = db.prepare("SELECT market, symbol, price, source, at_ms FROM prices")
  }

  #fillsOf(id: number): readonly Fill[] {
    return (this.#fills.all(id) as unknown as FillRow[]).map(fillOf)
  }

  #find(symbol: string, market: Market, clientOrderId: string, hidden: Hidden): OrderRow | undefined {
    const row = this.#order.get(clientOrderId, market, symbol) as OrderRow | undefined
    return row === undefined || hidden(row.placed_ms) ? undefined : row
  }

  /** The newest order with this client id. */
  order(symbol: string, market: Market, clientOrderId: ClientOrderId, hidden: Hidden): VenueOrder | undefined {
    const row = this.#find(symbol, market, clientOrderId, hidden)
    return row === undefined ? undefined : venueOrderOf(row, row.filled === "0" ? [] : this.#fillsOf(row.id))
  }

  openOrders(symbol: string | undefined, market: Market | undefined, hidden: Hidden): readonly VenueOrder[] {
    const rows = this.#open.all(symbol ?? null, market ?? null) as unknown as OrderRow[]
    return rows.filter((row) => !hidden(row.placed_ms)).map((row) => venueOrderOf(row))
  }

  fills(symbol: string, market: Market, clientOrderId: ClientOrderId, id: VenueOrderId | undefined, hidden: Hidden): readonly Fill[] {
    const row =
      id === undefined
        ? this.#find(symbol, market, clientOrderId, hidden)
        : (this.#orderById.get(Number(id), market, symbol) as OrderRow | undefined)
    return row === undefined || hidden(row.placed_ms) ? [] : this.#fillsOf(row.id)
  }

  balances(): readonly Balance[] {
    const rows = this.#balances.all() as unknown as { asset: string; total: DecimalString; locked: DecimalString }[]
    return rows.map(({ asset, total, locked }) => ({ asset, free: str(sub(dec(total), dec(locked))), locked }))
  }

  positions(): readonly Position[] {
    const rows = this.#positions.all() as unknown as ({ symbol: string; side: "long" | "short" } & FuturesPosition)[]
    return rows.map((row) => ({ symbol: row.symbol, side: row.side, quantity: str(abs(dec(row.quantity))), entryPrice: entryPrice(row) }))
  }

  prices(): readonly { readonly market: Market; readonly price: MarketPrice }[] {
    const rows = this.#prices.all() as unknown as {
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
}
