import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { loginRouter, wxappProtocol } from '../../lib/index.js'
import { jsonIn, openWireBed, type WireBed } from '../support/wire-bed.js'

const HOUR_MS = 3_600_000

interface LoggedIn {
  data: { uuid: string; skey: string }
}

describe('wxapp', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed(
      (app, sessions) => app.use('/mina', loginRouter({ sessions, protocol: wxappProtocol() })),
      { apps: 2, app: { sessionDurationSeconds: 3600, loginDurationDays: 1 } },
    )
  })
  afterEach(() => bed.closeClean())

  const login = (fields: object) => bed.http.post('/mina/login').send(fields)
  const auth = (fields: object) => bed.http.post('/mina/auth').send(fields)

  async function logIn(fields: object = {}): Promise<LoggedIn['data']> {
    const answer = jsonIn(await login({ code: await bed.code(), ...fields })) as LoggedIn
    const { uuid, skey } = answer.data
    return { uuid, skey }
  }

  const identity = () => ({
    openId: bed.phone.openid,
    unionId: bed.phone.unionid,
    watermark: { appid: bed.phone.appid, timestamp: Math.floor(bed.clock() / 1000) },
  })

  it('answers a first login with uuid, skey, user info and duration, and 新增', async () => {
    const data = await bed.code().then(async (code) => ({ code, ...(await bed.openData()) }))
    const answer = jsonIn(await login({ ...data, app_id: 1 })) as LoggedIn
    const { userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: false })
    const { uuid, skey } = answer.data
    expect(answer).to.deep.equal({
      ok: 'success',
      msg: '新增session成功',
      data: { uuid, skey, user_info: { ...userInfo, ...identity() }, duration: 3600 },
    })
    expect(skey).to.match(/^[A-Za-z0-9_-]{64}$/)
    expect(uuid).to.equal(skey.slice(0, 20))
  })

  it('answers a later login with 更新, the same uuid and a new skey', async () => {
    const first = await logIn()
    const { body } = await login({ code: await bed.code() })
    expect(body).to.include({ ok: 'success', msg: '更新session成功' })
    expect(body.data.uuid).to.equal(first.uuid)
    expect(body.data.skey).not.to.equal(first.skey)
  })

  it('knows who it is without any data, and takes texts that are too short for none', async () => {
    for (const data of [
      {},
      { encrypt_data: '', iv: '' },
      { encrypt_data: null, iv: null },
      { encrypt_data: 'undefined', iv: 'x' },
    ]) {
      const { body } = await login({ code: await bed.code(), ...data })
      expect(body.data.user_info).to.deep.equal(identity())
    }
  })

  it('answers a good check with 验证成功 and the user info', async () => {
    const code = await bed.code()
    const session = await logIn({ code, ...(await bed.openData()) })
    const { userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: false })
    expect(jsonIn(await auth({ ...session, app_id: 1 }))).to.deep.equal({
      ok: 'success',
      msg: '验证成功',
      data: { user_info: { ...userInfo, ...identity() } },
    })
  })

  it('trims what it is sent, reads JSON under any content type, and ends paths with a slash or not', async () => {
    const code = ` ${await bed.code()}\n`
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const loggedIn = await bed.http.post('/mina/login/').set(type).send(JSON.stringify({ code }))
    const { uuid, skey } = (jsonIn(loggedIn) as LoggedIn).data
    const check = JSON.stringify({ uuid: ` ${uuid} `, skey: `${skey} `, app_id: ' 1 ' })
    const checked = await bed.http.post('/mina/auth/').set('content-type', 'text/plain').send(check)
    expect(jsonIn(checked)).to.include({ ok: 'success', msg: '验证成功' })
  })

  it('welcomes who asks for nothing, and refuses all methods but POST', async () => {
    expect(jsonIn(await bed.http.get('/mina/'))).to.deep.equal({ msg: 'welcome' })
    for (const method of ['get', 'put', 'patch', 'delete'] as const) {
      for (const path of ['/mina/login', '/mina/auth/']) {
        const answer = jsonIn(await bed.http[method](path))
        expect(answer).to.deep.equal({ ok: 'fail', msg: 'not post method', data: {} })
      }
    }
  })

  it('tells the seconds that are left by the nearer clock as duration', async () => {
    const { body } = await login({ code: await bed.code() })
    bed.clock.advance(1000 * body.data.duration - 1)
    const { uuid, skey } = body.data
    expect((await auth({ uuid, skey, app_id: 1 })).body.ok).to.equal('success')
    for (let hours = 1; hours < 24; hours++) {
      bed.clock.advance(HOUR_MS - 1)
      await bed.sessions.authenticate(skey)
    }
    bed.clock.advance(24)
    expect((await auth({ uuid, skey, app_id: 1 })).body.msg).to.equal('验证失败')
  })

  it('opens a session that the native routes know, and knows theirs', async () => {
    const { uuid, skey } = await logIn()
    expect((await bed.sessions.authenticate(skey)).openid).to.equal(bed.phone.openid)
    const { token } = await bed.sessions.login({ code: await bed.code(), appid: bed.phone.appid })
    expect((await auth({ uuid, skey: token, app_id: 1 })).body.ok).to.equal('success')
  })
})
