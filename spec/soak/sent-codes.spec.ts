import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { SentCodes } from './sent-codes.js'

describe('the codes of the soak', () => {
  let sandbox: Sandbox
  let found: string[]
  let codes: SentCodes

  beforeEach(async () => {
    sandbox = await createSandbox()
    found = []
    codes = new SentCodes(sandbox, { wrong: (what) => void found.push(what) })
  })
  afterEach(() => sandbox.close())

  const send = (code: string) => fetch(`${sandbox.url}/sns/jscode2session?js_code=${code}`)

  it('are found when one is sent again, at once or later', async () => {
    for (const code of ['one', 'two', 'two']) await send(code)
    codes.check({ mayComeAgain: false })
    expect(found).to.have.lengthOf(1)
    await send('one')
    codes.check({ mayComeAgain: false })
    expect(found).to.have.lengthOf(2)
  })

  it('may be sent again while WeChat says that it is busy', async () => {
    for (const code of ['one', 'one']) await send(code)
    codes.check({ mayComeAgain: true })
    codes.check({ mayComeAgain: false })
    expect(found).to.deep.equal([])
  })
})
