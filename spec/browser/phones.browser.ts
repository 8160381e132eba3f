import { expect } from 'chai'
import { describe, it } from 'mocha'
import { LANGUAGES, usePages } from './page-bed.js'

describe('a phone on the page', function () {
  this.timeout(60_000)
  const open = usePages()

  it('offers the login first to whoever is not logged in, and to nobody else', async () => {
    const { page, button, outcomeOf } = await open()
    const isPrimary = () => button('log-in', 'a').evaluate((element) => element.classList.contains('primary'))
    expect(await isPrimary()).to.equal(true)
    await outcomeOf('log-in')
    expect(await isPrimary()).to.equal(false)
    expect(await page.locator('[data-phone="a"] .primary').count()).to.equal(0)
    await outcomeOf('log-out')
    expect(await isPrimary()).to.equal(true)
  })

  for (const language of LANGUAGES) {
    it(`explains the parts of a token once there is one, in ${language}`, async () => {
      const { page, outcomeOf } = await open({ language })
      const text = () => page.locator('[data-phone="a"] .token').innerText()
      expect(await text()).not.to.match(/\b(20|44)\b/)
      await outcomeOf('log-in')
      expect(await text()).to.match(/\b20\b.*\b44\b/)
      await outcomeOf('log-out')
      expect(await text()).not.to.match(/\b(20|44)\b/)
    })

    it(`says that a nickname is missing, and sends nothing, in ${language}`, async () => {
      const { page, button } = await open({ language })
      const [input, error] = ['[name="nickname"]', '[role="alert"]'].map((part) =>
        page.locator(`[data-phone="a"] ${part}`),
      )
      for (const empty of ['', '   ']) {
        await input?.fill(empty)
        expect(await error?.isVisible()).to.equal(false)
        await button('nickname', 'a').click()
        expect(await error?.innerText()).to.match(language === 'zh' ? /昵称/ : /nickname/)
        expect(await input?.getAttribute('aria-invalid')).to.equal('true')
        expect(await input?.evaluate((element) => element === document.activeElement)).to.equal(true)
      }
      expect(await page.locator('[data-request]').count()).to.equal(0)
    })
  }

  it('shows a new nickname at once wherever the page names the user', async () => {
    const { page, button, outcomeOf } = await open()
    await outcomeOf('log-in')
    await button('second-phone').click()
    await outcomeOf('log-in', 'b')
    await outcomeOf('profile', 'b')
    await page.locator('[data-phone="a"] [name="nickname"]').fill('小明')
    await outcomeOf('nickname')
    for (const phone of ['a', 'b']) {
      const place = page.locator(`[data-phone="${phone}"]`)
      expect(await place.locator('[data-user]').innerText()).to.equal('小明')
      expect(await place.locator('.avatar').innerText()).to.equal('小')
      expect(await place.locator('[name="nickname"]').inputValue()).to.equal('小明')
      expect(await place.locator('[data-result]').innerText()).to.contain('小明')
    }
    expect(await page.locator('.keys').innerText()).to.contain('小明')
    await page.reload()
    expect(await page.locator('[data-user]').allInnerTexts()).to.deep.equal(['小明', '小明'])
    expect(await page.locator('.keys').innerText()).to.contain('小明')
  })
})
