/** A small engine face for the HTTP tests: answers are set by the test, questions are remembered. */
import type { EventRecord, OrderEvent, OrderId } from "@petrosa/contracts"
import { clientOrderId, known, orderStream } from "@petrosa/contracts"
import type { AccountView, CancelAnswer, DryRunAnswer, EngineFace, Health, TradeAnswer } from "@petrosa/engine"
import type { EventStore, OrderPage, OrderQuery, OrderRow, StreamRead } from "@petrosa/event-store"
import { BadCursor, StoreUnavailable } from "@petrosa/event-store"

export const ORDER = "0123456789abcdefghjk" as OrderId
export const CLIENT_ID = clientOrderId("TEST", ORDER, "entry", 1)

export const row = (change: Partial<OrderRow> = {}): OrderRow => ({
  order: ORDER,
  stream: orderStream(ORDER),
  version: 9,
  hash: "ab".repeat(32),
  state: "filled",
  type: "OrderCompleted",
  at: "2026-11-23T10:00:01.000Z",
  signal_id: "sig-1",
  strategy_id: "volume_surge_breakout",
  symbol: "BTCUSDT",
  market: "futures",
  side: "buy",
  order_type: "limit",
  quantity: 0.001,
  price: 50000,
  stop_loss: 49000,
  take_profit: 51500,
  binance_order_id: "12345678",
  status: "filled",
  fill_price: 50005,
  filled_quantity: 0.001,
  fees: 0.05,
  open_quantity: "0.001",
  profit: null,
  reason: null,
  settled: true,
  done: false,
  parked: false,
  timestamp: "2026-11-23T10:00:00.000Z",
  created_at: "2026-11-23T10:00:00.500Z",
  simulation_mode: true,
  replica: "test-1",
  ...change,
})

/** Records of an order, with only what the HTTP API reads filled in. */
export const records = (...events: readonly OrderEvent[]): readonly EventRecord[] =>
  events.map((event, index) => ({
    ...(row() as unknown as EventRecord),
    _id: `${orderStream(ORDER)}:${String(index + 1).padStart(8, "0")}`,
    version: index + 1,
    type: event.type,
    data: event.data as unknown as EventRecord["data"],
    prev: "",
    commands: [],
    metadata: {},
  }))

export interface Fake extends EngineFace {
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[]
  answers: {
    trade: (body: Uint8Array, options: object) => Promise<TradeAnswer>
    dryRun: DryRunAnswer
    cancel: CancelAnswer
    health: Health
    account: AccountView | undefined
    page: OrderPage
    found: OrderRow | undefined
    stored: readonly EventRecord[]
    /** As an order that this version cannot read. */
    unreadable: boolean
    storeAway: boolean
  }
}

export const fakeEngine = (): Fake => {
  const calls: { name: string; args: readonly unknown[] }[] = []
  const answers: Fake["answers"] = {
    trade: async () => ({ _tag: "Settled", row: row(), duplicate: false }),
    dryRun: { _tag: "Rejected", code: "EMPTY", message: "The message is empty.", fields: [] },
    cancel: { _tag: "NotFound" },
    health: {
      status: "ok",
      ready: true,
      parts: { store: { ok: true, detail: "sqlite" }, nats: { ok: true, detail: "nats://user:pass@127.0.0.1:4222" } },
      replica: "test-1",
      version: "0.1.0",
      mode: "simulation",
      liveOrders: 0,
      openLots: 1,
      parkedOrders: 0,
      uptimeMs: 1234,
    },
    account: {
      venue: "paper",
      markets: ["spot", "futures"],
      mode: "simulation",
      balances: [{ asset: "USDT", free: "9949.9000001" as never, locked: "0" as never }],
      positions: [{ symbol: "BTCUSDT", side: "long", quantity: "0.3" as never, entryPrice: "50005" as never }],
      lots: [
        { order: ORDER, strategyId: "s", symbol: "BTCUSDT", market: "futures", side: "buy", quantity: "0.3" as never, state: "filled" },
      ],
    },
    page: { orders: [row()] },
    found: row(),
    stored: [],
    unreadable: false,
    storeAway: false,
  }
  const asked = (name: string, ...args: readonly unknown[]): void => {
    calls.push({ name, args })
  }
  const away = (): void => {
    if (answers.storeAway) throw new StoreUnavailable("connect ECONNREFUSED mongodb://u:secret@db:27017")
  }
  const store = {
    kind: "sqlite",
    storeId: "store-1",
    listOrders: async (query: OrderQuery) => {
      asked("listOrders", query)
      if (query.cursor === "broken") throw new BadCursor("no cursor of ours")
      away()
      return answers.page
    },
    findOrder: async (id: string) => {
      asked("findOrder", id)
      away()
      return answers.found
    },
    readStreams: async (streams: readonly string[]) => {
      asked("readStreams", streams)
      away()
      const events = answers.stored
      const head = { stream: orderStream(ORDER), version: 2, hash: "" }
      const read: StreamRead = answers.unreadable
        ? { _tag: "Unreadable", stream: orderStream(ORDER), version: 2, what: "unknownType", detail: "FooBar", events, head }
        : { _tag: "Readable", events }
      return new Map([[orderStream(ORDER) as string, read]])
    },
    readRaw: async () => [
      {
        stream: orderStream(ORDER),
        version: 1,
        hash: "h1",
        text: '{"stream":"s","version":1,"type":"FooBar","schema":9,"prev":"","data":{"price":"0.1"}}',
      },
    ],
  } as unknown as EventStore
  return {
    calls,
    answers,
    store,
    trade: (body, options) => {
      asked("trade", new TextDecoder().decode(body), options)
      return answers.trade(body, options)
    },
    dryRun: async (body) => {
      asked("dryRun", new TextDecoder().decode(body))
      return answers.dryRun
    },
    cancelEntry: async (symbol, id, by, market) => {
      asked("cancelEntry", symbol, id, by, market)
      return answers.cancel
    },
    price: async (symbol, market) => {
      asked("price", symbol, market)
      if (symbol === "AWAYUSDT") return { _tag: "Unknown", reason: "TIMEOUT" }
      if (symbol === "NOPEUSDT") return known(undefined)
      if (symbol === "BOOMUSDT") throw new Error("the secret is s3cr3t")
      return known({ symbol, price: "0.0000001" as never, source: "signal", atMs: Date.UTC(2026, 10, 23) })
    },
    account: async (market) => {
      asked("account", market)
      return known(answers.account)
    },
    setPrice: async (symbol, market, price) => asked("setPrice", symbol, market, price),
    totals: () => ({ trades_total: 3, trades_success: 2, trades_failed: 1, total_volume_usdt: "12345678901234567.89" as never }),
    metricsText: async () => "# TYPE petrosa_orders_total counter\npetrosa_orders_total 3\n",
    health: () => answers.health,
    onJournal: () => () => undefined,
  }
}
