/** What came of one HTTP request: four values that say whether the exchange may have executed it. */
import type { Json } from "./exactJson.ts"

export interface Answered {
  readonly _tag: "Answered"
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as it came, secrets removed, shortened. */
  readonly text: string
  /** The body decoded with exact numbers; `undefined` when it is no JSON (HTML of a firewall). */
  readonly body: Json | undefined
  readonly sentAtMs: number
  readonly receivedAtMs: number
}
/** No answer. `notSent`: certainly not executed (connection refused, no such host, TLS); else it may have been. */
export interface Unanswered {
  readonly _tag: "Unanswered"
  readonly notSent: boolean
  /** `TIMEOUT`, `ECONNRESET`, `ECONNREFUSED` … */
  readonly code: string
}
/** Our own rate budget kept it: certainly not executed. */
export interface Held {
  readonly _tag: "Held"
  readonly untilMs: number
  readonly message: string
}
export type Reply = Answered | Unanswered | Held

/** Errors of the connection phase: no byte of the request has left (binance.md section 5). */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_INVALID_URL",
  "ERR_BAD_OPTION",
])
/** Codes that also happen on an open connection: "not sent" only when the system call was `connect`. */
const ONLY_WHILE_CONNECTING: ReadonlySet<string> = new Set(["EHOSTUNREACH", "ENETUNREACH"])
const TIMED_OUT: ReadonlySet<string> = new Set(["ECONNABORTED", "ETIMEDOUT", "ERR_CANCELED"])

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Readonly<Record<string, unknown>>)[name] : undefined

/** Reads an error of axios or of Node; nothing else of it (it holds key and signature) leaves this function. */
export const unanswered = (error: unknown): Unanswered => {
  const code = property(error, "code")
  const name = typeof code === "string" && /^[A-Z0-9_]{1,64}$/.test(code) ? code : "NO_ANSWER"
  const syscall = property(error, "syscall") ?? property(property(error, "cause"), "syscall")
  const connecting = syscall === "connect" || syscall === "getaddrinfo"
  const notSent = connecting || (BEFORE_SENDING.has(name) && !ONLY_WHILE_CONNECTING.has(name))
  return { _tag: "Unanswered", notSent, code: TIMED_OUT.has(name) && !connecting ? "TIMEOUT" : name }
}

/**
 * Binance's `{code, msg}`; `undefined` for any other body. Codes of errors are negative: `{code: 200, msg: "success"}` is none.
 * The algo orders' service writes codes as text.
 */
export const errorOf = (answer: Answered): { readonly code: number; readonly message: string } | undefined => {
  const { body } = answer
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined
  const { code, msg } = body as Readonly<Record<string, Json | undefined>>
  const number = typeof code === "string" && /^-\d{1,9}$/.test(code) ? Number(code) : code
  return typeof number === "number" && number < 0 ? { code: number, message: typeof msg === "string" ? msg : "" } : undefined
}
export const isSuccess = (answer: Answered): boolean => answer.status >= 200 && answer.status < 300
