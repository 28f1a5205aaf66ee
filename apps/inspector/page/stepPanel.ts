/** What one step did: the regions, what changed in the context, what was asked for, what could come next, the raw event. */
import type { Command } from "@petrosa/contracts"
import { changesBetween, contextAt } from "./context.ts"
import { chip, h, milliText } from "./dom.ts"
import type { NextEvent, RawEvent, Step } from "./types.ts"

const commandText = (command: Command): string => {
  switch (command.type) {
    case "placeEntry":
    case "placeStop":
    case "placeTarget":
    case "flatten": {
      const { side, quantity, price, triggerPrice } = command.request
      const at = triggerPrice ?? price
      return `${command.type}: ${side} ${quantity} ${at === undefined ? "at market" : `at ${at}`}`
    }
    case "placeBracket": {
      const { stop, target } = command.bracket
      return `${command.type}: ${stop.side} ${stop.quantity} at ${stop.triggerPrice ?? "market"} or ${target.price ?? "market"}`
    }
    case "resolveBracket":
    case "cancelBracket":
      return `${command.type} ${command.stop} ${command.target}`
    case "resolveEntry":
    case "cancelEntry":
      return `${command.type} ${command.clientOrderId}`
    case "resolveLeg":
    case "cancelLeg":
      return `${command.type} ${command.leg} ${command.clientOrderId}`
    case "closeLots":
      return `${command.type}: ${command.lots.map(({ order, quantity }) => `${quantity} of ${order}`).join(", ")}`
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  signal: "the signal",
  reply: "the venue's reply",
  stream: "the venue's stream",
  query: "an answer of the venue",
  deadline: "a deadline",
  decision: "what the engine knows",
  recovery: "a recovery",
  operator: "an operator",
}

const section = (title: string, ...children: readonly (Node | null)[]): HTMLElement => {
  const element = h("section", {}, h("h3", {}, title))
  for (const child of children) if (child !== null) element.append(child)
  return element
}
const none = (text: string): HTMLElement => h("p", { class: "dim" }, text)

export const stepPanel = (
  steps: readonly Step[],
  step: Step,
  next: readonly NextEvent[] | undefined,
  raw: () => Promise<RawEvent>,
  opened: Set<string>,
): readonly HTMLElement[] => {
  const context = contextAt(steps, step.version)
  const changes = changesBetween(contextAt(steps, step.version - 1), context)
  return [
    h(
      "div",
      { class: "said" },
      h("p", { class: "sentence" }, step.what),
      h(
        "p",
        { class: "dim" },
        `${milliText(step.at)} · because of ${CAUSES[step.cause] ?? step.cause} · ${step.replica} · engine ${step.engine} · settings ${step.settings.slice(0, 12)}`,
      ),
      h(
        "p",
        { class: "regions" },
        ...(["order", "entry", "protection"] as const).flatMap((region) => [
          h("span", { class: "dim" }, `${region} `),
          chip(step.regions[region]),
        ]),
      ),
      ...step.differences.map((difference) => h("p", { class: "bad", role: "alert" }, `replay differs: ${JSON.stringify(difference)}`)),
    ),
    section(
      "Asked of the outside",
      step.commands.length === 0
        ? none("Nothing.")
        : h("ul", { class: "plain mono" }, ...step.commands.map((command) => h("li", {}, commandText(command)))),
      step.waiting.length === 0
        ? null
        : h(
            "div",
            {},
            h("h4", {}, "Waiting for a result"),
            h("ul", { class: "plain mono" }, ...step.waiting.map((command) => h("li", {}, commandText(command)))),
          ),
    ),
    section(
      `Changed in the context (${changes.length})`,
      h(
        "table",
        { class: "changes" },
        h(
          "tbody",
          {},
          ...changes.map(({ path, from, to }) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, path),
              h("td", {}, from === "" || from === "null" ? null : h("del", {}, from), " ", h("ins", {}, to)),
            ),
          ),
        ),
      ),
    ),
    section("What could happen next", nextList(next)),
    details(opened, "Whole context", () => Promise.resolve(h("pre", { tabindex: 0 }, JSON.stringify(context, null, 2)))),
    details(opened, "Raw event and its hash", async () => {
      const event = await raw()
      return h(
        "div",
        {},
        h(
          "p",
          { class: event.hashHolds ? "good" : "bad" },
          event.hashHolds ? "✓ the hash is the one of this text" : "✗ the text does not have this hash",
        ),
        h(
          "p",
          { class: event.chainHolds ? "good" : "bad" },
          event.chainHolds ? "✓ it follows the event before" : "✗ it does not follow the event before",
        ),
        h("p", { class: "mono small" }, `hash ${event.hash}`),
        h("p", { class: "mono small" }, `prev ${event.prev ?? "–"}`),
        h("pre", { tabindex: 0 }, pretty(event.text)),
      )
    }),
  ]
}

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

const nextList = (next: readonly NextEvent[] | undefined): HTMLElement => {
  if (next === undefined) return none("Asking the machine…")
  const possible = next.filter((one) => one.possible)
  const not = next.filter((one) => !one.possible)
  return h(
    "div",
    {},
    possible.length === 0 ? none("Nothing that it knows of.") : null,
    h(
      "ul",
      { class: "plain next" },
      ...possible.map(({ type, leadsTo, commands = [], regions }) =>
        h(
          "li",
          { title: regions.length === 0 ? "in every state" : `heard by ${regions.join(", ")}` },
          h("b", {}, type),
          leadsTo === undefined
            ? null
            : h("span", { class: "leads" }, " → ", chip(leadsTo.order), chip(leadsTo.entry), chip(leadsTo.protection)),
          commands.length === 0 ? null : h("span", { class: "dim" }, ` asks: ${commands.join(", ")}`),
        ),
      ),
    ),
    not.length === 0
      ? null
      : h("p", { class: "dim small" }, `Has an arrow here, but is not possible now: ${not.map(({ type }) => type).join(", ")}.`),
  )
}

/** Loaded when it is opened; `opened` remembers what is open from one step to the next. */
const details = (opened: Set<string>, title: string, content: () => Promise<HTMLElement>): HTMLElement => {
  const element = h("details", { class: "more" }, h("summary", {}, title))
  element.addEventListener("toggle", () => {
    if (element.open) opened.add(title)
    else opened.delete(title)
    if (!element.open || element.childElementCount > 1) return
    content().then(
      (node) => element.append(node),
      (error: unknown) => element.append(h("p", { class: "bad" }, String(error))),
    )
  })
  element.open = opened.has(title)
  return element
}
