/**
 * What `npm start`, `npm test`, `npm run check` and `npm run petrosa` run: it fetches what is missing, then runs the
 * command's TypeScript with Node 24. Plain JavaScript without dependencies, because nothing is installed when it starts;
 * it works on Node 20 and newer.
 *
 * Promise: with everything in place it prints nothing and costs a few milliseconds; what is missing is installed once,
 * with progress on stderr (stdout belongs to the command); signals reach the command and its exit code comes back.
 * What can go wrong, each with a word on what to do: the packages cannot be fetched; no Node 22.19 or newer is to be had.
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { constants } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath, pathToFileURL } from "node:url"

const PNPM = "pnpm@12.21.0"
/** Effect 4 and running TypeScript as it is need this. */
const OLDEST_NODE = [22, 19]
const PARENT_LOOK_MS = 250
const INSTALL_WAIT_MS = 10 * 60_000

/** Command → the file that runs it. A file that is not there (yet) is no command. */
export const COMMANDS = {
  // V8 grows its heap freely while memory is plenty: the flags keep a flood of signals below 400 MB (more than 500 without).
  start: {
    script: "apps/tradeengine/src/main.ts",
    flags: ["--max-semi-space-size=16", "--heap-growing-percent=70", "--no-allocation-site-pretenuring", "--v8-pool-size=1"],
    // So does the C library (glibc; others pass them over): buffers of an event's texts are given back when they are free.
    env: { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "131072", MALLOC_TRIM_THRESHOLD_: "131072" },
    says: "the engine, with what it needs",
  },
  petrosa: { script: "apps/cli/src/main.ts", says: "the command line: publish, trail, replay, verify …" },
  test: { script: "tools/test.ts", says: "all tests" },
  // Those with a `help` take no options but what it names; the others tell of theirs by themselves.
  check: { script: "tools/check.ts", says: "format, lint, types, architecture", help: [] },
  setup: { script: "tools/setup.ts", says: "fetches and builds all that the others need", help: [] },
  docs: {
    script: "tools/docs.ts",
    says: "writes the generated pages",
    help: ["--check   writes nothing, and says whether they are up to date (exit code 1: they are not)"],
  },
  bench: { script: "tools/bench.ts", says: "benchmarks" },
  campaign: { script: "tools/campaign.ts", says: "long test campaigns" },
  sandbox: { script: "apps/binance-sandbox/src/main.ts", says: "a local Binance" },
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, "node_modules")
const stampFile = join(modules, ".petrosa-installed.json")
const say = (line) => process.stderr.write(`petrosa: ${line}\n`)

/** "v24.21.0" → true when it is new enough. */
export const isNewEnough = (version) => {
  const [major, minor] = String(version).replace(/^v/, "").split(".").map(Number)
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
}

/**
 * The environment without what npm adds for its scripts, which misleads the package manager that is started inside.
 * Where packages come from (registry, proxy, certificates, a configuration file) stays.
 */
export const withoutNpm = (env) =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !/^npm_/i.test(name) || /^npm_config_(registry|proxy|https_?proxy|no_?proxy|ca|cafile|strict_ssl|userconfig|cache)$/i.test(name),
    ),
  )

/** What was installed here last, if all of it is still meant: the same lock file, the same machine. */
const installed = (fingerprint) => {
  try {
    const stamp = JSON.parse(readFileSync(stampFile, "utf8"))
    const whole = stamp.fingerprint === fingerprint && existsSync(join(modules, ".modules.yaml")) && existsSync(stamp.node)
    return whole ? stamp : undefined
  } catch {
    return undefined
  }
}

const fingerprintOf = () => {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`)
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ".pnpmfile.cjs"]) hash.update(readFileSync(join(root, file)))
  return hash.digest("hex")
}

const install = () => {
  const began = Date.now()
  say(`installing the packages of pnpm-lock.yaml with ${PNPM} (once)`)
  const result = spawnSync("npx", ["-y", PNPM, "install", "--frozen-lockfile"], {
    cwd: root,
    env: withoutNpm(process.env),
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  })
  if (result.status !== 0) {
    say("the packages could not be installed; the lines above say why.")
    say("No network, or a proxy? npm's own settings are used (npm config get registry). Then run the same command again.")
    if (result.error) say(String(result.error))
    process.exit(result.status ?? 1)
  }
  say(`installed in ${((Date.now() - began) / 1000).toFixed(0)} s`)
}

/** Node 24 from the packages, else the Node that runs this, else one on PATH. Each is tried: a binary may not fit the system. */
const findNode = () => {
  for (const candidate of [join(modules, ".bin", process.platform === "win32" ? "node.exe" : "node"), process.execPath, "node"]) {
    const answer = spawnSync(candidate, ["-p", "JSON.stringify([process.version, process.execPath])"], { encoding: "utf8" })
    if (answer.status !== 0) continue
    const [version, path] = JSON.parse(answer.stdout)
    if (isNewEnough(version)) return path
  }
  say(`Node ${OLDEST_NODE.join(".")} or newer is needed (24 LTS is best); this is ${process.version}, and none came with the packages.`)
  say("Install Node 24 from https://nodejs.org, or with your system's package manager, and run the same command again.")
  process.exit(1)
}

/** One installer at a time. The lock names its holder; one whose holder is gone is taken over. */
const withInstallLock = async (work) => {
  mkdirSync(modules, { recursive: true })
  const file = join(modules, ".petrosa-installing")
  const deadline = Date.now() + INSTALL_WAIT_MS
  for (let told = false; ; ) {
    try {
      const lock = openSync(file, "wx")
      writeFileSync(lock, String(process.pid))
      closeSync(lock)
      break
    } catch (error) {
      if (error.code !== "EEXIST") throw error
    }
    if (holderIsGone(file) || Date.now() > deadline) rmSync(file, { force: true })
    else {
      if (!told) say("waiting for another process that installs the packages")
      told = true
      await sleep(200)
    }
  }
  try {
    return work()
  } finally {
    rmSync(file, { force: true })
  }
}

const holderIsGone = (file) => {
  try {
    const pid = Number(readFileSync(file, "utf8"))
    // Just made and not yet written: its holder lives.
    if (!Number.isSafeInteger(pid) || pid <= 0) return false
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === "ESRCH"
  }
}

/** The path of the Node to use, with everything installed. */
const prepare = async () => {
  const fingerprint = fingerprintOf()
  const before = installed(fingerprint)
  if (before !== undefined) return before.node
  return withInstallLock(() => {
    const meanwhile = installed(fingerprint)
    if (meanwhile !== undefined) return meanwhile.node
    install()
    const node = findNode()
    writeFileSync(`${stampFile}.new`, `${JSON.stringify({ fingerprint, node })}\n`)
    renameSync(`${stampFile}.new`, stampFile)
    return node
  })
}

/** What Node is given for a command, before the command's own arguments: whoever starts one another way starts the same. */
export const nodeArguments = ({ script, flags = [] }) => ["--disable-warning=ExperimentalWarning", ...flags, join(root, script)]

/** Runs the command; resolves to its exit code (128 + the signal's number when a signal ended it). */
const runCommand = (node, command, args) =>
  new Promise((resolve) => {
    const env = {
      ...command.env,
      ...process.env,
      // npm runs scripts in the root; a path typed on the command line is meant from where it was typed.
      INIT_CWD: process.env.npm_lifecycle_event === undefined ? process.cwd() : (process.env.INIT_CWD ?? process.cwd()),
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, ".cache", "compile"),
    }
    const child = spawn(node, [...nodeArguments(command), ...args], { cwd: root, env, stdio: "inherit" })
    // A Ctrl-C in a terminal reaches every process of the group by itself: handing it on would make two of it.
    const inTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
    const forward = { SIGTERM: true, SIGHUP: true, SIGINT: !inTerminal }
    for (const [name, hand] of Object.entries(forward)) process.on(name, () => void (hand && child.kill(name)))
    // npm passes SIGTERM to the shell between it and us, and that shell ends without a word: its end is the signal then.
    const parent = process.ppid
    const orphaned = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(orphaned)
      child.kill("SIGTERM")
    }, PARENT_LOOK_MS)
    orphaned.unref()
    if (process.env.npm_lifecycle_event === undefined) clearInterval(orphaned)
    child.once("error", (error) => {
      say(`${node} could not be started: ${error.message}`)
      resolve(1)
    })
    child.once("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })

const main = async () => {
  const [name = "", ...args] = process.argv.slice(2)
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined || !existsSync(join(root, command.script))) {
    say(name === "" ? "a command is needed:" : `there is no command "${name}":`)
    for (const [each, { script, says }] of Object.entries(COMMANDS))
      if (existsSync(join(root, script))) process.stderr.write(`  ${each.padEnd(10)} ${says}\n`)
    process.exit(2)
  }
  if (command.help !== undefined && args.some((each) => each === "--help" || each === "-h")) {
    process.stdout.write([`npm run ${name} [-- options]: ${command.says}`, ...command.help.map((each) => `  ${each}`), ""].join("\n"))
    return
  }
  if (Number(process.versions.node.split(".")[0]) < 20) {
    say(`Node 20 or newer is needed to begin with; this is ${process.version}. See https://nodejs.org.`)
    process.exit(1)
  }
  process.exit(await runCommand(await prepare(), command, args))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
