/** Faults are asked for by name, and never where money is real. */
import { FAULT_POINTS } from "@petrosa/engine"
import { describe, expect, it } from "vitest"
import { faultHook, faultsOf } from "../src/faultHook.ts"

describe("fault points from the environment", () => {
  it("given nothing asked for, then there is no hook, in any mode", () => {
    for (const mode of ["simulation", "testnet", "live"] as const) expect(faultsOf(undefined, mode)).toBeUndefined()
  })

  it("given live mode, then there is none whatever is asked for, whether it can be understood or not", () => {
    expect(faultsOf("venue.entry.before:crash", "live")).toBeUndefined()
    expect(faultsOf("nonsense", "live")).toBeUndefined()
  })

  it("given every point that is named in the code, then it can be asked for", () => {
    for (const point of FAULT_POINTS) expect(faultsOf(`${point}:stall=1`, "simulation")?.at(point, "order")).toBeInstanceOf(Promise)
  })

  it("given a hit, then it acts at that one only, and at no other point", async () => {
    const faults = faultHook("store.append.before:stall=1:2, venue.stop.after:stall=1")
    expect(faults.at("store.append.before", "order")).toBeUndefined()
    expect(faults.at("store.append.after", "order")).toBeUndefined()
    await expect(faults.at("store.append.before", "order")).resolves.toBeUndefined()
    expect(faults.at("store.append.before", "order")).toBeUndefined()
  })

  it.each([
    "",
    "venue.entry:crash",
    "venue.entry.before",
    "venue.entry.before:explode",
    "venue.entry.before:crash:x",
    "store.append.before:stall",
  ])("given %j, then it is refused: a test that faults nothing must not pass", (text) => {
    expect(() => faultHook(text)).toThrow(/PETROSA_FAULT_POINT/)
  })

  it("given the points, then each of store, broker and venue that has a before has an after", () => {
    const names = FAULT_POINTS.map((point) => point.split("."))
    for (const area of ["store", "broker", "venue"]) expect(names.some(([first]) => first === area)).toBe(true)
    for (const point of FAULT_POINTS) if (point.endsWith(".before")) expect(FAULT_POINTS).toContain(point.replace(/before$/, "after"))
  })
})
