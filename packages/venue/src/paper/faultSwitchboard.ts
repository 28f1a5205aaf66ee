/**
 * The faults as they lie in the venue's file, and their use: counted ones are used up, chance goes on where it was. All of it
 * inside the transaction of the request that is hit, so that a fault hits exactly once whichever process meets it.
 */
import { refused } from "@petrosa/contracts"
import type { Leg, Refused } from "@petrosa/contracts"
import type { PaperBooks } from "./books.ts"
import { NO_FAULTS, chance, strike } from "./faults.ts"
import type { Faults, RequestKind } from "./faults.ts"

export class FaultSwitchboard {
  readonly #books: Pick<PaperBooks, "meta" | "putMeta">
  #faults: Faults | undefined
  #draws: number | undefined

  constructor(books: Pick<PaperBooks, "meta" | "putMeta">) {
    this.#books = books
  }

  /** Another process wrote, or a transaction was undone. */
  forget(): void {
    this.#faults = undefined
    this.#draws = undefined
  }

  get faults(): Faults {
    if (this.#faults === undefined) {
      const stored = this.#books.meta("faults")
      this.#faults = stored === undefined ? NO_FAULTS : { ...NO_FAULTS, ...(JSON.parse(stored) as Partial<Faults>) }
    }
    return this.#faults
  }

  write(faults: Faults): void {
    this.#faults = faults
    this.#books.putMeta("faults", JSON.stringify(faults))
  }

  readonly #draw = (): number => {
    this.#draws = (this.#draws ?? Number(this.#books.meta("draws") ?? 0)) + 1
    this.#books.putMeta("draws", String(this.#draws))
    return chance(this.faults.seed, this.#draws)
  }

  hit(which: "loseReply" | "dropRequest", kind: RequestKind): boolean {
    const fault = this.faults[which]
    if (fault === null) return false
    const { hit, after } = strike(fault, kind, this.#draw)
    if (after !== fault) this.write({ ...this.faults, [which]: after })
    return hit
  }

  /** The refusal that was asked for, when this leg is to be refused. */
  refusal(leg: Leg): Refused | undefined {
    const refuse = this.faults.refuse
    if (refuse === null || (refuse.leg !== undefined && refuse.leg !== leg)) return undefined
    if (refuse.count !== undefined) {
      if (refuse.count <= 0) return undefined
      this.write({ ...this.faults, refuse: refuse.count === 1 ? null : { ...refuse, count: refuse.count - 1 } })
    }
    return refused(refuse.class, refuse.code, refuse.message ?? "refused on demand")
  }
}
