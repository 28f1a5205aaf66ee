/**
 * What the processes on one store ask each other on plain NATS, for live pages: who is there, and what do you hold?
 *
 * It is news: an answer may be missing, and nothing that acts depends on one. Nothing is sent while nobody asks.
 */
import { createInbox } from "nats"
import { type Broker } from "./connection.ts"
import { INQUIRY_PREFIX } from "./subjects.ts"
import { safeToken } from "./tokens.ts"

/** An answer longer than this is not listened to. */
export const ANSWER_MAX_BYTES = 64 * 1024

export interface Inquiry {
  /** Answers whoever asks, this process included, with what `make` returns, as JSON; the result ends it. */
  answer(make: () => unknown): () => void
  /** `onAnswer` hears what comes to each `again()`, for as long as it takes to come. */
  ask(onAnswer: (replica: string, answer: unknown) => void): { again(): void; stop(): void }
}

/** The inquiries of the processes on this store; those of other stores on the same NATS are not heard. */
export const inquiryOf = (broker: Broker, storeId: string, replica: string): Inquiry => {
  const subject = `${INQUIRY_PREFIX}.${safeToken(storeId)}`
  return {
    answer: (make) => {
      const subscription = broker.nc.subscribe(subject, {
        callback: (error, message) => {
          if (error === null && broker.connected) message.respond(JSON.stringify({ replica, answer: make() }))
        },
      })
      return () => subscription.unsubscribe()
    },
    ask: (onAnswer) => {
      const inbox = createInbox()
      const subscription = broker.nc.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null || message.data.length > ANSWER_MAX_BYTES) return
          const found = readAnswer(message.data)
          if (found !== undefined) onAnswer(found.replica, found.answer)
        },
      })
      return {
        again: () => {
          if (broker.connected) broker.nc.publish(subject, undefined, { reply: inbox })
        },
        stop: () => subscription.unsubscribe(),
      }
    },
  }
}

const readAnswer = (data: Uint8Array): { readonly replica: string; readonly answer: unknown } | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data))
    if (typeof value !== "object" || value === null) return undefined
    const { replica, answer } = value as { readonly replica?: unknown; readonly answer?: unknown }
    return typeof replica === "string" ? { replica, answer } : undefined
  } catch {
    return undefined
  }
}
