/**
 * Named points of the shell at which a test can crash, stall or lie: before and after everything that touches store,
 * broker or venue. Off in production: without a hook a point costs one comparison.
 */
export const FAULT_POINTS = [
  "store.append.before",
  "store.append.after",
  "store.read.before",
  "store.read.after",
  "broker.ack.before",
  "broker.ack.after",
  "broker.lot.before",
  "broker.lot.after",
  "broker.announce.before",
  "broker.announce.after",
  "venue.entry.before",
  "venue.entry.signed",
  "venue.entry.after",
  "venue.stop.before",
  "venue.stop.after",
  "venue.target.before",
  "venue.target.after",
  "venue.flatten.before",
  "venue.flatten.after",
  "venue.cancel.before",
  "venue.cancel.after",
  "venue.query.before",
  "venue.query.after",
] as const
export type FaultPoint = (typeof FAULT_POINTS)[number]

export interface FaultPoints {
  /** Returns nothing to go on at once, or a promise to wait for. It may also never return (a crash). */
  at(point: FaultPoint, order: string): Promise<void> | undefined
}
