import { expect } from 'chai'
import express, { type Express } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import {
  createSessions,
  MemoryStore,
  problemHandler,
  requireSession,
  type Sessions,
} from '../../lib/index.js'
import { createSandbox, type Phone, type Sandbox } from '../../sandbox/index.js'
import { testClock } from '../support/clock.js'
import { mountDecryption, mountEveryProtocol } from '../support/every-protocol.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const OLD = 'an old secret of the operator, 2025'
const NEW = 'a new secret of the operator, 2026!'
const PROFILE = { nickName: 'Ada' }
const CHANGES = ['revoke', 'revokeUser', 'revokeBatch', 'rewrite', 'replaceValue', 'writeUserInfo']

describe('when keys are changed', () => {
  let sandbox: Sandbox
  let store: WatchedStore
  let phone: Phone
  let open: Sessions[]

  beforeEach(async () => {
    const clock = testClock()
    sandbox = await createSandbox({ clock })
    store = watchStore(new MemoryStore({ clock }))
    phone = sandbox.phone()
    open = []
  })
  afterEach(async () => {
    for (const sessions of open) await sessions.close()
    await sandbox.close()
  })

  /** A process with these keys, or those of the apps. */
  function start(keys: readonly string[] | undefined, secret = sandbox.app.secret) {
    const log = keptLog()
    const bugs: unknown[] = []
    const sessions = createSessions({
      apps: [{ ...sandbox.app, secret }],
      store,
      ...(keys && { keys }),
      wechat: { baseUrl: sandbox.url },
      logger: log,
    })
    open.push(sessions)
    const app: Express = express()
    mountEveryProtocol(app, sessions)
    mountDecryption(app, sessions)
    app.get('/me', requireSession({ sessions }), (req, res) => void res.json({ userInfo: req.userInfo }))
    app.use(problemHandler())
    app.use(((error, _req, res, _next) => {
      bugs.push(error)
      res.status(500).end()
    }) as express.ErrorRequestHandler)
    const http = supertest(app)
    return {
      sessions,
      http,
      log,
      bugs,
      me: (token: string) => http.get('/me').set('x-3rd-session', token),
      async logIn() {
        const { code } = await phone.wx.login()
        const { body } = await http.post('/login').send({ code, userInfo: PROFILE }).expect(200)
        return body.token as string
      },
      decrypt: (token: string, body: object) => http.post('/as/weRun').set('x-3rd-session', token).send(body),
    }
  }

  type Server = ReturnType<typeof start>

  const user = () => ({ appid: phone.appid, openid: phone.openid })

  /** Logs in, has a number and an access token, and returns the token. */
  async function settleIn(server: Server) {
    const token = await server.logIn()
    const { code } = await phone.getPhoneNumber()
    await server.sessions.phoneNumber({ ...user(), code, keep: true })
    return { token, accessToken: await server.sessions.accessToken() }
  }

  /** What WeChat is asked for an access token until the work is done. */
  async function fetchesDuring(work: () => Promise<unknown>): Promise<number> {
    sandbox.clearCalls()
    await work()
    return sandbox.callCount('/cgi-bin/stable_token')
  }

  /** The changes that reach the store until the work is done. */
  async function changesDuring(work: () => Promise<unknown>): Promise<string[]> {
    store.calls.length = 0
    await work()
    return store.calls.filter((method) => CHANGES.includes(method))
  }

  async function expectGoesOn(
    server: Server,
    { token, accessToken }: { token: string; accessToken: string },
  ) {
    expect((await server.me(token).expect(200)).body.userInfo).to.include(PROFILE)
    await server.decrypt(token, await phone.wx.getWeRunData()).expect(200)
    expect(await server.sessions.phoneNumberOf(user())).to.include({ countryCode: '86' })
    const fetches = await fetchesDuring(async () =>
      expect(await server.sessions.accessToken()).to.equal(accessToken),
    )
    expect(fetches).to.equal(0)
    expect(server.log.lines).to.deep.equal([])
  }

  describe('by a new one in front', () => {
    it('sessions, profiles, phone numbers, access tokens and data go on', async () => {
      const known = await settleIn(start([OLD]))
      await expectGoesOn(start([NEW, OLD]), known)
    })

    it('they go on where an AppSecret was the key', async () => {
      const known = await settleIn(start(undefined))
      await expectGoesOn(start([NEW, sandbox.app.secret]), known)
    })

    it('a user with sessions under both is one: listed, ended and forgotten as a whole', async () => {
      const old = await start([OLD]).logIn()
      const server = start([NEW, OLD])
      const token = await server.logIn()
      const { body } = await server.http.get('/sessions').set('x-3rd-session', token).expect(200)
      expect(body.sessions).to.have.length(2)
      await server.http.delete('/sessions').set('x-3rd-session', token).expect(204)
      await server.me(old).expect(401)
      await server.me(token).expect(200)
    })
  })

  describe('by one less', () => {
    it('what was under it is unknown or fetched anew, and stays in the store', async () => {
      const before = start([OLD])
      const { token } = await settleIn(before)
      const server = start([NEW])
      const changes = await changesDuring(async () => {
        expect((await server.me(token).expect(401)).body.code).to.equal('ERR_SESSION_UNKNOWN')
        expect(await server.sessions.list(user())).to.deep.equal([])
        expect(await server.sessions.phoneNumberOf(user())).to.equal(null)
      })
      expect(changes).to.deep.equal([])
      expect(await fetchesDuring(() => server.sessions.accessToken())).to.equal(1)
      expect(await fetchesDuring(() => server.sessions.accessToken())).to.equal(0)
      expect((await before.me(token).expect(200)).body.userInfo).to.include(PROFILE)
      expect(await before.sessions.phoneNumberOf(user())).to.include({ countryCode: '86' })
      await server.logIn()
      await before.me(token).expect(200)
      expect(server.bugs).to.deep.equal([])
    })

    it('a lost AppSecret does the same, where the AppSecrets are the keys', async () => {
      const { token } = await settleIn(start(undefined))
      const server = start(undefined, 'f'.repeat(32))
      expect((await server.me(token).expect(401)).body.code).to.equal('ERR_SESSION_UNKNOWN')
      expect(await server.sessions.phoneNumberOf(user())).to.equal(null)
      await server.sessions.ping()
      expect(server.log.lines).to.have.length(1)
      expect(server.log.lines[0]).to.include(sandbox.app.appid).and.to.include('If the AppSecret was changed')
    })

    it('the log says so at the first ping, which does not fail, and again in the next process', async () => {
      await start([OLD]).logIn()
      for (const server of [start([NEW]), start([NEW])]) {
        await server.sessions.ping()
        await server.sessions.ping()
        expect(server.log.lines).to.have.length(1)
        expect(server.log.lines[0]).to.include('To keep them, put it back at the end of "keys"')
        for (const secret of [OLD, NEW, sandbox.app.secret])
          expect(server.log.lines[0]).to.not.include(secret)
      }
    })

    it('the log says so at the first login, which does not wait for it, while close does', async () => {
      const first = start([OLD])
      await first.logIn()
      await first.sessions.close()
      let goOn = (): void => undefined
      const gate = new Promise<void>((resolve) => {
        goOn = resolve
      })
      store.before = (method) => (method === 'readValue' ? gate : undefined)
      const server = start([NEW])
      await server.logIn()
      let isClosed = false
      const closing = server.sessions.close().then(() => {
        isClosed = true
      })
      for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate)
      expect([isClosed, server.log.lines]).to.deep.equal([false, []])
      goOn()
      await closing
      expect(server.log.lines).to.have.length(1)
    })

    it('nothing fails that would not fail anyway while the store is down', async () => {
      const first = start([OLD])
      await first.logIn()
      await first.sessions.close()
      store.before = (method) => {
        if (method === 'readValue') throw new Error('down')
      }
      const server = start([NEW])
      await server.sessions.ping()
      await server.logIn()
      await server.sessions.close()
      store.before = () => undefined
      expect(server.log.lines.join()).to.not.include('is missing')
      expect(server.bugs).to.deep.equal([])
    })
  })

  describe('in a newer process first', () => {
    it('its sessions are unknown to the older one, which leaves them alone', async () => {
      const newer = start([NEW, OLD])
      const { token } = await settleIn(newer)
      const older = start([OLD])
      const changes = await changesDuring(async () => {
        for (const request of [
          older.me(token),
          older.http.get('/sessions').set('x-3rd-session', token),
          older.http.delete('/sessions').set('x-3rd-session', token),
          older.http.put('/session/user-info').set('x-3rd-session', token).send({ userInfo: PROFILE }),
          older.decrypt(token, await phone.wx.getWeRunData()),
        ])
          expect((await request).status).to.equal(401)
        expect(await older.sessions.phoneNumberOf(user())).to.equal(null)
      })
      expect(changes).to.deep.equal([])
      await older.logIn()
      expect(await older.sessions.revokeUser(user())).to.equal(1)
      await newer.me(token).expect(200)
      await older.sessions.close()
      expect(older.log.lines.join()).to.include('is missing')
    })

    /** An older session, into which a newer process has put the session_key of a fresh code. */
    async function resealed() {
      const older = start([OLD])
      const token = await older.logIn()
      const newer = start([NEW, OLD])
      const { code } = await phone.wx.login()
      await newer.decrypt(token, { ...(await phone.wx.getWeRunData()), code }).expect(200)
      return { older, newer, token, session: await older.sessions.authenticate(token) }
    }

    const calls: readonly [string, (server: Server, token: string) => Promise<unknown>][] = [
      [
        'decrypt',
        async ({ decrypt }, token) => (await decrypt(token, await phone.wx.getWeRunData())).body.code,
      ],
      [
        'a new profile, encrypted',
        async ({ http }, token) => {
          const { encryptedData, iv } = await phone.wx.getUserInfo({ withCredentials: true })
          const put = http.put('/session/user-info').set('x-3rd-session', token)
          return (await put.send({ encryptedData, iv })).body.code
        },
      ],
      [
        'a new profile, signed',
        async ({ http }, token) => {
          const { rawData, signature } = await phone.wx.getUserInfo({ withCredentials: true })
          const put = http.put('/session/user-info').set('x-3rd-session', token)
          return (await put.send({ rawData, signature })).body.code
        },
      ],
      [
        'verifySignature',
        async ({ sessions }, token) => {
          const session = await sessions.authenticate(token)
          const { rawData = '', signature = '' } = await phone.wx.getUserInfo({ withCredentials: true })
          return (
            (await failureOf(() => sessions.verifySignature(session, { rawData, signature }))) as {
              code: string
            }
          ).code
        },
      ],
      [
        'resetUserSessionKey',
        async ({ sessions }) =>
          (await weappErrorOf('ERR_SESSION_KEY_STALE', () => sessions.resetUserSessionKey(user()))).code,
      ],
    ]
    for (const [what, call] of calls) {
      it(`a session_key that it stored is stale to the older one, no error: ${what}`, async () => {
        const { older, newer, token } = await resealed()
        await older.me(token).expect(200)
        const changes = await changesDuring(async () => {
          expect(await call(older, token)).to.equal('ERR_SESSION_KEY_STALE')
        })
        expect(changes.filter((method) => method !== 'replaceValue')).to.deep.equal([])
        await newer.decrypt(token, await phone.wx.getWeRunData()).expect(200)
        expect(older.bugs).to.deep.equal([])
      })
    }

    it('it is no valid session_key to checkSessionKey, and undecryptable to the Wafer session server', async () => {
      const { older, token, session } = await resealed()
      expect(await older.sessions.checkSessionKey(session)).to.equal(false)
      const { encryptedData, iv } = await phone.wx.getUserInfo({ withCredentials: true })
      const para = { id: token.slice(0, 20), skey: token, encrypt_data: encryptedData, iv }
      const { body } = await older.http
        .post('/mina_auth/')
        .send({ interface: { interfaceName: 'qcloud.cam.decrypt', para } })
      expect(body).to.include({ returnCode: 60021, returnMessage: 'DECRYPT_FAIL' })
    })

    it('it is mended by a fresh code, for both', async () => {
      const { older, newer, token } = await resealed()
      const { code } = await phone.wx.login()
      const data = await phone.wx.getWeRunData()
      await older.decrypt(token, { ...data, code }).expect(200)
      await newer.decrypt(token, data).expect(200)
      await older.decrypt(token, data).expect(200)
    })

    it('it survives what the older one changes in the session', async () => {
      const { older, newer, token, session } = await resealed()
      await older.sessions.setData(session, { role: 'editor' })
      await newer.decrypt(token, await phone.wx.getWeRunData()).expect(200)
      expect((await newer.sessions.authenticate(token)).data).to.deep.equal({ role: 'editor' })
    })
  })

  it('a retried login whose session began under a missing key is told to get a new code', async () => {
    const { code } = await phone.wx.login()
    const origin = { mount: '/login', nonce: '0123456789abcdef' }
    const before = start([OLD])
    await before.sessions.login({ code, origin })
    await before.sessions.close()
    const server = start([NEW])
    await weappErrorOf('ERR_CODE_INVALID', () => server.sessions.login({ code, origin }))
  })
})
