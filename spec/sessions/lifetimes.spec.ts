import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  absoluteEnd,
  drawDuration,
  drawLifetimes,
  isAlive,
  isTouchDue,
  type Lifetimes,
  lifetimesFrom,
  nearestEnd,
  type SessionTimes,
} from '../../lib/sessions/lifetimes.js'

const LOGIN = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000
/** Ten days from login, an hour from the last visit, a visit worth writing after six minutes. */
const LIFETIMES = lifetimesFrom(10, 3600, 0.1)

function session(changes: Partial<SessionTimes> = {}): SessionTimes {
  return { createdAt: LOGIN, lastVisitAt: LOGIN, expiresAt: LOGIN + LIFETIMES.loginDurationMs, ...changes }
}

/** What `holds` says a millisecond before a moment, at it, and a millisecond after. */
function around(moment: number, holds: (now: number) => boolean): boolean[] {
  return [moment - 1, moment, moment + 1].map(holds)
}

describe('lifetimesFrom', () => {
  it('turns days, seconds and a share into milliseconds', () => {
    expect(lifetimesFrom(30, 2_592_000, 0.02)).to.deep.equal({
      loginDurationMs: 30 * DAY_MS,
      sessionDurationMs: 30 * DAY_MS,
      touchAfterMs: 0.6 * DAY_MS,
    })
  })

  it('takes fractions, rounded to whole milliseconds', () => {
    expect(lifetimesFrom(0.5, 1.5, 0.001)).to.deep.equal({
      loginDurationMs: 12 * 3_600_000,
      sessionDurationMs: 1_500,
      touchAfterMs: 2,
    })
  })

  it('never rounds a duration down to nothing', () => {
    expect(lifetimesFrom(1e-12, 1e-9, 1e-9)).to.deep.equal({
      loginDurationMs: 1,
      sessionDurationMs: 1,
      touchAfterMs: 1,
    })
  })
})

describe('the lifetimes that are drawn for a login', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const jitter = fc.double({ min: 0, max: 0.5, noNaN: true })
  const days = fc.double({ min: 1e-6, max: 3650, noNaN: true })

  it('are those of the app without jitter', () => {
    const { loginDurationMs, sessionDurationMs } = LIFETIMES
    expect(drawLifetimes(LIFETIMES, 0, () => 0.9)).to.deep.equal({ loginDurationMs, sessionDurationMs })
    expect(drawDuration(1_234, 0)).to.equal(1_234)
  })

  it('are never longer, and shorter by no more than the share and what is rounded off', () => {
    fc.assert(
      fc.property(days, jitter, random, (loginDays, share, number) => {
        const lifetimes = lifetimesFrom(loginDays, 3600, 0.1)
        const drawn = drawLifetimes(lifetimes, share, () => number)
        for (const name of ['loginDurationMs', 'sessionDurationMs'] as const) {
          expect(drawn[name]).to.be.at.most(lifetimes[name])
          expect(drawn[name]).to.be.at.least(Math.floor(lifetimes[name] * (1 - share) * 0.999) - 1)
          expect(drawn[name]).to.satisfy(Number.isInteger)
          expect(drawn[name]).to.be.at.least(1)
        }
      }),
    )
  })

  it('are spread over the share', () => {
    const ends = Array.from({ length: 1_000 }, () => drawLifetimes(LIFETIMES, 0.1).loginDurationMs)
    expect(new Set(ends).size).to.be.above(400)
    expect(Math.max(...ends) - Math.min(...ends)).to.be.above(0.8 * DAY_MS)
  })

  it('are four digits of days, which the record has to carry', () => {
    fc.assert(
      fc.property(random, (number) => {
        const { loginDurationMs } = drawLifetimes(lifetimesFrom(30, 60, 0.1), 0.1, () => number)
        expect(String(loginDurationMs / DAY_MS)).to.have.length.within(2, 5)
      }),
    )
  })
})

describe('isAlive', () => {
  it('ends with the idle window after the last visit, to the millisecond', () => {
    const times = session({ lastVisitAt: LOGIN + 5_000 })
    expect(around(LOGIN + 5_000 + 3_600_000, (now) => isAlive(now, times, LIFETIMES))).to.deep.equal([
      true,
      false,
      false,
    ])
  })

  it('ends at the absolute end however recent the visit, to the millisecond', () => {
    const end = LOGIN + 10 * DAY_MS
    const times = session({ lastVisitAt: end - 1 })
    expect(around(end, (now) => isAlive(now, times, LIFETIMES))).to.deep.equal([true, false, false])
  })
})

describe('isTouchDue', () => {
  const VISIT = LOGIN + 5_000
  const END = LOGIN + 10 * DAY_MS

  /** Whether it is due around a moment, for a session that the store keeps for so long after its visit. */
  function dueAround(moment: number, keptForMs = 3_600_000, lastVisitAt = VISIT): boolean[] {
    const endsAt = Math.min(lastVisitAt + keptForMs, END)
    return around(moment, (readAt) => isTouchDue({ readAt, lastVisitAt, endsAt }, END, LIFETIMES))
  }

  it('begins when the share of the idle window has passed, to the millisecond', () => {
    expect(dueAround(VISIT + 360_000)).to.deep.equal([false, true, true])
  })

  it('begins earlier while the store still counts by a shorter session duration', () => {
    expect(dueAround(VISIT + 60_000, 600_000)).to.deep.equal([false, true, true])
  })

  it('begins no later while the store still counts by a longer one', () => {
    expect(dueAround(VISIT + 360_000, 9 * 3_600_000)).to.deep.equal([false, true, true])
  })

  it('does not come more often when the end of the session cannot be moved any more', () => {
    const lastVisitAt = END - 1_000_000
    expect(dueAround(lastVisitAt + 360_000, 3_600_000, lastVisitAt)).to.deep.equal([false, true, true])
  })

  it('is not due when the clock has gone back', () => {
    const kept = { readAt: LOGIN - 360_000, lastVisitAt: LOGIN, endsAt: LOGIN + 3_600_000 }
    expect(isTouchDue(kept, END, LIFETIMES)).to.equal(false)
  })
})

describe('absoluteEnd', () => {
  it('is not extended by a longer duration set after login', () => {
    expect(absoluteEnd(session(), lifetimesFrom(20, 3600, 0.1))).to.equal(LOGIN + 10 * DAY_MS)
  })

  it('comes earlier with a shorter duration set after login', () => {
    expect(absoluteEnd(session(), lifetimesFrom(2, 3600, 0.1))).to.equal(LOGIN + 2 * DAY_MS)
  })

  it('does not move with visits', () => {
    expect(absoluteEnd(session({ lastVisitAt: LOGIN + 9 * DAY_MS }), LIFETIMES)).to.equal(LOGIN + 10 * DAY_MS)
  })
})

describe('nearestEnd', () => {
  it('is the idle end, as long as that comes first', () => {
    const lastVisitAt = LOGIN + 10 * DAY_MS - 3_600_000
    expect(nearestEnd(session(), LIFETIMES)).to.equal(LOGIN + 3_600_000)
    expect(nearestEnd(session({ lastVisitAt: lastVisitAt - 1 }), LIFETIMES)).to.equal(LOGIN + 10 * DAY_MS - 1)
    expect(nearestEnd(session({ lastVisitAt: lastVisitAt + 1 }), LIFETIMES)).to.equal(LOGIN + 10 * DAY_MS)
  })

  it('is never past the absolute end, and a session lives exactly until then', () => {
    const duration = fc.integer({ min: 1, max: 400 * DAY_MS })
    const lifetimes: fc.Arbitrary<Lifetimes> = fc.record({
      loginDurationMs: duration,
      sessionDurationMs: duration,
      touchAfterMs: duration,
    })
    const sessions = fc
      .tuple(duration, duration)
      .map(([visit, end]) => session({ lastVisitAt: LOGIN + visit, expiresAt: LOGIN + end }))
    fc.assert(
      fc.property(sessions, lifetimes, (times, settings) => {
        const end = nearestEnd(times, settings)
        expect(end).to.be.at.most(absoluteEnd(times, settings)).and.at.most(times.expiresAt)
        expect(around(end, (now) => isAlive(now, times, settings))).to.deep.equal([true, false, false])
      }),
    )
  })
})
