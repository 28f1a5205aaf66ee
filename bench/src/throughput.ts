/** Floor and full lifecycles at saturation: everything is published before, and worked off as fast as it goes. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { RetentionPolicy, StorageType } from "nats"
import { MeasuredChild } from "./child.ts"
import { type Rate, rateOf } from "./measures.ts"
import type { Report } from "./protocol.ts"
import type { Sample } from "./sample.ts"
import type { BenchWorld } from "./world.ts"

export interface Throughput extends Rate {
  readonly orders: number
  readonly appendsPerOrder: number
  readonly eventsPerOrder: number
  readonly eventsPerBatch: number
  readonly failed: number
  /** Messages left in the stream at the end: 0, since each is acknowledged. */
  readonly unacknowledged: number
}

const TIMEOUT_MS = 600_000
const ACK_WITHIN_MS = 5000

const throughputOf = (report: Report, orders: number, unacknowledged: number): Throughput => ({
  ...rateOf(report.marks),
  orders,
  appendsPerOrder: report.store.appends / orders,
  eventsPerOrder: report.store.events / orders,
  eventsPerBatch: report.store.events / Math.max(1, report.store.batches),
  failed: report.failed,
  unacknowledged,
})

const unacknowledged = async (world: BenchWorld, stream: string): Promise<number> => {
  const untilMs = Date.now() + ACK_WITHIN_MS
  for (;;) {
    const left = await world.messages(stream)
    if (left === 0 || Date.now() > untilMs) return left
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export const lifecycles = async (world: BenchWorld, orders: number, flags: readonly string[] = []): Promise<Throughput> => {
  await world.prepare()
  await world.publish(orders)
  const engine = await world.engine(flags)
  await world.settled(engine, orders, TIMEOUT_MS)
  const left = await unacknowledged(world, "SIGNALS")
  const report = await engine.report()
  await engine.stop()
  return throughputOf(report, orders, left)
}

export const floor = async (world: BenchWorld, orders: number, sample: Sample): Promise<Throughput> => {
  const file = join(world.dir, "sample.json")
  writeFileSync(file, JSON.stringify(sample.untilSettled))
  const jsm = await world.nc.jetstreamManager()
  await jsm.streams.add({ name: "FLOOR", subjects: ["floor"], retention: RetentionPolicy.Workqueue, storage: StorageType.File })
  await world.publish(orders, {}, "floor")
  const child = await MeasuredChild.start({
    script: "floorChild.ts",
    env: {
      ...world.env,
      FLOOR_STREAM: "FLOOR",
      FLOOR_SAMPLE: file,
      FLOOR_STORE: world.kind,
      FLOOR_FILE: join(world.dir, "floor.sqlite"),
    },
  })
  await world.settled(child, orders, TIMEOUT_MS)
  const left = await unacknowledged(world, "FLOOR")
  const report = await child.report()
  await child.stop()
  return throughputOf(report, orders, left)
}
