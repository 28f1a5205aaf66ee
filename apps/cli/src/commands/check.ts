/**
 * `petrosa check <file|->`: what the engine would do with these signals now. Nothing is recorded and nothing leaves. The
 * running engine is asked (`POST /trade?dry_run=true`); without one only the signals themselves are checked, and the
 * answer says so.
 */
import { type DecodeContext, decodeSignal } from "@petrosa/contracts"
import { CliError, type ExitCode, NO, OK } from "../exits.ts"
import { type InputSignal, readSignals } from "../input.ts"
import type { Io } from "../io.ts"
import { type CliSettings, readSettings } from "../settings.ts"
import { cut, plural, printed, safe } from "../text.ts"

export interface CheckOptions {
  readonly url?: string
  readonly json?: boolean
}

const ENGINE_TIMEOUT_MS = 15_000

/** What is shown of one signal. `good`: an order would come of it, or it asks for none (hold). */
interface Verdict {
  readonly good: boolean
  readonly line: string
  readonly json: unknown
}

export const check = async (io: Io, source: string, options: CheckOptions): Promise<ExitCode> => {
  const settings = readSettings()
  const signals = await readSignals(source)
  const url = (options.url ?? settings.httpUrl).replace(/\/+$/, "")
  let offline = false
  let bad = 0
  for (const [index, signal] of signals.entries()) {
    const asked = offline ? undefined : await askEngine(url, settings.httpToken, signal)
    if (asked === undefined && !offline) {
      // An address that was given by hand is meant: silence there is an error, not a reason to answer less.
      if (options.url !== undefined || index > 0) throw new CliError(`The engine at ${url} does not answer.`)
      offline = true
      io.err(`No engine answers at ${url}: only the signals themselves are checked, not size, prices, limits or balance.`)
    }
    const verdict = asked ?? checkOffline(settings, signal)
    if (!verdict.good) bad += 1
    if (options.json === true) io.json({ n: index + 1, checked_by: offline ? "signal only" : "engine", ...(verdict.json as object) })
    else io.out(`${verdict.good ? io.c.green("ok ") : io.c.red("no ")} ${index + 1}  ${verdict.line}`)
  }
  if (options.json !== true && signals.length > 1) io.out(`${signals.length - bad} of ${plural(signals.length, "signal")} would do.`)
  return bad === 0 ? OK : NO
}

const askEngine = async (url: string, token: string | undefined, signal: InputSignal): Promise<Verdict | undefined> => {
  if (!URL.canParse(url)) throw new CliError(`${safe(url)} is no URL.`)
  let response: Response
  let body: Readonly<Record<string, unknown>>
  try {
    response = await fetch(`${url}/trade?dry_run=true`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      body: signal.text,
      signal: AbortSignal.timeout(ENGINE_TIMEOUT_MS),
    })
  } catch {
    return undefined
  }
  try {
    body = (await response.json()) as Readonly<Record<string, unknown>>
  } catch {
    throw new CliError(`What answers at ${url} is not this engine (status ${response.status}, no JSON).`)
  }
  if (response.status === 401) throw new CliError("The engine asks for a token: set HTTP_TOKEN.")
  if (response.status === 200 && body["dry_run"] === true) return decided(body)
  if (response.status === 400 || response.status === 409 || response.status === 413)
    return { good: false, line: `would be rejected: ${problems(body["detail"])}`, json: { decision: "reject", ...body } }
  throw new CliError(`The engine at ${url} answered ${response.status}: ${cut(safe(JSON.stringify(body["detail"] ?? body)), 300)}`)
}

const decided = (body: Readonly<Record<string, unknown>>): Verdict => {
  const size = (body["size"] ?? {}) as Readonly<Record<string, unknown>>
  const reason = (body["reason"] ?? {}) as Readonly<Record<string, unknown>>
  const name = `${printed(body["strategy_id"])} ${printed(body["action"])} ${printed(body["symbol"])}`
  const again = body["duplicate"] === true ? "  (an order of this signal exists: it would be a duplicate)" : ""
  switch (body["decision"]) {
    case "place": {
      const price = printed(size["price"])
      const exits = printed(size["stop_loss"]) === "-" ? "" : `, stop ${printed(size["stop_loss"])}, target ${printed(size["take_profit"])}`
      const where = price === "-" ? "at market" : `at ${price}`
      return { good: true, line: `${name}: would be placed, ${printed(size["quantity"])} ${where}${exits}${again}`, json: body }
    }
    case "close":
      return { good: true, line: `${name}: would close what is held${again}`, json: body }
    default: {
      const limit = reason["limit"] === undefined ? "" : `, limit ${printed(reason["limit"])}`
      const numbers = reason["observed"] === undefined ? "" : ` (${printed(reason["observed"])}${limit})`
      const line = `${name}: would be declined, ${printed(reason["code"])}: ${printed(reason["message"])}${numbers}${again}`
      return { good: reason["code"] === "HOLD", line, json: body }
    }
  }
}

/** Why an engine with these settings takes a message for no signal; `undefined` when it is one. */
export const whyNoSignal = (settings: CliSettings, text: string): string | undefined => {
  const decoded = decodeSignal(new TextEncoder().encode(text), offlineContext(settings, Date.now()))
  if (decoded._tag === "Signal") return undefined
  return `${decoded.code}, ${problems(decoded.fields.length > 0 ? decoded.fields : decoded.message)}`
}

const offlineContext = (settings: CliSettings, nowMs: number): DecodeContext => ({
  arrival: { transport: "http", subject: "check", stream: "check", sequence: 0, streamTimeMs: nowMs, idempotencyKey: "check" },
  receivedAtMs: nowMs,
  defaultMarket: settings.defaultMarket,
  defaultOrderType: settings.defaultOrderType,
  maxBytes: settings.signalMaxBytes,
})

const problems = (detail: unknown): string => {
  if (!Array.isArray(detail)) return cut(printed(detail), 300)
  return detail
    .slice(0, 10)
    .map((entry: { readonly field?: unknown; readonly expected?: unknown; readonly received?: unknown }) => {
      return `${printed(entry.field)}: expected ${printed(entry.expected)}; it is ${printed(entry.received)}`
    })
    .join("; ")
}

const checkOffline = (settings: CliSettings, signal: InputSignal): Verdict => {
  const nowMs = Date.now()
  const decoded = decodeSignal(new TextEncoder().encode(signal.text), offlineContext(settings, nowMs))
  if (decoded._tag === "Rejected") {
    const detail = decoded.fields.length > 0 ? decoded.fields : decoded.message
    return { good: false, line: `would be rejected: ${problems(detail)}`, json: { decision: "reject", code: decoded.code, detail } }
  }
  const { strategyId, action, symbol, market, orderType, timestampMs } = decoded.signal
  const ageS = Math.round((nowMs - timestampMs) / 1000)
  return {
    good: true,
    line: safe(`${strategyId} ${action} ${symbol}: a valid signal (${market}, ${orderType.replaceAll("_", " ")}, ${ageS} s old)`),
    json: { decision: "unknown", valid: true, strategy_id: strategyId, action, symbol, market, order_type: orderType, age_s: ageS },
  }
}
