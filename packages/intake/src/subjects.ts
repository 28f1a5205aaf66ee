/**
 * Which subjects belong to the engine, and of what kind a message is.
 *
 * With `NATS_SIGNAL_SUBJECT=signals.trading` the stream holds `signals.trading` and `signals.trading.>` (publishers),
 * `signals.http` (`POST /trade`) and `signals.resume.>` (orders to be taken up again): our own subjects are siblings of
 * the signal subject, so that two engines with different subjects do not meet. A subject of one token (`signals`), and
 * one whose siblings it would be itself (`signals.http`), gets `petrosa-intake.<subject>.http` and `….resume.>`.
 * Lots have a stream and a subject space of their own, `lots.>`.
 */
import { subjectProblem, subjectsOverlap } from "./tokens.ts"

export type MessageKind = "signal" | "http" | "resume" | "lot"

export interface SubjectPlan {
  /** What publishers use, with or without further tokens. */
  readonly signal: string
  /** Where `publishSignal` publishes. */
  readonly http: string
  /** Two tokens are appended: the order, and what is asked of it. */
  readonly resumePrefix: string
  /** A token is appended: the order. */
  readonly lotsPrefix: string
  /** The subjects of the stream of signals. */
  readonly signalSubjects: readonly string[]
  /** The subjects of the stream of lots. */
  readonly lotSubjects: readonly string[]
}

/** Subjects that the engine publishes to on plain NATS: a stream of signals over them would feed on its own words. */
export const EVENTS_PREFIX = "execution.events"
export const JOURNAL_PREFIX = "petrosa.journal"
export const INQUIRY_PREFIX = "petrosa.inquiry"

export type SubjectPlanResult = { readonly _tag: "Plan"; readonly plan: SubjectPlan } | { readonly _tag: "Bad"; readonly problem: string }

export const planSubjects = (signal: string, lotsPrefix = "lots"): SubjectPlanResult => {
  for (const [name, subject] of [
    ["signal subject", signal],
    ["lots subject", lotsPrefix],
  ] as const) {
    const problem = subjectProblem(subject)
    if (problem !== undefined) return { _tag: "Bad", problem: `The ${name} ${JSON.stringify(subject)} cannot be used: ${problem}.` }
  }
  const parent = signal.slice(0, Math.max(0, signal.lastIndexOf(".")))
  const family = (base: string) => ({ http: `${base}.http`, resumePrefix: `${base}.resume` })
  const clashes = (f: { http: string; resumePrefix: string }): boolean =>
    [f.http, `${f.resumePrefix}.>`].some((s) => subjectsOverlap(s, signal) || subjectsOverlap(s, `${signal}.>`))
  const sibling = parent === "" ? undefined : family(parent)
  const { http, resumePrefix } = sibling === undefined || clashes(sibling) ? family(`petrosa-intake.${signal}`) : sibling
  if (clashes({ http, resumePrefix })) {
    return {
      _tag: "Bad",
      problem: `The signal subject ${JSON.stringify(signal)} cannot be used: it leaves no room for the engine's own subjects (${http}).`,
    }
  }
  const signalSubjects = [signal, `${signal}.>`, http, `${resumePrefix}.>`]
  const lotSubjects = [`${lotsPrefix}.>`]
  for (const own of [`${EVENTS_PREFIX}.>`, `${JOURNAL_PREFIX}.>`, `${INQUIRY_PREFIX}.>`, ...lotSubjects]) {
    const hit = signalSubjects.find((s) => subjectsOverlap(s, own))
    if (hit !== undefined) {
      return {
        _tag: "Bad",
        problem: `The signal subject ${JSON.stringify(signal)} cannot be used: ${hit} overlaps ${own}, which the engine uses itself.`,
      }
    }
  }
  return { _tag: "Plan", plan: { signal, http, resumePrefix, lotsPrefix, signalSubjects, lotSubjects } }
}

/** Of what kind a message of our streams is; `order` is the order's token of the two kinds that have one. */
export const kindOf = (plan: SubjectPlan, subject: string): { readonly kind: MessageKind; readonly order?: string } => {
  if (subject === plan.http) return { kind: "http" }
  const resume = under(plan.resumePrefix, subject)
  // One token only: as it was published by versions that had no request in the subject.
  if (resume !== undefined) return { kind: "resume", order: resume.split(".", 1)[0] ?? "" }
  const lot = under(plan.lotsPrefix, subject)
  if (lot !== undefined) return { kind: "lot", order: lot }
  return { kind: "signal" }
}

const under = (prefix: string, subject: string): string | undefined =>
  subject.length > prefix.length + 1 && subject.startsWith(prefix) && subject.charAt(prefix.length) === "."
    ? subject.slice(prefix.length + 1)
    : undefined
