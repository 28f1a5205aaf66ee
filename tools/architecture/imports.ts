/**
 * Imports go only downwards; pure packages import nothing that touches the world; a relative import never leaves its
 * package; tools/ is for tests. Type imports count as well: a type from above is a dependency upwards.
 */
import { builtinModules } from "node:module"
import { posix } from "node:path"
import { APPS_USED_BY, PACKAGES, PURE, PURE_LIBRARIES, TEST_LIBRARIES, TOOLS_USED_BY } from "./layers.ts"
import { type Finding, isScript, lineAt, parse, type Source } from "./sources.ts"

export interface Import {
  readonly specifier: string
  readonly line: number
}

/** Every way to name another module: import, export from, import(), import("…").Type. */
export const importsOf = (source: Source): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  const add = (specifier: string, offset: number): void => void found.push({ specifier, line: lineAt(source.text, offset) })
  const { module, program } = parse(source)
  for (const each of module.staticImports) add(each.moduleRequest.value, each.start)
  for (const each of module.staticExports)
    for (const entry of each.entries) if (entry.moduleRequest !== null) add(entry.moduleRequest.value, each.start)
  for (const each of module.dynamicImports) {
    const text = source.text.slice(each.moduleRequest.start, each.moduleRequest.end)
    add(/^(["'`])[^$]*\1$/.test(text) ? text.slice(1, -1) : "(computed)", each.start)
  }
  walk(program, (node) => {
    const named = node as unknown as { type: string; start: number; source?: { value?: unknown } }
    if (named.type === "TSImportType" && typeof named.source?.value === "string") add(named.source.value, named.start)
  })
  return found
}

/** Calls `visit` for each node of a syntax tree with its parent and the parent's key of it. */
export const walk = (root: object, visit: (node: AstNode, parent: AstNode | undefined, key: string) => void): void => {
  const step = (value: unknown, parent: AstNode | undefined, key: string): void => {
    if (Array.isArray(value)) {
      for (const each of value) step(each, parent, key)
    } else if (isNode(value)) {
      visit(value, parent, key)
      for (const [name, child] of Object.entries(value)) if (name !== "type") step(child, value, name)
    }
  }
  step(root, undefined, "")
}

export interface AstNode {
  readonly type: string
  readonly start: number
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is AstNode =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

type House =
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "app"; readonly name: string }
  | { readonly kind: "tools" }
  | { readonly kind: "tests" }

/** Where a path stands; `test` and `bench` at the root stand above everything. */
const houseOf = (path: string): House => {
  const [top, name = ""] = path.split("/")
  if (top === "packages") return { kind: "package", name }
  if (top === "apps") return { kind: "app", name }
  return top === "tools" ? { kind: "tools" } : { kind: "tests" }
}

const folderOf = (path: string): string => {
  const house = houseOf(path)
  return house.kind === "package" || house.kind === "app" ? path.split("/").slice(0, 2).join("/") : (path.split("/")[0] ?? "")
}

export const isTest = (path: string): boolean =>
  /^(packages|apps)\/[^/]+\/(test|bench|scripts)\//.test(path) || /^(test|bench|tools)\//.test(path)
const isTestHelper = (path: string): boolean => /^packages\/[^/]+\/src\/testing\//.test(path)

const SCOPE = "@petrosa/"
const builtins = new Set(builtinModules)
const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith("node:") || builtins.has(specifier) || builtins.has(specifier.split("/")[0] ?? "")

const libraryOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")

/** All breaches of the rules above, in the files given. */
export const checkImports = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const known: ReadonlySet<string> = new Set(PACKAGES)
  const strangers = new Set<string>()
  for (const source of sources) {
    const house = houseOf(source.path)
    if (house.kind === "package" && !known.has(house.name)) strangers.add(house.name)
    if (!isScript(source)) continue
    for (const { specifier, line } of importsOf(source)) {
      const message = breach(source.path, house, specifier)
      if (message !== undefined) findings.push({ path: source.path, line, message })
    }
  }
  for (const name of strangers)
    findings.push({
      path: `packages/${name}`,
      line: 0,
      message: `has no place in the house: add it to PACKAGES in tools/architecture/layers.ts`,
    })
  return findings
}

const breach = (path: string, house: House, specifier: string): string | undefined => {
  // tools/ and the tests of the whole stand above everything, and have no package of their own to name others from.
  if (house.kind === "tools" || house.kind === "tests") return undefined
  if (specifier.startsWith(".")) return relativeBreach(path, specifier)
  if (specifier.startsWith(SCOPE)) return upwardBreach(house, specifier.slice(SCOPE.length).split("/")[0] ?? "", specifier)
  if (house.kind === "package" && PURE.has(house.name) && !isTest(path)) return pureBreach(path, house.name, specifier)
  return undefined
}

const relativeBreach = (path: string, specifier: string): string | undefined => {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier))
  if (folderOf(target) === folderOf(path)) {
    if (!isTest(path) && isTest(target)) return `"${specifier}": code must not import tests`
    return undefined
  }
  if (target.startsWith("tools/")) {
    if (isTest(path) || isTestHelper(path) || TOOLS_USED_BY[path]?.includes(target) === true) return undefined
    return `"${specifier}": tools/ is for tests (exceptions: TOOLS_USED_BY in tools/architecture/layers.ts)`
  }
  return `"${specifier}" leaves the package: import it by its name (${SCOPE}…)`
}

const upwardBreach = (house: Exclude<House, { kind: "tools" | "tests" }>, target: string, specifier: string): string | undefined => {
  const order: ReadonlyArray<string> = PACKAGES
  const height = order.indexOf(target)
  switch (house.kind) {
    case "app":
      if (height >= 0 || target === house.name || APPS_USED_BY[house.name]?.includes(target) === true) return undefined
      return `"${specifier}": apps do not stand on each other`
    case "package":
      if (height < 0) return `"${specifier}" is above packages/${house.name}: imports go only downwards`
      if (target === house.name) return `"${specifier}": a package imports itself by relative paths`
      return height < order.indexOf(house.name) ? undefined : `"${specifier}" is above packages/${house.name}: imports go only downwards`
  }
}

const pureBreach = (path: string, name: string, specifier: string): string | undefined => {
  if (isBuiltin(specifier)) return `"${specifier}": packages/${name} is pure: no module of Node`
  if (specifier === "(computed)") return `import() of a computed name: packages/${name} is pure`
  const library = libraryOf(specifier)
  if (PURE_LIBRARIES.includes(library) || (isTestHelper(path) && TEST_LIBRARIES.includes(library))) return undefined
  return `"${specifier}": packages/${name} is pure and may use ${PURE_LIBRARIES.join(", ")} only`
}
