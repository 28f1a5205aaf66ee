/**
 * Signals from a file or from stdin: one JSON object, an array of objects, or NDJSON (one object a line).
 *
 * An object that stands alone, or on a line, is sent as the bytes that it is: what a publisher would have sent. Only what
 * must be changed (an id put in) or taken out of an array is written anew, and then with every number as it was written.
 */
import { readFile } from "node:fs/promises"
import { CliError } from "./exits.ts"

export interface InputSignal {
  /** JSON text of one object. */
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Everything is held in memory: a larger file is split first. */
export const INPUT_MAX_BYTES = 256 * 1024 * 1024

interface ExactJson {
  rawJSON(text: string): unknown
  isRawJSON(value: unknown): boolean
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}
const exactJson = JSON as unknown as ExactJson

/** `JSON.parse`, where every number keeps its source text: `67000.0` and 20-digit decimals are written as they were read. */
export const parseExact = (text: string): unknown =>
  exactJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? exactJson.rawJSON(source) : value,
  )

/** A number that keeps its text is an object to JavaScript, and none to us. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !exactJson.isRawJSON(value)

const readAll = async (source: string): Promise<string> => {
  const chunks: Buffer[] = []
  let length = 0
  if (source !== "-") {
    try {
      chunks.push(await readFile(source))
      length = chunks[0]?.length ?? 0
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      throw new CliError(code === "ENOENT" ? `There is no file ${source}.` : `${source} cannot be read: ${(error as Error).message}`)
    }
  } else {
    for await (const chunk of process.stdin) {
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (length > INPUT_MAX_BYTES) break
    }
  }
  if (length > INPUT_MAX_BYTES) throw new CliError(`The input is larger than ${INPUT_MAX_BYTES / 1024 / 1024} MiB. Split it.`)
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new CliError("The input is not valid UTF-8.")
  }
}

export const parseSignals = (text: string): readonly InputSignal[] => {
  if (text.trim() === "") throw new CliError("The input is empty.")
  let whole: unknown
  try {
    whole = parseExact(text)
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "")
    if (lines.length < 2) throw new CliError(`The input is no JSON: ${(error as Error).message}`)
    return parseLines(text)
  }
  if (isObject(whole)) return [{ text: text.trim(), fields: whole }]
  if (!Array.isArray(whole)) throw new CliError("The input is JSON, but neither an object nor an array of objects.")
  if (whole.length === 0) throw new CliError("The input is an empty array.")
  return whole.map((element: unknown, index) => {
    if (!isObject(element)) throw new CliError(`Element ${index + 1} of the array is no object.`)
    return { text: JSON.stringify(element), fields: element }
  })
}

const parseLines = (text: string): readonly InputSignal[] => {
  const signals: InputSignal[] = []
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue
    let fields: unknown
    try {
      fields = parseExact(line)
    } catch (error) {
      throw new CliError(`Line ${index + 1} is no JSON: ${(error as Error).message}`)
    }
    if (!isObject(fields)) throw new CliError(`Line ${index + 1} is no JSON object.`)
    signals.push({ text: line.trim(), fields })
  }
  return signals
}

export const readSignals = async (source: string): Promise<readonly InputSignal[]> => parseSignals(await readAll(source))

/** The signal's own id, by the engine's rule: blank ones and the strategy's name do not count. */
export const ownId = (fields: Readonly<Record<string, unknown>>): string | undefined => {
  for (const name of ["signal_id", "id", "decision_id", "client_order_id"]) {
    const value = fields[name]
    if (typeof value === "string" && value.trim() !== "" && value !== fields["strategy_id"]) return value
  }
  return undefined
}

export const withId = (signal: InputSignal, id: string): InputSignal => {
  const fields = { ...signal.fields, signal_id: id }
  return { text: JSON.stringify(fields), fields }
}
