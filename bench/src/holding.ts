/** Many orders held: what they cost in memory, and how soon they are held again after a stop or a kill. */
import { quantiles } from "./measures.ts"
import { nowMs } from "./protocol.ts"
import type { BenchWorld } from "./world.ts"

const TIMEOUT_MS = 600_000
const WARM_UP = 200

export interface MemoryUse {
  readonly orders: number
  /** Heap and buffers after garbage collection, bytes an order. */
  readonly bytesPerOrder: number
  readonly heapMb: number
  readonly rssMb: number
}

/** Resting limit entries. The paper venue is in its file: in memory it would count as ours. */
export const memoryOfLive = async (world: BenchWorld, orders: number): Promise<MemoryUse> => {
  const engine = await world.engine()
  await world.publish(WARM_UP, { resting: true })
  await world.until(engine, TIMEOUT_MS, "the first orders to rest", ({ accepted, failed }) => accepted + failed >= WARM_UP)
  await engine.reset()
  const before = await engine.report({ gc: true })
  await world.publish(orders, { resting: true })
  await world.until(engine, TIMEOUT_MS, "all orders to rest", ({ accepted, failed }) => accepted + failed >= orders)
  await engine.reset()
  const after = await engine.report({ gc: true })
  await engine.stop()
  const held = after.live - before.live
  const bytes = after.memory.heapUsed + after.memory.external - before.memory.heapUsed - before.memory.external
  return { orders: held, bytesPerOrder: bytes / held, heapMb: after.memory.heapUsed / 2 ** 20, rssMb: after.memory.rss / 2 ** 20 }
}

export type Ending = "stop" | "kill" | "killAtOnce"

export interface Recovery {
  readonly orders: number
  /** From the start of the new process until it is ready, ms. */
  readonly startMs: number
  /** From ready until all are held again, their adoption durable, ms; 0 when they were by then. */
  readonly resumeMs: number
  /** The same from the start of the new process: Node, the program, the store and the recovery, ms. */
  readonly heldAfterMs: number
  /** How long the graceful stop took; 0 for a kill. */
  readonly stopMs: number
}

/**
 * Fills the world with resting orders, ends the engine so, and times the next one. `killAtOnce`: before it has made a snapshot of
 * most of them; the others wait for that (it takes 500 a second).
 */
export const recovery = async (world: BenchWorld, orders: number, how: Ending): Promise<Recovery> => {
  const first = await world.engine()
  await world.publish(orders, { resting: true })
  await world.until(first, TIMEOUT_MS, "all orders to rest", ({ accepted, failed }) => accepted + failed >= orders)
  // On a machine that is busy with other things some entries miss their deadline: those are settled, not in flight.
  const { live } = await first.count()
  if (how !== "killAtOnce") await world.until(first, TIMEOUT_MS, "all to have a snapshot", ({ snapshots }) => snapshots >= live)
  let stopMs = 0
  if (how === "stop") stopMs = await first.stop()
  else await first.kill()
  const begunMs = nowMs()
  const second = await world.engine()
  const readyMs = nowMs()
  const heldMs = await world.until(second, TIMEOUT_MS, "all orders to be held again", ({ adopted }) => adopted >= live)
  await second.kill()
  return { orders: live, startMs: readyMs - begunMs, resumeMs: Math.max(0, heldMs - readyMs), heldAfterMs: heldMs - begunMs, stopMs }
}

const EMPTY_STARTS = 5

/** How long a process with nothing to take up needs until it is ready, ms, its own start included: the median of some. */
export const emptyStart = async (world: BenchWorld): Promise<number> => {
  await world.prepare()
  const tookMs: number[] = []
  while (tookMs.length < EMPTY_STARTS) {
    const begunMs = nowMs()
    const engine = await world.engine()
    tookMs.push(nowMs() - begunMs)
    await engine.stop()
  }
  return quantiles(tookMs).p50
}
