import { expect } from 'chai'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import {
  answer,
  type Behaviour,
  LOGIN,
  PHONE_NUMBER,
  response,
  type ScriptedWechat,
  STABLE_TOKEN,
  startScriptedWechat,
} from '../support/scripted-wechat.js'
import { countsOf, WechatApp } from '../support/wechat-app-process.js'

const TIMEOUT_MS = 2000
/** More than may be in flight. */
const CROWD = 200
const FEW = 10
const SICK = 'wx1111111111111111'
const WELL = 'wx2222222222222222'
const SECRETS = ['1'.repeat(32), '2'.repeat(32)]

const hang: Behaviour = () => undefined
const fail: Behaviour = (socket) => socket.write(response('', '502 Bad Gateway'))
const refuseToken: Behaviour = (socket) => socket.write(response('{"errcode":40001}'))

describe('where a part of WeChat fails, what needs another', () => {
  let redis: RedisServer
  let wechat: ScriptedWechat
  let app: WechatApp
  let lastCode = 0

  before(async function () {
    this.timeout(30_000)
    redis = await startRedisServer()
  })
  after(() => redis.stop())
  beforeEach(async function () {
    this.timeout(30_000)
    wechat = await startScriptedWechat()
    const apps = [SICK, WELL].map((appid, place) => ({ appid, secret: SECRETS[place] ?? '' }))
    const baseUrl = `http://127.0.0.1:${wechat.port}`
    app = await WechatApp.start({ redisUrl: redis.url, apps, baseUrl, timeoutMs: TIMEOUT_MS })
  })
  afterEach(async () => {
    app.kill()
    await wechat.close()
  })

  const code = () => {
    lastCode += 1
    return `code${String(lastCode).padStart(28, '0')}`
  }
  const logIn = (times: number, appid: string) =>
    Array.from({ length: times }, () => app.logIn(code(), appid))
  const askNumbers = (times: number, appid: string) =>
    Array.from({ length: times }, () => app.phoneNumber(code(), appid))
  const ok = async (answers: readonly ReturnType<WechatApp['logIn']>[]) =>
    expect(countsOf(await Promise.all(answers))).to.deep.equal({ ok: answers.length })

  /** Expects that nothing is sent, but for a probe if the machine is so slow that it is due. */
  async function expectRefused(answers: readonly ReturnType<WechatApp['logIn']>[]): Promise<void> {
    const sent = wechat.count(LOGIN)
    const { ERR_WECHAT_UNREACHABLE: refused } = countsOf(await Promise.all(answers))
    expect(refused).to.be.within(answers.length - 1, answers.length)
    expect(wechat.count(LOGIN) - sent).to.be.at.most(1)
  }

  it('is not kept waiting by the logins of another app that hang, nor refused because of them', async function () {
    this.timeout(30_000)
    wechat.behave = (socket, asked) => (asked.appid === SICK ? hang : answer)(socket, asked)
    const sick = logIn(CROWD, SICK)
    await ok(logIn(FEW, WELL))
    await Promise.all(sick)
    await expectRefused(logIn(FEW, SICK))
    await ok(logIn(FEW, WELL))
  })

  it('is not kept waiting by logins that hang where it needs no login, nor refused because of them', async function () {
    this.timeout(30_000)
    await ok(askNumbers(1, SICK))
    wechat.behave = (socket, asked) => (asked.path === LOGIN ? hang : answer)(socket, asked)
    const logins = logIn(CROWD, SICK)
    await ok(askNumbers(FEW, SICK))
    await Promise.all(logins)
    await expectRefused(logIn(FEW, SICK))
    await ok(askNumbers(FEW, SICK))
  })

  it('is not refused because phone numbers cannot be had', async () => {
    wechat.behave = (socket, asked) => (asked.path === PHONE_NUMBER ? fail : answer)(socket, asked)
    for (let round = 0; round < 2; round += 1) await Promise.all(askNumbers(FEW, SICK))
    const { code: refused } = (await Promise.all(askNumbers(1, SICK)))[0] ?? {}
    expect(refused).to.equal('ERR_WECHAT_UNREACHABLE')
    await ok(logIn(FEW, SICK))
    await ok(logIn(FEW, WELL))
  })

  it('does not see how often WeChat refuses an access token and gives it again', async () => {
    await ok(askNumbers(1, SICK))
    wechat.behave = (socket, asked) => (asked.path === PHONE_NUMBER ? refuseToken : answer)(socket, asked)
    const before = wechat.count(STABLE_TOKEN)
    const began = performance.now()
    for (let round = 0; round < 20; round += 1)
      expect(countsOf(await Promise.all(askNumbers(FEW, SICK)))).to.deep.equal({
        ERR_ACCESS_TOKEN_UNAVAILABLE: FEW,
      })
    const seconds = (performance.now() - began) / 1000
    expect(wechat.count(STABLE_TOKEN) - before).to.be.within(1, 2 * Math.ceil(seconds))
    await ok(logIn(FEW, SICK))
    wechat.behave = answer
    await app.pass(1000)
    await ok(askNumbers(FEW, SICK))
    const log = await app.end()
    expect(log.join('\n')).to.not.match(/token\b.*:.*\btoken$|1{32}|code0/m)
  })
})
