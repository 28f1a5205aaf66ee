/**
 * A venue that does what a test says: it takes every order, fills only when told to, and any answer can be replaced.
 * Beside that it is honest: a client order id is unique among open orders only, and what it has, it tells when asked.
 */
import type { Balance, PlaceRequest, Acknowledgement, Position, Venue, VenueEvent, VenueOrder } from "@petrosa/venue"
import type { ClientOrderId, Fill, Leg, Market, Outcome, Read, VenueOrderId } from "@petrosa/contracts"
import { accepted, add, canonical, dec, gte, known, mul, refused, str } from "@petrosa/contracts"
import { bundledRules } from "@petrosa/venue"
import type { Clock } from "@petrosa/intake"

/** Of an order id of ours the part that a person reads: `S01` is the first stop. */
export const short = (clientOrderId: string): string => clientOrderId.slice(-3)

type Resting = VenueOrder & { readonly leg: Leg; readonly fills: readonly Fill[] }
type PlaceAnswer = Outcome<Acknowledgement>

const FILL_AFTER_MS = 5

export class ScriptedVenue implements Venue {
  readonly name = "paper"
  readonly mode = "simulation"
  readonly markets: readonly Market[] = ["spot", "futures"]
  readonly bracketStyle = "legs"
  readonly absenceProofMs = 300
  /** By client order id; the newest, should an id have been used twice. */
  readonly orders = new Map<string, Resting>()
  /** Every request and question, in order: `place stop S01 0.01`, `cancel T01`, `query E01`. */
  readonly log: string[] = []
  readonly placed: PlaceRequest[] = []
  readonly listeners = new Set<(event: VenueEvent) => void>()
  balanceQuestions = 0
  /** Legs that fill by themselves, whole, a moment after they were taken. */
  readonly fillsByItself = new Set<Leg>()
  /** Instead of taking an order: an answer, or a promise of one. With `undefined` it is taken. */
  onPlace: (request: PlaceRequest) => PlaceAnswer | Promise<PlaceAnswer | undefined> | undefined = () => undefined
  /** What the reply to an order that was taken becomes on its way. */
  onReply: (request: PlaceRequest, reply: PlaceAnswer) => PlaceAnswer | Promise<PlaceAnswer> = (_, reply) => reply
  /** How long the venue takes to see to a cancel. */
  cancelTakesMs = 0
  /** Before the answer to any question is made. An answer given here replaces it. */
  onQuestion: (what: "query" | "openOrders" | "fills" | "balances", clientOrderId: string) => Promise<void> | Read<never> | undefined =
    () => undefined
  readonly #clock: Clock
  #trades = 0
  #ids = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  canShort(): boolean {
    return true
  }

  rules(symbol: string, market: Market) {
    return bundledRules(market).get(symbol)
  }

  async place(request: PlaceRequest): Promise<PlaceAnswer> {
    this.placed.push(request)
    this.log.push(`place ${request.leg} ${short(request.clientOrderId)} ${request.quantity}`)
    const instead = await this.onPlace(request)
    if (instead !== undefined) return instead
    this.#ids += 1
    const order: Resting = {
      symbol: request.symbol,
      clientOrderId: request.clientOrderId,
      venueOrderId: `v${this.#ids}` as VenueOrderId,
      side: request.side,
      type: request.type,
      status: "new",
      quantity: request.quantity,
      filledQuantity: canonical("0"),
      filledQuote: canonical("0"),
      ...(request.triggerPrice === undefined ? {} : { triggerPrice: request.triggerPrice }),
      updatedAtMs: this.#clock.nowMs(),
      leg: request.leg,
      fills: [],
    }
    this.orders.set(request.clientOrderId, order)
    if (this.fillsByItself.has(request.leg)) this.#clock.after(FILL_AFTER_MS, () => this.fill(request.clientOrderId, request.quantity))
    const { clientOrderId } = request
    return this.onReply(request, accepted({ clientOrderId, venueOrderId: order.venueOrderId, order, reply: "" }))
  }

  /** The one order of ours that ends so, e.g. `S01`. */
  order(name: string): Resting {
    const found = [...this.orders.values()].filter(({ clientOrderId }) => clientOrderId.endsWith(name))
    const [only] = found
    if (only === undefined || found.length > 1) throw new Error(`${found.length} orders ${name} at the venue`)
    return only
  }

  idOf(name: string): string {
    return this.order(name).clientOrderId
  }

  /** Trades a part of an order, and tells so, unless nobody is to hear of it. */
  fill(clientOrderId: string, quantity: string, { price = "50000", tell = true, tradeId = "" } = {}): void {
    const before = this.#find(clientOrderId)
    this.#trades += 1
    const fill: Fill = {
      tradeId: tradeId === "" ? `trade-${this.#trades}` : tradeId,
      quantity: canonical(quantity),
      price: canonical(price),
      fee: canonical("0.01"),
      feeAsset: "USDT",
      feeQuote: canonical("0.01"),
      atMs: this.#clock.nowMs(),
    }
    const filled = add(dec(before.filledQuantity), dec(fill.quantity))
    const isOver = before.status === "cancelled" || before.status === "expired"
    const order: Resting = {
      ...before,
      filledQuantity: str(filled),
      filledQuote: str(add(dec(before.filledQuote), mul(dec(fill.quantity), dec(fill.price)))),
      status: gte(filled, dec(before.quantity)) ? "filled" : isOver ? before.status : "partially_filled",
      fills: [...before.fills, fill],
      updatedAtMs: this.#clock.nowMs(),
    }
    this.orders.set(clientOrderId, order)
    const { fills: _, ...report } = order
    if (tell) this.tell({ _tag: "Order", order: report, fill })
  }

  /** Ends an order at the venue; its stream says so with all that is filled, in one report. */
  end(clientOrderId: string, status: "cancelled" | "expired"): void {
    const order: Resting = { ...this.#find(clientOrderId), status }
    this.orders.set(clientOrderId, order)
    this.tell({ _tag: "Order", order })
  }

  /** From now on the venue has never heard of it. */
  forget(clientOrderId: string): void {
    this.orders.delete(clientOrderId)
  }

  tell(event: VenueEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  /** What of its legs is live there, e.g. `["S01 0.002", "T01 0.002"]`. */
  get resting(): readonly string[] {
    return [...this.orders.values()].filter(isOpen).map(({ clientOrderId, quantity }) => `${short(clientOrderId)} ${quantity}`)
  }

  /** Requests of this kind so far, e.g. `sent("place stop")`. */
  sent(prefix: string): readonly string[] {
    return this.log.filter((line) => line.startsWith(prefix))
  }

  async cancel(_symbol: string, _market: Market, clientOrderId: ClientOrderId): Promise<Outcome<VenueOrder>> {
    this.log.push(`cancel ${short(clientOrderId)}`)
    if (this.cancelTakesMs > 0) await new Promise<void>((resolve) => this.#clock.after(this.cancelTakesMs, resolve))
    const order = this.orders.get(clientOrderId)
    if (order === undefined || !isOpen(order)) return refused("race", "-2011", "Unknown order sent.")
    const cancelled: Resting = { ...order, status: "cancelled" }
    this.orders.set(clientOrderId, cancelled)
    return accepted(cancelled)
  }

  async query(_symbol: string, _market: Market, clientOrderId: ClientOrderId): Promise<Read<VenueOrder | undefined>> {
    this.log.push(`query ${short(clientOrderId)}`)
    const instead = await this.onQuestion("query", clientOrderId)
    return instead ?? known(this.orders.get(clientOrderId))
  }

  async openOrders(): Promise<Read<readonly VenueOrder[]>> {
    this.log.push("openOrders")
    const instead = await this.onQuestion("openOrders", "")
    return instead ?? known([...this.orders.values()].filter(isOpen))
  }

  async fills(_symbol: string, _market: Market, order: { readonly clientOrderId: ClientOrderId }): Promise<Read<readonly Fill[]>> {
    const instead = await this.onQuestion("fills", order.clientOrderId)
    return instead ?? known(this.orders.get(order.clientOrderId)?.fills ?? [])
  }

  async balances(): Promise<Read<readonly Balance[]>> {
    this.balanceQuestions += 1
    const instead = await this.onQuestion("balances", "")
    return instead ?? known([{ asset: "USDT", free: canonical("1000000"), locked: canonical("0") }])
  }

  async positions(): Promise<Read<readonly Position[]>> {
    return known([])
  }

  price(): undefined {
    return undefined
  }
  observePrice(): void {}

  subscribe(listener: (event: VenueEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  async close(): Promise<void> {}

  #find(clientOrderId: string): Resting {
    const order = this.orders.get(clientOrderId)
    if (order === undefined) throw new Error(`the venue has no order ${clientOrderId}`)
    return order
  }
}

const isOpen = ({ status }: VenueOrder): boolean => status === "new" || status === "partially_filled"
