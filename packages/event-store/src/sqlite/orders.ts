/**
 * Lists of orders from the embedded store's projection.
 *
 * Promises: newest first (by `created_at`, then by number), the same order on every page; a list never holds the event
 * loop for more than some milliseconds, whatever is asked: what no index answers is searched window by window.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { setImmediate as nextTurn } from "node:timers/promises"
import { ORDER_STREAM_PREFIX } from "@petrosa/contracts"
import { recordFromText } from "../hashChain.ts"
import { type OrderPage, type OrderQuery, type OrderRow, StoreUnavailable } from "../eventStore.ts"
import { limitOf, readCursor, rowOf, writeCursor } from "../orderRows.ts"
import { SIGNAL_GROUP } from "./schema.ts"

/** Rows that one window of a search looks at: about 5 ms. */
const WINDOW = 5000
/** After every number and every time. */
const END = "~"

/** A place in the list: everything before it (older) comes after it. */
interface Place {
  readonly at: string
  readonly no: number
}

interface Found {
  readonly no: number
  readonly created_at: string
  readonly hash: string
  readonly text: string
}

export type Prepare = (sql: string) => StatementSync

const SELECT = "SELECT o.no, o.created_at, e.hash, e.text FROM orders o"
/** `CROSS` keeps the order of the joins: the event is fetched only for rows that passed every filter. */
const JOIN_EVENT = "CROSS JOIN events e ON e.id = o.event"
const BETWEEN = "(o.created_at, o.no) < (?, ?) AND (o.created_at, o.no) >= (?, ?)"
const NEWEST_FIRST = "ORDER BY o.created_at DESC, o.no DESC LIMIT ?"

const toRow = (found: Found): OrderRow => {
  const record = recordFromText(found.text, found.hash)
  if (record === undefined) throw new StoreUnavailable(`the last event of order number ${found.no} cannot be read`)
  return rowOf(record)
}

const isOlder = (a: Place, b: Place): boolean => a.at < b.at || (a.at === b.at && a.no < b.no)
const placeOf = (found: Found): Place => ({ at: found.created_at, no: found.no })

interface Filter {
  readonly sql: string
  readonly values: readonly SQLInputValue[]
}

const likeText = (part: string): string => `%${part.replace(/[\\%_]/g, "\\$&")}%`

const filtersOf = (
  query: OrderQuery,
): { readonly plain: readonly Filter[]; readonly moving: readonly Filter[]; readonly search: readonly Filter[] } => {
  const equal = (column: string, value: string | undefined): readonly Filter[] =>
    value === undefined ? [] : [{ sql: `o.${column} = ?`, values: [value] }]
  const like = query.search === undefined || query.search === "" ? undefined : likeText(query.search)
  return {
    plain: [...equal("symbol", query.symbol), ...equal("strategy_id", query.strategyId)],
    moving: [...equal("state", query.state), ...equal("status", query.status), ...equal("reason", query.reason)],
    search:
      like === undefined
        ? []
        : [
            {
              sql: `(substr(s.name, ${ORDER_STREAM_PREFIX.length + 1}) LIKE ? ESCAPE '\\' OR o.signal_id LIKE ? ESCAPE '\\' OR o.binance_order_id LIKE ? ESCAPE '\\')`,
              values: [like, like, like],
            },
          ],
  }
}

export const listOrders = async (prepare: Prepare, query: OrderQuery): Promise<OrderPage> => {
  const limit = limitOf(query)
  const cursor = query.cursor === undefined ? undefined : readCursor(query.cursor)
  let from: Place = { at: query.until ?? END, no: query.until === undefined ? 0 : -1 }
  if (cursor !== undefined) {
    const place = { at: cursor[0], no: Number(cursor[1]) }
    if (isOlder(place, from)) from = place
  }
  const floor: Place = { at: query.since ?? "", no: 0 }
  const { plain, moving, search } = filtersOf(query)
  const wanted = limit + 1

  const run = (filters: readonly Filter[], upper: Place, lower: Place, count: number, joinStreams: boolean): Found[] => {
    const where = [BETWEEN, ...filters.map((filter) => filter.sql)].join(" AND ")
    const sql = `${SELECT} ${joinStreams ? "CROSS JOIN streams s ON s.no = o.no" : ""} ${JOIN_EVENT} WHERE ${where} ${NEWEST_FIRST}`
    const values = filters.flatMap((filter) => filter.values)
    return prepare(sql).all(upper.at, upper.no, lower.at, lower.no, ...values, count) as unknown as Found[]
  }

  let found: Found[] = []
  if (plain.length + moving.length + search.length <= 1 && search.length === 0) {
    if (moving.length === 0) found = run(plain, from, floor, wanted, false)
    else {
      // Columns that change are indexed where done = 1 only; the open ones are few.
      const open = run([...moving, { sql: "o.done = 0", values: [] }], from, floor, wanted, false)
      const done = run([...moving, { sql: "o.done = 1", values: [] }], from, floor, wanted, false)
      found = [...open, ...done].sort((a, b) => (isOlder(placeOf(a), placeOf(b)) ? 1 : -1)).slice(0, wanted)
    }
  } else {
    const filters = [...plain, ...moving, ...search]
    const edge = prepare(
      `SELECT o.created_at, o.no FROM orders o WHERE ${BETWEEN} ORDER BY o.created_at DESC, o.no DESC LIMIT 1 OFFSET ${WINDOW - 1}`,
    )
    let upper = from
    for (;;) {
      const next = edge.get(upper.at, upper.no, floor.at, floor.no) as { created_at: string; no: number } | undefined
      const lower = next === undefined ? floor : { at: next.created_at, no: next.no }
      found.push(...run(filters, upper, lower, wanted - found.length, search.length > 0))
      if (next === undefined || found.length >= wanted) break
      upper = lower
      await nextTurn()
    }
  }

  const page = found.slice(0, limit)
  const last = page.at(-1)
  const orders = page.map(toRow)
  return found.length > limit && last !== undefined ? { orders, next: writeCursor(last.created_at, String(last.no)) } : { orders }
}

interface Open extends Place {
  readonly event: number
  readonly stream: string
}

/** In a turn: two milliseconds. */
const NAMES_AT_ONCE = 1000
/** In a turn: three milliseconds. With ten thousand open orders their events take 0.2 s to be parsed. */
const PARSED_AT_ONCE = 100

/**
 * Oldest first, some at a time.
 *
 * @param wanted only those are parsed, and returned
 */
export const openOrders = async (prepare: Prepare, wanted?: (order: string) => boolean): Promise<readonly OrderRow[]> => {
  const rows: OrderRow[] = []
  let parsed = 0
  let from: Place = { at: "", no: 0 }
  for (;;) {
    const page = prepare(
      `SELECT o.no, o.created_at AS at, o.event, s.name AS stream FROM orders o CROSS JOIN streams s ON s.no = o.no
       WHERE o.done = 0 AND (o.created_at, o.no) > (?, ?) ORDER BY o.created_at, o.no LIMIT ${NAMES_AT_ONCE}`,
    ).all(from.at, from.no) as unknown as Open[]
    const eventOf = prepare("SELECT hash, text FROM events WHERE id = ?")
    for (const { no, at, event, stream } of page) {
      if (wanted?.(stream.slice(ORDER_STREAM_PREFIX.length)) === false) continue
      const found = eventOf.get(event) as Pick<Found, "hash" | "text"> | undefined
      if (found !== undefined) rows.push(toRow({ no, created_at: at, ...found }))
      parsed += 1
      if (parsed % PARSED_AT_ONCE === 0) await nextTurn()
    }
    const last = page.at(-1)
    if (last === undefined || page.length < NAMES_AT_ONCE) return rows
    from = last
    await nextTurn()
  }
}

/** In a turn: two milliseconds. */
const IDS_AT_ONCE = 1000

/** What is filled first, else oldest first. Out of the projection alone: no event is read. */
export const openOrderIds = async (prepare: Prepare): Promise<readonly string[]> => {
  const filled: string[] = []
  const pending: string[] = []
  let from: Place = { at: "", no: 0 }
  for (;;) {
    const page = prepare(
      `SELECT o.no, o.created_at AS at, s.name AS stream, o.status FROM orders o CROSS JOIN streams s ON s.no = o.no
       WHERE o.done = 0 AND (o.created_at, o.no) > (?, ?) ORDER BY o.created_at, o.no LIMIT ${IDS_AT_ONCE}`,
    ).all(from.at, from.no) as unknown as (Place & { readonly stream: string; readonly status: string })[]
    for (const { stream, status } of page) (status === "pending" ? pending : filled).push(stream.slice(ORDER_STREAM_PREFIX.length))
    const last = page.at(-1)
    if (last === undefined || page.length < IDS_AT_ONCE) return [...filled, ...pending]
    from = last
    await nextTurn()
  }
}

const newestOfVenueOrder = (prepare: Prepare, id: string): Found | undefined =>
  prepare(`${SELECT} ${JOIN_EVENT} WHERE o.binance_order_id = ? ORDER BY o.no DESC LIMIT 1`).get(id) as unknown as Found | undefined

/** The newest order of a signal, if there is one that is newer than `after`. */
const newestOfSignal = (prepare: Prepare, id: string, after: number): Found | undefined => {
  // A file that only readers of this version have opened yet.
  if (prepare("PRAGMA index_info(orders_signal)").get() !== undefined)
    return prepare(`${SELECT} ${JOIN_EVENT} WHERE o.signal_id = ? AND o.no > ? ORDER BY o.no DESC LIMIT 1`).get(id, after) as unknown as
      | Found
      | undefined
  const newest = Number(prepare("SELECT max(no) AS no FROM orders").get()?.no ?? -1)
  const inGroup = prepare(`SELECT max(no) AS no FROM orders WHERE no / ${SIGNAL_GROUP} = ? AND signal_id = ? AND no > ?`)
  const last = Math.max(0, Math.floor(after / SIGNAL_GROUP))
  for (let group = Math.floor(newest / SIGNAL_GROUP); group >= last; group -= 1) {
    const no = inGroup.get(group, id, after)?.no
    if (typeof no === "number") return prepare(`${SELECT} ${JOIN_EVENT} WHERE o.no = ?`).get(no) as unknown as Found | undefined
  }
  return undefined
}

export const findOrder = (prepare: Prepare, id: string): OrderRow | undefined => {
  const byId = prepare(`${SELECT} ${JOIN_EVENT} WHERE o.no = (SELECT no FROM streams WHERE name = ?)`).get(`${ORDER_STREAM_PREFIX}${id}`)
  if (byId !== undefined) return toRow(byId as unknown as Found)
  const ofVenue = newestOfVenueOrder(prepare, id)
  const newest = newestOfSignal(prepare, id, ofVenue?.no ?? -1) ?? ofVenue
  return newest === undefined ? undefined : toRow(newest)
}

/** Makes the projection from the events again, in one transaction. */
export const rebuildOrders = (db: DatabaseSync, rebuild: string): number => {
  db.exec("BEGIN IMMEDIATE")
  try {
    db.exec(rebuild)
    const count = Number(db.prepare("SELECT count(*) AS n FROM orders").get()?.n)
    db.exec("COMMIT")
    return count
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK")
    throw error
  }
}
