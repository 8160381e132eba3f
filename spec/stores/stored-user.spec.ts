import { expect } from 'chai'
import { describe, it } from 'mocha'
import { visitIn } from '../../lib/stores/stored-user.js'

const NOW_MS = 1_767_225_600_000
const ID = 'session-1-of-24-letters_'
const OTHER_ID = 'session-2-of-24-letters_'
const BEGAN = `${NOW_MS - 60_000}123`

interface Stored {
  readonly mark?: string
  readonly profileEndsAt?: number
  readonly profile?: string
  readonly lastVisitAt?: number
  readonly endsAt?: number
}

/** A user with two sessions, as Redis has it. */
function userWith({
  mark = '-',
  profileEndsAt = NOW_MS + 60_000,
  profile = '{"nickName":"Ada"}',
  lastVisitAt = NOW_MS - 1000,
  endsAt = NOW_MS + 60_000,
}: Stored = {}): string {
  const line = (id: string, record: string) => `${id}${BEGAN}${lastVisitAt}${endsAt}${record}`
  return [`1${mark}${profileEndsAt}${profile}`, line(OTHER_ID, '[2]'), line(ID, '[1]')].join('\n')
}

/** It is now, or up to two seconds later. */
function find(text: string, { sessionId = ID, latestMark = 0 } = {}) {
  const [earliest, latest] = [NOW_MS * 1000, (NOW_MS + 2000) * 1000]
  return visitIn(text, sessionId, latestMark, { earliest, latest })
}

describe('a session in all that is stored of its user', () => {
  it('is found with all that there is of it, the last one as well as the first', () => {
    const visit = {
      sessionId: ID,
      record: '[1]',
      createdAt: NOW_MS - 60_000,
      lastVisitAt: NOW_MS - 1000,
      endsAt: NOW_MS + 60_000,
      readAt: NOW_MS,
      userInfo: '{"nickName":"Ada"}',
    }
    for (const mark of ['-', '0'.repeat(16), BEGAN]) expect(find(userWith({ mark }))).to.deep.equal(visit)
    expect(find(userWith(), { sessionId: OTHER_ID })).to.deep.equal({
      ...visit,
      sessionId: OTHER_ID,
      record: '[2]',
    })
  })

  it('is not found by another id, nor by a part of its own', () => {
    for (const sessionId of ['session-3-of-24-letters_', ID.slice(0, 23), '', `${ID}1`, ID.slice(1)])
      expect(find(userWith(), { sessionId })).to.equal(undefined)
  })

  it('is not certain once it may have ended', () => {
    expect(find(userWith({ endsAt: NOW_MS + 2001 }))).to.include({ sessionId: ID })
    for (const endsAt of [NOW_MS + 2000, NOW_MS, NOW_MS - 1])
      expect(find(userWith({ endsAt }))).to.equal(undefined)
  })

  it('is not certain where its login began at the mark of its app, or before', () => {
    expect(find(userWith(), { latestMark: Number(BEGAN) - 1 })).to.include({ sessionId: ID })
    for (const latestMark of [Number(BEGAN), Number(BEGAN) + 1])
      expect(find(userWith(), { latestMark })).to.equal(undefined)
  })

  it('is not certain while its profile may just have ended, and has none afterwards', () => {
    for (const profileEndsAt of [NOW_MS + 1, NOW_MS + 2000])
      expect(find(userWith({ profileEndsAt }))).to.equal(undefined)
    expect(find(userWith({ profileEndsAt: NOW_MS }))).to.include({ userInfo: null })
    expect(find(userWith({ profile: '' }))).to.include({ userInfo: null })
  })

  it('is read no earlier than at its last visit, unless the clock was set back', () => {
    expect(find(userWith({ lastVisitAt: NOW_MS + 3 }))).to.include({ readAt: NOW_MS + 3 })
    expect(find(userWith({ lastVisitAt: NOW_MS + 5000 }))).to.include({ readAt: NOW_MS })
  })

  it('is not certain where anything is damaged', () => {
    const text = userWith()
    const times = text.lastIndexOf(ID) + ID.length
    for (let place = times; place < times + 42; place += 1)
      for (const wrong of ['x', ' ', '-', '٣'])
        expect(find(text.slice(0, place) + wrong + text.slice(place + 1))).to.equal(undefined)
    for (const damaged of ['', text.slice(0, times + 41), `2${text.slice(1)}`, text.replace('1-1', '1-x')])
      expect(find(damaged)).to.equal(undefined)
  })
})
