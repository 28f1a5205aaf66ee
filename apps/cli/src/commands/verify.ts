/**
 * `petrosa verify [<id>|--all]`: whether the events are what they were when they were written. Also while the engine
 * writes. Exit 0 whole, 1 broken (and where), 2 unreadable.
 */
import { isOrderId, orderStream } from "@petrosa/contracts"
import { type EventStore, type Finding, type Verification, verifyAll, verifyStream } from "@petrosa/event-store"
import { CANNOT, CliError, type ExitCode, NO, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { findOrder, withStore } from "../openStore.ts"
import { readSettings } from "../settings.ts"
import { plural, safe } from "../text.ts"

export interface VerifyOptions {
  readonly all?: boolean
  readonly anchor?: string
  readonly json?: boolean
}

const FINDINGS_SHOWN = 50

export const verify = (io: Io, id: string | undefined, options: VerifyOptions): Promise<ExitCode> => {
  if (id !== undefined && (options.all === true || options.anchor !== undefined)) {
    throw new CliError("Either an id, or everything: --all and --anchor are for the whole store.")
  }
  return withStore(readSettings(), async (store): Promise<ExitCode> => {
    const found = id === undefined ? await everything(io, store, options.anchor) : await one(store, id)
    if (options.json === true) io.json(found)
    else show(io, found)
    return exitOf(found)
  })
}

const everything = (io: Io, store: EventStore, anchor: string | undefined): Promise<Verification> =>
  verifyAll(store, {
    ...(anchor === undefined ? {} : { anchor }),
    onProgress: ({ streams, events }) => io.progress(`verified ${plural(streams, "stream")}, ${plural(events, "event")}`),
  })

const one = async (store: EventStore, id: string): Promise<Verification> => {
  const stream = await streamOf(store, id)
  const found = await verifyStream(store, stream)
  if (found.streams === 0 && found.findings.length === 0) throw new CliError(`There are no events of ${safe(stream)} in this store.`, NO)
  return found
}

/** An order by any of its ids; a stream (`rejected/…`, `anchor/…`) by its name. The row is a cache: a stream is also looked for without it. */
const streamOf = async (store: EventStore, id: string): Promise<string> => {
  const row = await store.findOrder(id)
  if (row !== undefined) return row.stream
  if (isOrderId(id)) return orderStream(id)
  return id.includes("/") ? id : (await findOrder(store, id)).stream
}

const exitOf = ({ findings }: Verification): ExitCode => {
  if (findings.some((finding) => finding.what !== "unreadable")) return NO
  return findings.length > 0 ? CANNOT : OK
}

const show = (io: Io, { streams, events, anchored, findings }: Verification): void => {
  const checked = `${plural(streams, "stream")}, ${plural(events, "event")}`
  if (findings.length === 0) {
    io.out(io.c.green(`Whole: ${checked}; ${anchored} of the streams vouched for by anchors.`))
    return
  }
  for (const finding of findings.slice(0, FINDINGS_SHOWN)) io.out(io.c.red(line(finding)))
  if (findings.length > FINDINGS_SHOWN) io.out(`and ${findings.length - FINDINGS_SHOWN} more (--json has all)`)
  io.out(io.c.red(`${plural(findings.length, "finding")} in ${checked}.`))
}

const line = ({ stream, version, what, detail }: Finding): string => {
  const place = version === 0 ? safe(stream) : `${safe(stream)} version ${version}`
  return `${place}: ${WORDS[what]}: ${safe(detail)}`
}

const WORDS: Readonly<Record<Finding["what"], string>> = {
  changed: "changed",
  missing: "missing",
  inserted: "inserted",
  prev: "does not follow the event before it",
  unreadable: "unreadable",
  tailMissing: "the end is missing",
  streamMissing: "the whole stream is missing",
  rewritten: "written anew",
  anchorMissing: "the anchor is missing",
}
