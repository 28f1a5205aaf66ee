/**
 * After a crash: having back at once what the process before this one had been given.
 *
 * The server would deliver it again after `ack_wait`. A process that is CERTAINLY alone (SQLite's lock, and the store's id
 * in the stream) need not wait: it gives the messages back in the dead one's name, by their ack subjects
 * (`$JS.ACK.<stream>.<consumer>.<count>.<stream seq>.<consumer seq>.<time>.<pending>`). That form is read by the server's
 * `ackReplyInfo`, but no documented API: the contract test holds it against the pinned server. Where it should fail one
 * day nothing is lost but time: the messages come after `ack_wait`.
 *
 * With another process alive it would take that one's messages away; ownership (docs/design.md section 4.4) would sort
 * that out, at the price of an adoption each.
 */
import { type Broker, problemOf } from "./connection.ts"

export type ReclaimResult =
  /**
   * `pending` messages were delivered and not acknowledged; `named` sequences were given back to cover them. `complete` is
   * false when the range is longer than the bound: then the rest comes after `ack_wait`.
   */
  | { readonly _tag: "Reclaimed"; readonly pending: number; readonly named: number; readonly complete: boolean }
  | { readonly _tag: "Away"; readonly reason: string }

const SLICE = 1000
const NAK = new TextEncoder().encode("-NAK")
/** About 15 µs each: a million takes some 15 s, longer than any `ack_wait` worth having. */
const RANGE_MAX = 300_000

/** Before {@link StreamIntake.start}, when this process is certainly alone. */
export const reclaim = async (broker: Broker, stream: string, consumer: string, timeoutMs = 5000): Promise<ReclaimResult> => {
  if (!broker.connected) return { _tag: "Away", reason: "no connection to NATS" }
  try {
    const jsm = await broker.nc.jetstreamManager({ timeout: timeoutMs, checkAPI: false })
    const info = await jsm.consumers.info(stream, consumer)
    const pending = info.num_ack_pending
    if (pending === 0) return { _tag: "Reclaimed", pending: 0, named: 0, complete: true }
    const last = info.delivered.stream_seq
    // The newest first when there are too many: the oldest are the ones nearest to coming back by themselves.
    const first = Math.max(info.ack_floor.stream_seq + 1, last - RANGE_MAX + 1)
    const tail = `${info.delivered.consumer_seq}.${Date.now()}000000.0`
    for (let from = first; from <= last; from += SLICE) {
      for (let sequence = from; sequence < from + SLICE && sequence <= last; sequence++) {
        broker.nc.publish(`$JS.ACK.${stream}.${consumer}.1.${sequence}.${tail}`, NAK)
      }
      if (!(await broker.flush(timeoutMs))) return { _tag: "Away", reason: "the broker did not answer in time" }
    }
    return { _tag: "Reclaimed", pending, named: last - first + 1, complete: first === info.ack_floor.stream_seq + 1 }
  } catch (error) {
    return { _tag: "Away", reason: problemOf(error) }
  }
}
