import { describe, expect, it } from "vitest"
import { checkImports, importsOf } from "../../architecture/imports.ts"

const message = (path: string, text: string): string | undefined => checkImports([{ path, text }])[0]?.message

describe("imports go only downwards", () => {
  it.each([
    ["packages/lifecycle/src/a.ts", `import type { Signal } from "@petrosa/contracts"`],
    ["packages/engine/src/a.ts", `export * from "@petrosa/venue/testing"`],
    ["packages/venue/src/paper/a.ts", `import { b } from "../venue.ts"`],
    ["apps/cli/src/a.ts", `import { run } from "@petrosa/engine"`],
    ["apps/tradeengine/src/a.ts", `import { page } from "@petrosa/inspector"`],
    ["apps/tradeengine/src/main.ts", `await import("../../../tools/servers/ensureNats.ts")`],
    ["packages/intake/test/a.test.ts", `import { startNatsServer } from "../../../tools/servers/natsServer.ts"`],
    ["packages/event-store/src/testing/suite.ts", `import { describe } from "vitest"`],
    ["packages/matching/src/testing/suite.ts", `import { describe } from "vitest"`],
    ["packages/contracts/src/a.ts", `import { Schema } from "effect"; import { sha256 } from "@noble/hashes/sha2.js"`],
    ["packages/contracts/test/a.test.ts", `import { readFileSync } from "node:fs"`],
    ["tools/docs.ts", `import { REASONS } from "../packages/contracts/src/index.ts"`],
    ["test/crash/a.test.ts", `import { main } from "@petrosa/tradeengine"`],
  ])("given %s with %s, then it is fine", (path, text) => {
    expect(message(path, text)).toBeUndefined()
  })

  it.each([
    ["packages/contracts/src/a.ts", `import type { Order } from "@petrosa/lifecycle"`, /above packages\/contracts/],
    ["packages/venue/src/a.ts", `export type { Intake } from "@petrosa/intake"`, /above packages\/venue/],
    ["packages/venue/src/a.ts", `export type T = import("@petrosa/engine").Engine`, /above packages\/venue/],
    ["packages/venue/src/a.ts", `const later = () => import("@petrosa/simulation")`, /above packages\/venue/],
    ["packages/engine/src/a.ts", `import { page } from "@petrosa/inspector"`, /above packages\/engine/],
    ["packages/engine/src/a.ts", `import { b } from "@petrosa/engine"`, /relative/],
    ["packages/engine/test/a.test.ts", `import { s } from "@petrosa/simulation"`, /above packages\/engine/],
    ["apps/cli/src/a.ts", `import { main } from "@petrosa/tradeengine"`, /do not stand on each other/],
    ["packages/engine/src/a.ts", `import { v } from "../../venue/src/venue.ts"`, /leaves the package/],
    ["packages/engine/src/a.ts", `import { h } from "../test/helpers.ts"`, /must not import tests/],
    ["packages/engine/src/a.ts", `import { run } from "../../../tools/servers/run.ts"`, /tools\/ is for tests/],
    ["apps/tradeengine/src/main.ts", `import { run } from "../../../tools/servers/run.ts"`, /tools\/ is for tests/],
    ["packages/contracts/src/a.ts", `import { readFileSync } from "node:fs"`, /no module of Node/],
    ["packages/lifecycle/src/a.ts", `import { hash } from "crypto"`, /no module of Node/],
    ["packages/lifecycle/src/a.ts", `import { readFile } from "fs/promises"`, /no module of Node/],
    ["packages/matching/src/a.ts", `import type { Db } from "mongodb"`, /may use effect/],
    ["packages/matching/src/a.ts", "const load = (name: string) => import(name)", /computed/],
    ["packages/contracts/src/a.ts", `import { it } from "vitest"`, /may use effect/],
    ["packages/surprise/src/a.ts", "export const a = 1", /no place in the house/],
  ])("given %s with %s, then it is refused", (path, text, expected) => {
    expect(message(path, text)).toMatch(expected)
  })

  it("given every way to name a module, then each is seen with its line", () => {
    const text = `import a from "a"\nimport "b"\nexport { c } from "c"\nexport * from "d"\nconst e = import("e")\ntype F = import("f").F\nimport type { G } from "g"\n`
    expect(importsOf({ path: "packages/venue/src/a.ts", text }).toSorted((x, y) => x.line - y.line)).toEqual(
      ["a", "b", "c", "d", "e", "f", "g"].map((specifier, index) => ({ specifier, line: index + 1 })),
    )
  })

  it("given a file that cannot be parsed, then the check fails instead of passing", () => {
    expect(() => message("packages/venue/src/a.ts", "const = {")).toThrow(/cannot be parsed/)
  })
})
