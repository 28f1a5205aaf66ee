import { pastOrders } from "./history.ts"
import { takeSample } from "./sample.ts"
const t = Date.now()
const sample = await takeSample()
const f = await pastOrders(1_000_000, sample, "/tmp", (s) => console.log(((Date.now() - t) / 1000).toFixed(0), s))
console.log(f, (Date.now() - t) / 1000)
