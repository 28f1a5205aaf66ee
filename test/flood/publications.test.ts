import { type Arrival, decodeSignal } from "@petrosa/contracts"
import { describe, expect, it } from "vitest"
import { floodOf, type FloodSpec, type Publication } from "./publications.ts"

const NOW_MS = Date.parse("2026-01-01T00:00:00Z")
const take = (count: number, spec: FloodSpec = { seed: 1 }): readonly Publication[] => {
  const next = floodOf(spec)
  return Array.from({ length: count }, (_, n) => next(NOW_MS + n))
}
const decode = (bytes: Uint8Array, sequence = 1) => {
  const arrival: Arrival = { transport: "nats", subject: "signals.trading", stream: "SIGNALS", sequence, streamTimeMs: NOW_MS }
  return decodeSignal(bytes, { arrival, receivedAtMs: NOW_MS, defaultMarket: "futures", defaultOrderType: "market", maxBytes: 1_000_000 })
}
const text = ({ bytes }: Publication): string => Buffer.from(bytes).toString("base64")

describe("the publications of a flood", () => {
  const flood = take(2000)
  const of = (kind: Publication["kind"]) => flood.filter((one) => one.kind === kind)

  it("given the same seed, then they are the same bytes; given another, then not", () => {
    expect(take(300).map(text)).toEqual(take(300).map(text))
    expect(take(300, { seed: 2 }).map(text)).not.toEqual(take(300).map(text))
  })

  it("given 2000, then 20 are malformed and 20 are copies", () => {
    expect([of("malformed").length, of("copy").length, of("signal").length]).toEqual([20, 20, 1960])
  })

  it("given all signals and malformed ones, then no two are equal", () => {
    const all = [...of("signal"), ...of("malformed")].map(text)
    expect(new Set(all).size).toBe(all.length)
  })

  it("given a copy, then it is an earlier signal, byte for byte, that is known again by its id or its content", () => {
    for (const [n, one] of flood.entries()) {
      if (one.kind !== "copy") continue
      const earlier = flood.slice(0, n).find(({ kind, bytes }) => kind === "signal" && Buffer.compare(bytes, one.bytes) === 0)
      expect(earlier).toBeDefined()
      const [first, again] = [decode(one.bytes, 1), decode(one.bytes, 2)]
      expect(first._tag === "Signal" && again._tag === "Signal" && first.order === again.order).toBe(true)
    }
  })

  it("given a signal, then it is one to the engine; given a malformed one, then it is not", () => {
    for (const { bytes } of of("signal")) expect(decode(bytes)._tag).toBe("Signal")
    for (const { bytes } of of("malformed")) expect(decode(bytes)._tag).toBe("Rejected")
  })

  it("given the signals, then symbols, markets, types, actions and ways to be known differ", () => {
    const seen = of("signal").flatMap(({ bytes }) => {
      const decoded = decode(bytes)
      return decoded._tag === "Signal" ? [decoded] : []
    })
    const values = (read: (one: (typeof seen)[number]) => string) => [...new Set(seen.map(read))].toSorted()
    expect(values(({ signal }) => signal.symbol)).toHaveLength(8)
    expect(values(({ signal }) => signal.market)).toEqual(["futures", "spot"])
    expect(values(({ signal }) => signal.orderType)).toEqual(["limit", "market"])
    expect(values(({ signal }) => signal.action)).toEqual(["buy", "close", "hold", "sell"])
    expect(values(({ identity }) => identity.kind)).toEqual(["arrival", "content", "id"])
  })

  it("given no tight brackets, then none is brought; given tight ones, then some are", () => {
    const bracketed = (publications: readonly Publication[]) =>
      publications.filter(({ bytes }) => Buffer.from(bytes).includes("stop_loss_pct")).length
    expect(bracketed(flood)).toBe(0)
    expect(bracketed(take(200, { seed: 1, tight: true }))).toBeGreaterThan(10)
  })
})
