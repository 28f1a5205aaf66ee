/**
 * Listen keys of the futures user stream: one per account, good for an hour after it was made or renewed. A key can die
 * while sockets stay open (a fault, and what an expired one does): nothing comes any more, and nobody says so.
 */
import { createHash } from "node:crypto"
import { E } from "../wire/errors.ts"

const LIFE_MS = 60 * 60_000

interface Key {
  readonly text: string
  readonly account: string
  endsAtMs: number
}

export class ListenKeys {
  readonly #keys = new Map<string, Key>()
  readonly #nowMs: () => number
  #made = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  #alive(account: string): Key | undefined {
    return [...this.#keys.values()].find((key) => key.account === account && key.endsAtMs > this.#nowMs())
  }
  /** The account's key; it lives an hour from now. */
  create(account: string): string {
    const known = this.#alive(account)
    if (known !== undefined) {
      known.endsAtMs = this.#nowMs() + LIFE_MS
      return known.text
    }
    this.#made += 1
    const text = createHash("sha512")
      .update(`${account} ${this.#made} ${this.#nowMs()}`)
      .digest("base64url")
      .replace(/[-_]/g, "x")
      .slice(0, 64)
    this.#keys.set(text, { text, account, endsAtMs: this.#nowMs() + LIFE_MS })
    return text
  }
  renew(account: string): string {
    const known = this.#alive(account)
    if (known === undefined) throw E.listenKey()
    known.endsAtMs = this.#nowMs() + LIFE_MS
    return known.text
  }
  close(account: string): void {
    const known = this.#alive(account)
    if (known === undefined) throw E.listenKey()
    this.#keys.delete(known.text)
  }
  /** A fault: the key is dead from now on; the one that died. */
  kill(account: string): string | undefined {
    const known = this.#alive(account)
    if (known !== undefined) this.#keys.delete(known.text)
    return known?.text
  }
  /** The account of a key that lives. */
  accountOf(text: string): string | undefined {
    const key = this.#keys.get(text)
    return key !== undefined && key.endsAtMs > this.#nowMs() ? key.account : undefined
  }
  /** Takes away what has run out since the last call. */
  expire(): readonly { readonly account: string; readonly text: string }[] {
    const over = [...this.#keys.values()].filter((key) => key.endsAtMs <= this.#nowMs())
    for (const key of over) this.#keys.delete(key.text)
    return over
  }
}
