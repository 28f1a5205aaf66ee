/**
 * Signing, as Binance documents it: REST signs the percent-encoded query string (since 2026-01-15 anything else is -1022), the
 * WebSocket API signs the parameters sorted by name and NOT encoded (binance.md 2.3). PURE but for `node:crypto`.
 *
 * Keys: HMAC (a secret), or Ed25519 (an unencrypted PEM; spot only).
 */
import { createHmac, createPrivateKey, sign as signBytes } from "node:crypto"

export type Credentials =
  | { readonly kind: "hmac"; readonly apiKey: string; readonly apiSecret: string }
  | { readonly kind: "ed25519"; readonly apiKey: string; readonly privateKey: string }

/** Signs a payload: hex for HMAC, base64 for Ed25519. */
export type Signer = (payload: string) => string

/** Throws when the private key is no unencrypted Ed25519 PEM. */
export const signerOf = (credentials: Credentials): Signer => {
  if (credentials.kind === "hmac") {
    const { apiSecret } = credentials
    return (payload) => createHmac("sha256", apiSecret).update(payload).digest("hex")
  }
  const key = createPrivateKey(credentials.privateKey)
  if (key.asymmetricKeyType !== "ed25519") throw new TypeError("the private key is no Ed25519 key")
  return (payload) => signBytes(null, Buffer.from(payload), key).toString("base64")
}

/** A value that may be sent: decimal and id text, never a float (`1e-7`), never a list (the connectors would mangle it). */
export type ParamValue = string | boolean | bigint
export type Params = Readonly<Record<string, ParamValue | undefined>>

/** The query string in the order of the object, percent-encoded; what is `undefined` or empty is left out. */
export const queryOf = (params: Readonly<Record<string, unknown>>): string =>
  Object.entries(params)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join("&")

/** `…&timestamp=…&signature=…` */
export const signedQuery = (params: Readonly<Record<string, unknown>>, timestampMs: number, signer: Signer): string => {
  const query = queryOf({ ...params, timestamp: String(timestampMs) })
  return `${query}&signature=${encodeURIComponent(signer(query))}`
}

/** The parameters of a WebSocket API request with their signature. Values must be plain ASCII: they are not encoded. */
export const signedSocketParams = (params: Readonly<Record<string, string>>, signer: Signer): Readonly<Record<string, string>> => {
  const payload = Object.entries(params)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&")
  return { ...params, signature: signer(payload) }
}
