/**
 * `node apps/inspector/scripts/build.ts`: lays the graph out and bundles the page into `generated/`, which is committed,
 * so that the engine starts without building anything. `--check` writes nothing and fails when something is not up to date.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"
import { makeGraph } from "./layout.ts"

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const onDisk = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

export const graphFile = at("../generated/graph.json")
export const bundleFile = at("../generated/page.js")
export const statelyFile = at("../generated/stately.js")

export const graphText = async (): Promise<string> => `${JSON.stringify(await makeGraph())}\n`

/** The page as one minified module. It reads graph.json: write that first. */
export const bundleText = (): Promise<string> => bundle("../page/main.ts")
export const statelyText = (): Promise<string> => bundle("../page/stately.ts")

const bundle = async (entry: string): Promise<string> => {
  const build = await rolldown({ input: at(entry), platform: "browser", treeshake: true, logLevel: "warn" })
  try {
    const { output } = await build.generate({ format: "esm", minify: true })
    const [chunk] = output
    if (output.length !== 1) throw new Error("the page became more than one file")
    return chunk.code
  } finally {
    await build.close()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes("--check")
  const stale: string[] = []
  for (const [file, make] of [
    [graphFile, graphText],
    [bundleFile, bundleText],
    [statelyFile, statelyText],
  ] as const) {
    const text = await make()
    if (onDisk(file) === text) continue
    if (check) stale.push(file)
    else {
      writeFileSync(file, text)
      process.stdout.write(`wrote ${file} (${text.length} bytes)\n`)
    }
  }
  if (stale.length > 0) {
    process.stderr.write(`not up to date: ${stale.join(", ")}\nnode apps/inspector/scripts/build.ts writes them\n`)
    process.exitCode = 1
  }
}
