import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import {
  type Asked,
  answer,
  type Behaviour,
  bodyFor,
  response,
  type ScriptedWechat,
  startScriptedWechat,
} from '../support/scripted-wechat.js'
import { until } from '../support/until.js'
import { WechatApp } from '../support/wechat-app-process.js'

const TIMEOUT_MS = 1000
const DRIP_MS = 20
const SECRET = 'f00d'.repeat(8)
/** How much the process may need on top of what it needs anyway, however much WeChat sends. */
const MOST_GROWTH_BYTES = 64 * 1024 * 1024

const writes =
  (bytes: (asked: Asked) => string | Buffer): Behaviour =>
  (socket, asked) =>
    void socket.write(bytes(asked))
const ends =
  (bytes: (asked: Asked) => string | Buffer): Behaviour =>
  (socket, asked) =>
    void socket.end(bytes(asked))

/** Begins with `head`, and goes on with pieces as long as somebody listens. */
function drips(head: string, piece: (index: number) => string): Behaviour {
  return (socket) => {
    socket.write(head)
    let index = 0
    const drip = setInterval(() => {
      index += 1
      socket.write(piece(index))
    }, DRIP_MS)
    socket.once('close', () => clearInterval(drip))
  }
}

/** As fast as they are taken. */
function floods(head: string): Behaviour {
  return (socket) => {
    socket.write(head)
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const more = () => {
      if (!socket.destroyed) socket.write(piece, () => setImmediate(more))
    }
    more()
  }
}

const OK = 'HTTP/1.1 200 OK\r\n'
const BOMB = gzipSync(Buffer.alloc(1e8))
const LATE = 'ERR_WECHAT_NO_ANSWER'
const ODD = 'ERR_WECHAT_ANSWER_INVALID'
const redirect = (status: string) => writes(() => response('', status, 'location: /elsewhere\r\n'))
const json = (head: string) =>
  writes(({ code }) => response(`{${head}"openid":"o${code}","session_key":"${'k'.repeat(22)}=="}`))

/** What comes instead of an answer, and what a login gets: its code is not sent again in any of them. */
const ANSWERS: readonly [what: string, Behaviour, ErrorCode | 'ok'][] = [
  ['an answer that trickles in', drips(`${OK}content-length: 5000\r\n\r\n`, () => ' '), LATE],
  ['headers without an end', drips(OK, (index) => `x-${index}: y\r\n`), LATE],
  ['headers without a measure', floods(`${OK}x: `), ODD],
  ['early hints without an end', drips('', () => 'HTTP/1.1 103 Early Hints\r\n\r\n'), LATE],
  ['chunks without an end', drips(`${OK}transfer-encoding: chunked\r\n\r\n`, () => '1\r\n \r\n'), LATE],
  ['a length too long', writes((asked) => `${OK}content-length: 5000\r\n\r\n${bodyFor(asked)}`), LATE],
  [
    'a length too long, and the end',
    ends((asked) => `${OK}content-length: 5000\r\n\r\n${bodyFor(asked)}`),
    ODD,
  ],
  ['a length too short', writes((asked) => `${OK}content-length: 10\r\n\r\n${bodyFor(asked)}`), ODD],
  ['two lengths', writes(() => `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`), ODD],
  [
    'gzip',
    writes((asked) => response(gzipSync(bodyFor(asked)), '200 OK', 'content-encoding: gzip\r\n')),
    ODD,
  ],
  [
    'br',
    writes((asked) => response(brotliCompressSync(bodyFor(asked)), '200 OK', 'content-encoding: br\r\n')),
    ODD,
  ],
  ['a gzip bomb', writes(() => response(BOMB, '200 OK', 'content-encoding: gzip\r\n')), ODD],
  ['100 MB and more', floods(`${OK}content-length: 1000000000\r\n\r\n`), ODD],
  ['a redirect for good', redirect('301 Moved Permanently'), ODD],
  ['a redirect that keeps the method', redirect('307 Temporary Redirect'), ODD],
  ['no content', writes(() => 'HTTP/1.1 204 No Content\r\n\r\n'), ODD],
  [
    'another protocol',
    writes(() => 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ODD,
  ],
  ['nothing', writes(() => response('')), ODD],
  ['a page', writes(() => response('<html></html>')), ODD],
  ['a byte order mark', writes((asked) => response(`\ufeff${bodyFor(asked)}`)), ODD],
  ['UTF-16', writes((asked) => response(Buffer.from(bodyFor(asked), 'utf16le'))), ODD],
  ['NaN', json('"errcode":NaN,'), ODD],
  ['an errcode of null', json('"errcode":null,'), ODD],
  ['an errcode as text', json('"errcode":"0",'), 'ok'],
  ['a field twice', json('"openid":"oEvil","session_key":1,'), 'ok'],
  ['brackets as deep as the sea', writes(() => response('['.repeat(100_000))), ODD],
  ['"too many requests"', writes(() => response('', '429 Too Many Requests', 'retry-after: 7\r\n')), ODD],
  ['HTTP/1.0', ends((asked) => `HTTP/1.0 200 OK\r\n\r\n${bodyFor(asked)}`), 'ok'],
  ['no HTTP', ends(bodyFor), ODD],
  [
    '"continue" before the answer',
    writes((asked) => `HTTP/1.1 100 Continue\r\n\r\n${response(bodyFor(asked))}`),
    'ok',
  ],
  [
    'two answers',
    writes((asked) => Buffer.concat([response(bodyFor(asked)), response('{"openid":"oEvil"}')])),
    'ok',
  ],
]

describe('an answer of WeChat that is odd', () => {
  let redis: RedisServer
  let wechat: ScriptedWechat
  let app: WechatApp
  let token: string
  let lastCode = 0

  before(async function () {
    this.timeout(30_000)
    redis = await startRedisServer()
    wechat = await startScriptedWechat()
    const apps = [{ appid: 'wx1111111111111111', secret: SECRET }]
    const baseUrl = `http://127.0.0.1:${wechat.port}`
    app = await WechatApp.start({ redisUrl: redis.url, apps, baseUrl, timeoutMs: TIMEOUT_MS })
    token = (await app.logIn(code())).token
  })
  after(async () => {
    app.kill()
    await wechat.close()
    await redis.stop()
  })

  function code(): string {
    lastCode += 1
    return `code${String(lastCode).padStart(28, '0')}`
  }

  for (const [what, behaviour, expected] of ANSWERS) {
    it(`is ${expected} to the login where it is ${what}, and of no account to others`, async () => {
      const strange = code()
      wechat.behave = behaviour
      const { code: given, status, retryAfter } = await app.logIn(strange)
      expect(given).to.equal(expected)
      if (status === 503) expect(retryAfter).to.equal('2')
      expect((await app.me(token)).status).to.equal(200)

      wechat.behave = answer
      const next = code()
      expect(await app.me((await app.logIn(next)).token)).to.include({ openid: `o${next}` })
      expect((await app.logIn(strange)).code).to.equal(expected === 'ok' ? 'ok' : 'ERR_CODE_INVALID')
      expect(wechat.asked.filter((asked) => asked.code === strange)).to.have.lengthOf(1)
      expect(wechat.count('/elsewhere')).to.equal(0)
    })
  }

  it('leaves neither memory nor connections behind, nor a secret in the log', async () => {
    const floodsAtOnce = 20
    wechat.behave = floods(`${OK}content-length: 1000000000\r\n\r\n`)
    const before = await app.memory()
    await Promise.all(Array.from({ length: floodsAtOnce }, () => app.logIn(code())))
    expect((await app.memory()) - before).to.be.below(MOST_GROWTH_BYTES)
    await until(() => wechat.connections === 0)
    const log = await app.end()
    expect(log.join('\n')).to.not.match(/code0|f00d|kkkk|js_code/)
  })
})
