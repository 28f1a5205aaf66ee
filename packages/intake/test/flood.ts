/**
 * A process with an engine that takes so many messages at most and settles 40,000 a second; at the end it prints one line
 * of JSON: the most that it held, its peak of memory (MiB), and how long it took. Arguments: URL, messages, most at once.
 */
import { connected, probe, ready } from "./support.ts"

const [url = "", count = "0", capacity = "0"] = process.argv.slice(2)
const broker = await connected(url, { name: "flood" })
const streams = await ready(broker, { signalsConsumer: { ackWaitMs: 5000 } })
const seen = new Set<number>()
const waiting: { ack(): void }[] = []
let most = 0
let peakBytes = 0
const { intake } = probe(broker, streams, {
  capacity: () => Number(capacity) - intake.held,
  handler: (batch) => {
    for (const m of batch) {
      seen.add(m.sequence)
      waiting.push(m.handle)
    }
    most = Math.max(most, intake.held)
  },
})
const startMs = performance.now()
intake.start()
const settling = setInterval(() => {
  for (const handle of waiting.splice(0, 400)) handle.ack()
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
  if (seen.size < Number(count) || waiting.length > 0) return
  clearInterval(settling)
  process.stdout.write(
    `${JSON.stringify({ most, peakMiB: Math.round(peakBytes / 2 ** 20), tookMs: Math.round(performance.now() - startMs) })}\n`,
  )
  void intake.stop().then(() => broker.close())
}, 10)
