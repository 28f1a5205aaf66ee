/** What the server sends, as far as the page reads it (src/server/data.ts, slim.ts, tally.ts). */
import type { Command } from "@petrosa/contracts"

export interface Row {
  readonly order: string
  readonly version: number
  readonly state: string
  readonly status: string
  readonly type: string
  readonly at: string
  readonly created_at: string
  readonly signal_id: string
  readonly strategy_id: string
  readonly symbol: string
  readonly market: string
  readonly side: string
  readonly order_type: string
  readonly quantity: number | null
  readonly fill_price: number | null
  readonly filled_quantity: number | null
  readonly open_quantity: string
  readonly profit: string | null
  readonly reason: string | null
  readonly binance_order_id: string | null
  readonly settled: boolean
  readonly done: boolean
  readonly parked: boolean
  readonly simulation_mode: boolean
}

export interface Regions {
  readonly order: string
  readonly entry: string
  readonly protection: string
}

export type Json = Readonly<Record<string, unknown>>

export interface Step {
  readonly version: number
  readonly type: string
  readonly at: string
  readonly sinceStartMs: number
  readonly tookMs: number
  readonly state: string
  readonly regions: Regions
  readonly what: string
  readonly cause: string
  readonly replica: string
  readonly settings: string
  readonly engine: string
  readonly hash: string
  readonly commands: readonly Command[]
  readonly waiting: readonly Command[]
  readonly set: Json
  readonly differences: readonly Json[]
}

export interface WhyLine {
  readonly version: number
  readonly at: string
  readonly text: string
  readonly rule?: { readonly name: string; readonly observed: string; readonly limit: string; readonly passed: boolean }
}
export interface Again {
  readonly _tag: "Same" | "Different" | "NotPossible"
  readonly decided?: string
  readonly assumed?: readonly string[]
  readonly path?: string
  readonly recorded?: string
  readonly today?: string
  readonly why?: string
}
export interface Why {
  readonly answer: string
  readonly chapters: readonly { readonly title: string; readonly lines: readonly WhyLine[] }[]
  readonly timings: readonly { readonly name: string; readonly tookMs: number; readonly says: string }[]
  readonly again: Again
}

export interface OrderDoc {
  readonly row: Row
  readonly steps: readonly Step[]
  readonly difference: Json | null
  readonly chain: { readonly ok: boolean; readonly version: number; readonly detail?: string; readonly what?: string }
  readonly unreadable: string | null
  readonly left: number
  readonly why: Why
}

export interface NextEvent {
  readonly type: string
  readonly regions: readonly string[]
  readonly possible: boolean
  readonly leadsTo?: Regions
  readonly commands?: readonly string[]
}

export interface RawEvent {
  readonly version: number
  readonly text: string
  readonly hash: string
  readonly prev: string | null
  readonly hashHolds: boolean
  readonly chainHolds: boolean
}

export interface Transition {
  readonly order: string
  readonly version: number
  readonly type: string
  readonly from: string | null
  readonly to: string
  readonly at: string
  readonly symbol: string
  readonly strategy: string
  readonly reason: string | null
}

export interface Counts {
  readonly atWork: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly newest: {
    readonly of: number
    readonly states: Readonly<Record<string, number>>
    readonly reasons: Readonly<Record<string, number>>
  }
  readonly replicas: readonly string[]
  readonly perSecond: number
}

export interface About {
  readonly mode: string
  readonly replica: string
  readonly version: string
  readonly store: string
  readonly ready: boolean
  readonly simulation: boolean
  readonly faults: boolean
  readonly states: readonly string[]
  readonly statuses: readonly string[]
  readonly reasons: Readonly<Record<string, { readonly class: string; readonly says: string }>>
}
