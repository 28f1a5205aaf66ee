/** Talking to the engine: JSON, and the feed. With HTTP_TOKEN set the page asks for it once and sends it with everything. */
import type { Counts, Row, Transition } from "./types.ts"

const TOKEN = "petrosa-token"
let token = sessionStorage.getItem(TOKEN) ?? ""

export class Refused extends Error {
  readonly status: number
  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

const headers = (): Record<string, string> => (token === "" ? {} : { authorization: `Bearer ${token}` })

let asking: Promise<boolean> | undefined
/** Shows the token's form; resolves when one was given. */
let askToken: () => Promise<string> = () => Promise.resolve("")
export const onToken = (ask: () => Promise<string>): void => {
  askToken = ask
}
const wantToken = (): Promise<boolean> =>
  (asking ??= askToken().then((given) => {
    token = given
    sessionStorage.setItem(TOKEN, given)
    asking = undefined
    return given !== ""
  }))

const call = async (path: string, init: RequestInit): Promise<Response> => {
  const response = await fetch(path, { ...init, headers: { ...headers(), ...(init.headers as Record<string, string> | undefined) } })
  return response.status === 401 && (await wantToken()) ? call(path, init) : response
}

const read = async <A>(response: Response): Promise<A> => {
  const text = await response.text()
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new Refused(response.status, text.slice(0, 200) || response.statusText)
  }
  if (!response.ok) {
    const { detail } = body as { readonly detail?: unknown }
    throw new Refused(response.status, typeof detail === "string" ? detail : JSON.stringify(detail))
  }
  return body as A
}

export const get = async <A>(path: string, signal?: AbortSignal): Promise<A> =>
  read<A>(await call(path, signal === undefined ? {} : { signal }))

/** `body`: text that is sent as it is (a signal's numbers are taken from its source text). */
export const post = async <A>(path: string, body: string): Promise<A> =>
  read<A>(await call(path, { method: "POST", body, headers: { "content-type": "application/json" } }))

export interface Batch {
  /** The newest ones. */
  readonly transitions: readonly Transition[]
  readonly rows: readonly Row[]
  /** Arrows of the graph that orders went along, as `entry:sending>over`. */
  readonly arrows: readonly string[]
  /** How many transitions there were beside those. */
  readonly more: number
}

export interface FeedListener {
  hello(data: { readonly replica: string; readonly version: string; readonly mode: string }): void
  batch(data: Batch): void
  counts(data: Counts): void
  /** Something was lost: what is shown has to be loaded anew. */
  reload(): void
  state(connected: boolean): void
}

const RETRY_MS = [500, 1000, 2000, 5000]

/** Reads the feed for ever; after a break it begins again, and says `reload`. */
export const listen = async (listener: FeedListener): Promise<never> => {
  for (let tries = 0, first = true; ; ) {
    try {
      const response = await call("/inspector/feed", {})
      if (!response.ok || response.body === null) throw new Refused(response.status, "no feed")
      tries = 0
      listener.state(true)
      if (!first) listener.reload()
      first = false
      await readFrames(response.body, listener)
    } catch {
      // The engine stops, or the network is away: what comes next is another try.
    }
    listener.state(false)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]))
    tries += 1
  }
}

const readFrames = async (body: ReadableStream<Uint8Array>, listener: FeedListener): Promise<void> => {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader()
  let rest = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const frames = (rest + value).split("\n\n")
    rest = frames.pop() ?? ""
    for (const frame of frames) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(frame) ?? []
      if (event === undefined || data === undefined) continue
      const parsed: unknown = JSON.parse(data)
      if (event === "hello") listener.hello(parsed as never)
      else if (event === "batch") listener.batch(parsed as never)
      else if (event === "counts") listener.counts(parsed as never)
      else if (event === "reload") listener.reload()
    }
  }
}
