/**
 * Verification: is the store what was written into it?
 *
 * Anchors are read before streams, so that verifying also works while an engine writes: what an anchor knows was durable
 * before it, and must still be there. Found are: a changed event, one that is missing, inserted or replaced, and, up to
 * the last anchor, a tail that was cut off and a stream that is gone. What cannot be read now is read once more before it
 * becomes a finding.
 */
import { ANCHOR_STREAM_PREFIX } from "@petrosa/contracts"
import { anchoredHeads } from "./anchors.ts"
import type { EventStore, StoredEvent, StreamHead } from "./eventStore.ts"
import { type ChainBreak, recordFromText, verifyChain } from "./hashChain.ts"

export interface Finding {
  readonly stream: string
  /** The first version that is not as it was; 0 when the whole stream is meant. */
  readonly version: number
  readonly what:
    | ChainBreak
    /** An anchor knows a later event of this stream. */
    | "tailMissing"
    /** An anchor knows this stream, and it is not there. */
    | "streamMissing"
    /** An anchor knows another hash for this version: the chain was written anew. */
    | "rewritten"
    /** The anchor that was asked for (`--anchor`) is not in the store. */
    | "anchorMissing"
  readonly detail: string
}

export interface Verification {
  readonly streams: number
  readonly events: number
  /** Streams that anchors know, and heads that they hold. */
  readonly anchored: number
  readonly findings: readonly Finding[]
}

export interface VerifyOptions {
  /** Called now and then with how far it is. */
  readonly onProgress?: (done: { readonly streams: number; readonly events: number }) => void
  /** The hash of an anchor's head, as it was logged: it must be in the store. */
  readonly anchor?: string
}

type ReadStore = Pick<EventStore, "readRaw" | "rawStreams">

/** The newest head that anchors know of each stream, and what is wrong with the anchors themselves. */
const readAnchors = async (
  store: ReadStore,
): Promise<{ readonly heads: ReadonlyMap<string, StreamHead>; readonly hashes: ReadonlySet<string> }> => {
  const heads = new Map<string, StreamHead>()
  const hashes = new Set<string>()
  for await (const batch of store.rawStreams(ANCHOR_STREAM_PREFIX)) {
    for (const { events } of batch) {
      for (const { text, hash } of events) {
        hashes.add(hash)
        const record = recordFromText(text, hash)
        for (const head of (record && anchoredHeads(record.type, record.schema, record.data)) ?? []) {
          const known = heads.get(head.stream)
          if (known === undefined || known.version < head.version) heads.set(head.stream, head)
        }
      }
    }
  }
  return { heads, hashes }
}

/** What is wrong with one stream, first thing first; `undefined` when it is whole. */
const judge = (stream: string, events: readonly StoredEvent[], anchored: StreamHead | undefined): Finding | undefined => {
  const verdict = verifyChain(stream, events)
  if (!verdict.ok) return { stream, version: verdict.version, what: verdict.what, detail: verdict.detail }
  if (anchored === undefined) return undefined
  if (events.length === 0) return { stream, version: 0, what: "streamMissing", detail: `an anchor knows its version ${anchored.version}` }
  if (verdict.version < anchored.version) {
    return {
      stream,
      version: verdict.version + 1,
      what: "tailMissing",
      detail: `it ends at version ${verdict.version}; an anchor knows version ${anchored.version}`,
    }
  }
  const there = events[anchored.version - 1]
  return there?.hash === anchored.hash
    ? undefined
    : {
        stream,
        version: anchored.version,
        what: "rewritten",
        detail: `an anchor knows it with the hash ${anchored.hash}, stored is ${there?.hash ?? "nothing"}`,
      }
}

/** Judges again what looked wrong: an engine may have been writing. */
const judgeAgain = async (store: ReadStore, stream: string, anchored: StreamHead | undefined): Promise<Finding | undefined> =>
  judge(stream, await store.readRaw(stream), anchored)

/**
 * One stream, with what anchors know of it.
 * @throws StoreUnavailable
 */
export const verifyStream = async (store: ReadStore, stream: string): Promise<Verification> => {
  const { heads } = await readAnchors(store)
  const events = await store.readRaw(stream)
  const anchored = heads.get(stream)
  const finding = judge(stream, events, anchored)
  return {
    streams: events.length === 0 ? 0 : 1,
    events: events.length,
    anchored: anchored === undefined ? 0 : 1,
    findings: finding === undefined ? [] : [finding],
  }
}

/**
 * The whole store, in one pass.
 * @throws StoreUnavailable
 */
export const verifyAll = async (store: ReadStore, options: VerifyOptions = {}): Promise<Verification> => {
  const { heads, hashes } = await readAnchors(store)
  const left = new Map(heads)
  const findings: Finding[] = []
  let streams = 0
  let count = 0
  if (options.anchor !== undefined && !hashes.has(options.anchor)) {
    findings.push({ stream: ANCHOR_STREAM_PREFIX, version: 0, what: "anchorMissing", detail: `no anchor has the hash ${options.anchor}` })
  }
  for await (const batch of store.rawStreams("")) {
    for (const { stream, events } of batch) {
      const anchored = heads.get(stream)
      left.delete(stream)
      streams += 1
      count += events.length
      if (judge(stream, events, anchored) === undefined) continue
      const finding = await judgeAgain(store, stream, anchored)
      if (finding !== undefined) findings.push(finding)
      else if (isNameless(stream)) findings.push({ stream, version: 0, what: "inserted", detail: "events that belong to no stream" })
    }
    options.onProgress?.({ streams, events: count })
  }
  for (const [stream, anchored] of left) {
    const finding = await judgeAgain(store, stream, anchored)
    if (finding !== undefined) findings.push(finding)
  }
  return { streams, events: count, anchored: heads.size, findings }
}

/** SQLite: events whose stream's name was removed cannot be read by it again. */
const isNameless = (stream: string): boolean => stream.startsWith("nameless/")
