/**
 * `petrosa verify [<id>|--all]`: whether the events are what they were when they were written. Also while the engine
 * writes. Exit 0 whole, 1 broken (and where), 2 unreadable.
 */
import { isOrderId, orderStream } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import { CANNOT, CliError, type ExitCode, NO, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { findOrder, withStore } from "../openStore.ts"
import { readSettings } from "../settings.ts"
import { plural, safe } from "../text.ts"
import { type Finding, type Verdict, verifyAll, verifyStream } from "../verify.ts"

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
    const verdict =
      id === undefined
        ? await verifyAll(store, {
            ...(options.anchor === undefined ? {} : { anchor: options.anchor }),
            onProgress: (streams, events) => io.progress(`verified ${streams} streams, ${events} events`),
          })
        : await verifyStream(store, await streamOf(store, id))
    if (options.json === true) io.json(verdict)
    else show(io, verdict)
    return exitOf(verdict)
  })
}

/** An order by any of its ids; a stream (`rejected/…`, `anchor/…`) by its name. The row is a cache: a stream is also looked for without it. */
const streamOf = async (store: EventStore, id: string): Promise<string> => {
  if (id.includes("/")) return id
  const row = await store.findOrder(id)
  if (row !== undefined) return row.stream
  return isOrderId(id) ? orderStream(id) : (await findOrder(store, id)).stream
}

const exitOf = (verdict: Verdict): ExitCode => {
  if (verdict.findings.some((finding) => finding.what !== "unreadable")) return NO
  return verdict.findings.length > 0 ? CANNOT : OK
}

const show = (io: Io, verdict: Verdict): void => {
  const checked = `${plural(verdict.streams, "stream")}, ${plural(verdict.events, "event")}`
  if (verdict.findings.length === 0) {
    io.out(io.c.green(`Whole: ${checked}${verdict.anchors === undefined ? "" : `, ${plural(verdict.anchors, "anchor")}`}.`))
    for (const note of verdict.notes) io.out(io.c.dim(safe(note)))
    return
  }
  for (const finding of verdict.findings.slice(0, FINDINGS_SHOWN)) io.out(io.c.red(line(finding)))
  const more = verdict.findings.length - FINDINGS_SHOWN
  if (more > 0) io.out(`and ${more} more (--json has all)`)
  io.out(io.c.red(`${plural(verdict.findings.length, "finding")} in ${checked}.`))
}

const line = (finding: Finding): string => {
  const place = finding.version === undefined ? safe(finding.stream) : `${safe(finding.stream)} version ${finding.version}`
  return `${place}: ${finding.what}: ${safe(finding.detail)}`
}
