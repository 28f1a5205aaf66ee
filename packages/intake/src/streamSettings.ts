/**
 * The settings of our streams and consumers, and how an existing one is held against them. Pure.
 *
 * A stream that exists with other settings is refused, never changed: it may be somebody else's, or an operator's choice.
 * A consumer of ours (its metadata names our store) follows our settings.
 */
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  nanos,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "nats"

/** Where the id of the event store stands in the metadata of stream and consumer. */
export const STORE_ID_KEY = "petrosa_store_id"
/** A message, headers and all. */
export const MESSAGE_MAX_BYTES = 1024 * 1024

export interface StreamSettings {
  readonly name: string
  readonly subjects: readonly string[]
  readonly maxBytes: number
  /** How long the server remembers `Nats-Msg-Id`s. */
  readonly duplicateWindowMs: number
  readonly replicas: number
}

export interface ConsumerSettings {
  readonly name: string
  readonly ackWaitMs: number
  /** How many messages may be delivered and not acknowledged: the bound on what lives at once, all processes together. */
  readonly maxAckPending: number
}

export const streamConfig = (s: StreamSettings, storeId: string): Partial<StreamConfig> & { name: string } => ({
  name: s.name,
  subjects: [...s.subjects],
  retention: RetentionPolicy.Workqueue,
  storage: StorageType.File,
  discard: DiscardPolicy.New,
  max_bytes: s.maxBytes,
  max_msg_size: MESSAGE_MAX_BYTES,
  max_age: 0,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_consumers: -1,
  duplicate_window: nanos(s.duplicateWindowMs),
  num_replicas: s.replicas,
  allow_direct: true,
  // A publisher that asks (`request`) is told that its signal was stored; one that only publishes notices nothing.
  no_ack: false,
  metadata: { [STORE_ID_KEY]: storeId },
})

export const consumerConfig = (c: ConsumerSettings, storeId: string): Partial<ConsumerConfig> & { durable_name: string } => ({
  durable_name: c.name,
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  replay_policy: ReplayPolicy.Instant,
  ack_wait: nanos(c.ackWaitMs),
  max_ack_pending: c.maxAckPending,
  max_deliver: -1,
  metadata: { [STORE_ID_KEY]: storeId },
})

export interface SettingDifference {
  readonly setting: string
  readonly found: string
  readonly wanted: string
}

type StreamSetting =
  | "retention"
  | "storage"
  | "discard"
  | "max_bytes"
  | "max_msg_size"
  | "max_age"
  | "max_msgs"
  | "max_msgs_per_subject"
  | "duplicate_window"
  | "num_replicas"
  | "no_ack"

/** What can be changed on a stream that holds messages, and how `nats stream edit` spells it. */
const EDIT_FLAG: Readonly<Partial<Record<StreamSetting, (wanted: unknown) => string>>> = {
  discard: (v) => `--discard=${String(v)}`,
  max_bytes: (v) => `--max-bytes=${String(v)}`,
  max_msg_size: (v) => `--max-msg-size=${String(v)}`,
  max_age: () => "--max-age=-1",
  max_msgs: () => "--max-msgs=-1",
  max_msgs_per_subject: () => "--max-msgs-per-subject=-1",
  duplicate_window: (v) => `--dupe-window=${Number(v) / 1e9}s`,
  num_replicas: (v) => `--replicas=${String(v)}`,
  no_ack: () => "--ack",
}
const STREAM_SETTINGS: readonly StreamSetting[] = [
  "retention",
  "storage",
  "discard",
  "max_bytes",
  "max_msg_size",
  "max_age",
  "max_msgs",
  "max_msgs_per_subject",
  "duplicate_window",
  "num_replicas",
  "no_ack",
]

const sameSubjects = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((s) => b.includes(s))

export const streamDifferences = (found: StreamConfig, wanted: Partial<StreamConfig>): readonly SettingDifference[] => {
  const differences: SettingDifference[] = []
  if (!sameSubjects(found.subjects ?? [], wanted.subjects ?? [])) {
    differences.push({ setting: "subjects", found: (found.subjects ?? []).join(", "), wanted: (wanted.subjects ?? []).join(", ") })
  }
  for (const setting of STREAM_SETTINGS) {
    const has = found[setting] ?? (setting === "no_ack" ? false : undefined)
    if (has !== wanted[setting]) differences.push({ setting, found: String(has), wanted: String(wanted[setting]) })
  }
  if ((found.sources?.length ?? 0) > 0 || found.mirror !== undefined) {
    differences.push({ setting: "sources", found: "copies another stream", wanted: "none" })
  }
  return differences
}

/** The command that mends these differences, or why there is none. */
export const mendStream = (name: string, differences: readonly SettingDifference[], wanted: Partial<StreamConfig>): string => {
  const flags: string[] = []
  for (const { setting } of differences) {
    if (setting === "subjects") flags.push(`--subjects='${(wanted.subjects ?? []).join(",")}'`)
    else {
      const flag = EDIT_FLAG[setting as StreamSetting]
      if (flag === undefined) {
        return (
          `Its ${setting} cannot be changed. Use another name (NATS_STREAM), or, if nobody else uses it: \`nats stream backup ${name} ./${name}-backup\`, ` +
          `then \`nats stream rm ${name}\` (signals that nobody has taken yet are lost with it), and start again.`
        )
      }
      flags.push(flag(wanted[setting as StreamSetting]))
    }
  }
  return `If the stream is this engine's: \`nats stream edit ${name} ${flags.join(" ")}\`, and start again. Else use another name (NATS_STREAM), or settings that match.`
}

/** What of an existing consumer can never become ours. */
export const consumerDifferences = (found: ConsumerConfig): readonly SettingDifference[] => {
  const differences: SettingDifference[] = []
  const expect = (setting: string, has: unknown, wanted: unknown): void => {
    if (has !== wanted) differences.push({ setting, found: String(has), wanted: String(wanted) })
  }
  expect("ack_policy", found.ack_policy, AckPolicy.Explicit)
  expect("deliver_policy", found.deliver_policy, DeliverPolicy.All)
  expect("deliver_subject", found.deliver_subject, undefined)
  expect("filter_subject", found.filter_subject, undefined)
  expect("filter_subjects", found.filter_subjects?.join(", "), undefined)
  return differences
}

/** Whether an existing consumer of ours needs to be told our settings. */
export const consumerOutdated = (found: ConsumerConfig, wanted: Partial<ConsumerConfig>, storeId: string): boolean =>
  found.ack_wait !== wanted.ack_wait ||
  found.max_ack_pending !== wanted.max_ack_pending ||
  (found.max_deliver ?? -1) !== -1 ||
  (found.backoff?.length ?? 0) > 0 ||
  found.metadata?.[STORE_ID_KEY] !== storeId
