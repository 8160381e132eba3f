import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import type { Identity } from '../../lib/exchange.js'
import { code2Session } from '../../lib/wechat/code2session.js'
import { createWechatApi } from '../../lib/wechat/wechat-api.js'
import { everythingIn, weappErrorOf } from '../support/failures.js'
import { plainExchange } from '../support/plain-secrets.js'

const IDENTITY = { openid: 'o1', session_key: 'k1', unionid: 'u1' }

/** What becomes of a body that WeChat sends. */
function identityIn(answer: unknown): Promise<Identity> {
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer)
  const transport = { send: async () => body, close() {} }
  const exchange = code2Session(createWechatApi({ transport }))
  return plainExchange(10_000)(exchange, { appid: 'wx1', secret: 's1' }, 'code')
}

describe('the answer to an exchange', () => {
  const identity = { openid: 'o1', sessionKey: 'k1', unionid: 'u1' }

  it('is an identity with errcode 0 or without any', async () => {
    expect(await identityIn(IDENTITY)).to.deep.equal(identity)
    for (const errcode of [0, '0'])
      expect(await identityIn({ ...IDENTITY, errcode, errmsg: 'ok', expires_in: 7200 })).to.deep.equal(
        identity,
      )
  })

  it('means the same with an errcode as text', async () => {
    await weappErrorOf('ERR_CODE_INVALID', () => identityIn({ errcode: '40029' }))
  })

  it('has no unionid in what is no text', async () => {
    for (const unionid of [undefined, '', null, 42, ['u1']])
      expect(await identityIn({ ...IDENTITY, unionid })).to.deep.equal({ ...identity, unionid: undefined })
  })

  const unusable: [string, unknown][] = [
    ['an empty openid', { ...IDENTITY, openid: '' }],
    ['an openid in a list', { ...IDENTITY, openid: ['o1'] }],
    ['an empty session_key', { ...IDENTITY, session_key: '' }],
    ['an errcode in words', { ...IDENTITY, errcode: 'ok' }],
    ['an errcode that is null', { ...IDENTITY, errcode: null }],
    ['a list', [IDENTITY]],
    ['null', null],
    ['a number', 40029],
    ['a text in JSON', '"o1"'],
  ]
  for (const [what, answer] of unusable) {
    it(`cannot be used when it is or has ${what}`, async () => {
      await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => identityIn(answer))
    })
  }

  it('is an identity or a WeappError that repeats nothing of it, whatever was sent', async () => {
    const canary = 'CANARY-0f9e'
    const value = fc.oneof(fc.jsonValue(), fc.constant(canary))
    const fields = fc.record(
      { openid: value, session_key: value, unionid: value, errcode: value, errmsg: value },
      { requiredKeys: [] },
    )
    const body = fc.oneof(
      // Busy is tried again after a pause, which would take this test too long.
      fields.filter(({ errcode }) => errcode !== -1).map((answer) => JSON.stringify(answer)),
      fc.string({ unit: 'binary' }).map((text) => canary + text),
    )
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        const outcome = await identityIn(text).catch((error: unknown) => error)
        if (outcome instanceof WeappError) expect(everythingIn(outcome)).to.not.include(canary)
        else expect(outcome).to.have.all.keys('openid', 'sessionKey', 'unionid')
      }),
      { numRuns: 500 },
    )
  })
})
