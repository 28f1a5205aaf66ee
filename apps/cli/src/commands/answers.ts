/**
 * What becomes of published signals, as the engine tells it on `execution.events.<strategy>`: one message for each order
 * that settles (and a later one when its lot closes, which does not count here).
 */
import { type Broker, EVENTS_PREFIX, safeToken } from "@petrosa/intake"
import { ownId } from "../input.ts"

type Answer = Readonly<Record<string, unknown>>

const POLL_MS = 50

export class Answers {
  readonly #waiting = new Map<string, string>()
  readonly #queue: Answer[] = []
  readonly #broker: Broker
  readonly #subscribed = new Set<string>()
  #answered = 0
  #expected = 0
  #wake: () => void = () => undefined

  constructor(broker: Broker) {
    this.#broker = broker
  }

  get expected(): number {
    return this.#expected
  }
  get answered(): number {
    return this.#answered
  }
  missing(): readonly string[] {
    return [...this.#waiting.values()]
  }

  /** To be called before the signal is published: subscriptions come first. The same signal twice is one order. */
  expect(fields: Readonly<Record<string, unknown>>): void {
    const strategy = typeof fields["strategy_id"] === "string" ? fields["strategy_id"] : ""
    const id = ownId(fields) ?? strategy
    const key = keyOf(strategy, id)
    if (!this.#waiting.has(key)) this.#expected += 1
    this.#waiting.set(key, id)
    if (this.#subscribed.has(strategy)) return
    this.#subscribed.add(strategy)
    this.#broker.nc.subscribe(`${EVENTS_PREFIX}.${safeToken(strategy)}`, {
      callback: (error, message) => {
        if (error === null) this.#take(message.string())
      },
    })
  }

  #take(text: string): void {
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      return
    }
    if (typeof answer !== "object" || answer === null) return
    const { strategy_id, signal_id } = answer as Answer
    if (!this.#waiting.delete(keyOf(String(strategy_id), String(signal_id)))) return
    this.#answered += 1
    this.#queue.push(answer as Answer)
    this.#wake()
  }

  /** Each answer as it comes, until all are there or nothing came for `timeoutMs` after the last publish. */
  async *all(timeoutMs: number): AsyncGenerator<Answer> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const next = this.#queue.shift()
      if (next !== undefined) {
        yield next
        continue
      }
      const leftMs = deadline - performance.now()
      if (this.#waiting.size === 0 || leftMs <= 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(POLL_MS, leftMs))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

const keyOf = (strategy: string, id: string): string => JSON.stringify([strategy, id])
