/**
 * Which arrows of the graph orders went along, live: some orders are folded through the machine as their events become
 * durable. Only so many at a time: at full load it is a sample, so that looking never slows the engine.
 */
import type { EventRecord, OrderEvent, OrderId } from "@petrosa/contracts"
import { isOrderEventType, isOrderId } from "@petrosa/contracts"
import { foldOne, OrderActor, REGIONS } from "@petrosa/lifecycle"

/** Orders that are folded at the same time; the oldest is forgotten for a new one. */
const FOLLOWED_MAX = 400
/** Orders that one batch may begin to follow, each about half a millisecond in all: up to 20 a second every one is. */
const BEGUN_MAX = 4

export class Follower {
  readonly #actors = new Map<string, OrderActor>()

  forget(): void {
    this.#actors.clear()
  }

  /** Takes the records of one batch, in order; returns the arrows that were gone along, as `entry:sending>over`. */
  take(records: readonly EventRecord[]): Set<string> {
    let begun = 0
    const arrows = new Set<string>()
    for (const record of records) {
      let actor = this.#actors.get(record.order)
      if (actor === undefined) {
        if (record.version !== 1 || begun >= BEGUN_MAX || !isOrderId(record.order)) continue
        begun += 1
        actor = new OrderActor(record.order)
        this.#actors.set(record.order, actor)
        if (this.#actors.size > FOLLOWED_MAX) this.#dropOldest()
      }
      for (const arrow of this.#step(actor, record)) arrows.add(arrow)
    }
    return arrows
  }

  /** The earlier events of an order that was there before anybody looked. */
  begin(order: OrderId, events: readonly EventRecord[]): void {
    const actor = new OrderActor(order)
    this.#actors.set(order, actor)
    if (this.#actors.size > FOLLOWED_MAX) this.#dropOldest()
    for (const record of events) if (this.#actors.has(order)) this.#step(actor, record)
  }

  follows(order: string): boolean {
    return this.#actors.has(order)
  }

  #dropOldest(): void {
    const oldest = this.#actors.keys().next().value
    if (oldest !== undefined) this.#actors.delete(oldest)
  }

  #step(actor: OrderActor, record: EventRecord): readonly string[] {
    if (record.version <= actor.context.version) return []
    const before = actor.regions
    const event = { type: record.type, data: record.data } as unknown as OrderEvent
    const inOrder =
      record.version === actor.context.version + 1 && isOrderEventType(record.type) && foldOne(actor.context, record) !== undefined
    if (!inOrder || actor.take(event, record.version, Date.parse(record.at)) === undefined) {
      this.#actors.delete(record.order)
      return []
    }
    const after = actor.regions
    if (record.done) this.#actors.delete(record.order)
    return REGIONS.filter((region) => before[region] !== after[region]).map((region) => `${region}:${before[region]}>${after[region]}`)
  }
}
