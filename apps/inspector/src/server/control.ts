/**
 * The development forms: check or publish a signal, and the paper venue's switches. In simulation only, whatever the page
 * sends. A signal's bytes are handed on as they came: its numbers are taken from its source text.
 */
import type { EngineFace } from "@petrosa/engine"
import { describeEvent } from "@petrosa/lifecycle"
import { decodeFaults } from "@petrosa/venue"
import type { DataAnswer } from "./data.ts"

export const SIGNAL_MAX_BYTES = 1024 * 1024

const ok = (body: unknown): DataAnswer => ({ status: 200, body })

/** What the engine would do with these bytes. */
export const check = async (engine: EngineFace, bytes: Uint8Array): Promise<DataAnswer> => {
  const answer = await engine.dryRun(bytes)
  if (answer._tag === "Rejected") return ok(answer)
  return ok({
    _tag: answer._tag,
    order: answer.order,
    known: answer.existing === undefined ? null : answer.existing.state,
    events: answer.events.map((event) => ({ type: event.type, what: describeEvent(event as never) })),
  })
}

/** Hands the signal in, as `POST /trade` does, and says what became of it. */
export const publish = async (engine: EngineFace, bytes: Uint8Array): Promise<DataAnswer> => ok(await engine.trade(bytes, {}))

export const readFaults = (engine: EngineFace): DataAnswer =>
  engine.faults === undefined ? { status: 404, body: { detail: "There is no paper venue." } } : ok(engine.faults())

/** Changes the named switches only. */
export const changeFaults = async (engine: EngineFace, bytes: Uint8Array): Promise<DataAnswer> => {
  if (engine.setFaults === undefined || engine.faults === undefined) return { status: 404, body: { detail: "There is no paper venue." } }
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return { status: 400, body: { detail: "The body is no JSON." } }
  }
  const decoded = decodeFaults(body)
  if (decoded._tag === "Wrong") return { status: 400, body: { detail: decoded.problems.join("; ") } }
  await engine.setFaults(decoded.faults)
  return ok(engine.faults())
}
