/** Which deaths are counted against an order that was recovered shortly before, and which are not. */
import { describe, expect, it } from "vitest"
import type { OrderId } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import { RecoveryGuard } from "../src/recoveryGuard.ts"
import { ManualClock } from "./manualClock.ts"

const ORDER = "aaaaaaaaaaaaaaaaaaaa" as OrderId
/** The store outlives the processes. */
const given = () => {
  const meta = new Map<string, string>()
  const store = {
    getMeta: async (key: string) => meta.get(key),
    setMeta: async (key: string, value: string) => void meta.set(key, value),
  } as Partial<EventStore> as EventStore
  /** A process that takes the order up and dies so long afterwards; what it was told about the order by then. */
  const process = async (livesMs: number): Promise<"recover" | number | "waits"> => {
    const clock = new ManualClock()
    let verdict: "recover" | number | "waits" = "waits"
    void new RecoveryGuard(store, clock).enter(ORDER).then((answer) => {
      verdict = answer
    })
    await clock.pass(livesMs)
    return verdict
  }
  return { meta, store, process }
}

describe("an order that was adopted again and again", () => {
  it("given processes that die right after they took it up alone, when the third has died so, then it is to be parked", async () => {
    const { process } = given()
    expect(await process(500)).toBe("recover")
    expect(await process(2500)).toBe("recover")
    expect(await process(2500)).toBe("recover")
    expect(await process(100)).toBe(3)
  })

  it("given processes that die within moments whatever they do, when there were ten of them, then it is not blamed", async () => {
    const { process } = given()
    expect(await process(500)).toBe("recover")
    for (let n = 0; n < 10; n++) expect(await process(1500)).toBe("waits")
    expect(await process(10_000)).toBe("recover")
    // It was survived: all is forgotten.
    expect(await process(100)).toBe("recover")
  })

  it("given a process that stops gracefully, when the next comes, then nobody has died", async () => {
    const { store, meta, process } = given()
    const guard = new RecoveryGuard(store, new ManualClock())
    expect(await guard.enter(ORDER)).toBe("recover")
    await guard.clear()
    expect([...meta.values()]).toEqual(["0"])
    expect(await process(100)).toBe("recover")
  })
})
