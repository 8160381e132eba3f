import { once } from 'node:events'
import { Agent, createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/errors.js'
import {
  createTransport,
  invalidResponse,
  RequestTurnedAway,
  type WechatTransport,
} from '../../lib/wechat/transport.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { startGarbageServer, startHangingServer } from '../support/broken-server.js'
import { everythingIn, weappErrorOf } from '../support/failures.js'

const PATH = '/sns/jscode2session'
const SECRET = 'f00dfeedf00dfeedf00dfeedf00dfeed'
const QUERY = { appid: 'wx1', secret: SECRET, js_code: '0a3kFq000aX1bP1KXY20' }
const AMPLE_MS = 10_000

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function transportTo(url: string): WechatTransport {
  const transport = createTransport(new URL(url))
  cleanups.push(() => transport.close())
  return transport
}

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

async function startBroken(start: typeof startHangingServer): Promise<number> {
  const server = await start()
  cleanups.push(() => server.close())
  return server.port
}

function get(transport: WechatTransport, deadlineMs = AMPLE_MS, query: Record<string, string> = QUERY) {
  return transport.send({ path: PATH, query, signal: AbortSignal.timeout(deadlineMs) })
}

/** Checks that the request ends with this code, that its error gives away nothing of the query, and of the address to the operator only. */
async function expectFailure(
  code: ErrorCode,
  url: string,
  deadlineMs = AMPLE_MS,
): Promise<string | undefined> {
  const error = await weappErrorOf(code, () => get(transportTo(url), deadlineMs))
  const shown = everythingIn(error)
  for (const secret of [SECRET, QUERY.js_code, QUERY.appid, PATH]) expect(shown).to.not.include(secret)
  for (const place of [new URL(url).port, '127.0.0.1']) {
    expect(error.message).to.not.include(place)
    if (code !== 'ERR_WECHAT_UNREACHABLE') expect(shown).to.not.include(place)
  }
  return error.hint
}

describe('a request to WeChat', () => {
  it('answers the body as text, whatever its type says', async () => {
    const { url } = await serve((_request, response) => {
      const body = Buffer.from('{"nickName":"微信用户"}')
      response.writeHead(200, { 'content-type': 'image/png' }).write(body.subarray(0, 15))
      setImmediate(() => response.end(body.subarray(15)))
    })
    expect(await get(transportTo(url))).to.equal('{"nickName":"微信用户"}')
  })

  it('is a GET under the path of the base address, with or without a slash at its end', async () => {
    const targets: string[] = []
    const { url } = await serve(({ method, url: target }, response) => {
      targets.push(`${method} ${target}`)
      response.end()
    })
    for (const base of ['', '/', '/proxy/wechat', '/proxy/wechat/'])
      await get(transportTo(url + base), AMPLE_MS, { a: 'b' })
    expect(targets).to.deep.equal([
      `GET ${PATH}?a=b`,
      `GET ${PATH}?a=b`,
      `GET /proxy/wechat${PATH}?a=b`,
      `GET /proxy/wechat${PATH}?a=b`,
    ])
  })

  it('keeps its connection for the next, until it is closed', async () => {
    const sockets: Socket[] = []
    const { url, server } = await serve((_request, response) => response.end('{}'))
    server.on('connection', (socket) => sockets.push(socket))
    const transport = transportTo(url)
    await get(transport)
    await get(transport)
    expect(sockets).to.have.length(1)
    const closed = once(sockets[0] as Socket, 'close')
    transport.close()
    await closed
  })
})

describe('a request on a connection that was kept', () => {
  it('has no answer when the connection breaks: WeChat may have read it', async () => {
    let requests = 0
    const { url } = await serve(({ socket }, response) => {
      requests += 1
      if (requests === 1) response.end('{}')
      else socket.destroy()
    })
    const transport = transportTo(url)
    await get(transport)
    await weappErrorOf('ERR_WECHAT_NO_ANSWER', () => get(transport))
    expect(requests).to.equal(2)
  })
})

describe('a request to WeChat, through the sandbox,', () => {
  const sandbox = aSandbox()

  it('escapes whatever is in the query', async () => {
    const query = { js_code: 'a&appid=evil#?%26+=;/\\"\'<>', secret: '%00&&=', appid: 'wx1' }
    await get(transportTo(sandbox().url), AMPLE_MS, query)
    expect(sandbox().calls(PATH)[0]?.query).to.deep.equal(query)
  })

  it('does not follow a redirect', async () => {
    sandbox().misbehave('redirect')
    expect(await expectFailure('ERR_WECHAT_ANSWER_INVALID', sandbox().url)).to.equal(
      'WeChat returned HTTP status 302',
    )
    expect(sandbox().callCount('/redirected')).to.equal(0)
  })

  it('cannot use any status but 200', async () => {
    sandbox().misbehave('html502', { times: 1 })
    sandbox().misbehave('http500', { times: 1 })
    expect(await expectFailure('ERR_WECHAT_ANSWER_INVALID', sandbox().url)).to.equal(
      'WeChat returned HTTP status 502',
    )
    expect(await expectFailure('ERR_WECHAT_ANSWER_INVALID', sandbox().url)).to.equal(
      'WeChat returned HTTP status 500',
    )
  })

  it('has no answer when WeChat hangs or hangs up', async () => {
    sandbox().misbehave('drop', { times: 1 })
    sandbox().misbehave('hang', { times: 1 })
    expect(await expectFailure('ERR_WECHAT_NO_ANSWER', sandbox().url)).to.equal(
      'WeChat was reached but did not respond: Error (ECONNRESET)',
    )
    expect(await expectFailure('ERR_WECHAT_NO_ANSWER', sandbox().url, 500)).to.equal(
      'WeChat was reached but did not respond: it took too long',
    )
    expect(sandbox().callCount(PATH)).to.equal(2)
  })

  it('cannot use an answer that breaks off', async () => {
    sandbox().misbehave('truncated')
    const hint = await expectFailure('ERR_WECHAT_ANSWER_INVALID', sandbox().url)
    expect(hint).to.equal('WeChat returned a response that broke off')
  })

  it('cannot reach what is not there, and reaches it when it is back', async () => {
    const transport = transportTo(sandbox().url)
    await sandbox().takeDown()
    const { host } = new URL(sandbox().url)
    expect(await expectFailure('ERR_WECHAT_UNREACHABLE', sandbox().url)).to.equal(
      `could not connect to WeChat at ${host}: Error (connect ECONNREFUSED ${host})`,
    )
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => get(transport))
    await sandbox().bringUp()
    expect(await get(transport)).to.include('errcode')
  })

  it('is not sent when its deadline has passed before', async () => {
    const transport = transportTo(sandbox().url)
    const signal = AbortSignal.abort()
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => transport.send({ path: PATH, query: QUERY, signal }))
    expect(sandbox().callCount(PATH)).to.equal(0)
  })
})

describe('a request to something that is not WeChat', () => {
  for (const [status, isTurnedAway] of [
    [302, false],
    [400, true],
    [403, true],
    [407, false],
    [408, false],
    [429, false],
    [499, true],
    [500, false],
    [503, false],
  ] as const) {
    it(`is ${isTurnedAway ? '' : 'not '}the only one that is turned away by status ${status}`, async () => {
      const { url } = await serve((_request, response) => response.writeHead(status).end())
      const error = await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => get(transportTo(url)))
      expect(error instanceof RequestTurnedAway).to.equal(isTurnedAway)
      expect(error.hint).to.equal(`WeChat returned HTTP status ${status}`)
    })
  }

  it('cannot use an answer of more than 256 KiB, and does not read all of it', async () => {
    let isOpen = true
    const { url } = await serve((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const more = () => isOpen && response.write(chunk, () => setImmediate(more))
      response.on('close', () => {
        isOpen = false
      })
      more()
    })
    const hint = await expectFailure('ERR_WECHAT_ANSWER_INVALID', url)
    expect(hint).to.equal('WeChat returned a response that is too long')
  })

  it('uses an answer of exactly 256 KiB', async () => {
    const { url } = await serve((_request, response) => response.end(Buffer.alloc(256 * 1024, 'x')))
    expect(await get(transportTo(url))).to.have.length(256 * 1024)
  })

  it('ends by its deadline when the answer drips in without end', async () => {
    const { url } = await serve((_request, response) => {
      const drip = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(drip))
    })
    await expectFailure('ERR_WECHAT_NO_ANSWER', url, 500)
  })

  it('ends by its deadline when the Agent finds no connection for it, and is not sent when it does', async () => {
    const seen: string[] = []
    let answerFirst = (): unknown => undefined
    const { url } = await serve((request, response) => {
      seen.push(String(request.url))
      if (request.url?.includes('first')) answerFirst = () => response.end('late')
      else response.end('{}')
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    cleanups.push(() => agent.destroy())
    const transport = createTransport(new URL(url), agent)
    const first = get(transport, AMPLE_MS, { n: 'first' })
    const error = await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => get(transport, 50, { n: 'second' }))
    expect(error.hint).to.match(/: it took too long$/)
    expect(seen).to.have.length(1)
    answerFirst()
    expect(await first).to.equal('late')
    expect(await get(transport, AMPLE_MS, { n: 'third' })).to.equal('{}')
    expect(seen.join()).to.not.include('second')
  })

  it('has no use for bytes that are not HTTP', async () => {
    await expectFailure(
      'ERR_WECHAT_ANSWER_INVALID',
      `http://127.0.0.1:${await startBroken(startGarbageServer)}`,
    )
  })

  it('has reached nobody while TLS is not established', async () => {
    const garbage = `https://127.0.0.1:${await startBroken(startGarbageServer)}`
    const silence = `https://127.0.0.1:${await startBroken(startHangingServer)}`
    await expectFailure('ERR_WECHAT_UNREACHABLE', garbage)
    await expectFailure('ERR_WECHAT_UNREACHABLE', silence, 500)
  })
})

describe('a request to a host that is not there', () => {
  it('has reached nobody where the connection fails before it has begun', async () => {
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => get(transportTo('http://255.255.255.255')))
  })

  it('names the host and no password of the address', async () => {
    const url = 'https://user:hunter2@wechat.invalid/proxy'
    const error = await weappErrorOf('ERR_WECHAT_UNREACHABLE', () => get(transportTo(url)))
    expect(error.hint).to.match(/at wechat\.invalid: Error \(getaddrinfo E\w+ wechat\.invalid\)$/)
    expect(everythingIn(error)).to.not.include('hunter2')
  })

  it('says that it took too long', async () => {
    const silence = `https://127.0.0.1:${await startBroken(startHangingServer)}`
    expect(await expectFailure('ERR_WECHAT_UNREACHABLE', silence, 500)).to.match(/: it took too long$/)
  })
})

describe('invalidResponse', () => {
  it('tells what came to the operator alone', () => {
    const error = invalidResponse('a riddle')
    expect(error).to.include({ code: 'ERR_WECHAT_ANSWER_INVALID', hint: 'WeChat returned a riddle' })
    expect(error.message).to.not.include('riddle')
  })
})
