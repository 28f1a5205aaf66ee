/**
 * The table of what becomes of orders at Binance, made by running them: six order types, long and short, futures in one-way and
 * in hedge mode, spot (long only), each with every end that it can have. Engine, adapter and local Binance are real.
 *
 * `npm run docs` does not make it (it takes half a minute); `node test/binance/orderTable.ts` writes docs/binance-table.md, and
 * table.test.ts holds it against what is committed.
 */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { DEEP } from "@petrosa/binance-sandbox"
import type { Market, OrderId, OrderType } from "@petrosa/contracts"
import { dec, isZero, ORDER_TYPES } from "@petrosa/contracts"
import { until } from "../support/until.ts"
import { LocalWorld, short, START_PRICE, SYMBOL } from "./support.ts"

export const TABLE_FILE = fileURLToPath(new URL("../../docs/binance-table.md", import.meta.url))

const ENDS = ["filled", "partly filled", "expired", "cancelled", "refused"] as const
type End = (typeof ENDS)[number]

interface Mode {
  readonly name: string
  readonly market: Market
  readonly hedge: boolean
  readonly side: "buy" | "sell"
}
export const MODES: readonly Mode[] = [
  { name: "futures, one-way, long", market: "futures", hedge: false, side: "buy" },
  { name: "futures, one-way, short", market: "futures", hedge: false, side: "sell" },
  { name: "futures, hedge, long", market: "futures", hedge: true, side: "buy" },
  { name: "futures, hedge, short", market: "futures", hedge: true, side: "sell" },
  { name: "spot, long", market: "spot", hedge: false, side: "buy" },
]

/** Distances from the market for a buy, in quote; a sell has them on the other side. `moves`: to where the market goes for it to trade. */
interface Plan {
  readonly price: number
  readonly trigger?: number
  readonly moves?: number
}
const PLANS: Readonly<Record<OrderType, Plan>> = {
  market: { price: 0 },
  limit: { price: -500, moves: -600 },
  stop: { price: 500, trigger: 500, moves: 600 },
  stop_limit: { price: 550, trigger: 500, moves: 520 },
  take_profit: { price: -500, trigger: -500, moves: -600 },
  take_profit_limit: { price: -450, trigger: -500, moves: -600 },
}

/** A market order rests nowhere: it is not expired or cancelled by us. */
const possible = (type: OrderType, end: End): boolean => type !== "market" || (end !== "expired" && end !== "cancelled")

export interface Row {
  readonly mode: string
  readonly type: OrderType
  readonly end: End
  /** The entry at the exchange: its type there, its last status, what it traded. */
  readonly entry: string
  readonly state: string
  readonly reason: string
  /** Stop and target at the exchange, with their last status. */
  readonly bracket: string
  readonly closedBy: string
}
export interface Made {
  readonly row: Row
  readonly complaints: readonly string[]
}

const QUANTITY = 0.01
/** Less than half of it: what the market has for a partial fill. */
const THIN = { levels: 1, quantity: "0.004", spreadTicks: 1, stepTicks: 1 }
const TIMEOUT_MS = 1_500

const at = (mode: Mode, distance: number): number => Number(START_PRICE) + (mode.side === "buy" ? distance : -distance)

class Cells {
  readonly #world: LocalWorld
  readonly #mode: Mode
  constructor(world: LocalWorld, mode: Mode) {
    this.#world = world
    this.#mode = mode
  }

  async make(type: OrderType, end: End): Promise<Made> {
    const world = this.#world
    const mode = this.#mode
    const plan = PLANS[type]
    if (end === "refused")
      for (const op of ["order.place", "algo.place", "list.place"])
        world.sandbox.addFaults(
          mode.market === "spot"
            ? { kind: "refuse", code: -2010, msg: "Account has insufficient balance for requested action.", match: { op } }
            : { kind: "refuse", code: -2019, msg: "Margin is insufficient.", match: { op } },
        )
    if (end === "partly filled" && plan.moves === undefined) this.#thin()
    const order = await world.send({
      action: mode.side,
      order_type: type,
      quantity: QUANTITY,
      price: at(mode, plan.price),
      ...(plan.trigger === undefined ? {} : { trigger_price: at(mode, plan.trigger) }),
    })
    if (end !== "refused" && plan.moves !== undefined) {
      await world.untilEvent(order, "EntryAccepted")
      if (end === "partly filled") this.#thin()
      if (end === "filled" || end === "partly filled") world.setPrice(String(at(mode, plan.moves)))
      if (end === "cancelled") await world.cancelEntry(order)
    }
    const last = await world.settled(order)
    world.sandbox.clearFaults()
    this.#deep()
    let closedBy = ""
    if (last.state === "filled") {
      await world.untilCovered(order)
      // To the target: five percent beyond the entry.
      world.setPrice(String(Number(START_PRICE) * (mode.side === "buy" ? 1.08 : 0.92)))
      await world.untilClosed(order)
      closedBy = String(((await world.untilEvent(order, "LotClosed")).data as { readonly closedBy?: unknown }).closedBy)
    } else await until(() => world.liveLegs(order).length === 0)
    const row = await this.#row(type, end, order, closedBy)
    const complaints = await world.complaints(order)
    world.setPrice(START_PRICE)
    await world.untilPriceSeen(START_PRICE)
    return { row, complaints }
  }
  #thin(): void {
    this.#world.sandbox.world.exchange.setLiquidity(this.#mode.market, SYMBOL, THIN)
  }
  #deep(): void {
    this.#world.sandbox.world.exchange.setLiquidity(this.#mode.market, SYMBOL, DEEP)
  }

  async #row(type: OrderType, end: End, order: OrderId, closedBy: string): Promise<Row> {
    const settled = (await this.#world.events(order)).find(({ type: name }) => name === "OrderFailed" || name === "OrderCompleted")
    const { reason } = (settled?.data ?? {}) as { readonly reason?: { readonly code?: string } }
    const legs = this.#atExchange(order)
    return {
      mode: this.#mode.name,
      type,
      end,
      entry:
        legs
          .filter(({ name }) => name.startsWith("E"))
          .map(({ text }) => text)
          .join("; ") || "nothing",
      state: settled?.state ?? "",
      reason: reason?.code ?? "",
      bracket: legs
        .filter(({ name }) => /^[ST]/.test(name))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ text }) => text)
        .join("; "),
      closedBy,
    }
  }
  /** Each order of ours as the exchange has it at the end; an algo order and its child as one. */
  #atExchange(order: OrderId): readonly { readonly name: string; readonly text: string }[] {
    const { orders, algoOrders } = this.#world.sandbox.ledger()
    const said = (executed: string): string => (isZero(dec(executed)) ? "" : ` ${Number(executed)}`)
    const algos = algoOrders
      .filter(({ clientAlgoId }) => clientAlgoId.includes(order))
      .map((algo) => {
        const child = orders.find(({ orderId }) => orderId === algo.childOrderId)
        const sent = child === undefined ? "" : ` → ${child.type} ${child.status}${said(child.executed)}`
        const bound = algo.positionSide === "BOTH" ? (algo.reduceOnly ? " reduce-only" : "") : ` ${algo.positionSide}`
        return { name: short(algo.clientAlgoId), text: `${algo.type}${bound} ${algo.status}${sent}` }
      })
    const children = new Set(algoOrders.map(({ childOrderId }) => childOrderId))
    const plain = this.#world
      .orders(order)
      .filter(({ orderId }) => !children.has(orderId))
      .map((one) => ({
        name: short(one.clientId),
        text: `${one.type}${one.positionSide === "BOTH" ? "" : ` ${one.positionSide}`} ${one.status}${said(one.executed)}`,
      }))
    return [...algos, ...plain]
  }
}

/** Runs one mode; two engines, since resting orders that are to expire need another timeout than those that are not. */
export const runMode = async (mode: Mode): Promise<readonly Made[]> => {
  const run = async (ends: readonly End[], entryTimeoutMs: number): Promise<readonly Made[]> => {
    const world = await LocalWorld.start({
      market: mode.market,
      hedge: mode.hedge,
      decision: { entryTimeoutMs },
      venue: { pricePollMs: 250 },
    })
    try {
      const cells = new Cells(world, mode)
      const made: Made[] = []
      for (const type of ORDER_TYPES) for (const end of ends) if (possible(type, end)) made.push(await cells.make(type, end))
      return made
    } finally {
      await world.close()
    }
  }
  const [lasting, passing] = await Promise.all([
    run(["filled", "cancelled", "refused"], 600_000),
    run(["partly filled", "expired"], TIMEOUT_MS),
  ])
  const rank = ({ row }: Made): number => ORDER_TYPES.indexOf(row.type) * ENDS.length + ENDS.indexOf(row.end)
  return [...lasting, ...passing].sort((a, b) => rank(a) - rank(b))
}

const cell = (text: string): string => (text === "" ? " " : text)
export const render = (made: readonly Made[]): string => {
  const lines = [
    "# Orders at Binance",
    "",
    "Made by running every order against the local Binance (`node test/binance/orderTable.ts`), and held to it by `test/binance/table.test.ts`.",
    "A filled lot is closed by its target here; statuses are the last ones at the exchange. On spot the stop and the target are one list.",
  ]
  for (const mode of MODES) {
    lines.push("", `## ${mode.name}`, "")
    const head = ["order type", "end", "entry at the exchange", "our state", "reason", "stop and target at the exchange", "closed by"]
    const rows = made
      .filter(({ row }) => row.mode === mode.name)
      .map(({ row }) => [row.type, row.end, row.entry, row.state, row.reason, row.bracket, row.closedBy].map(cell))
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)))
    const line = (cells: readonly string[]): string => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`
    lines.push(line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line))
  }
  return `${lines.join("\n")}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = (await Promise.all(MODES.map(runMode))).flat()
  for (const { row, complaints } of made)
    for (const complaint of complaints) process.stderr.write(`${row.mode} ${row.type} ${row.end}: ${complaint}\n`)
  writeFileSync(TABLE_FILE, render(made))
  process.stdout.write(`${made.length} orders; written to ${TABLE_FILE}\n`)
  process.exit(made.some(({ complaints }) => complaints.length > 0) ? 1 : 0)
}
