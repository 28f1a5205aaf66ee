/**
 * For development, in simulation only: a form that publishes signals (the specification's example filled in), and the paper
 * venue's switches, so that every path of the machine can be seen in a minute.
 */
import type { FieldError } from "@petrosa/contracts"
import { get, post } from "./api.ts"
import { h } from "./dom.ts"

type Json = Readonly<Record<string, unknown>>

const example = (change: Json = {}): string => {
  const signal = {
    strategy_id: "volume_surge_breakout",
    signal_id: `sig-${Math.random().toString(36).slice(2, 10)}`,
    symbol: "BTCUSDT",
    action: "buy",
    confidence: 0.85,
    price: 50000.5,
    quantity: 0.001,
    current_price: 50000.5,
    timeframe: "15m",
    stop_loss: 49000,
    take_profit: 51500,
    indicators: { volume_surge: 2.4, rsi: 61.2 },
    metadata: { source: "inspector" },
    timestamp: new Date().toISOString(),
    ...change,
  }
  return JSON.stringify(signal, null, 2)
}

const EXAMPLES: Readonly<Record<string, () => string>> = {
  "Buy (the specification's example)": () => example({ price: 50000, current_price: 50000 }),
  "Buy at market, another strategy": () =>
    example({ strategy_id: `s-${Math.random().toString(36).slice(2, 6)}`, order_type: "market", price: 50000, current_price: 50000 }),
  "Sell short": () =>
    example({
      strategy_id: `s-${Math.random().toString(36).slice(2, 6)}`,
      action: "sell",
      price: 50000,
      current_price: 50000,
      stop_loss: 51000,
      take_profit: 48500,
    }),
  "Limit below the market (rests)": () =>
    example({
      strategy_id: `s-${Math.random().toString(36).slice(2, 6)}`,
      order_type: "limit",
      price: 49500,
      current_price: 50000,
      stop_loss: 48500,
    }),
  Close: () => example({ action: "close", price: 50000, current_price: 50000 }),
  Hold: () => example({ action: "hold", price: 50000, current_price: 50000 }),
  "Low confidence (declined)": () => example({ confidence: 0.2, price: 50000, current_price: 50000 }),
  "Stop on the wrong side (declined)": () => example({ strategy_id: "wrong_side", stop_loss: 52000, price: 50000, current_price: 50000 }),
  "No JSON (rejected)": () => "{ this is no JSON",
}

interface Checked {
  readonly _tag: string
  readonly code?: string
  readonly message?: string
  readonly fields?: readonly FieldError[]
  readonly order?: string
  readonly known?: string | null
  readonly events?: readonly { readonly type: string; readonly what: string }[]
}
interface Published {
  readonly _tag: string
  readonly row?: { readonly order: string; readonly state: string }
  readonly reason?: { readonly code: string; readonly message: string }
  readonly order?: string
  readonly duplicate?: boolean
  readonly code?: string
  readonly message?: string
  readonly what?: string
}

export const publishPanel = (onOpen: (order: string) => void): HTMLElement => {
  const body = h("textarea", { id: "signal", rows: 18, spellcheck: "false", "aria-label": "The signal, as JSON", class: "mono" })
  body.value = EXAMPLES["Buy (the specification's example)"]?.() ?? ""
  const select = h(
    "select",
    {
      "aria-label": "Example",
      onchange: () => {
        body.value = EXAMPLES[select.value]?.() ?? body.value
      },
    },
    ...Object.keys(EXAMPLES).map((name) => h("option", { value: name }, name)),
  )
  const result = h("div", { class: "result", role: "status", "aria-live": "polite" })
  const run = async (path: string, show: (answer: never) => readonly (Node | string)[]): Promise<void> => {
    result.replaceChildren(h("p", { class: "dim" }, "…"))
    try {
      result.replaceChildren(...show(await post<never>(path, body.value)))
    } catch (error) {
      result.replaceChildren(h("p", { class: "bad" }, error instanceof Error ? error.message : String(error)))
    }
  }
  const fresh = (): void => {
    const changed = body.value
      .replace(/("signal_id":\s*")[^"]*"/, `$1sig-${Math.random().toString(36).slice(2, 10)}"`)
      .replace(/("timestamp":\s*")[^"]*"/, `$1${new Date().toISOString()}"`)
    body.value = changed
  }
  return h(
    "section",
    { class: "tool", "aria-label": "Publish a signal" },
    h("h2", {}, "Publish a signal"),
    h(
      "div",
      { class: "line" },
      select,
      h("button", { type: "button", onclick: fresh, title: "A new id and the time of now" }, "New id, now"),
    ),
    body,
    h(
      "div",
      { class: "line" },
      h("button", { type: "button", id: "check", onclick: () => void run("/inspector/check", showChecked) }, "Check"),
      h(
        "button",
        {
          type: "button",
          id: "publish",
          class: "primary",
          onclick: () => void run("/inspector/publish", (answer: Published) => showPublished(answer, onOpen)),
        },
        "Publish",
      ),
    ),
    result,
  )
}

const showChecked = (answer: Checked): readonly Node[] => {
  if (answer._tag === "Rejected") return rejected(answer)
  return [
    h(
      "p",
      {},
      answer.known === null
        ? "It would become this:"
        : `An order of this identity exists (${answer.known}): it would be a duplicate. As new, it would become:`,
    ),
    h(
      "ol",
      { class: "plain" },
      ...(answer.events ?? []).map(({ type, what }) =>
        h("li", { class: type === "OrderFailed" ? "bad" : "" }, h("b", {}, type), ` ${what}`),
      ),
    ),
  ]
}

const rejected = (answer: {
  readonly code?: string
  readonly message?: string
  readonly fields?: readonly FieldError[]
}): readonly Node[] => [
  h("p", { class: "bad" }, `Rejected: ${answer.code ?? ""}. ${answer.message ?? ""}`),
  h(
    "ul",
    { class: "plain small" },
    ...(answer.fields ?? []).map((field) => h("li", {}, `${field.field}: expected ${field.expected}; received ${field.received}`)),
  ),
]

const showPublished = (answer: Published, onOpen: (order: string) => void): readonly Node[] => {
  const order = answer.row?.order ?? answer.order
  if (order === undefined)
    return answer._tag === "Rejected"
      ? rejected(answer)
      : [h("p", { class: "bad" }, `${answer._tag}: ${answer.what ?? ""} ${answer.message ?? ""}`)]
  onOpen(order)
  return [
    h(
      "p",
      {},
      `${answer._tag}${answer.duplicate === true ? " (a duplicate: this is its first result)" : ""}: ${answer.row?.state ?? "on its way"}`,
    ),
    answer.reason === undefined ? h("span") : h("p", { class: "bad" }, `${answer.reason.code}: ${answer.reason.message}`),
  ]
}

// ---- the paper venue

interface Faults {
  readonly slowMs: number
  readonly partialFills: { readonly parts: number; readonly everyMs: number } | null
  readonly rest: boolean
  readonly loseReply: { readonly requests?: readonly string[]; readonly count?: number } | null
  readonly dropRequest: { readonly requests?: readonly string[]; readonly count?: number } | null
  readonly refuse: { readonly leg?: string; readonly class: string; readonly code: string } | null
  readonly duplicateEvents: boolean
  readonly lateEventsMs: number
}
const OFF: Faults = {
  slowMs: 0,
  partialFills: null,
  rest: false,
  loseReply: null,
  dropRequest: null,
  refuse: null,
  duplicateEvents: false,
  lateEventsMs: 0,
}
const WHICH = ["entry", "stop", "target", "flatten", "cancel"] as const

export const venuePanel = (): { readonly element: HTMLElement; refresh(): Promise<void> } => {
  const status = h("p", { class: "dim", role: "status" })
  const number = (label: string, max: number): HTMLInputElement =>
    h("input", { type: "number", min: 0, max, step: 1, "aria-label": label, value: 0 })
  const choice = (label: string, values: readonly string[]): HTMLSelectElement =>
    h("select", { "aria-label": label }, h("option", { value: "" }, "off"), ...values.map((value) => h("option", { value }, value)))
  const slow = number("Slow by, ms", 60_000)
  const late = number("Late events by, ms", 60_000)
  const parts = number("Fills in parts", 100)
  const rest = h("input", { type: "checkbox" })
  const twice = h("input", { type: "checkbox" })
  const lose = choice("Lose the next reply to", WHICH)
  const drop = choice("Drop the next request to", WHICH)
  const refuse = choice("Refuse the next", ["entry", "stop", "target", "flatten"])

  const show = (faults: Faults): void => {
    slow.value = String(faults.slowMs)
    late.value = String(faults.lateEventsMs)
    parts.value = String(faults.partialFills?.parts ?? 0)
    rest.checked = faults.rest
    twice.checked = faults.duplicateEvents
    lose.value = faults.loseReply?.requests?.[0] ?? ""
    drop.value = faults.dropRequest?.requests?.[0] ?? ""
    refuse.value = faults.refuse?.leg ?? ""
  }
  const guarded = async (work: () => Promise<string>): Promise<void> => {
    try {
      status.textContent = await work()
    } catch (error) {
      status.textContent = error instanceof Error ? error.message : String(error)
    }
  }
  const refresh = (): Promise<void> =>
    guarded(async () => {
      show(await get<Faults>("/inspector/venue/faults"))
      return ""
    })
  const apply = (faults: Faults): Promise<void> =>
    guarded(async () => {
      show(await post<Faults>("/inspector/venue/faults", JSON.stringify(faults)))
      return "Set. Counted ones (the next …) are used up by themselves."
    })
  const wanted = (): Faults => ({
    slowMs: Number(slow.value),
    lateEventsMs: Number(late.value),
    partialFills: Number(parts.value) > 1 ? { parts: Number(parts.value), everyMs: 400 } : null,
    rest: rest.checked,
    duplicateEvents: twice.checked,
    loseReply: lose.value === "" ? null : { count: 1, requests: [lose.value] },
    dropRequest: drop.value === "" ? null : { count: 1, requests: [drop.value] },
    refuse:
      refuse.value === ""
        ? null
        : ({ class: "fatal", code: "-2010", message: "refused on demand", count: 1, leg: refuse.value } as Faults["refuse"]),
  })

  const symbol = h("input", { type: "text", value: "BTCUSDT", "aria-label": "Symbol" })
  const market = h("select", { "aria-label": "Market" }, h("option", {}, "futures"), h("option", {}, "spot"))
  const price = h("input", { type: "text", inputmode: "decimal", value: "50000", "aria-label": "Price" })
  const move = (): Promise<void> =>
    guarded(async () => {
      const answer = await post<{ readonly price: number; readonly symbol: string }>(
        "/simulation/price",
        JSON.stringify({ symbol: symbol.value, price: price.value, market: market.value }),
      )
      return `${answer.symbol} is at ${answer.price} now.`
    })
  const nudge = (percent: number): void => {
    const value = Number(price.value)
    if (!Number.isFinite(value)) return
    price.value = String(Number((value * (1 + percent / 100)).toPrecision(7)))
    void move()
  }
  const label = (text: string, control: HTMLElement): HTMLElement => h("label", {}, h("span", {}, text), control)
  return {
    refresh,
    element: h(
      "section",
      { class: "tool", "aria-label": "Paper venue" },
      h("h2", {}, "Paper venue"),
      h("h3", {}, "Move the price"),
      h(
        "div",
        { class: "line" },
        symbol,
        market,
        price,
        h("button", { type: "button", class: "primary", id: "move", onclick: () => void move() }, "Set"),
      ),
      h(
        "div",
        { class: "line" },
        ...[-5, -2, -0.5, 0.5, 2, 5].map((percent) =>
          h("button", { type: "button", onclick: () => nudge(percent) }, `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`),
        ),
      ),
      h("h3", {}, "Misbehave"),
      h(
        "div",
        { class: "switches" },
        label("Slow by (ms)", slow),
        label("Late events (ms)", late),
        label("Fills in parts (0: whole)", parts),
        label("Entries rest until the price moves", rest),
        label("Every event twice", twice),
        label("Lose the next reply to", lose),
        label("Drop the next request to", drop),
        label("Refuse the next", refuse),
      ),
      h(
        "div",
        { class: "line" },
        h("button", { type: "button", class: "primary", id: "apply", onclick: () => void apply(wanted()) }, "Apply"),
        h("button", { type: "button", onclick: () => void apply(OFF) }, "All off"),
      ),
      status,
    ),
  }
}
