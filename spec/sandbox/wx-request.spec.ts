import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { WxRequest } from '../../sandbox/index.js'
import { createWxRequest } from '../../sandbox/wx-request.js'

interface Echo {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

const echo: RequestListener = async (request, response) => {
  const { method, url, headers } = request
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ method, url, headers, body: await text(request) }))
}

const errMsgOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((failure: { errMsg: string }) => failure.errMsg)

describe('wx.request', () => {
  let server: Server
  let listener: RequestListener
  let url: string
  let device: { offline: boolean; appid: string }
  let request: WxRequest

  beforeEach(async () => {
    listener = echo
    server = createServer((asked, response) => listener(asked, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    device = { offline: false, appid: 'wx4f4bc4dec97d474b' }
    request = createWxRequest(device)
  })
  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })

  describe('as the server sees it', () => {
    it('is a GET with the data in the query', async () => {
      const { data } = await request<Echo>({
        url: `${url}/me?a=1#top`,
        data: { b: '2 &', c: undefined, d: [3] },
      })
      expect(data).to.include({ method: 'GET', url: '/me?a=1&b=2%20%26&d=%5B3%5D', body: '' })
    })

    it('keeps its address when there is no data', async () => {
      expect((await request<Echo>({ url: `${url}/me`, data: {} })).data.url).to.equal('/me')
      expect((await request<Echo>({ url: `${url}/me?a=1` })).data.url).to.equal('/me?a=1')
    })

    it('sends JSON by default', async () => {
      const { data } = await request<Echo>({ url, method: 'POST', data: { code: '中' } })
      expect(data).to.include({ method: 'POST', body: '{"code":"中"}' })
      expect(data.headers['content-type']).to.equal('application/json')
    })

    it('sends a form when the header says so, in whatever case', async () => {
      const header = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' }
      const { data } = await request<Echo>({ url, method: 'post', header, data: { a: '1&2', b: true } })
      expect(data).to.include({ method: 'POST', body: 'a=1%262&b=true' })
      expect(data.headers['content-type']).to.equal(header['Content-Type'])
    })

    it('sends text as it is', async () => {
      const { data } = await request<Echo>({ url, method: 'PUT', data: '{"a": 1}' })
      expect(data).to.include({ method: 'PUT', body: '{"a": 1}' })
    })

    it('sends bytes as they are', async () => {
      const bytes = new TextEncoder().encode('bytes').buffer
      const { data } = await request<Echo>({ url, method: 'POST', data: bytes })
      expect(data.body).to.equal('bytes')
    })

    it('carries the headers it is given, and where it comes from', async () => {
      const { data } = await request<Echo>({ url, header: { 'X-3rd-Session': 'token', Cookie: 'a=b' } })
      expect(data.headers).to.include({
        'x-3rd-session': 'token',
        cookie: 'a=b',
        referer: 'https://servicewechat.com/wx4f4bc4dec97d474b/devtools/page-frame.html',
      })
    })
  })

  describe('with an answer', () => {
    for (const status of [200, 201, 204, 304, 401, 404, 429, 500, 503]) {
      it(`succeeds with status ${status}`, async () => {
        listener = (_asked, response) => response.writeHead(status).end()
        const { statusCode, errMsg } = await request({ url })
        expect({ statusCode, errMsg }).to.deep.equal({ statusCode: status, errMsg: 'request:ok' })
      })
    }

    it('parses JSON whatever its content type', async () => {
      listener = (_asked, response) => response.end('{"a":1}')
      expect((await request({ url })).data).to.deep.equal({ a: 1 })
    })

    it('leaves text that is not JSON', async () => {
      listener = (_asked, response) => response.end('{"a":')
      expect((await request({ url })).data).to.equal('{"a":')
    })

    it('leaves JSON as text when dataType is another', async () => {
      listener = (_asked, response) => response.end('{"a":1}')
      expect((await request({ url, dataType: 'text' })).data).to.equal('{"a":1}')
    })

    it('shows headers and cookies', async () => {
      listener = (_asked, response) => {
        response.writeHead(401, { 'WWW-Authenticate': 'Bearer', 'set-cookie': ['a=1', 'b=2'] }).end()
      }
      const { header, cookies } = await request({ url })
      expect(header['www-authenticate']).to.equal('Bearer')
      expect(cookies).to.deep.equal(['a=1', 'b=2'])
    })
  })

  describe('in trouble', () => {
    it('fails when nobody listens', async () => {
      server.close()
      expect(await errMsgOf(request({ url }))).to.match(/^request:fail .*ECONNREFUSED/)
    })

    it('fails when nobody listens on any address of a host', async () => {
      server.close()
      const { port } = new URL(url)
      expect(await errMsgOf(request({ url: `http://localhost:${port}` }))).to.match(/ECONNREFUSED/)
    })

    it('fails when the connection breaks before the answer', async () => {
      listener = (asked) => asked.socket.destroy()
      expect(await errMsgOf(request({ url }))).to.match(/^request:fail ./)
    })

    it('fails when the connection breaks in the answer', async () => {
      listener = (asked, response) => {
        response.writeHead(200, { 'content-length': 10 })
        response.write('half', () => asked.socket.destroy())
      }
      expect(await errMsgOf(request({ url }))).to.match(/^request:fail ./)
    })

    it('fails when the answer does not come in time', async () => {
      listener = () => undefined
      expect(await errMsgOf(request({ url, timeout: 5 }))).to.equal('request:fail timeout')
    })

    it('fails while the phone is offline', async () => {
      device.offline = true
      expect(await errMsgOf(request({ url }))).to.equal('request:fail the phone is offline')
    })

    for (const wrong of ['/me', 'ftp://example.com/', '', undefined as unknown as string]) {
      it(`fails for the address ${JSON.stringify(wrong)}`, async () => {
        expect(await errMsgOf(request({ url: wrong }))).to.equal(`request:fail invalid url "${wrong}"`)
      })
    }

    it('fails for a header that HTTP does not allow', async () => {
      expect(await errMsgOf(request({ url, header: { 'x y': 'z' } }))).to.match(/^request:fail ./)
    })
  })

  describe('with callbacks', () => {
    it('hands the answer to success and complete', async () => {
      const seen: unknown[] = []
      await new Promise<void>((done) => {
        request({
          url,
          success: (result) => seen.push(result.statusCode),
          complete: (outcome) => {
            seen.push(outcome.errMsg)
            done()
          },
        })
      })
      expect(seen).to.deep.equal([200, 'request:ok'])
    })

    it('returns a task which breaks the request off', async () => {
      listener = () => undefined
      const failure = await new Promise<{ errMsg: string }>((fail) => {
        const task = request({ url, fail })
        task.abort()
      })
      expect(failure.errMsg).to.equal('request:fail abort')
    })

    it('returns a task that does nothing once the request is over', async () => {
      const calls: string[] = []
      await new Promise<void>((done) => {
        const task = request({
          url,
          success: () => calls.push('success'),
          fail: () => calls.push('fail'),
          complete: () => {
            task.abort()
            setImmediate(done)
          },
        })
      })
      expect(calls).to.deep.equal(['success'])
    })
  })
})
