/**
 * What the page asks for, as JSON: lists of orders, one order with every step folded from its events, what could happen
 * next at a step, and one raw event with its hash. Reads the store only.
 */
import type { EventRecord, OrderId } from "@petrosa/contracts"
import { isOrderId, ORDER_STATES, REASONS, STATUSES } from "@petrosa/contracts"
import type { EventStore, OrderRow } from "@petrosa/event-store"
import { BadCursor, recordFromText, StoreUnavailable, verifyChain, hashOf } from "@petrosa/event-store"
import type { OrderContext, ReplayStep } from "@petrosa/lifecycle"
import { describeEvent, explainOrder, foldable, outstanding, replay, whatNext } from "@petrosa/lifecycle"
import { slimRow } from "./slim.ts"

export interface DataAnswer {
  readonly status: number
  readonly body: unknown
}
const ok = (body: unknown): DataAnswer => ({ status: 200, body })
const no = (status: number, detail: string): DataAnswer => ({ status, body: { detail } })

/** More events of one order than this are not folded for the page. */
export const EVENTS_MAX = 2000
const LIMIT_MAX = 500

/** What stays the same while the engine runs. */
export const vocabulary = {
  states: ORDER_STATES,
  statuses: STATUSES,
  reasons: Object.fromEntries(Object.entries(REASONS).map(([code, [kind, says]]) => [code, { class: kind, says }])),
}

const QUERY = ["limit", "cursor", "state", "status", "symbol", "strategy", "reason", "since", "until", "search"] as const

/** `/inspector/data/orders?…` */
export const listOrders = async (store: EventStore, query: URLSearchParams): Promise<DataAnswer> => {
  for (const name of query.keys()) if (!QUERY.some((known) => known === name)) return no(400, `There is no parameter ${name}.`)
  const text = (name: (typeof QUERY)[number]): string | undefined => {
    const value = query.get(name)?.trim()
    return value === undefined || value === "" ? undefined : value.slice(0, 200)
  }
  const limit = Number(text("limit") ?? 100)
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) return no(400, `limit is a whole number of 1…${LIMIT_MAX}.`)
  const wanted: Record<string, unknown> = { limit }
  for (const name of ["cursor", "state", "status", "reason", "search"] as const) if (text(name) !== undefined) wanted[name] = text(name)
  if (text("symbol") !== undefined) wanted["symbol"] = text("symbol")?.toUpperCase()
  if (text("strategy") !== undefined) wanted["strategyId"] = text("strategy")
  for (const name of ["since", "until"] as const) {
    const value = text(name)
    if (value === undefined) continue
    const atMs = Date.parse(value)
    if (Number.isNaN(atMs)) return no(400, `${name} is no time: ${value}`)
    wanted[name] = new Date(atMs).toISOString()
  }
  const whole = text("search")?.toLowerCase()
  try {
    // A whole id of ours is one order: there is nothing to search through. Other conditions may still rule it out.
    if (whole !== undefined && isOrderId(whole) && Object.keys(wanted).length === 2) {
      const row = await store.findOrder(whole)
      if (row?.order === whole) return ok({ orders: [slimRow(row)], next: null })
    }
    const page = await store.listOrders(wanted)
    return ok({ orders: page.orders.map(slimRow), next: page.next ?? null })
  } catch (error) {
    if (error instanceof BadCursor) return no(400, "The list has changed its shape; load it anew.")
    throw error
  }
}

interface Found {
  readonly row: OrderRow
  readonly events: readonly EventRecord[]
  /** What this version cannot read, if anything. */
  readonly unreadable: string | null
}

const find = async (store: EventStore, id: string): Promise<Found | undefined> => {
  const row = await store.findOrder(id)
  if (row === undefined) return undefined
  const read = (await store.readStreams([row.stream])).get(row.stream)
  const events = read?.events ?? []
  const readable = foldable(events)
  const damaged = events[readable.length]
  const unreadable =
    damaged !== undefined
      ? `From version ${damaged.version} on: the data of ${damaged.type} cannot be folded`
      : read?._tag === "Unreadable"
        ? `From version ${read.version} on: ${read.detail}`
        : null
  return { row, events: readable, unreadable }
}

const notFound = (id: string): DataAnswer => no(404, `No order ${id} is known: neither by our id, nor by the signal's, nor by the venue's.`)

/** The top-level fields of the context that a step changed: applied one after the other they give the context of any step. */
const changed = (before: OrderContext | undefined, after: OrderContext): Readonly<Record<string, unknown>> => {
  const set: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(after)) {
    const was = before?.[key as keyof OrderContext]
    if (before === undefined || (was !== value && JSON.stringify(was) !== JSON.stringify(value))) set[key] = value
  }
  return set
}

const stepOf = (step: ReplayStep, before: ReplayStep | undefined, record: EventRecord, startMs: number) => ({
  version: step.version,
  type: step.type,
  at: step.at,
  sinceStartMs: Date.parse(step.at) - startMs,
  tookMs: before === undefined ? 0 : Date.parse(step.at) - Date.parse(before.at),
  state: step.state,
  regions: step.regions,
  what: describeEvent(record),
  cause: record.cause,
  replica: record.replica,
  settings: record.settings_version,
  engine: record.engine_version,
  hash: record.hash,
  commands: step.commands,
  waiting: outstanding(step.context),
  set: changed(before?.context, step.context),
  differences: step.differences,
})

/** `/inspector/data/orders/<id>`: by our order id, the signal's id or the venue's. */
export const oneOrder = async (store: EventStore, id: string): Promise<DataAnswer> => {
  const found = await find(store, id)
  if (found === undefined) return notFound(id)
  const { row, unreadable } = found
  const events = found.events.slice(0, EVENTS_MAX)
  const folded = replay(row.order as OrderId, events)
  const verdict = verifyChain(row.stream, await store.readRaw(row.stream))
  const startMs = Date.parse(events[0]?.at ?? "")
  return ok({
    row: slimRow(row),
    steps: folded.steps.map((step, n) => stepOf(step, folded.steps[n - 1], events[n] as EventRecord, startMs)),
    difference: folded.difference ?? null,
    chain: verdict.ok ? { ok: true, version: verdict.version, hash: verdict.hash } : verdict,
    unreadable,
    left: found.events.length - events.length,
    why: explainOrder(events),
  })
}

/** `/inspector/data/orders/<id>/next?at=N` */
export const nextOf = async (store: EventStore, id: string, at: number): Promise<DataAnswer> => {
  const found = await find(store, id)
  if (found === undefined) return notFound(id)
  const order = found.row.order
  const step = replay(order as OrderId, found.events.slice(0, EVENTS_MAX), at).steps.at(-1)
  if (step === undefined || !isOrderId(order)) return no(404, `There is no step ${at}.`)
  return ok({ version: step.version, next: whatNext(order, step.regions, step.context, Date.parse(step.at)) })
}

/** `/inspector/data/orders/<id>/events/<version>`: exactly what is stored, and whether its hash is the one of its text. */
export const rawEvent = async (store: EventStore, id: string, version: number): Promise<DataAnswer> => {
  const row = await store.findOrder(id)
  if (row === undefined) return notFound(id)
  const stored = await store.readRaw(row.stream)
  const event = stored.find((one) => one.version === version)
  if (event === undefined) return no(404, `There is no event ${version}.`)
  const before = stored.find((one) => one.version === version - 1)
  const prev = recordFromText(event.text, event.hash)?.prev ?? null
  const computed = hashOf(event.text)
  return ok({
    version,
    text: event.text,
    hash: event.hash,
    prev,
    hashHolds: computed === event.hash,
    chainHolds: prev === (before?.hash ?? ""),
  })
}

export const isStoreAway = (error: unknown): boolean => error instanceof StoreUnavailable
