/**
 * `npm run campaign -- flood [--orders N] [--bots N] [--tight] [--seed N]`: N plain publications at once (core NATS, no acknowledgement asked, as bots
 * publish) at an engine that is started as `npm start` starts it: its heap flags, SQLite, simulation, a nats-server that syncs every
 * write to the disk. Only the limits are wider, so that the flood is traded and not declined.
 *
 * It holds: the engine's memory stays below 400 MB; each signal ends in exactly one decision, each malformed message in one record,
 * a copy in neither; nothing is lost or doubled; and the oracle and `verify` (with its anchors) find nothing.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises"
import { verifyAll } from "@petrosa/event-store"
import { COMMANDS, nodeArguments } from "../../tools/bootstrap.mjs"
import { startNatsServer } from "../../tools/servers/natsServer.ts"
import type { EngineProcess } from "../support/engineProcess.ts"
import { checkWorld } from "../support/oracle.ts"
import { until } from "../support/until.ts"
import { World } from "../support/world.ts"
import { FloodJudge, type Verdict } from "./judge.ts"
import { MemoryWatch, type MemorySample, thinned } from "./memory.ts"
import { floodOf } from "./publications.ts"
import { readStoreFile, sha256 } from "./storeFile.ts"

export interface FloodOptions {
  /** Publications, copies and malformed ones among them. */
  readonly orders: number
  readonly bots?: number
  readonly tight?: boolean
  readonly seed: number
  readonly say: (text: string) => void
}

export interface FloodResult {
  readonly verdict: Omit<Verdict, "problems">
  /** The last sequence that the stream gave away: what came through the server. */
  readonly stored: number
  /** What the engine counted as copies; redeliveries may be among them. */
  readonly duplicatesCounted: number
  readonly memory: {
    readonly limitBytes: number
    readonly highestBytes: number
    readonly source: MemoryWatch["source"]
    /** When nothing was on its way any more. */
    readonly atEndBytes: number
    readonly brokerHighestBytes: number
    readonly samples: readonly MemorySample[]
  }
  readonly publishedWithinMs: number
  /** From the first publication until the stream was empty. */
  readonly drainedWithinMs: number
  readonly openLots: number
  readonly entriesAtVenue: number
  readonly longestUnprotectedMs: number
  readonly chains: { readonly streams: number; readonly events: number; readonly anchored: number }
  readonly problemsInAll: number
  /** The first of them. */
  readonly problems: readonly string[]
  readonly complaints: Readonly<Record<string, number>>
}

export const LIMIT_BYTES = 400_000_000
const MB = 1_000_000
const PUBLISHED_PER_TURN = 500
const SAY_EVERY_MS = 5000
const LOOK_EVERY_MS = 200
/** Orders rest for seconds at most: a stream in which nothing moves for so long will not move. */
const STALLED_MS = 120_000
const SETTLE_MS = 20_000
const PROBLEMS_SHOWN = 100
const SAMPLES_KEPT = 120
const ERROR = 50

/** Calls `say` at most every {@link SAY_EVERY_MS}. */
const nowAndThen = (say: (text: string) => void): ((text: () => string) => void) => {
  let lastMs = Date.now()
  return (text) => {
    if (Date.now() - lastMs < SAY_EVERY_MS) return
    lastMs = Date.now()
    say(text())
  }
}

const mb = (bytes: number): string => `${Math.round(bytes / MB)} MB`

/** Made before the first is published: making them would slow the flood down. */
const prepared = (judge: FloodJudge, options: FloodOptions): readonly Uint8Array[] => {
  const next = floodOf(options)
  return Array.from({ length: options.orders }, () => {
    const { bytes, kind } = next(Date.now())
    judge.published(sha256(bytes), kind)
    return bytes
  })
}

/** As fast as the client can. Resolves to how long it took, ms. */
const publish = async (world: World, flood: readonly Uint8Array[]): Promise<number> => {
  const startedAtMs = Date.now()
  for (const [n, bytes] of flood.entries()) {
    world.publish(bytes)
    // The client writes when it gets a turn.
    if (n % PUBLISHED_PER_TURN === 0) await nextTurn()
  }
  // The server has read all of it; what it has on its disk is another question.
  await world.nc.flush()
  return Date.now() - startedAtMs
}

interface Drained {
  readonly stored: number
  readonly problem?: string
}

/** Until everything went through the stream and it is empty, or nothing moves any more. */
const drained = async (world: World, engine: EngineProcess, orders: number, say: (stored: number, left: number) => void) => {
  const jsm = await world.nc.jetstreamManager()
  let movedAtMs = Date.now()
  let seen = ""
  for (;;) {
    const { state } = await jsm.streams.info("SIGNALS")
    const { last_seq: stored, messages: left } = state
    say(stored, left)
    if (stored >= orders && left === 0) return { stored } satisfies Drained
    if (`${stored} ${left}` !== seen) {
      seen = `${stored} ${left}`
      movedAtMs = Date.now()
    }
    if (!engine.running) return { stored, problem: `the engine ended: ${engine.tail(5)}` } satisfies Drained
    if (Date.now() - movedAtMs > STALLED_MS)
      return { stored, problem: `of ${orders} publications ${stored} came into the stream, ${left} are still there` } satisfies Drained
    await sleep(LOOK_EVERY_MS)
  }
}

/** Until no order is without its decision, and each open lot is held in its stream. Whether it is so in the end the oracle says. */
const settled = (world: World): Promise<unknown> =>
  until(
    async () => {
      const open = await world.withStore((store) => store.openOrders())
      const lots = open.filter((row) => row.open_quantity !== "0" && !row.parked).length
      return open.every((row) => row.parked || (row.settled && row.open_quantity !== "0")) && (await world.messages("LOTS")) === lots
    },
    { timeoutMs: SETTLE_MS, everyMs: 250, what: "everything to be settled" },
  ).catch(() => undefined)

const audit = async (world: World, judge: FloodJudge, say: (text: string) => void) => {
  const often = nowAndThen(say)
  let read = 0
  for await (const batch of readStoreFile(world.env["SQLITE_FILE"] ?? "")) {
    for (const found of batch)
      if (found._tag === "Order") judge.order(found)
      else judge.rejection(found)
    read += batch.length
    often(() => `${read} decisions read`)
  }
  const verdict = judge.verdict()
  say(`${read} decisions read; ${verdict.problems.length === 0 ? "nothing lost, nothing doubled" : verdict.problems.join("; ")}`)
  const findings = await checkWorld(world, { onProgress: (orders) => often(() => `the oracle has looked at ${orders} orders`) })
  say(`the oracle has looked at ${findings.orders} orders: ${findings.problems.length} problems`)
  const verified = await world.withStore((store) =>
    verifyAll(store, { onProgress: ({ streams, events }) => often(() => `${streams} chains verified, ${events} events`) }),
  )
  say(`${verified.streams} chains verified, ${verified.events} events: ${verified.findings.length} findings`)
  const chains = { streams: verified.streams, events: verified.events, anchored: verified.anchored }
  const broken = verified.findings.map(({ stream, version, what, detail }) => `verify: ${stream} ${what} at ${version}: ${detail}`)
  return { verdict, findings, chains, broken }
}

const counted = async (world: World): Promise<number> => {
  const { text } = await world.get("/metrics")
  return Number(/^petrosa_signals_total\{[^}]*outcome="duplicate"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0)
}

export const floodCampaign = async (options: FloodOptions): Promise<FloodResult> => {
  const { say, orders } = options
  const nats = await startNatsServer({ syncAlways: true })
  let world: World | undefined
  const watches: MemoryWatch[] = []
  try {
    world = await World.create({ nats, env: { ...COMMANDS.start.env }, nodeArguments: nodeArguments(COMMANDS.start) })
    const engine = await world.start()
    const memory = new MemoryWatch(engine.pid)
    const broker = new MemoryWatch(nats.pid)
    watches.push(memory, broker)
    const often = nowAndThen(say)
    const judge = new FloodJudge()
    const flood = prepared(judge, options)
    say(`the engine is ready, and so are ${flood.length} publications`)
    const startedAtMs = Date.now()
    const publishing = publish(world, flood)
    void publishing.then(
      (ms) => say(`${orders} published within ${ms} ms`),
      () => undefined,
    )
    const draining = drained(world, engine, orders, (stored, left) =>
      often(() => {
        const rate = Math.round((stored - left) / ((Date.now() - startedAtMs) / 1000))
        const held = `engine ${mb(memory.lastBytes)}, highest ${mb(memory.highestBytes)}; nats-server ${mb(broker.lastBytes)}`
        return `${stored} in the stream, ${stored - left} decided (${rate}/s); ${held}`
      }),
    )
    const [publishedWithinMs, { stored, problem }] = await Promise.all([publishing, draining])
    const drainedWithinMs = Date.now() - startedAtMs
    say(`the stream is empty after ${drainedWithinMs} ms`)
    const problems: string[] = problem === undefined ? [] : [problem]
    let duplicatesCounted = 0
    if (engine.running) {
      await settled(world)
      duplicatesCounted = await counted(world)
      await memory.sample()
    }
    const atEndBytes = memory.lastBytes
    // Its last word is an anchor over all that it wrote.
    const ended = await engine.stop()
    await Promise.all([memory.stop(), broker.stop()])
    if (ended.code !== 0) problems.push(`the engine's stop was not graceful: ${JSON.stringify(ended)}`)
    if (memory.highestBytes === 0) problems.push("the engine's memory could not be seen on this system")
    if (memory.highestBytes >= LIMIT_BYTES) problems.push(`the engine held ${mb(memory.highestBytes)}`)
    const { verdict, findings, chains, broken } = await audit(world, judge, say)
    if (stored < orders) problems.push(`of ${orders} publications only ${stored} came into the stream`)
    if (duplicatesCounted < verdict.copies) problems.push(`of ${verdict.copies} copies the engine counted ${duplicatesCounted}`)
    if (findings.orders !== verdict.orders) problems.push(`the oracle saw ${findings.orders} orders, the file has ${verdict.orders}`)
    const complaints: Record<string, number> = {}
    for (const { level, msg } of engine.complaints) {
      complaints[msg] = (complaints[msg] ?? 0) + 1
      if (level >= ERROR && complaints[msg] === 1) problems.push(`the engine said: ${msg}`)
    }
    problems.push(...verdict.problems, ...findings.problems, ...broken)
    const { problems: _, ...counts } = verdict
    return {
      verdict: counts,
      stored,
      duplicatesCounted,
      memory: {
        limitBytes: LIMIT_BYTES,
        highestBytes: memory.highestBytes,
        source: memory.source,
        atEndBytes,
        brokerHighestBytes: broker.highestBytes,
        samples: thinned(memory.samples, SAMPLES_KEPT),
      },
      publishedWithinMs,
      drainedWithinMs,
      openLots: findings.openLots,
      entriesAtVenue: findings.entriesAtVenue,
      longestUnprotectedMs: findings.unprotectedMaxMs,
      chains,
      problemsInAll: problems.length,
      problems: problems.slice(0, PROBLEMS_SHOWN),
      complaints,
    }
  } finally {
    for (const watch of watches) await watch.stop()
    await world?.close()
    await nats.stop()
  }
}

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, n]) => `${name} ${n}`)
    .join(", ") || "none"

/** The table of a result, as it is printed and written. */
export const floodRows = (options: Omit<FloodOptions, "say">, result: FloodResult): readonly (readonly [string, string])[] => {
  const { verdict, memory, chains } = result
  return [
    ["store", "sqlite; nats-server syncs every write"],
    ["seed", String(options.seed)],
    ["publications, all at once", `${verdict.published}, within ${result.publishedWithinMs} ms`],
    ["of these signals, copies, malformed", `${verdict.signals}, ${verdict.copies}, ${verdict.malformed}`],
    ["came into the stream", String(result.stored)],
    ["the stream was empty after", `${(result.drainedWithinMs / 1000).toFixed(1)} s`],
    ["decided a second", String(Math.round(verdict.published / (result.drainedWithinMs / 1000)))],
    ["the engine's memory, highest", `${mb(memory.highestBytes)} (${memory.source}); allowed: below ${mb(memory.limitBytes)}`],
    ["the engine's memory, at the end", mb(memory.atEndBytes)],
    ["nats-server's memory, highest", mb(memory.brokerHighestBytes)],
    ["orders, one for each signal", String(verdict.orders)],
    ["filled", String(verdict.filled)],
    ["failed, by class and reason", list(verdict.failed)],
    ["rejected, by code", list(verdict.rejected)],
    ["copies that the engine counted", String(result.duplicatesCounted)],
    ["entries in the venue's own memory", String(result.entriesAtVenue)],
    ["open lots, each under its stop", String(result.openLots)],
    ["longest unprotected", `${result.longestUnprotectedMs} ms`],
    ["chains verified", `${chains.streams} with ${chains.events} events; anchors know ${chains.anchored} of them`],
    ["complaints of the engine", list(result.complaints)],
    ["problems", String(result.problemsInAll)],
  ]
}
