/** `npm run bench`: reads what is asked for, measures, prints a table, and JSON. Exit code 0 whatever the numbers are. */
import { readFileSync, writeFileSync } from "node:fs"
import { cpus, loadavg, release, totalmem } from "node:os"
import { resolve } from "node:path"
import { Command, InvalidArgumentError, Option } from "commander"
import { findMongo } from "../../tools/servers/mongoServer.ts"
import { FULL, QUICK, run, SECTIONS, type Section } from "./sections.ts"
import { tableOf } from "./table.ts"
import type { StoreKind } from "./world.ts"

const sectionsOf = (text: string): ReadonlySet<Section> => {
  const found = new Set<Section>()
  for (const name of text.split(",")) {
    const section = SECTIONS.find((one) => one === name.trim())
    if (section === undefined) throw new InvalidArgumentError(`not one of ${SECTIONS.join(", ")}`)
    found.add(section)
  }
  return found
}

interface Given {
  readonly store?: StoreKind
  readonly quick?: true
  readonly json?: string
  readonly only: ReadonlySet<Section>
  readonly cpuProf?: string
}

export const main = async (args: readonly string[]): Promise<void> => {
  const program = new Command("bench")
    .description("Measures the engine: see docs/bench.md.")
    .addOption(new Option("--store <kind>", "only this store").choices(["sqlite", "mongodb"]))
    .option("--quick", "small sizes: a minute or two, for a first look")
    .option("--json <file>", "writes the results there as well")
    .option("--only <sections>", `some of ${SECTIONS.join(",")}`, sectionsOf, new Set<Section>(SECTIONS))
    .option("--cpu-prof <folder>", "writes a CPU profile of the engine at saturation")
  program.parse([...args], { from: "user" })
  const given = program.opts<Given>()
  const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`)

  const stores: StoreKind[] = given.store === undefined ? ["sqlite", "mongodb"] : [given.store]
  const mongo = await findMongo()
  if (stores.includes("mongodb") && "skipped" in mongo && (process.env.MONGODB_URL ?? "") === "") {
    say(`MongoDB is left out: ${mongo.skipped}`)
    stores.splice(stores.indexOf("mongodb"), 1)
  }
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string }
  const machine = {
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${process.platform} ${release()}`,
    node: process.version,
    mongodb: "skipped" in mongo ? "none" : mongo.kind,
    loadBefore: loadavg()[0],
  }
  const results = await run({
    stores,
    sections: given.only,
    sizes: given.quick === true ? QUICK : FULL,
    say,
    flags: given.cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${resolve(given.cpuProf)}`],
  })
  const whole = {
    version,
    at: new Date().toISOString(),
    quick: given.quick === true,
    machine: { ...machine, loadAfter: loadavg()[0] },
    results,
  }
  const json = JSON.stringify(whole, null, 2)
  process.stdout.write(`${tableOf(results)}\n${json}\n`)
  if (given.json !== undefined) writeFileSync(resolve(process.env.INIT_CWD ?? ".", given.json), `${json}\n`)
}
