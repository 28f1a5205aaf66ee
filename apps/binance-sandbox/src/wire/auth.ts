/**
 * Who sends a request, and whether it is signed as Binance wants it.
 *
 * REST: HMAC-SHA-256 (hex, any case), Ed25519 or RSA (base64) over the query string and the body exactly as they were sent,
 * without `signature`, which comes last. On spot what is signed must be percent-encoded (2026-01-15): anything that an encoder
 * would have encoded is refused with -1022; of futures nothing of the kind is known (ccxt sends its batches raw, in November
 * 2026). WebSocket API: over the parameters sorted by name, not encoded.
 */
import { createHmac, timingSafeEqual, verify } from "node:crypto"
import type { Account } from "../core/accounts.ts"
import { E } from "./errors.ts"

const ENCODED = /^[A-Za-z0-9\-_.~!*'()%=&+]*$/
const KEY = /^[A-Za-z0-9]{64}$/

export const readKey = (key: string | undefined, accounts: Iterable<Account>): Account => {
  if (key === undefined || !KEY.test(key)) throw E.keyFormat()
  for (const account of accounts) if (account.apiKey === key) return account
  throw E.key()
}

/** Whether a signature is the account's over this text. */
export const isSignedBy = (account: Account, payload: string, signature: string): boolean => {
  if (account.publicKey !== undefined) {
    try {
      const algorithm = account.publicKey.includes("BEGIN RSA") ? "RSA-SHA256" : null
      return verify(algorithm, Buffer.from(payload), account.publicKey, Buffer.from(signature, "base64"))
    } catch {
      return false
    }
  }
  if (account.apiSecret === undefined) return false
  const expected = Buffer.from(sign(account.apiSecret, payload))
  const given = Buffer.from(signature.toLowerCase())
  return expected.length === given.length && timingSafeEqual(expected, given)
}

/** The HMAC signature of a payload, hex. */
export const sign = (secret: string, payload: string): string => createHmac("sha256", secret).update(payload).digest("hex")

/** Splits `…&signature=X`: the signature is the last parameter of the query string or of the body. */
const unsigned = (text: string): { readonly payload: string; readonly signature: string | undefined } => {
  const at = text.startsWith("signature=") ? 0 : text.lastIndexOf("&signature=")
  if (at < 0) return { payload: text, signature: undefined }
  const signature = text.slice(text.indexOf("signature=", at) + "signature=".length)
  return signature.includes("&") ? { payload: text, signature: undefined } : { payload: text.slice(0, at), signature }
}

/** Checks the signature of a REST request. `encoded`: what is signed must be percent-encoded. */
export const checkRestSignature = (account: Account, query: string, body: string, encoded: boolean): void => {
  const inBody = unsigned(body)
  const inQuery = unsigned(query)
  const found = inBody.signature ?? inQuery.signature
  if (found === undefined || found === "") {
    if (/(^|&)signature=./.test(`${query}&${body}`)) throw E.signature()
    throw E.mandatory("signature")
  }
  const payload = inBody.signature === undefined ? inQuery.payload + body : query + inBody.payload
  if (encoded && !ENCODED.test(payload)) throw E.signature()
  let signature = found
  try {
    signature = decodeURIComponent(found)
  } catch {
    throw E.signature()
  }
  if (!isSignedBy(account, payload, signature)) throw E.signature()
}

/** What a WebSocket API request signs. */
export const socketPayload = (params: ReadonlyMap<string, string>): string =>
  [...params]
    .filter(([name]) => name !== "signature")
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&")

const AHEAD_MS = 1000

export interface Timing {
  readonly timestampMs: number
  readonly receiveWindowMs: number
}
/** Whether a timestamp is in time, at this reading of the server's clock: before the gate and again before the matching engine. */
export const lateness = (timing: Timing, serverMs: number): "fine" | "ahead" | "outside" => {
  if (timing.timestampMs >= serverMs + AHEAD_MS) return "ahead"
  return serverMs - timing.timestampMs <= timing.receiveWindowMs ? "fine" : "outside"
}

/** Reads `timestamp` (ms, or µs as 16 digits) and `recvWindow` (default 5000, at most 60000; spot allows three places). */
export const readTiming = (timestamp: string | undefined, receiveWindow: string | undefined, market: "spot" | "futures"): Timing => {
  if (timestamp === undefined || !/^\d{1,19}$/.test(timestamp)) throw E.mandatory("timestamp")
  if (receiveWindow !== undefined && !(market === "spot" ? /^\d{1,10}(\.\d{1,3})?$/ : /^\d{1,10}$/).test(receiveWindow))
    throw E.illegal("recvWindow", "^[0-9]{1,20}$")
  const receiveWindowMs = receiveWindow === undefined ? 5000 : Number(receiveWindow)
  if (receiveWindowMs > 60_000) throw E.receiveWindow()
  return { timestampMs: timestamp.length === 16 ? Number(timestamp) / 1000 : Number(timestamp), receiveWindowMs }
}
