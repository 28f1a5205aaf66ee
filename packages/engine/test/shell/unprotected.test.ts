/** The protection clock as a metric: how long something filled was without a live stop is told once, when that ends. */
import { describe, expect, it } from "vitest"
import { World } from "./world.ts"

const read = async (world: World): Promise<{ readonly count: number; readonly sum: number }> => {
  const text = await world.engine.metrics.registry.metrics()
  const of = (name: string): number => Number(new RegExp(`^petrosa_unprotected_seconds_${name} (.+)$`, "m").exec(text)?.[1] ?? Number.NaN)
  return { count: of("count"), sum: of("sum") }
}

describe("unprotected time", () => {
  it("given an entry that is filled and gets its stop, then its unprotected time is measured once", async () => {
    const world = await World.start()
    expect(await read(world)).toEqual({ count: 0, sum: 0 })
    await world.covered()
    const { count, sum } = await read(world)
    expect(count).toBe(1)
    expect(sum).toBeGreaterThanOrEqual(0)
    expect(sum).toBeLessThan(5)
  })
})
