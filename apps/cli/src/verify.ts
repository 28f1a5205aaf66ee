/** The seam to the store's verification: what a terminal needs to know of it. */
import type { ChainBreak, EventStore } from "@petrosa/event-store"
import { verifyChain } from "@petrosa/event-store"
import { CliError, NO } from "./exits.ts"

export interface Finding {
  readonly stream: string
  readonly version?: number
  readonly what: ChainBreak | "cut"
  readonly detail: string
}

export interface Verdict {
  readonly streams: number
  readonly events: number
  /** Anchors that were held against the streams; absent when only one stream was looked at. */
  readonly anchors?: number
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
}

export const verifyStream = async (store: EventStore, stream: string): Promise<Verdict> => {
  const stored = await store.readRaw(stream)
  if (stored.length === 0) throw new CliError(`There are no events of ${stream} in this store.`, NO)
  const verdict = verifyChain(stream, stored)
  return { streams: 1, events: stored.length, findings: verdict.ok ? [] : [{ stream, ...verdict }], notes: [] }
}

export const verifyAll = async (
  store: EventStore,
  options: { readonly anchor?: string; readonly onProgress: (streams: number, events: number) => void },
): Promise<Verdict> => {
  let streams = 0
  let events = 0
  const findings: Finding[] = []
  for await (const batch of store.rawStreams("")) {
    for (const { stream, events: stored } of batch) {
      streams += 1
      events += stored.length
      const verdict = verifyChain(stream, stored)
      if (!verdict.ok) findings.push({ stream, version: verdict.version, what: verdict.what, detail: verdict.detail })
    }
    options.onProgress(streams, events)
  }
  return { streams, events, findings, notes: [] }
}
