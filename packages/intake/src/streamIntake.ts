/**
 * The intake of one stream: pulls messages as the engine has room for them, hands them over in batches, keeps hold of
 * what is not settled, and gives everything back at a graceful stop.
 *
 * Promises
 * - Every message that the server counts as delivered to this process is known: it is held, or was answered.
 * - A redelivery of a message that is held renews its handle and is not handed over again.
 * - No more than `capacity()` messages are asked for (after a reconnect or a silence: once more as much at worst), so that
 *   memory is bounded whatever is published; the server's `max_ack_pending` bounds all processes together.
 * - After {@link StreamIntake.stop} nothing is held, and another consumer has it all at once.
 * - It decides nothing: what is acknowledged, and when, is the engine's decision.
 *
 * What can go wrong comes as an {@link IntakeEvent}; the intake goes on by itself.
 */
import type { Msg } from "nats"
import { type Clock, GapWatch, systemClock } from "./clock.ts"
import type { Broker } from "./connection.ts"
import { type Delivered, HeldMessages } from "./held.ts"
import { ACK, type IntakeMessage, type MessageHandle, parseAckSubject, payloadBytes } from "./message.ts"
import { PulledMessage } from "./pulledMessage.ts"
import { Puller, type PullTrouble } from "./pull.ts"
import type { QueueNames } from "./streams.ts"
import type { SubjectPlan } from "./subjects.ts"

export type IntakeEvent =
  /**
   * This process slept, or was without the broker: what it holds may have gone to somebody else meanwhile. An owner
   * re-reads the head of its stream before its next command (docs/design.md section 4.4).
   */
  | { readonly type: "gap"; readonly cause: "clock" | "reconnect"; readonly forMs: number }
  /** A held message came again. `skipped`: how many deliveries in between went to somebody else. */
  | { readonly type: "renewed"; readonly handle: MessageHandle; readonly skipped: number }
  /** The stream was made anew under us: this handle's message is gone for good. */
  | { readonly type: "replaced"; readonly handle: MessageHandle }
  /** Nothing comes, and why; it is tried again, more slowly each time. */
  | { readonly type: "trouble"; readonly code: PullTrouble | "ENSURE_FAILED"; readonly detail: string }
  /** Messages come again. */
  | { readonly type: "recovered" }
  /** The handler threw: a defect. Its batch goes back to the stream, to be delivered again after a second. */
  | { readonly type: "handlerFailed"; readonly error: unknown }

export interface StreamIntakeOptions {
  readonly broker: Broker
  readonly plan: SubjectPlan
  readonly queue: QueueNames
  /** Takes a batch over, synchronously; never more than `capacity()` said. */
  readonly handler: (batch: readonly IntakeMessage[]) => void
  /** How many more messages the engine takes now. Asked often: cheap. */
  readonly capacity: () => number
  readonly onEvent?: (event: IntakeEvent) => void
  /** Makes stream and consumer again when they are found missing. */
  readonly ensure?: () => Promise<unknown>
  /** The most that is asked for at once. Default 1000: 500 and 2000 are slower (measured). */
  readonly window?: number
  /** The most that is handed over at once. Default 500. */
  readonly maxBatch?: number
  /** Default: half of `ack_wait`. Each lease is younger than that while we run, so no shorter sleep can lose one. */
  readonly gapMs?: number
  readonly clock?: Clock
  /** For tests. */
  readonly pull?: { readonly expiresMs?: number }
}

export interface IntakeStopped {
  /** How many messages were given back. */
  readonly handedBack: number
  /** Whether the server confirmed, in time, that it has read it; else they come back after `ack_wait`. */
  readonly confirmed: boolean
}

/** While the engine has no room it is asked again this often, in case nobody wakes us. */
const STARVED_MS = 50
const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 5000
const HANDLER_FAILED_NAK_MS = 1000
/** For the server's word that it took a late acknowledgement, and between two rounds of them. */
const CONFIRM_MS = 1000

export class StreamIntake {
  readonly #o: StreamIntakeOptions
  readonly #clock: Clock
  readonly #window: number
  readonly #maxBatch: number
  readonly #held: HeldMessages
  readonly #puller: Puller
  readonly #gap: GapWatch
  #queue: PulledMessage[] = []
  #state: "new" | "running" | "paused" | "stopping" | "stopped" = "new"
  #cancelFlush: (() => void) | undefined
  #cancelTick: (() => void) | undefined
  #cancelAsk: (() => void) | undefined
  #cancelRetry: (() => void) | undefined
  #cancelStarved: (() => void) | undefined
  #unsubscribeBroker: (() => void) | undefined
  #retries = 0
  #sendingLateAcks = false

  constructor(options: StreamIntakeOptions) {
    this.#o = options
    this.#clock = options.clock ?? systemClock
    this.#window = options.window ?? 1000
    this.#maxBatch = options.maxBatch ?? 500
    const { broker, queue } = options
    this.#gap = new GapWatch(this.#clock, options.gapMs ?? queue.ackWaitMs / 2)
    this.#held = new HeldMessages({
      stream: queue.stream,
      clock: this.#clock,
      ackWaitMs: queue.ackWaitMs,
      onFreed: () => this.wake(),
      line: {
        get connected() {
          return broker.connected
        },
        publish: (subject, payload) => {
          if (!broker.closed) broker.nc.publish(subject, payloadBytes(payload))
        },
        confirmAck: (subject) =>
          broker.nc.request(subject, ACK, { timeout: CONFIRM_MS }).then(
            () => true,
            () => false,
          ),
      },
    })
    this.#puller = new Puller({
      broker,
      stream: queue.stream,
      consumer: queue.consumer,
      clock: this.#clock,
      ...options.pull,
      onMessage: (message) => this.#receive(message),
      onRoom: () => this.wake(),
      onTrouble: (trouble, detail) => this.#trouble(trouble, detail),
    })
  }

  /** How many messages this process answers for. */
  get held(): number {
    return this.#held.size
  }

  start(): void {
    if (this.#state !== "new") return
    this.#state = "running"
    this.#gap.look()
    this.#unsubscribeBroker = this.#o.broker.onEvent((event) => {
      if (event.type === "connected") this.#reconnected(event.awayMs)
      else if (event.type === "disconnected") this.#puller.reset()
    })
    this.#tick()
    this.#puller.start()
    this.#ask()
  }

  /** Stops asking; what was on its way is still handed over. */
  async pause(): Promise<void> {
    if (this.#state !== "running") return
    this.#state = "paused"
    await this.#puller.drain(2000)
    this.#flush()
  }

  resume(): void {
    if (this.#state !== "paused") return
    this.#state = "running"
    this.#puller.start()
    this.#ask()
  }

  /** There is room again: for when `capacity()` grows without an answer to a message. */
  wake(): void {
    if (this.#state === "running") this.#cancelAsk ??= this.#clock.soon(() => this.#ask())
  }

  /** Looks for a gap in our own clock now. */
  checkClock(): void {
    const forMs = this.#gap.look()
    if (forMs !== undefined) this.#emit({ type: "gap", cause: "clock", forMs })
  }

  async stop(timeoutMs = 2000): Promise<IntakeStopped> {
    if (this.#over) return { handedBack: 0, confirmed: this.#state === "stopped" }
    this.#state = "stopping"
    // First the pulling: what is given back while a request of ours is open would come straight back to us.
    const drained = await this.#puller.drain(timeoutMs)
    for (const cancel of [
      this.#cancelFlush,
      this.#cancelAsk,
      this.#cancelTick,
      this.#cancelRetry,
      this.#cancelStarved,
      this.#unsubscribeBroker,
    ])
      cancel?.()
    this.#queue = []
    const handedBack = this.#held.handBack()
    const flushed = await this.#o.broker.flush(timeoutMs)
    this.#state = "stopped"
    return { handedBack, confirmed: drained && flushed }
  }

  #receive(message: Msg): void {
    const reply = message.reply ?? ""
    const delivery = parseAckSubject(reply)
    if (delivery === undefined) {
      // Somebody published to our inbox: no message of the stream, nothing to answer.
      return
    }
    if (this.#retries > 0) {
      this.#retries = 0
      this.#emit({ type: "recovered" })
    }
    const delivered = this.#held.deliver(delivery, reply)
    switch (delivered._tag) {
      case "done":
        return
      case "renewed":
        this.#emit({ type: "renewed", handle: delivered.handle, skipped: delivered.skipped })
        return
      case "new":
        this.#take(message, delivered)
    }
  }

  #take(message: Msg, delivered: Extract<Delivered, { _tag: "new" }>): void {
    if (delivered.replaced !== undefined) this.#emit({ type: "replaced", handle: delivered.replaced })
    // While stopping it stays in the table, and goes back with the rest.
    if (this.#state === "stopping") return
    this.#queue.push(new PulledMessage(this.#o.plan, message, delivered.handle))
    this.#cancelFlush ??= this.#clock.soon(() => this.#flush())
  }

  /** Hands over all that came in this turn of the event loop. */
  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    this.checkClock()
    const queue = this.#queue
    this.#queue = []
    for (let from = 0; from < queue.length; from += this.#maxBatch) {
      const batch = queue.slice(from, from + this.#maxBatch).filter((m) => m.handle.held)
      if (batch.length === 0) continue
      try {
        this.#o.handler(batch)
      } catch (error) {
        for (const message of batch) message.nak(HANDLER_FAILED_NAK_MS)
        this.#emit({ type: "handlerFailed", error })
      }
    }
    this.#ask()
  }

  /** Asks for as much as there is room for; in large pieces, as long as something is on its way. */
  #ask(): void {
    this.#cancelAsk?.()
    this.#cancelAsk = undefined
    this.#cancelStarved?.()
    this.#cancelStarved = undefined
    if (this.#state !== "running" || this.#cancelRetry !== undefined || !this.#o.broker.connected) return
    const capacity = this.#o.capacity()
    const expected = this.#puller.outstanding + this.#queue.length
    const room = Math.min(Math.floor(capacity) - expected, this.#window - this.#puller.outstanding)
    if (room > 0 && (this.#puller.outstanding === 0 || room >= this.#window / 2)) this.#puller.ask(room)
    else if (this.#puller.outstanding === 0) this.#cancelStarved = this.#clock.after(STARVED_MS, () => this.#ask())
  }

  #reconnected(awayMs: number): void {
    this.#puller.reset()
    void this.#sendLateAcks()
    this.#gap.look()
    this.#emit({ type: "gap", cause: "reconnect", forMs: awayMs })
    if (this.#state !== "running") return
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    if (!this.#puller.open) this.#puller.start()
    this.#ask()
  }

  async #sendLateAcks(): Promise<void> {
    if (this.#sendingLateAcks) return
    this.#sendingLateAcks = true
    while (this.#o.broker.connected && !this.#over && (await this.#held.sendLateAcks()) > 0) {
      await new Promise<void>((resolve) => {
        this.#clock.after(CONFIRM_MS, resolve)
      })
    }
    this.#sendingLateAcks = false
  }

  get #over(): boolean {
    return this.#state === "stopping" || this.#state === "stopped"
  }

  #trouble(code: PullTrouble, detail: string): void {
    if (this.#state !== "running" || this.#cancelRetry !== undefined) return
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(this.#retries, 10))
    this.#retries++
    this.#emit({ type: "trouble", code, detail })
    this.#cancelRetry = this.#clock.after(delayMs, () => void this.#retry(code))
  }

  async #retry(code: PullTrouble): Promise<void> {
    if ((code === "NO_RESPONDERS" || code === "CONSUMER_DELETED") && this.#o.ensure !== undefined) {
      try {
        await this.#o.ensure()
      } catch (error) {
        this.#emit({ type: "trouble", code: "ENSURE_FAILED", detail: error instanceof Error ? error.message : String(error) })
      }
    }
    this.#cancelRetry = undefined
    if (this.#state !== "running") return
    if (!this.#puller.open) this.#puller.start()
    this.#ask()
  }

  #tick(): void {
    this.#cancelTick = this.#clock.after(this.#held.tickMs, () => {
      this.checkClock()
      this.#held.tick()
      this.#tick()
    })
  }

  #emit(event: IntakeEvent): void {
    this.#o.onEvent?.(event)
  }
}
