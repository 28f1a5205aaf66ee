/**
 * Subjects: safe tokens made of any text, and which subjects overlap. Pure, but for a hash.
 *
 * A NATS subject is tokens between dots; a token must not be empty, hold white space, or be a wildcard (`*`, `>`).
 * Strategy ids are any text of up to 200 characters, so they are encoded:
 *
 * | in the text | in the token |
 * | --- | --- |
 * | `A-Z a-z 0-9 _ -` | itself |
 * | anything else | its UTF-8 bytes, each as `%` and two capital hex digits: `Iceberg Order` → `Iceberg%20Order` |
 * | nothing at all | a lone `%` |
 * | more than 200 characters once encoded | the first 180 or so, `~`, and the first 16 hex digits of the SHA-256 of the text |
 *
 * Two texts never share a token (but for that hash), and a subscriber turns a token back with {@link readToken}, or with
 * any percent-decoder.
 */
import { createHash } from "node:crypto"

export const TOKEN_MAX_LENGTH = 200
const HASH_LENGTH = 16
const SAFE = /^[A-Za-z0-9_-]{1,200}$/
const encoder = new TextEncoder()

const isSafeByte = (b: number): boolean => (b >= 48 && b <= 57) || (b >= 65 && b <= 90) || (b >= 97 && b <= 122) || b === 95 || b === 45

/** One safe subject token for any text. See the table above. */
export const safeToken = (text: string): string => {
  if (SAFE.test(text)) return text
  if (text === "") return "%"
  const bytes = encoder.encode(text)
  const limit = TOKEN_MAX_LENGTH - HASH_LENGTH - 1
  let token = ""
  let head: string | undefined
  for (const b of bytes) {
    const part = isSafeByte(b) ? String.fromCharCode(b) : `%${b.toString(16).toUpperCase().padStart(2, "0")}`
    if (head === undefined && token.length + part.length > limit) head = token
    token += part
    if (token.length > TOKEN_MAX_LENGTH) return `${head}~${createHash("sha256").update(bytes).digest("hex").slice(0, HASH_LENGTH)}`
  }
  return token
}

/** The text of a token; of a shortened one what is left of it. */
export const readToken = (token: string): string => {
  if (token === "%") return ""
  const shortened = token.indexOf("~")
  const bytes: number[] = []
  for (const part of (shortened < 0 ? token : token.slice(0, shortened)).matchAll(/%([0-9A-Fa-f]{2})|([^])/gu)) {
    if (part[1] !== undefined) bytes.push(Number.parseInt(part[1], 16))
    else bytes.push(...encoder.encode(part[2]))
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

/** Why a text cannot be the subject of a stream that we make, or `undefined` when it can. */
export const subjectProblem = (subject: string): string | undefined => {
  if (subject === "") return "it is empty"
  if (subject.length > 200) return "it is longer than 200 characters"
  const tokens = subject.split(".")
  if (tokens.some((t) => t === "")) return "a part between dots is empty"
  if (tokens.some((t) => t === "*" || t === ">")) return "it has a wildcard: what is below the subject is captured anyway"
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\s\u0000-\u001f\u007f*>]/.test(subject)) return "it holds white space, a control character, `*` or `>`"
  if (subject.startsWith("$") || tokens[0] === "_INBOX") return "this part of the subject space belongs to the NATS server"
  return undefined
}

/** Whether some subject matches both patterns (`*` and `>` as NATS has them). */
export const subjectsOverlap = (a: string, b: string): boolean => {
  const left = a.split(".")
  const right = b.split(".")
  for (let i = 0; ; i++) {
    const l = left[i]
    const r = right[i]
    if (l === undefined || r === undefined) return l === r
    if (l === ">" || r === ">") return true
    if (l !== r && l !== "*" && r !== "*") return false
  }
}
