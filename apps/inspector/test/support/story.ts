/** Orders of all kinds of ends, in a fixed order: for the browser tests and the screenshots. */
import type { Service } from "./service.ts"

export interface Story {
  readonly filled: string
  readonly closedByTarget: string
  readonly closedByStop: string
  readonly declined: string
  readonly held: string
  readonly resting: string
  readonly partly: string
  readonly lostReply: string
  readonly refused: string
}

const faults = async (service: Service, change: unknown): Promise<void> => {
  const answer = await service.post("/inspector/venue/faults", change)
  if (!answer.ok) throw new Error(`faults: ${answer.status} ${await answer.text()}`)
}

export const everyKindOfOrder = async (service: Service): Promise<Story> => {
  const price = (value: number, symbol: string): Promise<Response> =>
    service.post("/simulation/price", { symbol, price: value, market: "futures" })
  const closedByTarget = await service.trade({
    strategy_id: "momentum_1h",
    symbol: "ETHUSDT",
    price: 3000,
    quantity: 0.3,
    stop_loss: 2900,
    take_profit: 3100,
  })
  await price(3110, "ETHUSDT")
  const closedByStop = await service.trade({
    strategy_id: "mean_reversion",
    symbol: "SOLUSDT",
    price: 150,
    quantity: 5,
    stop_loss: 145,
    take_profit: 160,
  })
  await price(144, "SOLUSDT")
  const declined = await service.trade({ strategy_id: "breakout_5m", confidence: 0.3 })
  const held = await service.trade({ strategy_id: "breakout_5m", action: "hold" })
  await service.trade({ strategy_id: "breakout_5m", action: "close" })
  await service.trade({ strategy_id: "whale_watch", quantity: 1 })
  await faults(service, {
    refuse: { class: "fatal", code: "-4164", message: "Order's notional must be no smaller than 5", count: 1, leg: "entry" },
  })
  const refused = await service.trade({ strategy_id: "scalper" })
  await faults(service, { refuse: null, loseReply: { count: 1, requests: ["entry"] } })
  const lostReply = await service.trade({ strategy_id: "scalper_2" })
  await faults(service, { loseReply: null, partialFills: { parts: 3, everyMs: 60 } })
  const partly = await service.trade({ strategy_id: "iceberg", quantity: 0.015 })
  await faults(service, { partialFills: null })
  const resting = await service.trade({ strategy_id: "grid_bot", order_type: "limit", price: 49000, current_price: 50000 })
  const filled = await service.trade({
    strategy_id: "volume_surge_breakout",
    quantity: 0.001,
    current_price: 50000,
    timeframe: "15m",
    stop_loss: 49000,
    take_profit: 51500,
    indicators: { volume_surge: 2.4, rsi: 61.2 },
    metadata: { source: "ta-bot" },
  })
  return { filled, closedByTarget, closedByStop, declined, held, resting, partly, lostReply, refused }
}
