import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { Tries, type Try } from '../../lib/sessions/tries.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { recording, type StoreCall } from './a-book.js'

const ADA = { appid: 'wx1', openid: 'ada' }
const MOST = 3
const LIFETIME_MS = 60_000

/** Tries of several processes on one store. */
function processes() {
  const clock = testClock()
  const calls: StoreCall[] = []
  const store = recording(new MemoryStore({ clock }), {}, calls)
  const tries = (purpose = 'a test') =>
    new Tries({ store, clock, purpose, most: MOST, lifetimeMs: LIFETIME_MS })
  return { clock, calls, tries }
}

async function takeAll(tries: Tries): Promise<Try[]> {
  const taken = await Promise.all(Array.from({ length: MOST }, () => tries.take(ADA)))
  return taken.map((one) => one ?? expect.fail('there are fewer than there should be'))
}

describe('the tries of a subject', () => {
  it('are so many in all processes together, also when they are taken in one moment', async () => {
    const { tries } = processes()
    const own = [tries(), tries(), tries()]
    const taken = await Promise.all(Array.from({ length: 30 }, (_, index) => own[index % 3]?.take(ADA)))
    expect(taken.filter((one) => one !== undefined)).to.have.length(MOST)
    expect(taken.filter((one) => one?.isLast)).to.have.length(1)
  })

  it('are others for each app, user, matter and purpose', async () => {
    const { tries } = processes()
    await takeAll(tries())
    expect(await tries().take(ADA)).to.equal(undefined)
    for (const subject of [
      { ...ADA, appid: 'wx2' },
      { ...ADA, openid: 'bob' },
      { ...ADA, about: 'a code' },
    ])
      expect(await tries().take(subject)).to.not.equal(undefined)
    expect(await tries('another test').take(ADA)).to.not.equal(undefined)
  })

  it('come back one by one when they are given back, and do not count', async () => {
    const { tries } = processes()
    const own = tries()
    const [first] = await takeAll(own)
    first?.giveBack()
    await own.idle()
    expect(await own.take(ADA)).to.include({ isLast: false })
    expect(await own.take(ADA)).to.equal(undefined)
  })

  it('come back by themselves after their time, to the millisecond', async () => {
    const { tries, clock } = processes()
    await takeAll(tries())
    clock.advance(LIFETIME_MS - 1)
    expect(await tries().take(ADA)).to.equal(undefined)
    clock.advance(1)
    await takeAll(tries())
  })

  it('cost one call each, and one to give back', async () => {
    const { tries, calls } = processes()
    const own = tries()
    const taken = await own.take(ADA)
    taken?.giveBack()
    await own.idle()
    expect(calls.map(({ method }) => method)).to.deep.equal(['claim', 'release'])
  })

  it('do not show the store whose they are', async () => {
    const { tries, calls } = processes()
    await tries().take(ADA)
    expect(JSON.stringify(calls)).to.not.include('ada').and.not.include('wx1')
  })

  it('cannot be taken while the store fails', async () => {
    const clock = testClock()
    const claim = () => Promise.reject(new WeappError('ERR_STORE_UNAVAILABLE', 'Later.'))
    const store = recording(new MemoryStore({ clock }), { claim }, [])
    const tries = new Tries({ store, clock, purpose: 'a test', most: MOST, lifetimeMs: LIFETIME_MS })
    await weappErrorOf('ERR_STORE_UNAVAILABLE', () => tries.take(ADA))
  })
})
