/** The inspector's page: the machine, the list of orders, and one or two of them; what is shown is in the address. */
import { get, listen, onToken } from "./api.ts"
import { h, must } from "./dom.ts"
import { GraphView } from "./graphView.ts"
import { ListView } from "./listView.ts"
import { LivePanel } from "./livePanel.ts"
import { OrderView } from "./orderView.ts"
import { publishPanel } from "./publishPanel.ts"
import type { About, Counts } from "./types.ts"
import { venuePanel } from "./venuePanel.ts"

const app = must("#app")
const bar = must("#bar")

// ---- theme: the system's, unless chosen
const THEME = "petrosa-theme"
const applyTheme = (theme: string | null): void => {
  if (theme === null) document.documentElement.removeAttribute("data-theme")
  else document.documentElement.dataset["theme"] = theme
}
applyTheme(localStorage.getItem(THEME))
const toggleTheme = (): void => {
  const dark = document.documentElement.dataset["theme"] ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")
  const next = dark === "dark" ? "light" : "dark"
  localStorage.setItem(THEME, next)
  applyTheme(next)
}

onToken(
  () =>
    new Promise((resolve) => {
      const input = h("input", { type: "password", "aria-label": "HTTP_TOKEN", autocomplete: "current-password" })
      const dialog = h(
        "dialog",
        { class: "token" },
        h("h2", {}, "This engine wants its token"),
        h("p", {}, "The value of HTTP_TOKEN. It is kept until this tab is closed."),
        input,
        h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Go on"),
      )
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") dialog.close()
      })
      dialog.addEventListener("close", () => {
        dialog.remove()
        resolve(input.value)
      })
      document.body.append(dialog)
      dialog.showModal()
    }),
)

const start = async (): Promise<void> => {
  let about: About
  for (;;) {
    try {
      about = await get<About>("/inspector/data/about")
      break
    } catch (error) {
      app.replaceChildren(
        h(
          "p",
          { class: "pad", role: "alert" },
          `The engine does not answer (${error instanceof Error ? error.message : String(error)}). Trying again…`,
        ),
      )
      await new Promise((resolve) => setTimeout(resolve, 1500))
    }
  }
  run(about)
}

const RELOAD_ORDER_MS = 150

const run = (about: About): void => {
  const panes: (OrderView | undefined)[] = [undefined, undefined]
  let focused = 0
  let comparing = false
  const main = h("div", { class: "orders", id: "orders" })
  const dot = h("span", { class: "dot", title: "The feed" })
  const rate = h("span", { class: "dim rate" })
  const graph = new GraphView((state) => list.filterState(state))
  const list = new ListView({ about, onOpen: (order, beside) => open(order, beside || comparing ? 1 : 0) })
  const live = new LivePanel(about, { onOpen: (order) => open(order, 0), onReason: (reason) => list.filterReason(reason) })
  const venue = venuePanel()
  const drawer = h("aside", { class: "drawer", id: "drawer", hidden: true, "aria-label": "Development tools" })
  const hint = h("p", { class: "hint", role: "status", hidden: true })

  // ---- the address
  const address = (): string => {
    const [first, second] = panes
    if (first === undefined) return "/inspector"
    const query = new URLSearchParams()
    if (!first.following) query.set("at", String(first.at))
    if (second !== undefined) {
      query.set("with", second.order)
      if (!second.following) query.set("with_at", String(second.at))
    }
    return `/inspector/orders/${encodeURIComponent(first.order)}${query.size === 0 ? "" : `?${query}`}`
  }
  const remember = (push: boolean): void => {
    const url = address()
    if (url === location.pathname + location.search) return
    if (push) history.pushState(null, "", url)
    else history.replaceState(null, "", url)
  }
  const fromAddress = (): void => {
    const id = /^\/inspector\/orders\/([^/]+)$/.exec(location.pathname)?.[1]
    const query = new URLSearchParams(location.search)
    const number = (name: string): number | undefined => (/^\d{1,8}$/.test(query.get(name) ?? "") ? Number(query.get(name)) : undefined)
    const besides = query.get("with")
    panes[0] = id === undefined ? undefined : make(decodeURIComponent(id), 0, number("at"))
    panes[1] = id === undefined || besides === null ? undefined : make(besides, 1, number("with_at"))
    show()
  }

  const make = (order: string, n: 0 | 1, at?: number): OrderView => {
    const view = new OrderView({
      order,
      at,
      second: n === 1,
      onMove: () => {
        remember(false)
        draw()
      },
      onClose: () => close(n),
      onCompare: () => {
        comparing = true
        hint.textContent = "Choose the other order in the list (Escape: never mind)."
        hint.hidden = false
      },
    })
    view.element.addEventListener("focusin", () => {
      focused = n
    })
    void view.load()
    return view
  }
  const open = (order: string, n: 0 | 1): void => {
    comparing = false
    hint.hidden = true
    const place = n === 1 && panes[0] === undefined ? 0 : n
    if (panes[place]?.order === order) return
    panes[place] = make(order, place)
    focused = place
    show()
    remember(true)
    if (matchMedia("(max-width: 900px)").matches) main.scrollIntoView({ behavior: "smooth" })
  }
  const close = (n: 0 | 1): void => {
    if (n === 0) {
      panes[0] = panes[1] === undefined ? undefined : make(panes[1].order, 0, panes[1].following ? undefined : panes[1].at)
    }
    panes[1] = undefined
    focused = 0
    show()
    remember(true)
  }
  const show = (): void => {
    const shown = panes.filter((pane) => pane !== undefined)
    main.classList.toggle("two", shown.length === 2)
    main.replaceChildren(...(shown.length === 0 ? [live.element] : shown.map((pane) => pane.element)))
    live.show()
    list.select(shown.map((pane) => pane.order))
    document.title = shown[0] === undefined ? "Petrosa inspector" : `${shown[0].order} · Petrosa inspector`
    draw()
  }
  const draw = (): void => {
    const path = (pane: OrderView | undefined) =>
      pane === undefined || pane.steps.length === 0 ? undefined : { steps: pane.steps, at: pane.at }
    graph.paths(path(panes[0]), path(panes[1]))
  }

  // ---- tools
  const toggleDrawer = (which: "publish" | "venue"): void => {
    const same = drawer.dataset["shows"] === which && !drawer.hidden
    drawer.hidden = same
    drawer.dataset["shows"] = which
    document.body.classList.toggle("with-drawer", !same)
    if (same) return
    drawer.replaceChildren(
      h("button", { type: "button", class: "shut", "aria-label": "Close the tools", onclick: () => toggleDrawer(which) }, "✕"),
      which === "publish" ? publish : venue.element,
    )
    if (which === "venue") void venue.refresh()
    drawer.querySelector<HTMLElement>("textarea, input, select")?.focus()
  }
  const publish = publishPanel((order) => open(order, 0))
  const tool = (text: string, which: "publish" | "venue"): HTMLElement =>
    h("button", { type: "button", id: `tool-${which}`, onclick: () => toggleDrawer(which) }, text)
  bar.append(
    h("span", { class: `mode m-${about.mode}` }, about.mode),
    dot,
    rate,
    h("span", { class: "space" }),
    h("span", { class: "dim replica", title: "Replica, version and store" }, `${about.replica} · ${about.version} · ${about.store}`),
    ...(about.simulation ? [tool("Publish", "publish"), ...(about.faults ? [tool("Venue", "venue")] : [])] : []),
    h("button", { type: "button", title: "Light or dark (t)", "aria-label": "Light or dark", onclick: toggleTheme }, "◐"),
    h("button", { type: "button", title: "Keys (?)", "aria-label": "Keys", onclick: () => keys() }, "?"),
  )
  const keys = (): void => {
    const dialog = h(
      "dialog",
      { class: "keys" },
      h("h2", {}, "Keys"),
      h(
        "dl",
        {},
        ...[
          ["/", "search"],
          ["↑ ↓ Enter", "in the list: choose and open"],
          ["c, Ctrl-click", "in the list: open beside the first"],
          ["← →", "a step back or on in time"],
          ["Home End", "first step; newest, and follow"],
          ["Escape", "close the order, or the tools"],
          ["g", "show or hide the graph"],
          ["t", "light or dark"],
        ].flatMap(([key, says]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, says)]),
      ),
      h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Close"),
    )
    dialog.addEventListener("close", () => dialog.remove())
    document.body.append(dialog)
    dialog.showModal()
  }

  const fold = h(
    "button",
    { type: "button", class: "fold", "aria-expanded": "true", title: "Show or hide the graph (g)", onclick: () => foldGraph() },
    "Hide graph",
  )
  const machine = h("section", { class: "machine", "aria-label": "The order machine" }, fold, graph.element, live.reasons)
  const foldGraph = (): void => {
    const folded = machine.classList.toggle("folded")
    fold.textContent = folded ? "Show graph" : "Hide graph"
    fold.setAttribute("aria-expanded", String(!folded))
  }
  app.replaceChildren(list.element, h("main", { id: "main", class: "main", tabindex: -1 }, machine, hint, main), drawer)

  // ---- keys
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null) return
    if (event.key === "Escape") {
      if (comparing) {
        comparing = false
        hint.hidden = true
      } else if (!drawer.hidden) toggleDrawer(drawer.dataset["shows"] as "publish")
      else if (panes[0] !== undefined) close(panes[1] === undefined ? 0 : 1)
      return
    }
    const typing = target.matches("input:not([type=range]), textarea, select")
    if (typing) return
    if (event.key === "/") {
      event.preventDefault()
      list.focusSearch()
    } else if (event.key === "t") toggleTheme()
    else if (event.key === "g") foldGraph()
    else if (event.key === "?") keys()
    const pane = panes[focused] ?? panes[0]
    const inList = target.closest(".rows") !== null
    if (pane === undefined) return
    const go: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => pane.back(),
      ArrowRight: () => pane.forward(),
      ...(inList ? {} : { Home: () => pane.go(1), End: () => pane.go(Number.POSITIVE_INFINITY) }),
    }
    const act = go[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
  addEventListener("popstate", fromAddress)

  // ---- the feed
  let reloadTimer: number | undefined
  const touched = new Set<string>()
  const counts = (data: Counts): void => {
    graph.counts(data)
    live.counts(data)
    const others = data.replicas.length > 1 ? ` · ${data.replicas.length} replicas` : ""
    rate.textContent = `${data.perSecond} events/s${others}`
    rate.title = data.replicas.length > 1 ? data.replicas.join(", ") : ""
  }
  void listen({
    hello: () => undefined,
    counts,
    batch: ({ transitions, rows, arrows, more }) => {
      list.live(rows)
      live.add(transitions, more)
      graph.light(arrows)
      for (const { order } of rows) touched.add(order)
      if (reloadTimer !== undefined) return
      reloadTimer = window.setTimeout(() => {
        reloadTimer = undefined
        for (const pane of panes) if (pane !== undefined && touched.has(pane.order)) void pane.load()
        touched.clear()
      }, RELOAD_ORDER_MS)
    },
    reload: () => {
      void list.reload()
      for (const pane of panes) void pane?.load()
    },
    state: (connected) => {
      dot.classList.toggle("on", connected)
      dot.setAttribute("aria-label", connected ? "live" : "not connected, trying again")
      dot.setAttribute("role", "img")
    },
  })
  void list.reload()
  void live.begin()
  fromAddress()
}

void start()
