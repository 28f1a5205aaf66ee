/**
 * The page's files, read once and kept compressed: `index.html`, its style sheets, and `page.js`, which is bundled from `page/`
 * by `scripts/build.ts` and committed (a test says whether it is up to date), so that nothing is built at start.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { gzipSync } from "node:zlib"
import { end, SECURITY_HEADERS, takesGzip } from "./reply.ts"

const FILES = {
  "index.html": { at: "../../page/index.html", type: "text/html; charset=utf-8" },
  "frame.css": { at: "../../page/frame.css", type: "text/css; charset=utf-8" },
  "machine.css": { at: "../../page/machine.css", type: "text/css; charset=utf-8" },
  "orders.css": { at: "../../page/orders.css", type: "text/css; charset=utf-8" },
  "narrow.css": { at: "../../page/narrow.css", type: "text/css; charset=utf-8" },
  "page.js": { at: "../../generated/page.js", type: "text/javascript; charset=utf-8" },
  "stately.html": { at: "../../page/stately.html", type: "text/html; charset=utf-8" },
  "stately.js": { at: "../../generated/stately.js", type: "text/javascript; charset=utf-8" },
  "icon.svg": { at: "../../page/icon.svg", type: "image/svg+xml" },
} as const
export type AssetName = keyof typeof FILES

export const isAssetName = (name: string): name is AssetName => Object.hasOwn(FILES, name)

/** The one page that may show another: the Stately inspector's own, when somebody asks for it there. */
const FRAMES_STATELY = `${SECURITY_HEADERS["content-security-policy"]}; frame-src https://stately.ai`

interface Asset {
  readonly body: Buffer
  readonly packed: Buffer
  readonly etag: string
  readonly type: string
}

export class Assets {
  readonly #files = new Map<AssetName, Asset>()

  /** Throws when the package is not whole. */
  get(name: AssetName): Asset {
    const known = this.#files.get(name)
    if (known !== undefined) return known
    const body = readFileSync(new URL(FILES[name].at, import.meta.url))
    const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 20)}"`
    const asset: Asset = { body, packed: gzipSync(body, { level: 9 }), etag, type: FILES[name].type }
    this.#files.set(name, asset)
    return asset
  }

  send(request: IncomingMessage, response: ServerResponse, name: AssetName): void {
    const { body, packed, etag, type } = this.get(name)
    const policy = name === "stately.html" ? { "content-security-policy": FRAMES_STATELY } : {}
    const headers = { ...SECURITY_HEADERS, ...policy, "cache-control": "no-cache", etag, vary: "accept-encoding" }
    if (request.headers["if-none-match"] === etag) {
      end(request, response, 304, headers, Buffer.alloc(0))
      return
    }
    const small = takesGzip(request)
    const sent = small ? packed : body
    end(
      request,
      response,
      200,
      { ...headers, "content-type": type, "content-length": String(sent.length), ...(small ? { "content-encoding": "gzip" } : {}) },
      sent,
    )
  }
}
