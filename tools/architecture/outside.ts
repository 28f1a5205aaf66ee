/**
 * Clocks, timers, randomness, the environment and the network are touched by adapters only (adapters.ts says which and
 * why); in the pure packages nowhere. Found in the syntax tree, so comments and strings do not count, and a name counts
 * wherever it is used as a value: a variable of one's own called `setTimeout` is refused as well, on purpose.
 *
 * It fails closed: a file that cannot be parsed throws; an entry of the table that allows what its file does not use fails.
 */
import { ADAPTERS, type Adapter, type Use } from "./adapters.ts"
import { type AstNode, isTest, walk } from "./imports.ts"
import { PURE } from "./layers.ts"
import { type Finding, isScript, lineAt, parse, type Source } from "./sources.ts"

/** `object.member` → what it touches. `*`: every member. */
const MEMBERS: Readonly<Record<string, Readonly<Record<string, Use>>>> = {
  Date: { now: "clock" },
  performance: { "*": "clock" },
  Math: { random: "randomness" },
  crypto: {
    randomUUID: "randomness",
    getRandomValues: "randomness",
    randomBytes: "randomness",
    randomInt: "randomness",
    randomFillSync: "randomness",
  },
  process: { env: "environment", hrtime: "clock", uptime: "clock" },
  AbortSignal: { timeout: "timer" },
  Atomics: { wait: "timer", waitAsync: "timer" },
}

/** Global functions. */
const NAMES: Readonly<Record<string, Use>> = {
  setTimeout: "timer",
  setInterval: "timer",
  setImmediate: "timer",
  fetch: "network",
  WebSocket: "network",
  EventSource: "network",
  XMLHttpRequest: "network",
}

/** Modules, and names taken from modules. `*`: the module as such. */
const MODULES: Readonly<Record<string, Readonly<Record<string, Use>>>> = {
  timers: { "*": "timer" },
  "timers/promises": { "*": "timer" },
  perf_hooks: { "*": "clock" },
  process: { env: "environment", hrtime: "clock", uptime: "clock", default: "environment", "*namespace": "environment" },
  crypto: {
    randomUUID: "randomness",
    randomBytes: "randomness",
    randomInt: "randomness",
    randomFill: "randomness",
    randomFillSync: "randomness",
    getRandomValues: "randomness",
    webcrypto: "randomness",
  },
  http: { "*": "network" },
  https: { "*": "network" },
  http2: { "*": "network" },
  net: { "*": "network" },
  tls: { "*": "network" },
  dgram: { "*": "network" },
  undici: { "*": "network" },
  ws: { "*": "network" },
}

export interface Touch {
  readonly use: Use
  readonly what: string
  readonly line: number
}

/** Everything outside that the file touches. */
export const touchesOf = (source: Source): ReadonlyArray<Touch> => {
  const found: Array<Touch> = []
  const { program } = parse(source)
  const add = (use: Use, what: string, node: AstNode): void => void found.push({ use, what, line: lineAt(source.text, node.start) })
  walk(program, (node, parent, key) => {
    switch (node.type) {
      case "ImportDeclaration":
        importTouches(node, add)
        return
      case "NewExpression":
        if (nameOf(node.callee) === "Date" && lengthOf(node.arguments) === 0) add("clock", "new Date()", node)
        return
      case "CallExpression":
        if (nameOf(node.callee) === "Date") add("clock", "Date()", node)
        return
      case "MemberExpression":
        memberTouches(node, add)
        return
      case "Identifier":
        identifierTouches(node, parent, key, add)
        return
      default:
        return
    }
  })
  return found
}

type Add = (use: Use, what: string, node: AstNode) => void

const importTouches = (node: AstNode, add: Add): void => {
  if (node.importKind === "type") return
  const module = String((node.source as { value: unknown }).value).replace(/^node:/, "")
  const names = Object.hasOwn(MODULES, module) ? MODULES[module] : undefined
  if (names === undefined) return
  const specifiers = node.specifiers as ReadonlyArray<AstNode>
  const values = specifiers.filter((each) => each.importKind !== "type")
  if (names["*"] !== undefined && (values.length > 0 || specifiers.length === 0)) add(names["*"], `import of "${module}"`, node)
  for (const each of values) {
    const name =
      each.type === "ImportSpecifier" ? (nameOf(each.imported) ?? "") : each.type === "ImportDefaultSpecifier" ? "default" : "*namespace"
    const use = Object.hasOwn(names, name) ? names[name] : undefined
    if (use !== undefined) add(use, `${name} of "${module}"`, each)
  }
}

const memberTouches = (node: AstNode, add: Add): void => {
  const member = memberName(node)
  // globalThis.Date.now and the like: the inner object is the last name of the chain.
  const inner = bare(node.object)
  const object = nameOf(inner) ?? (inner?.type === "MemberExpression" && isGlobalObject(inner.object) ? memberName(inner) : undefined)
  if (object === undefined) return
  if (isGlobal(object)) {
    const use = member !== undefined && Object.hasOwn(NAMES, member) ? NAMES[member] : undefined
    if (use !== undefined) add(use, `${object}.${member}`, node)
    return
  }
  const members = Object.hasOwn(MEMBERS, object) ? MEMBERS[object] : undefined
  if (members === undefined) return
  if (member === undefined) {
    // Date[name]: what it takes cannot be seen, so it counts as the worst of them.
    const worst = Object.values(members)[0]
    if (worst !== undefined) add(worst, `${object}[…]`, node)
    return
  }
  const use = Object.hasOwn(members, member) ? members[member] : members["*"]
  if (use !== undefined) add(use, `${object}.${member}`, node)
}

const identifierTouches = (node: AstNode, parent: AstNode | undefined, key: string, add: Add): void => {
  const name = String(node.name)
  if (parent === undefined || !isValue(parent, key)) return
  if (Object.hasOwn(NAMES, name)) {
    const use = NAMES[name]
    if (use !== undefined) add(use, name, node)
    return
  }
  // `const { now } = Date`, `const clock = performance`: the object as a whole is taken.
  const taken = (parent.type === "VariableDeclarator" && key === "init") || (parent.type === "AssignmentExpression" && key === "right")
  const members = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined
  const first = members === undefined ? undefined : Object.values(members)[0]
  if (taken && first !== undefined) add(first, `${name} as a value`, node)
}

/** An identifier in this place is a value that is used: not a key, a property's name, a type, or an import's own name. */
const isValue = (parent: AstNode, key: string): boolean => {
  if (parent.type === "MemberExpression") return key === "object" || parent.computed === true
  if (parent.type === "Property") return key === "value" || parent.computed === true
  if (parent.type === "MethodDefinition" || parent.type === "PropertyDefinition") return key !== "key" || parent.computed === true
  if (parent.type.startsWith("TS"))
    return parent.type === "TSAsExpression" || parent.type === "TSSatisfiesExpression" || parent.type === "TSNonNullExpression"
  return !parent.type.startsWith("Import") && !parent.type.startsWith("Export")
}

/** Without parentheses, casts and assertions around it. */
const bare = (node: unknown): AstNode | undefined => {
  let read = node as AstNode | undefined
  while (read !== undefined && WRAPPERS.has(read.type)) read = read.expression as AstNode | undefined
  return read
}
const WRAPPERS: ReadonlySet<string> = new Set([
  "ParenthesizedExpression",
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "ChainExpression",
])

const nameOf = (node: unknown): string | undefined => {
  const read = bare(node)
  return read?.type === "Identifier" ? String(read.name) : undefined
}
const memberName = (node: AstNode): string | undefined => {
  const property = node.property as AstNode
  if (node.computed !== true) return nameOf(property)
  return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined
}
const isGlobal = (name: string): boolean => name === "globalThis" || name === "global" || name === "window" || name === "self"
const isGlobalObject = (node: unknown): boolean => isGlobal(nameOf(node) ?? "")
const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0)

/** Does the rule look at this file? Packages' own code; not tests, contract suites, programs (apps) or tools. */
const isLookedAt = (path: string): boolean =>
  path.startsWith("packages/") && !isTest(path) && !/^packages\/[^/]+\/src\/testing\//.test(path)

/** All breaches: a touch without an entry, an entry without a touch, an entry for a pure package. */
export const checkOutside = (sources: ReadonlyArray<Source>, adapters: ReadonlyArray<Adapter> = ADAPTERS): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const used = new Map<Adapter, Set<Use>>(adapters.map((each) => [each, new Set<Use>()]))
  for (const source of sources) {
    if (!isScript(source) || !isLookedAt(source.path)) continue
    const mine = adapters.filter((each) => (each.path.endsWith("/") ? source.path.startsWith(each.path) : source.path === each.path))
    for (const touch of touchesOf(source)) {
      const entry = mine.find((each) => each.uses.includes(touch.use))
      if (entry === undefined)
        findings.push({
          path: source.path,
          line: touch.line,
          message: `${touch.what}: ${touch.use} outside an adapter. Take it as a parameter, or name the file in tools/architecture/adapters.ts with a reason`,
        })
      else used.get(entry)?.add(touch.use)
    }
  }
  for (const [entry, uses] of used) {
    const name = entry.path.split("/")[1] ?? ""
    if (PURE.has(name)) findings.push({ path: entry.path, line: 0, message: `packages/${name} is pure: adapters.ts must not name it` })
    for (const use of entry.uses)
      if (!uses.has(use))
        findings.push({ path: entry.path, line: 0, message: `does not touch the ${use} any more: take that out of adapters.ts` })
  }
  return findings
}
