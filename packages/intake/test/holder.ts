/** A process that takes all messages, answers none of them, and says how many it holds. Made to be killed. */
import { connected, probe, ready } from "./support.ts"

const [url = "", ackWaitMs = "1000"] = process.argv.slice(2)
const broker = await connected(url, { name: "holder" })
const streams = await ready(broker, { signalsConsumer: { ackWaitMs: Number(ackWaitMs) } })
const { intake } = probe(broker, streams, {
  handler: () => process.stdout.write(`${intake.held}\n`),
  onEvent: (event) => {
    if (event.type === "gap") process.stdout.write(`gap ${event.cause} ${Math.round(event.forMs)}\n`)
  },
})
intake.start()
