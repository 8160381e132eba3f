import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { loginRouter, type SessionStore, WeappError, wxappProtocol } from '../../lib/index.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { jsonIn, openWireBed, type WireBed } from '../support/wire-bed.js'

const NET = '网络错误'
const ODD = '微信返回值错误'
const DATABASE = '数据库错误'

const wechatFailures: [string, Misbehaviour, string][] = [
  ['never answers', 'hang', NET],
  ['is too slow', { slowMs: 5000 }, NET],
  ['drops the connection', 'drop', NET],
  ['is busy', { errcode: -1 }, NET],
  ['breaks off inside its body', 'truncated', ODD],
  ['breaks off inside its JSON', 'badJson', ODD],
  ['answers with an HTML page', 'html', ODD],
  ['answers nothing', 'empty', ODD],
  ['forgets the openid', 'missingOpenid', ODD],
  ['forgets the session_key', 'missingSessionKey', ODD],
  ['answers with wrong types', 'wrongTypes', ODD],
  ['answers with an unknown errcode', { errcode: 77777 }, ODD],
  ['does not know the AppSecret', { errcode: 40125 }, ODD],
  ['has no quota left', { errcode: 45009 }, ODD],
  ['counts too many logins', { errcode: 45011 }, ODD],
  ['refuses the user', { errcode: 40226 }, ODD],
  ['refuses the code', { errcode: 40029 }, 'code 无效或已被使用'],
  ['knows the code as used', { errcode: 40163 }, 'code 无效或已被使用'],
]

describe('wxapp, when something else fails', () => {
  let bed: WireBed
  let isRefusing: boolean

  beforeEach(async () => {
    isRefusing = false
    const onLogin = () => {
      if (isRefusing) throw new WeappError('ERR_LOGIN_REFUSED', 'Banned.')
    }
    const protocol = wxappProtocol()
    bed = await openWireBed((app, sessions) => app.use('/mina', loginRouter({ sessions, protocol })), {
      onLogin,
      maxSessionsPerUser: 1,
      onLimit: 'refuse',
    })
  })
  afterEach(() => bed.closeClean())

  const logIn = async () => bed.http.post('/mina/login').send({ code: await bed.code() })
  const failure = (msg: string) => ({ ok: 'fail', msg, data: {} })

  for (const [what, misbehaviour, msg] of wechatFailures) {
    it(`answers ${msg} when WeChat ${what}`, async () => {
      bed.sandbox.misbehave(misbehaviour)
      expect(jsonIn(await logIn())).to.deep.equal(failure(msg))
    })
  }

  it('answers 网络错误 when WeChat is down', async () => {
    const code = await bed.code()
    await bed.sandbox.takeDown()
    expect(jsonIn(await bed.http.post('/mina/login').send({ code }))).to.deep.equal(failure(NET))
  })

  it('needs no expires_in, and takes fields that it does not know', async () => {
    expect(jsonIn(await logIn())).to.include({ ok: 'success' })
    await bed.sessions.revokeAll()
    bed.sandbox.misbehave('extraFields')
    expect(jsonIn(await logIn())).to.include({ ok: 'success' })
  })

  for (const method of ['replaceValue', 'readUser', 'issue'] satisfies (keyof SessionStore)[]) {
    it(`answers 数据库错误 to a login when the store fails at ${method}`, async () => {
      bed.store.before = (called) => {
        if (called === method) throw new Error('down')
      }
      expect(jsonIn(await logIn())).to.deep.equal(failure(DATABASE))
    })
  }

  it('answers 数据库错误 to a check when the store fails or hangs, and never 验证失败', async () => {
    const { uuid, skey } = (await logIn()).body.data
    const auth = () => bed.http.post('/mina/auth').send({ uuid, skey, app_id: 1 })
    for (const trouble of [
      () => Promise.reject(new Error('down')),
      () => new Promise<void>(() => undefined),
    ]) {
      bed.store.before = trouble
      expect(jsonIn(await auth())).to.deep.equal(failure(DATABASE))
    }
    bed.store.before = () => undefined
    expect(jsonIn(await auth())).to.include({ ok: 'success' })
  })

  it('says so when the application refuses the login, or the user has too many sessions', async () => {
    isRefusing = true
    expect(jsonIn(await logIn())).to.deep.equal(failure('登录被拒绝'))
    isRefusing = false
    expect(jsonIn(await logIn())).to.include({ ok: 'success' })
    expect(jsonIn(await logIn())).to.deep.equal(failure('更新session出错'))
  })
})
