import { existsSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { accepts } from "../../servers/ports.ts"
import { freshDatabase, requireMongo } from "../../servers/testing.ts"
import { startMongoServer } from "../../servers/mongoServer.ts"

const mongo = await requireMongo({ own: true })

describe.skipIf(mongo === undefined)("a MongoDB for a test", () => {
  const server = mongo as NonNullable<typeof mongo>

  it("given it is started, when killed and restarted, then it answers on the same port and folder", async () => {
    expect(await accepts(server.port)).toBe(true)
    const { pid, port, dir } = server
    await server.kill()
    expect(await accepts(port)).toBe(false)
    await server.restart()
    expect(server.pid).not.toBe(pid)
    expect([server.port, server.dir]).toEqual([port, dir])
    expect(await accepts(port)).toBe(true)
  })

  it("given a second one, when stopped, then its folder is gone and the first is untouched", async () => {
    const second = await startMongoServer({ own: true })
    if ("skipped" in second) throw new Error(second.skipped)
    expect(second.port).not.toBe(server.port)
    await second.stop()
    expect(existsSync(second.dir)).toBe(false)
    expect(await accepts(server.port)).toBe(true)
  })
})

describe("names and given servers", () => {
  it("given MONGODB_URL, then it is used, and stop does nothing", async () => {
    const before = process.env.MONGODB_URL
    process.env.MONGODB_URL = "mongodb://elsewhere:27017/"
    try {
      const given = await startMongoServer()
      expect(given).toMatchObject({ kind: "given", url: "mongodb://elsewhere:27017/" })
    } finally {
      if (before === undefined) delete process.env.MONGODB_URL
      else process.env.MONGODB_URL = before
    }
  })

  it("given two fresh databases, then their names differ and are legal", () => {
    const names = [freshDatabase(), freshDatabase("x")]
    expect(new Set(names).size).toBe(2)
    for (const name of names) expect(name).toMatch(/^[a-z0-9_]{1,63}$/)
  })
})
