import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { AppInfo } from '../../lib/sessions/app-info.js'
import { createApps } from '../../lib/sessions/apps.js'
import { liveRecord } from '../../lib/sessions/live-record.js'
import { encodeRecord, type SessionRecord } from '../../lib/sessions/record.js'
import type { StoredSession } from '../../lib/sessions/store.js'
import { DAY_MS, GAME, LOGIN, MINUTE_MS, SHOP } from './a-registry.js'

const IDLE_MS = 60 * MINUTE_MS
const END = LOGIN + 10 * DAY_MS
const RECORD: SessionRecord = {
  appid: SHOP.appid,
  openid: 'alice',
  unionid: undefined,
  loginDurationMs: 10 * DAY_MS,
  sealedSessionKey: 'abcdef.envelope',
  sealedPreviousKey: undefined,
  device: undefined,
  confirmedAt: undefined,
  sessionDurationMs: undefined,
  data: { accountId: 7 },
}

/** A session as it lies in the store, last seen so long after its login. */
function storedSession(seenAfterMs = 0, record: string = encodeRecord(RECORD)): StoredSession {
  const lastVisitAt = LOGIN + seenAfterMs
  return {
    sessionId: 's'.repeat(24),
    record,
    createdAt: LOGIN,
    lastVisitAt,
    endsAt: END,
    readAt: lastVisitAt,
  }
}

/** The live record when it is read in this moment, where the app is configured like this. */
function liveAt(now: number, stored: StoredSession = storedSession(), info: AppInfo = SHOP) {
  const app = createApps('apps', [info], 0.1).find(SHOP.appid)
  return liveRecord({ ...stored, readAt: now }, app)
}

function livesAround(moment: number, stored: StoredSession, info?: AppInfo): boolean[] {
  return [moment - 1, moment].map((now) => liveAt(now, stored, info) !== undefined)
}

describe('a live record', () => {
  it('is the record with its app and its moments', () => {
    const apps = createApps('apps', [GAME, SHOP], 0.1)
    const app = apps.find(SHOP.appid)
    expect(liveRecord(storedSession(5 * MINUTE_MS), app)).to.deep.equal({
      app,
      record: RECORD,
      lifetimes: app?.lifetimes,
      moments: {
        createdAt: LOGIN,
        lastVisitAt: LOGIN + 5 * MINUTE_MS,
        expiresAt: END,
        idleExpiresAt: LOGIN + 5 * MINUTE_MS + IDLE_MS,
      },
    })
  })

  it('ends an idle window after the last visit, to the millisecond', () => {
    expect(livesAround(LOGIN + IDLE_MS, storedSession())).to.deep.equal([true, false])
    expect(livesAround(LOGIN + DAY_MS + IDLE_MS, storedSession(DAY_MS))).to.deep.equal([true, false])
  })

  it('ends as fixed at login, however late the last visit', () => {
    const late = storedSession(10 * DAY_MS - 1)
    expect(livesAround(END, late)).to.deep.equal([true, false])
    expect(liveAt(END - 1, late)?.moments).to.include({ expiresAt: END, idleExpiresAt: END })
  })

  it('ends sooner when the login duration of the app is shorter now, and no later when it is longer', () => {
    const shorter = { ...SHOP, loginDurationDays: 2 }
    const seen = storedSession(2 * DAY_MS - 1)
    expect(livesAround(LOGIN + 2 * DAY_MS, seen, shorter)).to.deep.equal([true, false])
    expect(liveAt(LOGIN + DAY_MS, storedSession(DAY_MS), shorter)?.moments.expiresAt).to.equal(
      LOGIN + 2 * DAY_MS,
    )
    const longer = { ...SHOP, loginDurationDays: 20 }
    expect(livesAround(END, storedSession(10 * DAY_MS - 1), longer)).to.deep.equal([true, false])
  })

  it('counts its idle window by the app as it is configured now', () => {
    const info = { ...SHOP, sessionDurationSeconds: 60 }
    expect(livesAround(LOGIN + MINUTE_MS, storedSession(), info)).to.deep.equal([true, false])
  })

  it('has an idle window of its own where the app sets none, also when the app did set one in between', () => {
    const { sessionDurationSeconds: _unset, ...unset } = SHOP
    const own = storedSession(0, encodeRecord({ ...RECORD, sessionDurationMs: 2 * DAY_MS }))
    expect(livesAround(LOGIN + 2 * DAY_MS, own, unset)).to.deep.equal([true, false])
    expect(liveAt(LOGIN, own, unset)?.moments.idleExpiresAt).to.equal(LOGIN + 2 * DAY_MS)
    expect(livesAround(LOGIN + IDLE_MS, own, SHOP)).to.deep.equal([true, false])
    expect(livesAround(LOGIN + 7 * DAY_MS, storedSession(), unset)).to.deep.equal([true, false])
  })

  it('ends no later than the store says, which counts by the session duration of the last visit', () => {
    const stored = { ...storedSession(), endsAt: LOGIN + 1_000 }
    expect(liveAt(LOGIN, stored)?.moments.idleExpiresAt).to.equal(LOGIN + 1_000)
  })

  it('is none when its app is not configured here', () => {
    expect(liveAt(LOGIN, storedSession(), GAME)).to.equal(undefined)
  })

  it('is none when the record cannot be read', () => {
    for (const text of ['', 'no JSON', 'null', '[]', encodeRecord(RECORD).replace('[1,', '[2,')])
      expect(liveAt(LOGIN, storedSession(0, text))).to.equal(undefined)
  })

  it('takes the record of who has decoded it before', () => {
    const app = createApps('apps', [SHOP], 0.1).find(SHOP.appid)
    const decoded = { ...RECORD, openid: 'decoded before' }
    expect(liveRecord(storedSession(0, 'not read'), app, decoded)?.record).to.equal(decoded)
  })
})
