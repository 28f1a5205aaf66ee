/** Many orders held: what they cost in memory, and how soon they are held again after a stop or a kill. */
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
  /** From the start of the new process (Node, the program, the store) until all are held again, their adoption durable, ms. */
  readonly heldAfterMs: number
  /** How long a process with nothing to take up needs until it is ready, measured just before, ms. */
  readonly emptyStartMs: number
  /** The one less the other. */
  readonly tookMs: number
  /** How long the graceful stop took; 0 for a kill. */
  readonly stopMs: number
}

const ROUNDS = 3

/**
 * Fills the world with resting orders, ends the engine so, and times the next one, beside the start of one with nothing to do: this
 * machine is half as fast in one minute as in the next. The median of three. `killAtOnce`: before it has made a snapshot of most of
 * them, once; the others wait for that (it takes 500 a second).
 */
export const recovery = async (world: BenchWorld, empty: BenchWorld, orders: number, how: Ending): Promise<Recovery> => {
  await empty.prepare()
  let engine = await world.engine()
  await world.publish(orders, { resting: true })
  await world.until(engine, TIMEOUT_MS, "all orders to rest", ({ accepted, failed }) => accepted + failed >= orders)
  // On a machine that is busy with other things some entries miss their deadline: those are settled, not in flight.
  const { live } = await engine.count()
  const rounds: Recovery[] = []
  while (rounds.length < (how === "killAtOnce" ? 1 : ROUNDS)) {
    if (how !== "killAtOnce") await world.until(engine, TIMEOUT_MS, "all to have a snapshot", ({ snapshots }) => snapshots >= live)
    let stopMs = 0
    if (how === "stop") stopMs = await engine.stop()
    else await engine.kill()
    const emptyStartMs = await emptyStart(empty)
    const begunMs = nowMs()
    engine = await world.engine()
    const heldMs = await world.until(engine, TIMEOUT_MS, "all orders to be held again", ({ adopted }) => adopted >= live)
    const heldAfterMs = heldMs - begunMs
    rounds.push({ orders: live, heldAfterMs, emptyStartMs, tookMs: heldAfterMs - emptyStartMs, stopMs })
  }
  await engine.kill()
  return rounds.toSorted((a, b) => a.tookMs - b.tookMs)[rounds.length >> 1] as Recovery
}

/** Its own start included, ms. */
const emptyStart = async (world: BenchWorld): Promise<number> => {
  const begunMs = nowMs()
  const engine = await world.engine()
  const readyMs = nowMs()
  await engine.stop()
  return readyMs - begunMs
}
