/**
 * One order that this process holds: its actor, its place in the chain, and what of it is not durable yet.
 *
 * Promises: an event is taken by the machine, recorded, and durable before any command that it asks for is handed out,
 * but for protective commands after `protectionStoreWaitMs` (docs/design.md section 6); one append is in flight at a
 * time, what comes meanwhile goes with the next; after a conflict the order is dropped and nothing more is handed out.
 */
import type { Arrival, Command, OrderEvent, OrderId, SealedRecord } from "@petrosa/contracts"
import { EVENT_SCHEMA, eventId, isoOf, orderStream, PROTECTIVE_COMMANDS } from "@petrosa/contracts"
import { CHAIN_START, Sealer } from "@petrosa/event-store"
import type { AppendResult } from "@petrosa/event-store"
import type { MessageHandle } from "@petrosa/intake"
import type { OrderContext, OrderSystem } from "@petrosa/lifecycle"
import { FOLLOW_UPS_MAX, flatFields, followUp, OrderActor } from "@petrosa/lifecycle"
import type { Journal } from "./journal.ts"

/** What an order needs of the engine that holds it. */
export interface OrderHost {
  /** Where the orders' actors live. */
  readonly system?: OrderSystem
  readonly journal: Journal
  readonly settingsVersion: string
  readonly engineVersion: string
  readonly replica: string
  nowMs(): number
  monotonicMs(): number
  /** The machine took events: the books may be brought up to date (nothing is durable yet). */
  onChanged(order: LiveOrder): void
  /** Calls back a little later, when the store's queue has room again. */
  retryFlush(flush: () => void): void
  /** These records are durable. */
  onDurable(order: LiveOrder, records: readonly SealedRecord[]): void
  /** This command may leave now. */
  run(order: LiveOrder, command: Command): void
  /** Somebody else wrote: this process does not own the order (any more). */
  onConflict(order: LiveOrder): void
  /** The machine refused an event, or a step threw. */
  onRefused(order: LiveOrder, event: OrderEvent): void
  onStepFailed(order: LiveOrder, error: unknown, input: string): void
}

interface Unsaved {
  readonly sealed: SealedRecord
  commands: readonly Command[]
  readonly sinceMs: number
}

export type Cause = "signal" | "reply" | "stream" | "query" | "deadline" | "decision" | "recovery" | "request" | "operator"

export class LiveOrder {
  readonly order: OrderId
  readonly stream: string
  readonly actor: OrderActor
  readonly arrivedAtMs: number
  /** Messages that stand for this order: acknowledged when it is settled (its lot's: when it is done). */
  readonly handles = new Map<string, MessageHandle>()
  /** Work that is going on for it, by name, so that nothing is done twice. */
  readonly tasks = new Set<string>()
  readonly trace: string | null
  /** The canonical content of its signal: the same id with another content is a conflict. */
  contentHash = ""
  /** Where its own message came from. */
  arrival: Arrival | undefined
  /** Taken up from the store, and its own message has not come again. */
  awaitsMessage = false
  /** A step of it threw before one event of it was durable. */
  onNeverBegun: (() => void) | undefined
  /** Its first version was there already: the store knows more of this signal than we did. */
  onFirstConflict: (() => void) | undefined
  /** Answers "not found" for what we believe to be there, in a row. Few orders ever have any. */
  absences: Map<string, { readonly answers: number; readonly sinceMs: number }> | undefined
  /** Since when something filled is without a live stop, as it was last measured. */
  unprotectedSinceMs: number | null = null
  /** False after a restart, until the venue has said which legs of it are there. */
  legsKnown = true
  dropped = false
  lotPublished = false
  /** The desk has counted it among the settled ones. */
  countedSettled = false
  /** The epoch in which its ownership was last proven (see engine.ts: gaps). */
  epoch = 0
  readonly #host: OrderHost
  #version: number
  #durableVersion: number
  #intentVersion = Number.POSITIVE_INFINITY
  #head: string
  #atMs: number
  #monotonicMs: number
  #unsaved: Unsaved[] = []
  #inFlight: Unsaved[] = []
  /** None while nothing of it waits: an order that rests remembers no texts. */
  #sealer: Sealer | undefined
  readonly #whenDurable: { readonly version: number; readonly tell: () => void }[] = []

  constructor(
    host: OrderHost,
    order: OrderId,
    trace: string | null,
    from?: { readonly actor: OrderActor; readonly version: number; readonly head: string; readonly atMs: number },
  ) {
    this.#host = host
    this.order = order
    this.stream = orderStream(order)
    this.trace = trace
    this.actor = from?.actor ?? new OrderActor(order, { system: host.system })
    this.#version = from?.version ?? 0
    this.#durableVersion = this.#version
    this.#head = from?.head ?? CHAIN_START
    if (from !== undefined && from.actor.context.entry !== null) this.#intentVersion = 0
    this.arrivedAtMs = host.nowMs()
    this.#atMs = from?.atMs ?? 0
    this.#monotonicMs = host.monotonicMs()
  }

  get context(): OrderContext {
    return this.actor.context
  }
  /**
   * The order's own time: the wall clock, and where that was set back (or another process's was ahead), the time of its
   * last event and what has passed here since. Deadlines are reckoned in it, so that no clock puts off anybody's stop.
   */
  get nowMs(): number {
    return this.#nowAt(this.#host.monotonicMs())
  }
  #nowAt(monotonicMs: number): number {
    return Math.floor(Math.max(this.#host.nowMs(), this.#atMs + (monotonicMs - this.#monotonicMs)))
  }
  /** Of its last event. */
  get atMs(): number {
    return this.#atMs
  }
  get version(): number {
    return this.#version
  }
  get head(): string {
    return this.#head
  }
  get durableVersion(): number {
    return this.#durableVersion
  }
  get unsavedCount(): number {
    return this.#unsaved.length + this.#inFlight.length
  }

  /** Takes these events, and whatever they make necessary, as the next versions, and sends them on their way to the store. */
  take(events: readonly OrderEvent[], cause: Cause): void {
    if (this.dropped) return
    let changed = false
    const monotonicMs = this.#host.monotonicMs()
    // What is decided at once has one time; within a stream it never goes back, whatever the clock does.
    const atMs = this.#nowAt(monotonicMs)
    try {
      for (const event of events) {
        if (!this.#step(event, cause, atMs, monotonicMs)) {
          this.#host.onRefused(this, event)
          continue
        }
        changed = true
        for (let n = 0; ; n++) {
          const next = followUp(this.actor.context)
          if (next === undefined) break
          if (n >= FOLLOW_UPS_MAX) throw new Error(`follow-ups feed themselves: ${next.type}`)
          if (!this.#step(next, "decision", atMs, monotonicMs))
            throw new Error(`the machine refuses its own follow-up ${next.type} in ${JSON.stringify(this.actor.regions)}`)
        }
      }
    } catch (error) {
      this.#host.onStepFailed(this, error, events.map((event) => event.type).join(","))
      return
    }
    if (!changed) return
    this.#host.onChanged(this)
    this.#flush()
  }

  #step(event: OrderEvent, cause: Cause, atMs: number, monotonicMs: number): boolean {
    const version = this.#version + 1
    const taken = this.actor.take(event, version, atMs)
    if (taken === undefined) return false
    const envelope = {
      _id: eventId(this.stream, version),
      stream: this.stream,
      version,
      schema: EVENT_SCHEMA[event.type],
      type: event.type,
      state: taken.state,
      at: isoOf(atMs),
      data: event.data as unknown as Readonly<Record<string, unknown>>,
      commands: taken.commands,
      settings_version: this.#host.settingsVersion,
      engine_version: this.#host.engineVersion,
      replica: this.#host.replica,
      cause,
      trace: this.trace,
    }
    this.#sealer ??= new Sealer()
    const sealed = this.#sealer.seal(envelope, flatFields(taken.context, event.type), this.#head)
    this.#atMs = atMs
    this.#monotonicMs = monotonicMs
    this.#version = version
    this.#head = sealed.hash
    if (event.type === "EntryIntended") this.#intentVersion = version
    this.#unsaved.push({ sealed, commands: taken.commands, sinceMs: monotonicMs })
    return true
  }

  #flush(): void {
    if (this.#inFlight.length > 0 || this.#unsaved.length === 0 || this.dropped) return
    this.#inFlight = this.#unsaved
    this.#unsaved = []
    const records = this.#inFlight.map((one) => one.sealed)
    const sent = this.#host.journal.submit(this.stream, records, (result) => this.#appended(result, records))
    // Another append of this stream is still on its way (the order was rebuilt meanwhile): ours comes after it.
    if (!sent) this.#again()
  }

  /** Nothing of this was sent: it stays first in line. */
  #again(): void {
    const batch = this.#inFlight
    this.#inFlight = []
    if (this.dropped) return
    this.#unsaved = [...batch, ...this.#unsaved]
    this.#host.retryFlush(() => this.#flush())
  }

  #appended(result: AppendResult, records: readonly SealedRecord[]): void {
    if (result._tag === "Unavailable" && !this.#host.journal.closed) {
      this.#again()
      return
    }
    const batch = this.#inFlight
    this.#inFlight = []
    if (this.dropped) return
    if (result._tag !== "Appended") {
      this.dropped = true
      this.#host.onConflict(this)
      return
    }
    this.#durableVersion += batch.length
    this.#host.onDurable(this, records)
    for (const one of batch) this.#hand(one)
    this.#tellDurable()
    if (this.#unsaved.length === 0) this.#sealer = undefined
    this.#flush()
  }

  #hand(one: Unsaved): void {
    const { commands } = one
    one.commands = []
    for (const command of commands) this.#host.run(this, command)
  }

  /** Calls back once everything taken so far is durable; never when the order turns out to be somebody else's. */
  whenDurable(tell: () => void): void {
    if (this.#durableVersion >= this.#version) tell()
    else this.#whenDurable.push({ version: this.#version, tell })
  }

  #tellDurable(): void {
    while ((this.#whenDurable[0]?.version ?? Number.POSITIVE_INFINITY) <= this.#durableVersion) this.#whenDurable.shift()?.tell()
  }

  /**
   * Hands out protective commands whose record has waited too long for the store: the plan in the durable EntryIntended is
   * their intent. Entries never leave so.
   */
  releaseProtective(olderThanMs: number): void {
    if (this.dropped || this.#intentVersion > this.#durableVersion) return
    // What waits stands in the order in which it came: when the first has not waited long, none has.
    const oldest = this.#inFlight[0] ?? this.#unsaved[0]
    if (oldest === undefined || oldest.sinceMs > olderThanMs) return
    for (const one of [...this.#inFlight, ...this.#unsaved]) {
      if (one.sinceMs > olderThanMs || one.commands.length === 0) continue
      const protective = one.commands.filter((command) => PROTECTIVE_COMMANDS.has(command.type))
      if (protective.length === 0) continue
      one.commands = one.commands.filter((command) => !PROTECTIVE_COMMANDS.has(command.type))
      for (const command of protective) this.#host.run(this, command)
    }
  }
}
