import { expect } from 'chai'
import { describe, it } from 'mocha'
import { LANGUAGES, type PageBed, type PageOptions, usePages } from './page-bed.js'

const DAY_SECONDS = 86_400

describe('the page of the example app', function () {
  this.timeout(60_000)
  let bed: PageBed
  const openOne = usePages()

  async function open(options?: Partial<PageOptions>): Promise<PageBed> {
    bed = await openOne(options)
    return bed
  }

  const tokenOn = (phone: 'a' | 'b' = 'a') =>
    bed.page.locator(`[data-phone="${phone}"] [data-token]`).innerText()
  const cards = () => bed.page.locator('[data-session]')

  /** Moves the slider with the keyboard to the step that lets so many seconds pass, then presses the button. */
  async function letTimePass(label: RegExp): Promise<void> {
    const slider = bed.page.locator('#time')
    await slider.focus()
    await slider.press('Home')
    for (let step = 0; step < 20; step += 1) {
      if (label.test((await slider.getAttribute('aria-valuetext')) ?? '')) break
      await slider.press('ArrowRight')
    }
    expect(await slider.getAttribute('aria-valuetext')).to.match(label)
    const answered = bed.page.waitForResponse(/\/showcase\/time$/)
    await bed.button('pass-time').click()
    await answered
  }

  for (const language of LANGUAGES) {
    describe(`in ${language}`, () => {
      it('says so to browsers and screen readers, in every text', async () => {
        const { page } = await open({ language })
        expect(await page.locator('html').getAttribute('lang')).to.equal(language === 'zh' ? 'zh-CN' : 'en')
        const words = await page.locator('body').innerText()
        if (language === 'zh') expect(await page.title()).to.match(/[一-鿿]/)
        else expect(words.replace(/中文|简体中文/g, '')).not.to.match(/[一-鿿]/)
        expect(words).not.to.match(/undefined|NaN|\[object/)
      })

      it('has a phone whose every button works', async () => {
        await open({ language })
        expect(await bed.outcomeOf('log-in')).to.equal('ok')
        expect(await tokenOn()).to.match(/^[\w-]{64}$/)
        for (const action of ['profile', 'nickname', 'steps', 'phone-number', 'devices', 'log-out']) {
          if (action === 'nickname') await bed.page.locator('[data-phone="a"] [name="nickname"]').fill('小明')
          expect(await bed.outcomeOf(action), action).to.equal('ok')
        }
        expect(await tokenOn()).not.to.match(/[\w-]{64}/)
        await cards().first().waitFor({ state: 'detached' })
      })

      it('shows a second phone, the devices of both, and how one ends the other', async () => {
        await open({ language })
        await bed.outcomeOf('log-in')
        await bed.button('second-phone').click()
        expect(await bed.outcomeOf('log-in', 'b')).to.equal('ok')
        await cards().nth(1).waitFor()
        expect(await cards().locator('.phone-a, .phone-b').count()).to.equal(2)
        const [first, second] = [await tokenOn('a'), await tokenOn('b')]
        expect(first).not.to.equal(second)
        expect(await bed.outcomeOf('devices')).to.equal('ok')
        expect(await bed.page.locator('[data-device] strong').allInnerTexts()).to.deep.equal([
          'Phone A',
          'Phone B',
        ])
        expect(await bed.outcomeOf('end-session')).to.equal('ok')
        await cards().nth(1).waitFor({ state: 'detached' })
        expect(await bed.outcomeOf('profile', 'b')).to.equal('ok')
        expect(await tokenOn('b')).not.to.equal(second)
        await bed.button('second-phone').click()
        await bed.page.locator('[data-phone="b"]').waitFor({ state: 'detached' })
      })

      it('lets a session expire', async () => {
        await open({ language })
        await bed.outcomeOf('log-in')
        await cards().first().waitFor()
        const token = await tokenOn()
        await letTimePass(/^8\b/)
        await bed.page.locator('[data-session]:not([data-ended])').waitFor({ state: 'detached' })
        expect(await bed.outcomeOf('profile')).to.equal('ok')
        expect(await tokenOn()).not.to.equal(token)
      })

      it('lets WeChat replace the key, and be away', async () => {
        await open({ language })
        await bed.outcomeOf('steps')
        const token = await tokenOn()
        const rotated = bed.page.waitForResponse(/\/showcase\/rotate$/)
        await bed.button('rotate-key').click()
        await rotated
        expect(await bed.outcomeOf('steps')).to.equal('ok')
        expect(await tokenOn()).not.to.equal(token)

        const down = bed.page.locator('[data-wechat="down"]')
        await bed.button('switch-wechat').click()
        await down.waitFor()
        expect(await bed.outcomeOf('profile')).to.equal('ok')
        expect(await bed.outcomeOf('log-in')).to.equal('ERR_WX_LOGIN')
        await bed.button('switch-wechat').click()
        await down.waitFor({ state: 'detached' })
        expect(await bed.outcomeOf('log-in')).to.equal('ok')
      })

      it('writes down who asks whom, without a secret, and forgets it when asked', async () => {
        const { page } = await open({ language })
        await bed.outcomeOf('log-in')
        await bed.outcomeOf('phone-number')
        const steps = page.locator('[data-request] [data-step]')
        for (const step of [
          'phone>wechat',
          'phone>app',
          'app>store',
          'app>wechat',
          'wechat>app',
          'app>phone',
        ]) {
          expect(await page.locator(`[data-step="${step}"]`).count(), step).to.be.above(0)
        }
        const token = await tokenOn()
        expect((await page.locator('body').innerText()).split(token)).to.have.lengthOf(2)
        await bed.button('clear-log').click()
        expect(await steps.count()).to.equal(0)
      })
    })
  }

  it('changes the language where it stands', async () => {
    const { page } = await open({ language: 'en' })
    await bed.outcomeOf('log-in')
    const heading = page.locator('h1')
    const english = await heading.innerText()
    await bed.button('lang-zh').click()
    expect(await page.locator('html').getAttribute('lang')).to.equal('zh-CN')
    expect(await bed.button('lang-zh').getAttribute('aria-pressed')).to.equal('true')
    await page.goto(bed.url)
    expect(await page.locator('html').getAttribute('lang')).to.equal('zh-CN')
    await bed.button('lang-en').click()
    expect(await heading.innerText()).to.equal(english)
    expect(await page.locator('html').getAttribute('lang')).to.equal('en')
  })

  it('keeps the token over a reload, and logs in once only', async () => {
    const { page } = await open()
    await bed.outcomeOf('log-in')
    const token = await tokenOn()
    await page.reload()
    expect(await tokenOn()).to.equal(token)
    expect(await bed.outcomeOf('profile')).to.equal('ok')
    expect(bed.runtime.showcase?.sandbox.callCount('/sandbox/login')).to.equal(1)
  })

  it('lets both clocks run, the idle one from the last visit, the absolute one from the login', async () => {
    const { page } = await open()
    await bed.outcomeOf('log-in')
    const before = await ends()
    await letTimePass(/^3 d/)
    await bed.outcomeOf('profile')
    const after = await ends()
    expect(after.idle - before.idle).to.be.at.least(3 * DAY_SECONDS * 1000)
    expect(after.absolute).to.equal(before.absolute)
    expect(await page.locator('[data-session] [role="progressbar"]').count()).to.equal(2)

    async function ends(): Promise<{ idle: number; absolute: number }> {
      const user = await page.locator('[data-phone="a"] [data-user]').innerText()
      const { showcase, sessions } = bed.runtime
      const [session] = showcase ? await sessions.list(showcase.sandbox.phone({ user })) : []
      if (!session) throw new Error(`${user} has no session`)
      return { idle: session.idleExpiresAt.getTime(), absolute: session.expiresAt.getTime() }
    }
  })

  it('works by keyboard alone', async () => {
    const { page } = await open()
    const isFocused = () =>
      page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.action === 'log-in')
    for (let presses = 0; presses < 40 && !(await isFocused()); presses += 1) await page.keyboard.press('Tab')
    expect(await isFocused()).to.equal(true)
    await page.keyboard.press('Enter')
    await page.locator('[data-phone="a"] [data-outcome="ok"]').waitFor()
    expect(await tokenOn()).to.match(/^[\w-]{64}$/)
  })

  it('names every control and every field', async () => {
    const { page } = await open()
    await bed.button('second-phone').click()
    for (const control of await page.locator('button, input, [role="progressbar"]').all()) {
      const name = await control.evaluate((element) => {
        const labels = 'labels' in element ? [...(element.labels as NodeListOf<HTMLElement>)] : []
        return (
          element.getAttribute('aria-label') ??
          [element.getAttribute('aria-labelledby') ?? '']
            .flatMap((ids) => ids.split(' ').map((id) => document.getElementById(id)?.textContent ?? ''))
            .concat(
              labels.map((label) => label.textContent ?? ''),
              element.textContent ?? '',
            )
            .join(' ')
        ).trim()
      })
      expect(name, await control.evaluate((element) => element.outerHTML)).not.to.equal('')
    }
  })

  for (const width of [375, 768, 1024, 1440]) {
    it(`fits a window ${width} pixels wide, with two phones and a full log`, async () => {
      const { page } = await open({ width, language: 'zh' })
      await bed.button('second-phone').click()
      await bed.outcomeOf('log-in')
      await bed.outcomeOf('steps', 'b')
      await bed.outcomeOf('devices')
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(overflow).to.be.at.most(0)
    })
  }

  it('goes on where local storage cannot be used', async () => {
    const { page } = await open()
    await page.addInitScript(`for (const method of ['getItem', 'setItem', 'removeItem']) {
      Storage.prototype[method] = () => { throw new DOMException('refused', 'QuotaExceededError') }
    }`)
    await page.goto(`${bed.url}/?lang=en`)
    expect(await bed.outcomeOf('log-in')).to.equal('ok')
    expect(await bed.outcomeOf('profile')).to.equal('ok')
    expect(await tokenOn()).to.match(/^[\w-]{64}$/)
  })
})
