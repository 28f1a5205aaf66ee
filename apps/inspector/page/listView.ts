/**
 * The list of orders: pages from the server as they are scrolled to, of which only what can be seen is in the document, so
 * that 100,000 orders scroll as smoothly as ten. Live rows go in at the top, or change where they stand.
 */
import { get } from "./api.ts"
import { chip, h, num, timeText } from "./dom.ts"
import type { About, Row } from "./types.ts"

const ROW = 58
const PAGE = 200
const OVERSCAN = 6
/** Beyond this the list says so: search narrows it down. */
const ROWS_MAX = 200_000
const DEBOUNCE_MS = 180
const RELOAD_MS = 1500

interface Page {
  readonly orders: readonly Row[]
  readonly next: string | null
}

export interface ListOptions {
  readonly about: About
  readonly onOpen: (order: string, beside: boolean) => void
}

interface Drawn {
  readonly row: Row
  readonly element: HTMLElement
  place: number
  marks: string
}

export class ListView {
  readonly element: HTMLElement
  readonly #options: ListOptions
  readonly #search: HTMLInputElement
  readonly #fields: Readonly<Record<"state" | "reason" | "symbol" | "strategy" | "since" | "until", HTMLInputElement | HTMLSelectElement>>
  readonly #box: HTMLElement
  readonly #sizer: HTMLElement
  readonly #status: HTMLElement
  /** What stands in the box while there is no row. */
  readonly #blank: HTMLElement
  readonly #fresh: HTMLButtonElement
  #rows: Row[] = []
  /** Order → its place, less {@link #shift}: rows that come in at the top move all others without touching them here. */
  #index = new Map<string, number>()
  #shift = 0
  #next: string | null = null
  #loading: AbortController | undefined
  #active = -1
  #selected: readonly string[] = []
  #waiting = 0
  #stale = false
  #timer: number | undefined
  #frame = 0
  /** Rows in the document, by order: what did not change is not made again. */
  #drawn = new Map<string, Drawn>()

  constructor(options: ListOptions) {
    this.#options = options
    const { about } = options
    this.#search = h("input", {
      type: "search",
      id: "search",
      placeholder: "Search: id, symbol, state, reason…  ( / )",
      "aria-label": "Search orders by id, symbol, state or reason",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.#later(),
    })
    const select = (name: string, all: string, values: readonly string[]): HTMLSelectElement =>
      h(
        "select",
        { "aria-label": name, onchange: () => void this.reload() },
        h("option", { value: "" }, all),
        ...values.map((value) => h("option", { value }, value)),
      )
    const input = (name: string, type: string): HTMLInputElement =>
      h("input", { type, "aria-label": name, placeholder: name, oninput: () => this.#later() })
    this.#fields = {
      state: select("State", "any state", about.states),
      reason: select("Reason", "any reason", Object.keys(about.reasons)),
      symbol: input("Symbol", "text"),
      strategy: input("Strategy", "text"),
      since: input("Since", "datetime-local"),
      until: input("Until", "datetime-local"),
    }
    this.#sizer = h("div", { class: "sizer" })
    this.#box = h(
      "div",
      {
        class: "rows",
        id: "rows",
        role: "listbox",
        tabindex: 0,
        "aria-label": "Orders, newest first",
        onscroll: () => this.#draw(),
        onkeydown: (event: KeyboardEvent) => this.#key(event),
      },
      this.#sizer,
    )
    this.#blank = h("div", { class: "blank", hidden: true })
    this.#status = h("p", { class: "status", role: "status" })
    this.#fresh = h("button", { class: "fresh", hidden: true, type: "button", onclick: () => this.#toTop() })
    this.element = h(
      "section",
      { class: "list", "aria-label": "Orders" },
      h(
        "div",
        { class: "filters" },
        this.#search,
        this.#fields.state,
        this.#fields.reason,
        h(
          "details",
          {},
          h("summary", {}, "More filters"),
          h(
            "div",
            { class: "more" },
            this.#fields.symbol,
            this.#fields.strategy,
            h("label", {}, "from ", this.#fields.since),
            h("label", {}, "to ", this.#fields.until),
            h("button", { type: "button", onclick: () => this.clear() }, "Clear all"),
          ),
        ),
      ),
      this.#fresh,
      this.#box,
      this.#blank,
      this.#status,
    )
    new ResizeObserver(() => this.#draw()).observe(this.#box)
  }

  focusSearch(): void {
    this.#search.focus()
    this.#search.select()
  }

  filterState(state: string): void {
    this.#fields.state.value = this.#fields.state.value === state ? "" : state
    this.#fields.reason.value = ""
    void this.reload()
  }
  filterReason(reason: string): void {
    this.#fields.reason.value = this.#fields.reason.value === reason ? "" : reason
    this.#fields.state.value = ""
    void this.reload()
  }
  clear(): void {
    this.#search.value = ""
    for (const field of Object.values(this.#fields)) field.value = ""
    void this.reload()
  }

  select(orders: readonly string[]): void {
    this.#selected = orders
    this.#draw(true)
  }

  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = window.setTimeout(() => void this.reload(), DEBOUNCE_MS)
  }

  /** A word of ours is understood as such; anything else is part of an id. */
  #query(): URLSearchParams {
    const { about } = this.#options
    const query = new URLSearchParams()
    const set = (name: string, value: string): void => {
      if (value.trim() !== "") query.set(name, value.trim())
    }
    for (const word of this.#search.value.trim().split(/\s+/)) {
      if (about.states.includes(word.toLowerCase())) query.set("state", word.toLowerCase())
      else if (Object.hasOwn(about.reasons, word.toUpperCase())) query.set("reason", word.toUpperCase())
      else if (/^[a-z0-9]{2,12}(usdt|usdc|fdusd|btc|eth|bnb|eur|try)$/i.test(word)) query.set("symbol", word.toUpperCase())
      else set("search", word)
    }
    for (const [name, field] of Object.entries(this.#fields)) {
      const isTime = name === "since" || name === "until"
      set(name, isTime && field.value !== "" ? new Date(field.value).toISOString() : field.value)
    }
    return query
  }

  get #filtered(): boolean {
    return this.#query().size > 0
  }

  async reload(): Promise<void> {
    this.#loading?.abort()
    this.#rows = []
    this.#index.clear()
    this.#shift = 0
    this.#next = null
    this.#active = -1
    this.#waiting = 0
    this.#stale = false
    this.#fresh.hidden = true
    this.#box.scrollTop = 0
    await this.#load()
  }

  async #load(): Promise<void> {
    const stop = new AbortController()
    this.#loading = stop
    const query = this.#query()
    query.set("limit", String(PAGE))
    if (this.#next !== null) query.set("cursor", this.#next)
    this.#status.textContent = "Loading…"
    try {
      const page = await get<Page>(`/inspector/data/orders?${query}`, stop.signal)
      for (const row of page.orders) {
        if (this.#index.has(row.order)) continue
        this.#index.set(row.order, this.#rows.length - this.#shift)
        this.#rows.push(row)
      }
      this.#next = this.#rows.length >= ROWS_MAX ? null : page.next
      this.#loading = undefined
      this.#says()
      this.#draw(true)
    } catch (error) {
      if (stop.signal.aborted) return
      this.#loading = undefined
      this.#status.textContent = error instanceof Error ? error.message : String(error)
    }
  }

  #says(): void {
    const n = this.#rows.length
    const more = this.#next === null ? "" : ", more below"
    this.#status.textContent = n === 0 ? "No orders" : `${n.toLocaleString("en")} ${n === 1 ? "order" : "orders"}${more}`
    this.#blank.hidden = n > 0
    if (n > 0) return
    this.#blank.replaceChildren(
      ...(this.#filtered
        ? [h("p", {}, "No order matches."), h("button", { type: "button", onclick: () => this.clear() }, "Clear the search")]
        : [
            h("p", {}, "No orders yet."),
            h(
              "p",
              { class: "dim" },
              this.#options.about.simulation
                ? "Publish a signal with the button above, or send one: "
                : "They appear with the first signal: ",
              h("code", {}, "POST /trade"),
              ", or NATS ",
              h("code", {}, "signals.trading"),
              ".",
            ),
          ]),
    )
  }

  /** Rows that changed, from the feed. */
  live(rows: readonly Row[]): void {
    let moved = false
    for (const row of rows) {
      const place = this.#index.get(row.order)
      const at = place === undefined ? undefined : place + this.#shift
      const known = at === undefined ? undefined : this.#rows[at]
      if (at !== undefined && known !== undefined) {
        if (known.version < row.version) this.#rows[at] = row
      } else if (this.#filtered) this.#stale = true
      else if (this.#box.scrollTop < ROW && this.#loading === undefined) {
        this.#rows.unshift(row)
        this.#shift += 1
        this.#index.set(row.order, -this.#shift)
        if (this.#active >= 0) this.#active += 1
        moved = true
      } else this.#waiting += 1
    }
    if (moved) this.#says()
    if (this.#stale && this.#box.scrollTop < ROW && this.#timer === undefined) {
      this.#timer = window.setTimeout(() => {
        this.#timer = undefined
        void this.reload()
      }, RELOAD_MS)
    }
    this.#fresh.hidden = this.#waiting === 0
    this.#fresh.textContent = `${this.#waiting} new ↑`
    this.#draw(true)
  }

  #toTop(): void {
    void this.reload()
  }

  /** Draws what can be seen. */
  #draw(force = false): void {
    if (this.#frame !== 0 && !force) return
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      const { scrollTop, clientHeight } = this.#box
      const first = Math.max(0, Math.floor(scrollTop / ROW) - OVERSCAN)
      const last = Math.min(this.#rows.length, Math.ceil((scrollTop + clientHeight) / ROW) + OVERSCAN)
      this.#sizer.style.height = `${this.#rows.length * ROW}px`
      this.#place(first, last)
      const active = this.#rows[this.#active]
      if (active === undefined) this.#box.removeAttribute("aria-activedescendant")
      else this.#box.setAttribute("aria-activedescendant", `row-${active.order}`)
      const nearEnd = last > this.#rows.length - PAGE / 2
      if (nearEnd && this.#next !== null && this.#loading === undefined) void this.#load()
    })
  }

  /** Puts rows `first`…`last` into the document, in order, and takes all others out. */
  #place(first: number, last: number): void {
    const before = this.#drawn
    this.#drawn = new Map()
    for (let n = first; n < last; n++) {
      const row = this.#rows[n]
      if (row === undefined) continue
      const known = before.get(row.order)
      if (known?.row === row) before.delete(row.order)
      const drawn = known?.row === row ? known : { row, element: this.#row(row), place: -1, marks: "" }
      this.#drawn.set(row.order, drawn)
      this.#mark(drawn, n)
    }
    for (const { element } of before.values()) element.remove()
    let at = this.#sizer.firstElementChild
    for (const { element } of this.#drawn.values()) {
      if (element === at) at = at.nextElementSibling
      else this.#sizer.insertBefore(element, at)
    }
  }

  #mark(drawn: Drawn, n: number): void {
    const { element, row } = drawn
    if (drawn.place !== n) {
      drawn.place = n
      element.style.transform = `translateY(${n * ROW}px)`
    }
    const chosen = this.#selected.indexOf(row.order)
    const marks = `row${n === this.#active ? " active" : ""}${chosen === 0 ? " chosen" : chosen > 0 ? " chosen-b" : ""}`
    if (drawn.marks === marks) return
    drawn.marks = marks
    element.className = marks
    element.setAttribute("aria-selected", String(chosen >= 0))
  }

  #row(row: Row): HTMLElement {
    const money = row.profit === null ? null : Number(row.profit)
    const outcome =
      row.reason !== null && row.state === "failed"
        ? h("span", { class: "reason", title: this.#options.about.reasons[row.reason]?.says }, row.reason)
        : money !== null
          ? h("span", { class: money >= 0 ? "gain" : "loss" }, `${money >= 0 ? "+" : ""}${num(row.profit)}`)
          : row.open_quantity === "0"
            ? h("span", { class: "dim" }, row.status.replace("_", " "))
            : h("span", { class: "dim" }, `holds ${row.open_quantity}`)
    return h(
      "div",
      {
        role: "option",
        id: `row-${row.order}`,
        "data-order": row.order,
        onclick: (event: MouseEvent) => {
          this.#active = this.#drawn.get(row.order)?.place ?? -1
          this.#options.onOpen(row.order, event.ctrlKey || event.metaKey || event.shiftKey)
        },
      },
      h("span", { class: "who" }, row.strategy_id || row.signal_id),
      chip(row.parked ? "failed" : row.state, row.parked ? "parked" : row.state),
      h(
        "span",
        { class: "what" },
        h("b", { class: row.side === "sell" ? "sell" : "buy" }, row.side),
        ` ${num(row.filled_quantity ?? row.quantity)} ${row.symbol}`,
        row.fill_price === null ? "" : ` @ ${num(row.fill_price)}`,
      ),
      h("span", { class: "when" }, outcome, h("time", { datetime: row.created_at }, timeText(row.created_at))),
    )
  }

  #key(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }
    const move = event.key === "Home" ? -this.#active : event.key === "End" ? this.#rows.length : steps[event.key]
    if (move !== undefined) {
      event.preventDefault()
      this.#active = Math.max(0, Math.min(this.#rows.length - 1, this.#active + move))
      const top = this.#active * ROW
      if (top < this.#box.scrollTop) this.#box.scrollTop = top
      else if (top + ROW > this.#box.scrollTop + this.#box.clientHeight) this.#box.scrollTop = top + ROW - this.#box.clientHeight
      this.#draw(true)
      return
    }
    const row = this.#rows[this.#active]
    if (row === undefined || (event.key !== "Enter" && event.key !== "c")) return
    event.preventDefault()
    this.#options.onOpen(row.order, event.key === "c")
  }
}
