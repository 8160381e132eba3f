import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  loginRouter,
  type RedisClient,
  RedisStore,
  requireSession,
  WeappError,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { freshPrefix } from '../support/redis-client.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed } from '../support/test-bed.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

/** What a user types in who wants to be taken for somebody else by services behind the server. */
const POSING = {
  nickName: 'Mallory',
  avatarUrl: 'https://cdn.example.com/m.png',
  phoneNumber: '13900001111',
  role: 'admin',
  openGId: 'tG-of-others',
  isVip: true,
}
const SHOWN = { nickName: 'Mallory', avatarUrl: 'https://cdn.example.com/m.png', verified: false }

describe('what a user types in', () => {
  let bed: WireBed
  let token: string

  beforeEach(() => open())
  afterEach(() => bed.closeClean())

  async function open(options: Parameters<typeof openWireBed>[1] = {}): Promise<void> {
    bed = await openWireBed((app, sessions) => {
      app.use('/mina', loginRouter({ sessions, protocol: wxappProtocol() }))
      app.use('/mina_auth', loginRouter({ sessions, protocol: waferServerProtocol() }))
      app.use(loginRouter({ sessions }))
      app.get('/me', requireSession({ sessions }), (req, res) => {
        // As applications do that show what is in a profile.
        res.json(Object.entries(req.userInfo ?? {}).map(([name, value]) => `${name}: ${value}`))
      })
    }, options)
    token = (await logIn()).body.token
  }

  const logIn = async (more: object = {}) => bed.http.post('/login').send({ code: await bed.code(), ...more })
  const put = (userInfo: unknown) =>
    bed.http.put('/session/user-info').set('x-3rd-session', token).send({ userInfo })
  const stored = async () =>
    (await bed.http.get('/session').set('x-3rd-session', token).expect(200)).body.userInfo

  it('reaches old business servers only as far as WeChat’s own profile went', async () => {
    await put(POSING).expect(200)
    const { data } = (await bed.http.post('/mina/login').send({ code: await bed.code() })).body
    const auth = await bed.http.post('/mina/auth').send({ uuid: data.uuid, skey: data.skey, app_id: 1 })
    const para = { id: data.uuid, skey: data.skey }
    const asked = { version: 1, componentName: 'MA', interface: { interfaceName: 'qcloud.cam.auth', para } }
    const cam = await bed.http.post('/mina_auth/').send(asked)
    for (const userInfo of [auth.body.data.user_info, cam.body.returnData.user_info]) {
      const { openId, unionId, watermark, ...profile } = userInfo
      expect([openId, unionId, watermark.appid]).to.deep.equal([
        bed.phone.openid,
        bed.phone.unionid,
        bed.phone.appid,
      ])
      expect(profile).to.deep.equal(SHOWN)
    }
  })

  const refused: [string, Record<string, unknown>][] = [
    ['a script for a picture', { avatarUrl: 'javascript:alert(document.cookie)' }],
    ['a script in other letters', { avatarUrl: 'JaVaScRiPt:alert(1)' }],
    ['data for a picture', { avatarUrl: 'data:text/html,<script>alert(1)</script>' }],
    ['an address that any page fills up', { avatarUrl: '//evil.example/a.png' }],
    ['an address of the cloud’s own', { avatarUrl: 'http://169.254.169.254/latest/meta-data/' }],
    ['the same in octal', { avatarUrl: 'http://0251.0376.0251.0376/' }],
    ['names that every object has', { toString: 'x' }],
    ['names that every object asks for', { hasOwnProperty: 'x', valueOf: 1 }],
    ['a constructor', { constructor: 'x' }],
    ['openId with a letter of another alphabet', { ореnId: 'o-of-the-victim' }],
    ['openId in digits', { '0pen1d': 'o-of-the-victim' }],
    ['6 kB', { a: 'x'.repeat(1_024), b: 'x'.repeat(1_024), c: 'x'.repeat(1_024), d: 'é'.repeat(1_024) }],
  ]
  for (const [what, profile] of refused) {
    it(`is refused with ${what}, at PUT and at login, before the code is spent`, async () => {
      await put({ nickName: 'as before' }).expect(200)
      bed.sandbox.clearCalls()
      const answers = [await put(profile), await logIn({ userInfo: profile })]
      for (const { status, body } of answers) {
        expect(status).to.equal(400)
        expect(body.code).to.equal('ERR_REQUEST_INVALID')
        expect(body.detail).to.match(/^userInfo /)
      }
      expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(0)
      expect(await stored()).to.deep.equal({ nickName: 'as before', verified: false })
      await bed.http.get('/me').set('x-3rd-session', token).expect(200)
    })
  }

  it('loses what nobody sees', async () => {
    await put({ nickName: '\u202Enimda\u202C\u200B \uD800👨‍👩‍👧' }).expect(200)
    expect(await stored()).to.deep.equal({ nickName: 'nimda 👨‍👩‍👧', verified: false })
  })

  it('is held to the rule of onUserInfo wherever it is written', async () => {
    await bed.closeClean()
    const asked: unknown[] = []
    await open({
      onUserInfo({ userInfo }) {
        asked.push(userInfo?.nickName)
        if (userInfo?.nickName === 'root') throw new WeappError('ERR_USER_INFO_REFUSED', 'Not this name.')
      },
    })
    await put({ nickName: 'Ada' }).expect(200)
    await put({ nickName: 'root' }).expect(403)
    const atLogin = await logIn({ userInfo: { nickName: 'root' } })
    expect(atLogin.status).to.equal(403)
    expect(atLogin.body.code).to.equal('ERR_USER_INFO_REFUSED')
    expect(await stored()).to.deep.equal({ nickName: 'Ada', verified: false })

    bed.sandbox.phone({ user: bed.phone.user, profile: { nickName: 'root' } })
    const code = await bed.code()
    const { encryptedData, iv } = await bed.phone.wx.getUserInfo()
    const wechats = await bed.http.post('/login').send({ code, encryptedData, iv })
    expect(wechats.body.code).to.equal('ERR_USER_INFO_REFUSED')
    expect(await stored()).to.deep.equal({ nickName: 'Ada', verified: false })

    expect((await logIn({ userInfo: { nickName: 'Grace' } })).status).to.equal(200)
    expect(asked).to.deep.equal(['Ada', 'root', 'root', 'root', 'Grace'])
  })
})

describe('a guess at a token of a user whose handle is known', () => {
  it('makes Redis send no more than a profile of 4 kB, which is as much as there may be', async () => {
    const redis = new Redis((await sharedRedis()).url)
    let bytes = 0
    const client: RedisClient = {
      async call(...words) {
        const reply = await redis.call(...words)
        bytes += Buffer.byteLength(JSON.stringify(reply))
        return reply
      },
    }
    const bed = await openTestBed({ store: new RedisStore(client, { prefix: freshPrefix() }) })
    const token = await bed.logIn()
    const put = (userInfo: object) =>
      bed.http.put('/session/user-info').set('x-3rd-session', token).send({ userInfo })
    const fields = Object.fromEntries('abcd'.split('').map((name) => [name, '长'.repeat(330)]))
    await put({ ...fields, e: 'x'.repeat(330) }).expect(400)
    await put(fields).expect(200)
    bytes = 0
    await bed.me(`${token.slice(0, 20)}${'A'.repeat(44)}`).expect(401)
    expect(bytes).to.be.at.most(5_000)
    await bed.close()
    redis.disconnect()
  })
})
