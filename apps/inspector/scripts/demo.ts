/**
 * `node apps/inspector/scripts/demo.ts [port]`: the real service in a folder of its own with orders of many kinds, for
 * looking at the inspector while working on it. Ctrl-C ends it and throws the folder away.
 */
import { everyKindOfOrder } from "../test/support/story.ts"
import { startService } from "../test/support/service.ts"

const service = await startService({ HTTP_PORT: process.argv[2] ?? "8010" })
await everyKindOfOrder(service)
process.stdout.write(`${service.url}/inspector\n${JSON.stringify(service.env)}\n`)
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => void service.stop().then(() => process.exit(0)))
