import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/errors.js'
import type { CodeExchange } from '../../lib/exchange.js'
import { douyinExchange, qqExchange } from '../../lib/wechat/other-exchanges.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { plainExchange } from '../support/plain-secrets.js'

const QQ = '/sns/jscode2session'
const DOUYIN = '/api/apps/v2/jscode2session'
const AMPLE_MS = 10_000
const WRONG_SECRET = 'f00dfeedf00dfeedf00dfeedf00dfeed'

describe('qqExchange', () => {
  const sandbox = aSandbox()
  const exchange: CodeExchange = (...how) => qqExchange({ baseUrl: sandbox().url })(...how)
  const ask = (code: string, app = sandbox().app) => plainExchange(AMPLE_MS)(exchange, app, code)

  it('exchanges a code by the rules of WeChat, on another host', async () => {
    const phone = sandbox().phone()
    const { code } = await phone.wx.login()
    expect(await ask(code)).to.deep.equal({
      openid: phone.openid,
      unionid: phone.unionid,
      sessionKey: sandbox().sessionKeyOf(phone),
    })
    const [call] = sandbox().calls(QQ)
    expect(call?.query).to.deep.equal({ ...sandbox().app, js_code: code, grant_type: 'authorization_code' })
  })

  it('refuses a code that was used, and a wrong secret', async () => {
    const { code } = await sandbox().phone().wx.login()
    await ask(code)
    await weappErrorOf('ERR_CODE_INVALID', () => ask(code))
    const app = { ...sandbox().app, secret: WRONG_SECRET }
    const error = await weappErrorOf('ERR_SERVER_MISCONFIGURED', () => ask(code, app))
    expect(everythingIn(error)).to.not.include(WRONG_SECRET).and.not.include(code)
  })
})

describe('douyinExchange', () => {
  const sandbox = aSandbox()
  const ask = (code: string, app = sandbox().app, timeoutMs = AMPLE_MS) =>
    plainExchange(timeoutMs)(douyinExchange({ baseUrl: sandbox().url }), app, code)

  async function login() {
    const phone = sandbox().phone()
    const { code = '', anonymousCode } = await phone.tt.login()
    return { phone, code, anonymousCode }
  }

  it('exchanges a code of tt.login for an identity', async () => {
    const { phone, code } = await login()
    expect(await ask(code)).to.deep.equal({
      openid: phone.openid,
      unionid: phone.unionid,
      sessionKey: sandbox().sessionKeyOf(phone),
    })
  })

  it('posts appid, secret and code as JSON, and nothing in the query', async () => {
    const { code } = await login()
    await ask(code)
    const calls = sandbox().calls(DOUYIN)
    expect(calls).to.have.length(1)
    expect(calls[0]).to.deep.include({ method: 'POST', query: {} })
    expect(JSON.parse(calls[0]?.body ?? '')).to.deep.equal({ ...sandbox().app, code })
  })

  it('refuses a code that was used, an invented one and an anonymous one, and names tt.login', async () => {
    const { code, anonymousCode } = await login()
    await ask(code)
    for (const refused of [code, anonymousCode, 'invented']) {
      const error = await weappErrorOf('ERR_CODE_INVALID', () => ask(refused))
      expect(error.message).to.include('tt.login')
      expect(everythingIn(error)).to.not.include(refused).and.not.include(sandbox().app.secret)
    }
  })

  it('tells the operator of a wrong secret, a wrong appid and a missing one', async () => {
    const { code } = await login()
    const { appid, secret } = sandbox().app
    for (const [app, hint] of [
      [{ appid, secret: WRONG_SECRET }, 'the secret is wrong'],
      [{ appid: 'tt0', secret }, 'the appid is wrong'],
      [{ appid: '', secret }, 'a parameter is missing'],
    ] as const) {
      const error = await weappErrorOf('ERR_SERVER_MISCONFIGURED', () => ask(code, app))
      expect(error.hint).to.include(hint)
      expect(everythingIn(error)).to.not.include(WRONG_SECRET).and.not.include(secret).and.not.include(code)
    }
    expect(await ask(code)).to.have.property('openid')
  })

  const failures: [how: Misbehaviour, code: ErrorCode, timeoutMs?: number][] = [
    [{ errcode: 40014 }, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 40015 }, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 40017 }, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 40018 }, 'ERR_CODE_INVALID'],
    [{ errcode: 40019 }, 'ERR_CODE_INVALID'],
    [{ errcode: 12345 }, 'ERR_WECHAT_ANSWER_INVALID'],
    ['missingOpenid', 'ERR_WECHAT_ANSWER_INVALID'],
    ['missingSessionKey', 'ERR_WECHAT_ANSWER_INVALID'],
    ['wrongTypes', 'ERR_WECHAT_ANSWER_INVALID'],
    ['badJson', 'ERR_WECHAT_ANSWER_INVALID'],
    ['truncated', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html', 'ERR_WECHAT_ANSWER_INVALID'],
    ['http500', 'ERR_WECHAT_ANSWER_INVALID'],
    ['redirect', 'ERR_WECHAT_ANSWER_INVALID'],
    ['drop', 'ERR_WECHAT_NO_ANSWER'],
    ['hang', 'ERR_WECHAT_NO_ANSWER', 500],
  ]
  for (const [how, errorCode, timeoutMs] of failures) {
    it(`ends in ${errorCode} after one call when Douyin does ${JSON.stringify(how)}`, async () => {
      sandbox().misbehave(how, { path: DOUYIN })
      const { phone, code } = await login()
      const error = await weappErrorOf(errorCode, () => ask(code, sandbox().app, timeoutMs))
      expect(sandbox().callCount(DOUYIN)).to.equal(1)
      for (const secret of [code, sandbox().app.secret, sandbox().sessionKeyOf(phone), sandbox().url])
        expect(everythingIn(error)).to.not.include(secret)
    })
  }

  it('asks twice more while Douyin is busy', async () => {
    sandbox().misbehave({ errcode: -1 }, { path: DOUYIN, times: 2 })
    const { phone, code } = await login()
    expect((await ask(code)).openid).to.equal(phone.openid)
    expect(sandbox().callCount(DOUYIN)).to.equal(3)
  })

  for (const [what, answer] of [
    ['without err_no', {}],
    ['with err_no as text', { err_no: '0', err_tips: 'success' }],
  ] as const) {
    it(`takes an answer ${what}`, async () => {
      const data = { openid: 'o1', session_key: 'k1' }
      const server = createServer((_req, res) => res.end(JSON.stringify({ ...answer, data })))
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      try {
        const exchange = douyinExchange({ baseUrl })
        const identity = await exchange({ appid: 'tt1', secret: 's1' }, 'code', AbortSignal.timeout(AMPLE_MS))
        expect(identity).to.include({ openid: 'o1', sessionKey: 'k1' })
      } finally {
        server.close()
        server.closeAllConnections()
      }
    })
  }

  it('needs two fields of the data and minds no others', async () => {
    sandbox().misbehave('extraFields', { path: DOUYIN })
    const { phone, code } = await login()
    expect((await ask(code)).openid).to.equal(phone.openid)
  })
})

for (const [name, make] of Object.entries({ qqExchange, douyinExchange })) {
  describe(`the options of ${name}`, () => {
    it('may be left out', () => {
      for (const options of [undefined, {}]) expect(make(options)).to.be.a('function')
    })

    const wrong: [string, unknown, string][] = [
      ['nothing but null', null, 'the options must be an object'],
      ['a list', [], 'the options must be an object'],
      ['an address alone', 'https://api.q.qq.com', 'the options must be an object'],
      ['an unknown option', { baseURL: 'https://api.q.qq.com' }, 'unknown option "baseURL"; known: baseUrl'],
      ['an empty address', { baseUrl: '' }, 'baseUrl must be'],
      ['an address of another kind', { baseUrl: 'ftp://api.q.qq.com' }, 'baseUrl must be an http or https'],
      ['an address without a scheme', { baseUrl: 'api.q.qq.com' }, 'baseUrl must be an http or https'],
      ['an address that is a number', { baseUrl: 42 }, 'baseUrl must be'],
    ]
    for (const [what, options, message] of wrong) {
      it(`cannot be ${what}`, async () => {
        const error = await failureOf(() => make(options as Parameters<typeof make>[0]))
        expect(error).to.be.instanceOf(TypeError)
        expect(String(error)).to.include(name).and.include(message)
      })
    }
  })
}
