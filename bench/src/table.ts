/** The results as a table for people: what was measured, what it is to reach, and whether it does. */
import Table from "cli-table3"
import type { Latency } from "./latency.ts"
import { quantiles } from "./measures.ts"
import { BINANCE_PER_SECOND, DELAY_MS, ENDINGS, PER_SECOND, type Results } from "./sections.ts"
import type { Throughput } from "./throughput.ts"
import { WINDOW } from "./latency.ts"

interface Row {
  readonly what: string
  readonly seen: string
  readonly goal?: string
  readonly reached?: boolean
}

const n0 = (value: number): string => (Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "-")
const ms = (value: number): string => (Number.isFinite(value) ? `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms` : "-")

const rate = (t: Throughput): string =>
  `${n0(t.perSecond)}/s, ${n0(t.cpuUs)} µs CPU each, ${t.appendsPerOrder.toFixed(1)} appends, ${n0(t.eventsPerBatch)} events a batch` +
  `${t.failed > 0 ? `, ${t.failed} FAILED` : ""}${t.unacknowledged > 0 ? `, ${t.unacknowledged} UNACKNOWLEDGED` : ""}`

const delays = (q: Latency["fillToStop"]): string => `p50 ${ms(q.p50)}, p95 ${ms(q.p95)}, p99 ${ms(q.p99)}`

export const rowsOf = (r: Results): readonly Row[] => {
  const rows: Row[] = []
  for (const [kind, store] of Object.entries(r.stores)) {
    if (store.floor !== undefined) rows.push({ what: `${kind}: floor`, seen: rate(store.floor) })
    if (store.lifecycles !== undefined) rows.push({ what: `${kind}: full durable lifecycles`, seen: rate(store.lifecycles) })
    if (store.ratio !== undefined)
      rows.push({ what: `${kind}: ratio to the floor`, seen: store.ratio.toFixed(2), goal: "≥ 0.5", reached: store.ratio >= 0.5 })
    if (store.atRate !== undefined) {
      const { signalToEntry, fillToStop } = store.atRate
      rows.push({
        what: `${kind}: signal → entry request, ${PER_SECOND}/s`,
        seen: delays(signalToEntry),
        ...(kind === "sqlite" ? { goal: "p99 ≤ 10 ms", reached: signalToEntry.p99 <= 10 } : {}),
      })
      rows.push({ what: `${kind}: fill → stop request, ${PER_SECOND}/s`, seen: delays(fillToStop) })
    }
    if (store.atSaturation !== undefined) {
      const { signalToEntry, fillToStop, perSecond } = store.atSaturation
      const where = `${WINDOW} on their way, ${n0(perSecond)}/s`
      rows.push({ what: `${kind}: signal → entry request, ${where}`, seen: delays(signalToEntry) })
      rows.push({ what: `${kind}: fill → stop request, ${where}`, seen: delays(fillToStop) })
    }
  }
  if (r.memory !== undefined)
    rows.push({
      what: `memory per live order, ${n0(r.memory.orders)} live`,
      seen: `${(r.memory.bytesPerOrder / 1000).toFixed(1)} kB (heap ${n0(r.memory.heapMb)} MiB, RSS ${n0(r.memory.rssMb)} MiB)`,
      goal: "≤ 8 kB",
      reached: r.memory.bytesPerOrder <= 8000,
    })
  if (r.recovery !== undefined)
    for (const how of ["stop", "kill", "killAtOnce"] as const) {
      const { orders, tookMs, emptyStartMs, stopMs } = r.recovery[how]
      rows.push({
        what: `${n0(orders)} in flight held again after ${ENDINGS[how]}`,
        // Most of it happens before the engine is ready: what counts is how much later everything is held than an empty engine is ready.
        seen: `${ms(tookMs)} beyond a start of ${ms(emptyStartMs)}${how === "stop" ? ` (stop: ${ms(stopMs)})` : ""}`,
        goal: "≤ 2 s",
        reached: tookMs <= 2000,
      })
    }
  if (r.history !== undefined) {
    const h = r.history
    rows.push({ what: "lifecycles without past orders", seen: `${rate(h.none)}; start ${ms(h.startMsNone)}` })
    rows.push({ what: `lifecycles with ${n0(h.past)} past orders`, seen: `${rate(h.with)}; start ${ms(h.startMsWith)}` })
    rows.push({
      what: "ratio",
      seen: `${(h.ratio * 100).toFixed(0)} % (${h.ratios.map((one) => (one * 100).toFixed(0)).join(", ")})`,
      goal: "≥ 95 %",
      reached: h.ratio >= 0.95,
    })
  }
  if (r.delay !== undefined) {
    const { throughput, atRate } = r.delay
    rows.push({ what: `venue ${DELAY_MS} ms away: lifecycles`, seen: `${rate(throughput)} (Python engine: 2.9/s)` })
    rows.push({
      what: `venue ${DELAY_MS} ms away: signal → entry request, ${PER_SECOND}/s`,
      seen: `${delays(atRate.signalToEntry)} (Python engine: 80 ms)`,
    })
    rows.push({
      what: `venue ${DELAY_MS} ms away: fill → stop request, ${PER_SECOND}/s`,
      seen: `${delays(atRate.fillToStop)} (Python engine: 151 ms)`,
    })
  }
  for (const one of r.binance ?? []) {
    const where = `local Binance over HTTP, ${one.addedMs} ms added`
    rows.push({ what: `${where}: bracketed orders`, seen: `${n0(one.perSecond)}/s` })
    rows.push({
      what: `${where}: signal → entry arriving, ${BINANCE_PER_SECOND}/s`,
      seen: delays(quantiles(one.signalToEntryMs)),
    })
    rows.push({ what: `${where}: fill → stop arriving, ${BINANCE_PER_SECOND}/s`, seen: delays(quantiles(one.fillToStopMs)) })
  }
  if (r.feeds !== undefined) {
    const { pages, atSaturation, atRate } = r.feeds
    for (const [where, cost] of [
      ["at saturation", atSaturation],
      [`${atRate.perSecond}/s`, atRate],
    ] as const)
      rows.push({
        what: `CPU per order with ${pages} open feeds, ${where}`,
        seen: `${n0(cost.with)} µs, without ${n0(cost.without)} µs: ${(cost.more * 100).toFixed(1)} % more`,
        goal: "≤ 5 % more",
        reached: cost.more <= 0.05,
      })
  }
  return rows
}

export const tableOf = (results: Results): string => {
  const table = new Table({ head: ["what", "seen", "to reach", ""], style: { head: [], border: [] } })
  for (const { what, seen, goal, reached } of rowsOf(results))
    table.push([what, seen, goal ?? "", reached === undefined ? "" : reached ? "yes" : "no"])
  return table.toString()
}
