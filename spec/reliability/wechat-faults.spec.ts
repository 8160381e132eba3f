import { createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { sharedRedis } from '../support/shared-redis.js'
import { EXCHANGE } from '../support/test-bed.js'
import { countsOf, WechatApp } from '../support/wechat-app-process.js'

const TIMEOUT_MS = 1000
const AT_ONCE = 50
const WAVES = 6
/** Calls in a row that open the breaker; others are under way when it opens. */
const IN_A_ROW = 10
const LONGEST_PAUSE_SECONDS = 5

describe('a WeChat that fails, with the application in a process of its own,', () => {
  let sandbox: Sandbox
  let app: WechatApp

  beforeEach(async function () {
    this.timeout(30_000)
    sandbox = await createSandbox({ apps: [{ appid: 'wx1111111111111111', secret: '1'.repeat(32) }] })
    app = await startApp(sandbox.url)
  })
  afterEach(async () => {
    app.kill()
    await sandbox.close()
  })

  async function startApp(baseUrl: string): Promise<WechatApp> {
    const { url: redisUrl } = await sharedRedis()
    return WechatApp.start({ redisUrl, apps: sandbox.apps, baseUrl, timeoutMs: TIMEOUT_MS })
  }
  const freshCodes = (count: number) =>
    Promise.all(Array.from({ length: count }, async () => (await sandbox.phone().wx.login()).code))
  const logInAll = (codes: readonly string[]) => Promise.all(codes.map((code) => app.logIn(code)))
  /** The codes that arrived, in order. */
  const arrived = () => sandbox.calls(EXCHANGE).map(({ query }) => query.js_code)

  for (const [what, begin, failure, mostPerCall] of [
    ['hangs', () => sandbox.misbehave('hang'), 'ERR_WECHAT_NO_ANSWER', 1],
    ['hangs up', () => sandbox.misbehave('drop'), 'ERR_WECHAT_NO_ANSWER', 1],
    ['answers 502 with a page', () => sandbox.misbehave('html502'), 'ERR_WECHAT_ANSWER_INVALID', 1],
    ['is busy', () => sandbox.misbehave({ errcode: -1 }), 'ERR_WECHAT_BUSY', 3],
  ] as const) {
    it(`and ${what} is left alone but for a probe a pause, and comes back by itself`, async function () {
      this.timeout(60_000)
      const [first = ''] = await freshCodes(1)
      const { token } = await app.logIn(first)
      const codes = await freshCodes(WAVES * AT_ONCE + 2)
      sandbox.clearCalls()
      const end = begin()

      const answers = []
      for (let wave = 0; wave < WAVES; wave += 1) {
        answers.push(...(await logInAll(codes.splice(0, AT_ONCE))))
        expect(await app.me(token)).to.include({ status: 200 })
      }
      const counts = countsOf(answers)
      expect(Object.keys(counts).sort()).to.deep.equal([failure, 'ERR_WECHAT_UNREACHABLE'].sort())
      // The first wave is under way when the breaker opens; of the others nothing arrives, but on a slow machine a
      // probe each.
      const most = AT_ONCE + WAVES
      expect(counts[failure]).to.be.within(IN_A_ROW, most)
      expect(sandbox.callCount(EXCHANGE)).to.be.within(IN_A_ROW, mostPerCall * most)
      for (const { code, status, retryAfter } of answers)
        if (code === 'ERR_WECHAT_UNREACHABLE') {
          expect(status).to.equal(503)
          expect(Number(retryAfter)).to.be.within(1, LONGEST_PAUSE_SECONDS)
        }

      const before = sandbox.callCount(EXCHANGE)
      await app.pass()
      const [kept = '', probe = ''] = codes
      expect(await app.logIn(probe)).to.include({ code: failure })
      expect(await app.logIn(kept)).to.include({ code: 'ERR_WECHAT_UNREACHABLE', status: 503 })
      expect(sandbox.callCount(EXCHANGE)).to.equal(before + 1)
      if (mostPerCall === 1) expect(new Set(arrived()).size).to.equal(arrived().length)

      end()
      await app.pass()
      // A code that was refused by the breaker is still good.
      expect(await app.logIn(kept)).to.include({ code: 'ok' })
      expect(countsOf(await logInAll(await freshCodes(AT_ONCE)))).to.deep.equal({ ok: AT_ONCE })
      const log = await app.end()
      expect(log.filter((line) => /WeChat fails|works again/.test(line))).to.have.lengthOf(2)
      expect(log.length, log.join('\n')).to.be.at.most(5)
    })
  }

  it('and is not there is not connected to, and is found again when it is back', async () => {
    const [first = ''] = await freshCodes(1)
    const { token } = await app.logIn(first)
    const codes = await freshCodes(2 * AT_ONCE)
    await sandbox.takeDown()
    for (let wave = 0; wave < 2; wave += 1) {
      const answers = await logInAll(codes.slice(wave * AT_ONCE, (wave + 1) * AT_ONCE))
      expect(countsOf(answers)).to.deep.equal({ ERR_WECHAT_UNREACHABLE: AT_ONCE })
      expect(await app.me(token)).to.include({ status: 200 })
    }
    await sandbox.bringUp()
    await app.pass()
    // WeChat has seen none of them.
    expect(await app.logIn(codes[0] ?? '')).to.include({ code: 'ok' })
    expect(countsOf(await logInAll(codes.slice(1)))).to.deep.equal({ ok: 2 * AT_ONCE - 1 })
    await app.end()
  })

  for (const [errcode, code] of [
    [45009, 'ERR_WECHAT_QUOTA'],
    [45011, 'ERR_WECHAT_RATE_LIMITED'],
  ] as const) {
    it(`and answers ${errcode} is asked by probes only`, async () => {
      const codes = await freshCodes(3 * AT_ONCE + 1)
      const end = sandbox.misbehave({ errcode })
      for (let wave = 0; wave < 3; wave += 1) {
        const answers = await logInAll(codes.splice(0, AT_ONCE))
        expect(countsOf(answers)).to.deep.equal({ [code]: AT_ONCE })
      }
      expect(sandbox.callCount(EXCHANGE)).to.be.at.most(AT_ONCE)
      end()
      await app.pass()
      expect(await app.logIn(codes[0] ?? '')).to.include({ code: 'ok' })
      const log = await app.end()
      expect(log.join('\n')).to.not.include('WeChat fails')
    })
  }

  describe('in its TLS', () => {
    let connections: number
    let server: Server
    let behave: (socket: Socket) => void

    beforeEach(async () => {
      connections = 0
      server = createServer((socket) => {
        connections += 1
        socket.on('error', () => undefined)
        behave(socket)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      app.kill()
      const address = server.address()
      app = await startApp(`https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    })
    afterEach(() => server.close())

    for (const [what, how] of [
      ['says nothing', (socket: Socket) => void socket.resume()],
      ['hangs up', (socket: Socket) => void socket.resetAndDestroy()],
    ] as const) {
      it(`and ${what} there is connected to no more, and no code is lost`, async () => {
        const sockets: Socket[] = []
        behave = (socket) => {
          sockets.push(socket)
          how(socket)
        }
        const codes = await freshCodes(3 * AT_ONCE)
        for (let wave = 0; wave < 3; wave += 1) {
          const answers = await logInAll(codes.slice(wave * AT_ONCE, (wave + 1) * AT_ONCE))
          expect(countsOf(answers)).to.deep.equal({ ERR_WECHAT_UNREACHABLE: AT_ONCE })
        }
        expect(connections).to.be.within(IN_A_ROW, 2 * AT_ONCE)
        const before = connections
        await app.pass()
        await logInAll(codes.slice(0, AT_ONCE))
        expect(connections).to.equal(before + 1)
        for (const socket of sockets) socket.destroy()
      })
    }
  })
})
