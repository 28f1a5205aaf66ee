/** A file that is too long holds more than one thing. */
import { MAX_LINES } from "./layers.ts"
import type { Finding, Source } from "./sources.ts"

export const checkSizes = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0)
    return lines > MAX_LINES ? [{ path, line: 0, message: `has ${lines} lines; ${MAX_LINES} is the most` }] : []
  })
