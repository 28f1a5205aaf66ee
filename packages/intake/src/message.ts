/**
 * What the engine gets of a JetStream message, and what it holds while an order is not settled.
 *
 * A {@link MessageHandle} is small and may be held for hours; an {@link IntakeMessage} has the data too and is meant to be
 * read once. The handle of a message that is redelivered to the process that holds it is renewed in place: whoever has the
 * handle always answers the newest delivery.
 */
import type { MessageKind } from "./subjects.ts"

export interface MessageHandle {
  readonly stream: string
  readonly sequence: number
  /** When the server stored the message, epoch ms. A stream made anew starts at 1 again: both together name a message. */
  readonly streamTimeMs: number
  /** 1 for the first delivery; grows with every redelivery, to whomever. */
  readonly deliveryCount: number
  /** Whether this process still answers for the message: false after ack, nak, term, release, or a hand-back. */
  readonly held: boolean
  /**
   * The message is done with, and leaves the stream. Only after what it led to is durable. Sent without waiting: a lost
   * acknowledgement is a redelivery, which is a duplicate, which is harmless. While the broker is away it is kept, and
   * sent when it is back.
   */
  ack(): void
  /** Give it back, to be delivered again (to anybody) at once, or after `delayMs`. */
  nak(delayMs?: number): void
  /** It can never be dealt with: out of the stream. Only after that is recorded durably. */
  term(): void
  /** Not done yet: the time to acknowledge starts anew. The intake does this by itself for all that is held. */
  working(): void
  /** Let go of it silently: no ack, no nak, no working. It comes back after `ack_wait` to whoever is free. */
  release(): void
}

export interface IntakeMessage extends Omit<MessageHandle, "held"> {
  readonly kind: MessageKind
  readonly subject: string
  /** The order's token, of kinds `resume` and `lot`. */
  readonly order: string | undefined
  /** A copy: it may be kept, but what is held for long should be the handle. */
  readonly data: Uint8Array
  /** The header `Nats-Msg-Id`. Of kind `http`: the idempotency key, as it was given to `publishSignal`. */
  readonly messageId: string | undefined
  /** The header `traceparent` (W3C trace context). */
  readonly traceparent: string | undefined
  /** Any other header, by its name (case-insensitive), the first value. */
  header(name: string): string | undefined
  /** What to hold on to. */
  readonly handle: MessageHandle
}

/** What an ack subject says about a delivery. */
export interface Delivery {
  readonly sequence: number
  readonly streamTimeMs: number
  readonly deliveryCount: number
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<count>.<stream seq>.<consumer seq>.<time ns>.<pending>`, also in the longer form
 * with domain and account (`$JS.ACK.<domain>.<account>.<stream>.…`). The nanoseconds exceed 2^53: they are cut as text.
 */
export const parseAckSubject = (reply: string): Delivery | undefined => {
  const tokens = reply.split(".")
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return undefined
  const offset = tokens.length >= 11 ? 4 : 2
  const sequence = Number(tokens[offset + 3])
  const deliveryCount = Number(tokens[offset + 2])
  const streamTimeMs = Number(tokens[offset + 5]?.slice(0, -6))
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(deliveryCount) || !Number.isSafeInteger(streamTimeMs)) return undefined
  return { sequence, streamTimeMs, deliveryCount }
}

/** `-NAK`, with a delay in the server's nanoseconds. */
export const nakPayload = (delayMs: number | undefined): string =>
  delayMs === undefined || delayMs <= 0 ? "-NAK" : `-NAK {"delay":${Math.round(delayMs * 1e6)}}`
export const ACK = "+ACK"
export const TERM = "+TERM"
export const WORKING = "+WPI"

const encoder = new TextEncoder()
const ENCODED: ReadonlyMap<string, Uint8Array> = new Map([ACK, TERM, WORKING].map((payload) => [payload, encoder.encode(payload)]))
/** The payload as the client sends it: it would encode the same four bytes again for every message. */
export const payloadBytes = (payload: string): Uint8Array => ENCODED.get(payload) ?? encoder.encode(payload)
