/** Connects to NATS and prepares its streams. What is away is waited for, loudly; what cannot work is a {@link StartRefused}. */
import type { Settings } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import type { Broker, StreamsReady } from "@petrosa/intake"
import { connectBroker, ensureStreams } from "@petrosa/intake"
import type { Logger } from "pino"
import { StartRefused } from "./refused.ts"

const STREAMS_RETRY_MS = 1000
/**
 * A process that is alone on its embedded store holds its lots by the store; their messages only say so, and nobody waits
 * to take them over. At `ACK_WAIT_MS` 5000 the heartbeats of 10,000 lots would be 6,700 publications a second.
 */
const LOTS_ACK_WAIT_ALONE_MS = 60_000

export interface BrokerPlace {
  readonly settings: Settings
  readonly natsUrl: string
  readonly replica: string
  readonly log: Logger
  readonly signal: AbortSignal | undefined
}

export const openBroker = async ({ settings, natsUrl, replica, log, signal }: BrokerPlace): Promise<Broker> => {
  const tls = {
    ...(settings.natsTlsCa === undefined ? {} : { caFile: settings.natsTlsCa }),
    ...(settings.natsTlsCert === undefined ? {} : { certFile: settings.natsTlsCert }),
    ...(settings.natsTlsKey === undefined ? {} : { keyFile: settings.natsTlsKey }),
  }
  const result = await connectBroker({
    servers: natsUrl.split(",").map((one) => one.trim()),
    name: `petrosa-tradeengine ${replica}`,
    // The journal is for others.
    echo: false,
    ...(settings.natsUser === undefined ? {} : { user: settings.natsUser }),
    ...(settings.natsPassword === undefined ? {} : { password: settings.natsPassword }),
    ...(settings.natsToken === undefined ? {} : { token: settings.natsToken }),
    ...(settings.natsCreds === undefined ? {} : { credsFile: settings.natsCreds }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(signal === undefined ? {} : { signal }),
    onWaiting: (attempt, problem) => {
      if (attempt === 1 || attempt % 10 === 0) log.warn({ attempt, problem }, "NATS cannot be reached; waiting for it")
    },
  })
  if (result._tag === "Connected") return result.broker
  throw new StartRefused(result._tag === "Refused" ? result.message : "stopped while waiting for NATS")
}

export const prepareStreams = async (
  broker: Broker,
  settings: Settings,
  { storeId, kind }: Pick<EventStore, "storeId" | "kind">,
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
      lotsConsumer: { ackWaitMs: kind === "sqlite" ? Math.max(settings.ackWaitMs, LOTS_ACK_WAIT_ALONE_MS) : settings.ackWaitMs },
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
