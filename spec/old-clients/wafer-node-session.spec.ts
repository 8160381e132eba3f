import { expect } from 'chai'
import express, { type Express } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { RequestResult, UserInfo } from '../../sandbox/index.js'
import { type BackEnd, type Listener, listen, openBackEnd } from './back-end.js'
import { loadOldClient, redirectWeChat, successOf, type Wafer1Sdk } from './old-clients.js'

type Body = Record<string, unknown> & { session?: { id: string; skey: string } }

/** The server that ours replaces, with the same two routes. */
function oldServer({ sandbox }: BackEnd): Express {
  const session = loadOldClient('wafer-node-session')
  const { appid: appId, secret: appSecret } = sandbox.app
  const app = express()
  app.use(session({ appId, appSecret, loginPath: '/wafer/login' }))
  app.get('/wafer/me', (req, res) => {
    const { userInfo } = (req as typeof req & { session: { userInfo: unknown } }).session
    res.json({ code: 0, message: 'ok', data: { userInfo } })
  })
  return app
}

describe('Wafer 1 SDK, and drop-in for wafer-node-session', () => {
  let backEnd: BackEnd
  let old: Listener
  let restoreWeChat: () => void

  beforeEach(async () => {
    backEnd = await openBackEnd()
    restoreWeChat = redirectWeChat(backEnd.sandbox.url)
    old = await listen(oldServer(backEnd))
  })
  afterEach(async () => {
    restoreWeChat()
    await old.close()
    await backEnd.close()
  })

  async function ask(server: string, path: string, headers: Record<string, string>): Promise<Body> {
    const answer = await fetch(`${server}/wafer${path}`, { headers })
    expect(answer.status).to.equal(200)
    return (await answer.json()) as Body
  }

  async function loginHeaders(): Promise<Record<string, string>> {
    const { code } = await backEnd.phone.wx.login()
    const { encryptedData = '', iv = '' } = await backEnd.phone.wx.getUserInfo()
    return { 'x-wx-code': code, 'x-wx-encrypted-data': encryptedData, 'x-wx-iv': iv }
  }

  async function logIn(server: string): Promise<Record<string, string>> {
    const { session } = await ask(server, '/login', await loginHeaders())
    return { 'x-wx-id': session?.id ?? '', 'x-wx-skey': session?.skey ?? '' }
  }

  function newSdk(server: string): Wafer1Sdk {
    backEnd.phone.wx.clearStorageSync()
    const sdk = loadOldClient('wafer-client-sdk')
    sdk.setLoginUrl(`${server}/wafer/login`)
    return sdk
  }

  it('answers a login with the same fields', async () => {
    const before = await ask(old.url, '/login', await loginHeaders())
    const now = await ask(backEnd.url, '/login', await loginHeaders())
    const { session: oldSession, ...oldRest } = before
    const { session: newSession, ...newRest } = now
    expect(newRest).to.deep.equal(oldRest)
    expect(newSession).to.have.all.keys(Object.keys(oldSession ?? {}))
  })

  it('answers a login with a good session to the letter', async () => {
    const before = await ask(old.url, '/login', await logIn(old.url))
    const now = await ask(backEnd.url, '/login', await logIn(backEnd.url))
    expect(now).to.deep.equal(before)
    expect(before).to.include({ code: 0 })
  })

  for (const path of ['/login', '/me']) {
    it(`answers an unknown session at ${path} with the same error`, async () => {
      const headers = { 'x-wx-id': 'A'.repeat(20), 'x-wx-skey': 'A'.repeat(64) }
      const { message: oldMessage, ...before } = await ask(old.url, path, headers)
      const { message, ...now } = await ask(backEnd.url, path, headers)
      expect(now).to.deep.include(before)
      expect(before).to.include({ error: 'ERR_INVALID_SESSION' })
      expect([message, oldMessage].every((text) => /^会话已失效，请重新登录/.test(String(text)))).to.equal(
        true,
      )
    })
  }

  it('answers a login without a code with the same type, and now so that the client sees it', async () => {
    const before = await ask(old.url, '/login', {})
    const now = await ask(backEnd.url, '/login', {})
    expect(before).to.have.all.keys('type', 'message')
    expect(now).to.include({ type: before.type, error: before.type })
    expect(String(now.message)).to.contain('请求头里没有找到 X-WX-Code')
    expect(String(before.message)).to.contain('请求头里没有找到 X-WX-Code')
  })

  it('takes a client over from the old server: its session is unknown, it logs in once and goes on', async () => {
    const sdk = newSdk(old.url)
    await successOf<UserInfo>((callbacks) => sdk.login(callbacks))
    const oldHeader = sdk.buildSessionHeader()
    sdk.setLoginUrl(`${backEnd.url}/wafer/login`)
    const { data } = await successOf<RequestResult<{ code: number }>>((callbacks) =>
      sdk.request({ url: `${backEnd.url}/wafer/me`, ...callbacks }),
    )
    expect(data.code).to.equal(0)
    expect(backEnd.requests).to.deep.equal(['GET /wafer/me', 'GET /wafer/login', 'GET /wafer/me'])
    expect(sdk.buildSessionHeader()).to.not.deep.equal(oldHeader)
  })

  it('gives a business request at least the user info that it gave', async () => {
    const infos: Record<string, unknown>[] = []
    for (const server of [old.url, backEnd.url]) {
      const sdk = newSdk(server)
      const { data } = await successOf<RequestResult<{ data: { userInfo: Record<string, unknown> } }>>(
        (callbacks) => sdk.request({ url: `${server}/wafer/me`, login: true, ...callbacks }),
      )
      infos.push(data.data.userInfo)
    }
    const [before = {}, now = {}] = infos
    expect(Object.keys(before)).to.include.members(['openId', 'nickName', 'watermark'])
    expect(now).to.deep.equal(before)
  })

  it('gives every login a skey of its own, where it was a function of the session_key', async () => {
    const first = await logIn(backEnd.url)
    const second = await logIn(backEnd.url)
    expect(first['x-wx-skey']).to.not.equal(second['x-wx-skey'])
    expect(first['x-wx-id']).to.equal(second['x-wx-id'])
    expect(await ask(backEnd.url, '/me', first)).to.include({ code: 0 })
  })
})
