import { describe, expect, it } from "vitest"
import type { Adapter } from "../../architecture/adapters.ts"
import { checkOutside, touchesOf } from "../../architecture/outside.ts"

const uses = (text: string): ReadonlyArray<string> => touchesOf({ path: "packages/engine/src/a.ts", text }).map(({ use }) => use)
const findings = (path: string, text: string, adapters: ReadonlyArray<Adapter> = []): ReadonlyArray<string> =>
  checkOutside([{ path, text }], adapters).map(({ message }) => message)

describe("what touches the outside", () => {
  it.each([
    ["Date.now()", ["clock"]],
    [`Date["now"]()`, ["clock"]],
    ["Date[name]()", ["clock"]],
    ["globalThis.Date.now()", ["clock"]],
    ["(globalThis as any).Date.now()", ["clock"]],
    ["new Date()", ["clock"]],
    ["Date()", ["clock"]],
    ["const { now } = Date", ["clock"]],
    ["performance.now()", ["clock"]],
    ["process.hrtime.bigint()", ["clock"]],
    ["Math.random()", ["randomness"]],
    ["crypto.randomUUID()", ["randomness"]],
    [`import { randomBytes } from "node:crypto"`, ["randomness"]],
    [`import { randomUUID as id, createHash } from "crypto"`, ["randomness"]],
    ["setTimeout(f, 1)", ["timer"]],
    ["const later = setTimeout", ["timer"]],
    ["globalThis.setInterval(f, 1)", ["timer"]],
    ["const timers = { setTimeout }", ["timer"]],
    ["wait(setImmediate)", ["timer"]],
    [`import { setTimeout as sleep } from "node:timers/promises"`, ["timer"]],
    ["AbortSignal.timeout(5)", ["timer"]],
    ["process.env.HOME", ["environment"]],
    ["const { env } = process", ["environment"]],
    [`import { env } from "node:process"`, ["environment"]],
    [`import process from "node:process"`, ["environment"]],
    ["await fetch(url)", ["network"]],
    ["new WebSocket(url)", ["network"]],
    [`import { connect } from "node:net"`, ["network"]],
  ])("given %s, then %j", (text, expected) => {
    expect(uses(text)).toEqual(expected)
  })

  it.each([
    "new Date(ms)",
    "Date.parse(text)",
    "Math.max(1, 2)",
    "clock.now()",
    "clock.setTimeout(f, 1)",
    "consumer.fetch({ max_messages: 5 })",
    "const port = { fetch: 1, setTimeout: 2 }",
    "x instanceof Date",
    "interface Clock { setTimeout(f: () => void, ms: number): void }",
    "type F = typeof fetch",
    "// Date.now() in a comment",
    `const text = "Date.now()"`,
    `import { createHash } from "node:crypto"`,
    `import type { Socket } from "node:net"`,
    "process.stdout.write('x')",
  ])("given %s, then nothing", (text) => {
    expect(uses(text)).toEqual([])
  })
})

describe("where the outside may be touched", () => {
  const entry: Adapter = { path: "packages/engine/src/clock.ts", uses: ["clock"], reason: "the clock" }

  it("given no entry, then a touch is refused, with its line", () => {
    const [found] = checkOutside([{ path: "packages/engine/src/a.ts", text: "\n\nexport const now = Date.now()" }], [])
    expect(found).toMatchObject({ path: "packages/engine/src/a.ts", line: 3 })
  })

  it("given an entry for the file, then it is fine, for that use only", () => {
    expect(findings("packages/engine/src/clock.ts", "Date.now()", [entry])).toEqual([])
    expect(findings("packages/engine/src/clock.ts", "Date.now(); Math.random()", [entry])).toHaveLength(1)
    expect(findings("packages/engine/src/other.ts", "Date.now()", [entry])).toHaveLength(2)
  })

  it("given an entry for a folder, then its files are meant and no others", () => {
    const folder: Adapter = { path: "packages/venue/src/binance-spot/", uses: ["network"], reason: "talks to Binance" }
    expect(findings("packages/venue/src/binance-spot/a.ts", "fetch(u)", [folder])).toEqual([])
    expect(findings("packages/venue/src/paper/a.ts", "fetch(u)", [folder])).toHaveLength(2)
  })

  it("given an entry that is not needed any more, then that is said", () => {
    expect(findings("packages/engine/src/clock.ts", "export const a = 1", [entry])).toEqual([
      expect.stringMatching(/does not touch the clock any more/),
    ])
  })

  it("given an entry for a pure package, then it is refused", () => {
    const pure: Adapter = { path: "packages/lifecycle/src/a.ts", uses: ["clock"], reason: "no" }
    expect(findings("packages/lifecycle/src/a.ts", "Date.now()", [pure])).toEqual([expect.stringMatching(/is pure/)])
  })

  it.each(["packages/engine/test/a.test.ts", "packages/event-store/src/testing/suite.ts", "apps/cli/src/a.ts", "tools/check.ts"])(
    "given %s, which is a test, a program or a tool, then it may",
    (path) => {
      expect(findings(path, "Date.now(); fetch(u); process.env.A")).toEqual([])
    },
  )
})
