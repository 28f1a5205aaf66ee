import { describe, expect, it } from "vitest"
import { memoryOf, memoryOfStatus, thinned } from "./memory.ts"

const STATUS = "Name:\tnode\nVmPeak:\t 9999999 kB\nVmSize:\t 8888888 kB\nVmHWM:\t  300000 kB\nVmRSS:\t  200000 kB\nThreads:\t11\n"

describe("the memory of a process", () => {
  it("given what Linux says of it, then it is the resident memory, and its highest mark", () => {
    expect(memoryOfStatus(STATUS)).toEqual({ rssBytes: 204_800_000, peakBytes: 307_200_000 })
  })

  it("given a process that is ending, then there is none", () => {
    expect(memoryOfStatus("Name:\tnode\nState:\tZ (zombie)\nThreads:\t1\n")).toBeUndefined()
  })

  it("given this process, then it holds something", async () => {
    const memory = await memoryOf(process.pid)
    expect(memory?.rssBytes).toBeGreaterThan(10_000_000)
    expect(memory?.peakBytes ?? Number.MAX_VALUE).toBeGreaterThanOrEqual(memory?.rssBytes ?? 0)
  })

  it("given no such process, then there is none", async () => {
    expect(await memoryOf(2 ** 30)).toBeUndefined()
  })
})

describe("samples that are kept", () => {
  const samples = Array.from({ length: 10 }, (_, n) => ({ afterMs: n, rssBytes: (n * 7) % 10 }))

  it("given more than are wanted, then the highest of each stretch is kept", () => {
    expect(thinned(samples, 5).map(({ afterMs }) => afterMs)).toEqual([1, 2, 4, 7, 8])
  })

  it("given few, then all are kept", () => {
    expect(thinned(samples, 10)).toEqual(samples)
  })
})
