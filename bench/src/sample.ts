/** One real order's life, from its signal to its closed lot: what the floor writes, and what past orders are made of. */
import type { SampleRecord } from "./protocol.ts"
import { BenchWorld } from "./world.ts"

export interface Sample {
  /** Until it is settled, as it was appended. */
  readonly untilSettled: readonly (readonly SampleRecord[])[]
  /** Until its lot is closed. */
  readonly whole: readonly (readonly SampleRecord[])[]
}

const WAIT_MS = 20_000

export const takeSample = async (): Promise<Sample> => {
  const world = await BenchWorld.open("sqlite")
  try {
    const engine = await world.engine()
    await world.publish(1)
    await world.settled(engine, 1, WAIT_MS)
    const { sample: untilSettled, failures } = await engine.report()
    if (Object.keys(failures).length > 0) throw new Error(`the bench's signal is not traded: ${JSON.stringify(failures)}`)
    // Through the target.
    await engine.setPrice("BTCUSDT", "60000")
    await world.until(engine, WAIT_MS, "the lot to be closed", ({ live }) => live === 0)
    const { sample: whole } = await engine.report()
    await engine.stop()
    return { untilSettled, whole }
  } finally {
    await world.close()
  }
}
