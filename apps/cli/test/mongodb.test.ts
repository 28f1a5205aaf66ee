import { MongoEventStore } from "@petrosa/event-store"
import { describe, expect, it } from "vitest"
import { freshDatabase, requireMongo } from "../../../tools/servers/testing.ts"
import { cli } from "./run.ts"
import { story } from "./story.ts"

const mongo = await requireMongo()

describe.skipIf(mongo === undefined)("petrosa on MongoDB", () => {
  it("given orders in MongoDB, when read, then list, trail, replay and verify as on SQLite", async () => {
    const url = mongo?.url ?? ""
    const database = freshDatabase("petrosa_cli")
    const made = story({ id: "m-1" })
    const store = await MongoEventStore.open({ url, database })
    expect(await store.append([made.append])).toEqual([{ _tag: "Appended" }])
    await store.close()

    const env = { AUDIT_STORE: "mongodb", MONGODB_URL: url, MONGODB_DATABASE: database }
    const listed = await cli(["orders", "--json"], env)
    expect(JSON.parse(listed.out).orders).toMatchObject([{ order: made.order, state: "filled", profit: "-1.1" }])
    const trail = await cli(["trail", "m-1"], env)
    expect([trail.code, trail.err]).toEqual([0, ""])
    expect(trail.out).toContain("0.001 closed by stop")
    expect((await cli(["replay", made.order], env)).out).toContain("no difference")
    expect((await cli(["verify"], env)).out).toMatch(/^Whole: 1 stream, 12 events/)
  })

  it("given a database without a store, when read, then exit 2 and that there is none", async () => {
    const { code, err } = await cli(["orders"], { MONGODB_URL: mongo?.url ?? "", MONGODB_DATABASE: freshDatabase("petrosa_none") })
    expect([code, err]).toEqual([2, expect.stringContaining("holds no event store")])
  })
})

describe("petrosa without its MongoDB", () => {
  it("given a MongoDB that is not there, when read, then exit 2 within seconds, without the password", async () => {
    const { code, err } = await cli(["orders"], { MONGODB_URL: "mongodb://user:s3cr3t@127.0.0.1:9/?authSource=admin" })
    expect(code).toBe(2)
    expect(err).toContain("mongodb://***@127.0.0.1:9/ cannot be reached")
    expect(err).not.toContain("s3cr3t")
  })
})
