/**
 * Messages that are no orders, kept: raw bytes up to 64 KiB, with their full length and hash, and why. Nothing disappears,
 * and no disk can be filled: above `rejectedMaxBytes` in all, only length and hash are kept.
 */
import { createHash } from "node:crypto"
import type { FieldError, RejectionCode, SealedRecord } from "@petrosa/contracts"
import { eventId, REJECTED_STREAM_PREFIX } from "@petrosa/contracts"
import { CHAIN_START, seal } from "@petrosa/event-store"

export const RAW_MAX_BYTES = 64 * 1024

export interface RejectedMessage {
  /** Unique: stream and sequence of the message, or an id of an HTTP call. */
  readonly name: string
  readonly code: RejectionCode
  readonly message: string
  readonly fields: readonly FieldError[]
  readonly bytes: Uint8Array
  readonly transport: "nats" | "http"
  readonly subject: string
  readonly sequence: number
  readonly atMs: number
  /** Length and hash of the whole, when `bytes` is not all of it. */
  readonly whole?: { readonly length: number; readonly sha256: string }
  /** Whether the raw bytes may be kept. */
  readonly keepRaw: boolean
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The bytes as text where they are valid UTF-8, else in base 64. */
const rawOf = (bytes: Uint8Array): { readonly raw: string; readonly encoding: "utf8" | "base64" } => {
  const kept = bytes.subarray(0, RAW_MAX_BYTES)
  try {
    return { raw: utf8.decode(kept), encoding: "utf8" }
  } catch {
    return { raw: Buffer.from(kept).toString("base64"), encoding: "base64" }
  }
}

export const rejectedRecord = (
  one: RejectedMessage,
  by: { readonly settingsVersion: string; readonly engineVersion: string; readonly replica: string },
): { readonly stream: string; readonly sealed: SealedRecord; readonly keptBytes: number } => {
  const stream = `${REJECTED_STREAM_PREFIX}${one.name}`
  const at = new Date(one.atMs).toISOString()
  const raw = one.keepRaw && one.whole === undefined ? rawOf(one.bytes) : undefined
  const sealed = seal(
    {
      _id: eventId(stream, 1),
      stream,
      version: 1,
      schema: 1,
      type: "MessageRejected",
      state: "rejected",
      at,
      data: {
        code: one.code,
        message: one.message,
        fields: one.fields,
        length: one.whole?.length ?? one.bytes.length,
        sha256: one.whole?.sha256 ?? createHash("sha256").update(one.bytes).digest("hex"),
        ...raw,
        kept: raw !== undefined && one.bytes.length <= RAW_MAX_BYTES ? "whole" : raw !== undefined ? "cut" : "hash",
        transport: one.transport,
        subject: one.subject,
        sequence: one.sequence,
      },
      commands: [],
      settings_version: by.settingsVersion,
      engine_version: by.engineVersion,
      replica: by.replica,
      cause: "signal",
      trace: null,
      order: "",
      signal_id: "",
      strategy_id: "",
      symbol: "",
      market: "",
      side: "",
      order_type: "",
      quantity: null,
      price: null,
      stop_loss: null,
      take_profit: null,
      binance_order_id: null,
      status: "rejected",
      fill_price: null,
      filled_quantity: null,
      fees: null,
      open_quantity: "0",
      profit: null,
      reason: one.code,
      settled: true,
      done: true,
      parked: false,
      timestamp: at,
      created_at: at,
      simulation_mode: true,
      metadata: {},
    },
    CHAIN_START,
  )
  return { stream, sealed, keptBytes: raw === undefined ? 0 : Math.min(one.bytes.length, RAW_MAX_BYTES) }
}
