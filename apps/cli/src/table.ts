/** Tables without lines: they can be read, copied, and cut with `cut` and `awk`. Widths follow the terminal. */
import Table from "cli-table3"
import type { Io } from "./io.ts"

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
} as const

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
const ANSI = /\u001b\[[0-9;]*m/g
export const widthOf = (text: string): number => [...text.replaceAll(ANSI, "")].length

export interface Column {
  readonly head: string
  /** Dropped first when the terminal is narrow: the highest number goes first; 0 stays. */
  readonly drop?: number
  /** Takes what is left of the line, wrapped. At most one. */
  readonly wraps?: boolean
}

const GAP = 2
const WRAP_LEAST = 24

/** The table as lines, or `undefined` when it cannot be shown in this width. */
export const table = (io: Io, columns: readonly Column[], rows: readonly (readonly string[])[]): string | undefined => {
  const widths = columns.map((column, index) => Math.max(widthOf(column.head), ...rows.map((row) => widthOf(row[index] ?? ""))))
  const shown = new Set(columns.keys())
  const taken = (): number =>
    [...shown].reduce(
      (sum, index) => sum + GAP + (columns[index]?.wraps === true ? Math.min(WRAP_LEAST, widths[index] ?? 0) : (widths[index] ?? 0)),
      -GAP,
    )
  while (taken() > io.columns) {
    const next = [...shown]
      .filter((index) => (columns[index]?.drop ?? 0) > 0)
      .sort((a, b) => (columns[b]?.drop ?? 0) - (columns[a]?.drop ?? 0))[0]
    if (next === undefined) return undefined
    shown.delete(next)
  }
  const kept = [...shown].sort((a, b) => a - b)
  const wrapped = kept.find((index) => columns[index]?.wraps === true)
  if (wrapped !== undefined && io.columns !== Number.POSITIVE_INFINITY) {
    const others = kept.reduce((sum, index) => sum + (index === wrapped ? 0 : (widths[index] ?? 0) + GAP), 0)
    widths[wrapped] = Math.min(widths[wrapped] ?? 0, io.columns - others)
  }
  const drawn = new Table({
    chars: NO_LINES,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    head: kept.map((index) => io.c.dim(columns[index]?.head ?? "")),
    colWidths: kept.map((index) => widths[index] ?? 0),
    wordWrap: true,
    wrapOnWordBoundary: true,
  })
  for (const row of rows) drawn.push(kept.map((index) => row[index] ?? ""))
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
}

/** Words of a text in lines of at most `width` characters, each after `indent`. */
export const wrap = (text: string, width: number, indent: string): string => {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width - indent.length) {
      lines.push(indent + line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  lines.push(indent + line)
  return lines.join("\n")
}
