import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { loginRouter, waferServerProtocol } from '../../lib/index.js'
import { jsonIn, openWireBed, type WireBed } from '../support/wire-bed.js'

const DAY_MS = 86_400_000
const MONTH_SECONDS = 30 * 86_400

interface Done<Data> {
  returnData: Data
}

interface LoggedIn {
  id: string
  skey: string
}

describe('the Wafer session server', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      app.use('/mina_auth', loginRouter({ sessions, protocol: waferServerProtocol() }))
    })
  })
  afterEach(() => bed.closeClean())

  const call = (interfaceName: string, para: object) =>
    bed.http.post('/mina_auth/').send({ version: 1, componentName: 'MA', interface: { interfaceName, para } })

  async function logIn(): Promise<LoggedIn> {
    const data = { code: await bed.code(), ...(await bed.openData()) }
    const { id, skey } = (jsonIn(await call('qcloud.cam.id_skey', data)) as Done<LoggedIn>).returnData
    return { id, skey }
  }

  async function expectedUserInfo() {
    const { userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: false })
    const watermark = { appid: bed.phone.appid, timestamp: Math.floor(bed.clock() / 1000) }
    return { ...userInfo, openId: bed.phone.openid, unionId: bed.phone.unionid, watermark }
  }

  const done = (returnMessage: string, returnData: unknown) => ({
    returnCode: 0,
    returnMessage,
    returnData,
    version: 1,
    componentName: 'MA',
  })

  it('answers a first login with id, skey, the user info under both names and the duration', async () => {
    const code = await bed.code()
    const answer = jsonIn(await call('qcloud.cam.id_skey', { code, ...(await bed.openData()) }))
    const { id, skey } = (answer as Done<LoggedIn>).returnData
    const userInfo = await expectedUserInfo()
    const returnData = { id, skey, user_info: userInfo, userInfo, duration: MONTH_SECONDS }
    expect(answer).to.deep.equal(done('NEW_SESSION_SUCCESS', returnData))
    expect(skey).to.match(/^[A-Za-z0-9_-]{64}$/)
    expect(id).to.equal(skey.slice(0, 20))
  })

  it('answers a later login with UPDATE_SESSION_SUCCESS, the same id and a new skey', async () => {
    const first = await logIn()
    const again = await call('qcloud.cam.id_skey', { code: await bed.code(), ...(await bed.openData()) })
    expect(again.body.returnMessage).to.equal('UPDATE_SESSION_SUCCESS')
    expect(again.body.returnData.id).to.equal(first.id)
    expect(again.body.returnData.skey).not.to.equal(first.skey)
  })

  it('decrypts without an iv by the algorithm of 2016, whose iv is the key', async () => {
    for (const iv of [undefined, '', null]) {
      const para = { code: await bed.code(), encrypt_data: await bed.openDataOf2016(), iv }
      const { body } = await call('qcloud.cam.id_skey', para)
      expect(body.returnCode, body.returnMessage).to.equal(0)
      expect(body.returnData.user_info).to.deep.equal(await expectedUserInfo())
    }
  })

  it('answers a good check with AUTH_SUCCESS and the user info', async () => {
    const answer = jsonIn(await call('qcloud.cam.auth', await logIn()))
    const userInfo = await expectedUserInfo()
    expect(answer).to.deep.equal(done('AUTH_SUCCESS', { user_info: userInfo, userInfo }))
  })

  it('decrypts data of a session with an iv and without', async () => {
    const session = await logIn()
    const { nickName, avatarUrl } = (await bed.phone.wx.getUserInfo()).userInfo
    for (const data of [await bed.openData(), { encrypt_data: await bed.openDataOf2016() }]) {
      const answer = jsonIn(await call('qcloud.cam.decrypt', { ...session, ...data })) as Done<string>
      expect(answer).to.deep.equal(done('DECRYPT_SUCCESS', answer.returnData))
      expect(JSON.parse(answer.returnData)).to.deep.include({ openId: bed.phone.openid, nickName, avatarUrl })
    }
  })

  it('reads JSON under any content type, as curl -d sends it, and at any method', async () => {
    const { id, skey } = await logIn()
    const body = JSON.stringify({ interface: { interfaceName: 'qcloud.cam.auth', para: { id, skey } } })
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream']) {
      const res = await bed.http.post('/mina_auth/').set('content-type', type).send(body)
      expect(jsonIn(res)).to.include({ returnCode: 0, returnMessage: 'AUTH_SUCCESS' })
    }
    const put = bed.http.put('/mina_auth').set('content-type', 'application/json').send(body)
    expect(jsonIn(await put)).to.include({ returnCode: 0 })
  })

  it('ends a session at the very millisecond, and keeps it one before', async () => {
    const session = await logIn()
    bed.clock.advance(30 * DAY_MS - 1)
    expect((await call('qcloud.cam.auth', session)).body.returnCode).to.equal(0)
    bed.clock.advance(1)
    const failed = { returnCode: 60012, returnMessage: 'AUTH_FAIL', returnData: '' }
    expect(jsonIn(await call('qcloud.cam.auth', session))).to.include(failed)
  })

  it('opens a session that the native routes know, and knows theirs', async () => {
    const { id, skey } = await logIn()
    expect((await bed.sessions.authenticate(skey)).openid).to.equal(bed.phone.openid)
    const native = await bed.sessions.login({ code: await bed.code() })
    expect((await call('qcloud.cam.auth', { id, skey: native.token })).body.returnCode).to.equal(0)
  })
})

describe('the Wafer session server with several apps', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed(
      (app, sessions) => {
        const protocol = waferServerProtocol()
        app.use('/first', loginRouter({ sessions, protocol, appid: `wx${'1'.repeat(16)}` }))
        app.use('/second', loginRouter({ sessions, protocol, appid: `wx${'2'.repeat(16)}` }))
        app.use('/any', loginRouter({ sessions, protocol }))
      },
      { apps: 2 },
    )
  })
  afterEach(() => bed.closeClean())

  const call = (mount: string, interfaceName: string, para: object) =>
    bed.http.post(mount).send({ interface: { interfaceName, para } })

  it('takes the one of its mount, and no session of another', async () => {
    const para = { code: await bed.code(), ...(await bed.openData()) }
    const { body } = await call('/first', 'qcloud.cam.id_skey', para)
    const { id, skey } = body.returnData
    expect((await call('/first', 'qcloud.cam.auth', { id, skey })).body.returnCode).to.equal(0)
    expect(jsonIn(await call('/second', 'qcloud.cam.auth', { id, skey }))).to.deep.equal({
      returnCode: 60012,
      returnMessage: 'AUTH_FAIL',
      returnData: '',
      version: 1,
      componentName: 'MA',
    })
  })

  it('answers 1012 where its mount names none', async () => {
    const para = { code: await bed.code(), ...(await bed.openData()) }
    expect(jsonIn(await call('/any', 'qcloud.cam.id_skey', para))).to.deep.equal({
      returnCode: 1012,
      returnMessage: 'NO_APPID',
      returnData: '',
      version: 1,
      componentName: 'MA',
    })
  })
})
