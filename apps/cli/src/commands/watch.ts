/**
 * `petrosa watch`: events as they become durable, from the engine's journal on NATS (`petrosa.journal.>`). Where NATS
 * cannot be reached the store is asked every second instead. The journal is news and may drop a batch; the store does not.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { EventRecord } from "@petrosa/contracts"
import { orderStream, type OrderId, symbolAsked } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import { JOURNAL_PREFIX } from "@petrosa/intake"
import { connectNats } from "../broker.ts"
import { describe } from "../describe.ts"
import { CliError, type ExitCode, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { withStore } from "../openStore.ts"
import { type CliSettings, readSettings } from "../settings.ts"
import { clock, cut, safe } from "../text.ts"

export interface WatchOptions {
  readonly nats?: string
  readonly poll?: boolean
  readonly symbol?: string
  readonly strategy?: string
  readonly json?: boolean
}

const POLL_MS = 1000
/** Streams that are asked for in one look. */
const CHANGED_MAX = 200

export const watch = async (io: Io, options: WatchOptions): Promise<ExitCode> => {
  const settings = readSettings()
  const stop = new AbortController()
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort())
  const symbol = options.symbol === undefined ? undefined : symbolAsked(options.symbol)
  const show = (records: readonly EventRecord[]): void => {
    for (const record of records) {
      if (symbol !== undefined && record.symbol !== symbol) continue
      if (options.strategy !== undefined && record.strategy_id !== options.strategy) continue
      if (options.json === true) io.json(record)
      else io.out(line(io, record))
    }
  }
  if (options.poll !== true) {
    try {
      return await fromJournal(io, settings, options, show, stop.signal)
    } catch (error) {
      if (!(error instanceof CliError) || options.nats !== undefined) throw error
      io.err(`${error.message} Asking the store every second instead.`)
    }
  }
  return withStore(settings, (store) => fromStore(io, store, show, stop.signal))
}

const line = (io: Io, record: EventRecord): string => {
  const name = `${clock(record.at)}  ${record.order === "" ? record.stream : record.order}  ${safe(record.symbol)}`
  const state = record.state === "failed" ? io.c.red(record.state) : record.state === "filled" ? io.c.green(record.state) : record.state
  const head = `${name}  ${record.type} → ${state}`
  return io.columns === Number.POSITIVE_INFINITY
    ? `${head}  ${describe(record)}`
    : `${head}\n    ${io.c.dim(cut(describe(record), io.columns - 4))}`
}

const fromJournal = async (
  io: Io,
  settings: CliSettings,
  options: WatchOptions,
  show: (records: readonly EventRecord[]) => void,
  signal: AbortSignal,
): Promise<ExitCode> => {
  const broker = await connectNats(settings, { url: options.nats, attempts: 1 })
  broker.nc.subscribe(`${JOURNAL_PREFIX}.>`, {
    callback: (error, message) => {
      if (error === null) show(recordsOf(message.string()))
    },
  })
  const stopListening = broker.onEvent((event) => {
    if (event.type === "disconnected") io.err("The connection to NATS is away; events of this time are not shown.")
    if (event.type === "connected") io.err("Connected again.")
  })
  await broker.flush(2000)
  io.err(`Watching ${JOURNAL_PREFIX}.> on ${broker.nc.getServer()}; Ctrl-C ends it.`)
  await aborted(signal)
  stopListening()
  await broker.close()
  return OK
}

/** A batch as the engine publishes it: a JSON array of records. Anything else on the subject is not ours to judge. */
const recordsOf = (text: string): readonly EventRecord[] => {
  let batch: unknown
  try {
    batch = JSON.parse(text)
  } catch {
    return []
  }
  return Array.isArray(batch) ? batch.filter(isRecord) : []
}

const isRecord = (value: unknown): value is EventRecord => {
  if (typeof value !== "object" || value === null) return false
  const { stream, type, at, state, symbol, order, data } = value as Partial<EventRecord>
  return [stream, type, at, state, symbol, order].every((field) => typeof field === "string") && typeof data === "object" && data !== null
}

const fromStore = async (
  io: Io,
  store: EventStore,
  show: (records: readonly EventRecord[]) => void,
  signal: AbortSignal,
): Promise<ExitCode> => {
  const seen = new Map<string, number>()
  let mark: string | undefined
  let first = true
  io.err("Watching the store; Ctrl-C ends it.")
  while (!signal.aborted) {
    const next = await store.mark()
    for await (const heads of store.headsSince(mark)) {
      const changed = heads.filter(
        (head) => head.stream.startsWith(orderStream("" as OrderId)) && head.version > (seen.get(head.stream) ?? 0),
      )
      // The first look is at what is there already: it is remembered, not shown.
      const shown = first ? [] : changed
      for (let from = 0; from < shown.length; from += CHANGED_MAX) await showNew(store, shown.slice(from, from + CHANGED_MAX), seen, show)
      for (const head of changed) seen.set(head.stream, head.version)
    }
    mark = next
    first = false
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
  return OK
}

const showNew = async (
  store: EventStore,
  heads: readonly { readonly stream: string; readonly version: number }[],
  seen: ReadonlyMap<string, number>,
  show: (records: readonly EventRecord[]) => void,
): Promise<void> => {
  const read = await store.readStreams(heads.map((head) => head.stream))
  const records: EventRecord[] = []
  for (const head of heads) {
    const known = seen.get(head.stream) ?? 0
    // Up to the head that is remembered: what came since is shown next time.
    for (const record of read.get(head.stream)?.events ?? [])
      if (record.version > known && record.version <= head.version) records.push(record)
  }
  records.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.version - b.version))
  show(records)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
