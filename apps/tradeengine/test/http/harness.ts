/** The HTTP server with a fake engine, as each test file of the API starts it: one server for the file, fresh answers for each test. */
import { request as rawRequest } from "node:http"
import { afterAll, beforeAll, beforeEach } from "vitest"
import type { HttpOptions, RunningHttp } from "../../src/http/index.ts"
import { startHttp } from "../../src/http/index.ts"
import { fakeEngine } from "./fakeEngine.ts"

/** The specification's curl line, word for word: its body and its header. */
export const CURL_BODY =
  '{"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.8, "price": 50000, "quantity": 0.001}'
export const JSON_TYPE = { "content-type": "application/json" }

export const engine = fakeEngine()
export const logged: { level: string; fields: object; message: string }[] = []
const log: HttpOptions["log"] = {
  info: (fields, message) => logged.push({ level: "info", fields, message }),
  warn: (fields, message) => logged.push({ level: "warn", fields, message }),
  error: (fields, message) => logged.push({ level: "error", fields, message }),
}
export const start = (change: Partial<HttpOptions> = {}): Promise<RunningHttp> =>
  startHttp({ host: "127.0.0.1", port: 0, engine, mode: "simulation", log, graceMs: 200, ...change })

let http: RunningHttp
export const url = (): string => http.url
export const get = (path: string, headers: Record<string, string> = {}) => fetch(http.url + path, { headers })
export const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = JSON_TYPE) =>
  fetch(http.url + path, { method: "POST", headers, body })

/** A request whose headers fetch does not let one set. */
export const raw = (options: { path: string; method?: string; headers?: Record<string, string>; url?: string }) =>
  new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const to = new URL(options.url ?? http.url)
    const call = rawRequest(
      {
        host: to.hostname.replace(/^\[|\]$/g, ""),
        port: to.port,
        path: options.path,
        method: options.method ?? "GET",
        headers: options.headers ?? {},
      },
      (response) => {
        let body = ""
        response.on("data", (chunk: Buffer) => {
          body += chunk.toString()
        })
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
      },
    )
    call.on("error", reject)
    call.end()
  })

/** To be called once at the top of a test file. */
export const serveForThisFile = (): void => {
  beforeAll(async () => {
    http = await start()
  })
  afterAll(() => http.close())
  beforeEach(() => {
    Object.assign(engine.answers, fakeEngine().answers)
    engine.calls.length = 0
    logged.length = 0
  })
}
