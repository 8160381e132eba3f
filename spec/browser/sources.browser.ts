import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { root } from '../package/source-tree.js'
import { LANGUAGES, type PageBed, usePages } from './page-bed.js'

describe('the links of the log', function () {
  this.timeout(60_000)
  const open = usePages()

  /** Opens a link, and returns which line of which file it has led to. */
  async function follow({ page }: PageBed, name: string): Promise<{ path: string; line: string }> {
    await page.locator(`[data-source="${name}"]`).first().click()
    const dialog = page.getByRole('dialog')
    const marked = dialog.locator('[aria-current]')
    await marked.waitFor()
    const [path = '', number] = (await dialog.locator('.card-head code').innerText()).split(':')
    const line = String(await marked.textContent())
    expect(readFileSync(join(root, path), 'utf8').split('\n')[Number(number) - 1]).to.equal(line)
    expect(await marked.evaluate(isInView)).to.equal(true)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    return { path, line }
  }

  const isInView = (element: Element) => {
    const [own, around] = [element, element.parentElement as Element].map((it) => it.getBoundingClientRect())
    return own !== undefined && around !== undefined && own.top >= around.top && own.bottom <= around.bottom
  }

  for (const language of LANGUAGES) {
    it(`are on every step, whatever button is pressed, in ${language}`, async () => {
      const { page, button, outcomeOf } = await open({ language })
      await outcomeOf('log-in')
      await page.locator('[data-phone="a"] [name="nickname"]').fill('Ann')
      await button('second-phone').click()
      await outcomeOf('log-in', 'b')
      await button('rotate-key').click()
      await page.locator('.world-note').waitFor()
      for (const action of ['profile', 'nickname', 'steps', 'phone-number', 'devices', 'end-session']) {
        expect(await outcomeOf(action), action).to.equal('ok')
      }
      expect(await outcomeOf('profile', 'b')).to.equal('ok')
      expect(await outcomeOf('log-out')).to.equal('ok')
      await button('switch-wechat').click()
      await page.locator('[data-wechat="down"]').waitFor()
      for (const action of ['log-in', 'steps', 'phone-number'])
        expect(await outcomeOf(action)).not.to.equal('ok')
      const steps = page.locator('[data-step]')
      expect(await steps.count()).to.be.above(60)
      expect(await steps.filter({ hasNot: page.locator('a[data-source]') }).allInnerTexts()).to.deep.equal([])
    })

    it(`lead to the line that does it, or to the document about a failure, in ${language}`, async () => {
      const bed = await open({ language })
      await bed.outcomeOf('log-in')
      expect(await follow(bed, 'wx.login')).to.include({ path: 'client/log-in.ts' })
      expect((await follow(bed, 'store.issue')).line).to.match(/^ {2}async issue\(/)
      expect((await follow(bed, 'POST /login')).line).to.contain("path: '/login'")
      await bed.page.evaluate(() =>
        localStorage.setItem('weapp-session-showcase/phone-a/token', 'x'.repeat(64)),
      )
      await bed.page.reload()
      await bed.outcomeOf('profile')
      const { path, line } = await follow(bed, 'ERR_SESSION_UNKNOWN')
      expect(path).to.equal(language === 'zh' ? 'docs/error-codes.zh-CN.md' : 'docs/error-codes.md')
      expect(line).to.equal('## ERR_SESSION_UNKNOWN')
    })
  }

  it('are followed by keyboard, and lead back to where one was', async () => {
    const { page, outcomeOf } = await open()
    await outcomeOf('log-in')
    const link = page.locator('[data-source="store.issue"]')
    await link.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await link.evaluate((element) => element === document.activeElement)).to.equal(true)
  })

  it('show a file as it is, whatever stands in it', async () => {
    const { page, outcomeOf, runtime } = await open()
    const planted = '<img src=x onerror="document.title=1"></code></ol>'
    const place = runtime.showcase?.sources.places.find(({ name }) => name === 'store.issue')
    const file = place && runtime.showcase?.sources.files[place.file]
    if (!place || !file) throw new Error('store.issue has no place')
    const lines = file.text.split('\n')
    lines[place.line - 1] = planted
    Object.assign(file, { text: lines.join('\n') })
    await outcomeOf('log-in')
    await page.locator('[data-source="store.issue"]').click()
    expect(await page.locator('[aria-current]').textContent()).to.equal(planted)
    expect(await page.locator('dialog img').count()).to.equal(0)
  })

  it('are left out where the page has no sources', async () => {
    const { page, outcomeOf, runtime } = await open()
    await page.locator('.log', { hasText: 'Each step links to' }).waitFor()
    // As the published package has it.
    Object.assign(runtime.showcase?.sources.places ?? [], { length: 0 })
    await page.reload()
    await outcomeOf('log-in')
    expect(await page.locator('[data-step]').count()).to.be.above(8)
    expect(await page.locator('[data-step] a').count()).to.equal(0)
    expect(await page.locator('.log').innerText()).not.to.contain('link')
  })
})
