/**
 * `petrosa publish <file|->`: sends signals as any bot does, with a plain NATS publish, and says what became of them when
 * asked to wait. Signals leave in the order of the input; the last is flushed before the command ends.
 */
import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { Broker } from "@petrosa/intake"
import { connectNats } from "../broker.ts"
import { CliError, type ExitCode, NO, OK } from "../exits.ts"
import { type InputSignal, ownId, readSignals, withId } from "../input.ts"
import type { Io } from "../io.ts"
import { type CliSettings, readSettings } from "../settings.ts"
import { plural, printed, safe } from "../text.ts"
import { Answers } from "./answers.ts"
import { whyNoSignal } from "./check.ts"

export interface PublishOptions {
  readonly rate?: number
  readonly count: number
  readonly same?: boolean
  readonly wait?: boolean
  /** Seconds. */
  readonly timeout: number
  readonly nats?: string
  readonly subject?: string
  readonly json?: boolean
}

/** A flush is a round trip: enough of them to notice a server that is gone, few enough to be fast. */
const FLUSH_EVERY = 500
const FLUSH_TIMEOUT_MS = 10_000

/**
 * The messages to send. With a count each round of the input gets ids of its own (`<id>-1`, `<id>-2` …), so that the
 * engine takes them for different signals; `same` leaves them identical. Who waits needs an id to be told by.
 */
export const plan = function* (
  signals: readonly InputSignal[],
  options: Pick<PublishOptions, "count" | "same" | "wait">,
  run: string,
): Generator<InputSignal> {
  const named = signals.map((signal, index) => ({ signal, id: ownId(signal.fields) ?? `${run}-${index + 1}` }))
  for (let round = 1; round <= options.count; round += 1) {
    for (const { signal, id } of named) {
      if (options.count > 1 && options.same !== true) yield withId(signal, `${id}-${round}`)
      else if (options.wait === true && ownId(signal.fields) === undefined) yield withId(signal, id)
      else yield signal
    }
  }
}

export const publish = async (io: Io, source: string, options: PublishOptions): Promise<ExitCode> => {
  const settings = readSettings()
  const signals = await readSignals(source)
  const subject = options.subject ?? settings.signalSubject
  const broker = await connectNats(settings, { url: options.nats })
  try {
    await warnWhenNobodyListens(io, broker, subject)
    const answers = options.wait === true ? new Answers(broker) : undefined
    const total = signals.length * options.count
    const run = `cli-${randomUUID()}`
    await sendAll(io, broker, subject, plan(signals, options, run), total, options, answers)
    if (answers === undefined) {
      if (options.json !== true) io.out(`Published ${plural(total, "signal")} to ${subject}.`)
      return OK
    }
    return await report(io, answers, total, options, (ids) => refusals(settings, plan(signals, options, run), ids))
  } finally {
    await broker.close()
  }
}

const sendAll = async (
  io: Io,
  broker: Broker,
  subject: string,
  messages: Iterable<InputSignal>,
  total: number,
  options: PublishOptions,
  answers: Answers | undefined,
): Promise<void> => {
  const limit = broker.nc.info?.max_payload ?? Number.POSITIVE_INFINITY
  const startMs = performance.now()
  const encoder = new TextEncoder()
  let sent = 0
  for (const message of messages) {
    if (options.rate !== undefined) {
      const dueMs = startMs + (sent / options.rate) * 1000 - performance.now()
      if (dueMs > 1) await sleep(dueMs)
    }
    const bytes = encoder.encode(message.text)
    if (bytes.length > limit)
      throw new CliError(`Signal ${sent + 1} has ${bytes.length} bytes; this NATS server takes at most ${limit}. ${sentSoFar(sent, total)}`)
    answers?.expect(message.fields)
    broker.nc.publish(subject, bytes)
    sent += 1
    if (options.json === true && answers === undefined)
      io.json({ n: sent, subject, signal_id: ownId(message.fields) ?? null, bytes: bytes.length })
    if (sent % FLUSH_EVERY === 0) await flush(broker, sent, total)
    if (sent % 100 === 0) io.progress(`published ${sent}/${total} (${Math.round(sent / ((performance.now() - startMs) / 1000))}/s)`)
  }
  await flush(broker, sent, total)
}

const sentSoFar = (sent: number, total: number): string => `${sent} of ${total} were handed to the server before.`

const flush = async (broker: Broker, sent: number, total: number): Promise<void> => {
  if (!(await broker.flush(FLUSH_TIMEOUT_MS))) {
    throw new CliError(
      `The NATS server stopped answering. Not all may have arrived: ${sentSoFar(sent, total)} Publishing them again is safe where they have ids.`,
    )
  }
}

/** A plain publish is never answered: without a stream on its subject the signal is simply gone. */
const warnWhenNobodyListens = async (io: Io, broker: Broker, subject: string): Promise<void> => {
  try {
    const manager = await broker.nc.jetstreamManager({ timeout: 2000 })
    await manager.streams.find(subject)
  } catch (error) {
    if (error instanceof Error && /no stream matches/i.test(error.message)) {
      io.err(
        `Warning: no stream takes ${safe(subject)} on this server, so nobody will see these signals. Was the engine ever started on it?`,
      )
    }
  }
}

const MISSING_SHOWN = 5

/** Nothing is said on `execution.events` about a message that is no signal: which of these (by id) are none, and why. */
const refusals = (settings: CliSettings, messages: Iterable<InputSignal>, ids: ReadonlySet<string>): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const { fields, text } of messages) {
    const id = ownId(fields)
    if (id === undefined || !ids.has(id)) continue
    const why = whyNoSignal(settings, text)
    if (why !== undefined) found.set(id, why)
  }
  return found
}

const report = async (
  io: Io,
  answers: Answers,
  total: number,
  options: PublishOptions,
  whyRefused: (ids: ReadonlySet<string>) => ReadonlyMap<string, string>,
): Promise<ExitCode> => {
  const expected = answers.expected
  const show = (): void => io.progress(`answered ${answers.answered}/${expected}`)
  for await (const answer of answers.all(options.timeout * 1000)) {
    if (options.json === true) io.json(answer)
    else io.out(answerLine(io, answer))
    show()
  }
  const missing = answers.missing()
  if (options.json !== true) io.out(`Published ${plural(total, "signal")}; ${answers.answered} of ${plural(expected, "order")} answered.`)
  if (missing.length === 0) return OK
  const shown = missing.slice(0, MISSING_SHOWN)
  const refused = whyRefused(new Set(shown))
  const more = missing.length > MISSING_SHOWN ? " …" : ""
  const otherwise = "It may have been settled before (a duplicate), or is still going on: petrosa orders --search <id>"
  io.err(
    `No answer within ${options.timeout} s about ${plural(missing.length, "signal")} (${shown.map(safe).join(", ")}${more}).${refused.size === missing.length ? "" : ` ${otherwise}`}`,
  )
  for (const [id, why] of refused) io.err(`${safe(id)} is no signal that the engine takes: ${why}`)
  return NO
}

const answerLine = (io: Io, answer: Readonly<Record<string, unknown>>): string => {
  const status = printed(answer["status"])
  const painted =
    status === "filled"
      ? io.c.green(status)
      : status === "pending" || status === "partially_filled"
        ? io.c.yellow(status)
        : io.c.red(status)
  const price = answer["fill_price"]
  const fill = price === undefined || price === null ? "" : `${printed(answer["quantity"])} at ${printed(price)}`
  const parts = [
    printed(answer["order"]),
    printed(answer["signal_id"]),
    printed(answer["symbol"]),
    painted,
    fill,
    reasonText(answer["reason"]),
  ]
  return parts.filter((part) => part !== "").join("  ")
}

const reasonText = (why: unknown): string => {
  if (why === undefined || why === null) return ""
  if (typeof why !== "object") return printed(why)
  const { code, message } = why as { readonly code?: unknown; readonly message?: unknown }
  return `${printed(code)}: ${printed(message)}`
}
