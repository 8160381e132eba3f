import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Page } from 'playwright-core'
import { type PageBed, usePages } from './page-bed.js'

describe('a visit to the page', function () {
  this.timeout(60_000)
  const open = usePages()

  const userOn = (page: Page) => page.locator('[data-phone="a"] [data-user]').getAttribute('data-user')
  const tokenOn = (page: Page) => page.locator('[data-phone="a"] [data-token]').innerText()
  const warning = (page: Page) => page.locator('.warning')

  async function takeWechatDown({ page, button }: PageBed): Promise<void> {
    await button('switch-wechat').click()
    await page.locator('[data-wechat="down"]').waitFor()
  }

  it('can start over: the clock, WeChat and the phones are as they were at the beginning', async () => {
    const bed = await open()
    const { page, button, outcomeOf, runtime } = bed
    const user = await userOn(page)
    await page.locator('[data-phone="a"] [name="nickname"]').fill('Ann')
    await outcomeOf('nickname')
    await button('second-phone').click()
    await outcomeOf('log-in', 'b')
    await button('pass-time').click()
    await page.locator('.world-note').waitFor()
    await takeWechatDown(bed)

    const loaded = page.waitForEvent('load')
    await button('reset').click()
    await loaded
    await page.locator('[data-wechat="up"]').waitFor()
    expect(await userOn(page)).not.to.equal(user)
    expect(await page.locator('body').innerText()).not.to.contain('Ann')
    expect(await page.locator('[data-phone="b"]').count()).to.equal(0)
    expect(await page.locator('.press, .world-note, [data-session], [data-logged-in]').count()).to.equal(0)
    expect(await warning(page).isVisible()).to.equal(false)
    expect(runtime.showcase?.clock.aheadMs()).to.equal(0)
    const sandbox = runtime.showcase?.sandbox
    expect(sandbox && (await runtime.sessions.list(sandbox.phone({ user: String(user) })))).to.deep.equal([])
    expect(await outcomeOf('log-in')).to.equal('ok')
  })

  it('begins with WeChat up, and says so where it was left down', async () => {
    const bed = await open()
    const { page, button, outcomeOf } = bed
    await outcomeOf('log-in')
    await takeWechatDown(bed)
    expect(await warning(page).innerText()).to.contain('WeChat is down')
    await page.reload()
    await page.locator('.world-note').first().waitFor()
    expect(await page.locator('.world-note').allInnerTexts()).to.deep.equal([
      'WeChat was down when this page opened, and is back now',
    ])
    expect(await warning(page).isVisible()).to.equal(false)
    expect(await outcomeOf('log-in')).to.equal('ok')
    await takeWechatDown(bed)
    await button('switch-wechat').click()
    await warning(page).waitFor({ state: 'hidden' })
  })

  it('says how far the clock is ahead, also to whoever comes later', async () => {
    const { page, button } = await open()
    const clock = page.locator('.world-clock')
    expect(await clock.innerText()).not.to.contain('ahead')
    await button('pass-time').click()
    await page.locator('.world-note').waitFor()
    expect(await clock.innerText()).to.contain('1 day ahead')
    await page.reload()
    await clock.filter({ hasText: '1 day ahead' }).waitFor()
  })

  it('says that a token is of no use where the server has ended its session meanwhile', async () => {
    const { page, outcomeOf, runtime } = await open()
    await outcomeOf('log-in')
    const state = page.locator('[data-phone="a"] .login-state')
    await state.filter({ hasText: /^holds a token$/ }).waitFor()
    const sandbox = runtime.showcase?.sandbox
    const user = String(await userOn(page))
    if (sandbox) await runtime.sessions.revokeUser(sandbox.phone({ user }))
    await page.reload()
    await state.filter({ hasText: 'no longer valid' }).waitFor()
    await outcomeOf('profile')
    await state.filter({ hasText: /^holds a token$/ }).waitFor()
  })

  it('goes on in two tabs at once, which show the same phone', async () => {
    const { page, openTab, outcomeOf, runtime } = await open()
    const tab = await openTab()
    await outcomeOf('log-in')
    const token = await tokenOn(page)
    await tab.locator('[data-phone="a"][data-logged-in]').waitFor()
    expect(await tokenOn(tab)).to.equal(token)
    await tab.locator('[data-phone="a"] [name="nickname"]').fill('Ann')
    await tab.locator('[data-phone="a"] [data-action="nickname"]').click()
    await page.locator('[data-phone="a"] [data-user]', { hasText: 'Ann' }).waitFor()
    expect(runtime.showcase?.sandbox.callCount('/sandbox/login')).to.equal(1)
    await tab.locator('[data-phone="a"] [data-action="log-out"]').click()
    await page.locator('[data-phone="a"]:not([data-logged-in])').waitFor()
    expect(await outcomeOf('profile')).to.equal('ok')
    await tab.locator('[data-phone="a"][data-logged-in]').waitFor()
    expect(await tokenOn(tab)).to.equal(await tokenOn(page))
  })

  it('starts over in all tabs of a browser', async () => {
    const { page, button, openTab, outcomeOf } = await open()
    await outcomeOf('log-in')
    const tab = await openTab()
    const user = await userOn(page)
    await button('reset').click()
    for (const each of [page, tab]) {
      await each.locator(`[data-phone="a"] [data-user]:not([data-user="${user}"])`).waitFor()
      await each.locator('[data-phone="a"]:not([data-logged-in])').waitFor()
    }
    await page.waitForLoadState()
    await tab.waitForLoadState()
    await page.locator(`[data-user="${await userOn(tab)}"]`).waitFor()
  })
})
