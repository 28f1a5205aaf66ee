/** One order: its steps, a slider through time, what each step changed, what could come next, the raw event, and why. */
import { get } from "./api.ts"
import { chip, duration, h, milliText } from "./dom.ts"
import { type NextEvent, type OrderDoc, type RawEvent, type Step } from "./types.ts"
import { stepPanel } from "./stepPanel.ts"
import { whyPanel } from "./whyPanel.ts"

export interface OrderViewOptions {
  readonly order: string
  readonly at: number | undefined
  /** The second of two: drawn in the other colour. */
  readonly second: boolean
  readonly onMove: () => void
  readonly onClose: () => void
  readonly onCompare: () => void
}

export class OrderView {
  readonly element: HTMLElement
  readonly #options: OrderViewOptions
  readonly #next = new Map<number, readonly NextEvent[]>()
  readonly #raw = new Map<number, RawEvent>()
  readonly #opened = new Set<string>()
  #doc: OrderDoc | undefined
  #at: number
  #tab: "steps" | "why" = "steps"
  #loads = 0
  #parts:
    | { readonly slider: HTMLInputElement; readonly label: HTMLElement; readonly timeline: HTMLElement; readonly panel: HTMLElement }
    | undefined

  constructor(options: OrderViewOptions) {
    this.#options = options
    this.#at = options.at ?? Number.POSITIVE_INFINITY
    this.element = h(
      "article",
      { class: `order${options.second ? " second" : ""}`, "aria-label": `Order ${options.order}` },
      h("p", { class: "dim pad" }, "Loading…"),
    )
  }

  get order(): string {
    return this.#doc?.row.order ?? this.#options.order
  }
  get steps(): readonly Step[] {
    return this.#doc?.steps ?? []
  }
  /** The version that is shown. */
  get at(): number {
    const last = this.steps.at(-1)?.version ?? 0
    return Math.max(1, Math.min(this.#at, last))
  }
  /** Shows the newest, and goes on with it. */
  get following(): boolean {
    return !Number.isFinite(this.#at)
  }

  async load(): Promise<void> {
    this.#loads += 1
    const mine = this.#loads
    try {
      const doc = await get<OrderDoc>(`/inspector/data/orders/${encodeURIComponent(this.#options.order)}`)
      if (mine !== this.#loads) return
      this.#doc = doc
      this.#next.clear()
      this.#build(doc)
    } catch (error) {
      if (mine !== this.#loads) return
      const text = error instanceof Error ? error.message : String(error)
      this.element.replaceChildren(
        h("p", { class: "pad", role: "alert" }, text),
        h("p", { class: "pad" }, h("button", { type: "button", onclick: () => this.#options.onClose() }, "Close")),
      )
    }
    this.#options.onMove()
  }

  /** To this version; beyond the last: to the newest, and follow it. */
  go(version: number): void {
    const last = this.steps.at(-1)?.version ?? 1
    this.#at = version >= last ? Number.POSITIVE_INFINITY : Math.max(1, version)
    this.#show()
    this.#options.onMove()
  }
  back(): void {
    this.go(this.at - 1)
  }
  forward(): void {
    this.go(this.at + 1)
  }

  #build(doc: OrderDoc): void {
    const { row, steps } = doc
    const last = steps.at(-1)?.version ?? 1
    const slider = h("input", {
      type: "range",
      class: "slider",
      min: 1,
      max: last,
      step: 1,
      "aria-label": "Step in time",
      oninput: () => this.go(Number(slider.value)),
    })
    const label = h("output", { class: "where" })
    const timeline = h("ol", { class: "timeline", "aria-label": "Events" })
    const panel = h("div", { class: "panel" })
    this.#parts = { slider, label, timeline, panel }
    const tab = (name: "steps" | "why", text: string): HTMLElement =>
      h("button", { type: "button", role: "tab", class: "tab", "data-tab": name, onclick: () => this.#choose(name) }, text)
    const button = (text: string, title: string, onclick: () => void): HTMLElement =>
      h("button", { type: "button", title, "aria-label": title, onclick }, text)
    this.element.replaceChildren(
      h(
        "header",
        { class: "head" },
        h(
          "div",
          { class: "names" },
          h("h2", {}, row.strategy_id),
          h("span", { class: row.side === "sell" ? "sell" : "buy" }, row.side),
          h("span", {}, `${row.symbol} · ${row.market}`),
          chip(row.state),
          row.reason === null ? null : h("span", { class: "reason" }, row.reason),
        ),
        h(
          "div",
          { class: "acts" },
          this.#options.second
            ? null
            : button("Compare", "Show another order beside this one (c in the list, or Ctrl-click)", () => this.#options.onCompare()),
          button("✕", "Close this order (Escape)", () => this.#options.onClose()),
        ),
        h(
          "p",
          { class: "ids" },
          h("code", { title: "Our order id" }, row.order),
          h("span", {}, `signal ${row.signal_id}`),
          h("span", {}, row.binance_order_id === null ? "not at the venue" : `venue ${row.binance_order_id}`),
          doc.chain.ok
            ? h(
                "span",
                { class: "good", title: "Every event's hash is the one of its text, and names the event before" },
                `✓ chain of ${doc.chain.version} holds`,
              )
            : h("span", { class: "bad", role: "alert" }, `✗ chain broken at ${doc.chain.version}: ${doc.chain.detail ?? ""}`),
          doc.difference === null
            ? h("span", { class: "good", title: "Folding the events gives the recorded states, commands and fields" }, "✓ replay agrees")
            : h("span", { class: "bad", role: "alert" }, `✗ replay differs: ${JSON.stringify(doc.difference)}`),
          doc.unreadable === null ? null : h("span", { class: "bad", role: "alert" }, doc.unreadable),
          doc.left === 0 ? null : h("span", { class: "bad" }, `${doc.left} more events are not shown`),
        ),
      ),
      h(
        "div",
        { class: "time" },
        button("«", "First step (Home)", () => this.go(1)),
        button("◀", "One step back (left arrow)", () => this.back()),
        slider,
        button("▶", "One step on (right arrow)", () => this.forward()),
        button("»", "Newest, and follow (End)", () => this.go(Number.POSITIVE_INFINITY)),
        label,
      ),
      h("div", { class: "tabs", role: "tablist" }, tab("steps", "Steps"), tab("why", "Why")),
      h("div", { class: "body steps" }, timeline, panel),
      whyPanel(doc.why, (version) => {
        this.#choose("steps")
        this.go(version)
      }),
    )
    this.#timeline(timeline, steps)
    this.#choose(this.#tab)
    this.#show()
  }

  #choose(tab: "steps" | "why"): void {
    this.#tab = tab
    for (const one of this.element.querySelectorAll(".tab"))
      one.setAttribute("aria-selected", String((one as HTMLElement).dataset["tab"] === tab))
    const steps = this.element.querySelector<HTMLElement>(".body.steps")
    const why = this.element.querySelector<HTMLElement>(".body.why")
    if (steps !== null) steps.hidden = tab !== "steps"
    if (why !== null) why.hidden = tab !== "why"
  }

  #timeline(list: HTMLElement, steps: readonly Step[]): void {
    const longest = Math.max(1, ...steps.map(({ tookMs }) => tookMs))
    // A square root: a wait of minutes must not hide where the milliseconds went.
    const share = (ms: number): number => Math.sqrt(Math.max(0, ms) / longest) * 100
    list.replaceChildren(
      ...steps.map((step) => {
        const bar = h("i", { class: `bar s-${step.state}` })
        bar.style.width = `${share(step.tookMs)}%`
        return h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              "data-version": step.version,
              class: `step${step.differences.length > 0 ? " wrong" : ""}`,
              onclick: () => this.go(step.version),
            },
            h("span", { class: "v" }, step.version),
            h("span", { class: "type" }, step.type),
            chip(step.state),
            h("span", { class: "took", title: milliText(step.at) }, step.version === 1 ? milliText(step.at) : `+${duration(step.tookMs)}`),
            h("span", { class: "track" }, bar),
            h("span", { class: "what" }, step.what),
          ),
        )
      }),
    )
  }

  #show(): void {
    const parts = this.#parts
    const step = this.steps.find(({ version }) => version === this.at)
    if (parts === undefined || step === undefined) return
    const last = this.steps.at(-1)?.version ?? 1
    parts.slider.value = String(step.version)
    parts.slider.setAttribute("aria-valuetext", `step ${step.version} of ${last}, ${step.type}, ${step.state}`)
    parts.label.textContent = `${step.version}/${last}${this.following ? " · newest" : ""} · ${duration(step.sinceStartMs)} after the start`
    for (const button of parts.timeline.querySelectorAll<HTMLElement>("button.step")) {
      const version = Number(button.dataset["version"])
      button.classList.toggle("now", version === step.version)
      button.classList.toggle("later", version > step.version)
      if (version !== step.version) button.removeAttribute("aria-current")
      else {
        button.setAttribute("aria-current", "step")
        keepInSight(parts.timeline, button)
      }
    }
    parts.panel.replaceChildren(...stepPanel(this.steps, step, this.#next.get(step.version), () => this.#rawOf(step.version), this.#opened))
    if (!this.#next.has(step.version)) void this.#loadNext(step.version)
  }

  async #loadNext(version: number): Promise<void> {
    try {
      const { next } = await get<{ readonly next: readonly NextEvent[] }>(
        `/inspector/data/orders/${encodeURIComponent(this.order)}/next?at=${version}`,
      )
      this.#next.set(version, next)
      if (this.at === version) this.#show()
    } catch {
      // It is asked again when this step is shown again.
    }
  }

  async #rawOf(version: number): Promise<RawEvent> {
    const known = this.#raw.get(version)
    if (known !== undefined) return known
    const raw = await get<RawEvent>(`/inspector/data/orders/${encodeURIComponent(this.order)}/events/${version}`)
    this.#raw.set(version, raw)
    return raw
  }
}

/** Scrolls inside the list only: the page itself stays where it is. */
const keepInSight = (box: HTMLElement, item: HTMLElement): void => {
  const top = item.offsetTop - box.offsetTop
  if (top < box.scrollTop) box.scrollTop = top
  else if (top + item.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + item.offsetHeight - box.clientHeight
}
