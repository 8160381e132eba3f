import { once } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  createSessions,
  douyinExchange,
  MemoryStore,
  qqExchange,
  type WechatOptions,
} from '../../lib/index.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { type ConnectProxy, type ProxyFault, startConnectProxy } from '../support/connect-proxy.js'
import { weappErrorOf } from '../support/failures.js'
import { cert, key } from '../support/localhost-certificate.js'
import { keptLog } from '../support/log-lines.js'

/** Trusts our certificate inside of the tunnel: other options of the agent are for the proxy. */
class TrustingAgent extends HttpsProxyAgent<string> {
  override connect(...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>) {
    return super.connect(request, { ...options, ca: cert } as typeof options)
  }
}

describe('WeChat behind a forward proxy', () => {
  const sandbox = aSandbox()
  let proxy: ConnectProxy
  const cleanups: (() => unknown)[] = []

  async function startProxy(fault?: ProxyFault): Promise<void> {
    proxy = await startConnectProxy(fault)
    cleanups.push(proxy.close)
  }
  beforeEach(() => startProxy())
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  })

  function throughProxy(Agent = HttpsProxyAgent<string>): HttpsProxyAgent<string> {
    const agent = new Agent(proxy.url, { keepAlive: true })
    cleanups.push(() => agent.destroy())
    return agent
  }

  function sessionsBy(wechat: WechatOptions) {
    const sessions = createSessions({
      apps: sandbox().apps,
      store: new MemoryStore(),
      logger: keptLog(),
      wechat,
    })
    cleanups.push(() => sessions.close())
    return sessions
  }

  /** The sandbox again, over HTTPS. */
  async function startHttps(): Promise<string> {
    const server = https.createServer({ key, cert }, (incoming, outgoing) => {
      const { method, url, headers } = incoming
      const inner = http.request(`${sandbox().url}${url}`, { method, headers }, (answer) =>
        answer.pipe(outgoing.writeHead(answer.statusCode ?? 0, answer.headers)),
      )
      incoming.pipe(inner)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function freshCode(): Promise<string> {
    return (await sandbox().phone().wx.login()).code
  }

  for (const scheme of ['http', 'https']) {
    it(`is reached by wechat.agent for every call, over ${scheme}`, async () => {
      const baseUrl = scheme === 'https' ? await startHttps() : sandbox().url
      const sessions = sessionsBy({ baseUrl, agent: throughProxy(TrustingAgent) })
      const phone = sandbox().phone()
      const { session } = await sessions.login({ code: (await phone.wx.login()).code })
      await sessions.checkSessionKey(session)
      const { code } = await phone.getPhoneNumber()
      await sessions.phoneNumber({ code, openid: phone.openid })
      expect(new Set(proxy.targets)).to.deep.equal(new Set([new URL(baseUrl).host]))
    })
  }

  it('keeps the connections of an agent that was passed in when the sessions are closed', async () => {
    const agent = throughProxy()
    for (let rounds = 0; rounds < 2; rounds += 1) {
      const sessions = sessionsBy({ baseUrl: sandbox().url, agent })
      await sessions.login({ code: await freshCode() })
      await sessions.close()
    }
    expect(proxy.targets).to.have.lengthOf(1)
  })

  it('takes the agents of node:https and node:http as well', async () => {
    const secure = new https.Agent({ ca: cert, keepAlive: true })
    const plain = new http.Agent({ keepAlive: true })
    cleanups.push(
      () => secure.destroy(),
      () => plain.destroy(),
    )
    const options = [
      { baseUrl: await startHttps(), agent: secure },
      { baseUrl: sandbox().url, agent: plain },
    ]
    for (const wechat of options) await sessionsBy(wechat).login({ code: await freshCode() })
  })

  it('is not reached where its certificate is not trusted, inside of the tunnel too', async () => {
    const sessions = sessionsBy({ baseUrl: await startHttps(), agent: throughProxy() })
    const code = await freshCode()
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => sessions.login({ code }))
    expect(sandbox().callCount('/sns/jscode2session')).to.equal(0)
  })

  it('is not reached where the tunnel ends before its TLS is there, so the call is made once more', async () => {
    await startProxy('drop')
    const sessions = sessionsBy({ baseUrl: 'https://api.example.com', agent: throughProxy() })
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => sessions.login({ code: '0a3kFq000aX1bP1KXY20' }))
    expect(proxy.targets).to.deep.equal(['api.example.com:443', 'api.example.com:443'])
  })

  it('is given up at the deadline where the proxy never opens its tunnel, by every call', async () => {
    await startProxy('hang')
    const sessions = sessionsBy({ baseUrl: sandbox().url, agent: throughProxy(), timeoutMs: 50 })
    const error = await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => sessions.accessToken())
    expect(error.hint).to.match(/: it took too long$/)
    const phoneNumber = { code: '0a3kFq000aX1bP1KXY20' }
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => sessions.phoneNumber(phoneNumber))
    expect(proxy.targets).to.not.deep.equal([])
  })

  it('is not reached where the proxy is away', async () => {
    const agent = throughProxy()
    await proxy.close()
    cleanups.shift()
    const sessions = sessionsBy({ baseUrl: sandbox().url, agent })
    const code = await freshCode()
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => sessions.login({ code }))
  })

  for (const status of [407, 502] as const) {
    it(`is not mistaken for the proxy that answers ${status}, and the code stays good`, async () => {
      await startProxy(status)
      const sessions = sessionsBy({ baseUrl: sandbox().url, agent: throughProxy() })
      const code = await freshCode()
      const { hint } = await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => sessions.login({ code }))
      const { host } = new URL(sandbox().url)
      const why = `the proxy answered HTTP status ${status}`
      expect(hint).to.equal(`could not connect to WeChat at ${host}: ${why}`)
      proxy.heal()
      expect((await sessions.login({ code })).token).to.be.a('string')
    })
  }

  it('may be another platform, by the agent of its exchange', async () => {
    const { appid, secret } = sandbox().app
    for (const exchange of [qqExchange, douyinExchange]) {
      const before = proxy.targets.length
      const byProxy = exchange({ baseUrl: sandbox().url, agent: throughProxy() })
      await weappErrorOf('ERR_CODE_INVALID', async () =>
        byProxy({ appid, secret }, '0a3kFq000aX1bP1KXY20', AbortSignal.timeout(10_000)),
      )
      expect(proxy.targets).to.have.lengthOf(before + 1)
    }
  })

  for (const [what, wrong] of [
    ['an address', 'http://127.0.0.1:3128'],
    ['null', null],
    ['false, which would be an agent for each request', false],
    ['a dispatcher of undici', { dispatch: () => true, destroy: () => undefined }],
    ['an agent of node:http for https', new http.Agent()],
  ] as const) {
    it(`refuses ${what} as wechat.agent`, () => {
      const wechat = { agent: wrong } as object
      const make = () => createSessions({ apps: sandbox().apps, store: new MemoryStore(), wechat })
      expect(make).to.throw(TypeError, /^createSessions: wechat\.agent must be an Agent/)
      expect(() => qqExchange(wechat)).to.throw(TypeError, /^qqExchange: agent must be an Agent/)
    })
  }
})
