/** The signals of the bench: the specification's example, each with an id that says when it was published. */

/** Prices never move: what is measured is the engine, not a market. */
const SYMBOLS: readonly (readonly [symbol: string, price: number, quantity: number])[] = [
  ["BTCUSDT", 50_000, 0.01],
  ["ETHUSDT", 2500, 0.2],
  ["ADAUSDT", 0.5, 1000],
  ["SOLUSDT", 150, 3],
]

export interface SignalOptions {
  readonly n: number
  /** Epoch ms, with fractions. */
  readonly publishedAtMs: number
  /** A limit entry away from the market, that rests until its time-out. Default: a market entry, filled at once. */
  readonly resting?: boolean
}

/** A strategy of its own, so that it stands in nobody's way. */
export const signalText = ({ n, publishedAtMs: atMs, resting = false }: SignalOptions): string => {
  const [symbol, price, quantity] = SYMBOLS[n % SYMBOLS.length] ?? ["BTCUSDT", 50_000, 0.01]
  const at = resting ? Number((price * 0.98).toFixed(4)) : price
  return JSON.stringify({
    strategy_id: `bench_${n}`,
    signal_id: `${atMs.toFixed(3)}_${n}`,
    symbol,
    action: "buy",
    confidence: 0.85,
    price: at,
    quantity,
    current_price: price,
    order_type: resting ? "limit" : "market",
    timeframe: "15m",
    stop_loss: Number((at * 0.98).toFixed(4)),
    take_profit: Number((at * 1.03).toFixed(4)),
    indicators: { volume_surge: 2.4, rsi: 61.2 },
    metadata: { source: "bench" },
    timestamp: new Date(atMs).toISOString(),
    ...(resting ? { conditional_timeout: 3600 } : {}),
  })
}

/** When a signal of {@link signalText} was published, from its id. */
export const publishedAtMs = (signalId: string): number => Number.parseFloat(signalId)
