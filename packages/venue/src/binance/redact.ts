/**
 * Takes secrets out of text before it leaves the adapter: API key, secret, signatures, listen keys (binance.md 1.3.10: the
 * connectors' errors carry all of them). Every message, reason and raw reply of the Binance adapters goes through here.
 */

const MASK = "***"
const SIGNATURE = /(signature["']?\s*[=:]\s*["']?)[A-Za-z0-9%+/=_-]+/gi
const LISTEN_KEY = /(listenKey["']?\s*[=:]\s*["']?)[A-Za-z0-9%+/=_-]+/gi
const LISTEN_KEY_PATH = /(\/(?:ws|stream)\/)[A-Za-z0-9]{32,}/g
const API_KEY = /((?:apiKey|x-mbx-apikey)["']?\s*[=:]\s*["']?)[A-Za-z0-9%+/=_-]+/gi
/** A secret shorter than this is no secret of Binance; masking it would destroy ordinary text. */
const SECRET_MIN_LENGTH = 8
/** Listen keys of this run; older ones are dead after an hour and are masked by their pattern anyway. */
const SECRETS_MAX = 64
const MESSAGE_MAX_LENGTH = 4096

export class Redactor {
  #secrets: readonly string[]

  constructor(secrets: readonly (string | undefined)[]) {
    this.#secrets = secrets.filter((secret): secret is string => secret !== undefined && secret.length >= SECRET_MIN_LENGTH)
  }

  /** Another secret came to be known: a listen key. */
  learn(secret: string): void {
    if (secret.length < SECRET_MIN_LENGTH || this.#secrets.includes(secret)) return
    this.#secrets = [...this.#secrets, secret].slice(-SECRETS_MAX)
  }

  /** The text without secrets, at most 4096 characters of it. */
  clean(text: string): string {
    let clean = text
    for (const secret of this.#secrets) {
      clean = clean.replaceAll(secret, MASK)
      const encoded = encodeURIComponent(secret)
      if (encoded !== secret) clean = clean.replaceAll(encoded, MASK)
    }
    clean = clean
      .replace(SIGNATURE, `$1${MASK}`)
      .replace(LISTEN_KEY, `$1${MASK}`)
      .replace(API_KEY, `$1${MASK}`)
      .replace(LISTEN_KEY_PATH, `$1${MASK}`)
    return clean.length > MESSAGE_MAX_LENGTH ? `${clean.slice(0, MESSAGE_MAX_LENGTH)}…` : clean
  }
}
