/**
 * The service, from settings to a running engine with its HTTP API: opens what it needs in order, and closes it in the
 * opposite one. What cannot work is a {@link StartRefused} that says how to mend it; what may come is waited for, loudly.
 */
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import type { Settings } from "@petrosa/contracts"
import type { FaceExtras, FaultPoints } from "@petrosa/engine"
import { DefaultsChanged, Engine, engineFace, measureMarketData } from "@petrosa/engine"
import type { EventStore } from "@petrosa/event-store"
import { createInspector } from "@petrosa/inspector"
import { inquiryOf, onJournal, systemClock } from "@petrosa/intake"
import type { PaperVenue } from "@petrosa/venue"
import type { Logger } from "pino"
import { guardAccount } from "./accountGuard.ts"
import { decisionSettings } from "./decisionSettings.ts"
import { isLoopback, startHttp } from "./http/index.ts"
import { openMarketData } from "./marketData.ts"
import { planBinance } from "./openBinance.ts"
import { openLine } from "./brokerLine.ts"
import { openStore } from "./openStore.ts"
import { StartRefused } from "./refused.ts"
import { snapshotForm } from "./snapshotForm.ts"
import { openVenues } from "./venues.ts"

export interface ServiceOptions {
  readonly settings: Settings
  readonly settingsVersion: string
  readonly engineVersion: string
  readonly natsUrl: string
  readonly log: Logger
  readonly faults?: FaultPoints
  readonly signal?: AbortSignal
  /** What was waited for while the service was at work turns out never to work: it has to stop. */
  readonly onFatal?: (error: unknown) => void
}

export interface Service {
  readonly url: string
  readonly engine: Engine
  readonly store: EventStore
  /** In every mode: signals may ask to be simulated. */
  readonly paper: PaperVenue
  stop(): Promise<void>
}

/** At most so many characters of a host name in a replica's name. */
const HOST_LENGTH = 40

const replicaName = (settings: Settings): string => settings.replicaId ?? `${hostname().slice(0, HOST_LENGTH)}-${randomUUID().slice(0, 8)}`

export const startService = async (options: ServiceOptions): Promise<Service> => {
  const { settings, log, signal } = options
  // Before anything is opened or touched.
  const plans = planBinance(settings)
  const replica = replicaName(settings)
  // Sources are read while the store and the line are opened.
  const form = snapshotForm().catch((error: unknown) => {
    log.warn({ error: String(error) }, "the program's own sources cannot be read: no snapshots are kept, restarts take longer")
    return undefined
  })
  const closers: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const one of closers.toReversed()) await one()
    closers.length = 0
  }
  try {
    const store = await openStore(settings, log, signal)
    closers.push(() => store.close())
    const line = await openLine({ settings, natsUrl: options.natsUrl, replica, log, signal }, store, (error) => options.onFatal?.(error))
    closers.push(() => line.close())
    // An embedded store has one engine: there are no others whose journals it could hear.
    const broker = store.kind === "sqlite" ? undefined : line.broker
    const venues = await openVenues(settings, plans, log, signal)
    closers.push(() => venues.close())
    await guardAccount(store, venues.account)
    const market = openMarketData({ settings, ...venues, withBroker: line.withBroker, log })
    closers.push(() => market.close())
    const ownForm = await form
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
      intake: line.intake,
      ...(broker === undefined ? {} : { onJournal: (listener) => onJournal(broker, (message) => listener(message.replica, message.data)) }),
      seatFor: market.seatFor,
      seats: market.seats,
      clock: systemClock,
      random: Math.random,
      newId: () => randomUUID(),
      log,
      ...(options.faults === undefined ? {} : { faults: options.faults }),
      // The lock of the embedded store, and the store's id on the streams: nobody else can be at work.
      alone: store.kind === "sqlite",
      ...(ownForm === undefined ? {} : { snapshotForm: ownForm }),
    })
    try {
      await engine.start()
    } catch (error) {
      if (error instanceof DefaultsChanged) throw new StartRefused(error.message)
      throw error
    }
    closers.push(() => engine.stop())
    if (market.feed !== undefined) measureMarketData(engine.metrics.registry, market.feed)
    const { paper } = venues
    // Prices by hand and faults on demand exist in simulation only: elsewhere nobody may believe that the paper venue is the market.
    const extras: FaceExtras =
      settings.mode === "simulation"
        ? {
            setPrice: (symbol, of, price) => paper.setPrice(symbol, of, price),
            faults: () => paper.faults(),
            setFaults: (change) => paper.setFaults(change),
          }
        : {}
    const face = engineFace(engine, extras)
    const inspector = createInspector({
      engine: face,
      mode: settings.mode,
      held: function* () {
        for (const order of engine.desk.orders.values()) yield order.actor.regions
      },
      ...(broker === undefined
        ? {}
        : {
            journals: (listener) => onJournal(broker, (message) => listener(message.replica, message.data)),
            replicas: inquiryOf(broker, store.storeId, replica),
          }),
      stately: settings.inspectorStately && isLoopback(settings.httpHost),
      log,
    })
    if (settings.inspectorStately && !isLoopback(settings.httpHost))
      log.warn({ host: settings.httpHost }, "INSPECTOR_STATELY has no effect: HTTP_HOST is not loopback")
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
