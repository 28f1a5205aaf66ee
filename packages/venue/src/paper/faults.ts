/**
 * The ways in which the paper venue can be told to misbehave, and the pure decisions about them.
 *
 * They lie in the venue's file: they hold for every process that has it open, and over restarts. Chance is a pure function
 * of the seed and a counter, so that a run can be repeated.
 */
import type { Leg, RefusalClass } from "@petrosa/contracts"

/** A request as faults know it: the leg that is placed, or the kind of question. */
export type RequestKind = Leg | "cancel" | "query"

/** Which requests are hit. `count`: the next so many; `probability`: each with this chance (0…1); neither: all. */
export interface ReplyFault {
  readonly count?: number
  readonly probability?: number
  /** Absent: all kinds. */
  readonly requests?: readonly RequestKind[]
}

export interface Faults {
  /** Added to every request: half of it before the venue sees it, half before the caller sees the answer. */
  readonly slowMs: number
  /** Executions come in parts. */
  readonly partialFills: { readonly parts: number; readonly everyMs: number } | null
  /** Entries that could trade at once rest until the price moves through them (a market order: until it moves). */
  readonly rest: boolean
  /** Executed, but the caller sees `Unknown("TIMEOUT")`. */
  readonly loseReply: ReplyFault | null
  /** Never arrives; the caller sees `Unknown("TIMEOUT")`. */
  readonly dropRequest: ReplyFault | null
  readonly refuse: {
    readonly class: RefusalClass
    readonly code: string
    readonly message?: string
    /** Absent: until it is switched off. */
    readonly count?: number
    readonly leg?: Leg
  } | null
  /** For so long after accepting an order, questions about it are answered as if it were not there. */
  readonly notFoundForMs: number
  /** Every event is delivered twice. */
  readonly duplicateEvents: boolean
  /** Events are delivered so much later. */
  readonly lateEventsMs: number
  /** The part of the events that is never delivered (0…1). */
  readonly missEvents: number
  readonly seed: number
}

export const NO_FAULTS: Faults = {
  slowMs: 0,
  partialFills: null,
  rest: false,
  loseReply: null,
  dropRequest: null,
  refuse: null,
  notFoundForMs: 0,
  duplicateEvents: false,
  lateEventsMs: 0,
  missEvents: 0,
  seed: 1,
}

/** A number of [0, 1) that depends on nothing but its arguments (the finaliser of MurmurHash3). */
export const chance = (seed: number, counter: number): number => {
  let h = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(counter + 1, 0x85ebca6b)) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
}

/** Whether a request is hit, and the fault as it is afterwards (`null`: used up). */
export const strike = (
  fault: ReplyFault | null,
  kind: RequestKind,
  draw: () => number,
): { readonly hit: boolean; readonly after: ReplyFault | null } => {
  if (fault === null || (fault.requests !== undefined && !fault.requests.includes(kind))) return { hit: false, after: fault }
  if (fault.probability !== undefined && draw() >= fault.probability) return { hit: false, after: fault }
  if (fault.count === undefined) return { hit: true, after: fault }
  return { hit: fault.count > 0, after: fault.count <= 1 ? null : { ...fault, count: fault.count - 1 } }
}

export const concerns = (fault: ReplyFault | null, kind: RequestKind): boolean =>
  fault !== null && (fault.requests === undefined || fault.requests.includes(kind))

/** Each fault alone, in a strength that a test or a campaign can live with: for enumerating them. */
export const SINGLE_FAULTS = {
  slow: { slowMs: 200 },
  partialFills: { partialFills: { parts: 3, everyMs: 50 } },
  rest: { rest: true },
  loseEntryReply: { loseReply: { count: 1, requests: ["entry"] } },
  loseStopReply: { loseReply: { count: 1, requests: ["stop"] } },
  loseTargetReply: { loseReply: { count: 1, requests: ["target"] } },
  loseFlattenReply: { loseReply: { count: 1, requests: ["flatten"] } },
  loseCancelReply: { loseReply: { count: 1, requests: ["cancel"] } },
  loseAnswers: { loseReply: { count: 3, requests: ["query"] } },
  dropEntry: { dropRequest: { count: 1, requests: ["entry"] } },
  dropStop: { dropRequest: { count: 1, requests: ["stop"] } },
  dropTarget: { dropRequest: { count: 1, requests: ["target"] } },
  dropFlatten: { dropRequest: { count: 1, requests: ["flatten"] } },
  dropCancel: { dropRequest: { count: 1, requests: ["cancel"] } },
  refuseEntry: { refuse: { class: "fatal", code: "-1013", count: 1, leg: "entry" } },
  refuseStop: { refuse: { class: "rateLimit", code: "-1003", count: 1, leg: "stop" } },
  refuseTarget: { refuse: { class: "rateLimit", code: "-1003", count: 1, leg: "target" } },
  notFound: { notFoundForMs: 1_000 },
  duplicateEvents: { duplicateEvents: true },
  lateEvents: { lateEventsMs: 500 },
  missEvents: { missEvents: 1 },
} as const satisfies Readonly<Record<string, Partial<Faults>>>
