/** The signal's own `metadata`, for the flat copy in documents. Pure. */

/** Larger metadata stays in SignalReceived only: it would be copied into every document of the order. */
export const METADATA_COPY_MAX_LENGTH = 4096

const EMPTY: Readonly<Record<string, unknown>> = {}

/** From the signal's extras (compact JSON text of one object, made by the decoder). */
export const metadataOf = (extras: string | undefined): Readonly<Record<string, unknown>> => {
  if (extras === undefined || extras.length > METADATA_COPY_MAX_LENGTH || !extras.includes('"metadata"')) return EMPTY
  const { metadata } = JSON.parse(extras) as { readonly metadata?: unknown }
  return typeof metadata === "object" && metadata !== null && !Array.isArray(metadata) ? (metadata as Record<string, unknown>) : EMPTY
}
