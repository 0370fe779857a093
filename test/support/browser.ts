// Headless Chromium for browser tests.
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { CHROMIUM } from './needs.ts'

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ARGS })

export interface WatchedPage {
  readonly page: Page
  /** Errors of the console and of scripts, refused by the content security policy included. */
  readonly errors: readonly string[]
  /** Everything that the page asked for. */
  readonly urls: readonly string[]
}

/** A page of its own, small so that software rendering is quick. */
export async function openWatched(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: 640, height: 400 },
    locale: 'en-US',
    ...options,
  })
  const page = await context.newPage()
  const errors: string[] = []
  const urls: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('request', (request) => urls.push(request.url()))
  page.on('websocket', (socket) => urls.push(socket.url()))
  await page.goto(url)
  return { page, errors, urls }
}

/** How long anything may take that a page does, with software rendering on a busy machine. */
export const WITHIN = { timeout: 15_000, interval: 50 }

/** Resolves once an expression is true in the page. The page's policy lets no test evaluate text in it again and again. */
export async function expectInPage(page: Page, condition: string): Promise<void> {
  await expect.poll(() => page.evaluate(condition), WITHIN).toBe(true)
}

/** Resolves once the map and its vehicles are drawn. */
export async function mapIdle(page: Page): Promise<void> {
  await expectInPage(page, 'window.mtaMap !== undefined')
  await page.evaluate('window.mtaMap.idle()')
}
