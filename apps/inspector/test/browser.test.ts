/**
 * The page in a real browser (the system's Chromium, driven by Playwright) against the real service: each use of it once.
 * Without a browser these are skipped, loudly; where one is promised (CI=true and CHROMIUM set) that is a failure.
 */
import type { Browser, Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { isCi } from "../../../tools/servers/testing.ts"
import { findChromium, launchChromium } from "./support/browser.ts"
import { type Service, startService } from "./support/service.ts"
import { everyKindOfOrder, type Story } from "./support/story.ts"

const path = findChromium()
if (path === undefined) {
  if (isCi() && process.env["CHROMIUM"] !== undefined) throw new Error("CI=true promises a browser in CHROMIUM, and there is none")
  process.stderr.write(
    "\n!!! SKIPPED: the inspector's page is not tested: no Chromium (apt-get install chromium, or CHROMIUM=/path/to/it)\n\n",
  )
}

describe.skipIf(path === undefined)("the inspector's page", { timeout: 120_000 }, () => {
  let service: Service
  let story: Story
  let browser: Browser
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    service = await startService()
    story = await everyKindOfOrder(service)
    browser = await launchChromium(path ?? "")
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
  })
  beforeEach(async () => {
    complaints = []
    page = await browser.newPage({ viewport: { width: 1500, height: 1000 } })
    page.setDefaultTimeout(20_000)
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
    })
    page.on("request", (request) => {
      if (!request.url().startsWith(service.url)) complaints.push(`a request to ${request.url()}`)
    })
  })
  afterEach(async () => {
    await page.close()
    expect(complaints).toEqual([])
  })
  const open = async (at = "/inspector"): Promise<void> => {
    await page.goto(`${service.url}${at}`)
    await page.locator(".dot.on").waitFor()
  }
  /** Waits until the list shows that many rows. (Playwright's own waiting for functions needs eval, which the page forbids.) */
  const rows = async (wanted: (count: number) => boolean): Promise<void> => {
    for (const deadline = Date.now() + 20_000; !wanted(await page.locator(".row").count()); await page.waitForTimeout(20))
      if (Date.now() > deadline) throw new Error(`the list has ${await page.locator(".row").count()} rows`)
  }
  const row = (order: string) => page.locator(`.row[data-order="${order}"]`)
  const version = (order = ".order") => page.locator(`${order} .step[aria-current="step"]`).getAttribute("data-version")

  it("given orders, then the machine shows how many are where, failures by reason, and it is there within a second", async () => {
    await open()
    await page.locator('[data-node="protection:covered"].busy').waitFor()
    await page.locator('[data-node="entry:working"].busy').waitFor()
    await page.locator('.reasons [data-reason="LOW_CONFIDENCE"]').waitFor()
    await row(story.filled).waitFor()
    // The quickest of three whole loads: what else this machine does is not the page's.
    const paints: number[] = []
    for (let n = 0; n < 3; n++) {
      const fresh = await browser.newContext()
      const other = await fresh.newPage()
      await other.goto(`${service.url}/inspector`)
      await other.locator(".row").first().waitFor()
      paints.push(
        await other.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.POSITIVE_INFINITY),
      )
      await fresh.close()
    }
    expect(Math.min(...paints)).toBeLessThan(1000)
  })

  it("given a page that looks, when a signal is published with the form, then it is checked, published, drawn and listed live", async () => {
    await open()
    await page.locator("#tool-publish").click()
    await page.locator("select[aria-label=Example]").selectOption("Sell short")
    await page.locator("#check").click()
    await page.locator(".result", { hasText: "EntryIntended" }).waitFor()
    const before = await page.locator(".row").count()
    await page.locator("#publish").click()
    await page.locator(".result", { hasText: "Settled" }).waitFor()
    await page.locator(".order .names", { hasText: "sell" }).waitFor()
    await rows((n) => n > before)
    expect(page.url()).toMatch(/\/inspector\/orders\/[0-9a-z]{20}$/)
    await page.locator('[data-node="protection:covered"].now').waitFor()
  })

  it("given an order, when the slider and the arrow keys move in time, then state, context and the address follow, and the link can be shared", async () => {
    await open(`/inspector/orders/${story.closedByTarget}`)
    await page.locator(".order .step").nth(11).waitFor()
    expect(await version()).toBe("12")
    await page.keyboard.press("Home")
    expect(await version()).toBe("1")
    for (let n = 0; n < 6; n++) await page.keyboard.press("ArrowRight")
    expect(await version()).toBe("7")
    expect(page.url()).toContain("?at=7")
    await page.locator(".changes", { hasText: "legs.0.status" }).waitFor()
    await page.locator('[data-node="protection:growing"].now').waitFor()
    await page.locator(".next", { hasText: "TargetAccepted" }).waitFor()
    await page.reload()
    await page.locator('.step[aria-current="step"][data-version="7"]').waitFor()
    await page.locator("input.slider").fill("4")
    expect(await version()).toBe("4")
    await page.locator("summary", { hasText: "Raw event" }).click()
    await page.locator(".panel", { hasText: "the hash is the one of this text" }).waitFor()
    await page.locator("pre", { hasText: "EntryIntended" }).waitFor()
  })

  it("given an order, when it is asked why, then the page says what `petrosa why` says", async () => {
    await open(`/inspector/orders/${story.declined}`)
    await page.locator('[data-tab="why"]').click()
    await page.locator(".answer", { hasText: "LOW_CONFIDENCE" }).waitFor()
    await page.locator(".again", { hasText: "decides the same" }).waitFor()
    await page.locator(".rule", { hasText: "limit MIN_CONFIDENCE 0.5" }).waitFor()
  })

  it("given two orders, then they stand side by side, each with its own time", async () => {
    await open(`/inspector/orders/${story.filled}`)
    await page.locator(".order .timeline").waitFor()
    await row(story.refused).click({ modifiers: ["Control"] })
    await page.locator(".order.second .chip.s-failed").first().waitFor()
    expect(page.url()).toContain(`with=${story.refused}`)
    await page.locator(".order.second button[aria-label^='First step']").click()
    expect(await version(".order.second")).toBe("1")
    expect(await version(".order:not(.second)")).toBe("9")
    await page.locator('[data-edge="entry:sending>working"].seen').waitFor()
  })

  it("given a search and filters, then the list has what they ask for, by keyboard too", async () => {
    await open()
    await row(story.filled).waitFor()
    await page.keyboard.press("/")
    await page.keyboard.type("low_confidence")
    await rows((n) => n === 1)
    await page.locator("#rows").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.locator(".order .reason", { hasText: "LOW_CONFIDENCE" }).waitFor()
    await page.keyboard.press("Escape")
    await page.locator(".live-panel").waitFor()
    expect(page.url()).toBe(`${service.url}/inspector`)
  })

  it("given a lot, when the venue's price is moved by hand through its target, then the open page shows it close", async () => {
    const lot = await service.trade({
      strategy_id: "moved_by_hand",
      symbol: "BNBUSDT",
      price: 600,
      quantity: 1,
      stop_loss: 580,
      take_profit: 620,
    })
    await open(`/inspector/orders/${lot}`)
    await page.locator('[data-node="protection:covered"].now').waitFor()
    await page.locator("#tool-venue").click()
    await page.locator('input[aria-label="Symbol"]').last().fill("BNBUSDT")
    await page.locator('input[aria-label="Price"]').fill("625")
    await page.locator("#move").click()
    await page.locator(".order .type", { hasText: "LotClosed" }).waitFor()
    await page.locator('[data-node="protection:closed"].now').waitFor()
  })

  it("given a phone, in the dark, then nothing is wider than the screen, and everything that can be pressed has a name", async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.emulateMedia({ colorScheme: "dark" })
    await open(`/inspector/orders/${story.filled}`)
    await page.locator(".order .timeline").waitFor()
    const wide = await page.evaluate("document.documentElement.scrollWidth")
    expect(wide).toBeLessThanOrEqual(390)
    const nameless = await page.evaluate(`
      [...document.querySelectorAll("button, input, select, textarea, [role=button]")]
        .filter((one) => one.closest("[hidden]") === null && one.closest("label") === null)
        .filter((one) => (one.getAttribute("aria-label") ?? one.textContent.trim()) === "")
        .map((one) => one.outerHTML.slice(0, 100))`)
    expect(nameless).toEqual([])
  })
})
