/**
 * Holds what was published against what the store has. Pure. It believes nobody's ids: a message is known by the SHA-256 of its bytes.
 *
 * Each signal has to have one order stream that ended: filled, or failed with a reason; each malformed message one record of its
 * rejection; a copy has neither of its own; and there is nothing that nobody published.
 */
import { type ReasonCode, REASONS, reasonClass } from "@petrosa/contracts"
import type { Publication } from "./publications.ts"

/** An order stream, by its first and its last event. */
export interface FoundOrder {
  readonly stream: string
  /** Of the message that its first event holds. */
  readonly sha256: string
  readonly state: string
  readonly reason: string | null
  readonly settled: boolean
  readonly parked: boolean
}
export interface FoundRejection {
  readonly stream: string
  readonly sha256: string
  readonly code: string
}

export interface Verdict {
  /** Each with how many there are, and some of them. */
  readonly problems: readonly string[]
  readonly published: number
  readonly signals: number
  readonly copies: number
  readonly malformed: number
  readonly orders: number
  readonly filled: number
  /** Of the orders that failed, by class (declined, refused, broken) and reason. */
  readonly failed: Readonly<Record<string, number>>
  /** Records of rejections, by code. */
  readonly rejected: Readonly<Record<string, number>>
}

interface Fate {
  readonly malformed: boolean
  /** Where it came in the flood. */
  readonly n: number
  orders: number
  rejections: number
}

const EXAMPLES = 5
const isReasonCode = (text: string): text is ReasonCode => Object.hasOwn(REASONS, text)

export class FloodJudge {
  readonly #fates = new Map<string, Fate>()
  readonly #problems = new Map<string, { count: number; readonly examples: string[] }>()
  readonly #failed: Record<string, number> = {}
  readonly #rejected: Record<string, number> = {}
  #published = 0
  #copies = 0
  #malformed = 0
  #orders = 0
  #filled = 0

  published(sha256: string, kind: Publication["kind"]): void {
    const n = this.#published++
    if (kind === "copy") {
      this.#copies += 1
      if (this.#fates.get(sha256)?.malformed !== false) this.#say("copies of nothing that was published before", `publication ${n}`)
      return
    }
    if (kind === "malformed") this.#malformed += 1
    if (this.#fates.has(sha256)) this.#say("publications that are equal and were not meant to be", `publication ${n}`)
    else this.#fates.set(sha256, { malformed: kind === "malformed", n, orders: 0, rejections: 0 })
  }

  order(found: FoundOrder): void {
    this.#orders += 1
    const fate = this.#fates.get(found.sha256)
    if (fate === undefined) this.#say("orders that nobody asked for", found.stream)
    else fate.orders += 1
    if (found.parked) this.#say("parked orders", found.stream)
    else if (!found.settled || (found.state !== "filled" && found.state !== "failed"))
      this.#say("orders without a decision", `${found.stream} (${found.state})`)
    else if (found.state === "filled") this.#filled += 1
    else if (found.reason === null || !isReasonCode(found.reason)) this.#say("orders that failed without a reason", found.stream)
    else count(this.#failed, `${reasonClass(found.reason)}: ${found.reason}`)
  }

  rejection(found: FoundRejection): void {
    count(this.#rejected, found.code)
    const fate = this.#fates.get(found.sha256)
    if (fate === undefined) this.#say("rejections of what nobody published", found.stream)
    else fate.rejections += 1
  }

  verdict(): Verdict {
    const said = new Map([...this.#problems].map(([what, { count: many, examples }]) => [what, { count: many, examples: [...examples] }]))
    for (const { malformed, n, orders, rejections } of this.#fates.values()) {
      const name = `publication ${n}`
      if (orders + rejections === 0) say(said, malformed ? "lost malformed messages" : "lost signals", name)
      else if (malformed && orders > 0) say(said, "malformed messages that became orders", name)
      else if (!malformed && rejections > 0) say(said, "signals that were rejected", name)
      else if (orders > 1) say(said, "signals with more than one order", `${name} (${orders})`)
      else if (rejections > 1) say(said, "malformed messages with more than one record", `${name} (${rejections})`)
    }
    return {
      problems: [...said].map(
        ([what, { count: many, examples }]) => `${many} ${what}: ${examples.join(", ")}${many > examples.length ? ", …" : ""}`,
      ),
      published: this.#published,
      signals: this.#published - this.#copies - this.#malformed,
      copies: this.#copies,
      malformed: this.#malformed,
      orders: this.#orders,
      filled: this.#filled,
      failed: sorted(this.#failed),
      rejected: sorted(this.#rejected),
    }
  }

  #say(what: string, example: string): void {
    say(this.#problems, what, example)
  }
}

const say = (said: Map<string, { count: number; readonly examples: string[] }>, what: string, example: string): void => {
  const known = said.get(what) ?? { count: 0, examples: [] }
  said.set(what, known)
  known.count += 1
  if (known.examples.length < EXAMPLES) known.examples.push(example)
}

const count = (counts: Record<string, number>, name: string): void => void (counts[name] = (counts[name] ?? 0) + 1)

const sorted = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a))
