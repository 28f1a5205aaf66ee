/** The system's Chromium, driven by Playwright. Nothing is downloaded; without one the caller decides what that means. */
import { existsSync } from "node:fs"
import { type Browser, chromium } from "playwright-core"

const CANDIDATES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
]

/** The browser's path: CHROMIUM, or the first that is installed; `undefined`: none. */
export const findChromium = (): string | undefined => {
  const given = process.env["CHROMIUM"]
  if (given !== undefined && given !== "") return given
  return CANDIDATES.find((path) => existsSync(path))
}

export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      // Tests run as root in containers, where the sandbox cannot work; only pages of our own are opened.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  })
