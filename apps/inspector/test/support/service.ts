/**
 * The real service for tests of the page and for screenshots: a NATS server, a store and a paper venue of its own, in a
 * folder that is thrown away. Signals go in by HTTP, as a bot's would.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { startNatsServer } from "../../../../tools/servers/natsServer.ts"

const MAIN = fileURLToPath(new URL("../../../tradeengine/src/main.ts", import.meta.url))
const READY_MS = 60_000

export type Body = Readonly<Record<string, unknown>>

export interface Service {
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  /** POST /trade: resolves with our order id when the order is settled or rests. */
  trade(change?: Body): Promise<string>
  post(path: string, body: unknown): Promise<Response>
  get<A>(path: string): Promise<A>
  stop(): Promise<void>
}

let made = 0
/** A signal of its own id and strategy, so that it stands in nobody's way. */
export const signal = (change: Body = {}): Body => {
  made += 1
  const id = `demo-${made}-${Date.now().toString(36)}`
  return {
    strategy_id: `demo_${made}`,
    signal_id: id,
    symbol: "BTCUSDT",
    action: "buy",
    confidence: 0.85,
    price: 50000,
    quantity: 0.01,
    timestamp: new Date().toISOString(),
    ...change,
  }
}

export const startService = async (env: Readonly<Record<string, string>> = {}): Promise<Service> => {
  const nats = await startNatsServer()
  const folder = mkdtempSync(join(tmpdir(), "petrosa-inspector-"))
  const full: Record<string, string> = {
    NATS_URL: nats.url,
    HTTP_PORT: "0",
    SQLITE_FILE: join(folder, "audit.sqlite"),
    PAPER_VENUE_FILE: join(folder, "paper.sqlite"),
    MAX_OPEN_POSITIONS: "100000",
    SIMULATION_BALANCE_USDT: "10000000",
    LOG_LEVEL: "info",
    ...env,
  }
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...full },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve))
      child.kill("SIGTERM")
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000)
      await ended
      clearTimeout(late)
    }
    await nats.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    const url = await ready(child)
    const post = (path: string, body: unknown): Promise<Response> =>
      fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })
    const get = async <A>(path: string): Promise<A> => {
      const response = await fetch(`${url}${path}`)
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as A
    }
    return {
      url,
      env: full,
      post,
      get,
      stop,
      trade: async (change) => {
        const body = signal(change)
        await (await post("/trade", body)).text()
        for (let n = 0; n < 200; n++) {
          const page = await get<{ readonly orders: readonly { readonly order: string; readonly signal_id: string }[] }>(
            `/inspector/data/orders?search=${String(body["signal_id"])}`,
          )
          const found = page.orders.find((row) => row.signal_id === body["signal_id"])
          if (found !== undefined) return found.order
          await sleep(50)
        }
        throw new Error(`the signal ${String(body["signal_id"])} became no order`)
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The URL that the engine names in its log when it is at work. */
const ready = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let out = ""
    const late = setTimeout(() => reject(new Error(`the engine is not ready after ${READY_MS} ms: ${out.slice(-2000)}`)), READY_MS)
    const read = (part: Buffer): void => {
      out = (out + part.toString()).slice(-20_000)
      const line = out.split("\n").find((one) => one.includes('"msg":"ready"'))
      const url = line === undefined ? undefined : /"url":"([^"]+)"/.exec(line)?.[1]
      if (url === undefined) return
      clearTimeout(late)
      resolve(url)
    }
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
    child.once("exit", (code) => {
      clearTimeout(late)
      reject(new Error(`the engine ended with ${code}: ${out.slice(-2000)}`))
    })
  })
