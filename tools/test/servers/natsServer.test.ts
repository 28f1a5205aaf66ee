import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, it } from "vitest"
import { ensureNats } from "../../servers/ensureNats.ts"
import { tryLock } from "../../servers/fileLock.ts"
import { parseInfo, probeNats } from "../../servers/natsInfo.ts"
import { startNatsServer } from "../../servers/natsServer.ts"
import { freePort } from "../../servers/ports.ts"

const folders: Array<string> = []
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "petrosa-tools-test-"))
  folders.push(made)
  return made
}
afterEach(() => {
  for (const each of folders.splice(0)) rmSync(each, { recursive: true, force: true, maxRetries: 5 })
})

const until = async (what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> => {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await sleep(25)
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const natsAnswers = async (port: number): Promise<boolean> => (await probeNats(port))._tag === "Nats"

/** A process of its own that runs `program` (a module text) and prints one JSON line. */
const inAnotherProcess = async (program: string): Promise<{ pid: number; line: Record<string, unknown>; kill: () => void }> => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] })
  let text = ""
  child.stdout.on("data", (part) => {
    text += String(part)
  })
  await until("the other process prints its line", () => text.includes("\n") || child.exitCode !== null, 60_000)
  return { pid: child.pid ?? -1, line: JSON.parse(text) as Record<string, unknown>, kill: () => void child.kill("SIGKILL") }
}

const module = (file: string): string => JSON.stringify(fileURLToPath(new URL(`../../servers/${file}`, import.meta.url)))

describe("a NATS server for a test", () => {
  it("given it is started, when asked, then it answers with JetStream, and stop leaves nothing", async () => {
    const server = await startNatsServer()
    const probe = await probeNats(server.port)
    expect(probe).toMatchObject({ _tag: "Nats", info: { jetstream: true } })
    const { pid } = server
    await server.stop()
    expect(isAlive(pid)).toBe(false)
    expect(await probeNats(server.port)).toEqual({ _tag: "Nobody" })
    expect(existsSync(server.dir)).toBe(false)
  })

  it("given it was killed, when restarted, then it answers on the same port and folder with another pid", async () => {
    const server = await startNatsServer({ config: "max_payload: 2MB", syncAlways: true })
    const { pid, port, dir } = server
    await server.kill()
    expect(await natsAnswers(port)).toBe(false)
    await server.restart()
    expect(server.pid).not.toBe(pid)
    expect([server.port, server.dir]).toEqual([port, dir])
    expect(await natsAnswers(port)).toBe(true)
    await server.stop()
  })

  it("given its parent dies by kill -9, then the server ends and its temporary folder goes", async () => {
    const other = await inAnotherProcess(`
      import { startNatsServer } from ${module("natsServer.ts")}
      const server = await startNatsServer()
      console.log(JSON.stringify({ pid: server.pid, port: server.port, dir: server.dir }))
      setInterval(() => {}, 1000)`)
    const { pid, port, dir } = other.line as { pid: number; port: number; dir: string }
    expect(await natsAnswers(port)).toBe(true)
    other.kill()
    await until("the server has ended", () => !isAlive(pid))
    await until("its folder has gone", () => !existsSync(dir))
  })

  it("given a configuration that it refuses, when started, then the error holds its log", async () => {
    await expect(startNatsServer({ config: "no_such_setting: {", port: await freePort() })).rejects.toThrow(
      /nats-server ended before it was ready/,
    )
  })
})

describe("the NATS server of npm start", () => {
  it("given NATS_URL, then it is used as it is and nothing is started", async () => {
    const nats = await ensureNats({ natsUrl: " nats://elsewhere:4222 ", port: await freePort() })
    expect([nats.url, nats.source]).toEqual(["nats://elsewhere:4222", "configured"])
  })

  it("given nothing on the port, then one is started in the folder, a second caller uses it, and stop ends it", async () => {
    const port = await freePort()
    const dataDir = folder()
    const first = await ensureNats({ natsUrl: "", port, dataDir })
    expect(first.source).toBe("started")
    const second = await ensureNats({ natsUrl: "", port, dataDir: folder() })
    expect([second.url, second.source]).toEqual([first.url, "running"])
    await second.stop()
    expect(await natsAnswers(port)).toBe(true)
    await first.stop()
    expect(await natsAnswers(port)).toBe(false)
    expect(existsSync(join(dataDir, "jetstream"))).toBe(true)
  })

  it("given two callers at the same moment, then one starts it and the other uses it", async () => {
    const port = await freePort()
    const dataDir = folder()
    const both = await Promise.all([ensureNats({ natsUrl: "", port, dataDir }), ensureNats({ natsUrl: "", port, dataDir })])
    expect(both.map((each) => each.source).sort()).toEqual(["running", "started"])
    for (const each of both) await each.stop()
  })

  it("given a server without JetStream, or no NATS at all on the port, then the word is clear", async () => {
    const port = await freePort()
    const stranger = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    await new Promise<void>((resolve) => stranger.listen(port, "127.0.0.1", resolve))
    await expect(ensureNats({ natsUrl: "", port, dataDir: folder() })).rejects.toThrow(/not a NATS server/)
    await new Promise((resolve) => stranger.close(resolve))
    const bare = createServer((socket) => socket.write('INFO {"server_name":"x","version":"2.15.2"}\r\n'))
    await new Promise<void>((resolve) => bare.listen(port, "127.0.0.1", resolve))
    await expect(ensureNats({ natsUrl: "", port, dataDir: folder() })).rejects.toThrow(/without JetStream/)
    bare.close()
  })

  it("given the process that started it died by kill -9, when another starts at once, then it has a server of its own on the same data", async () => {
    const port = await freePort()
    const dataDir = folder()
    const other = await inAnotherProcess(`
      import { ensureNats } from ${module("ensureNats.ts")}
      const nats = await ensureNats({ natsUrl: "", port: ${port}, dataDir: ${JSON.stringify(dataDir)} })
      console.log(JSON.stringify({ source: nats.source }))
      setInterval(() => {}, 1000)`)
    expect(other.line.source).toBe("started")
    other.kill()
    await until("the process is gone", () => !isAlive(other.pid))
    const again = await ensureNats({ natsUrl: "", port, dataDir })
    expect(again.source).toBe("started")
    expect(await natsAnswers(port)).toBe(true)
    await again.stop()
  })
})

describe("the first line of a NATS server", () => {
  it.each([
    ['INFO {"server_name":"a","version":"2.15.2","jetstream":true}', true],
    ['INFO {"server_name":"a","version":"2.15.2"}', false],
  ])("given %s, then JetStream is %s", (line, jetstream) => {
    expect(parseInfo(line)).toMatchObject({ _tag: "Nats", info: { jetstream } })
  })
  it.each(["HTTP/1.1 200 OK", "INFO not json", ""])("given %j, then it is not NATS", (line) => {
    expect(parseInfo(line)).toEqual({ _tag: "Other" })
  })
})

describe("a lock between processes", () => {
  it("given one holder, then a second gets nothing until the first lets go, or dies", async () => {
    const file = join(folder(), "lock")
    const mine = tryLock(file)
    expect(mine).toBeDefined()
    expect(tryLock(file)).toBeUndefined()
    mine?.release()
    const other = await inAnotherProcess(`
      import { tryLock } from ${module("fileLock.ts")}
      globalThis.lock = tryLock(${JSON.stringify(file)})
      console.log(JSON.stringify({ held: globalThis.lock !== undefined }))
      setInterval(() => {}, 1000)`)
    expect(other.line.held).toBe(true)
    expect(tryLock(file)).toBeUndefined()
    other.kill()
    await until("the lock is free", () => {
      const lock = tryLock(file)
      lock?.release()
      return lock !== undefined
    })
  })

  it("is what the system says: no server of these tests is left", () => {
    const listed = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    expect(listed.split("\n").filter((line) => folders.some((each) => line.includes(each)))).toEqual([])
  })
})
