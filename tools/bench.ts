/** `npm run bench [-- --quick --store sqlite|mongodb --only throughput,latency --json FILE]`: see docs/bench.md. */
import { main } from "../bench/src/main.ts"

await main(process.argv.slice(2))
