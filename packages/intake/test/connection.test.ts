import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { startNatsServer } from "../../../tools/servers/natsServer.ts"
import { requireNats } from "../../../tools/servers/testing.ts"
import { type BrokerEvent, type BrokerOptions, connectBroker, ensureStreams } from "../src/index.ts"
import { ready, testStreams, until } from "./support.ts"

const dir = mkdtempSync(join(tmpdir(), "petrosa-intake-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Connects, or says after so many attempts why not. */
const tryConnect = async (options: Partial<BrokerOptions> & { servers: string }, attempts = 2): Promise<string> => {
  const problems: string[] = []
  const abort = new AbortController()
  const result = await connectBroker({
    name: "auth",
    firstWaitMs: 10,
    connectTimeoutMs: 2000,
    signal: abort.signal,
    onWaiting: (attempt, problem) => {
      problems.push(problem)
      if (attempt >= attempts) abort.abort()
    },
    ...options,
  })
  if (result._tag === "Refused") return `${result.code}: ${result.message}`
  if (result._tag === "Aborted") return `waiting: ${problems.at(-1)}`
  await result.broker.nc.flush()
  await result.broker.close()
  return "connected"
}

describe("logging in", async () => {
  const users = await requireNats({ config: 'authorization { users: [ { user: "bot", password: "s3cret pass" } ] }' })
  const tokens = await requireNats({ config: 'authorization { token: "tok-en" }' })
  const bare = (url: string) => `nats://127.0.0.1:${new URL(url).port}`

  test("given user and password, right, in the address, wrong, or none, then only the right ones connect, and the rest wait and say why", async () => {
    const servers = bare(users.url)
    expect(await tryConnect({ servers, user: "bot", password: "s3cret pass" })).toBe("connected")
    expect(await tryConnect({ servers: servers.replace("//", "//bot:s3cret%20pass@") })).toBe("connected")
    expect(await tryConnect({ servers, user: "bot", password: "wrong" })).toMatch(/^waiting: .*Authorization/i)
    expect(await tryConnect({ servers })).toMatch(/^waiting: .*Authorization/i)
  })

  test("given a token, right, in the address, or wrong, then likewise", async () => {
    const servers = bare(tokens.url)
    expect(await tryConnect({ servers, token: "tok-en" })).toBe("connected")
    expect(await tryConnect({ servers: servers.replace("//", "//tok-en@") })).toBe("connected")
    expect(await tryConnect({ servers, token: "other" })).toMatch(/^waiting: .*Authorization/i)
  })

  test("given settings that can never work, then they are refused at once, without repeating a secret", async () => {
    const servers = bare(users.url)
    expect(await tryConnect({ servers, user: "bot", password: "x", token: "y" })).toBe(
      "CREDENTIALS_AMBIGUOUS: Only one way to log in to NATS can be used; given are: user and password, token.",
    )
    expect(await tryConnect({ servers, credsFile: join(dir, "absent.creds") })).toMatch(/^FILE_UNREADABLE: .*absent\.creds/)
    expect(await tryConnect({ servers: "http://user:hunter2@host" })).toMatch(/^BAD_ADDRESS: (?!.*hunter2)/)
  })
})

describe("a first connection that is not there yet", () => {
  test("given no server, then it waits and says so each time, and connects once it is there", async () => {
    const first = await startNatsServer()
    const { url } = first
    await first.kill()
    const said: string[] = []
    const connecting = connectBroker({
      servers: url,
      name: "early",
      firstWaitMs: 20,
      onWaiting: (attempt, problem) => said.push(`${attempt} ${problem}`),
    })
    await until("it said so three times", () => said.length >= 3)
    expect(said[0]).toMatch(/^1 .*REFUSED/)
    await first.restart()
    const result = await connecting
    expect(result._tag).toBe("Connected")
    if (result._tag !== "Connected") return
    const events: BrokerEvent[] = []
    result.broker.onEvent((e) => events.push(e))
    await first.kill()
    await until("the loss is told", () => events.length === 1)
    expect(await ensureStreams(result.broker, testStreams())).toMatchObject({ _tag: "Away" })
    expect(await result.broker.flush(100)).toBe(false)
    await first.restart()
    await until("the return is told", () => events.length === 2)
    expect(events.map((e) => e.type)).toEqual(["disconnected", "connected"])
    expect(await result.broker.flush(1000)).toBe(true)
    await result.broker.close()
    await until("the end is told", () => events.length === 3)
    expect(events[2]).toEqual({ type: "closed" })
    await first.stop()
  })

  test("given it is told to stop while it waits, then it stops", async () => {
    const abort = new AbortController()
    const connecting = connectBroker({ servers: "nats://127.0.0.1:1", name: "x", signal: abort.signal, onWaiting: () => abort.abort() })
    expect(await connecting).toEqual({ _tag: "Aborted" })
  })
})

describe("TLS", async () => {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: "ignore" })
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test-ca")
  for (const name of ["server", "client"]) {
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`)
    writeFileSync(join(dir, "san.cnf"), "subjectAltName=IP:127.0.0.1,DNS:localhost")
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-out",
      `${name}.pem`,
      "-days",
      "2",
      "-extfile",
      "san.cnf",
    )
  }
  const file = (name: string) => join(dir, name)
  const server = await requireNats({
    config: `tls { cert_file: "${file("server.pem")}", key_file: "${file("server.key")}", ca_file: "${file("ca.pem")}", verify: true }`,
  })
  const servers = `tls://127.0.0.1:${server.port}`

  test("given our authority, certificate and key, then it connects and the streams can be made", async () => {
    const result = await connectBroker({
      servers,
      name: "tls",
      tls: { caFile: file("ca.pem"), certFile: file("client.pem"), keyFile: file("client.key") },
    })
    if (result._tag !== "Connected") throw new Error(JSON.stringify(result))
    expect((await ready(result.broker)).changes).toHaveLength(4)
    await result.broker.close()
  })

  test("given an unknown authority, no client certificate, or a file that is not there, then it does not connect, and says why", async () => {
    expect(await tryConnect({ servers })).toMatch(/^waiting: .*certificate/i)
    expect(await tryConnect({ servers, tls: { caFile: file("ca.pem") } }, 1)).toMatch(/^waiting: /)
    expect(await tryConnect({ servers, tls: { caFile: file("no.pem") } })).toMatch(/^FILE_UNREADABLE/)
  })
})
