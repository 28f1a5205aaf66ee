import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, test } from "vitest"
import { requireNats } from "../../../tools/servers/testing.ts"
import { connected, ready, stored, until } from "./support.ts"

const nats = await requireNats()

test("given 60,000 signals published at once, then a process that takes 5,000 never holds more, its memory is bounded, and every one is settled", async () => {
  const broker = await connected(nats.url)
  const streams = await ready(broker)
  for (let i = 0; i < 60_000; i++) {
    broker.nc.publish("signals.trading.flood", `{"n":${i},"pad":"${"x".repeat(280)}"}`)
    if (i % 5000 === 0) await broker.flush(5000)
  }
  await broker.flush(5000)
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL("./flood.ts", import.meta.url)),
    nats.url,
    "60000",
    "5000",
  ])
  const result: { most: number; peakMiB: number; tookMs: number } = JSON.parse(stdout)
  console.log(`60,000 at once, 5,000 at most: ${JSON.stringify(result)}`)
  expect(result.most).toBeLessThanOrEqual(5000)
  expect(result.peakMiB).toBeLessThan(300)
  await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
  await broker.close()
}, 120_000)
