/** Publishes one signal and waits for what becomes of it: `npm install nats`, then `node examples/publish-signal.ts`. */
import { randomUUID } from "node:crypto"
import { connect, JSONCodec } from "nats"

const json = JSONCodec<Record<string, unknown>>()
const nc = await connect({ servers: process.env.NATS_URL ?? "nats://127.0.0.1:4222" })
const answers = nc.subscribe("execution.events.>")
const signal = {
  signal_id: randomUUID(), // the same id again is the same order
  strategy_id: "example_typescript",
  symbol: "BTCUSDT",
  action: "buy",
  confidence: 0.85,
  price: 50000,
  quantity: 0.001,
  stop_loss: 49000,
  take_profit: 51500,
  timestamp: new Date().toISOString(),
}
nc.publish("signals.trading", json.encode(signal))
await nc.flush()
for await (const message of answers) {
  const answer = json.decode(message.data)
  if (answer.signal_id !== signal.signal_id) continue
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`)
  break
}
await nc.drain()
