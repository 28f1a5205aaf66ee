/** What was no signal is found again: `petrosa rejected`. */
import { rmSync } from "node:fs"
import { dirname } from "node:path"
import { eventId } from "@petrosa/contracts"
import { CHAIN_START, seal } from "@petrosa/event-store"
import { afterAll, expect, it } from "vitest"
import { cli } from "./run.ts"
import { START_MS, type Story, storeWith, story } from "./story.ts"

const files: string[] = []
const storeOf = async (...stories: readonly Story[]): Promise<Record<string, string>> => {
  const file = await storeWith(...stories)
  files.push(file)
  return { SQLITE_FILE: file }
}
afterAll(() => {
  for (const file of files) rmSync(dirname(file), { recursive: true, force: true })
})

/** A rejection as the engine records it, of a message of that second. */
const rejection = (name: string, second: number, data: Readonly<Record<string, unknown>>): Story => {
  const like = story({ id: "x" })
  const record = like.append.records[0]?.record
  if (record === undefined) throw new Error("the story has no events")
  const stream = `rejected/${name}`
  const at = new Date(START_MS + second * 1000).toISOString()
  const sealed = seal(
    {
      ...record,
      _id: eventId(stream, 1),
      stream,
      version: 1,
      schema: 1,
      type: "MessageRejected",
      state: "rejected",
      at,
      order: "",
      data,
    } as never,
    CHAIN_START,
  )
  return { ...like, stream, append: { ...like.append, stream, records: [sealed] } }
}
const SYMBOL = { field: "symbol", expected: "a symbol such as BTCUSDT", received: '"BTCUSDT.P"' }
const wrong = rejection("SIGNALS/7", 1, {
  code: "INVALID_FIELDS",
  message: "Fields are missing or wrong. (symbol)",
  fields: [SYMBOL],
  length: 22,
  raw: '{"symbol":"BTCUSDT.P"}',
  encoding: "utf8",
  transport: "nats",
})
const zipped = rejection("SIGNALS/8", 2, {
  code: "NOT_UTF8",
  message: "The message is not valid \u001b[2JUTF-8.",
  fields: [],
  length: 88,
  raw: "H4sI",
  encoding: "base64",
  transport: "nats",
})

it("given messages that were no signals, when listed, then newest first, with the field, what came and what was expected", async () => {
  const { code, out, err } = await cli(["rejected"], await storeOf(wrong, story({ id: "sig-1" }), zipped))
  expect([code, err]).toEqual([0, ""])
  const lines = out.trimEnd().split("\n")
  expect(lines).toHaveLength(3)
  expect(lines[1]).toMatch(/2026-11-23 10:00:02 +nats +NOT_UTF8 .* 88 bytes/)
  expect(lines[2]).toMatch(/INVALID_FIELDS +symbol: expected a symbol such as BTCUSDT; it is "BTCUSDT.P" +\{"symbol":"BTCUSDT.P"\}/)
  expect(out).not.toContain("\u001b")
})

it("given --json and --limit, when listed, then one JSON value with the messages as they came", async () => {
  const { out } = await cli(["rejected", "--json", "--limit", "1"], await storeOf(wrong, zipped))
  expect(JSON.parse(out)).toMatchObject({ rejected: [{ stream: "rejected/SIGNALS/8", code: "NOT_UTF8", raw: "H4sI" }], all: 2 })
})

it("given none, when listed, then it says so", async () => {
  const env = await storeOf(story({ id: "sig-1" }))
  expect((await cli(["rejected"], env)).out).toBe("No message was rejected.\n")
  expect(JSON.parse((await cli(["rejected", "--json"], env)).out)).toEqual({ rejected: [], all: 0 })
  expect((await cli(["rejected", "--limit", "0"], env)).code).toBe(2)
})
