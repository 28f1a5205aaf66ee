/**
 * Every message that this process answers for, and the heartbeat that keeps the server from giving them to others.
 *
 * Promises: a held message gets `working()` at least every `ackWaitMs / 2` while this process runs and the broker is
 * there; the work is spread over small slices (10,000 held messages cost 20 to 70 ms in one go). Acknowledgements that
 * are given while the broker is away are kept and sent when it is back, until they are confirmed.
 * Bound: as many as the consumer's `max_ack_pending`, which the server enforces.
 */
import type { Clock } from "./clock.ts"
import { ACK, type Delivery, type MessageHandle, nakPayload, TERM, WORKING } from "./message.ts"

/** How the table speaks to the server. Nothing is published while it is not connected. */
export interface AckLine {
  readonly connected: boolean
  publish(subject: string, payload: string): void
  /** Acknowledges, and whether the server said that it did. */
  confirmAck(subject: string): Promise<boolean>
}

/** A message is told of at this part of `ack_wait`; the table is kept in the order of who was told longest ago. */
const DUE = 0.3
/** Slices of a table that is due all at once, and how many of them fit into one `ack_wait`: 0.3 + 10/60 + 1/60 < 1/2. */
const SLICES = 10
const TICKS_PER_ACK_WAIT = 60
const LATE_ACKS_AT_ONCE = 256

export class HeldMessages {
  readonly #stream: string
  readonly #line: AckLine
  readonly #clock: Clock
  readonly #ackWaitMs: number
  readonly #onFreed: () => void
  readonly #held = new Map<number, Handle>()
  /** Acknowledged while the broker was away. */
  readonly #acknowledgeLater = new Map<number, Handle>()

  constructor(options: { stream: string; line: AckLine; clock: Clock; ackWaitMs: number; onFreed: () => void }) {
    this.#stream = options.stream
    this.#line = options.line
    this.#clock = options.clock
    this.#ackWaitMs = options.ackWaitMs
    this.#onFreed = options.onFreed
  }

  get size(): number {
    return this.#held.size
  }

  /** How often {@link tick} is to be called, in ms. */
  get tickMs(): number {
    return Math.max(1, Math.floor(this.#ackWaitMs / TICKS_PER_ACK_WAIT))
  }

  /**
   * Takes a delivery in: `new` is to be handed on; `renewed` is held already (`skipped`: deliveries in between that went
   * elsewhere); `done` was acknowledged while the broker was away, and now is. `replaced` is the handle of another
   * message that had the same sequence in a stream that is gone.
   */
  deliver(d: Delivery, reply: string): Delivered {
    const late = this.#acknowledgeLater.get(d.sequence)
    if (late !== undefined && late.streamTimeMs === d.streamTimeMs) {
      this.#acknowledgeLater.delete(d.sequence)
      this.#line.publish(reply, ACK)
      return { _tag: "done" }
    }
    const known = this.#held.get(d.sequence)
    if (known !== undefined && known.streamTimeMs === d.streamTimeMs) {
      const skipped = Math.max(0, d.deliveryCount - known.deliveryCount - 1)
      known.renew(reply, d.deliveryCount, this.#clock.monotonicMs())
      this.#moveToEnd(known)
      return { _tag: "renewed", handle: known, skipped }
    }
    known?.drop()
    this.#held.delete(d.sequence)
    const handle = new Handle(this, this.#stream, d, reply, this.#clock.monotonicMs())
    this.#held.set(d.sequence, handle)
    return known === undefined ? { _tag: "new", handle } : { _tag: "new", handle, replaced: known }
  }

  /** One slice of the heartbeat. Returns how many were told. */
  tick(): number {
    if (this.#held.size === 0 || !this.#line.connected) return 0
    const dueMs = this.#clock.monotonicMs() - this.#ackWaitMs * DUE
    let told = 0
    let budget = Math.ceil(this.#held.size / SLICES)
    for (const handle of this.#held.values()) {
      if (handle.touchedMs > dueMs || budget-- <= 0) break
      this.tell(handle)
      told++
    }
    return told
  }

  /**
   * The broker is back: what was acknowledged meanwhile is sent, until the server confirms it. After a crash the server
   * may have forgotten that it delivered a message; it then ignores the acknowledgement without a word (no confirmation),
   * and delivers the message again, which {@link deliver} answers. Returns how many are still open: call again later.
   */
  async sendLateAcks(): Promise<number> {
    const waiting = [...this.#acknowledgeLater.values()]
    let next = 0
    const send = async (): Promise<void> => {
      for (let handle = waiting[next++]; handle !== undefined; handle = waiting[next++]) {
        if (this.#acknowledgeLater.get(handle.sequence) !== handle) continue
        const confirmed = await this.#line.confirmAck(handle.reply)
        if (confirmed && this.#acknowledgeLater.get(handle.sequence) === handle) this.#acknowledgeLater.delete(handle.sequence)
      }
    }
    await Promise.all(Array.from({ length: Math.min(LATE_ACKS_AT_ONCE, waiting.length) }, send))
    return this.#acknowledgeLater.size
  }

  /** Gives everything back at once. Returns how many. */
  handBack(): number {
    if (this.#line.connected) for (const handle of this.#acknowledgeLater.values()) this.#line.publish(handle.reply, ACK)
    const count = this.#held.size
    for (const handle of this.#held.values()) handle.nak()
    return count
  }

  /** A handle is answered for no more; `payload` is what the server is told. */
  settle(handle: Handle, payload: string | undefined): void {
    if (this.#held.get(handle.sequence) === handle) this.#held.delete(handle.sequence)
    if (payload !== undefined && this.#line.connected) this.#line.publish(handle.reply, payload)
    else if (payload === ACK) this.#acknowledgeLater.set(handle.sequence, handle)
    this.#onFreed()
  }

  /** The table stays in the order of `touchedMs`. */
  #moveToEnd(handle: Handle): void {
    this.#held.delete(handle.sequence)
    this.#held.set(handle.sequence, handle)
  }

  tell(handle: Handle): void {
    if (!this.#line.connected) return
    this.#line.publish(handle.reply, WORKING)
    handle.touchedMs = this.#clock.monotonicMs()
    this.#moveToEnd(handle)
  }
}

export type Delivered =
  | { readonly _tag: "new"; readonly handle: MessageHandle; readonly replaced?: MessageHandle }
  | { readonly _tag: "renewed"; readonly handle: MessageHandle; readonly skipped: number }
  | { readonly _tag: "done" }

class Handle implements MessageHandle {
  readonly #table: HeldMessages
  readonly stream: string
  readonly sequence: number
  readonly streamTimeMs: number
  deliveryCount: number
  held = true
  reply: string
  /** When the server last heard of us about it (or gave it to us), monotonic ms. */
  touchedMs: number

  constructor(table: HeldMessages, stream: string, d: Delivery, reply: string, nowMs: number) {
    this.#table = table
    this.stream = stream
    this.sequence = d.sequence
    this.streamTimeMs = d.streamTimeMs
    this.deliveryCount = d.deliveryCount
    this.reply = reply
    this.touchedMs = nowMs
  }

  renew(reply: string, deliveryCount: number, nowMs: number): void {
    this.reply = reply
    this.deliveryCount = deliveryCount
    this.touchedMs = nowMs
  }

  drop(): void {
    this.held = false
  }

  ack(): void {
    this.#end(ACK)
  }
  nak(delayMs?: number): void {
    this.#end(nakPayload(delayMs))
  }
  /** Without a reason: old servers ignore `+TERM` with one, and the message would come back. */
  term(): void {
    this.#end(TERM)
  }
  release(): void {
    this.#end(undefined)
  }
  working(): void {
    if (this.held) this.#table.tell(this)
  }

  #end(payload: string | undefined): void {
    if (!this.held) return
    this.held = false
    this.#table.settle(this, payload)
  }
}
