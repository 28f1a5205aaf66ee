/**
 * A venue of one order, in memory, that does whatever a list of small integers says: accepts, loses replies, drops
 * requests, refuses, fills in parts, triggers legs, tells things twice or late. For the properties of the machine.
 */
import type { ClientOrderId, Command, Fill, LegRequest, RefusalClass, VenueOrderId } from "@petrosa/contracts"
import { add, canonical, cmp, dec, gt, lt, min, str, sub } from "@petrosa/contracts"
import type { OrderReport } from "../../src/index.ts"
import { nextDeadline, observe } from "../../src/index.ts"
import { on, Trail } from "./support.ts"

interface VenueLeg {
  readonly request: LegRequest
  status: OrderReport["status"]
  fills: Fill[]
}

const filledOf = (leg: VenueLeg) => leg.fills.reduce((total, fill) => add(total, dec(fill.quantity)), dec("0"))

export class RandomWorld {
  readonly trail = new Trail()
  readonly venue = new Map<ClientOrderId, VenueLeg>()
  readonly placedTwice: string[] = []
  entriesSent = 0
  #todo: Command[] = []
  #trade = 0
  readonly #next: () => number

  constructor(choices: readonly number[]) {
    let i = 0
    this.#next = () => choices[i++] ?? 0
  }

  begin(): void {
    this.#todo.push(...this.trail.begin({ orderType: "limit" }))
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
    }
    const first = observe(this.trail.context, report, withFills ? leg.fills : [], "stream", at)
    this.#todo.push(...this.trail.take(...first.events))
    if (first.fillsMissing) this.#todo.push(...this.trail.take(...observe(this.trail.context, report, leg.fills, "trades", at).events))
  }

  tellAll(): void {
    for (const id of this.venue.keys()) this.tell(id)
  }

  /** What the venue's own book says is held. */
  get position() {
    let held = dec("0")
    for (const { request, fills } of this.venue.values()) {
      for (const fill of fills) held = request.leg === "entry" ? add(held, dec(fill.quantity)) : sub(held, dec(fill.quantity))
    }
    return held
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
        this.#place(command.request, choice, () => on("EntryUnknown", { reason: "TIMEOUT", sentAtMs: this.trail.nowMs }))
        return
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
        const leg = this.venue.get(command.clientOrderId)
        if (leg !== undefined && (leg.status === "new" || leg.status === "partially_filled") && choice % 4 !== 1) leg.status = "cancelled"
        if (choice % 4 === 0) this.tell(command.clientOrderId)
        else this.#todo.push(command)
        return
      }
      case "closeLots":
        return
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
    if (this.venue.has(clientOrderId)) this.placedTwice.push(clientOrderId)
    this.venue.set(clientOrderId, { request, status: "new", fills: [] })
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
        if (!live) return
        const left = sub(dec(leg.request.quantity), filledOf(leg))
        const part = this.#next() % 3 === 0 ? left : min(left, dec(`0.00${1 + (this.#next() % 3)}`))
        this.#trade_(id, str(part), leg.request.triggerPrice ?? "50000")
        if (this.#next() % 3 !== 0) this.tell(id, this.#next() % 2 === 0)
        return
      }
      case 2:
        this.tell(id, this.#next() % 2 === 0)
        return
      case 3:
        // Somebody cancels it by hand, or it expires.
        if (live && this.#next() % 4 === 0) leg.status = this.#next() % 2 === 0 ? "cancelled" : "expired"
        return
      default:
        return
    }
  }

  /** A trade, reduce-only ones capped to what is held, as at a futures exchange. */
  #trade_(id: ClientOrderId, quantity: string, price: string): void {
    const leg = this.venue.get(id)
    if (leg === undefined) return
    const wanted = dec(quantity)
    const traded = leg.request.reduceOnly ? min(wanted, this.position) : wanted
    if (gt(traded, dec("0"))) {
      this.#trade += 1
      const fee = canonical("0.01")
      leg.fills = [
        ...leg.fills,
        {
          tradeId: `r${this.#trade}`,
          quantity: str(traded),
          price: canonical(price),
          fee,
          feeAsset: "USDT",
          feeQuote: fee,
          atMs: this.trail.nowMs,
        },
      ]
    }
    if (cmp(filledOf(leg), dec(leg.request.quantity)) >= 0) leg.status = "filled"
    else if (leg.request.reduceOnly && lt(traded, wanted)) leg.status = "expired"
    else leg.status = "partially_filled"
  }
}
