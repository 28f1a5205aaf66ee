/** The door to REST: held requests, bans, and the small pure parts around it (clock offset, redaction, bounded memories). */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isTooFarOff, offsetOf } from "../../src/binance/clockOffset.ts"
import { gatewayOf } from "../../src/binance/gateway.ts"
import { RateBudget } from "../../src/binance/rateBudget.ts"
import { Redactor } from "../../src/binance/redact.ts"
import type { Reply } from "../../src/binance/reply.ts"
import { unanswered } from "../../src/binance/reply.ts"
import { BoundedMap, Seen } from "../../src/binance/seen.ts"
import { fakeClock } from "./fakeClock.ts"

const ok = (headers: Record<string, string> = {}, status = 200, body: Reply extends never ? never : object = {}): Reply => ({
  _tag: "Answered",
  status,
  headers,
  text: JSON.stringify(body),
  body: body as never,
  sentAtMs: 0,
  receivedAtMs: 0,
})
const entry = { weight: 1, orders: 0, priority: "entry" } as const
const exit = { weight: 1, orders: 0, priority: "protective" } as const
const make = (limit: number) => {
  const clock = fakeClock(1_700_000_041_000)
  const limited: number[] = []
  const gateway = gatewayOf({
    client: {},
    budget: new RateBudget([{ kind: "requests", intervalMs: 60_000, limit, name: "own cap" }]),
    clock,
    offsetMs: () => 0,
    onLimited: (status) => limited.push(status),
  })
  return { clock, gateway, limited }
}

describe("the gateway", () => {
  test("given no room, then a request waits as long as it may, and otherwise is held: certainly not sent", async () => {
    const { clock, gateway } = make(1)
    let sent = 0
    const run = async (): Promise<Reply> => {
      sent += 1
      return ok()
    }
    expect(await gateway.ask(entry, 0, run)).toMatchObject({ _tag: "Answered" })
    expect(await gateway.ask(exit, 1_000, run)).toMatchObject({ _tag: "Held", message: "held by own cap" })
    expect(sent).toBe(1)
    const waiting = gateway.ask(exit, 120_000, run)
    await clock.advance(10_000)
    expect(sent).toBe(1)
    await clock.advance(60_000)
    expect(await waiting).toMatchObject({ _tag: "Answered" })
    expect(sent).toBe(2)
  })

  test("given a 429 or a 418, then nothing more leaves before its time, and it is told", async () => {
    const { clock, gateway, limited } = make(1_000)
    const body = { code: -1003, msg: `Way too many requests; IP banned until ${clock.nowMs() + 5_000}.` }
    await gateway.ask(entry, 0, async () => ok({}, 418, body))
    expect(limited).toEqual([418])
    expect(await gateway.ask(exit, 0, async () => ok())).toMatchObject({ _tag: "Held", untilMs: clock.nowMs() + 5_000 })
    await clock.advance(5_000)
    await gateway.ask(exit, 0, async () => ok({ "retry-after": "7" }, 429, { code: -1003, msg: "x" }))
    expect(await gateway.ask(exit, 0, async () => ok())).toMatchObject({ _tag: "Held", untilMs: clock.nowMs() + 7_000 })
    expect(limited).toEqual([418, 429])
  })

  test("given one 429 after the other, each with its counts and without a time, then each silence is twice as long as the last", async () => {
    const { clock, gateway } = make(1_000)
    const silences: number[] = []
    for (let n = 0; n < 4; n++) {
      await gateway.ask(exit, 0, async () => ok({ "x-mbx-used-weight-1m": "2401" }, 429, { code: -1003, msg: "Too many requests." }))
      silences.push(gateway.budget.silentUntilMs - clock.nowMs())
      await clock.advance(silences.at(-1) ?? 0)
    }
    expect(silences).toEqual([1_000, 2_000, 4_000, 8_000])
  })

  test("given many requests on their way when the first 429 comes, then theirs are the same refusal: stops do not wait two minutes for it", async () => {
    const { clock, gateway } = make(1_000)
    const refusal = ok({ "x-mbx-used-weight-1m": "2401" }, 429, { code: -1003, msg: "Too many requests." })
    await Promise.all(Array.from({ length: 20 }, () => gateway.ask(exit, 0, async () => refusal)))
    expect(gateway.budget.silentUntilMs - clock.nowMs()).toBe(1_000)
    // A time that one of them names, and a ban, count all the same.
    const named = ok({ "retry-after": "30" }, 429, { code: -1003, msg: "Too many requests." })
    await clock.advance(1_000)
    await Promise.all([refusal, named, refusal].map((one) => gateway.ask(exit, 0, async () => one)))
    expect(gateway.budget.silentUntilMs - clock.nowMs()).toBe(30_000)
    await clock.advance(30_000)
    await Promise.all([refusal, ok({}, 418)].map((one) => gateway.ask(exit, 0, async () => one)))
    expect(gateway.budget.silentUntilMs - clock.nowMs()).toBe(120_000)
  })

  test("given a connector that throws what is no Error, or answers nonsense, then it was not sent, and nothing rejects", async () => {
    const { gateway } = make(1_000)
    // The connectors' MissingParameterError is a plain class.
    const missing: unknown = { message: "missing parameter" }
    const thrown = gateway.ask(entry, 0, () => Promise.reject(missing as Error))
    expect(await thrown).toEqual({ _tag: "Unanswered", notSent: true, code: "BAD_CALL" })
    expect(
      await gateway.ask(entry, 0, () => {
        throw new Error("x")
      }),
    ).toMatchObject({ code: "BAD_CALL" })
  })
})

describe("no answer", () => {
  test.each([
    [{ code: "ECONNREFUSED" }, true, "ECONNREFUSED"],
    [{ code: "ENOTFOUND" }, true, "ENOTFOUND"],
    [{ code: "CERT_HAS_EXPIRED" }, true, "CERT_HAS_EXPIRED"],
    [{ code: "ETIMEDOUT", cause: { syscall: "connect" } }, true, "ETIMEDOUT"],
    [{ code: "EHOSTUNREACH", syscall: "read" }, false, "EHOSTUNREACH"],
    [{ code: "EHOSTUNREACH", syscall: "connect" }, true, "EHOSTUNREACH"],
    [{ code: "ECONNRESET" }, false, "ECONNRESET"],
    [{ code: "EPIPE" }, false, "EPIPE"],
    [{ code: "ECONNABORTED" }, false, "TIMEOUT"],
    [{ code: "ERR_CANCELED" }, false, "TIMEOUT"],
    [new Error("something with https://x?signature=abc"), false, "NO_ANSWER"],
    ["nonsense", false, "NO_ANSWER"],
  ])("given %o, then notSent is %s and the code is %s", (error, notSent, code) => {
    expect(unanswered(error)).toEqual({ _tag: "Unanswered", notSent, code })
  })
})

describe("the clock offset", () => {
  test("given several answers, then that with the shortest way counts; a slow way does not make a clock wrong", () => {
    const offset = offsetOf([
      { sentAtMs: 0, serverMs: 5_000, receivedAtMs: 2_000 },
      { sentAtMs: 1_000, serverMs: 1_260, receivedAtMs: 1_020 },
    ])
    expect(offset).toEqual({ offsetMs: 250, uncertaintyMs: 10, measuredAtMs: 1_020 })
    expect(offsetOf([])).toBeUndefined()
    expect(isTooFarOff({ offsetMs: -600, uncertaintyMs: 10, measuredAtMs: 0 })).toBe(true)
    expect(isTooFarOff({ offsetMs: 600, uncertaintyMs: 200, measuredAtMs: 0 })).toBe(false)
  })
  test("the true offset is always within the uncertainty", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -100_000, max: 100_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        (truth, there, back) => {
          const offset = offsetOf([{ sentAtMs: 1_000_000, serverMs: 1_000_000 + there + truth, receivedAtMs: 1_000_000 + there + back }])
          expect(Math.abs((offset?.offsetMs ?? 0) - truth)).toBeLessThanOrEqual((offset?.uncertaintyMs ?? 0) + 1)
        },
      ),
    )
  })
})

describe("secrets", () => {
  const secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
  test("given text around a secret, a signature or a listen key, then only they are taken out", () => {
    const redactor = new Redactor([secret, undefined])
    redactor.learn("listenkeylistenkeylistenkey")
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const clean = redactor.clean(`${before}${secret}${after} listenkeylistenkeylistenkey`)
        expect(clean).not.toContain(secret)
        expect(clean).not.toContain("listenkeylistenkeylistenkey")
      }),
    )
    expect(redactor.clean("/api/v3/order?symbol=A&signature=abcdef0123&x=1")).toBe("/api/v3/order?symbol=A&signature=***&x=1")
    expect(redactor.clean(`{"listenKey":"pqia91ma19a5s61cv6a81va65sd"}`)).toBe(`{"listenKey":"***"}`)
    expect(redactor.clean("X-MBX-APIKEY: abc")).toBe("X-MBX-APIKEY: ***")
    expect(redactor.clean("x".repeat(10_000))).toHaveLength(4_097)
    expect(redactor.clean(encodeURIComponent("Order would trigger immediately."))).toContain("trigger")
  })
})

describe("bounded memories", () => {
  test("given more than fits, then the oldest is forgotten, and what is new is told once", () => {
    const seen = new Seen(2)
    expect([seen.add("a"), seen.add("a"), seen.add("b"), seen.add("c"), seen.add("a")]).toEqual([true, false, true, true, true])
    expect(seen.size).toBe(2)
    const map = new BoundedMap<string, number>(2)
    for (const [n, key] of ["a", "b", "a", "c"].entries()) map.set(key, n)
    expect([map.get("a"), map.get("b"), map.get("c"), map.size]).toEqual([2, undefined, 3, 2])
    map.delete("a")
    expect(map.get("a")).toBeUndefined()
  })
})
