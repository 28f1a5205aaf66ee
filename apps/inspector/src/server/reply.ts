/** Sending answers: JSON with a strict content-security policy, compressed where that pays; bodies read within a bound. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { gzip } from "node:zlib"

/** Nothing from another host, nothing inline: the page is three files of this server. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
}

/** Below this compressing costs more than it saves. */
const COMPRESS_FROM_BYTES = 2048

export const takesGzip = (request: IncomingMessage): boolean => /\bgzip\b/.test(request.headers["accept-encoding"] ?? "")

/** Resolves when the answer is handed to the network. Never rejects: a caller that hung up is nobody's trouble. */
export const sendJson = async (request: IncomingMessage, response: ServerResponse, status: number, value: unknown): Promise<void> => {
  const body = Buffer.from(JSON.stringify(value))
  const headers = { ...SECURITY_HEADERS, "cache-control": "no-store", "content-type": "application/json", vary: "accept-encoding" }
  if (body.length < COMPRESS_FROM_BYTES || !takesGzip(request)) {
    end(request, response, status, { ...headers, "content-length": String(body.length) }, body)
    return
  }
  const packed = await new Promise<Buffer | undefined>((resolve) =>
    gzip(body, { level: 4 }, (error, result) => resolve(error === null ? result : undefined)),
  )
  if (packed === undefined) end(request, response, status, headers, body)
  else end(request, response, status, { ...headers, "content-encoding": "gzip", "content-length": String(packed.length) }, packed)
}

export const problem = (request: IncomingMessage, response: ServerResponse, status: number, detail: string): Promise<void> =>
  sendJson(request, response, status, { detail })

export const end = (
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): void => {
  if (response.destroyed || response.headersSent) return
  response.writeHead(status, headers)
  response.end(request.method === "HEAD" ? undefined : body)
}

/** The bytes of a body, or `undefined` when there are more than `maxBytes`. */
export const readBody = async (request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> => {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
