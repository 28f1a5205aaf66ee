/** The life of a user stream, with time held: reconnecting, rotating with overlap, silence, dead handshakes. */
import { describe, expect, test } from "vitest"
import { Supervisor } from "../../src/binance/supervisor.ts"
import type { Socket, SocketHandlers, SupervisorOptions } from "../../src/binance/supervisor.ts"
import { fakeClock, settle } from "./fakeClock.ts"

interface FakeSocket extends Socket {
  readonly url: string
  readonly sent: string[]
  readonly handlers: SocketHandlers
  terminated: boolean
}

const world = (more: Partial<SupervisorOptions> = {}, urls: () => string | undefined = () => "ws://x") => {
  const clock = fakeClock()
  const sockets: FakeSocket[] = []
  const heard: string[] = []
  const supervisor = new Supervisor({
    clock,
    silenceMs: 60_000,
    rotateAfterMs: 3_600_000,
    openSocket: (url, handlers) => {
      const socket: FakeSocket = {
        url,
        handlers,
        sent: [],
        terminated: false,
        send: (text) => void socket.sent.push(text),
        terminate: () => {
          socket.terminated = true
        },
      }
      sockets.push(socket)
      return socket
    },
    protocol: {
      url: async () => urls(),
      greeting: () => "subscribe",
      classify: (text) => (text === "ok" ? "ready" : text === "no" ? "dead" : text === "noise" ? "handled" : "event"),
    },
    onEvent: (text) => heard.push(text),
    onReady: (reason) => heard.push(`ready: ${reason}`),
    onLost: (reason) => heard.push(`lost: ${reason}`),
    ...more,
  })
  const at = (n: number): FakeSocket => {
    const socket = sockets[n]
    if (socket === undefined) throw new Error(`there are ${sockets.length} sockets`)
    return socket
  }
  const becomeReady = (n: number): void => {
    at(n).handlers.opened()
    at(n).handlers.message("ok")
  }
  return { clock, sockets, heard, supervisor, at, becomeReady }
}

describe("a supervised stream", () => {
  test("given a start, then it subscribes when open, is ready when that is answered, and events flow", async () => {
    const { supervisor, at, heard, becomeReady } = world()
    supervisor.start()
    await settle()
    expect(at(0).sent).toEqual([])
    becomeReady(0)
    expect(at(0).sent).toEqual(["subscribe"])
    at(0).handlers.message("noise")
    at(0).handlers.message("event 1")
    expect(heard).toEqual(["ready: connected", "event 1"])
    expect(supervisor.isReady).toBe(true)
  })

  test("given a closed connection, then another is made after a pause, and is told as a gap; the old one is no longer heard", async () => {
    const { supervisor, at, heard, becomeReady, clock, sockets } = world()
    supervisor.start()
    await settle()
    becomeReady(0)
    at(0).handlers.closed("closed (1006)")
    expect(supervisor.isReady).toBe(false)
    await clock.advance(499)
    expect(sockets).toHaveLength(1)
    await clock.advance(1)
    becomeReady(1)
    at(0).handlers.message("a ghost")
    at(1).handlers.message("event 2")
    expect(heard).toEqual(["ready: connected", "lost: closed (1006)", "ready: reconnected: closed (1006)", "event 2"])
  })

  test("given nothing but failures, then attempts get rarer, within bounds (300 in 5 minutes is the exchange's limit)", async () => {
    const { supervisor, sockets, clock } = world({
      openSocket: () => {
        throw new Error("no")
      },
    })
    let attempts = 0
    const { supervisor: counted, clock: time } = world({
      protocol: {
        url: async () => {
          attempts += 1
          return undefined
        },
        greeting: () => undefined,
        classify: () => "event",
      },
    })
    counted.start()
    await time.advance(300_000)
    expect(attempts).toBeGreaterThan(5)
    expect(attempts).toBeLessThan(30)
    supervisor.start()
    await clock.advance(10_000)
    expect(sockets).toHaveLength(0)
  })

  test("given connections that are taken and closed at once (a key that has died), then attempts get rarer all the same", async () => {
    const { supervisor, sockets, clock, becomeReady, at } = world()
    supervisor.start()
    await settle()
    for (let elapsedMs = 0, seen = 0; elapsedMs < 300_000; elapsedMs += 250) {
      if (sockets.length > seen) {
        seen = sockets.length
        becomeReady(seen - 1)
        at(seen - 1).handlers.closed("closed (1008)")
      }
      await clock.advance(250)
    }
    expect(sockets.length).toBeGreaterThan(5)
    expect(sockets.length).toBeLessThan(30)
  })

  test("given a connection that stood for a minute, then its end is mended as fast as the first time", async () => {
    const { supervisor, sockets, clock, becomeReady, at } = world({ silenceMs: 10_000_000 })
    supervisor.start()
    await settle()
    for (let n = 0; n < 5; n++) {
      becomeReady(n)
      await clock.advance(60_000)
      at(n).handlers.closed("closed (1006)")
      await clock.advance(500)
      expect(sockets).toHaveLength(n + 2)
    }
  })

  test("given silence, then it is given up; given pings, then it lives", async () => {
    const { supervisor, at, heard, becomeReady, clock, sockets } = world()
    supervisor.start()
    await settle()
    becomeReady(0)
    for (let n = 0; n < 10; n++) {
      await clock.advance(50_000)
      at(0).handlers.alive()
    }
    expect(sockets).toHaveLength(1)
    await clock.advance(60_000)
    expect(at(0).terminated).toBe(true)
    expect(heard.at(-1)).toBe("lost: silent for 60000 ms")
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
  })

  test("given the time of rotation, then the old connection is heard until the new one is ready, and only then closed", async () => {
    const { supervisor, at, heard, becomeReady, clock, sockets } = world({ silenceMs: 10_000_000 })
    supervisor.start()
    await settle()
    becomeReady(0)
    await clock.advance(3_600_000)
    expect(sockets).toHaveLength(2)
    at(0).handlers.message("event of the old")
    at(1).handlers.opened()
    expect(at(0).terminated).toBe(false)
    at(1).handlers.message("ok")
    expect(at(0).terminated).toBe(true)
    at(0).handlers.message("a ghost")
    at(1).handlers.message("event of the new")
    expect(heard).toEqual(["ready: connected", "event of the old", "ready: rotated", "event of the new"])
  })

  test("given that the old one dies during a rotation, then the new one takes its place", async () => {
    const { supervisor, at, heard, becomeReady, clock, sockets } = world({ silenceMs: 10_000_000 })
    supervisor.start()
    await settle()
    becomeReady(0)
    await clock.advance(3_600_000)
    at(0).handlers.closed("closed (1001)")
    becomeReady(1)
    await clock.advance(5_000)
    expect(sockets).toHaveLength(2)
    expect(heard).toEqual(["ready: connected", "lost: closed (1001)", "ready: rotated"])
  })

  test("given a successor that fails, then the old one goes on, and another successor is tried", async () => {
    const { supervisor, at, heard, becomeReady, clock, sockets } = world({ silenceMs: 10_000_000 })
    supervisor.start()
    await settle()
    becomeReady(0)
    await clock.advance(3_600_000)
    at(1).handlers.closed("closed (1006)")
    at(0).handlers.message("still here")
    await clock.advance(500)
    expect(sockets).toHaveLength(3)
    becomeReady(2)
    expect(at(0).terminated).toBe(true)
    expect(heard).toEqual(["ready: connected", "still here", "ready: rotated"])
  })

  test("given a refused or unanswered subscription, then the connection is given up and made anew", async () => {
    const { supervisor, at, becomeReady, clock, sockets, heard } = world({ readyWithinMs: 5_000 })
    supervisor.start()
    await settle()
    at(0).handlers.opened()
    at(0).handlers.message("no")
    expect(at(0).terminated).toBe(true)
    await clock.advance(1_000)
    at(1).handlers.opened()
    await clock.advance(5_000)
    expect(at(1).terminated).toBe(true)
    await clock.advance(2_000)
    becomeReady(sockets.length - 1)
    expect(heard).toEqual(["ready: reconnected: not ready in time"])
  })

  test("given a stop, then nothing is heard or tried any more", async () => {
    const { supervisor, at, becomeReady, clock, sockets, heard } = world()
    supervisor.start()
    await settle()
    becomeReady(0)
    supervisor.stop()
    at(0).handlers.message("late")
    at(0).handlers.closed("closed")
    await clock.advance(10_000_000)
    expect(at(0).terminated).toBe(true)
    expect(sockets).toHaveLength(1)
    expect(heard).toEqual(["ready: connected"])
  })
})
