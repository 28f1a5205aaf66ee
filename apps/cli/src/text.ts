/** Times, durations and outside text, as a terminal shows them. Pure. */

/**
 * Text that came from outside (a strategy's name, an exchange's message): control and formatting characters are written
 * out, because a terminal would obey them (colours, titles, cleared screens, text that runs backwards).
 */
export const safe = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    if (character === "\n") return "\\n"
    if (character === "\t") return " "
    return `\\u${code.toString(16).padStart(4, "0")}`
  })

/** A value out of somebody's JSON, as text that is safe to print; `-` where there is none. */
export const printed = (value: unknown): string => {
  if (value === undefined || value === null) return "-"
  return safe(typeof value === "string" ? value : (JSON.stringify(value) ?? "-"))
}

export const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`)

/** `10:00:01.234` of an ISO time; with the date when asked. */
export const clock = (iso: string): string => iso.slice(11, 23)
export const dateAndClock = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)}`

/** A duration as a person reads it: `+0.012s`, `+1m05s`, `+2h03m`, `+3d04h`. */
export const since = (ms: number): string => {
  if (!Number.isFinite(ms)) return "?"
  const sign = ms < 0 ? "-" : "+"
  const abs = Math.abs(ms)
  if (abs < 60_000) return `${sign}${(abs / 1000).toFixed(3)}s`
  const s = Math.floor(abs / 1000)
  const two = (n: number): string => String(n).padStart(2, "0")
  if (s < 3600) return `${sign}${Math.floor(s / 60)}m${two(s % 60)}s`
  if (s < 86_400) return `${sign}${Math.floor(s / 3600)}h${two(Math.floor((s % 3600) / 60))}m`
  return `${sign}${Math.floor(s / 86_400)}d${two(Math.floor((s % 86_400) / 3600))}h`
}

/** A flat number without an exponent. */
export const number = (value: number | null): string => {
  if (value === null) return "-"
  const text = String(value)
  if (!text.includes("e")) return text
  return value.toFixed(20).replace(/\.?0+$/, "")
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** An address without what may be a password: everything between `//` and the last `@`. */
export const withoutCredentials = (url: string): string => url.replaceAll(/\/\/[^,\s]*@/g, "//***@").replace(/\?.*$/s, "")
