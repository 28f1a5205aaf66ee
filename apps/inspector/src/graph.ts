/**
 * The form of `generated/graph.json`: the order machine, laid out (scripts/layout.ts makes it, the page draws it).
 * Coordinates are px inside the region; `path` and labels begin at (margin, titleHeight).
 */
export interface GraphNode {
  readonly region: string
  readonly state: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly initial: boolean
  /** Events that are taken here without leaving the state. */
  readonly self: readonly string[]
}

export interface GraphEdge {
  readonly region: string
  readonly from: string
  readonly to: string
  readonly events: readonly string[]
  /** Taken without an event, as soon as its guard holds. */
  readonly always: boolean
  /** So many events that its label is shown only when it is pointed at or taken. */
  readonly quiet: boolean
  /** SVG path. */
  readonly path: string
  /** Centre of the label. */
  readonly label: { readonly text: string; readonly x: number; readonly y: number }
}

export interface GraphRegion {
  readonly id: string
  readonly title: string
  readonly width: number
  readonly height: number
}

export interface Graph {
  readonly margin: number
  readonly titleHeight: number
  readonly regions: readonly GraphRegion[]
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  /** Events that are taken in every state. */
  readonly anywhere: readonly string[]
}
