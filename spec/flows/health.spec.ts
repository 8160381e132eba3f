import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore } from '../../lib/index.js'
import { failureOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('sessions.health', () => {
  let bed: TestBed
  let store: MemoryStore
  let pings: number
  let answer: () => Promise<void>

  beforeEach(async () => {
    pings = 0
    answer = async () => undefined
    store = Object.assign(new MemoryStore(), {
      ping() {
        pings += 1
        return answer()
      },
    })
    bed = await openTestBed({ store })
  })
  afterEach(() => bed.close())

  it('is ready while the store can write a login', async () => {
    expect(await bed.sessions.health()).to.deep.equal({
      isReady: true,
      isClosing: false,
      store: 'up',
      wechat: 'up',
    })
  })

  it('is not ready while the store fails, is again when it works, and never rejects', async () => {
    answer = () => Promise.reject(new Error('a failure'))
    expect(await bed.sessions.health()).to.include({ isReady: false, isClosing: false, store: 'down' })
    answer = async () => undefined
    bed.clock.advance(1000)
    expect(await bed.sessions.health()).to.include({ isReady: true, store: 'up' })
  })

  it('tells that WeChat is down while it is only probed, which does not matter to readiness', async () => {
    bed.sandbox.misbehave('html502')
    for (let logins = 0; logins < 10; logins += 1)
      await failureOf(() => bed.sessions.login({ code: `${logins}`.padStart(32, 'c') }))
    expect(await bed.sessions.health()).to.include({ isReady: true, store: 'up', wechat: 'down' })
  })

  it('asks the store once for all who ask at the same time', async () => {
    let letGo = (): void => undefined
    answer = () =>
      new Promise((resolve) => {
        letGo = resolve
      })
    const asked = Array.from({ length: 100 }, () => bed.sessions.health())
    bed.clock.advance(5000)
    asked.push(bed.sessions.health())
    letGo()
    for (const health of await Promise.all(asked)) expect(health.isReady).to.equal(true)
    expect(pings).to.equal(1)
  })

  it('asks the store at most once a second, also when the clock is set back', async () => {
    for (const [advanceMs, expected] of [
      [0, 1],
      [999, 1],
      [1, 2],
      [-3_600_000, 3],
      [0, 3],
    ] as const) {
      bed.clock.advance(advanceMs)
      await bed.sessions.health()
      expect(pings, `${advanceMs}`).to.equal(expected)
    }
  })

  it('is closing at once when the sessions are, also for who has asked before, and asks no more', async () => {
    let letGo = (): void => undefined
    answer = () =>
      new Promise((resolve) => {
        letGo = resolve
      })
    const before = bed.sessions.health()
    const closed = bed.sessions.close()
    const closing = { isReady: false, isClosing: true, store: 'unknown', wechat: 'up' }
    expect(await bed.sessions.health()).to.deep.equal(closing)
    letGo()
    expect(await before).to.deep.equal(closing)
    await closed
    expect(await bed.sessions.with({}).health()).to.deep.equal(closing)
    expect(pings).to.equal(1)
  })
})
