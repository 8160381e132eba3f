import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import type { Phone, Sandbox } from '../../sandbox/index.js'
import { aSandbox, logInAndExchange, StoppedClock } from './a-sandbox.js'
import { accessToken } from './access-token.js'
import { type Answered, ask, postJson } from './ask.js'
import { opened, proofOf } from './opened.js'

const CHECK = '/wxa/checksession'
const RESET = '/wxa/resetusersessionkey'
const LIFETIME_MS = 60_000

const clock = new StoppedClock()
const apps = [
  { appid: 'wxaaaaaaaaaaaaaaaa', secret: 'first' },
  { appid: 'wxbbbbbbbbbbbbbbbb', secret: 'second' },
] as const

/** A phone that has logged in, and what an app's server asks about its session_key. */
function aLoggedInPhone(): {
  sandbox: () => Sandbox
  phone: () => Phone
  key: () => string
  parameters: () => Record<string, string>
  get: (path: string, changes?: Record<string, string | undefined>) => Promise<Answered>
} {
  const sandbox = aSandbox({ clock: clock.read, apps, sessionKeyLifetimeMs: LIFETIME_MS })
  let phone: Phone
  let key: string
  let token: string

  beforeEach(async () => {
    phone = sandbox().phone()
    key = String((await logInAndExchange(sandbox(), phone)).session_key)
    token = await accessToken(sandbox())
  })

  const parameters = (): Record<string, string> => ({
    access_token: token,
    openid: phone.openid,
    signature: proofOf(key),
    sig_method: 'hmac_sha256',
  })

  return {
    sandbox,
    phone: () => phone,
    key: () => key,
    parameters,
    get: (path, changes = {}) => {
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries({ ...parameters(), ...changes })) {
        if (value !== undefined) query.set(name, value)
      }
      return ask(`${sandbox().url}${path}?${query}`)
    },
  }
}

for (const path of [CHECK, RESET]) {
  describe(path, () => {
    const { sandbox, phone, key, get } = aLoggedInPhone()

    const refusals: [what: string, changes: () => Record<string, string | undefined>, errcode: number][] = [
      ['a missing access_token', () => ({ access_token: undefined }), 41001],
      ['a malformed access_token', () => ({ access_token: 'guessed' }), 40014],
      ['a missing openid', () => ({ openid: undefined }), 40097],
      ['a missing signature', () => ({ signature: undefined }), 40097],
      ['an empty signature', () => ({ signature: '' }), 40097],
      ['a missing sig_method', () => ({ sig_method: undefined }), 40097],
      ['another sig_method', () => ({ sig_method: 'hmac_sha1' }), 87008],
      ['a wrong signature', () => ({ signature: proofOf('guessed') }), 87009],
      ['a signature in upper case', () => ({ signature: proofOf(key()).toUpperCase() }), 87009],
      ['a signature by the decoded key', () => ({ signature: proofOf(atob(key())) }), 87009],
      ['the signature of another user', () => ({ openid: otherOpenid() }), 87009],
    ]

    const otherOpenid = (): string => {
      const other = sandbox().phone()
      sandbox().rotateSessionKey(other)
      return other.openid
    }

    for (const [what, changes, errcode] of refusals) {
      it(`refuses ${what} with ${errcode} in a 200 of JSON`, async () => {
        const { status, headers, json } = await get(path, changes())
        expect(status).to.equal(200)
        expect(headers['content-type']).to.match(/^application\/json/)
        expect(json).to.have.all.keys('errcode', 'errmsg')
        expect(json.errcode).to.equal(errcode)
        expect(sandbox().sessionKeyOf(phone())).to.equal(key())
      })
    }

    it('refuses a key that WeChat has rotated with 87009', async () => {
      sandbox().rotateSessionKey(phone())
      expect((await get(path)).json.errcode).to.equal(87009)
    })

    it('refuses an expired access token with 42001', async () => {
      sandbox().expireAccessToken()
      expect((await get(path)).json.errcode).to.equal(42001)
    })

    it('misbehaves on demand', async () => {
      sandbox().misbehave({ errcode: 45011 }, { path, times: 1 })
      expect((await get(path)).json.errcode).to.equal(45011)
      expect((await get(path)).json.errcode).to.equal(0)
    })
  })
}

describe('checksession', () => {
  const { sandbox, phone, parameters, get } = aLoggedInPhone()

  it('returns 0 for the valid key', async () => {
    expect((await get(CHECK)).json).to.deep.equal({ errcode: 0, errmsg: 'ok' })
  })

  it('takes the parameters from a JSON body too', async () => {
    const { access_token = '', ...fields } = parameters()
    const url = `${sandbox().url}${CHECK}?${new URLSearchParams({ access_token })}`
    expect((await postJson(url, fields)).json.errcode).to.equal(0)
    const body = JSON.stringify(fields)
    const headers = { 'content-length': String(body.length) }
    expect((await ask(url, { headers, body })).json.errcode).to.equal(0)
  })

  it('refuses a key after a login has replaced it', async () => {
    await phone().wx.login()
    expect((await get(CHECK)).json.errcode).to.equal(87009)
  })

  it('refuses an expired key, and the user of another app, as if the signature were wrong', async () => {
    const token = await accessToken(sandbox(), apps[1])
    expect((await get(CHECK, { access_token: token })).json.errcode).to.equal(87009)
    clock.now += LIFETIME_MS
    expect((await get(CHECK)).json.errcode).to.equal(87009)
  })
})

describe('resetusersessionkey', () => {
  const { sandbox, phone, key, get } = aLoggedInPhone()

  it('returns the new key, and the old one dies at once', async () => {
    const { json } = await get(RESET)
    const { openid } = phone()
    const newKey = sandbox().sessionKeyOf(phone())
    expect(json).to.deep.equal({ errcode: 0, errmsg: 'ok', openid, session_key: newKey })
    expect(newKey).not.to.equal(key())
    expect((await get(CHECK)).json.errcode).to.equal(87009)
    expect((await get(CHECK, { signature: proofOf(newKey) })).json.errcode).to.equal(0)
    expect((await get(RESET)).json.errcode).to.equal(87009)
  })

  it('makes the phone encrypt under the new key', async () => {
    const { json } = await get(RESET)
    const data = opened(await phone().wx.getUserInfo(), json.session_key)
    expect(data).to.have.property('openId', phone().openid)
  })

  it('gives the new key the end of the old one', async () => {
    clock.now += LIFETIME_MS - 1
    const { json } = await get(RESET)
    const signature = proofOf(json.session_key)
    expect((await get(CHECK, { signature })).json.errcode).to.equal(0)
    clock.now += 1
    expect((await get(RESET, { signature })).json.errcode).to.equal(87007)
  })

  it('returns 87007 where there is no key', async () => {
    expect((await get(RESET, { openid: 'onobody' })).json.errcode).to.equal(87007)
    const token = await accessToken(sandbox(), apps[1])
    expect((await get(RESET, { access_token: token })).json.errcode).to.equal(87007)
  })

  it('is a GET', async () => {
    const { json } = await postJson(`${sandbox().url}${RESET}`, {})
    expect(json.errcode).to.equal(43001)
  })
})
