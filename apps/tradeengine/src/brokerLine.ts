/**
 * The line to NATS: the connection, its streams, and the intake on them.
 *
 * It is waited for, loudly, before anything else is done; but for an engine that is alone on its embedded store and has
 * something open there: that goes on at once (its fills need their stops), and signals come when the broker does. What
 * cannot work (another store's stream, wrong credentials) is a {@link StartRefused}: thrown, or told later by `onRefused`.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { EventStore } from "@petrosa/event-store"
import { type Broker, type Intake, LateIntake, NatsIntake } from "@petrosa/intake"
import { type BrokerPlace, openBroker, prepareStreams } from "./openBroker.ts"

export interface BrokerLine {
  readonly intake: Intake
  /** None: it is waited for while the engine is at work. */
  readonly broker: Broker | undefined
  /** Calls back with the broker, once it is there. */
  readonly withBroker: (use: (broker: Broker) => void) => void
  close(): Promise<void>
}

/** A broker that is there answers within this. */
const PATIENCE_MS = 1500

interface Line {
  readonly broker: Broker
  readonly intake: NatsIntake
}

export const openLine = async (place: BrokerPlace, store: EventStore, onRefused: (error: unknown) => void): Promise<BrokerLine> => {
  const given = new AbortController()
  const signal = AbortSignal.any([given.signal, ...(place.signal === undefined ? [] : [place.signal])])
  const opening = open({ ...place, signal }, store)
  const waits = store.kind !== "sqlite" || (await isThere(opening)) || !(await hasOpenOrders(store))
  if (waits) {
    const { broker, intake } = await opening
    return { intake, broker, withBroker: (use) => use(broker), close: () => broker.close() }
  }
  place.log.warn("NATS cannot be reached; what is open goes on from the store meanwhile, and signals are taken when it is there")
  const late = new LateIntake()
  const waiting: ((broker: Broker) => void)[] = []
  let line: Line | undefined
  const arrived = opening.then(
    async (there) => {
      line = there
      for (const use of waiting.splice(0)) use(there.broker)
      const reclaimed = await late.arrive(there.intake)
      place.log.info({ ...reclaimed }, "NATS is there; signals are taken")
    },
    (error: unknown) => {
      if (!given.signal.aborted) onRefused(error)
    },
  )
  return {
    intake: late,
    broker: undefined,
    withBroker: (use) => {
      if (line === undefined) waiting.push(use)
      else use(line.broker)
    },
    close: async () => {
      given.abort()
      await arrived
      await line?.broker.close()
    },
  }
}

const open = async (place: BrokerPlace, store: EventStore): Promise<Line> => {
  const broker = await openBroker(place)
  try {
    const { ready, ensure } = await prepareStreams(broker, place.settings, store, place.log, place.signal)
    return { broker, intake: new NatsIntake({ broker, streams: ready, ensure }) }
  } catch (error) {
    await broker.close()
    throw error
  }
}

const hasOpenOrders = async (store: EventStore): Promise<boolean> => (await store.openOrders()).some((row) => !row.done && !row.parked)

const isThere = (opening: Promise<unknown>): Promise<boolean> => Promise.race([opening.then(() => true), sleep(PATIENCE_MS, false)])
