import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type ClientBed, clientErrorOf, loseAnswer, openClientBed } from './client-bed.js'

describe('the client and sensitive actions', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed({ onLogin: () => ({ at: bed.clock() }) })
  })
  afterEach(() => bed.close())

  const renewals = () => bed.asked.filter((line) => line === 'POST /session/renewal').length
  const dataOf = async () => (await bed.sessions.authenticate(bed.stored())).data

  it('renews its session, which keeps its data', async () => {
    const client = bed.start()
    await client.login()
    const [first, data] = [bed.stored(), await dataOf()]
    bed.clock.advance(61_000)
    expect(await client.renew()).to.have.all.keys('expiresAt', 'idleExpiresAt', 'userInfo')
    expect(bed.stored()).not.to.equal(first)
    expect(await dataOf()).to.deep.equal(data)
    await bed.me(first).expect(401)
    await client.request({ url: '/strict' })
    expect([bed.logins(), renewals()]).to.deep.equal([1, 1])
  })

  it('logs in where there is nothing to renew, or no longer', async () => {
    const client = bed.start()
    await client.renew()
    expect([bed.logins(), renewals()]).to.deep.equal([1, 0])
    await bed.endAll()
    await client.renew()
    expect([bed.logins(), renewals()]).to.deep.equal([2, 1])
    await bed.me(bed.stored()).expect(200)
  })

  it('gets the same session when the response to a renewal is lost', async () => {
    const client = bed.start()
    await client.login()
    bed.line = (req, res, next) =>
      req.path === '/session/renewal' && renewals() === 1 ? loseAnswer(req, res, next) : next()
    await client.renew()
    await bed.me(bed.stored()).expect(200)
    expect([bed.logins(), renewals()]).to.deep.equal([1, 2])
  })

  it('renews once for all who ask, and other calls do not log in meanwhile', async () => {
    const client = bed.start()
    await client.login()
    const calls = Array.from({ length: 10 }, () => client.request({ url: '/me' }))
    await Promise.all([client.renew(), client.renew(), ...calls])
    expect([bed.logins(), renewals()]).to.deep.equal([1, 1])
  })

  it('logs in again to end other sessions, once its login is older than ten minutes', async () => {
    const other = await bed.logIn()
    const client = bed.start()
    await client.login()
    bed.clock.advance(600_001)
    const { statusCode } = await client.request({ url: '/sessions', method: 'DELETE' })
    expect([statusCode, bed.logins()]).to.deep.equal([204, 2])
    await bed.me(other).expect(401)
    expect(await bed.sessions.list(bed.phone)).to.have.lengthOf(1)
  })

  it('does nothing by itself when a confirmation is asked for, and sends what confirms', async () => {
    const client = bed.start()
    await client.login()
    bed.line = (req, _res, next) => {
      if (req.path !== '/me') return next()
      const demand = { confirmedWithinSeconds: 60 }
      bed.sessions.authenticate(req.get('x-3rd-session'), demand).then(() => next(), next)
    }
    const call = () => client.request({ url: '/me' })
    const error = await clientErrorOf('ERR_CONFIRMATION_REQUIRED', call)
    expect([error.statusCode, bed.logins()]).to.deep.equal([403, 1])
    await clientErrorOf('ERR_PHONE_CODE_INVALID', () => client.confirm({ phoneCode: 'invented' }))
    const { code: phoneCode } = await bed.phone.getPhoneNumber()
    const { confirmedAt } = await client.confirm({ phoneCode })
    expect(confirmedAt).to.equal(new Date(bed.clock()).toISOString())
    expect((await call()).statusCode).to.equal(200)
    expect(bed.logins()).to.equal(1)
  })

  it('calls back after a confirmation, and sends no callback', async () => {
    const client = bed.start()
    await client.login()
    const { code: phoneCode } = await bed.phone.getPhoneNumber()
    await new Promise((resolve, fail) => {
      expect(client.confirm({ phoneCode, success: resolve, fail })).to.equal(undefined)
    })
  })

  it('adopts a token that the application hands over, and nothing else', async () => {
    const client = bed.start()
    await client.login()
    const session = await bed.sessions.authenticate(bed.stored())
    const { token } = await bed.sessions.rotate(session)
    client.adopt(token)
    expect((await client.request({ url: '/me' })).statusCode).to.equal(200)
    expect([bed.stored(), bed.logins()]).to.deep.equal([token, 1])
    for (const wrong of ['', 'two words', 1, undefined, { token }])
      expect(() => client.adopt(wrong as never)).to.throw(TypeError, 'adopt')
    expect(bed.stored()).to.equal(token)
  })
})
