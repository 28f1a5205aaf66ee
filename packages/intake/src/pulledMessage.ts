/**
 * A message as it was pulled: what is read of it once. Headers are parsed only when somebody asks; plain publishers send
 * none.
 */
import type { Msg } from "nats"
import type { IntakeMessage, MessageHandle } from "./message.ts"
import { kindOf, type MessageKind, type SubjectPlan } from "./subjects.ts"

/** Idempotency keys are kept apart from the `Nats-Msg-Id`s of publishers: the server compares them over all subjects. */
export const HTTP_ID_PREFIX = "http:"

export class PulledMessage implements IntakeMessage {
  readonly kind: MessageKind
  readonly order: string | undefined
  readonly subject: string
  readonly data: Uint8Array
  readonly handle: MessageHandle
  readonly #headers: Msg["headers"]

  constructor(plan: SubjectPlan, message: Msg, handle: MessageHandle) {
    const { kind, order } = kindOf(plan, message.subject)
    this.kind = kind
    this.order = order
    this.subject = message.subject
    // The client's bytes are a window into a chunk of the socket, up to 64 KiB that would be kept with them.
    this.data = new Uint8Array(message.data)
    this.handle = handle
    this.#headers = message.headers
  }

  get stream(): string {
    return this.handle.stream
  }
  get sequence(): number {
    return this.handle.sequence
  }
  get streamTimeMs(): number {
    return this.handle.streamTimeMs
  }
  get deliveryCount(): number {
    return this.handle.deliveryCount
  }
  get messageId(): string | undefined {
    const id = this.header("Nats-Msg-Id")
    return this.kind === "http" && id?.startsWith(HTTP_ID_PREFIX) === true ? id.slice(HTTP_ID_PREFIX.length) : id
  }
  get traceparent(): string | undefined {
    return this.header("traceparent")
  }

  header(name: string): string | undefined {
    const headers = this.#headers
    if (headers === undefined) return undefined
    const exact = headers.get(name)
    if (exact !== "") return exact
    for (const key of headers.keys()) if (key.toLowerCase() === name.toLowerCase()) return headers.get(key)
    return undefined
  }

  ack(): void {
    this.handle.ack()
  }
  nak(delayMs?: number): void {
    this.handle.nak(delayMs)
  }
  term(): void {
    this.handle.term()
  }
  working(): void {
    this.handle.working()
  }
  release(): void {
    this.handle.release()
  }
}
