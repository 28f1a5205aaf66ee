import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { HeldMessages } from "../src/held.ts"
import { GapWatch } from "../src/index.ts"
import { type MessageHandle, parseAckSubject } from "../src/message.ts"
import { ManualClock } from "./manualClock.ts"

const table = (clock: ManualClock, ackWaitMs = 6000) => {
  const sent: { subject: string; payload: string; atMs: number }[] = []
  let confirms = true
  const line = {
    connected: true,
    publish: (subject: string, payload: string) => sent.push({ subject, payload, atMs: clock.monoMs }),
    confirmAck: async (subject: string) => {
      sent.push({ subject, payload: "+ACK?", atMs: clock.monoMs })
      return confirms
    },
  }
  let freed = 0
  const held = new HeldMessages({ stream: "S", line, clock, ackWaitMs, onFreed: () => freed++ })
  const take = (sequence: number, deliveryCount = 1, streamTimeMs = 1): MessageHandle => {
    const result = held.deliver({ sequence, streamTimeMs, deliveryCount }, `reply.${sequence}.${deliveryCount}`)
    if (result._tag !== "new") throw new Error(result._tag)
    return result.handle
  }
  return { held, line, sent, take, freed: () => freed, confirm: (yes: boolean) => (confirms = yes) }
}

describe("what is held", () => {
  test("given an answer, then it is given once, on the newest delivery, and makes room", () => {
    const { held, sent, take, freed } = table(new ManualClock())
    const handle = take(1)
    expect(held.deliver({ sequence: 1, streamTimeMs: 1, deliveryCount: 4 }, "reply.1.4")).toMatchObject({ _tag: "renewed", skipped: 2 })
    handle.ack()
    handle.nak()
    handle.term()
    handle.working()
    expect(sent.map((s) => [s.subject, s.payload])).toEqual([["reply.1.4", "+ACK"]])
    expect([held.size, handle.held, freed()]).toEqual([0, false, 1])
  })

  test("given each kind of answer, then the server reads it", () => {
    const { sent, take } = table(new ManualClock())
    take(1).nak()
    take(2).nak(1500)
    take(3).term()
    take(4).working()
    take(5).release()
    expect(sent.map((s) => s.payload)).toEqual(["-NAK", '-NAK {"delay":1500000000}', "+TERM", "+WPI"])
  })

  test("given acks while the broker is away, then they are sent when it is back, until they are confirmed; a redelivery in between is answered, not handed on", async () => {
    const { held, line, sent, take, confirm } = table(new ManualClock())
    const [a, b, c] = [take(1), take(2), take(3)]
    line.connected = false
    for (const h of [a, b]) h.ack()
    c.nak()
    expect(sent).toEqual([])
    expect(held.size).toBe(0)
    line.connected = true
    // The server has forgotten that it delivered them, and says nothing.
    confirm(false)
    expect(await held.sendLateAcks()).toBe(2)
    expect(held.deliver({ sequence: 1, streamTimeMs: 1, deliveryCount: 1 }, "again.1")).toEqual({ _tag: "done" })
    confirm(true)
    expect(await held.sendLateAcks()).toBe(0)
    expect(await held.sendLateAcks()).toBe(0)
    expect(sent.map((s) => [s.subject, s.payload])).toEqual([
      ["reply.1.1", "+ACK?"],
      ["reply.2.1", "+ACK?"],
      ["again.1", "+ACK"],
      ["reply.2.1", "+ACK?"],
    ])
    // What was to be given back simply comes again.
    expect(held.deliver({ sequence: 3, streamTimeMs: 1, deliveryCount: 2 }, "again.3")._tag).toBe("new")
  })

  test("given another message with the same sequence (a stream made anew), then the old handle is dead and the new one lives", () => {
    const { held, sent, take } = table(new ManualClock())
    const old = take(1, 1, 111)
    expect(held.deliver({ sequence: 1, streamTimeMs: 222, deliveryCount: 1 }, "new.1")).toMatchObject({ _tag: "new", replaced: old })
    old.ack()
    expect(sent).toEqual([])
    expect(held.size).toBe(1)
  })

  test("given any arrivals and answers, then every held message is heard of at least every half ack_wait, in bounded slices", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ arrive: fc.integer({ min: 0, max: 400 }), settle: fc.integer({ min: 0, max: 300 }) }), {
          minLength: 60,
          maxLength: 400,
        }),
        (steps) => {
          const clock = new ManualClock()
          const { held, sent, take } = table(clock, 6000)
          const live = new Map<string, number>()
          const handles: MessageHandle[] = []
          let sequence = 0
          for (const step of steps) {
            for (let i = 0; i < step.arrive; i++) {
              handles.push(take(++sequence))
              live.set(`reply.${sequence}.1`, clock.monoMs)
            }
            for (const h of handles.splice(0, step.settle)) {
              live.delete(`reply.${h.sequence}.1`)
              h.release()
            }
            clock.advance(held.tickMs)
            const told = held.tick()
            expect(told).toBeLessThanOrEqual(Math.ceil(held.size / 10))
            for (const s of sent.splice(0)) live.set(s.subject, s.atMs)
            for (const heardMs of live.values()) if (clock.monoMs - heardMs > 3000) throw new Error(`${clock.monoMs - heardMs} ms`)
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  test("given 20,000 that came in one moment, then half an ack_wait later all have been told of, no more than a tenth at once", () => {
    const clock = new ManualClock()
    const { held, sent, take } = table(clock, 6000)
    for (let i = 1; i <= 20_000; i++) take(i)
    let most = 0
    while (clock.monoMs < 3000) {
      clock.advance(held.tickMs)
      most = Math.max(most, held.tick())
    }
    expect(new Set(sent.map((s) => s.subject)).size).toBe(20_000)
    expect(most).toBe(2000)
  })
})

describe("ack subjects", () => {
  test("given both forms, then both are read, the time without rounding", () => {
    const expected = { sequence: 42, streamTimeMs: 1_795_341_600_123, deliveryCount: 3 }
    expect(parseAckSubject("$JS.ACK.S.c.3.42.17.1795341600123999999.5")).toEqual(expected)
    expect(parseAckSubject("$JS.ACK.hub.ACCHASH.S.c.3.42.17.1795341600123999999.5.rnd")).toEqual(expected)
    for (const other of ["", "x", "$JS.ACK.S.c.3.42", "$JS.ACK.S.c.a.b.c.d.e", "_INBOX.a.b.c.d.e.f.g.h.i"])
      expect(parseAckSubject(other)).toBeUndefined()
  })
})

describe("gaps in the own clock", () => {
  test("given regular looks, then there is none; given a sleep, or a wall clock that jumps ahead, then it is told with its length", () => {
    const clock = new ManualClock()
    const watch = new GapWatch(clock, 2500)
    for (let i = 0; i < 100; i++) {
      clock.advance(100)
      expect(watch.look()).toBeUndefined()
    }
    clock.advance(7000)
    expect(watch.look()).toBe(7000)
    expect(watch.look()).toBeUndefined()
    // The monotonic clock of a suspended machine stands still.
    clock.wallMs += 60_000
    expect(watch.look()).toBe(60_000)
    // A wall clock that is set back hides nothing.
    clock.advance(3000)
    clock.wallMs -= 10_000
    expect(watch.look()).toBe(3000)
  })
})
