/**
 * The oracle: design.md section 10, as far as it can be seen from outside, when nothing is on its way any more. It reads the
 * store, the venue's own memory and the broker, and believes none of them.
 */
import { isDeepStrictEqual } from "node:util"
import type { EventRecord, Fill, OrderId } from "@petrosa/contracts"
import {
  add,
  cmp,
  dec,
  eq,
  floorTo,
  gt,
  isZero,
  parseClientOrderId,
  orderOfStream,
  reasonClass,
  type ReasonCode,
  str,
  sub,
  sum,
  ZERO,
} from "@petrosa/contracts"
import type { EventStore, SnapshotRead, StreamRead } from "@petrosa/event-store"
import { verifyChain } from "@petrosa/event-store"
import { savedIn } from "@petrosa/engine"
import { rebuild, replay } from "@petrosa/lifecycle"
import { isOver, type Ledger, type LedgerOrder, readPaperLedger } from "@petrosa/venue"
import { snapshotForm } from "../../apps/tradeengine/src/snapshotForm.ts"
import { until } from "./until.ts"
import type { World } from "./world.ts"

/** What it looks at: a whole world, or what stands for one. */
export type Auditable = Pick<World, "paperFile" | "withStore" | "messages"> & { readonly paper: Pick<World["paper"], "positions"> }

export interface Findings {
  readonly problems: readonly string[]
  readonly orders: number
  readonly rejected: number
  readonly settled: number
  readonly parked: number
  readonly entriesAtVenue: number
  readonly openLots: number
  readonly byReason: Readonly<Record<string, number>>
  /** Snapshots in the store, each held against the fold of its events. */
  readonly snapshots: number
  /** From the first record of a fill to that of its stop, ms, over orders that were never adopted in between. */
  readonly unprotectedMaxMs: number
}

/** Reasons after which the venue has (or had) the entry: it was cancelled there, or what it filled was given back. */
const AT_VENUE: ReadonlySet<string> = new Set(["ENTRY_TIMEOUT", "ENTRY_EXPIRED", "ENTRY_CANCELLED_AT_VENUE", "PROTECTION_FAILED"])
/** Cancelled on its way, or at the venue. */
const PERHAPS_AT_VENUE: ReadonlySet<string> = new Set(["CANCELLED_BY_USER", "CANCELLED_BY_OPPOSITE"])

const FILL_EVENTS = new Set(["EntryPartlyFilled", "EntryFilled", "LateFillFound", "ExitFilled"])

const fillsOf = (events: readonly EventRecord[]): readonly Fill[] =>
  events.flatMap((event) => (FILL_EVENTS.has(event.type) ? (event.data as { readonly fills: readonly Fill[] }).fills : []))

const unprotectedMs = (events: readonly EventRecord[]): number => {
  let sinceMs: number | undefined
  let longest = 0
  for (const event of events) {
    const atMs = Date.parse(event.at)
    if (event.type === "EntryPartlyFilled" || event.type === "EntryFilled") sinceMs ??= atMs
    else if (event.type === "OrderAdopted") sinceMs = sinceMs === undefined ? undefined : atMs
    else if ((event.type === "StopAccepted" || event.type === "FlattenAccepted" || event.type === "LotClosed") && sinceMs !== undefined) {
      longest = Math.max(longest, atMs - sinceMs)
      sinceMs = undefined
    }
  }
  return longest
}

/** The invariants of one order: what its events say, held against what the venue remembers of it. */
const checkOrder = (
  order: OrderId,
  events: readonly EventRecord[],
  fillsAt: ReadonlyMap<string, Ledger["fills"]>,
  legs: readonly LedgerOrder[],
  say: (problem: string) => void,
): void => {
  const last = events.at(-1)
  if (last === undefined) return
  const { difference } = replay(order, events)
  if (difference !== undefined) say(`replay differs: ${JSON.stringify(difference).slice(0, 300)}`)

  const intents = events.filter((event) => event.type === "EntryIntended")
  if (intents.length > 1) say(`${intents.length} intents`)
  const intent = intents[0]
  const entries = legs.filter((leg) => leg.leg === "entry")
  if (entries.length > 1) say(`${entries.length} entries at the venue`)
  if (legs.length > 0 && intent === undefined) say(`${legs.length} orders at the venue without an intent`)
  const intendedAtMs = Date.parse(intent?.at ?? "")
  for (const leg of legs) if (leg.placedAtMs < intendedAtMs) say(`${leg.clientOrderId} is older than its intent`)
  const ids = new Set(legs.map((leg) => leg.clientOrderId))
  if (ids.size !== legs.length) say("a client order id was used twice")

  if (last.parked) say(`parked: ${JSON.stringify(events.findLast((event) => event.type === "OrderParked")?.data)}`)
  else if (!last.settled) say(`not settled, in ${last.state} after ${last.type}`)
  const failed = events.findLast((event) => event.type === "OrderFailed")
  if (last.state === "failed") {
    const code = last.reason ?? ""
    if (AT_VENUE.has(code)) {
      if (entries.length !== 1) say(`${code}, and the venue has ${entries.length} entries`)
    } else if (!PERHAPS_AT_VENUE.has(code) && entries.length !== 0) say(`${code}, and the venue has ${entries.length} entries`)
    if (failed === undefined) say("failed without OrderFailed")
    else reasonClass(code as ReasonCode)
  }
  if (last.state === "filled" && intent !== undefined && entries.length !== 1) say(`filled, and the venue has ${entries.length} entries`)

  // Our fills are the venue's.
  const ours = fillsOf(events)
  const venueIds = new Set(legs.map((leg) => String(leg.venueOrderId)))
  const theirs = [...venueIds].flatMap((id) => fillsAt.get(id) ?? [])
  const known = new Map(ours.map((fill) => [fill.tradeId, fill]))
  if (known.size !== ours.length) say("a fill is recorded twice")
  for (const fill of theirs) {
    const mine = known.get(fill.tradeId)
    if (mine === undefined) say(`the venue's fill ${fill.tradeId} (${fill.quantity} at ${fill.price}) is not recorded`)
    else if (!eq(dec(mine.quantity), dec(fill.quantity)) || !eq(dec(mine.price), dec(fill.price)))
      say(`fill ${fill.tradeId} is recorded as ${mine.quantity} at ${mine.price}, the venue has ${fill.quantity} at ${fill.price}`)
    known.delete(fill.tradeId)
  }
  for (const fill of known.keys()) say(`fill ${fill} is recorded, the venue does not have it`)

  // Protection.
  const live = legs.filter((leg) => !isOver(leg.status))
  const open = dec(last.open_quantity)
  const step = dec((intent?.data as { readonly plan?: { readonly stepSize?: string } } | undefined)?.plan?.stepSize ?? "0")
  const stops = sum(live.filter((leg) => leg.leg === "stop").map((leg) => sub(dec(leg.quantity), dec(leg.filledQuantity))))
  const closable = floorTo(open, step)
  if (gt(open, ZERO) && last.settled && cmp(stops, closable) !== 0) say(`${str(open)} is open, and live stops are over ${str(stops)}`)
  if (last.settled && isZero(open) && live.length > 0 && last.done)
    say(`done, and live at the venue: ${live.map((leg) => leg.clientOrderId).join(", ")}`)
  if (last.settled && isZero(closable) && !last.done) say(`flat and settled, but not done (${last.type})`)
}

/** Fold = snapshot, of every snapshot that there is. Returns how many. */
const checkSnapshots = async (
  store: EventStore,
  reads: ReadonlyMap<string, StreamRead>,
  say: (problem: string) => void,
): Promise<number> => {
  const found = (await store.snapshots?.read(await snapshotForm(), [...reads.keys()])) ?? new Map<string, SnapshotRead>()
  for (const [stream, { snapshot }] of found) {
    const events = reads.get(stream)?.events ?? []
    const made = rebuild(
      orderOfStream(stream) as OrderId,
      events.filter(({ version }) => version <= snapshot.version),
    )
    const { regions, context } = savedIn(snapshot)
    const folded: unknown = made._tag === "Rebuilt" ? JSON.parse(JSON.stringify(made.actor.standing)) : made
    if (!isDeepStrictEqual({ regions, context }, folded))
      say(`${stream}: the snapshot at ${snapshot.version} is not what its events come to`)
  }
  return found.size
}

export interface CheckOptions {
  /** Whether the broker is looked at too. Default true. */
  readonly queues?: boolean
  /** Called now and then with how many orders were looked at. */
  readonly onProgress?: (orders: number) => void
}

/** Everything that is wrong; an empty list of problems is what is wanted. */
export const checkWorld = async (world: Auditable, options: CheckOptions = {}): Promise<Findings> => {
  const problems: string[] = []
  const ledger = readPaperLedger(world.paperFile)
  const legsOf = new Map<string, LedgerOrder[]>()
  for (const leg of ledger.orders) {
    const parts = parseClientOrderId(leg.clientOrderId)
    if (parts === undefined) problems.push(`${leg.clientOrderId} at the venue is none of ours`)
    else legsOf.set(parts.order, [...(legsOf.get(parts.order) ?? []), leg])
  }
  const fillsAt = Map.groupBy(ledger.fills, (fill) => fill.venueOrderId)
  const byReason: Record<string, number> = {}
  const positions = new Map<string, ReturnType<typeof dec>>()
  let orders = 0
  let rejected = 0
  let settled = 0
  let parked = 0
  let openLots = 0
  let snapshots = 0
  let unprotectedMaxMs = 0
  await world.withStore(async (store) => {
    for await (const batch of store.rawStreams("")) {
      for (const { stream, events } of batch) {
        const verdict = verifyChain(stream, events)
        if (!verdict.ok) problems.push(`${stream}: chain: ${verdict.what} at ${verdict.version}: ${verdict.detail}`)
        if (stream.startsWith("rejected/")) rejected += 1
      }
      const wanted = batch.map(({ stream }) => stream).filter((stream) => orderOfStream(stream) !== undefined)
      const reads = await store.readStreams(wanted)
      snapshots += await checkSnapshots(store, reads, (problem) => void problems.push(problem))
      for (const [stream, read] of reads) {
        const order = orderOfStream(stream)
        if (order === undefined) continue
        orders += 1
        const say = (problem: string): void => {
          problems.push(`${order}: ${problem} [${read.events.map((event) => event.type).join(" ")}]`)
        }
        if (read._tag === "Unreadable") {
          say(`unreadable: ${read.detail}`)
          continue
        }
        const legs = legsOf.get(order) ?? []
        legsOf.delete(order)
        checkOrder(order, read.events, fillsAt, legs, say)
        unprotectedMaxMs = Math.max(unprotectedMaxMs, unprotectedMs(read.events))
        const last = read.events.at(-1)
        if (last === undefined) continue
        if (last.settled) settled += 1
        if (last.parked) parked += 1
        if (last.reason !== null) byReason[last.reason] = (byReason[last.reason] ?? 0) + 1
        if (!isZero(dec(last.open_quantity))) {
          openLots += 1
          // A spot account has balances, not positions: there the lot's own fills and stops have to do.
          if (last.market !== "futures") continue
          const key = `${last.symbol} ${last.side === "buy" ? "long" : "short"}`
          positions.set(key, add(positions.get(key) ?? ZERO, dec(last.open_quantity)))
        }
      }
      options.onProgress?.(orders)
    }
  })
  for (const [order, legs] of legsOf) problems.push(`${order}: ${legs.length} orders at the venue, and not one event`)

  const atVenue = await world.paper.positions()
  if (atVenue._tag === "Known") {
    for (const position of atVenue.value) {
      const key = `${position.symbol} ${position.side}`
      const ours = positions.get(key) ?? ZERO
      if (!eq(ours, dec(position.quantity)))
        problems.push(`position ${key}: the venue has ${position.quantity}, our lots add up to ${str(ours)}`)
      positions.delete(key)
    }
    for (const [key, quantity] of positions)
      if (!isZero(quantity)) problems.push(`position ${key}: the venue has none, our lots add up to ${str(quantity)}`)
  }

  if (options.queues !== false) {
    // The sweep may ask after an order whose row was behind: its message is answered and gone within moments.
    const signals = await until(async () => ((await world.messages("SIGNALS")) === 0 ? { left: 0 } : undefined), { timeoutMs: 5000 }).then(
      ({ left }) => left,
      () => world.messages("SIGNALS"),
    )
    if (signals !== 0) problems.push(`${signals} messages are still in SIGNALS`)
    const lots = await world.messages("LOTS")
    if (lots !== openLots) problems.push(`${lots} messages in LOTS for ${openLots} open lots`)
  }
  const entriesAtVenue = ledger.orders.filter((leg) => leg.leg === "entry").length
  return { problems, orders, rejected, settled, parked, entriesAtVenue, openLots, byReason, snapshots, unprotectedMaxMs }
}
