/** The engine's face for HTTP: see api.ts for what each method promises. */
import type { DecimalString, EventRecord, FieldError, Market, OrderId, Read, Reason, RejectionCode } from "@petrosa/contracts"
import { decodeSignal, isOrderId, known, orderStream, str } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import { rowOf, StoreUnavailable } from "@petrosa/event-store"
import type { Faults } from "@petrosa/venue"
import type { AccountView, CancelAnswer, DryRunAnswer, EngineFace, Health, PriceView, TradeAnswer, TradeTotals } from "./api.ts"
import { cancelEvents } from "./closing.ts"
import type { Engine } from "./engine.ts"
import { feedOf, priceView } from "./livePrice.ts"
import { conflictMessage } from "./receive.ts"

/** How long POST /trade is kept waiting. */
const TRADE_WAIT_MS = 10_000
/** An entry that the venue has and that has not filled for this long rests. */
const RESTS_AFTER_MS = 400
const CANCEL_WAIT_MS = 5_000
const POLL_MS = 250
const KEEP_WAIT_MS = 2_000
const PRICE_WAIT_MS = 2_500
const PRICE_POLL_MS = 50
/** Orders of one symbol that may have the same part of an id. */
const SAME_ID_MAX = 200

export interface FaceExtras {
  /** Simulation: moves the paper venue's price by hand. */
  readonly setPrice?: (symbol: string, market: Market, price: DecimalString) => Promise<void>
  /** Simulation: the paper venue's switches. */
  readonly faults?: () => Faults
  readonly setFaults?: (change: Partial<Faults>) => Promise<void>
}

type Outcome = "settled" | "resting" | "timeout"

interface Latest {
  readonly row: OrderRow
  readonly reason?: Reason
  readonly sequence?: number
  readonly contentHash?: string
}
interface FirstData {
  readonly arrival?: { readonly sequence: number }
  readonly identity?: { readonly contentHash: string }
}

export const engineFace = (engine: Engine, extras: FaceExtras = {}): EngineFace => {
  const { options, desk, receiver } = engine
  const { clock, store, intake } = options
  const startedAtMs = clock.nowMs()
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve))

  const decode = (body: Uint8Array, idempotencyKey: string) =>
    decodeSignal(body, {
      arrival: { transport: "http", subject: "", stream: "", sequence: 0, streamTimeMs: clock.nowMs(), idempotencyKey },
      receivedAtMs: clock.nowMs(),
      defaultMarket: options.defaultMarket,
      defaultOrderType: options.defaultOrderType,
      maxBytes: options.signalMaxBytes,
    })

  /** By any of its ids. From the projection, which may be some hundred milliseconds behind: good to find an order by. */
  const find = (id: string): Promise<OrderRow | undefined> => store.findOrder(id)

  /** A venue may number each symbol, and each market, on its own: an id means an order only together with both. */
  const isOf = (one: { readonly symbol: string; readonly market: string }, symbol: string, market: Market | undefined): boolean =>
    one.symbol === symbol && (market === undefined || one.market === market)

  /** The order held here whose entry the venue, or we, call so. */
  const heldWith = (id: string, symbol: string, market: Market | undefined): OrderId | undefined => {
    for (const { order, context } of desk.orders.values())
      if ((context.entry?.venueOrderId === id || context.entry?.clientOrderId === id) && isOf(context, symbol, market)) return order
    return undefined
  }

  const findOf = async (id: string, symbol: string, market: Market | undefined): Promise<OrderRow | undefined> => {
    const newest = await find(id)
    if (newest === undefined || isOf(newest, symbol, market)) return newest
    const { orders } = await store.listOrders({ search: id, symbol, limit: SAME_ID_MAX })
    return orders.find((row) => (row.binance_order_id === id || row.signal_id === id) && isOf(row, symbol, market))
  }

  /** The order as its own events say: never behind. */
  const latest = async (order: OrderId): Promise<Latest | undefined> => {
    const read = (await store.readStreams([orderStream(order)])).get(orderStream(order))
    const last = read?.events.at(-1)
    if (read === undefined || last === undefined) return undefined
    const failed = read.events.findLast((event) => event.type === "OrderFailed")
    const first = read.events[0]?.data as FirstData | undefined
    const reason = (failed?.data as { readonly reason?: Reason } | undefined)?.reason
    return {
      row: rowOf(last),
      ...(reason === undefined ? {} : { reason }),
      ...(first?.arrival === undefined ? {} : { sequence: first.arrival.sequence }),
      ...(first?.identity === undefined ? {} : { contentHash: first.identity.contentHash }),
    }
  }

  /** Until the order is settled, rests, or the time is up. Listens to our own journal, and asks the store for what others do. */
  const waitFor = async (order: OrderId): Promise<Outcome> => {
    const untilMs = clock.nowMs() + TRADE_WAIT_MS
    let restingSinceMs: number | undefined
    let wake: (() => void) | undefined
    const stop = engine.onJournal((records) => {
      if (records.some((record) => record.order === order)) wake?.()
    })
    try {
      for (;;) {
        const live = desk.orders.get(order)
        const nowMs = clock.nowMs()
        if (live !== undefined) {
          if (live.context.settled !== null && live.durableVersion === live.version) return "settled"
          const resting = live.context.entry?.status === "live" && live.context.entry.type !== "market"
          restingSinceMs = resting ? (restingSinceMs ?? nowMs) : undefined
          if (restingSinceMs !== undefined && nowMs - restingSinceMs >= RESTS_AFTER_MS) return "resting"
        } else {
          const found = (await latest(order))?.row
          if (found?.settled === true || found?.parked === true) return "settled"
        }
        if (nowMs >= untilMs) return "timeout"
        await Promise.race([
          sleep(Math.min(POLL_MS, Math.max(1, untilMs - nowMs))),
          new Promise<void>((resolve) => {
            wake = resolve
          }),
        ])
      }
    } finally {
      stop()
    }
  }

  /** Nothing that was refused disappears; but whoever sent it is not kept waiting for a store that is away. */
  const keepBody = async (
    bytes: Uint8Array,
    why: { readonly code: RejectionCode; readonly message: string; readonly fields: readonly FieldError[] },
    whole?: { readonly length: number; readonly sha256: string },
  ): Promise<void> => {
    const { code, message, fields } = why
    const name = `http/${options.newId()}`
    const kept = receiver.keepRejected({
      name,
      code,
      message,
      fields,
      bytes,
      transport: "http",
      subject: "POST /trade",
      sequence: 0,
      ...(whole === undefined ? {} : { whole }),
    })
    const recorded = await Promise.race([kept, sleep(KEEP_WAIT_MS).then(() => false)])
    if (!recorded) options.log.warn({ code, name }, "a refused body is not recorded yet: the store is away")
  }

  const trade: EngineFace["trade"] = async (body, { idempotencyKey, traceparent }): Promise<TradeAnswer> => {
    const key = idempotencyKey ?? options.newId()
    const decoded = decode(body, key)
    if (decoded._tag === "Rejected") {
      desk.metrics.signals.inc({ outcome: "rejected" })
      await keepBody(body, decoded)
      return { _tag: "Rejected", code: decoded.code, message: decoded.message, fields: decoded.fields }
    }
    const { order, signal } = decoded
    const storeAway = engine.state.storeAwaySince
    if (storeAway !== undefined) return { _tag: "Unavailable", what: "store", reason: engine.state.storeAwayReason }
    const published = await intake.publishSignal(body, {
      msgId: key,
      ...(traceparent === undefined ? {} : { headers: { traceparent } }),
    })
    switch (published._tag) {
      case "BrokerAway":
        return { _tag: "Unavailable", what: "broker", reason: published.message }
      case "Refused":
        return { _tag: "Unavailable", what: "broker", reason: `${published.code}: ${published.message}` }
      case "Occupied":
      case "Published":
        break
    }
    const pending = (duplicate: boolean): TradeAnswer => ({ _tag: "Pending", order, signalId: signal.id ?? signal.strategyId, duplicate })
    try {
      const outcome = await waitFor(order)
      const found = await latest(order)
      if (found === undefined) return pending(false)
      const { row, reason, sequence, contentHash } = found
      if (decoded.identity.kind !== "content" && contentHash !== undefined && contentHash !== decoded.identity.contentHash) {
        const message = conflictMessage(signal, order)
        // Dropped by the stream as a copy of the first: nobody else will record it.
        if (published._tag === "Published" && published.duplicate) await keepBody(body, { code: "IDENTITY_CONFLICT", message, fields: [] })
        return { _tag: "Rejected", code: "IDENTITY_CONFLICT", message, fields: [] }
      }
      const another = published._tag === "Published" && sequence !== undefined && sequence !== published.sequence
      const duplicate = another || (published._tag === "Published" && published.duplicate)
      if (outcome === "timeout") return pending(duplicate)
      if (outcome === "resting") return { _tag: "Resting", row, duplicate }
      return { _tag: "Settled", row, ...(reason === undefined ? {} : { reason }), duplicate }
    } catch (error) {
      // It is in the stream and goes on; what became of it can be asked for later.
      if (error instanceof StoreUnavailable) return pending(false)
      throw error
    }
  }

  const dryRun: EngineFace["dryRun"] = async (body): Promise<DryRunAnswer> => {
    const decoded = decode(body, options.newId())
    if (decoded._tag === "Rejected") return { _tag: "Rejected", code: decoded.code, message: decoded.message, fields: decoded.fields }
    const existing = (await latest(decoded.order).catch(() => undefined))?.row
    const { signal } = decoded
    await feedOf(options.seatFor(signal))?.prepare(signal.symbol, signal.market)
    const events = receiver.decide(decoded.order, signal, [], { dryRun: true })
    return { _tag: "Decided", order: decoded.order, signal: decoded.signal, events, ...(existing === undefined ? {} : { existing }) }
  }

  const cancelEntry: EngineFace["cancelEntry"] = async (named, id, by, market): Promise<CancelAnswer> => {
    const symbol = named.toUpperCase()
    let found: OrderRow | undefined
    try {
      const held = isOrderId(id) ? id : heldWith(id, symbol, market)
      const order = held ?? (await findOf(id, symbol, market))?.order
      found = order === undefined ? undefined : (await latest(order as OrderId))?.row
    } catch (error) {
      return { _tag: "Unavailable", reason: String(error) }
    }
    if (found === undefined || !isOf(found, symbol, market)) return { _tag: "NotFound" }
    const order = found.order as OrderId
    const overBefore = found.status !== "pending" && found.status !== "partially_filled"
    if (overBefore || (found.settled && found.open_quantity !== "0")) {
      return { _tag: "NotCancellable", row: found, message: `the entry is over (${found.status})` }
    }
    const live = desk.orders.get(order)
    if (live !== undefined) live.take(cancelEvents(live.context, by), "request")
    else {
      const published = await intake.publishResume(order, found.version, "cancel", by)
      if (published._tag === "BrokerAway" || published._tag === "Refused") return { _tag: "Unavailable", reason: published.message }
    }
    const untilMs = clock.nowMs() + CANCEL_WAIT_MS
    for (;;) {
      const now = desk.orders.get(order)
      const over = now === undefined || (now.context.entry?.status === "over" && now.durableVersion === now.version)
      if (over) {
        const after = (await latest(order))?.row
        if (after !== undefined && after.status !== "pending" && after.settled) {
          const filledWhole = after.status === "filled"
          return filledWhole
            ? { _tag: "NotCancellable", row: after, message: "the entry was filled before it could be cancelled" }
            : { _tag: "Cancelled", row: after }
        }
      }
      if (clock.nowMs() >= untilMs) return { _tag: "Requested", row: (await latest(order))?.row ?? found }
      await sleep(50)
    }
  }

  const seatsOf = (market: Market | undefined) =>
    options.seats.filter(({ venue }) => market === undefined || venue.markets.includes(market))

  const priceAtHand = (name: string, market: Market | undefined): PriceView | undefined => {
    const first = market ?? options.defaultMarket
    for (const one of market === undefined ? [first, first === "spot" ? ("futures" as const) : ("spot" as const)] : [first]) {
      for (const seat of seatsOf(one)) {
        const found = priceView(seat, name, one, clock.nowMs())
        if (found !== undefined) return found
      }
    }
    return undefined
  }

  /** An exchange is asked for the prices of symbols that somebody wanted: the first one takes a moment. */
  const price: EngineFace["price"] = async (symbol, market) => {
    const name = symbol.toUpperCase()
    const wanted = market === undefined ? (["spot", "futures"] as const) : [market]
    await Promise.all(wanted.flatMap((one) => seatsOf(one).map(async (seat) => feedOf(seat)?.prepare(name, one))))
    const trades = options.seats.some(
      ({ venue }) =>
        venue.mode !== "simulation" && venue.markets.some((one) => (market ?? one) === one && venue.rules(name, one) !== undefined),
    )
    const untilMs = clock.nowMs() + (trades ? PRICE_WAIT_MS : 0)
    for (;;) {
      const found = priceAtHand(name, market)
      if (found !== undefined || clock.nowMs() >= untilMs) return known(found)
      await sleep(PRICE_POLL_MS)
    }
  }

  const account: EngineFace["account"] = async (wanted): Promise<Read<AccountView | undefined>> => {
    const seat = options.seatFor({ market: wanted ?? options.defaultMarket, simulate: false })
    if (seat === undefined) return known(undefined)
    const [balances, positions] = await Promise.all([seat.venue.balances(), seat.venue.positions()])
    if (balances._tag === "Unknown") return balances
    if (positions._tag === "Unknown") return positions
    return known({
      venue: seat.venue.name,
      markets: seat.venue.markets,
      mode: seat.venue.mode,
      balances: balances.value,
      positions: positions.value,
      lots: [...desk.book.entries()].map(({ order, strategyId, symbol, market, side, quantity, state }) => ({
        order,
        strategyId,
        symbol,
        market,
        side,
        quantity,
        state,
      })),
    })
  }

  const health = (): Health => {
    const { state } = engine
    const nowMs = clock.nowMs()
    const parts = {
      engine: { ok: state.started && !state.stopping, detail: state.stopping ? "stopping" : state.started ? "at work" : "starting" },
      store:
        state.storeAwaySince === undefined
          ? { ok: true, detail: store.kind }
          : { ok: false, detail: `away for ${nowMs - state.storeAwaySince} ms: ${state.storeAwayReason}` },
      broker: {
        ok: intake.connected && state.troubles.size === 0,
        detail: !intake.connected ? "not connected" : [...state.troubles.values()].join("; ") || "connected",
      },
    }
    const ready = Object.values(parts).every((part) => part.ok)
    return {
      status: ready ? "ok" : "degraded",
      ready,
      parts,
      replica: options.replica,
      version: options.engineVersion,
      mode: options.mode,
      liveOrders: desk.orders.size,
      openLots: desk.book.size,
      parkedOrders: desk.parkedSeen,
      uptimeMs: nowMs - startedAtMs,
    }
  }

  const totals = (): TradeTotals => ({
    trades_total: desk.completed + desk.failed,
    trades_success: desk.completed,
    trades_failed: desk.failed,
    total_volume_usdt: str(desk.volumeQuote),
  })

  return {
    store,
    trade,
    dryRun,
    cancelEntry,
    price,
    account,
    ...(extras.setPrice === undefined ? {} : { setPrice: extras.setPrice }),
    ...(extras.faults === undefined ? {} : { faults: extras.faults }),
    ...(extras.setFaults === undefined ? {} : { setFaults: extras.setFaults }),
    totals,
    metricsText: () => desk.metrics.registry.metrics(),
    health,
    refusedTooLarge: ({ lengthBytes, sha256 }) =>
      keepBody(
        new Uint8Array(),
        { code: "TOO_LARGE", message: `The body has ${lengthBytes} bytes or more.`, fields: [] },
        { length: lengthBytes, sha256 },
      ),
    onJournal: (listener: (records: readonly EventRecord[]) => void) => engine.onJournal(listener),
  }
}
