/** A process with an engine that takes 20,000 at most and settles each after a while; it prints its memory. By hand and by the flood test. */
import { connected, probe, ready } from "./support.ts"

const [url = "", countText = "200000", payloadText = "300"] = process.argv.slice(2)
const count = Number(countText)
const broker = await connected(url, { name: "flood" })
const streams = await ready(broker, { signalsConsumer: { ackWaitMs: 5000, maxAckPending: 20_000 } })
const seen = new Set<number>()
let most = 0
let peakMiB = 0
const waiting: { ack(): void; sequence: number }[] = []
const { intake } = probe(broker, streams, {
  capacity: () => 20_000 - intake.held,
  handler: (batch) => {
    for (const m of batch) {
      seen.add(m.sequence)
      waiting.push(m.handle)
    }
    most = Math.max(most, intake.held)
  },
})
const started = performance.now()
intake.start()
// An engine of 40,000 a second.
setInterval(() => {
  for (const handle of waiting.splice(0, 400)) handle.ack()
  peakMiB = Math.max(peakMiB, process.memoryUsage.rss() / 2 ** 20)
  if (seen.size === count && waiting.length === 0) {
    process.stdout.write(`${JSON.stringify({ count, payload: Number(payloadText), most, peakMiB: Math.round(peakMiB), ms: Math.round(performance.now() - started) })}\n`)
    void intake.stop().then(() => broker.close().then(() => process.exit(0)))
  }
}, 10)
