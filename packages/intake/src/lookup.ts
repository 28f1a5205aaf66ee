/**
 * Questions about a stream, three-valued: an error is never "nothing there" (docs/design.md section 6).
 */
import { known, type Read, unknown } from "@petrosa/contracts"
import { NatsError } from "nats"
import { type Broker, problemOf } from "./connection.ts"

/** Names a message: after a stream is made anew its sequences start at 1 again, so both must match. */
export interface MessageName {
  readonly sequence: number
  readonly streamTimeMs: number
}

const NO_MESSAGE_FOUND = 10037
/** How many questions are on their way at once. */
const CONCURRENCY = 32

/** Whether a message is still in the stream, that is, not acknowledged yet. */
export const hasMessage = async (broker: Broker, stream: string, name: MessageName, timeoutMs = 5000): Promise<Read<boolean>> => {
  if (!broker.connected) return unknown("BROKER_AWAY")
  if (!Number.isSafeInteger(name.sequence) || name.sequence < 1) return known(false)
  try {
    const jsm = await broker.nc.jetstreamManager({ timeout: timeoutMs, checkAPI: false })
    const found = await jsm.streams.getMessage(stream, { seq: name.sequence })
    return known(Date.parse(found.timestamp) === name.streamTimeMs)
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === NO_MESSAGE_FOUND) return known(false)
    return unknown(problemOf(error))
  }
}

/** The same for many, in order, with a bounded number of questions at once. */
export const hasMessages = async (
  broker: Broker,
  stream: string,
  names: readonly MessageName[],
  timeoutMs = 5000,
): Promise<readonly Read<boolean>[]> => {
  const answers: Read<boolean>[] = new Array(names.length)
  let next = 0
  const ask = async (): Promise<void> => {
    for (let i = next++; i < names.length; i = next++) answers[i] = await hasMessage(broker, stream, names[i] as MessageName, timeoutMs)
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, names.length) }, ask))
  return answers
}

export interface QueueStatus {
  /** In the stream: not delivered yet, or delivered and not acknowledged. */
  readonly messages: number
  readonly bytes: number
  readonly maxBytes: number
  /** Not delivered yet. */
  readonly waiting: number
  /** Delivered and not acknowledged, all processes together. */
  readonly ackPending: number
  readonly maxAckPending: number
}

/** How full a stream and its consumer are: for metrics, alarms and `/readyz`. */
export const queueStatus = async (broker: Broker, stream: string, consumer: string, timeoutMs = 5000): Promise<Read<QueueStatus>> => {
  if (!broker.connected) return unknown("BROKER_AWAY")
  try {
    const jsm = await broker.nc.jetstreamManager({ timeout: timeoutMs, checkAPI: false })
    const [s, c] = await Promise.all([jsm.streams.info(stream), jsm.consumers.info(stream, consumer)])
    return known({
      messages: s.state.messages,
      bytes: s.state.bytes,
      maxBytes: s.config.max_bytes,
      waiting: c.num_pending,
      ackPending: c.num_ack_pending,
      maxAckPending: c.config.max_ack_pending ?? 0,
    })
  } catch (error) {
    return unknown(problemOf(error))
  }
}
