import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createSandbox } from '../../sandbox/index.js'
import { aSandbox, exchange, StoppedClock } from './a-sandbox.js'
import { ask } from './ask.js'

const UNKNOWN_CODE = 'nobody0was0ever0given0this0code0'

describe('code2Session', () => {
  const sandbox = aSandbox()

  it('returns openid, session_key and unionid, and no errcode', async () => {
    const { code } = await sandbox().phone().wx.login()
    const { status, json } = await exchange(sandbox(), code)
    expect(status).to.equal(200)
    expect(json).to.have.all.keys('openid', 'session_key', 'unionid')
    expect(json.openid).to.match(/^o[\w-]{27}$/)
    expect(json.unionid).to.match(/^o[\w-]{27}$/)
    expect(json.session_key).to.match(/^[A-Za-z0-9+/]{22}==$/)
  })

  it('declares its JSON as text/plain, for successes and for errors', async () => {
    const { code } = await sandbox().phone().wx.login()
    const success = await exchange(sandbox(), code)
    const failure = await exchange(sandbox(), code)
    expect(success.headers['content-type']).to.match(/^text\/plain/)
    expect(failure.headers['content-type']).to.match(/^text\/plain/)
  })

  const refusals = [
    ['a missing appid', { appid: undefined }, 41002],
    ['an empty appid', { appid: '' }, 41002],
    ['an unknown appid', { appid: 'wx0000000000000000' }, 40013],
    ['a missing secret', { secret: undefined }, 41004],
    ['a wrong secret', { secret: 'guessed' }, 40125],
    ['a missing code', { js_code: undefined }, 41008],
    ['a wrong grant_type', { grant_type: 'password' }, 40002],
    ['a missing grant_type', { grant_type: undefined }, 40002],
    ['an unknown code', { js_code: UNKNOWN_CODE }, 40029],
  ] as const

  for (const [what, changes, errcode] of refusals) {
    it(`refuses ${what} with ${errcode} in a 200`, async () => {
      const { code } = await sandbox().phone().wx.login()
      const { status, json } = await exchange(sandbox(), code, changes)
      expect(status).to.equal(200)
      expect(json).to.have.all.keys('errcode', 'errmsg')
      expect(json.errcode).to.equal(errcode)
      expect(json.errmsg).to.match(/^[^,]+, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/)
    })
  }

  it('refuses a used code with 40163', async () => {
    const { code } = await sandbox().phone().wx.login()
    await exchange(sandbox(), code)
    expect((await exchange(sandbox(), code)).json.errcode).to.equal(40163)
  })

  it('leaves a code unused when the request was refused', async () => {
    const { code } = await sandbox().phone().wx.login()
    await exchange(sandbox(), code, { secret: 'guessed' })
    expect((await exchange(sandbox(), code)).json).to.have.property('openid')
  })

  it('looks for the parameters in the query only', async () => {
    const { code } = await sandbox().phone().wx.login()
    const body = new URLSearchParams({
      ...sandbox().app,
      js_code: code,
      grant_type: 'authorization_code',
    }).toString()
    const { json } = await ask(`${sandbox().url}/sns/jscode2session`, { method: 'POST', body })
    expect(json.errcode).to.equal(41002)
  })

  it('responds to other paths with the 404 page of a gateway', async () => {
    const { status, headers, text } = await ask(`${sandbox().url}/sns/elsewhere`)
    expect(status).to.equal(404)
    expect(headers['content-type']).to.match(/^text\/html/)
    expect(text).to.include('404 Not Found')
  })
})

describe('code2Session of QQ', () => {
  const sandbox = aSandbox({ apps: [{ appid: '1108291530', secret: 'aSecretOfQQ' }] })

  it('has the path, the parameters and the answer of WeChat', async () => {
    const phone = sandbox().phone()
    const { code } = await phone.wx.login()
    const query = new URLSearchParams({
      appid: '1108291530',
      secret: 'aSecretOfQQ',
      js_code: code,
      grant_type: 'authorization_code',
    })
    const { json } = await ask(`${sandbox().url}/sns/jscode2session?${query}`)
    const { openid, unionid } = phone
    expect(json).to.deep.equal({ openid, session_key: sandbox().sessionKeyOf(phone), unionid })
  })

  it('has its errcodes', async () => {
    expect((await exchange(sandbox(), UNKNOWN_CODE)).json.errcode).to.equal(40029)
    sandbox().misbehave({ errcode: 45011 })
    expect((await exchange(sandbox(), UNKNOWN_CODE)).json.errcode).to.equal(45011)
  })
})

describe('a code', () => {
  const clock = new StoppedClock()
  const sandbox = aSandbox({
    clock: clock.read,
    apps: [
      { appid: 'wxaaaaaaaaaaaaaaaa', secret: 'first' },
      { appid: 'wxbbbbbbbbbbbbbbbb', secret: 'second' },
    ],
  })

  it('is 32 letters and digits, another one each time', async () => {
    const { wx } = sandbox().phone()
    const [first, second] = [await wx.login(), await wx.login()]
    expect(first.code).to.match(/^[0-9A-Za-z]{32}$/)
    expect(second.code).to.match(/^[0-9A-Za-z]{32}$/)
    expect(first.code).not.to.equal(second.code)
  })

  it('is good to the last millisecond of five minutes', async () => {
    const { code } = await sandbox().phone().wx.login()
    clock.now += 5 * 60 * 1000 - 1
    expect((await exchange(sandbox(), code)).json).to.have.property('openid')
  })

  it('is invalid after five minutes, used or not', async () => {
    const phone = sandbox().phone()
    const [unused, used] = [await phone.wx.login(), await phone.wx.login()]
    await exchange(sandbox(), used.code)
    clock.now += 5 * 60 * 1000
    expect((await exchange(sandbox(), unused.code)).json.errcode).to.equal(40029)
    expect((await exchange(sandbox(), used.code)).json.errcode).to.equal(40029)
  })

  it('is invalid for another app, and stays good for its own', async () => {
    const { code } = await sandbox().phone({ appid: 'wxbbbbbbbbbbbbbbbb' }).wx.login()
    expect((await exchange(sandbox(), code)).json.errcode).to.equal(40029)
    const own = await exchange(sandbox(), code, { appid: 'wxbbbbbbbbbbbbbbbb', secret: 'second' })
    expect(own.json).to.have.property('openid')
  })

  it('brings the session_key of its own login, even when a later login has replaced it', async () => {
    const phone = sandbox().phone()
    const older = await phone.wx.login()
    const keyOfOlder = sandbox().sessionKeyOf(phone)
    await phone.wx.login()
    expect((await exchange(sandbox(), older.code)).json.session_key).to.equal(keyOfOlder)
    expect(sandbox().sessionKeyOf(phone)).not.to.equal(keyOfOlder)
  })
})

describe('a user', () => {
  const sandbox = aSandbox({
    apps: [
      { appid: 'wxaaaaaaaaaaaaaaaa', secret: 'first' },
      { appid: 'wxbbbbbbbbbbbbbbbb', secret: 'second' },
    ],
  })

  it('has the openid and unionid that the phone shows', async () => {
    const phone = sandbox().phone()
    const { code } = await phone.wx.login()
    const { json } = await exchange(sandbox(), code)
    expect(json).to.include({ openid: phone.openid, unionid: phone.unionid })
  })

  it('has one openid on two phones', () => {
    const phone = sandbox().phone()
    expect(sandbox().phone({ user: phone.user }).openid).to.equal(phone.openid)
  })

  it('has another openid in another app, but the same unionid', () => {
    const here = sandbox().phone()
    const there = sandbox().phone({ user: here.user, appid: 'wxbbbbbbbbbbbbbbbb' })
    expect(there.openid).not.to.equal(here.openid)
    expect(there.unionid).to.equal(here.unionid)
  })

  it('is another one on each new phone', () => {
    expect(sandbox().phone().openid).not.to.equal(sandbox().phone().openid)
  })

  it('has no unionid where the sandbox gives none', async () => {
    const unbound = await createSandbox({ unionid: false })
    try {
      const phone = unbound.phone()
      const { code } = await phone.wx.login()
      expect(phone).not.to.have.property('unionid')
      expect((await exchange(unbound, code)).json).to.have.all.keys('openid', 'session_key')
    } finally {
      await unbound.close()
    }
  })
})
