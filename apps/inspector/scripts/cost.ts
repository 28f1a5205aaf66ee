/**
 * `node apps/inspector/scripts/cost.ts [orders] [rounds]`: processor time of the engine per order with no page and with ten
 * pages looking at the feed, in turns, on the real service.
 */
import { readFileSync, readdirSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { connect } from "nats"
import { signal, startService } from "../test/support/service.ts"

const orders = Number(process.argv[2] ?? 1500)
const rounds = Number(process.argv[3] ?? 3)
const PAGES = 10
const WAIT_MS = 120_000

/** Ticks (10 ms) that our child, the engine, has used. */
const ticks = (): number => {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8")
      const stat = readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
      if (command.includes("tradeengine/src/main.ts") && Number(stat[1]) === process.pid) return Number(stat[11]) + Number(stat[12])
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error("the engine is not found in /proc")
}

const service = await startService({ MAX_LIVE_ORDERS: "100000" })
const nc = await connect({ servers: service.env["NATS_URL"] ?? "" })
const totals = async (): Promise<number> => {
  const answer = (await (await fetch(`${service.url}/metrics`, { headers: { accept: "application/json" } })).json()) as {
    readonly trades_total: number
  }
  return answer.trades_total
}
try {
  const burst = async (): Promise<number> => {
    const begun = await totals()
    const before = ticks()
    for (let n = 0; n < orders; n++) nc.publish("signals.trading", JSON.stringify(signal({ quantity: 0.001, action: "buy" })))
    for (const deadline = Date.now() + WAIT_MS; (await totals()) < begun + orders; ) {
      if (Date.now() > deadline) throw new Error("the orders do not settle")
      await sleep(100)
    }
    return ((ticks() - before) * 10_000) / orders
  }
  process.stdout.write(`warm-up: ${(await burst()).toFixed(0)} µs of processor time an order\n`)
  const without: number[] = []
  const withPages: number[] = []
  for (let round = 0; round < rounds; round++) {
    without.push(await burst())
    const stop = new AbortController()
    for (let n = 0; n < PAGES; n++) {
      const response = await fetch(`${service.url}/inspector/feed`, { signal: stop.signal })
      void (async () => {
        for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>);
      })().catch(() => undefined)
    }
    await sleep(1500)
    withPages.push(await burst())
    stop.abort()
    await sleep(500)
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const show = (values: readonly number[]): string => values.map((value) => value.toFixed(0)).join(", ")
  process.stdout.write(
    `no page: ${show(without)} µs; ${PAGES} pages: ${show(withPages)} µs an order; ${((mean(withPages) / mean(without) - 1) * 100).toFixed(1)} % more\n`,
  )
} finally {
  await nc.close()
  await service.stop()
}
