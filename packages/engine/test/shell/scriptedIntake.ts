/**
 * A broker in the hand of a test: messages are given to the engine one by one, and what it answered is written down.
 * Resumes and lots that the engine publishes come back to it by themselves, one per order at a time, as in the streams.
 */
import type { Read } from "@petrosa/contracts"
import { known, unknown } from "@petrosa/contracts"
import type {
  Clock,
  Intake,
  IntakeMessage,
  IntakeReceiver,
  MessageHandle,
  PublishResult,
  QueueKind,
  QueueMessageName,
  QueueStatus,
  ResumeReason,
} from "@petrosa/intake"

export type Kind = "signal" | "resume" | "lot"
interface Given {
  readonly kind: Kind
  readonly body: string
  readonly order: string | undefined
  readonly sequence: number
  readonly streamTimeMs: number
  readonly deliveryCount: number
}

const encoder = new TextEncoder()
const DELIVERED_AFTER_MS = 5
const occupies = (kind: Kind, order: string, body: string): string =>
  kind === "resume" ? `resume ${order} ${(JSON.parse(body) as { readonly request?: string }).request}` : `${kind} ${order}`

export class ScriptedIntake implements Intake {
  readonly connected = true
  held = 0
  /** `ack signal 1`, `nak resume 2 1000`, `release lot 3`: in order. */
  readonly answers: string[] = []
  readonly resumes: { readonly order: string; readonly version: number; readonly body: string }[] = []
  /** Of messages that are in no stream any more: purged, or lost with a disk. */
  readonly gone = new Set<number>()
  /** Nobody can say what is in the streams. */
  isSilent = false
  /** The streams outlive a process: what it held stands there still. */
  keepsStreams = false
  readonly #clock: Clock
  readonly #given = new Map<IntakeMessage, Given>()
  /** What stands in its stream: there is room for one lot of an order, and for one resume with each request. */
  readonly #occupied = new Set<string>()
  #receiver: IntakeReceiver | undefined
  #process = 0
  #sequence = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A process died: what it held is answered by nobody. */
  died(): void {
    this.#process += 1
    this.#receiver = undefined
    if (!this.keepsStreams) this.#occupied.clear()
  }

  start(receiver: IntakeReceiver): void {
    this.#receiver = receiver
  }

  /** How many messages the engine takes now. */
  capacity(queue: QueueKind): number {
    return this.#receiver?.capacity(queue) ?? 0
  }

  message(kind: Kind, body: object | string, order?: string): IntakeMessage {
    this.#sequence += 1
    const text = typeof body === "string" ? body : JSON.stringify(body)
    const streamTimeMs = this.#clock.nowMs()
    return this.#make({ kind, body: text, order, sequence: this.#sequence, streamTimeMs, deliveryCount: 1 })
  }

  /** The stream of lots is purged: there is room in it for each again. */
  purgeLots(): void {
    for (const key of this.#occupied) if (key.startsWith("lot ")) this.#occupied.delete(key)
  }

  /** The same message, as the stream delivers it once more. */
  again(message: IntakeMessage): IntakeMessage {
    const given = this.#given.get(message)
    if (given === undefined) throw new Error("never given")
    return this.#make({ ...given, deliveryCount: given.deliveryCount + 1 })
  }

  deliver(...messages: readonly IntakeMessage[]): void {
    if (this.#receiver === undefined) throw new Error("nobody takes messages")
    this.#receiver.take(messages)
  }

  /** How this message was answered; undefined while it is held. */
  answerTo(message: IntakeMessage): string | undefined {
    const name = `${message.kind} ${message.sequence}`
    return this.answers.findLast((answer) => answer.includes(` ${name}`))?.split(" ")[0]
  }

  #make(given: Given): IntakeMessage {
    const { kind, sequence, streamTimeMs, deliveryCount, order, body } = given
    const stream = kind === "lot" ? "LOTS" : "SIGNALS"
    const process = this.#process
    let held = true
    const end = (how: string, after = ""): void => {
      if (!held || process !== this.#process) return
      held = false
      if (how === "ack" || how === "term") this.#occupied.delete(occupies(kind, order ?? "", body))
      this.answers.push(`${how} ${kind} ${sequence}${after}`)
    }
    const answer = {
      ack: () => end("ack"),
      nak: (delayMs?: number) => end("nak", delayMs === undefined ? "" : ` ${delayMs}`),
      term: () => end("term"),
      working: () => {},
      release: () => end("release"),
    }
    const handle: MessageHandle = {
      stream,
      sequence,
      streamTimeMs,
      deliveryCount,
      ...answer,
      get held() {
        return held
      },
    }
    const message: IntakeMessage = {
      kind,
      subject: "signals.trading",
      order,
      data: encoder.encode(given.body),
      messageId: undefined,
      traceparent: undefined,
      header: () => undefined,
      handle,
      stream,
      sequence,
      streamTimeMs,
      deliveryCount,
      ...answer,
    }
    this.#given.set(message, given)
    return message
  }

  #publish(kind: Kind, order: string, body: string): PublishResult {
    const key = occupies(kind, order, body)
    if (this.#occupied.has(key)) return { _tag: "Occupied" }
    this.#occupied.add(key)
    const message = this.message(kind, body, order)
    this.#clock.after(DELIVERED_AFTER_MS, () => this.#receiver?.take([message]))
    return { _tag: "Published", stream: message.stream, sequence: message.sequence, duplicate: false }
  }

  async publishResume(order: string, version: number, request: ResumeReason, by: string): Promise<PublishResult> {
    const text = JSON.stringify({ request, by })
    this.resumes.push({ order, version, body: text })
    return this.#publish("resume", order, text)
  }
  async publishLot(order: string): Promise<PublishResult> {
    return this.#publish("lot", order, "")
  }
  async publishSignal(): Promise<PublishResult> {
    return { _tag: "BrokerAway", code: "BROKER_AWAY", message: "not in these tests", mayHaveArrived: false }
  }

  async reclaim() {
    return { _tag: "Reclaimed", pending: 0, named: 0, complete: true } as const
  }
  async pause(): Promise<void> {}
  resume(): void {}
  wake(): void {}
  checkClock(): void {}
  async stop() {
    return { handedBack: 0, confirmed: true }
  }
  async hasMessages(names: readonly QueueMessageName[]): Promise<readonly Read<boolean>[]> {
    return names.map(({ sequence }) => (this.isSilent ? unknown("the broker is silent") : known(!this.gone.has(sequence))))
  }
  async status(): Promise<Read<QueueStatus>> {
    return unknown("not in these tests")
  }
  announce(): boolean {
    return true
  }
  journal(): boolean {
    return true
  }
}
