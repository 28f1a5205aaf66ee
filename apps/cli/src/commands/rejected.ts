/**
 * `petrosa rejected`: the messages that were no signals, newest first: why, and how they began. They are kept in streams
 * `rejected/…` of the store; whoever published them over NATS is told nothing, so here is where to look.
 */
import { REJECTED_STREAM_PREFIX } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import { type ExitCode, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { withStore } from "../openStore.ts"
import { readSettings } from "../settings.ts"
import { type Column, table } from "../table.ts"
import { cut, dateAndClock, plural, printed, safe } from "../text.ts"

export interface RejectedOptions {
  readonly limit: number
  readonly json?: boolean
}

interface Rejected {
  readonly stream: string
  readonly at: string
  readonly data: Readonly<Record<string, unknown>>
}

const RAW_SHOWN = 60
const COLUMNS: readonly Column[] = [
  { head: "received" },
  { head: "by", drop: 2 },
  { head: "code" },
  { head: "what is wrong", wraps: true },
  { head: "begins", drop: 1 },
]

export const rejected = (io: Io, options: RejectedOptions): Promise<ExitCode> =>
  withStore(readSettings(), async (store): Promise<ExitCode> => {
    const { newest, all } = await newestOf(io, store, options.limit)
    if (options.json === true) {
      io.json({ rejected: newest.map(({ stream, at, data }) => ({ stream, at, ...data })), all })
      return OK
    }
    if (newest.length === 0) io.out("No message was rejected.")
    else {
      io.out(table(io, COLUMNS, newest.map(cellsOf)) ?? newest.map((one) => cellsOf(one).join("  ")).join("\n"))
      if (all > newest.length) io.out(`${newest.length} of ${plural(all, "rejected message")}; --limit shows more.`)
    }
    return OK
  })

/** One pass over the rejections; no more than twice the limit is held. */
const newestOf = async (
  io: Io,
  store: EventStore,
  limit: number,
): Promise<{ readonly newest: readonly Rejected[]; readonly all: number }> => {
  let newest: Rejected[] = []
  let all = 0
  const keepNewest = (): void => {
    newest = newest.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, limit)
  }
  for await (const streams of store.rawStreams(REJECTED_STREAM_PREFIX)) {
    for (const { stream, events } of streams) {
      all += 1
      newest.push(readOne(stream, events[0]?.text))
      if (newest.length >= limit * 2) keepNewest()
    }
    io.progress(`read ${plural(all, "rejected message")}`)
  }
  keepNewest()
  return { newest, all }
}

/** What cannot be read (`petrosa verify` says why) is shown all the same. */
const readOne = (stream: string, text: string | undefined): Rejected => {
  try {
    const { at, data } = JSON.parse(text ?? "") as Partial<Rejected>
    if (typeof at === "string" && typeof data === "object" && data !== null) return { stream, at, data }
  } catch {
    // Below.
  }
  return { stream, at: "", data: { code: "UNREADABLE", message: `${stream} cannot be read: petrosa verify says why` } }
}

const cellsOf = ({ at, data }: Rejected): readonly string[] => {
  const { code, transport, encoding, raw, length } = data
  const begins = encoding === "utf8" ? cut(printed(raw), RAW_SHOWN) : `${printed(length)} bytes`
  return [at === "" ? "-" : dateAndClock(at), printed(transport), printed(code), whyOf(data), begins]
}

const whyOf = ({ fields, message }: Readonly<Record<string, unknown>>): string => {
  if (!Array.isArray(fields) || fields.length === 0) return printed(message)
  return fields
    .slice(0, 5)
    .map((one: { readonly field?: unknown; readonly expected?: unknown; readonly received?: unknown }) =>
      safe(`${printed(one.field)}: expected ${printed(one.expected)}; it is ${printed(one.received)}`),
    )
    .join("; ")
}
