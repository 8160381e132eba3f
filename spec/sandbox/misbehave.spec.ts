import { once } from 'node:events'
import { type ClientRequest, get } from 'node:http'
import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { aSandbox, exchange } from './a-sandbox.js'
import { type Answered, errorCodeOf } from './ask.js'

describe('a misbehaving code2Session', () => {
  const sandbox = aSandbox()
  let code: string

  beforeEach(async () => {
    code = (await sandbox().phone().wx.login()).code
  })

  const exchangeCode = (): Promise<Answered> => exchange(sandbox(), code)

  const startExchange = (): ClientRequest => {
    const query = { ...sandbox().app, js_code: code, grant_type: 'authorization_code' }
    return get(`${sandbox().url}/sns/jscode2session?${new URLSearchParams(query)}`)
  }

  const errcodeOfNextTry = async (): Promise<unknown> => {
    sandbox().behave()
    return (await exchangeCode()).json.errcode
  }

  it('returns an errcode with its usual errmsg', async () => {
    sandbox().misbehave({ errcode: 40226 })
    const { status, headers, json } = await exchangeCode()
    expect(status).to.equal(200)
    expect(headers['content-type']).to.match(/^text\/plain/)
    expect(json.errcode).to.equal(40226)
    expect(json.errmsg).to.match(/^code blocked, rid: [0-9a-f-]{26}$/)
  })

  it('returns an errcode with the errmsg it is told', async () => {
    sandbox().misbehave({ errcode: 40164, errmsg: 'invalid ip 10.0.0.1' })
    expect((await exchangeCode()).json.errmsg).to.match(/^invalid ip 10\.0\.0\.1, rid: /)
  })

  it('hangs, having used the code', async () => {
    sandbox().misbehave('hang')
    const asking = startExchange()
    let answered = false
    asking.on('response', () => {
      answered = true
    })
    const broken = once(asking, 'error')
    while (sandbox().callCount('/sns/jscode2session') === 0) await new Promise(setImmediate)
    asking.destroy(new Error('the client has lost patience'))
    await broken
    expect(answered).to.equal(false)
    expect(await errcodeOfNextTry()).to.equal(40163)
  })

  it('drops the connection, having used the code', async () => {
    sandbox().misbehave('drop')
    expect(await errorCodeOf(exchangeCode())).to.equal('ECONNRESET')
    expect(await errcodeOfNextTry()).to.equal(40163)
  })

  it('breaks off in the middle of the body, having used the code', async () => {
    sandbox().misbehave('truncated')
    const asking = startExchange()
    const [response] = await once(asking, 'response')
    let received = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      received += part
    })
    const [error] = await once(response, 'error')
    expect(error.code).to.equal('ECONNRESET')
    expect(received).to.match(/^\{"openid"/)
    expect(received.length).to.be.lessThan(Number(response.headers['content-length']))
    expect(await errcodeOfNextTry()).to.equal(40163)
  })

  it('responds properly, but late', async () => {
    sandbox().misbehave({ slowMs: 5 })
    expect((await exchangeCode()).json).to.have.all.keys('openid', 'session_key', 'unionid')
  })

  it('returns half of a JSON body as if it were whole', async () => {
    sandbox().misbehave('badJson')
    const { status, text } = await exchangeCode()
    expect(status).to.equal(200)
    expect(text).to.match(/^\{"openid"/)
    expect(() => JSON.parse(text)).to.throw(SyntaxError)
    expect(await errcodeOfNextTry()).to.equal(40163)
  })

  it('sends nothing in a 200', async () => {
    sandbox().misbehave('empty')
    const { status, text } = await exchangeCode()
    expect(status).to.equal(200)
    expect(text).to.equal('')
    expect(await errcodeOfNextTry()).to.equal(40163)
  })

  it('adds errcode 0, expires_in and unknown fields to a proper response', async () => {
    sandbox().misbehave('extraFields')
    const { json } = await exchangeCode()
    expect(json).to.include.keys('openid', 'session_key', 'unionid', 'unheard_of')
    expect(json).to.include({ errcode: 0, errmsg: 'ok', expires_in: 7200 })
  })

  it('leaves openid out', async () => {
    sandbox().misbehave('missingOpenid')
    expect((await exchangeCode()).json).to.have.all.keys('session_key', 'unionid')
  })

  it('leaves session_key out', async () => {
    sandbox().misbehave('missingSessionKey')
    expect((await exchangeCode()).json).to.have.all.keys('openid', 'unionid')
  })

  it('responds with wrong types', async () => {
    sandbox().misbehave('wrongTypes')
    expect((await exchangeCode()).json).to.include({ openid: 42, session_key: null })
  })

  it('returns an HTML page with 200, the code unused', async () => {
    sandbox().misbehave('html')
    const { status, headers, text } = await exchangeCode()
    expect(status).to.equal(200)
    expect(headers['content-type']).to.match(/^text\/html/)
    expect(text).to.match(/^<html>/)
    expect(await errcodeOfNextTry()).to.equal(undefined)
  })

  it('returns an HTML page with 502, the code unused', async () => {
    sandbox().misbehave('html502')
    const { status, text } = await exchangeCode()
    expect(status).to.equal(502)
    expect(text).to.include('502 Bad Gateway')
    expect(await errcodeOfNextTry()).to.equal(undefined)
  })

  it('returns 500, the code unused', async () => {
    sandbox().misbehave('http500')
    const { status, text } = await exchangeCode()
    expect(status).to.equal(500)
    expect(text).to.equal('Internal Server Error')
    expect(await errcodeOfNextTry()).to.equal(undefined)
  })

  it('redirects, the code unused', async () => {
    sandbox().misbehave('redirect')
    const { status, headers } = await exchangeCode()
    expect(status).to.equal(302)
    expect(headers.location).to.equal('/redirected')
    expect(await errcodeOfNextTry()).to.equal(undefined)
  })

  it('alters only JSON responses', async () => {
    sandbox().misbehave('extraFields', { path: '/elsewhere' })
    const response = await fetch(`${sandbox().url}/elsewhere`)
    expect(response.status).to.equal(404)
    expect(await response.text()).to.include('404 Not Found')
  })

  it('survives a client that leaves before a slow response', async () => {
    sandbox().misbehave({ slowMs: 5 })
    const asking = startExchange()
    const broken = once(asking, 'error')
    while (sandbox().callCount('/sns/jscode2session') === 0) await new Promise(setImmediate)
    asking.destroy(new Error('the client has lost patience'))
    await broken
    expect(await errcodeOfNextTry()).to.equal(40163)
  })
})
