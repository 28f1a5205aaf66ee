/** For development, in simulation only: a form that checks and publishes signals, the specification's example filled in. */
import type { FieldError } from "@petrosa/contracts"
import { post } from "./api.ts"
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
