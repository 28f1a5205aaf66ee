/** Signals as publishers send them. */
import { randomUUID } from "node:crypto"

export type SignalBody = Readonly<Record<string, unknown>>

/** The specification's example (its section on signals), with today's time. */
export const specificationSignal = (change: SignalBody = {}): SignalBody => ({
  strategy_id: "volume_surge_breakout",
  symbol: "BTCUSDT",
  action: "buy",
  confidence: 0.85,
  price: 50000.0,
  quantity: 0.001,
  current_price: 50000.0,
  timeframe: "15m",
  stop_loss: 49000.0,
  take_profit: 51500.0,
  indicators: { volume_surge: 2.4, rsi: 61.2 },
  metadata: { source: "ta-bot" },
  timestamp: new Date().toISOString(),
  ...change,
})

/** The specification's curl line, word for word. */
export const CURL_BODY =
  '{"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.8, "price": 50000, "quantity": 0.001}'

/** A signal of its own id and (if none is given) its own strategy, so that it stands in nobody's way. */
export const signal = (change: SignalBody = {}): SignalBody & { readonly signal_id: string; readonly strategy_id: string } => {
  const id = randomUUID()
  return {
    strategy_id: `s-${id.slice(0, 13)}`,
    signal_id: id,
    symbol: "BTCUSDT",
    action: "buy",
    confidence: 0.9,
    price: 50000,
    current_price: 50000,
    quantity: 0.01,
    order_type: "market",
    timestamp: new Date().toISOString(),
    ...change,
  } as SignalBody & { readonly signal_id: string; readonly strategy_id: string }
}
