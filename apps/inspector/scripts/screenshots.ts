/**
 * `node apps/inspector/scripts/screenshots.ts [folder]`: pictures of the main views, light and dark, of the real service
 * with orders of many kinds, into docs/inspector/. They are looked at by people; no test depends on them.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { findChromium, launchChromium } from "../test/support/browser.ts"
import { startService } from "../test/support/service.ts"
import { everyKindOfOrder } from "../test/support/story.ts"

const folder = process.argv[2] ?? fileURLToPath(new URL("../../../docs/inspector", import.meta.url))
const path = findChromium()
if (path === undefined) throw new Error("No Chromium: install it (apt-get install chromium), or name one in CHROMIUM.")
mkdirSync(folder, { recursive: true })
const service = await startService()
const browser = await launchChromium(path)
try {
  const story = await everyKindOfOrder(service)
  const desk = { width: 1600, height: 1000 }
  const shoot = async (
    name: string,
    scheme: "light" | "dark",
    size: { readonly width: number; readonly height: number },
    at: string,
    act?: (page: Page) => Promise<void>,
  ): Promise<void> => {
    const page = await browser.newPage({ viewport: size, colorScheme: scheme })
    await page.goto(`${service.url}${at}`)
    await page.locator(".row").first().waitFor()
    await page.locator(".dot.on").waitFor()
    await act?.(page)
    // Counts come every second.
    await page.waitForTimeout(1300)
    await page.screenshot({ path: join(folder, `${name}-${scheme}.png`) })
    await page.close()
    process.stdout.write(`${name}-${scheme}.png\n`)
  }
  for (const scheme of ["light", "dark"] as const) {
    await shoot("overview", scheme, desk, "/inspector")
    await shoot("order", scheme, { width: 1600, height: 1400 }, `/inspector/orders/${story.closedByTarget}?at=7`, (page) =>
      page.locator(".next").waitFor(),
    )
    await shoot("why", scheme, { width: 1600, height: 1500 }, `/inspector/orders/${story.lostReply}`, (page) =>
      page.locator('[data-tab="why"]').click(),
    )
    await shoot(
      "compare",
      scheme,
      { width: 1600, height: 1300 },
      `/inspector/orders/${story.closedByTarget}?with=${story.refused}`,
      (page) => page.locator(".order.second .timeline").waitFor(),
    )
    await shoot("develop", scheme, desk, "/inspector", async (page) => {
      await page.locator("#tool-publish").click()
      await page.locator("#check").click()
      await page.locator(".result li").first().waitFor()
    })
    await shoot("phone", scheme, { width: 390, height: 844 }, `/inspector/orders/${story.filled}`, (page) =>
      page.locator(".order .time").scrollIntoViewIfNeeded(),
    )
  }
} finally {
  await browser.close()
  await service.stop()
}
