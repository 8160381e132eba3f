import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  answering,
  type ClientBed,
  clientErrorOf,
  drop,
  holding,
  openClientBed,
  status,
} from './client-bed.js'

describe('what the client sends', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed()
  })
  afterEach(() => bed.close())

  it('is repeated once after a login when the session has ended', async () => {
    const client = bed.start()
    await client.login()
    await bed.endAll()
    expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
    expect(bed.asked).to.deep.equal(['POST /login', 'GET /me', 'POST /login', 'GET /me'])
  })

  it('takes a 401 without a code for an ended session, too', async () => {
    const client = bed.start()
    await client.login()
    bed.line = answering('/me', status(401))
    expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(2)
  })

  it('logs in anew for a route that wants a fresh login', async () => {
    const client = bed.start()
    await client.login()
    bed.clock.advance(61_000)
    expect((await client.request({ url: '/strict' })).data).to.deep.equal({ ok: true })
    expect(bed.logins()).to.equal(2)
  })

  it('cannot be made to loop by a server that always says 401', async () => {
    const client = bed.start()
    await client.login()
    bed.line = (req, res, next) => (req.path === '/me' ? status(401)(req, res, next) : next())
    await clientErrorOf('ERR_ANSWER_UNEXPECTED', () => client.request({ url: '/me' }))
    expect(bed.asked).to.deep.equal(['POST /login', 'GET /me', 'POST /login', 'GET /me'])
    await clientErrorOf('ERR_ANSWER_UNEXPECTED', () => client.request({ url: '/me' }))
    expect(bed.asked.slice(4)).to.deep.equal(['POST /login', 'GET /me'])
    const calls = Array.from({ length: 30 }, () =>
      client.request({ url: '/me' }).catch(({ statusCode }) => statusCode),
    )
    expect(await Promise.all(calls)).to.deep.equal(Array(30).fill(401))
    expect(bed.logins()).to.equal(4)
  })

  it('uses the new token without a login of its own when a 401 comes late', async () => {
    const client = bed.start()
    await client.login()
    const { line, letGo } = holding('/me')
    bed.line = line
    const late = client.request({ url: '/me' })
    while (bed.asked.length < 2) await new Promise(setImmediate)
    await bed.endAll()
    await client.request({ url: '/session' })
    letGo()
    expect(await late).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(2)
  })

  it('keeps the token when the network is dead', async () => {
    const client = bed.start()
    await client.login()
    const token = bed.stored()
    bed.phone.offline = true
    const error = await clientErrorOf('ERR_NETWORK', () => client.request({ url: '/me' }))
    expect(error.errMsg).to.equal('request:fail the phone is offline')
    await clientErrorOf('ERR_NETWORK', () => client.logout())
    bed.phone.offline = false
    bed.line = answering('/me', drop)
    await clientErrorOf('ERR_NETWORK', () => client.request({ url: '/me' }))
    expect(bed.stored()).to.equal(token)
    expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(1)
  })

  it('does not log in again what was under way at a log-out', async () => {
    const client = bed.start()
    await client.login()
    const { line, letGo } = holding('/me')
    bed.line = line
    const late = client.request({ url: '/me' })
    while (bed.asked.length < 2) await new Promise(setImmediate)
    await client.logout()
    letGo()
    await clientErrorOf('ERR_SESSION_UNKNOWN', () => late)
    expect([bed.logins(), bed.stored()]).to.deep.equal([1, ''])
  })

  it('ends a session that is just being made when the user logs out', async () => {
    const client = bed.start()
    const calls = [client.request({ url: '/me' }).catch(({ code }) => code), client.logout()]
    await Promise.all(calls)
    expect(bed.stored()).to.equal('')
    expect(await bed.sessions.list(bed.phone)).to.have.lengthOf(0)
    expect(bed.logins()).to.equal(1)
  })

  it('is logged out, too, when the server knows the session no more', async () => {
    const client = bed.start()
    await client.login()
    bed.line = answering('/logout', status(401))
    await client.logout()
    expect(bed.stored()).to.equal('')
  })

  it('keeps the token when the server cannot end the session', async () => {
    const client = bed.start()
    await client.login()
    bed.line = answering('/logout', status(500))
    await clientErrorOf('ERR_ANSWER_UNEXPECTED', () => client.logout())
    expect(bed.stored()).to.have.lengthOf(64)
  })

  it('logs in when the session_key is out of date, and lets the caller get the data again', async () => {
    const client = bed.start()
    await client.login()
    bed.sandbox.rotateSessionKey(bed.phone)
    const stale = await bed.phone.wx.getWeRunData()
    const error = await clientErrorOf('ERR_SESSION_KEY_STALE', () =>
      client.decrypt({ url: '/steps', ...stale }),
    )
    expect([error.statusCode, bed.logins()]).to.deep.equal([409, 2])
    const again = await bed.phone.wx.getWeRunData()
    expect(await client.decrypt({ url: '/steps', ...again })).to.have.property('stepInfoList')
    expect(bed.logins()).to.equal(2)
  })

  it('logs in once only for data that were made before the call had to log in', async () => {
    const client = bed.start()
    await bed.phone.wx.login()
    const early = await bed.phone.wx.getWeRunData()
    await clientErrorOf('ERR_SESSION_KEY_STALE', () => client.decrypt({ url: '/steps', ...early }))
    expect(bed.logins()).to.equal(1)
    await bed.endAll()
    await clientErrorOf('ERR_SESSION_KEY_STALE', () => client.decrypt({ url: '/steps', ...early }))
    expect(bed.logins()).to.equal(2)
  })

  it('logs in once for several that find the session_key out of date', async () => {
    const client = bed.start()
    await client.login()
    bed.sandbox.rotateSessionKey(bed.phone)
    const stale = await bed.phone.wx.getWeRunData()
    const calls = Array.from({ length: 8 }, () =>
      client.decrypt({ url: '/steps', ...stale }).catch(({ code }) => code),
    )
    expect(new Set(await Promise.all(calls))).to.deep.equal(new Set(['ERR_SESSION_KEY_STALE']))
    expect(bed.logins()).to.equal(2)
  })
})
