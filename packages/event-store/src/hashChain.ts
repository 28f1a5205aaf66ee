/**
 * The hash chain of a stream: SHA-256 over the canonical text of each event, which names the hash of the event before.
 *
 * Promises: {@link verifyChain} finds an event that was changed, one that is missing between others, one that was put
 * where it does not belong. It cannot find a tail that was cut off, nor a chain that was written anew as a whole: the
 * anchors do that (anchors.ts, verify.ts).
 */
import { hash as digest } from "node:crypto"
import { type EventEnvelope, type EventRecord, eventId, type UnsealedRecord } from "@petrosa/contracts"
import type { StoredEvent } from "./eventStore.ts"

/** `prev` of a stream's first event. */
export const CHAIN_START = ""

export const hashOf = (text: string): string => digest("sha256", text)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value)

/** The record of a stored text, or `undefined` when the text is no event. Its form beyond the envelope is not checked. */
export const recordFromText = (text: string, hash: string): EventRecord | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { stream, version, type, schema, prev, data } = value
  if (typeof stream !== "string" || typeof version !== "number" || typeof type !== "string" || typeof schema !== "number") return undefined
  if (typeof prev !== "string" || !isObject(data)) return undefined
  // Fresh from the parser, and nobody else's: the hash is put into it, not into a copy of forty fields.
  return Object.assign(value as unknown as UnsealedRecord, { hash })
}

/**
 * The same without the flat fields, which stand after `prev` in a canonical text, and of which the next event says most
 * again. A text that is none, or that names another event before it than `prev`, is read whole.
 */
export const envelopeFromText = (text: string, hash: string, prev: string): EventEnvelope | undefined => {
  const named = `,"prev":${JSON.stringify(prev)}`
  // No text within the event can hold this: its quotes would be escaped. Were it a key of something inside, the braces would not match.
  const at = text.indexOf(`${named},"order":`)
  return (at < 0 ? undefined : recordFromText(`${text.slice(0, at)}${named}}`, hash)) ?? recordFromText(text, hash)
}

export type ChainBreak =
  /** The text does not have the hash that is stored with it. */
  | "changed"
  /** One or more versions before this one are not there. */
  | "missing"
  /** It says of itself that it belongs elsewhere, or its version is there twice, or the next event does not know it. */
  | "inserted"
  /** It does not follow the event before it: that one was replaced as a whole. */
  | "prev"
  | "unreadable"

export type ChainVerdict =
  | { readonly ok: true; readonly version: number; readonly hash: string }
  | { readonly ok: false; readonly version: number; readonly what: ChainBreak; readonly detail: string }

const broken = (version: number, what: ChainBreak, detail: string): ChainVerdict => ({ ok: false, version, what, detail })

/** The first break of a stream's chain, or its head (version 0 and {@link CHAIN_START} of a stream without events). */
export const verifyChain = (stream: string, stored: readonly StoredEvent[]): ChainVerdict => {
  let version = 0
  let head = CHAIN_START
  for (const [index, event] of stored.entries()) {
    if (event.version <= version) return broken(event.version, "inserted", `version ${event.version} is there more than once`)
    if (event.version > version + 1) return broken(version + 1, "missing", `after version ${version} comes ${event.version}`)
    const found = hashOf(event.text)
    if (found !== event.hash) return broken(event.version, "changed", `its text has the hash ${found}, stored is ${event.hash}`)
    const record = recordFromText(event.text, event.hash)
    if (record === undefined) return broken(event.version, "unreadable", "its text is not an event")
    if (record.stream !== stream || record.version !== event.version || record._id !== eventId(stream, event.version)) {
      return broken(event.version, "inserted", `it says that it is ${record._id}`)
    }
    if (record.prev !== head) {
      const next = stored[index + 1]
      const nextPrev = next === undefined ? undefined : recordFromText(next.text, next.hash)?.prev
      return nextPrev === head
        ? broken(event.version, "inserted", "the event after it follows the one before it")
        : broken(event.version, "prev", `it follows ${record.prev || "nothing"}, before it is ${head || "nothing"}`)
    }
    version = event.version
    head = event.hash
  }
  return { ok: true, version, hash: head }
}
