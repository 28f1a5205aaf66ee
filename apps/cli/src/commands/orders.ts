/** `petrosa orders`: what became of the signals, newest first, from the store. */
import { symbolAsked } from "@petrosa/contracts"
import type { OrderQuery, OrderRow } from "@petrosa/event-store"
import { BadCursor } from "@petrosa/event-store"
import { CliError, type ExitCode, OK } from "../exits.ts"
import type { Colors, Io } from "../io.ts"
import { withStore } from "../openStore.ts"
import { readSettings } from "../settings.ts"
import { type Column, table } from "../table.ts"
import { cut, dateAndClock, number, safe } from "../text.ts"

export interface OrdersOptions {
  readonly state?: string
  readonly status?: string
  readonly symbol?: string
  readonly strategy?: string
  readonly reason?: string
  readonly since?: string
  readonly until?: string
  readonly search?: string
  readonly limit: number
  readonly cursor?: string
  readonly json?: boolean
}

export const paintState = (c: Colors, row: Pick<OrderRow, "state" | "parked">): string => {
  if (row.parked) return c.red(`${row.state} (parked)`)
  if (row.state === "filled") return c.green(row.state)
  if (row.state === "failed") return c.red(row.state)
  return c.yellow(row.state)
}

const COLUMNS: readonly Column[] = [
  { head: "created", drop: 2 },
  { head: "order" },
  { head: "signal", drop: 5 },
  { head: "strategy", drop: 3 },
  { head: "symbol" },
  { head: "side" },
  { head: "state" },
  { head: "status", drop: 4 },
  { head: "quantity", drop: 1 },
  { head: "fill price", drop: 1 },
  { head: "profit", drop: 6 },
  { head: "reason", drop: 7 },
]

const toTime = (name: string, text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw new CliError(`--${name} is no time: ${safe(text)}. Expected ISO 8601, such as 2026-11-23 or 2026-11-23T10:00:00Z.`)
  return new Date(ms).toISOString()
}

export const orders = async (io: Io, options: OrdersOptions): Promise<ExitCode> => {
  const since = toTime("since", options.since)
  const until = toTime("until", options.until)
  const { state, status, symbol, strategy, reason, search, limit, cursor } = options
  const given = {
    state,
    status,
    symbol: symbol === undefined ? undefined : symbolAsked(symbol),
    strategyId: strategy,
    reason: reason?.toUpperCase(),
    since,
    until,
    search,
    cursor,
  }
  const query: OrderQuery = { limit, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
  return withStore(readSettings(), async (store): Promise<ExitCode> => {
    const page = await store.listOrders(query).catch((error: unknown) => {
      throw error instanceof BadCursor ? new CliError("--cursor is not the one that a page before named.") : error
    })
    if (options.json === true) {
      io.json({ orders: page.orders, next: page.next ?? null })
      return OK
    }
    if (page.orders.length === 0) {
      io.err(Object.keys(query).length > 1 ? "No order matches." : "There are no orders yet. `petrosa publish <file>` sends a signal.")
      return OK
    }
    io.out(ordersTable(io, page.orders))
    if (page.next !== undefined) io.err(`More: --cursor ${page.next}`)
    return OK
  })
}

export const ordersTable = (io: Io, rows: readonly OrderRow[]): string => {
  const cells = rows.map((row) => [
    dateAndClock(row.created_at),
    row.order,
    cut(safe(row.signal_id), 36),
    cut(safe(row.strategy_id), 28),
    safe(row.symbol),
    row.side,
    paintState(io.c, row),
    row.status,
    number(row.filled_quantity ?? row.quantity),
    number(row.fill_price),
    row.profit ?? "-",
    row.reason ?? "-",
  ])
  // Nothing can be dropped any more: one line each, as short as it goes.
  return table(io, COLUMNS, cells) ?? rows.map((row) => `${row.order} ${safe(row.symbol)} ${paintState(io.c, row)}`).join("\n")
}
