/**
 * Makes sure that the streams and consumers are there, are ours, and are as we need them.
 *
 * Promises: `Ready` means that both streams and both consumers exist with our settings and carry the id of our event
 * store (docs/design.md sections 7 and 8). Nothing that exists is deleted, and no existing stream is changed, but for
 * writing our store's id into one that has none. `Refused` names what is wrong and how a person mends it. `Away` means
 * that JetStream did not answer: ask again. May be called again at any time, by several processes at once.
 */
import { type JetStreamManager, NatsError } from "nats"
import type { Broker } from "./connection.ts"
import { problemOf } from "./connection.ts"
import {
  type ConsumerSettings,
  consumerConfig,
  consumerDifferences,
  consumerOutdated,
  mendStream,
  type SettingDifference,
  STORE_ID_KEY,
  type StreamSettings,
  streamConfig,
  streamDifferences,
} from "./streamSettings.ts"
import { planSubjects, type SubjectPlan } from "./subjects.ts"

export interface StreamsOptions {
  /** The event store's id: streams and consumers of another store are refused. */
  readonly storeId: string
  /** `NATS_SIGNAL_SUBJECT` */
  readonly signalSubject: string
  readonly signals?: Partial<Omit<StreamSettings, "subjects">>
  readonly lots?: Partial<Omit<StreamSettings, "subjects">>
  readonly signalsConsumer?: Partial<ConsumerSettings>
  readonly lotsConsumer?: Partial<ConsumerSettings>
  readonly lotsPrefix?: string
  /** Of one request to JetStream. Default 5000. */
  readonly timeoutMs?: number
}

export interface QueueNames {
  readonly stream: string
  readonly consumer: string
  readonly ackWaitMs: number
  readonly maxAckPending: number
}

export interface StreamsReady {
  readonly _tag: "Ready"
  readonly plan: SubjectPlan
  readonly signals: QueueNames
  readonly lots: QueueNames
  /** What was made or changed, for the log. */
  readonly changes: readonly string[]
}

export type StreamRefusalCode =
  | "SUBJECT_INVALID"
  | "SUBJECT_TAKEN"
  | "STREAM_DIFFERS"
  | "CONSUMER_DIFFERS"
  | "CONSUMER_TAKEN"
  | "OTHER_STORE"
  | "JETSTREAM_OFF"
  | "SERVER_TOO_OLD"
  | "STORAGE_TOO_SMALL"
  | "NOT_PERMITTED"
  | "REFUSED_BY_SERVER"

export interface StreamsRefused {
  readonly _tag: "Refused"
  readonly code: StreamRefusalCode
  /** What is wrong. */
  readonly message: string
  /** What to do about it. */
  readonly remedy: string
  readonly differences?: readonly SettingDifference[]
}

export type StreamsResult = StreamsReady | StreamsRefused | { readonly _tag: "Away"; readonly reason: string }

const GIB = 1024 ** 3
export const DEFAULT_SIGNALS: Omit<StreamSettings, "subjects"> = { name: "SIGNALS", maxBytes: GIB, duplicateWindowMs: 120_000, replicas: 1 }
export const DEFAULT_LOTS: Omit<StreamSettings, "subjects"> = { name: "LOTS", maxBytes: GIB / 4, duplicateWindowMs: 120_000, replicas: 1 }
export const DEFAULT_CONSUMER: ConsumerSettings = { name: "petrosa-engine", ackWaitMs: 5000, maxAckPending: 20_000 }

/** JetStream's error codes (`err_code`) that we tell apart. */
const STREAM_NOT_FOUND = 10059
const STREAM_NAME_IN_USE = 10058
const SUBJECTS_OVERLAP = 10065
const CONSUMER_NOT_FOUND = 10014
const WORK_QUEUE_TAKEN = new Set([10099, 10100])
const STORAGE_CODES = new Set([10023, 10028, 10047, 10122])
const JETSTREAM_OFF_CODES = new Set([10039, 10076])

/** A refusal on its way up; nothing but {@link ensureStreams} sees it. */
class Refusal extends Error {
  readonly refused: StreamsRefused
  constructor(refused: StreamsRefused) {
    super(refused.message)
    this.refused = refused
  }
}
const refuse = (code: StreamRefusalCode, message: string, remedy: string, differences?: readonly SettingDifference[]): Refusal =>
  new Refusal({ _tag: "Refused", code, message, remedy, ...(differences === undefined ? {} : { differences }) })

const apiCode = (error: unknown): number | undefined => (error instanceof NatsError ? error.api_error?.err_code : undefined)

export const ensureStreams = async (broker: Broker, options: StreamsOptions): Promise<StreamsResult> => {
  const planned = planSubjects(options.signalSubject, options.lotsPrefix)
  if (planned._tag === "Bad") {
    return refuse("SUBJECT_INVALID", planned.problem, "Set NATS_SIGNAL_SUBJECT to a plain subject, for example signals.trading.").refused
  }
  const { plan } = planned
  if (!broker.connected) return { _tag: "Away", reason: "no connection to NATS" }
  const [major = 0, minor = 0] = broker.serverVersion.split(".").map(Number)
  if (major < 2 || (major === 2 && minor < 10)) {
    return refuse(
      "SERVER_TOO_OLD",
      `The NATS server is version ${broker.serverVersion}; 2.10 or newer is needed (metadata of streams).`,
      "Update the NATS server; its data stays as it is.",
    ).refused
  }
  const signals: StreamSettings = { ...DEFAULT_SIGNALS, ...options.signals, subjects: plan.signalSubjects }
  const lots: StreamSettings = { ...DEFAULT_LOTS, ...options.lots, subjects: plan.lotSubjects }
  const signalsConsumer: ConsumerSettings = { ...DEFAULT_CONSUMER, ...options.signalsConsumer }
  const lotsConsumer: ConsumerSettings = { ...DEFAULT_CONSUMER, ...options.lotsConsumer }
  const changes: string[] = []
  try {
    const jsm = await broker.nc.jetstreamManager({ timeout: options.timeoutMs ?? 5000, checkAPI: false })
    // Look at everything before anything is made: a refusal must not leave half of it behind.
    const foundSignals = await inspectStream(jsm, signals, options.storeId)
    const foundLots = await inspectStream(jsm, lots, options.storeId)
    await makeStream(jsm, signals, options.storeId, foundSignals, changes)
    await makeStream(jsm, lots, options.storeId, foundLots, changes)
    await makeConsumer(jsm, signals.name, signalsConsumer, options.storeId, changes)
    await makeConsumer(jsm, lots.name, lotsConsumer, options.storeId, changes)
  } catch (error) {
    return failureOf(error)
  }
  return { _tag: "Ready", plan, signals: queue(signals, signalsConsumer), lots: queue(lots, lotsConsumer), changes }
}

const queue = (s: StreamSettings, c: ConsumerSettings): QueueNames => ({
  stream: s.name,
  consumer: c.name,
  ackWaitMs: c.ackWaitMs,
  maxAckPending: c.maxAckPending,
})

const failureOf = (error: unknown): Exclude<StreamsResult, StreamsReady> => {
  if (error instanceof Refusal) return error.refused
  const code = apiCode(error)
  const problem = problemOf(error)
  if (code !== undefined && JETSTREAM_OFF_CODES.has(code)) {
    return refuse(
      "JETSTREAM_OFF",
      `The NATS server runs without JetStream for this account (${problem}).`,
      "Start it with -js (or `jetstream {}` in its configuration), and enable JetStream for the account.",
    ).refused
  }
  if (code !== undefined && STORAGE_CODES.has(code)) {
    return refuse(
      "STORAGE_TOO_SMALL",
      `The NATS server does not grant the storage that the streams may take (${problem}).`,
      "Raise max_file_store of its JetStream configuration, or lower the byte limits of the streams (NATS_STREAM_MAX_BYTES).",
    ).refused
  }
  if (error instanceof NatsError && error.isPermissionError()) {
    return refuse(
      "NOT_PERMITTED",
      `The NATS user may not do what the engine needs (${problem}).`,
      "Allow it to publish to $JS.API.> and $JS.ACK.>, and to subscribe to _INBOX.>.",
    ).refused
  }
  // An answer with a code is an answer: asking again does not change it. Everything else is silence.
  if (code !== undefined) return refuse("REFUSED_BY_SERVER", `JetStream refused: ${problem}.`, "See the log of the NATS server.").refused
  return { _tag: "Away", reason: problem }
}

type FoundStream = "absent" | "ours" | "unclaimed"

/** Refuses a stream that is another's or is made otherwise; says what there is. */
const inspectStream = async (jsm: JetStreamManager, s: StreamSettings, storeId: string): Promise<FoundStream> => {
  const wanted = streamConfig(s, storeId)
  let config: Awaited<ReturnType<typeof jsm.streams.info>>["config"]
  try {
    config = (await jsm.streams.info(s.name)).config
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error
    await refuseTakenSubjects(jsm, s)
    return "absent"
  }
  const owner = config.metadata?.[STORE_ID_KEY]
  if (owner !== undefined && owner !== storeId) throw otherStore("stream", s.name, `nats stream edit ${s.name}`, owner, storeId)
  const differences = streamDifferences(config, wanted)
  if (differences.length > 0) {
    const list = differences.map((d) => `${d.setting} is ${d.found}, needed is ${d.wanted}`).join("; ")
    throw refuse(
      "STREAM_DIFFERS",
      `The stream ${s.name} exists with other settings: ${list}.`,
      mendStream(s.name, differences, wanted),
      differences,
    )
  }
  return owner === undefined ? "unclaimed" : "ours"
}

const otherStore = (what: string, name: string, edit: string, owner: string, storeId: string): Refusal =>
  refuse(
    "OTHER_STORE",
    `The ${what} ${name} belongs to the event store ${owner}; this engine's store is ${storeId}. Two stores on one stream would take each other's orders.`,
    `Start this engine with the store that it belongs to (MONGODB_URL, or the SQLite file), or give it streams of its own (NATS_STREAM, NATS_SIGNAL_SUBJECT, or another NATS). ` +
      `Only if the other store is gone for good: \`${edit} --metadata ${STORE_ID_KEY}=${storeId}\`.`,
  )

const refuseTakenSubjects = async (jsm: JetStreamManager, s: StreamSettings): Promise<void> => {
  for (const subject of s.subjects) {
    const taken = new Set<string>()
    for await (const name of jsm.streams.names(subject)) {
      if (name !== s.name) taken.add(name)
      if (taken.size >= 10) break
    }
    if (taken.size > 0) throw takenSubjects(s, subject, [...taken])
  }
}

const takenSubjects = (s: StreamSettings, subject: string, streams: readonly string[]): Refusal =>
  refuse(
    "SUBJECT_TAKEN",
    `The stream ${s.name} cannot have the subject ${subject}: ${streams.length > 0 ? `it overlaps the stream ${streams.join(", ")}` : "it overlaps another stream"}.`,
    `Use another NATS_SIGNAL_SUBJECT, or take the subject away from the other stream (\`nats stream ls --subject='${subject}'\`, \`nats stream edit\`).`,
  )

const makeStream = async (
  jsm: JetStreamManager,
  s: StreamSettings,
  storeId: string,
  found: FoundStream,
  changes: string[],
): Promise<void> => {
  if (found === "ours") return
  if (found === "unclaimed") {
    const info = await jsm.streams.info(s.name)
    await jsm.streams.update(s.name, { ...info.config, metadata: { ...info.config.metadata, [STORE_ID_KEY]: storeId } })
    changes.push(`claimed stream ${s.name}`)
  } else {
    try {
      await jsm.streams.add(streamConfig(s, storeId))
      changes.push(`made stream ${s.name}`)
    } catch (error) {
      const code = apiCode(error)
      if (code === SUBJECTS_OVERLAP) throw takenSubjects(s, s.subjects.join(", "), [])
      if (code !== STREAM_NAME_IN_USE) throw error
    }
  }
  // Another process may have made or claimed it at the same time: whose it is now is read, not assumed.
  if ((await inspectStream(jsm, s, storeId)) !== "ours") throw new Error(`the stream ${s.name} does not keep its metadata`)
}

const makeConsumer = async (
  jsm: JetStreamManager,
  stream: string,
  c: ConsumerSettings,
  storeId: string,
  changes: string[],
): Promise<void> => {
  const wanted = consumerConfig(c, storeId)
  let info: Awaited<ReturnType<typeof jsm.consumers.info>>
  try {
    info = await jsm.consumers.info(stream, c.name)
  } catch (error) {
    if (apiCode(error) !== CONSUMER_NOT_FOUND) throw error
    try {
      await jsm.consumers.add(stream, wanted)
    } catch (refusal) {
      if (!WORK_QUEUE_TAKEN.has(apiCode(refusal) ?? 0)) throw refusal
      throw await takenConsumer(jsm, stream, c.name)
    }
    changes.push(`made consumer ${stream}/${c.name}`)
    return
  }
  const owner = info.config.metadata?.[STORE_ID_KEY]
  if (owner !== undefined && owner !== storeId)
    throw otherStore("consumer", `${stream}/${c.name}`, `nats consumer edit ${stream} ${c.name}`, owner, storeId)
  const differences = consumerDifferences(info.config)
  if (differences.length > 0) {
    const list = differences.map((d) => `${d.setting} is ${d.found}, needed is ${d.wanted}`).join("; ")
    throw refuse(
      "CONSUMER_DIFFERS",
      `The consumer ${stream}/${c.name} exists with other settings: ${list}.`,
      `If nobody else uses it: \`nats consumer rm ${stream} ${c.name}\` (no signal is lost), and start again.`,
      differences,
    )
  }
  if (consumerOutdated(info.config, wanted, storeId)) {
    await jsm.consumers.update(stream, c.name, {
      ack_wait: wanted.ack_wait ?? 0,
      max_ack_pending: c.maxAckPending,
      max_deliver: -1,
      backoff: [],
      metadata: { ...info.config.metadata, [STORE_ID_KEY]: storeId },
    })
    changes.push(`changed consumer ${stream}/${c.name}`)
  }
}

const takenConsumer = async (jsm: JetStreamManager, stream: string, wanted: string): Promise<Refusal> => {
  const names: string[] = []
  for await (const consumer of jsm.consumers.list(stream)) {
    names.push(consumer.name)
    if (names.length >= 10) break
  }
  return refuse(
    "CONSUMER_TAKEN",
    `The stream ${stream} hands each message to one consumer only, and it has another than ${wanted}: ${names.join(", ")}.`,
    `Stop what uses it and remove it (\`nats consumer rm ${stream} ${names[0] ?? "NAME"}\`), or use another stream (NATS_STREAM).`,
  )
}
