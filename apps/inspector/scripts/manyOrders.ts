/**
 * `node apps/inspector/scripts/manyOrders.ts [orders] [file to keep the store in] [times that each list is asked for]`: the real service on a store with 100,000
 * finished orders: how long the list's answers take, and whether the page stutters when it is scrolled under live traffic.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { connect } from "nats"
import { findChromium, launchChromium } from "../test/support/browser.ts"
import { livesOf, orderIdAt, STRATEGIES, writeMany } from "../test/support/manyOrders.ts"
import { signal, startService } from "../test/support/service.ts"
import { everyKindOfOrder } from "../test/support/story.ts"

const count = Number(process.argv[2] ?? 100_000)
const folder = mkdtempSync(join(tmpdir(), "petrosa-many-"))
const file = process.argv[3] ?? join(folder, "audit.sqlite")
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const TIMES = Number(process.argv[4] ?? 60)
const SIGNALS_PER_SECOND = 50

if (!existsSync(file)) {
  const teller = await startService()
  const story = await everyKindOfOrder(teller)
  const lives = await livesOf(teller.env["SQLITE_FILE"] ?? "", story)
  await teller.stop()
  const begunMs = performance.now()
  await writeMany(file, lives, count)
  say(`${count} orders written in ${((performance.now() - begunMs) / 1000).toFixed(0)} s`)
}

const path = findChromium()
if (path === undefined) throw new Error("no Chromium")
const startedMs = performance.now()
const service = await startService({ SQLITE_FILE: file })
say(`the service was ready after ${(performance.now() - startedMs).toFixed(0)} ms`)
const browser = await launchChromium(path)
const nc = await connect({ servers: service.env["NATS_URL"] ?? "" })
try {
  const any = (below: number): number => Math.floor(Math.random() * below)
  const past = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString()
  const queries: Readonly<Record<string, () => string>> = {
    "newest page": () => "",
    "whole order id": () => `search=${orderIdAt(any(count))}`,
    "part of an order id": () => `search=${orderIdAt(any(count)).slice(4, 12)}`,
    "a signal's id": () => `search=many-${any(count)}`,
    "an id that is not there": () => `search=zzz${any(1e9)}`,
    "a symbol": () => `symbol=${["ETHUSDT", "SOLUSDT", "BTCUSDT"][any(3)]}`,
    "a strategy": () => `strategy=strategy_${any(STRATEGIES)}`,
    "a state": () => `state=${["filled", "failed"][any(2)]}`,
    "a state that none is in": () => "state=sized",
    "a reason": () => `reason=${["LOW_CONFIDENCE", "HOLD", "ENTRY_REFUSED"][any(3)]}`,
    "a day": () => {
      const day = any(10)
      return `since=${past(day + 1)}&until=${past(day)}`
    },
    "reason and strategy": () => `reason=ENTRY_REFUSED&strategy=strategy_${4 + 5 * any(8)}`,
    "reason and strategy, none": () => `reason=LOW_CONFIDENCE&strategy=strategy_${5 * any(8)}`,
    "symbol, state and time": () => `symbol=ETHUSDT&state=filled&since=${past(5)}`,
  }
  const quantile = (values: readonly number[], q: number): string =>
    (values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? 0).toFixed(1)
  const ask = async (query: string): Promise<number> => {
    const begunMs = performance.now()
    const response = await fetch(`${service.url}/inspector/data/orders?limit=200${query === "" ? "" : `&${query}`}`)
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`${query}: ${response.status}`)
    return performance.now() - begunMs
  }
  await Promise.all(Object.values(queries).map((make) => ask(make())))
  say("| asked for | p50 ms | p95 ms | longest ms |\n| --- | --- | --- | --- |")
  for (const [name, make] of Object.entries(queries)) {
    const times: number[] = []
    for (let n = 0; n < TIMES; n++) times.push(await ask(make()))
    say(`| ${name} | ${quantile(times, 0.5)} | ${quantile(times, 0.95)} | ${quantile(times, 1)} |`)
  }

  const page = await browser.newPage({ viewport: { width: 1500, height: 1000 } })
  await page.goto(`${service.url}/inspector`)
  await page.locator(".row").first().waitFor()
  // Processor time of the page's own thread, task by task: what else runs on this machine does not count.
  const trace = (): Promise<void> => browser.startTracing(page, { categories: ["toplevel", "__metadata"] })
  await trace()
  const enough = new AbortController()
  const traffic = (async () => {
    while (!enough.signal.aborted && !nc.isClosed()) {
      nc.publish("signals.trading", JSON.stringify(signal({ quantity: 0.001 })))
      await sleep(1000 / SIGNALS_PER_SECOND)
    }
  })()
  await page.locator("#rows").hover()
  const scroll = async (wheels: number, by: number): Promise<void> => {
    for (let n = 0; n < wheels; n++) {
      await page.mouse.wheel(0, by)
      await page.waitForTimeout(16)
    }
  }
  const report = async (what: string): Promise<void> => {
    const tasks = tasksOf((await browser.stopTracing()).toString())
    const seen: { readonly rows: number; readonly nodes: number } = await page.evaluate(
      `({ rows: document.querySelector("#rows .sizer").offsetHeight / 58, nodes: document.querySelectorAll(".row").length })`,
    )
    say(
      `| ${what} | ${seen.rows} | ${seen.nodes} | ${quantile(tasks, 0.99)} | ${quantile(tasks, 1)} | ${tasks.filter((ms) => ms > 50).length} of ${tasks.length} |`,
    )
    await trace()
  }
  say("| | orders in the list | in the document | task p99 ms | longest task ms | tasks > 50 ms |\n| --- | --- | --- | --- | --- | --- |")
  await scroll(300, 600)
  await report("scrolled down by wheel, live")
  await page.locator("#rows").focus()
  for (let n = 0; n < 60; n++) {
    await page.keyboard.press("End")
    await page.waitForTimeout(80)
  }
  await report("the End key held down, live")
  await scroll(200, -3000)
  await report("scrolled up, live")
  await page.locator("#search").fill("failed")
  await page.waitForTimeout(3000)
  await scroll(200, 600)
  await report("failed ones only, live")
  await page.locator("#search").fill("")
  await page.waitForTimeout(5000)
  await report("at the top, live")
  enough.abort()
  await traffic
  await browser.stopTracing()
} finally {
  await nc.close()
  await browser.close()
  await service.stop()
  rmSync(folder, { recursive: true, force: true })
}

interface TraceEvent {
  readonly name: string
  readonly tid: number
  readonly pid: number
  /** Processor time, µs. */
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** Processor time of each task of the page's main thread, ms. */
function tasksOf(text: string): readonly number[] {
  const { traceEvents } = JSON.parse(text) as { readonly traceEvents: readonly TraceEvent[] }
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  return traceEvents
    .filter(({ name, pid, tid, tdur }) => name.endsWith("RunTask") && tdur !== undefined && mains.has(`${pid} ${tid}`))
    .map(({ tdur }) => (tdur ?? 0) / 1000)
}
