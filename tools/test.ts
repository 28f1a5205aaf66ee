/**
 * `npm test [-- vitest's arguments]`: all tests, and a last line that a person or a machine can read:
 * `N passed, N failed[, N skipped]`. Exit code 0 only when everything that ran passed.
 *
 * The servers that tests start are found (or built) first, so that a first run on a new machine is slow here, with
 * progress, and not inside a test's time limit.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { findMongo } from "./servers/mongoServer.ts"
import { findNatsServer, NATS_ADVICE } from "./servers/natsBinary.ts"
import { say } from "./servers/say.ts"
import { type Counts, summarize } from "./testSummary.ts"

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url))
const reporter = fileURLToPath(new URL("summaryReporter.ts", import.meta.url))

const announceServers = async (): Promise<void> => {
  say(`NATS for tests: ${(await findNatsServer()) ?? `none. ${NATS_ADVICE}`}`)
  const given = process.env.MONGODB_URL
  if (given !== undefined && given !== "") say("MongoDB for tests: the one of MONGODB_URL")
  const mongo = await findMongo()
  if ("skipped" in mongo) say(`MongoDB for tests: none is started here: ${mongo.skipped}`)
  else say(`MongoDB for tests${given ? " that kill it" : ""}: ${mongo.kind}, ${mongo.binary}`)
}

const runVitest = (countsFile: string): Promise<number> =>
  new Promise((resolve) => {
    const args = [vitest, "run", "--reporter=default", `--reporter=${reporter}`, ...process.argv.slice(2)]
    const child = spawn(process.execPath, args, { stdio: "inherit", env: { ...process.env, VITEST_COUNTS_FILE: countsFile } })
    for (const name of ["SIGTERM", "SIGHUP"] as const) process.on(name, () => void child.kill(name))
    // The terminal sends Ctrl-C to vitest too; it ends, and so do we.
    process.on("SIGINT", () => void (process.stdin.isTTY || child.kill("SIGINT")))
    child.once("exit", (code) => resolve(code ?? 1))
  })

const readCounts = (file: string): Counts | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Counts
  } catch {
    return undefined
  }
}

const folder = mkdtempSync(join(tmpdir(), "petrosa-counts-"))
try {
  await announceServers()
  const countsFile = join(folder, "counts.json")
  const code = await runVitest(countsFile)
  const summary = summarize(readCounts(countsFile), code)
  process.stdout.write(`${summary.line}\n`)
  process.exitCode = summary.exitCode
} finally {
  rmSync(folder, { recursive: true, force: true })
}
