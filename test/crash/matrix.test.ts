/**
 * Every named fault point × every single fault of the paper venue, one order each: the process dies there, the next one
 * finds out what became of it, and in the end nothing is doubled, lost, left open or unprotected.
 *
 * Hundreds of cells share a process (see matrix/cell.ts); each process is killed with SIGKILL.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { FAULT_POINTS, type FaultPoint } from "@petrosa/engine"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { requireNats } from "../../tools/servers/testing.ts"
import { TIME_FACTOR } from "../support/until.ts"
import { type Cell, CELLS, FAULTS, type Said, type Task } from "./matrix/cells.ts"

const MAIN = fileURLToPath(new URL("matrix/main.ts", import.meta.url))
const GUARD = new URL("../support/dieWithParent.mjs", import.meta.url).href
/** Cells of one process, and processes at once. */
const CROWD = 60
const PROCESSES = 2
/** In memory where that can be had: a file survives a `kill -9` there as well. */
const FOLDERS = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()

/** Where no order comes to whose entry never was at the venue. */
const NEEDS_AN_ENTRY = /^broker\.lot\.|^venue\.(stop|target|flatten|cancel)\./
const WITHOUT_AN_ENTRY: ReadonlySet<string> = new Set(["dropEntry", "refuseEntry"])

const nats = await requireNats()
const dir = mkdtempSync(join(FOLDERS, "petrosa-matrix-"))
const children = new Set<ChildProcess>()
afterAll(() => {
  for (const child of children) child.kill("SIGKILL")
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
})

/** One process of cells, until it has come to a stand, and then to its end. */
const run = async (task: Task): Promise<readonly Said[]> => {
  const child = spawn(process.execPath, ["--import", GUARD, MAIN], {
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(dir, "compiled"),
      MATRIX_TASK: JSON.stringify(task),
      TEST_TIME_FACTOR: String(TIME_FACTOR),
    },
    stdio: ["pipe", "pipe", "pipe"],
  })
  children.add(child)
  let complaint = ""
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000)
  })
  const said: Said[] = []
  const lives = task.cells.every((cell) => cell.deaths[task.round] === undefined)
  createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }).on("line", (line) => {
    const one = JSON.parse(line) as Said
    said.push(one)
    if (one._tag === "Still" && !lives) child.kill("SIGKILL")
  })
  const ended = await new Promise<string>((resolve) => child.on("close", (code, signal) => resolve(signal ?? String(code))))
  children.delete(child)
  if (ended !== (lives ? "0" : "SIGKILL") || said.at(-1)?._tag !== "Still")
    throw new Error(`a process of cells ended with ${ended}\n${complaint}`)
  return said
}

/** All rounds of these cells, one process after the other. */
const play = async (cells: readonly Cell[]): Promise<readonly Said[]> => {
  const said: Said[] = []
  const rounds = Math.max(...cells.map((cell) => cell.deaths.length))
  for (let round = 0; round <= rounds; round++) said.push(...(await run({ dir, natsUrl: nats.url, round, cells })))
  return said
}

describe(`given ${FAULT_POINTS.length} fault points, ${Object.keys(FAULTS).length} states of the venue, and one order for each pair`, () => {
  const reached = new Map<string, Set<FaultPoint>>()
  const problems: string[] = []

  beforeAll(async () => {
    // Cells of as many deaths each go together.
    const sorted = CELLS.toSorted((a, b) => b.deaths.length - a.deaths.length)
    const crowds: (readonly Cell[])[] = []
    for (const deaths of new Set(sorted.map((cell) => cell.deaths.length))) {
      const same = sorted.filter((cell) => cell.deaths.length === deaths)
      for (let from = 0; from < same.length; from += CROWD) crowds.push(same.slice(from, from + CROWD))
    }
    const next = crowds.values()
    const worker = async (): Promise<void> => {
      for (const crowd of next) {
        for (const one of await play(crowd)) {
          if (one._tag === "Problem") problems.push(`${pairOf(one.cell)}: ${one.problem}`)
          if (one._tag === "Reached") reached.set(one.cell, (reached.get(one.cell) ?? new Set()).add(one.point))
        }
      }
    }
    await Promise.all(Array.from({ length: PROCESSES }, worker))
  }, 200_000 * TIME_FACTOR)

  const pairOf = (name: string): string => {
    const cell = CELLS.find((one) => one.name === name)
    return `${name} (${cell?.deaths.join(", ")}; ${cell?.fault})`
  }
  /** Cells that died at the last of their points. */
  const died = (cells: readonly Cell[]): readonly Cell[] =>
    cells.filter((cell) => reached.get(cell.name)?.has(cell.deaths.at(-1) as FaultPoint) === true)

  it("then nothing is doubled, lost, or left open or unprotected, and every chain is whole", () => {
    expect(problems).toEqual([])
  })

  it.each(FAULT_POINTS)("then processes died at %s under every fault that lets an order come so far", (point) => {
    const there = CELLS.filter((cell) => cell.deaths.at(-1) === point && !(NEEDS_AN_ENTRY.test(point) && WITHOUT_AN_ENTRY.has(cell.fault)))
    const alive = there.filter((cell) => died([cell]).length === 0)
    expect(alive.map((cell) => cell.fault)).toEqual([])
  })

  it.each(Object.keys(FAULTS))("then processes died under the fault %s", (fault) => {
    expect(died(CELLS.filter((cell) => cell.fault === fault)).length).toBeGreaterThan(FAULT_POINTS.length / 3)
  })
})
