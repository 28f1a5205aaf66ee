/**
 * Sealing: a record gets its place in the chain, its canonical text and the hash of that text.
 *
 * The text is made once, and kept as the bytes that were hashed: the store writes them, the journal sends them. What a
 * sealed record says as one object is put together only for those who ask (MongoDB, live pages).
 */
import { hash as digest } from "node:crypto"
import { type Envelope, type EventRecord, type FlatFields, recordOf, type SealedRecord, type UnsealedRecord } from "@petrosa/contracts"
import { ByteArena } from "./byteArena.ts"
import { CanonicalText } from "./canonicalText.ts"

/**
 * The largest event, in bytes of its text. MongoDB takes documents up to 16 MiB; an event that is too large for
 * a store could never be written, and would be tried for ever.
 */
export const MAX_EVENT_LENGTH = 2 * 1024 * 1024

class Sealed implements SealedRecord {
  readonly envelope: Envelope
  readonly flat: FlatFields
  readonly prev: string
  readonly hash: string
  readonly bytes: Uint8Array
  #record: EventRecord | undefined

  constructor(envelope: Envelope, flat: FlatFields, prev: string, hash: string, bytes: Uint8Array) {
    this.envelope = envelope
    this.flat = flat
    this.prev = prev
    this.hash = hash
    this.bytes = bytes
  }

  get text(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength).toString()
  }

  get record(): EventRecord {
    this.#record ??= Object.assign(recordOf(this.envelope, this.flat, this.prev), { hash: this.hash })
    return this.#record
  }
}

const arena = new ByteArena()

/** Seals the events of one stream, in the order in which they come. */
export class Sealer {
  readonly #text = new CanonicalText()

  /** @throws RangeError when the event is larger than {@link MAX_EVENT_LENGTH}. */
  seal(envelope: Envelope, flat: FlatFields, prev: string): SealedRecord {
    const bytes = this.#text.write(arena, envelope, flat, prev)
    if (bytes.length > MAX_EVENT_LENGTH)
      throw new RangeError(`event ${envelope._id} has ${bytes.length} bytes, more than ${MAX_EVENT_LENGTH}`)
    return new Sealed(envelope, flat, prev, digest("sha256", bytes), bytes)
  }
}

/** Seals one record. @throws RangeError when it is larger than {@link MAX_EVENT_LENGTH}. */
export const seal = (record: Omit<UnsealedRecord, "prev">, prev: string): SealedRecord => new Sealer().seal(record, record, prev)

/** Seals events of one stream one after the other: each names the one before. */
export const sealAll = (records: readonly Omit<UnsealedRecord, "prev">[], prev: string): readonly SealedRecord[] => {
  const sealer = new Sealer()
  let last = prev
  return records.map((record) => {
    const sealed = sealer.seal(record, record, last)
    last = sealed.hash
    return sealed
  })
}

/** A record whose text is there already, with the hash of that text. */
export const sealedAs = (record: EventRecord, text: string): SealedRecord =>
  new Sealed(record, record, record.prev, record.hash, Buffer.from(text))
