import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type ConfirmEvent, MemoryStore, type OnConfirm, WeappError } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { watchStore } from '../support/watched-store.js'

const PHONE_NUMBER = '/wxa/business/getuserphonenumber'

describe('sessions.confirm', () => {
  let bed: TestBed
  let events: ConfirmEvent[]
  let onConfirm: OnConfirm
  const clock = testClock()
  const store = watchStore(new MemoryStore({ clock }))

  let other: TestBed | undefined

  beforeEach(async () => {
    events = []
    other = undefined
    store.before = () => undefined
    onConfirm = ({ proof }) => proof.pin === '2718'
    const hook: OnConfirm = (event) => {
      events.push(event)
      return onConfirm(event)
    }
    bed = await openTestBed({ clock, store, onConfirm: hook })
  })
  afterEach(async () => {
    await other?.close()
    await bed.close()
  })

  const login = async () => bed.sessions.login({ code: (await bed.phone.wx.login()).code })
  const within = (token: string) => bed.sessions.authenticate(token, { confirmedWithinSeconds: 60 })

  it('asks onConfirm, and notes the time in this session only', async () => {
    const [{ token, session }, other] = [await login(), await login()]
    expect(session.confirmedAt).to.equal(undefined)
    await weappErrorOf('ERR_CONFIRMATION_REQUIRED', () => within(token))
    clock.advance(5)
    const confirmedAt = await bed.sessions.confirm(session, { pin: '2718' })
    expect(confirmedAt.getTime()).to.equal(clock())
    expect((await within(token)).confirmedAt).to.deep.equal(confirmedAt)
    await weappErrorOf('ERR_CONFIRMATION_REQUIRED', () => within(other.token))
    const { appid, openid, sessionId } = session
    expect(events).to.deep.equal([{ appid, openid, sessionId, proof: { pin: '2718' } }])
  })

  it('lasts as long as asked for, and not because the clock was set back', async () => {
    const { token, session } = await login()
    await bed.sessions.confirm(session, { pin: '2718' })
    clock.advance(60_000)
    await within(token)
    clock.advance(1)
    await weappErrorOf('ERR_CONFIRMATION_REQUIRED', () => within(token))
    clock.advance(-120_002)
    await weappErrorOf('ERR_CONFIRMATION_REQUIRED', () => within(token))
  })

  it('takes nothing but true for a yes', async () => {
    for (const answer of [false, undefined, 1, 'yes', {}]) {
      onConfirm = () => answer as boolean
      const phone = bed.sandbox.phone()
      const { session } = await bed.sessions.login({ code: (await phone.wx.login()).code })
      await weappErrorOf('ERR_CONFIRMATION_REFUSED', () => bed.sessions.confirm(session, { pin: '2718' }))
    }
  })

  it('does not let the phone number button stand in for onConfirm', async () => {
    const { session } = await login()
    const { code: phoneCode } = await bed.phone.getPhoneNumber()
    await weappErrorOf('ERR_CONFIRMATION_REFUSED', () => bed.sessions.confirm(session, { phoneCode }))
    expect(bed.sandbox.callCount(PHONE_NUMBER)).to.equal(0)
  })

  it('refuses a user after five failures within ten minutes, in all sessions and processes, right or wrong', async () => {
    const [{ session }, { session: second }] = [await login(), await login()]
    const elsewhere = await openTestBed({ clock, store, onConfirm: () => true })
    other = elsewhere
    for (let tries = 0; tries < 5; tries += 1)
      await weappErrorOf('ERR_CONFIRMATION_REFUSED', () => bed.sessions.confirm(session, { pin: '0' }))
    await weappErrorOf('ERR_CONFIRMATION_LIMIT', () => bed.sessions.confirm(second, { pin: '2718' }))
    await weappErrorOf('ERR_CONFIRMATION_LIMIT', () => elsewhere.sessions.confirm(second, {}))
    expect(events).to.have.length(5)
    expect(bed.log.filter((line) => line.includes('failed to confirm'))).to.have.length(1)
    clock.advance(600_001)
    await bed.sessions.confirm(session, { pin: '2718' })
  })

  it('lets five of a hundred guesses that come together be looked at', async () => {
    const { session } = await login()
    await Promise.allSettled(
      Array.from({ length: 100 }, (_, pin) => bed.sessions.confirm(session, { pin: String(pin) })),
    )
    expect(events.length).to.be.within(1, 5)
  })

  it('does not count what was right', async () => {
    const { session } = await login()
    for (let tries = 0; tries < 12; tries += 1) await bed.sessions.confirm(session, { pin: '2718' })
  })

  it('does not count what was not judged, and a WeappError goes to the phone', async () => {
    const { session } = await login()
    const confirm = () => bed.sessions.confirm(session, { pin: '2718' })
    onConfirm = () => Promise.reject(new Error('the table is locked'))
    for (let tries = 0; tries < 6; tries += 1) await weappErrorOf('ERR_HOOK_FAILED', confirm)
    onConfirm = () => {
      throw new WeappError('ERR_CONFIRMATION_REFUSED', 'Wrong PIN.')
    }
    for (let tries = 0; tries < 5; tries += 1) await weappErrorOf('ERR_CONFIRMATION_REFUSED', confirm)
    await weappErrorOf('ERR_CONFIRMATION_LIMIT', confirm)
  })

  it('confirms no session that ends meanwhile', async () => {
    const { session } = await login()
    onConfirm = async () => {
      await bed.sessions.revoke(session)
      return true
    }
    await weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.confirm(session, {}))
  })

  it('confirms nothing when the store refuses to write or to count', async () => {
    const { token, session } = await login()
    for (const method of ['rewrite', 'addToValue'] as const) {
      store.before = (called) => {
        if (called === method) throw new Error('READONLY')
      }
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => bed.sessions.confirm(session, { pin: '2718' }))
      store.before = () => undefined
      await weappErrorOf('ERR_CONFIRMATION_REQUIRED', () => within(token))
    }
    expect(events).to.have.length(1)
  })

  it('stays through a rotation and setData, and not through a renewal', async () => {
    const { session } = await login()
    await bed.sessions.confirm(session, { pin: '2718' })
    const rotated = await bed.sessions.rotate(session)
    await bed.sessions.setData(rotated.session, { cart: [] })
    await within(rotated.token)
    const { code } = await bed.phone.wx.login()
    const renewed = await bed.sessions.renew({ token: rotated.token, code })
    expect(renewed.session.confirmedAt).to.equal(undefined)
    await weappErrorOf('ERR_CONFIRMATION_REQUIRED', () => within(renewed.token))
  })

  it('is forgotten with its user', async () => {
    const { session } = await login()
    for (let tries = 0; tries < 5; tries += 1)
      await weappErrorOf('ERR_CONFIRMATION_REFUSED', () => bed.sessions.confirm(session, {}))
    await bed.sessions.forgetUser(session)
    const { session: next } = await login()
    await bed.sessions.confirm(next, { pin: '2718' })
  })

  it('is not forgotten with another user, nor with the sessions of its user', async () => {
    const { session } = await login()
    for (let tries = 0; tries < 5; tries += 1)
      await weappErrorOf('ERR_CONFIRMATION_REFUSED', () => bed.sessions.confirm(session, {}))
    await bed.sessions.forgetUser(bed.sandbox.phone())
    await bed.sessions.revokeUser(session)
    const { session: next } = await login()
    await weappErrorOf('ERR_CONFIRMATION_LIMIT', () => bed.sessions.confirm(next, { pin: '2718' }))
  })

  it('costs the round trips that are documented', async () => {
    const { session } = await login()
    await new Promise(setImmediate)
    store.calls.length = 0
    await bed.sessions.confirm(session, { pin: '2718' })
    expect(store.calls).to.have.members(['addToValue', 'read', 'rewrite', 'addToValue'])
  })
})

describe('sessions.confirm without onConfirm', () => {
  let bed: TestBed
  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const login = async () => bed.sessions.login({ code: (await bed.phone.wx.login()).code })

  it('takes a code of the phone number button of this user, once, and keeps no number', async () => {
    const keeping = bed.sessions.with({ keepPhoneNumbers: true })
    const { session } = await login()
    const { code: phoneCode } = await bed.phone.getPhoneNumber()
    await keeping.confirm(session, { phoneCode })
    await weappErrorOf('ERR_PHONE_CODE_INVALID', () => keeping.confirm(session, { phoneCode }))
    expect(await bed.sessions.phoneNumberOf(session)).to.equal(null)
  })

  it('refuses what holds no such code before it counts or asks WeChat', async () => {
    const { session } = await login()
    for (const proof of [{}, { phoneCode: 1 }, { phoneCode: '' }, { code: 'x' }, null, 'x'])
      for (let tries = 0; tries < 2; tries += 1)
        await weappErrorOf('ERR_REQUEST_INVALID', () => bed.sessions.confirm(session, proof as never))
    expect(bed.sandbox.callCount(PHONE_NUMBER)).to.equal(0)
  })

  it('counts codes of others, and no more of them reach WeChat', async () => {
    const { session } = await login()
    const codes = await Promise.all(
      Array.from({ length: 6 }, async () => (await bed.sandbox.phone().getPhoneNumber()).code),
    )
    for (const phoneCode of codes.slice(0, 5))
      await weappErrorOf('ERR_PHONE_CODE_INVALID', () => bed.sessions.confirm(session, { phoneCode }))
    await weappErrorOf('ERR_CONFIRMATION_LIMIT', () => bed.sessions.confirm(session, { phoneCode: codes[5] }))
    expect(bed.sandbox.callCount(PHONE_NUMBER)).to.equal(5)
  })
})
