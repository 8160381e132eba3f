import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest, { type Response as Answer, type Test } from 'supertest'
import {
  adminRouter,
  createSessions,
  loginRouter,
  nativeProtocol,
  problemHandler,
  RedisStore,
  requireServiceToken,
  requireSession,
  type Sessions,
  serviceTokens,
} from '../../lib/index.js'
import { createSandbox, type Misbehaviour, type Sandbox } from '../../sandbox/index.js'
import { openShowcaseBed } from '../example-app/showcase-bed.js'
import { forged, keyPair, pemOf } from '../service-tokens/forge.js'
import { mountDecryption, mountEveryProtocol } from '../support/every-protocol.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { formsOf, Planted } from './planted.js'

const APP = { appid: 'wx1111111111111111', secret: 'AppSecret-5e1f0c9b7a2d4e6f' }
const GAME = { appid: 'wx2222222222222222', secret: 'AppSecret-of-a-game-77aa' }
const KEYS = ['at-rest-key-one-4f7d9c2b8a6e1035+/zz', 'at-rest-key-two-9b3e7f1d5c8a2046+/zz']
const PASSWORD = 'redis-pass-c0ffee+/99'
const OF_A_HOOK = 'of-a-hook-d1e2f3a4b5c6'
const HMAC_SECRET = 'hmac-secret-of-a-service-8c41d7e2'
const SIGNING_KEY = keyPair()
const NUMBER = '13912345678'
const ENDPOINTS = ['/sns/jscode2session', '/cgi-bin/stable_token', '/wxa/business/getuserphonenumber']
// biome-ignore format: a list of words
const WAYS: Misbehaviour[] = [
  'hang', 'drop', 'truncated', 'badJson', 'html', 'html502', 'empty', 'redirect', 'http500', 'extraFields',
  'missingOpenid', 'missingSessionKey', 'wrongTypes',
]
const ERRCODES = [
  -1, 40001, 40013, 40014, 40029, 40125, 40163, 40164, 40226, 42001, 45009, 45011, 87009, 77777,
]

/** What hooks of an application throw, each with a secret where its kind holds one. */
const thrown: Record<string, () => unknown> = {
  'an error': () => new Error(`no access with ${OF_A_HOOK}`),
  'an error of an HTTP client': () =>
    Object.assign(new Error('Request failed with status code 401'), {
      config: {
        url: `https://a.example/?key=${OF_A_HOOK}`,
        headers: { Authorization: `Bearer ${OF_A_HOOK}` },
      },
      request: { path: `/?key=${OF_A_HOOK}` },
    }),
  'a cause': () => new TypeError('fetch failed', { cause: new Error(`redis://:${OF_A_HOOK}@127.0.0.1`) }),
  'many errors': () => new AggregateError([new Error(OF_A_HOOK)], `all failed, ${OF_A_HOOK}`),
  'a Response': () => new Response(OF_A_HOOK, { headers: { authorization: OF_A_HOOK } }),
  'a text': () => OF_A_HOOK,
  'an object': () => ({ code: 'ERR_LOGIN_REFUSED', message: OF_A_HOOK, [OF_A_HOOK]: true }),
}

describe('planted secrets', function () {
  this.timeout(60_000)
  let planted: Planted
  let server: RedisServer
  let redis: Redis
  let sandbox: Sandbox
  let sessions: Sessions
  let http: ReturnType<typeof supertest>
  let fail: (() => unknown) | undefined
  let restoreStderr: () => void

  beforeEach(async () => {
    planted = new Planted()
    for (const [name, secret] of Object.entries({ APP, GAME }))
      planted.plant(`AppSecret of ${name}`, secret.secret)
    for (const key of KEYS) planted.plant('key', key)
    planted.plant('Redis password', PASSWORD)
    planted.plant('secret of a hook', OF_A_HOOK)
    planted.plant('phone number', NUMBER)
    planted.plant('secret of HS256', HMAC_SECRET)
    planted.plant('private key', pemOf(SIGNING_KEY))
    planted.plant('private part of the key', String(SIGNING_KEY.export({ format: 'jwk' }).d))
    restoreStderr = captureOutput(planted)
    server = await startRedisServer({ args: ['--requirepass', PASSWORD, '--rdbcompression', 'no'] })
    redis = new Redis({
      port: server.port,
      host: '127.0.0.1',
      password: PASSWORD,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
    })
    redis.on('error', () => undefined)
    await once(redis, 'ready')
    sandbox = await createSandbox({ apps: [APP, GAME] })
    const hook = () => {
      if (fail) throw fail()
      return { role: 'user' }
    }
    const onConfirm = () => {
      if (fail) throw fail()
      return true
    }
    const options = { wechat: { baseUrl: sandbox.url, timeoutMs: 150 }, storeTimeoutMs: 300 }
    sessions = createSessions({
      ...options,
      apps: [APP],
      keys: KEYS,
      store: new RedisStore(redis),
      onLogin: hook,
      onUserInfo: hook,
      onLoginRefused(event) {
        planted.see('what onLoginRefused is told', event)
        if (fail) throw fail()
      },
      onConfirm,
    })
    const app = express()
    mountServices(app, hook)
    app.use(
      '/admin',
      adminRouter({
        sessions,
        authorize(req) {
          if (fail && req.get('x-operator') === 'failing') throw fail()
          return req.get('x-operator')
        },
        onAudit(event) {
          planted.see('what onAudit is told', event)
          if (fail && event.who === 'unaudited') throw fail()
        },
      }),
    )
    mountEveryProtocol(app, sessions)
    mountDecryption(app, sessions)
    app.get('/me', requireSession({ sessions }), (req, res) => {
      planted.see('the session of a request', { session: req.weapp, userInfo: req.userInfo })
      res.json({ openid: req.openid, userInfo: req.userInfo, weapp: { ...req.weapp } })
    })
    app.use(problemHandler())
    const keepError: ErrorRequestHandler = (error, req, res, _next) => {
      // What `authorize` throws goes to `next` as it is, as from any middleware of the application.
      const own = req.get('x-operator') === 'failing' ? ['secret of a hook'] : []
      planted.see('an error of the application', error, ...own)
      res.status(500).end()
    }
    app.use(keepError)
    http = supertest(app)
  })
  afterEach(async () => {
    await sessions.close()
    redis.disconnect()
    restoreStderr()
    await sandbox.close()
    await server.stop()
  })

  /** Issuers and services, one with a key pair and one with a secret. */
  function mountServices(app: Express, claims: () => object): void {
    const common = { sessions, issuer: 'https://app.example.com', audiences: ['orders'], openid: true }
    app.use('/tokens', serviceTokens({ ...common, keys: [pemOf(SIGNING_KEY)], claims }))
    app.use('/own-tokens', serviceTokens({ ...common, keys: [{ key: HMAC_SECRET, alg: 'HS256' }] }))
    const expected = { issuer: common.issuer, audience: 'orders' }
    for (const [path, guard] of Object.entries({
      '/orders': requireServiceToken({ ...expected, keys: [createPublicKey(SIGNING_KEY)] }),
      '/own-orders': requireServiceToken({ ...expected, keys: [{ key: HMAC_SECRET, alg: 'HS256' }] }),
      '/fetching-orders': requireServiceToken({
        ...expected,
        jwksUri: `http://127.0.0.1:${server.port}/keys`,
        allowHttp: true,
        timeoutMs: 100,
      }),
    })) {
      planted.see(`the guard of ${path}`, guard)
      app.get(path, guard, (req, res) => {
        planted.see('what a service token says', req.serviceToken)
        res.json(req.serviceToken)
      })
    }
  }

  async function answered(where: string, test: Test, ...allowed: string[]): Promise<Answer> {
    const answer = await test
    planted.see(
      `the answer of ${where}`,
      `${answer.status} ${JSON.stringify(answer.headers)} ${answer.text}`,
      ...allowed,
    )
    return answer
  }

  async function failed(where: string, call: () => Promise<unknown>): Promise<void> {
    await call().then(
      () => undefined,
      (error: unknown) => planted.see(`the error of ${where}`, error),
    )
  }

  /** A code of a new phone, with its session_key and its encrypted data. */
  async function newLogin(appid = APP.appid) {
    const phone = sandbox.phone({ appid, phoneNumber: NUMBER })
    const { code } = await phone.wx.login()
    const {
      encryptedData = '',
      iv = '',
      rawData = '',
      signature = '',
    } = await phone.wx.getUserProfile({ desc: 'x' })
    planted.plant('login code', code)
    planted.plant('session_key', sandbox.sessionKeyOf(phone))
    const tap = await phone.getPhoneNumber()
    return {
      phone,
      code,
      data: { encryptedData, iv, rawData, signature },
      phoneCode: planted.plant('phone code', tap.code ?? ''),
    }
  }

  async function logIn() {
    const login = await newLogin()
    const { body } = await answered(
      '/login',
      http.post('/login').send({
        code: login.code,
        appid: APP.appid,
        rawData: login.data.rawData,
        signature: login.data.signature,
        nonce: 'nonce-of-16-characters',
      }),
      'token',
    )
    expect(body, JSON.stringify(body)).to.have.property('token')
    return { ...login, token: planted.plant('token', body.token as string) }
  }

  /** Requests to the routes of all protocols; with a live Redis and WeChat most succeed. */
  async function runAll(what: string): Promise<void> {
    const login = await newLogin()
    const { code, data, phoneCode } = login
    const ask = (where: string, test: Test, ...allowed: string[]) =>
      answered(`${where}, ${what}`, test, ...allowed)
    const first = await ask(
      'POST /login',
      http.post('/login').send({ code, appid: APP.appid, ...data }),
      'token',
    )
    const token = typeof first.body.token === 'string' ? first.body.token : 'T0'.repeat(32)
    planted.plant('token', token)
    const own = (test: Test) => test.set('x-3rd-session', token)
    await ask(
      'POST /login with a used code',
      http.post('/login').send({ code, appid: APP.appid, nonce: 'another-nonce-of-theirs' }),
    )
    await ask('GET /session', own(http.get('/session')))
    await ask('GET /sessions', own(http.get('/sessions')))
    await ask('GET /me', own(http.get('/me')))
    await ask('GET /me with Bearer', http.get('/me').set('authorization', `Bearer ${token}`))
    await ask('GET /me with half a token', http.get('/me').set('x-3rd-session', token.slice(0, 60)))
    await ask('GET /me with a token in the query', http.get(`/me?token=${token}`))
    await ask('PUT /session/user-info', own(http.put('/session/user-info')).send({ ...data, code }))
    await ask(
      'POST /session/phone-number',
      own(http.post('/session/phone-number')).send({ code: phoneCode }),
      'phone number',
    )
    await askServices(what, token)
    await ask(
      'POST /session/confirmation',
      own(http.post('/session/confirmation')).send({ phoneCode, pin: token }),
    )
    await askOperators(what, login.phone.openid, token)
    const fresh = planted.plant('login code', (await login.phone.wx.login()).code)
    planted.plant('session_key', sandbox.sessionKeyOf(login.phone))
    const nonce = 'nonce-of-16-characters'
    const renewal = () => own(http.post('/session/renewal')).send({ code: fresh, appid: APP.appid, nonce })
    const renewed = await ask('POST /session/renewal', renewal(), 'token', 'renewed token')
    if (typeof renewed.body.token === 'string') planted.plant('renewed token', renewed.body.token)
    await ask('POST /session/renewal again', renewal(), 'token', 'renewed token')
    await ask(
      'POST /session/phone-number again',
      own(http.post('/session/phone-number')).send({ code: phoneCode }),
    )
    await ask('POST /as/phone', own(http.post('/as/phone')).send({ ...data, code }))
    await ask('DELETE /sessions/:id', own(http.delete(`/sessions/${token}`)))
    await ask('DELETE /sessions', own(http.delete('/sessions')))
    await ask('PATCH /sessions', own(http.patch('/sessions')))
    await ask('POST /logout', own(http.post('/logout')))

    for (const path of ['/wafer/login', '/wafer2/login']) {
      const old = await newLogin()
      const { body } = await ask(
        path,
        http.get(path).set({
          'x-wx-code': old.code,
          'x-wx-encrypted-data': old.data.encryptedData,
          'x-wx-iv': old.data.iv,
        }),
        'token',
        'old token',
      )
      const skey = body?.session?.skey ?? body?.data?.skey
      if (typeof skey === 'string') planted.plant('old token', skey)
      await ask(
        `${path} again`,
        http.get(path).set({ 'x-wx-code': old.code, 'x-wx-skey': token, 'x-wx-id': token.slice(0, 20) }),
      )
    }
    const old = await newLogin()
    const call = (interfaceName: string, para: object) =>
      http.post('/mina_auth/').send({ interface: { interfaceName, para } })
    const para = { code: old.code, encrypt_data: old.data.encryptedData, iv: old.data.iv }
    const { body } = await ask('id_skey', call('qcloud.cam.id_skey', para), 'token', 'skey')
    const { id = '', skey = token } = body?.returnData ?? {}
    if (skey !== token) planted.plant('skey', skey)
    await ask('auth', call('qcloud.cam.auth', { id, skey }))
    await ask(
      'decrypt',
      call('qcloud.cam.decrypt', { id, skey, encrypt_data: old.data.encryptedData, iv: old.data.iv }),
    )
    const mina = await newLogin()
    const given = await ask(
      '/mina/login',
      http
        .post('/mina/login')
        .send({ code: mina.code, encrypt_data: mina.data.encryptedData, iv: mina.data.iv }),
      'token',
      'key of wxapp',
    )
    const { uuid = '', skey: key = token } = given.body?.data ?? {}
    if (key !== token) planted.plant('key of wxapp', key)
    await ask('/mina/auth', http.post('/mina/auth').send({ uuid, skey: key }))
  }

  /** What a session gets for other services, and what these say to it and to forgeries of it. */
  async function askServices(what: string, token: string): Promise<void> {
    for (const at of ['/tokens', '/own-tokens']) {
      const { body } = await answered(
        `POST ${at}/token, ${what}`,
        http.post(`${at}/token`).set('x-3rd-session', token).send({ audience: 'orders' }),
        'service token',
      )
      await answered(`GET of the keys at ${at}, ${what}`, http.get(`${at}/.well-known/jwks.json`))
      const issued = typeof body.token === 'string' ? planted.plant('service token', body.token) : 'none'
      const signed = forged({ alg: 'HS256', typ: 'weapp-session+jwt', kid: token }, { sub: token }, token)
      for (const path of ['/orders', '/own-orders', '/fetching-orders']) {
        for (const sent of [issued, `${issued}x`, issued.slice(0, -9), signed, token])
          await answered(`${path}, ${what}`, http.get(path).set('authorization', `Bearer ${sent}`))
      }
    }
  }

  async function askOperators(what: string, openid: string, token: string): Promise<void> {
    const id = token.slice(0, 44)
    for (const who of ['ada', 'failing', 'unaudited', '']) {
      const by = (test: Test) => test.set('x-operator', who)
      const user = { appid: APP.appid, openid }
      const named = `as the operator ${who}, ${what}`
      await answered(`POST /users/sessions ${named}`, by(http.post('/admin/users/sessions')).send(user))
      await answered(
        `a misspelt user ${named}`,
        by(http.post('/admin/users/revoke')).send({ [token]: token }),
      )
      await answered(`GET /sessions/:id ${named}`, by(http.get(`/admin/sessions/${token}`)))
      await answered(`GET /sessions/:id of a part of a token ${named}`, by(http.get(`/admin/sessions/${id}`)))
      await answered(`POST /apps/revoke ${named}`, by(http.post('/admin/apps/revoke')).send({ appid: token }))
    }
  }

  it('come out nowhere when all goes well, and are not in Redis, nor in what can be inspected', async () => {
    await runAll('when all goes well')
    const { token, phone, phoneCode, code } = await logIn()
    planted.plant('access token', await sessions.accessToken({ appid: APP.appid }))
    const session = await sessions.authenticate(token)
    await sessions.phoneNumber({ code: phoneCode, appid: APP.appid, openid: phone.openid, keep: true })
    expect((await sessions.phoneNumberOf(session))?.phoneNumber).to.equal(NUMBER)
    const store = new RedisStore(redis)
    const protocol = nativeProtocol()
    const guards = [loginRouter({ sessions }), requireSession({ sessions }), problemHandler(), protocol]
    for (const value of [sessions, sessions.with({ appid: APP.appid }), store, session, guards])
      planted.see('an inspected object', value)
    planted.see('the list of sessions', await sessions.list(session))
    await failed('a used code', () => sessions.login({ code, appid: APP.appid }))
    await failed('a token', () => sessions.authenticate(`${token.slice(0, 63)}!`))
    await failed('a wrong option', async () =>
      createSessions({ apps: [{ ...APP, secret: ` ${APP.secret}` }], store, keys: [KEYS[0] ?? ''] }),
    )

    await redis.call('SAVE')
    const [, directory = ''] = (await redis.config('GET', 'dir')) as string[]
    const dump = await readFile(join(directory, 'dump.rdb'))
    expect(dump.includes(phone.openid), 'the dump can be searched').to.equal(true)
    planted.see('the dump of Redis', dump)
    for (const key of await redis.keys('*'))
      planted.see(`the key of Redis ${key}`, `${key} ${await redis.get(key)}`)
    expect(planted.leaks()).to.deep.equal([])
    expect(planted.outputs).to.be.greaterThan(40)
    for (const name of [
      'token',
      'old token',
      'skey',
      'key of wxapp',
      'access token',
      'renewed token',
      'service token',
    ])
      expect(planted.names).to.include(name)
  })

  it('come out nowhere when a hook throws them', async () => {
    const { token } = await logIn()
    for (const [what, make] of Object.entries(thrown)) {
      fail = make
      await runAll(`when a hook throws ${what}`)
      await failed(`a login when a hook throws ${what}`, async () =>
        sessions.login({ code: (await newLogin()).code, appid: APP.appid }),
      )
      const session = await sessions.authenticate(token)
      await failed(`setUserInfo when a hook throws ${what}`, () =>
        sessions.setUserInfo(session, { userInfo: { nickName: 'A' } }),
      )
      const lent = createSessions({
        apps: [{ ...APP, exchange: () => Promise.reject(make()) }, GAME],
        store: new RedisStore(redis),
        wechat: { baseUrl: sandbox.url },
        accessTokenProvider: () => Promise.reject(make()),
      })
      await failed(`an exchange that throws ${what}`, () =>
        lent.login({ code: `code of ${what}`.replaceAll(' ', '-'), appid: APP.appid }),
      )
      await failed(`a token provider that throws ${what}`, () => lent.accessToken({ appid: GAME.appid }))
    }
    fail = undefined
    expect(planted.leaks()).to.deep.equal([])
  })

  it('come out nowhere in whichever way WeChat fails', async () => {
    const errmsg = `invalid ${APP.secret} ${KEYS[0]} ${NUMBER} rid: 0123abcd-4567cdef-89abcdef`
    const errors = ERRCODES.map((errcode) => ({ errcode, errmsg }))
    const { token } = await logIn()
    for (const path of ENDPOINTS) {
      for (const way of [...WAYS, ...errors]) {
        const what = `${path} ${inspect(way).slice(0, 20)}`
        const { phone, code, phoneCode } = await newLogin()
        const restore = sandbox.misbehave(way, { path })
        if (path === ENDPOINTS[0]) {
          await answered(what, http.post('/login').send({ code, appid: APP.appid }), 'token')
          await failed(what, async () => sessions.login({ code: (await newLogin()).code, appid: APP.appid }))
        } else {
          await answered(
            what,
            http.post('/session/phone-number').set('x-3rd-session', token).send({ code: phoneCode }),
            'phone number',
          )
          await failed(what, () =>
            sessions.phoneNumber({ code: phoneCode, appid: APP.appid, openid: phone.openid }),
          )
          await failed(what, () => sessions.accessToken({ appid: APP.appid, refused: 'the one before' }))
        }
        restore()
      }
    }
    await sandbox.takeDown()
    await answered(
      'WeChat out of reach',
      http.post('/login').send({ code: planted.plant('login code', 'unreachable-code'), appid: APP.appid }),
    )
    await failed('WeChat out of reach', () => sessions.login({ code: 'unreachable-code', appid: APP.appid }))
    expect(planted.leaks()).to.deep.equal([])
  })

  it('come out nowhere when Redis refuses, or is down', async () => {
    const { token } = await logIn()
    const refusals: [string, string[], string[]][] = [
      ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
      [
        'forbids scripts',
        ['ACL', 'SETUSER', 'default', '-evalsha', '-eval'],
        ['ACL', 'SETUSER', 'default', '+@all'],
      ],
      [
        'has another password',
        ['ACL', 'SETUSER', 'default', 'resetpass', '>another'],
        ['ACL', 'SETUSER', 'default', `>${PASSWORD}`],
      ],
    ]
    for (const [what, [command = '', ...args], [undo = '', ...undoing]] of refusals) {
      await redis.call(command, ...args)
      if (what.includes('password')) redis.stream.destroy()
      await runAll(`when Redis ${what}`)
      await failed(`a visit when Redis ${what}`, () => sessions.authenticate(token))
      await redis.call(undo, ...undoing).catch(() => undefined)
    }
    await server.kill()
    await runAll('when Redis is down')
    await failed('a visit when Redis is down', () => sessions.authenticate(token))
    await failed('ping when Redis is down', () => sessions.ping())
    expect(planted.leaks()).to.deep.equal([])
  })

  it('are in no trace that the page of the example app shows', async () => {
    const bed = await openShowcaseBed()
    try {
      const post = async (path: string, body: object) =>
        (
          await supertest(bed.url)
            .post(`/showcase/${path}`)
            .send(path === 'wechat' ? { user: 'ann', ...body } : body)
            .expect(200)
        ).body
      const { result } = await post('wechat', { api: 'login' })
      const code = planted.plant('login code', result.code)
      const login = await post('request', { method: 'POST', path: '/login', header: {}, data: { code } })
      const token = planted.plant('token', login.answer.data.token)
      const header = { 'x-3rd-session': token }
      const traces = [login.trace]
      for (const path of ['/me', '/session', '/sessions', '/nowhere'])
        traces.push((await post('request', { method: 'GET', path, header })).trace)
      const { sandbox: fake } = bed.runtime.showcase ?? expect.fail('there is no page')
      planted.plant('session_key', fake.sessionKeyOf({ user: 'ann', appid: fake.app.appid }))
      planted.plant('AppSecret of the page', fake.app.secret)
      planted.see('the traces of the page', JSON.stringify(traces))
      expect(planted.leaks()).to.deep.equal([])
    } finally {
      await bed.close()
    }
  })
})

describe('the search for planted secrets', () => {
  const secret = 'tiihtNczf5v6AKRyjwEUhQ=='

  for (const [form, text] of [
    ['plain', `a ${secret} b`],
    ['escaped for a URL', `?key=${encodeURIComponent(secret)}&b`],
    ['in hexadecimal', Buffer.from(secret).toString('hex')],
    ['decoded, in hexadecimal', Buffer.from(secret, 'base64').toString('hex')],
    ...[0, 1, 2].map(
      (shift) =>
        [
          `in base64 behind ${shift} bytes`,
          Buffer.from(`${'x'.repeat(shift)}${secret}-and more`).toString('base64'),
        ] as const,
    ),
    ['in base64url', Buffer.from(`{"key":"${secret}"}`).toString('base64url')],
    ['as bytes', Buffer.from(secret, 'base64').toString('latin1')],
  ] as const) {
    it(`finds one ${form}`, () => {
      expect(formsOf(secret).some((one) => text.includes(one))).to.equal(true)
    })
  }

  it('finds one deep in an object, and not the one that is allowed', () => {
    const planted = new Planted()
    planted.plant('token of Ann', secret)
    planted.see('a map', new Map([[1, { deep: [{ deeper: new Error('x', { cause: { secret } }) }] }]]))
    planted.see('an answer', secret, 'token')
    expect(planted.leaks()).to.deep.equal(['token of Ann in a map'])
  })
})

/** Keeps what the process writes, such as the log. */
function captureOutput(planted: Planted): () => void {
  const write = process.stderr.write.bind(process.stderr)
  process.stderr.write = ((chunk: string) => {
    planted.see('stderr', String(chunk))
    return true
  }) as typeof process.stderr.write
  return () => {
    process.stderr.write = write
  }
}
