import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Client } from '../../client/index.js'
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

  /** A call that has reached the app, and is answered when it is let go. */
  async function heldCall(client: Client) {
    const { line, letGo } = holding('/me')
    bed.line = line
    const late = client.request({ url: '/me' })
    await bed.reached('GET /me')
    return { late, letGo }
  }

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
    const { late, letGo } = await heldCall(client)
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
    const { late, letGo } = await heldCall(client)
    await client.logout()
    letGo()
    await clientErrorOf('ERR_SESSION_UNKNOWN', () => late)
    expect([bed.logins(), bed.stored()]).to.deep.equal([1, ''])
  })

  it('does not log in again what is sent while a log-out is under way', async () => {
    const client = bed.start()
    await client.login()
    const { line, letGo } = holding('/logout')
    const late: RequestHandler = (_req, res, next) => {
      bed.sessions.revokeUser(bed.phone).then(
        () => next(),
        () => res.destroy(),
      )
    }
    bed.line = (req, res, next) => (req.path === '/me' ? late(req, res, next) : line(req, res, next))
    const leaving = client.logout()
    await bed.reached('POST /logout')
    await clientErrorOf('ERR_SESSION_UNKNOWN', () => client.request({ url: '/me' }))
    await clientErrorOf('ERR_TOKEN_MISSING', () => client.request({ url: '/me' }))
    letGo()
    await leaving
    expect([bed.logins(), bed.stored()]).to.deep.equal([1, ''])
  })

  it('does not log in again what was sent during a log-out and is answered after it', async () => {
    const client = bed.start()
    await client.login()
    const out = holding('/logout')
    const me = holding('/me')
    bed.line = (req, res, next) => (req.path === '/me' ? me : out).line(req, res, next)
    const leaving = client.logout()
    const late = client.request({ url: '/me' })
    await bed.reached('GET /me')
    out.letGo()
    await leaving
    me.letGo()
    await clientErrorOf('ERR_SESSION_UNKNOWN', () => late)
    expect([bed.logins(), bed.stored()]).to.deep.equal([1, ''])
  })

  it('does not log in for data that are out of date once the user logs out', async () => {
    const client = bed.start()
    await client.login()
    bed.sandbox.rotateSessionKey(bed.phone)
    const stale = await bed.phone.wx.getWeRunData()
    const { line, letGo } = holding('/logout')
    bed.line = line
    const leaving = client.logout()
    await clientErrorOf('ERR_SESSION_KEY_STALE', () => client.decrypt({ url: '/steps', ...stale }))
    letGo()
    await leaving
    expect([bed.logins(), bed.stored()]).to.deep.equal([1, ''])
  })

  it('lets a log-out wait for a login that fails, too', async () => {
    const client = bed.start()
    bed.sandbox.misbehave({ errcode: 40226 }, { times: 1 })
    const [failed] = await Promise.all([client.login().catch(({ code }) => code), client.logout()])
    expect(failed).to.equal('ERR_USER_BLOCKED')
  })

  it('leaves no session behind at the server when a login takes the place of one', async () => {
    const client = bed.start()
    await client.login()
    for (let n = 0; n < 4; n += 1) {
      bed.clock.advance(61_000)
      await client.request({ url: '/strict' })
    }
    expect(await bed.sessions.list(bed.phone)).to.have.lengthOf(1)
  })

  it('takes a code that is not good for what it is, without a login', async () => {
    const client = bed.start()
    await client.login()
    const steps = await bed.phone.wx.getWeRunData()
    await clientErrorOf('ERR_CODE_INVALID', () =>
      client.decrypt({ url: '/steps', ...steps, code: 'no-code' }),
    )
    expect([bed.logins(), bed.stored().length]).to.deep.equal([1, 64])
  })

  it('joins a login under way when the session of its own login has ended', async () => {
    const client = bed.start()
    const { late, letGo } = await heldCall(client)
    const held = holding('/login')
    bed.line = held.line
    await bed.endAll()
    const login = client.login()
    await bed.reached('POST /login', 2)
    letGo()
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
    held.letGo()
    await login
    expect(await late).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(2)
  })

  it('uses the token of a later login when the session of its own login has ended', async () => {
    const client = bed.start()
    const { late, letGo } = await heldCall(client)
    await client.login()
    letGo()
    expect(await late).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(2)
  })

  it('logs in no more for data that are out of date when somebody has done so meanwhile', async () => {
    const client = bed.start()
    await client.login()
    bed.sandbox.rotateSessionKey(bed.phone)
    const stale = await bed.phone.wx.getWeRunData()
    let letGo = () => {}
    const isAnswered = new Promise<void>((answered) => {
      bed.line = answering('/steps', (_req, res, next) => {
        const end = res.end.bind(res) as (...args: unknown[]) => void
        res.end = ((...args: unknown[]) => {
          letGo = () => end(...args)
          answered()
        }) as never
        next()
      })
    })
    const outcome = client.decrypt({ url: '/steps', ...stale }).catch(({ code }) => code)
    await isAnswered
    await client.login()
    letGo()
    expect(await outcome).to.equal('ERR_SESSION_KEY_STALE')
    expect(bed.logins()).to.equal(2)
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
    bed.line = answering('/logout', (_req, res) => {
      res.status(401).json({ type: 'urn:weapp-session:ERR_TOKEN_MALFORMED', code: 'ERR_TOKEN_MALFORMED' })
    })
    await client.logout()
    expect(bed.stored()).to.equal('')
  })

  it('keeps the token when the server cannot end the session', async () => {
    const client = bed.start()
    await client.login()
    for (const code of [500, 401]) {
      bed.line = answering('/logout', status(code))
      await clientErrorOf('ERR_ANSWER_UNEXPECTED', () => client.logout())
    }
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
