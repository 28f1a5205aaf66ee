/**
 * `npm run campaign -- <name>`: see `npm run campaign -- --help`.
 *
 * Long campaigns: the crash tests of `test/crash`, with larger numbers. Prints progress and a table, and writes the result
 * to `docs/campaigns/<name>-<store>-<date>.json` and `.md`. Exit code 0 only when the oracle found nothing.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism, totalmem } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { binanceCampaign, binanceRows } from "../test/binance/campaign.ts"
import { floodCampaign, floodRows } from "../test/flood/campaign.ts"
import { killing, type KillingResult } from "../test/support/killing.ts"
import { World } from "../test/support/world.ts"
import { startMongoServer } from "./servers/mongoServer.ts"

const ROOT = fileURLToPath(new URL("..", import.meta.url))

const CAMPAIGNS = {
  kills: "orders in flight on a slow, lossy paper venue; the engine is killed (SIGKILL) at random moments",
  restarts: "the same, with graceful stops (SIGTERM)",
  mixed: "the same, killed or stopped by chance",
} as const
type Name = keyof typeof CAMPAIGNS

const USAGE = `npm run campaign -- <name> [options]: long campaigns, with progress, a table, and a result under docs/campaigns

  kills      ${CAMPAIGNS.kills}
  restarts   ${CAMPAIGNS.restarts}
  mixed      ${CAMPAIGNS.mixed}
               --orders 500 --kills 50 --life-ms 700 (the longest that an engine lives) --store sqlite|mongodb
  binance    bracketed orders at the local Binance, under its rate limits
               --orders 3000 --per-minute 100
  flood      plain publications at once, at the engine as npm start starts it: memory below 400 MB, one decision each
               --orders 200000 --bots 5000 --tight (some stops and targets so near that the market reaches them)

  --seed N      what is random is drawn from it; by default by chance, and told
  --no-write    no result is written
  -h, --help    this

Exit code 0: the oracle found nothing; 1: it did; 2: the command is not understood.
`

const wrong = (why: string): never => {
  process.stderr.write(`petrosa: ${why}\n\n${USAGE}`)
  process.exit(2)
}

const OPTIONS = {
  orders: { type: "string" },
  kills: { type: "string", default: "50" },
  store: { type: "string", default: "sqlite" },
  seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
  "life-ms": { type: "string", default: "700" },
  "per-minute": { type: "string", default: "100" },
  bots: { type: "string", default: "5000" },
  tight: { type: "boolean", default: false },
  "no-write": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const

const read = () => {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS })
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error))
  }
}
const { values, positionals } = read()
if (values.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}

const whole = (name: Exclude<keyof typeof OPTIONS, "tight" | "no-write" | "help">, least = 0, otherwise = "0"): number => {
  const text = values[name] ?? otherwise
  const value = Number(text)
  return text !== "" && Number.isSafeInteger(value) && value >= least
    ? value
    : wrong(`--${name} must be a whole number from ${least}; it is "${text}"`)
}

const ORDERS = "500"
const FLOOD_ORDERS = "200000"

const git = (...args: string[]): string => {
  try {
    return execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return "unknown"
  }
}

interface Report {
  readonly campaign: Name
  readonly what: string
  readonly at: string
  readonly version: string
  readonly commit: string
  readonly machine: string
  readonly node: string
  readonly store: string
  readonly orders: number
  readonly kills: number
  readonly seed: number
  readonly tookMs: number
  readonly result: KillingResult
  readonly complaints: Readonly<Record<string, number>>
}

const table = (report: Report): readonly (readonly [string, string])[] => {
  const { findings, published, convergedMs } = report.result
  return [
    ["campaign", `${report.campaign}: ${report.what}`],
    ["version", `${report.version} (${report.commit})`],
    ["machine", `${report.machine}, Node ${report.node}`],
    ["store", report.store],
    ["seed", String(report.seed)],
    ["ends of the engine", String(report.kills)],
    ["signals published", String(published)],
    ["orders recorded", String(findings.orders)],
    ["settled", String(findings.settled)],
    ["parked", String(findings.parked)],
    ["entries in the venue's own memory", String(findings.entriesAtVenue)],
    ["open lots, each under its stop", String(findings.openLots)],
    [
      "orders that failed, by reason",
      Object.entries(findings.byReason)
        .map(([code, n]) => `${code} ${n}`)
        .join(", ") || "none",
    ],
    ["all settled after the last restart", `${convergedMs} ms`],
    ["longest unprotected, while a process was up", `${findings.unprotectedMaxMs} ms`],
    ["took", `${Math.round(report.tookMs / 1000)} s`],
    ["problems found by the oracle", String(findings.problems.length)],
  ]
}

const markdown = (report: Report): string => {
  const rows = table(report).map(([name, value]) => `| ${name} | ${value} |`)
  const problems = report.result.findings.problems.map((problem) => `- ${problem}`)
  return [
    `# Campaign ${report.campaign} on ${report.store}, ${report.at.slice(0, 10)}`,
    "",
    "| | |",
    "| --- | --- |",
    ...rows,
    "",
    ...problems,
    "",
  ].join("\n")
}

const progress = (): ((text: string) => void) => {
  const startedMs = Date.now()
  return (text) => void process.stderr.write(`${((Date.now() - startedMs) / 1000).toFixed(1).padStart(7)} s  ${text}\n`)
}

/** What is the same in the campaigns that are worlds of their own: their table, their files, and how they end. */
const finish = (
  name: string,
  what: string,
  options: { readonly seed: number },
  result: { readonly problems: readonly string[] },
  ownRows: readonly (readonly [string, string])[],
  startedMs: number,
): void => {
  const at = new Date().toISOString()
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string }
  const commit = git("rev-parse", "--short", "HEAD")
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
  const tookMs = Date.now() - startedMs
  const rows: readonly (readonly [string, string])[] = [
    ["campaign", `${name}: ${what}`],
    ["version", `${version} (${commit})`],
    ["machine", `${machine}, Node ${process.versions.node}`],
    ...ownRows,
    ["took", `${Math.round(tookMs / 1000)} s`],
  ]
  for (const [label, value] of rows) process.stdout.write(`${label.padEnd(44)} ${value}\n`)
  for (const problem of result.problems) process.stdout.write(`PROBLEM ${problem}\n`)
  if (values["no-write"]) return
  const file = join(ROOT, "docs", "campaigns", `${name}-${at.slice(0, 10)}`)
  mkdirSync(join(ROOT, "docs", "campaigns"), { recursive: true })
  const report = { campaign: name, at, version, commit, machine, node: process.versions.node, tookMs, ...options, result }
  writeFileSync(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`)
  const lines = ["| | |", "| --- | --- |", ...rows.map(([label, value]) => `| ${label} | ${value} |`)]
  const problems = result.problems.map((problem) => `- ${problem}`)
  writeFileSync(`${file}.md`, [`# Campaign ${name}, ${at.slice(0, 10)}`, "", ...lines, "", ...problems, ""].join("\n"))
  process.stdout.write(`written to ${file}.md and .json\n`)
}

/** The campaign at the local Binance: another world, another table. */
const atBinance = async (): Promise<never> => {
  const startedMs = Date.now()
  const options = {
    orders: whole("orders", 1, ORDERS),
    perMinute: whole("per-minute", 1),
    seed: whole("seed"),
  }
  const result = await binanceCampaign({ ...options, say: progress() })
  const what = "bracketed orders of the real process at the local Binance, under its rate limits"
  finish("binance", what, options, result, binanceRows(options, result), startedMs)
  process.exit(result.problems.length === 0 && result.recorded === result.published ? 0 : 1)
}

/** A flood of plain publications, at the engine as `npm start` starts it. */
const flood = async (): Promise<never> => {
  const startedMs = Date.now()
  const options = {
    orders: whole("orders", 1, FLOOD_ORDERS),
    bots: whole("bots", 1),
    tight: values.tight,
    seed: whole("seed"),
  }
  if (values.store !== "sqlite") wrong("the flood is one of SQLite")
  const say = progress()
  say(`flood: ${options.orders} publications of ${options.bots} bots, seed ${options.seed}`)
  const result = await floodCampaign({ ...options, say })
  const what = "plain publications at once, at the engine as npm start starts it"
  finish("flood", what, options, result, floodRows(options, result), startedMs)
  process.exit(result.problemsInAll === 0 ? 0 : 1)
}

const name = positionals[0] ?? wrong("a campaign is needed")
if (name === "binance") await atBinance()
if (name === "flood") await flood()
if (!Object.hasOwn(CAMPAIGNS, name)) wrong(`there is no campaign "${name}"`)
const campaign = name as Name
const store =
  values.store === "mongodb"
    ? "mongodb"
    : values.store === "sqlite"
      ? "sqlite"
      : wrong(`--store is sqlite or mongodb; it is "${values.store}"`)
const orders = whole("orders", 1, ORDERS)
const kills = whole("kills")
const seed = whole("seed")

const began = Date.now()
const say = progress()
const mongo = store === "mongodb" ? await startMongoServer() : undefined
if (mongo !== undefined && "skipped" in mongo) {
  process.stderr.write(`${mongo.skipped}\n`)
  process.exit(2)
}
const world = await World.create({
  store,
  ...(mongo === undefined ? {} : { mongoUrl: mongo.url }),
  env: { ENTRY_TIMEOUT_SECONDS: "60", ...(store === "mongodb" ? { ACK_WAIT_MS: "1000" } : {}) },
})
try {
  say(`${campaign}: ${CAMPAIGNS[campaign]}; ${orders} orders, ${kills} ends, ${store}, seed ${seed}`)
  const result = await killing(world, {
    orders,
    kills,
    seed,
    lifeMs: whole("life-ms", 1),
    ending: campaign === "kills" ? "kill" : campaign === "restarts" ? "stop" : "mixed",
    onProgress: say,
    settleTimeoutMs: 120_000,
  })
  const complaints: Record<string, number> = {}
  for (const engine of world.engines) for (const { msg } of engine.complaints) complaints[msg] = (complaints[msg] ?? 0) + 1
  const at = new Date().toISOString()
  const report: Report = {
    campaign,
    what: CAMPAIGNS[campaign],
    at,
    version: (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string }).version,
    commit: git("rev-parse", "--short", "HEAD"),
    machine: `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.versions.node,
    store: mongo === undefined ? store : `${store} (${mongo.kind})`,
    orders,
    kills,
    seed,
    tookMs: Date.now() - began,
    result,
    complaints,
  }
  for (const [label, value] of table(report)) process.stdout.write(`${label.padEnd(44)} ${value}\n`)
  for (const problem of result.findings.problems) process.stdout.write(`PROBLEM ${problem}\n`)
  if (!values["no-write"]) {
    const folder = join(ROOT, "docs", "campaigns")
    const file = join(folder, `${campaign}-${store}-${at.slice(0, 10)}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`)
    writeFileSync(`${file}.md`, markdown(report))
    process.stdout.write(`written to ${file}.md and .json\n`)
  }
  process.exitCode = result.findings.problems.length === 0 && result.findings.orders === result.published ? 0 : 1
} finally {
  await world.close()
  if (mongo !== undefined) await mongo.stop()
}
