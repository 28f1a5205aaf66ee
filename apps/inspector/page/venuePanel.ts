/**
 * For development, in simulation only: the paper venue's switches and its prices, so that every path of the machine can be
 * seen in a minute.
 */
import { get, post } from "./api.ts"
import { h } from "./dom.ts"

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
