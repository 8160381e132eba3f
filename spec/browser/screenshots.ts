import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../package/source-tree.js'
import { LANGUAGES, openBrowser, openPage } from './page-bed.js'

/* Makes the pictures of the READMEs: `npm run screenshots`. A person has to look at them. */

const folder = join(root, 'docs/images')
mkdirSync(folder, { recursive: true })
const WIDTH = 1440
const browser = await openBrowser()

for (const language of LANGUAGES) {
  const bed = await openPage(browser, { language, width: WIDTH })
  await bed.page.locator('[data-phone="a"] [name="nickname"]').fill(language === 'zh' ? '小明' : 'Ann')
  await bed.outcomeOf('log-in')
  await bed.outcomeOf('nickname')
  await bed.button('second-phone').click()
  await bed.outcomeOf('log-in', 'b')
  await bed.outcomeOf('devices')
  await bed.page.mouse.move(0, 0)
  await bed.page.evaluate('document.activeElement.blur(); scrollTo(0, 0)')
  // The picture ends below the store: what is further down would only be cut off.
  const store = await bed.page.locator('.keys').boundingBox()
  if (store) await bed.page.setViewportSize({ width: WIDTH, height: Math.ceil(store.y + store.height) + 10 })
  await bed.page.screenshot({ path: join(folder, `page.${language}.png`) })
  await bed.close()
  process.stdout.write(`docs/images/page.${language}.png\n`)
}
await browser.close()
