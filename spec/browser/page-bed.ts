import { expect } from 'chai'
import { after, afterEach, before } from 'mocha'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { openShowcaseBed, type ShowcaseBed } from '../example-app/showcase-bed.js'
import { findChromium } from './chromium-binary.js'

export const LANGUAGES = ['en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]

// No GPU, no QUIC and no sandbox of its own: a machine of CI has none of these, and the page is ours.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']

/** The page of the example app in a browser, as somebody sees it who opens it for the first time. */
export interface PageBed extends ShowcaseBed {
  readonly page: Page
  /** What went wrong in the browser: errors on the console, uncaught ones, broken rules of the CSP, failed requests. */
  readonly complaints: string[]
  /** The same page once more, in another tab of the browser. */
  openTab(): Promise<Page>
  /** A button, of a phone if one is named. */
  button(action: string, phone?: 'a' | 'b'): Locator
  /** Presses a button of a phone, and returns the outcome that the phone then shows: `ok` or the code of an error. */
  outcomeOf(action: string, phone?: 'a' | 'b'): Promise<string>
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: FLAGS })
}

/**
 * Opens a browser for the tests of a suite. Returns what opens a page in it; each page is closed after its test, and must not have had
 * any complaints.
 */
export function usePages(): (options?: Partial<PageOptions>) => Promise<PageBed> {
  let browser: Browser
  let bed: PageBed
  before(async function () {
    // Chromium may have to be installed first.
    this.timeout(300_000)
    browser = await openBrowser()
  })
  after(() => browser.close())
  afterEach(async () => {
    await bed.close()
    expect(bed.complaints).to.deep.equal([])
  })
  return async (options = {}) => {
    bed = await openPage(browser, { language: 'en', ...options })
    return bed
  }
}

export interface PageOptions {
  readonly language: Language
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
}

export async function openPage(browser: Browser, options: PageOptions): Promise<PageBed> {
  const { language, width = 1440, height = 1000, colorScheme = 'light' } = options
  const bed = await openShowcaseBed()
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
  })
  const complaints: string[] = []
  const page = await openTab()

  async function openTab(): Promise<Page> {
    const tab = await context.newPage()
    listenForComplaints(tab, complaints)
    await tab.goto(`${bed.url}/?lang=${language}`)
    return tab
  }

  function button(action: string, phone?: 'a' | 'b'): Locator {
    const place = phone ? page.locator(`[data-phone="${phone}"]`) : page
    return place.locator(`[data-action="${action}"]`)
  }

  return {
    ...bed,
    page,
    complaints,
    openTab,
    button,
    async outcomeOf(action, phone = 'a') {
      const result = page.locator(`[data-phone="${phone}"] [data-result]`)
      await button(action, phone).first().click()
      await result.and(page.locator('[data-outcome]')).waitFor()
      return (await result.getAttribute('data-outcome')) ?? ''
    },
    async close() {
      await context.close()
      await bed.close()
    },
  }
}

function listenForComplaints(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText
    // That is no failure: somebody has gone to another page, or closed this one.
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${reason}: ${request.method()} ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`)
  })
}
