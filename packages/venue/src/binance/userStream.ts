/**
 * A user data stream as the Venue port wants it: listeners, duplicates removed, gaps told. One per adapter; what the messages
 * mean is the adapter's.
 */
import type { VenueEvent } from "../venue.ts"
import { BoundedMap, Seen } from "./seen.ts"
import type { Session } from "./session.ts"
import type { ConnectorBase } from "./connectors.ts"
import { Supervisor } from "./supervisor.ts"
import type { StreamProtocol } from "./supervisor.ts"

/** Keys of events that were told; a duplicate comes within seconds of the first. */
const SEEN_MAX = 100_000
/** Unreadable events in a burst ask for what is live no oftener. */
const GAP_AT_MOST_EVERY_MS = 5_000
/** Binance ends connections after 24 h. */
const ROTATE_AFTER_MS = 23 * 3_600_000
const NEWS_WITHIN_MS = 15_000
/** A stream that stays dumb whatever one does is not made anew all the time. */
const DUMB_AT_MOST_EVERY_MS = 60_000
/** Orders that are waited for at the same time; of more, some are enough to see that nothing comes. */
const EXPECTED_MAX = 256

export class UserStream<C extends ConnectorBase> {
  readonly #session: Session<C>
  readonly #listeners = new Set<(event: VenueEvent) => void>()
  readonly #seen = new Seen(SEEN_MAX)
  readonly #heardEarly = new BoundedMap<string, true>(EXPECTED_MAX)
  readonly #supervisor: Supervisor
  readonly #expected = new Map<string, () => void>()
  #dumbAtMs = 0
  #gapAtMs = 0
  /** A gap is to be told when the time between two is over. */
  #cancelGap: (() => void) | undefined
  #firstReady: () => void = () => undefined
  readonly #started: Promise<void>

  constructor(session: Session<C>, protocol: StreamProtocol, silenceMs: number, onEvent: (text: string) => void) {
    this.#session = session
    this.#started = new Promise((resolve) => {
      this.#firstReady = resolve
    })
    this.#supervisor = new Supervisor({
      protocol,
      openSocket: session.openSocket,
      clock: session.clock,
      silenceMs,
      rotateAfterMs: ROTATE_AFTER_MS,
      onEvent: (text) => {
        try {
          onEvent(text)
        } catch (error) {
          // A listener or a decoder that throws must not end the stream; what it lost is asked for.
          session.trouble("error", "STREAM_EVENT", error instanceof Error ? error.message : "an event could not be dealt with")
          this.gap("an event could not be dealt with")
        }
      },
      onReady: (reason) => {
        this.#firstReady()
        // Also the first time: who listens already may have listened to nothing.
        this.emit({ _tag: "Gap", reason })
      },
      onLost: (reason) => session.trouble("warn", "STREAM_LOST", `user data stream: ${reason}`),
    })
  }

  /** Connects; resolves when it is ready, or after `withinMs` in any case (the supervisor goes on trying). */
  async start(withinMs: number): Promise<boolean> {
    this.#supervisor.start()
    let cancel: () => void = () => undefined
    await Promise.race([
      this.#started,
      new Promise<void>((resolve) => {
        cancel = this.#session.clock.after(withinMs, resolve)
      }),
    ])
    cancel()
    return this.#supervisor.isReady
  }
  stop(): void {
    this.#supervisor.stop()
    this.#cancelGap?.()
    this.#forgetExpected()
    this.#listeners.clear()
  }
  rotate(reason: string): void {
    this.#supervisor.rotate(reason)
  }
  reconnect(reason: string): void {
    this.#supervisor.reconnect(reason)
  }

  /**
   * The exchange accepted an order, so the stream has to tell of it. One that does not is dead although its socket is open and
   * pings: an expired listen key, or a form of address that delivers nothing (binance.md 2.2).
   */
  expectNews(clientOrderId: string): void {
    if (this.#heardEarly.delete(clientOrderId) || this.#expected.size >= EXPECTED_MAX || !this.#supervisor.isReady) return
    const { clock, options } = this.#session
    const cancel = clock.after(options.newsWithinMs ?? NEWS_WITHIN_MS, () => {
      this.#forgetExpected()
      const nowMs = clock.nowMs()
      if (nowMs - this.#dumbAtMs < DUMB_AT_MOST_EVERY_MS) return
      this.#dumbAtMs = nowMs
      this.#session.trouble("error", "STREAM_DUMB", "an order was accepted, and the user data stream does not tell of it")
      this.#supervisor.reconnect("nothing was heard of an accepted order")
    })
    this.#expected.set(clientOrderId, cancel)
  }
  /** Something was heard of an order; it may come before the answer to its placement. */
  hasNews(clientOrderId: string): void {
    const cancel = this.#expected.get(clientOrderId)
    if (cancel === undefined) {
      this.#heardEarly.set(clientOrderId, true)
      return
    }
    cancel()
    this.#expected.delete(clientOrderId)
  }
  #forgetExpected(): void {
    for (const cancel of this.#expected.values()) cancel()
    this.#expected.clear()
  }

  subscribe(listener: (event: VenueEvent) => void): () => void {
    this.#listeners.add(listener)
    listener({ _tag: "Gap", reason: "subscribed" })
    return () => this.#listeners.delete(listener)
  }

  /** True the first time. */
  isNew(key: string): boolean {
    return this.#seen.add(key)
  }
  emit(event: VenueEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#session.trouble("error", "STREAM_LISTENER", error instanceof Error ? error.message : "a listener threw")
      }
    }
  }
  /** Something was missed. Of many in a burst the first is told at once, and once more when it is over: what came last counts too. */
  gap(reason: string): void {
    if (this.#cancelGap !== undefined) return
    const { clock } = this.#session
    const waitMs = this.#gapAtMs + GAP_AT_MOST_EVERY_MS - clock.nowMs()
    if (waitMs <= 0) {
      this.#gapAtMs = clock.nowMs()
      this.emit({ _tag: "Gap", reason })
      return
    }
    this.#cancelGap = clock.after(Math.min(waitMs, GAP_AT_MOST_EVERY_MS), () => {
      this.#cancelGap = undefined
      this.#gapAtMs = clock.nowMs()
      this.emit({ _tag: "Gap", reason })
    })
  }
}
