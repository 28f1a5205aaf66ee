/**
 * Where prices come from: by hand (nothing moves by itself), a random walk with a seed, or a recording.
 * A walk moves by whole ticks, so that every price is a price of the symbol; the same seed gives the same prices.
 */
import { add, dec, floorTo, gt, max, mul } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import { ApiError } from "../wire/errors.ts"
import { isObject, parseJson } from "../wire/json.ts"

export type FeedOptions =
  | { readonly kind: "manual" }
  /** `volatilityBps`: the largest step, in hundredths of a percent of the price. */
  | {
      readonly kind: "walk"
      readonly seed: number
      readonly everyMs: number
      readonly volatilityBps: number
      readonly symbols?: readonly string[]
    }
  /** Lines of a recording, played `speed` times as fast; at its end it begins again if it is to. */
  | { readonly kind: "recorded"; readonly ticks: readonly Tick[]; readonly speed: number; readonly repeat: boolean }

export interface Tick {
  /** Since the beginning of the recording. */
  readonly afterMs: number
  /** Absent: both, where the symbol is known. */
  readonly market?: Market
  readonly symbol: string
  readonly price: string
  readonly mark?: string
}
const TICKS_MAX = 5_000_000

/** Reads a recording: one JSON object per line, as {@link Tick}. */
export const readRecording = (text: string): readonly Tick[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(0, TICKS_MAX)
    .map((line, index) => {
      const tick = parseJson(line)
      if (!isObject(tick) || typeof tick["symbol"] !== "string" || typeof tick["price"] !== "string" || typeof tick["afterMs"] !== "number")
        throw new ApiError(-1130, `line ${index + 1} of the recording is no tick: {"afterMs":0,"symbol":"BTCUSDT","price":"50000"}`)
      return tick as unknown as Tick
    })

/** Starts a feed; the answer stops it. */
export const startFeed = (exchange: Exchange, options: FeedOptions): (() => void) => {
  if (options.kind === "manual") return () => undefined
  let cancel = (): void => undefined
  let stopped = false
  if (options.kind === "walk") {
    const draw = generator(options.seed)
    const step = (): void => {
      if (stopped) return
      for (const market of ["spot", "futures"] as const)
        for (const info of exchange.symbols.all(market)) {
          if (options.symbols !== undefined && !options.symbols.includes(info.symbol)) continue
          const price = exchange.price(market, info.symbol)
          if (price === undefined) continue
          exchange.setPrice(market, info.symbol, { last: stepped(price.last, info.tick, options.volatilityBps, draw()) })
        }
      cancel = exchange.clock.after(options.everyMs, step)
    }
    cancel = exchange.clock.after(options.everyMs, step)
  } else {
    const play = (index: number, startedMs: number): void => {
      const tick = options.ticks[index]
      if (stopped || options.ticks.length === 0) return
      if (tick === undefined) {
        if (options.repeat) cancel = exchange.clock.after(1000, () => play(0, exchange.clock.nowMs()))
        return
      }
      const dueMs = startedMs + tick.afterMs / options.speed
      cancel = exchange.clock.after(Math.max(0, dueMs - exchange.clock.nowMs()), () => {
        for (const market of tick.market === undefined ? (["spot", "futures"] as const) : [tick.market])
          if (exchange.symbols.get(market, tick.symbol) !== undefined)
            exchange.setPrice(market, tick.symbol, { last: dec(tick.price), mark: tick.mark === undefined ? undefined : dec(tick.mark) })
        play(index + 1, startedMs)
      })
    }
    play(0, exchange.clock.nowMs())
  }
  return () => {
    stopped = true
    cancel()
  }
}

const stepped = (price: Decimal, tick: Decimal, volatilityBps: number, chance: number): Decimal => {
  const parts = Math.round((chance * 2 - 1) * 1_000_000)
  const move = mul(mul(price, dec(volatilityBps)), mul(dec(parts), dec("0.0000000001")))
  const next = max(floorTo(add(price, move), tick), tick)
  return gt(next, tick) ? next : mul(tick, dec("2"))
}

/** mulberry32. */
const generator = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
