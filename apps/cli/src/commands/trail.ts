/** `petrosa trail <id>`: what happened to one order, event by event, in sentences. */
import type { EventRecord } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import { describe } from "../describe.ts"
import { CANNOT, type ExitCode, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { findOrder, withStore } from "../openStore.ts"
import { readSettings } from "../settings.ts"
import { table, wrap } from "../table.ts"
import { clock, safe, since } from "../text.ts"
import { paintState } from "./orders.ts"

export const trail = (io: Io, id: string, options: { readonly json?: boolean }): Promise<ExitCode> =>
  withStore(readSettings(), async (store) => {
    const row = await findOrder(store, id)
    const read = (await store.readStreams([row.stream])).get(row.stream)
    const events = read?.events ?? []
    if (options.json === true) io.json(events.map((record) => ({ ...record, what: describe(record) })))
    else {
      io.out(heading(io, row))
      io.out("")
      io.out(trailTable(io, events))
    }
    if (read?._tag !== "Unreadable") return OK
    io.err(`From version ${read.version} on this order cannot be read: ${read.detail}. A newer version of petrosa may.`)
    return CANNOT
  })

const heading = (io: Io, row: OrderRow): string => {
  const name = `${io.c.bold(row.order)}  ${safe(row.strategy_id)} ${row.side} ${safe(row.symbol)} on ${row.market}${row.simulation_mode ? " (simulation)" : ""}`
  const ids = `signal ${safe(row.signal_id)}, at the venue ${row.binance_order_id === null ? "nothing" : safe(row.binance_order_id)}`
  const profit = row.profit === null ? "" : `, profit ${row.profit}`
  const open = row.open_quantity === "0" ? "" : `, holds ${row.open_quantity}`
  return `${name}\n${ids}\n${paintState(io.c, row)}, ${row.status}${row.reason === null ? "" : `, ${row.reason}`}${open}${profit}   since ${row.created_at}`
}

export const trailTable = (io: Io, events: readonly EventRecord[]): string => {
  const startMs = Date.parse(events[0]?.at ?? "")
  const cells = events.map((record, index) => {
    const changed = record.state !== events[index - 1]?.state
    return [
      String(record.version),
      clock(record.at),
      since(Date.parse(record.at) - startMs),
      record.type,
      changed ? io.c.bold(record.state) : io.c.dim(record.state),
      describe(record),
    ]
  })
  const columns = [
    { head: "v" },
    { head: "time", drop: 1 },
    { head: "since start", drop: 2 },
    { head: "event" },
    { head: "state" },
    { head: "what happened", wraps: true },
  ]
  const drawn = table(io, columns, cells)
  if (drawn !== undefined) return drawn
  return cells
    .map(([v, time, , event, state, what]) => `${v} ${time} ${event} ${state}\n${wrap(what ?? "", io.columns, "    ")}`)
    .join("\n")
}
