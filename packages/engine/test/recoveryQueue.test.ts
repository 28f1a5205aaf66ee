import type { OrderId } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { RecoveryQueue } from "../src/recoveryQueue.ts"

const id = (n: number): OrderId => `order-${n}` as OrderId

/** Work that goes on until it is ended. */
const works = (queue: RecoveryQueue, count: number) => {
  const begun: number[] = []
  const ends: (() => void)[] = []
  for (let n = 0; n < count; n++)
    queue.add(id(n), () => {
      begun.push(n)
      return new Promise((resolve, reject) => {
        ends[n] = () => (n % 2 === 0 ? resolve() : reject(new Error("its own business")))
      })
    })
  return { begun, end: (n: number) => ends[n]?.() }
}
const turn = async () => {
  for (let n = 0; n < 3; n++) await new Promise<void>((resolve) => setImmediate(resolve))
}

describe("recoveries in turn", () => {
  it("given more than may go on at once, then the next begins when one is over, however it ended, each once and in order", async () => {
    const queue = new RecoveryQueue(2, setImmediate)
    const { begun, end } = works(queue, 5)
    expect(begun).toEqual([0, 1])
    end(1)
    await turn()
    expect(begun).toEqual([0, 1, 2])
    end(0)
    end(2)
    await turn()
    expect(begun).toEqual([0, 1, 2, 3, 4])
    expect(queue.size).toBe(0)
  })

  it("given some that are preferred, then they begin before the others that wait, and none begins twice or never", async () => {
    const queue = new RecoveryQueue(1, setImmediate)
    const { begun, end } = works(queue, 6)
    expect([...queue.waiting]).toEqual([1, 2, 3, 4, 5].map(id))
    queue.prefer(new Set([id(4), id(2), id(0), id(99)]))
    for (const n of [0, 2, 4, 1, 3, 5]) {
      await turn()
      end(n)
    }
    await turn()
    expect(begun).toEqual([0, 2, 4, 1, 3, 5])
  })

  it("given a queue that is held, then only what is hurried begins; released, the others", async () => {
    const queue = new RecoveryQueue(10, setImmediate)
    queue.hold()
    const { begun } = works(queue, 4)
    expect(begun).toEqual([])
    queue.hurry(id(2))
    queue.hurry(id(2))
    queue.hurry(id(9))
    expect(begun).toEqual([2])
    queue.release()
    expect(begun).toEqual([2, 0, 1, 3])
  })
})
