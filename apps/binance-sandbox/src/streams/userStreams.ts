/**
 * User data on its way to those who listen. What is published reaches every subscriber of the account, in order, unless a
 * fault drops, doubles, delays or swaps it; faults strike each subscriber on its own.
 */
import type { Market } from "@petrosa/contracts"
import type { Clock } from "../core/clock.ts"
import type { Faults } from "../faults/rules.ts"
import type { JsonObject } from "../wire/json.ts"
import { isObject, textOf } from "../wire/json.ts"

export interface Subscriber {
  readonly market: Market
  readonly account: string
  /** Whether it gets anything at all now (a dead listen key), and this event. */
  wants(event: string): boolean
  send(event: JsonObject): void
}
interface Entry {
  readonly subscriber: Subscriber
  held: JsonObject | undefined
}

export class UserStreams {
  readonly #entries = new Set<Entry>()
  readonly #clock: Clock
  readonly #faults: Faults
  /** How many events were published: the tape of them, for tests, is the clients' business. */
  published = 0

  constructor(clock: Clock, faults: Faults) {
    this.#clock = clock
    this.#faults = faults
  }

  subscribe(subscriber: Subscriber): () => void {
    const entry: Entry = { subscriber, held: undefined }
    this.#entries.add(entry)
    return () => {
      this.#entries.delete(entry)
    }
  }
  count(market: Market): number {
    return [...this.#entries].filter((entry) => entry.subscriber.market === market).length
  }

  publish(market: Market, account: string, event: JsonObject): void {
    this.published += 1
    for (const entry of this.#entries) {
      const { subscriber } = entry
      if (subscriber.market !== market || subscriber.account !== account || !subscriber.wants(textOf(event["e"]))) continue
      this.#deliver(entry, event, view(market, account, event))
    }
  }
  #deliver(entry: Entry, event: JsonObject, seen: ReturnType<typeof view>): void {
    const faults = this.#faults
    if (faults.strike("dropEvent", seen) !== undefined) return
    if (entry.held === undefined && faults.strike("swapEvent", seen) !== undefined) {
      entry.held = event
      return
    }
    const duplicate = faults.strike("duplicateEvent", seen)
    const times = duplicate === undefined ? 1 : (duplicate.times ?? 2)
    const delay = faults.strike("delayEvent", seen)
    const send = (): void => {
      for (let time = 0; time < times; time += 1) entry.subscriber.send(event)
    }
    if (delay === undefined) send()
    else this.#clock.after(delay.ms, send)
    const { held } = entry
    entry.held = undefined
    if (held !== undefined) entry.subscriber.send(held)
  }
}

/** What an event is, to a fault rule: the fields lie one level down on futures. */
const view = (market: Market, account: string, event: JsonObject) => {
  const order = isObject(event["o"]) ? event["o"] : event
  const name = textOf(event["e"])
  return {
    market,
    account,
    event: name,
    symbol: textOf(order["s"]),
    // A spot cancel has the original id in `C`.
    clientId: textOf(order["C"]) || textOf(order["caid"]) || textOf(order["c"]),
    execution: textOf(name === "ALGO_UPDATE" ? order["X"] : name === "listStatus" ? order["l"] : order["x"]),
  }
}
