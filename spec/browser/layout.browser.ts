import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Locator, Page } from 'playwright-core'
import { LANGUAGES, type PageBed, usePages } from './page-bed.js'

/** Whether all of an element can be seen now: it is in the window, and nothing lies on it. */
async function isSeen(place: Locator): Promise<boolean> {
  return place.evaluate((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect()
    const corners = [
      [left + 1, top + 1],
      [right - 1, bottom - 1],
    ] as const
    return corners.every(([x, y]) => {
      const shown = document.elementFromPoint(x, y)
      return shown !== null && (element.contains(shown) || shown.contains(element))
    })
  })
}

interface Stop {
  readonly region: string
  readonly left: number
  readonly top: number
  readonly height: number
  /** Whether anything lies on the middle of it. */
  readonly isCovered: boolean
}

/** Goes through the page with Tab, and tells where each stop is in the document. */
async function tabThrough(page: Page): Promise<Stop[]> {
  const stops: Stop[] = []
  await page.evaluate(() => {
    document.body.tabIndex = -1
    document.body.focus()
    scrollTo(0, 0)
  })
  for (;;) {
    await page.keyboard.press('Tab')
    const stop = await page.evaluate(() => {
      const element = document.activeElement
      if (!element || element === document.body) return undefined
      const { left, top, width, height } = element.getBoundingClientRect()
      const shown = document.elementFromPoint(left + width / 2, top + height / 2)
      const region = element.closest('header, .phone, .section-head, .keys, .world, .log')
      return {
        region: region?.getAttribute('data-phone') ?? region?.className ?? '',
        left,
        top: top + scrollY,
        height,
        isCovered: !shown || !(element.contains(shown) || shown.contains(element)),
      }
    })
    if (!stop) return stops
    stops.push(stop)
    expect(stops.length).to.be.below(100)
  }
}

/** Whether somebody who reads by lines comes to `next` after `stop`. */
function isAfter(next: Stop, stop: Stop): boolean {
  const isSameLine = next.top < stop.top + stop.height && stop.top < next.top + next.height
  return isSameLine ? next.left >= stop.left : next.top >= stop.top
}

describe('the layout of the page', function () {
  this.timeout(60_000)
  const open = usePages()

  async function pressAndLook({ page, button, outcomeOf }: PageBed, action: string): Promise<void> {
    await outcomeOf(action)
    expect(await isSeen(button(action, 'a')), action).to.equal(true)
    const newest = page.locator('.press').first()
    for (const part of ['.press-head', '.step'])
      expect(await isSeen(newest.locator(part).first())).to.equal(true)
  }

  for (const [width, height] of [
    [375, 667],
    [768, 1024],
    [1024, 768],
    [1440, 900],
  ] as const) {
    it(`shows the log of a press beside the button, ${width} pixels wide`, async () => {
      const bed = await open({ width, height })
      for (const action of ['log-in', 'devices', 'log-out', 'log-in']) await pressAndLook(bed, action)
      await bed.button('pass-time').click()
      await bed.page.locator('.world-note').waitFor()
      expect(await isSeen(bed.button('pass-time'))).to.equal(true)
      expect(await isSeen(bed.page.locator('.world-note'))).to.equal(true)
    })

    it(`is gone through by Tab in the order in which it is read, ${width} pixels wide`, async () => {
      const { page, button, outcomeOf } = await open({ width, height })
      await outcomeOf('log-in')
      await button('second-phone').click()
      await outcomeOf('profile')
      const stops = await tabThrough(page)
      const controls = page.locator('button, input, a, summary, [tabindex="0"]').filter({ visible: true })
      expect(stops.length).to.equal(await controls.count())
      const regions = stops.map(({ region }) => region)
      expect([...new Set(regions)]).to.deep.equal([
        'intro',
        'section-head',
        'a',
        'b',
        'card keys',
        'card world',
        'card log',
      ])
      expect(regions).to.deep.equal([...regions].sort((a, b) => regions.indexOf(a) - regions.indexOf(b)))
      for (const [index, stop] of stops.entries()) {
        expect(stop.isCovered, JSON.stringify(stop)).to.equal(false)
        const next = stops[index + 1]
        // The regions may stand beside each other, and what is in the log scrolls.
        if (next && next.region === stop.region && stop.region !== 'card log')
          expect(isAfter(next, stop), JSON.stringify([stop, next])).to.equal(true)
      }
    })
  }

  for (const language of LANGUAGES) {
    it(`shows a whole login at 1440 x 900, without scrolling, in ${language}`, async () => {
      const { page, outcomeOf } = await open({ language, width: 1440, height: 900 })
      await outcomeOf('log-in')
      await page.locator('[data-session]').waitFor()
      expect(await page.evaluate(() => scrollY)).to.equal(0)
      for (const step of await page.locator('[data-step]').all()) expect(await isSeen(step)).to.equal(true)
      const parts = ['.lanes', '.press', '[data-phone="a"] .screen-content', '.keys']
      for (const part of parts) expect(await isSeen(page.locator(part)), part).to.equal(true)
    })
  }

  it('has a tick for each step of the slider, below the place of its thumb', async () => {
    const { page } = await open()
    const slider = page.locator('#time')
    const ticks = page.locator('.ticks i')
    expect(await ticks.count()).to.equal(Number(await slider.getAttribute('max')) + 1)
    const [box, first, last] = await Promise.all(
      [slider, ticks.first(), ticks.last()].map((place) => place.boundingBox()),
    )
    // The thumb is 22 pixels wide and stays inside of the slider.
    expect(first?.x).to.be.closeTo((box?.x ?? 0) + 11, 1)
    expect(last?.x).to.be.closeTo((box?.x ?? 0) + (box?.width ?? 0) - 11, 1)
    expect((await ticks.allInnerTexts()).filter((text) => text)).to.include.members(['1 min', '1 d', '31 d'])
  })
})
