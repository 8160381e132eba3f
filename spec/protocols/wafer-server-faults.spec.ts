import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { loginRouter, type SessionStore, WeappError, waferServerProtocol } from '../../lib/index.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { jsonIn, openWireBed, type WireBed } from '../support/wire-bed.js'

const NET: [number, string] = [1005, 'WEIXIN_NET_ERR']
const ODD: [number, string] = [1007, 'WEIXIN_RETURN_ERR']
const DATABASE: [number, string] = [1001, 'DATABASE_ERR']
const REFUSED: [number, string] = [1006, 'CHANGE_SESSION_ERR']

const wechatFailures: [string, Misbehaviour, [number, string]][] = [
  ['never answers', 'hang', NET],
  ['is too slow', { slowMs: 5000 }, NET],
  ['drops the connection', 'drop', NET],
  ['breaks off inside its body', 'truncated', ODD],
  ['is busy', { errcode: -1 }, NET],
  ['breaks off inside its JSON', 'badJson', ODD],
  ['answers with an HTML page', 'html', ODD],
  ['answers nothing', 'empty', ODD],
  ['forgets the openid', 'missingOpenid', ODD],
  ['forgets the session_key', 'missingSessionKey', ODD],
  ['answers with wrong types', 'wrongTypes', ODD],
  ['answers with an unknown errcode', { errcode: 77777 }, ODD],
  ['does not know the AppSecret', { errcode: 40125 }, ODD],
  ['counts too many logins', { errcode: 45011 }, ODD],
  ['has no quota left', { errcode: 45009 }, ODD],
  ['refuses the code', { errcode: 40029 }, [40029, 'WEIXIN_CODE_ERR']],
  ['knows the code as used', { errcode: 40163 }, [40029, 'WEIXIN_CODE_ERR']],
  ['refuses the user', { errcode: 40226 }, [40029, 'WEIXIN_CODE_ERR']],
]

describe('the Wafer session server, when something else fails', () => {
  let bed: WireBed
  let isRefusing: boolean

  beforeEach(async () => {
    isRefusing = false
    const onLogin = () => {
      if (isRefusing) throw new WeappError('ERR_LOGIN_REFUSED', 'Banned.')
    }
    const mount = { protocol: waferServerProtocol() }
    bed = await openWireBed((app, sessions) => app.use('/mina_auth', loginRouter({ sessions, ...mount })), {
      onLogin,
      maxSessionsPerUser: 1,
      onLimit: 'refuse',
    })
  })
  afterEach(() => bed.closeClean())

  const call = (interfaceName: string, para: object) =>
    bed.http.post('/mina_auth/').send({ interface: { interfaceName, para } })
  const logIn = async () => call('qcloud.cam.id_skey', { code: await bed.code(), ...(await bed.openData()) })
  const failure = ([returnCode, returnMessage]: [number, string]) => ({
    returnCode,
    returnMessage,
    returnData: '',
    version: 1,
    componentName: 'MA',
  })

  for (const [what, misbehaviour, outcome] of wechatFailures) {
    it(`answers ${outcome.join(' ')} when WeChat ${what}`, async () => {
      bed.sandbox.misbehave(misbehaviour)
      expect(jsonIn(await logIn())).to.deep.equal(failure(outcome))
    })
  }

  it('answers 1005 when WeChat is down', async () => {
    const para = { code: await bed.code(), ...(await bed.openData()) }
    await bed.sandbox.takeDown()
    expect(jsonIn(await call('qcloud.cam.id_skey', para))).to.deep.equal(failure(NET))
  })

  it('takes an answer with fields that it does not know', async () => {
    bed.sandbox.misbehave('extraFields')
    expect(jsonIn(await logIn())).to.include({ returnCode: 0 })
  })

  for (const method of ['replaceValue', 'readUser', 'issue'] satisfies (keyof SessionStore)[]) {
    it(`answers 1001 to a login when the store fails at ${method}`, async () => {
      bed.store.before = (called) => {
        if (called === method) throw new Error('down')
      }
      expect(jsonIn(await logIn())).to.deep.equal(failure(DATABASE))
    })
  }

  it('answers 1001 to a check and a decryption when the store fails or hangs, and never 60012', async () => {
    const { id, skey } = (await logIn()).body.returnData
    const data = await bed.openData()
    for (const trouble of [
      () => Promise.reject(new Error('down')),
      () => new Promise<void>(() => undefined),
    ]) {
      bed.store.before = trouble
      expect(jsonIn(await call('qcloud.cam.auth', { id, skey }))).to.deep.equal(failure(DATABASE))
      expect(jsonIn(await call('qcloud.cam.decrypt', { id, skey, ...data }))).to.deep.equal(failure(DATABASE))
    }
    bed.store.before = () => undefined
    expect(jsonIn(await call('qcloud.cam.auth', { id, skey }))).to.include({ returnCode: 0 })
  })

  it('answers 1006 when the application refuses the login, or the user has too many sessions', async () => {
    isRefusing = true
    expect(jsonIn(await logIn())).to.deep.equal(failure(REFUSED))
    isRefusing = false
    expect(jsonIn(await logIn())).to.include({ returnCode: 0 })
    expect(jsonIn(await logIn())).to.deep.equal(failure(REFUSED))
  })
})
