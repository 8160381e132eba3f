import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/errors.js'
import { isAccessTokenRefused } from '../../lib/wechat/errcodes.js'
import { signBody } from '../../lib/wechat/session-key.js'
import { createTransport, type WechatTransport } from '../../lib/wechat/transport.js'
import { createWechatApi } from '../../lib/wechat/wechat-api.js'
import type { Misbehaviour, Phone } from '../../sandbox/index.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { accessToken } from '../sandbox/access-token.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { type PlainHeldKey, plainSessionKeyApi } from '../support/plain-secrets.js'
import vector from '../vectors/hmac-vector.json' with { type: 'json' }

const CHECK = '/wxa/checksession'
const RESET = '/wxa/resetusersessionkey'
const AMPLE_MS = 10_000

describe('signBody', () => {
  it('signs the published sample as published', () => {
    expect(signBody(vector.body, vector.sessionKey)).to.equal(vector.signature)
  })

  it('signs the empty body of a GET', () => {
    expect(signBody('', vector.sessionKey)).to.equal(vector.emptyBodySignatureComputedHere)
  })

  it('takes the key as text, not as the bytes it stands for', () => {
    const sameBytes = vector.sessionKey.replace(/=+$/, '')
    expect(Buffer.from(sameBytes, 'base64')).to.deep.equal(Buffer.from(vector.sessionKey, 'base64'))
    expect(signBody(vector.body, sameBytes)).to.not.equal(vector.signature)
  })
})

describe('the calls about a session_key', () => {
  const sandbox = aSandbox()
  let transport: WechatTransport
  let token: string
  let phone: Phone
  let held: PlainHeldKey
  beforeEach(async () => {
    transport = createTransport(new URL(sandbox().url))
    token = await accessToken(sandbox())
    phone = sandbox().phone()
    held = { openid: phone.openid, sessionKey: sandbox().sessionKeyOf(phone) }
  })
  afterEach(() => transport.close())

  const calls = (timeoutMs = AMPLE_MS) => plainSessionKeyApi(createWechatApi({ transport, timeoutMs }))

  it('know a key that is valid', async () => {
    expect(await calls().check(held, token)).to.equal(true)
  })

  it('know that a key is no longer valid, or is of somebody else', async () => {
    const other = sandbox().phone()
    const keyOfOther = { ...held, sessionKey: sandbox().sessionKeyOf(other) }
    expect(await calls().check(keyOfOther, token)).to.equal(false)
    sandbox().rotateSessionKey(phone)
    expect(await calls().check(held, token)).to.equal(false)
  })

  it('take a user of whom WeChat has no key for one whose key is gone', async () => {
    const { openid } = sandbox().phone()
    expect(await calls().check({ ...held, openid }, token)).to.equal(false)
  })

  it('reset a key to the one that WeChat has from then on', async () => {
    const sessionKey = await calls().reset(held, token)
    expect(sessionKey).to.not.equal(held.sessionKey)
    expect(sessionKey).to.equal(sandbox().sessionKeyOf(phone))
    expect(await calls().check(held, token)).to.equal(false)
    expect(await calls().check({ ...held, sessionKey }, token)).to.equal(true)
  })

  it('refuse to reset by a key that is out of date, and leave the valid one as it is', async () => {
    sandbox().rotateSessionKey(phone)
    const valid = sandbox().sessionKeyOf(phone)
    const error = await weappErrorOf('ERR_SESSION_KEY_STALE', () => calls().reset(held, token))
    expect(error.status).to.equal(409)
    expect(sandbox().sessionKeyOf(phone)).to.equal(valid)
    for (const secret of [held.sessionKey, valid, token, phone.openid])
      expect(everythingIn(error)).to.not.include(secret)
  })

  it('are GETs with the documented parameters and no body, and never send the key', async () => {
    await calls().check(held, token)
    await calls().reset(held, token)
    const query = {
      access_token: token,
      openid: phone.openid,
      signature: signBody('', held.sessionKey),
      sig_method: 'hmac_sha256',
    }
    for (const path of [CHECK, RESET]) {
      const seen = sandbox().calls(path)
      expect(seen).to.have.length(1)
      expect(seen[0]).to.deep.include({ method: 'GET', body: '', query })
      expect(Object.values(seen[0]?.query ?? {})).to.not.include(held.sessionKey)
    }
  })

  it('deliver an openid of any characters as it is', async () => {
    const openid = 'o&sig_method=x#?%26+é "'
    expect(await calls().check({ ...held, openid }, token)).to.equal(false)
    expect(sandbox().calls(CHECK)[0]?.query).to.include({ openid, sig_method: 'hmac_sha256' })
  })

  it('tell that the access token was refused', async () => {
    sandbox().revokeAccessToken()
    for (const name of ['check', 'reset'] as const) {
      const error = await failureOf(() => calls()[name](held, token))
      expect(isAccessTokenRefused(error)).to.equal(true)
      expect(everythingIn(error)).to.not.include(token).and.not.include(held.sessionKey)
    }
    expect(sandbox().sessionKeyOf(phone)).to.equal(held.sessionKey)
  })

  it('are made twice more while WeChat is busy', async () => {
    sandbox().misbehave({ errcode: -1 }, { path: CHECK, times: 2 })
    expect(await calls().check(held, token)).to.equal(true)
    expect(sandbox().callCount(CHECK)).to.equal(3)
    sandbox().misbehave({ errcode: -1 }, { path: RESET, times: 2 })
    expect(await calls().reset(held, token)).to.equal(sandbox().sessionKeyOf(phone))
    expect(sandbox().callCount(RESET)).to.equal(3)
  })

  const failures: [Misbehaviour, ErrorCode, number?][] = [
    ['badJson', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html', 'ERR_WECHAT_ANSWER_INVALID'],
    ['http500', 'ERR_WECHAT_ANSWER_INVALID'],
    ['drop', 'ERR_WECHAT_NO_ANSWER'],
    ['hang', 'ERR_WECHAT_NO_ANSWER', 500],
    [{ errcode: 45011 }, 'ERR_WECHAT_RATE_LIMITED'],
    [{ errcode: 40097 }, 'ERR_WECHAT_ANSWER_INVALID'],
  ]
  for (const [how, code, timeoutMs] of failures) {
    it(`end in ${code} after one call each when WeChat does ${JSON.stringify(how)}`, async () => {
      for (const [name, path] of [['check', CHECK] as const, ['reset', RESET] as const]) {
        sandbox().misbehave(how, { path })
        const error = await weappErrorOf(code, () => calls(timeoutMs)[name](held, token))
        expect(sandbox().callCount(path)).to.equal(1)
        for (const secret of [held.sessionKey, sandbox().sessionKeyOf(phone), token])
          expect(everythingIn(error)).to.not.include(secret)
      }
    })
  }

  it('take the new key without the openid, which they know', async () => {
    sandbox().misbehave('missingOpenid', { path: RESET })
    expect(await calls().reset(held, token)).to.equal(sandbox().sessionKeyOf(phone))
  })

  for (const how of ['missingSessionKey', 'wrongTypes'] as const) {
    it(`refuse the new key when WeChat does ${how}, and do not repeat it`, async () => {
      sandbox().misbehave(how, { path: RESET })
      const error = await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => calls().reset(held, token))
      expect(everythingIn(error)).to.not.include(sandbox().sessionKeyOf(phone))
    })
  }

  it('refuse the new key of another openid than the one asked for, and do not repeat it', async () => {
    const answer = { errcode: 0, errmsg: 'ok', openid: 'oAnother', session_key: vector.sessionKey }
    const misled = { send: async () => JSON.stringify(answer), close() {} }
    const { reset } = plainSessionKeyApi(createWechatApi({ transport: misled }))
    const error = await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => reset(held, token))
    expect(everythingIn(error)).to.not.include(vector.sessionKey)
    expect(await reset({ ...held, openid: 'oAnother' }, token)).to.equal(vector.sessionKey)
  })
})
