/**
 * The bytes of a request's body, as they came: a signal's numbers are taken from its source text, so nothing may parse
 * the body before the engine does.
 *
 * At most {@link BODY_MAX_BYTES} are kept. A larger body is read on (and thrown away) for its length and its hash, which
 * is what the caller and the log are told; after {@link DRAIN_MAX_BYTES} the connection is closed instead.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"
import type { Answer } from "./answer.ts"
import { problem } from "./answer.ts"

export const BODY_MAX_BYTES = 1024 * 1024
export const DRAIN_MAX_BYTES = 16 * 1024 * 1024

export interface TooLarge {
  readonly _tag: "TooLarge"
  /** Bytes that were read: the whole length when `complete`. */
  readonly lengthBytes: number
  readonly sha256: string
  readonly complete: boolean
}
export type Body = { readonly _tag: "Bytes"; readonly bytes: Uint8Array } | TooLarge

/** Fails as a defect when the connection breaks while the body is read: there is nobody left to answer. */
export const readBody = (request: HttpServerRequest): Effect.Effect<Body> =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    const chunks: Uint8Array[] = []
    let lengthBytes = 0
    const take = (chunk: Uint8Array): boolean => {
      lengthBytes += chunk.length
      hash.update(chunk)
      if (lengthBytes <= BODY_MAX_BYTES) chunks.push(chunk)
      else chunks.length = 0
      return lengthBytes <= DRAIN_MAX_BYTES
    }
    const read = Stream.runForEachWhile(request.stream, (chunk) => Effect.sync(() => take(chunk)))
    const done = Effect.sync((): Body => {
      if (lengthBytes <= BODY_MAX_BYTES) return { _tag: "Bytes", bytes: Buffer.concat(chunks) }
      return { _tag: "TooLarge", lengthBytes, sha256: hash.digest("hex"), complete: lengthBytes <= DRAIN_MAX_BYTES }
    })
    return Effect.orDie(Effect.andThen(read, done))
  })

export const tooLarge = (body: TooLarge): Answer =>
  problem(
    413,
    {
      message: `The body is larger than ${BODY_MAX_BYTES} bytes.`,
      limit_bytes: BODY_MAX_BYTES,
      length_bytes: body.lengthBytes,
      sha256: body.sha256,
      ...(body.complete ? {} : { note: `Only the first ${body.lengthBytes} bytes were read: length and hash are theirs.` }),
    },
    {},
    body.complete ? {} : { connection: "close" },
  )
