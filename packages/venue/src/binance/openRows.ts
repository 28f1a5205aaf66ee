/**
 * The rows of a list of open orders. A list is evidence that an order is NOT there (docs/design.md section 5), so a row that
 * cannot be read makes the whole answer unreadable, unless it certainly is somebody else's: an order that a person or another
 * program placed, of a kind that this version does not know. PURE.
 */
import { parseClientOrderId } from "@petrosa/contracts"
import { isObject, text } from "./exactJson.ts"
import type { JsonObject } from "./exactJson.ts"

/** `undefined`: the list cannot be relied on. */
export const openRows = <A>(
  rows: unknown,
  idField: "clientOrderId" | "clientAlgoId",
  decode: (row: JsonObject) => A | undefined,
): readonly A[] | undefined => {
  if (!Array.isArray(rows)) return undefined
  const decoded: A[] = []
  for (const row of rows) {
    const one = isObject(row) ? decode(row) : undefined
    if (one !== undefined) {
      decoded.push(one)
      continue
    }
    const clientId = isObject(row) ? text(row, idField) : undefined
    if (clientId === undefined || parseClientOrderId(clientId) !== undefined) return undefined
  }
  return decoded
}
