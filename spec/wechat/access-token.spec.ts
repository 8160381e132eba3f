import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/errors.js'
import { createTransport, type WechatTransport } from '../../lib/wechat/transport.js'
import { createWechatApi } from '../../lib/wechat/wechat-api.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { accessToken, errcodeWith, STABLE_TOKEN } from '../sandbox/access-token.js'
import { everythingIn, weappErrorOf } from '../support/failures.js'
import { plainAccessToken } from '../support/plain-secrets.js'

const AMPLE_MS = 10_000
const APP = { appid: 'wx1', secret: 'f00dfeedf00dfeedf00dfeedf00dfeed' }

/** What becomes of a body that WeChat sends. */
function givenBy(answer: unknown) {
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer)
  const transport = { send: async () => body, close() {} }
  return plainAccessToken(createWechatApi({ transport }))(APP)
}

describe('stableAccessToken', () => {
  const sandbox = aSandbox()
  let transport: WechatTransport
  beforeEach(() => {
    transport = createTransport(new URL(sandbox().url))
  })
  afterEach(() => transport.close())

  const give = (app = sandbox().app, timeoutMs = AMPLE_MS) =>
    plainAccessToken(createWechatApi({ transport, timeoutMs }))(app)

  it('answers a token that WeChat accepts, and for how many seconds', async () => {
    const { accessToken: token, expiresInSeconds } = await give()
    expect(await errcodeWith(sandbox(), token)).to.equal(40097)
    expect(expiresInSeconds).to.be.within(7000, 7200)
  })

  it('posts JSON that does not ask for a new token, and nothing in the query', async () => {
    await give()
    const calls = sandbox().calls(STABLE_TOKEN)
    expect(calls).to.have.length(1)
    expect(calls[0]).to.deep.include({ method: 'POST', query: {} })
    expect(JSON.parse(calls[0]?.body ?? '')).to.deep.equal({
      grant_type: 'client_credential',
      ...sandbox().app,
    })
  })

  it('leaves the tokens of others alive: all get the same one', async () => {
    const others = await accessToken(sandbox())
    expect((await give()).accessToken).to.equal(others)
    expect((await give()).accessToken).to.equal(others)
    expect(await errcodeWith(sandbox(), others)).to.equal(40097)
  })

  it('answers another token once WeChat has revoked the first', async () => {
    const first = await give()
    sandbox().revokeAccessToken()
    expect((await give()).accessToken).to.not.equal(first.accessToken)
  })

  it('tells the operator of a wrong AppSecret or AppID, without repeating the secret', async () => {
    for (const app of [{ ...sandbox().app, secret: APP.secret }, APP]) {
      const error = await weappErrorOf('ERR_SERVER_MISCONFIGURED', () => give(app))
      expect(error.status).to.equal(500)
      expect(everythingIn(error)).to.not.include(APP.secret)
    }
    expect(sandbox().callCount(STABLE_TOKEN)).to.equal(2)
  })

  it('takes 40001 for a wrong AppSecret: no access token is in play', async () => {
    sandbox().misbehave({ errcode: 40001 }, { path: STABLE_TOKEN })
    await weappErrorOf('ERR_SERVER_MISCONFIGURED', give)
  })

  it('asks WeChat twice more while it is busy, and then gives up', async () => {
    sandbox().misbehave({ errcode: -1 }, { path: STABLE_TOKEN, times: 2 })
    expect((await give()).accessToken).to.equal(await accessToken(sandbox()))
    sandbox().clearCalls()
    sandbox().misbehave({ errcode: -1 }, { path: STABLE_TOKEN })
    await weappErrorOf('ERR_WECHAT_BUSY', give)
    expect(sandbox().callCount(STABLE_TOKEN)).to.equal(3)
  })

  const failures: [Misbehaviour, ErrorCode, number?][] = [
    ['hang', 'ERR_WECHAT_NO_ANSWER', 500],
    [{ slowMs: 60_000 }, 'ERR_WECHAT_NO_ANSWER', 500],
    ['drop', 'ERR_WECHAT_NO_ANSWER'],
    ['badJson', 'ERR_WECHAT_ANSWER_INVALID'],
    ['empty', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html502', 'ERR_WECHAT_ANSWER_INVALID'],
    ['wrongTypes', 'ERR_WECHAT_ANSWER_INVALID'],
    [{ errcode: 45009 }, 'ERR_WECHAT_QUOTA'],
    [{ errcode: 45011 }, 'ERR_WECHAT_RATE_LIMITED'],
    [{ errcode: 40164 }, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 40243 }, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 12345 }, 'ERR_WECHAT_ANSWER_INVALID'],
  ]
  for (const [how, code, timeoutMs] of failures) {
    it(`ends in ${code} after one call when WeChat does ${JSON.stringify(how)}`, async () => {
      const token = await accessToken(sandbox())
      sandbox().clearCalls()
      sandbox().misbehave(how, { path: STABLE_TOKEN })
      const error = await weappErrorOf(code, () => give(sandbox().app, timeoutMs))
      expect(sandbox().callCount(STABLE_TOKEN)).to.equal(1)
      for (const secret of [token, sandbox().app.secret, sandbox().url])
        expect(everythingIn(error)).to.not.include(secret)
    })
  }

  it('has one deadline for all tries, which leaves no room for another one', async () => {
    const busy = JSON.stringify({ errcode: -1, errmsg: 'system error' })
    const signals: AbortSignal[] = []
    const send: WechatTransport['send'] = async ({ signal }) => {
      signals.push(signal)
      return busy
    }
    const giveWithin = (timeoutMs: number) =>
      plainAccessToken(createWechatApi({ transport: { send, close() {} }, timeoutMs }))(APP)
    await weappErrorOf('ERR_WECHAT_BUSY', () => giveWithin(AMPLE_MS))
    expect(signals).to.have.length(3)
    expect(new Set(signals).size).to.equal(1)
    await weappErrorOf('ERR_WECHAT_BUSY', () => giveWithin(1))
    expect(signals).to.have.length(4)
  })
})

describe('the answer to a request for an access token', () => {
  const GIVEN = { access_token: 'CANARY-token', expires_in: 7200 }

  it('is a token with errcode 0, without any, and with fields that nobody knows', async () => {
    const given = { accessToken: 'CANARY-token', expiresInSeconds: 7200 }
    for (const more of [
      {},
      { errcode: 0, errmsg: 'ok' },
      { scope: 'all' },
      { expires_in: '7200', errcode: '0' },
    ])
      expect(await givenBy({ ...GIVEN, ...more })).to.deep.equal(given)
  })

  const unusable: [string, unknown][] = [
    ['no token', { expires_in: 7200 }],
    ['an empty token', { ...GIVEN, access_token: '' }],
    ['a token in a list', { ...GIVEN, access_token: [GIVEN.access_token] }],
    ['no lifetime', { access_token: GIVEN.access_token }],
    ['a lifetime of 0', { ...GIVEN, expires_in: 0 }],
    ['a lifetime below 0', { ...GIVEN, expires_in: -1 }],
    ['a lifetime in words', { ...GIVEN, expires_in: '2 h' }],
    ['a lifetime of 0 as text', { ...GIVEN, expires_in: '0' }],
    ['an errcode as text', { ...GIVEN, errcode: '12345' }],
    ['a list', [GIVEN]],
    ['null', null],
    ['a text in JSON', '"CANARY-token"'],
  ]
  for (const [what, answer] of unusable) {
    it(`cannot be used when it is or has ${what}, and is not repeated`, async () => {
      const error = await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => givenBy(answer))
      expect(everythingIn(error)).to.not.include('CANARY')
    })
  }
})
