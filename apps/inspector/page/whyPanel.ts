/** Why: the answer, where the time went, the causal walk with its rules, and what today's code would decide. */
import { duration, h, milliText } from "./dom.ts"
import type { Again, Why } from "./types.ts"

export const whyPanel = (why: Why, onVersion: (version: number) => void): HTMLElement =>
  h(
    "div",
    { class: "body why" },
    h("p", { class: "answer" }, why.answer),
    timeBar(why),
    ...why.chapters.map(({ title, lines }) =>
      h(
        "section",
        {},
        h("h3", {}, title),
        h(
          "ul",
          { class: "plain walk" },
          ...lines.map((line) =>
            h(
              "li",
              {},
              h(
                "button",
                {
                  type: "button",
                  class: "v",
                  title: `${milliText(line.at)}: show this step`,
                  "aria-label": `Show step ${line.version}`,
                  onclick: () => onVersion(line.version),
                },
                line.version,
              ),
              h(
                "span",
                {},
                line.rule === undefined
                  ? null
                  : h(
                      "span",
                      { class: line.rule.passed ? "good" : "bad", "aria-label": line.rule.passed ? "passed" : "failed" },
                      line.rule.passed ? "✓ " : "✗ ",
                    ),
                line.text,
                line.rule === undefined
                  ? null
                  : h(
                      "span",
                      { class: "rule" },
                      h("b", {}, line.rule.name),
                      ` ${line.rule.observed}`,
                      h("i", {}, ` limit ${line.rule.limit}`),
                    ),
              ),
            ),
          ),
        ),
      ),
    ),
    h("section", { class: "again" }, h("h3", {}, "And today?"), ...againText(why.again)),
  )

/** Where did the milliseconds go? */
const timeBar = ({ timings }: Why): HTMLElement | null => {
  const parts = timings.slice(1)
  const total = parts.reduce((sum, { tookMs }) => sum + tookMs, 0)
  if (parts.length === 0) return null
  return h(
    "figure",
    { class: "spent" },
    h("figcaption", {}, `Where did the time go? ${duration(total)} from ${timings[0]?.name ?? ""} to ${timings.at(-1)?.name ?? ""}`),
    h(
      "div",
      { class: "stack", "aria-hidden": "true" },
      ...parts.map(({ name, tookMs }) => {
        const piece = h("i", { class: `m-${name}`, title: `${name}: ${duration(tookMs)}` })
        piece.style.flexGrow = String(Math.max(tookMs, total / 200, 0.1))
        return piece
      }),
    ),
    h(
      "dl",
      {},
      ...parts.flatMap(({ name, tookMs, says }) => [
        h("dt", {}, h("i", { class: `m-${name}` }), name),
        h("dd", {}, h("b", {}, duration(tookMs)), ` ${says}`),
      ]),
    ),
  )
}

const againText = (again: Again): readonly HTMLElement[] => {
  const assumed = (again.assumed ?? []).map((text) => h("p", { class: "dim small" }, `Not recorded, and assumed: ${text}.`))
  switch (again._tag) {
    case "Same":
      return [
        h(
          "p",
          { class: "good" },
          `✓ With the same recorded inputs today's code decides the same, field for field (${again.decided ?? ""}).`,
        ),
        ...assumed,
      ]
    case "Different":
      return [
        h(
          "p",
          { class: "bad" },
          `✗ With the same recorded inputs today's code decides otherwise. The first difference is ${again.path ?? ""}:`,
        ),
        h("p", { class: "mono small" }, h("del", {}, again.recorded ?? ""), " ", h("ins", {}, again.today ?? "")),
        ...assumed,
      ]
    case "NotPossible":
      return [h("p", { class: "dim" }, `It cannot be decided again: ${again.why ?? ""}.`)]
  }
}
