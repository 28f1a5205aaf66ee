/** A real nats-server per file, and what the tests of this package share. */
import { setTimeout as sleep } from "node:timers/promises"
import {
  type Broker,
  type BrokerOptions,
  connectBroker,
  ensureStreams,
  type IntakeEvent,
  type IntakeMessage,
  type StreamIntakeOptions,
  StreamIntake,
  type StreamsOptions,
  type StreamsReady,
} from "../src/index.ts"

export const STORE = "store-a"

export const connected = async (url: string, options: Partial<BrokerOptions> = {}): Promise<Broker> => {
  const result = await connectBroker({ servers: url, name: "intake-test", reconnectWaitMs: 50, ...options })
  if (result._tag !== "Connected") throw new Error(JSON.stringify(result))
  return result.broker
}

/** Streams with short times, small enough for a test. */
export const testStreams = (options: Partial<StreamsOptions> = {}): StreamsOptions => ({
  storeId: STORE,
  signalSubject: "signals.trading",
  signals: { maxBytes: 256 * 1024 * 1024 },
  lots: { maxBytes: 16 * 1024 * 1024 },
  signalsConsumer: { ackWaitMs: 1000 },
  lotsConsumer: { ackWaitMs: 1000 },
  ...options,
})

export const ready = async (broker: Broker, options: Partial<StreamsOptions> = {}): Promise<StreamsReady> => {
  const result = await ensureStreams(broker, testStreams(options))
  if (result._tag !== "Ready") throw new Error(JSON.stringify(result, null, 2))
  return result
}

/** Removes both streams, so that each test starts with none. */
export const wipe = async (broker: Broker): Promise<void> => {
  const jsm = await broker.nc.jetstreamManager()
  for (const name of await jsm.streams.names().next()) await jsm.streams.delete(name)
}

/** Polls until it holds, or fails with what it was last. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> => {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await sleep(2)
  }
}

export interface Probe {
  readonly intake: StreamIntake
  readonly messages: IntakeMessage[]
  readonly events: IntakeEvent[]
  readonly batches: number[]
}

/** An intake that collects, and answers only what the test answers. */
export const probe = (broker: Broker, streams: StreamsReady, options: Partial<StreamIntakeOptions> = {}): Probe => {
  const messages: IntakeMessage[] = []
  const events: IntakeEvent[] = []
  const batches: number[] = []
  const intake = new StreamIntake({
    broker,
    plan: streams.plan,
    queue: streams.signals,
    capacity: () => 1000,
    handler: (batch) => {
      batches.push(batch.length)
      messages.push(...batch)
    },
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { intake, messages, events, batches }
}

export const text = (message: { readonly data: Uint8Array }): string => new TextDecoder().decode(message.data)

/** What the server counts as delivered and not acknowledged. */
export const ackPending = async (broker: Broker, streams: StreamsReady): Promise<number> => {
  const jsm = await broker.nc.jetstreamManager()
  return (await jsm.consumers.info(streams.signals.stream, streams.signals.consumer)).num_ack_pending
}

/** What lies in the stream of signals. */
export const stored = async (broker: Broker, streams: StreamsReady): Promise<number> => {
  const jsm = await broker.nc.jetstreamManager()
  return (await jsm.streams.info(streams.signals.stream)).state.messages
}
