import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { createSessions, MemoryStore, type Sessions } from '../../lib/index.js'
import type { AppInfo } from '../../lib/sessions/app-info.js'
import { testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { mountProtocolLogins, protocolLogins } from '../support/protocol-logins.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

const DAY_MS = 86_400_000
const OLD_PROTOCOLS = ['wafer', 'wafer2', 'wafer-server', 'wxapp']

describe('the idle lifetime of a session', () => {
  let bed: WireBed
  afterEach(() => bed.closeClean())

  async function open(app: Partial<AppInfo> = {}) {
    const clock = testClock()
    const memory = new MemoryStore({ clock })
    bed = await openWireBed(mountProtocolLogins, { clock, store: memory, app })
    return { clock, memory }
  }

  /** Another process on the same store, whose apps have this besides. */
  function another(store: MemoryStore, app: Partial<AppInfo>): Sessions {
    const apps = bed.sandbox.apps.map((known) => ({ ...known, ...app }))
    return createSessions({ apps, store, clock: bed.clock, wechat: { baseUrl: bed.sandbox.url } })
  }

  const idleMsOf = async (sessions: Sessions, token: string) => {
    const { idleExpiresAt, lastVisitAt } = await sessions.authenticate(token)
    return idleExpiresAt.getTime() - lastVisitAt.getTime()
  }

  for (const [protocol, logIn] of protocolLogins) {
    const days = OLD_PROTOCOLS.includes(protocol) ? 30 : 7

    it(`is ${days} days by default after a login through ${protocol}`, async () => {
      await open()
      const token = await logIn(bed, await bed.code())
      expect(await idleMsOf(bed.sessions, token)).to.equal(days * DAY_MS)
      bed.clock.advance(days * DAY_MS - 1)
      expect((await bed.sessions.authenticate(token)).openid).to.equal(bed.phone.openid)
    })

    it(`is over at that millisecond after a login through ${protocol}`, async () => {
      await open({ loginDurationDays: 60 })
      const token = await logIn(bed, await bed.code())
      bed.clock.advance(days * DAY_MS)
      expect(await failureOf(() => bed.sessions.authenticate(token))).to.include({
        code: 'ERR_SESSION_UNKNOWN',
      })
    })

    it(`is shorter by chance where lifetimes are to be spread, and over when it was told to be: ${protocol}`, async () => {
      await open({ lifetimeJitter: 0.5, loginDurationDays: 90 })
      const token = await logIn(bed, await bed.code())
      const idleMs = await idleMsOf(bed.sessions, token)
      expect(idleMs).to.be.within((days * DAY_MS) / 2, days * DAY_MS - 1)
      bed.clock.advance(idleMs)
      expect(await failureOf(() => bed.sessions.authenticate(token))).to.include({
        code: 'ERR_SESSION_UNKNOWN',
      })
    })

    it(`is what the app says where it says so, then and later: ${protocol}`, async () => {
      const { memory } = await open({ sessionDurationSeconds: 86_400 })
      const token = await logIn(bed, await bed.code())
      expect(await idleMsOf(bed.sessions, token)).to.equal(DAY_MS)
      const later = another(memory, { sessionDurationSeconds: 3_600 })
      bed.clock.advance(3_600_000 - 1)
      expect(await idleMsOf(later, token)).to.equal(3_600_000)
      bed.clock.advance(3_600_000)
      expect(await failureOf(() => later.authenticate(token))).to.include({ code: 'ERR_SESSION_UNKNOWN' })
      await later.close()
    })

    it(`is what the app says from the moment on when it says so: ${protocol}`, async () => {
      const { memory } = await open()
      const token = await logIn(bed, await bed.code())
      const later = another(memory, { sessionDurationSeconds: 3_600 })
      bed.clock.advance(3_600_000)
      expect(await failureOf(() => later.authenticate(token))).to.include({ code: 'ERR_SESSION_UNKNOWN' })
      await later.close()
    })
  }

  it('begins anew with each visit, for 30 days after a login through wxapp', async () => {
    await open({ loginDurationDays: 90 })
    const [, logIn] = protocolLogins.find(([name]) => name === 'wxapp') ?? []
    const token = (await logIn?.(bed, await bed.code())) ?? ''
    for (let month = 0; month < 3; month += 1) {
      bed.clock.advance(30 * DAY_MS - 1)
      expect((await bed.sessions.authenticate(token)).lastVisitAt.getTime()).to.equal(bed.clock())
    }
  })

  it('is not changed by setData', async () => {
    await open({ loginDurationDays: 90 })
    const [, logIn] = protocolLogins.find(([name]) => name === 'wxapp') ?? []
    const token = (await logIn?.(bed, await bed.code())) ?? ''
    await bed.sessions.setData(await bed.sessions.authenticate(token), { role: 'editor' })
    bed.clock.advance(8 * DAY_MS)
    expect(await idleMsOf(bed.sessions, token)).to.equal(30 * DAY_MS)
  })

  it('may be said by a protocol of your own; what is no number of seconds is a bug, told before the code is spent', async () => {
    await open()
    const logIn = async (defaultSessionDurationSeconds: number) =>
      bed.sessions.login({ code: await bed.code(), defaultSessionDurationSeconds })
    expect(await idleMsOf(bed.sessions, (await logIn(1.5)).token)).to.equal(1_500)
    const calls = bed.sandbox.callCount('/sns/jscode2session')
    for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '60' as unknown as number]) {
      expect(await failureOf(() => logIn(wrong)))
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.includes('login: defaultSessionDurationSeconds must be a positive number')
    }
    expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(calls)
  })
})
