/** The drawn graph is the machine: both are walked, and nothing may be in one that is not in the other. */
import { readFileSync } from "node:fs"
import { orderMachine, REGIONS } from "@petrosa/lifecycle"
import { describe, expect, it } from "vitest"
import { bundleFile, bundleText, graphFile, graphText, statelyFile, statelyText } from "../scripts/build.ts"
import type { Graph } from "../src/graph.ts"

const graph = JSON.parse(readFileSync(graphFile, "utf8")) as Graph
const MEND = "not up to date: node apps/inspector/scripts/build.ts"

/** Every arrow of the definition, as it is written: region, from, event (or always), to. */
const arrowsOfDefinition = (): ReadonlySet<string> => {
  const found = new Set<string>()
  const add = (region: string, from: string, type: string, transition: unknown): void => {
    for (const one of Array.isArray(transition) ? transition : [transition]) {
      const target = typeof one === "string" ? one : (one as { readonly target?: string }).target
      if (target !== undefined) found.add(`${region} ${from} ${type} ${target}`)
    }
  }
  for (const region of REGIONS) {
    const states = (orderMachine.config.states?.[region]?.states ?? {}) as Readonly<
      Record<string, { readonly on?: Readonly<Record<string, unknown>>; readonly always?: unknown }>
    >
    for (const [from, { on, always }] of Object.entries(states)) {
      for (const [type, transition] of Object.entries(on ?? {})) add(region, from, type, transition)
      if (always !== undefined) add(region, from, "always", always)
    }
  }
  return found
}

const arrowsOfGraph = (): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const { region, from, to, events, always } of graph.edges) {
    for (const type of events) found.add(`${region} ${from} ${type} ${to}`)
    if (always) found.add(`${region} ${from} always ${to}`)
  }
  for (const { region, state, self } of graph.nodes) for (const type of self) found.add(`${region} ${state} ${type} ${state}`)
  return found
}

describe("the drawn graph", () => {
  it("has every state of the machine, and no other", () => {
    const drawn = graph.nodes.map(({ region, state }) => `${region}:${state}`).sort()
    const defined = REGIONS.flatMap((region) =>
      Object.keys(orderMachine.config.states?.[region]?.states ?? {}).map((state) => `${region}:${state}`),
    ).sort()
    expect(drawn).toEqual(defined)
  })

  it("has every transition of the machine, and no other", () => {
    expect([...arrowsOfGraph()].sort()).toEqual([...arrowsOfDefinition()].sort())
  })

  it("names the events that are taken in every state", () => {
    expect([...graph.anywhere].sort()).toEqual(Object.keys(orderMachine.config.on ?? {}).sort())
  })

  it("draws each arrow as a path inside its region", () => {
    for (const { region, path, from, to } of graph.edges) {
      const box = graph.regions.find(({ id }) => id === region)
      const numbers = [...path.matchAll(/-?\d+(?:\.\d+)?/g)].map(([text]) => Number(text))
      expect(numbers.length, `${from} > ${to}`).toBeGreaterThanOrEqual(4)
      expect(Math.max(...numbers)).toBeLessThanOrEqual(Math.max(box?.width ?? 0, box?.height ?? 0))
    }
  })

  it("is what the layout makes today", async () => {
    expect(readFileSync(graphFile, "utf8") === (await graphText()), MEND).toBe(true)
  })
})

describe("the page's bundle", () => {
  it("is what its sources make today, and small", async () => {
    const text = await bundleText()
    expect(readFileSync(bundleFile, "utf8") === text, MEND).toBe(true)
    expect(text.length).toBeLessThan(300_000)
    expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
  })

  it("is what its sources make today, of the page for the Stately inspector too", async () => {
    expect(readFileSync(statelyFile, "utf8") === (await statelyText()), MEND).toBe(true)
  })
})
