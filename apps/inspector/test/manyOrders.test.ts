/**
 * The list with many orders: what it reads and draws must not grow with how many there are. (How long it takes with 100,000
 * is measured by scripts/manyOrders.ts; here is counted, so that a slow machine changes nothing.)
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Row } from "../page/types.ts"
import { findChromium, launchChromium } from "./support/browser.ts"
import { livesOf, orderIdAt, STRATEGIES, writeMany } from "./support/manyOrders.ts"
import { type Service, startService } from "./support/service.ts"
import { everyKindOfOrder } from "./support/story.ts"

const COUNT = 2000
const PAGE_OF_ROWS = 200

const folder = mkdtempSync(join(tmpdir(), "petrosa-many-"))
let service: Service
let browser: Browser | undefined
beforeAll(async () => {
  const teller = await startService()
  let lives: Awaited<ReturnType<typeof livesOf>>
  try {
    lives = await livesOf(teller.env["SQLITE_FILE"] ?? "", await everyKindOfOrder(teller))
  } finally {
    await teller.stop()
  }
  const file = join(folder, "audit.sqlite")
  await writeMany(file, lives, COUNT)
  service = await startService({ SQLITE_FILE: file })
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await service?.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

interface List {
  readonly orders: readonly Row[]
  readonly next: string | null
}
const list = (query: string): Promise<List> => service.get<List>(`/inspector/data/orders?${query}`)

describe("searching many orders", { timeout: 60_000 }, () => {
  it("given each thing that can be asked for, then exactly those orders come, newest first", async () => {
    expect((await list(`search=${orderIdAt(7)}`)).orders.map(({ order }) => order)).toEqual([orderIdAt(7)])
    expect((await list(`search=${orderIdAt(7).slice(3, 15).toUpperCase()}`)).orders.map(({ order }) => order)).toEqual([orderIdAt(7)])
    expect((await list(`search=${orderIdAt(7)}&symbol=NOPE`)).orders).toEqual([])
    expect((await list("search=many-1234")).orders.map(({ signal_id }) => signal_id)).toEqual(["many-1234"])
    // Five kinds of lives in turn.
    const whole = async (query: string): Promise<number> => {
      let count = 0
      let last = "~"
      for (let cursor = ""; ; ) {
        const page = await list(`limit=500&${query}${cursor === "" ? "" : `&cursor=${cursor}`}`)
        for (const { created_at } of page.orders) {
          expect(created_at <= last).toBe(true)
          last = created_at
        }
        count += page.orders.length
        if (page.next === null) return count
        cursor = page.next
      }
    }
    expect(await whole("symbol=ETHUSDT")).toBe(COUNT / 5)
    expect(await whole("state=failed")).toBe((COUNT * 3) / 5)
    expect(await whole("reason=LOW_CONFIDENCE")).toBe(COUNT / 5)
    expect(await whole("strategy=strategy_7")).toBe(COUNT / STRATEGIES)
    expect(await whole("reason=HOLD&strategy=strategy_7")).toBe(0)
    expect(await whole("")).toBe(COUNT)
    const { orders } = await list("limit=500")
    const [newest, oldest] = [orders[100]?.created_at ?? "", orders[300]?.created_at ?? ""]
    expect(await whole(`since=${oldest}&until=${newest}`)).toBe(200)
  })
})

describe.skipIf(findChromium() === undefined)("the page with many orders", { timeout: 120_000 }, () => {
  it("given a long way down, then pages are read as they are needed, what is drawn stays small, and a live order redraws one row", async () => {
    browser = await launchChromium(findChromium() ?? "")
    const page: Page = await browser.newPage({ viewport: { width: 1500, height: 1000 } })
    const asked: string[] = []
    page.on("request", (request) => {
      if (request.url().includes("/data/orders?")) asked.push(request.url())
    })
    await page.goto(`${service.url}/inspector`)
    await page.locator(".dot.on").waitFor()
    await page.locator(".row").first().waitFor()
    // One for the list, one for the panel of live events.
    expect(asked.length).toBe(2)

    const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
      for (const deadline = Date.now() + 30_000; !(await holds()); await page.waitForTimeout(20))
        if (Date.now() > deadline) throw new Error(`in vain waited for: ${what}`)
    }
    const drawn = (): Promise<number> => page.locator(".row").count()
    const loaded = async (): Promise<number> => Number(await page.evaluate(`document.querySelector("#rows .sizer").offsetHeight / 58`))
    await page.locator("#rows").focus()
    for (let n = 1; n * PAGE_OF_ROWS < COUNT; n++) {
      await until(`${n} pages`, async () => (await loaded()) >= n * PAGE_OF_ROWS)
      await page.keyboard.press("End")
      expect(await drawn()).toBeLessThan(60)
    }
    await until("all of them", async () => (await loaded()) === COUNT)
    expect(asked.length).toBe(1 + COUNT / PAGE_OF_ROWS)

    await page.keyboard.press("Home")
    await until("the top", async () => Number(await page.evaluate(`document.querySelector("#rows").scrollTop`)) === 0)
    await page.locator(`.row[data-order="${orderIdAt(COUNT - 1)}"]`).waitFor()
    await page.evaluate(`
      window.made = 0
      new MutationObserver((changes) => { for (const { addedNodes } of changes) window.made += addedNodes.length })
        .observe(document.querySelector("#rows .sizer"), { childList: true })`)
    const order = await service.trade({ confidence: 0.1 })
    await page.locator(`.row[data-order="${order}"] .chip.s-failed`).waitFor()
    const made = Number(await page.evaluate("window.made"))
    expect(made).toBeGreaterThan(0)
    // Its own row, once for each batch of its events: not the twenty-five that can be seen, moved down by one.
    expect(made).toBeLessThan(8)
    await page.close()
  })
})
