import { expect } from 'chai'
import fc from 'fast-check'
import { beforeEach, describe, it } from 'mocha'
import { LocalCache, type Reading } from '../../lib/stores/local-cache.js'
import { type TestClock, testClock } from '../support/clock.js'

const LIFETIME_MS = 5_000
const MAX_USERS = 3
const MAX_SIZE = 10

interface Version {
  readonly version: number
}

describe('LocalCache', () => {
  let now: TestClock
  let isTold: boolean
  let cache: LocalCache<Version, Version>

  beforeEach(() => {
    now = testClock()
    isTold = true
    cache = new LocalCache({
      maxUsers: MAX_USERS,
      maxSize: MAX_SIZE,
      sizeOf: ({ version }) => version,
      lifetimeMs: LIFETIME_MS,
      isTold: () => isTold,
      now,
    })
  })

  const found = { user: { version: 1 }, marks: { version: 1 } }

  function begin(handle = 'ada'): Reading {
    return cache.begin(handle) ?? expect.fail('nothing can be kept')
  }

  function keep(handle = 'ada', version = 1): void {
    cache.end(begin(handle), { user: { version }, marks: { version: 1 } })
  }

  it('returns what was read', () => {
    keep()
    expect(cache.get('ada')).to.deep.equal(found)
    expect(cache.get('bob')).to.equal(undefined)
  })

  it('keeps it for its lifetime from the question, not from the reply', () => {
    const reading = begin()
    now.advance(1_000)
    cache.end(reading, found)
    now.advance(LIFETIME_MS - 1_001)
    expect(cache.get('ada')).to.deep.equal(found)
    now.advance(1)
    expect(cache.get('ada')).to.equal(undefined)
  })

  it('returns nothing after its clock was set back', () => {
    keep()
    now.advance(-1)
    expect(cache.get('ada')).to.equal(undefined)
  })

  it('does not keep what was not found', () => {
    cache.end(begin(), undefined)
    expect(cache.size).to.equal(0)
  })

  it('drops a user, and no other', () => {
    keep('ada')
    keep('bob')
    cache.drop('ada')
    expect(cache.get('ada')).to.equal(undefined)
    expect(cache.get('bob')).to.deep.equal(found)
  })

  it('does not keep a user who changes while being read, however many reads there are', () => {
    const readings = [begin(), begin()]
    cache.drop('ada')
    for (const reading of readings) cache.end(reading, found)
    expect(cache.size).to.equal(0)
    keep()
    expect(cache.get('ada')).to.deep.equal(found)
  })

  it('keeps a user while another one changes', () => {
    const reading = begin()
    cache.drop('bob')
    cache.end(reading, found)
    expect(cache.get('ada')).to.deep.equal(found)
  })

  it('returns nobody without the marks, and everybody again when they were read', () => {
    keep('ada')
    keep('bob')
    cache.dropMarks()
    expect(cache.get('ada')).to.equal(undefined)
    cache.end(begin('bob'), { user: { version: 1 }, marks: { version: 2 } })
    expect(cache.get('ada')).to.deep.equal({ user: { version: 1 }, marks: { version: 2 } })
  })

  it('does not keep marks that change while they are read', () => {
    const reading = begin()
    cache.dropMarks()
    cache.end(reading, found)
    expect(cache.get('ada')).to.equal(undefined)
  })

  it('keeps nothing of a read during which it was cleared', () => {
    keep('bob')
    const reading = begin()
    cache.clear()
    cache.end(reading, found)
    expect([cache.size, cache.get('ada'), cache.get('bob')]).to.deep.equal([0, undefined, undefined])
  })

  it('neither serves nor keeps anything while changes are not told', () => {
    keep()
    const reading = begin('bob')
    isTold = false
    cache.end(reading, found)
    expect(cache.get('ada')).to.equal(undefined)
    expect(cache.begin('ada')).to.equal(undefined)
    isTold = true
    expect(cache.get('bob')).to.equal(undefined)
  })

  it('drops the user that has not been asked for longest where there are too many', () => {
    for (const handle of ['ada', 'bob', 'eve']) keep(handle)
    cache.get('ada')
    keep('dan')
    expect(['ada', 'bob', 'eve', 'dan'].filter((handle) => cache.get(handle))).to.deep.equal([
      'ada',
      'eve',
      'dan',
    ])
  })

  it('drops users where they are too large together, and does not keep one that is too large by itself', () => {
    keep('ada', 6)
    keep('bob', 5)
    expect(['ada', 'bob'].filter((handle) => cache.get(handle))).to.deep.equal(['bob'])
    keep('eve', MAX_SIZE + 1)
    expect(cache.get('eve')).to.equal(undefined)
  })

  it('drops a user who has become too large', () => {
    keep('ada', 1)
    keep('ada', MAX_SIZE + 1)
    expect(cache.get('ada')).to.equal(undefined)
  })

  it('never returns what was changed and told of before, in any order of questions, replies and news', () => {
    const step = fc.record({
      handle: fc.constantFrom('ada', 'bob'),
      what: fc.constantFrom(
        'ask',
        'ask',
        'read',
        'read',
        'reply',
        'reply',
        'change',
        'tell',
        'mark',
        'tell marks',
      ),
      which: fc.nat(5),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const subject = new LocalCache<Version, Version>({
          maxUsers: 10,
          maxSize: 100_000,
          sizeOf: () => 1,
          lifetimeMs: LIFETIME_MS,
          isTold: () => true,
          now,
        })
        const stored: Record<string, number> = { ada: 0, bob: 0, marks: 0 }
        const told: Record<string, number> = { ada: 0, bob: 0, marks: 0 }
        const asked: { reading: Reading; user?: number; marks?: number }[] = []
        for (const { handle, what, which } of steps) {
          const question = asked[which % Math.max(1, asked.length)]
          if (what === 'ask') asked.push({ reading: subject.begin(handle) ?? expect.fail('not told') })
          if (what === 'read' && question && question.user === undefined)
            Object.assign(question, { user: stored[question.reading.handle], marks: stored.marks })
          if (what === 'reply' && question?.user !== undefined) {
            asked.splice(asked.indexOf(question), 1)
            const marks = { version: question.marks ?? -1 }
            subject.end(question.reading, { user: { version: question.user }, marks })
          }
          if (what === 'change') stored[handle] = (stored[handle] ?? 0) + 1
          if (what === 'mark') stored.marks = (stored.marks ?? 0) + 1
          if (what === 'tell') {
            told[handle] = stored[handle] ?? 0
            subject.drop(handle)
          }
          if (what === 'tell marks') {
            told.marks = stored.marks ?? 0
            subject.dropMarks()
          }
          for (const each of ['ada', 'bob']) {
            const known = subject.get(each)
            if (!known) continue
            expect(known.user.version).to.be.at.least(told[each] ?? 0)
            expect(known.marks.version).to.be.at.least(told.marks ?? 0)
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
