/** The rules of the house that a compiler does not know. */
import { checkImports } from "./imports.ts"
import { checkOutside } from "./outside.ts"
import { checkSizes } from "./size.ts"
import { type Finding, readSources } from "./sources.ts"

export interface ArchitectureReport {
  readonly files: number
  readonly findings: ReadonlyArray<Finding>
}

/** Throws when it cannot look (a file that cannot be read or parsed, no files at all): the caller counts that as failed. */
export const checkArchitecture = (root: string): ArchitectureReport => {
  const sources = readSources(root)
  if (!sources.some(({ path }) => path.startsWith("packages/"))) throw new Error(`no sources under ${root}/packages`)
  return { files: sources.length, findings: [...checkImports(sources), ...checkOutside(sources), ...checkSizes(sources)] }
}

export const showFinding = ({ path, line, message }: Finding): string => `${path}${line > 0 ? `:${line}` : ""}  ${message}`
