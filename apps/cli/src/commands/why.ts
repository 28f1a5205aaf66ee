/**
 * `petrosa why <id>`: the causal walk from the signal's bytes to venue ids and fills, in sentences, and what today's code
 * would decide with the same recorded inputs. Reads the store only; exit code 1 when today's code decides otherwise.
 */
import type { Again, Why, WhyLine } from "@petrosa/lifecycle"
import { CANNOT, CliError, type ExitCode, NO, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { findOrder, withStore } from "../openStore.ts"
import { readSettings } from "../settings.ts"
import { wrap } from "../table.ts"
import { clock, cut, safe } from "../text.ts"

export const why = (io: Io, id: string, options: { readonly json?: boolean }): Promise<ExitCode> =>
  withStore(readSettings(), async (store) => {
    const row = await findOrder(store, id)
    const read = (await store.readStreams([row.stream])).get(row.stream)
    if (read === undefined) throw new CliError(`The order ${row.order} has no events in this store.`)
    // Loaded on demand: xstate is not needed by the other commands.
    const { explainOrder } = await import("@petrosa/lifecycle")
    const explained = explainOrder(read.events)
    if (options.json === true) io.json(explained)
    else show(io, explained)
    if (read._tag === "Unreadable") {
      io.err(`From version ${read.version} on this order cannot be read: ${read.detail}. A newer version of petrosa may.`)
      return CANNOT
    }
    return explained.again._tag === "Different" ? NO : OK
  })

const show = (io: Io, explained: Why): void => {
  io.out(io.c.bold(explained.order))
  io.out(wrap(safe(explained.answer), io.columns, ""))
  for (const { title, lines } of explained.chapters) {
    io.out("")
    io.out(io.c.bold(title))
    for (const line of lines) io.out(lineText(io, line))
  }
  if (explained.timings.length > 1) {
    io.out("")
    io.out(io.c.bold("Where did the time go?"))
    for (const { name, tookMs, says } of explained.timings.slice(1)) io.out(`  ${`${tookMs} ms`.padStart(9)}  ${name}: ${says}`)
  }
  io.out("")
  io.out(io.c.bold("And today?"))
  for (const text of againText(explained.again)) io.out(wrap(safe(text), io.columns, "  "))
}

const lineText = (io: Io, line: WhyLine): string => {
  const mark = line.rule === undefined ? " " : line.rule.passed ? io.c.green("✓") : io.c.red("✗")
  const rule =
    line.rule === undefined ? "" : io.c.dim(` [${safe(line.rule.name)}: ${safe(line.rule.observed)}, limit ${safe(line.rule.limit)}]`)
  const head = `${io.c.dim(String(line.version).padStart(3))} ${io.c.dim(clock(line.at))} ${mark} `
  return head + wrap(safe(line.text), io.columns, " ".repeat(19)).trimStart() + rule
}

const SHOWN = 200

const againText = (again: Again): readonly string[] => {
  switch (again._tag) {
    case "Same":
      return [
        `With the same recorded inputs today's code decides the same, field for field (${again.decided}).`,
        ...again.assumed.map((text) => `Not recorded, and assumed: ${text}.`),
      ]
    case "Different":
      return [
        `With the same recorded inputs today's code decides otherwise. The first difference is ${again.path}: recorded is ${cut(again.recorded, SHOWN)}, today it would be ${cut(again.today, SHOWN)}.`,
        ...again.assumed.map((text) => `Not recorded, and assumed: ${text}.`),
      ]
    case "NotPossible":
      return [`It cannot be decided again: ${again.why}.`]
  }
}
