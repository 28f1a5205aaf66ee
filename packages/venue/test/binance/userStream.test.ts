/** What listeners of a user stream are told of what may have been missed, with time held. */
import { describe, expect, test } from "vitest"
import type { ConnectorBase } from "../../src/binance/connectors.ts"
import type { Session } from "../../src/binance/session.ts"
import type { SocketHandlers } from "../../src/binance/supervisor.ts"
import { UserStream } from "../../src/binance/userStream.ts"
import type { VenueEvent } from "../../src/venue.ts"
import { fakeClock, settle } from "./fakeClock.ts"

const world = (url: () => string | undefined = () => "ws://x") => {
  const clock = fakeClock()
  const sockets: SocketHandlers[] = []
  const session = {
    clock,
    options: {},
    trouble: () => undefined,
    openSocket: (_url: string, handlers: SocketHandlers) => {
      sockets.push(handlers)
      return { send: () => undefined, terminate: () => undefined }
    },
  } as unknown as Session<ConnectorBase>
  const stream = new UserStream(
    session,
    { url: async () => url(), greeting: () => undefined, classify: () => "event" },
    10_000_000,
    () => undefined,
  )
  const heard: VenueEvent[] = []
  const listen = (): void => {
    stream.subscribe((event) => heard.push(event))
    heard.length = 0
  }
  return { clock, stream, sockets, heard, listen }
}

describe("gaps", () => {
  test("given events that cannot be read one after the other, then it is asked after the first, and once more after the last", async () => {
    const { clock, stream, heard, listen } = world()
    listen()
    stream.gap("the first")
    await clock.advance(1_000)
    stream.gap("the second")
    stream.gap("the third")
    expect(heard).toHaveLength(1)
    await clock.advance(4_000)
    expect(heard).toHaveLength(2)
    await clock.advance(60_000)
    expect(heard).toHaveLength(2)
    stream.gap("much later")
    expect(heard).toHaveLength(3)
  })

  test("given a stream that stops, then nothing is told afterwards", async () => {
    const { clock, stream, heard, listen } = world()
    listen()
    stream.gap("the first")
    stream.gap("the second")
    stream.stop()
    await clock.advance(60_000)
    expect(heard).toHaveLength(1)
  })

  test("given a stream that comes to be ready only after somebody listens, then what happened before is a gap", async () => {
    const now: { url?: string } = {}
    const { clock, stream, sockets, heard, listen } = world(() => now.url)
    const started = stream.start(10_000)
    await clock.advance(10_000)
    expect(await started).toBe(false)
    listen()
    now.url = "ws://x"
    while (sockets.length === 0) await clock.advance(1_000)
    sockets[0]?.opened()
    await settle()
    expect(heard).toEqual([{ _tag: "Gap", reason: "connected" }])
  })
})
