import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { createSessions, MemoryStore } from '../../lib/index.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const DAY_MS = 86_400_000
const IDLE_MS = 604_800_000
const LOGINS = 20

describe('lifetimeJitter', () => {
  let bed: TestBed
  afterEach(() => bed.close())

  async function logIn() {
    const { code } = await bed.sandbox.phone().wx.login()
    return bed.sessions.login({ code })
  }

  /** How long both lifetimes of so many logins are. */
  async function lifetimes() {
    const logins = await Promise.all(Array.from({ length: LOGINS }, logIn))
    return logins.map(({ session }) => ({
      login: Number(session.expiresAt) - Number(session.createdAt),
      idle: Number(session.idleExpiresAt) - Number(session.createdAt),
    }))
  }

  it('spreads the ends of logins of the same moment, none later than without it', async () => {
    bed = await openTestBed({ app: { lifetimeJitter: 0.1 } })
    const found = await lifetimes()
    for (const { login, idle } of found) {
      expect(login).to.be.within(26.9 * DAY_MS, 30 * DAY_MS)
      expect(idle).to.be.within(0.9 * IDLE_MS - 1, IDLE_MS)
    }
    expect(new Set(found.map(({ login }) => login)).size).to.be.above(LOGINS / 2)
    expect(new Set(found.map(({ idle }) => idle)).size).to.be.above(LOGINS / 2)
  })

  it('is off by default', async () => {
    bed = await openTestBed()
    const exact = { login: 30 * DAY_MS, idle: IDLE_MS }
    expect(await lifetimes()).to.deep.equal(Array.from({ length: LOGINS }, () => exact))
  })

  it('ends a session when it was told to end, whatever visits there were', async () => {
    bed = await openTestBed({ app: { lifetimeJitter: 0.5, sessionDurationSeconds: 60 * 86_400 } })
    const { token, session } = await logIn()
    const end = Number(session.expiresAt)
    for (bed.clock.advance(DAY_MS); bed.clock() + DAY_MS < end; bed.clock.advance(DAY_MS)) {
      const { expiresAt, idleExpiresAt } = await bed.sessions.authenticate(token)
      expect(Number(expiresAt)).to.equal(end)
      expect(Number(idleExpiresAt)).to.be.at.most(end)
    }
    bed.clock.advance(end - bed.clock() - 1)
    await bed.me(token).expect(200)
    bed.clock.advance(1)
    await bed.me(token).expect(401)
  })

  it('draws anew at each visit that is written down', async () => {
    bed = await openTestBed({ app: { lifetimeJitter: 0.5, loginDurationDays: 3650 } })
    const { token } = await logIn()
    const idle = new Set<number>()
    for (let visit = 0; visit < 10; visit += 1) {
      bed.clock.advance(DAY_MS)
      const { idleExpiresAt, lastVisitAt } = await bed.sessions.authenticate(token)
      idle.add(Number(idleExpiresAt) - Number(lastVisitAt))
      expect(Math.max(...idle)).to.be.at.most(IDLE_MS)
    }
    expect(idle.size).to.be.above(5)
  })

  it('draws anew at a renewal', async () => {
    bed = await openTestBed({ app: { lifetimeJitter: 0.5 } })
    const phone = bed.sandbox.phone()
    const logins = new Set<number>()
    let { token } = await bed.sessions.login({ code: (await phone.wx.login()).code })
    for (let renewals = 0; renewals < 5; renewals += 1) {
      const renewed = await bed.sessions.renew({ token, code: (await phone.wx.login()).code })
      token = renewed.token
      logins.add(Number(renewed.session.expiresAt) - Number(renewed.session.createdAt))
    }
    expect(logins.size).to.be.above(2)
    expect(Math.max(...logins)).to.be.at.most(30 * DAY_MS)
  })

  for (const wrong of [-0.1, 0.6, '0.1', Number.NaN]) {
    it(`cannot be ${String(wrong)} as a ${typeof wrong}`, async () => {
      bed = await openTestBed()
      const app = { ...bed.sandbox.app, lifetimeJitter: wrong as number }
      expect(() => createSessions({ apps: [app], store: new MemoryStore() })).to.throw(
        TypeError,
        /lifetimeJitter must be a number from 0 to 0\.5/,
      )
    })
  }
})
