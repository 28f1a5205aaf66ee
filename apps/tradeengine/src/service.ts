/**
 * The service, from settings to a running engine with its HTTP API: opens what it needs in order, and closes it in the
 * opposite one. What cannot work is a {@link StartRefused} that says how to mend it; what may come is waited for, loudly.
 */
import { randomUUID } from "node:crypto"
import { mkdirSync } from "node:fs"
import { hostname } from "node:os"
import { dirname } from "node:path"
import type { Settings } from "@petrosa/contracts"
import type { FaultPoints } from "@petrosa/engine"
import { DefaultsChanged, Engine, engineFace } from "@petrosa/engine"
import type { EventStore } from "@petrosa/event-store"
import { createInspector } from "@petrosa/inspector"
import { MongoEventStore, SqliteEventStore, StoreInUse } from "@petrosa/event-store"
import type { Broker, StreamsReady } from "@petrosa/intake"
import { connectBroker, ensureStreams, NatsIntake, onJournal, systemClock } from "@petrosa/intake"
import type { PaperVenue } from "@petrosa/venue"
import { openPaperVenue } from "@petrosa/venue"
import type { Logger } from "pino"
import { decisionSettings, paperFacts } from "./decisionSettings.ts"
import { startHttp } from "./http/index.ts"

/** The service cannot start with these settings in this place; the message says what to change. */
export class StartRefused extends Error {
  override readonly name = "StartRefused"
}

export interface ServiceOptions {
  readonly settings: Settings
  readonly settingsVersion: string
  readonly engineVersion: string
  readonly natsUrl: string
  readonly log: Logger
  readonly faults?: FaultPoints
  readonly signal?: AbortSignal
}

export interface Service {
  readonly url: string
  readonly engine: Engine
  readonly store: EventStore
  readonly paper: PaperVenue
  stop(): Promise<void>
}

/** At most so many characters of a host name in a replica's name. */
const HOST_LENGTH = 40
const STREAMS_RETRY_MS = 1000

const replicaName = (settings: Settings): string => settings.replicaId ?? `${hostname().slice(0, HOST_LENGTH)}-${randomUUID().slice(0, 8)}`

const openStore = async (settings: Settings, log: Logger, signal: AbortSignal | undefined): Promise<EventStore> => {
  if (settings.auditStore === "sqlite") {
    try {
      return SqliteEventStore.open({ file: settings.sqliteFile })
    } catch (error) {
      if (error instanceof StoreInUse)
        throw new StartRefused(`${error.message} Another engine works on this store: stop it, or give this one its own SQLITE_FILE.`)
      throw error
    }
  }
  return MongoEventStore.open({
    url: settings.mongodbUrl ?? "mongodb://localhost:27017",
    database: settings.mongodbDatabase,
    ...(signal === undefined ? {} : { signal }),
    onWaiting: (reason, attempt) => {
      if (attempt === 1 || attempt % 10 === 0) log.warn({ reason, attempt }, "MongoDB cannot be reached; waiting for it")
    },
    onProjectionError: (error) => log.warn({ error: String(error) }, "the orders projection is behind; it is tried again"),
  })
}

const connect = async (options: ServiceOptions, replica: string): Promise<Broker> => {
  const { settings, log } = options
  const tls = {
    ...(settings.natsTlsCa === undefined ? {} : { caFile: settings.natsTlsCa }),
    ...(settings.natsTlsCert === undefined ? {} : { certFile: settings.natsTlsCert }),
    ...(settings.natsTlsKey === undefined ? {} : { keyFile: settings.natsTlsKey }),
  }
  const result = await connectBroker({
    servers: options.natsUrl.split(",").map((one) => one.trim()),
    name: `petrosa-tradeengine ${replica}`,
    ...(settings.natsUser === undefined ? {} : { user: settings.natsUser }),
    ...(settings.natsPassword === undefined ? {} : { password: settings.natsPassword }),
    ...(settings.natsToken === undefined ? {} : { token: settings.natsToken }),
    ...(settings.natsCreds === undefined ? {} : { credsFile: settings.natsCreds }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onWaiting: (attempt, problem) => {
      if (attempt === 1 || attempt % 10 === 0) log.warn({ attempt, problem }, "NATS cannot be reached; waiting for it")
    },
  })
  if (result._tag === "Connected") return result.broker
  throw new StartRefused(result._tag === "Refused" ? result.message : "stopped while waiting for NATS")
}

const streams = async (
  broker: Broker,
  settings: Settings,
  storeId: string,
  log: Logger,
  signal: AbortSignal | undefined,
): Promise<{ readonly ready: StreamsReady; readonly ensure: () => Promise<unknown> }> => {
  const ensure = () =>
    ensureStreams(broker, {
      storeId,
      signalSubject: settings.natsSignalSubject,
      signals: { name: settings.natsStream },
      lots: { name: settings.natsLotsStream },
      // Its subjects go with its name, so that a second engine on the same NATS needs no more than names of its own.
      lotsPrefix: settings.natsLotsStream.toLowerCase(),
      signalsConsumer: { ackWaitMs: settings.ackWaitMs, maxAckPending: settings.maxLiveOrders },
      lotsConsumer: { ackWaitMs: settings.ackWaitMs },
    })
  for (;;) {
    const result = await ensure()
    if (result._tag === "Ready") {
      if (result.changes.length > 0) log.info({ changes: result.changes }, "JetStream is prepared")
      return { ready: result, ensure }
    }
    if (result._tag === "Refused") throw new StartRefused(`${result.message} ${result.remedy}`)
    if (signal?.aborted === true) throw new StartRefused("stopped while waiting for JetStream")
    log.warn({ reason: result.reason }, "JetStream does not answer; waiting for it")
    await new Promise((resolve) => setTimeout(resolve, STREAMS_RETRY_MS))
  }
}

export const startService = async (options: ServiceOptions): Promise<Service> => {
  const { settings, log } = options
  if (settings.mode !== "simulation") {
    throw new StartRefused(
      "This version trades in simulation only: set SIMULATION_ENABLED=true (the default). The adapters for Binance are not part of it.",
    )
  }
  const replica = replicaName(settings)
  const closers: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const one of closers.toReversed()) await one()
    closers.length = 0
  }
  try {
    const store = await openStore(settings, log, options.signal)
    closers.push(() => store.close())
    const broker = await connect(options, replica)
    closers.push(() => broker.close())
    const { ready, ensure } = await streams(broker, settings, store.storeId, log, options.signal)
    mkdirSync(dirname(settings.paperVenueFile), { recursive: true })
    const paper = openPaperVenue({
      file: settings.paperVenueFile,
      startingBalance: settings.simulationBalanceUsdt,
      feeRate: settings.paperFeeRate,
      latencyMs: settings.paperLatencyMs,
      onTrouble: (error) => log.error({ error: String(error) }, "the paper venue has trouble"),
    })
    closers.push(() => paper.close())
    const seat = { venue: paper, facts: paperFacts(paper, settings) }
    const engine = new Engine({
      engineId: settings.engineId,
      replica,
      engineVersion: options.engineVersion,
      settingsVersion: options.settingsVersion,
      mode: settings.mode,
      decision: decisionSettings(settings, options.settingsVersion),
      defaultMarket: settings.defaultMarket,
      defaultOrderType: settings.defaultOrderType,
      signalMaxBytes: settings.signalMaxBytes,
      rejectedMaxBytes: settings.rejectedMaxBytes,
      ackWaitMs: settings.ackWaitMs,
      maxLiveOrders: settings.maxLiveOrders,
      protectionStoreWaitMs: settings.protectionStoreWaitMs,
      receiveWindowMs: settings.receiveWindowMs,
      store,
      intake: new NatsIntake({ broker, streams: ready, ensure }),
      onJournal: (listener) => onJournal(broker, (message) => listener(message.replica, message.data)),
      seatFor: () => seat,
      seats: [seat],
      clock: systemClock,
      random: Math.random,
      newId: () => randomUUID(),
      log,
      ...(options.faults === undefined ? {} : { faults: options.faults }),
      // The lock of the embedded store, and the store's id on the streams: nobody else can be at work.
      alone: store.kind === "sqlite",
    })
    try {
      await engine.start()
    } catch (error) {
      if (error instanceof DefaultsChanged) throw new StartRefused(error.message)
      throw error
    }
    closers.push(() => engine.stop())
    const face = engineFace(engine, {
      setPrice: (symbol, market, price) => paper.setPrice(symbol, market, price),
      faults: () => paper.faults(),
      setFaults: (change) => paper.setFaults(change),
    })
    const inspector = createInspector({
      engine: face,
      mode: settings.mode,
      held: function* () {
        for (const order of engine.desk.orders.values()) yield order.actor.regions
      },
      journals: (listener) => onJournal(broker, (message) => listener(message.replica, message.data)),
      log,
    })
    const http = await startHttp({
      host: settings.httpHost,
      port: settings.httpPort,
      ...(settings.httpToken === undefined ? {} : { token: settings.httpToken }),
      engine: face,
      mode: settings.mode,
      inspector,
      log,
      onTooLarge: (refused) => void face.refusedTooLarge?.(refused),
    })
    closers.push(() => http.close())
    return { url: http.url, engine, store, paper, stop: close }
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
}
