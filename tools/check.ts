/**
 * `npm run check`: format, lint, types, the rules of the house, and whether the generated pages are up to date.
 * The steps run side by side; a step that cannot run has failed. Exit code 1 when any step failed.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { checkArchitecture, showFinding } from "./architecture/index.ts"
import { type Outcome, runSteps, type Step } from "./checkSteps.ts"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const STEP_TIMEOUT_MS = 5 * 60_000

/** A tool from node_modules/.bin's packages, by the file that Node runs. */
const tool = (file: string, ...args: ReadonlyArray<string>): (() => Promise<Outcome>) => program(join(root, "node_modules", file), ...args)

const program =
  (file: string, ...args: ReadonlyArray<string>) =>
  (): Promise<Outcome> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [file, ...args], {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
        timeout: STEP_TIMEOUT_MS,
        killSignal: "SIGKILL",
      })
      let output = ""
      child.stdout.on("data", (part) => {
        output += String(part)
      })
      child.stderr.on("data", (part) => {
        output += String(part)
      })
      child.once("error", (error) => resolve({ ok: false, detail: error.message }))
      child.once("close", (code, signal) => resolve({ ok: code === 0, detail: code === 0 ? "" : output || `ended with ${signal ?? code}` }))
    })

const architecture = async (): Promise<Outcome> => {
  const report = checkArchitecture(root)
  return { ok: report.findings.length === 0, detail: report.findings.map(showFinding).join("\n"), note: `${report.files} files` }
}

const steps: ReadonlyArray<Step> = [
  {
    name: "format",
    run: tool("@biomejs/biome/bin/biome", "format", "--max-diagnostics=50", "."),
    mend: "node_modules/.bin/biome format --write .",
  },
  { name: "lint", run: tool("oxlint/bin/oxlint", "--type-aware", "--deny-warnings") },
  { name: "types", run: tool("typescript/bin/tsc", "-p", "tsconfig.json", "--pretty") },
  { name: "types, page", run: tool("typescript/bin/tsc", "-p", "apps/inspector/page/tsconfig.json", "--pretty") },
  { name: "architecture", run: architecture },
  ...(existsSync(join(root, "tools", "docs.ts"))
    ? [{ name: "generated pages", run: program(join(root, "tools", "docs.ts"), "--check"), mend: "npm run docs" }]
    : []),
]

process.exitCode = await runSteps(steps, (line) => process.stdout.write(`${line}\n`))
