import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createClient } from '../../client/index.js'
import { answering, type ClientBed, clientErrorOf, holding, openClientBed, status } from './client-bed.js'

interface Me {
  openid: string
  userInfo: Record<string, unknown> | null
}

describe('the client', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed()
  })
  afterEach(() => bed.close())

  it('touches neither network nor storage until a call needs it', () => {
    const silent = new Proxy(bed.phone.wx, { get: () => expect.fail('it uses wx') })
    bed.start({ wx: silent })
    expect([bed.asked, bed.sandbox.callCount('/sandbox/login')]).to.deep.equal([[], 0])
  })

  it('logs in on the first call, and once', async () => {
    const client = bed.start()
    const { data, statusCode, errMsg } = await client.request<{ openid: string }>({ url: '/me' })
    expect([data.openid, statusCode, errMsg]).to.deep.equal([bed.phone.openid, 200, 'request:ok'])
    await client.request({ url: '/me' })
    expect(bed.asked).to.deep.equal(['POST /login', 'GET /me', 'GET /me'])
  })

  it('passes on what wx.request takes, the own headers too', async () => {
    let seen: unknown
    bed.line = answering('/orders', (req, res) => {
      seen = [req.method, req.query, req.get('x-own'), req.get('x-3rd-session') === bed.stored()]
      res.json([1])
    })
    const { data } = await bed
      .start()
      .request({ url: '/orders', data: { page: 2 }, header: { 'x-own': 'a' } })
    expect(data).to.deep.equal([1])
    expect(seen).to.deep.equal(['GET', { page: '2' }, 'a', true])
  })

  it('resolves with any answer that is none of its matters', async () => {
    const client = bed.start()
    for (const code of [404, 403, 500, 503, 302]) {
      bed.line = answering('/thing', status(code))
      expect(await client.request({ url: '/thing' })).to.include({ statusCode: code })
    }
  })

  it('takes no answer of the app for a problem of the server', async () => {
    bed.line = answering(
      '/thing',
      (_req, res) => void res.status(403).json({ code: 'ERR_SESSION_KEY_STALE' }),
    )
    expect(await bed.start().request({ url: '/thing' })).to.include({ statusCode: 403 })
    expect(bed.logins()).to.equal(1)
  })

  it('shows a back end the token of no other one', async () => {
    await bed.start().login()
    const other = await openClientBed()
    try {
      await other
        .start({}, bed.phone)
        .request({ url: '/me' })
        .catch(() => undefined)
      expect(other.asked[0]).to.equal('POST /login')
    } finally {
      await other.close()
    }
  })

  it('rejects with the problems of the server, by code', async () => {
    const error = await clientErrorOf('ERR_SESSION_NOT_FOUND', () =>
      bed.start().request({ url: '/sessions/nothing', method: 'DELETE' }),
    )
    expect(error).to.include({ statusCode: 404, name: 'ClientError' })
    expect(error.errMsg).to.equal(error.message)
  })

  it('takes an address below baseUrl, and sends the token to no other host', async () => {
    const client = bed.start()
    expect(await client.request({ url: `${bed.url}/me` })).to.include({ statusCode: 200 })
    for (const url of ['https://example.org/', `${bed.url}.example.org/`, 'me', '', `${bed.url}@a/`]) {
      await clientErrorOf('ERR_URL_INVALID', () => client.request({ url }))
    }
    expect(bed.asked).to.have.lengthOf(2)
    const fresh = bed.start({ storageKey: 'fresh' })
    await clientErrorOf('ERR_URL_INVALID', () => fresh.downloadFile({ url: 'https://example.org/a' }))
    await clientErrorOf('ERR_URL_INVALID', () => fresh.decrypt(undefined as never))
    expect(bed.asked).to.have.lengthOf(2)
  })

  it('lives at a path of the server, with a header and an appid of its own', async () => {
    let seen: unknown[] = []
    bed.line = (req, res) => {
      seen = [...seen, `${req.method} ${req.path}`, req.get('x-token')]
      res.json({ token: 'abc' })
    }
    const client = bed.start({
      baseUrl: `${bed.url}/v2/`,
      header: 'X-Token',
      storageKey: 'mine',
      appid: 'wx1',
    })
    await client.request({ url: '/me' })
    expect(seen).to.deep.equal(['POST /v2/login', undefined, 'GET /v2/me', 'abc'])
    expect(bed.phone.wx.getStorageSync('mine')).to.equal('abc')
  })

  it('tells whether the phone holds a token, without asking anybody', async () => {
    const client = bed.start()
    expect(client.isLoggedIn()).to.equal(false)
    await client.login()
    await bed.endAll()
    expect([client.isLoggedIn(), bed.start().isLoggedIn()]).to.deep.equal([true, true])
    await client.logout()
    expect([client.isLoggedIn(), bed.asked]).to.deep.equal([false, ['POST /login', 'POST /logout']])
  })

  describe('getToken', () => {
    it('returns the token that calls are sent with, after a login where there is none', async () => {
      const client = bed.start()
      const [token, again] = await Promise.all([client.getToken(), client.getToken()])
      expect([token, again, bed.logins()]).to.deep.equal([bed.stored(), bed.stored(), 1])
      await bed.me(token).expect(200)
      expect(await bed.start().getToken()).to.equal(token)
      expect(await new Promise((success) => client.getToken({ success }))).to.equal(token)
      expect(bed.asked).to.deep.equal(['POST /login'])
    })

    it('returns the token of the newest login', async () => {
      const client = bed.start()
      const first = await client.getToken()
      await client.login()
      expect(await client.getToken())
        .to.equal(bed.stored())
        .and.not.equal(first)
    })

    it('fails as a login does, and logs nobody in who is logging out', async () => {
      const client = bed.start()
      bed.phone.offline = true
      await clientErrorOf('ERR_WX_LOGIN', () => client.getToken())
      bed.phone.offline = false
      await client.login()
      const { line, letGo } = holding('/logout')
      bed.line = line
      const leaving = client.logout()
      await bed.reached('POST /logout')
      await bed.endAll()
      await clientErrorOf('ERR_SESSION_UNKNOWN', () => client.request({ url: '/me' }))
      await clientErrorOf('ERR_TOKEN_MISSING', () => client.getToken())
      letGo()
      await leaving
      expect(await client.getToken()).to.equal(bed.stored())
    })
  })

  it('resolves a login with the ends of the session and the profile, and never the token', async () => {
    const client = bed.start()
    expect(await client.login()).to.have.all.keys('expiresAt', 'idleExpiresAt', 'userInfo')
    expect(JSON.stringify(client)).not.to.contain(bed.stored())
  })

  it('logs out at the server and on the phone; the next call logs in', async () => {
    const client = bed.start()
    await client.logout()
    expect(bed.asked).to.deep.equal([])
    await client.login()
    const old = bed.stored()
    await client.logout()
    expect(bed.stored()).to.equal('')
    await bed.me(old).expect(401)
    await client.request({ url: '/me' })
    expect(bed.logins()).to.equal(2)
  })

  it('sets the profile: typed, signed and encrypted', async () => {
    const client = bed.start()
    const typed = await client.setUserInfo({ userInfo: { nickName: '小明' } })
    expect(typed).to.deep.equal({ nickName: '小明', verified: false })
    const { wx } = bed.phone
    const { rawData, signature, ...nameless } = await wx.getUserProfile({ desc: 'to greet you' })
    expect(await client.setUserInfo({ rawData, signature })).to.include({ verified: true })
    const unnamed = { encryptedData: nameless.encryptedData, iv: nameless.iv }
    expect(await client.setUserInfo(unnamed)).to.include({ verified: false })
    const { encryptedData = '', iv = '' } = await wx.getUserInfo()
    expect(await client.setUserInfo({ encryptedData, iv })).to.include({ verified: true })
    const { data } = await client.request<{ userInfo: object }>({ url: '/me' })
    expect((data as unknown as Me).userInfo).to.include({ verified: true })
    await clientErrorOf('ERR_REQUEST_INVALID', () => client.setUserInfo({} as never))
  })

  it('gets the phone number behind a tap, and tells when another tap is needed, without a login', async () => {
    const client = bed.start()
    const detail = await bed.phone.getPhoneNumber()
    expect(await client.phoneNumber(detail)).to.include({ countryCode: '86' })
    const error = await clientErrorOf('ERR_PHONE_CODE_INVALID', () => client.phoneNumber(detail))
    expect(error.statusCode).to.equal(401)
    await clientErrorOf('ERR_REQUEST_INVALID', () => client.phoneNumber({}))
    expect(bed.logins()).to.equal(1)
  })

  it('sends encrypted data to a route of the app, and returns its response', async () => {
    const client = bed.start()
    await client.login()
    const steps = await bed.phone.wx.getWeRunData()
    const { stepInfoList } = await client.decrypt<{ stepInfoList: unknown[] }>({ url: '/steps', ...steps })
    expect(stepInfoList).to.have.lengthOf(31)
    await clientErrorOf('ERR_ANSWER_UNEXPECTED', () => client.decrypt({ url: '/nowhere', ...steps }))
  })

  it('uploads and downloads with the token', async () => {
    const client = bed.start()
    const filePath = bed.phone.files.add('a picture')
    const up = await client.uploadFile({ url: '/avatar', filePath, name: 'avatar' })
    expect(JSON.parse(up.data)).to.deep.equal({
      openid: bed.phone.openid,
      avatar: 'a picture',
      avatarUrl: '/avatars/1',
    })
    const { tempFilePath } = await client.downloadFile({ url: '/me' })
    expect(JSON.parse(String(Buffer.from(bed.phone.files.read(tempFilePath) ?? [])))).to.include({
      openid: bed.phone.openid,
    })
    bed.line = answering('/avatar', (_req, res) => {
      const problem = {
        type: 'urn:weapp-session:ERR_USER_BLOCKED',
        code: 'ERR_USER_BLOCKED',
        detail: 'Blocked.',
      }
      res.status(403).json(problem)
    })
    await clientErrorOf('ERR_USER_BLOCKED', () =>
      client.uploadFile({ url: '/avatar', filePath, name: 'avatar' }),
    )
    await bed.endAll()
    expect(await client.uploadFile({ url: '/avatar', filePath, name: 'avatar' })).to.include({
      statusCode: 200,
    })
    await bed.endAll()
    expect(await client.downloadFile({ url: '/me' })).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(3)
  })
})

describe('createClient', () => {
  const { wx } = { wx: {} as never }

  for (const [words, options] of [
    ['baseUrl must be an http(s) URL without a query', undefined],
    ['baseUrl must be an http(s) URL without a query', { wx }],
    ['baseUrl must be an http(s) URL without a query', { wx, baseUrl: 'api.example.com' }],
    ['baseUrl must be an http(s) URL without a query', { wx, baseUrl: 'https://a.example/?x=1' }],
    ['header must be a non-empty string', { wx, baseUrl: 'https://a.example', header: '' }],
    ['storageKey must be a non-empty string', { wx, baseUrl: 'https://a.example', storageKey: 7 }],
    ['appid must be a non-empty string', { wx, baseUrl: 'https://a.example', appid: null }],
    [
      'timeoutMs must be a positive number of milliseconds',
      { wx, baseUrl: 'https://a.example', timeoutMs: '1' },
    ],
    [
      'timeoutMs must be a positive number of milliseconds',
      { wx, baseUrl: 'https://a.example', timeoutMs: 0 },
    ],
    [
      'timeoutMs must be a positive number of milliseconds',
      { wx, baseUrl: 'https://a.example', timeoutMs: 1e10 },
    ],
    [
      'maxWaitSeconds must be a number of seconds from 0',
      { wx, baseUrl: 'https://a.example', maxWaitSeconds: Number.NaN },
    ],
    ['wx must be an object like wx', { baseUrl: 'https://a.example' }],
    ['wait must be a function', { wx, baseUrl: 'https://a.example', wait: 1 }],
    ['unknown option "retries"; known: baseUrl, header,', { wx, baseUrl: 'https://a.example', retries: 1 }],
    ['unknown option "toString"; known: baseUrl,', { wx, baseUrl: 'https://a.example', toString: 1 }],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}: ${words}`, () => {
      expect(() => createClient(options as never)).to.throw(TypeError, `createClient: ${words}`)
    })
  }

  it('takes undefined for left out', () => {
    createClient({ wx, baseUrl: 'https://a.example', appid: undefined, header: undefined } as never)
  })
})
