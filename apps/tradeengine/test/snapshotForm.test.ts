/** Snapshots of another program are not used: what makes a program another one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { snapshotForm } from "../src/snapshotForm.ts"

describe("the name of the program that folds events", () => {
  let dir: string
  let lock: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "petrosa-form-"))
    mkdirSync(join(dir, "src", "machine"), { recursive: true })
    writeFileSync(join(dir, "src", "index.ts"), "export const a = 1")
    writeFileSync(join(dir, "src", "machine", "evolve.ts"), "export const b = 2")
    lock = join(dir, "pnpm-lock.yaml")
    writeFileSync(lock, "xstate: 5.33.3")
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const form = (): Promise<string> => snapshotForm([join(dir, "src")], lock)

  it("given the same sources, then it is the same, and that of this very program can be had", async () => {
    expect(await form()).toBe(await form())
    expect(await snapshotForm()).toMatch(/^[0-9a-f]{16}$/)
  })

  it.each([
    ["a source is changed", () => writeFileSync(join(dir, "src", "machine", "evolve.ts"), "export const b = 3")],
    ["a source is added", () => writeFileSync(join(dir, "src", "machine", "more.ts"), "")],
    ["a library has another version", () => writeFileSync(lock, "xstate: 5.34.0")],
  ])("when %s, then it is another", async (_what, change) => {
    const before = await form()
    change()
    expect(await form()).not.toBe(before)
  })

  it("when something else lies beside the sources, then it is the same", async () => {
    const before = await form()
    writeFileSync(join(dir, "src", "notes.txt"), "x")
    expect(await form()).toBe(before)
  })

  it("when there are no sources, then it says so", async () => {
    await expect(snapshotForm([join(dir, "nowhere")], lock)).rejects.toThrow("ENOENT")
  })
})
