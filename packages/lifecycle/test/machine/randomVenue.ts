/**
 * A venue of one order, in memory, that does whatever a list of small integers says: accepts, loses replies, drops
 * requests, refuses, fills in parts, triggers legs, tells things twice or late. For the properties of the machine.
 */
import type { BracketList, ClientOrderId, Command, Fill, LegRequest, RefusalClass, VenueOrderId } from "@petrosa/contracts"
import { add, canonical, cmp, dec, gt, lt, min, mul, str, sub } from "@petrosa/contracts"
import type { OrderReport } from "../../src/index.ts"
import { entryByItself, nextDeadline, observe } from "../../src/index.ts"
import { ORDER, on, spotRules, spotVenue, Trail } from "./support.ts"

interface VenueLeg {
  readonly request: LegRequest
  status: OrderReport["status"]
  fills: Fill[]
  /** The other legs of its list, and whether it waits for the list's entry. */
  readonly list: readonly ClientOrderId[]
  pending: boolean
  endedBySibling: boolean
}

/**
 * `lists`: spot, stop and target as one list; `armed`: limit entries go with it; fees in base or in quote. `shared`: other lots
 * of the same symbol and side are open: the venue lets an exit close what they hold, and lots are closed by hand.
 */
export interface Manner {
  readonly lists: boolean
  readonly armed: boolean
  readonly feesInBase: boolean
  readonly shared: boolean
}
export const LEGS: Manner = { lists: false, armed: false, feesInBase: false, shared: false }

const OF_OTHERS = dec("1")

const filledOf = (leg: VenueLeg) => leg.fills.reduce((total, fill) => add(total, dec(fill.quantity)), dec("0"))

export class RandomWorld {
  readonly trail = new Trail()
  readonly venue = new Map<ClientOrderId, VenueLeg>()
  readonly placedTwice: string[] = []
  entriesSent = 0
  #todo: Command[] = []
  #trade = 0
  readonly #next: () => number

  readonly manner: Manner

  constructor(choices: readonly number[], manner = LEGS) {
    this.manner = manner
    let i = 0
    this.#next = () => choices[i++] ?? 0
  }

  begin(): void {
    const { lists, armed } = this.manner
    const commands = lists
      ? this.trail.begin({ orderType: "limit", market: "spot" }, spotRules, { ...spotVenue, armsEntries: armed })
      : this.trail.begin({ orderType: "limit" })
    this.#todo.push(...commands)
  }

  get idle(): boolean {
    return this.#todo.length === 0
  }

  /** Runs one command, or lets the venue do something. With `calm` nothing goes wrong any more. */
  step(calm: boolean): void {
    this.trail.nowMs += 50
    this.#deadlines()
    const choice = calm ? 0 : this.#next()
    if (this.#todo.length > 0 && (calm || choice % 3 !== 0)) {
      const [command] = this.#todo.splice(calm ? 0 : choice % this.#todo.length, 1)
      if (command !== undefined) this.#run(command, calm ? 0 : this.#next())
      return
    }
    if (!calm) this.#market(choice)
  }

  /** What a stream, or a poll, tells of an order: anything that was true, perhaps again, perhaps without its fills. */
  tell(id: ClientOrderId, withFills = true): void {
    const leg = this.venue.get(id)
    if (leg === undefined) return
    const at = { sentAtMs: this.trail.nowMs, receivedAtMs: this.trail.nowMs }
    const report: OrderReport = {
      clientOrderId: id,
      venueOrderId: `v${id.slice(-3)}` as VenueOrderId,
      status: leg.status,
      quantity: leg.request.quantity,
      filledQuantity: str(filledOf(leg)),
      ...(leg.request.triggerPrice === undefined ? {} : { triggerPrice: leg.request.triggerPrice }),
      ...(leg.pending && leg.status === "new" ? { pending: true } : {}),
      ...(leg.endedBySibling ? { endedBySibling: true } : {}),
    }
    const first = observe(this.trail.context, report, withFills ? leg.fills : [], "stream", at)
    this.#todo.push(...this.trail.take(...first.events))
    if (first.fillsMissing) this.#todo.push(...this.trail.take(...observe(this.trail.context, report, leg.fills, "trades", at).events))
  }

  tellAll(): void {
    for (const id of this.venue.keys()) this.tell(id)
  }

  /** An entry that nothing came to rests until its time is over. */
  passTimeout(): void {
    const { entry } = this.trail.context
    if (entry?.status === "live" && entry.filled === "0") this.trail.nowMs = Math.max(this.trail.nowMs, entry.expiresAtMs)
  }

  /** What the venue's own book says is held. */
  get position() {
    let held = dec("0")
    for (const { request, fills } of this.venue.values()) {
      for (const fill of fills) {
        held = request.leg === "entry" ? add(held, dec(fill.quantity)) : sub(held, dec(fill.quantity))
        if (fill.feeAsset === "BTC") held = sub(held, dec(fill.fee))
      }
    }
    return held
  }

  /** What it would let an exit close. */
  get #closable() {
    return this.manner.shared ? add(this.position, OF_OTHERS) : this.position
  }

  #deadlines(): void {
    const due = nextDeadline(this.trail.context)
    if (due === undefined || due.dueAtMs > this.trail.nowMs) return
    this.#todo.push(...this.trail.take(on("DeadlinePassed", { ...due, nowMs: this.trail.nowMs })))
  }

  #run(command: Command, choice: number): void {
    switch (command.type) {
      case "placeEntry":
        this.entriesSent += 1
        this.#placeEntry(command, choice)
        return
      case "placeBracket":
        this.#placeBracket(command.bracket, choice)
        return
      case "resolveBracket": {
        const ids = [command.stop, command.target]
        const [stop, target] = ids.map((id) => this.trail.context.legs.find((one) => one.clientOrderId === id)?.status)
        if (stop !== "unknown" && target !== "unknown") return
        for (const id of ids) this.tell(id)
        if (!this.venue.has(command.stop)) {
          const data = { leg: "stop", clientOrderId: command.stop, sibling: command.target, evidence: {} } as const
          this.#todo.push(...this.trail.take(on("LegNotPlaced", data)))
        } else if (ids.some((id) => this.venue.get(id)?.pending === true && this.venue.get(id)?.status === "new")) this.#todo.push(command)
        return
      }
      case "cancelBracket": {
        if (choice % 4 !== 1) this.#cancel(command.stop)
        for (const id of [command.stop, command.target]) {
          if (choice % 4 === 0) this.tell(id)
          else this.#todo.push({ type: "cancelLeg", leg: id === command.stop ? "stop" : "target", clientOrderId: id })
        }
        return
      }
      case "placeStop":
      case "placeTarget":
      case "flatten": {
        const { leg, clientOrderId } = command.request
        const status = this.trail.context.legs.find((one) => one.clientOrderId === clientOrderId)?.status
        if (status === "sending") this.#place(command.request, choice, () => on("LegUnknown", { leg, clientOrderId, reason: "TIMEOUT" }))
        return
      }
      case "resolveEntry":
        if (this.trail.context.entry?.status !== "unknown") return
        if (this.venue.has(command.clientOrderId)) this.tell(command.clientOrderId)
        else this.#todo.push(...this.trail.take(on("EntryNotPlaced", { evidence: {} })))
        return
      case "resolveLeg":
        if (this.venue.has(command.clientOrderId)) this.tell(command.clientOrderId)
        else if (this.trail.context.legs.find((one) => one.clientOrderId === command.clientOrderId)?.status === "unknown") {
          this.#todo.push(...this.trail.take(on("LegNotPlaced", { leg: command.leg, clientOrderId: command.clientOrderId, evidence: {} })))
        }
        return
      case "cancelEntry":
      case "cancelLeg": {
        // The cancel's reply may get lost: it is sent again until the order is seen to be over.
        if (choice % 4 !== 1) this.#cancel(command.clientOrderId)
        if (choice % 4 === 0) this.tell(command.clientOrderId)
        else this.#todo.push(command)
        return
      }
      case "closeLots":
        return
    }
  }

  /** Of a list all legs go. */
  #cancel(id: ClientOrderId): void {
    for (const one of [id, ...(this.venue.get(id)?.list ?? [])]) {
      const leg = this.venue.get(one)
      if (leg?.status === "new" || leg?.status === "partially_filled") leg.status = "cancelled"
    }
  }

  #add(request: LegRequest, list: readonly ClientOrderId[] = [], pending = false): void {
    if (this.venue.has(request.clientOrderId)) this.placedTwice.push(request.clientOrderId)
    const others = list.filter((id) => id !== request.clientOrderId)
    this.venue.set(request.clientOrderId, { request, status: "new", fills: [], list: others, pending, endedBySibling: false })
  }

  #placeEntry(command: Extract<Command, { type: "placeEntry" }>, choice: number): void {
    const { request, bracket } = command
    const unknown = () => on("EntryUnknown", { reason: "TIMEOUT", sentAtMs: this.trail.nowMs })
    if (bracket === undefined) return this.#place(request, choice, unknown)
    const at = { sentAtMs: this.trail.nowMs, receivedAtMs: this.trail.nowMs }
    if (choice % 8 === 1) this.#todo.push(...this.trail.take(unknown()))
    else if (choice % 8 === 2) {
      const alone = entryByItself(request, ORDER, "test")
      this.#todo.push(...this.trail.take(on("EntryListRefused", { class: "fatal", code: "-1", message: "", request: alone, ...at })))
    } else {
      const ids = [request.clientOrderId, bracket.stop.clientOrderId, bracket.target.clientOrderId]
      this.#add(request, ids)
      this.#add(bracket.stop, ids, true)
      this.#add(bracket.target, ids, true)
      if (choice % 8 === 3) this.#todo.push(...this.trail.take(unknown()))
      else this.tell(request.clientOrderId)
    }
  }

  /** What the venue keeps for orders that sell: of a list only once. */
  get #reserved() {
    let reserved = dec("0")
    const counted = new Set<ClientOrderId>()
    for (const [id, { request, status, pending, list, fills }] of this.venue) {
      if (request.leg === "entry" || pending || (status !== "new" && status !== "partially_filled") || counted.has(id)) continue
      for (const other of list) counted.add(other)
      reserved = add(
        reserved,
        sub(
          dec(request.quantity),
          fills.reduce((total, fill) => add(total, dec(fill.quantity)), dec("0")),
        ),
      )
    }
    return reserved
  }

  #placeBracket(bracket: BracketList, choice: number): void {
    const { stop, target } = bracket
    const ids = [stop.clientOrderId, target.clientOrderId] as const
    if (this.trail.context.legs.find((one) => one.clientOrderId === ids[0])?.status !== "sending") return
    const data = { leg: "stop", clientOrderId: ids[0], sibling: ids[1] } as const
    const unknown = () => on("LegUnknown", { ...data, reason: "TIMEOUT" })
    const at = { sentAtMs: this.trail.nowMs, receivedAtMs: this.trail.nowMs }
    const free = sub(this.#closable, this.#reserved)
    if (choice % 8 === 1) {
      this.#todo.push(...this.trail.take(unknown()))
      return
    }
    if (choice % 8 === 2 || gt(dec(stop.quantity), free)) {
      const asked = (["retry", "rateLimit", "fatal", "wouldTrigger", "balance"] as const)[choice % 5] ?? "retry"
      const cls = gt(dec(stop.quantity), free) ? "balance" : asked
      // Whatever is there of ours is looked for before a refusal for the balance is believed.
      if (cls === "balance") this.tellAll()
      this.#todo.push(...this.trail.take(on("LegRefused", { ...data, class: cls, code: "-1", message: "", ...at })))
      return
    }
    this.#add(stop, ids)
    this.#add(target, ids)
    if (choice % 8 === 3) this.#todo.push(...this.trail.take(unknown()))
    else for (const id of ids) this.tell(id)
  }

  /** The entry of a list is over: filled whole, its bracket comes into force, or is refused; else it ends with it. */
  #follow(entry: VenueLeg): void {
    if (entry.status === "new" || entry.status === "partially_filled") return
    const refused = this.#next() % 6 === 0
    for (const id of entry.list) {
      const leg = this.venue.get(id)
      if (leg === undefined || !leg.pending) continue
      leg.pending = false
      if (entry.status !== "filled") leg.status = "cancelled"
      else if (refused) leg.status = "expired"
    }
  }

  #place(request: LegRequest, choice: number, unknown: () => ReturnType<typeof on>): void {
    const { clientOrderId } = request
    const outcome = choice % 8
    if (outcome === 1) {
      // Dropped: it never arrives.
      this.#todo.push(...this.trail.take(unknown()))
      return
    }
    if (outcome === 2 && request.leg !== "entry") {
      const cls =
        (["retry", "rateLimit", "fatal", "wouldTrigger", "balance"] as const satisfies readonly RefusalClass[])[choice % 5] ?? "retry"
      const at = { sentAtMs: this.trail.nowMs, receivedAtMs: this.trail.nowMs }
      this.#todo.push(...this.trail.take(on("LegRefused", { leg: request.leg, clientOrderId, class: cls, code: "-1", message: "", ...at })))
      return
    }
    if (this.manner.lists && request.leg !== "entry" && gt(dec(request.quantity), sub(this.#closable, this.#reserved))) {
      // Spot has no reduce-only: what is not free cannot be sold.
      const at = { sentAtMs: this.trail.nowMs, receivedAtMs: this.trail.nowMs }
      const cls = request.leg === "flatten" ? "race" : "balance"
      this.tellAll()
      this.#todo.push(
        ...this.trail.take(on("LegRefused", { leg: request.leg, clientOrderId, class: cls, code: "-2010", message: "", ...at })),
      )
      return
    }
    this.#add(request)
    if (request.leg === "flatten") this.#trade_(clientOrderId, canonical(request.quantity), "50000")
    if (outcome === 3) this.#todo.push(...this.trail.take(unknown()))
    else this.tell(clientOrderId)
  }

  /** The market does something that nobody asked for. */
  #market(choice: number): void {
    const ids = [...this.venue.keys()]
    const id = ids[choice % Math.max(1, ids.length)]
    const leg = id === undefined ? undefined : this.venue.get(id)
    if (id === undefined || leg === undefined) return
    const live = leg.status === "new" || leg.status === "partially_filled"
    switch (this.#next() % 6) {
      case 0:
      case 1: {
        if (!live || leg.pending) return
        const left = sub(dec(leg.request.quantity), filledOf(leg))
        const part = this.#next() % 3 === 0 ? left : min(left, dec(`0.00${1 + (this.#next() % 3)}`))
        this.#trade_(id, str(part), leg.request.triggerPrice ?? leg.request.price ?? "50000")
        if (this.#next() % 3 !== 0) this.tell(id, this.#next() % 2 === 0)
        return
      }
      case 2:
        this.tell(id, this.#next() % 2 === 0)
        return
      case 3:
        // Somebody cancels it by hand, or it expires.
        if (!live || leg.pending || this.#next() % 4 !== 0) return
        if (this.manner.lists) this.#cancel(id)
        else leg.status = this.#next() % 2 === 0 ? "cancelled" : "expired"
        this.#follow(leg)
        return
      case 4:
        // Somebody closes the lot, or what there will be of it.
        if (this.#mayClose() && this.trail.context.closing === null && !this.trail.context.lotClosed)
          this.#todo.push(...this.trail.take(on("CloseRequested", { cause: "operator", by: "operator", targets: "cancelled" })))
        return
      default:
        return
    }
  }

  #mayClose(): boolean {
    const { lists, shared } = this.manner
    return shared ? this.#next() % 2 === 0 : lists && this.#next() % 8 === 0
  }

  /** A trade, reduce-only ones capped to what is held, as at a futures exchange. */
  #trade_(id: ClientOrderId, quantity: string, price: string): void {
    const leg = this.venue.get(id)
    if (leg === undefined) return
    const wanted = dec(quantity)
    const traded = leg.request.reduceOnly ? min(wanted, this.#closable) : wanted
    if (gt(traded, dec("0"))) {
      this.#trade += 1
      const inBase = this.manner.feesInBase && leg.request.leg === "entry"
      const fee = inBase ? str(mul(traded, dec("0.001"))) : canonical("0.01")
      leg.fills = [
        ...leg.fills,
        {
          tradeId: `r${this.#trade}`,
          quantity: str(traded),
          price: canonical(price),
          fee,
          feeAsset: inBase ? "BTC" : "USDT",
          feeQuote: inBase ? canonical("0.5") : fee,
          atMs: this.trail.nowMs,
        },
      ]
    }
    if (cmp(filledOf(leg), dec(leg.request.quantity)) >= 0) leg.status = "filled"
    else if (leg.request.reduceOnly && lt(traded, wanted)) leg.status = "expired"
    else leg.status = "partially_filled"
    if (leg.request.leg === "entry") this.#follow(leg)
    else
      for (const other of leg.list) {
        const sibling = this.venue.get(other)
        if (sibling === undefined || sibling.request.leg === "entry" || (sibling.status !== "new" && sibling.status !== "partially_filled"))
          continue
        sibling.status = "expired"
        sibling.endedBySibling = true
      }
  }
}
