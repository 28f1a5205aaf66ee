/**
 * `/inspector/stately`: live orders as actors in xstate's own inspection protocol, over a WebSocket, for the Stately
 * inspector or any receiver of `@statelyai/inspect`.
 *
 * Promises: off unless asked for; only from this machine to this machine (both ends on loopback, no proxy between, no page of
 * another origin); nothing is done while nobody is attached. It is fed from the store and the journals, never from the
 * engine's actors: attaching changes nothing of them. Bounded: so many clients, the newest {@link ACTORS_MAX} orders, so much
 * waiting to be sent; a client that does not keep up is closed (1013), and may come again.
 */
import type { IncomingMessage } from "node:http"
import type { EventRecord, OrderEvent, OrderId } from "@petrosa/contracts"
import { isOrderEventType, isOrderId, orderStream } from "@petrosa/contracts"
import type { EngineFace } from "@petrosa/engine"
import { foldOne, OrderActor } from "@petrosa/lifecycle"
import { type WebSocket, WebSocketServer } from "ws"
import { type Journals, listenToAll } from "./journals.ts"
import { actorMessage, type StatelyMessage, stepMessages } from "./statelyMessages.ts"

export const CLIENTS_MAX = 4
/** Orders that are shown to a client that attaches, newest first, and that are followed. */
export const ACTORS_MAX = 500
/** Streams that are read at once. */
const READ_AT_ONCE = 50
const TICK_MS = 50
/** Records that wait for a tick. */
const WAITING_MAX = 5000
/** Records of one tick that are folded and sent, about 0.2 ms each: beyond, their orders are read again when they move next. */
const STEPS_MAX = 50
/** Orders of one tick that are read from the store. */
const READ_MAX = 5
/** While more than this waits in the socket, actors that were there before wait. */
const PACE_BYTES = 512 * 1024
/** A client for which more than this waits is closed. */
const HELD_MAX_BYTES = 16 * 1024 * 1024
const INCOMING_MAX_BYTES = 4096
/** RFC 6455: try again later. */
const TRY_AGAIN_LATER = 1013

interface Client {
  readonly socket: WebSocket
  /** Orders that it has been told of. */
  readonly told: Set<string>
  /** Orders that it is to be told of, as it takes them. */
  readonly untold: Set<string>
}

interface Followed {
  readonly actor: OrderActor
  readonly name: string
  atMs: number
}

export interface StatelyOptions {
  readonly engine: EngineFace
  readonly journals?: Journals
  readonly log: { warn(fields: object, message: string): void }
}

/** Why somebody may not attach. */
export interface StatelyRefusal {
  readonly status: number
  readonly detail: string
}

const isLoopbackAddress = (address: string | undefined): boolean =>
  address !== undefined && (address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address))

const FROM_ELSEWHERE = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] as const

/** Both ends are this machine, and the page that asks (if it is one) is our own: nobody's name that leads here by DNS. */
export const refusalOf = (request: IncomingMessage): StatelyRefusal | undefined => {
  const { headers, socket } = request
  if (!isLoopbackAddress(socket.remoteAddress) || !isLoopbackAddress(socket.localAddress))
    return { status: 403, detail: "Only from this machine." }
  if (FROM_ELSEWHERE.some((name) => headers[name] !== undefined)) return { status: 403, detail: "Not through a proxy." }
  const host = headers.host ?? ""
  const name = /^(\[::1\]|[^:]+)(?::\d{1,5})?$/.exec(host)?.[1] ?? ""
  if (name !== "localhost" && name !== "[::1]" && !isLoopbackAddress(name))
    return { status: 421, detail: "The Host header is not a loopback name." }
  if (headers.origin !== undefined && headers.origin !== `http://${host}`)
    return { status: 403, detail: "A page of another origin may not attach." }
  return undefined
}

export class Stately {
  readonly #options: StatelyOptions
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: INCOMING_MAX_BYTES, perMessageDeflate: false })
  readonly #clients = new Set<Client>()
  /** Oldest first. */
  readonly #followed = new Map<string, Followed>()
  readonly #reading = new Set<string>()
  #waiting: EventRecord[] = []
  #stopListening: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: StatelyOptions) {
    this.#options = options
  }

  get clients(): number {
    return this.#clients.size
  }

  /** Takes the connection over; resolves when it is gone. A refusal: nothing was taken over. */
  attach(request: IncomingMessage): StatelyRefusal | Promise<void> {
    const refusal = refusalOf(request)
    if (refusal !== undefined) return refusal
    if (this.#clients.size >= CLIENTS_MAX) return { status: 503, detail: `${CLIENTS_MAX} inspectors are attached already.` }
    const gone = new Promise<void>((resolve) => request.socket.once("close", () => resolve()))
    this.#server.handleUpgrade(request, request.socket, Buffer.alloc(0), (socket) => this.#take(socket))
    return gone
  }

  close(): void {
    for (const { socket } of this.#clients) socket.terminate()
    this.#clients.clear()
    this.#rest()
  }

  #take(socket: WebSocket): void {
    const client: Client = { socket, told: new Set(), untold: new Set(this.#followed.keys()) }
    // What a client says is not listened to: it may only look.
    socket.on("error", () => socket.terminate())
    socket.once("close", () => {
      this.#clients.delete(client)
      if (this.#clients.size === 0) this.#rest()
    })
    this.#clients.add(client)
    if (this.#clients.size === 1) this.#begin()
  }

  #begin(): void {
    const { engine, journals } = this.#options
    this.#stopListening = listenToAll(engine, journals, (records) => {
      for (const record of records) if (record.order !== "" && this.#waiting.length < WAITING_MAX) this.#waiting.push(record)
    })
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
    this.#load().catch((error: unknown) =>
      this.#options.log.warn({ error: String(error) }, "orders cannot be shown to the Stately inspector: the store cannot be read"),
    )
  }

  #rest(): void {
    this.#stopListening?.()
    this.#stopListening = undefined
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#waiting = []
    this.#followed.clear()
  }

  /** The newest orders that are not done, each as its events say. */
  async #load(): Promise<void> {
    const open = (await this.#options.engine.store.openOrders()).slice(-ACTORS_MAX)
    for (let n = 0; n < open.length && this.#timer !== undefined; n += READ_AT_ONCE)
      await this.#read(open.slice(n, n + READ_AT_ONCE).map(({ order }) => order))
  }

  async #read(orders: readonly string[]): Promise<void> {
    const wanted = orders.filter((order): order is OrderId => isOrderId(order) && !this.#reading.has(order) && !this.#followed.has(order))
    if (wanted.length === 0) return
    for (const order of wanted) this.#reading.add(order)
    try {
      const found = await this.#options.engine.store.readStreams(wanted.map(orderStream))
      if (this.#timer === undefined) return
      for (const order of wanted) {
        const read = found.get(orderStream(order))
        if (read?._tag === "Readable") this.#follow(order, read.events)
      }
    } finally {
      for (const order of wanted) this.#reading.delete(order)
    }
  }

  #follow(order: OrderId, events: readonly EventRecord[]): void {
    const actor = new OrderActor(order)
    for (const record of events) if (!step(actor, record)) return
    const last = events.at(-1)
    if (last === undefined || last.done) return
    this.#keep(order, { actor, name: nameOf(last), atMs: Date.parse(last.at) })
  }

  #keep(order: string, followed: Followed): void {
    this.#followed.set(order, followed)
    for (const client of this.#clients) if (!client.told.has(order)) client.untold.add(order)
    const oldest = this.#followed.size > ACTORS_MAX ? this.#followed.keys().next().value : undefined
    if (oldest !== undefined) this.#leave(oldest)
  }

  #leave(order: string): void {
    this.#followed.delete(order)
    for (const client of this.#clients) client.untold.delete(order)
  }

  #tick(): void {
    const records = this.#waiting
    this.#waiting = []
    const unknown = new Set<string>()
    for (const [n, record] of records.entries()) {
      if (n < STEPS_MAX) this.#hear(record, unknown)
      else this.#leave(record.order)
    }
    if (unknown.size > 0)
      // The store is away: the order is read when it moves next.
      this.#read([...unknown].slice(-READ_MAX)).catch(() => undefined)
    for (const client of this.#clients) this.#tellOlder(client)
  }

  #hear(record: EventRecord, unknown: Set<string>): void {
    const { order } = record
    if (!isOrderId(order)) return
    let followed = this.#followed.get(order)
    if (followed === undefined) {
      if (record.version !== 1) {
        if (record.done) this.#forget(order)
        else unknown.add(order)
        return
      }
      followed = { actor: new OrderActor(order), name: nameOf(record), atMs: Date.parse(record.at) }
      this.#keep(order, followed)
    }
    const { actor } = followed
    if (record.version <= actor.context.version) return
    for (const client of this.#clients) this.#tell(client, order, followed)
    if (!step(actor, record)) {
      // Events were missed, or are not known to this version.
      this.#leave(order)
      unknown.add(order)
      return
    }
    followed.atMs = Date.parse(record.at)
    const texts = stepMessages(order, eventOf(record), record.version, followed.atMs, actor.regions, actor.context).map(textOf)
    for (const client of this.#clients) for (const text of texts) send(client, text)
    if (record.done) this.#forget(order)
  }

  /** Nothing more comes of it. */
  #forget(order: string): void {
    this.#leave(order)
    for (const client of this.#clients) client.told.delete(order)
  }

  #tell(client: Client, order: string, followed: Followed): void {
    if (client.told.has(order)) return
    client.told.add(order)
    const { actor, name, atMs } = followed
    send(client, textOf(actorMessage(order, name, atMs, actor.regions, actor.context)))
  }

  /** Orders that were there before it came, as it takes them. */
  #tellOlder(client: Client): void {
    for (const order of client.untold) {
      if (client.socket.bufferedAmount > PACE_BYTES) return
      client.untold.delete(order)
      const followed = this.#followed.get(order)
      if (followed !== undefined) this.#tell(client, order, followed)
    }
  }
}

const nameOf = (record: EventRecord): string => `${record.strategy_id} ${record.side} ${record.symbol} ${record.order}`
const eventOf = (record: EventRecord): OrderEvent => ({ type: record.type, data: record.data }) as unknown as OrderEvent
const textOf = (message: StatelyMessage): string => JSON.stringify(message)

/** False: the record is not the actor's next, or it does not take it. */
const step = (actor: OrderActor, record: EventRecord): boolean =>
  record.version === actor.context.version + 1 &&
  isOrderEventType(record.type) &&
  foldOne(actor.context, record) !== undefined &&
  actor.take(eventOf(record), record.version, Date.parse(record.at)) !== undefined

const send = (client: Client, text: string): void => {
  const { socket } = client
  if (socket.readyState !== socket.OPEN) return
  if (socket.bufferedAmount > HELD_MAX_BYTES) {
    socket.close(TRY_AGAIN_LATER, "too slow")
    // It does not read: it would not read the closing either.
    socket.terminate()
  } else socket.send(text)
}
