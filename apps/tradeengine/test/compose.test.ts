/** What docker-compose.yml hands to the engine are settings, and with deploy/sandbox.env they trade on the sandbox. */
import { readFileSync } from "node:fs"
import { parseSettings, settingsTable } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { planBinance } from "../src/openBinance.ts"

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")
const [, engine = ""] = read("docker-compose.yml").split(/^ {2}engine:$/m)
const [block = ""] = engine.split(/^ {2}\w+:$/m)
/** `NAME: value` of the engine's environment. */
const given = [...block.matchAll(/^ {6}([A-Z][A-Z0-9_]*): (.*)$/gm)].map(([, name = "", value = ""]) => [name, value] as const)

/** As compose fills in `${NAME:-default}`. */
const environment = (env: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    given.map(([name, value]) => [
      name,
      value.replace(/^\$\{(\w+):-(.*)\}$/, (_all, variable: string, otherwise: string) => env[variable] ?? otherwise),
    ]),
  )

describe("docker-compose.yml", () => {
  it("names settings only", () => {
    expect(given.length).toBeGreaterThan(10)
    expect(given.map(([name]) => name).filter((name) => !Object.hasOwn(settingsTable, name))).toEqual([])
  })

  it("as it is, is simulation on MongoDB", () => {
    expect(parseSettings(environment({}))).toMatchObject({ _tag: "Ok", settings: { mode: "simulation", auditStore: "mongodb" } })
  })

  it("with deploy/sandbox.env, trades both markets on the sandbox's container, with hosts that are allowed", () => {
    const lines = read("deploy/sandbox.env").split("\n")
    const env = Object.fromEntries(lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split(/=(.*)/s).slice(0, 2)))
    const parsed = parseSettings(environment(env as Record<string, string>))
    if (parsed._tag === "Invalid") throw new Error(JSON.stringify(parsed.errors))
    expect(parsed.settings).toMatchObject({ mode: "testnet", auditStore: "mongodb" })
    expect(planBinance(parsed.settings).map(({ market, hosts }) => [market, hosts.rest])).toEqual([
      ["spot", "http://sandbox:9700"],
      ["futures", "http://sandbox:9701"],
    ])
  })
})
