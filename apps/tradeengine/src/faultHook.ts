/**
 * Fault points from the environment, for crash tests of the real process: `PETROSA_FAULT_POINT`. Means nothing in live
 * mode.
 *
 *     venue.entry.before:crash        kills this process at the first hit (SIGKILL: nothing is closed, nothing is said)
 *     venue.stop.after:crash:3        … at the third
 *     venue.entry.before:pause        stops this process (SIGSTOP) until somebody wakes it
 *     store.append.before:stall=3000  goes on 3 s later, every time
 *
 * Several are separated by commas. A text that cannot be understood is thrown: a test that faults nothing must not pass.
 */
import { FAULT_POINTS, type FaultPoint, type FaultPoints } from "@petrosa/engine"

const FORM = /^([a-z.]+):(crash|pause|stall=(\d{1,6}))(?::(\d{1,6}))?$/

interface Fault {
  readonly point: FaultPoint
  readonly act: "crash" | "pause" | "stall"
  readonly stallMs: number
  /** The hit at which it acts; 0: every one. */
  readonly hit: number
}

const parse = (text: string): Fault => {
  const [, name = "", act = "", stallMs = "0", hit] = FORM.exec(text.trim()) ?? []
  const point = FAULT_POINTS.find((one) => one === name)
  if (point === undefined)
    throw new RangeError(`PETROSA_FAULT_POINT: ${JSON.stringify(text)} is no fault; points are ${FAULT_POINTS.join(", ")}`)
  const kind = act.startsWith("stall") ? "stall" : act === "pause" ? "pause" : "crash"
  return { point, act: kind, stallMs: Number(stallMs), hit: Number(hit ?? (kind === "stall" ? 0 : 1)) }
}

/** Never resolves: what waits for it does not go on, in the moment that the signal takes to arrive. */
const never = new Promise<void>(() => undefined)

export const faultHook = (text: string): FaultPoints => {
  const faults = text.split(",").map(parse)
  const hits = new Map<FaultPoint, number>()
  return {
    at: (point) => {
      const hit = (hits.get(point) ?? 0) + 1
      hits.set(point, hit)
      const fault = faults.find((one) => one.point === point && (one.hit === 0 || one.hit === hit))
      if (fault === undefined) return undefined
      switch (fault.act) {
        case "crash":
          process.kill(process.pid, "SIGKILL")
          return never
        case "pause":
          process.kill(process.pid, "SIGSTOP")
          return undefined
        case "stall":
          return new Promise((resolve) => setTimeout(resolve, fault.stallMs))
      }
    },
  }
}

/** What the environment asks for; nothing where money is real, and where nothing is asked for. */
export const faultsOf = (text: string | undefined, mode: "simulation" | "testnet" | "live"): FaultPoints | undefined =>
  text === undefined || mode === "live" ? undefined : faultHook(text)
