/**
 * What the engine publishes: signals that came by HTTP, orders to be taken up again, open lots; what became of a signal
 * (`execution.events.<strategy>`), and the journal of appends (`petrosa.journal.<replica>`).
 *
 * The first three go into streams and are answered: {@link PublishResult}. `BrokerAway` with `mayHaveArrived` is an
 * unknown outcome: publishing the same thing again (same id) is safe within the stream's duplicate window, and the order's
 * identity makes it safe afterwards. The last two are plain NATS: sent when the broker is there, else dropped and
 * counted; they are news, the truth is in the event store.
 */
import { headers, type MsgHdrs, NatsError } from "nats"
import { type Answer, Asking } from "./asking.ts"
import { type Clock, systemClock } from "./clock.ts"
import { type Broker, problemOf } from "./connection.ts"
import { JournalInterest } from "./journalInterest.ts"
import { HTTP_ID_PREFIX } from "./pulledMessage.ts"
import { EVENTS_PREFIX, JOURNAL_PREFIX, type SubjectPlan } from "./subjects.ts"
import { readToken, safeToken } from "./tokens.ts"

export type PublishResult =
  /**
   * Stored. `duplicate`: a message with this id was stored within the duplicate window before, as `sequence`; nothing was
   * stored now, and that one may have been answered meanwhile.
   */
  | { readonly _tag: "Published"; readonly stream: string; readonly sequence: number; readonly duplicate: boolean }
  /** A message of this order is already waiting in the stream: there is no need for another. */
  | { readonly _tag: "Occupied" }
  | { readonly _tag: "BrokerAway"; readonly code: "BROKER_AWAY"; readonly message: string; readonly mayHaveArrived: boolean }
  | {
      readonly _tag: "Refused"
      readonly code: "STREAM_FULL" | "TOO_LARGE" | "BAD_HEADER" | "TOO_MANY_IN_FLIGHT" | "NOT_STORED"
      readonly message: string
    }

/** Why an order is to be taken up: to be cancelled, closed, put back to work, or only because nobody can hold it. */
export type ResumeReason = "cancel" | "close" | "unpark" | "sweep"

export interface SignalPublishOptions {
  /** The idempotency key: the same one twice within the duplicate window is stored once. */
  readonly msgId: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What the engine and the HTTP API need of a publisher; the simulation has another one. */
export interface Publisher {
  publishSignal(data: Uint8Array | string, options: SignalPublishOptions): Promise<PublishResult>
  publishResume(order: string, version: number, request: ResumeReason, by: string): Promise<PublishResult>
  publishLot(order: string, version: number, body?: Uint8Array | string): Promise<PublishResult>
  announce(strategyId: string, body: Uint8Array | string): boolean
  /** Sends the batch, unless much is written and nobody listens: `batch` is not asked for then. Whether it was sent. */
  journal(replica: string, bytes: number, batch: () => Uint8Array | string): boolean
}

export interface PublisherOptions {
  readonly broker: Broker
  readonly plan: SubjectPlan
  readonly signalStream: string
  readonly lotsStream: string
  /** For the server's answer. Default 2000. */
  readonly timeoutMs?: number
  /** How many publications may wait for an answer at once. Default 2000. */
  readonly maxInFlight?: number
  readonly clock?: Clock
}

const MAX_BYTES_REACHED = 10077
const MESSAGE_TOO_LARGE = 10054
const WRONG_LAST_SEQUENCE = new Set([10071, 10164])

export class NatsPublisher implements Publisher {
  readonly #o: PublisherOptions
  readonly #maxInFlight: number
  readonly #clock: Clock
  readonly #asking: Asking
  readonly #interest = new JournalInterest()
  /** Of lots, one per order: only the id differs, and the client reads them before `publish` returns. */
  readonly #lotHeaders: MsgHdrs
  #dropped = 0

  constructor(options: PublisherOptions) {
    this.#o = options
    this.#lotHeaders = headersOf(onlyOne(""), options.lotsStream)
    this.#maxInFlight = options.maxInFlight ?? 2000
    this.#clock = options.clock ?? systemClock
    this.#asking = new Asking(options.broker, this.#clock, options.timeoutMs ?? 2000)
  }

  /** How many announcements and journal batches were dropped because the broker was away, or they were too large. */
  get dropped(): number {
    return this.#dropped
  }

  publishSignal(data: Uint8Array | string, options: SignalPublishOptions): Promise<PublishResult> {
    const { plan, signalStream } = this.#o
    return this.#publish(plan.http, signalStream, data, { ...options.headers, "Nats-Msg-Id": `${HTTP_ID_PREFIX}${options.msgId}` })
  }

  /**
   * Asks whoever is free to take this order up again; stored only if this request is not waiting already. Each request has
   * a subject and an id of its own: one that carries an order until it is settled (a sweep's) keeps no other one out.
   */
  publishResume(order: string, version: number, request: ResumeReason, by: string): Promise<PublishResult> {
    const { plan, signalStream } = this.#o
    const subject = `${plan.resumePrefix}.${safeToken(order)}.${request}`
    return this.#publish(subject, signalStream, JSON.stringify({ request, by }), onlyOne(`${order}:${version}:${request}`))
  }

  /** Hands an open lot to whoever is free; stored only if it is not there already. */
  publishLot(order: string, version: number, body: Uint8Array | string = ""): Promise<PublishResult> {
    return this.#send(`${this.#o.plan.lotsPrefix}.${safeToken(order)}`, body, () => {
      this.#lotHeaders.set(ID, `${order}:${version}`)
      return this.#lotHeaders
    })
  }

  /** Tells publishers what became of a signal; whether it was sent. */
  announce(strategyId: string, body: Uint8Array | string): boolean {
    return this.#tell(`${EVENTS_PREFIX}.${safeToken(strategyId)}`, body)
  }

  /** Tells live pages what was appended. A batch must fit into the server's `max_payload`. */
  journal(replica: string, bytes: number, batch: () => Uint8Array | string): boolean {
    const subject = `${JOURNAL_PREFIX}.${safeToken(replica)}`
    const { broker } = this.#o
    switch (this.#interest.next(bytes, this.#clock.monotonicMs())) {
      case "leave":
        return false
      case "send":
        return this.#tell(subject, batch())
      case "ask":
        if (!broker.connected || broker.closed || this.#asking.size >= this.#maxInFlight) return this.#tell(subject, batch())
        void this.#asking.ask(subject, batch()).then((answer) => {
          if (answer._tag === "Nobody") this.#interest.nobodyThere()
          else if (answer._tag === "NotSent") this.#dropped++
        })
        return true
    }
  }

  #tell(subject: string, body: Uint8Array | string): boolean {
    const { broker } = this.#o
    if (broker.connected && !broker.closed) {
      try {
        broker.nc.publish(subject, body)
        return true
      } catch {
        // Too large for the server, or closed this very moment: news only.
      }
    }
    this.#dropped++
    return false
  }

  #publish(subject: string, stream: string, data: Uint8Array | string, fields: Readonly<Record<string, string>>): Promise<PublishResult> {
    return this.#send(subject, data, () => headersOf(fields, stream))
  }

  #send(subject: string, data: Uint8Array | string, headersFor: () => MsgHdrs): Promise<PublishResult> {
    const { broker } = this.#o
    // Not handed to the client: it would send it at some later time, after we said that it was not accepted.
    if (!broker.connected) return Promise.resolve(away("The connection to NATS is away.", false))
    if (this.#asking.size >= this.#maxInFlight) {
      const message = `${this.#maxInFlight} publications are waiting for an answer.`
      return Promise.resolve({ _tag: "Refused", code: "TOO_MANY_IN_FLIGHT", message })
    }
    let hdrs: MsgHdrs
    try {
      hdrs = headersFor()
    } catch (error) {
      return Promise.resolve({ _tag: "Refused", code: "BAD_HEADER", message: problemOf(error) })
    }
    return this.#asking.ask(subject, data, hdrs).then(resultOf)
  }
}

const ID = "Nats-Msg-Id"

/** Throws what the client throws at a name or a value that no header may have. */
const headersOf = (fields: Readonly<Record<string, string>>, stream: string): MsgHdrs => {
  const found = headers()
  for (const name of Object.keys(fields)) found.append(name, fields[name] ?? "")
  found.append("Nats-Expected-Stream", stream)
  return found
}

/** Stored only while no message of the same subject is in the stream. */
const onlyOne = (id: string): Readonly<Record<string, string>> => ({
  [ID]: id,
  "Nats-Expected-Last-Subject-Sequence": "0",
})

const away = (message: string, mayHaveArrived: boolean): PublishResult => ({
  _tag: "BrokerAway",
  code: "BROKER_AWAY",
  message,
  mayHaveArrived,
})

/** JetStream's answer to a publication. */
interface PubAck {
  readonly stream?: unknown
  readonly seq?: unknown
  readonly duplicate?: unknown
  readonly error?: { readonly code?: unknown; readonly err_code?: unknown; readonly description?: unknown }
}

const resultOf = (answer: Answer): PublishResult => {
  switch (answer._tag) {
    case "Answered":
      return readAck(answer.data)
    case "Nobody":
      // Nobody was there to take it.
      return away("No stream takes this subject now (JetStream may be starting).", false)
    case "TimedOut":
      return away("The broker did not answer: it may have arrived.", true)
    case "NotSent": {
      const problem = problemOf(answer.error)
      return answer.error instanceof NatsError && answer.error.code === "MAX_PAYLOAD_EXCEEDED"
        ? { _tag: "Refused", code: "TOO_LARGE", message: `The message is too large: ${problem}` }
        : away(`It could not be sent: ${problem}`, false)
    }
  }
}

const decoder = new TextDecoder()

const readAck = (data: Uint8Array): PublishResult => {
  let ack: PubAck | null
  try {
    ack = JSON.parse(decoder.decode(data)) as PubAck | null
  } catch {
    ack = null
  }
  const error = ack?.error
  if (error !== undefined && error !== null) {
    const code = Number(error.err_code)
    const problem = typeof error.description === "string" ? error.description : `code ${code}`
    if (WRONG_LAST_SEQUENCE.has(code)) return { _tag: "Occupied" }
    if (code === MAX_BYTES_REACHED) return { _tag: "Refused", code: "STREAM_FULL", message: `The stream is full: ${problem}` }
    if (code === MESSAGE_TOO_LARGE) return { _tag: "Refused", code: "TOO_LARGE", message: `The message is too large: ${problem}` }
    return { _tag: "Refused", code: "NOT_STORED", message: `JetStream did not store it: ${problem}` }
  }
  if (typeof ack?.stream !== "string" || typeof ack.seq !== "number" || ack.stream === "")
    return away("The broker's answer was none of JetStream's: it may have arrived.", true)
  return { _tag: "Published", stream: ack.stream, sequence: ack.seq, duplicate: ack.duplicate === true }
}

/** One batch of the journal, as `petrosa watch` and the live pages read it. */
export interface JournalMessage {
  readonly replica: string
  readonly data: Uint8Array
}

/** Listens to the journals of all replicas; the result ends it. Batches that were published before are not seen. */
export const onJournal = (broker: Broker, listener: (message: JournalMessage) => void): (() => void) =>
  follow(broker, JOURNAL_PREFIX, (replica, data) => listener({ replica, data }))

/** Listens to what becomes of the signals of all strategies; the result ends it. */
export const onAnnouncement = (broker: Broker, listener: (message: { strategyId: string; data: Uint8Array }) => void): (() => void) =>
  follow(broker, EVENTS_PREFIX, (strategyId, data) => listener({ strategyId, data }))

const follow = (broker: Broker, prefix: string, listener: (name: string, data: Uint8Array) => void): (() => void) => {
  const subscription = broker.nc.subscribe(`${prefix}.*`, {
    callback: (error, message) => {
      if (error === null) listener(readToken(message.subject.slice(prefix.length + 1)), new Uint8Array(message.data))
    },
  })
  return () => subscription.unsubscribe()
}
