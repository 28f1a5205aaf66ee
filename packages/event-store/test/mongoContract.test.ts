import { MongoClient } from "mongodb"
import { describe } from "vitest"
import { freshDatabase, requireMongo } from "../../../tools/servers/testing.ts"
import { MongoEventStore } from "../src/index.ts"
import { eventStoreContract } from "../src/testing/index.ts"

const mongo = await requireMongo()

describe.skipIf(mongo === undefined)("on a MongoDB server", () => {
  eventStoreContract("mongodb", async () => {
    const url = mongo?.url ?? ""
    const database = freshDatabase("petrosa_store")
    const withClient = async (run: (client: MongoClient) => Promise<unknown>): Promise<void> => {
      const client = new MongoClient(url)
      await run(client)
      await client.close()
    }
    return {
      open: (options) => MongoEventStore.open({ url, database, ...options }),
      sharedByWriters: true,
      dropProjection: () => withClient((client) => client.db(database).collection("orders").drop()),
      dispose: () => withClient((client) => client.db(database).dropDatabase()),
    }
  })
})
