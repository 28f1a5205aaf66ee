/**
 * The connector classes with their two request methods overridden: own timestamp, exact JSON, keep-alive, hard time-outs,
 * no exception that leaves with a secret in it. Every other method of the connector is used as it is.
 *
 * Nothing is retried here, redirects are not followed (a signed request goes to one host only), proxies of the environment
 * are ignored, answers are bounded.
 */
import { Agent as HttpAgent } from "node:http"
import { Agent as HttpsAgent } from "node:https"
import type { Clock } from "./clock.ts"
import { Spot, UMFutures, axios, silentLogger } from "./connectors.ts"
import type { AxiosInstance, ConnectorBase, ConnectorClass, FuturesConnector, Options, SpotConnector } from "./connectors.ts"
import { JSON_MAX_LENGTH, parseExact } from "./exactJson.ts"
import type { Redactor } from "./redact.ts"
import type { Answered, Reply } from "./reply.ts"
import { unanswered } from "./reply.ts"
import { queryOf, signedQuery, signerOf } from "./signing.ts"
import type { Credentials } from "./signing.ts"

export interface ClientOptions {
  readonly baseUrl: string
  /** `undefined`: public requests only; a signed one is refused before it leaves. */
  readonly credentials: Credentials | undefined
  /** From the request to the end of its answer. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly redactor: Redactor
  /** The exchange's clock minus ours. */
  readonly offsetMs: () => number
}

/** A connector whose methods return {@link Reply} and never reject. */
export type Client<C extends ConnectorBase> = C & { closeConnections(): void }

/** Connections kept open to one host; a burst of protective orders needs no new handshakes. */
const SOCKETS_KEPT = 32

const clientClass = <C extends ConnectorBase>(Base: ConnectorClass<C>) => {
  // The connectors have no types that a class expression could extend as a generic; what is used of them is in ConnectorBase.
  const Connector = Base as unknown as ConnectorClass<ConnectorBase>
  return class extends Connector {
    readonly #options: ClientOptions
    readonly #axios: AxiosInstance
    readonly #agents: readonly [HttpAgent, HttpsAgent]
    readonly #sign: ReturnType<typeof signerOf> | undefined

    constructor(options: ClientOptions) {
      const { credentials, baseUrl, timeoutMs } = options
      super(credentials?.apiKey ?? "", credentials?.kind === "hmac" ? credentials.apiSecret : "", {
        baseURL: baseUrl,
        timeout: timeoutMs,
        logger: silentLogger,
      })
      this.#options = options
      this.#sign = credentials === undefined ? undefined : signerOf(credentials)
      const agent = { keepAlive: true, maxFreeSockets: SOCKETS_KEPT, noDelay: true, scheduling: "lifo" as const }
      this.#agents = [new HttpAgent(agent), new HttpsAgent(agent)]
      this.#axios = axios.create({
        timeout: timeoutMs,
        proxy: false,
        maxRedirects: 0,
        maxContentLength: JSON_MAX_LENGTH,
        httpAgent: this.#agents[0],
        httpsAgent: this.#agents[1],
        responseType: "text",
        // The text as it came: ids beyond 2^53 survive (binance.md 1.3.7).
        transformResponse: [(data: unknown) => data],
        validateStatus: () => true,
      })
    }

    override publicRequest(method: string, path: string, params: Options = {}): Promise<unknown> {
      const query = queryOf(params)
      return this.#send(method, query === "" ? path : `${path}?${query}`)
    }

    override async signRequest(method: string, path: string, params: Options = {}): Promise<unknown> {
      if (this.#sign === undefined) return { _tag: "Unanswered", notSent: true, code: "NO_CREDENTIALS" } satisfies Reply
      const { timestamp, ...rest } = params
      const { clock, offsetMs } = this.#options
      const timestampMs = typeof timestamp === "number" ? timestamp : clock.nowMs() + offsetMs()
      return this.#send(method, `${path}?${signedQuery(rest, timestampMs, this.#sign)}`)
    }

    async #send(method: string, path: string): Promise<Reply> {
      const { baseUrl, clock, credentials, redactor, timeoutMs } = this.#options
      const abort = new AbortController()
      // axios' own time-out counts silence; this one counts everything.
      const cancel = clock.after(timeoutMs, () => abort.abort())
      const sentAtMs = clock.nowMs()
      try {
        const answer = await this.#axios.request({
          method,
          // The futures connector gives whole addresses, the spot connector paths.
          url: path.startsWith("/") ? `${baseUrl}${path}` : path,
          headers: {
            "Content-Type": "application/json",
            "User-Agent": "petrosa-tradeengine",
            ...(credentials === undefined ? {} : { "X-MBX-APIKEY": credentials.apiKey }),
          },
          signal: abort.signal,
        })
        const text = typeof answer.data === "string" ? answer.data : ""
        return {
          _tag: "Answered",
          status: answer.status,
          headers: headersOf(answer.headers),
          text: redactor.clean(text.length > RAW_READ_LENGTH ? text.slice(0, RAW_READ_LENGTH) : text).slice(0, RAW_MAX_LENGTH),
          body: parseExact(text),
          sentAtMs,
          receivedAtMs: clock.nowMs(),
        } satisfies Answered
      } catch (error) {
        return unanswered(error)
      } finally {
        cancel()
      }
    }

    closeConnections(): void {
      for (const agent of this.#agents) agent.destroy()
    }
  }
}

/** What is kept of an answer as text, in characters. */
const RAW_MAX_LENGTH = 4_096
/** What is looked through for secrets: more than is kept, so that none is cut in two and half of it kept. */
const RAW_READ_LENGTH = 2 * RAW_MAX_LENGTH

const headersOf = (headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (typeof value === "string") found[name.toLowerCase()] = value
  return found
}

const SpotClient = clientClass<SpotConnector>(Spot)
const FuturesClient = clientClass<FuturesConnector>(UMFutures)

export const spotClient = (options: ClientOptions): Client<SpotConnector> => new SpotClient(options) as unknown as Client<SpotConnector>
export const futuresClient = (options: ClientOptions): Client<FuturesConnector> =>
  new FuturesClient(options) as unknown as Client<FuturesConnector>
