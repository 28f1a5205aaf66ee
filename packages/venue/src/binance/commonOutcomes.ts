/**
 * Rows of the outcome tables that are the same on spot and on futures. Source: binance.md section 5. Codes below -2000 differ
 * between the venues (-2021, -2022, -2026) and are never here.
 */
import { codes } from "./outcomeTable.ts"
import type { OutcomeRow } from "./outcomeTable.ts"

/** No answer at all. */
export const TRANSPORT_ROWS: readonly OutcomeRow[] = [
  { transport: "held", verdict: "rateLimit", meaning: "Our own rate budget kept the request back: it did not leave." },
  { transport: "notSent", message: "no_credentials", verdict: "account", effects: ["alarm"], meaning: "There is no key to sign with." },
  {
    transport: "notSent",
    message: "bad_call",
    verdict: "fatal",
    effects: ["alarm"],
    meaning: "The connector refused the call before sending.",
  },
  { transport: "notSent", verdict: "retry", meaning: "Connection refused, no such host, or TLS failed: no byte of the request left." },
  { transport: "lost", verdict: "unknown", meaning: "Reset or time-out after bytes may have been sent." },
]

/** By HTTP status, before any code. */
export const STATUS_ROWS: readonly OutcomeRow[] = [
  { status: 418, verdict: "rateLimit", effects: ["alarm"], meaning: "The IP address is banned; nothing leaves until the ban ends." },
  { status: 429, verdict: "rateLimit", meaning: "A rate limit was hit; the request was not executed." },
  {
    status: 403,
    verdict: "unknown",
    effects: ["alarm"],
    meaning: "Binance's firewall: HTML, no code. Most likely not processed; asked all the same.",
  },
]

/** Codes that say that nobody knows. */
export const UNKNOWN_ROWS: readonly OutcomeRow[] = [
  { codes: [-1000], verdict: "unknown", meaning: "UNKNOWN: an error while processing." },
  { codes: [-1001], verdict: "unknown", meaning: "DISCONNECTED: internal error; non-execution is not promised." },
  { codes: [-1006], verdict: "unknown", meaning: "UNEXPECTED_RESP: execution status unknown." },
  { codes: [-1007], verdict: "unknown", meaning: "TIMEOUT: send status unknown; execution status unknown." },
]

export const COMMON_ROWS: readonly OutcomeRow[] = [
  { codes: [-1002], verdict: "account", effects: ["alarm"], meaning: "UNAUTHORIZED." },
  { codes: [-1003], verdict: "rateLimit", meaning: "TOO_MANY_REQUESTS." },
  { codes: [-1013], verdict: "fatal", effects: ["refreshRules"], meaning: "A filter of the symbol; it did not reach the matching engine." },
  { codes: [-1014], verdict: "fatal", meaning: "Unsupported order combination." },
  { codes: [-1015], verdict: "rateLimit", meaning: "TOO_MANY_ORDERS: the account's order rate." },
  { codes: [-1016, -1020], verdict: "fatal", effects: ["alarm"], meaning: "Service gone, or operation not supported." },
  { codes: [-1021], verdict: "retry", effects: ["syncClock"], meaning: "INVALID_TIMESTAMP: outside of the receive window; not executed." },
  { codes: [-1022], verdict: "account", effects: ["alarm"], meaning: "INVALID_SIGNATURE: wrong secret." },
  { codes: [-1034], verdict: "rateLimit", meaning: "Too many connections." },
  { codes: [-1099], verdict: "account", effects: ["alarm"], meaning: "Not found, authenticated, or authorised." },
  { codes: [-1111], verdict: "fatal", effects: ["refreshRules"], meaning: "BAD_PRECISION: more places than the symbol allows." },
  { codes: [-1112], verdict: "retry", meaning: "NO_DEPTH: no orders on the other side of the book." },
  { codes: [-1121, -1220], verdict: "fatal", effects: ["refreshRules"], meaning: "No such symbol, or its status does not allow this." },
  {
    codes: [...codes(-1100, -1108), ...codes(-1114, -1119), -1127, -1128, -1130, -1131, -1134, -1135, -1136, -1145],
    verdict: "fatal",
    effects: ["alarm"],
    meaning: "A parameter is missing, superfluous or wrong: a bug of ours.",
  },
  { codes: [-1125], verdict: "retry", effects: ["newListenKey"], meaning: "The listen key is not known or has expired." },
  {
    codes: [...codes(-1158, -1168), ...codes(-1196, -1199), ...codes(-1222, -1225)],
    verdict: "fatal",
    meaning: "The geometry of an order list.",
  },
  { codes: [-2014, -2015], verdict: "account", effects: ["alarm"], meaning: "Key malformed; or key, IP address or permission refused." },
]
