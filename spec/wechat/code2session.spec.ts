import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type ErrorCode, WeappError } from '../../lib/errors.js'
import type { ExchangeApp, Identity } from '../../lib/exchange.js'
import { checkCode, code2Session } from '../../lib/wechat/code2session.js'
import { createTransport, type WechatTransport } from '../../lib/wechat/transport.js'
import { createWechatApi } from '../../lib/wechat/wechat-api.js'
import type { Misbehaviour, Phone } from '../../sandbox/index.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { plainExchange } from '../support/plain-secrets.js'

const PATH = '/sns/jscode2session'
const AMPLE_MS = 10_000
const APP = { appid: 'wx1', secret: 'f00dfeedf00dfeedf00dfeedf00dfeed' }
const CODE = '0a3kFq000aX1bP1KXY200Z9QyV2kFq0s'

interface ScriptedTransport extends WechatTransport {
  readonly requests: Parameters<WechatTransport['send']>[0][]
}

/** The exchange with a deadline in milliseconds. */
function exchanging(transport: WechatTransport, timeoutMs: number) {
  return (app: ExchangeApp, code: string) =>
    plainExchange(timeoutMs)(code2Session(createWechatApi({ transport })), app, code)
}

/** A transport that gives these answers in turn, the last one again and again. */
function answering(...answers: (string | WeappError | WechatTransport)[]): ScriptedTransport {
  const requests: ScriptedTransport['requests'] = []
  return {
    requests,
    async send(request) {
      requests.push(request)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer instanceof WeappError) throw answer
      return typeof answer === 'string' ? answer : (answer as WechatTransport).send(request)
    },
    close() {},
  }
}

describe('code2Session', () => {
  const sandbox = aSandbox()
  let transport: WechatTransport
  let phone: Phone
  beforeEach(() => {
    transport = createTransport(new URL(sandbox().url))
    phone = sandbox().phone()
  })
  afterEach(() => transport.close())

  async function exchangeOf(how: { timeoutMs?: number; by?: WechatTransport } = {}): Promise<Identity> {
    const { code } = await phone.wx.login()
    return exchanging(how.by ?? transport, how.timeoutMs ?? AMPLE_MS)(sandbox().app, code)
  }

  it('exchanges a code for an identity, with one call of four parameters', async () => {
    const { code } = await phone.wx.login()
    const identity = await exchanging(transport, AMPLE_MS)(sandbox().app, code)
    expect(identity.openid).to.match(/^o[\w-]{27}$/)
    expect(identity.unionid).to.match(/^o[\w-]{27}$/)
    expect(identity.sessionKey).to.equal(sandbox().sessionKeyOf(phone))
    expect(
      sandbox()
        .calls(PATH)
        .map(({ query }) => query),
    ).to.deep.equal([{ ...sandbox().app, js_code: code, grant_type: 'authorization_code' }])
  })

  it('delivers a code of any characters as it is', async () => {
    const code = '!a&appid=wx2&secret=x#?%26+b;/\\"\'<>~'
    await weappErrorOf('ERR_CODE_INVALID', () =>
      exchanging(transport, AMPLE_MS)(sandbox().app, checkCode(code)),
    )
    expect(sandbox().calls(PATH)[0]?.query).to.include({ js_code: code, appid: sandbox().app.appid })
  })

  it('refuses a code that has been used, and a wrong secret, with one call each', async () => {
    const { code } = await phone.wx.login()
    const exchange = exchanging(transport, AMPLE_MS)
    await exchange(sandbox().app, code)
    await weappErrorOf('ERR_CODE_INVALID', () => exchange(sandbox().app, code))
    const app = { ...sandbox().app, secret: APP.secret }
    const error = await weappErrorOf('ERR_SERVER_MISCONFIGURED', () => exchange(app, code))
    expect(everythingIn(error)).to.not.include(APP.secret).and.not.include(code)
    expect(sandbox().callCount(PATH)).to.equal(3)
  })

  const failures: [Misbehaviour, ErrorCode, number?][] = [
    ['hang', 'ERR_WECHAT_NO_ANSWER', 500],
    [{ slowMs: 60_000 }, 'ERR_WECHAT_NO_ANSWER', 500],
    ['drop', 'ERR_WECHAT_NO_ANSWER'],
    ['truncated', 'ERR_WECHAT_ANSWER_INVALID'],
    ['badJson', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html502', 'ERR_WECHAT_ANSWER_INVALID'],
    ['http500', 'ERR_WECHAT_ANSWER_INVALID'],
    ['empty', 'ERR_WECHAT_ANSWER_INVALID'],
    ['redirect', 'ERR_WECHAT_ANSWER_INVALID'],
    ['missingOpenid', 'ERR_WECHAT_ANSWER_INVALID'],
    ['missingSessionKey', 'ERR_WECHAT_ANSWER_INVALID'],
    ['wrongTypes', 'ERR_WECHAT_ANSWER_INVALID'],
    [{ errcode: 40029 }, 'ERR_CODE_INVALID'],
    [{ errcode: 40226 }, 'ERR_USER_BLOCKED'],
    [{ errcode: 45011 }, 'ERR_WECHAT_RATE_LIMITED'],
    [{ errcode: 45009 }, 'ERR_WECHAT_QUOTA'],
    [{ errcode: 40164 }, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 12345 }, 'ERR_WECHAT_ANSWER_INVALID'],
  ]
  for (const [how, code, timeoutMs = AMPLE_MS] of failures) {
    it(`ends in ${code} after one call when WeChat does ${JSON.stringify(how)}`, async () => {
      sandbox().misbehave(how)
      const error = await weappErrorOf(code, () => exchangeOf({ timeoutMs }))
      expect(sandbox().callCount(PATH)).to.equal(1)
      expect(sandbox().callCount('/redirected')).to.equal(0)
      const shown = everythingIn(error)
      const sent = sandbox().calls(PATH)[0]?.query.js_code ?? expect.fail('no code was sent')
      for (const secret of [sandbox().app.secret, sent, sandbox().sessionKeyOf(phone), sandbox().url])
        expect(shown).to.not.include(secret)
    })
  }

  it('needs no field but two, and minds no other', async () => {
    sandbox().misbehave('extraFields')
    expect((await exchangeOf()).sessionKey).to.equal(sandbox().sessionKeyOf(phone))
  })

  it('waits for an answer that is slow but in time', async () => {
    sandbox().misbehave({ slowMs: 20 })
    expect((await exchangeOf()).sessionKey).to.equal(sandbox().sessionKeyOf(phone))
  })

  it('asks WeChat twice more while it is busy, and takes the answer when it recovers', async () => {
    sandbox().misbehave({ errcode: -1 }, { times: 2 })
    expect((await exchangeOf()).sessionKey).to.equal(sandbox().sessionKeyOf(phone))
    expect(sandbox().callCount(PATH)).to.equal(3)
  })

  it('gives up on WeChat when it stays busy', async () => {
    sandbox().misbehave({ errcode: -1 })
    await weappErrorOf('ERR_WECHAT_BUSY', exchangeOf)
    expect(sandbox().callCount(PATH)).to.equal(3)
  })

  it('tries exactly once more when it cannot connect', async () => {
    const counting = answering(transport)
    const { code } = await phone.wx.login()
    await sandbox().takeDown()
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => exchanging(counting, AMPLE_MS)(sandbox().app, code))
    expect(counting.requests).to.have.length(2)
  })

  it('exchanges the code when it can connect the second time', async () => {
    const flaky = answering(new WeappError('ERR_WECHAT_UNREACHABLE', 'Later.'), transport)
    expect((await exchangeOf({ by: flaky })).sessionKey).to.equal(sandbox().sessionKeyOf(phone))
    expect(sandbox().callCount(PATH)).to.equal(1)
  })
})

describe('the deadline of an exchange', () => {
  const busy = JSON.stringify({ errcode: -1, errmsg: 'system error' })

  it('is one for all tries', async () => {
    const transport = answering(busy)
    await weappErrorOf('ERR_WECHAT_BUSY', () => exchanging(transport, AMPLE_MS)(APP, CODE))
    expect(new Set(transport.requests.map(({ signal }) => signal)).size).to.equal(1)
  })

  it('leaves no room for another try, and WeChat is as busy as it said', async () => {
    const transport = answering(busy, new WeappError('ERR_WECHAT_UNREACHABLE', 'The signal is aborted.'))
    await weappErrorOf('ERR_WECHAT_BUSY', () => exchanging(transport, 1)(APP, CODE))
    expect(transport.requests).to.have.length(1)
  })
})

describe('checkCode', () => {
  it('takes what can be a code, unchanged', () => {
    for (const code of [CODE, 'x', '!~', '-_&=%#?', 'a'.repeat(256)]) expect(checkCode(code)).to.equal(code)
  })

  it('says what a mock code comes from', async () => {
    const error = await weappErrorOf('ERR_CODE_MOCK', () => checkCode('the code is a mock one'))
    expect(error.message).to.include('Set the AppID')
  })

  const refused: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a number', 12345678],
    ['a list', [CODE]],
    ['an object', { toString: () => CODE }],
    ['257 characters', 'a'.repeat(257)],
    ['10,000 characters', 'a'.repeat(10_000)],
    ['a blank', `${CODE} `],
    ['blanks alone', '   '],
    ['a mock code in other words', 'The code is a mock one'],
    ['a line break', `${CODE}\n`],
    ['a header in disguise', `a\r\nHost: evil`],
    ['a NUL', `${CODE}\0`],
    ['a DEL', `${CODE}\x7f`],
    ['a letter beyond ASCII', `${CODE}é`],
    ['a blank beyond ASCII', `${CODE}\u00a0`],
  ]
  for (const [what, code] of refused) {
    it(`refuses ${what}, and does not repeat it`, async () => {
      const error = await failureOf(() => checkCode(code))
      expect(error).to.be.instanceOf(WeappError).with.property('code', 'ERR_REQUEST_INVALID')
      expect(everythingIn(error)).to.not.include(CODE)
    })
  }
})
