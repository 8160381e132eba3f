import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { type ErrorCode, WeappError } from '../../lib/errors.js'
import type { Identity } from '../../lib/exchange.js'
import { WaitBrake } from '../../lib/wechat/wait-brake.js'
import { type TestClock, testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'

const LOGIN = { appid: 'wx1', api: 'a login' }
const IDENTITY: Identity = { openid: 'ada', sessionKey: 'key', unionid: undefined }

describe('the brake after WeChat has said wait', () => {
  let clock: TestClock
  let asked: number
  let answer: ErrorCode | undefined
  let exchange: (api?: typeof LOGIN) => Promise<Identity>

  beforeEach(() => {
    clock = testClock()
    asked = 0
    answer = undefined
    const brake = new WaitBrake(clock, () => 0)
    exchange = (api = LOGIN) =>
      brake.through(api, async () => {
        asked += 1
        if (answer) throw new WeappError(answer, 'Wait.', { hint: 'errcode' })
        return IDENTITY
      })
  })

  const refused = (code: ErrorCode) => weappErrorOf(code, () => exchange())

  it('lets nothing through after three refusals in a row, with the same error', async () => {
    answer = 'ERR_WECHAT_RATE_LIMITED'
    for (let times = 0; times < 2003; times += 1) {
      const { message, hint, headers } = await refused('ERR_WECHAT_RATE_LIMITED')
      expect({ message, hint, headers }).to.deep.equal({
        message: 'Wait.',
        hint: 'errcode',
        headers: { 'Retry-After': '60' },
      })
    }
    expect(asked).to.equal(3)
  })

  it('is on after one refusal for the quota of a day, which is that of the app', async () => {
    answer = 'ERR_WECHAT_QUOTA'
    for (let times = 0; times < 100; times += 1) await refused('ERR_WECHAT_QUOTA')
    expect(asked).to.equal(1)
  })

  it('is not put on by one user among others', async () => {
    for (let times = 0; times < 50; times += 1) {
      answer = 'ERR_WECHAT_RATE_LIMITED'
      for (let own = 0; own < 2; own += 1) await refused('ERR_WECHAT_RATE_LIMITED')
      answer = undefined
      expect(await exchange()).to.equal(IDENTITY)
    }
    expect(asked).to.equal(150)
  })

  it('lets a probe through after a second, then less and less often, down to one in ten seconds', async () => {
    answer = 'ERR_WECHAT_RATE_LIMITED'
    for (let times = 0; times < 3; times += 1) await refused('ERR_WECHAT_RATE_LIMITED')
    const probesAt: number[] = []
    for (let second = 1; second <= 45; second += 1) {
      clock.advance(1000)
      const before = asked
      for (let times = 0; times < 10; times += 1) await refused('ERR_WECHAT_RATE_LIMITED')
      if (asked > before) probesAt.push(second)
    }
    expect(probesAt).to.deep.equal([1, 3, 7, 15, 25, 35, 45])
    expect(asked).to.equal(3 + probesAt.length)
  })

  for (const good of [
    undefined,
    'ERR_CODE_INVALID',
    'ERR_PHONE_CODE_INVALID',
    'ERR_SESSION_KEY_STALE',
    'ERR_USER_BLOCKED',
  ] as const) {
    it(`lets go when WeChat answers a probe with ${good ?? 'an identity'}`, async () => {
      answer = 'ERR_WECHAT_RATE_LIMITED'
      for (let times = 0; times < 3; times += 1) await refused('ERR_WECHAT_RATE_LIMITED')
      clock.advance(1000)
      answer = good
      await exchange().catch(() => undefined)
      answer = undefined
      for (let times = 0; times < 5; times += 1) expect(await exchange()).to.equal(IDENTITY)
    })
  }

  it('stays on when a probe gets no answer, and lets the next one through in time', async () => {
    answer = 'ERR_WECHAT_RATE_LIMITED'
    for (let times = 0; times < 3; times += 1) await refused('ERR_WECHAT_RATE_LIMITED')
    clock.advance(1000)
    answer = 'ERR_WECHAT_NO_ANSWER'
    await refused('ERR_WECHAT_NO_ANSWER')
    await refused('ERR_WECHAT_RATE_LIMITED')
    answer = undefined
    clock.advance(2000)
    expect(await exchange()).to.equal(IDENTITY)
  })

  it('spreads the probes of processes that were told to wait at the same moment', async () => {
    const probesIn = async (ms: number) => {
      let probes = 0
      clock.set(0)
      for (let brakes = 0; brakes < 200; brakes += 1) {
        const brake = new WaitBrake(clock)
        const call = async (): Promise<never> => {
          probes += 1
          throw new WeappError('ERR_WECHAT_QUOTA', 'Wait.')
        }
        const ask = () => weappErrorOf('ERR_WECHAT_QUOTA', () => brake.through(LOGIN, call))
        clock.set(0)
        await ask()
        probes -= 1
        clock.set(ms)
        await ask()
      }
      return probes
    }
    expect(await probesIn(499)).to.equal(0)
    expect(await probesIn(750)).to.be.within(50, 150)
    expect(await probesIn(1000)).to.equal(200)
  })

  it('lets one probe through at a time', async () => {
    let end = (): void => undefined
    let isHanging = false
    const brake = new WaitBrake(clock)
    const call = async () => {
      asked += 1
      if (isHanging)
        await new Promise<void>((resolve) => {
          end = resolve
        })
      throw new WeappError('ERR_WECHAT_RATE_LIMITED', 'Wait.')
    }
    const once = () => weappErrorOf('ERR_WECHAT_RATE_LIMITED', () => brake.through(LOGIN, call))
    for (let times = 0; times < 3; times += 1) await once()
    clock.advance(60_000)
    isHanging = true
    const probe = once()
    clock.advance(60_000)
    for (let times = 0; times < 10; times += 1) await once()
    end()
    await probe
    expect(asked).to.equal(4)
  })

  it('is one for each app and each API', async () => {
    answer = 'ERR_WECHAT_QUOTA'
    await refused('ERR_WECHAT_QUOTA')
    answer = undefined
    expect(await exchange({ ...LOGIN, appid: 'wx2' })).to.equal(IDENTITY)
    expect(await exchange({ ...LOGIN, api: 'the phone number call' })).to.equal(IDENTITY)
    await refused('ERR_WECHAT_QUOTA')
  })

  it('does not stay longer when the clock is set back', async () => {
    answer = 'ERR_WECHAT_QUOTA'
    await refused('ERR_WECHAT_QUOTA')
    answer = undefined
    clock.advance(-3_600_000)
    expect(await exchange()).to.equal(IDENTITY)
  })
})
