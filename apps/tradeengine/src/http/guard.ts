/**
 * Who may ask. Four rules, applied before any route:
 *
 * 1. **Host**: bound to loopback, only loopback names (and the configured host) are accepted in the `Host` header, so
 *    that a web page cannot reach the engine by letting its own name point to 127.0.0.1 (DNS rebinding).
 * 2. **Origin**: a request that changes something and carries an `Origin` (a browser sends it) must come from the page
 *    of this very server. There is no CORS: no other page may read an answer either.
 * 3. **Content-Type**: a body is JSON, not compressed, and says so. That also keeps a form of a foreign page out.
 * 4. **Token**: when one is set, everything but the two probes and the inspector's empty page (it asks for the token, and
 *    sends it with all that it reads) needs `Authorization: Bearer <token>`, compared in constant time.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { isIP } from "node:net"
import { isOpenPath } from "@petrosa/inspector"
import type { Answer } from "./answer.ts"
import { problem, shortened } from "./answer.ts"

export interface GuardOptions {
  /** What the server is bound to. */
  readonly host: string
  readonly token?: string
  /** Further names that are accepted in the `Host` header; with any of them the check also holds when not bound to loopback. */
  readonly allowedHosts?: readonly string[]
}

export interface RequestHead {
  readonly method: string
  /** Path and query, as sent. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Kubernetes and Docker ask these without credentials; they say nothing about trades. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"])

export const isLoopback = (host: string): boolean => {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase()
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1" || name === "::ffff:127.0.0.1") return true
  return isIP(name) === 4 && name.startsWith("127.")
}

/** The name in a `Host` header or an authority, without its port; `undefined` when it is no such thing. */
export const hostName = (authority: string): string | undefined => {
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^:/@\s]+)(?::\d{1,5})?$/.exec(authority.trim())
  return match?.[1]?.replace(/^\[|\]$/g, "").toLowerCase()
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** `undefined`: the request may pass. */
export const makeGuard = (options: GuardOptions): ((head: RequestHead) => Answer | undefined) => {
  const own = hostName(options.host.includes(":") && !options.host.startsWith("[") ? `[${options.host}]` : options.host) ?? options.host
  const allowed = new Set([own, ...(options.allowedHosts ?? []).map((name) => name.toLowerCase())])
  const loopback = isLoopback(options.host)
  const hostChecked = loopback || (options.allowedHosts ?? []).length > 0
  const expected = options.token === undefined ? undefined : digest(options.token)

  const hostRefused = (host: string | undefined): boolean => {
    if (!hostChecked) return false
    const name = host === undefined ? undefined : hostName(host)
    return name === undefined || !(allowed.has(name) || isLoopback(name))
  }
  const originRefused = (origin: string | undefined, host: string | undefined): boolean => {
    if (origin === undefined) return false
    try {
      return host === undefined || new URL(origin).host !== host.toLowerCase()
    } catch {
      return true
    }
  }
  const tokenRefused = (authorization: string | undefined): boolean => {
    if (expected === undefined) return false
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
    return given === undefined || !timingSafeEqual(digest(given), expected)
  }

  return ({ method, url, headers }) => {
    const changes = method !== "GET" && method !== "HEAD"
    if (hostRefused(headers["host"])) {
      return problem(
        421,
        `The Host header ${shortened(headers["host"] ?? "(none)")} is not a name of this server. It answers to loopback names only.`,
      )
    }
    if (changes && originRefused(headers["origin"], headers["host"])) {
      return problem(403, "A page of another origin may not do this.")
    }
    const path = url.split("?", 1)[0] ?? url
    if (!OPEN_PATHS.has(path) && !(isOpenPath(path) && !changes) && tokenRefused(headers["authorization"])) {
      return problem(401, "This needs the header Authorization: Bearer <HTTP_TOKEN>.", {}, { "www-authenticate": 'Bearer realm="petrosa"' })
    }
    const hasBody =
      headers["content-type"] !== undefined || (headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined
    const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase()
    if (method === "POST" && hasBody && type !== "application/json") {
      return problem(415, `The body must be sent as application/json; this came as ${shortened(type ?? "nothing")}.`)
    }
    const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity"
    if (hasBody && encoding !== "identity" && encoding !== "") {
      return problem(415, `The body must be sent as it is; this came with the Content-Encoding ${shortened(encoding)}.`)
    }
    return undefined
  }
}

/** Sent with every answer. The docs page is one file with its script and style inside, so it alone may run them. */
export const securityHeaders = (path: string): Readonly<Record<string, string>> => ({
  "cache-control": "no-store",
  "content-security-policy":
    path === "/docs"
      ? "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      : "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
})
