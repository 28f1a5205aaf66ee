/** The machine, drawn from generated/graph.json: live counts on its states, arrows that light up, the path of an order. */
import graphJson from "../generated/graph.json" with { type: "json" }
import type { Graph } from "../src/graph.ts"
import { h, s } from "./dom.ts"
import type { Counts, Step } from "./types.ts"

export const graph = graphJson as Graph

interface NodeParts {
  readonly group: SVGGElement
  readonly count: SVGTextElement
  readonly total: SVGTextElement
  readonly name: string
}
interface EdgeParts {
  readonly group: SVGGElement
}

export interface Path {
  readonly steps: readonly Step[]
  /** Up to this version. */
  readonly at: number
}

const LIT_MS = 1200
const WIDEST = Math.max(...graph.regions.map(({ width }) => width))

export class GraphView {
  readonly element: HTMLElement
  readonly #nodes = new Map<string, NodeParts>()
  readonly #edges = new Map<string, EdgeParts>()

  /** `onState`: somebody chose a state of the order region. */
  constructor(onState: (state: string) => void) {
    this.element = h("div", { class: "graph" })
    for (const region of graph.regions) {
      const svg = s("svg", {
        viewBox: `0 0 ${region.width} ${region.height}`,
        class: "region",
        role: "group",
        "aria-label": `Region ${region.title}`,
      })
      svg.style.setProperty("--share", String(region.width / WIDEST))
      svg.append(
        s(
          "defs",
          {},
          s(
            "marker",
            { id: `tip-${region.id}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto-start-reverse" },
            s("path", { d: "M0 0.6L7.4 4L0 7.4z", class: "tip" }),
          ),
        ),
        s("text", { x: graph.margin, y: 15, class: "title" }, region.title),
      )
      const edges = s("g", { transform: `translate(${graph.margin} ${graph.titleHeight})` })
      for (const edge of graph.edges) if (edge.region === region.id) edges.append(this.#edge(edge))
      svg.append(edges)
      for (const node of graph.nodes) if (node.region === region.id) svg.append(this.#node(node, onState))
      this.element.append(svg)
    }
  }

  #edge(edge: Graph["edges"][number]): SVGGElement {
    const all = edge.always ? "as soon as protection says so" : edge.events.join(", ")
    const group = s(
      "g",
      { class: `edge${edge.quiet ? " quiet" : ""}`, "data-edge": `${edge.region}:${edge.from}>${edge.to}` },
      s("title", {}, `${edge.from} → ${edge.to}: ${all}`),
      s("path", { d: edge.path, class: "hit" }),
      s("path", { d: edge.path, class: "line", "marker-end": `url(#tip-${edge.region})` }),
      s("text", { x: edge.label.x, y: edge.label.y + 3 }, edge.label.text),
    )
    this.#edges.set(`${edge.region}:${edge.from}>${edge.to}`, { group })
    return group
  }

  #node(node: Graph["nodes"][number], onState: (state: string) => void): SVGGElement {
    const count = s("text", { x: node.x + node.width - 7, y: node.y + 15, class: "count" })
    const total = s("text", { x: node.x + node.width - 7, y: node.y + 29, class: "total" })
    const chosen = node.region === "order" && node.state !== "new"
    const select = (): void => onState(node.state)
    const group = s(
      "g",
      {
        class: `node s-${node.state}${node.initial ? " initial" : ""}`,
        "data-node": `${node.region}:${node.state}`,
        ...(chosen
          ? {
              tabindex: 0,
              role: "button",
              onclick: select,
              onkeydown: (event: KeyboardEvent) => {
                if (event.key !== "Enter" && event.key !== " ") return
                event.preventDefault()
                select()
              },
            }
          : { role: "img" }),
      },
      s("title", {}, `${node.state}${node.self.length === 0 ? "" : `; stays here on ${node.self.join(", ")}`}`),
      s("rect", { x: node.x, y: node.y, width: node.width, height: node.height, rx: 7 }),
      s("text", { x: node.x + 9, y: node.y + node.height / 2 + 4, class: "name" }, node.state),
      count,
      total,
    )
    this.#nodes.set(`${node.region}:${node.state}`, { group, count, total, name: `${node.region} ${node.state}` })
    return group
  }

  counts({ atWork, newest }: Counts): void {
    for (const [key, parts] of this.#nodes) {
      const [region = "", state = ""] = key.split(":")
      const now = atWork[region]?.[state] ?? 0
      const shown = now === 0 ? "" : String(now)
      if (parts.count.textContent !== shown) parts.count.textContent = shown
      const all = region === "order" && (state === "filled" || state === "failed") ? (newest.states[state] ?? 0) : 0
      const total = all === 0 ? "" : `Σ ${all}`
      if (parts.total.textContent !== total) parts.total.textContent = total
      parts.group.classList.toggle("busy", now > 0)
      parts.group.setAttribute("aria-label", `${parts.name}: ${now} at work${all === 0 ? "" : `, ${all} of the newest ${newest.of}`}`)
    }
  }

  /** Lights arrows, and the states that they lead to, for a moment. */
  light(arrows: Iterable<string>): void {
    for (const arrow of arrows) {
      const edge = this.#edges.get(arrow)
      const [region = "", both = ""] = arrow.split(":")
      const node = this.#nodes.get(`${region}:${both.split(">")[1] ?? ""}`)
      if (node !== undefined) flash(node.group)
      if (edge === undefined) continue
      flash(edge.group)
    }
  }

  /** Draws the paths of up to two orders, or none. */
  paths(first: Path | undefined, second: Path | undefined): void {
    this.element.classList.toggle("has-path", first !== undefined)
    for (const { group } of [...this.#nodes.values(), ...this.#edges.values()])
      group.classList.remove("seen", "now", "last", "seen-b", "now-b")
    if (first !== undefined) this.#path(first, "")
    if (second !== undefined) this.#path(second, "-b")
  }

  #path({ steps, at }: Path, suffix: "" | "-b"): void {
    const mark = (parts: { readonly group: SVGGElement } | undefined, name: string): void => parts?.group.classList.add(name)
    let before: Step | undefined
    for (const step of steps) {
      if (step.version > at) break
      const last = step.version === at
      for (const region of ["order", "entry", "protection"] as const) {
        const to = step.regions[region]
        const from = before?.regions[region] ?? graph.nodes.find((node) => node.region === region && node.initial)?.state ?? to
        mark(this.#nodes.get(`${region}:${to}`), `seen${suffix}`)
        if (last) mark(this.#nodes.get(`${region}:${to}`), `now${suffix}`)
        for (const arrow of from === to ? [] : this.#between(region, from, to)) {
          mark(this.#edges.get(arrow), `seen${suffix}`)
          if (last && suffix === "") mark(this.#edges.get(arrow), "last")
        }
      }
      before = step
    }
  }

  /** One event may go along two arrows: an event, and then one that follows by itself. */
  #between(region: string, from: string, to: string): readonly string[] {
    const direct = `${region}:${from}>${to}`
    if (this.#edges.has(direct)) return [direct]
    const via = graph.edges.find(
      (edge) =>
        edge.region === region &&
        edge.from === from &&
        this.#edges.has(`${region}:${edge.to}>${to}`) &&
        (edge.always || graph.edges.some((next) => next.region === region && next.from === edge.to && next.to === to && next.always)),
    )
    return via === undefined ? [] : [`${region}:${from}>${via.to}`, `${region}:${via.to}>${to}`]
  }
}

const timers = new WeakMap<Element, number>()
const flash = (element: Element): void => {
  element.classList.add("lit")
  clearTimeout(timers.get(element))
  timers.set(
    element,
    window.setTimeout(() => element.classList.remove("lit"), LIT_MS),
  )
}
