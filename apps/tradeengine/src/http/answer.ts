/**
 * What a route answers: a status, a JSON body (or text) and headers. Routes are plain functions that return one of these;
 * `server.ts` is the only place that knows how it is sent.
 *
 * Errors have one shape everywhere, the specification's: `{detail: …}`.
 */
import type { FieldError } from "@petrosa/contracts"

export interface Answer {
  readonly status: number
  /** Sent as JSON, unless {@link text} is given. */
  readonly body?: unknown
  readonly text?: { readonly value: string; readonly contentType: string }
  readonly headers?: Readonly<Record<string, string>>
}

export const json = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer => ({ status, body, headers })

export const problem = (
  status: number,
  detail: unknown,
  beside: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Answer => ({ status, body: { detail, ...beside }, headers })

export const wrongFields = (fields: readonly FieldError[]): Answer => problem(400, fields)

/** How long a caller should wait before it tries again, in seconds. Nothing was taken on, so trying again is safe. */
export const RETRY_AFTER_S = 2

export const unavailable = (what: string, reason: string): Answer =>
  problem(503, `The ${what} cannot be reached: ${withoutSecrets(reason)}`, { unavailable: what }, { "retry-after": String(RETRY_AFTER_S) })

/** Reasons come from drivers, and drivers quote URLs: what stands between `//` and `@` never leaves. */
export const withoutSecrets = (text: string): string => text.replaceAll(/\/\/[^/@\s]+@/g, "//***@")

/** What came, short enough for an error message. */
export const shortened = (value: unknown): string => {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
