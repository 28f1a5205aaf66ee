/**
 * The Intake port: all that the engine needs of JetStream and NATS, as one thing; and its adapter on real NATS.
 *
 * The simulation has another adapter. What both promise is said at each method; what goes wrong comes as a value or as an
 * {@link IntakeEvent}. Nothing here decides what becomes of an order.
 */
import { type Read, unknown } from "@petrosa/contracts"
import type { Clock } from "./clock.ts"
import type { Broker } from "./connection.ts"
import { hasMessages, type MessageName, type QueueStatus, queueStatus } from "./lookup.ts"
import type { IntakeMessage } from "./message.ts"
import { NatsPublisher, type Publisher, type PublishResult, type ResumeReason, type SignalPublishOptions } from "./publisher.ts"
import { type ReclaimResult, reclaim } from "./reclaim.ts"
import { type IntakeEvent, type IntakeStopped, StreamIntake } from "./streamIntake.ts"
import type { StreamsReady } from "./streams.ts"

/** The two queues: signals (with HTTP and resume messages), and open lots. */
export type QueueKind = "signals" | "lots"

/** The engine, as the intake sees it. */
export interface IntakeReceiver {
  /** Takes a batch over, synchronously, of one queue; never more than `capacity` said. */
  take(batch: readonly IntakeMessage[]): void
  /** How many more messages of this queue it takes now. Asked often: cheap. */
  capacity(queue: QueueKind): number
  onEvent?(event: IntakeEvent, queue: QueueKind): void
}

export interface QueueMessageName extends MessageName {
  readonly queue: QueueKind
}

export interface Intake extends Publisher {
  /** How many messages this process answers for. */
  readonly held: number
  readonly connected: boolean
  /**
   * Has back at once what a process before this one was given and did not answer. Before `start`, and only where this
   * process is certainly alone.
   */
  reclaim(): Promise<ReclaimResult>
  start(receiver: IntakeReceiver): void
  /** Stops asking; what was on its way is still handed over. */
  pause(): Promise<void>
  resume(): void
  /** There is room again: for when `capacity` grows without an answer to a message. */
  wake(): void
  /** Looks for a gap in our own clock now (event `gap`); for before commands that increase exposure. Cheap. */
  checkClock(): void
  /** Stops pulling, then gives everything back: another process has it at once. */
  stop(timeoutMs?: number): Promise<IntakeStopped>
  /** Whether these messages are still in their streams, in order; at most 32 questions at once. */
  hasMessages(names: readonly QueueMessageName[]): Promise<readonly Read<boolean>[]>
  status(queue: QueueKind): Promise<Read<QueueStatus>>
}

export interface NatsIntakeOptions {
  readonly broker: Broker
  readonly streams: StreamsReady
  /** Makes streams and consumers again when they are found missing: `ensureStreams` with the same options. */
  readonly ensure?: () => Promise<unknown>
  readonly window?: number
  readonly maxBatch?: number
  readonly gapMs?: number
  readonly publishTimeoutMs?: number
  readonly clock?: Clock
}

const QUEUES: readonly QueueKind[] = ["signals", "lots"]

export class NatsIntake implements Intake {
  readonly #o: NatsIntakeOptions
  readonly #publisher: NatsPublisher
  #queues: Readonly<Record<QueueKind, StreamIntake>> | undefined

  constructor(options: NatsIntakeOptions) {
    this.#o = options
    const { broker, streams } = options
    this.#publisher = new NatsPublisher({
      broker,
      plan: streams.plan,
      signalStream: streams.signals.stream,
      lotsStream: streams.lots.stream,
      ...(options.publishTimeoutMs === undefined ? {} : { timeoutMs: options.publishTimeoutMs }),
    })
  }

  get held(): number {
    return this.#queues === undefined ? 0 : this.#queues.signals.held + this.#queues.lots.held
  }
  get connected(): boolean {
    return this.#o.broker.connected
  }

  async reclaim(): Promise<ReclaimResult> {
    const total = { pending: 0, named: 0, complete: true }
    for (const queue of QUEUES) {
      const { stream, consumer } = this.#o.streams[queue]
      const result = await reclaim(this.#o.broker, stream, consumer)
      if (result._tag === "Away") return result
      total.pending += result.pending
      total.named += result.named
      total.complete &&= result.complete
    }
    return { _tag: "Reclaimed", ...total }
  }

  start(receiver: IntakeReceiver): void {
    if (this.#queues !== undefined) return
    this.#queues = { signals: this.#open("signals", receiver), lots: this.#open("lots", receiver) }
    for (const queue of QUEUES) this.#queues[queue].start()
  }

  async pause(): Promise<void> {
    await Promise.all(this.#each((q) => q.pause()))
  }
  resume(): void {
    this.#each((q) => q.resume())
  }
  wake(): void {
    this.#each((q) => q.wake())
  }
  checkClock(): void {
    this.#queues?.signals.checkClock()
  }

  async stop(timeoutMs?: number): Promise<IntakeStopped> {
    const stopped = await Promise.all(this.#each((q) => q.stop(timeoutMs)))
    return { handedBack: stopped.reduce((sum, s) => sum + s.handedBack, 0), confirmed: stopped.every((s) => s.confirmed) }
  }

  async hasMessages(names: readonly QueueMessageName[]): Promise<readonly Read<boolean>[]> {
    const answers: Read<boolean>[] = names.map(() => unknown("NOT_ASKED"))
    for (const queue of QUEUES) {
      const at = [...names.keys()].filter((i) => names[i]?.queue === queue)
      const found = await hasMessages(
        this.#o.broker,
        this.#o.streams[queue].stream,
        at.map((i) => names[i] as QueueMessageName),
      )
      found.forEach((answer, i) => {
        answers[at[i] as number] = answer
      })
    }
    return answers
  }

  status(queue: QueueKind): Promise<Read<QueueStatus>> {
    return queueStatus(this.#o.broker, this.#o.streams[queue].stream, this.#o.streams[queue].consumer)
  }

  publishSignal(data: Uint8Array | string, options: SignalPublishOptions): Promise<PublishResult> {
    return this.#publisher.publishSignal(data, options)
  }
  publishResume(order: string, version: number, request: ResumeReason, by: string): Promise<PublishResult> {
    return this.#publisher.publishResume(order, version, request, by)
  }
  publishLot(order: string, version: number, body?: Uint8Array | string): Promise<PublishResult> {
    return this.#publisher.publishLot(order, version, body)
  }
  announce(strategyId: string, body: Uint8Array | string): boolean {
    return this.#publisher.announce(strategyId, body)
  }
  journal(replica: string, bytes: number, batch: () => Uint8Array | string): boolean {
    return this.#publisher.journal(replica, bytes, batch)
  }

  #each<A>(f: (queue: StreamIntake) => A): A[] {
    const queues = this.#queues
    return queues === undefined ? [] : QUEUES.map((q) => f(queues[q]))
  }

  #open(queue: QueueKind, receiver: IntakeReceiver): StreamIntake {
    const { broker, streams, ensure, window, maxBatch, gapMs, clock } = this.#o
    return new StreamIntake({
      broker,
      plan: streams.plan,
      queue: streams[queue],
      handler: (batch) => receiver.take(batch),
      capacity: () => receiver.capacity(queue),
      onEvent: (event) => {
        // Both queues notice the same gap: it is told once.
        if (event.type !== "gap" || queue === "signals") receiver.onEvent?.(event, queue)
      },
      ...(ensure === undefined ? {} : { ensure }),
      ...(window === undefined ? {} : { window }),
      ...(maxBatch === undefined ? {} : { maxBatch }),
      ...(gapMs === undefined ? {} : { gapMs }),
      ...(clock === undefined ? {} : { clock }),
    })
  }
}
