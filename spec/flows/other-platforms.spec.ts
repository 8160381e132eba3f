import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  type CodeExchange,
  createSessions,
  douyinExchange,
  MemoryStore,
  qqExchange,
} from '../../lib/index.js'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { failureOf, weappErrorOf } from '../support/failures.js'

const WECHAT = '/sns/jscode2session'
const DOUYIN = '/api/apps/v2/jscode2session'

describe('an app of another platform', () => {
  let sandbox: Sandbox
  let close: () => Promise<void>

  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(async () => {
    await close()
    await sandbox.close()
  })

  function sessionsWith(exchange: CodeExchange) {
    const log: string[] = []
    const write = (line: string) => void log.push(line)
    const sessions = createSessions({
      apps: [{ ...sandbox.app, exchange }],
      store: new MemoryStore(),
      // Whatever goes to WeChat all the same has to fail.
      wechat: { baseUrl: 'http://127.0.0.1:9', timeoutMs: 200 },
      logger: { warn: write, error: write },
    })
    close = () => sessions.close()
    return { sessions, log }
  }

  for (const [name, exchange, path] of [
    ['QQ', qqExchange, WECHAT],
    ['Douyin', douyinExchange, DOUYIN],
  ] as const) {
    it(`logs in by the exchange of ${name}, and its data is decrypted by the same rules`, async () => {
      const { sessions } = sessionsWith(exchange({ baseUrl: sandbox.url }))
      const phone = sandbox.phone()
      const { code = '' } = name === 'QQ' ? await phone.wx.login() : await phone.tt.login()
      const { session } = await sessions.login({ code })
      expect(session).to.include({ openid: phone.openid, unionid: phone.unionid })
      expect(sandbox.callCount(path)).to.equal(1)

      const { encryptedData, iv } = await phone.wx.getGroupEnterInfo()
      const { opengid } = await sessions.decrypt(session, { encryptedData, iv }, { as: 'group' })
      expect(opengid).to.be.a('string')
      await weappErrorOf('ERR_CODE_INVALID', () => sessions.login({ code: 'guessed' }))
    })
  }

  it('has no server API of WeChat', async () => {
    const { sessions } = sessionsWith(qqExchange({ baseUrl: sandbox.url }))
    const { session } = await sessions.login({ code: (await sandbox.phone().wx.login()).code })
    for (const call of [
      () => sessions.phoneNumber({ code: 'tapped' }),
      () => sessions.accessToken(),
      () => sessions.checkSessionKey(session),
      () => sessions.resetUserSessionKey(session),
    ]) {
      await weappErrorOf('ERR_REQUEST_INVALID', call)
    }
  })

  it('may have an exchange of its own, such as that of WeCom, which answers a userid', async () => {
    const asked: unknown[] = []
    const { sessions } = sessionsWith(async (app, code) => {
      asked.push(app, code)
      return { openid: 'userid-of-ada', sessionKey: 'AAAAAAAAAAAAAAAAAAAAAA==' }
    })
    const login = { code: 'a-code', origin: { mount: '/login', peer: '127.0.0.1' } }
    const { session, token } = await sessions.login(login)
    expect(asked).to.deep.equal([sandbox.app, 'a-code'])
    expect(session).to.include({ openid: 'userid-of-ada', unionid: undefined })
    expect((await sessions.login(login)).token).to.equal(token)
  })

  it('is asked once for a code however its exchange fails, and what it throws is told to nobody', async () => {
    let calls = 0
    const { sessions, log } = sessionsWith(async () => {
      calls += 1
      throw new Error('corpsecret=hunter2')
    })
    const error = await weappErrorOf('ERR_WECHAT_NO_ANSWER', () => sessions.login({ code: 'a-code' }))
    await weappErrorOf('ERR_CODE_INVALID', () => sessions.login({ code: 'a-code' }))
    expect(calls).to.equal(1)
    expect(log.join() + JSON.stringify(error)).not.to.include('hunter2')
  })

  it('is refused at construction when its exchange is no function', async () => {
    close = async () => {}
    const make = () =>
      createSessions({ apps: [{ ...sandbox.app, exchange: 'qq' as never }], store: new MemoryStore() })
    expect(await failureOf(make))
      .to.be.instanceOf(TypeError)
      .with.property('message')
      .that.includes('exchange')
  })
})
