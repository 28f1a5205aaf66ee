import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { ADAPTERS } from "../../architecture/adapters.ts"
import { checkArchitecture, showFinding } from "../../architecture/index.ts"
import { MAX_LINES } from "../../architecture/layers.ts"
import { checkSizes } from "../../architecture/size.ts"

const root = mkdtempSync(join(tmpdir(), "petrosa-architecture-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

describe("a whole repository", () => {
  it("given no packages, then the check fails instead of passing", () => {
    expect(() => checkArchitecture(root)).toThrow(/no sources/)
  })

  it("given breaches in several files, then each is found, and data and node_modules are left alone", () => {
    put("packages/contracts/src/ok.ts", "export const a = 1\n")
    put("packages/contracts/src/bad.ts", `import "node:fs"\nexport const t = Date.now()\n`)
    put("packages/contracts/data/big.ts", "\n".repeat(5000))
    put("packages/contracts/node_modules/x/index.ts", `import "node:fs"\n`)
    put("apps/cli/src/long.ts", "// a line\n".repeat(MAX_LINES + 1))
    const shown = checkArchitecture(root)
      .findings.map(showFinding)
      .filter((line) => !ADAPTERS.some(({ path }) => line.startsWith(path)))
    expect(shown).toEqual([
      expect.stringMatching(/^packages\/contracts\/src\/bad\.ts:1 {2}"node:fs"/),
      expect.stringMatching(/^packages\/contracts\/src\/bad\.ts:2 {2}Date\.now/),
      expect.stringMatching(/^apps\/cli\/src\/long\.ts {2}has 601 lines/),
    ])
  })

  it("given a file of exactly the most lines, then it is fine", () => {
    expect(checkSizes([{ path: "a.ts", text: "x\n".repeat(MAX_LINES) }])).toEqual([])
  })

  it("given the table of adapters, then each entry has a reason", () => {
    for (const { path, uses, reason } of ADAPTERS) {
      expect(reason.length, path).toBeGreaterThan(15)
      expect(uses.length, path).toBeGreaterThan(0)
    }
  })
})
