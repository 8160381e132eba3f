import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox, exchange } from './a-sandbox.js'
import { type Answered, ask } from './ask.js'

describe('the /sandbox endpoints', () => {
  const sandbox = aSandbox()

  const post = (path: string, body?: string | Buffer): Promise<Answered> =>
    ask(`${sandbox().url}${path}`, { method: 'POST', ...(body !== undefined && { body }) })

  it('mint a code for a POST without a body', async () => {
    const { status, headers, json } = await post('/sandbox/login')
    expect(status).to.equal(200)
    expect(headers['content-type']).to.match(/^application\/json/)
    expect(json.appid).to.equal(sandbox().app.appid)
    expect((await exchange(sandbox(), String(json.code))).json).to.have.property('openid')
  })

  it('mint a code for the user that the body names', async () => {
    const phone = sandbox().phone()
    const { json } = await post('/sandbox/login', JSON.stringify({ user: phone.user, appid: phone.appid }))
    const { json: session } = await exchange(sandbox(), String(json.code))
    expect(session.openid).to.equal(phone.openid)
  })

  it('take JSON under any content type, as curl sends it', async () => {
    const answer = await ask(`${sandbox().url}/sandbox/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: '{"user":"li-hua"}',
    })
    expect(answer.json.user).to.equal('li-hua')
  })

  it('tell whether the session of a code still holds', async () => {
    const { json } = await post('/sandbox/login')
    const body = JSON.stringify({ code: json.code })
    expect((await post('/sandbox/check-session', body)).json).to.deep.equal({ valid: true })
    await post('/sandbox/login')
    expect((await post('/sandbox/check-session', body)).json).to.deep.equal({ valid: false })
  })

  it('do not take the code of one user for another', async () => {
    const { json } = await post('/sandbox/login')
    const body = JSON.stringify({ code: json.code, user: 'somebody-else' })
    expect((await post('/sandbox/check-session', body)).json).to.deep.equal({ valid: false })
  })

  const malformed = [
    ['text that is not JSON', 'code=1', /not JSON/],
    ['half an object', '{"user":', /not JSON/],
    ['an array', '[]', /JSON object/],
    ['null', 'null', /JSON object/],
    ['a number', '7', /JSON object/],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x00]), /not JSON/],
    ['an unknown field', '{"usr":"li-hua"}', /^unknown field "usr"; known: appid, user$/],
    ['a prototype', '{"__proto__":{"user":"li-hua"}}', /unknown field "__proto__"/],
    ['a user that is a number', '{"user":7}', /"user" must be/],
    ['a user that is null', '{"user":null}', /"user" must be/],
    ['an empty user', '{"user":""}', /"user" must be/],
    ['a very long user', JSON.stringify({ user: 'x'.repeat(129) }), /"user" must be/],
    ['an unknown appid', '{"appid":"wx0"}', /"appid" must be an app of this sandbox: wx/],
    ['an appid that is an object', '{"appid":{}}', /"appid" must be/],
  ] as const

  for (const [what, body, message] of malformed) {
    it(`refuse ${what} with 400 and say why`, async () => {
      const { status, json } = await post('/sandbox/login', body)
      expect(status).to.equal(400)
      expect(json.error).to.match(message)
    })
  }

  it('refuse to check a session without a code', async () => {
    const { status, json } = await post('/sandbox/check-session', '{}')
    expect(status).to.equal(400)
    expect(json.error).to.equal('"code" must be a string')
  })

  it('seal data for a curl without a body', async () => {
    for (const path of ['/sandbox/we-run-data', '/sandbox/group-enter-info']) {
      const { status, json } = await post(path)
      expect(status).to.equal(200)
      expect(json).to.have.all.keys('encryptedData', 'iv')
    }
    expect((await post('/sandbox/phone-number')).json).to.have.all.keys('code', 'encryptedData', 'iv')
  })

  const unnamed = [
    ['/sandbox/group-enter-info', '{"group":""}', '"group" must be a string of 1 to 128 characters'],
    ['/sandbox/group-enter-info', '{"group":7}', '"group" must be a string of 1 to 128 characters'],
    ['/sandbox/share-info', '{}', '"shareTicket" must be a string of 1 to 128 characters'],
    ['/sandbox/we-run-data', '{"days":7}', 'unknown field "days"; known: appid, user'],
  ] as const

  for (const [path, body, error] of unnamed) {
    it(`refuse ${body} at ${path}`, async () => {
      const { status, json } = await post(path, body)
      expect({ status, error: json.error }).to.deep.equal({ status: 400, error })
    })
  }

  it('refuse a body that is too long', async () => {
    const { status, json } = await post('/sandbox/login', Buffer.alloc(1024 * 1024, ' '))
    expect(status).to.equal(413)
    expect(json.error).to.match(/longer than 16384 bytes/)
  })

  it('refuse other methods than POST', async () => {
    const { status, headers, json } = await ask(`${sandbox().url}/sandbox/login`)
    expect(status).to.equal(405)
    expect(headers.allow).to.equal('POST')
    expect(json.error).to.equal('use POST')
  })

  for (const path of ['/sandbox', '/sandbox/', '/sandbox/constructor', '/sandbox/login/more']) {
    it(`name the endpoints there are for ${path}`, async () => {
      const { status, json } = await post(path)
      expect(status).to.equal(404)
      expect(json.error).to.include('/sandbox/login')
    })
  }
})

describe('the server', () => {
  const sandbox = aSandbox()

  /** Sends raw bytes and returns what comes back until the connection ends. */
  async function say(bytes: string, andHangUp = false): Promise<string> {
    const { hostname, port } = new URL(sandbox().url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    if (andHangUp) socket.end(bytes)
    else socket.write(bytes)
    return text(socket).catch(() => '')
  }

  const hostile = [
    ['what is not HTTP', 'hello\r\n\r\n'],
    ['a target that is not a URL', 'GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    [
      'a broken escape',
      'GET /sns/jscode2session?appid=%E0%A4%A HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    ],
    ['a full address as target', 'GET http://[::bad/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['an upgrade', 'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n'],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n'],
  ] as const

  for (const [what, bytes] of hostile) {
    it(`survives ${what}`, async () => {
      await say(bytes)
      expect((await sandbox().phone().wx.login()).errMsg).to.equal('login:ok')
    })
  }

  it('survives a client that hangs up in the middle of its body', async () => {
    await say('POST /sandbox/login HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"us', true)
    expect((await sandbox().phone().wx.login()).errMsg).to.equal('login:ok')
  })
})
