/** Making elements. Text is always text: nothing from outside ever becomes markup. */
type Child = Node | string | number | null | undefined | false
type Props = Readonly<Record<string, string | number | boolean | null | undefined | ((event: never) => void)>>

const fill = (element: Element, props: Props, children: readonly Child[]): void => {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value as EventListener)
    else if (typeof value !== "function") element.setAttribute(name, value === true ? "" : String(value))
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child as Node | string)
}

export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag)
  fill(element, props, children)
  return element
}

export const s = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag)
  fill(element, props, children)
  return element
}

export const must = (selector: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(selector)
  if (found === null) throw new Error(`the page has no ${selector}`)
  return found
}

/** 12 ms, 1.24 s, 3 m 05 s, 2 h 04 m, 3 d 4 h. */
export const duration = (ms: number): string => {
  const whole = Math.max(0, Math.round(ms))
  if (whole < 1000) return `${whole} ms`
  const seconds = whole / 1000
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0")
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} m`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" })
const day = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" })
const today = day.format(new Date())
/** Local time; with the day when it is not today. */
export const timeText = (iso: string): string => {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const date = day.format(at)
  return date === today ? clock.format(at) : `${date} ${clock.format(at)}`
}
export const milliText = (iso: string): string => `${timeText(iso)}.${iso.slice(20, 23)}`

/** A number without an exponent. */
export const num = (value: number | string | null): string => {
  if (value === null) return "–"
  const text = String(value)
  return text.includes("e")
    ? Number(value)
        .toFixed(12)
        .replace(/\.?0+$/, "")
    : text
}

export const chip = (state: string, text = state): HTMLElement => h("span", { class: `chip s-${state}` }, text)
