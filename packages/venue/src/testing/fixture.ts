/** What the contract suite needs of a venue under test, and small helpers that wait for facts instead of sleeping. */
import type { ClientOrderId, DecimalString, Leg, Market } from "@petrosa/contracts"
import type { PlaceRequest, Venue, VenueEvent } from "../venue.ts"

/** How a test makes the venue misbehave. Every adapter's fixture offers all of them. */
export interface FaultSwitches {
  /** The next reply of this kind is lost after the request was executed. `list`: OCO and OTOCO, where they are offered. */
  loseReply(kind: Leg | "cancel" | "query" | "list"): Promise<void>
  /** The next request of this kind never arrives. */
  dropRequest(kind: Leg | "cancel" | "query" | "list"): Promise<void>
  /** Executions come in so many parts, this far apart. */
  partialFills(parts: number, everyMs: number): Promise<void>
  /** Questions about an order are answered "not there" for so long after it was accepted. */
  notFoundFor(ms: number): Promise<void>
  duplicateEvents(): Promise<void>
  none(): Promise<void>
}

export interface VenueFixture {
  readonly venue: Venue
  readonly market: Market
  /** A symbol whose market price is 50,000 at the start, step ≤ 0.001, tick ≤ 1, minimum notional ≤ 100; quote balance 10,000. */
  readonly symbol: string
  readonly quoteAsset: string
  setPrice(price: string): Promise<void>
  readonly faults: FaultSwitches
  /** The client ids of all orders that the venue ever took, from its own memory, in order. */
  allClientIds(): Promise<readonly string[]>
  /** A second instance on the same account, as another process would have it. */
  another(): Promise<Venue>
  /** Closes the venue and opens it again, as after a restart; replaces `venue`. */
  restart(): Promise<Venue>
  readonly now: () => number
  close(): Promise<void>
}

let counter = 0
/** A client id that no other test uses. */
export const freshId = (leg = "E"): ClientOrderId => {
  counter += 1
  return `ptTEST${String(counter).padStart(20, "0")}${leg}01` as ClientOrderId
}

type Draft = Partial<Omit<PlaceRequest, "quantity" | "price" | "triggerPrice">> & {
  readonly quantity?: string
  readonly price?: string
  readonly triggerPrice?: string
}

/** A request: a market entry of 0.01 to buy, but for what is named. */
export const requestFor = (fixture: Pick<VenueFixture, "market" | "symbol" | "now">, draft: Draft = {}): PlaceRequest => {
  const { quantity, price, triggerPrice, ...rest } = draft
  return {
    clientOrderId: freshId(),
    leg: "entry",
    side: "buy",
    type: "market",
    reduceOnly: false,
    symbol: fixture.symbol,
    market: fixture.market,
    positionSide: "long",
    timestampMs: fixture.now(),
    receiveWindowMs: 5_000,
    ...rest,
    quantity: (quantity ?? "0.01") as DecimalString,
    ...(price === undefined ? {} : { price: price as DecimalString }),
    ...(triggerPrice === undefined ? {} : { triggerPrice: triggerPrice as DecimalString }),
  }
}

/** Waits until `look` gives something else than `undefined` or `false`; fails after the deadline, with what was waited for. */
export const eventually = async <A>(
  what: string,
  look: () => A | undefined | false | Promise<A | undefined | false>,
  deadlineMs = 5_000,
): Promise<A> => {
  const until = performance.now() + deadlineMs
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (performance.now() > until) throw new Error(`not seen within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export interface Recorder {
  readonly events: VenueEvent[]
  stop(): void
  /** The trades of an order that were told of, each once. */
  fillsOf(clientOrderId: string): readonly string[]
}

export const record = (venue: Venue): Recorder => {
  const events: VenueEvent[] = []
  const stop = venue.subscribe((event) => events.push(event))
  return {
    events,
    stop,
    fillsOf: (clientOrderId) => [
      ...new Set(
        events.flatMap((event) =>
          event._tag === "Order" && event.order.clientOrderId === clientOrderId && event.fill !== undefined ? [event.fill.tradeId] : [],
        ),
      ),
    ],
  }
}
