/**
 * An intake whose broker is not there yet: for an engine that is alone, and goes on from its store meanwhile.
 *
 * Promises: until {@link LateIntake.arrive} it says that it is not connected, refuses what would be published (nothing is
 * kept to be sent later), and hands over nothing; from then on it is the intake that arrived, which is given back what an
 * earlier process held and started as if it had been there from the beginning. Stopped before: it never starts.
 */
import { type Read, unknown } from "@petrosa/contracts"
import type { Intake, IntakeReceiver, QueueKind, QueueMessageName } from "./intake.ts"
import type { QueueStatus } from "./lookup.ts"
import type { PublishResult, ResumeReason, SignalPublishOptions } from "./publisher.ts"
import type { ReclaimResult } from "./reclaim.ts"
import type { IntakeStopped } from "./streamIntake.ts"

const WHY = "NATS has not been reached since the start."
const AWAY: PublishResult = { _tag: "BrokerAway", code: "BROKER_AWAY", message: WHY, mayHaveArrived: false }

export class LateIntake implements Intake {
  #intake: Intake | undefined
  #receiver: IntakeReceiver | undefined
  #state: "running" | "paused" | "stopped" = "running"

  /** The broker is there. Resolves when its messages flow (or when it is too late: the engine has been stopped). */
  async arrive(intake: Intake): Promise<ReclaimResult | undefined> {
    if (this.#state === "stopped") return undefined
    const reclaimed = await intake.reclaim()
    // The method may have been stopped while it waited.
    if (this.#isStopped()) return undefined
    this.#intake = intake
    if (this.#receiver !== undefined) intake.start(this.#receiver)
    if (this.#state === "paused") await intake.pause()
    return reclaimed
  }

  #isStopped(): boolean {
    return this.#state === "stopped"
  }

  get held(): number {
    return this.#intake?.held ?? 0
  }
  get connected(): boolean {
    return this.#intake?.connected ?? false
  }

  async reclaim(): Promise<ReclaimResult> {
    return this.#intake === undefined ? { _tag: "Away", reason: WHY } : this.#intake.reclaim()
  }

  start(receiver: IntakeReceiver): void {
    this.#receiver = receiver
    this.#intake?.start(receiver)
  }
  async pause(): Promise<void> {
    if (this.#state === "running") this.#state = "paused"
    await this.#intake?.pause()
  }
  resume(): void {
    if (this.#state === "paused") this.#state = "running"
    this.#intake?.resume()
  }
  wake(): void {
    this.#intake?.wake()
  }
  checkClock(): void {
    this.#intake?.checkClock()
  }
  async stop(timeoutMs?: number): Promise<IntakeStopped> {
    this.#state = "stopped"
    return this.#intake === undefined ? { handedBack: 0, confirmed: true } : this.#intake.stop(timeoutMs)
  }

  async hasMessages(names: readonly QueueMessageName[]): Promise<readonly Read<boolean>[]> {
    return this.#intake === undefined ? names.map(() => unknown("BROKER_AWAY")) : this.#intake.hasMessages(names)
  }
  async status(queue: QueueKind): Promise<Read<QueueStatus>> {
    return this.#intake === undefined ? unknown("BROKER_AWAY") : this.#intake.status(queue)
  }

  async publishSignal(data: Uint8Array | string, options: SignalPublishOptions): Promise<PublishResult> {
    return this.#intake === undefined ? AWAY : this.#intake.publishSignal(data, options)
  }
  async publishResume(order: string, version: number, request: ResumeReason, by: string): Promise<PublishResult> {
    return this.#intake === undefined ? AWAY : this.#intake.publishResume(order, version, request, by)
  }
  async publishLot(order: string, version: number, body?: Uint8Array | string): Promise<PublishResult> {
    return this.#intake === undefined ? AWAY : this.#intake.publishLot(order, version, body)
  }
  announce(strategyId: string, body: Uint8Array | string): boolean {
    return this.#intake?.announce(strategyId, body) ?? false
  }
  journal(replica: string, bytes: number, batch: () => Uint8Array | string): boolean {
    return this.#intake?.journal(replica, bytes, batch) ?? false
  }
}
