/**
 * A whole engine as a process of its own, with instruments on it: settings come from the environment, as for `npm start`.
 *
 * The instruments cost a few microseconds an order: they note the time of requests at the venue's door and of durable
 * events in the journal, and count what the store is given. Nothing of the engine is changed.
 */
import type { SealedRecord } from "@petrosa/contracts"
import { parseSettings } from "@petrosa/contracts"
import pino from "pino"
import { startService } from "../../apps/tradeengine/src/service.ts"
import { type Answer, type Ask, cpuUs, type Mark, MARK_EVERY, nowMs, type Report, type SampleRecord } from "./protocol.ts"
import { publishedAtMs } from "./signals.ts"

const send = (answer: Answer): void => {
  process.send?.(answer)
}

const STOP_LEG = "S"
const LEG_AT = 26
const orderOf = (clientOrderId: string): string => clientOrderId.slice(6, LEG_AT)

class Instruments {
  marks: Mark[] = []
  settled = 0
  failed = 0
  accepted = 0
  adopted = 0
  snapshots = 0
  failures = new Map<string, number>()
  batches = 0
  appends = 0
  events = 0
  textLength = 0
  published = new Map<string, number>()
  entryAtMs = new Map<string, number>()
  fillAtMs = new Map<string, number>()
  stopAtMs = new Map<string, number>()
  sampled: string | undefined
  sample: (readonly SampleRecord[])[] = []

  durable(records: readonly SealedRecord[]): void {
    for (const { envelope, flat } of records) {
      switch (envelope.type) {
        case "SignalReceived":
          this.published.set(flat.order, publishedAtMs(flat.signal_id))
          break
        case "OrderAdopted":
          this.adopted += 1
          break
        case "EntryAccepted":
          this.accepted += 1
          break
        case "OrderFailed":
          this.failed += 1
          this.failures.set(flat.reason ?? "", (this.failures.get(flat.reason ?? "") ?? 0) + 1)
          break
        case "OrderCompleted":
          this.settled += 1
          if (this.settled % MARK_EVERY === 0) this.marks.push({ settled: this.settled, atMs: nowMs(), cpuUs: cpuUs() })
          break
      }
    }
  }

  report(memory: Report["memory"], live: number): Report {
    const between = (from: ReadonlyMap<string, number>, to: ReadonlyMap<string, number>): readonly number[] => {
      const found: number[] = []
      for (const [order, startMs] of from) {
        const endMs = to.get(order)
        if (endMs !== undefined) found.push(Math.max(0, endMs - startMs))
      }
      return found
    }
    const { marks, settled, failed, batches, appends, events, textLength, sample } = this
    return {
      marks,
      settled,
      failed,
      failures: Object.fromEntries(this.failures),
      store: { batches, appends, events, textLength },
      signalToEntryMs: between(this.published, this.entryAtMs),
      fillToStopMs: between(this.fillAtMs, this.stopAtMs),
      sample,
      memory,
      live,
    }
  }
}

const main = async (): Promise<void> => {
  const startedAtMs = nowMs()
  const parsed = parseSettings(process.env)
  if (parsed._tag === "Invalid") throw new Error(`settings: ${JSON.stringify(parsed.errors)}`)
  const { settings, version } = parsed
  const service = await startService({
    settings,
    settingsVersion: version,
    engineVersion: "bench",
    natsUrl: settings.natsUrl ?? "",
    log: pino({ level: settings.logLevel }),
  })
  let instruments = new Instruments()
  const { store, paper, engine } = service

  const append = store.append.bind(store)
  store.append = (batch) => {
    instruments.batches += 1
    for (const { stream, records } of batch) {
      instruments.appends += 1
      instruments.events += records.length
      for (const { bytes } of records) instruments.textLength += bytes.length
      if (instruments.sampled === undefined && records[0]?.envelope.version === 1) instruments.sampled = stream
      if (stream === instruments.sampled) instruments.sample.push(records.map(({ record, text }) => ({ record: { ...record }, text })))
    }
    return append(batch)
  }
  if (store.snapshots !== undefined) {
    const save = store.snapshots.save.bind(store.snapshots)
    store.snapshots.save = async (form, saved) => {
      await save(form, saved)
      instruments.snapshots += saved.length
    }
  }
  const place = paper.place.bind(paper)
  paper.place = (request) => {
    const atMs = nowMs()
    if (request.leg === "entry") instruments.entryAtMs.set(orderOf(request.clientOrderId), atMs)
    else if (request.leg === "stop" && !instruments.stopAtMs.has(orderOf(request.clientOrderId)))
      instruments.stopAtMs.set(orderOf(request.clientOrderId), atMs)
    return place(request)
  }
  paper.subscribe((event) => {
    if (event._tag !== "Order" || event.fill === undefined) return
    const { clientOrderId } = event.order
    if (clientOrderId.charAt(LEG_AT) !== STOP_LEG && !instruments.fillAtMs.has(orderOf(clientOrderId)))
      instruments.fillAtMs.set(orderOf(clientOrderId), nowMs())
  })
  // Taken up from the store before anybody listened.
  for (const live of engine.desk.orders.values())
    if (live.context.adoptedAtMs.length > 0 && live.durableVersion === live.version) instruments.adopted += 1
  engine.journal.listen((records) => instruments.durable(records))

  const answer = async (ask: Ask): Promise<void> => {
    switch (ask.ask) {
      case "count": {
        const { settled, failed, accepted, adopted, snapshots } = instruments
        send({ is: "count", counted: { settled, failed, accepted, adopted, snapshots, live: engine.desk.orders.size, atMs: nowMs() } })
        return
      }
      case "report": {
        if (ask.gc === true) {
          globalThis.gc?.()
          await new Promise((resolve) => setTimeout(resolve, 50))
          globalThis.gc?.()
        }
        const { heapUsed, external, rss } = process.memoryUsage()
        send({ is: "report", report: instruments.report({ heapUsed, external, rss }, engine.desk.orders.size) })
        return
      }
      case "reset":
        instruments = new Instruments()
        send({ is: "reset" })
        return
      case "price":
        await paper.setPrice(ask.symbol, "futures", ask.price)
        send({ is: "price" })
        return
      case "stop": {
        const sinceMs = nowMs()
        await service.stop()
        send({ is: "stopped", stopMs: nowMs() - sinceMs })
        process.disconnect?.()
      }
    }
  }
  process.on("message", (ask: Ask) => {
    answer(ask).catch((error: unknown) => send({ is: "broken", error: String(error) }))
  })
  send({ is: "ready", startMs: nowMs() - startedAtMs, atMs: nowMs(), url: service.url })
}

// The bench is gone, in whatever way: so is what it measures.
process.on("disconnect", () => process.exit(0))
main().catch((error: unknown) => {
  send({ is: "broken", error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  process.exitCode = 1
  process.disconnect?.()
})
