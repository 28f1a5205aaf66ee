/** Time that moves when it is told to, a board on it, and sockets that are moved by hand. */
import type { Socket, SocketHandlers } from "../../src/binance/supervisor.ts"
import type { MarketClock } from "../../src/market-data/clock.ts"
import { QuoteBoard } from "../../src/market-data/quoteBoard.ts"
import type { BoardOptions } from "../../src/market-data/quoteBoard.ts"
import { fakeClock } from "../binance/fakeClock.ts"
import type { FakeClock } from "../binance/fakeClock.ts"

export const START_MS = 1_700_000_000_000

export interface FakeMarketClock extends FakeClock, MarketClock {
  /** What somebody sets the wall clock by. */
  skewMs: number
}
export const marketClock = (): FakeMarketClock => {
  const inner = fakeClock(START_MS)
  const clock: FakeMarketClock = {
    skewMs: 0,
    nowMs: () => inner.nowMs() + clock.skewMs,
    monotonicMs: () => inner.nowMs() - START_MS,
    random: () => inner.random(),
    after: (delayMs, run) => inner.after(delayMs, run),
    advance: (ms) => inner.advance(ms),
  }
  return clock
}

export const board = (clock: MarketClock, more: Partial<BoardOptions> = {}): QuoteBoard =>
  new QuoteBoard({ feed: "binance", clock, maxAgeMs: 10_000, maxSymbols: 100, knows: () => true, ...more })

export interface FakeSocket extends Socket {
  readonly url: string
  readonly sent: string[]
  readonly handlers: SocketHandlers
  terminated: boolean
}
export const sockets = () => {
  const opened: FakeSocket[] = []
  const openSocket = (url: string, handlers: SocketHandlers): Socket => {
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
    opened.push(socket)
    return socket
  }
  const at = (n: number): FakeSocket => {
    const socket = opened[n]
    if (socket === undefined) throw new Error(`there are ${opened.length} sockets`)
    return socket
  }
  return { opened, openSocket, at }
}
