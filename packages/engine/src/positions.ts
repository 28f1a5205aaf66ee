/**
 * The venue's positions against our lots. An exchange liquidates and deleverages by itself, and a person closes by hand: then
 * less is held than the lots record, and legs of ours live on for what is not there.
 *
 * Promises: a lot is short of something only when it is proven: several answers, over a time, in each of which the venue's
 * position was smaller than the lots of that symbol and side and every live leg of theirs was shown by the venue after it (so
 * that no exit of ours is missing). An answer that does not come is asked for again. What is missing is taken from the newest
 * lots first; where the position is nothing, from all. Lots that are not held here (another process's, parked ones) only
 * make the position larger: then less is found, never too much.
 *
 * Futures only: on spot the balance is not ours alone. The paper venue does nothing by itself, and is not asked.
 */
import type { Decimal, Fill, OrderEvent } from "@petrosa/contracts"
import { add, dec, div, eq, gt, isPositive, min, mul, parseClientOrderId, str, sub, sum, ZERO } from "@petrosa/contracts"
import { openQuantity } from "@petrosa/lifecycle"
import type { Position, VenueEvent } from "@petrosa/venue"
import type { Desk } from "./desk.ts"
import type { LiveOrder } from "./liveOrder.ts"
import type { VenueSeat } from "./options.ts"

/** One question for the whole account: without any sign, this often. */
const EVERY_MS = 60_000
const FIRST_AFTER_MS = 2_000
const SOON_MS = 300
/** Answers that agree, at least so far apart. */
const ANSWERS = 3
const SPACING_MS = 1_000
/** With a sign of the exchange's own engine (a foreign trade, a refused reduce-only order) it takes so long; without, its time of proof. */
const SIGNED_PROOF_MS = 3_000
/** An answer may be older than the sign: so long it does not put it aside. */
const SIGN_KEPT_MS = 5_000
const UNANSWERED_MAX_MS = 30_000
/** Foreign trades that are remembered of one sign: with more it is not said what they brought. */
const TRADES_MAX = 200
/** "ReduceOnly Order is rejected." */
const NOTHING_TO_REDUCE = "-2022"

type PositionSide = Position["side"]

/** Our lots of one symbol and side. */
interface Group {
  readonly key: string
  readonly symbol: string
  readonly side: PositionSide
  readonly lots: readonly LiveOrder[]
}
/** Why the venue is asked before it is time. */
interface Sign {
  readonly atMs: number
  readonly trades: (Fill & { readonly by: string })[]
  refusals: number
}
interface Suspicion {
  /** What is missing, and of what: another answer begins anew. */
  readonly shape: string
  readonly sinceMs: number
  answers: number
}

const keyOf = (symbol: string, side: PositionSide): string => `${symbol} ${side}`
const heldOf = (lots: readonly LiveOrder[]): Decimal => sum(lots.map(({ context }) => openQuantity(context)))
const newestFirst = (a: LiveOrder, b: LiveOrder): number => b.context.createdAtMs - a.context.createdAtMs || (a.order < b.order ? 1 : -1)

/** The watch of one venue. */
class PositionCheck {
  readonly #desk: Desk
  readonly #seat: VenueSeat
  readonly #signs = new Map<string, Sign>()
  readonly #suspicions = new Map<string, Suspicion>()
  #unanswered = 0
  #checking = false
  #hurried = false
  #stopped = false
  #dueAtMs = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(desk: Desk, seat: VenueSeat) {
    this.#desk = desk
    this.#seat = seat
    this.#in(FIRST_AFTER_MS)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  hear(event: VenueEvent): void {
    if (event._tag === "Gap") this.#soon()
    if (event._tag !== "Order" || event.fill === undefined) return
    const { clientOrderId, symbol, side } = event.order
    if (parseClientOrderId(clientOrderId)?.engineId === this.#desk.options.engineId) return
    const sign = this.#sign(symbol, side === "sell" ? "long" : "short")
    const { fill } = event
    if (sign !== undefined && sign.trades.length < TRADES_MAX && sign.trades.every(({ tradeId }) => tradeId !== fill.tradeId))
      sign.trades.push({ ...fill, by: clientOrderId })
  }

  /** A reduce-only order of ours was refused: there is nothing that it could reduce. */
  refused({ context: c }: LiveOrder): void {
    const sign = this.#sign(c.symbol, c.entry?.side === "sell" ? "short" : "long")
    if (sign !== undefined) sign.refusals += 1
  }

  #sign(symbol: string, side: PositionSide): Sign | undefined {
    const key = keyOf(symbol, side)
    if (!this.#groups().some((group) => group.key === key)) return undefined
    const sign = this.#signs.get(key) ?? { atMs: this.#desk.monotonicMs(), trades: [], refusals: 0 }
    this.#signs.set(key, sign)
    this.#soon()
    return sign
  }

  #soon(): void {
    if (this.#checking) this.#hurried = true
    else this.#in(SOON_MS)
  }
  #in(ms: number): void {
    const dueAtMs = this.#desk.monotonicMs() + ms
    if (this.#stopped || dueAtMs >= this.#dueAtMs) return
    this.#cancel?.()
    this.#dueAtMs = dueAtMs
    this.#cancel = this.#desk.options.clock.after(ms, () => void this.#turn())
  }
  async #turn(): Promise<void> {
    this.#dueAtMs = Number.POSITIVE_INFINITY
    this.#checking = true
    this.#hurried = false
    let againMs = EVERY_MS * (0.8 + 0.4 * this.#desk.options.random())
    try {
      againMs = (await this.#check()) ?? againMs
    } catch (error) {
      this.#desk.options.log.error({ venue: this.#seat.venue.name, error: String(error) }, "positions could not be compared with lots")
    }
    this.#checking = false
    this.#in(this.#hurried ? Math.min(againMs, SPACING_MS) : againMs)
  }

  #groups(): readonly Group[] {
    const groups = new Map<string, { symbol: string; side: PositionSide; lots: LiveOrder[] }>()
    for (const lot of this.#desk.orders.values()) {
      const c = lot.context
      if (c.venue !== this.#seat.venue.name || c.market !== "futures" || c.entry === null || c.parked !== null) continue
      if (lot.dropped || !isPositive(openQuantity(c))) continue
      const side = c.entry.side === "buy" ? "long" : "short"
      const key = keyOf(c.symbol, side)
      const group = groups.get(key)
      if (group === undefined) groups.set(key, { symbol: c.symbol, side, lots: [lot] })
      else group.lots.push(lot)
    }
    return [...groups].map(([key, group]) => ({ key, ...group }))
  }

  /** In how many milliseconds to ask again; `undefined`: nothing is in doubt. */
  async #check(): Promise<number | undefined> {
    const groups = this.#groups()
    for (const known of [this.#signs, this.#suspicions])
      for (const key of known.keys()) if (groups.every((group) => group.key !== key)) known.delete(key)
    if (groups.length === 0 || this.#desk.stopping) return undefined
    const answer = await this.#seat.venue.positions()
    if (answer._tag === "Unknown") return Math.min(UNANSWERED_MAX_MS, SPACING_MS * 2 ** Math.min(10, this.#unanswered++))
    this.#unanswered = 0
    let againMs: number | undefined
    for (const group of groups) {
      const waitMs = await this.#compare(group, answer.value)
      if (waitMs !== undefined) againMs = Math.min(waitMs, againMs ?? waitMs)
    }
    return againMs
  }

  async #compare(group: Group, positions: readonly Position[]): Promise<number | undefined> {
    const { key, symbol, side, lots } = group
    const held = sum(positions.filter((one) => one.symbol === symbol && one.side === side).map(({ quantity }) => dec(quantity)))
    const proofMs = this.#signs.has(key) ? SIGNED_PROOF_MS : this.#seat.venue.absenceProofMs
    const spacingMs = Math.max(SPACING_MS, proofMs / (ANSWERS + 1))
    if (!gt(heldOf(lots), held) || this.#isNetted(group)) return this.#agreed(key)
    // An exit of ours that has not been heard of is no riddle. What does not answer, or is on its way, is waited for.
    for (const lot of lots) if (!(await this.#desk.asker.exitsHeard(lot))) return spacingMs
    const missing = sub(heldOf(lots), held)
    if (!isPositive(missing)) return this.#agreed(key)

    const shape = [str(missing), ...lots.map(({ order, context }) => `${order} ${str(openQuantity(context))}`)].join()
    const nowMs = this.#desk.monotonicMs()
    const before = this.#suspicions.get(key)
    const suspicion = before?.shape === shape ? before : { shape, sinceMs: nowMs, answers: 0 }
    suspicion.answers += 1
    this.#suspicions.set(key, suspicion)
    const agreedForMs = nowMs - suspicion.sinceMs
    if (suspicion.answers < ANSWERS || agreedForMs < proofMs) return spacingMs
    this.#record(group, held, missing, { answers: String(suspicion.answers), agreedForMs: String(Math.round(agreedForMs)) })
    this.#suspicions.delete(key)
    this.#signs.delete(key)
    return undefined
  }

  /** One-way, and lots of both sides: what the venue has is their difference, and says nothing about either. */
  #isNetted({ symbol, side }: Group): boolean {
    if (this.#seat.facts.positionMode === "hedge") return false
    const ours = side === "long" ? "buy" : "sell"
    for (const lot of this.#desk.book.entries())
      if (lot.venue === this.#seat.venue.name && lot.market === "futures" && lot.symbol === symbol && lot.side !== ours) return true
    return false
  }

  #agreed(key: string): number | undefined {
    this.#suspicions.delete(key)
    const sign = this.#signs.get(key)
    if (sign === undefined) return undefined
    if (this.#desk.monotonicMs() - sign.atMs < SIGN_KEPT_MS) return SPACING_MS
    this.#signs.delete(key)
    return undefined
  }

  #record({ key, lots }: Group, held: Decimal, missing: Decimal, proof: Readonly<Record<string, string>>): void {
    const sign = this.#signs.get(key)
    const trades = sign?.trades ?? []
    const evidence = {
      venuePosition: str(held),
      lots: str(heldOf(lots)),
      missingInAll: str(missing),
      ...proof,
      ...(trades.length === 0
        ? {}
        : {
            trades: trades
              .slice(0, 20)
              .map((one) => `${one.by} ${one.tradeId}: ${one.quantity} at ${one.price}`)
              .join("; "),
          }),
      ...(sign === undefined || sign.refusals === 0 ? {} : { reduceOnlyRefused: String(sign.refusals) }),
    }
    // The trades that were heard of are what is missing, all of it and nothing else: then it is known what it brought.
    const isPriced = eq(sum(trades.map(({ quantity }) => dec(quantity))), missing)
    const quote = trades.reduce((total, one) => add(total, mul(dec(one.price), dec(one.quantity))), ZERO)
    const fees = sum(trades.map(({ feeQuote }) => dec(feeQuote)))
    let left = missing
    for (const lot of [...lots].sort(newestFirst)) {
      if (!isPositive(left)) return
      const { baseAsset } = lot.context
      const quantity = min(left, openQuantity(lot.context))
      left = sub(left, quantity)
      const share = (of: Decimal) => str(eq(quantity, missing) ? of : div(mul(of, quantity), missing))
      const data = { quantity: str(quantity), asset: baseAsset, evidence }
      const event: OrderEvent = {
        type: "PositionMissing",
        data: isPriced ? { ...data, exit: { quote: share(quote), feesQuote: share(fees) } } : data,
      }
      lot.take([event], "query")
    }
  }
}

export class PositionWatch {
  readonly #desk: Desk
  readonly #checks = new Map<string, PositionCheck>()

  constructor(desk: Desk) {
    this.#desk = desk
    desk.listen({
      durable: (order, records) => {
        for (const { envelope } of records)
          if (envelope.type === "LegRefused" && (envelope.data as { readonly code?: string }).code === NOTHING_TO_REDUCE)
            this.#checks.get(order.context.venue)?.refused(order)
      },
    })
  }

  start(seats: readonly VenueSeat[]): void {
    for (const seat of seats)
      if (seat.venue.markets.includes("futures") && seat.venue.mode !== "simulation")
        this.#checks.set(seat.venue.name, new PositionCheck(this.#desk, seat))
  }
  stop(): void {
    for (const check of this.#checks.values()) check.stop()
  }
  hear(venue: string, event: VenueEvent): void {
    this.#checks.get(venue)?.hear(event)
  }
}
