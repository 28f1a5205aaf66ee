/**
 * An order's life for the tests of the command line, made as the engine makes it: each event is taken by the machine, and
 * what the machine says (state, commands, flat fields) is what is recorded.
 */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ClientOrderId, DecimalString, EventData, Leg, OrderEvent, OrderId, SealedRecord, VenueOrderId } from "@petrosa/contracts"
import { clientOrderId, decodeSignal, EVENT_SCHEMA, eventId, orderStream, reason } from "@petrosa/contracts"
import type { Append } from "@petrosa/event-store"
import { seal, SqliteEventStore } from "@petrosa/event-store"
import { flatFields, OrderActor } from "@petrosa/lifecycle"

export const START_MS = Date.UTC(2026, 10, 23, 10)
const ENGINE_ID = "TEST"
const d = (text: string): DecimalString => text as DecimalString

export interface Story {
  readonly order: OrderId
  readonly stream: string
  readonly append: Append
}

export interface StoryOptions {
  readonly id: string
  readonly strategy?: string
  readonly symbol?: string
  readonly venueOrderId?: string
  readonly startMs?: number
  /** Only so many events. */
  readonly events?: number
  readonly action?: "buy" | "hold"
}

/** A limit buy of 0.001 at 50000 that is filled, bracketed, completed, stopped out and closed; a hold ends after three events. */
export const story = (options: StoryOptions): Story => {
  const { id, strategy = "volume_surge_breakout", symbol = "BTCUSDT", venueOrderId = "12345678", action = "buy" } = options
  const startMs = options.startMs ?? START_MS
  const raw = JSON.stringify({
    strategy_id: strategy,
    symbol,
    action,
    confidence: 0.85,
    price: 50000,
    quantity: 0.001,
    signal_id: id,
    timestamp: new Date(startMs).toISOString(),
  })
  const arrival = { transport: "nats", subject: "signals.trading", stream: "SIGNALS", sequence: 1, streamTimeMs: startMs } as const
  const decoded = decodeSignal(new TextEncoder().encode(raw), {
    arrival,
    receivedAtMs: startMs,
    defaultMarket: "futures",
    defaultOrderType: "limit",
    maxBytes: 1_000_000,
  })
  if (decoded._tag !== "Signal") throw new Error(`the story's signal was rejected: ${JSON.stringify(decoded)}`)
  const { order } = decoded
  const leg = (name: Leg): ClientOrderId => clientOrderId(ENGINE_ID, order, name, 1)
  const at = (ms: number) => ({ sentAtMs: startMs + ms, receivedAtMs: startMs + ms + 4 })
  const received: OrderEvent = {
    type: "SignalReceived",
    data: { signal: decoded.signal, identity: decoded.identity, arrival, raw, receivedAtMs: startMs },
  }
  const validated: OrderEvent = {
    type: "SignalValidated",
    data: { nowMs: startMs + 1, ageMs: 1, venue: "paper", mode: "simulation", limits: { MIN_CONFIDENCE: "0.5" } },
  }
  const rule = (fraction: string) => ({ kind: "fraction", fraction: d(fraction), from: "default" }) as const
  const fill = (tradeId: string, price: string, ms: number) => ({
    tradeId,
    quantity: d("0.001"),
    price: d(price),
    fee: d("0.05"),
    feeAsset: "USDT",
    feeQuote: d("0.05"),
    atMs: startMs + ms,
  })
  const plan: EventData["EntryIntended"]["plan"] = {
    style: "legs",
    exitSide: "sell",
    stop: rule("0.02"),
    target: rule("0.05"),
    maxQuantity: d("0.001"),
    tickSize: d("0.1"),
    stepSize: d("0.001"),
    minQuantity: d("0.001"),
    protectionDeadlineMs: 5000,
    maxLegsOfAKind: 4,
  }
  const request = {
    clientOrderId: leg("entry"),
    leg: "entry",
    side: "buy",
    type: "limit",
    quantity: d("0.001"),
    price: d("50000"),
    timeInForce: "GTC",
    reduceOnly: false,
  } as const
  const bought: readonly OrderEvent[] = [
    received,
    validated,
    {
      type: "OrderSized",
      data: {
        side: "buy",
        quantity: d("0.001"),
        notional: d("50"),
        type: "limit",
        price: d("50000"),
        timeInForce: "GTC",
        referencePrice: d("50000"),
        basis: "quantity",
        stop: { price: d("49000"), rule: rule("0.02") },
        target: { price: d("52500"), rule: rule("0.05") },
        notes: [],
        inputs: { balance: "10000" },
      },
    },
    {
      type: "EntryIntended",
      data: {
        request,
        venue: "paper",
        market: "futures",
        symbol,
        quoteAsset: "USDT",
        baseAsset: "BTC",
        sendByMs: startMs + 5000,
        receiveWindowMs: 3000,
        expiresAtMs: startMs + 900_000,
        plan,
      },
    },
    { type: "EntryAccepted", data: { ...at(3), clientOrderId: leg("entry"), venueOrderId: venueOrderId as VenueOrderId, via: "reply" } },
    { type: "EntryFilled", data: { fills: [fill("1", "50000", 8)], venueOrderId: venueOrderId as VenueOrderId, via: "stream" } },
    {
      type: "StopAccepted",
      data: {
        ...at(9),
        clientOrderId: leg("stop"),
        venueOrderId: "s1" as VenueOrderId,
        quantity: d("0.001"),
        price: d("49000"),
        via: "reply",
      },
    },
    {
      type: "TargetAccepted",
      data: {
        ...at(10),
        clientOrderId: leg("target"),
        venueOrderId: "t1" as VenueOrderId,
        quantity: d("0.001"),
        price: d("52500"),
        via: "reply",
      },
    },
    { type: "OrderCompleted", data: { quantity: d("0.001"), fillPrice: d("50000"), fees: d("0.05") } },
    { type: "ExitFilled", data: { leg: "stop", clientOrderId: leg("stop"), fills: [fill("2", "49000", 65_000)], via: "stream" } },
    { type: "SiblingCancelled", data: { leg: "target", clientOrderId: leg("target"), via: "reply" } },
    {
      type: "LotClosed",
      data: { quantity: d("0.001"), entryPrice: d("50000"), exitPrice: d("49000"), fees: d("0.1"), profit: d("-1.1"), closedBy: "stop" },
    },
  ]
  const held: readonly OrderEvent[] = [received, validated, { type: "OrderFailed", data: { reason: reason("HOLD") } }]
  const events = (action === "hold" ? held : bought).slice(0, options.events)
  return { order, stream: orderStream(order), append: { stream: orderStream(order), records: recordAll(order, events, startMs) } }
}

const recordAll = (order: OrderId, events: readonly OrderEvent[], startMs: number): readonly SealedRecord[] => {
  const actor = new OrderActor(order)
  const stream = orderStream(order)
  const sealed: SealedRecord[] = []
  events.forEach((event, index) => {
    const version = index + 1
    const atMs = startMs + (index < 9 ? index * 2 : 60_000 + index * 1000)
    const taken = actor.take(event, version, atMs)
    if (taken === undefined) throw new Error(`the machine does not take ${event.type} in ${JSON.stringify(actor.regions)}`)
    const record = {
      ...flatFields(taken.context, event.type),
      order,
      _id: eventId(stream, version),
      stream,
      version,
      schema: EVENT_SCHEMA[event.type],
      type: event.type,
      state: taken.state,
      at: new Date(atMs).toISOString(),
      data: event.data as unknown as Readonly<Record<string, unknown>>,
      commands: taken.commands,
      settings_version: "s1",
      engine_version: "0.1.0",
      replica: "test-1",
      cause: "decision",
      trace: null,
    }
    sealed.push(seal(record, sealed.at(-1)?.record.hash ?? ""))
  })
  return sealed
}

/** A store file in a folder of its own with these orders in it, written through the store itself. */
export const storeWith = async (...stories: readonly Story[]): Promise<string> => {
  const file = join(mkdtempSync(join(tmpdir(), "petrosa-cli-")), "audit.sqlite")
  const store = SqliteEventStore.open({ file })
  const results = await store.append(stories.map(({ append }) => append))
  if (results.some((result) => result._tag !== "Appended")) throw new Error(`the store did not take it: ${JSON.stringify(results)}`)
  await store.close()
  return file
}
