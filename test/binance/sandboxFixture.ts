/** A Binance adapter on the local Binance, over real HTTP and WebSocket, as the venue contract wants it. */
import { EXAMPLE_KEY, EXAMPLE_SECRET, startSandbox } from "@petrosa/binance-sandbox"
import type { FaultRule, Sandbox, SandboxOptions } from "@petrosa/binance-sandbox"
import { dec, div, floorTo, str, sub } from "@petrosa/contracts"
import type { Leg, Market } from "@petrosa/contracts"
import { openBinanceFutures, openBinanceSpot } from "@petrosa/venue"
import type { FuturesOptions, SpotOptions, Trouble, Venue } from "@petrosa/venue"
import type { VenueFixture } from "@petrosa/venue/testing"

export const SYMBOL = "BTCUSDT"
export const credentials = { kind: "hmac", apiKey: EXAMPLE_KEY, apiSecret: EXAMPLE_SECRET } as const

export interface SandboxFixture extends VenueFixture {
  readonly sandbox: Sandbox
  readonly troubles: readonly Trouble[]
  /** Opens another venue on the sandbox, with its own options. */
  open(more?: Partial<SpotOptions & FuturesOptions>): Promise<Venue>
}

/** Above the bid lies the ask, one tick higher: so many ticks below 50,000 a buyer pays 50,000. */
const TICK: Readonly<Record<Market, string>> = { spot: "0.01", futures: "0.1" }

export const sandboxFixture = async (
  market: Market,
  options: { readonly sandbox?: SandboxOptions; readonly venue?: Partial<SpotOptions & FuturesOptions> } = {},
): Promise<SandboxFixture> => {
  const sandbox = await startSandbox({
    accounts: [{ name: "main", apiKey: EXAMPLE_KEY, apiSecret: EXAMPLE_SECRET, spot: { USDT: "10000" }, futures: { USDT: "10000" } }],
    // In quote: what was bought is what is held.
    fees: { commission: "quote" },
    prices: { [SYMBOL]: str(sub(dec("50000"), dec(TICK[market]))) },
    strictStreams: true,
    ...options.sandbox,
  })
  sandbox.world.exchange.account("main").leverage.set(SYMBOL, 1)
  const troubles: Trouble[] = []
  const opened: Venue[] = []
  const open = async (more: Partial<SpotOptions & FuturesOptions> = {}): Promise<Venue> => {
    const common = {
      mode: "testnet",
      credentials,
      pricePollMs: 0,
      onTrouble: (trouble: Trouble) => troubles.push(trouble),
      ...options.venue,
      ...more,
    } as const
    const start =
      market === "spot"
        ? await openBinanceSpot({ restUrl: sandbox.spotUrl, socketUrl: sandbox.spotApiSocketUrl, ...common })
        : await openBinanceFutures({ restUrl: sandbox.futuresUrl, socketUrl: sandbox.futuresStreamUrl, ...common })
    if (start._tag !== "Started") throw new Error(`not started: ${start.code} ${start.message}`)
    opened.push(start.venue)
    return start.venue
  }
  let venue = await open()

  const place = (kind: Leg): string => (market === "futures" && (kind === "stop" || kind === "target") ? "algo.place" : "order.place")
  const OPERATIONS = { cancel: "order.cancel", query: "order.query", list: "list.place" } as const
  const operation = (kind: Leg | "cancel" | "query" | "list"): string =>
    kind === "cancel" || kind === "query" || kind === "list" ? OPERATIONS[kind] : place(kind)
  const add = async (...rules: readonly FaultRule[]): Promise<void> => void sandbox.addFaults(...rules)

  return {
    get venue() {
      return venue
    },
    sandbox,
    troubles,
    open,
    market,
    symbol: SYMBOL,
    quoteAsset: "USDT",
    setPrice: async (price) => sandbox.setPrice(SYMBOL, price, { market }),
    faults: {
      // A question that was answered into the void or never arrived is the same to who asked; refusals are not lost by the sandbox.
      loseReply: (kind) => add({ kind: kind === "query" ? "dropRequest" : "loseReply", count: 1, match: { op: operation(kind) } }),
      dropRequest: (kind) => add({ kind: "dropRequest", count: 1, match: { op: operation(kind) } }),
      partialFills: async (parts, everyMs) => fillInParts(sandbox, market, parts, everyMs),
      notFoundFor: (forMs) => add({ kind: "notFound", forMs }),
      duplicateEvents: () => add({ kind: "duplicateEvent" }),
      none: async () => sandbox.clearFaults(),
    },
    allClientIds: async () => {
      const { orders, algoOrders: algos } = sandbox.ledger()
      const children = new Set(algos.map((algo) => algo.childOrderId))
      const plain = orders.filter((order) => order.market === market && !children.has(order.orderId))
      return market === "spot"
        ? plain.map((order) => order.clientId)
        : [...plain.map((order) => order.clientId), ...algos.map((algo) => algo.clientAlgoId)]
    },
    another: () => open(),
    restart: async () => {
      await venue.close()
      venue = await open()
      return venue
    },
    now: Date.now,
    close: async () => {
      for (const one of opened) await one.close()
      await sandbox.close()
    },
  }
}

/** New orders do not trade by themselves, but in so many parts, the last with what is left. */
const fillInParts = (sandbox: Sandbox, market: Market, parts: number, everyMs: number): void => {
  const { exchange } = sandbox.world
  exchange.executionDelayMs = 3_600_000
  exchange.on((event) => {
    if (event.kind !== "NEW" || event.order.market !== market) return
    const { clientId, quantity } = event.order
    const each = floorTo(div(quantity, dec(parts)), dec("0.001"))
    for (let n = 1; n <= parts; n++)
      exchange.clock.after(n === 1 ? 5 : 5 + (n - 1) * everyMs, () => {
        if (["NEW", "PARTIALLY_FILLED"].includes(event.order.status)) sandbox.fill(market, clientId, n === parts ? undefined : str(each))
      })
  })
}
