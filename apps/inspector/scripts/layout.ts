/**
 * The graph that the page draws: read from the machine's own definition, and laid out once with ELK, region by region.
 * Nothing is drawn by hand: what the machine has is here, and nothing else (test/graph.test.ts).
 */
import { orderMachine, REGIONS, type Region } from "@petrosa/lifecycle"
import ElkConstructor, { type ElkExtendedEdge, type ElkNode } from "elkjs/lib/elk.bundled.js"
import type { Graph, GraphEdge, GraphNode, GraphRegion } from "../src/graph.ts"

// elkjs is CommonJS: its class is the module itself, or its default, depending on who loads it.
const Elk = ((ElkConstructor as unknown as { readonly default?: unknown }).default ?? ElkConstructor) as new () => {
  layout(graph: ElkNode): Promise<ElkNode>
}

const NODE = { width: 100, height: 36 }
/** An arrow with more events than this is drawn without a label: it shows one when it is pointed at or taken. */
const LABELLED_MAX = 6
/** Characters are this wide at the labels' size, in px: a monospaced guess on the safe side. */
const CHARACTER = 5.2
const LABEL_HEIGHT = 13
const MARGIN = 14
const TITLE_HEIGHT = 26

export const TITLES: Readonly<Record<Region, string>> = {
  order: "order — what people see",
  entry: "entry — the entry at the venue",
  protection: "protection — its stop and target",
}

/** Which events tell most about arriving in a state: they are the arrow's label, the others are behind "+n". */
const TELLING: Readonly<Record<string, readonly string[]>> = {
  working: ["EntryAccepted"],
  unknown: ["EntryUnknown"],
  partlyFilled: ["EntryPartlyFilled"],
  cancelling: ["EntryCancelRequested"],
  over: ["EntryFilled", "EntryEnded", "CloseReported"],
  placing: ["EntryFilled", "LateFillFound"],
  growing: ["EntryPartlyFilled", "StopAccepted"],
  covered: ["TargetAccepted", "StopAccepted"],
  exiting: ["ExitFilled", "CloseRequested"],
  closed: ["LotClosed"],
}

export const labelOf = (to: string, events: readonly string[], always: boolean): string => {
  if (always) return "follows protection"
  const first = TELLING[to]?.find((type) => events.includes(type)) ?? events[0] ?? ""
  if (events.length === 2 && `${events[0]}${events[1]}`.length < 26) return events.join(", ")
  return events.length === 1 ? first : `${first} +${events.length - 1}`
}

interface Arrow {
  readonly from: string
  readonly to: string
  readonly events: string[]
  always: boolean
}

/** Arrows between states of one region, those of the same two states as one; self arrows apart. */
const arrowsOf = (region: Region): { readonly arrows: readonly Arrow[]; readonly self: ReadonlyMap<string, readonly string[]> } => {
  const arrows = new Map<string, Arrow>()
  const self = new Map<string, string[]>()
  const node = orderMachine.states[region]
  for (const [name, state] of Object.entries(node?.states ?? {})) {
    for (const transition of [...[...state.transitions.values()].flat(), ...(state.always ?? [])]) {
      const type: string = transition.eventType
      const always = type === ""
      for (const target of transition.target ?? []) {
        if (target === state) {
          self.set(name, [...(self.get(name) ?? []), type])
          continue
        }
        const key = `${name}>${target.key}`
        const arrow = arrows.get(key) ?? { from: name, to: target.key, events: [], always: false }
        if (always) arrow.always = true
        else if (!arrow.events.includes(type)) arrow.events.push(type)
        arrows.set(key, arrow)
      }
    }
  }
  return { arrows: [...arrows.values()], self }
}

const round = (n: number): number => Math.round(n * 10) / 10

const pathOf = (edge: ElkExtendedEdge): string =>
  (edge.sections ?? [])
    .map(({ startPoint, bendPoints = [], endPoint }) => {
      const points = [startPoint, ...bendPoints, endPoint]
      return points.map(({ x, y }, n) => corner(points[n - 1], { x, y }, points[n + 1])).join("")
    })
    .join("")

const RADIUS = 5
type Point = { readonly x: number; readonly y: number }

/** A line to the point, its corner rounded. */
const corner = (before: Point | undefined, at: Point, after: Point | undefined): string => {
  if (before === undefined) return `M${round(at.x)} ${round(at.y)}`
  if (after === undefined) return `L${round(at.x)} ${round(at.y)}`
  const towards = (to: Point): Point => {
    const length = Math.hypot(to.x - at.x, to.y - at.y)
    const part = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length
    return { x: at.x + (to.x - at.x) * part, y: at.y + (to.y - at.y) * part }
  }
  const a = towards(before)
  const b = towards(after)
  return `L${round(a.x)} ${round(a.y)}Q${round(at.x)} ${round(at.y)} ${round(b.x)} ${round(b.y)}`
}

/** The middle of the longest straight piece: where a label has most room. */
const middleOf = (edge: ElkExtendedEdge): Point => {
  let best: Point = { x: 0, y: 0 }
  let longest = -1
  for (const { startPoint, bendPoints = [], endPoint } of edge.sections ?? []) {
    const points = [startPoint, ...bendPoints, endPoint]
    for (const [n, at] of points.entries()) {
      const next = points[n + 1]
      if (next === undefined) continue
      const length = Math.abs(next.x - at.x)
      if (length > longest) {
        longest = length
        best = { x: round((at.x + next.x) / 2), y: round((at.y + next.y) / 2 - LABEL_HEIGHT / 2) }
      }
    }
  }
  return best
}

const OPTIONS: Readonly<Record<string, string>> = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.layered.spacing.nodeNodeBetweenLayers": "26",
  "elk.layered.spacing.edgeNodeBetweenLayers": "8",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "7",
  "elk.spacing.nodeNode": "22",
  "elk.spacing.edgeEdge": "7",
  "elk.spacing.edgeNode": "9",
  "elk.edgeLabels.inline": "true",
  "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
  "elk.layered.feedbackEdges": "true",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.randomSeed": "1",
}

const layoutRegion = async (region: Region) => {
  const { arrows, self } = arrowsOf(region)
  const states = Object.keys(orderMachine.states[region]?.states ?? {})
  const laid = await new Elk().layout({
    id: region,
    layoutOptions: { ...OPTIONS },
    children: states.map((state) => ({ id: state, ...NODE })),
    edges: arrows.map(({ from, to, events, always }) => {
      const text = labelOf(to, events, always)
      return {
        id: `${from}>${to}`,
        sources: [from],
        targets: [to],
        labels: always || events.length <= LABELLED_MAX ? [{ text, width: Math.ceil(text.length * CHARACTER), height: LABEL_HEIGHT }] : [],
      }
    }),
  })
  return { laid, arrows, self, states }
}

export const makeGraph = async (): Promise<Graph> => {
  const regions: GraphRegion[] = []
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  for (const region of REGIONS) {
    const { laid, arrows, self } = await layoutRegion(region)
    const initial = orderMachine.states[region]?.config.initial
    regions.push({
      id: region,
      title: TITLES[region],
      width: Math.ceil((laid.width ?? 0) + 2 * MARGIN),
      height: Math.ceil((laid.height ?? 0) + MARGIN + TITLE_HEIGHT),
    })
    for (const child of laid.children ?? [])
      nodes.push({
        region,
        state: child.id,
        x: round((child.x ?? 0) + MARGIN),
        y: round((child.y ?? 0) + TITLE_HEIGHT),
        width: NODE.width,
        height: NODE.height,
        initial: child.id === initial,
        self: [...new Set(self.get(child.id) ?? [])],
      })
    for (const edge of laid.edges ?? []) {
      const arrow = arrows.find(({ from, to }) => `${from}>${to}` === edge.id)
      const label = edge.labels?.[0]
      if (arrow === undefined) continue
      const text = labelOf(arrow.to, arrow.events, arrow.always)
      edges.push({
        region,
        from: arrow.from,
        to: arrow.to,
        events: arrow.events,
        always: arrow.always,
        path: pathOf(edge),
        quiet: label === undefined,
        label:
          label === undefined
            ? { text, ...middleOf(edge) }
            : { text, x: round((label.x ?? 0) + (label.width ?? 0) / 2), y: round((label.y ?? 0) + LABEL_HEIGHT / 2) },
      })
    }
  }
  return {
    margin: MARGIN,
    titleHeight: TITLE_HEIGHT,
    regions,
    nodes,
    edges,
    anywhere: [...new Set(orderMachine.root.ownEvents.map(String))],
  }
}
