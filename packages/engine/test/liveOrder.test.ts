import type { Command, EventRecord, OrderEvent, OrderId } from "@petrosa/contracts"
import { canonical } from "@petrosa/contracts"
import type { Append, AppendResult, EventStore } from "@petrosa/event-store"
import { verifyChain } from "@petrosa/event-store"
import { DEFAULT_DECISION_SETTINGS, decideEntry, EMPTY_VIEW } from "@petrosa/lifecycle"
import { bundledRules } from "@petrosa/venue"
import { describe, expect, it } from "vitest"
import { Journal } from "../src/journal.ts"
import { LiveOrder, type OrderHost } from "../src/liveOrder.ts"
import { settle } from "./manualClock.ts"

const ORDER = "0123456789abcdefghjk" as OrderId
const NOW = Date.UTC(2026, 10, 23, 12)

/** A store whose answers a test gives one by one. */
class AnsweredStore {
  readonly asked: { readonly batch: readonly Append[]; readonly answer: (results: readonly AppendResult[]) => void }[] = []
  append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    return new Promise((answer) => this.asked.push({ batch, answer }))
  }
  get stored() {
    return this.asked.flatMap(({ batch }) => batch.flatMap(({ records }) => records))
  }
}

const world = () => {
  const store = new AnsweredStore()
  const journal = new Journal(store as unknown as EventStore, () => {})
  const ran: string[] = []
  const durable: EventRecord[] = []
  const seen = { conflicts: 0, nowMs: NOW }
  const host: OrderHost = {
    journal,
    settingsVersion: "s",
    engineVersion: "e",
    replica: "r",
    nowMs: () => seen.nowMs,
    monotonicMs: () => seen.nowMs,
    onChanged: () => {},
    onDurable: (_order, records) => durable.push(...records.map((sealed) => sealed.record)),
    run: (_order, command: Command) => ran.push(command.type),
    onConflict: () => {
      seen.conflicts += 1
    },
    onRefused: () => {},
    onStepFailed: (_order, error) => {
      throw error
    },
    retryFlush: () => {},
  }
  const order = new LiveOrder(host, ORDER, null)
  const ok = async (): Promise<void> => {
    await settle()
    const asked = store.asked.at(-1)
    asked?.answer(asked.batch.map(() => ({ _tag: "Appended" })))
    await settle()
  }
  return { store, order, ran, durable, seen, ok }
}

const signal = {
  strategyId: "s",
  symbol: "BTCUSDT",
  market: "futures",
  action: "buy",
  confidence: canonical("0.8"),
  price: canonical("50000"),
  currentPrice: canonical("50000"),
  orderType: "market",
  timeInForce: "GTC",
  quantity: canonical("0.001"),
  simulate: false,
  timestampMs: NOW,
  timestampFrom: "signal",
} as const

const begin = (): readonly OrderEvent[] => [
  {
    type: "SignalReceived",
    data: {
      signal,
      identity: { hash: "", kind: "arrival", contentHash: "" },
      arrival: { transport: "nats", subject: "s", stream: "S", sequence: 1, streamTimeMs: NOW },
      raw: "{}",
      receivedAtMs: NOW,
    },
  },
  ...decideEntry({
    order: ORDER,
    engineId: "eng1",
    signal,
    nowMs: NOW,
    settings: DEFAULT_DECISION_SETTINGS,
    rules: bundledRules("futures").get("BTCUSDT"),
    venue: {
      name: "paper",
      mode: "simulation",
      markets: ["futures"],
      bracketStyle: "legs",
      shortMarkets: ["futures"],
      positionMode: "hedge",
      receiveWindowMs: 2000,
      feeRate: canonical("0.001"),
      baseFeeRate: canonical("0"),
    },
    freeBalance: { known: canonical("10000") },
    book: EMPTY_VIEW,
  }),
]

const filled = (order: LiveOrder): OrderEvent => ({
  type: "EntryFilled",
  data: {
    fills: [
      {
        tradeId: "1",
        quantity: canonical("0.001"),
        price: canonical("50000"),
        fee: canonical("0"),
        feeAsset: "USDT",
        feeQuote: canonical("0"),
        atMs: NOW,
      },
    ],
    venueOrderId: (order.context.entry?.clientOrderId ?? "") as never,
    via: "stream",
  },
})

describe("an order that is held", () => {
  it("given a decision, when the store has not answered, then the entry has not left; when it has, then it leaves once", async () => {
    const { order, ran, ok, store } = world()
    order.take(begin(), "signal")
    await settle()
    expect(store.asked).toHaveLength(1)
    expect(store.stored.map(({ record }) => record.type)).toEqual(["SignalReceived", "SignalValidated", "OrderSized", "EntryIntended"])
    expect(ran).toEqual([])
    await ok()
    expect(ran).toEqual(["placeEntry"])
  })

  it("given events while an append is on its way, when it returns, then the next append has all of them, and the chain holds", async () => {
    const { order, ok, store, durable } = world()
    order.take(begin(), "signal")
    await settle()
    order.take([filled(order)], "stream")
    await settle()
    expect(store.asked).toHaveLength(1)
    await ok()
    expect(store.asked).toHaveLength(2)
    await ok()
    expect(durable.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5])
    const stored = store.stored.map(({ record, text }) => ({ stream: record.stream, version: record.version, hash: record.hash, text }))
    expect(verifyChain(order.stream, stored)).toMatchObject({ ok: true, version: 5 })
  })

  it("given a conflict, when it is told, then nothing leaves, now or later", async () => {
    const { order, ran, seen, store } = world()
    order.take(begin(), "signal")
    await settle()
    store.asked[0]?.answer([{ _tag: "Conflict", stream: order.stream, version: 1 }])
    await settle()
    expect(seen.conflicts).toBe(1)
    order.take([filled(order)], "stream")
    await settle()
    expect(ran).toEqual([])
    expect(store.asked).toHaveLength(1)
  })

  it("given a store that is away after the intent, when a fill has waited long enough, then its stop leaves by the plan, once", async () => {
    const { order, ran, ok, seen, store } = world()
    order.take(begin(), "signal")
    await ok()
    order.take([filled(order)], "stream")
    await settle()
    order.releaseProtective(seen.nowMs - 1)
    expect(ran).toEqual(["placeEntry"])
    seen.nowMs += 250
    order.releaseProtective(seen.nowMs - 250)
    expect(ran).toEqual(["placeEntry", "placeStop"])
    // The store comes back: the stop does not leave again.
    store.asked.at(-1)?.answer([{ _tag: "Appended" }])
    await settle()
    expect(ran).toEqual(["placeEntry", "placeStop"])
  })

  it("given an intent that is not durable, when time passes, then not even a protective command leaves", async () => {
    const { order, ran, seen } = world()
    order.take(begin(), "signal")
    order.take([filled(order)], "stream")
    seen.nowMs += 10_000
    order.releaseProtective(seen.nowMs)
    expect(ran).toEqual([])
  })

  it("given somebody who waits for what was taken, when it is durable, then he is told, and not before", async () => {
    const { order, ok } = world()
    const told: string[] = []
    order.take(begin(), "signal")
    order.whenDurable(() => told.push("begun"))
    await settle()
    expect(told).toEqual([])
    await ok()
    expect(told).toEqual(["begun"])
  })
})
