import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createConsumer } from './consumer.js'
import { run } from './packed-package.js'
import { blockWith, readText } from './readme.js'

describe('the test in the README', () => {
  it('runs', async function () {
    this.timeout(60_000)
    const test = blockWith(readText('README.md'), 'await createSandbox()')
    const folder = await createConsumer({
      files: { 'package.json': { type: 'module' }, 'test.js': test },
      installed: { express: 'express' },
    })
    const { stdout, stderr } = await run(process.execPath, ['test.js'], { cwd: folder })
    expect(stderr).to.match(/^(?:weapp-session: a login failed with ERR_WECHAT_RATE_LIMITED.*\n)?$/)
    expect(stdout).to.equal('')
  })
})
