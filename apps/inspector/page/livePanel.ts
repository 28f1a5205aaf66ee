/** What happens now, event by event, and why orders failed: shown while no order is chosen. */
import { get } from "./api.ts"
import { chip, h, milliText } from "./dom.ts"
import type { About, Counts, Row, Transition } from "./types.ts"

const SHOWN_MAX = 120
/** Lines are put in so often, and at most so many at once: nobody reads faster. */
const EVERY_MS = 250
const AT_ONCE = 40

export class LivePanel {
  readonly element: HTMLElement
  readonly reasons: HTMLElement
  readonly #list: HTMLElement
  readonly #pause: HTMLButtonElement
  readonly #about: About
  #paused = false
  #missed = 0
  /** Not yet shown, oldest first. */
  #waiting: Transition[] = []
  #skipped = 0
  #timer: number | undefined

  constructor(about: About, options: { readonly onOpen: (order: string) => void; readonly onReason: (reason: string) => void }) {
    this.#about = about
    this.#list = h("ol", {
      class: "plain live",
      onclick: (event: MouseEvent) => {
        const order = (event.target as Element).closest<HTMLElement>("[data-order]")?.dataset["order"]
        if (order !== undefined) options.onOpen(order)
      },
    })
    this.#pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.#toggle() }, "Pause")
    this.element = h(
      "section",
      { class: "live-panel", "aria-label": "Live events" },
      h("header", { class: "head" }, h("h2", {}, "Live"), this.#pause),
      this.#list,
      h("p", { class: "dim pad empty" }, "Events appear here as they become durable."),
    )
    this.reasons = h("section", { class: "reasons", "aria-label": "Failures by reason" })
    this.reasons.addEventListener("click", (event) => {
      const reason = (event.target as Element).closest<HTMLElement>("[data-reason]")?.dataset["reason"]
      if (reason !== undefined) options.onReason(reason)
    })
  }

  /** The newest orders' last events: until something happens. */
  async begin(): Promise<void> {
    const { orders } = await get<{ readonly orders: readonly Row[] }>("/inspector/data/orders?limit=40")
    if (this.#list.childElementCount > 0 || this.#waiting.length > 0) return
    const newest = orders.toSorted((a, b) => (a.at < b.at ? -1 : 1))
    this.add(
      newest.map((row) => ({ ...row, strategy: row.strategy_id, from: null, to: row.state })),
      0,
    )
  }

  #toggle(): void {
    this.#paused = !this.#paused
    this.#missed = 0
    this.#says()
  }
  #says(): void {
    this.#pause.setAttribute("aria-pressed", String(this.#paused))
    this.#pause.textContent = this.#paused ? `Go on (${this.#missed} since)` : "Pause"
  }

  add(transitions: readonly Transition[], more: number): void {
    if (this.#paused) {
      this.#missed += transitions.length + more
      this.#says()
      return
    }
    this.#waiting.push(...transitions)
    this.#skipped += more + Math.max(0, this.#waiting.length - AT_ONCE)
    this.#waiting = this.#waiting.slice(-AT_ONCE)
    this.#timer ??= window.setTimeout(() => this.show(), EVERY_MS)
  }

  /** Puts in what waits; while the panel is not in the document it goes on waiting. */
  show(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.element.isConnected || this.#waiting.length === 0) return
    const lines = this.#waiting.toReversed().map((one) => this.#line(one))
    if (this.#skipped > 0) lines.push(h("li", { class: "dim pad small" }, `… and ${this.#skipped.toLocaleString("en")} more`))
    this.#list.prepend(...lines)
    this.#waiting = []
    this.#skipped = 0
    while (this.#list.childElementCount > SHOWN_MAX) this.#list.lastElementChild?.remove()
  }

  #line({ order, at, strategy, symbol, type, from, to, reason }: Transition): HTMLElement {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "data-order": order },
        h("time", { datetime: at }, milliText(at)),
        h("span", { class: "who" }, strategy),
        h("span", { class: "symbol" }, symbol),
        h("b", {}, type),
        h(
          "span",
          { class: "moves" },
          from === null || from === to ? null : chip(from),
          from === null || from === to ? null : " → ",
          chip(to),
          reason === null ? null : h("span", { class: "reason" }, reason),
        ),
      ),
    )
  }

  counts({ newest }: Counts): void {
    const sorted = Object.entries(newest.reasons).sort(([, a], [, b]) => b - a)
    const most = sorted[0]?.[1] ?? 1
    this.reasons.replaceChildren(
      h("h2", {}, "Failures by reason"),
      h("p", { class: "dim small" }, `of the newest ${newest.of.toLocaleString("en")} orders`),
      sorted.length === 0
        ? h("p", { class: "dim" }, "None.")
        : h(
            "ul",
            { class: "plain" },
            ...sorted.map(([code, count]) => {
              const bar = h("i", { class: `bar c-${this.#about.reasons[code]?.class ?? "broken"}` })
              bar.style.width = `${(count / most) * 100}%`
              return h(
                "li",
                {},
                h(
                  "button",
                  { type: "button", "data-reason": code, title: this.#about.reasons[code]?.says ?? "" },
                  bar,
                  h("span", {}, code),
                  h("b", {}, count),
                ),
              )
            }),
          ),
    )
  }
}
