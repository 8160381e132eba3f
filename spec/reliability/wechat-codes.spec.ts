import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { sharedRedis } from '../support/shared-redis.js'
import { type Answer, countsOf, WechatApp } from '../support/wechat-app-process.js'

const LOGINS = 300
const AT_ONCE = 20
const SESSION_KEY = Buffer.alloc(16, 'k').toString('base64')

/**
 * What happens to the requests that arrive, in turn. Between the faults there are proper answers, so that the
 * breaker stays closed.
 */
const TURNS = [
  'answer',
  'reset',
  'answer and close',
  'answer',
  'half an answer',
  'answer and close',
  'close',
  'answer',
] as const

describe('a login code, while connections to WeChat break at all moments,', () => {
  let server: Server
  let app: WechatApp
  /** How often each code has arrived. */
  const arrivals = new Map<string, number>()
  let turn = 0
  let connections = 0

  function answerTo(code: string): string {
    const body = JSON.stringify({ openid: `o${code}`, session_key: SESSION_KEY })
    return `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }

  function handle(socket: Socket, request: string): void {
    const [, code = ''] = /[?&]js_code=([^&\s]+)/.exec(request) ?? []
    arrivals.set(code, (arrivals.get(code) ?? 0) + 1)
    turn += 1
    const answer = answerTo(code)
    switch (TURNS[turn % TURNS.length]) {
      case 'answer':
        return void socket.write(answer)
      // The connection was to be kept, so the next request may be on its way already.
      case 'answer and close':
        return void socket.end(answer)
      case 'half an answer':
        return void socket.write(answer.slice(0, -10), () => socket.destroy())
      case 'reset':
        return void socket.resetAndDestroy()
      default:
        return void socket.end()
    }
  }

  before(async function () {
    this.timeout(30_000)
    server = createServer((socket) => {
      connections += 1
      socket.on('error', () => undefined)
      // Some are closed before anything is read.
      if (connections % 10 === 0) return void socket.resetAndDestroy()
      let received = ''
      socket.on('data', (bytes) => {
        received += bytes
        for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
          const request = received.slice(0, end)
          received = received.slice(end + 4)
          handle(socket, request)
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { url: redisUrl } = await sharedRedis()
    const apps = [{ appid: 'wx1111111111111111', secret: '1'.repeat(32) }]
    app = await WechatApp.start({ redisUrl, apps, baseUrl: `http://127.0.0.1:${port}`, timeoutMs: 2000 })
  })
  after(() => {
    app.kill()
    server.close()
  })

  const codes = Array.from({ length: LOGINS }, (_, index) => `code${String(index).padStart(23, '0')}`)

  async function logInAll(): Promise<Answer[]> {
    const answers: Answer[] = []
    for (let sent = 0; sent < LOGINS; sent += AT_ONCE)
      answers.push(...(await Promise.all(codes.slice(sent, sent + AT_ONCE).map((code) => app.logIn(code)))))
    return answers
  }

  it('arrives once at most, also when the phone sends it again', async function () {
    this.timeout(30_000)
    const first = await logInAll()
    const counts = countsOf(first)
    expect(Object.keys(counts).sort()).to.deep.equal([
      'ERR_WECHAT_ANSWER_INVALID',
      'ERR_WECHAT_NO_ANSWER',
      'ok',
    ])
    expect(counts.ok).to.be.above(LOGINS / 4)
    const again = await logInAll()
    for (const [index, { code }] of again.entries())
      expect(code, `after ${first[index]?.code}`).to.equal(
        first[index]?.code === 'ok' ? 'ok' : 'ERR_CODE_INVALID',
      )
    expect(Math.max(...arrivals.values())).to.equal(1)
    expect(arrivals.size).to.be.above(LOGINS / 2)
    await app.end()
  })
})
