/** The repository's own source files, parsed once. */
import { readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { parseSync } from "oxc-parser"

export interface Source {
  /** From the root, with forward slashes: `packages/venue/src/venue.ts`. */
  readonly path: string
  readonly text: string
}

export interface Finding {
  readonly path: string
  /** From 1; 0 when it is about the whole file. */
  readonly line: number
  readonly message: string
}

const FOLDERS = ["packages", "apps", "tools", "test", "bench"]
const CODE = /\.(ts|tsx|mts|js|mjs|css|html)$/
const LEFT_OUT = new Set(["node_modules", "data", "generated", "dist"])

/** All code under packages, apps, tools, test and bench, in a stable order. */
export const readSources = (root: string): ReadonlyArray<Source> => {
  const files: Array<Source> = []
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (!LEFT_OUT.has(entry.name) && !entry.name.startsWith(".")) walk(path)
      } else if (entry.isFile() && CODE.test(entry.name)) {
        files.push({ path: relative(root, path).split(sep).join("/"), text: readFileSync(path, "utf8") })
      }
    }
  }
  const present = new Set(readdirSync(root))
  for (const folder of FOLDERS) if (present.has(folder)) walk(join(root, folder))
  return files
}

export const isScript = (source: Source): boolean => /\.(ts|tsx|mts|js|mjs)$/.test(source.path)

export const lineAt = (text: string, offset: number): number => {
  let line = 1
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++
  return line
}

/** Throws when the file cannot be parsed: a rule that cannot look must not pass. */
export const parse = (source: Source): ReturnType<typeof parseSync> => {
  const parsed = parseSync(source.path, source.text)
  const first = parsed.errors[0]
  if (first !== undefined) throw new Error(`${source.path} cannot be parsed: ${first.message}`)
  return parsed
}
