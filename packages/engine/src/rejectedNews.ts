/**
 * News of messages that are no signals: to the log, and, where the message names its strategy, to its bot on
 * `execution.events.<strategy>`, as of any other signal. A bot that is wired wrongly would wait for ever otherwise.
 */
import type { FieldError, RejectionCode } from "@petrosa/contracts"
import { isoOf } from "@petrosa/contracts"
import type { IntakeMessage } from "@petrosa/intake"
import type { Desk } from "./desk.ts"
import { RAW_MAX_BYTES } from "./rejected.ts"

const NAME_MAX_LENGTH = 200
/** A flood of such messages is one line a second, with how many there were. */
const LOG_EVERY_MS = 1000

export interface Rejection {
  readonly code: RejectionCode
  readonly message: string
  readonly fields: readonly FieldError[]
}

const name = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= NAME_MAX_LENGTH ? value : undefined

/** Of JSON the object; of text that is none (a NaN of numpy in it, most often) whatever stands there as a plain name. */
const namesOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const said: unknown = JSON.parse(text)
    return typeof said === "object" && said !== null ? (said as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return Object.fromEntries(
      Array.from(text.matchAll(/"(strategy_id|signal_id|id)"\s*:\s*"([^"\\]*)"/g), ([, key, value]) => [key, value]),
    )
  }
}

/** What to tell, and whom; `undefined` when the message does not say whose it is. */
export const rejectionNews = (
  bytes: Uint8Array,
  why: Rejection,
  atMs: number,
): { readonly strategyId: string; readonly body: string } | undefined => {
  if (bytes.length > RAW_MAX_BYTES) return undefined
  const text = new TextDecoder().decode(bytes)
  const names = namesOf(text)
  const said = (key: string): string | undefined => name(names?.[key])
  const strategyId = said("strategy_id")
  if (strategyId === undefined) return undefined
  const { code, message, fields } = why
  return {
    strategyId,
    body: JSON.stringify({
      signal_id: said("signal_id") ?? said("id") ?? strategyId,
      strategy_id: strategyId,
      event: "rejected",
      state: "rejected",
      status: "rejected",
      reason: { class: "rejected", code, message },
      fields,
      at: isoOf(atMs),
    }),
  }
}

/** One line a second at most. */
export class RejectionLog {
  #toldAtMs = Number.NEGATIVE_INFINITY
  #untold = 0

  /** How many there were since the last line, this one with them; `undefined`: no line now. */
  next(monotonicMs: number): number | undefined {
    this.#untold += 1
    if (monotonicMs - this.#toldAtMs < LOG_EVERY_MS) return undefined
    const count = this.#untold
    this.#toldAtMs = monotonicMs
    this.#untold = 0
    return count
  }
}

/** The message is recorded: now its bot and the log hear of it. */
export const tellRejection = (desk: Desk, log: RejectionLog, message: IntakeMessage, why: Rejection): void => {
  const { intake, log: lines } = desk.options
  const news = rejectionNews(message.data, why, desk.nowMs())
  if (news !== undefined) intake.announce(news.strategyId, news.body)
  const messages = log.next(desk.monotonicMs())
  if (messages === undefined) return
  const { subject, sequence } = message
  const fields = why.fields.map(({ field }) => field)
  lines.warn(
    { code: why.code, fields, strategy: news?.strategyId, subject, sequence, messages },
    "a message is no signal; petrosa rejected lists them",
  )
}
