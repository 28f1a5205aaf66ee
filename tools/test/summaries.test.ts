import { describe, expect, it } from "vitest"
import { runSteps } from "../checkSteps.ts"
import { type Counts, summarize } from "../testSummary.ts"

const counts = (over: Partial<Counts>): Counts => ({ passed: 5, failed: 0, skipped: 0, otherErrors: 0, ...over })

describe("the last line of npm test", () => {
  it.each([
    [counts({}), 0, "5 passed, 0 failed", 0],
    [counts({ skipped: 2 }), 0, "5 passed, 0 failed, 2 skipped", 0],
    [counts({ failed: 1 }), 1, "5 passed, 1 failed", 1],
    [counts({ otherErrors: 1 }), 1, "5 passed, 1 failed", 1],
    [counts({ otherErrors: 1 }), 0, "5 passed, 1 failed", 1],
    [counts({}), 1, "5 passed, 1 failed", 1],
    [counts({ passed: 0 }), 0, "0 passed, 1 failed", 1],
    [undefined, 0, "0 passed, 1 failed", 1],
    [undefined, 130, "0 passed, 1 failed", 130],
  ])("given %j and vitest's code %i, then %s and code %i", (given, code, line, exitCode) => {
    expect(summarize(given, code)).toEqual({ line, exitCode })
  })
})

describe("the steps of npm run check", () => {
  const good = { name: "good", run: async () => ({ ok: true, detail: "not shown" }) }

  it("given all pass, then code 0 and nothing of their output", async () => {
    const lines: Array<string> = []
    expect(await runSteps([good], (line) => lines.push(line))).toBe(0)
    expect(lines.join("\n")).not.toMatch(/not shown/)
    expect(lines.at(-1)).toBe("1 passed, 0 failed")
  })

  it("given one fails and one cannot run, then code 1, both shown with what they said", async () => {
    const lines: Array<string> = []
    const bad = { name: "bad", run: async () => ({ ok: false, detail: "line 7" }), mend: "mend it" }
    const broken = { name: "broken", run: () => Promise.reject(new Error("no such tool")) }
    expect(await runSteps([good, bad, broken], (line) => lines.push(line))).toBe(1)
    const text = lines.join("\n")
    for (const part of ["line 7", "mend it", "could not run", "no such tool"]) expect(text).toContain(part)
    expect(lines.at(-1)).toBe("1 passed, 2 failed")
  })

  it("given no steps at all, then that is a failure", async () => {
    expect(await runSteps([], () => undefined)).toBe(1)
  })
})
