import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { FailureLog } from '../../lib/flows/failure-log.js'
import { CallSlots } from '../../lib/wechat/call-slots.js'
import { RequestTurnedAway } from '../../lib/wechat/transport.js'
import { createWechatApi, type WechatApi } from '../../lib/wechat/wechat-api.js'
import { WechatBreakers } from '../../lib/wechat/wechat-breaker.js'
import { type TestClock, testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'

const CALL = { appid: 'wx1111111111111111', path: '/sns/jscode2session' }
const IN_A_ROW = 10
const LONGEST_PAUSE_MS = 5000

const UNREACHABLE = new WeappError('ERR_WECHAT_UNREACHABLE', 'No.', { hint: 'ECONNREFUSED' })
const NO_ANSWER = new WeappError('ERR_WECHAT_NO_ANSWER', 'No.', { hint: 'it took too long' })
const GATEWAY = new WeappError('ERR_WECHAT_ANSWER_INVALID', 'No.', { hint: 'HTTP status 502' })

describe('the breaker of the calls to WeChat', () => {
  let clock: TestClock
  let log: string[]
  let sent: number
  let answer: string | Error | (() => Promise<string>)
  let api: WechatApi
  let breakers: WechatBreakers
  let apiOf: (slots: number) => WechatApi

  beforeEach(() => {
    clock = testClock()
    log = []
    sent = 0
    const write = (line: string) => void log.push(line)
    const failureLog = new FailureLog({ warn: write, error: write }, clock)
    breakers = new WechatBreakers({
      clock,
      onOpen: (what, line) => failureLog.reportOutage(what, line),
      onClose: (what, line) => failureLog.reportEnd(what, line),
    })
    const transport = {
      async send() {
        sent += 1
        if (answer instanceof Error) throw answer
        return typeof answer === 'string' ? answer : answer()
      },
      close() {},
    }
    apiOf = (slots) => createWechatApi({ transport, breakers, slots: new CallSlots(slots) })
    api = apiOf(IN_A_ROW)
  })

  const call = () => api.call(CALL, {})
  async function fail(times = IN_A_ROW): Promise<void> {
    for (let time = 0; time < times; time += 1) await failureOf(call)
  }

  for (const [what, how, requestsEach] of [
    ['cannot be reached', UNREACHABLE, 2],
    ['does not answer', NO_ANSWER, 1],
    ['answers by a gateway', GATEWAY, 1],
    ['answers with a page', '<html>', 1],
    ['answers without an end', '{"openid":', 1],
    ['answers with an errcode that is none', '{"errcode":"x"}', 1],
  ] as const) {
    it(`opens when WeChat ${what} ten times in a row: nothing more is sent`, async () => {
      answer = how
      await fail()
      const before = sent
      expect(before).to.be.within(IN_A_ROW, IN_A_ROW * requestsEach)
      for (let times = 0; times < 1000; times += 1) await weappErrorOf('ERR_WECHAT_UNREACHABLE', call)
      expect(sent).to.equal(before)
    })
  }

  it('opens when WeChat is busy in every attempt of ten calls', async () => {
    answer = '{"errcode":-1}'
    await Promise.all(Array.from({ length: IN_A_ROW }, () => weappErrorOf('ERR_WECHAT_BUSY', call)))
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', call)
    clock.advance(LONGEST_PAUSE_MS)
    const before = sent
    await weappErrorOf('ERR_WECHAT_BUSY', call)
    expect(sent).to.equal(before + 1)
  })

  for (const errcode of [40029, 40163, 40125, 45009, 45011, 89503, 61009]) {
    it(`stays closed however often WeChat answers errcode ${errcode}`, async () => {
      answer = JSON.stringify({ errcode })
      await fail(100)
      expect([sent, log]).to.deep.equal([100, []])
    })
  }

  it('stays closed however many requests a firewall turns away', async () => {
    answer = new RequestTurnedAway('ERR_WECHAT_ANSWER_INVALID', 'No.', { hint: 'HTTP status 403' })
    await fail(100)
    expect([sent, log]).to.deep.equal([100, []])
  })

  it('stays closed on a bug of ours', async () => {
    answer = new TypeError('a bug')
    await fail(100)
    expect(sent).to.equal(100)
  })

  it('stays closed while one call in ten is answered', async () => {
    for (let round = 0; round < 20; round += 1) {
      answer = NO_ANSWER
      await fail(IN_A_ROW - 1)
      answer = '{}'
      await call()
    }
    expect(log).to.deep.equal([])
  })

  it('says to the client when to come again, and to the operator why', async () => {
    answer = NO_ANSWER
    await fail()
    const error = await weappErrorOf('ERR_WECHAT_UNREACHABLE', call)
    expect(error.status).to.equal(503)
    expect(error.headers).to.deep.equal({ 'Retry-After': '1' })
    expect(error.message).to.equal('WeChat is unreachable at the moment. Please try again.')
    const why = '10 calls in a row have failed, the last one with ERR_WECHAT_NO_ANSWER (it took too long)'
    expect(error.hint).to.equal(`WeChat is only probed for now: ${why}`)
    expect(log).to.deep.equal([
      `WeChat fails for calls of ${CALL.appid} at ${CALL.path}, so it is only probed for now: ${why}`,
    ])
  })

  it('is another error for each call, as those are changed by who catches them', async () => {
    answer = NO_ANSWER
    await fail()
    expect(await failureOf(call)).to.not.equal(await failureOf(call))
  })

  it('sends one probe a pause to a WeChat that stays dead, without a retry', async () => {
    answer = UNREACHABLE
    await fail()
    const before = sent
    for (let probe = 1; probe <= 20; probe += 1) {
      clock.advance(LONGEST_PAUSE_MS)
      for (let times = 0; times < 10; times += 1) await failureOf(call)
      expect(sent).to.equal(before + probe)
    }
    expect(log).to.have.lengthOf(1)
  })

  it('closes on the first answer, also on a refusal, and tells it', async () => {
    answer = NO_ANSWER
    await fail()
    clock.advance(LONGEST_PAUSE_MS)
    answer = '{"errcode":40029}'
    await failureOf(call)
    answer = '{}'
    for (let times = 0; times < 5; times += 1) await call()
    expect(log.slice(1)).to.deep.equal([`WeChat works again for calls of ${CALL.appid} at ${CALL.path}`])
  })

  it('tells of an outage that begins soon after another, when a minute has passed since', async () => {
    answer = NO_ANSWER
    await fail()
    clock.advance(LONGEST_PAUSE_MS)
    answer = '{}'
    await call()
    answer = NO_ANSWER
    await fail()
    expect(log).to.have.lengthOf(2)
    for (let passedMs = 0; passedMs < 600_000; passedMs += LONGEST_PAUSE_MS) {
      clock.advance(LONGEST_PAUSE_MS)
      await failureOf(call)
    }
    expect(log).to.have.lengthOf(3)
    expect(log[2]).to.match(/^WeChat fails for calls of .* more since it was last logged$/)
  })

  it('refuses at once though all slots are taken by calls that hang', async () => {
    api = apiOf(2)
    answer = NO_ANSWER
    await fail(IN_A_ROW - 1)
    const ends: (() => void)[] = []
    answer = () =>
      new Promise((_resolve, reject) => {
        ends.push(() => reject(NO_ANSWER))
      })
    const hanging = Array.from({ length: 3 }, () => failureOf(call))
    while (ends.length < 2) await new Promise((resolve) => setImmediate(resolve))
    ends[0]?.()
    await hanging[0]
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', call)
    // Who has waited for the slot is refused as well.
    expect(await hanging[2]).to.include({ code: 'ERR_WECHAT_UNREACHABLE' })
    expect(ends).to.have.lengthOf(2)
    clock.advance(LONGEST_PAUSE_MS)
    const probe = failureOf(call)
    while (ends.length < 3) await new Promise((resolve) => setImmediate(resolve))
    await weappErrorOf('ERR_WECHAT_UNREACHABLE', call)
    for (const end of ends.slice(1)) end()
    await Promise.all([hanging[1], probe])
  })

  describe('of several apps and APIs', () => {
    const LOGINS = { appid: 'wx1111111111111111', path: '/sns/jscode2session' }
    const NUMBERS = { ...LOGINS, path: '/wxa/business/getuserphonenumber' }
    const others = [2, 3, 4].map((digit) => ({ ...LOGINS, appid: `wx${String(digit).repeat(16)}` }))
    const failAt = async (call: typeof LOGINS, times = IN_A_ROW) => {
      answer = NO_ANSWER
      for (let time = 0; time < times; time += 1) await failureOf(() => api.call(call, {}))
    }
    const isSent = async (call: typeof LOGINS) => {
      const before = sent
      answer = '{}'
      await api.call(call, {}).catch(() => undefined)
      return sent > before
    }

    it('opens for the one that fails, and no other is refused, however seldom it calls', async () => {
      await failAt(LOGINS)
      expect(await isSent(LOGINS)).to.equal(false)
      for (const other of [NUMBERS, ...others]) expect(await isSent(other)).to.equal(true)
    })

    it('opens for the one that fails while another is answered all the time', async () => {
      for (let time = 0; time < IN_A_ROW; time += 1) {
        await failAt(LOGINS, 1)
        expect(await isSent(NUMBERS)).to.equal(true)
      }
      expect(await isSent(LOGINS)).to.equal(false)
    })

    it('opens for all when those of three apps fail and none is answered', async () => {
      for (const app of others) await failAt(app)
      expect(log.at(-1)).to.match(/^WeChat fails, so it is only probed for now: /)
      expect(await isSent(LOGINS)).to.equal(false)
      clock.advance(LONGEST_PAUSE_MS)
      await failAt(LOGINS, 1)
      for (const app of others) expect(await isSent(app)).to.equal(false)
      clock.advance(LONGEST_PAUSE_MS)
      expect(await isSent(LOGINS)).to.equal(true)
      expect(log.at(-1)).to.equal('WeChat works again')
      for (const app of [...others, NUMBERS]) expect(await isSent(app)).to.equal(true)
      expect(log.slice(-3).every((line) => line.startsWith('WeChat works again for calls of'))).to.equal(true)
    })

    it('does not open for all while any is answered in between', async () => {
      for (const app of others) {
        await failAt(app)
        expect(await isSent(NUMBERS)).to.equal(true)
      }
      expect(await isSent(LOGINS)).to.equal(true)
    })

    it('does not open for all again because three apps go on failing', async () => {
      for (const app of others) await failAt(app)
      clock.advance(LONGEST_PAUSE_MS)
      expect(await isSent(NUMBERS)).to.equal(true)
      clock.advance(LONGEST_PAUSE_MS)
      for (const app of others) await failAt(app, 1)
      expect(await isSent(NUMBERS)).to.equal(true)
    })

    it('is told of as open while calls come to it', async () => {
      await failAt(LOGINS)
      expect(breakers.isAnyOpen).to.equal(true)
      clock.advance(60_000)
      expect(breakers.isAnyOpen).to.equal(false)
      await failAt(LOGINS, 1)
      expect(breakers.isAnyOpen).to.equal(true)
    })

    it('is told of as open for all while calls come', async () => {
      for (const app of others) await failAt(app)
      expect(breakers.isAnyOpen).to.equal(true)
      clock.advance(60_000)
      expect(breakers.isAnyOpen).to.equal(false)
    })
  })
})
